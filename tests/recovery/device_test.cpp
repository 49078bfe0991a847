#include "recovery/device.hpp"

#include "ledger/policy.hpp"
#include "protocol/vault.hpp"
#include "recovery/finish.hpp"
#include "tests/recovery/device_world.hpp"

namespace kith::recovery::testing {
namespace {

std::vector<std::string> policy_agents(AgentBox& box, const std::string& policy) {
  return box.look([&](Host& host) {
    std::vector<std::string> keys;
    const auto view = ledger::stored_view(host, policy);
    if (!view.has_value()) return keys;
    for (const auto& agent : ledger::parse_policy(view->current.state)->agents) {
      keys.push_back(agent.key);
    }
    return keys;
  });
}

TEST(Device, RecoversWithThreeOfFiveTrustees) {
  LostDevice world;
  for (int i = 1; i <= 5; ++i) world.add_trustee(world.add_person("t" + std::to_string(i)));
  ASSERT_NO_FATAL_FAILURE(world.set_up_and_lose(3));
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(*world.device, *world.trustees[i]));
  }
  ASSERT_NO_FATAL_FAILURE(world.finish(*world.device));
  const auto own = *world.device->look([](Host& host) { return ledger::identity(host); });
  EXPECT_EQ(own.did, world.before.did);
  EXPECT_EQ(own.policy, world.before.policy);
  EXPECT_EQ(policy_agents(*world.device, own.policy),
            std::vector<std::string>{crypto::multikey(own.agent_key)});
  EXPECT_FALSE(own.agent_key == world.before.agent_key);
}

}  // namespace
}  // namespace kith::recovery::testing
