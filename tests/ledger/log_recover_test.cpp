#include <gtest/gtest.h>

#include "ledger/log_reader.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using std::chrono::milliseconds;

TEST(LogRecover, TakesEffectExactlyAfterItsDelay) {
  LogLab lab;
  lab.start();
  lab.post(lab.recover(0));
  const AnchorTime anchored = lab.time;
  lab.time = anchored + 72h - milliseconds{1};
  LogView view = lab.view();
  EXPECT_EQ(view.status, LogStatus::pending_recover);
  EXPECT_EQ(view.n(), 0U);
  ASSERT_TRUE(view.pending.has_value());
  EXPECT_EQ(view.pending->record.effective_from, anchored + 72h);
  EXPECT_FALSE(view.key_changes_acceptable());
  lab.time = anchored + 72h;
  view = lab.view();
  EXPECT_EQ(view.status, LogStatus::normal);
  EXPECT_EQ(view.n(), 1U);
  EXPECT_EQ(view.head().entry->op, Op::recover);
  EXPECT_TRUE(view.key_changes_acceptable());
}

TEST(LogRecover, VetoCountsUntilTheLastMoment) {
  for (const bool in_time : {true, false}) {
    LogLab lab;
    lab.start();
    lab.post(lab.recover(0));
    const Entry veto = lab.veto();
    lab.time += in_time ? 72h - milliseconds{1} : milliseconds{72h};
    const std::size_t position = lab.post(veto);
    const LogView view = lab.view();
    EXPECT_EQ(view.n(), in_time ? 0U : 1U);
    EXPECT_EQ(LogLab::rule_at(view, position),
              in_time ? std::nullopt : std::optional<Rule>(Rule::veto));
  }
}

TEST(LogRecover, VetoNeedsNextKeysAndTheirThreshold) {
  LogLab lab(Kind::did, {KeyType::ed25519, 1, 1, 2, 3, 1, 1});
  const LogView start = lab.start();
  lab.post(lab.recover(0));
  const auto with = [&](const std::vector<std::string>& signers) {
    Entry veto = must(ledger::make_veto(lab.view(), lab.time));
    lab.sign(veto, signers);
    return lab.rule_against(veto);
  };
  const auto next = lab.announced(start.current.next);
  EXPECT_EQ(with({next[0], next[2]}), std::nullopt);
  EXPECT_EQ(with({next[0]}), Rule::veto) << "too few";
  EXPECT_EQ(with({}), Rule::veto);
  EXPECT_EQ(with(start.current.keys.k), Rule::veto) << "a thief holds only the active keys";
  EXPECT_EQ(with({next[0], start.current.keys.k[0]}), Rule::veto);
  EXPECT_EQ(with(lab.reveals.at(start.current.rec.d).k), Rule::veto);
  Entry twice = must(ledger::make_veto(lab.view(), lab.time));
  lab.sign(twice, {next[0]});
  twice.sigs.push_back(twice.sigs[0]);
  EXPECT_EQ(lab.rule_against(twice), Rule::signatures);
}

TEST(LogRecover, VetoNamesThePendingRecover) {
  LogLab lab;
  lab.start();
  const auto next = lab.announced(lab.view().current.next);
  lab.post(lab.recover(0));
  const Entry good = lab.veto();
  const auto changed = [&](auto change) {
    Entry veto = good;
    change(veto);
    veto.sigs.clear();
    lab.sign(veto, next);
    return lab.rule_against(veto);
  };
  EXPECT_EQ(changed([](Entry&) {}), std::nullopt);
  EXPECT_EQ(changed([](Entry& e) { e.n += 1; }), Rule::chain);
  EXPECT_EQ(changed([&](Entry& e) { e.prev = lab.view().head().hash; }), Rule::chain);
  EXPECT_EQ(changed([&](Entry& e) { e.ref = lab.view().head().hash; }), Rule::veto);
  EXPECT_EQ(changed([&](Entry& e) { e.reveal = lab.reveals.begin()->second; }), Rule::veto);
}

TEST(LogRecover, VetoIsJudgedAtTheForkPointEvenAfterARotate) {
  LogLab lab;
  const LogView start = lab.start();
  const auto next_at_fork = lab.announced(start.current.next);
  lab.post(lab.recover(0));
  lab.post(lab.rotate());
  const LogView view = lab.view();
  EXPECT_EQ(view.status, LogStatus::contested);
  const auto with = [&](const std::vector<std::string>& signers) {
    Entry veto = must(ledger::make_veto(view, lab.time));
    lab.sign(veto, signers);
    return lab.rule_against(veto);
  };
  EXPECT_EQ(with(lab.announced(view.current.next)), Rule::veto);
  EXPECT_EQ(with(next_at_fork), std::nullopt);
}

TEST(LogRecover, BacksOffForFourteenDaysAfterAVeto) {
  LogLab lab;
  lab.start();
  const Entry first = lab.recover(0);
  lab.post(first);
  lab.time += 1h;
  lab.post(lab.veto());
  const AnchorTime vetoed = lab.time;
  const Entry second = lab.recover(0);
  lab.time = vetoed + 14 * kDay - milliseconds{1};
  EXPECT_EQ(lab.rule_against(second), Rule::back_off);
  lab.time = vetoed + 14 * kDay;
  EXPECT_EQ(lab.rule_against(second), std::nullopt);
  EXPECT_EQ(lab.rule_against(first), Rule::duplicate) << "the vetoed one cannot come back";
}

TEST(LogRecover, TheFirstAnchoredHoldsThePlace) {
  LogLab lab;
  lab.start();
  const Entry first = lab.recover(0);
  const Entry second = lab.recover(0);
  lab.post(first);
  EXPECT_EQ(lab.rule_against(second), Rule::place_taken);
  lab.time += 72h;
  EXPECT_EQ(lab.rule_against(second), Rule::place_taken) << "it took effect";
  EXPECT_EQ(lab.view().head().hash, ledger::entry_hash(first));
  // The next one, from the new head, has a place again.
  EXPECT_EQ(lab.rule_against(lab.recover(1)), std::nullopt);
}

TEST(LogRecover, ReplacesWhatAThiefAppendedBeforeAndWhilePending) {
  LogLab lab;
  lab.start();
  lab.post(lab.update(1));
  const std::string trusted = lab.view().head().hash;
  lab.post(lab.update(2));
  lab.time += 400 * kDay;  // updates never bar
  lab.post(lab.recover(1));
  lab.time += 1h;
  lab.post(lab.update(3));
  lab.post(lab.deactivate());
  const LogView pending = lab.view();
  EXPECT_EQ(pending.status, LogStatus::contested);
  EXPECT_EQ(pending.n(), 4U);
  EXPECT_EQ(pending.uncontested_record().hash, trusted);
  lab.time += 72h;
  const LogView after = lab.view();
  EXPECT_EQ(after.status, LogStatus::normal);
  EXPECT_EQ(after.n(), 2U);
  EXPECT_EQ(after.history[1].hash, trusted);
  EXPECT_EQ(after.replaced.size(), 3U);
  EXPECT_EQ(after.junk_count, 0U);
}

TEST(LogRecover, ARotateOlderThanTheContestWindowBars) {
  for (const bool in_time : {true, false}) {
    LogLab lab;
    lab.start();
    const Entry recover = lab.recover(0);
    lab.post(lab.rotate());
    const AnchorTime rotated = lab.time;
    EXPECT_EQ(lab.view().head().contestable_until, rotated + 49 * kDay);
    lab.time = rotated + 49 * kDay + milliseconds{in_time ? 0 : 1};
    EXPECT_EQ(lab.rule_against(recover),
              in_time ? std::nullopt : std::optional<Rule>(Rule::contest_over));
  }
}

TEST(LogRecover, ADeactivateOlderThanTheContestWindowBars) {
  LogLab lab;
  lab.start();
  const Entry recover = lab.recover(0);
  lab.post(lab.deactivate());
  lab.time += 49 * kDay;
  EXPECT_EQ(lab.rule_against(recover), std::nullopt);
  lab.time += milliseconds{1};
  EXPECT_EQ(lab.rule_against(recover), Rule::contest_over);
}

TEST(LogRecover, IsJudgedByTheAuthorityAtItsForkPoint) {
  LogLab lab;
  const LogView start = lab.start();
  // Whoever rotates takes the recovery authority along, but only from there on.
  const auto thief = lab.fresh_keys();
  lab.post(lab.rotate(ledger::RecoveryRule{thief.recovery.digest, {}, 72h, 49 * kDay}));
  EXPECT_EQ(lab.rule_against(lab.recover(0)), std::nullopt);
  EXPECT_EQ(lab.rule_against(lab.recover(1)), std::nullopt) << "the new one, from there on";
  Entry mixed = lab.recover_unsigned(0);
  mixed.reveal = thief.recovery.reveal;
  mixed.sigs.clear();
  lab.sign(mixed, thief.recovery.reveal.k);
  EXPECT_EQ(lab.rule_against(mixed), Rule::recover);
}

TEST(LogRecover, NeedsTheRevealedQuorumAndANewAuthority) {
  LogLab lab(Kind::did, {KeyType::ed25519, 1, 1, 1, 1, 2, 3});
  const LogView start = lab.start();
  const ledger::Reveal reveal = lab.reveals.at(start.current.rec.d);
  const Entry good = lab.recover_unsigned(0);
  const auto with = [&](Entry entry, const std::vector<std::string>& signers) {
    entry.sigs.clear();
    lab.sign(entry, signers);
    return lab.rule_against(entry);
  };
  EXPECT_EQ(with(good, {reveal.k[1], reveal.k[2]}), std::nullopt);
  EXPECT_EQ(with(good, {reveal.k[1]}), Rule::recover);
  EXPECT_EQ(with(good, {reveal.k[1], start.current.keys.k[0]}), Rule::recover);
  Entry lower = good;
  lower.reveal->t = 1;
  EXPECT_EQ(with(lower, {reveal.k[1]}), Rule::recover) << "the threshold is in the digest";
  Entry salted = good;
  salted.reveal->salt = crypto::multibase(lab.random.bytes(32));
  EXPECT_EQ(with(salted, {reveal.k[0], reveal.k[1]}), Rule::recover);
  Entry same = good;
  same.content->rec.d = start.current.rec.d;
  EXPECT_EQ(with(same, {reveal.k[0], reveal.k[1]}), Rule::recover);
  Entry shortened = good;
  shortened.content->rec.contest = 1h;
  EXPECT_EQ(with(shortened, {reveal.k[0], reveal.k[1]}), Rule::recover);
  Entry linked = good;
  linked.n = 2;
  EXPECT_EQ(with(linked, {reveal.k[0], reveal.k[1]}), Rule::chain);
}

TEST(LogRecover, ForksOnlyFromEntriesThatCount) {
  LogLab lab;
  lab.start();
  lab.post(lab.update(1));
  Entry replaced = lab.recover(1);
  lab.post(lab.recover(0));
  lab.time += 72h;
  EXPECT_EQ(lab.rule_against(replaced), Rule::chain) << "its fork point was replaced";
  LogLab ended;
  ended.start();
  ended.post(ended.deactivate());
  Entry late = ended.recover(0);
  late.n = 2;
  late.prev = ended.view().head().hash;
  late.sigs.clear();
  ended.sign(late, late.reveal->k);
  EXPECT_EQ(ended.rule_against(late), Rule::recover);
}

TEST(LogRecover, ShrunkWindowsWaitUntilTheOldOnesHaveRun) {
  LogLab lab;
  LogContent content = lab.first_content();
  content.rec.delay = 240h;
  content.rec.contest = 100 * kDay;
  lab.start_with(content);
  ledger::RecoveryRule rec = content.rec;
  rec.delay = 24h;
  rec.contest = 30 * kDay;
  lab.post(lab.rotate(rec));
  const AnchorTime shrunk = lab.time;
  const auto delay_of = [&] {
    lab.post(lab.recover(1));
    const auto delay = lab.view().pending->record.effective_from - lab.time;
    lab.blobs.pop_back();
    return delay;
  };
  lab.time = shrunk + 240h - milliseconds{1};
  EXPECT_EQ(delay_of(), milliseconds{240h});
  EXPECT_EQ(lab.view().delay_in_force, std::chrono::seconds{240h});
  lab.time = shrunk + 240h;
  EXPECT_EQ(delay_of(), milliseconds{24h});
  EXPECT_EQ(lab.view().contest_in_force, 100 * kDay);
  lab.time = shrunk + 100 * kDay;
  EXPECT_EQ(lab.view().contest_in_force, 30 * kDay);
}

TEST(LogRecover, WindowsAreThoseBeforeTheContestedEntry) {
  LogLab lab;
  const LogView start = lab.start();
  ledger::RecoveryRule rec = start.current.rec;
  rec.delay = 200h;
  rec.contest = 400 * kDay;
  const Entry from_old = lab.recover(0);
  lab.post(lab.rotate(rec));
  EXPECT_EQ(lab.view().head().contestable_until, lab.time + 49 * kDay);
  lab.post(from_old);
  EXPECT_EQ(lab.view().pending->record.effective_from, lab.time + 72h);
}

TEST(LogRecover, TestLogsMayUseNoDelayAtAll) {
  LogLab lab;
  LogContent content = lab.first_content();
  content.rec.delay = 0s;
  content.rec.contest = 0s;
  lab.start_with(content, true);
  lab.post(lab.recover(0));
  EXPECT_EQ(lab.view().n(), 1U);
  EXPECT_EQ(lab.view().status, LogStatus::normal);
}

TEST(LogRecover, MicrologsUseTheReceiversTimes) {
  LogLab lab(Kind::pair);
  lab.start();
  lab.post(lab.recover(0));
  std::vector<ledger::AnchoredBlob> later = lab.blobs;
  later.back().time += 24h;
  const ledger::ReaderOptions at{lab.time + 72h, false};
  EXPECT_EQ(must(ledger::read_log(lab.subject, lab.blobs, at)).n(), 1U);
  EXPECT_EQ(must(ledger::read_log(lab.subject, later, at)).n(), 0U);
}

}  // namespace
}  // namespace kith::test
