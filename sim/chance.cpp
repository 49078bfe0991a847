#include "sim/chance.hpp"

#include <bit>

namespace kith::sim {
namespace {

constexpr std::uint64_t kLn2Q16 = 45'426;  // ln 2 * 2^16

}  // namespace

bool per_mille(Random& random, std::uint32_t rate) {
  return random.below(1000) < rate;
}

Duration between(Random& random, Duration low, Duration high) {
  const auto span = static_cast<std::uint64_t>((high - low).count());
  return low + Duration{static_cast<std::int64_t>(random.below(span + 1))};
}

Duration exponential(Random& random, Duration mean) {
  // -log2 of a uniform number in (0, 1), in 1/65536: whole part from the leading zeros, fraction
  // by a straight line between powers of two.
  const std::uint64_t drawn = random.u64() | 1;
  const int zeros = std::countl_zero(drawn);
  const std::uint64_t fraction = (drawn << zeros << 1) >> 48;
  const std::uint64_t minus_log2 = (static_cast<std::uint64_t>(zeros + 1) << 16) - fraction;
  const std::uint64_t scaled = (static_cast<std::uint64_t>(mean.count()) * minus_log2) >> 16;
  return Duration{static_cast<std::int64_t>((scaled * kLn2Q16) >> 16)};
}

}  // namespace kith::sim
