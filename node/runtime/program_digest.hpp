#pragma once

/// Which program runs, as its bytes say it.

#include <string>

#include "crypto/result.hpp"

namespace kith::node {

/// SHA-256 of the running program's file in lower-case hex; of the one that runs, also when another
/// has taken its name since. Errors: io.
[[nodiscard]] Result<std::string> program_digest();

}  // namespace kith::node
