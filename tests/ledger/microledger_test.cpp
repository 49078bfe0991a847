#include "ledger/microledger.hpp"

#include <gtest/gtest.h>

#include "ledger/connection.hpp"
#include "ledger/log_store.hpp"
#include "protocol/vault.hpp"
#include "tests/support/agents.hpp"

namespace kith::ledger {
namespace {

using test::AgentBox;
using test::Network;

ServiceEndpoint home() {
  ServiceEndpoint service;
  service.uri = "https://home.test/";
  return service;
}

TEST(Microledger, KeepsTheNextKeysInTheVaultAlone) {
  Network net;
  AgentBox& box = net.add("owner", test::modules<Connection>());
  const OwnPairLog log = box.edit([](Host& host) { return new_pair_log(host, {home()}).value(); });
  box.look([&](Host& host) {
    EXPECT_EQ(protocol::vault_items_of(host, log.did, protocol::VaultUse::log_next).size(), 1U);
    EXPECT_EQ(protocol::vault_items_of(host, log.did, protocol::VaultUse::log_recovery).size(), 1U);
    EXPECT_EQ(host.list("log-key").size(), 1U);  // The active one.
    EXPECT_TRUE(stored_view(host, log.did).value().test);
    const PairState state = pair_state_of(host, log.did).value();
    EXPECT_EQ(rotate_pair_keys(host, log.did, std::nullopt, state).error().code,
              Errc::step_up_required);
    return true;
  });
}

TEST(Microledger, RotatesAgainAndAgain) {
  for (const bool has_vault_here : {true, false}) {
    Network net;
    AgentBox& box = net.add("owner", test::modules<Connection>(), {.has_vault = has_vault_here});
    const std::string did =
        box.edit([](Host& host) { return new_pair_log(host, {home()}).value().did; });
    for (std::uint64_t n = 1; n <= 3; ++n) {
      box.edit([&](Host& host) {
        EXPECT_EQ(has_vault(host), has_vault_here);
        std::optional<SealedKey> vault;
        if (has_vault_here) vault = protocol::open_vault(host, box.step_up()).value();
        const PairState state = pair_state_of(host, did).value();
        const auto rotated = rotate_pair_keys(host, did, vault, state);
        EXPECT_TRUE(rotated.has_value());
        EXPECT_EQ(stored_view(host, did).value().n(), n);
        return true;
      });
    }
  }
}

TEST(Microledger, RefusesAnUpdateWithoutItsKeys) {
  Network net;
  AgentBox& box = net.add("owner", test::modules<Connection>());
  const std::string did =
      box.edit([](Host& host) { return new_pair_log(host, {home()}).value().did; });
  box.look([&](Host& host) {
    const LogView view = stored_view(host, did).value();
    forget_log_key(host, view.current.keys.k.at(0));
    PairState state = pair_state_of(host, did).value();
    state.services.clear();
    EXPECT_EQ(update_pair_log(host, did, state).error().code, Errc::not_found);
    state.agents.clear();
    EXPECT_FALSE(update_pair_log(host, did, state).has_value());
    EXPECT_EQ(stored_view(host, did).value().n(), 0U);
    return true;
  });
}

}  // namespace
}  // namespace kith::ledger
