#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>

#include <csignal>
#include <string>
#include <string_view>
#include <vector>

#include "node/cli/commands.hpp"
#include "node/keys/key_host.hpp"

namespace {

/// No memory of this process may be read by others or end up in a file; new files are private.
void close_up() {
  ::umask(S_IRWXG | S_IRWXO);
  ::prctl(PR_SET_DUMPABLE, 0);
  const rlimit none{0, 0};
  ::setrlimit(RLIMIT_CORE, &none);
  // A full disk and a closed connection are errors to handle, not reasons to die.
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace

int main(int argc, char** argv) {
  close_up();
  if (argc == 2 && std::string_view(argv[1]) == kith::node::kKeyProcessWord) {
    return kith::node::run_key_process();
  }
  return kith::node::run_cli(std::vector<std::string>(argv + 1, argv + argc));
}
