#pragma once

/// The configuration file of a node, kith.toml: one table of options, from which the file is read
/// and docs/config.md is checked. Flags of `kith run` come after it and win.
///
/// Nothing is guessed: an unknown name, a value of the wrong kind or out of its range is refused
/// with its line. A file that is not there says nothing.

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "crypto/result.hpp"
#include "node/runtime/runtime.hpp"

namespace kith::node {

/// What an option holds; the kinds of TOML that are used here.
using ConfigValue = std::variant<bool, std::int64_t, std::string, std::vector<std::string>>;

struct ConfigOption {
  std::string_view name;  ///< Path in the file: "mediator.admission".
  std::string_view flag;  ///< The same on the command line; empty: none.
  std::string_view help;
  std::int64_t least = 0;                      ///< For numbers.
  std::int64_t most = 0;                       ///< For numbers.
  std::vector<std::string_view> choices = {};  ///< For texts; empty: any.
  ConfigValue (*get)(const RuntimeOptions&) = nullptr;
  void (*set)(RuntimeOptions&, const ConfigValue&) = nullptr;
};

/// In the order of the documentation; the default of each is what `get` says of RuntimeOptions{}.
[[nodiscard]] const std::vector<ConfigOption>& config_options();

/// Reads `text` into `options`. Errors: usage, naming `file`, the line and what is wrong.
[[nodiscard]] Result<void> apply_config(std::string_view text, const std::string& file,
                                        RuntimeOptions& options);
/// The same from a file. Errors: usage; io (cannot be read), unless it is absent and
/// `may_be_absent`.
[[nodiscard]] Result<void> apply_config_file(const std::string& path, bool may_be_absent,
                                             RuntimeOptions& options);

/// docs/config.md, from the table.
[[nodiscard]] std::string config_page();

}  // namespace kith::node
