#pragma once

/// Whether a source of randomness works at all: the two health tests of NIST SP 800-90B section
/// 4.4 on bytes as they come, and no two draws alike. They find a source that is stuck or far from
/// even, with a false alarm in fewer than one of 2^40 starts. What no test of the output can find
/// is a source that somebody else knows.
///
/// Pure.

#include "crypto/random.hpp"
#include "crypto/result.hpp"

namespace kith::crypto {

/// Errors: random_broken, saying which test failed.
[[nodiscard]] Result<void> check_random(Random& random);

}  // namespace kith::crypto
