#pragma once

/// Files that a command is given. Errors: io, limit_exceeded (kEnvelopeBytesMax).

#include <string>

#include "crypto/result.hpp"

namespace kith::node {

[[nodiscard]] Result<std::string> read_file(const std::string& path);
/// Of standard input where `path` is empty or "-".
[[nodiscard]] Result<std::string> read_input(const std::string& path);

}  // namespace kith::node
