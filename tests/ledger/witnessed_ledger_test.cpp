// Readers of a ledger that has witnesses: they take over only what enough of them have signed, not
// long ago, and the times of entries are the witnesses'. A host that shows everybody another
// history finds nobody to sign the second one.

#include <gtest/gtest.h>

#include "ledger/identity.hpp"
#include "ledger/ledger_effects.hpp"
#include "ledger/ledger_report.hpp"
#include "ledger/seen_ledgers.hpp"
#include "ledger/witness_limits.hpp"
#include "tests/ledger/witness_lab.hpp"

namespace kith::test {
namespace {

using ledger::AnchorTime;
using ledger::HttpReply;
using ledger::IdentityModule;
using ledger::SignedNote;
using protocol::Effect;
using protocol::EffectKind;
using protocol::EffectResult;
namespace witness_limits = ledger::witness_limits;

constexpr std::string_view kWitnessedUrl = "https://ledger.example";

class WitnessedLedgerTest : public ::testing::Test {
 protected:
  WitnessedLedgerTest() {
    hosts_.push_back(std::make_unique<CosignedHost>(lab_.descriptor, lab_.all()));
    lab_.net.perform = [this](AgentBox& box, const Effect& effect) {
      return std::optional(perform(box, effect));
    };
    alice_ = &lab_.net.add("alice", modules<IdentityModule>(), {true, true, false});
    bob_ = &lab_.net.add("bob", modules<IdentityModule>(), {true, true, false});
  }
  /// As the shell does: what was appended is brought to the witnesses before it is answered.
  EffectResult perform(AgentBox& box, const Effect& effect) {
    CosignedHost& host = *hosts_[shown_[&box]];
    if (ledger::ledger_of(effect).empty()) return {effect.id, fail(Errc::unreachable), true};
    ledger::HttpQuestion question = must(ledger::question_of(effect));
    question.target = question.target.substr(kWitnessedUrl.size());
    std::optional<std::uint64_t> awaited;
    HttpReply reply = host.service.handle(question, lab_.now(), &awaited);
    if (awaited) {
      host.cosign(lab_.now());
      reply = host.service.appended(*awaited);
    }
    if (spoil_ && effect.kind == EffectKind::ledger_read && reply.status == 200) {
      Json page = must(crypto::parse_json(reply.body));
      spoil_(page.get_object());
      reply.body = crypto::json_text(page);
    }
    return ledger::result_of(effect, reply);
  }
  CosignedHost& host() { return *hosts_[0]; }
  void live() {
    host().cosign(lab_.now());
    must(alice_->command("identity-create", {{"name", "Alice"}, {"ledger", kWitnessedUrl}}, true));
    ASSERT_TRUE(lab_.net.run_until([&] { return state() == "posted"; }));
  }
  void watch() { lab_.net.run_for(std::chrono::minutes{5}); }
  static std::string text_in(const JsonObject& object, std::string_view member) {
    return must(crypto::json_string(object, member));
  }
  std::string state() { return text_in(must(alice_->command("identity-status")), "state"); }
  std::string error() {
    const JsonObject status = must(alice_->command("identity-status"));
    return status.contains("error") ? text_in(status, "error") : std::string();
  }
  void set_anchor(const std::string& anchor) {
    must(alice_->edit([&](Host& unit) {
      return ledger::update_policy(unit, [&](ledger::Policy& policy) { policy.set = anchor; });
    }));
  }
  std::string alice_did() {
    return alice_->look([](Host& unit) { return ledger::identity(unit)->did; });
  }
  std::uint64_t seen(AgentBox& box) {
    return box.look([](Host& unit) { return ledger::seen_at(unit, kWitnessedUrl); });
  }
  JsonObject resolve(AgentBox& box, const std::string& did) {
    const JsonObject started =
        must(box.command("did-resolve", {{"did", did}, {"ledger", kWitnessedUrl}}));
    lab_.net.run_for(std::chrono::seconds{10});
    return must(box.command("did-resolve-status", {{"id", text_in(started, "id")}}));
  }
  /// Changes the newest note of every page.
  void spoil_note(std::function<void(SignedNote&)> change) {
    spoil_ = [change = std::move(change)](JsonObject& page) {
      JsonObject& tree = page["tree"].get_object();
      SignedNote note = must(ledger::parse_note(text_in(tree, "checkpoint")));
      change(note);
      tree["checkpoint"] = ledger::note_text(note);
    };
  }
  void expect_disbelief(const std::string& word) {
    const std::uint64_t before = seen(*alice_);
    host().append(7000 + before, lab_.now());
    host().cosign(lab_.now());
    watch();
    EXPECT_NE(error().find(word), std::string::npos) << error();
    EXPECT_EQ(seen(*alice_), before);
    spoil_ = nullptr;
    watch();
    EXPECT_EQ(error(), "");
    EXPECT_EQ(seen(*alice_), host().store.size());
  }
  /// A signature by nobody's key in the witness's name.
  ledger::NoteSignature forged(std::size_t witness) {
    const ledger::CosignatureTime time = std::chrono::floor<std::chrono::seconds>(lab_.net.now());
    return ledger::witness_signature(lab_.boxes[witness]->key, time, Bytes(64, 7));
  }

  WitnessLab lab_;
  std::vector<std::unique_ptr<CosignedHost>> hosts_;  ///< Of one key; the first is the true one.
  std::map<AgentBox*, std::size_t> shown_;
  std::function<void(JsonObject&)> spoil_;
  AgentBox* alice_ = nullptr;
  AgentBox* bob_ = nullptr;
};

TEST_F(WitnessedLedgerTest, IsFollowedAsFarAsItsWitnessesSigned) {
  live();
  EXPECT_EQ(seen(*alice_), 2U);
  host().append(1, lab_.now());  // Nobody signs.
  watch();
  EXPECT_EQ(seen(*alice_), 2U);
  EXPECT_EQ(error(), "");
  host().cosign(lab_.now());
  watch();
  EXPECT_EQ(seen(*alice_), 3U);
  EXPECT_EQ(text_in(resolve(*bob_, alice_did()), "state"), "done");
  EXPECT_TRUE(alice_->notices("alarm").empty());
}

TEST_F(WitnessedLedgerTest, WithoutEnoughWitnessesAnAppendSaysSoAndComesThroughLater) {
  live();
  host().down = {0, 2};
  set_anchor("first");
  lab_.net.run_for(std::chrono::minutes{1});
  EXPECT_EQ(state(), "posting");
  EXPECT_NE(error().find("Too few of the ledger's witnesses"), std::string::npos) << error();
  EXPECT_EQ(host().store.size(), 3U);  // It is kept, once, however often it was asked for.
  EXPECT_EQ(seen(*alice_), 2U);
  host().down = {0};
  EXPECT_TRUE(lab_.net.run_until([&] { return state() == "posted"; }));
  EXPECT_EQ(error(), "");
  EXPECT_EQ(host().store.size(), 3U);
  EXPECT_TRUE(alice_->audited("ledger.receipt-refused").empty());
}

TEST_F(WitnessedLedgerTest, BeforeAnythingIsSignedNothingIsShown) {
  host().down = {0, 1, 2};
  const HttpReply none = host().service.handle({"GET", "/ledger/checkpoint", ""}, lab_.now());
  EXPECT_EQ(none.status, 503);
  EXPECT_NE(none.body.find("ledger.not_witnessed"), std::string::npos);
  EXPECT_EQ(host().service.handle({"GET", "/ledger/descriptor", ""}, lab_.now()).status, 200);
}

TEST_F(WitnessedLedgerTest, OneSignatureIsNotTwo) {
  live();
  spoil_note([](SignedNote& note) { note.signatures.resize(2); });
  expect_disbelief("1 of 3 witnesses has signed it, and 2 are needed");
}

TEST_F(WitnessedLedgerTest, TheSameWitnessTwiceIsOne) {
  live();
  spoil_note([](SignedNote& note) {
    note.signatures.resize(2);
    note.signatures.push_back(note.signatures[1]);
  });
  expect_disbelief("1 of 3 witnesses has signed it");
}

TEST_F(WitnessedLedgerTest, StrangersAreNoWitnesses) {
  live();
  WitnessBox stranger(lab_.net, "stranger");
  spoil_note([&](SignedNote& note) {
    note.signatures.resize(2);
    const auto time = std::chrono::floor<std::chrono::seconds>(lab_.net.now());
    note.signatures.push_back(ledger::witness_signature(stranger.key, time, Bytes(64, 1)));
  });
  expect_disbelief("1 of 3 witnesses has signed it");
}

TEST_F(WitnessedLedgerTest, AForgedCosignatureSpoilsTheNote) {
  live();
  spoil_note([&](SignedNote& note) {
    note.signatures.resize(2);
    note.signatures.push_back(forged(2));
  });
  expect_disbelief("signature");
}

TEST_F(WitnessedLedgerTest, SignaturesForATimeToComeDoNotCount) {
  live();
  const auto page = host().newest();
  const AnchorTime early = lab_.now() - witness_limits::kFutureMax - std::chrono::minutes{10};
  EXPECT_TRUE(ledger::check_witnesses(page, lab_.descriptor, lab_.now()).has_value());
  const auto too_early = ledger::check_witnesses(page, lab_.descriptor, early);
  EXPECT_EQ(too_early.error(), Errc::ledger_unproven);
  EXPECT_NE(too_early.error().detail.find("3 signed for a time that is yet to come"),
            std::string::npos)
      << too_early.error().detail;
}

TEST_F(WitnessedLedgerTest, AnOldStateIsNotTakenForTheNewest) {
  live();
  host().down = {0, 1, 2};
  lab_.net.run_for(witness_limits::kCheckpointAgeMax - std::chrono::hours{1});
  EXPECT_EQ(error(), "");
  lab_.net.run_for(std::chrono::hours{2});
  EXPECT_NE(error().find("its witnesses signed last at"), std::string::npos) << error();
  EXPECT_EQ(text_in(resolve(*bob_, alice_did()), "state"), "failed");
  host().down.clear();
  host().cosign(lab_.now());
  watch();
  EXPECT_EQ(error(), "");
  EXPECT_EQ(text_in(resolve(*bob_, alice_did()), "state"), "done");
}

TEST_F(WitnessedLedgerTest, AHistoryForEachReaderIsSignedForOneOfThem) {
  live();
  // The host shows Bob a ledger of its own making, and asks the honest witnesses for both.
  hosts_.push_back(std::make_unique<CosignedHost>(lab_.descriptor, lab_.all()));
  CosignedHost& lie = *hosts_[1];
  for (const auto& entry : must(host().store.follow(0, 1)).entries) {
    must(lie.store.append({entry.subject, entry.blob, ""}, entry.time));
  }
  lie.append(500, lab_.now());
  shown_[bob_] = 1;
  lie.cosign(lab_.now());
  EXPECT_EQ(lie.witnessed(), 0U);
  EXPECT_EQ(text_in(resolve(*bob_, alice_did()), "state"), "failed");
  EXPECT_EQ(seen(*bob_), 0U);
  for (const auto& witness : lab_.boxes) EXPECT_EQ(witness->box.notices("alarm").size(), 1U);
  // Nor can it dress the lie up with the signatures of the truth.
  const auto true_note = must(ledger::parse_note(must(host().store.newest_cosigned())->note));
  ledger::LedgerProver liar(lie.store, ledger_signer());
  SignedNote dressed = must(ledger::parse_note(must(liar.signed_by_ledger(lie.store.size()))));
  dressed.signatures.insert(dressed.signatures.end(), true_note.signatures.begin() + 1,
                            true_note.signatures.end());
  must(lie.store.keep_cosigned({lie.store.size(), ledger::note_text(dressed)}));
  EXPECT_EQ(text_in(resolve(*bob_, alice_did()), "state"), "failed");
  shown_[bob_] = 0;
  EXPECT_EQ(text_in(resolve(*bob_, alice_did()), "state"), "done");
}

TEST_F(WitnessedLedgerTest, WithoutWitnessesTheSameLieIsBelieved) {
  ledger::LedgerDescriptor alone = lab_.descriptor;
  alone.w = 0;
  ledger::MemoryLedger lie(alone, true);
  ledger::LedgerProver liar(lie, ledger_signer());
  ledger::LedgerPage none;
  const auto proof = must(liar.prove(none, 0));
  const ledger::SeenLedger nothing{ledger::descriptor_json(alone), {}, {}};
  EXPECT_TRUE(must(ledger::judge_checkpoint(nothing, proof, 0, lab_.now())).advances);
}

TEST_F(WitnessedLedgerTest, TheTimeOfAnEntryIsItsWitnesses) {
  // The host dates an entry a month back; its witnesses see it now.
  const AnchorTime month_ago = lab_.now() - 30 * kDay;
  LogLab log(Kind::did, {}, 77);
  log.start(true);
  must(host().store.append({log.subject, log.blobs[0].blob, ""}, month_ago));
  host().cosign(lab_.now());
  ledger::LedgerProver prover(host().store, ledger_signer());
  auto page = must(host().store.read(log.subject, 0));
  const auto proof = must(prover.prove(page, 0));
  EXPECT_EQ(page.entries[0].time, month_ago);
  must(ledger::set_anchor_times(page.entries, proof, lab_.descriptor, lab_.now()));
  EXPECT_EQ(page.entries[0].time, std::chrono::floor<std::chrono::seconds>(lab_.now()));
  // All of the way to a reader of the log.
  protocol::LedgerReadPayload asked{std::string(kWitnessedUrl), log.subject, 0, 0};
  Effect effect;
  effect.kind = EffectKind::ledger_read;
  effect.payload = protocol::encode_record(asked);
  const auto outcome = perform(*bob_, effect).outcome;
  const auto taken = bob_->look(
      [&](Host& unit) { return must(ledger::proven_entries(unit, effect, outcome)).value(); });
  EXPECT_EQ(ledger::anchor_time(taken.entries.at(0).time), page.entries[0].time);
}

TEST_F(WitnessedLedgerTest, AnAnchorIsTheFirstTreeWithTheEntry) {
  live();
  const AnchorTime first = lab_.now();
  lab_.net.run_for(std::chrono::hours{5});
  host().append(1, lab_.now());
  host().cosign(lab_.now());
  auto page = must(host().store.follow(0, 10));
  ledger::LedgerProver prover(host().store, ledger_signer());
  auto proof = must(prover.prove(page, 0));
  ASSERT_EQ(page.entries.size(), 3U);
  must(ledger::set_anchor_times(page.entries, proof, lab_.descriptor, lab_.now()));
  EXPECT_LE(page.entries[1].time, first);
  EXPECT_GT(page.entries[2].time, first);
  // Each wrong anchor is seen.
  const auto refused = [&](const std::function<void(protocol::LedgerProof&)>& change) {
    auto entries = must(host().store.follow(0, 10)).entries;
    auto changed = proof;
    change(changed);
    return !ledger::set_anchor_times(entries, changed, lab_.descriptor, lab_.now()).has_value();
  };
  EXPECT_FALSE(refused([](auto&) {}));
  EXPECT_TRUE(refused([](auto& p) { p.anchored[2].anchor = 0; }));  // It was not there yet.
  EXPECT_TRUE(refused([](auto& p) { p.anchored[0].anchor = 99; }));
  EXPECT_TRUE(refused([](auto& p) { p.anchored[2].inclusion[0][0] ^= 1; }));
  EXPECT_TRUE(refused([](auto& p) { std::swap(p.anchored[0], p.anchored[2]); }));
  EXPECT_TRUE(refused([](auto& p) { p.anchored.pop_back(); }));
  EXPECT_TRUE(refused([](auto& p) {
    SignedNote note = must(ledger::parse_note(p.anchors[0]));
    note.signatures.resize(2);
    p.anchors[0] = ledger::note_text(note);
  }));
  // Pages travel with all of it.
  const ledger::ProvenPage sent{page, proof};
  const auto got = must(ledger::parse_page(crypto::json_text(ledger::page_json(sent))));
  EXPECT_EQ(got.page, page);
  EXPECT_EQ(got.proof->anchors, proof.anchors);
  EXPECT_EQ(got.proof->anchored[2].inclusion, proof.anchored[2].inclusion);
  EXPECT_EQ(got.proof->anchored[2].anchor, proof.anchored[2].anchor);
}

TEST_F(WitnessedLedgerTest, AReceiptCountsWithItsWitnesses) {
  live();
  const JsonObject file = must(alice_->command("ledger-receipt"));
  const std::string whole = crypto::json_text(file);
  const JsonObject judged = must(ledger::judge_file(whole, "", lab_.now()));
  EXPECT_TRUE(judged.contains("anchored"));
  EXPECT_EQ(judged.at("witnesses").get_object().at("needed"), 2);
  // However old it is.
  EXPECT_TRUE(ledger::judge_file(whole, "", lab_.now() + 4000 * kDay).has_value());
  // Without the last two signatures it is short of one.
  JsonObject short_of_one = file;
  auto receipt = must(ledger::parse_receipt(text_in(file, "receipt")));
  SignedNote note = must(ledger::parse_note(receipt.checkpoint));
  note.signatures.resize(2);
  receipt.checkpoint = ledger::note_text(note);
  short_of_one["receipt"] = ledger::receipt_text(receipt);
  const auto refused = ledger::judge_file(crypto::json_text(short_of_one), "", lab_.now());
  EXPECT_EQ(refused.error(), Errc::ledger_unproven);
  EXPECT_NE(refused.error().detail.find(crypto::multikey(lab_.boxes[2]->key)), std::string::npos)
      << refused.error().detail;
}

TEST_F(WitnessedLedgerTest, StatusShowsWhoSigned) {
  live();
  const JsonObject seen_of = must(alice_->command("ledger-seen"));
  const JsonObject& witnesses = seen_of.at("checkpoint").get_object().at("witnesses").get_object();
  EXPECT_EQ(witnesses.at("needed"), 2);
  EXPECT_EQ(witnesses.at("known"), 3);
  EXPECT_GE(witnesses.at("cosignatures").get_array().size(), 2U);
  EXPECT_TRUE(witnesses.contains("witnessed"));
}

TEST_F(WitnessedLedgerTest, WitnessesOfOtherProgramsCountUnderTheirOwnNames) {
  live();
  auto kept = must(host().store.newest_cosigned()).value();
  SignedNote note = must(ledger::parse_note(kept.note));
  for (std::size_t i = 1; i < note.signatures.size(); ++i) {
    auto& line = note.signatures[i];
    line.name = "witness.example/w" + std::to_string(i);
    line.key_id = ledger::note_key_id(line.name, ledger::NoteSignatureType::cosignature,
                                      lab_.descriptor.witnesses[i - 1]);
  }
  const auto trusted = must(ledger::open_checkpoint(ledger::note_text(note), lab_.descriptor));
  EXPECT_EQ(trusted.cosignatures.size(), 3U);
}

}  // namespace
}  // namespace kith::test
