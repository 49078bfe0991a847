// A witness signs one history of a ledger and never goes back in it, whatever it is asked, and
// whenever it crashes.

#include <gtest/gtest.h>

#include "ledger/ledger_evidence.hpp"
#include "ledger/witness.hpp"
#include "tests/ledger/witness_lab.hpp"

namespace kith::test {
namespace {

using ledger::AddCheckpoint;
using ledger::HttpReply;
using ledger::LedgerEvidence;

class WitnessTest : public ::testing::Test {
 protected:
  WitnessTest() : lab_(1, 1), host_(lab_.descriptor, lab_.all()), witness_(*lab_.boxes[0]) {}

  void grow(CosignedHost& host, std::uint64_t first_seed, std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) host.append(first_seed + i, lab_.now());
  }
  /// What `host` asks at its size, of a witness that signed `old_size` last.
  AddCheckpoint request(CosignedHost& host, std::uint64_t old_size) {
    ledger::LedgerProver prover(host.store, ledger_signer());
    const std::uint64_t size = host.store.size();
    return {old_size, must(prover.consistency(std::min(old_size, size), size)),
            must(prover.signed_by_ledger(size))};
  }
  HttpReply ask(const AddCheckpoint& request) {
    return witness_.post(ledger::add_checkpoint_text(request));
  }
  /// The cosignature in a 200, verified.
  ledger::TrustedCheckpoint opened(const AddCheckpoint& request, const HttpReply& reply) {
    return must(ledger::open_checkpoint(request.checkpoint + reply.body, lab_.descriptor));
  }
  std::uint64_t kept_size() {
    const JsonObject shown = witness_.show();
    return static_cast<std::uint64_t>(
        shown.at("ledgers").get_array().at(0).get_object().at("size").get_int64());
  }

  WitnessLab lab_;
  CosignedHost host_;
  WitnessBox& witness_;
};

TEST_F(WitnessTest, SignsThatALedgerGrew) {
  for (const std::size_t more : {std::size_t{0}, std::size_t{3}, std::size_t{4}}) {
    const std::uint64_t old_size = host_.store.size();
    grow(host_, 10 * more, more);
    const AddCheckpoint asked = request(host_, old_size);
    const HttpReply reply = ask(asked);
    ASSERT_EQ(reply.status, 200) << more;
    const auto trusted = opened(asked, reply);
    ASSERT_EQ(trusted.cosignatures.size(), 1U);
    EXPECT_EQ(trusted.cosignatures[0].time,
              std::chrono::floor<std::chrono::seconds>(lab_.net.now()));
    EXPECT_EQ(kept_size(), host_.store.size());
  }
  // Once more the same, later: a younger signature.
  lab_.net.run_for(std::chrono::minutes{1});
  const AddCheckpoint again = request(host_, 7);
  EXPECT_EQ(opened(again, ask(again)).cosignatures[0].time,
            std::chrono::floor<std::chrono::seconds>(lab_.net.now()));
}

TEST_F(WitnessTest, NeverSignsWhatItHasNotSeenGrow) {
  grow(host_, 1, 5);
  EXPECT_EQ(ask(request(host_, 2)).status, 409);  // It has signed nothing yet.
  EXPECT_EQ(ask(request(host_, 2)).body, "0\n");
  ASSERT_EQ(ask(request(host_, 0)).status, 200);
  grow(host_, 20, 3);
  AddCheckpoint bad = request(host_, 5);
  bad.consistency[0][0] ^= 1;
  EXPECT_EQ(ask(bad).status, 422);
  bad = request(host_, 5);
  bad.consistency.pop_back();
  EXPECT_EQ(ask(bad).status, 422);
  bad.consistency.clear();
  EXPECT_EQ(ask(bad).status, 422);
  const HttpReply other_size = ask(request(host_, 4));
  EXPECT_EQ(other_size.status, 409);
  EXPECT_EQ(other_size.content_type, "text/x.tlog.size");
  EXPECT_EQ(other_size.body, "5\n");
  AddCheckpoint beyond = request(host_, 8);
  beyond.old_size = 9;
  EXPECT_EQ(ask(beyond).status, 400);
  EXPECT_EQ(kept_size(), 5U);
  EXPECT_EQ(ask(request(host_, 5)).status, 200);
  // Nothing of this accuses anybody: strangers may ask nonsense in a ledger's name.
  EXPECT_TRUE(witness_.box.all<LedgerEvidence>("ledger-evidence").empty());
}

TEST_F(WitnessTest, AProofOfNothingIsEmpty) {
  grow(host_, 1, 2);
  AddCheckpoint first = request(host_, 0);
  first.consistency.push_back({});
  EXPECT_EQ(ask(first).status, 422);
  ASSERT_EQ(ask(request(host_, 0)).status, 200);
  AddCheckpoint same = request(host_, 2);
  same.consistency.push_back({});
  EXPECT_EQ(ask(same).status, 422);
}

TEST_F(WitnessTest, DoesNotGoBack) {
  grow(host_, 1, 3);
  const AddCheckpoint three = request(host_, 0);
  ASSERT_EQ(ask(three).status, 200);
  grow(host_, 20, 2);
  ASSERT_EQ(ask(request(host_, 3)).status, 200);
  EXPECT_EQ(ask(three).body, "5\n");
  AddCheckpoint back = three;
  back.old_size = 3;
  back.consistency.clear();
  EXPECT_EQ(ask(back).body, "5\n");
  back.old_size = 5;
  EXPECT_EQ(ask(back).status, 400);
}

TEST_F(WitnessTest, OnlyTheLedgersOwnKeyCounts) {
  grow(host_, 1, 1);
  const AddCheckpoint good = request(host_, 0);
  const auto checkpoint = must(ledger::parse_note(good.checkpoint));
  AddCheckpoint forged = good;
  auto note = checkpoint;
  note.signatures[0].signature[5] ^= 1;
  forged.checkpoint = ledger::note_text(note);
  EXPECT_EQ(ask(forged).status, 403);
  note = checkpoint;
  note.signatures[0].key_id ^= 1;  // Somebody's key, who is not known here.
  forged.checkpoint = ledger::note_text(note);
  EXPECT_EQ(ask(forged).status, 403);
  // Another's signature beside the good one changes nothing, and is not kept.
  note.signatures.push_back(checkpoint.signatures[0]);
  forged.checkpoint = ledger::note_text(note);
  ASSERT_EQ(ask(forged).status, 200);
  const auto kept = witness_.box.all<ledger::WatchedLedger>("witness-ledger").at(0);
  EXPECT_EQ(kept.checkpoint, good.checkpoint);
}

TEST_F(WitnessTest, UnknownLedgersAreRefused) {
  ledger::LedgerDescriptor other = lab_.descriptor;
  other.origin = "ledger.example/other";
  CosignedHost stranger(other, lab_.all());
  grow(stranger, 1, 1);
  EXPECT_EQ(ask(request(stranger, 0)).status, 404);
  for (const char* garbage : {"", "old 0", "old 0\n\n", "GET / HTTP/1.1\r\n\r\n", "\xFF\xFF"}) {
    EXPECT_EQ(witness_.post(garbage).status, 400) << garbage;
  }
  witness_.watch(other);
  EXPECT_EQ(ask(request(stranger, 0)).status, 200);
  // The name of a known one with another key is not that ledger.
  ledger::LedgerDescriptor impostor = ledger_descriptor(2);
  impostor.origin = other.origin;
  const auto refused =
      witness_.box.command("witness-watch", {{"ledger", ledger::descriptor_json(impostor)}});
  EXPECT_EQ(refused.error(), Errc::conflict);
}

TEST_F(WitnessTest, ALogIsWatchedByItsKeyAlone) {
  WitnessBox other(lab_.net, "other");
  const std::string key = ledger::verifier_key(
      lab_.descriptor.origin, ledger::NoteSignatureType::ed25519, lab_.descriptor.key);
  const auto reply = must(other.box.command("witness-watch", {{"ledger", key + "\n"}}));
  EXPECT_FALSE(reply.at("named").get_bool());
  EXPECT_EQ(reply.at("key").get_string(), key);
  grow(host_, 1, 2);
  EXPECT_EQ(other.post(ledger::add_checkpoint_text(request(host_, 0))).status, 200);
  EXPECT_EQ(other.box.command("witness-watch", {{"ledger", "junk"}}).error(), Errc::malformed);
}

TEST_F(WitnessTest, TwoHistoriesOfOneSizeAreProvenAgainstTheirLedger) {
  grow(host_, 1, 4);
  ASSERT_EQ(ask(request(host_, 0)).status, 200);
  CosignedHost lie(lab_.descriptor, lab_.all());
  grow(lie, 500, 4);
  for (const std::uint64_t old_size : {std::uint64_t{4}, std::uint64_t{0}}) {
    AddCheckpoint forked = request(lie, 4);
    forked.old_size = old_size;
    EXPECT_EQ(ask(forked).status, 409);
    EXPECT_EQ(ask(forked).body, "4\n");
  }
  EXPECT_EQ(witness_.box.notices("alarm").size(), 1U);
  EXPECT_EQ(witness_.box.audited("ledger.fork").size(), 1U);
  const auto pieces = witness_.box.all<LedgerEvidence>("ledger-evidence");
  ASSERT_EQ(pieces.size(), 1U);
  const auto judged = must(ledger::judge_evidence(pieces[0]));
  EXPECT_TRUE(judged.proven);
  EXPECT_EQ(judged.kind, ledger::EvidenceKind::fork);
  const JsonObject shown = witness_.show();
  EXPECT_TRUE(shown.at("ledgers").get_array().at(0).get_object().contains("evidence"));
  // It stays with the first.
  grow(host_, 20, 1);
  EXPECT_EQ(ask(request(host_, 4)).status, 200);
  grow(lie, 600, 2);
  EXPECT_EQ(ask(request(lie, 5)).status, 422);
}

TEST_F(WitnessTest, ACrashBeforeTheAnswerLeavesNoWayBack) {
  for (const auto crash : {MemoryStore::Crash::before_commit, MemoryStore::Crash::after_commit}) {
    const std::uint64_t old_size = host_.store.size();
    grow(host_, 100 * (old_size + 1), 2);
    const AddCheckpoint branch = request(host_, old_size);
    const std::size_t crashes = witness_.box.crashes();
    witness_.box.store().crash_at(1, crash);
    // The host asks again what it had asked: its answer was lost.
    const HttpReply reply = ask(branch);
    EXPECT_EQ(witness_.box.crashes(), crashes + 1);
    const bool was_kept = crash == MemoryStore::Crash::after_commit;
    EXPECT_EQ(reply.status, was_kept ? 409 : 200);
    if (was_kept) {
      EXPECT_EQ(reply.body, ledger::size_text(host_.store.size()));
      EXPECT_EQ(ask(request(host_, host_.store.size())).status, 200);
    }
    // Whatever was signed before the crash, the other branch is not.
    CosignedHost lie(lab_.descriptor, lab_.all());
    grow(lie, 900, static_cast<std::size_t>(host_.store.size()));
    EXPECT_NE(ask(request(lie, old_size)).status, 200);
    EXPECT_NE(ask(request(lie, host_.store.size())).status, 200);
  }
}

TEST_F(WitnessTest, ARestartForgetsNothing) {
  grow(host_, 1, 3);
  ASSERT_EQ(ask(request(host_, 0)).status, 200);
  const JsonObject before = witness_.show();
  witness_.box.restart();
  EXPECT_EQ(witness_.show(), before);
  EXPECT_EQ(ask(request(host_, 0)).body, "3\n");
  EXPECT_EQ(ask(request(host_, 3)).status, 200);
}

TEST_F(WitnessTest, WhatItWatchedOnceItDoesNotSignAnew) {
  grow(host_, 1, 3);
  ASSERT_EQ(ask(request(host_, 0)).status, 200);
  must(witness_.box.command("witness-unwatch", {{"origin", lab_.descriptor.origin}}));
  EXPECT_EQ(ask(request(host_, 3)).status, 404);
  EXPECT_EQ(witness_.box.command("witness-unwatch", {{"origin", lab_.descriptor.origin}}).error(),
            Errc::not_found);
  witness_.watch(lab_.descriptor);
  EXPECT_EQ(ask(request(host_, 0)).body, "3\n");
  CosignedHost lie(lab_.descriptor, lab_.all());
  grow(lie, 500, 3);
  EXPECT_EQ(ask(request(lie, 3)).status, 409);
}

TEST_F(WitnessTest, RequestsLeaveNoRepliesBehind) {
  grow(host_, 1, 1);
  ask(request(host_, 0));
  const auto replies = [&] {
    return witness_.box.look([](Host& host) { return host.list("command").size(); });
  };
  const std::size_t before = replies();
  for (int i = 0; i < 20; ++i) ask(request(host_, 1));
  EXPECT_EQ(replies(), before);
}

}  // namespace
}  // namespace kith::test
