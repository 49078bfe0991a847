// Moving an identity from one ledger to another.

#include "ledger/ledger_move.hpp"

#include "ledger/audit_anchor.hpp"
#include "ledger/ledger_services.hpp"
#include "ledger/log_limits.hpp"
#include "ledger/proposal_steps.hpp"
#include "ledger/rebase.hpp"
#include "tests/ledger/move_lab.hpp"

namespace kith::test {
namespace {

using Crash = MemoryStore::Crash;

class LedgerMoveTest : public MoveLab {};

TEST_F(LedgerMoveTest, TheLogsLiveOnTheNewLedgerAndBothTellTheSame) {
  create(*alice_, *old_);
  EXPECT_EQ(step(), "none");
  move();
  const Identity identity = own(*alice_);
  EXPECT_EQ(identity.ledger_url, new_->url);
  ASSERT_EQ(identity.former.size(), 1U);
  EXPECT_EQ(identity.former[0].id, old_->id);
  for (const std::string& subject : {identity.did, identity.policy}) {
    const LogView view = read_both(subject);
    EXPECT_EQ(view.current.ledgers, std::vector<std::string>{new_->id});
    EXPECT_EQ(view.head().entry->op, ledger::Op::move);
    EXPECT_EQ(view.junk_count, 0U);
    EXPECT_FALSE(view.unconfirmed_move);
    EXPECT_EQ(held(*new_, subject).size(), view.history.size());
    // Kept once, though both ledgers hold it.
    EXPECT_EQ(alice_->look([&](Host& host) { return ledger::stored_blobs(host, subject).size(); }),
              view.history.size());
  }
  EXPECT_EQ(step(), "none");
  EXPECT_TRUE(alice_->notices("alarm").empty());
  EXPECT_EQ(alice_->audited("identity.moved").size(), 1U);
}

TEST_F(LedgerMoveTest, WhatComesLaterGoesToTheNewLedgerAlone) {
  create(*alice_, *old_);
  move();
  const std::string policy = own(*alice_).policy;
  const std::size_t before = held(*old_, policy).size();
  must(set_anchor("later"));
  ASSERT_TRUE(net_->run_until([&] { return state(*alice_) == "posted"; }));
  EXPECT_EQ(held(*old_, policy).size(), before);
  EXPECT_EQ(read_both(policy).n(), 2U);
  EXPECT_EQ(read_both(policy).junk_count, 0U);
  EXPECT_TRUE(alice_->notices("alarm").empty());
}

TEST_F(LedgerMoveTest, OthersFindTheLogFromEitherLedger) {
  create(*alice_, *old_);
  move();
  const JsonObject from_old = look_up(old_->url);
  EXPECT_EQ(text(from_old, "state"), "done");
  EXPECT_EQ(n_of(from_old), 2);  // Genesis, addresses, move.
  bob_->edit([](Host& host) {    // Somebody who has seen nothing.
    for (const char* collection : {"log-trail", "ledger-pin", "ledger-seen"}) {
      for (const std::string& id : host.list(collection)) host.erase({collection, id});
    }
    return 0;
  });
  const JsonObject from_new = look_up(new_->url);
  EXPECT_EQ(text(from_new, "state"), "done");
  EXPECT_EQ(n_of(from_new), 2);
  EXPECT_FALSE(
      from_new.at("didDocumentMetadata").at("kith").get_object().contains("unconfirmedMove"));
}

TEST_F(LedgerMoveTest, ALedgerThatIsDownOrRefusesChangesNothing) {
  create(*alice_, *old_);
  const std::string did = own(*alice_).did;
  new_->up = false;
  must(start());
  EXPECT_EQ(start().error(), Errc::wrong_state);
  pass(std::chrono::minutes{30});
  EXPECT_EQ(step(), "descriptor");
  EXPECT_FALSE(error().empty());
  new_->up = true;
  new_->full = true;
  ASSERT_TRUE(net_->run_until([&] { return step() == "copying"; }));
  pass(std::chrono::minutes{30});
  EXPECT_EQ(step(), "copying");
  EXPECT_NE(error().find("no room"), std::string::npos);
  EXPECT_EQ(held(*old_, did).size(), 1U);
  // Called off, it is as if it had never begun.
  EXPECT_EQ(text(must(alice_->command("ledger-move-cancel")), "state"), "none");
  EXPECT_EQ(alice_->command("ledger-move-cancel").error(), Errc::wrong_state);
  new_->full = false;
  pass(std::chrono::hours{3});
  EXPECT_EQ(own(*alice_).ledger_id, old_->id);
  EXPECT_EQ(held(*old_, did).size(), 1U);
  must(set_anchor("as-before"));
  EXPECT_TRUE(net_->run_until([&] { return state(*alice_) == "posted"; }));
}

TEST_F(LedgerMoveTest, WhileTheOldLedgerIsDownTheMoveWaitsAndTakesNoOtherChange) {
  create(*alice_, *old_);
  new_->on_append = [&] { old_->up = false; };
  must(start());
  ASSERT_TRUE(net_->run_until([&] { return step() == "leaving"; }));
  EXPECT_EQ(alice_->command("ledger-move-cancel").error(), Errc::wrong_state);
  const auto refused = set_anchor("meanwhile");
  ASSERT_EQ(refused.error(), Errc::wrong_state);
  EXPECT_NE(refused.error().detail.find("moving"), std::string::npos);
  old_->up = true;
  ASSERT_TRUE(net_->run_until([&] { return moved(); }));
  must(set_anchor("afterwards"));
}

TEST_F(LedgerMoveTest, ItGoesOnAfterACrashAtAnyCommit) {
  for (const Crash crash : {Crash::before_commit, Crash::after_commit}) {
    for (std::uint64_t at = 1;; ++at) {
      SCOPED_TRACE(at);
      reset();
      create(*alice_, *old_);
      alice_->store().crash_at(at, crash);
      must(start());
      ASSERT_TRUE(net_->run_until([&] { return moved(); }));
      if (alice_->store().crash_is_due()) {
        EXPECT_GT(at, 8U);
        break;
      }
      ASSERT_EQ(alice_->crashes(), 1U);
      const Identity identity = own(*alice_);
      for (const std::string& subject : {identity.did, identity.policy}) {
        const LogView view = read_both(subject);
        EXPECT_EQ(view.junk_count, 0U);
        EXPECT_EQ(view.n(), subject == identity.did ? 2U : 1U);
      }
      EXPECT_TRUE(alice_->notices("alarm").empty());
    }
    alice_->store().cancel_crash();
  }
}

TEST_F(LedgerMoveTest, TheAddressesAreToldEvenIfAnotherDeviceChangesTheDocumentMeanwhile) {
  create(*alice_, *old_);
  const std::string did = own(*alice_).did;
  const Json service = JsonObject{{"id", did + "#x"}, {"type", "Other"}, {"serviceEndpoint", "x:"}};
  bool came = false;
  old_->on_append = [&] {
    if (std::exchange(came, true)) return;
    const LogView view = read_both(did);
    JsonObject document = view.current.state.get_object();
    document["service"] = JsonArray{service};
    const auto now = ledger::anchor_time(net_->now());
    Entry other = must(ledger::make_update(view, Json(std::move(document)), now));
    alice_->look([&](Host& host) { must(ledger::sign_with_active(host, other, view)); });
    must(old_->ledger.append({did, ledger::entry_blob(other), other.prev}, now));
  };
  move();
  ASSERT_TRUE(came);
  const Json& document = read_both(did).current.state;
  EXPECT_EQ(ledger::other_services(document), JsonArray{service});
  EXPECT_EQ(ledger::told_address(document, old_->id), old_->url);
  EXPECT_EQ(ledger::told_address(document, new_->id), new_->url);
  EXPECT_TRUE(alice_->audited("identity.entry-dropped").empty());
}

TEST(MergeState, DocumentsMergeWhereOnlyOneSideTellsOfLedgers) {
  const std::string did = "did:kith:zQm";
  const auto merge = [](const Json& parent, const Json& mine, const Json& theirs) {
    return ledger::merge_state(ledger::Kind::did, parent, mine, theirs);
  };
  const Json parent = JsonObject{{"id", did}};
  const Json other = JsonObject{{"id", did + "#x"}, {"type", "DIDCommMessaging"}};
  const Json mine = ledger::with_ledgers(did, parent, {{"ledger:a", "https://a"}});
  const Json theirs = JsonObject{{"id", did}, {"key", "new"}, {"service", JsonArray{other}}};
  const Json merged = must(merge(parent, mine, theirs));
  EXPECT_EQ(ledger::told_address(merged, "ledger:a"), "https://a");
  EXPECT_EQ(ledger::other_services(merged), JsonArray{other});
  EXPECT_EQ(merged.get_object().at("key"), Json("new"));
  EXPECT_EQ(must(merge(parent, parent, theirs)), theirs);
  EXPECT_EQ(must(merge(parent, mine, parent)), mine);
  const Json first = JsonObject{{"id", did}, {"a", 1}};
  EXPECT_EQ(merge(parent, first, JsonObject{{"id", did}, {"b", 1}}).error(), Errc::conflict);
  const Json moved = ledger::with_ledgers(did, parent, {{"ledger:b", "https://b"}});
  EXPECT_EQ(merge(parent, mine, moved).error(), Errc::conflict);
  const Json mail = JsonObject{{"id", did}, {"service", JsonArray{JsonObject{{"id", "y"}}}}};
  EXPECT_EQ(merge(parent, theirs, mail).error(), Errc::conflict);
}

TEST(MergeState, AuditLogsOfTwoDevicesAreAnchoredAtOnce) {
  const auto document = [](const std::vector<std::pair<std::string, std::string>>& anchors) {
    JsonObject made{{"id", "did:kith:zQm"}};
    JsonArray list;
    for (const auto& [log, head] : anchors) {
      list.push_back(JsonObject{{"log", log}, {"head", head}});
    }
    if (!list.empty()) made["kithAudit"] = std::move(list);
    return Json(std::move(made));
  };
  const auto merge = [](const Json& parent, const Json& mine, const Json& theirs) {
    return ledger::merge_state(ledger::Kind::did, parent, mine, theirs);
  };
  EXPECT_EQ(must(merge(document({}), document({{"a", "1"}}), document({{"b", "2"}}))),
            document({{"b", "2"}, {"a", "1"}}));
  const Json parent = document({{"a", "1"}, {"b", "2"}});
  const Json mine = document({{"a", "3"}, {"b", "2"}});
  EXPECT_EQ(must(merge(parent, mine, document({{"a", "1"}, {"b", "4"}}))),
            document({{"a", "3"}, {"b", "4"}}));
  EXPECT_EQ(must(merge(parent, mine, document({{"a", "1"}}))), document({{"a", "3"}}));
  EXPECT_EQ(merge(parent, mine, document({{"a", "4"}, {"b", "2"}})).error(), Errc::conflict);
  // Beside an anchor, the rest may change; and as many logs as there may be.
  Json renamed = parent;
  renamed.get_object()["key"] = "new";
  EXPECT_EQ(must(merge(parent, mine, renamed)).get_object().at("key"), Json("new"));
  std::vector<std::pair<std::string, std::string>> most;
  for (std::size_t i = 0; i < ledger::log_limits::kAuditLogsMax; ++i) {
    most.emplace_back("log " + std::to_string(i), "1");
  }
  const Json all = document(most);
  EXPECT_EQ(merge(document({}), document({{"a", "1"}}), all).error(), Errc::limit_exceeded);
  // What has the name alone is somebody else's, and stays whole.
  const Json strange = JsonObject{{"id", "did:kith:zQm"}, {"kithAudit", JsonArray{"x", "y"}}};
  EXPECT_EQ(merge(document({}), document({{"a", "1"}}), strange).error(), Errc::conflict);
}

TEST_F(LedgerMoveTest, AnAuditLogIsAnchoredOnTopOfWhatAnotherDeviceAnchored) {
  create(*alice_, *old_);
  const std::string did = own(*alice_).did;
  const LogView view = read_both(did);
  const auto key = [&](std::uint64_t seed) { return LedgerKey(seed).pair.public_key; };
  const Bytes head(32, 7);
  // Signed by both before either has come to the ledger: the other device's comes first.
  Json document = view.current.state;
  document.get_object()["kithAudit"] = JsonArray{JsonObject{{"log", "other"}, {"head", "theirs"}}};
  const auto now = ledger::anchor_time(net_->now());
  Entry other = must(ledger::make_update(view, std::move(document), now));
  alice_->look([&](Host& host) { must(ledger::sign_with_active(host, other, view)); });
  must(old_->ledger.append({did, ledger::entry_blob(other), other.prev}, now));
  must(alice_->edit([&](Host& host) { return ledger::anchor_audit_log(host, key(9), head); }));
  ASSERT_TRUE(net_->run_until([&] { return read_both(did).n() == 2U; }));
  EXPECT_EQ(read_both(did).current.state.get_object().at("kithAudit").get_array().size(), 2U);
  const auto anchors =
      alice_->look([&](Host& host) { return must(ledger::audit_anchors(host, key(9))); });
  ASSERT_EQ(anchors.size(), 1U);
  EXPECT_EQ(anchors[0].n, 2U);
  EXPECT_TRUE(alice_->audited("identity.entry-dropped").empty());
}

TEST_F(LedgerMoveTest, TheNewLedgerLosingTheLogIsNoticed) {
  create(*alice_, *old_);
  move();
  new_ = std::make_unique<Place>("https://new.example", 2);  // The same, from a backup, say.
  ASSERT_TRUE(net_->run_until([&] { return !alice_->notices("alarm").empty(); }));
  EXPECT_EQ(own(*alice_).ledger_id, new_->id);
}

TEST_F(LedgerMoveTest, ALedgerThatHidesWhatWasCopiedThereIsNoticed) {
  create(*alice_, *old_);
  move();
  const std::string policy = own(*alice_).policy;
  const auto all = held(*new_, policy);
  // Another ledger with the same name and key, where the log ends before the move.
  new_ = std::make_unique<Place>("https://new.example", 2);
  alice_->edit([&](Host& host) {
    for (const std::string& id : host.list("ledger-seen")) host.erase({"ledger-seen", id});
    return 0;
  });
  const auto entry = must(ledger::parse_entry(all.front().blob));
  must(new_->ledger.append({policy, all.front().blob, entry.prev},
                           ledger::anchor_time(net_->now())));
  ASSERT_TRUE(
      net_->run_until([&] { return alice_->audited("identity.ledger-conflict").size() == 2U; }));
  // What is kept stays as it was.
  const LogView kept =
      alice_->look([&](Host& host) { return must(ledger::stored_view(host, policy)); });
  EXPECT_EQ(kept.current.ledgers, std::vector<std::string>{new_->id});
}

TEST_F(LedgerMoveTest, ARecoverOnTheLedgerThatWasLeftRaisesTheAlarmAsLongAsItCanUndoTheMove) {
  create(*alice_, *old_);
  move();
  must(set_anchor("undone-with-it"));
  ASSERT_TRUE(net_->run_until([&] { return state(*alice_) == "posted"; }));
  const std::string policy = own(*alice_).policy;
  recover_on_old(policy);
  ASSERT_TRUE(net_->run_until([&] { return !alice_->notices("alarm").empty(); }));
  EXPECT_EQ(alice_->audited("identity.foreign-entry").size(), 1U);
  const LogView seen =
      alice_->look([&](Host& host) { return must(ledger::stored_view(host, policy)); });
  EXPECT_EQ(seen.status, ledger::LogStatus::contested);
  // After D the log is back where it was, and this device knows. It says so once.
  pass(std::chrono::seconds{2 * kDelaySeconds});
  EXPECT_EQ(alice_->look([&](Host& host) { return must(ledger::stored_view(host, policy)); })
                .current.ledgers,
            std::vector<std::string>{old_->id});
  EXPECT_TRUE(alice_->audited("identity.ledger-conflict").empty());
  pass(std::chrono::minutes{10});
  EXPECT_EQ(alice_->audited("identity.foreign-entry").size(), 1U);
}

TEST_F(LedgerMoveTest, AContestedLogDoesNotMove) {
  create(*alice_, *old_);
  new_->full = true;
  must(start());
  ASSERT_TRUE(net_->run_until([&] { return step() == "copying"; }));
  const std::string policy = own(*alice_).policy;
  recover_on_old(policy);
  ASSERT_TRUE(net_->run_until([&] { return !alice_->notices("alarm").empty(); }));
  new_->full = false;
  pass(std::chrono::seconds{kDelaySeconds / 2});
  EXPECT_EQ(step(), "copying");
  EXPECT_NE(error().find("recovery"), std::string::npos);
  EXPECT_EQ(held(*old_, own(*alice_).did).size(), 1U);
}

TEST_F(LedgerMoveTest, AnOldLedgerThatHidesTheMoveIsNoticedAndNotBelieved) {
  create(*alice_, *old_);
  move();
  const std::string policy = own(*alice_).policy;
  const auto all = held(*old_, policy);
  old_ = std::make_unique<Place>("https://old.example", 1);
  alice_->edit([&](Host& host) {
    for (const std::string& id : host.list("ledger-seen")) host.erase({"ledger-seen", id});
    return 0;
  });
  const auto entry = must(ledger::parse_entry(all.front().blob));
  must(old_->ledger.append({policy, all.front().blob, entry.prev},
                           ledger::anchor_time(net_->now())));
  ASSERT_TRUE(net_->run_until([&] { return !alice_->notices("alarm").empty(); }));
  EXPECT_NE(alice_->notices("alarm")[0].find("that your identity left"), std::string::npos);
  must(set_anchor("goes-on"));
  EXPECT_TRUE(net_->run_until([&] { return state(*alice_) == "posted"; }));
  pass(std::chrono::minutes{5});
  EXPECT_EQ(alice_->notices("alarm").size(), 1U);  // Not again each time.
}

TEST_F(LedgerMoveTest, ALedgerThatTakesEverythingAndShowsNothingIsNotMovedTo) {
  create(*alice_, *old_);
  ledger::MemoryLedger shadow(ledger_descriptor(2), true);
  const auto usual = net_->perform;
  net_->perform = [&](AgentBox& box, const Effect& effect) -> std::optional<EffectResult> {
    if (ledger::ledger_of(effect) == new_->url && effect.kind == EffectKind::ledger_append) {
      return ledger::perform_on(shadow, effect, ledger::anchor_time(net_->now()));
    }
    return usual(box, effect);
  };
  must(start());
  pass(std::chrono::minutes{30});
  EXPECT_GT(shadow.size(), 1U);
  EXPECT_NE(step(), "leaving");
  EXPECT_NE(error().find("does not show"), std::string::npos);
  EXPECT_EQ(held(*old_, own(*alice_).did).size(), 1U);
  must(alice_->command("ledger-move-cancel"));
}

/// A recovered device knows the logs by the new ledger alone.
TEST_F(LedgerMoveTest, ADeviceThatDoesNotKnowWhatCameFromWhereGoesOn) {
  create(*alice_, *old_);
  move();
  alice_->edit([&](Host& host) {
    for (const std::string& subject : {own(*alice_).did, own(*alice_).policy}) {
      auto blobs = ledger::stored_blobs(host, subject);
      for (auto& blob : blobs) blob.ledger.clear();
      ledger::store_blobs(host, subject, blobs);
    }
    return 0;
  });
  old_->up = false;
  pass(std::chrono::seconds{2 * kContestSeconds});
  // Proposals are judged by the same log.
  alice_->look([&](Host& host) {
    const auto ground = must(ledger::own_ground(host, own(*alice_).did));
    EXPECT_EQ(ground.view.current.ledgers, std::vector<std::string>{new_->id});
    EXPECT_EQ(ground.policy_view.current.ledgers, std::vector<std::string>{new_->id});
  });
  must(set_anchor("recovered"));
  EXPECT_TRUE(net_->run_until([&] { return state(*alice_) == "posted"; }));
  EXPECT_TRUE(alice_->notices("alarm").empty());
  EXPECT_EQ(read_both(own(*alice_).policy).n(), 2U);
}

TEST_F(LedgerMoveTest, AThiefsMoveFromTheNewLedgerIsRecoveredThere) {
  create(*alice_, *old_);
  move();
  const std::string policy = own(*alice_).policy;
  const auto now = ledger::anchor_time(net_->now());
  const LogView view = read_both(policy);
  Entry theft = must(ledger::make_move(view, new_->id, {"ledger:of-a-thief"}, now));
  alice_->look([&](Host& host) { must(ledger::sign_with_active(host, theft, view)); });
  must(new_->ledger.append({policy, ledger::entry_blob(theft), theft.prev}, now));
  ASSERT_TRUE(net_->run_until([&] { return !alice_->notices("alarm").empty(); }));
  EXPECT_EQ(alice_->command("ledger-move", {{"ledger", "https://third.example"}}).error(),
            Errc::wrong_state);
  const Entry entry = recover(*alice_, policy, read_both(policy), view.n(), new_->id, now);
  must(alice_->edit([&](Host& host) { return ledger::post_entry(host, policy, entry); }));
  pass(std::chrono::seconds{3 * kDelaySeconds});
  EXPECT_EQ(read_both(policy).current.ledgers, std::vector<std::string>{new_->id});
}

TEST_F(LedgerMoveTest, AnAddressWhereAnotherLedgerWasIsRefused) {
  create(*alice_, *old_);
  alice_->edit([&](Host& host) {
    ledger::pin_ledger(host, new_->url, ledger::descriptor_json(ledger_descriptor(3)));
    return 0;
  });
  must(start());
  ASSERT_TRUE(net_->run_until([&] { return step() == "refused"; }));
  EXPECT_NE(error().find("another ledger"), std::string::npos);
}

TEST_F(LedgerMoveTest, WhenNothingCanUndoTheMoveTheOldLedgerIsAskedNoMore) {
  create(*alice_, *old_);
  move();
  std::size_t asked = 0;
  const auto usual = net_->perform;
  net_->perform = [&](AgentBox& box, const Effect& effect) {
    if (ledger::ledger_of(effect) == old_->url) ++asked;
    return usual(box, effect);
  };
  pass(std::chrono::seconds{kContestSeconds / 2});
  EXPECT_GT(asked, 0U);
  pass(std::chrono::seconds{kContestSeconds});
  asked = 0;
  pass(std::chrono::minutes{30});
  EXPECT_EQ(asked, 0U);
  const JsonObject seen = must(alice_->command("ledger-seen"));
  EXPECT_FALSE(seen.at("former").get_array().at(0).get_object().at("asked").get_bool());
}

TEST_F(LedgerMoveTest, AnOldLedgerThatIsDownHoldsNothingUp) {
  create(*alice_, *old_);
  move();
  old_->up = false;
  must(set_anchor("without-it"));
  EXPECT_TRUE(net_->run_until([&] { return state(*alice_) == "posted"; }));
  EXPECT_TRUE(alice_->notices("alarm").empty());
}

/// C of weeks, so that a ledger can be away for days.
class FormerAwayTest : public MoveLab {
 protected:
  FormerAwayTest() {
    test_mode_ = false;
    reset();
  }
  JsonObject former() {
    const JsonObject seen = must(alice_->command("ledger-seen"));
    return seen.at("former").get_array().at(0).get_object();
  }
  std::size_t alarms() { return alice_->audited("identity.former-away").size(); }
};

TEST_F(FormerAwayTest, ADayWithoutTheLedgerThatWasLeftRaisesTheAlarmOnceEachTime) {
  create(*alice_, *old_);
  EXPECT_FALSE(must(alice_->command("ledger-seen")).contains("former"));
  move();
  EXPECT_EQ(text(former(), "ledger"), old_->url);
  EXPECT_TRUE(former().at("asked").get_bool());
  EXPECT_FALSE(former().contains("away_since"));
  const std::string read = text(former(), "read");
  for (std::size_t outage = 1; outage <= 2; ++outage) {
    old_->up = false;
    pass(std::chrono::hours{23});
    EXPECT_EQ(alarms(), outage - 1);
    EXPECT_TRUE(former().contains("away_since"));
    pass(std::chrono::hours{4});
    EXPECT_EQ(alarms(), outage);
    pass(std::chrono::hours{30});
    EXPECT_EQ(alarms(), outage);
    old_->up = true;
    pass(std::chrono::hours{2});
    EXPECT_FALSE(former().contains("away_since"));
    EXPECT_GT(text(former(), "read"), read);
  }
  EXPECT_EQ(alice_->notices("alarm").size(), 2U);
}

TEST_F(FormerAwayTest, OneThatShowsNothingIsAway) {
  create(*alice_, *old_);
  move();
  old_ = std::make_unique<Place>("https://old.example", 1);
  alice_->edit([&](Host& host) {
    for (const std::string& id : host.list("ledger-seen")) host.erase({"ledger-seen", id});
    return 0;
  });
  pass(std::chrono::hours{27});
  EXPECT_EQ(alarms(), 1U);
}

TEST_F(LedgerMoveTest, ALedgerThatWasLeftIsNotReturnedTo) {
  create(*alice_, *old_);
  move();
  must(alice_->command("ledger-move", {{"ledger", old_->url}}));
  ASSERT_TRUE(net_->run_until([&] { return step() == "refused"; }));
  EXPECT_NE(error().find("before"), std::string::npos);
  EXPECT_EQ(own(*alice_).ledger_id, new_->id);
  must(set_anchor("stays"));
  EXPECT_TRUE(net_->run_until([&] { return state(*alice_) == "posted"; }));
  // Another move may follow at once.
  must(alice_->command("ledger-move", {{"ledger", "https://third.example"}}));
  EXPECT_EQ(text(must(alice_->command("ledger-move-cancel")), "state"), "none");
}

TEST_F(LedgerMoveTest, WhatCannotBeginIsRefused) {
  EXPECT_EQ(start().error(), Errc::wrong_state);  // No identity yet.
  create(*alice_, *old_);
  EXPECT_EQ(alice_->command("ledger-move", {{"ledger", old_->url}}).error(), Errc::refused);
  EXPECT_EQ(alice_->command("ledger-move").error(), Errc::malformed);
  old_->up = false;
  must(set_anchor("on-its-way"));
  EXPECT_EQ(start().error(), Errc::wrong_state);
  old_->up = true;
}

TEST_F(LedgerMoveTest, TheSameLedgerAtAnotherAddressIsNone) {
  create(*alice_, *old_);
  new_->url = "https://alias.example";
  const auto usual = net_->perform;
  net_->perform = [&](AgentBox& box, const Effect& effect) -> std::optional<EffectResult> {
    if (ledger::ledger_of(effect) == new_->url && effect.kind == EffectKind::fetch) {
      return ledger::perform_on(old_->ledger, effect, ledger::anchor_time(net_->now()),
                                &old_->prover);
    }
    return usual(box, effect);
  };
  must(start());
  ASSERT_TRUE(net_->run_until([&] { return step() == "refused"; }));
  EXPECT_NE(error().find("already"), std::string::npos);
}

TEST(LedgerServices, AreToldBesideOthersAndReplaced) {
  const std::string did = "did:kith:zQm";
  const Json other = JsonObject{{"id", did + "#x"}, {"type", "DIDCommMessaging"}};
  const Json document = JsonObject{{"id", did}, {"service", JsonArray{other}}};
  const Json told =
      ledger::with_ledgers(did, document, {{"ledger:a", "https://a"}, {"ledger:h", "leveldb:/x"}});
  EXPECT_EQ(ledger::told_address(told, "ledger:a"), "https://a");
  EXPECT_EQ(ledger::told_address(told, "ledger:h"), std::nullopt);  // Nobody else can ask it.
  EXPECT_EQ(ledger::other_services(told), JsonArray{other});
  const Json later = ledger::with_ledgers(did, told, {{"ledger:b", "http://b"}});
  EXPECT_EQ(ledger::told_address(later, "ledger:a"), std::nullopt);
  EXPECT_EQ(ledger::ledger_services(later).size(), 1U);
  EXPECT_EQ(ledger::other_services(later), JsonArray{other});
}

}  // namespace
}  // namespace kith::test
