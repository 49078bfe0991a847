// A recover on the ledger that was left: what becomes of an identity whose move it undoes.

#include "ledger/former_ledgers.hpp"

#include "ledger/strict_json.hpp"
#include "tests/ledger/move_lab.hpp"

namespace kith::test {
namespace {

class TakenBackTest : public MoveLab {
 protected:
  void recover_both() {
    const Identity identity = own(*alice_);
    ASSERT_NO_FATAL_FAILURE(recover_on_old(identity.did));
    ASSERT_NO_FATAL_FAILURE(recover_on_old(identity.policy));
  }
  LogView seen(const std::string& subject) {
    return alice_->look([&](Host& host) { return must(ledger::stored_view(host, subject)); });
  }
  bool sees_pending(const std::string& subject) { return seen(subject).pending.has_value(); }
  bool lives_on_old() { return own(*alice_).ledger_id == old_->id && state(*alice_) == "posted"; }
  void until_c_is_nearly_over() {
    const LogView view = seen(own(*alice_).did);
    const auto end = *view.head().contestable_until;
    pass(std::chrono::duration_cast<Duration>(end - ledger::anchor_time(net_->now())) -
         std::chrono::seconds{10});
    ASSERT_NE(view.open_move(ledger::anchor_time(net_->now())), nullptr);
  }
  void look_now() {
    const Identity identity = own(*alice_);
    alice_->edit([&](Host& host) {
      for (const std::string& subject : {identity.did, identity.policy}) {
        ledger::refresh_log(host, subject);
      }
      return 0;
    });
    net_->settle();
  }
  /// With the next keys of its fork, which this wallet without a vault has at hand.
  Entry veto_of(const LogView& view) {
    return alice_->look([&](Host& host) {
      Entry veto = must(ledger::make_veto(view, ledger::anchor_time(net_->now())));
      const auto fork = static_cast<std::size_t>(view.pending->fork_n);
      const auto& next = view.history[fork].entry->content->next.kd;
      for (const std::string& key : host.list("log-key")) {
        if (!ledger::contains(next, ledger::key_digest(key))) continue;
        must(ledger::add_signature(veto, must(ledger::signing_key(key)), host.keys(),
                                   *ledger::log_key(host, key)));
      }
      return veto;
    });
  }
  void post_veto(const std::string& subject) {
    const Entry veto = veto_of(seen(subject));
    must(alice_->edit([&](Host& host) { return ledger::post_entry(host, subject, veto); }));
  }
  /// Another device of the owner changes the policy there; the hash of its entry.
  std::string change_on_old(const std::string& policy) {
    const LogView view = read_both(policy);
    const auto now = ledger::anchor_time(net_->now());
    const Entry other = alice_->look([&](Host& host) {
      ledger::Policy changed = must(ledger::parse_policy(view.current.state));
      changed.set = "of-another-device";
      Entry update = must(ledger::make_update(view, ledger::policy_json(changed), now));
      must(ledger::add_signature(update, must(ledger::own_agent_key(host)), host.keys()));
      return update;
    });
    must(old_->ledger.append({policy, ledger::entry_blob(other), other.prev}, now));
    return ledger::entry_hash(other);
  }
};

TEST_F(TakenBackTest, TheIdentityLivesOnTheOldLedgerAgain) {
  create(*alice_, *old_);
  move();
  must(set_anchor("undone-with-it"));
  ASSERT_TRUE(net_->run_until([&] { return state(*alice_) == "posted"; }));
  recover_both();
  const Identity identity = own(*alice_);
  ASSERT_TRUE(net_->run_until([&] { return sees_pending(identity.policy); }));
  EXPECT_EQ(own(*alice_).ledger_id, new_->id);  // Until it takes effect.
  ASSERT_TRUE(net_->run_until([&] { return lives_on_old(); }));
  const Identity back = own(*alice_);
  EXPECT_EQ(back.ledger_url, old_->url);
  EXPECT_EQ(back.ledger, identity.former[0].descriptor);
  ASSERT_EQ(back.former.size(), 1U);
  EXPECT_EQ(back.former[0].id, new_->id);
  EXPECT_EQ(alice_->audited("identity.taken-back").size(), 1U);
  EXPECT_TRUE(alice_->audited("identity.ledger-conflict").empty());
  EXPECT_TRUE(alice_->audited("identity.entry-dropped").empty());

  // It goes on there, and there alone.
  const std::size_t before = held(*new_, back.policy).size();
  must(set_anchor("afterwards"));
  ASSERT_TRUE(net_->run_until([&] { return state(*alice_) == "posted"; }));
  EXPECT_EQ(held(*new_, back.policy).size(), before);
  const LogView policy = read_both(back.policy);
  EXPECT_EQ(policy.head().entry->op, ledger::Op::update);
  EXPECT_EQ(policy.current.ledgers, std::vector<std::string>{old_->id});
  // It does not come back to the ledger that holds the branch which was undone.
  must(start());
  ASSERT_TRUE(net_->run_until([&] { return step() == "refused"; }));
  pass(std::chrono::minutes{10});
  EXPECT_EQ(alice_->audited("identity.taken-back").size(), 1U);
  EXPECT_EQ(alice_->audited("identity.foreign-entry").size(), 2U);  // One for each log.
}

TEST_F(TakenBackTest, AnEntryOfAnotherDeviceOnTheOldLedgerIsSeenThere) {
  create(*alice_, *old_);
  move();
  recover_both();
  ASSERT_TRUE(net_->run_until([&] { return lives_on_old(); }));
  const std::string policy = own(*alice_).policy;
  const std::size_t alarms = alice_->audited("identity.foreign-entry").size();
  const std::string other = change_on_old(policy);
  ASSERT_TRUE(net_->run_until(
      [&] { return alice_->audited("identity.foreign-entry").size() == alarms + 1; }));
  EXPECT_EQ(seen(policy).head().hash, other);
}

TEST_F(TakenBackTest, ARecoverOnTheOldLedgerIsSeenWhileTheNewOneIsDown) {
  create(*alice_, *old_);
  move();
  new_->up = false;
  recover_both();
  const auto seen_both = [&] {
    return alice_->audited("identity.foreign-entry").size() == 2;  // One for each log.
  };
  ASSERT_TRUE(net_->run_until(seen_both, std::chrono::minutes{15}));
  // And in force: the identity lives there, whether or not the new ledger ever answers again.
  ASSERT_TRUE(
      net_->run_until([&] { return own(*alice_).ledger_id == old_->id; }, std::chrono::hours{2}));
  EXPECT_TRUE(alice_->audited("identity.ledger-conflict").empty());
}

TEST_F(TakenBackTest, AVetoGoesToTheOldLedgerEvenWhileTheNewOneIsDown) {
  create(*alice_, *old_);
  move();
  recover_both();
  const Identity identity = own(*alice_);
  look_now();
  ASSERT_TRUE(sees_pending(identity.did) && sees_pending(identity.policy));
  post_veto(identity.did);
  new_->up = false;
  post_veto(identity.policy);
  const auto vetoed = [&](const std::string& subject) {
    return read_both(subject).vetoed.size() == 1;
  };
  ASSERT_TRUE(net_->run_until([&] { return vetoed(identity.did) && vetoed(identity.policy); },
                              std::chrono::seconds{kDelaySeconds / 2}));
  pass(std::chrono::seconds{2 * kDelaySeconds});
  new_->up = true;
  ASSERT_TRUE(net_->run_until([&] { return state(*alice_) == "posted"; }, std::chrono::hours{2}));
  EXPECT_EQ(own(*alice_).ledger_id, new_->id);
  for (const std::string& subject : {identity.did, identity.policy}) {
    EXPECT_EQ(read_both(subject).current.ledgers, std::vector<std::string>{new_->id});
    EXPECT_EQ(seen(subject).vetoed.size(), 1U);
  }
  must(set_anchor("goes-on"));
  EXPECT_TRUE(net_->run_until([&] { return state(*alice_) == "posted"; }));
  EXPECT_TRUE(alice_->audited("identity.taken-back").empty());
  EXPECT_TRUE(alice_->audited("identity.entry-dropped").empty());
}

TEST_F(TakenBackTest, AVetoThatTheOldLedgerMissedIsSentAgain) {
  create(*alice_, *old_);
  move();
  const std::string policy = own(*alice_).policy;
  ASSERT_NO_FATAL_FAILURE(recover_on_old(policy));
  look_now();
  ASSERT_TRUE(sees_pending(policy));
  old_->up = false;
  new_->up = false;
  post_veto(policy);
  pass(std::chrono::seconds{5});
  old_->up = true;
  EXPECT_TRUE(net_->run_until([&] { return read_both(policy).vetoed.size() == 1; },
                              std::chrono::seconds{kDelaySeconds / 2}));
}

TEST_F(TakenBackTest, OneLogAloneTakesTheIdentityNowhere) {
  create(*alice_, *old_);
  move();
  const std::string policy = own(*alice_).policy;
  ASSERT_NO_FATAL_FAILURE(recover_on_old(policy));
  pass(std::chrono::seconds{2 * kContestSeconds});
  EXPECT_EQ(own(*alice_).ledger_id, new_->id);
  EXPECT_EQ(seen(policy).current.ledgers, std::vector<std::string>{old_->id});
  const auto refused = set_anchor("nowhere");
  ASSERT_EQ(refused.error(), Errc::wrong_state);
  EXPECT_NE(refused.error().detail.find("took this log back"), std::string::npos);
  EXPECT_TRUE(alice_->audited("identity.ledger-conflict").empty());
  // What happens to it is still seen, long after C of the move.
  const std::string other = change_on_old(policy);
  EXPECT_TRUE(net_->run_until([&] { return seen(policy).head().hash == other; }));
}

TEST_F(TakenBackTest, ARecoverThatIsPendingWhenCEndsIsFollowedToItsEnd) {
  create(*alice_, *old_);
  move();
  const Identity identity = own(*alice_);
  until_c_is_nearly_over();
  recover_both();
  look_now();
  ASSERT_TRUE(sees_pending(identity.did) && sees_pending(identity.policy));
  pass(std::chrono::seconds{20});
  ASSERT_EQ(seen(identity.policy).open_move(ledger::anchor_time(net_->now())), nullptr);
  const auto now = ledger::anchor_time(net_->now());
  for (const std::string& subject : {identity.did, identity.policy}) {
    // By another device of hers.
    const Entry veto = veto_of(seen(subject));
    must(old_->ledger.append({subject, ledger::entry_blob(veto), {}}, now));
  }
  pass(std::chrono::seconds{3 * kDelaySeconds});
  EXPECT_EQ(seen(identity.policy).vetoed.size(), 1U);
  EXPECT_EQ(seen(identity.policy).current.ledgers, std::vector<std::string>{new_->id});
  EXPECT_EQ(own(*alice_).ledger_id, new_->id);
}

TEST_F(TakenBackTest, ARecoverAtTheVeryEndOfCIsNotMissed) {
  create(*alice_, *old_);
  move();
  until_c_is_nearly_over();
  look_now();
  recover_both();
  old_->up = false;
  pass(std::chrono::seconds{30});
  old_->up = true;
  EXPECT_TRUE(net_->run_until([&] { return lives_on_old(); }));
}

TEST_F(TakenBackTest, ALedgerThatDoesNotAnswerTakesNothingBackByThisDevicesClock) {
  create(*alice_, *old_);
  move();
  recover_both();
  const Identity identity = own(*alice_);
  ASSERT_TRUE(
      net_->run_until([&] { return sees_pending(identity.did) && sees_pending(identity.policy); }));
  old_->up = false;
  pass(std::chrono::seconds{4 * kDelaySeconds});
  EXPECT_FALSE(sees_pending(identity.policy));
  EXPECT_EQ(own(*alice_).ledger_id, new_->id);
  old_->up = true;
  EXPECT_TRUE(net_->run_until([&] { return lives_on_old(); }));
}

TEST_F(TakenBackTest, AnotherMoveUnderWayEndsWithIt) {
  create(*alice_, *old_);
  move();
  must(alice_->command("ledger-move", {{"ledger", "https://third.example"}}));  // Nobody there.
  recover_both();
  ASSERT_TRUE(net_->run_until([&] { return lives_on_old(); }));
  EXPECT_EQ(step(), "none");
}

TEST_F(TakenBackTest, WhatWasNotPostedYetIsDroppedAndSaidSo) {
  create(*alice_, *old_);
  move();
  recover_both();
  look_now();
  ASSERT_TRUE(sees_pending(own(*alice_).policy));
  new_->full = true;
  must(set_anchor("too-late"));
  ASSERT_TRUE(net_->run_until([&] { return lives_on_old(); }));
  EXPECT_EQ(alice_->audited("identity.entry-dropped").size(), 1U);
}

}  // namespace
}  // namespace kith::test
