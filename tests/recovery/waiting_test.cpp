#include "recovery/waiting.hpp"

#include <gtest/gtest.h>

namespace kith::recovery {
namespace {

using std::chrono::hours;

const Time kStart = protocol::from_epoch_seconds(1800000000);

/// The answer to a question asked when this agent had run for `asked`.
SignedTime fresh(std::string source, Duration at, bool chosen = false,
                 Duration asked = Duration::zero()) {
  return {std::move(source), kStart + at, asked, chosen};
}
SignedTime later(std::string source, Duration at, bool chosen = false) {
  return {std::move(source), kStart + at, std::nullopt, chosen};
}

TEST(Waiting, RunningTimeCountsAndNothingElseByItself) {
  const WaitingClock clock = start_waiting(hours{100});
  EXPECT_EQ(elapsed(clock, hours{100}), Duration::zero());
  EXPECT_EQ(elapsed(clock, hours{124}), hours{24});
  EXPECT_EQ(remaining(clock, hours{124}, hours{72}), hours{48});
  EXPECT_EQ(remaining(clock, hours{500}, hours{72}), Duration::zero());
  // A counter that went back (restored disk) neither wraps nor counts.
  EXPECT_EQ(elapsed(clock, hours{50}), Duration::zero());
}

TEST(Waiting, AGapCountsWhenTwoIndependentSourcesShowIt) {
  WaitingClock clock = start_waiting(hours{0});
  observe(clock, fresh("a", hours{0}), hours{0});
  observe(clock, fresh("b", hours{0}), hours{0});
  // One hour of running, then off for nine, as both say.
  observe(clock, later("a", hours{10}), hours{1});
  EXPECT_EQ(elapsed(clock, hours{1}), hours{1}) << "one source is not enough";
  observe(clock, later("b", hours{8}), hours{1});
  EXPECT_EQ(elapsed(clock, hours{1}), hours{8}) << "only as far as both show";
  EXPECT_EQ(elapsed(clock, hours{3}), hours{10});
}

TEST(Waiting, OneSourceWithAJumpedClockEndsNothing) {
  WaitingClock clock = start_waiting(hours{0});
  observe(clock, fresh("a", hours{0}), hours{0});
  observe(clock, fresh("b", hours{0}), hours{0});
  observe(clock, later("a", hours{24 * 3650}), hours{1});
  observe(clock, later("b", hours{1}), hours{1});
  EXPECT_EQ(elapsed(clock, hours{1}), hours{1});
  // Backwards jumps shorten nothing that was already shown.
  observe(clock, later("b", hours{5}), hours{1});
  EXPECT_EQ(elapsed(clock, hours{1}), hours{5});
  observe(clock, later("a", hours{-24 * 3650}), hours{1});
  observe(clock, later("b", hours{-1}), hours{1});
  EXPECT_EQ(elapsed(clock, hours{1}), hours{5});
}

TEST(Waiting, TheRequestersSourcesAreNotEnoughByThemselves) {
  WaitingClock clock = start_waiting(hours{0});
  for (const char* name : {"x", "y", "z"}) {
    observe(clock, fresh(name, hours{0}, true), hours{0});
    observe(clock, later(name, hours{1000}, true), hours{1});
  }
  EXPECT_EQ(elapsed(clock, hours{1}), hours{1});
  observe(clock, fresh("own", hours{0}), hours{0});
  observe(clock, later("own", hours{30}), hours{1});
  EXPECT_EQ(elapsed(clock, hours{1}), hours{30});
}

TEST(Waiting, ASpanStartsOnlyWithAFreshAnswer) {
  WaitingClock clock = start_waiting(hours{0});
  for (const char* name : {"a", "b"}) {
    // An old checkpoint, played back at the start.
    observe(clock, later(name, hours{-500}), hours{0});
    observe(clock, fresh(name, hours{0}), hours{0});
    observe(clock, later(name, hours{1}), hours{1});
  }
  EXPECT_EQ(elapsed(clock, hours{1}), hours{1});
}

TEST(Waiting, AnAnswerToAQuestionFromBeforeTheWaitStartsNoSpan) {
  WaitingClock clock = start_waiting(hours{100});
  for (const char* name : {"a", "b"}) {
    // Asked when 90 hours had run, signed then, held back until the wait began.
    observe(clock, fresh(name, hours{90}, false, hours{90}), hours{100});
    observe(clock, later(name, hours{500}), hours{101});
  }
  EXPECT_EQ(elapsed(clock, hours{101}), hours{1});
}

TEST(Waiting, RunningTimeDoesNotCountTwiceWhenAnAnswerIsHeldBack) {
  WaitingClock clock = start_waiting(hours{0});
  for (const char* name : {"a", "b"}) {
    // Signed at once, delivered after ten hours of running; then the present time.
    observe(clock, fresh(name, hours{0}), hours{10});
    observe(clock, later(name, hours{10}), hours{10});
  }
  EXPECT_EQ(elapsed(clock, hours{10}), hours{10});
}

TEST(Waiting, TheRequesterCannotCrowdOutOtherSources) {
  WaitingClock clock = start_waiting(hours{0});
  for (int i = 0; i < 100; ++i) {
    observe(clock, fresh("x" + std::to_string(i), hours{0}, true), hours{0});
  }
  EXPECT_EQ(clock.sources.size(), kRequesterSourcesMax);
  for (int i = 0; i < 100; ++i) {
    observe(clock, fresh("own" + std::to_string(i), hours{0}), hours{0});
  }
  EXPECT_EQ(clock.sources.size(), kTimeSourcesMax);
}

TEST(Waiting, NamingAKnownSourceDoesNotTaintIt) {
  WaitingClock clock = start_waiting(hours{0});
  observe(clock, fresh("a", hours{0}, true), hours{0});
  observe(clock, fresh("b", hours{0}, true), hours{0});
  observe(clock, later("a", hours{9}, false), hours{1});
  observe(clock, later("b", hours{9}, true), hours{1});
  EXPECT_EQ(elapsed(clock, hours{1}), hours{9});
  observe(clock, later("a", hours{9}, true), hours{1});
  EXPECT_EQ(elapsed(clock, hours{1}), hours{9});
}

TEST(Waiting, ElapsedNeverDecreasesAndSurvivesStorage) {
  WaitingClock clock = start_waiting(hours{2});
  Duration last{};
  for (int step = 0; step < 200; ++step) {
    const Duration uptime = hours{2 + step};
    const Duration at = hours{(step * 37) % 400 - 100};
    const auto asked = step % 3 == 0 ? std::optional(uptime) : std::nullopt;
    observe(clock, {step % 2 == 0 ? "a" : "b", kStart + at, asked, step % 5 == 0}, uptime);
    const Duration now = elapsed(clock, uptime);
    EXPECT_GE(now, last);
    last = now;
    clock = protocol::decode_record<WaitingClock>(protocol::encode_record(clock)).value();
    EXPECT_EQ(elapsed(clock, uptime), now);
  }
}

}  // namespace
}  // namespace kith::recovery
