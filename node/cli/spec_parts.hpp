#pragma once

/// The parts of the table of commands (specs.hpp), a file for each kind.

#include <vector>

#include "node/cli/specs.hpp"

namespace kith::node {

inline constexpr ArgSpec kWait{"--wait", "", "Seconds to wait for others (0: do not wait)",
                               ArgSpec::Kind::number};

[[nodiscard]] std::vector<CommandSpec> node_commands();
[[nodiscard]] std::vector<CommandSpec> portable_commands();
[[nodiscard]] std::vector<CommandSpec> key_commands();
[[nodiscard]] std::vector<CommandSpec> incident_commands();
[[nodiscard]] std::vector<CommandSpec> message_commands();
[[nodiscard]] std::vector<CommandSpec> share_commands();
[[nodiscard]] std::vector<CommandSpec> people_commands();
[[nodiscard]] std::vector<CommandSpec> identity_commands();
[[nodiscard]] std::vector<CommandSpec> agent_commands();
[[nodiscard]] std::vector<CommandSpec> policy_commands();
[[nodiscard]] std::vector<CommandSpec> rule_commands();
[[nodiscard]] std::vector<CommandSpec> auto_commands();
[[nodiscard]] std::vector<CommandSpec> report_commands();
[[nodiscard]] std::vector<CommandSpec> ceremony_commands();
[[nodiscard]] std::vector<CommandSpec> ledger_commands();
[[nodiscard]] std::vector<CommandSpec> trustee_commands();
[[nodiscard]] std::vector<CommandSpec> recovery_commands();

}  // namespace kith::node
