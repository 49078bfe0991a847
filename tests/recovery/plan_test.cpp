#include "recovery/plan.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "recovery/terms.hpp"
#include "tests/recovery/recovery_fixture.hpp"

namespace kith::recovery::testing {
namespace {

Errc refusal(const Plan& plan) {
  const auto checked = check_plan(plan);
  EXPECT_FALSE(checked.has_value());
  EXPECT_TRUE(checked.has_value() || !checked.error().detail.empty());
  return checked.has_value() ? Errc::io : checked.error().code;
}

TEST(Plan, RefusesEverythingBeyondTheLimits) {
  EXPECT_EQ(refusal(Plan{}), Errc::malformed);
  EXPECT_EQ(refusal(leaf(trustee("a"))), Errc::malformed);
  EXPECT_EQ(refusal(group(1, {})), Errc::malformed);
  EXPECT_EQ(refusal(group(1, {leaf(trustee("a"))})), Errc::malformed);
  EXPECT_EQ(refusal(group(0, {leaf(trustee("a")), leaf(trustee("b"))})), Errc::malformed);
  EXPECT_EQ(refusal(group(3, {leaf(trustee("a")), leaf(trustee("b"))})), Errc::malformed);
  EXPECT_EQ(refusal(group(2, {leaf(trustee("a")), leaf(trustee(""))})), Errc::malformed);
  EXPECT_EQ(refusal(group(2, {leaf(trustee("a")),
                              leaf(trustee(std::string(limits::kNameCharsMax + 1, 'x')))})),
            Errc::limit_exceeded);
  Plan named = flat(2, 2);
  named.holder.id = "x";
  EXPECT_EQ(refusal(named), Errc::malformed);

  EXPECT_TRUE(check_plan(flat(2, limits::kPlanChildrenMax)).has_value());
  EXPECT_EQ(refusal(group(2, std::vector<Plan>(limits::kPlanChildrenMax + 1, leaf(trustee("a"))))),
            Errc::limit_exceeded);

  const Plan pair = flat(2, 2);
  const Plan two = group(1, {pair, leaf(trustee("x"))});
  const Plan three = group(1, {two, leaf(trustee("y"))});
  EXPECT_TRUE(check_plan(three).has_value());
  EXPECT_EQ(refusal(group(1, {three, leaf(trustee("z"))})), Errc::limit_exceeded);

  const Plan wide = flat(2, 32);
  EXPECT_TRUE(check_plan(group(2, {wide, wide})).has_value());
  EXPECT_EQ(refusal(group(2, {wide, wide, leaf(trustee("65th"))})), Errc::limit_exceeded);
}

TEST(Plan, JsonComesBackAsItWas) {
  const std::string text = R"({"k": 2, "of": [{"trustee": "anna"}, {"trustee": "ben", "weight": 2},
      {"paper": "safe"}, {"all": [{"trustee": "carl"}, {"trustee": "dora"}]}]})";
  const Plan plan = parse_plan(text).value();
  EXPECT_EQ(plan_leaves(plan),
            (std::vector<Holder>{trustee("anna"), trustee("ben"), trustee("ben"), paper("safe"),
                                 trustee("carl"), trustee("dora")}));
  EXPECT_EQ(plan.children[4].threshold, 2);
  EXPECT_EQ(parse_plan(plan_json(plan)).value(), plan);
  EXPECT_EQ(crypto::json_text(plan_json(plan)),
            R"({"k":2,"of":[{"trustee":"anna"},{"trustee":"ben","weight":2},{"paper":"safe"},)"
            R"({"k":2,"of":[{"trustee":"carl"},{"trustee":"dora"}]}]})");
  const auto record = protocol::decode_record<Plan>(protocol::encode_record(plan));
  EXPECT_EQ(record.value(), plan);
}

TEST(Plan, RefusesUnclearJson) {
  for (const char* text :
       {"", "[]", "{}", R"({"trustee":"a"})", R"({"k":1,"of":[]})", R"({"k":1})",
        R"({"k":3,"of":[{"trustee":"a"},{"trustee":"b"}]})",
        R"({"k":-1,"of":[{"trustee":"a"},{"trustee":"b"}]})",
        R"({"k":257,"of":[{"trustee":"a"},{"trustee":"b"}]})",
        R"({"k":1,"of":[{"trustee":"a"},{"trustee":"b"}],"extra":1})",
        R"({"k":1,"of":[{"trustee":"a","paper":"b"},{"trustee":"b"}]})",
        R"({"k":1,"of":[{"trustee":"a","weight":0},{"trustee":"b"}]})",
        R"({"k":1,"of":[{"trustee":"a","weight":4000000000},{"trustee":"b"}]})",
        R"({"k":1,"all":[{"trustee":"a"},{"trustee":"b"}]})", R"({"k":1,"of":["a","b"]})"}) {
    EXPECT_TRUE(parse_plan(text).has_error()) << text;
  }
  std::string deep = R"({"trustee":"a"})";
  for (int i = 0; i < 12; ++i) deep = R"({"k":1,"of":[)" + deep + R"(,{"trustee":"b"}]})";
  EXPECT_EQ(parse_plan(deep).error().code, Errc::limit_exceeded);
}

TEST(Plan, IsSatisfiedByExactlyTheRightSets) {
  const Plan plan = group(2, {leaf(trustee("a")), flat(2, 3), flat(2, 2)});
  for (std::uint64_t bits = 0; bits < 64; ++bits) {
    LeafSet set;
    for (std::size_t i = 0; i < 6; ++i) {
      if ((bits >> i & 1) != 0) set.insert(i);
    }
    const auto on = [&](std::size_t i) { return static_cast<int>(bits >> i & 1); };
    const int groups = on(0) + (on(1) + on(2) + on(3) >= 2 ? 1 : 0) + (on(4) + on(5) >= 2 ? 1 : 0);
    EXPECT_EQ(satisfied(plan, set), groups >= 2) << bits;
  }
}

TEST(Plan, FindsHoldersWhoNeedNobodyElse) {
  EXPECT_FALSE(single_holder_suffices(flat(2, 3)));
  EXPECT_TRUE(single_holder_suffices(flat(1, 3)));
  const Plan heavy =
      parse_plan(R"({"k":2,"of":[{"trustee":"a","weight":2},{"trustee":"b"}]})").value();
  EXPECT_EQ(holders_who_suffice(heavy), std::vector<Holder>{trustee("a")});
  // The same name on paper is another holder.
  const Plan mixed = group(2, {leaf(trustee("a")), leaf(paper("a"))});
  EXPECT_FALSE(single_holder_suffices(mixed));
}

TEST(Plan, AQuorumSurvivesTheLossOfAnyOneWhoAcknowledged) {
  const Plan three_of_five = flat(3, 5);
  EXPECT_FALSE(quorum(three_of_five, {}));
  EXPECT_FALSE(quorum(three_of_five, {0, 1, 2}));
  EXPECT_TRUE(quorum(three_of_five, {0, 1, 2, 4}));
  // Weight: taking ben away takes both of his leaves.
  const Plan heavy =
      parse_plan(
          R"({"k":3,"of":[{"trustee":"ben","weight":2},{"trustee":"c"},{"trustee":"d"},{"trustee":"e"}]})")
          .value();
  EXPECT_FALSE(quorum(heavy, {0, 1, 2, 3}));
  EXPECT_TRUE(quorum(heavy, {0, 1, 2, 3, 4}));
}

TEST(Plan, WhereNobodyCanBeMissedAllMustAcknowledge) {
  const Plan all = flat(3, 3);
  EXPECT_FALSE(quorum(all, {0, 1}));
  EXPECT_TRUE(quorum(all, {0, 1, 2}));
  // A must-have beside two of three.
  const Plan must = group(2, {leaf(trustee("m")), flat(2, 3)});
  EXPECT_FALSE(quorum(must, {0, 1, 2}));
  EXPECT_FALSE(quorum(must, {1, 2, 3}));
  EXPECT_TRUE(quorum(must, {0, 1, 2, 3}));
}

TEST(Terms, WaitingClassesHaveTheirPeriodsAndTestSecondsNeedTestMode) {
  Terms terms;
  EXPECT_EQ(waiting_period(terms), std::chrono::hours{24 * 7});
  EXPECT_EQ(override_period(terms), std::chrono::hours{24 * 14});
  EXPECT_EQ(contest_period(terms), std::chrono::hours{24 * 49});
  EXPECT_TRUE(check_terms(terms, TestMode::off).has_value());
  terms.override_days = 13;
  EXPECT_EQ(check_terms(terms, TestMode::off).error().code, Errc::malformed);
  terms.override_allowed = false;
  EXPECT_TRUE(check_terms(terms, TestMode::off).has_value());
  terms.contest_days = 0;
  EXPECT_EQ(check_terms(terms, TestMode::off).error().code, Errc::malformed);
  terms.contest_days = kTermDaysMax + 1;
  EXPECT_EQ(check_terms(terms, TestMode::off).error().code, Errc::limit_exceeded);

  const Terms test{WaitingClass::test_seconds, 4, 5, true, false};
  EXPECT_EQ(check_terms(test, TestMode::off).error().code, Errc::refused);
  EXPECT_TRUE(check_terms(test, TestMode::on).has_value());
  EXPECT_EQ(waiting_period(test), std::chrono::seconds{2});
  EXPECT_EQ(override_period(test), std::chrono::seconds{4});
  EXPECT_EQ(contest_period(test), std::chrono::seconds{5});

  const Terms longer{WaitingClass::long_test_seconds, 10, 5, true, false};
  EXPECT_EQ(check_terms(longer, TestMode::off).error().code, Errc::refused);
  EXPECT_TRUE(check_terms(longer, TestMode::on).has_value());
  EXPECT_EQ(waiting_period(longer), std::chrono::seconds{5});
}

TEST(Terms, NamesComeBackAndWeakerTermsAreSeen) {
  for (const auto waiting :
       {WaitingClass::one_day, WaitingClass::three_days, WaitingClass::one_week,
        WaitingClass::two_weeks, WaitingClass::one_month, WaitingClass::test_seconds,
        WaitingClass::long_test_seconds}) {
    EXPECT_EQ(waiting_from_name(waiting_name(waiting)).value(), waiting);
  }
  EXPECT_TRUE(waiting_from_name("8d").has_error());
  const Terms terms;
  Terms next = terms;
  EXPECT_FALSE(weakens(terms, next));
  next.waiting = WaitingClass::one_day;
  EXPECT_TRUE(weakens(terms, next));
  EXPECT_FALSE(weakens(next, terms));
  next = terms, next.override_days = 20;
  EXPECT_FALSE(weakens(terms, next));
  next = terms, next.contest_days = 48;
  EXPECT_TRUE(weakens(terms, next));
  next = terms, next.classic_allowed = true;
  EXPECT_TRUE(weakens(terms, next));
}

}  // namespace
}  // namespace kith::recovery::testing
