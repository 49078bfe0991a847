#pragma once

/// What commands, messages, timers and effects do, as far as a freeze is concerned
/// (protocol/freeze.hpp). The Agent asks here before it hands anything to a module, and before it
/// gives an effect out. Whatever has no row is stopped while frozen; a test holds that every
/// command, message and module has one.

#include <optional>
#include <string_view>

#include "protocol/effect.hpp"
#include "protocol/freeze.hpp"

namespace kith::node {

using protocol::Operation;

/// Whether what has this row, or none, may not be done now.
[[nodiscard]] inline bool is_stopped(Host& host, std::optional<Operation> row) {
  return row ? protocol::stopped(host, *row) : protocol::is_frozen(host);
}

/// Of a command of the agent. nullopt: no row.
[[nodiscard]] std::optional<Operation> operation_of_command(std::string_view command);
/// Of a command of the program that is none of the agent's, by its path. nullopt: no row.
[[nodiscard]] std::optional<Operation> operation_of_program(std::string_view path);
/// Of a message, by its type: the row of its own, else that of its protocol. nullopt: no row.
[[nodiscard]] std::optional<Operation> operation_of_message(std::string_view type);
/// Of a timer: the row of its own (by the first word of its name), else that of its module.
/// nullopt: no row.
[[nodiscard]] std::optional<Operation> operation_of_timer(std::string_view module,
                                                          std::string_view name);
/// Of what is to leave: an entry for a ledger rotates, unless it is a veto; all else is mail and
/// questions, which were decided on where they were made.
[[nodiscard]] Operation operation_of_effect(const protocol::Effect& effect);

}  // namespace kith::node
