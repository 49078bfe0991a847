#include "node/cli/commands.hpp"
#include "node/cli/run_options.hpp"
#include "node/known_answers.hpp"
#include "node/runtime/locked_node.hpp"
#include "node/runtime/program_digest.hpp"
#include "node/runtime/relock.hpp"
#include "node/version.hpp"

namespace kith::node {

int run_version(const Output& output) {
  JsonObject version{{"version", kVersion}, {"home_format", Home::kFormat}};
  if (const auto digest = program_digest(); digest.has_value()) version["sha256"] = *digest;
  output.print(version);
  return 0;
}

namespace {

/// The same address with the port that was free before. Errors: usage.
Result<void> set_port(std::string& listen, std::uint16_t port) {
  const std::size_t colon = listen.rfind(':');
  if (colon == std::string::npos) return fail(Errc::usage, "--listen needs ADDRESS:PORT");
  listen = listen.substr(0, colon + 1) + std::to_string(port);
  return {};
}

void say_started(const Runtime& runtime, const std::string& directory, const Output& output) {
  JsonObject started{{"home", directory}, {"running", true}};
  if (runtime.port() != 0) started["port"] = runtime.port();
  if (runtime.metrics_port() != 0) started["metrics_port"] = runtime.metrics_port();
  if (!runtime.public_url().empty()) started["public_url"] = runtime.public_url();
  if (!runtime.witness_url().empty()) started["witness"] = runtime.witness_url();
  if (runtime.settings().test) started["test"] = true;
  output.print(started);
  output.say("Kith is running; stop it with Ctrl-C.");
}

/// Until it is stopped; does not return when it is locked.
Result<void> run_unlocked(Home home, std::unique_ptr<KeyHost> keys, RuntimeOptions options,
                          const Output& output) {
  const std::string directory = home.directory();
  options.serve_control = true;
  if (auto digest = program_digest(); digest.has_value()) {
    options.program_digest = std::move(*digest);
  } else {
    output.say("Not compared with the program of the last start: " + digest.error().detail);
  }
  TRY(auto runtime, Runtime::start(std::move(home), std::move(keys), std::move(options)));
  say_started(*runtime, directory, output);
  CHECK(runtime->run());
  if (!runtime->lock_wanted()) return {};
  const std::uint16_t port = runtime->port();
  Home kept = runtime->take_home();
  runtime.reset();  // The process of the keys ends here.
  output.say("Kith is locked.");
  return start_anew_locked(std::move(kept), port);
}

Result<void> run_open(const Invocation& invocation, Home home, RuntimeOptions options,
                      const Output& output) {
  TRY(auto keys, keys_of(home, invocation, false));
  return run_unlocked(std::move(home), std::move(keys), std::move(options), output);
}

Result<void> run_locked(Home home, RuntimeOptions options, const Output& output) {
  if (!home.has_passphrase()) {
    return fail(Errc::wrong_state,
                "this wallet has no passphrase, so locking would protect nothing");
  }
  TRY(auto locked, LockedNode::start(home, options));
  JsonObject started{{"home", home.directory()}, {"running", true}, {"locked", true}};
  if (locked->port() != 0) started["port"] = locked->port();
  output.print(started);
  output.say("Kith is locked; `kith unlock` gives it its keys back.");
  auto unlocked = locked->run();
  if (!unlocked) return {};
  if (locked->port() != 0) CHECK(set_port(options.listen, locked->port()));
  locked.reset();
  options.lock_after_s = unlocked->lock_after_s;
  options.wrong_tries = unlocked->wrong_tries;
  return run_unlocked(std::move(home), std::move(unlocked->keys), std::move(options), output);
}

}  // namespace

int run_node(const Invocation& invocation, const Output& output) {
  if (invocation.has("--ui")) {
    return output.error(fail(Errc::usage,
                             "--ui is reserved for the web page, which this version "
                             "does not have; use the commands"));
  }
  if (const auto tested = check_known_answers(); tested.has_error()) {
    return output.error(tested.error());
  }
  const auto directory = home_of(invocation);
  if (!directory.has_value()) return output.error(directory.error());
  const auto handover = take_handover();
  auto home =
      handover ? Home::adopt(*directory, handover->lock_descriptor) : Home::open(*directory);
  if (!home.has_value()) return output.error(home.error());
  auto chosen = run_options(invocation, *directory);
  if (!chosen.has_value()) return output.error(chosen.error());
  RuntimeOptions options = std::move(*chosen);
  if (handover && handover->port != 0) {
    if (const auto moved = set_port(options.listen, handover->port); !moved.has_value()) {
      return output.error(moved.error());
    }
  }
  const auto ended = handover || invocation.has("--locked")
                         ? run_locked(std::move(*home), std::move(options), output)
                         : run_open(invocation, std::move(*home), std::move(options), output);
  if (!ended.has_value()) return output.error(ended.error());
  output.say("Kith has stopped.");
  return 0;
}

}  // namespace kith::node
