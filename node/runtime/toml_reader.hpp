#pragma once

/// What all readers of files have in common that people write (TOML 1.0): whatever is wrong is said
/// with its file and line. For the sources of node/runtime/ alone.

#include <toml++/toml.h>

#include <string>
#include <string_view>

#include "crypto/result.hpp"

namespace kith::node {

class TomlReader {
 public:
  /// `file` as people know it; it outlives the reader.
  explicit TomlReader(const std::string& file) : file_(file) {}

  [[nodiscard]] Error error(std::size_t line, const std::string& what) const {
    return fail(Errc::usage, file_ + ", line " + std::to_string(line) + ": " + what);
  }
  [[nodiscard]] Error error(const toml::node& node, const std::string& what) const {
    return error(node.source().begin.line, what);
  }
  [[nodiscard]] Error unknown(const toml::key& key) const {
    return error(key.source().begin.line,
                 "there is no `" + std::string(key.str()).substr(0, kShownBytes) + "` here");
  }
  [[nodiscard]] const std::string& file() const { return file_; }

 protected:
  /// What somebody else wrote is not shown at any length.
  static constexpr std::size_t kShownBytes = 100;

 private:
  const std::string& file_;
};

/// `read` makes a Result of the table. Errors: its own; usage: `text` is no TOML.
template <class Read>
[[nodiscard]] auto read_toml(const TomlReader& reader, std::string_view text, const Read& read)
    -> decltype(read(toml::table())) {
  try {
    return read(toml::parse(text, reader.file()));
  } catch (const toml::parse_error& broken) {
    return reader.error(broken.source().begin.line, std::string(broken.description()));
  }
}

}  // namespace kith::node
