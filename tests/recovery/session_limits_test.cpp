#include "recovery/trustee_session.hpp"
#include "tests/recovery/trustee_lab.hpp"

namespace kith::recovery {
namespace {

using testing::Lab;
using testing::TestDevice;
using namespace std::chrono_literals;

TEST(SessionLimits, RepeatedAnswersHaveADailyLimitAndFreshInvitationsNone) {
  Lab story(5);
  story.set_up();
  TestDevice device(story, story.tina);
  const auto sessions = [&] { return story.tina.all<Session>("session").size(); };
  const auto ask_again = [&] {
    const std::size_t before = sessions();
    device.renew(), device.request();
    return sessions() > before;
  };
  for (std::size_t again = 0; again < limits::kSessionsPerDayMax; ++again) {
    if (again % (limits::kExchangesPerInvitationMax - 1) == 0) {
      device.invite();
      ASSERT_TRUE(ask_again()) << "the first answer to an invitation";
    }
    ASSERT_TRUE(ask_again()) << again;
  }
  device.invite();
  EXPECT_TRUE(ask_again()) << "the first answer is not counted";
  EXPECT_FALSE(ask_again());
  EXPECT_EQ(device.problem(), "input.limit");
  device.invite();
  EXPECT_TRUE(ask_again());
  story.net.run_for(24h);
  device.invite();
  EXPECT_TRUE(ask_again());
  EXPECT_TRUE(ask_again()) << "a new day";
}

}  // namespace
}  // namespace kith::recovery
