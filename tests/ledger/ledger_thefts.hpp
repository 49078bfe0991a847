#pragma once

/// What thieves and guardians try with a log, on every backend: the rules that stop them are the
/// readers', and each ledger has to leave them in force. A part of the contract's suite
/// (ledger_contract.hpp):
///
///     LogThefts      on all backends
///     SquattedLog    where the test can put blobs on the ledger that no honest writer would send

#include "tests/ledger/ledger_contract.hpp"

namespace kith::test {

class LogThefts : public LedgerContract {
 protected:
  static constexpr const char* kElsewhere = "ledger:elsewhere";

  void SetUp() override { id_ = ledger::ledger_id(ledger().descriptor()); }
  /// A log that lives on this ledger.
  void live(bool super_quorum = false) {
    LogContent content = lab_.first_content();
    content.ledgers = {id_};
    if (super_quorum) content.rec.hi = lab_.fresh_recovery().digest;
    lab_.ledger = id_;
    lab_.start_with(content);
    const auto outcome = must(ledger().append({lab_.subject, lab_.blobs[0].blob, ""}, lab_.time));
    ASSERT_TRUE(std::holds_alternative<Appended>(outcome));
  }
  void pass(std::chrono::seconds span) {
    lab_.time += span;
    if (backend_.pass) backend_.pass(span);
  }
  /// The ledger takes it, and so does the lab.
  void takes(const Entry& entry) {
    const auto outcome = must(send(entry, lab_.time));
    ASSERT_TRUE(std::holds_alternative<Appended>(outcome)) << ledger::op_name(entry.op);
    lab_.post(entry);
  }
  void refuses(const Entry& entry) {
    const auto outcome = send(entry, lab_.time);
    const bool taken = outcome.has_value() && std::holds_alternative<Appended>(*outcome);
    EXPECT_FALSE(taken) << ledger::op_name(entry.op);
  }
  /// What a reader makes of the ledger, and of `elsewhere` beside it.
  LogView held(const std::vector<ledger::AnchoredBlob>& elsewhere = {}) {
    const AnchorTime now = backend_.time ? backend_.time() : lab_.time;
    std::vector<ledger::AnchoredBlob> blobs;
    for (auto& entry : must(ledger::read_all(ledger(), lab_.subject))) {
      blobs.push_back({std::move(entry.blob), entry.time, id_});
    }
    blobs.insert(blobs.end(), elsewhere.begin(), elsewhere.end());
    return must(ledger::read_log(lab_.subject, blobs, {now, true}));
  }
  /// Signed by the keys that it replaces.
  Entry by_current_keys(Entry rotate) { return lab_.sign(rotate, lab_.view().current.keys.k); }
  /// Of a super-quorum's recover, by next keys alone.
  Entry single_veto() {
    const LogView view = lab_.view();
    const LogContent& fork = view.uncontested_content();
    const auto signers = LogLab::first(lab_.announced(fork.next), fork.next.t);
    Entry entry = lab_.double_veto();
    entry.reveal.reset();
    entry.sigs.clear();
    return lab_.sign(entry, signers);
  }

  LogLab lab_;
  std::string id_;
};

TEST_P(LogThefts, AStolenCurrentKeyCannotRotate) {
  live();
  Entry rotate = lab_.rotate_unsigned();
  refuses(by_current_keys(rotate));
  EXPECT_EQ(held().n(), 0U);
  takes(lab_.sign(rotate, rotate.content->keys.k));  // The owner can.
  EXPECT_EQ(held().n(), 1U);
}

TEST_P(LogThefts, AThiefsRotateIsContestedWithinTheWindow) {
  live();
  const Entry theirs = lab_.rotate();
  takes(theirs);
  pass(48 * kDay);
  const Entry owners = lab_.recover(0);
  takes(owners);
  EXPECT_EQ(held().status, LogStatus::contested);
  takes(lab_.update(1));  // The thief goes on meanwhile, which helps nothing.
  pass(4 * kDay);
  const LogView view = held();
  EXPECT_EQ(view.head().hash, ledger::entry_hash(owners));
  EXPECT_EQ(view.status, LogStatus::normal);
  EXPECT_EQ(view.replaced.size(), 2U);
}

TEST_P(LogThefts, AfterTheWindowARotateStands) {
  live();
  const Entry rotate = lab_.rotate();
  takes(rotate);
  pass(50 * kDay);
  const auto late = send(lab_.recover(0), lab_.time);
  ASSERT_FALSE(late.has_value());
  EXPECT_EQ(late.error(), Errc::invalid_entry);
  EXPECT_EQ(held().head().hash, ledger::entry_hash(rotate));
}

TEST_P(LogThefts, AThiefsMoveToHisOwnHostIsBeaten) {
  live();
  const Entry owners = lab_.recover(0);
  takes(lab_.move(id_, kElsewhere));
  // What he does there is his alone.
  lab_.ledger = kElsewhere;
  const std::size_t position = lab_.post(lab_.rotate());
  const std::vector<ledger::AnchoredBlob> elsewhere{lab_.blobs[position]};
  EXPECT_EQ(held(elsewhere).n(), 2U);
  lab_.ledger = id_;
  pass(40 * kDay);
  const auto outcome = must(send(owners, lab_.time));
  ASSERT_TRUE(std::holds_alternative<Appended>(outcome));
  pass(4 * kDay);
  const LogView view = held(elsewhere);
  EXPECT_EQ(view.head().hash, ledger::entry_hash(owners));
  EXPECT_EQ(view.current.ledgers, std::vector<std::string>{id_});
}

TEST_P(LogThefts, GuardiansWhoColludeAreVetoed) {
  live();
  takes(lab_.recover(0));
  pass(2 * kDay);
  takes(lab_.veto());
  pass(2 * kDay);
  const LogView view = held();
  EXPECT_EQ(view.n(), 0U);
  EXPECT_EQ(view.vetoed.size(), 1U);
  EXPECT_EQ(view.status, LogStatus::normal);
}

TEST_P(LogThefts, GuardiansWhomNobodyVetoesSucceed) {
  live();
  takes(lab_.recover(0));
  pass(4 * kDay);
  EXPECT_EQ(held().n(), 1U);
}

TEST_P(LogThefts, NobodyVetoesASuperQuorumAlone) {
  live(true);
  const Entry recover = lab_.super_recover(0);
  takes(recover);
  pass(kDay);
  refuses(single_veto());
  pass(3 * kDay);
  const LogView view = held();
  EXPECT_EQ(view.head().hash, ledger::entry_hash(recover));
  EXPECT_TRUE(view.head().super_quorum);
}

TEST_P(LogThefts, NextKeysAndGuardiansTogetherVetoASuperQuorum) {
  live(true);
  takes(lab_.super_recover(0));
  pass(kDay);
  takes(lab_.double_veto());
  pass(3 * kDay);
  EXPECT_EQ(held().n(), 0U);
}

/// The thief of an unlocked device sets its clock. Where writers say the time, what is recovered on
/// that ledger is anchored in 2099; so the owner recovers to another one. Others are not held up.
/// What this does not show: on such a ledger a clock of 2099 also ends waits early
/// (running-a-ledger).
TEST_P(LogThefts, AClockOf2099BlocksNobody) {
  live();
  const AnchorTime in_2099 = ledger::anchor_time_ms(4'070'908'800'000);
  Entry theirs = must(ledger::make_update(lab_.view(), lab_.next_state(lab_.view(), 7), in_2099));
  lab_.sign(theirs, lab_.update_signers(lab_.view()));
  const Entry away = lab_.recover_to(0, kElsewhere);
  const Entry here = lab_.recover(0);
  ASSERT_TRUE(std::holds_alternative<Appended>(must(send(theirs, in_2099))));
  EXPECT_EQ(held().n(), 1U);
  lab_.post(theirs);
  pass(1s);

  // The owner goes on at once, and so do others.
  takes(lab_.update(2));
  EXPECT_EQ(held().n(), 2U);
  LogLab other(Kind::did, {}, 9);
  other.time = lab_.time;
  start(other);
  ASSERT_TRUE(std::holds_alternative<Appended>(must(send(other.update(1), other.time))));

  ledger::AnchoredBlob seen{ledger::entry_blob(away), lab_.time, kElsewhere};
  if (!backend_.writers_clock) {
    ASSERT_TRUE(std::holds_alternative<Appended>(must(send(here, lab_.time))));
    pass(4 * kDay);
    EXPECT_EQ(held().head().hash, ledger::entry_hash(here));
    return;
  }
  pass(4 * kDay);
  EXPECT_EQ(held({seen}).head().hash, ledger::entry_hash(away));
}

/// Blobs that no honest writer would have sent lie on the ledger.
class SquattedLog : public LogThefts {};

TEST_P(SquattedLog, ACopyWithABrokenSignatureTakesNobodysPlace) {
  live();
  const Entry update = lab_.update(1);
  Entry broken = update;
  broken.sigs.front().s.front() ^= 1U;
  backend_.squat(lab_.subject, ledger::entry_blob(broken), lab_.time);
  EXPECT_EQ(all().size(), 2U);
  EXPECT_EQ(held().n(), 0U);
  takes(update);
  EXPECT_EQ(held().head().hash, ledger::entry_hash(update));
  EXPECT_EQ(held().junk.size(), 1U);
}

TEST_P(SquattedLog, WhatAThiefMayNotSignCountsNothingEvenWhereItLies) {
  live(true);
  backend_.squat(lab_.subject, ledger::entry_blob(by_current_keys(lab_.rotate_unsigned())),
                 lab_.time);
  EXPECT_EQ(held().n(), 0U);
  const Entry recover = lab_.super_recover(0);
  takes(recover);
  backend_.squat(lab_.subject, ledger::entry_blob(single_veto()), lab_.time);
  pass(4 * kDay);
  EXPECT_EQ(held().head().hash, ledger::entry_hash(recover));
  EXPECT_EQ(held().junk.size(), 2U);
}

}  // namespace kith::test
