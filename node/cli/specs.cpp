#include "node/cli/specs.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "node/cli/spec_parts.hpp"

namespace kith::node {

const std::vector<CommandSpec>& command_specs() {
  static const std::vector<CommandSpec> all = [] {
    std::vector<CommandSpec> specs;
    for (auto& part : {node_commands(), portable_commands(), incident_commands(), people_commands(),
                       identity_commands(), agent_commands(), policy_commands(), rule_commands(),
                       auto_commands(), report_commands(), ceremony_commands(), ledger_commands(),
                       key_commands(), message_commands(), share_commands(), trustee_commands(),
                       recovery_commands()}) {
      specs.insert(specs.end(), part.begin(), part.end());
    }
    return specs;
  }();
  return all;
}

const std::vector<ArgSpec>& global_args() {
  using enum ArgSpec::Kind;
  static const std::vector<ArgSpec> all = {
      {"--home", "", "The wallet's directory", directory},
      {"--passphrase-file", "", "Read the passphrase from this file (second line: its token's PIN)",
       file},
      {"--reader", "", "Ask a running node through its socket for readers; needs no wallet", file},
      {"--json", "", "One JSON document instead of sentences", flag},
      {"--yes", "", "Do not ask", flag},
      {"--dry-run", "", "Say what would be done, and do nothing", flag},
  };
  return all;
}

std::string_view value_name(ArgSpec::Kind kind) {
  using enum ArgSpec::Kind;
  switch (kind) {
    case flag:
      return {};
    case number:
      return "NUMBER";
    case list:
      return "LIST";
    case pairs:
      return "NAME=TEXT";
    case file:
      return "FILE";
    case directory:
      return "DIR";
    case text:
    case texts:
      break;
  }
  return "TEXT";
}

std::string_view group_help(std::string_view group) {
  static constexpr auto kGroups = std::to_array<std::pair<std::string_view, std::string_view>>({
      {"home", "The directory of this wallet"},
      {"contacts", "The people you know"},
      {"features", "What agents can do"},
      {"message", "Envelopes, for engineers"},
      {"slip39", "Secrets as words on paper, after SLIP-0039"},
      {"shamir", "Any file as shares"},
      {"did", "Your identity, and those of others"},
      {"agent", "Your devices"},
      {"identity", "What your devices have in common"},
      {"policy", "Who may act for you, and what this node may do"},
      {"auto", "What this node does by itself"},
      {"report", "Who may do what for you"},
      {"ceremony", "Critical steps before witnesses"},
      {"ledger", "Where identities are published"},
      {"keys", "Keys, and what they are for"},
      {"audit", "What this node has done"},
      {"alerts", "What this node raises the alarm about"},
      {"incident", "When something has gone wrong"},
      {"trustee", "What you do for people who trust you"},
      {"recovery", "Prepare for the loss of this device"},
      {"recover", "Get everything back after a loss"},
  });
  for (const auto& [name, help] : kGroups) {
    if (name == group) return help;
  }
  return {};
}

bool is_planned(std::string_view path) {
  static constexpr auto kPlanned = std::to_array<std::string_view>({
      "recovery drill",
      "recovery update",
      "recovery paper",
      "recover from-paper",
      "did disable",
      "policy grant",
      "policy revoke",
      "trustee resign",
      "trustee dismiss",
      "backup",
  });
  return std::ranges::find(kPlanned, path) != kPlanned.end();
}

}  // namespace kith::node
