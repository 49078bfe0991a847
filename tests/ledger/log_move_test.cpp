// Moves between ledgers: what the histories (history_moves.cpp) do not tell.

#include <gtest/gtest.h>

#include "ledger/log_limits.hpp"
#include "ledger/log_reader.hpp"
#include "ledger/memory_ledger.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using ledger::AppendRequest;
using ledger::MemoryLedger;
using std::chrono::milliseconds;

constexpr const char* kElsewhere = "ledger:elsewhere";

/// On `ledger` for one entry.
std::size_t post_on(LogLab& lab, const std::string& ledger, const Entry& entry) {
  lab.ledger = ledger;
  return lab.post(entry);
}

TEST(LogMove, NamesTheRuleThatItBreaks) {
  LogLab lab;
  lab.ledger = "L1";
  lab.start();
  const Entry good = lab.move("L1", "L2");
  const auto keys = lab.view().current.keys.k;
  const auto changed = [&](auto change) {
    Entry entry = good;
    change(entry);
    entry.sigs.clear();
    lab.sign(entry, keys);
    return lab.rule_against(entry);
  };
  EXPECT_EQ(lab.rule_against(good), std::nullopt);
  EXPECT_EQ(changed([](Entry&) {}), std::nullopt);
  EXPECT_EQ(changed([&](Entry& e) { e.content->next = lab.fresh_next(); }), Rule::move);
  EXPECT_EQ(changed([&](Entry& e) { e.content->state = lab.did_state(lab.subject, "x"); }),
            Rule::move);
  EXPECT_EQ(changed([](Entry& e) { e.from = "L2"; }), Rule::move);
  EXPECT_EQ(changed([](Entry& e) { e.content->ledgers = {"L1"}; }), Rule::move);
  EXPECT_EQ(changed([](Entry& e) { e.content->ledgers.clear(); }), Rule::move);
  EXPECT_EQ(changed([](Entry& e) { e.prev = ledger::key_digest("x"); }), Rule::chain);
  EXPECT_EQ(changed([](Entry& e) { e.n = 2; }), Rule::chain);
  Entry forged = good;
  forged.sigs.front().s[3] ^= 1;
  EXPECT_EQ(lab.rule_against(forged), Rule::signatures);
  lab.ledger = "L2";
  EXPECT_EQ(lab.rule_against(good), Rule::move) << "not anchored on the ledger that it leaves";
}

TEST(LogMove, WriterRefusesWhatReadersWould) {
  LogLab lab;
  const LogView view = lab.start();
  const auto error = [&](std::string from, std::vector<std::string> to) {
    const auto made = ledger::make_move(view, std::move(from), std::move(to), lab.time);
    return made.has_value() ? std::optional<Errc>() : made.error().code;
  };
  EXPECT_EQ(error("L1", {"L2"}), std::nullopt);
  EXPECT_EQ(error("L2", {"L3"}), Errc::refused);
  EXPECT_EQ(error("L1", {}), Errc::refused);
  EXPECT_EQ(error("L1", {"L2", "L1"}), Errc::refused);
  lab.post(lab.deactivate());
  EXPECT_EQ(ledger::make_move(lab.view(), "L1", {"L2"}, lab.time).error().code, Errc::wrong_state);
}

TEST(LogMove, StaysOpenUntilCHasRun) {
  LogLab lab;
  lab.ledger = "L1";
  lab.start();
  EXPECT_EQ(lab.view().open_move(lab.time), nullptr);
  lab.post(lab.move("L1", "L2"));
  const AnchorTime until = lab.time + ledger::kContestDefault;
  const LogView view = lab.view();
  EXPECT_EQ(view.head().contestable_until, until);
  ASSERT_NE(view.open_move(until), nullptr);
  EXPECT_EQ(view.open_move(until)->hash, view.head().hash);
  EXPECT_EQ(view.open_move(until + milliseconds{1}), nullptr);
}

TEST(LogMove, PendingRecoversOfBothLedgersAreToldApart) {
  LogLab lab;
  lab.ledger = "L1";
  lab.start();
  lab.post(lab.move("L1", "L2"));
  const Entry ours = lab.recover(0);
  const Entry later = lab.recover(1);
  post_on(lab, "L2", later);
  EXPECT_EQ(lab.view().pending->record.hash, ledger::entry_hash(later));
  post_on(lab, "L1", ours);
  const LogView both = lab.view();
  EXPECT_EQ(both.pending->record.hash, ledger::entry_hash(ours)) << "the old ledger decides";
  EXPECT_EQ(both.status, LogStatus::contested);
  EXPECT_EQ(both.uncontested, 0U);
  lab.time += 72h;
  const LogView after = lab.view();
  EXPECT_EQ(after.head().hash, ledger::entry_hash(ours));
  EXPECT_EQ(after.n(), 1U);
}

TEST(LogMove, CandidatesAreJudgedOnTheLedgerThatIsNamed) {
  LogLab lab;
  lab.ledger = "L1";
  lab.start();
  lab.post(lab.move("L1", "L2"));
  const Bytes update = ledger::entry_blob(lab.update(1));
  const auto on = [&](const char* ledger) {
    return ledger::read_with(lab.subject, lab.blobs, update, {lab.time, true, ledger, false});
  };
  ASSERT_TRUE(on("L2").has_value());
  EXPECT_EQ(on("L2")->n(), 2U);
  for (const char* other : {"L1", "L3"}) {
    ASSERT_FALSE(on(other).has_value()) << other;
    EXPECT_EQ(on(other).error().code, Errc::invalid_entry);
  }
}

TEST(LogMove, ALogThatWanders) {
  LogLab lab;
  lab.ledger = "L0";
  lab.start_with([&] {
    LogContent content = lab.first_content();
    content.ledgers = {"L0"};
    return content;
  }());
  for (std::size_t i = 0; i < ledger::log_limits::kMovesMax; ++i) {
    const std::string here = "L" + std::to_string(i);
    post_on(lab, here, lab.move(here, "L" + std::to_string(i + 1)));
  }
  const std::string last = "L" + std::to_string(ledger::log_limits::kMovesMax);
  lab.ledger = last;
  EXPECT_EQ(lab.rule_against(lab.move(last, "L99")), Rule::too_many);
  EXPECT_EQ(lab.rule_against(lab.update(1)), std::nullopt);
}

/// A log that comes from elsewhere, and the ledger that it comes to.
struct MovedIn : ::testing::Test {
  MovedIn() : there(ledger_descriptor(), true), id(ledger::ledger_id(ledger_descriptor())) {
    lab.ledger = kElsewhere;
    LogContent content = lab.first_content();
    content.ledgers = {kElsewhere};
    lab.start_with(content);
  }
  Result<ledger::AppendOutcome> put(const Bytes& blob) {
    const Entry entry = must(ledger::parse_entry(blob));
    return there.append({lab.subject, blob, entry.prev}, lab.time);
  }
  bool takes(const Entry& entry) {
    const auto outcome = put(ledger::entry_blob(entry));
    return outcome.has_value() && std::holds_alternative<ledger::Appended>(*outcome);
  }
  /// All that counts so far.
  void copy() {
    for (const auto& record : lab.view().history) EXPECT_TRUE(takes(*record.entry));
  }

  LogLab lab;
  MemoryLedger there;
  std::string id;
};

TEST_F(MovedIn, AHostTakesCopiesAndGoesOn) {
  lab.post(lab.update(1));
  lab.post(lab.recover(0));
  lab.time += 72h;
  lab.post(lab.update(2));
  lab.post(lab.rotate());
  lab.post(lab.move(kElsewhere, id));
  copy();
  lab.ledger = id;
  const Entry next = lab.update(3);
  EXPECT_TRUE(takes(next));
  Entry forged = lab.update(4);
  forged.sigs.front().s[0] ^= 1;
  EXPECT_FALSE(takes(forged));
}

TEST_F(MovedIn, AHostTakesNoMoveToAnotherLedger) {
  copy();
  EXPECT_FALSE(takes(lab.move(kElsewhere, "L9")));
  EXPECT_TRUE(takes(lab.move(kElsewhere, id)));
}

TEST_F(MovedIn, ARecoverThatComesByItselfStillWaits) {
  copy();
  const Entry recover = lab.recover_to(0, id);
  EXPECT_TRUE(takes(recover));
  lab.post(recover);
  lab.blobs.back().ledger = id;
  lab.time += 72h;
  lab.ledger = id;
  const Entry next = lab.update(1);
  lab.time -= milliseconds{1};
  EXPECT_FALSE(takes(next)) << "D has not run";
  lab.time += milliseconds{1};
  EXPECT_TRUE(takes(next));
}

TEST_F(MovedIn, WhatIsOlderThanTheMoveIsNotRecoveredThere) {
  const Entry recover = lab.recover(0);
  lab.post(lab.move(kElsewhere, id));
  copy();
  EXPECT_FALSE(takes(recover));
}

TEST_F(MovedIn, WithoutItsOldLedgerItIsReadOnAskingOnly) {
  lab.post(lab.move(kElsewhere, id));
  lab.ledger = id;
  lab.post(lab.update(1));
  auto blobs = lab.blobs;
  for (auto& blob : blobs) blob.ledger = id;
  const LogView strict = must(ledger::read_log(lab.subject, blobs, {lab.time, true}));
  EXPECT_EQ(strict.n(), 0U);
  EXPECT_FALSE(strict.unconfirmed_move);
  EXPECT_TRUE(strict.key_changes_acceptable());
  const LogView view = must(ledger::read_log(lab.subject, blobs, {lab.time, true, id, true}));
  EXPECT_EQ(view.n(), 2U);
  EXPECT_TRUE(view.unconfirmed_move);
  EXPECT_FALSE(view.key_changes_acceptable());
  const LogView told = lab.view();
  EXPECT_FALSE(told.unconfirmed_move) << "both ledgers were read";
}

TEST(LogMove, AHostThatWasLeftTakesOnlyWhatEndsTheMove) {
  LogLab lab;
  MemoryLedger here(ledger_descriptor(), true);
  const std::string id = ledger::ledger_id(ledger_descriptor());
  lab.ledger = id;
  LogContent content = lab.first_content();
  content.ledgers = {id};
  lab.start_with(content);
  lab.post(lab.move(id, "L2"));
  const auto takes = [&](const Entry& entry) {
    const AppendRequest request{lab.subject, ledger::entry_blob(entry), entry.prev};
    const auto outcome = here.append(request, lab.time);
    return outcome.has_value() && std::holds_alternative<ledger::Appended>(*outcome);
  };
  for (const auto& record : lab.view().history) EXPECT_TRUE(takes(*record.entry));
  EXPECT_FALSE(takes(lab.update(1)));
  EXPECT_FALSE(takes(lab.rotate()));
  EXPECT_FALSE(takes(lab.recover(1)));
  const Entry recover = lab.recover(0);
  EXPECT_TRUE(takes(recover));
  lab.post(recover);
  EXPECT_TRUE(takes(lab.veto()));
}

}  // namespace
}  // namespace kith::test
