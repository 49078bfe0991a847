#pragma once

/// What every ledger promises, as one suite over the seam (ledger/ledger.hpp). A test program
/// includes this once and instantiates what its backends promise:
///
///     LedgerContract   order, compare-and-swap, repeats, junk, pages, following: all of them
///     ReopenedLedger   restarts
///     SharedLedger     several clients
///     CrowdedLedger    two writers at one moment, answers that get lost
///
/// What thieves try with logs is a suite beside it: ledger_thefts.hpp.

#include <gtest/gtest.h>

#include <functional>
#include <memory>

#include "crypto/limits.hpp"
#include "ledger/ledger.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {

using ledger::Appended;
using ledger::AppendOutcome;
using ledger::Ledger;
using ledger::LedgerPage;
using ledger::StaleHead;
using ledger::UnknownOutcome;

/// A ledger with whatever must outlive it.
struct Backend {
  std::shared_ptr<void> kept;
  std::unique_ptr<Ledger> ledger;
  /// The same ledger, opened once more: after `ledger` is gone, or beside it if it can be shared.
  std::function<std::unique_ptr<Ledger>()> open = {};
  /// Has that done in the middle of the next append through `ledger`, after it has read and before
  /// it writes.
  std::function<void(std::function<void()>)> between = {};
  /// The next append through `ledger` is done, but the first answer that says so gets lost.
  std::function<void()> lose_answer = {};
  /// Lets time pass for the ledger, and what its clock says: where it has one.
  std::function<void(std::chrono::seconds)> pass = {};
  std::function<AnchorTime()> time = {};
  /// Puts a blob on the ledger that nobody judged.
  std::function<void(const std::string& subject, const Bytes& blob, AnchorTime time)> squat = {};
  /// Anchor times are the writers', where no later one is there. False: the ledger has a clock.
  bool writers_clock = true;
  /// Who loses a race is kept out. False: he is told, but his entry is there, and does not count.
  bool keeps_losers_out = true;
};

struct Maker {
  const char* name;
  std::function<Backend(bool test_mode)> make;
};
inline std::string maker_name(const ::testing::TestParamInfo<Maker>& maker) {
  return maker.param.name;
}

class LedgerContract : public ::testing::TestWithParam<Maker> {
 protected:
  Backend backend_ = GetParam().make(true);
  Ledger& ledger() { return *backend_.ledger; }

  Result<AppendOutcome> send(const Entry& entry, ledger::AnchorTime now) {
    return ledger().append({entry.id, ledger::entry_blob(entry), entry.prev}, now);
  }
  /// Appends and keeps it in the lab as well.
  Appended post(LogLab& lab, const Entry& entry) {
    const auto outcome = must(send(entry, lab.time));
    lab.post(entry);
    return std::get<Appended>(outcome);
  }
  Appended start(LogLab& lab) {
    lab.start();
    const auto outcome = must(ledger().append({lab.subject, lab.blobs[0].blob, ""}, lab.time));
    return std::get<Appended>(outcome);
  }
  std::vector<ledger::LedgerEntry> all() {
    std::vector<ledger::LedgerEntry> entries;
    for (;;) {
      const std::uint64_t from = entries.empty() ? 0 : entries.back().position + 1;
      const LedgerPage page = must(ledger().follow(from, 3));
      entries.insert(entries.end(), page.entries.begin(), page.entries.end());
      if (page.complete) return entries;
    }
  }
};

TEST_P(LedgerContract, KeepsOrderAndTimesOfWhatWasAppended) {
  LogLab lab;
  const Appended first = start(lab);
  lab.time += 5s;
  const Appended second = post(lab, lab.update(1));
  EXPECT_LT(first.position, second.position);
  if (backend_.writers_clock) {
    EXPECT_EQ(second.time, lab.time);
  }
  EXPECT_GE(second.time, first.time);
  const LedgerPage page = must(ledger().read(lab.subject, 0));
  ASSERT_EQ(page.entries.size(), 2U);
  EXPECT_TRUE(page.complete);
  EXPECT_EQ(page.entries[0].blob, lab.blobs[0].blob);
  EXPECT_EQ(page.entries[1].blob, lab.blobs[1].blob);
  EXPECT_EQ(page.entries[1].position, second.position);
  EXPECT_EQ(page.entries[1].time, second.time);
  EXPECT_EQ(page.entries[1].subject, lab.subject);
  const LedgerPage later = must(ledger().read(lab.subject, second.position));
  ASSERT_EQ(later.entries.size(), 1U);
  EXPECT_EQ(later.entries[0], page.entries[1]);
  EXPECT_TRUE(must(ledger().read(lab.subject, second.position + 1)).entries.empty());
}

TEST_P(LedgerContract, TimesNeverRunBack) {
  LogLab lab;
  const Appended first = start(lab);
  const Entry update = lab.update(1);
  const auto second = std::get<Appended>(must(send(update, lab.time - kDay)));
  if (backend_.writers_clock) {
    EXPECT_EQ(second.time, first.time);
  }
  EXPECT_GE(second.time, first.time);
}

TEST_P(LedgerContract, ARepeatGivesTheFirstPlaceAgain) {
  LogLab lab;
  const Appended first = start(lab);
  const Appended second = post(lab, lab.update(1));
  const auto again = std::get<Appended>(
      must(ledger().append({lab.subject, lab.blobs[0].blob, ""}, lab.time + kDay)));
  EXPECT_EQ(again.position, first.position);
  EXPECT_EQ(again.time, first.time);
  EXPECT_EQ(all().size(), 2U);
  EXPECT_EQ(all()[1].position, second.position);
}

TEST_P(LedgerContract, OfTwoWritersTheSecondHearsOfTheHead) {
  LogLab lab;
  start(lab);
  const Entry mine = lab.update(1);
  const Entry theirs = lab.update(2);
  ASSERT_TRUE(std::holds_alternative<Appended>(must(send(theirs, lab.time))));
  const auto outcome = must(send(mine, lab.time));
  ASSERT_TRUE(std::holds_alternative<StaleHead>(outcome));
  EXPECT_EQ(std::get<StaleHead>(outcome).head, ledger::entry_hash(theirs));
  EXPECT_EQ(all().size(), 2U);
}

TEST_P(LedgerContract, AWrongHeadIsToldEvenWhereTheEntryWouldFit) {
  LogLab lab;
  start(lab);
  const Entry update = lab.update(1);
  const auto outcome = must(
      ledger().append({lab.subject, ledger::entry_blob(update), ledger::blob_hash({})}, lab.time));
  ASSERT_TRUE(std::holds_alternative<StaleHead>(outcome));
  EXPECT_EQ(std::get<StaleHead>(outcome).head, update.prev);
  EXPECT_EQ(all().size(), 1U);
}

TEST_P(LedgerContract, NobodyKeepsARecoverOutByMovingTheHead) {
  LogLab lab;
  start(lab);
  const Entry recover = lab.recover(0);
  post(lab, lab.update(1));
  lab.time += 1s;
  ASSERT_TRUE(std::holds_alternative<Appended>(must(send(recover, lab.time))));
  lab.post(recover);
  const Entry veto = lab.veto();
  post(lab, lab.update(2));
  ASSERT_TRUE(std::holds_alternative<Appended>(must(send(veto, lab.time))));
  EXPECT_EQ(all().size(), 5U);
}

TEST_P(LedgerContract, RefusesJunkAndStoresNothingOfIt) {
  LogLab lab;
  start(lab);
  Entry forged = lab.update(1);
  forged.sigs.front().s.front() ^= 1U;
  EXPECT_EQ(send(forged, lab.time).error(), Errc::invalid_entry);

  const auto append = [&](const std::string& subject, Bytes blob, const std::string& head) {
    return ledger().append({subject, std::move(blob), head}, lab.time);
  };
  const Entry good = lab.update(2);
  const Bytes blob = ledger::entry_blob(good);
  Bytes spaced = blob;
  spaced.push_back(' ');
  LogLab other(Kind::did, {}, 2);
  other.start();
  EXPECT_FALSE(append(lab.subject, crypto::to_bytes("junk"), good.prev).has_value());
  EXPECT_FALSE(append(lab.subject, spaced, good.prev).has_value());
  EXPECT_FALSE(append(other.subject, blob, "").has_value());
  EXPECT_FALSE(append("did:example:other", blob, good.prev).has_value());
  EXPECT_FALSE(append(lab.subject, blob, "not a hash").has_value());
  EXPECT_EQ(append(lab.subject, Bytes(limits::kEntryBytesMax + 1, '{'), good.prev).error(),
            Errc::limit_exceeded);
  EXPECT_EQ(all().size(), 1U);
  EXPECT_TRUE(must(ledger().read(other.subject, 0)).entries.empty());

  // None of it stands in the way of the good one.
  EXPECT_TRUE(std::holds_alternative<Appended>(must(append(lab.subject, blob, good.prev))));
}

TEST_P(LedgerContract, TakesTestLogsOnlyWhereTestsAreRun) {
  LogLab lab;
  lab.start(true);
  const ledger::AppendRequest genesis{lab.subject, lab.blobs[0].blob, ""};
  EXPECT_TRUE(std::holds_alternative<Appended>(must(ledger().append(genesis, lab.time))));
  const Backend real = GetParam().make(false);
  EXPECT_FALSE(real.ledger->append(genesis, lab.time).has_value());
  EXPECT_TRUE(must(real.ledger->follow(0, 10)).entries.empty());
}

TEST_P(LedgerContract, FollowsAllSubjectsInPages) {
  LogLab alice(Kind::did, {}, 1);
  LogLab bob(Kind::policy, {}, 2);
  start(alice);
  start(bob);
  for (std::uint64_t i = 0; i < 4; ++i) {
    post(alice, alice.update(i));
    post(bob, bob.update(i));
  }
  const auto entries = all();
  ASSERT_EQ(entries.size(), 10U);
  for (std::size_t i = 0; i < entries.size(); ++i) {
    EXPECT_EQ(entries[i].subject, i % 2 == 0 ? alice.subject : bob.subject);
    EXPECT_EQ(entries[i].blob, (i % 2 == 0 ? alice : bob).blobs[i / 2].blob);
  }
  const LedgerPage page = must(ledger().follow(0, 1));
  EXPECT_EQ(page.entries.size(), 1U);
  EXPECT_FALSE(page.complete);
  EXPECT_TRUE(must(ledger().follow(entries.back().position + 1, 1)).complete);
}

/// Entries of 15 KiB, together more than one page.
const LogLab& wide_log() {
  static const LogLab log = [] {
    LogLab lab(Kind::did, {}, 3);
    lab.start();
    for (std::uint64_t i = 0; i < 36; ++i) {
      const LogView view = lab.view();
      Json state = LogLab::did_state(lab.subject, std::to_string(i) + std::string(7000, 'x'));
      Entry entry = must(ledger::make_update(view, std::move(state), lab.time));
      lab.post(lab.sign(entry, lab.update_signers(view)));
    }
    return lab;
  }();
  return log;
}

TEST_P(LedgerContract, GivesALongLogInPagesOfBoundedSize) {
  const LogLab& lab = wide_log();
  for (const auto& blob : lab.blobs) {
    const Entry entry = must(ledger::parse_entry(blob.blob));
    ASSERT_TRUE(std::holds_alternative<Appended>(must(send(entry, lab.time))));
  }
  const LedgerPage page = must(ledger().read(lab.subject, 0));
  EXPECT_FALSE(page.complete);
  std::size_t bytes = 0;
  for (const auto& entry : page.entries) bytes += entry.blob.size();
  EXPECT_LE(bytes, limits::kLedgerPageBytesMax);
  const auto entries = must(ledger::read_all(ledger(), lab.subject));
  ASSERT_EQ(entries.size(), lab.blobs.size());
  for (std::size_t i = 0; i < entries.size(); ++i) EXPECT_EQ(entries[i].blob, lab.blobs[i].blob);
}

TEST_P(LedgerContract, SaysWhatItIs) {
  EXPECT_TRUE(ledger::check_descriptor(ledger().descriptor()).has_value());
}

/// Backends that outlive their process.
class ReopenedLedger : public LedgerContract {};

TEST_P(ReopenedLedger, ARestartChangesNothing) {
  LogLab lab;
  start(lab);
  const Appended second = post(lab, lab.update(1));
  const auto before = all();
  const ledger::LedgerDescriptor descriptor = ledger().descriptor();
  backend_.ledger.reset();
  backend_.ledger = backend_.open();
  EXPECT_EQ(all(), before);
  EXPECT_EQ(ledger().descriptor(), descriptor);
  EXPECT_EQ(std::get<Appended>(
                must(ledger().append({lab.subject, lab.blobs[1].blob, ""}, lab.time + kDay)))
                .position,
            second.position);
  EXPECT_GT(post(lab, lab.update(2)).position, second.position);
}

/// Backends that several use at a time.
class SharedLedger : public LedgerContract {};

TEST_P(SharedLedger, ATwinSeesAndContinuesWhatTheOtherWrote) {
  LogLab lab;
  start(lab);
  const auto twin = backend_.open();
  const Entry update = lab.update(1);
  ASSERT_TRUE(std::holds_alternative<Appended>(
      must(twin->append({lab.subject, ledger::entry_blob(update), update.prev}, lab.time))));
  lab.post(update);
  EXPECT_EQ(must(ledger().read(lab.subject, 0)).entries.size(), 2U);
  post(lab, lab.update(2));
  EXPECT_EQ(must(twin->read(lab.subject, 0)).entries.size(), 3U);
}

/// Backends where others write between a writer's reading and its writing, and answers get lost.
class CrowdedLedger : public LedgerContract {};

TEST_P(CrowdedLedger, OfTwoWritersAtOneMomentOneIsTold) {
  LogLab lab;
  start(lab);
  const Entry mine = lab.update(1);
  const Entry theirs = lab.update(2);
  const auto twin = backend_.open();
  backend_.between([&] {
    const auto first =
        must(twin->append({lab.subject, ledger::entry_blob(theirs), theirs.prev}, lab.time));
    EXPECT_TRUE(std::holds_alternative<Appended>(first));
  });
  const auto outcome = must(send(mine, lab.time));
  ASSERT_TRUE(std::holds_alternative<StaleHead>(outcome));
  EXPECT_EQ(std::get<StaleHead>(outcome).head, ledger::entry_hash(theirs));
  EXPECT_EQ(all().size(), backend_.keeps_losers_out ? 2U : 3U);
  lab.post(theirs);
  post(lab, lab.update(3));
}

TEST_P(CrowdedLedger, ARecoverIsNotKeptOutByWritersAtTheSameMoment) {
  LogLab lab;
  start(lab);
  const Entry recover = lab.recover(0);
  const Entry theirs = lab.update(2);
  const auto twin = backend_.open();
  backend_.between([&] {
    must(twin->append({lab.subject, ledger::entry_blob(theirs), theirs.prev}, lab.time));
  });
  lab.time += 1s;
  ASSERT_TRUE(std::holds_alternative<Appended>(must(send(recover, lab.time))));
  EXPECT_EQ(all().size(), 3U);
}

TEST_P(CrowdedLedger, AnAppendWhoseAnswerGetsLostIsDoneOnce) {
  LogLab lab;
  start(lab);
  const Entry update = lab.update(1);
  backend_.lose_answer();
  auto outcome = must(send(update, lab.time));
  if (std::holds_alternative<UnknownOutcome>(outcome)) outcome = must(send(update, lab.time));
  ASSERT_TRUE(std::holds_alternative<Appended>(outcome));
  const auto entries = all();
  ASSERT_EQ(entries.size(), 2U);
  EXPECT_EQ(entries[1].position, std::get<Appended>(outcome).position);
  EXPECT_EQ(entries[1].time, std::get<Appended>(outcome).time);
}

}  // namespace kith::test
