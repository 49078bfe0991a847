#include "crypto/agreement_cache.hpp"

#include <gtest/gtest.h>

namespace kith::crypto {
namespace {

Bytes name(std::uint8_t number) {
  return Bytes(32, number);
}
SecretBytes secret(std::uint8_t number) {
  return SecretBytes::copy_of(Bytes(32, number));
}

TEST(AgreementCache, FindsWhatItKeepsForThatPairOnly) {
  AgreementCache cache(4);
  cache.keep(name(1), name(2), secret(9));
  const SecretBytes* found = cache.find(name(1), name(2));
  ASSERT_NE(found, nullptr);
  EXPECT_TRUE(equal_constant_time(found->expose(), Bytes(32, 9)));
  EXPECT_EQ(cache.find(name(2), name(1)), nullptr);
  EXPECT_EQ(cache.find(name(1), name(3)), nullptr);
}

TEST(AgreementCache, PushesOutTheLeastRecentlyUsed) {
  AgreementCache cache(2);
  cache.keep(name(1), name(2), secret(1));
  cache.keep(name(1), name(3), secret(2));
  ASSERT_NE(cache.find(name(1), name(2)), nullptr);
  cache.keep(name(1), name(4), secret(3));
  EXPECT_EQ(cache.size(), 2U);
  EXPECT_EQ(cache.find(name(1), name(3)), nullptr);
  EXPECT_NE(cache.find(name(1), name(2)), nullptr);
  EXPECT_NE(cache.find(name(1), name(4)), nullptr);
}

TEST(AgreementCache, ForgetsEveryPairOfAKey) {
  AgreementCache cache(8);
  cache.keep(name(1), name(2), secret(1));
  cache.keep(name(3), name(1), secret(2));
  cache.keep(name(3), name(4), secret(3));
  cache.forget(name(1));
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_NE(cache.find(name(3), name(4)), nullptr);
  cache.forget(name(7));
  EXPECT_EQ(cache.size(), 1U);
  cache.clear();
  EXPECT_EQ(cache.size(), 0U);
}

TEST(AgreementCache, KeepsNothingWhenSwitchedOff) {
  AgreementCache cache(2);
  cache.keep(name(1), name(2), secret(1));
  cache.keep(name(1), name(3), secret(1));
  cache.resize(1);
  EXPECT_EQ(cache.size(), 1U);
  EXPECT_NE(cache.find(name(1), name(3)), nullptr);
  cache.resize(0);
  EXPECT_EQ(cache.size(), 0U);
  cache.keep(name(1), name(2), secret(1));
  EXPECT_EQ(cache.size(), 0U);
  EXPECT_EQ(cache.find(name(1), name(2)), nullptr);
}

}  // namespace
}  // namespace kith::crypto
