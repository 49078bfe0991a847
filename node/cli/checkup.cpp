#include "node/cli/checkup.hpp"

#include <utility>

namespace kith::node {
namespace {

using crypto::json_text_of;
using Level = Finding::Level;

class Findings {
 public:
  void good(std::string check, std::string found) {
    add({std::move(check), Level::good, std::move(found), ""});
  }
  void advice(std::string check, std::string found, std::string next) {
    add({std::move(check), Level::advice, std::move(found), std::move(next)});
  }
  void problem(std::string check, std::string found, std::string next) {
    add({std::move(check), Level::problem, std::move(found), std::move(next)});
  }
  [[nodiscard]] std::vector<Finding> take() { return std::move(all_); }

 private:
  void add(Finding finding) { all_.push_back(std::move(finding)); }
  std::vector<Finding> all_;
};

void examine_home(const HomeFacts& home, Findings& findings) {
  if (!home.broken.empty()) {
    findings.problem("home", home.broken, home.mend);
  } else {
    findings.good("home", home.directory);
  }
  if (home.open_files.empty()) {
    findings.good("permissions", "closed to others");
  } else {
    std::string names;
    for (const std::string& name : home.open_files) names += (names.empty() ? "" : ", ") + name;
    findings.problem("permissions", "others on this machine can get at " + names,
                     "Close it: chmod -R go-rwx " + home.directory);
  }
}

void examine_keystore(const HomeFacts& home, const NodeFacts& node, Findings& findings) {
  const bool known = home.has_passphrase || node.situation.status.contains("passphrase");
  if (!known) return;
  const bool has_passphrase =
      home.has_passphrase.value_or(crypto::json_true(node.situation.status, "passphrase"));
  const std::string identity = json_text_of(node.situation.identity, "state");
  const bool somebodys = !identity.empty() && identity != "none";
  if (has_passphrase) {
    findings.good("passphrase", "set");
  } else if (somebodys) {
    findings.advice("passphrase", "none: whoever can read the home has your keys",
                    "For a person, make a wallet with a passphrase: kith init");
  } else {
    findings.good("passphrase", "none: a bare key file, as servers have it");
  }
}

void examine_machine(const MachineFacts& machine, Findings& findings) {
  if (machine.wrong_algorithm.empty()) {
    findings.good("cryptography", "every algorithm gives its known answer");
  } else {
    findings.problem("cryptography", machine.wrong_algorithm + " gives a wrong answer",
                     "Make and use no keys here; install Kith anew");
  }
  if (machine.memory_locked) {
    findings.good("secret memory",
                  machine.swap ? "locked: it stays out of the swap space" : "locked");
  } else {
    findings.problem("secret memory", "can be swapped to disk",
                     "Raise the limit of locked memory: ulimit -l, or LimitMEMLOCK= in the unit");
  }
  if (machine.dumps) {
    findings.problem("core dumps", "a crash would write secrets to disk",
                     "Turn them off: ulimit -c 0");
  } else {
    findings.good("core dumps", "off");
  }
  if (machine.clock_kept == std::optional(false)) {
    findings.advice("clock", "nobody keeps it right",
                    "Let the system keep it: timedatectl set-ntp true");
  } else if (machine.clock_kept) {
    findings.good("clock", "kept right by a time service");
  }
  if (!machine.free_bytes) return;
  const std::string space = std::to_string(*machine.free_bytes >> 20U) + " MiB";
  if (*machine.free_bytes >= kFreeBytesWanted) {
    findings.good("free space", space);
  } else {
    findings.problem("free space", space, "Make room: a node that cannot write stops");
  }
}

void examine_mail(const JsonObject& status, Findings& findings) {
  if (!status.contains("mediator")) return;
  if (crypto::json_true(status, "mail_registered")) {
    findings.good("mail",
                  crypto::json_true(status, "mail_live") ? "comes at once" : "is asked for");
  } else {
    findings.advice("mail", "your mediator does not take it for all of your contacts",
                    "See what waits there, and ask its operator: kith mailbox");
  }
}

void examine_super_quorum(const std::string& state, Findings& findings) {
  if (state == "in-force") {
    return findings.good("trustees together", "a higher quorum can contest what they do");
  }
  const std::string danger =
      "as many of them as you would need could take your identity, and no higher quorum ";
  if (state == "setting-up") {
    return findings.advice("trustees together", danger + "is in force yet that could contest it",
                           "See how far it is: kith recovery super-status");
  }
  findings.advice("trustees together", danger + "is set up that could contest it",
                  "Choose trustees who do not all know each other, and others who can contest it: "
                  "kith recovery super-setup");
}

/// The owner of a plan is told what it cannot do (recovery-protocol section 4).
void examine_recovery(const Situation& situation, Findings& findings) {
  const std::string state = json_text_of(situation.recovery, "state");
  const std::string published = json_text_of(situation.identity, "state");
  if (published.empty() || published == "none") return;
  if (state == "ready") {
    findings.good("recovery", "ready");
  } else if (state.empty() || state == "none") {
    findings.problem("recovery", "not set up: without this device your identity is lost",
                     "Choose who helps you: kith recovery setup --threshold N --trustees A,B,C");
  } else {
    findings.problem("recovery", "not ready", "See what it lacks: kith recovery status");
  }
  if (state.empty() || state == "none") return;
  examine_super_quorum(json_text_of(situation.recovery, "super_quorum"), findings);
}

void examine_node(const NodeFacts& node, Findings& findings) {
  const auto& [status, identity, recovery, recover] = node.situation;
  if (!node.running) {
    return findings.advice("node", "not running; what only it knows was not looked at",
                           "Start it: kith run");
  }
  const std::string version = json_text_of(status, "version");
  if (!version.empty() && version != node.program_version) {
    findings.advice("node",
                    "runs version " + version + ", and this program is " + node.program_version,
                    "Start the node again");
  } else {
    findings.good("node", "running, version " + version);
  }
  if (!node.audit_broken.empty()) {
    findings.problem("audit log", node.audit_broken,
                     "Somebody may have changed the home: kith audit verify");
  } else {
    findings.good("audit log", "whole");
  }
  const std::string published = json_text_of(identity, "state");
  if (published == "posted") {
    findings.good("identity", "on its ledger");
  } else if (!published.empty() && published != "none") {
    findings.problem("identity", "has not reached its ledger", "See why: kith ledger status");
  }
  examine_mail(status, findings);
  examine_recovery(node.situation, findings);
}

}  // namespace

std::vector<Finding> examine(const HomeFacts& home, const MachineFacts& machine,
                             const NodeFacts& node) {
  Findings findings;
  examine_home(home, findings);
  examine_keystore(home, node, findings);
  examine_machine(machine, findings);
  examine_node(node, findings);
  return findings.take();
}

}  // namespace kith::node
