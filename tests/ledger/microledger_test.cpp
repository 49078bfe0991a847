#include "ledger/microledger.hpp"

#include <gtest/gtest.h>

#include "ledger/connection.hpp"
#include "ledger/log_keys.hpp"
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
        EXPECT_EQ(protocol::vault_lock(host).has_value(), has_vault_here);
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

/// What a device has that got `did` and the vault out of a backup: no key outside the vault.
Result<void> rotate_from_the_vault_alone(Host& host, const StepUp& step_up,
                                         const std::string& did) {
  for (const std::string& key : host.list("log-key")) forget_log_key(host, key);
  TRY(const SealedKey vault, protocol::open_vault(host, step_up));
  TRY(const PairState state, pair_state_of(host, did));
  return rotate_pair_keys(host, did, vault, state);
}

TEST(Microledger, KeysOlderThanTheVaultMoveIntoItAndOutliveTheDevice) {
  Network net;
  AgentBox& box = net.add("owner", test::modules<Connection>(), {.has_vault = false});
  const std::string did =
      box.edit([](Host& host) { return new_pair_log(host, {home()}).value().did; });
  // Two rotates, so that keys of several ages lie about.
  for (int i = 0; i < 2; ++i) {
    box.edit([&](Host& host) {
      const PairState state = pair_state_of(host, did).value();
      EXPECT_TRUE(rotate_pair_keys(host, did, std::nullopt, state).has_value());
      return true;
    });
  }
  box.edit([&](Host& host) {
    EXPECT_TRUE(protocol::create_vault(host, box.step_up()).has_value());
    return true;
  });
  box.look([&](Host& host) {  // The fault: a vault that was made, and the keys left outside.
    EXPECT_EQ(rotate_from_the_vault_alone(host, box.step_up(), did).error().code, Errc::not_found);
    return true;
  });
  box.edit([&](Host& host) {
    EXPECT_TRUE(move_keys_to_vault(host).has_value());
    EXPECT_TRUE(move_keys_to_vault(host).has_value());  // Nothing more to move.
    return true;
  });
  box.look([&](Host& host) {
    const LogView view = stored_view(host, did).value();
    EXPECT_EQ(host.list("log-key"), view.current.keys.k);
    EXPECT_TRUE(host.list("log-salt").empty());
    const auto recovery = protocol::vault_items_of(host, did, protocol::VaultUse::log_recovery);
    EXPECT_EQ(recovery.size(), 1U);
    const Reveal reveal{1, {recovery.at(0).id}, crypto::multibase(recovery.at(0).salt)};
    EXPECT_EQ(recovery_digest(reveal), view.current.rec.d);
    EXPECT_TRUE(rotate_from_the_vault_alone(host, box.step_up(), did).has_value());
    return true;
  });
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
