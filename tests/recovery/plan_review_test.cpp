#include "recovery/plan_review.hpp"

#include <gtest/gtest.h>

#include <bit>

#include "crypto/random.hpp"
#include "recovery/plan_text.hpp"

namespace kith::recovery {
namespace {

Plan plan_of(std::string_view text) {
  auto plan = read_plan(text);
  EXPECT_TRUE(plan.has_value()) << text << ": " << plan.error().detail;
  return std::move(*plan);
}

PlanReview review(std::string_view text) {
  auto made = review_plan(plan_of(text));
  EXPECT_TRUE(made.has_value()) << text;
  return std::move(*made);
}

std::string names(const std::vector<Holder>& holders) {
  std::string text;
  for (const Holder& holder : holders) text += (text.empty() ? "" : " ") + holder.id;
  return text;
}

using Faults = std::vector<PlanFault>;
Faults faults(std::string_view text) {
  return plan_faults(review(text));
}

TEST(PlanReview, SaysWhoCanAndWhoIsNeeded) {
  const PlanReview flat = review("3 of (a, b, c, d, e)");
  EXPECT_EQ(flat.holders, 5U);
  EXPECT_EQ(flat.fewest, 3U);
  EXPECT_EQ(flat.survived, 2U);
  EXPECT_EQ(flat.ways, 10U);
  EXPECT_EQ(names(flat.alone) + names(flat.needed) + names(flat.useless), "");

  const PlanReview nested = review("2 of (a, 2 of (b, c, d), all of (e, f))");
  EXPECT_EQ(nested.fewest, 3U);
  EXPECT_EQ(nested.survived, 1U) << "a and e gone: one group is left";
  EXPECT_EQ(nested.ways, 3U + 1U + 3U);

  const PlanReview must = review("all of (a, 1 of (b, c))");
  EXPECT_EQ(names(must.needed), "a");
  EXPECT_EQ(must.survived, 0U);

  const PlanReview weighted = review("3 of (a weight 2, b, c, d)");
  EXPECT_EQ(weighted.holders, 4U);
  EXPECT_EQ(weighted.fewest, 2U);
  EXPECT_EQ(weighted.survived, 1U);
  EXPECT_EQ(weighted.ways, 4U) << "a with each of the others, or those together";

  EXPECT_EQ(names(review("2 of (a weight 2, b, c)").alone), "a");
  EXPECT_EQ(names(review("4 of (a weight 2, b weight 2, c)").useless), "c");
  EXPECT_EQ(names(review("1 of (a, paper safe)").alone), "a safe");
}

TEST(PlanReview, FindsFaultsAndNoneWhereThereIsNone) {
  EXPECT_EQ(faults("2 of (a, b, c)"), Faults{});
  EXPECT_EQ(faults("3 of (a, b, c, d, e)"), Faults{});
  EXPECT_EQ(faults("1 of (a, b)"), Faults{PlanFault::one_is_enough});
  EXPECT_EQ(faults("all of (a, b)"), Faults{PlanFault::no_loss});
  EXPECT_EQ(faults("all of (a, 2 of (b, c, d))"), Faults{PlanFault::one_is_needed});
  EXPECT_EQ(faults("2 of (a, b, c, d, e)"), Faults{PlanFault::two_are_enough});
  EXPECT_EQ(faults("4 of (a weight 2, b weight 2, c)"),
            (Faults{PlanFault::one_is_needed, PlanFault::somebody_useless}));
}

TEST(PlanReview, TheSmallestSetsComeFirst) {
  const auto sets = smallest_sets(plan_of("2 of (all of (a, b), c, d)"), 10);
  ASSERT_EQ(sets.size(), 3U);
  EXPECT_EQ(names(sets[0]), "c d");
  EXPECT_EQ(names(sets[1]), "a b c");
  EXPECT_EQ(names(sets[2]), "a b d");
  EXPECT_EQ(smallest_sets(plan_of("2 of (a, b, c, d)"), 4).size(), 4U);
  std::string many = "2 of (a0";
  for (int i = 1; i < 17; ++i) many += ", a" + std::to_string(i);
  EXPECT_TRUE(smallest_sets(plan_of(many + ")"), 10).empty());
  EXPECT_EQ(review(many + ")").ways, 17U * 16 / 2);
}

TEST(PlanReview, LargePlansAreCountedUpToTheLargestNumber) {
  std::string half;
  for (int i = 0; i < 32; ++i) half += (i == 0 ? "n" : ", n") + std::to_string(i);
  EXPECT_EQ(review("16 of (" + half + ")").ways, 601'080'390U);
  std::string other = half;
  for (char& letter : other) letter = letter == 'n' ? 'm' : letter;
  const PlanReview both = review("all of (16 of (" + half + "), 16 of (" + other + "))");
  EXPECT_EQ(both.ways, 601'080'390ULL * 601'080'390ULL);
  EXPECT_EQ(both.fewest, 32U);
  std::string weighted = "3 of (x weight 2";
  for (int i = 0; i < 16; ++i) weighted += ", n" + std::to_string(i);
  EXPECT_EQ(review_plan(plan_of(weighted + ")")).error(), Errc::limit_exceeded);
}

/// By trying every subset of leaves, for plans whose leaves are of different holders.
PlanReview tried_out(const Plan& plan) {
  const std::size_t count = plan_leaves(plan).size();
  PlanReview tried{count, count, count, 0, {}, {}, {}};
  const auto opens = [&](unsigned subset) {
    LeafSet leaves;
    for (std::size_t i = 0; i < count; ++i) {
      if ((subset >> i & 1) != 0) leaves.insert(i);
    }
    return satisfied(plan, leaves);
  };
  for (unsigned subset = 0; subset < 1U << count; ++subset) {
    const auto size = static_cast<std::size_t>(std::popcount(subset));
    if (!opens(subset)) {
      tried.survived = std::min(tried.survived, count - size - 1);
      continue;
    }
    tried.fewest = std::min(tried.fewest, size);
    bool minimal = true;
    for (std::size_t i = 0; i < count; ++i) {
      minimal = minimal && ((subset >> i & 1) == 0 || !opens(subset & ~(1U << i)));
    }
    tried.ways += minimal ? 1U : 0U;
  }
  return tried;
}

TEST(PlanReview, CountingAgreesWithTrying) {
  crypto::SeededRandom random(6, "plans");
  int tried = 0;
  for (int i = 0; i < 300; ++i) {
    std::string text = std::to_string(1 + random.below(2)) + " of (";
    int name = 0;
    const std::uint64_t groups = 2 + random.below(2);
    for (std::uint64_t g = 0; g < groups; ++g) {
      if (g > 0) text += ", ";
      const std::uint64_t members = 1 + random.below(3);
      if (members == 1) {
        text += "n" + std::to_string(name++);
        continue;
      }
      text += std::to_string(1 + random.below(members)) + " of (n" + std::to_string(name++);
      for (std::uint64_t m = 1; m < members; ++m) text += ", n" + std::to_string(name++);
      text += ")";
    }
    const Plan plan = plan_of(text + ")");
    const PlanReview expected = tried_out(plan);
    const auto counted = review_plan(plan);
    ASSERT_TRUE(counted.has_value());
    EXPECT_EQ(counted->fewest, expected.fewest) << text;
    EXPECT_EQ(counted->survived, expected.survived) << text;
    EXPECT_EQ(counted->ways, expected.ways) << text;
    ++tried;
  }
  EXPECT_EQ(tried, 300);
}

}  // namespace
}  // namespace kith::recovery
