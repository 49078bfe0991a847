#include <gtest/gtest.h>

#include "ledger/log_reader.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using std::chrono::milliseconds;

/// A log with a super-quorum; `hi` is its digest.
struct SuperLab : LogLab {
  explicit SuperLab(ledger::LogKeyShape key_shape = {}) : LogLab(Kind::did, key_shape) {
    LogContent content = first_content();
    content.rec.hi = fresh_recovery().digest;
    start_with(content);
  }
  /// Posts `entry`, and says whether it counted.
  bool counts(const Entry& entry) {
    const std::size_t position = post(entry);
    return !rule_at(view(), position).has_value();
  }
  void pass(std::chrono::milliseconds span) { time += span; }
};

TEST(LogSuperQuorum, RecoversAfterTheDelayAndIsFinal) {
  SuperLab lab;
  ASSERT_TRUE(lab.counts(lab.super_recover(0)));
  EXPECT_TRUE(lab.view().pending->record.super_quorum);
  lab.pass(72h - milliseconds{1});
  EXPECT_EQ(lab.view().n(), 0U);
  lab.pass(milliseconds{1});
  const LogView view = lab.view();
  EXPECT_EQ(view.n(), 1U);
  EXPECT_TRUE(view.head().super_quorum);
  EXPECT_EQ(view.head().contestable_until, view.head().effective_from);
  // Nobody contests it: neither the ordinary set of the fork point nor a second super-quorum.
  EXPECT_EQ(lab.rule_against(lab.recover(0)), Rule::place_taken);
  EXPECT_EQ(lab.rule_against(lab.super_recover(0)), Rule::place_taken);
}

// Guardians collude, or a thief has the passphrase: their recover is pending, or took effect less
// than C ago.
TEST(LogSuperQuorum, BeatsAnOrdinaryRecoverThatIsPending) {
  SuperLab lab;
  const Entry theirs = lab.recover(0);
  ASSERT_TRUE(lab.counts(theirs));
  lab.pass(24h);
  ASSERT_TRUE(lab.counts(lab.super_recover(0)));
  lab.pass(72h);
  const LogView view = lab.view();
  EXPECT_TRUE(view.head().super_quorum);
  ASSERT_EQ(view.replaced.size(), 1U);
  EXPECT_EQ(view.replaced.front().hash, ledger::entry_hash(theirs));
  EXPECT_EQ(lab.rule_against(theirs), Rule::duplicate) << "what was displaced does not come back";
}

TEST(LogSuperQuorum, BeatsAnEffectiveOrdinaryRecoverWithinC) {
  for (const bool in_time : {true, false}) {
    SuperLab lab;
    ASSERT_TRUE(lab.counts(lab.recover(0)));
    lab.pass(72h);
    ASSERT_EQ(lab.view().n(), 1U);
    ASSERT_TRUE(lab.counts(lab.update(7)));  // The thief goes on.
    lab.pass(49 * kDay + (in_time ? milliseconds{0} : milliseconds{1}));
    const Entry ours = lab.super_recover(0);
    EXPECT_EQ(lab.rule_against(ours),
              in_time ? std::nullopt : std::optional<Rule>(Rule::contest_over));
    lab.post(ours);
    lab.pass(72h);
    EXPECT_EQ(lab.view().head().super_quorum, in_time);
    EXPECT_EQ(lab.view().replaced.size(), in_time ? 2U : 0U);
  }
}

TEST(LogSuperQuorum, OrdinaryRecoverNeverDisplacesIt) {
  SuperLab lab;
  const Entry ordinary = lab.recover(0);
  ASSERT_TRUE(lab.counts(lab.super_recover(0)));
  EXPECT_EQ(lab.rule_against(ordinary), Rule::place_taken);
  EXPECT_EQ(lab.rule_against(lab.super_recover(0)), Rule::place_taken) << "the first one counts";
}

// A rotate after the fork point cannot disarm it: the authority is that of the fork point.
TEST(LogSuperQuorum, IsJudgedByTheAuthorityAtItsForkPoint) {
  SuperLab lab;
  const Entry ours = lab.super_recover(0);
  ledger::RecoveryRule theirs = lab.view().current.rec;
  theirs.hi = lab.fresh_recovery().digest;
  ASSERT_TRUE(lab.counts(lab.rotate(theirs)));
  EXPECT_EQ(lab.rule_against(ours), std::nullopt);
  Entry mixed = lab.super_recover(1);
  mixed.sigs.clear();
  mixed.reveal = ours.reveal;
  lab.sign(mixed, ours.reveal->k);
  EXPECT_EQ(lab.rule_against(mixed), Rule::recover) << "the old set has no say after the rotate";
}

TEST(LogSuperQuorum, TheRevealedSetIsReplacedWhereverItStood) {
  SuperLab lab;
  const std::string hi = *lab.view().current.rec.hi;
  for (const bool as_ordinary : {true, false}) {
    Entry entry = lab.super_recover(0);
    entry.sigs.clear();
    (as_ordinary ? entry.content->rec.d : *entry.content->rec.hi) = hi;
    lab.sign(entry, entry.reveal->k);
    EXPECT_EQ(lab.rule_against(entry), Rule::recover);
  }
  Entry ended = lab.super_recover(0);
  ended.sigs.clear();
  ended.content->rec.hi.reset();  // An owner may do without from here on.
  lab.sign(ended, ended.reveal->k);
  EXPECT_EQ(lab.rule_against(ended), std::nullopt);
}

TEST(LogSuperQuorum, ASingleVetoFailsAndTheDoubleOneCancels) {
  SuperLab lab({KeyType::ed25519, 1, 1, 2, 3, 2, 3});
  const LogContent start = lab.view().current;
  const auto next = lab.announced(start.next);
  const ledger::Reveal ordinary = lab.reveals.at(start.rec.d);
  ASSERT_TRUE(lab.counts(lab.super_recover(0)));
  EXPECT_FALSE(ledger::make_veto(lab.view(), lab.time).has_value());
  EXPECT_FALSE(ledger::make_veto(lab.view(), lab.time, lab.reveals.at(*start.rec.hi)).has_value());

  const auto with = [&](std::optional<ledger::Reveal> reveal, std::vector<std::string> signers) {
    Entry veto = must(ledger::make_veto(lab.view(), lab.time, ordinary));
    veto.reveal = std::move(reveal);
    lab.sign(veto, signers);
    return lab.rule_against(veto);
  };
  EXPECT_EQ(with(std::nullopt, {next[0], next[1]}), Rule::veto) << "next keys alone";
  EXPECT_EQ(with(ordinary, {next[0], next[1]}), Rule::veto);
  EXPECT_EQ(with(ordinary, {ordinary.k[0], ordinary.k[1]}), Rule::veto) << "the set alone";
  EXPECT_EQ(with(ordinary, {next[0], ordinary.k[0], ordinary.k[1]}), Rule::veto) << "one next key";
  EXPECT_EQ(with(ordinary, {next[0], next[1], ordinary.k[2]}), Rule::veto) << "one of the set";
  EXPECT_EQ(with(ordinary, {next[0], next[1], ordinary.k[0], ordinary.k[1], start.keys.k[0]}),
            Rule::veto)
      << "an active key has no say";
  EXPECT_EQ(with(lab.reveals.at(*start.rec.hi), {next[0], next[1], ordinary.k[0], ordinary.k[1]}),
            Rule::veto)
      << "another set";
  EXPECT_EQ(with(ordinary, {next[0], next[2], ordinary.k[0], ordinary.k[2]}), std::nullopt);

  ASSERT_TRUE(lab.counts(lab.double_veto()));
  const LogView view = lab.view();
  EXPECT_EQ(view.status, LogStatus::normal);
  EXPECT_EQ(view.vetoed.size(), 1U);
  EXPECT_FALSE(view.back_off_until.has_value());
}

TEST(LogSuperQuorum, AnOrdinaryRecoverIsNotVetoedWithARevealedSet) {
  SuperLab lab;
  ASSERT_TRUE(lab.counts(lab.recover(0)));
  const ledger::Reveal ordinary = lab.reveals.at(lab.view().uncontested_content().rec.d);
  EXPECT_FALSE(ledger::make_veto(lab.view(), lab.time, ordinary).has_value());
  Entry veto = lab.veto();
  veto.sigs.clear();
  veto.reveal = ordinary;
  lab.sign(veto, lab.announced(lab.view().uncontested_content().next));
  EXPECT_EQ(lab.rule_against(veto), Rule::veto);
  EXPECT_EQ(lab.rule_against(lab.veto()), std::nullopt);
}

TEST(LogSuperQuorum, DoesNotRestAfterAVeto) {
  SuperLab lab;
  ASSERT_TRUE(lab.counts(lab.recover(0)));
  ASSERT_TRUE(lab.counts(lab.veto()));
  EXPECT_EQ(lab.rule_against(lab.recover(0)), Rule::back_off);
  ASSERT_TRUE(lab.counts(lab.super_recover(0))) << "an ordinary veto binds rec.d alone";
  ASSERT_TRUE(lab.counts(lab.double_veto()));
  EXPECT_TRUE(lab.counts(lab.super_recover(0)));
}

}  // namespace
}  // namespace kith::test
