#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/timex.h>

#include <fstream>

#include "crypto/assert.hpp"
#include "node/cli/checkup.hpp"
#include "node/cli/commands.hpp"
#include "node/control/client.hpp"
#include "node/control/socket_path.hpp"
#include "node/known_answers.hpp"
#include "node/version.hpp"

/// `kith doctor`: gathers facts, has them judged (checkup.hpp), and prints what was found.

namespace kith::node {
namespace {

bool node_runs(const std::string& directory) {
  const auto path = control_socket_path(directory);
  return path.has_value() && ControlClient::connect(*path).has_value();
}

/// What Home::open would refuse, by name: a running node opened it a while ago.
std::vector<std::string> files_open_to_others(const std::string& directory) {
  std::vector<std::string> open;
  for (const std::string name : {"", "keystore", "db", "ledger"}) {
    const std::string path = name.empty() ? directory : directory + "/" + name;
    struct stat info {};
    if (::lstat(path.c_str(), &info) != 0) continue;
    if ((info.st_mode & (S_IRWXG | S_IRWXO)) != 0) open.push_back(name.empty() ? "the home" : name);
  }
  return open;
}

HomeFacts look_at_home(const std::string& directory, bool running) {
  HomeFacts facts;
  facts.directory = directory;
  facts.open_files = files_open_to_others(directory);
  const auto home = Home::open(directory);
  if (home.has_value()) {
    facts.has_passphrase = home->has_passphrase();
  } else if (!running || home.error() != Errc::home_locked) {
    const ErrorReport report = report_of(home.error());
    facts.broken = report.message;
    facts.mend = report.hint;
  }
  return facts;
}

MachineFacts look_at_machine(const std::string& directory) {
  MachineFacts facts;
  const auto tested = check_known_answers();
  if (tested.has_error()) facts.wrong_algorithm = tested.error().detail;
  const SecretBytes probe(32);
  facts.memory_locked = crypto::secret_memory_locked();
  std::ifstream swaps("/proc/swaps");
  std::string line;
  std::getline(swaps, line);  // The heading.
  facts.swap = static_cast<bool>(std::getline(swaps, line));
  struct rlimit core {};
  const bool core_limit_known = ::getrlimit(RLIMIT_CORE, &core) == 0;
  facts.dumps = ::prctl(PR_GET_DUMPABLE) == 1 && (!core_limit_known || core.rlim_cur != 0);
  struct timex clock {};
  const int state = ::adjtimex(&clock);
  if (state != -1) facts.clock_kept = state != TIME_ERROR && (clock.status & STA_UNSYNC) == 0;
  struct statvfs space {};
  if (::statvfs(directory.c_str(), &space) == 0) {
    facts.free_bytes = std::uint64_t{space.f_bavail} * space.f_frsize;
  }
  return facts;
}

JsonObject answer_of(Session& session, std::string_view command) {
  ControlReply reply = session.command(command);
  auto* object = std::get_if<JsonObject>(&reply);
  return object == nullptr ? JsonObject{} : std::move(*object);
}

Result<NodeFacts> look_at_node(const Invocation& invocation, bool running) {
  NodeFacts facts;
  facts.running = running;
  facts.program_version = kVersion;
  if (!running) return facts;
  TRY(Session session, Session::open(invocation));
  facts.situation = {answer_of(session, "status"), answer_of(session, "identity-status"),
                     answer_of(session, "recovery-status"), answer_of(session, "recover-status")};
  const ControlReply audit = session.command("audit-verify");
  if (const auto* error = std::get_if<ErrorReport>(&audit)) facts.audit_broken = error->message;
  return facts;
}

std::string_view level_name(Finding::Level level) {
  switch (level) {
    case Finding::Level::good:
      return "good";
    case Finding::Level::advice:
      return "advice";
    case Finding::Level::problem:
      return "problem";
  }
  UNREACHABLE();
}

void print(const std::vector<Finding>& findings, bool all_ok, const Output& output) {
  JsonArray checks;
  for (const Finding& finding : findings) {
    const std::string mark = finding.level == Finding::Level::good     ? "  "
                             : finding.level == Finding::Level::advice ? "- "
                                                                       : "! ";
    output.say(mark + finding.check + ": " + finding.found);
    if (!finding.next.empty()) output.say("    " + finding.next);
    JsonObject check{{"check", finding.check},
                     {"ok", finding.level != Finding::Level::problem},
                     {"level", level_name(finding.level)},
                     {"found", finding.found}};
    if (!finding.next.empty()) check["next"] = finding.next;
    checks.push_back(std::move(check));
  }
  if (output.json) output.print({{"ok", all_ok}, {"checks", std::move(checks)}});
}

}  // namespace

int run_doctor(const Invocation& invocation, const Output& output) {
  const auto directory = home_of(invocation);
  if (!directory.has_value()) return output.error(directory.error());
  const bool running = node_runs(*directory);
  const auto node = look_at_node(invocation, running);
  if (!node.has_value()) return output.error(node.error());
  const auto findings =
      examine(look_at_home(*directory, running), look_at_machine(*directory), *node);
  bool all_ok = true;
  for (const Finding& finding : findings) {
    all_ok = all_ok && finding.level != Finding::Level::problem;
  }
  print(findings, all_ok, output);
  return all_ok ? 0 : 1;
}

}  // namespace kith::node
