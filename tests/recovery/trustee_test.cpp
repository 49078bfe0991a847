#include "recovery/trustee.hpp"

#include <set>

#include "crypto/dleq.hpp"
#include "recovery/backup_location.hpp"
#include "tests/recovery/trustee_lab.hpp"

namespace kith::recovery {
namespace {

using testing::heard;
using testing::Lab;
using testing::last_heard;
using testing::text_of;
using namespace std::chrono_literals;

std::string last_problem(test::AgentBox& box) {
  const auto problems = heard(box, "problem");
  return problems.empty() ? "" : text_of(problems.back(), "code");
}

HeldState held_state(Lab& lab, const testing::DealtToTwo& dealt) {
  auto held = lab.held_by_tina();
  const auto& leaf = dealt.set.record.leaves[0];
  const HeldVersion* version = held.find(leaf.record_id, leaf.version);
  if (version == nullptr) throw std::runtime_error("not held");
  return version->state;
}

bool holds(Lab& lab, const testing::DealtToTwo& dealt) {
  auto held = lab.held_by_tina();
  const auto& leaf = dealt.set.record.leaves[0];
  return held.find(leaf.record_id, leaf.version) != nullptr;
}

TEST(Trustee, AnOfferWaitsForItsUserAndIsAcceptedOnce) {
  Lab lab;
  lab.connect(lab.tina, "tina");
  lab.offer("tina", "offer-1");
  lab.offer("tina", "offer-1");
  EXPECT_EQ(lab.tina.notices("trustee-offer").size(), 1U);
  const auto requests = lab.tina.command("trustee-requests");
  ASSERT_TRUE(requests.has_value());
  ASSERT_EQ(requests->at("offers").as_array().size(), 1U);
  EXPECT_EQ(text_of(requests->at("offers").as_array()[0].as_object(), "contact"), "Olga");
  EXPECT_TRUE(heard(lab.owner, "capability-request").empty());

  ASSERT_TRUE(lab.tina.command("trustee-accept", {{"id", "offer-1"}}).has_value());
  lab.net.settle();
  EXPECT_EQ(last_heard<CapabilityRequest>(lab.owner).offer_id, "offer-1");
  EXPECT_EQ(lab.tina.command("trustee-requests")->at("offers").as_array().size(), 0U);
  lab.offer("tina", "offer-1");  // Asked again: told again, and no new question to the user.
  EXPECT_EQ(heard(lab.owner, "capability-request").size(), 2U);
  EXPECT_EQ(lab.tina.notices("trustee-offer").size(), 1U);
}

TEST(Trustee, ADeclinedOfferIsAnsweredAndTakesNoShare) {
  Lab lab;
  lab.connect(lab.tina, "tina");
  lab.connect(lab.theo, "theo");
  lab.offer("tina", "offer-1");
  ASSERT_TRUE(
      lab.tina.command("trustee-decline", {{"id", "offer-1"}, {"reason", "no time"}}).has_value());
  lab.net.settle();
  EXPECT_EQ(last_heard<CapabilityDecline>(lab.owner).reason, "no time");
  EXPECT_FALSE(lab.tina.command("trustee-accept", {{"id", "offer-1"}}).has_value());
  lab.prepare(lab.deal(), 0);
  EXPECT_EQ(last_problem(lab.owner), "policy.refused");
  EXPECT_TRUE(heard(lab.owner, "share-prepared").empty());
}

TEST(Trustee, AcknowledgesAPreparedShareWithAProof) {
  Lab lab;
  lab.set_up();
  const auto prepared =
      protocol::decode_body<SharePrepared>(heard(lab.owner, "share-prepared").front()).value();
  const auto& leaf = lab.dealt.set.record.leaves[0];
  const Contact tina = lab.contact(lab.owner, "tina");
  const Bytes statement = heartbeat_statement(leaf.record_id, leaf.version, lab.dealt.challenge[0],
                                              tina.my_did, tina.their_did);
  EXPECT_TRUE(crypto::verify_schnorr(leaf.share_point, statement, prepared.proof).has_value());
  const Bytes other = heartbeat_statement(leaf.record_id, leaf.version, lab.dealt.challenge[1],
                                          tina.my_did, tina.their_did);
  EXPECT_FALSE(crypto::verify_schnorr(leaf.share_point, other, prepared.proof).has_value());
  EXPECT_EQ(held_state(lab, lab.dealt), HeldState::committed);
  const auto list = lab.tina.command("trustee-list");
  ASSERT_TRUE(list.has_value());
  const auto& row = list->at("trustees_of").as_array().at(0).as_object();
  EXPECT_EQ(text_of(row.at("versions").as_array().at(0).as_object(), "state"), "committed");
}

TEST(Trustee, ATamperedRecordIsRefused) {
  Lab lab;
  lab.set_up();
  auto next = lab.deal();
  for (const std::size_t at : {std::size_t{20}, std::size_t{100}, std::size_t{4090}}) {
    auto altered = lab.prepare_of(next, 0);
    altered.record.at(at) ^= 1;
    const std::size_t before = heard(lab.owner, "problem").size();
    lab.say("tina", SharePrepare::kName, protocol::encode_body(altered));
    EXPECT_EQ(heard(lab.owner, "problem").size(), before + 1) << at;
  }
  // The record of another trustee: its signature is by another relationship's key.
  auto swapped = lab.prepare_of(next, 1);
  swapped.change_id = next.change_id[0];
  lab.say("tina", SharePrepare::kName, protocol::encode_body(swapped));
  EXPECT_EQ(last_problem(lab.owner), "crypto.signature");
  EXPECT_EQ(lab.held_by_tina().versions.size(), 1U);
  lab.prepare(next, 0);  // Unaltered it is taken.
  EXPECT_EQ(lab.held_by_tina().versions.size(), 2U);
}

TEST(Trustee, CommitWithoutPrepareIsRefused) {
  Lab lab;
  lab.set_up();
  const auto next = lab.deal();
  lab.commit(next, 0);
  EXPECT_EQ(last_problem(lab.owner), "state.wrong");
  EXPECT_EQ(held_state(lab, lab.dealt), HeldState::committed);
}

TEST(Trustee, RepeatsOfPrepareAndCommitAreAnsweredAgain) {
  Lab lab;
  lab.set_up();
  lab.prepare(lab.dealt, 0);
  lab.commit(lab.dealt, 0);
  EXPECT_EQ(heard(lab.owner, "share-prepared").size(), 3U);
  EXPECT_EQ(heard(lab.owner, "share-committed").size(), 3U);
  EXPECT_EQ(lab.held_by_tina().versions.size(), 1U);
  EXPECT_EQ(held_state(lab, lab.dealt), HeldState::committed);
}

TEST(Trustee, OneChangeAtATime) {
  Lab lab;
  lab.set_up();
  const auto first = lab.deal();
  const auto second = lab.deal();
  lab.prepare(first, 0);
  lab.net.run_for(7s);
  lab.prepare(second, 0);
  const auto busy = last_heard<ShareBusy>(lab.owner);
  EXPECT_EQ(busy.change_id, first.change_id[0]);
  EXPECT_EQ(busy.age_s, 7);
  EXPECT_FALSE(holds(lab, second));
  lab.say("tina", ShareChange::kAbort, protocol::encode_body(lab.change_of(first, 0)));
  EXPECT_EQ(last_heard<ShareHeld>(lab.owner).versions.size(), 1U);
  EXPECT_FALSE(holds(lab, first));
  lab.prepare(second, 0);
  EXPECT_TRUE(holds(lab, second));
}

TEST(Trustee, AnAbortedChangeCannotBeCommitted) {
  Lab lab;
  lab.set_up();
  const auto next = lab.deal();
  lab.prepare(next, 0);
  lab.say("tina", ShareChange::kAbort, protocol::encode_body(lab.change_of(next, 0)));
  lab.commit(next, 0);
  EXPECT_EQ(last_problem(lab.owner), "state.wrong");
  // Nor does an abort undo what is committed.
  lab.say("tina", ShareChange::kAbort, protocol::encode_body(lab.change_of(lab.dealt, 0)));
  EXPECT_EQ(held_state(lab, lab.dealt), HeldState::committed);
}

TEST(Trustee, AWrongBaseIsAnsweredWithWhatIsHeld) {
  Lab lab;
  lab.set_up();
  const auto next = lab.deal();
  auto prepare = lab.prepare_of(next, 0);
  prepare.base = HeldVersionRef{};  // "none"
  lab.say("tina", SharePrepare::kName, protocol::encode_body(prepare));
  const auto held = last_heard<ShareHeld>(lab.owner);
  ASSERT_EQ(held.versions.size(), 1U);
  EXPECT_EQ(held.change_id, next.change_id[0]);
  EXPECT_EQ(held.versions[0].version, lab.dealt.set.record.leaves[0].version);
  EXPECT_FALSE(holds(lab, next));
  prepare.base = held.versions[0];
  lab.say("tina", SharePrepare::kName, protocol::encode_body(prepare));
  EXPECT_TRUE(holds(lab, next));
}

TEST(Trustee, AReplacedVersionStaysForItsContestDays) {
  Lab lab;
  lab.set_up();
  const auto next = lab.deal();
  lab.prepare(next, 0);
  lab.commit(next, 0);
  EXPECT_EQ(held_state(lab, next), HeldState::committed);
  EXPECT_EQ(held_state(lab, lab.dealt), HeldState::retained);
  lab.commit(lab.dealt, 0);  // A late repeat does not bring it back.
  EXPECT_EQ(held_state(lab, lab.dealt), HeldState::retained);
  lab.net.run_for(20s);
  lab.tina.restart();
  lab.net.run_for(5s);
  EXPECT_TRUE(holds(lab, lab.dealt));
  lab.net.run_for(10s);
  EXPECT_FALSE(holds(lab, lab.dealt));
  EXPECT_TRUE(holds(lab, next));
  EXPECT_EQ(lab.tina.look([](Host& host) { return host.list("share").size(); }), 1U);
}

TEST(Trustee, AnUnsignedRetireDestroysNothingAtOnce) {
  Lab lab;
  lab.set_up();
  lab.say("tina", ShareChange::kRetire, protocol::encode_body(lab.change_of(lab.dealt, 0)));
  EXPECT_EQ(held_state(lab, lab.dealt), HeldState::retained);
  lab.net.run_for(20s);
  EXPECT_TRUE(holds(lab, lab.dealt));
}

TEST(Trustee, OnlyTheRetireKeyOfAVersionDropsItAtOnce) {
  Lab lab;
  lab.set_up();
  const auto next = lab.deal();
  lab.prepare(next, 0);
  lab.commit(next, 0);
  const auto signed_by = [&](const testing::DealtToTwo& key_of, const testing::DealtToTwo& what) {
    ShareChange change = lab.change_of(what, 0);
    change.signature = lab.owner.edit([&](Host& host) {
      const auto vault = protocol::open_vault(host, lab.owner.step_up()).value();
      const auto pair =
          host.keys().open_vault_item(vault, key_of.set.trustees[0].retire_item).value();
      return host.keys().sign(pair.sealed, retire_statement(change)).value();
    });
    return protocol::encode_body(change);
  };
  lab.say("tina", ShareChange::kRetire, signed_by(next, lab.dealt));
  EXPECT_EQ(last_problem(lab.owner), "crypto.signature");
  EXPECT_TRUE(holds(lab, lab.dealt));
  lab.say("tina", ShareChange::kRetire, signed_by(next, next));  // In use.
  EXPECT_EQ(last_problem(lab.owner), "state.wrong");
  EXPECT_TRUE(holds(lab, next));
  lab.say("tina", ShareChange::kRetire, signed_by(lab.dealt, lab.dealt));
  EXPECT_FALSE(holds(lab, lab.dealt));
  EXPECT_TRUE(holds(lab, next));
}

TEST(Trustee, WeakerTermsBindOnlyAfterTheOldContestDays) {
  Lab lab;
  lab.terms.override_days = 20;
  lab.set_up();
  lab.terms.override_days = 6;
  const auto next = lab.deal();
  lab.prepare(next, 0);
  const auto in_force = [&] {
    auto held = lab.held_by_tina();
    const auto& leaf = next.set.record.leaves[0];
    return terms_in_force(held, *held.find(leaf.record_id, leaf.version)).override_days;
  };
  EXPECT_EQ(in_force(), 20);
  lab.commit(next, 0);
  EXPECT_EQ(in_force(), 20);
  lab.net.run_for(40s);
  EXPECT_EQ(in_force(), 6);
}

TEST(Trustee, LongerTermsDoNotBindTheOldVersion) {
  Lab lab;
  lab.set_up();
  lab.terms.override_days = 25;
  const auto next = lab.deal();
  lab.prepare(next, 0);
  lab.commit(next, 0);
  auto held = lab.held_by_tina();
  const auto& leaf = lab.dealt.set.record.leaves[0];
  EXPECT_EQ(terms_in_force(held, *held.find(leaf.record_id, leaf.version)).override_days, 10);
}

TEST(Trustee, AHeartbeatProvesTheShareAndTheTime) {
  Lab lab;
  lab.set_up();
  const auto& leaf = lab.dealt.set.record.leaves[0];
  HeartbeatRequest request{crypto::to_bytes(leaf.record_id), Bytes(32, 7), Bytes(81, 1)};
  lab.say("tina", HeartbeatRequest::kName, protocol::encode_body(request));
  const auto beat = last_heard<HeartbeatResponse>(lab.owner);
  const Contact tina = lab.contact(lab.owner, "tina");
  const Bytes statement = heartbeat_statement(leaf.record_id, leaf.version, request.challenge,
                                              tina.my_did, tina.their_did);
  EXPECT_TRUE(crypto::verify_schnorr(leaf.share_point, statement, beat.proof).has_value());
  EXPECT_TRUE(lab.owner.look([&](Host& host) {
    return protocol::verify_from(host, Did::parse(tina.their_did).value(),
                                 time_statement(request.challenge, beat.time_ms), beat.signature)
        .has_value();
  }));
  EXPECT_EQ(lab.held_by_tina().versions[0].head, request.head);
  request.head.clear();  // Unchanged.
  lab.say("tina", HeartbeatRequest::kName, protocol::encode_body(request));
  EXPECT_EQ(lab.held_by_tina().versions[0].head, Bytes(81, 1));
  request.record_id[0] ^= 1;
  lab.say("tina", HeartbeatRequest::kName, protocol::encode_body(request));
  EXPECT_EQ(last_problem(lab.owner), "not_found");
}

/// Byte strings of the stored records of one trustee that could link it to another's.
std::set<std::string> values_of(const Trusteeship& held) {
  std::set<std::string> values;
  for (const HeldVersion& version : held.versions) {
    const LeafRecord& record = version.record;
    const auto add = [&](ByteView bytes) { values.insert(crypto::hex(bytes)); };
    add(record.record_id), add(record.share_point.bytes()), add(record.r), add(record.vouch);
    add(record.retire_key.bytes), add(record.signature), add(version.change_id);
    add(u64_bytes(record.version));
    for (const Scalar& x : record.x_path) add(x.bytes());
    for (const Location& location : record.locations) add(location.token);
  }
  return values;
}

TEST(Trustee, TwoTrusteesShareNoValue) {
  Lab lab;
  lab.set_up();
  const Contact olga = lab.contact(lab.theo, "Olga");
  const auto theos = lab.theo.look([&](Host& host) { return *find_trusteeship(host, olga.id); });
  const auto a = values_of(lab.held_by_tina()), b = values_of(theos);
  EXPECT_GE(a.size(), 9U);
  for (const std::string& value : a) EXPECT_FALSE(b.contains(value)) << value;
  EXPECT_EQ(values_of(lab.held_by_tina()), a);  // The comparison finds what is equal.
}

TEST(Trustee, TheBackedUpRecordHoldsNoShare) {
  Lab lab;
  lab.set_up();
  EXPECT_TRUE(lab.held_by_tina().versions[0].record.share_box.empty());
  lab.tina.edit([](Host& host) {
    for (const std::string& id : host.list("share")) host.erase({"share", id});
    return true;
  });
  const auto& leaf = lab.dealt.set.record.leaves[0];
  lab.say(
      "tina", HeartbeatRequest::kName,
      protocol::encode_body(HeartbeatRequest{crypto::to_bytes(leaf.record_id), Bytes(32, 7), {}}));
  EXPECT_EQ(last_problem(lab.owner), "not_found");
  const auto list = lab.tina.command("trustee-list");
  const auto& version =
      list->at("trustees_of").as_array().at(0).as_object().at("versions").as_array().at(0);
  EXPECT_FALSE(version.as_object().at("present").as_bool());
}

TEST(Trustee, ACrashAtAnyCommitLosesNoAcknowledgedShare) {
  for (std::uint64_t n = 1; n <= 6; ++n) {
    Lab lab(n);
    lab.set_up();
    const auto next = lab.deal();
    lab.tina.store().crash_at(n, test::MemoryStore::Crash::before_commit);
    lab.prepare(next, 0);
    lab.net.run_for(20s);
    const bool acknowledged = heard(lab.owner, "share-prepared").size() == 3;
    ASSERT_TRUE(acknowledged);
    EXPECT_TRUE(holds(lab, next)) << n;
    lab.commit(next, 0);
    lab.net.run_for(5s);
    EXPECT_EQ(held_state(lab, next), HeldState::committed) << n;
  }
}

}  // namespace
}  // namespace kith::recovery
