// Heartbeats of a patient trustee and an impatient owner.

#include "protocol/mailbox.hpp"
#include "tests/recovery/device_world.hpp"

namespace kith::recovery {
namespace {

using test::AgentBox;
using testing::Neighbourhood;
using namespace std::chrono_literals;

struct Beats : Neighbourhood {
  Beats() : Neighbourhood(5, testing::mediator_modules<>(), false) {
    for (const auto* name : {"t1", "t2", "t3"}) {
      AgentBox& box = add_person(name);
      connect(owner, box);
      trustees.push_back(&box);
    }
    make_identity(owner);
    set_up(owner, trustees, 2);
    net.run_for(1min);
  }
  std::string last_seen(const std::string& trustee) {
    const JsonObject reply = *owner.command("recovery-status");
    for (const Json& row : reply.at("trustees").get_array()) {
      if (testing::text_or_empty(row.get_object(), "contact") == trustee) {
        return testing::text_or_empty(row.get_object(), "last_seen");
      }
    }
    return {};
  }
  std::uint64_t mail_waiting() {
    return mediator.look([](Host& host) {
      std::uint64_t count = 0;
      for (const std::string& id : host.list("mailbox")) {
        count += protocol::mailbox_state(host, id).count;
      }
      return count;
    });
  }

  AgentBox& owner = add_person("owner");
  std::vector<AgentBox*> trustees;
};

TEST(Heartbeats, ALateAnswerCountsHoweverOftenTheOwnerAsks) {
  Beats beats;
  AgentBox& away = *beats.trustees.front();
  away.set_online(false);
  beats.net.run_for(2min);
  const std::string before = beats.last_seen("t1");
  const std::uint64_t waiting = beats.mail_waiting();
  for (int i = 0; i < 18; ++i) {  // Three hours of looking every ten minutes.
    ASSERT_TRUE(beats.owner.command("recovery-heartbeat").has_value());
    beats.net.run_for(10min);
  }
  EXPECT_LE(beats.mail_waiting(), waiting + 4) << "no more than one an hour";
  EXPECT_EQ(beats.last_seen("t1"), before);
  // The owner asks again at the very moment at which the answer is under way.
  away.set_online(true);
  away.restart();
  ASSERT_TRUE(beats.owner.command("recovery-heartbeat").has_value());
  beats.net.run_for(10min);
  EXPECT_NE(beats.last_seen("t1"), before);
  EXPECT_TRUE(beats.owner.audited("message.refused").empty());
}

TEST(Heartbeats, ATrusteeThatMissesThreeIsNamedOnceUntilItAnswers) {
  Neighbourhood world;
  AgentBox& owner = world.add_person("owner");
  std::vector<AgentBox*> trustees;
  for (const auto* name : {"t1", "t2"}) {
    trustees.push_back(&world.add_person(name));
    world.connect(owner, *trustees.back());
  }
  world.make_identity(owner);
  world.set_up(owner, trustees, 2);
  world.net.run_for(10min);
  EXPECT_TRUE(owner.notices("heartbeat").empty());
  for (std::size_t times = 1; times <= 2; ++times) {
    trustees[0]->set_online(false);
    world.net.run_for(15min);
    ASSERT_EQ(owner.notices("heartbeat").size(), times);
    EXPECT_EQ(owner.notices("heartbeat").back().substr(0, 3), "t1 ");
    EXPECT_EQ(owner.audited("recovery.heartbeat-lost").size(), times);
    trustees[0]->set_online(true);
    world.net.run_for(5min);
  }
}

}  // namespace
}  // namespace kith::recovery
