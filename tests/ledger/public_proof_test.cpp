// Proofs for a public DID, judged by themselves: by its keys and its log, and by its ledger's
// receipts where a recover took the log back.

#include <gtest/gtest.h>

#include "ledger/log_keys.hpp"
#include "ledger/receipt.hpp"
#include "protocol/mail_route.hpp"
#include "protocol/recipient_proof.hpp"
#include "tests/ledger/public_did_lab.hpp"

namespace kith::test {
namespace {

using protocol::ProofEnds;
using protocol::RecipientClaim;
using protocol::RecipientProof;
using namespace std::chrono_literals;

class PublicProof : public PublicDid {
 protected:
  void SetUp() override {
    alice_ = &person("alice");
    did_ = did_of(*alice_);
  }
  ProofEnds ends() {
    return {must(Did::parse("did:example:m")), must(Did::parse("did:example:c"))};
  }
  RecipientProof proof(AgentBox& holder, const std::string& did) {
    return holder.look([&](Host& host) {
      const LogHistory history;
      return must(protocol::prove_recipient(host, &history, must(Did::parse(did)), ends()));
    });
  }
  /// `made` signed anew for our DID, by the key it names, which `holder` has as one of `kid_did`.
  RecipientProof resigned(AgentBox& holder, RecipientProof made, const std::string& kid_did) {
    made.signature = holder.look([&](Host& host) {
      const auto key = protocol::OwnSecrets(host).find(kid_did + "#" + crypto::multikey(made.key));
      return must(host.keys().sign(
          *key, protocol::recipient_statement(ends(), must(Did::parse(did_)), made.time_ms)));
    });
    return made;
  }
  std::optional<Errc> judged(const RecipientProof& proof, const std::string& did) {
    return relay().look([&](Host& host) -> std::optional<Errc> {
      const LogHistory history;
      const auto checked =
          protocol::check_recipient_proof(host, &history, proof, must(Did::parse(did)), ends());
      return checked.has_value() ? std::nullopt : std::optional(checked.error().code);
    });
  }
  std::optional<Errc> judged(const RecipientProof& proof) { return judged(proof, did_); }
  Result<protocol::HistoryKeys> read(const RecipientProof& shown,
                                     const std::optional<RecipientClaim>& known) {
    return relay().look(
        [&](Host& host) { return LogHistory().read(host, must(Did::parse(did_)), shown, known); });
  }
  /// The keys of a log for whoever knows `head` of it.
  Result<protocol::HistoryKeys> read(const RecipientProof& shown, const std::string& head) {
    RecipientClaim known;
    known.head = head;
    return read(shown, known);
  }
  static RecipientClaim claim_by(const protocol::HistoryKeys& keys) {
    return {{}, keys.head, {}, keys.recovers, keys.vetoed};
  }

  AgentBox* alice_ = nullptr;
  std::string did_;
};

TEST_F(PublicProof, HoldsByAKeyOfTheDocumentAndTheWholeLog) {
  const RecipientProof good = proof(*alice_, did_);
  EXPECT_EQ(judged(good), std::nullopt);
  RecipientProof no_log = good;
  no_log.log.clear();
  EXPECT_EQ(judged(no_log), Errc::unsupported);
  RecipientProof junk = good;
  junk.log = {{1, 2, 3}};
  EXPECT_EQ(judged(junk), Errc::not_found);
  RecipientProof tampered = good;
  tampered.signature[3] ^= 1;
  EXPECT_EQ(judged(tampered), Errc::bad_signature);
}

TEST_F(PublicProof, AForgerWithTheLogAndWithoutTheKeysProvesNothing) {
  AgentBox& mallory = person("mallory");
  const RecipientProof good = proof(*alice_, did_);
  const RecipientProof own = proof(mallory, did_of(mallory));
  EXPECT_EQ(judged(own, did_of(mallory)), std::nullopt) << "her own DID she can prove";
  RecipientProof foreign_key = resigned(mallory, own, did_of(mallory));
  EXPECT_EQ(judged(foreign_key), Errc::not_found) << "with her own log";
  foreign_key.log = good.log;
  EXPECT_EQ(judged(foreign_key), Errc::not_authentic) << "with Alice's, which everybody can read";
  RecipientProof named = foreign_key;
  named.key = good.key;
  EXPECT_EQ(judged(named), Errc::bad_signature);
  // An entry of her own making on top of Alice's log does not count.
  Entry update = alice_->look([&](Host& host) {
    const LogView view = must(ledger::stored_view(host, did_));
    Json document = view.current.state;
    return must(ledger::make_update(view, document, ledger::anchor_time(host.now())));
  });
  mallory.look([&](Host& host) {
    const LogView view = must(ledger::stored_view(host, did_of(mallory)));
    const std::string& key = view.current.keys.k.front();
    update.content->state.as_object()["service"] = JsonArray{};
    must(ledger::add_signature(update, must(crypto::from_multikey(key)), host.keys(),
                               *ledger::log_key(host, key)));
    return true;
  });
  RecipientProof extended = good;
  extended.log.push_back(ledger::entry_blob(update));
  EXPECT_EQ(must(read(extended, "")).head, must(read(good, "")).head);
}

TEST_F(PublicProof, AnEndedLogProvesNothing) {
  const RecipientProof before = proof(*alice_, did_);
  deactivate(*alice_);
  RecipientProof after = before;
  after.log =
      alice_->look([&](Host& host) { return LogHistory().kept(host, must(Did::parse(did_))).log; });
  ASSERT_EQ(after.log.size(), before.log.size() + 1);
  EXPECT_EQ(judged(after), Errc::refused);
  const std::string end = ledger::entry_hash(must(ledger::parse_entry(after.log.back())));
  EXPECT_TRUE(must(read(before, end)).behind) << "the end was shown before";
  EXPECT_EQ(judged(before), std::nullopt) << "no ledger is asked: as docs/wire-formats.md says";
}

TEST_F(PublicProof, AKeyThatLeftTheDocumentProvesNothing) {
  const RecipientProof before = proof(*alice_, did_);
  change_document_keys(*alice_);
  const RecipientProof after = proof(*alice_, did_);
  EXPECT_NE(after.key, before.key);
  EXPECT_EQ(judged(after), std::nullopt);
  RecipientProof stolen = resigned(*alice_, before, did_);
  EXPECT_EQ(judged(stolen), std::nullopt) << "its making is right";
  EXPECT_TRUE(must(read(stolen, must(read(after, "")).head)).behind)
      << "once the newer log was shown";
  stolen.log = after.log;
  EXPECT_EQ(judged(stolen), Errc::not_authentic);
}

TEST_F(PublicProof, ARotatedLogGoesOnFromTheOneBefore) {
  const RecipientProof before = proof(*alice_, did_);
  must(alice_->edit([&](Host& host) -> Result<void> {
    TRY(const Entry rotate, ledger::prepare_rotate(host, did_, std::nullopt));
    return ledger::post_prepared(host, did_, rotate);
  }));
  const RecipientProof after = proof(*alice_, did_);
  ASSERT_EQ(after.log.size(), before.log.size() + 1);
  EXPECT_EQ(judged(after), std::nullopt);
  const auto known = must(read(before, ""));
  const auto newer = must(read(after, known.head));
  EXPECT_NE(newer.head, known.head);
  EXPECT_TRUE(must(read(before, newer.head)).behind);
}

/// Somebody with its active key wrote into the log, and a recover takes that back.
class RecoveredProof : public PublicProof {
 protected:
  static constexpr auto kDelay = 2h;

  void SetUp() override {
    alice_ = &agent("alice");
    must(alice_->command("identity-create", {{"name", "alice"},
                                             {"ledger", kLedger},
                                             {"no_vault", true},
                                             {"delay_seconds", 7200},
                                             {"contest_seconds", 7200}}));
    EXPECT_TRUE(run_until_posted(*alice_));
    did_ = did_of(*alice_);
    change_document_keys(*alice_);
    EXPECT_TRUE(run_until_posted(*alice_));
  }
  /// What is kept where there is no vault.
  struct Authority {
    std::vector<std::string> keys;
    Bytes salt;
    template <class V>
    void visit(V& v) {
      v("keys", keys), v("salt", salt);
    }
  };
  static KeyPair held(Host& host, const std::string& key) {
    return {must(crypto::from_multikey(key)), *ledger::log_key(host, key)};
  }
  void recover() {
    post(*alice_, [](Host& host, const LogView& view) {
      const auto authority = *load<Authority>(host, "log-salt", view.subject);
      const auto keys = must(ledger::generate_log_keys(host.keys(), host.random()));
      ledger::PairState shape;
      shape.agents = {must(ledger::make_pair_agent(host, view.subject))};
      const auto content = ledger::make_content(keys, view.current.ledgers,
                                                ledger::pair_document(view.subject, shape));
      const ledger::Reveal reveal{1, authority.keys, crypto::multibase(authority.salt)};
      Entry entry =
          must(ledger::make_recover(view, 0, reveal, content, ledger::anchor_time(host.now())));
      must(ledger::add_signature(entry, held(host, authority.keys.front()), host.keys()));
      for (const KeyPair& pair : keys.active) ledger::remember_log_key(host, pair);
      return entry;
    });
    EXPECT_TRUE(run_until_posted(*alice_));
  }
  void veto() {
    post(*alice_, [](Host& host, const LogView& view) {
      Entry entry = must(ledger::make_veto(view, ledger::anchor_time(host.now())));
      for (const std::string& key : host.list("log-key")) {
        const auto& announced = view.uncontested_content().next.kd;
        if (std::ranges::find(announced, ledger::key_digest(key)) == announced.end()) continue;
        must(ledger::add_signature(entry, held(host, key), host.keys()));
      }
      return entry;
    });
    EXPECT_TRUE(run_until_posted(*alice_));
  }
};

TEST_F(RecoveredProof, HoldsWhenItsLedgerSaysThatTheWaitIsOver) {
  recover();
  EXPECT_EQ(judged(proof(*alice_, did_)), Errc::refused) << "it may still be vetoed";
  net_.run_for(kDelay + 1h);
  const RecipientProof good = proof(*alice_, did_);
  ASSERT_EQ(good.receipts.size(), 1U);
  EXPECT_EQ(judged(good), std::nullopt);

  RecipientProof bare = good;
  bare.receipts.clear();
  EXPECT_EQ(judged(bare), Errc::refused) << "nothing says when the recover was anchored";
  RecipientProof forged = good;
  forged.receipts.front().receipt[40] ^= 1;
  EXPECT_EQ(judged(forged), Errc::refused);
  RecipientProof many = good;
  many.receipts.resize(protocol::kProofReceiptsMax + 1, good.receipts.front());
  EXPECT_EQ(judged(many), Errc::limit_exceeded);
}

TEST_F(RecoveredProof, ALedgerOnWhichTheLogDoesNotLiveSaysNothing) {
  recover();
  const RecipientProof fresh = proof(*alice_, did_);
  // A ledger of the thief's own, where the recover lay long before.
  const ledger::LedgerDescriptor other = ledger_descriptor(2);
  ledger::MemoryLedger elsewhere(other, true);
  ledger::LedgerProver prover(elsewhere, ledger_signer(2));
  const AnchorTime early = ledger::anchor_time(net_.now() - kDelay - 1h);
  RecipientProof made = fresh;
  made.receipts.clear();
  std::string head;
  for (const Bytes& blob : fresh.log) {
    const Entry entry = must(ledger::parse_entry(blob));
    const auto outcome = must(elsewhere.append({did_, blob, head}, early));
    head = ledger::entry_hash(entry);
    if (entry.op != ledger::Op::recover) continue;
    const auto& appended = std::get<ledger::Appended>(outcome);
    auto receipt = must(ledger::parse_receipt(must(prover.receipt(appended.position))));
    receipt.leaf = ledger::leaf_text({did_, blob, appended.time, entry.kind});
    made.receipts = {{ledger::descriptor_json(other), ledger::receipt_text(receipt)}};
  }
  ASSERT_EQ(made.receipts.size(), 1U);
  EXPECT_EQ(judged(made), Errc::refused);
}

TEST_F(RecoveredProof, AVetoTakesBackWhatWasShownWithoutIt) {
  recover();
  const RecipientProof recovered = proof(*alice_, did_);
  net_.run_for(1h);
  veto();
  net_.run_for(kDelay);
  const RecipientProof vetoed = proof(*alice_, did_);
  ASSERT_EQ(vetoed.receipts.size(), 2U);
  const auto before = must(read(recovered, std::nullopt));
  EXPECT_EQ(before.recovers.size(), 1U) << "no ledger is asked: as docs/wire-formats.md says";
  const auto after = must(read(vetoed, claim_by(before)));
  EXPECT_TRUE(after.recovers.empty());
  EXPECT_EQ(after.vetoed, before.recovers);
  EXPECT_NE(after.head, before.head);
  EXPECT_TRUE(must(read(recovered, claim_by(after))).behind) << "and stays taken back";
  EXPECT_FALSE(must(read(vetoed, claim_by(after))).behind);
}

TEST_F(RecoveredProof, AVetoThatNoLedgerHasSeenTakesNothingBack) {
  recover();
  const RecipientProof recovered = proof(*alice_, did_);
  net_.run_for(1h);
  veto();
  net_.run_for(kDelay);
  const RecipientProof vetoed = proof(*alice_, did_);
  const RecipientClaim known = claim_by(must(read(recovered, std::nullopt)));
  ASSERT_EQ(known.recovers.size(), 1U);
  // As if whoever lost the log to the recover had made the veto today, and shown it to no ledger.
  for (const bool keep_recover : {false, true}) {
    RecipientProof late = vetoed;
    if (!keep_recover) late.receipts.clear();
    if (keep_recover) late.receipts.pop_back();
    const auto alone = must(read(late, std::nullopt));
    EXPECT_TRUE(alone.vetoed.empty()) << keep_recover;
    const auto after = must(read(late, known));
    EXPECT_EQ(after.behind, !keep_recover) << "with its receipt the recover simply counts";
    EXPECT_EQ(after.recovers, keep_recover ? known.recovers : std::vector<std::string>{});
  }
  RecipientProof half = vetoed;
  half.receipts.erase(half.receipts.begin());
  EXPECT_TRUE(must(read(half, known)).behind);
}

TEST_F(RecoveredProof, AVetoThatWasProvenIsNotForgotten) {
  const RecipientProof early = proof(*alice_, did_);
  recover();
  net_.run_for(1h);
  veto();
  net_.run_for(kDelay);
  const auto vetoed = must(read(proof(*alice_, did_), std::nullopt));
  ASSERT_EQ(vetoed.vetoed.size(), 1U);
  EXPECT_EQ(must(read(early, claim_by(vetoed))).vetoed, vetoed.vetoed);
  RecipientClaim full = claim_by(vetoed);
  full.vetoed.clear();
  for (std::size_t i = 0; i < protocol::kProofReceiptsMax; ++i) {
    full.vetoed.push_back("other" + std::to_string(i));
  }
  const auto kept = must(read(proof(*alice_, did_), full)).vetoed;
  EXPECT_EQ(kept.size(), protocol::kProofReceiptsMax);
  EXPECT_EQ(kept.back(), vetoed.vetoed.front());
}

TEST_F(RecoveredProof, ReachesTheMediatorByItself) {
  policy_.require_proof = true;
  join(*alice_);
  invitation(*alice_);
  ASSERT_TRUE(net_.run_until([&] { return registered(*alice_); }));
  recover();
  net_.run_for(kDelay + 2h);
  EXPECT_EQ(wish(*alice_, did_), DidWish::registered);
  const auto claim = relay().look([&](Host& host) { return protocol::known_claim(host, did_); });
  ASSERT_TRUE(claim);
  EXPECT_EQ(claim->recovers.size(), 1U);
}

TEST_F(PublicProof, APolicyIsNoDidWithKeys) {
  const RecipientProof good = proof(*alice_, did_);
  RecipientProof policy = good;
  const std::string subject =
      alice_->look([](Host& host) { return ledger::identity(host)->policy; });
  const Did did = must(Did::parse(subject));
  policy.log = alice_->look([&](Host& host) { return LogHistory().kept(host, did).log; });
  policy.signature = alice_->look([&](Host& host) {
    const auto key = protocol::OwnSecrets(host).find(did_ + "#" + crypto::multikey(policy.key));
    return must(host.keys().sign(*key, protocol::recipient_statement(ends(), did, policy.time_ms)));
  });
  EXPECT_EQ(judged(policy, subject), Errc::unsupported);
}

}  // namespace
}  // namespace kith::test
