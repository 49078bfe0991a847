// A ledger host that lies, and agents that read it through all of the real client: each lie is
// caught, nothing of it is taken over, and the same days with an honest host raise no alarm.

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "ledger/hash_text.hpp"
#include "ledger/identity.hpp"
#include "ledger/ledger_effects.hpp"
#include "ledger/ledger_evidence.hpp"
#include "ledger/log_store.hpp"
#include "ledger/memory_ledger.hpp"
#include "ledger/remote/service.hpp"
#include "ledger/seen_ledgers.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using ledger::HttpReply;
using ledger::IdentityModule;
using ledger::LedgerEvidence;
using protocol::Effect;
using protocol::EffectKind;
using protocol::EffectResult;

constexpr std::string_view kUrl = "https://ledger.example";
constexpr ledger::AnchorTime kJudgedAt = ledger::anchor_time_ms(1'795'000'000'000);

/// One history of the ledger. Every book of a host has the same name and key.
struct Book {
  explicit Book(std::uint64_t key = 1)
      : store(ledger_descriptor(), true), service(store, ledger_signer(key)) {}
  ledger::MemoryLedger store;
  ledger::LedgerService service;
};

class LyingLedger : public ::testing::Test {
 protected:
  LyingLedger() {
    books_.push_back(std::make_unique<Book>());
    net_.perform = [this](AgentBox& box, const Effect& effect) {
      return std::optional(perform(box, effect));
    };
    alice_ = &net_.add("alice", modules<IdentityModule>(), kNoVaultYet);
    bob_ = &net_.add("bob", modules<IdentityModule>(), kNoVaultYet);
  }

  EffectResult perform(AgentBox& box, const Effect& effect) {
    const auto now = ledger::anchor_time(net_.now());
    ledger::HttpQuestion question = must(ledger::question_of(effect));
    question.target = question.target.substr(kUrl.size());
    HttpReply reply = books_[shown_[&box]]->service.handle(question, now);
    if (spoil_ && effect.kind == EffectKind::ledger_read && reply.status == 200) {
      Json page = must(crypto::parse_json(reply.body));
      spoil_(page.get_object());
      reply.body = crypto::json_text(page);
    }
    return ledger::result_of(effect, reply);
  }

  /// The first `count` entries of the true book once more, in a book of their own.
  std::size_t copy_book(std::uint64_t count, std::uint64_t key = 1) {
    auto book = std::make_unique<Book>(key);
    for (const auto& entry : must(books_[0]->store.follow(0, count)).entries) {
      const std::string prev = must(ledger::parse_entry(entry.blob)).prev;
      must(book->store.append({entry.subject, entry.blob, prev}, entry.time));
    }
    books_.push_back(std::move(book));
    return books_.size() - 1;
  }
  /// Somebody else's log.
  void add_stranger(std::uint64_t seed, std::size_t book = 0) {
    LogLab stranger(Kind::did, {}, seed);
    stranger.start(true);
    must(books_[book]->store.append({stranger.subject, stranger.blobs[0].blob, ""},
                                    ledger::anchor_time(net_.now())));
  }

  /// Alice has an identity on an honest ledger with a few strangers, and has seen all of it.
  void live_honestly() {
    add_stranger(100);
    must(alice_->command("identity-create", {{"name", "Alice"}, {"ledger", kUrl}}, true));
    ASSERT_TRUE(net_.run_until([&] { return state() == "posted"; }));
    set_anchor("first");
    ASSERT_TRUE(net_.run_until([&] { return state() == "posted"; }));
    add_stranger(101);
    watch();
    ASSERT_EQ(seen_size(*alice_), 5);
    ASSERT_TRUE(alice_->notices("alarm").empty());
  }
  /// Long enough to read the own logs again.
  void watch() { net_.run_for(std::chrono::minutes{5}); }

  std::string state() { return text(must(alice_->command("identity-status")), "state"); }
  std::string error() {
    const JsonObject status = must(alice_->command("identity-status"));
    return status.contains("error") ? text(status, "error") : std::string();
  }
  void set_anchor(const std::string& anchor) {
    must(alice_->edit([&](Host& host) {
      return ledger::update_policy(host, [&](ledger::Policy& policy) { policy.set = anchor; });
    }));
  }
  std::int64_t seen_size(AgentBox& box) {
    return box.look(
        [&](Host& host) { return static_cast<std::int64_t>(ledger::seen_at(host, kUrl)); });
  }
  std::string note_of(AgentBox& box) {
    return box.all<ledger::SeenLedger>("ledger-seen").at(0).checkpoint;
  }
  std::vector<LedgerEvidence> evidence() { return alice_->all<LedgerEvidence>("ledger-evidence"); }
  JsonObject resolve(AgentBox& box, const std::string& did) {
    const JsonObject started = must(box.command("did-resolve", {{"did", did}, {"ledger", kUrl}}));
    net_.run_for(std::chrono::seconds{10});
    return must(box.command("did-resolve-status", {{"id", text(started, "id")}}));
  }
  std::string alice_did() {
    return alice_->look([](Host& host) { return ledger::identity(host)->did; });
  }

  /// The lie is told for five minutes: alice takes nothing over, and says `word`.
  void expect_disbelief(const std::string& word) {
    const std::string before = note_of(*alice_);
    add_stranger(200);
    watch();
    EXPECT_NE(error().find(word), std::string::npos) << error();
    EXPECT_EQ(note_of(*alice_), before);
    // The host repents.
    spoil_ = nullptr;
    shown_.clear();
    watch();
    EXPECT_EQ(error(), "");
    EXPECT_EQ(seen_size(*alice_), static_cast<std::int64_t>(books_[0]->store.size()));
  }
  /// The same for a lie that leaves evidence, which others can judge by itself.
  ledger::JudgedEvidence expect_evidence(const std::string& event, const std::string& word) {
    expect_disbelief(word);
    EXPECT_EQ(alice_->audited(event).size(), 1U);
    EXPECT_EQ(alice_->notices("alarm").size(), 1U);
    const auto pieces = evidence();
    EXPECT_EQ(pieces.size(), 1U);
    const std::string file = crypto::json_text(ledger::evidence_json(pieces.at(0)));
    return must(ledger::judge_evidence(must(ledger::parse_evidence(file))));
  }
  /// A lie without signatures on both sides: it accuses nobody.
  void expect_refusal(const std::string& word) {
    expect_disbelief(word);
    EXPECT_TRUE(evidence().empty());
  }

  Network net_;
  std::vector<std::unique_ptr<Book>> books_;  ///< The first is the true one.
  std::map<AgentBox*, std::size_t> shown_;    ///< Which book the host shows to whom.
  std::function<void(JsonObject&)> spoil_;    ///< Changes pages on their way out.
  AgentBox* alice_ = nullptr;
  AgentBox* bob_ = nullptr;
};

JsonObject& entry_of(JsonObject& page, std::size_t i) {
  return page["entries"].get_array().at(i).get_object();
}
std::string flipped(std::string_view base64_hash) {
  ledger::Digest256 hash = must(ledger::parse_hash(base64_hash));
  hash[7] ^= 1;
  return ledger::base64(hash);
}

TEST_F(LyingLedger, AnHonestOneIsFollowedAndAccusedOfNothing) {
  live_honestly();
  add_stranger(200);
  watch();
  EXPECT_EQ(error(), "");
  EXPECT_EQ(seen_size(*alice_), 6);
  set_anchor("second");
  ASSERT_TRUE(net_.run_until([&] { return state() == "posted"; }));
  EXPECT_EQ(seen_size(*alice_), 7);
  EXPECT_EQ(text(resolve(*bob_, alice_did()), "state"), "done");
  EXPECT_EQ(note_of(*bob_), note_of(*alice_));
  EXPECT_TRUE(evidence().empty());
  EXPECT_TRUE(alice_->notices("alarm").empty());
  EXPECT_TRUE(alice_->audited("ledger.receipt-refused").empty());
}

TEST_F(LyingLedger, OneThatGoesBackIsNotFollowed) {
  live_honestly();
  shown_[alice_] = copy_book(4);
  const auto judged = expect_evidence("ledger.rollback", "went back");
  EXPECT_EQ(judged.kind, ledger::EvidenceKind::rollback);
  EXPECT_FALSE(judged.proven);  // Who saw which first is alice's word.
  EXPECT_EQ(judged.first.size, 5U);
  EXPECT_EQ(judged.second.size, 4U);
}

TEST_F(LyingLedger, TwoHistoriesOfOneLengthAreProvenByTheirSignatures) {
  live_honestly();
  const std::size_t other = copy_book(4);
  add_stranger(300, other);
  shown_[alice_] = other;
  const auto judged = expect_evidence("ledger.fork", "two roots");
  EXPECT_EQ(judged.kind, ledger::EvidenceKind::fork);
  EXPECT_TRUE(judged.proven);
}

TEST_F(LyingLedger, AHistoryThatDoesNotContinueTheOneSeenIsNotFollowed) {
  live_honestly();
  const std::size_t other = copy_book(4);
  for (std::uint64_t seed = 300; seed < 304; ++seed) add_stranger(seed, other);
  shown_[alice_] = other;
  const auto judged = expect_evidence("ledger.fork", "does not continue");
  EXPECT_EQ(judged.kind, ledger::EvidenceKind::not_continued);
  EXPECT_FALSE(judged.proven);
}

TEST_F(LyingLedger, AHistoryForEachReaderShowsWhenTheyCompareOrMeetTheOther) {
  live_honestly();
  const std::size_t other = copy_book(4);
  add_stranger(300, other);
  shown_[bob_] = other;
  EXPECT_EQ(text(resolve(*bob_, alice_did()), "state"), "done");  // Bob cannot know.
  EXPECT_EQ(seen_size(*bob_), seen_size(*alice_));
  LedgerEvidence compared{ledger::descriptor_json(ledger_descriptor()),
                          note_of(*alice_),
                          note_of(*bob_),
                          {},
                          net_.now()};
  EXPECT_TRUE(must(ledger::judge_evidence(compared)).proven);
  compared.second = compared.first;
  EXPECT_EQ(ledger::judge_evidence(compared).error(), Errc::bad_proof);

  shown_[bob_] = 0;
  EXPECT_EQ(text(resolve(*bob_, alice_did()), "state"), "failed");
  EXPECT_EQ(bob_->audited("ledger.fork").size(), 1U);
  EXPECT_EQ(bob_->all<LedgerEvidence>("ledger-evidence").size(), 1U);
}

TEST_F(LyingLedger, AnEntryThatWasSeenCannotBeLeftOut) {
  live_honestly();
  spoil_ = [](JsonObject& page) {
    if (page["entries"].get_array().size() > 1) page["entries"].get_array().pop_back();
  };
  watch();
  EXPECT_EQ(alice_->audited("identity.ledger-conflict").size(), 1U);
  EXPECT_EQ(error(), "the ledger shows less of your log than before");
}

TEST_F(LyingLedger, ReadersOfTheWholeLedgerSeeEveryGap) {
  live_honestly();
  const auto checkpoint =
      must(ledger::open_checkpoint(note_of(*alice_), ledger_descriptor())).checkpoint;
  const auto page = must(books_[0]->store.follow(1, 10));
  EXPECT_TRUE(ledger::check_followed(page, 1, checkpoint).has_value());
  for (std::size_t i = 0; i < page.entries.size(); ++i) {
    auto gap = page;
    gap.entries.erase(gap.entries.begin() + static_cast<std::ptrdiff_t>(i));
    EXPECT_EQ(ledger::check_followed(gap, 1, checkpoint).error(), Errc::ledger_unproven) << i;
    // More may follow the last of a page, and nothing else may be missing.
    gap.complete = false;
    const bool last = i + 1 == page.entries.size();
    EXPECT_EQ(ledger::check_followed(gap, 1, checkpoint).has_value(), last) << i;
  }
}

TEST_F(LyingLedger, EntriesCannotChangePlaces) {
  live_honestly();
  spoil_ = [](JsonObject& page) {
    JsonObject& first = entry_of(page, 0);
    if (page["entries"].get_array().size() < 2) {
      first["position"] = first["position"].get_int64() + 1;
      return;
    }
    for (const char* member : {"blob", "time"}) {
      std::swap(first[member], entry_of(page, 1)[member]);
    }
  };
  expect_refusal("is not in the ledger's tree");
}

TEST_F(LyingLedger, AnEntryCannotMoveInTime) {
  live_honestly();
  spoil_ = [](JsonObject& page) {
    JsonObject& entry = entry_of(page, 0);
    entry["time"] = entry["time"].get_int64() - 1;
  };
  expect_refusal("is not in the ledger's tree");
}

TEST_F(LyingLedger, ASpoiledProofOfAnEntryIsSeen) {
  live_honestly();
  spoil_ = [](JsonObject& page) {
    Json& hash = entry_of(page, 0)["proof"].get_array().at(0);
    hash = flipped(hash.get_string());
  };
  expect_refusal("is not in the ledger's tree");
}

TEST_F(LyingLedger, AnEntryThatIsNotInTheTreeIsSeen) {
  live_honestly();
  LogLab stranger(Kind::did, {}, 7);
  stranger.start(true);
  spoil_ = [&](JsonObject& page) {
    JsonObject extra = entry_of(page, 0);
    extra["blob"] = crypto::base64url(stranger.blobs[0].blob);
    extra["position"] = 900;
    extra["time"] = ledger::to_ms(ledger::anchor_time(net_.now()));
    page["entries"].get_array().emplace_back(std::move(extra));
  };
  expect_refusal("is not in the ledger's tree");
}

TEST_F(LyingLedger, ASpoiledProofThatItOnlyGrewIsNotFollowed) {
  live_honestly();
  spoil_ = [](JsonObject& page) {
    for (Json& hash : page["tree"].get_object()["consistency"].get_array()) {
      hash = flipped(hash.get_string());
    }
  };
  const std::string before = note_of(*alice_);
  add_stranger(200);
  watch();
  EXPECT_NE(error().find("does not continue"), std::string::npos) << error();
  EXPECT_EQ(note_of(*alice_), before);
  // The evidence says only that this proof did not hold; with the right one it falls.
  auto piece = evidence().at(0);
  EXPECT_FALSE(must(ledger::judge_evidence(piece)).proven);
  piece.consistency = must(ledger::consistency_proof(5, 6, books_[0]->store.tree()));
  EXPECT_EQ(ledger::judge_evidence(piece).error(), Errc::bad_proof);
}

TEST_F(LyingLedger, AnAnswerWithoutProofIsNone) {
  live_honestly();
  spoil_ = [](JsonObject& page) {
    page.erase("tree");
    for (Json& entry : page["entries"].get_array()) entry.get_object().erase("proof");
  };
  expect_refusal("gave no proof");
}

TEST_F(LyingLedger, AnotherKeyIsNotThisLedger) {
  live_honestly();
  shown_[alice_] = copy_book(5, 2);
  add_stranger(300, shown_[alice_]);
  expect_refusal("signature");
}

TEST_F(LyingLedger, AnotherDescriptorIsNotThisLedger) {
  live_honestly();
  spoil_ = [](JsonObject& page) {
    page["tree"].get_object()["descriptor"] =
        must(crypto::parse_json(ledger::descriptor_json(ledger_descriptor(2))));
  };
  expect_refusal("another one than before");
}

TEST_F(LyingLedger, OneThatIsKnownByItsAddressAloneIsPinnedAtFirst) {
  live_honestly();
  EXPECT_EQ(text(resolve(*bob_, alice_did()), "state"), "done");
  EXPECT_EQ(bob_->audited("ledger.pinned").size(), 1U);
  spoil_ = [](JsonObject& page) {
    page["tree"].get_object()["descriptor"] =
        must(crypto::parse_json(ledger::descriptor_json(ledger_descriptor(2))));
  };
  EXPECT_EQ(text(resolve(*bob_, alice_did()), "state"), "failed");
  spoil_ = nullptr;
  EXPECT_EQ(text(resolve(*bob_, alice_did()), "state"), "done");
}

TEST_F(LyingLedger, PinsOfAddressesAreBounded) {
  live_honestly();
  bob_->edit([&](Host& host) {
    Effect effect;
    effect.kind = EffectKind::ledger_read;
    for (std::size_t i = 0; i <= limits::kLedgersPinned; ++i) {
      const std::string url = "https://ledger" + std::to_string(i) + ".example";
      const protocol::LedgerReadPayload asked{url, alice_did(), 0, ledger::seen_at(host, url)};
      effect.payload = protocol::encode_record(asked);
      ledger::LedgerProver prover(books_[0]->store, ledger_signer());
      const auto result = ledger::perform_on(books_[0]->store, effect, {}, &prover);
      EXPECT_TRUE(ledger::proven_entries(host, effect, result.outcome).has_value()) << i;
    }
    EXPECT_EQ(host.list("ledger-pin").size(), limits::kLedgersPinned);
    return 0;
  });
}

TEST_F(LyingLedger, AnAnswerThatWasOvertakenIsAskedAgain) {
  live_honestly();
  const auto page_since = [&](std::uint64_t seen) {
    ledger::LedgerProver prover(books_[0]->store, ledger_signer());
    auto page = must(books_[0]->store.read(alice_did(), 0));
    return must(prover.prove(page, seen));
  };
  ledger::SeenLedger seen = alice_->all<ledger::SeenLedger>("ledger-seen").at(0);
  add_stranger(400);
  const auto late = page_since(3);  // Asked when three were seen, answered with six.
  EXPECT_TRUE(must(ledger::judge_checkpoint(seen, late, 3, kJudgedAt)).ask_again);
  EXPECT_FALSE(must(ledger::judge_checkpoint(seen, page_since(5), 5, kJudgedAt)).ask_again);
  // The same checkpoint needs no comparing, whenever it was asked for.
  seen.checkpoint = late.checkpoint;
  EXPECT_FALSE(must(ledger::judge_checkpoint(seen, late, 3, kJudgedAt)).ask_again);
  // An older one than the question named is a step back; than the newest seen, perhaps not.
  const std::size_t copy = copy_book(4);
  ledger::LedgerProver old(books_[copy]->store, ledger_signer());
  ledger::LedgerPage none;
  const auto shorter = must(old.prove(none, 3));
  EXPECT_TRUE(must(ledger::judge_checkpoint(seen, shorter, 3, kJudgedAt)).ask_again);
  EXPECT_EQ(ledger::judge_checkpoint(seen, shorter, 5, kJudgedAt).error(), Errc::ledger_rollback);
}

TEST_F(LyingLedger, AReceiptThatProvesNothingIsDropped) {
  live_honestly();
  EXPECT_EQ(alice_->look([](Host& host) { return host.list("ledger-receipt").size(); }), 2U);
  alice_->edit([&](Host& host) {
    const std::string policy = ledger::identity(host)->policy;
    const auto blob = ledger::stored_blobs(host, policy).back().blob;
    Effect effect;
    effect.kind = EffectKind::ledger_append;
    effect.payload =
        protocol::encode_record(protocol::LedgerAppendPayload{std::string(kUrl), policy, blob, ""});
    ledger::LedgerProver prover(books_[0]->store, ledger_signer());
    protocol::LedgerAppended appended;
    appended.position = 1;
    appended.time = net_.now();
    appended.receipt = must(prover.receipt(1));
    ledger::keep_receipt(host, effect, protocol::encode_record(appended));
    return 0;
  });
  EXPECT_EQ(alice_->audited("ledger.receipt-refused").size(), 1U);
}

TEST(LedgerEvidenceFile, IsReadStrictly) {
  ledger::MemoryLedger store(ledger_descriptor(), true);
  ledger::LedgerProver prover(store, ledger_signer());
  const std::string note = must(prover.checkpoint());
  const LedgerEvidence evidence{ledger::descriptor_json(ledger_descriptor()),
                                note,
                                note,
                                {ledger::Digest256{}},
                                protocol::from_epoch_ms(1'795'000'000'000)};
  const JsonObject good = ledger::evidence_json(evidence);
  EXPECT_EQ(ledger::evidence_json(must(ledger::parse_evidence(crypto::json_text(good)))), good);
  const auto refused = [&](std::string_view member, const Json& value) {
    JsonObject changed = good;
    changed[member] = value;
    return !ledger::parse_evidence(crypto::json_text(changed)).has_value();
  };
  EXPECT_FALSE(refused("first", Json(note)));
  EXPECT_TRUE(refused("v", "kith-ledger-evidence/2"));
  EXPECT_TRUE(refused("descriptor", "x"));
  EXPECT_TRUE(refused("first", 1));
  EXPECT_TRUE(refused("consistency", JsonArray{"x"}));
  EXPECT_TRUE(refused("noticed", "yesterday"));
  EXPECT_TRUE(refused("more", 1));
  EXPECT_FALSE(
      ledger::parse_evidence(std::string(limits::kLedgerEvidenceBytesMax + 1, ' ')).has_value());
}

}  // namespace
}  // namespace kith::test
