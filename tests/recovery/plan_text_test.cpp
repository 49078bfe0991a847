#include "recovery/plan_text.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "crypto/random.hpp"

namespace kith::recovery {
namespace {

std::string refusal(std::string_view text) {
  const auto plan = read_plan(text);
  return plan.has_value() ? "read: " + plan_text(*plan) : plan.error().detail;
}

std::string again(std::string_view text) {
  const auto plan = read_plan(text);
  return plan.has_value() ? plan_text(*plan) : "refused: " + plan.error().detail;
}

TEST(PlanText, IsReadAsTheJsonOfTheSamePlan) {
  const std::string text = R"x(
    # The family, or the choir with the notary.
    2 of (
      anna,
      ben weight 2,
      paper safe,
      all of (carl, "dora of the choir"),   # both
    ))x";
  EXPECT_EQ(refusal(text), "line 8: here should be a name") << "no comma before the end";
  const auto plan = read_plan(std::string(text).erase(text.rfind(",   #"), 1));
  ASSERT_TRUE(plan.has_value()) << plan.error().detail;
  const auto same = read_plan(
      R"({"k": 2, "of": [{"trustee": "anna"}, {"trustee": "ben", "weight": 2}, {"paper": "safe"},
          {"all": [{"trustee": "carl"}, {"trustee": "dora of the choir"}]}]})");
  ASSERT_TRUE(same.has_value()) << same.error().detail;
  EXPECT_EQ(*plan, *same);
  EXPECT_EQ(plan_text(*plan),
            R"x(2 of (anna, ben weight 2, paper safe, all of (carl, "dora of the choir")))x");
}

TEST(PlanText, NamesThatMeanSomethingAreQuoted) {
  const std::string text =
      R"x(2 of ("of", "all", "paper", "weight", "12", "a, b", "(x)", "#1", "Zoë", paper "of"))x";
  EXPECT_EQ(
      again(text),
      R"x(2 of ("of", "all", "paper", "weight", "12", "a, b", "(x)", "#1", Zoë, paper "of"))x");
  EXPECT_EQ(again("2of(a,b)"), "refused: line 1: a plan begins with a number, or all, and of");
  EXPECT_EQ(again("2 of(a,b,c)"), "2 of (a, b, c)");
  EXPECT_EQ(again("2 of (2, b, c)"), R"x(2 of ("2", b, c))x")
      << "a number that is no group is a name";
}

TEST(PlanText, SaysWhatIsWrongAndInWhichLine) {
  EXPECT_EQ(refusal(""), "line 1: a plan begins with a number, or all, and of");
  EXPECT_EQ(refusal("anna"), "line 1: a plan begins with a number, or all, and of");
  EXPECT_EQ(refusal("2 of anna"), "line 1: here should be (, and not anna");
  EXPECT_EQ(refusal("2 of (anna\nben)"), "line 2: here should be ), and not ben");
  EXPECT_EQ(refusal("2 of (anna, ben"), "line 1: here should be ), and not the end");
  EXPECT_EQ(refusal("2 of ()"), "line 1: here should be a name");
  EXPECT_EQ(refusal("2 of (anna, ben) carl"), "line 1: there is more after the plan's end");
  EXPECT_EQ(refusal("\n3 of (anna, ben)"), "line 2: 3 of 2 cannot be");
  EXPECT_EQ(refusal("0 of (anna, ben)"), "line 1: 0 of 2 cannot be");
  EXPECT_EQ(refusal("2 of (anna weight 0, ben)"), "line 1: a weight is a number from 1 to 32");
  EXPECT_EQ(refusal("2 of (anna weight, ben)"), "line 1: a weight is a number from 1 to 32");
  EXPECT_EQ(refusal("2 of (\"anna, ben)"), "line 1: a name in quotes does not end");
  EXPECT_EQ(refusal("2 of (\"\", ben)"), "line 1: here should be a name");
  EXPECT_EQ(refusal("1 of (1 of (1 of (1 of (a, b), b), b), b)"),
            "line 1: groups may nest three deep");
  EXPECT_EQ(refusal("2 of (a weight 32, b)"), "line 1: a group has at most 32 members");
  EXPECT_EQ(refusal("1 of (a)"), "the plan: a group needs at least two members");
  EXPECT_EQ(refusal("{"), read_plan("{").error().detail) << "JSON has its own words";
  std::string deep;
  for (int i = 0; i < 10'000; ++i) deep += "1 of (";
  EXPECT_FALSE(read_plan(deep).has_value());
  EXPECT_EQ(read_plan(std::string(limits::kTextBytesMax + 1, ' ')).error(), Errc::limit_exceeded);
}

Plan random_plan(Random& random, int depth, int& names) {
  Plan plan;
  const std::uint64_t children = 2 + random.below(3);
  for (std::uint64_t i = 0; i < children; ++i) {
    if (depth < 2 && random.below(3) == 0) {
      plan.children.push_back(random_plan(random, depth + 1, names));
      continue;
    }
    Plan leaf;
    const bool paper = random.below(4) == 0;
    leaf.holder = {paper ? HolderKind::paper : HolderKind::trustee,
                   (random.below(3) == 0 ? "of " : "name") + std::to_string(names++)};
    const std::uint64_t weight = paper ? 1 : 1 + random.below(2);
    for (std::uint64_t j = 0; j < weight; ++j) plan.children.push_back(leaf);
  }
  plan.threshold = static_cast<std::uint8_t>(1 + random.below(plan.children.size()));
  return plan;
}

TEST(PlanText, EveryPlanComesBack) {
  crypto::SeededRandom random(5, "plans");
  for (int i = 0; i < 2000; ++i) {
    int names = 0;
    const Plan plan = random_plan(random, 0, names);
    if (!check_plan(plan).has_value()) continue;
    const std::string text = plan_text(plan);
    const auto read = read_plan(text);
    ASSERT_TRUE(read.has_value()) << text << ": " << read.error().detail;
    EXPECT_EQ(*read, plan) << text;
  }
}

}  // namespace
}  // namespace kith::recovery
