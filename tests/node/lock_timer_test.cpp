#include "node/runtime/lock_timer.hpp"

#include <gtest/gtest.h>

#include "node/cli/commands.hpp"

namespace kith::node {
namespace {

/// Runs the loop until the timer has nothing to wait for.
struct Watched {
  Watched(std::int64_t idle_s, std::int64_t after_s, bool has_passphrase)
      : timer(io, idle_s, after_s, has_passphrase, [this] { ++stops; }) {
    io.run();
  }
  boost::asio::io_context io;
  int stops = 0;
  LockTimer timer;
};

TEST(LockTimer, LocksAfterItsTimeAndAfterATimeWithoutCommands) {
  for (const auto& [idle_s, after_s] : {std::pair{0, 1}, std::pair{1, 0}, std::pair{1, 60}}) {
    const Watched watched(idle_s, after_s, true);
    EXPECT_EQ(watched.stops, 1);
    EXPECT_TRUE(watched.timer.lock_wanted());
  }
}

TEST(LockTimer, LocksNeverUnlessTold) {
  const Watched never(0, 0, true), bare(1, 1, false);
  EXPECT_FALSE(never.timer.lock_wanted());
  EXPECT_FALSE(bare.timer.lock_wanted());
}

TEST(LockTimes, AreReadWithTheirUnit) {
  EXPECT_EQ(seconds_of("90s").value(), 90);
  EXPECT_EQ(seconds_of("15m").value(), 900);
  EXPECT_EQ(seconds_of("720h").value(), 30 * 24 * 3600);
  for (const char* bad :
       {"", "15", "m", "0s", "-1s", "721h", "1d", "1 m", "9223372036854775807h"}) {
    EXPECT_EQ(seconds_of(bad).error(), Errc::usage) << bad;
  }
}

}  // namespace
}  // namespace kith::node
