#include <sys/statvfs.h>

#include <iostream>

#include "node/cli/commands.hpp"
#include "node/cli/run_options.hpp"
#include "node/control/client.hpp"
#include "node/control/socket_path.hpp"
#include "node/runtime/program_digest.hpp"
#include "node/version.hpp"

namespace kith::node {
namespace {

constexpr std::uint64_t kFreeBytesWanted = std::uint64_t{64} << 20;

/// A list of checks, each with what was found.
class Findings {
 public:
  void add(std::string_view check, bool ok, std::string found) {
    checks_.push_back(JsonObject{{"check", check}, {"ok", ok}, {"found", std::move(found)}});
    all_ok_ = all_ok_ && ok;
  }
  [[nodiscard]] bool all_ok() const { return all_ok_; }
  [[nodiscard]] JsonObject take() { return {{"ok", all_ok_}, {"checks", std::move(checks_)}}; }

 private:
  JsonArray checks_;
  bool all_ok_ = true;
};

bool node_runs(const std::string& directory) {
  const auto path = control_socket_path(directory);
  return path.has_value() && ControlClient::connect(*path).has_value();
}

void check_home(const std::string& directory, Findings& findings) {
  const bool running = node_runs(directory);
  findings.add("node", true, running ? "running" : "not running");
  const auto home = Home::open(directory);
  if (home.has_value()) {
    findings.add("home", true, directory);
    findings.add("passphrase", true,
                 home->keystore().has_passphrase() ? "set" : "none: a bare key file");
  } else if (running && home.error() == Errc::home_locked) {
    findings.add("home", true, directory);
  } else {
    findings.add("home", false, report_of(home.error()).message);
  }
}

void check_machine(const std::string& directory, Findings& findings) {
  const SecretBytes probe(32);
  findings.add("secret memory", crypto::secret_memory_locked(),
               crypto::secret_memory_locked()
                   ? "locked"
                   : "can be swapped to disk; raise the limit of locked memory (ulimit -l)");
  struct statvfs space {};
  if (::statvfs(directory.c_str(), &space) != 0) return;
  const std::uint64_t free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
  findings.add("free space", free_bytes >= kFreeBytesWanted,
               std::to_string(free_bytes >> 20U) + " MiB");
}

}  // namespace

int run_version(const Output& output) {
  JsonObject version{{"version", kVersion}, {"home_format", Home::kFormat}};
  if (const auto digest = program_digest(); digest.has_value()) version["sha256"] = *digest;
  output.print(version);
  return 0;
}

int run_doctor(const Invocation& invocation, const Output& output) {
  const auto directory = home_of(invocation);
  if (!directory.has_value()) return output.error(directory.error());
  Findings findings;
  check_home(*directory, findings);
  check_machine(*directory, findings);
  const bool ok = findings.all_ok();
  output.print(findings.take());
  return ok ? 0 : 1;
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
