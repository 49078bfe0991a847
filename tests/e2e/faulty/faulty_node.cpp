/// kith-faulty: the ordinary node with a fault. Takes the words of `kith run`; KITH_FAULT in the
/// environment names the fault: a lie of lying_keys.hpp, or `early-ack` (early_store.hpp). Built
/// for the tests, never installed.

#include <csignal>
#include <cstdlib>
#include <iostream>
#include <string>
#include <vector>

#include "crypto/random.hpp"
#include "node/cli/output.hpp"
#include "node/cli/session.hpp"
#include "node/cli/terminal.hpp"
#include "node/runtime/runtime.hpp"
#include "tests/e2e/faulty/early_store.hpp"
#include "tests/e2e/faulty/lying_keys.hpp"

namespace kith::e2e {
namespace {

constexpr std::string_view kEarlyAck = "early-ack";

Result<void> add_fault(const std::string& name, crypto::Random& random,
                       node::RuntimeOptions& options) {
  if (name == kEarlyAck) {
    options.wrap_store = [](protocol::Store& disk) -> std::unique_ptr<protocol::Store> {
      return std::make_unique<EarlyStore>(disk);
    };
    return {};
  }
  TRY(const Fault fault, parse_fault(name));
  options.wrap_keys = [&random, fault](KeyOps& honest) -> std::unique_ptr<KeyOps> {
    return std::make_unique<LyingKeys>(honest, random, fault);
  };
  return {};
}

/// What lies about the keys stands in this process, so they are here too.
Result<std::unique_ptr<node::KeyHost>> keys_in_this_process(const std::string& directory,
                                                            const node::Invocation& invocation) {
  TRY(node::Keystore keystore, node::Home::read_keystore(directory));
  std::optional<SecretBytes> passphrase;
  if (keystore.has_passphrase()) {
    TRY(passphrase, node::read_passphrase_file(invocation.passphrase_file));
  }
  TRY(node::UnlockedKeys keys, keystore.unlock(passphrase ? &*passphrase : nullptr));
  return std::unique_ptr<node::KeyHost>(
      std::make_unique<node::LocalKeyHost>(std::move(keys), std::move(keystore), false));
}

Result<void> run(const node::Invocation& invocation, crypto::Random& random) {
  const char* setting = std::getenv("KITH_FAULT");
  const std::string fault = setting == nullptr ? "bad-proof" : setting;
  node::RuntimeOptions options;
  CHECK(add_fault(fault, random, options));
  TRY(const std::string directory, node::home_of(invocation));
  TRY(node::Home home, node::Home::open(directory));
  TRY(auto keys, keys_in_this_process(directory, invocation));
  options.listen = invocation.value("--listen");
  options.public_url = invocation.value("--public-url");
  options.mediate = invocation.has("--mediate");
  options.ledger_serve = invocation.has("--ledger-serve");
  options.serve_control = true;
  TRY(const auto runtime,
      node::Runtime::start(std::move(home), std::move(keys), std::move(options)));
  JsonObject started{{"home", directory}, {"running", true}, {"fault", fault}};
  if (runtime->port() != 0) started["port"] = runtime->port();
  if (!runtime->public_url().empty()) started["public_url"] = runtime->public_url();
  node::Output{true}.print(started);
  return runtime->run();
}

}  // namespace
}  // namespace kith::e2e

int main(int argc, char** argv) {
  std::signal(SIGXFSZ, SIG_IGN);
  std::signal(SIGPIPE, SIG_IGN);
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
