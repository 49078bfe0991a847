#include "crypto/gf256.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"

namespace kith::crypto {
namespace {

/// Schoolbook: multiply as polynomials, then divide.
std::uint8_t naive_product(unsigned a, unsigned b) {
  unsigned product = 0;
  for (unsigned bit = 0; bit < 8; ++bit) {
    if ((b >> bit & 1) != 0) product ^= a << bit;
  }
  for (unsigned bit = 15; bit >= 8; --bit) {
    if ((product >> bit & 1) != 0) product ^= 0x11bU << (bit - 8);
  }
  return static_cast<std::uint8_t>(product);
}

TEST(Gf256, MultipliesAsPolynomials) {
  for (unsigned a = 0; a < 256; ++a) {
    for (unsigned b = 0; b < 256; ++b) {
      ASSERT_EQ(gf256_multiply(static_cast<std::uint8_t>(a), static_cast<std::uint8_t>(b)),
                naive_product(a, b))
          << a << " times " << b;
    }
  }
  EXPECT_EQ(gf256_multiply(0x57, 0x83), 0xc1) << "FIPS 197 section 4.2";
}

TEST(Gf256, InverseTimesItselfIsOne) {
  EXPECT_EQ(gf256_inverse(0), 0);
  for (unsigned a = 1; a < 256; ++a) {
    const auto byte = static_cast<std::uint8_t>(a);
    EXPECT_EQ(gf256_multiply(byte, gf256_inverse(byte)), 1) << a;
  }
}

TEST(Gf256, GivesEveryPointOfAPolynomialFromEnoughOthers) {
  SeededRandom random(1, "gf256");
  for (std::size_t count = 1; count <= 16; ++count) {
    std::vector<ByteShare> known;
    for (std::size_t i = 0; i < count; ++i) {
      known.push_back({static_cast<std::uint8_t>(17 * i), random.secret(40)});
    }
    std::vector<ByteShare> others;
    for (std::size_t i = 0; i < count; ++i) {
      const auto x = static_cast<std::uint8_t>(17 * i + 1);
      others.push_back({x, *gf256_interpolate(known, x)});
    }
    for (const ByteShare& share : known) {
      const auto again = gf256_interpolate(others, share.x);
      ASSERT_TRUE(again.has_value());
      EXPECT_TRUE(equal_constant_time(again->expose(), share.y.expose()));
    }
    others.pop_back();
    if (others.empty()) continue;
    const auto short_of_one = gf256_interpolate(others, 0);
    EXPECT_FALSE(equal_constant_time(short_of_one->expose(), known[0].y.expose()));
  }
}

TEST(Gf256, RefusesSharesThatCannotBeTogether) {
  SeededRandom random(2, "gf256");
  EXPECT_EQ(gf256_interpolate({}, 0).error(), Errc::malformed);
  std::vector<ByteShare> shares;
  shares.push_back({3, random.secret(8)});
  shares.push_back({3, random.secret(8)});
  EXPECT_EQ(gf256_interpolate(shares, 0).error(), Errc::malformed);
  shares[1] = {4, random.secret(9)};
  EXPECT_EQ(gf256_interpolate(shares, 0).error(), Errc::malformed);
}

}  // namespace
}  // namespace kith::crypto
