#include "node/cli/commands.hpp"
#include "node/cli/run_options.hpp"
#include "node/runtime/program_digest.hpp"
#include "node/version.hpp"

namespace kith::node {

int run_version(const Output& output) {
  JsonObject version{{"version", kVersion}, {"home_format", Home::kFormat}};
  if (const auto digest = program_digest(); digest.has_value()) version["sha256"] = *digest;
  output.print(version);
  return 0;
}

int run_node(const Invocation& invocation, const Output& output) {
  if (invocation.has("--ui")) {
    return output.error(fail(Errc::usage,
                             "--ui is reserved for the web page, which this version "
                             "does not have; use the commands"));
  }
  const auto directory = home_of(invocation);
  if (!directory.has_value()) return output.error(directory.error());
  auto home = Home::open(*directory);
  if (!home.has_value()) return output.error(home.error());
  auto keys = unlock_home(*home, invocation);
  if (!keys.has_value()) return output.error(keys.error());

  auto chosen = run_options(invocation, *directory);
  if (!chosen.has_value()) return output.error(chosen.error());
  RuntimeOptions options = std::move(*chosen);
  options.serve_control = true;
  if (auto digest = program_digest(); digest.has_value()) {
    options.program_digest = std::move(*digest);
  } else {
    output.say("Not compared with the program of the last start: " + digest.error().detail);
  }
  auto runtime = Runtime::start(std::move(*home), std::move(*keys), std::move(options));
  if (!runtime.has_value()) return output.error(runtime.error());

  JsonObject started{{"home", *directory}, {"running", true}};
  if ((*runtime)->port() != 0) started["port"] = (*runtime)->port();
  if ((*runtime)->metrics_port() != 0) started["metrics_port"] = (*runtime)->metrics_port();
  if (!(*runtime)->public_url().empty()) started["public_url"] = (*runtime)->public_url();
  if (!(*runtime)->witness_url().empty()) started["witness"] = (*runtime)->witness_url();
  if ((*runtime)->settings().test) started["test"] = true;
  output.print(started);
  output.say("Kith is running; stop it with Ctrl-C.");
  const auto ended = (*runtime)->run();
  if (!ended.has_value()) return output.error(ended.error());
  output.say("Kith has stopped.");
  return 0;
}

}  // namespace kith::node
