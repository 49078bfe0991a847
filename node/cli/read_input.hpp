#pragma once

/// Files that a command is given. Errors: io, limit_exceeded (beyond `bytes_max`).

#include <string>

#include "crypto/limits.hpp"
#include "crypto/result.hpp"

namespace kith::node {

[[nodiscard]] Result<std::string> read_file(const std::string& path,
                                            std::size_t bytes_max = limits::kEnvelopeBytesMax);
/// Of standard input where `path` is empty or "-".
[[nodiscard]] Result<std::string> read_input(const std::string& path,
                                             std::size_t bytes_max = limits::kEnvelopeBytesMax);

}  // namespace kith::node
