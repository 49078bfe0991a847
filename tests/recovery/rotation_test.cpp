#include "recovery/rotation.hpp"

#include <gtest/gtest.h>

#include "ledger/ledger_effects.hpp"
#include "protocol/vault.hpp"
#include "recovery/finish.hpp"
#include "recovery/owner_set.hpp"
#include "tests/recovery/device_world.hpp"

namespace kith::recovery::testing {
namespace {

using Crash = test::MemoryStore::Crash;
using protocol::VaultUse;

/// An owner whose every rotate is watched on its way to the ledger.
class RotationTest : public ::testing::Test {
 protected:
  RotationTest() {
    const auto perform = world_.net.perform;
    world_.net.perform = [this, perform](AgentBox& box, const protocol::Effect& effect) {
      if (effect.kind == protocol::EffectKind::ledger_append && &box == &owner()) ++appends_;
      if (effect.kind == protocol::EffectKind::ledger_append && stored() <= stored_before_) {
        ++appends_without_backup_;
      }
      return perform(box, effect);
    };
    for (const char* name : {"t1", "t2"}) world_.add_trustee(world_.add_person(name));
  }

  AgentBox& owner() { return world_.owner; }
  void set_up() {
    world_.make_identity(owner());
    ASSERT_NO_FATAL_FAILURE(world_.set_up(owner(), world_.trustees, 2));
    world_.net.run_for(std::chrono::minutes{5});  // Uploads of the setup itself.
    watch();
  }
  void watch() {
    stored_before_ = stored();
    appends_ = appends_without_backup_ = 0;
  }
  /// The newest backup that was stored and read back.
  std::uint64_t stored() {
    return owner().look([](Host& host) {
      const auto set = owner_set(host);
      return set ? set->stored_counter : 0;
    });
  }
  std::string rotate() {
    const auto reply = owner().command("did-rotate", {}, true);
    EXPECT_TRUE(reply.has_value()) << reply.error().detail;
    return reply.has_value() ? text_or_empty(*reply, "state") : "";
  }
  std::string state() { return text_or_empty(*owner().command("did-rotate-status"), "state"); }
  bool all_posted() {
    return state() == "posted" &&
           text_or_empty(*owner().command("identity-status"), "state") == "posted";
  }
  std::size_t records(std::string_view collection) {
    return owner().look([&](Host& host) { return host.list(collection).size(); });
  }
  /// The mediator hears nothing of the owner's, or does again.
  void set_mediator_deaf(bool deaf) {
    world_.net.fate = nullptr;
    if (!deaf) return;
    world_.net.fate = [this](const test::Packet& packet) {
      return packet.from == &owner() ? test::Fate::fails : test::Fate::arrives;
    };
  }

  LostDevice world_;
  std::uint64_t stored_before_ = 0;
  std::size_t appends_ = 0;
  std::size_t appends_without_backup_ = 0;
};

TEST_F(RotationTest, GoesStraightOnWhereNobodyKeepsBackups) {
  EXPECT_EQ(owner().command("did-rotate", {}, true).error().code, Errc::wrong_state);
  EXPECT_EQ(state(), "none");
  world_.make_identity(owner());
  EXPECT_EQ(owner().command("did-rotate").error().code, Errc::step_up_required);
  EXPECT_EQ(rotate(), "posted");
  ASSERT_TRUE(world_.net.run_until([&] { return all_posted(); }));
  EXPECT_EQ(world_.log_ledger->size(), 4U);
}

TEST_F(RotationTest, IsPostedOnlyAfterABackupOfTheNewKeys) {
  ASSERT_NO_FATAL_FAILURE(set_up());
  const std::size_t entries = world_.log_ledger->size();
  const std::size_t items = records("vault-item");
  EXPECT_EQ(rotate(), "storing");
  EXPECT_EQ(records("vault-item"), items + 2);
  EXPECT_EQ(rotate(), "storing");  // The same one.
  EXPECT_EQ(records("vault-item"), items + 2);
  EXPECT_EQ(world_.log_ledger->size(), entries);
  ASSERT_TRUE(world_.net.run_until([&] { return all_posted(); }));
  EXPECT_EQ(world_.log_ledger->size(), entries + 2);
  EXPECT_EQ(appends_, 2U);
  EXPECT_EQ(appends_without_backup_, 0U);
  EXPECT_TRUE(owner().notices("alarm").empty());
}

TEST_F(RotationTest, TheWatchOfThisTestSeesAnEntryThatLeavesBeforeItsBackup) {
  ASSERT_NO_FATAL_FAILURE(set_up());
  owner().edit([&](Host& host) {
    const std::string did = ledger::identity(host)->did;
    const SealedKey vault = protocol::open_vault(host, owner().step_up()).value();
    const auto entry = ledger::prepare_rotate(host, did, vault);
    EXPECT_TRUE(ledger::post_prepared(host, did, *entry).has_value());
    return true;
  });
  world_.net.settle();
  EXPECT_EQ(appends_without_backup_, 1U);
}

TEST_F(RotationTest, ALossRightAfterItLeavesARecoverableIdentity) {
  ASSERT_NO_FATAL_FAILURE(set_up());
  rotate();
  ASSERT_TRUE(world_.net.run_until([&] { return all_posted(); }));
  world_.before = *owner().look([](Host& host) { return ledger::identity(host); });
  owner().set_online(false);
  AgentBox& device = world_.add_person("device");
  ASSERT_TRUE(device.command("recover-start").has_value());
  for (AgentBox* trustee : world_.trustees) {
    ASSERT_NO_FATAL_FAILURE(world_.ask_and_wait(device, *trustee));
  }
  ASSERT_NO_FATAL_FAILURE(world_.finish(device));
  // Fast: the backup held the next keys that the rotation had announced.
  EXPECT_FALSE(device.look([](Host& host) { return finish_job(host)->slow; }));
  EXPECT_EQ(device.look([](Host& host) { return ledger::identity(host)->did; }), world_.before.did);
}

TEST_F(RotationTest, IsNotPostedWhileNoLocationAcknowledges) {
  ASSERT_NO_FATAL_FAILURE(set_up());
  const std::size_t entries = world_.log_ledger->size();
  const std::size_t keys = records("log-key");
  set_mediator_deaf(true);
  EXPECT_EQ(rotate(), "storing");
  EXPECT_EQ(records("log-key"), keys + 2);
  world_.net.run_for(std::chrono::minutes{50});
  EXPECT_EQ(state(), "storing");
  world_.net.run_for(std::chrono::minutes{20});
  EXPECT_EQ(state(), "given-up");
  EXPECT_EQ(appends_, 0U);
  EXPECT_EQ(world_.log_ledger->size(), entries);
  EXPECT_EQ(records("log-key"), keys);  // Next keys are in the vault alone again.
  EXPECT_FALSE(owner().notices("alarm").empty());

  set_mediator_deaf(false);
  EXPECT_EQ(rotate(), "storing");
  ASSERT_TRUE(world_.net.run_until([&] { return all_posted(); }));
  EXPECT_EQ(world_.log_ledger->size(), entries + 2);
  EXPECT_EQ(records("log-key"), keys);
}

TEST_F(RotationTest, IsPutOffWhileTheIdentityIsOnItsWayToAnotherLedger) {
  ASSERT_NO_FATAL_FAILURE(set_up());
  const std::string url = "https://other.test";
  ledger::MemoryLedger other(test::ledger_descriptor(2), true);
  ledger::LedgerProver prover(other, test::ledger_signer(2));
  const auto usual = world_.net.perform;
  bool held = true;
  world_.net.perform = [&](AgentBox& box, const protocol::Effect& effect) {
    if (ledger::ledger_of(effect) != url) return usual(box, effect);
    // What is copied there cannot leave.
    if (held && effect.kind == protocol::EffectKind::ledger_append) world_.ledger_down = true;
    const auto now = ledger::anchor_time(world_.net.now());
    return std::optional(ledger::perform_on(other, effect, now, &prover));
  };
  ASSERT_TRUE(owner().command("ledger-move", {{"ledger", url}}).has_value());
  ASSERT_TRUE(world_.net.run_until(
      [&] { return text_or_empty(*owner().command("ledger-move-status"), "state") == "leaving"; }));
  EXPECT_EQ(rotate(), "storing");
  world_.net.run_for(std::chrono::hours{2});  // Longer than it waits for a backup.
  EXPECT_GT(stored(), stored_before_);
  const JsonObject waiting = *owner().command("did-rotate-status");
  EXPECT_EQ(text_or_empty(waiting, "state"), "storing");
  EXPECT_NE(text_or_empty(waiting, "problem").find("moving"), std::string::npos);
  EXPECT_EQ(rotate(), "storing");  // The same one.
  held = world_.ledger_down = false;
  ASSERT_TRUE(world_.net.run_until([&] { return all_posted(); }, std::chrono::hours{3}));
  const auto identity = *owner().look([](Host& host) { return ledger::identity(host); });
  EXPECT_EQ(identity.ledger_url, url);
  for (const std::string& subject : {identity.did, identity.policy}) {
    owner().look([&](Host& host) {
      EXPECT_EQ(ledger::stored_view(host, subject)->head().entry->op, ledger::Op::rotate);
    });
  }
  EXPECT_TRUE(text_or_empty(*owner().command("did-rotate-status"), "problem").empty());
  EXPECT_TRUE(owner().audited("identity.rotation-refused").empty());
  EXPECT_TRUE(owner().notices("alarm").empty());
}

TEST_F(RotationTest, GoesOnAfterACrashAtAnyCommit) {
  ASSERT_NO_FATAL_FAILURE(set_up());
  for (const Crash crash : {Crash::before_commit, Crash::after_commit}) {
    for (std::uint64_t at = 1;; ++at) {
      const std::size_t entries = world_.log_ledger->size();
      const std::size_t keys = records("log-key");
      watch();
      owner().store().crash_at(at, crash);
      rotate();
      ASSERT_TRUE(world_.net.run_until([&] { return all_posted(); })) << "crash at " << at;
      EXPECT_EQ(world_.log_ledger->size(), entries + 2) << "crash at " << at;
      EXPECT_EQ(appends_without_backup_, 0U) << "crash at " << at;
      EXPECT_EQ(records("log-key"), keys);
      if (owner().store().crash_is_due()) break;
      ASSERT_LT(at, 200U);
    }
    owner().store().cancel_crash();
  }
  EXPECT_GT(owner().crashes(), 10U);
  EXPECT_TRUE(owner().notices("alarm").empty());
}

}  // namespace
}  // namespace kith::recovery::testing
