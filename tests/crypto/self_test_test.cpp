#include "crypto/self_test.hpp"

#include <gtest/gtest.h>

#include <array>

namespace kith::crypto {
namespace {

TEST(SelfTest, EveryAlgorithmInUseGivesItsKnownAnswer) {
  for (const SelfTest& test : self_tests()) EXPECT_TRUE(test.passes()) << test.algorithm;
  EXPECT_TRUE(run_self_tests().has_value());
}

TEST(SelfTest, OneThatFailsIsNamedAndEndsTheRun) {
  static int ran = 0;
  const SelfTest good{"good", [] { return true; }};
  const SelfTest bad{"bad", [] { return false; }};
  const SelfTest later{"later", [] { return ++ran > 0; }};
  const std::array<SelfTest, 3> tests{good, bad, later};
  const auto result = run_self_tests(tests);
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(result.error(), Errc::self_test_failed);
  EXPECT_EQ(result.error().detail, "bad");
  EXPECT_EQ(ran, 0);
}

}  // namespace
}  // namespace kith::crypto
