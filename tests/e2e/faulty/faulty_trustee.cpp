/// kith-faulty: the ordinary node with lying keys (lying_keys.hpp). Takes the words of `kith run`;
/// KITH_FAULT in the environment says how it lies. Built for the tests, never installed.

#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "crypto/random.hpp"
#include "node/cli/output.hpp"
#include "node/cli/session.hpp"
#include "node/runtime/runtime.hpp"
#include "tests/e2e/faulty/lying_keys.hpp"

namespace kith::e2e {
namespace {

Result<void> run(const node::Invocation& invocation, crypto::Random& random) {
  const char* setting = std::getenv("KITH_FAULT");
  TRY(const Fault fault, parse_fault(setting == nullptr ? "bad-proof" : setting));
  TRY(const std::string directory, node::home_of(invocation));
  TRY(node::Home home, node::Home::open(directory));
  TRY(node::UnlockedKeys keys, node::unlock_home(home, invocation));
  node::RuntimeOptions options;
  options.listen = invocation.value("--listen");
  options.serve_control = true;
  options.wrap_keys = [&random, fault](KeyOps& honest) -> std::unique_ptr<KeyOps> {
    return std::make_unique<LyingKeys>(honest, random, fault);
  };
  TRY(const auto runtime,
      node::Runtime::start(std::move(home), std::move(keys), std::move(options)));
  node::Output{true}.print({{"home", directory},
                            {"running", true},
                            {"fault", setting == nullptr ? "bad-proof" : setting}});
  return runtime->run();
}

}  // namespace
}  // namespace kith::e2e

int main(int argc, char** argv) {
  const std::vector<std::string> words(argv + 1, argv + argc);
  const kith::node::Output output{true};
  const auto parsed = kith::node::parse_command_line(words);
  if (!parsed.has_value()) return output.error(parsed.error());
  const auto* invocation = std::get_if<kith::node::Invocation>(&*parsed);
  if (invocation == nullptr) return 2;
  kith::crypto::OsRandom random;
  const auto ended = kith::e2e::run(*invocation, random);
  return ended.has_value() ? 0 : output.error(ended.error());
}
