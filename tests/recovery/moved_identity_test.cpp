// A device recovered from a backup that does not know of a move to another ledger.

#include "protocol/vault.hpp"
#include "recovery/finish.hpp"
#include "recovery/owner_set.hpp"
#include "tests/recovery/device_world.hpp"

namespace kith::recovery::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kOtherUrl = "https://other.test";

/// A second ledger beside that of the neighbourhood, and an owner whose newest backup is from
/// before she moved there.
struct Moved : LostDevice {
  Moved() {
    for (const char* name : {"t1", "t2", "t3"}) add_trustee(add_person(name));
    const auto usual = net.perform;
    net.perform = [this, usual](AgentBox& box, const protocol::Effect& effect) {
      if (policy_stays && is_move_of_policy(effect)) {
        return std::optional(
            protocol::EffectResult{effect.id, fail(Errc::unreachable, "no ledger"), true});
      }
      if (ledger::ledger_of(effect) != kOtherUrl) return usual(box, effect);
      if (other_down || !box.online()) {
        return std::optional(
            protocol::EffectResult{effect.id, fail(Errc::unreachable, "no ledger"), true});
      }
      const auto now = ledger::anchor_time(net.now());
      return std::optional(ledger::perform_on(other, effect, now, &other_prover));
    };
  }

  /// `contest_seconds` after the move, whatever it was, C is over or not.
  void set_up_owner(std::int64_t contest_seconds) {
    make_identity(owner, {{"delay_seconds", 60}, {"contest_seconds", contest_seconds}});
    ASSERT_NO_FATAL_FAILURE(set_up(owner, trustees, 2));
    net.run_for(5min);  // Uploads of the setup itself.
  }
  std::uint64_t stored() {
    return owner.look([](Host& host) { return owner_set(host)->stored_counter; });
  }
  void set_mediator_deaf(bool deaf) {
    net.fate = nullptr;
    if (!deaf) return;
    net.fate = [this](const test::Packet& packet) {
      return packet.from == &owner ? test::Fate::fails : test::Fate::arrives;
    };
  }
  ledger::Identity own(AgentBox& box) {
    return *box.look([](Host& host) { return ledger::identity(host); });
  }
  void move() {
    ASSERT_TRUE(owner.command("ledger-move", {{"ledger", kOtherUrl}}).has_value());
    ASSERT_TRUE(net.run_until([&] {
      return own(owner).ledger_url == kOtherUrl &&
             text_or_empty(*owner.command("identity-status"), "state") == "posted";
    }));
  }
  static bool is_move_of_policy(const protocol::Effect& effect) {
    if (effect.kind != protocol::EffectKind::ledger_append) return false;
    const auto append = protocol::decode_record<protocol::LedgerAppendPayload>(effect.payload);
    const auto entry = ledger::parse_entry(append->blob);
    return entry.has_value() && entry->kind == ledger::Kind::policy &&
           entry->op == ledger::Op::move;
  }
  void move_without_backup() {
    set_mediator_deaf(true);
    const std::uint64_t before_it = stored();
    ASSERT_NO_FATAL_FAILURE(move());
    net.run_for(1min);
    ASSERT_EQ(stored(), before_it);
  }
  void recover_device() {
    lose();
    set_mediator_deaf(false);
    for (AgentBox* box : trustees) ASSERT_NO_FATAL_FAILURE(ask_and_wait(*device, *box));
    ASSERT_TRUE(net.run_until([&] { return status(*device).at("can_finish").as_bool(); }));
  }
  std::string told() { return text_or_empty(status(*device), "moved_to"); }
  Result<JsonObject> take_back(JsonObject args = {}) {
    const auto shown = device->command("recover-finish", args, true);
    EXPECT_TRUE(shown.has_value()) << shown.error().detail;
    return device->command("recover-finish", std::move(args), true);
  }
  bool recovered() {
    return net.run_until([&] { return state(*device) == "recovered"; }, 2h);
  }
  ledger::LogView view_on(ledger::Ledger& place, const std::string& subject) {
    std::vector<ledger::AnchoredBlob> blobs;
    const auto page = place.read(subject, 0);
    for (const auto& entry : page->entries) blobs.push_back({entry.blob, entry.time});
    return ledger::read_log(subject, blobs, {ledger::anchor_time(net.now()), true}).value();
  }

  ledger::MemoryLedger other{test::ledger_descriptor(2), true};
  ledger::LedgerProver other_prover{other, test::ledger_signer(2)};
  bool other_down = false;
  bool policy_stays = false;  ///< The old ledger never gets the policy's move.
};

TEST(MovedIdentity, ADeviceFollowsTheMoveThatItsBackupDoesNotKnow) {
  for (const std::int64_t contest : {60, 60 * 60 * 24 * 49}) {  // C is over, or not.
    SCOPED_TRACE(contest);
    Moved world;
    ASSERT_NO_FATAL_FAILURE(world.set_up_owner(contest));
    ASSERT_NO_FATAL_FAILURE(world.move_without_backup());
    world.net.run_for(5min);
    ASSERT_NO_FATAL_FAILURE(world.recover_device());
    ASSERT_TRUE(world.net.run_until([&] { return world.told() == kOtherUrl; }))
        << crypto::json_text(world.status(*world.device));
    world.net.run_for(1min);
    const auto begun = world.take_back();
    ASSERT_TRUE(begun.has_value()) << begun.error().detail;
    EXPECT_FALSE(world.device->look([](Host& host) { return finish_job(host)->slow; }));
    ASSERT_TRUE(world.recovered()) << crypto::json_text(world.status(*world.device));
    const ledger::Identity back = world.own(*world.device);
    EXPECT_EQ(back.ledger_url, kOtherUrl);
    EXPECT_EQ(back.ledger, world.before.ledger);
    ASSERT_EQ(back.former.size(), 1U);
    EXPECT_EQ(back.former[0].url, kLedgerUrl);
    EXPECT_EQ(back.former[0].descriptor, world.before.former[0].descriptor);
    for (const std::string& subject : {back.did, back.policy}) {
      EXPECT_EQ(world.view_on(*world.log_ledger, subject).head().entry->op, ledger::Op::move);
      EXPECT_EQ(world.view_on(world.other, subject).head().entry->op, ledger::Op::rotate);
    }
    world.net.run_for(10min);
    EXPECT_TRUE(world.device->audited("identity.ledger-conflict").empty());
    EXPECT_TRUE(world.device->audited("identity.foreign-entry").empty());
  }
}

TEST(MovedIdentity, AMoveThatWasNotTheOwnersIsUndone) {
  Moved world;
  ASSERT_NO_FATAL_FAILURE(world.set_up_owner(60 * 60 * 24 * 49));
  ASSERT_NO_FATAL_FAILURE(world.move_without_backup());
  ASSERT_NO_FATAL_FAILURE(world.recover_device());
  ASSERT_TRUE(world.net.run_until([&] { return world.told() == kOtherUrl; }));
  world.net.run_for(1min);
  const auto begun = world.take_back({{"undo_move", true}});
  ASSERT_TRUE(begun.has_value()) << begun.error().detail;
  EXPECT_TRUE(world.device->look([](Host& host) { return finish_job(host)->slow; }));
  ASSERT_TRUE(world.recovered()) << crypto::json_text(world.status(*world.device));
  const ledger::Identity back = world.own(*world.device);
  EXPECT_EQ(back.ledger_url, kLedgerUrl);
  for (const std::string& subject : {back.did, back.policy}) {
    EXPECT_EQ(world.view_on(*world.log_ledger, subject).head().entry->op, ledger::Op::recover);
  }
}

TEST(MovedIdentity, WhatSomebodyElseRotatedThereIsNotFollowed) {
  Moved world;
  ASSERT_NO_FATAL_FAILURE(world.set_up_owner(60 * 60 * 24 * 49));
  ASSERT_NO_FATAL_FAILURE(world.move_without_backup());
  const std::string did = world.own(world.owner).did;
  world.owner.edit([&](Host& host) {  // By keys that no backup holds.
    const SealedKey vault = protocol::open_vault(host, world.owner.step_up()).value();
    const auto rotate = ledger::prepare_rotate(host, did, vault);
    EXPECT_TRUE(ledger::post_prepared(host, did, *rotate).has_value());
    return 0;
  });
  ASSERT_TRUE(world.net.run_until(
      [&] { return world.view_on(world.other, did).head().entry->op == ledger::Op::rotate; }));
  ASSERT_NO_FATAL_FAILURE(world.recover_device());
  ASSERT_TRUE(world.net.run_until([&] { return world.told() == kOtherUrl; }));
  world.net.run_for(1min);
  const auto begun = world.take_back();
  ASSERT_TRUE(begun.has_value()) << begun.error().detail;
  EXPECT_TRUE(world.device->look([](Host& host) { return finish_job(host)->slow; }));
  ASSERT_TRUE(world.recovered()) << crypto::json_text(world.status(*world.device));
  EXPECT_EQ(world.own(*world.device).ledger_url, kLedgerUrl);
}

TEST(MovedIdentity, WhileItsLedgerDoesNotAnswerNothingIsUndone) {
  Moved world;
  ASSERT_NO_FATAL_FAILURE(world.set_up_owner(60 * 60 * 24 * 49));
  ASSERT_NO_FATAL_FAILURE(world.move_without_backup());
  world.other_down = true;
  ASSERT_NO_FATAL_FAILURE(world.recover_device());
  ASSERT_TRUE(world.net.run_until([&] { return world.told() == kOtherUrl; }));
  const auto early = world.take_back();
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().code, Errc::unreachable);
  EXPECT_NE(early.error().detail.find("--undo-move"), std::string::npos);
  world.other_down = false;
  world.net.run_for(5min);
  const auto begun = world.device->command("recover-finish", {}, true);
  ASSERT_TRUE(begun.has_value()) << begun.error().detail;
  ASSERT_TRUE(world.recovered()) << crypto::json_text(world.status(*world.device));
  EXPECT_EQ(world.own(*world.device).ledger_url, kOtherUrl);
}

TEST(MovedIdentity, ADeviceLostWhenOnlyTheDidHadMovedBringsItBack) {
  Moved world;
  ASSERT_NO_FATAL_FAILURE(world.set_up_owner(60 * 60 * 24 * 49));
  world.set_mediator_deaf(true);
  world.policy_stays = true;
  ASSERT_TRUE(world.owner.command("ledger-move", {{"ledger", kOtherUrl}}).has_value());
  const ledger::Identity lost = world.own(world.owner);
  ASSERT_TRUE(world.net.run_until([&] {
    return world.view_on(*world.log_ledger, lost.did).head().entry->op == ledger::Op::move;
  }));
  world.net.run_for(1min);
  ASSERT_EQ(world.own(world.owner).ledger_url, kLedgerUrl);  // The move is not over.
  ASSERT_NE(world.view_on(*world.log_ledger, lost.policy).head().entry->op, ledger::Op::move);
  ASSERT_NO_FATAL_FAILURE(world.recover_device());
  ASSERT_TRUE(world.net.run_until([&] { return world.told() == kOtherUrl; }))
      << crypto::json_text(world.status(*world.device));
  world.net.run_for(1min);
  const auto begun = world.take_back();
  ASSERT_TRUE(begun.has_value()) << begun.error().detail;
  ASSERT_TRUE(world.recovered()) << crypto::json_text(world.status(*world.device));
  const ledger::Identity back = world.own(*world.device);
  EXPECT_EQ(back.ledger_url, kLedgerUrl);
  EXPECT_TRUE(back.former.empty());
  const ledger::LogView did = world.view_on(*world.log_ledger, back.did);
  EXPECT_EQ(did.head().entry->op, ledger::Op::recover);
  EXPECT_EQ(did.current.ledgers, std::vector<std::string>{back.ledger_id});
  EXPECT_EQ(world.view_on(*world.log_ledger, back.policy).head().entry->op, ledger::Op::rotate);
  world.net.run_for(10min);
  EXPECT_TRUE(world.device->audited("identity.ledger-conflict").empty());
}

TEST(MovedIdentity, ABackupIsMadeAtOnceWhenTheIdentityHasMoved) {
  Moved world;
  ASSERT_NO_FATAL_FAILURE(world.set_up_owner(60 * 60 * 24 * 49));
  world.net.run_for(1h);  // By now it looks every quarter of an hour whether one is due.
  const std::uint64_t before_it = world.stored();
  ASSERT_NO_FATAL_FAILURE(world.move());
  EXPECT_TRUE(world.net.run_until([&] { return world.stored() > before_it; }, 30s));
  ASSERT_NO_FATAL_FAILURE(world.recover_device());
  EXPECT_TRUE(world.told().empty());
  ASSERT_TRUE(world.take_back().has_value());
  ASSERT_TRUE(world.recovered()) << crypto::json_text(world.status(*world.device));
  EXPECT_EQ(world.own(*world.device).ledger_url, kOtherUrl);
}

}  // namespace
}  // namespace kith::recovery::testing
