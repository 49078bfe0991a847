#include "ledger/log_reader.hpp"

#include <gtest/gtest.h>

#include <limits>

#include "crypto/limits.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

const std::vector<Kind> kKinds = {Kind::did, Kind::policy, Kind::pair};

TEST(LogReader, FollowsEveryOperationInEveryKind) {
  for (const Kind kind : kKinds) {
    for (const KeyType type : {KeyType::ed25519, KeyType::secp256k1}) {
      LogLab lab(kind, {type, 2, 3, 2, 3, 2, 3});
      lab.start();
      lab.post(lab.update(1));
      lab.post(lab.rotate());
      lab.post(lab.update(2));
      const LogView before = lab.view();
      EXPECT_EQ(before.n(), 3U);
      EXPECT_EQ(before.status, LogStatus::normal);
      lab.post(lab.recover(3));
      EXPECT_EQ(lab.view().status, LogStatus::pending_recover);
      lab.time += 72h;
      EXPECT_EQ(lab.view().status, LogStatus::normal);
      EXPECT_EQ(lab.view().n(), 4U);
      lab.post(lab.update(3));
      lab.post(lab.deactivate());
      const LogView end = lab.view();
      EXPECT_EQ(end.status, LogStatus::deactivated);
      EXPECT_EQ(end.n(), 6U);
      EXPECT_EQ(end.junk_count, 0U);
      EXPECT_EQ(end.kind, kind);
    }
  }
}

TEST(LogReader, VetoLeavesTheLogAsItWas) {
  for (const Kind kind : kKinds) {
    LogLab lab(kind, {KeyType::ed25519, 1, 1, 2, 3, 1, 1});
    lab.start();
    lab.post(lab.recover(0));
    lab.post(lab.veto());
    const LogView view = lab.view();
    EXPECT_EQ(view.status, LogStatus::normal);
    EXPECT_EQ(view.n(), 0U);
    EXPECT_EQ(view.vetoed.size(), 1U);
    EXPECT_EQ(view.junk_count, 0U);
    lab.post(lab.update(1));
    EXPECT_EQ(lab.view().n(), 1U) << "later entries ignore the veto";
  }
}

TEST(LogReader, NeedsAGenesisOfItsSubject) {
  LogLab lab;
  lab.start();
  const std::vector<ledger::AnchoredBlob> good = lab.blobs;
  const std::string subject = lab.subject;
  lab.blobs.clear();
  EXPECT_EQ(lab.try_view().error().code, Errc::not_found);
  LogLab other(Kind::did, {}, 2);
  other.start();
  lab.blobs = other.blobs;
  EXPECT_EQ(lab.try_view().error().code, Errc::not_found);
  lab.blobs.push_back(good.front());
  EXPECT_EQ(LogLab::rule_at(lab.view(), 0), Rule::chain) << "junk before the genesis is skipped";
}

TEST(LogReader, RefusesAGenesisThatIsNotItsScid) {
  LogLab lab;
  LogContent content = lab.first_content();
  Entry entry = lab.genesis(content);
  lab.subject = entry.id;
  entry.time = "2026-01-01T00:00:00Z";
  entry.sigs.clear();
  lab.sign(entry, entry.content->keys.k);
  lab.post(entry);
  EXPECT_EQ(lab.try_view().error().code, Errc::not_found);
}

TEST(LogReader, RefusesAPlaceholderLeftInGenesis) {
  LogLab lab;
  LogContent content = lab.first_content();
  content.state.as_object()["note"] = "{SCID}";
  Entry entry = lab.genesis(content);
  lab.subject = entry.id;
  // The same SCID, but another document: only one of the two may count.
  Entry twin = entry;
  twin.content->state.as_object()["note"] = "{SCID}";
  twin.sigs.clear();
  lab.sign(twin, twin.content->keys.k);
  ASSERT_EQ(ledger::compute_scid(twin), ledger::compute_scid(entry));
  lab.post(twin);
  EXPECT_EQ(lab.try_view().error().code, Errc::not_found);
  lab.post(entry);
  EXPECT_EQ(LogLab::rule_at(lab.view(), 0), Rule::genesis);
}

TEST(LogReader, RefusesTestLogsOutsideTestMode) {
  LogLab lab;
  lab.start(true);
  EXPECT_TRUE(lab.view().test);
  const auto outside = lab.try_view(false);
  ASSERT_FALSE(outside.has_value());
  EXPECT_EQ(outside.error().code, Errc::refused);
}

TEST(LogReader, AllowsShortWindowsOnlyInTestLogs) {
  struct Case {
    std::chrono::seconds delay;
    std::chrono::seconds contest;
    bool fine;
  };
  const Case cases[] = {{0s, 49 * kDay, false},
                        {72h, 0s, false},
                        {72h, 27 * kDay - 1s, false},
                        {72h, 27 * kDay, true}};
  for (const Case& c : cases) {
    LogLab lab;
    LogContent content = lab.first_content();
    content.rec.delay = c.delay;
    content.rec.contest = c.contest;
    const Entry entry = lab.genesis(content);
    lab.subject = entry.id;
    lab.post(entry);
    EXPECT_EQ(lab.try_view(false).has_value(), c.fine);
    LogLab test_lab;
    LogContent short_content = test_lab.first_content();
    short_content.rec.delay = c.delay;
    short_content.rec.contest = c.contest;
    test_lab.start_with(short_content, true);
    EXPECT_EQ(test_lab.view().n(), 0U);
  }
}

TEST(LogReader, GenesisNeedsItsQuorumAndFreshNextKeys) {
  LogLab lab(Kind::did, {KeyType::ed25519, 2, 3, 1, 1, 1, 1});
  LogContent content = lab.first_content();
  Entry entry = must(ledger::make_genesis(Kind::did, content, false, lab.time));
  lab.subject = entry.id;
  lab.sign(entry, {content.keys.k[0]});
  lab.post(entry);
  EXPECT_EQ(lab.try_view().error().code, Errc::not_found);
  lab.sign(entry, {content.keys.k[1]});
  lab.post(entry);
  EXPECT_EQ(LogLab::rule_at(lab.view(), 0), Rule::genesis);

  LogLab stale;
  LogContent known = stale.first_content();
  known.next.kd = {ledger::key_digest(known.keys.k[0])};
  const Entry bad = stale.genesis(known);
  stale.subject = bad.id;
  stale.post(bad);
  EXPECT_EQ(stale.try_view().error().code, Errc::not_found);
}

TEST(LogReader, UpdateMayChangeTheStateAlone) {
  LogLab lab;
  lab.start();
  const LogView view = lab.view();
  const auto refused = [&](auto change) {
    Entry entry = must(ledger::make_update(view, lab.next_state(view, 1), lab.time));
    change(*entry.content);
    lab.sign(entry, view.current.keys.k);
    return lab.rule_against(entry);
  };
  EXPECT_EQ(refused([](LogContent&) {}), std::nullopt);
  EXPECT_EQ(refused([&](LogContent& c) { c.next = lab.fresh_next(); }), Rule::update);
  EXPECT_EQ(refused([&](LogContent& c) { c.rec.contest += 1s; }), Rule::update);
  EXPECT_EQ(refused([&](LogContent& c) { c.ledgers = {"L2"}; }), Rule::update);
  EXPECT_EQ(refused([&](LogContent& c) {
              c.keys.k.push_back(crypto::multikey(lab.fresh(KeyPurpose::log_active).public_key));
            }),
            Rule::update);
  EXPECT_EQ(refused([&](LogContent& c) { c.state = LogLab::did_state("did:kith:other", "x"); }),
            Rule::state);
}

TEST(LogReader, UpdateNeedsTheActiveQuorum) {
  LogLab lab(Kind::did, {KeyType::ed25519, 2, 3, 1, 1, 1, 1});
  lab.start();
  const LogView view = lab.view();
  const auto with = [&](const std::vector<std::string>& signers) {
    Entry entry = must(ledger::make_update(view, lab.next_state(view, 1), lab.time));
    lab.sign(entry, signers);
    return lab.rule_against(entry);
  };
  const auto& k = view.current.keys.k;
  EXPECT_EQ(with({k[0], k[2]}), std::nullopt);
  EXPECT_EQ(with({k[0], k[1], k[2]}), std::nullopt);
  EXPECT_EQ(with({k[1]}), Rule::update);
  EXPECT_EQ(with({}), Rule::update);
  const std::string stranger = crypto::multikey(lab.fresh(KeyPurpose::log_active).public_key);
  EXPECT_EQ(with({k[0], k[1], stranger}), Rule::update);
  const std::string next = lab.announced(view.current.next).front();
  EXPECT_EQ(with({k[0], next}), Rule::update);
}

TEST(LogReader, RefusesOneSignerTwice) {
  LogLab lab(Kind::did, {KeyType::ed25519, 2, 2, 1, 1, 1, 1});
  lab.start();
  const LogView view = lab.view();
  Entry entry = must(ledger::make_update(view, lab.next_state(view, 1), lab.time));
  lab.sign(entry, {view.current.keys.k[0]});
  entry.sigs.push_back(entry.sigs.front());
  EXPECT_EQ(lab.rule_against(entry), Rule::signatures);
}

TEST(LogReader, RotateNeedsAnnouncedKeysAndTheLargerThreshold) {
  LogLab lab(Kind::did, {KeyType::ed25519, 1, 1, 2, 3, 1, 1});
  lab.start();
  Entry good = lab.rotate_unsigned();
  const auto k = good.content->keys.k;
  const auto with = [&](Entry entry, const std::vector<std::string>& signers) {
    entry.sigs.clear();
    lab.sign(entry, signers);
    return lab.rule_against(entry);
  };
  EXPECT_EQ(with(good, {k[0], k[1]}), std::nullopt);
  EXPECT_EQ(with(good, {k[0]}), Rule::rotate);
  EXPECT_EQ(with(good, lab.view().current.keys.k), Rule::rotate) << "the old key has no say";
  Entry three = good;
  three.content->keys.t = 3;
  EXPECT_EQ(with(three, {k[0], k[1]}), Rule::rotate) << "the new threshold is larger";
  EXPECT_EQ(with(three, k), std::nullopt);
  Entry low = good;
  low.content->keys.t = 1;
  EXPECT_EQ(with(low, {k[0]}), Rule::rotate) << "the announced threshold is larger";
  Entry stranger = good;
  stranger.content->keys.k[2] = crypto::multikey(lab.fresh(KeyPurpose::log_active).public_key);
  EXPECT_EQ(with(stranger, {k[0], k[1]}), Rule::rotate) << "not announced";
  Entry stale = good;
  stale.content->next.kd[0] = ledger::key_digest(k[0]);
  EXPECT_EQ(with(stale, {k[0], k[1]}), Rule::rotate) << "next keys must be unknown";
  Entry moved = good;
  moved.content->ledgers = {"L2"};
  EXPECT_EQ(with(moved, {k[0], k[1]}), Rule::rotate);
}

TEST(LogReader, DeactivateEndsTheLog) {
  LogLab lab;
  lab.start();
  const Entry late = lab.update(1);
  const Entry end = lab.deactivate();
  Entry forged = end;
  forged.sigs.clear();
  lab.sign(forged, lab.announced(lab.view().current.next));
  EXPECT_EQ(lab.rule_against(forged), Rule::deactivate);
  lab.post(end);
  const LogView view = lab.view();
  EXPECT_EQ(view.status, LogStatus::deactivated);
  EXPECT_FALSE(ledger::make_update(view, lab.next_state(view, 2), lab.time).has_value());
  Entry after = late;
  after.n = 2;
  after.prev = view.head().hash;
  after.sigs.clear();
  lab.sign(after, view.current.keys.k);
  EXPECT_EQ(lab.rule_against(after), Rule::deactivate);
}

TEST(LogReader, KeepsTheChainAgainstWrongLinksOrderAndCopies) {
  LogLab lab;
  lab.start();
  lab.post(lab.update(1));
  const Entry second = lab.update(2);
  lab.post(second);
  const Entry third = lab.update(3);
  lab.post(third);
  const std::string head = lab.view().head().hash;
  const std::vector<ledger::AnchoredBlob> good = lab.blobs;

  std::swap(lab.blobs[2], lab.blobs[3]);
  EXPECT_EQ(lab.view().n(), 2U) << "reordered: the third came too early";
  lab.blobs = good;
  lab.blobs.erase(lab.blobs.begin() + 1);
  EXPECT_EQ(lab.view().n(), 0U) << "dropped";
  EXPECT_EQ(lab.view().junk_count, 2U);
  lab.blobs = good;
  lab.blobs.push_back(good[2]);
  EXPECT_EQ(LogLab::rule_at(lab.view(), 4), Rule::duplicate);
  EXPECT_EQ(lab.view().head().hash, head);
  lab.blobs = good;
  Entry wrong = lab.update(4);
  wrong.prev = second.prev;
  wrong.sigs.clear();
  lab.sign(wrong, lab.view().current.keys.k);
  EXPECT_EQ(lab.rule_against(wrong), Rule::chain);
  wrong = lab.update(4);
  wrong.n += 1;
  wrong.sigs.clear();
  lab.sign(wrong, lab.view().current.keys.k);
  EXPECT_EQ(lab.rule_against(wrong), Rule::chain);
}

TEST(LogReader, ABrokenCopyCannotSquat) {
  LogLab lab;
  lab.start();
  const Entry good = lab.update(1);
  Entry broken = good;
  broken.sigs[0].s[5] ^= 1U;
  ASSERT_EQ(ledger::entry_hash(broken), ledger::entry_hash(good));
  lab.post(broken);
  lab.post(good);
  const LogView view = lab.view();
  EXPECT_EQ(view.n(), 1U);
  EXPECT_EQ(view.head().position, 2U);
  EXPECT_EQ(LogLab::rule_at(view, 1), Rule::signatures);
}

TEST(LogReader, RefusesHighS) {
  LogLab lab(Kind::did, {KeyType::secp256k1, 1, 1, 1, 1, 1, 1});
  lab.start();
  Entry entry = lab.update(1);
  EXPECT_EQ(lab.rule_against(entry), std::nullopt);
  negate_s(entry.sigs[0].s);
  const auto key = *ledger::signing_key(entry.sigs[0].k);
  ASSERT_TRUE(
      crypto::verify(key, ledger::signed_message(entry), entry.sigs[0].s, crypto::SValue::any)
          .has_value());
  EXPECT_EQ(lab.rule_against(entry), Rule::signatures);
}

TEST(LogReader, KeepsEvidenceOfTwoEntriesForOneNumber) {
  LogLab lab;
  lab.start();
  const Entry a = lab.update(1);
  const Entry b = lab.update(2);
  lab.post(a);
  lab.post(b);
  lab.post(b);
  const LogView view = lab.view();
  EXPECT_EQ(view.head().hash, ledger::entry_hash(a)) << "the first counts";
  ASSERT_EQ(view.duplicity_count, 1U);
  EXPECT_EQ(view.duplicity[0].n, 1U);
  EXPECT_EQ(view.duplicity[0].first, 1U);
  EXPECT_EQ(view.duplicity[0].second, 2U);
}

TEST(LogReader, KeepsNoEvidenceOfForgedEntriesOrInMicroledgers) {
  LogLab lab;
  lab.start();
  Entry forged = lab.update(2);
  lab.post(lab.update(1));
  forged.sigs[0].s[0] ^= 1U;
  lab.post(forged);
  EXPECT_EQ(lab.view().duplicity_count, 0U);
  LogLab pair(Kind::pair);
  pair.start();
  const Entry a = pair.update(1);
  const Entry b = pair.update(2);
  pair.post(a);
  pair.post(b);
  EXPECT_EQ(pair.view().duplicity_count, 0U);
}

TEST(LogReader, ReadWithJudgesTheCandidateEvenBehindMuchJunk) {
  LogLab lab;
  lab.start();
  for (std::size_t i = 0; i < limits::kLogJunkMax + 10; ++i) {
    lab.post_blob(crypto::to_bytes("junk " + std::to_string(i)));
  }
  const LogView view = lab.view();
  EXPECT_EQ(view.junk_count, limits::kLogJunkMax + 10);
  EXPECT_EQ(view.junk.size(), limits::kLogJunkMax);
  const ledger::ReaderOptions options{lab.time, false};
  const Entry good = lab.update(1);
  const auto after = ledger::read_with(lab.subject, lab.blobs, ledger::entry_blob(good), options);
  ASSERT_TRUE(after.has_value());
  EXPECT_EQ(after->n(), 1U);
  const auto bad = ledger::read_with(lab.subject, lab.blobs, lab.blobs[0].blob, options);
  ASSERT_FALSE(bad.has_value());
  EXPECT_EQ(bad.error().code, Errc::invalid_entry);
}

TEST(LogReader, AFullLogStillTakesARecover) {
  LogLab lab;
  const LogView first = lab.start();
  // Updates made without reading the log each time.
  LogView at = first;
  for (std::size_t n = 1; n < limits::kLogEntriesMax + 2; ++n) {
    Entry entry = must(ledger::make_update(at, lab.next_state(at, n), lab.time));
    lab.sign(entry, first.current.keys.k);
    lab.post(entry);
    at.history.back() = {
        std::make_shared<const Entry>(entry), ledger::entry_hash(entry), n, lab.time, lab.time, {}};
  }
  const LogView full = lab.view();
  EXPECT_EQ(full.history.size(), limits::kLogEntriesMax);
  EXPECT_EQ(LogLab::rule_at(full, limits::kLogEntriesMax), Rule::too_many);
  const ledger::Reveal reveal = lab.reveals.at(first.current.rec.d);
  const LogContent content = ledger::make_content(lab.fresh_keys(), {"L1"}, first.current.state);
  Entry recover = must(ledger::make_recover(full, 0, reveal, content, lab.time));
  lab.post(lab.sign(recover, reveal.k));
  lab.time += 72h;
  const LogView after = lab.view();
  EXPECT_EQ(after.n(), 1U);
  EXPECT_EQ(after.replaced.size(), limits::kLogEntriesMax - 1);
}

TEST(LogReader, NamesAgentsOfEarlierStates) {
  LogLab lab(Kind::pair);
  lab.start();
  ledger::PairState state = must(ledger::parse_pair_state(lab.view().current.state));
  const std::string gone = state.agents[1].auth;
  state.agents.pop_back();
  lab.time += 5h;
  const AnchorTime removed = lab.time;
  Entry entry = must(ledger::make_update(lab.view(), ledger::pair_state_json(state), lab.time));
  lab.post(lab.sign(entry, {gone}));
  lab.time += 5h;
  const LogView view = lab.view();
  ASSERT_EQ(view.previous_agents.size(), 1U);
  EXPECT_EQ(view.previous_agents[0].key, gone);
  EXPECT_EQ(view.previous_agents[0].removed_at, removed);
  EXPECT_EQ(view.previous_agents[0].removed_by, Op::update);
}

TEST(LogReader, TimeNeverRunsBack) {
  LogLab lab;
  lab.start();
  lab.post(lab.recover(0));
  const AnchorTime anchored = lab.time;
  lab.time += 72h;
  lab.post_blob(crypto::to_bytes("junk that moves the time on"));
  Entry veto = must(ledger::make_veto(
      must(ledger::read_log(lab.subject, std::span(lab.blobs).first(2), {anchored, false})),
      anchored));
  lab.time = anchored;
  lab.sign(veto, lab.announced(lab.view().history[0].entry->content->next));
  EXPECT_EQ(lab.rule_against(veto), Rule::veto) << "a back-dated veto is late";
  lab.time = ledger::anchor_time_ms(std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(lab.view().n(), 1U);
}

}  // namespace
}  // namespace kith::test
