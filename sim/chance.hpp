#pragma once

/// Draws for the simulator, in integers, so that every compiler gets the same.

#include "crypto/random.hpp"
#include "protocol/time.hpp"

namespace kith::sim {

/// True in `rate` of 1000 cases.
[[nodiscard]] bool per_mille(Random& random, std::uint32_t rate);
/// Uniform in [low, high].
[[nodiscard]] Duration between(Random& random, Duration low, Duration high);
/// Exponentially distributed (the logarithm is interpolated; its error is below a tenth).
[[nodiscard]] Duration exponential(Random& random, Duration mean);

}  // namespace kith::sim
