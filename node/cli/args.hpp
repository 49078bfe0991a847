#pragma once

/// The command line, taken apart by the table of commands.

#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "crypto/json.hpp"
#include "crypto/result.hpp"
#include "node/cli/specs.hpp"

namespace kith::node {

struct Invocation {
  const CommandSpec* spec = nullptr;
  std::string home;             ///< --home; empty: the default.
  std::string passphrase_file;  ///< --passphrase-file
  std::string reader;           ///< --reader; empty: as the owner.
  bool json = false;
  bool yes = false;
  bool dry_run = false;
  std::map<std::string, std::string, std::less<>> values;  ///< By name of the ArgSpec; as given.

  [[nodiscard]] bool has(std::string_view name) const { return values.contains(name); }
  [[nodiscard]] std::string value(std::string_view name) const;
  /// Of a number that was given.
  [[nodiscard]] std::int64_t number(std::string_view name) const;
  /// --wait, or `otherwise`.
  [[nodiscard]] std::int64_t wait_seconds(std::int64_t otherwise) const;
  /// Args of the agent's command.
  [[nodiscard]] JsonObject args() const;
};

/// Help that was asked for, to be printed.
struct HelpText {
  std::string text;
};

/// Errors: usage.
[[nodiscard]] Result<std::variant<Invocation, HelpText>> parse_command_line(
    const std::vector<std::string>& words);
/// --json was among the words: errors of the command line itself follow it too.
[[nodiscard]] bool wants_json(const std::vector<std::string>& words);

}  // namespace kith::node
