#include "recovery/genuine.hpp"

#include <gtest/gtest.h>

#include "recovery/recognition_words.hpp"

namespace kith::recovery {
namespace {

using State = TrusteeView::State;
using Anchor = LogView::Anchor;

constexpr const char* kMine = "did:kith:mine";
constexpr const char* kFake = "did:kith:fake";

LogView good_log(std::string address) {
  LogView log;
  log.policy_address = std::move(address);
  log.read = true;
  log.anchor = Anchor::at_head;
  log.contest = std::chrono::hours{24 * 49};
  log.signer_authorized = true;
  return log;
}

GenuineInput input(std::size_t mine, std::size_t fake, std::size_t silent = 0) {
  GenuineInput in;
  for (std::size_t i = 0; i < mine; ++i) in.trustees.push_back({State::answered, {kMine}});
  for (std::size_t i = 0; i < fake; ++i) in.trustees.push_back({State::answered, {kFake}});
  for (std::size_t i = 0; i < silent; ++i) in.trustees.push_back({State::silent, {}});
  in.logs = {good_log(kMine)};
  return in;
}

TEST(Genuine, FinishesOnlyAfterCountsAndWordsWereShown) {
  GenuineInput in = input(3, 0, 2);
  GenuineDecision decision = judge_genuine(in);
  EXPECT_EQ(decision.step, GenuineStep::show);
  ASSERT_EQ(decision.candidates.size(), 1u);
  EXPECT_EQ(decision.candidates[0], (Candidate{kMine, recognition_words(kMine), 3, 0}));
  in.shown = kFake;
  EXPECT_EQ(judge_genuine(in).step, GenuineStep::show);
  in.shown = kMine;
  EXPECT_EQ(judge_genuine(in).step, GenuineStep::finish);
}

TEST(Genuine, MoreMustVouchThanContradict) {
  EXPECT_EQ(judge_genuine(input(3, 2)).step, GenuineStep::show);
  EXPECT_EQ(judge_genuine(input(3, 3)).reason, WaitReason::outvoted);
  EXPECT_EQ(judge_genuine(input(2, 3)).reason, WaitReason::outvoted);
  // Answering without any vouch that opens contradicts; refusing does not.
  GenuineInput in = input(3, 0);
  for (int i = 0; i < 5; ++i) in.trustees.push_back({State::refused, {}});
  EXPECT_EQ(judge_genuine(in).step, GenuineStep::show);
  for (int i = 0; i < 3; ++i) in.trustees.push_back({State::answered, {}});
  EXPECT_EQ(judge_genuine(in).reason, WaitReason::outvoted);
}

TEST(Genuine, ATrusteeWithSeveralVersionsVouchesForAllAndContradictsNone) {
  GenuineInput in = input(0, 0);
  for (int i = 0; i < 3; ++i) in.trustees.push_back({State::answered, {kFake, kMine}});
  const GenuineDecision decision = judge_genuine(in);
  // The other log could not be read, so the user decides which of the two.
  EXPECT_EQ(decision.step, GenuineStep::ask_user);
  ASSERT_EQ(decision.candidates.size(), 2u);
  for (const Candidate& candidate : decision.candidates) {
    EXPECT_EQ(candidate.vouching, 3u);
    EXPECT_EQ(candidate.contradicting, 0u);
  }
}

TEST(Genuine, SeveralCandidatesAreTheUsersChoice) {
  GenuineInput in = input(0, 0);
  for (int i = 0; i < 3; ++i) in.trustees.push_back({State::answered, {kMine, kFake}});
  in.logs.push_back(good_log(kFake));
  EXPECT_EQ(judge_genuine(in).step, GenuineStep::ask_user);
  in.chosen = "did:kith:nobody";
  EXPECT_EQ(judge_genuine(in).step, GenuineStep::ask_user);
  in.chosen = kMine;
  const GenuineDecision decision = judge_genuine(in);
  EXPECT_EQ(decision.step, GenuineStep::show);
  EXPECT_EQ(decision.candidates[0].policy_address, kMine);
  in.logs.pop_back();
  in.chosen = kFake;
  EXPECT_EQ(judge_genuine(in).reason, WaitReason::log_not_read);
}

TEST(Genuine, AChoiceNeverOverridesTheCount) {
  GenuineInput in = input(3, 2);
  in.logs.push_back(good_log(kFake));
  in.chosen = kFake;
  const GenuineDecision decision = judge_genuine(in);
  ASSERT_EQ(decision.candidates.size(), 1u);
  EXPECT_EQ(decision.candidates[0].policy_address, kMine);
}

TEST(Genuine, FewVouchersWaitForTheOthersADayOrTheUser) {
  for (const std::size_t vouchers : {1U, 2U}) {
    GenuineInput in = input(vouchers, 0, 1);
    EXPECT_EQ(judge_genuine(in).reason, WaitReason::few_vouchers);
    in.since_first_contact = std::chrono::hours{24} - Duration{1};
    EXPECT_EQ(judge_genuine(in).reason, WaitReason::few_vouchers);
    in.since_first_contact = std::chrono::hours{24};
    EXPECT_EQ(judge_genuine(in).step, GenuineStep::show);

    in.since_first_contact = Duration::zero();
    in.user_accepts_few = true;
    EXPECT_EQ(judge_genuine(in).step, GenuineStep::show);

    in.user_accepts_few = false;
    in.trustees.back().state = State::refused;
    EXPECT_EQ(judge_genuine(in).step, GenuineStep::show);

    in.trustees.back().state = State::silent;
    in.mode = TestMode::on;
    EXPECT_EQ(judge_genuine(in).step, GenuineStep::show);
  }
  EXPECT_EQ(judge_genuine(input(3, 0, 4)).step, GenuineStep::show);
}

TEST(Genuine, TheLogMustHoldTheAnchorAndKnowTheSigner) {
  const auto reason = [](auto change) {
    GenuineInput in = input(3, 0);
    change(in.logs[0]);
    const GenuineDecision decision = judge_genuine(in);
    return decision.step == GenuineStep::show ? WaitReason::none : decision.reason;
  };
  EXPECT_EQ(reason([](LogView&) {}), WaitReason::none);
  EXPECT_EQ(reason([](LogView& log) { log.read = false; }), WaitReason::log_not_read);
  EXPECT_EQ(reason([](LogView& log) { log.policy_address = kFake; }), WaitReason::log_not_read);
  EXPECT_EQ(reason([](LogView& log) { log.anchor = Anchor::absent; }),
            WaitReason::anchor_not_found);
  EXPECT_EQ(reason([](LogView& log) {
              log.anchor = Anchor::replaced;
              log.replaced_ago = log.contest - Duration{1};
            }),
            WaitReason::none);
  EXPECT_EQ(reason([](LogView& log) {
              log.anchor = Anchor::replaced;
              log.replaced_ago = log.contest;
            }),
            WaitReason::anchor_not_found);
  EXPECT_EQ(reason([](LogView& log) { log.signer_authorized = false; }),
            WaitReason::signer_unknown);
  EXPECT_EQ(reason([](LogView& log) {
              log.signer_authorized = false;
              log.signer_pending = true;
            }),
            WaitReason::none);
}

TEST(Genuine, WithoutAnyVouchNothingIsBelieved) {
  GenuineInput in = input(0, 0, 3);
  EXPECT_EQ(judge_genuine(in).reason, WaitReason::no_vouch);
  // A vouch of somebody who is not counted as having answered is none.
  in.trustees.push_back({State::refused, {kMine}});
  EXPECT_EQ(judge_genuine(in).reason, WaitReason::no_vouch);
  EXPECT_FALSE(wait_text(WaitReason::no_vouch).empty());
}

}  // namespace
}  // namespace kith::recovery
