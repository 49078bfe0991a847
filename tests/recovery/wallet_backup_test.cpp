// What a backup of the wallet holds, and what it brings to another device.

#include "recovery/wallet_backup.hpp"

#include <gtest/gtest.h>

#include <string>

#include "ledger/light_client.hpp"
#include "protocol/contact.hpp"
#include "tests/support/agents.hpp"

namespace kith::recovery {
namespace {

using ledger::SeenLedger;
using test::AgentBox;

class WalletBackup : public ::testing::Test {
 protected:
  static void see(AgentBox& box, const std::string& checkpoint) {
    box.edit([&](Host& host) {
      save(host, "ledger-seen", "ledger:one", SeenLedger{"{}", checkpoint, host.now()});
      return true;
    });
  }
  static std::string seen(AgentBox& box) {
    const auto all = box.all<SeenLedger>("ledger-seen");
    return all.empty() ? "" : all.front().checkpoint;
  }
  static Result<void> restore(AgentBox& box, ByteView snapshot) {
    return box.edit([&](Host& host) { return restore_wallet(host, snapshot); });
  }
  static Bytes digest(AgentBox& box) { return box.look(content_digest); }

  test::Network net_;
  AgentBox& lost_ = net_.add("lost", test::modules<>());
  AgentBox& fresh_ = net_.add("fresh", test::modules<>());
};

TEST_F(WalletBackup, TellsANewDeviceWhatLedgersHadShown) {
  see(lost_, "checkpoint of before");
  const auto remember = [](Host& host) {
    for (const char* collection : {"ledger-pin", "ledger-evidence", "ledger-receipt"}) {
      host.put({collection, "it"}, crypto::to_bytes(std::string_view(collection)));
    }
    return true;
  };
  lost_.edit(remember);
  see(fresh_, "shown to the new device alone");
  const SecretBytes snapshot = lost_.look(wallet_snapshot);
  ASSERT_TRUE(restore(fresh_, snapshot.expose()).has_value());
  EXPECT_EQ(seen(fresh_), "checkpoint of before") << "what follows has to continue it";
  for (const char* collection : {"ledger-pin", "ledger-evidence", "ledger-receipt"}) {
    EXPECT_EQ(fresh_.look([&](Host& host) {
      return host.get({collection, "it"});
    }),
              crypto::to_bytes(std::string_view(collection)));
  }
}

TEST_F(WalletBackup, IsNotDueBecauseALedgerHasGrown) {
  const Bytes before = digest(lost_);
  see(lost_, "one");
  EXPECT_EQ(digest(lost_), before);
  lost_.edit([](Host& host) {
    Contact bob;
    bob.id = "00";
    bob.name = "bob";
    protocol::save_contact(host, bob);
    return true;
  });
  EXPECT_NE(digest(lost_), before);
}

TEST_F(WalletBackup, LeavesBehindWhatBelongsToTheDevice) {
  lost_.edit([](Host& host) {
    host.put({"own-key", "did:example:a#1"}, crypto::to_bytes(std::string_view("sealed")));
    return true;
  });
  const SecretBytes snapshot = lost_.look(wallet_snapshot);
  ASSERT_TRUE(restore(fresh_, snapshot.expose()).has_value());
  EXPECT_TRUE(fresh_.look([](Host& host) { return host.list("own-key"); }).empty());
}

}  // namespace
}  // namespace kith::recovery
