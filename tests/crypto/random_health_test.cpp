#include "crypto/random_health.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace kith::crypto {
namespace {

/// A source with a fault: what it gives is changed on its way.
template <class Fault>
class FaultyRandom final : public Random {
 public:
  explicit FaultyRandom(Fault fault) : fault_(fault) {}
  void fill(std::span<std::uint8_t> out) override {
    good_.fill(out);
    fault_(out);
  }

 private:
  SeededRandom good_{3, "health"};
  Fault fault_;
};

template <class Fault>
bool sick(Fault fault) {
  FaultyRandom<Fault> random(fault);
  const auto checked = check_random(random);
  return !checked.has_value() && checked.error() == Errc::random_broken;
}

TEST(RandomHealth, TrustsSourcesThatWork) {
  OsRandom system;
  EXPECT_TRUE(check_random(system).has_value());
  for (std::uint64_t seed = 0; seed < 200; ++seed) {
    SeededRandom random(seed, "health");
    EXPECT_TRUE(check_random(random).has_value()) << seed;
  }
}

TEST(RandomHealth, FindsSourcesThatAreStuckOrUneven) {
  EXPECT_TRUE(sick([](auto out) { std::ranges::fill(out, 0); }));
  EXPECT_TRUE(sick([](auto out) { std::ranges::fill(out, 0xFF); }));
  // Stuck for a moment.
  EXPECT_TRUE(sick([](auto out) { std::ranges::fill(out.subspan(1000, 8), 7); }));
  EXPECT_FALSE(sick([](auto out) { std::ranges::fill(out.subspan(1000, 6), 7); }));
  // Four bits of eight.
  EXPECT_TRUE(sick([](auto out) {
    for (auto& byte : out) byte &= 0x0F;
  }));
  // Good bytes, the same again.
  EXPECT_TRUE(sick([](auto out) {
    SeededRandom again(9, "again");
    again.fill(out);
  }));
}

}  // namespace
}  // namespace kith::crypto
