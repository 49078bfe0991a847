// A copy of a ledger, and the ledger that it follows, with nothing but strings between them: it
// shows what the ledger showed, when that is gone; and it takes nothing from one that lies.

#include "ledger/remote/replica.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "ledger/checkpoint.hpp"
#include "ledger/embedded/leveldb_ledger.hpp"
#include "ledger/memory_ledger.hpp"
#include "ledger/remote/limits.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using ledger::AnchorTime;
using ledger::HttpReply;
using ledger::LedgerEvidence;
using ledger::LevelDbLedger;
using ledger::Replica;
using ledger::SeenLedger;

constexpr std::string_view kOrigin = "https://ledger.example";

/// A copy on a disk, and what its node remembers.
class Copy {
 public:
  explicit Copy(const ledger::LedgerDescriptor& descriptor)
      : seen_{ledger::descriptor_json(descriptor), {}, {}}, descriptor_(descriptor) {
    open();
  }
  void open() {
    replica_.reset();
    service_.reset();
    ledger_.reset();
    ledger_ = must(LevelDbLedger::open({directory_.path(), descriptor_, false}));
    replica_.emplace(must(Replica::of(*ledger_, must(ledger::LedgerClient::at(kOrigin)), seen_,
                                      [this](const SeenLedger& seen) -> Result<void> {
                                        seen_ = seen;
                                        if (dies_) return fail(Errc::storage_unknown);
                                        return {};
                                      })));
    service_ = std::make_unique<ledger::LedgerService>(*ledger_, std::string(kOrigin));
  }
  /// One question and its answer; whether there was one.
  template <class F>
  bool ask(AnchorTime now, F&& answer) {
    const auto question = must(replica_->ask(now));
    if (!question) return false;
    EXPECT_FALSE(must(replica_->ask(now)));  // One at a time.
    ledger::HttpQuestion asked = *question;
    asked.target = asked.target.substr(kOrigin.size());
    taken = replica_->take(answer(asked), now);
    return true;
  }
  HttpReply get(const std::string& target, AnchorTime now) {
    return service_->handle({"GET", target, ""}, now);
  }
  Replica& replica() { return *replica_; }
  LevelDbLedger& store() { return *ledger_; }
  ledger::LedgerService& service() { return *service_; }
  void die_when_it_remembers() { dies_ = true; }
  void live() { dies_ = false; }

  Result<void> taken = {};

 private:
  const TemporaryDirectory directory_;
  SeenLedger seen_;
  ledger::LedgerDescriptor descriptor_;
  std::unique_ptr<LevelDbLedger> ledger_;
  std::optional<Replica> replica_;
  std::unique_ptr<ledger::LedgerService> service_;
  bool dies_ = false;
};

/// One history of the ledger.
struct Origin {
  explicit Origin(const ledger::LedgerDescriptor& descriptor = ledger_descriptor())
      : store(descriptor, true), service(store, ledger_signer()) {}
  void add(std::uint64_t seed) {
    LogLab lab(Kind::did, {}, seed);
    lab.start();
    must(store.append({lab.subject, lab.blobs[0].blob, ""}, lab.time));
  }
  ledger::MemoryLedger store;
  ledger::LedgerService service;
};

class ReplicaTest : public ::testing::Test {
 protected:
  HttpReply answer(const ledger::HttpQuestion& question) {
    HttpReply reply = origins_[shown_]->service.handle(question, now_);
    if (spoil_ && reply.status == 200) {
      Json page = must(crypto::parse_json(reply.body));
      spoil_(page.get_object());
      reply.body = crypto::json_text(page);
    }
    return reply;
  }
  bool ask(Copy& copy) {
    return copy.ask(now_,
                    [this](const auto& question) -> Result<HttpReply> { return answer(question); });
  }
  /// Until there is nothing to ask for now; how many questions that took.
  std::size_t follow(Copy& copy) {
    std::size_t asked = 0;
    while (ask(copy)) ++asked;
    return asked;
  }
  void later() { now_ += ledger::remote_limits::kFollowRetryMax; }
  Origin& origin() { return *origins_.front(); }
  void add(std::uint64_t first, std::uint64_t count) {
    for (std::uint64_t seed = first; seed < first + count; ++seed) origin().add(seed);
  }
  /// The first `count` entries, and then another.
  std::size_t fork_after(std::uint64_t count, std::uint64_t seed) {
    origins_.push_back(std::make_unique<Origin>());
    for (const auto& entry : must(origin().store.follow(0, count)).entries) {
      must(origins_.back()->store.append({entry.subject, entry.blob, ""}, entry.time));
    }
    if (seed != 0) origins_.back()->add(seed);
    return origins_.size() - 1;
  }
  /// All that a reader may ask is answered as the ledger answers it.
  void expect_same(Copy& copy) {
    const std::uint64_t size = origin().store.size();
    ASSERT_EQ(copy.store().size(), size);
    std::vector<std::string> targets{"/ledger/checkpoint", "/ledger/descriptor",
                                     "/ledger/follow?position=0&seen=0",
                                     "/ledger/proof/consistency?old=1"};
    targets.push_back("/ledger/follow?position=1&max=2&seen=" + std::to_string(size));
    targets.push_back("/ledger/proof/inclusion?position=" + std::to_string(size - 1));
    for (const auto& entry : must(origin().store.follow(0, 3)).entries) {
      targets.push_back("/ledger/log/" + entry.subject + "?seen=0");
    }
    for (const std::string& target : targets) {
      const HttpReply wanted = origin().service.handle({"GET", target, ""}, now_);
      const HttpReply got = copy.get(target, now_);
      EXPECT_EQ(got.status, wanted.status) << target;
      EXPECT_EQ(got.body, wanted.body) << target;
    }
  }

  std::vector<std::unique_ptr<Origin>> origins_ = [] {
    std::vector<std::unique_ptr<Origin>> first;
    first.push_back(std::make_unique<Origin>());
    return first;
  }();
  std::size_t shown_ = 0;
  std::function<void(JsonObject&)> spoil_;
  AnchorTime now_ = ledger::anchor_time_ms(1'795'000'000'000);
};

TEST_F(ReplicaTest, ShowsWhatTheLedgerShows) {
  Copy copy(ledger_descriptor());
  add(1, 5);
  EXPECT_EQ(follow(copy), 1U);
  expect_same(copy);
  EXPECT_EQ(copy.replica().error(), std::nullopt);
  // Nothing new; then something new; and it is asked for in time.
  later();
  EXPECT_EQ(follow(copy), 1U);
  add(6, 2);
  EXPECT_EQ(follow(copy), 0U);
  now_ += ledger::remote_limits::kFollowEvery;
  EXPECT_EQ(follow(copy), 1U);
  expect_same(copy);
}

TEST_F(ReplicaTest, TakesALongLedgerInPagesAndShowsItWhenItHasAllOfIt) {
  Copy copy(ledger_descriptor());
  add(1, limits::kLedgerPageEntriesMax + 4);
  ASSERT_TRUE(ask(copy));
  EXPECT_EQ(copy.store().size(), limits::kLedgerPageEntriesMax);
  // The ledger signed for more than is there yet.
  EXPECT_EQ(copy.get("/ledger/checkpoint", now_).status, 503);
  EXPECT_EQ(copy.get("/ledger/follow?position=0&seen=0", now_).status, 503);
  EXPECT_EQ(follow(copy), 1U);
  expect_same(copy);
}

TEST_F(ReplicaTest, TakesNoEntriesAndNamesTheLedgerThatDoes) {
  Copy copy(ledger_descriptor());
  add(1, 1);
  follow(copy);
  LogLab lab(Kind::did, {}, 2);
  lab.start();
  const auto question = must(ledger::LedgerClient::at("https://copy.example"))
                            .ask_append({lab.subject, lab.blobs[0].blob, ""});
  const HttpReply reply = copy.service().handle(
      {"POST", question.target.substr(std::string_view("https://copy.example").size()),
       question.body},
      now_);
  EXPECT_EQ(reply.status, 403);
  EXPECT_NE(reply.body.find(kOrigin), std::string::npos) << reply.body;
  EXPECT_EQ(ledger::LedgerClient::read_append(reply).error(), Errc::refused);
  EXPECT_EQ(copy.store().size(), 1U);
}

TEST_F(ReplicaTest, OneThatLagsDoesNotLookLikeAStepBack) {
  Copy copy(ledger_descriptor());
  add(1, 2);
  follow(copy);
  add(3, 1);
  const HttpReply reply = copy.get("/ledger/follow?position=0&seen=3", now_);
  EXPECT_EQ(reply.status, 503);
  const auto read = ledger::LedgerClient::read_follow(0, 256, reply);
  EXPECT_EQ(read.error(), Errc::unreachable);  // To be asked again.
  later();
  follow(copy);
  EXPECT_EQ(copy.get("/ledger/follow?position=0&seen=3", now_).status, 200);
}

TEST_F(ReplicaTest, GoesOnAfterARestartAndACrash) {
  Copy copy(ledger_descriptor());
  add(1, 3);
  follow(copy);
  copy.open();
  expect_same(copy);  // Before it has asked anybody.
  add(4, 2);
  copy.die_when_it_remembers();
  EXPECT_TRUE(ask(copy));
  EXPECT_EQ(copy.taken.error(), Errc::storage_unknown);
  EXPECT_EQ(copy.store().size(), 3U);
  copy.live();
  copy.open();
  follow(copy);
  expect_same(copy);
}

TEST_F(ReplicaTest, AStepBackAndAForkLeaveEvidenceAndChangeNothing) {
  Copy copy(ledger_descriptor());
  add(1, 4);
  follow(copy);
  const std::string shown = copy.get("/ledger/checkpoint", now_).body;
  struct Lie {
    std::size_t history;
    ledger::EvidenceKind kind;
  };
  for (const Lie& lie : {Lie{fork_after(2, 0), ledger::EvidenceKind::rollback},
                         Lie{fork_after(3, 50), ledger::EvidenceKind::fork}}) {
    shown_ = lie.history;
    for (int i = 0; i < 3; ++i) {
      later();
      ASSERT_TRUE(ask(copy));
      ASSERT_TRUE(copy.taken.has_value());
      EXPECT_TRUE(copy.replica().error().has_value());
      const auto evidence = copy.replica().take_evidence();
      ASSERT_EQ(evidence.has_value(), i == 0);  // Told once.
      if (!evidence) continue;
      const auto file =
          must(ledger::parse_evidence(crypto::json_text(ledger::evidence_json(*evidence))));
      EXPECT_EQ(must(ledger::judge_evidence(file)).kind, lie.kind);
    }
    EXPECT_EQ(copy.store().size(), 4U);
    EXPECT_EQ(copy.get("/ledger/checkpoint", now_).body, shown);
  }
  const std::size_t longer = fork_after(2, 60);
  for (std::uint64_t seed = 61; seed < 65; ++seed) origins_[longer]->add(seed);
  shown_ = 0;
  Copy another(ledger_descriptor());
  follow(another);
  shown_ = longer;
  later();
  ASSERT_TRUE(ask(another));
  const auto evidence = another.replica().take_evidence();
  ASSERT_TRUE(evidence.has_value());
  EXPECT_EQ(another.store().size(), 4U);
  EXPECT_EQ(must(ledger::judge_evidence(*evidence)).kind, ledger::EvidenceKind::not_continued);
  // The ledger repents.
  shown_ = 0;
  add(5, 1);
  later();
  follow(copy);
  EXPECT_EQ(copy.replica().error(), std::nullopt);
  expect_same(copy);
}

TEST_F(ReplicaTest, NothingIsTakenThatIsNotProven) {
  add(1, 4);
  const auto entry = [](JsonObject& page, std::size_t i) -> JsonObject& {
    return page.at("entries").get_array().at(i).get_object();
  };
  const std::vector<std::function<void(JsonObject&)>> lies{
      [](JsonObject& page) { page.at("entries").get_array().pop_back(); },
      [](JsonObject& page) {
        auto& entries = page.at("entries").get_array();
        entries.erase(entries.begin() + 1);
      },
      [&](JsonObject& page) { entry(page, 1)["time"] = entry(page, 1)["time"].get_int64() + 1; },
      [&](JsonObject& page) { entry(page, 3)["subject"] = entry(page, 2)["subject"]; },
      [&](JsonObject& page) { entry(page, 2)["blob"] = entry(page, 1)["blob"]; },
      [&](JsonObject& page) { entry(page, 2)["proof"] = entry(page, 1)["proof"]; },
      [](JsonObject& page) {
        page.at("tree").get_object()["descriptor"] =
            must(crypto::parse_json(ledger::descriptor_json(ledger_descriptor(2))));
      },
      [](JsonObject& page) { page.erase("tree"); },
  };
  for (std::size_t i = 0; i < lies.size(); ++i) {
    Copy copy(ledger_descriptor());
    spoil_ = lies[i];
    ASSERT_TRUE(ask(copy)) << i;
    ASSERT_TRUE(copy.taken.has_value()) << i;
    EXPECT_TRUE(copy.replica().error().has_value()) << i;
    EXPECT_EQ(copy.store().size(), 0U) << i;
    EXPECT_EQ(copy.get("/ledger/checkpoint", now_).status, 503) << i;
    spoil_ = nullptr;
    later();
    follow(copy);
    expect_same(copy);
  }
}

TEST_F(ReplicaTest, AskIsSlowedByFailuresAndNotByMoreThanAMinute) {
  Copy copy(ledger_descriptor());
  const auto begin = now_;
  for (int i = 0; i < 12; ++i) {
    now_ = std::max(now_, copy.replica().next());
    ASSERT_TRUE(
        copy.ask(now_, [](const auto&) -> Result<HttpReply> { return fail(Errc::unreachable); }));
    EXPECT_EQ(copy.replica().error().value(), Errc::unreachable);
    EXPECT_LE(copy.replica().next() - now_, ledger::remote_limits::kFollowRetryMax);
  }
  EXPECT_GT(now_ - begin, 4 * ledger::remote_limits::kFollowRetryMax);
}

// --- With witnesses

ledger::LedgerDescriptor with_one_witness() {
  ledger::LedgerDescriptor descriptor = ledger_descriptor();
  descriptor.witnesses = {ledger_descriptor(50).key};
  descriptor.w = 1;
  return descriptor;
}
/// A checkpoint over the first `size` entries, which the witness has signed.
ledger::CosignedCheckpoint cosigned(const ledger::MemoryLedger& store, std::uint64_t size,
                                    AnchorTime now) {
  ledger::LedgerProver prover(store, ledger_signer());
  ledger::SignedNote note = must(ledger::parse_note(must(prover.signed_by_ledger(size))));
  const ledger::CosignatureTime time{std::chrono::seconds{ledger::to_ms(now) / 1000}};
  const Bytes signature =
      must(ledger_signer(50)(crypto::as_bytes(ledger::cosigned_text(note.text, time))));
  note.signatures.push_back(ledger::witness_signature(ledger_descriptor(50).key, time, signature));
  return {size, ledger::note_text(note)};
}

TEST_F(ReplicaTest, ShowsWhatWitnessesSignedAndWhen) {
  origins_[0] = std::make_unique<Origin>(with_one_witness());
  for (std::uint64_t i = 1; i <= 4; ++i) {
    add(i, 1);
    if (i != 2) must(origin().store.keep_cosigned(cosigned(origin().store, i, now_)));
    now_ += std::chrono::minutes{10};
  }
  add(5, 1);  // Which no witness has seen.
  Copy copy(with_one_witness());
  follow(copy);
  EXPECT_EQ(copy.replica().error(), std::nullopt);
  EXPECT_EQ(copy.store().size(), 4U);
  for (const char* target : {"/ledger/follow?position=0&seen=0", "/ledger/checkpoint",
                             "/ledger/follow?position=1&seen=3"}) {
    EXPECT_EQ(copy.get(target, now_).body, origin().service.handle({"GET", target, ""}, now_).body);
  }
  for (std::uint64_t size = 1; size <= 4; ++size) {
    EXPECT_EQ(must(copy.store().first_cosigned(size)), must(origin().store.first_cosigned(size)));
  }
  // A younger signature of the same tree.
  now_ += std::chrono::hours{2};
  must(origin().store.keep_cosigned(cosigned(origin().store, 4, now_)));
  follow(copy);
  EXPECT_EQ(must(copy.store().newest_cosigned()), must(origin().store.newest_cosigned()));
  EXPECT_EQ(must(copy.store().first_cosigned(4)), must(origin().store.first_cosigned(4)));
}

/// The root is computed from what the copy holds, not believed.
TEST_F(ReplicaTest, ShowsNoCheckpointWhoseRootIsNotThatOfItsEntries) {
  origins_[0] = std::make_unique<Origin>(with_one_witness());
  add(1, 3);
  must(origin().store.keep_cosigned(cosigned(origin().store, 3, now_)));
  // The ledger signed another tree of two, and so did its witness.
  Origin other(with_one_witness());
  other.add(1);
  other.add(70);
  const std::string forged = cosigned(other.store, 2, now_).note;
  spoil_ = [&](JsonObject& page) {
    auto& anchors = page.at("tree").get_object().at("anchors").get_array();
    anchors.insert(anchors.begin(), Json(forged));
    for (Json& entry : page.at("entries").get_array()) {
      Json& anchor = entry.get_object().at("anchor");
      anchor = anchor.get_int64() + 1;
    }
  };
  Copy copy(with_one_witness());
  ASSERT_TRUE(ask(copy));
  ASSERT_TRUE(copy.taken.has_value());
  EXPECT_EQ(copy.replica().error().value(), Errc::ledger_fork);
  EXPECT_EQ(must(copy.store().first_cosigned(0)), std::nullopt);
  EXPECT_EQ(copy.get("/ledger/checkpoint", now_).status, 503);
  spoil_ = nullptr;
  later();
  follow(copy);
  EXPECT_EQ(copy.replica().error(), std::nullopt);
  EXPECT_EQ(must(copy.store().newest_cosigned())->size, 3U);
}

}  // namespace
}  // namespace kith::test
