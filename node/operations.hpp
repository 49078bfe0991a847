#pragma once

/// What commands, messages, timers and effects do, as far as a freeze (protocol/freeze.hpp) and the
/// owner's policy documents (node/rules.hpp) are concerned. The Agent asks here before it hands
/// anything to a module, and before it gives an effect out. Whatever has no row is stopped while
/// frozen; a test holds that every command, message and module has one.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

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

/// The class in a word: "rotate", "use-share".
[[nodiscard]] std::string_view operation_word(Operation operation);

enum class OperationKind : std::uint8_t { command, message, timer };
struct NamedOperation {
  OperationKind kind = OperationKind::command;
  std::string name;  ///< A command's, or that of a row of messages or timers.
  Operation row{};
};
/// All rows but those of commands that are none of the agent's.
[[nodiscard]] const std::vector<NamedOperation>& all_operations();
/// Those of which a rule with this word speaks: of a class, a command, a message
/// ("trustee/1.0/share-prepare", "trustee/*") or a timer ("recovery|backup", "recovery|*"). Empty:
/// there is none.
[[nodiscard]] std::vector<NamedOperation> operations_called(std::string_view word);
/// "trustee/1.0/share-prepare" of a message type; empty if it is of no document that is known here.
[[nodiscard]] std::string message_word(std::string_view type);
/// "recovery|backup" of a timer: its name up to the first space.
[[nodiscard]] std::string timer_word(std::string_view module, std::string_view name);

}  // namespace kith::node
