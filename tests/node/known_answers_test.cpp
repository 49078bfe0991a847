#include "node/known_answers.hpp"

#include <gtest/gtest.h>

#include <set>
#include <string_view>

#include "crypto/algorithms.hpp"

namespace kith::node {
namespace {

TEST(KnownAnswers, AreGivenByEveryAlgorithmInUse) {
  EXPECT_TRUE(check_known_answers().has_value());
  std::set<std::string_view> tried;
  for (const auto& test : crypto::self_tests()) tried.insert(test.algorithm);
  for (const auto& test : ledger_self_tests()) {
    EXPECT_TRUE(test.passes());
    tried.insert(test.algorithm);
  }
  std::set<std::string_view> used;
  for (const auto& algorithm : crypto::algorithms()) used.insert(algorithm.name);
  EXPECT_EQ(tried, used);
}

}  // namespace
}  // namespace kith::node
