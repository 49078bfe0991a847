// A ledger in a cluster that fails: which server is asked, what is told, and that whatever happens
// to answers, an entry is there once. The contract's suite runs on it too.

#include "ledger/etcd/etcd_ledger.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "ledger/etcd/etcd_effects.hpp"
#include "ledger/ledger_effects.hpp"
#include "tests/support/fake_etcd.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"
#include "tests/support/lossy_way.hpp"

namespace kith::test {
namespace {

using ledger::Appended;
using ledger::AppendOutcome;
using ledger::EtcdAppend;
using ledger::EtcdLogin;
using ledger::EtcdRead;
using ledger::EtcdSession;
using ledger::HttpReply;
using ledger::JobQuestion;
using ledger::StaleHead;
using ledger::UnknownOutcome;
using std::chrono::milliseconds;

/// Drives a job and keeps what it asked.
template <class Job>
std::vector<JobQuestion> questions_of(Job& job, const ledger::JobExchange& exchange) {
  std::vector<JobQuestion> asked;
  while (auto question = job.next()) {
    job.take(exchange(*question));
    asked.push_back(std::move(*question));
  }
  return asked;
}

class EtcdLedgerTest : public ::testing::Test {
 protected:
  void SetUp() override { lab_.start(); }

  ledger::AppendRequest genesis() const { return {lab_.subject, lab_.blobs[0].blob, ""}; }
  static ledger::AppendRequest request(const Entry& entry) {
    return {entry.id, ledger::entry_blob(entry), entry.prev};
  }
  Result<AppendOutcome> append(const ledger::AppendRequest& wanted,
                               const ledger::JobExchange& exchange) {
    EtcdAppend job(session_, wanted, lab_.time, true);
    asked_ = questions_of(job, exchange);
    return job.result();
  }
  Result<AppendOutcome> append(const ledger::AppendRequest& wanted) {
    return append(wanted, cluster_.exchange());
  }
  Result<ledger::LedgerPage> read() {
    EtcdRead job(session_, lab_.subject, 0);
    asked_ = questions_of(job, cluster_.exchange());
    return job.result();
  }
  /// Copies of the genesis, as the cluster holds them.
  std::size_t copies() const { return cluster_.count_of(crypto::base64url(lab_.blobs[0].blob)); }
  void put_junk(std::size_t count, std::size_t bytes) {
    for (std::size_t i = 0; i < count; ++i) {
      cluster_.put("kith/" + lab_.subject + "/junk/" + std::to_string(i), std::string(bytes, 'j'));
    }
  }

  LogLab lab_;
  FakeEtcd cluster_;
  EtcdSession session_ = cluster_.session();
  std::vector<JobQuestion> asked_;
};

bool is_appended(const Result<AppendOutcome>& outcome) {
  return outcome.has_value() && std::holds_alternative<Appended>(*outcome);
}

// What gets lost.

TEST_F(EtcdLedgerTest, AfterAnUnknownOutcomeItReadsBeforeItWritesAgain) {
  LossyWay way(cluster_.exchange(), is_write);
  way.lose_answers = 1;
  const auto outcome = append(genesis(), way.exchange());
  ASSERT_TRUE(is_appended(outcome));
  EXPECT_EQ(copies(), 1U);
  const auto page = must(read());
  ASSERT_EQ(page.entries.size(), 1U);
  EXPECT_EQ(page.entries[0].position, std::get<Appended>(*outcome).position);
}

TEST_F(EtcdLedgerTest, WhatWasLostOnItsWayIsWrittenAgain) {
  LossyWay way(cluster_.exchange(), is_write);
  way.lose_writes = 3;
  ASSERT_TRUE(is_appended(append(genesis(), way.exchange())));
  EXPECT_EQ(copies(), 1U);
}

/// Done after it was given up: the condition refuses the second one.
TEST_F(EtcdLedgerTest, AWriteThatArrivesLateDoublesNothing) {
  std::optional<JobQuestion> late;
  const auto exchange = [&](const JobQuestion& question) -> Result<HttpReply> {
    if (is_write(question) && !late) {
      late = question;
      return fail(Errc::timeout, "");
    }
    if (is_write(question)) must(cluster_.answer(*late));
    return cluster_.answer(question);
  };
  ASSERT_TRUE(is_appended(append(genesis(), exchange)));
  EXPECT_EQ(copies(), 1U);
  EXPECT_EQ(must(read()).entries.size(), 1U);
}

TEST_F(EtcdLedgerTest, WhereNothingIsHeardAnyMoreTheOutcomeIsUnknown) {
  bool written = false;
  const auto exchange = [&](const JobQuestion& question) -> Result<HttpReply> {
    if (written) return fail(Errc::timeout, "");
    auto reply = cluster_.answer(question);
    written = is_write(question);
    return written ? Result<HttpReply>(fail(Errc::timeout, "")) : std::move(reply);
  };
  const auto outcome = must(append(genesis(), exchange));
  ASSERT_TRUE(std::holds_alternative<UnknownOutcome>(outcome));
  EXPECT_NE(std::get<UnknownOutcome>(outcome).why, "");
  // The caller asks again, and hears where it is.
  EXPECT_TRUE(is_appended(append(genesis())));
  EXPECT_EQ(copies(), 1U);
}

/// A client as one writes it first: no conditions, no reading, a new key for each try.
class HastyClient {
 public:
  explicit HastyClient(ledger::JobExchange exchange) : exchange_(std::move(exchange)) {}
  bool append(const ledger::AppendRequest& wanted, AnchorTime time) {
    const ledger::LedgerLeaf leaf{wanted.subject, wanted.blob, time, Kind::did};
    for (int n = 0; n < 3; ++n) {
      const std::string key = "kith/" + wanted.subject + "/" + std::to_string(n) + "/x";
      JobQuestion question;
      question.http = {"POST", "http://s0:1/v3/kv/txn",
                       ledger::write_question({key, "", 0, {{key, ledger::leaf_text(leaf)}}})};
      if (exchange_(question).has_value()) return true;
    }
    return false;
  }

 private:
  ledger::JobExchange exchange_;
};

TEST_F(EtcdLedgerTest, AClientThatTriesAgainWithoutReadingWouldBeSeen) {
  LossyWay way(cluster_.exchange(), is_write);
  way.lose_answers = 1;
  HastyClient hasty(way.exchange());
  ASSERT_TRUE(hasty.append(genesis(), lab_.time));
  EXPECT_EQ(copies(), 2U);
}

// Servers.

TEST_F(EtcdLedgerTest, GoesOnToAServerThatAnswersAndStaysThere) {
  cluster_.servers[0].dead = true;
  ASSERT_TRUE(is_appended(append(genesis())));
  EXPECT_EQ(asked_[0].patience, milliseconds{200});
  EXPECT_TRUE(asked_[1].http.target.starts_with("http://s1:1/"));
  cluster_.asked.clear();
  must(read());
  EXPECT_EQ(cluster_.asked, std::vector<std::string>{"1 /v3/kv/range"});
}

TEST_F(EtcdLedgerTest, PatienceGrowsAndEnds) {
  for (FakeServer& server : cluster_.servers) server.has_leader = false;
  const auto outcome = append(genesis());
  EXPECT_EQ(outcome.error(), Errc::ledger_no_leader);
  std::vector<milliseconds> patience, waits;
  for (std::size_t i = 0; i < 15; i += 3) {
    patience.push_back(asked_[i].patience);
    waits.push_back(asked_[i].wait);
    EXPECT_EQ(asked_[i + 1].wait.count(), 0);
  }
  EXPECT_EQ(patience, (std::vector<milliseconds>{200ms, 200ms, 400ms, 800ms, 1600ms}));
  EXPECT_EQ(waits, (std::vector<milliseconds>{0ms, 50ms, 100ms, 200ms, 400ms}));
  EXPECT_EQ(asked_.size(), 18U);  // And how each of them is.
  EXPECT_EQ(cluster_.items.size(), 0U);
}

TEST_F(EtcdLedgerTest, TellsAMissingLeaderFromAMissingMajority) {
  for (FakeServer& server : cluster_.servers) server.has_leader = false;
  cluster_.servers[1].dead = true;
  EXPECT_EQ(append(genesis()).error(), Errc::ledger_no_leader);
  EXPECT_EQ(read().error(), Errc::ledger_no_leader);
  cluster_.servers[2].dead = true;
  const auto minority = append(genesis());
  EXPECT_EQ(minority.error(), Errc::ledger_no_quorum);
  EXPECT_EQ(minority.error().detail, "1 of 3 servers answers");
  EXPECT_EQ(read().error(), Errc::ledger_no_quorum);
  cluster_.servers[0].dead = true;
  EXPECT_EQ(append(genesis()).error(), Errc::unreachable);
  for (FakeServer& server : cluster_.servers) server = FakeServer{};
  EXPECT_TRUE(is_appended(append(genesis())));
}

TEST_F(EtcdLedgerTest, AClusterThatKnowsItsLeaderAndIsSilentIsSlow) {
  const auto exchange = [&](const JobQuestion& question) -> Result<HttpReply> {
    if (question.http.target.ends_with("/status")) return cluster_.answer(question);
    return fail(Errc::timeout, "");
  };
  EXPECT_EQ(append(genesis(), exchange).error(), Errc::timeout);
}

TEST_F(EtcdLedgerTest, WhatIsNoEtcdIsToldAtOnce) {
  const auto other = [](const JobQuestion&) { return HttpReply{404, "text/plain", "Not Found"}; };
  EXPECT_EQ(append(genesis(), other).error(), Errc::unsupported);
  EXPECT_EQ(asked_.size(), 1U);
  const auto nonsense = [](const JobQuestion&) { return HttpReply{200, "", "<html>"}; };
  EXPECT_EQ(append(genesis(), nonsense).error(), Errc::malformed);
  const auto refused = [](const JobQuestion&) -> Result<HttpReply> {
    return fail(Errc::refused, "addresses of private networks are not allowed here");
  };
  EXPECT_EQ(append(genesis(), refused).error(), Errc::refused);
}

// Names and passwords.

class EtcdLoginTest : public EtcdLedgerTest {
 protected:
  void SetUp() override {
    EtcdLedgerTest::SetUp();
    cluster_.name = "kith";
    cluster_.password = "secret";
  }
  void log_in_as(const std::string& who) {
    session_ = cluster_.session(must(EtcdLogin::parse("etcd://" + who + "@s0:1,s1:1,s2:1")));
  }
};

TEST_F(EtcdLoginTest, LogsInOnceAndAgainWhenTheTokenRunsOut) {
  log_in_as("kith:secret");
  ASSERT_TRUE(is_appended(append(genesis())));
  EXPECT_TRUE(asked_[0].http.target.ends_with("/v3/auth/authenticate"));
  EXPECT_GT(asked_[0].patience, asked_[1].patience);
  must(read());
  EXPECT_EQ(cluster_.logins, 1U);
  cluster_.tokens.clear();
  EXPECT_EQ(must(read()).entries.size(), 1U);
  EXPECT_EQ(cluster_.logins, 2U);
}

TEST_F(EtcdLoginTest, SaysWhatIsWrong) {
  EXPECT_EQ(append(genesis()).error(), Errc::ledger_login_needed);
  log_in_as("kith:wrong");
  EXPECT_EQ(append(genesis()).error(), Errc::ledger_login_wrong);
  EXPECT_EQ(asked_.size(), 1U);  // Guessing again would lock people out elsewhere.
  cluster_.password.clear();     // Authentication is off: a login does no harm.
  EXPECT_TRUE(is_appended(append(genesis())));
}

TEST_F(EtcdLoginTest, ATokenThatIsNeverTakenEndsTheJob) {
  log_in_as("kith:secret");
  const auto exchange = [&](const JobQuestion& question) {
    cluster_.tokens.clear();
    return cluster_.answer(question);
  };
  EXPECT_EQ(append(genesis(), exchange).error(), Errc::ledger_login_wrong);
  EXPECT_LE(cluster_.logins, ledger::etcd_limits::kLoginsPerJob);
}

TEST_F(EtcdLoginTest, AWriteWhoseTokenRanOutIsDoneAfterANewLogin) {
  log_in_as("kith:secret");
  LossyWay way(cluster_.exchange(), is_write);
  way.before_write = [&] { cluster_.tokens.clear(); };
  ASSERT_TRUE(is_appended(append(genesis(), way.exchange())));
  EXPECT_EQ(copies(), 1U);
}

// Junk, and answers that are too long.

TEST_F(EtcdLedgerTest, JunkIsPassedOverAndCountsForNothing) {
  put_junk(40, 100);
  ASSERT_TRUE(is_appended(append(genesis())));
  put_junk(1, 50);  // Rewrites one; keeps its place.
  const Entry update = lab_.update(1);
  ASSERT_TRUE(is_appended(append(request(update))));
  cluster_.put("kith/head/" + lab_.subject, "somebody's");
  lab_.post(update);
  ASSERT_TRUE(is_appended(append(request(lab_.update(2)))));
  const auto page = must(read());
  EXPECT_TRUE(page.complete);
  EXPECT_EQ(page.entries.size(), 3U);
}

/// The cluster's servers refuse nothing below 1.5 MiB; an answer of that size is not read.
TEST_F(EtcdLedgerTest, ValuesTooLongToReadArePassedOver) {
  ASSERT_TRUE(is_appended(append(genesis())));
  put_junk(3, limits::kJsonBytesMax);
  const Entry update = lab_.update(1);
  ASSERT_TRUE(is_appended(append(request(update))));
  EXPECT_EQ(must(read()).entries.size(), 2U);
}

TEST_F(EtcdLedgerTest, EndlessJunkEndsTheJob) {
  unsigned round = 0;
  const auto exchange = [&](const JobQuestion& question) {
    cluster_.items.clear();
    cluster_.revision = 100 + 20 * ++round;
    put_junk(20, 10);
    return cluster_.answer(question);
  };
  EtcdRead job(session_, lab_.subject, 0);
  const auto asked = questions_of(job, exchange);
  EXPECT_EQ(job.result().error(), Errc::limit_exceeded);
  EXPECT_EQ(asked.size(), std::size_t{ledger::etcd_limits::kQuestionsPerJob});
}

TEST_F(EtcdLedgerTest, OthersWhoAreAlwaysFirstEndTheJob) {
  ASSERT_TRUE(is_appended(append(genesis())));
  const auto exchange = [&](const JobQuestion& question) {
    if (is_write(question)) cluster_.put("kith/head/" + lab_.subject, "theirs");
    return cluster_.answer(question);
  };
  EXPECT_EQ(append(request(lab_.update(1)), exchange).error(), Errc::busy);
  EXPECT_EQ(must(read()).entries.size(), 1U);
}

TEST_F(EtcdLedgerTest, AnAnswerThatLiesAboutTheWriteIsNotBelieved) {
  ASSERT_TRUE(is_appended(append(genesis())));
  const Entry update = lab_.update(1);
  const auto exchange = [&](const JobQuestion& question) -> Result<HttpReply> {
    if (!is_write(question)) return cluster_.answer(question);
    return HttpReply{200, "application/json", R"({"header":{"revision":"1"},"succeeded":true})"};
  };
  const auto outcome = append(request(update), exchange);
  EXPECT_FALSE(is_appended(outcome));
  EXPECT_EQ(must(read()).entries.size(), 1U);
}

// Logs that come and go.

TEST_F(EtcdLedgerTest, ALogThatLeftGoesOnElsewhereAlone) {
  ledger::EtcdDescriptor made(session_, "etcd.example/1");
  drive(made, cluster_.exchange());
  const std::string here = ledger::ledger_id(must(made.result()));
  LogLab lab(ledger::Kind::did, {}, 7);
  LogContent content = lab.first_content();
  content.ledgers = {here};
  lab.ledger = here;
  lab.start_with(content);
  ASSERT_TRUE(is_appended(append({lab.subject, lab.blobs[0].blob, ""})));
  const Entry move = lab.move(here, "ledger:elsewhere");
  ASSERT_TRUE(is_appended(append(request(move))));
  lab.post(move);
  const LogView view = lab.view();
  Entry update = must(ledger::make_update(view, lab.next_state(view, 1), lab.time));
  lab.sign(update, lab.update_signers(view));
  EXPECT_EQ(append(request(update)).error(), Errc::invalid_entry);
  // Without its descriptor nobody knows which ledger it is, nor that the log left.
  cluster_.put("kith/ledger", "nothing");
  EXPECT_TRUE(is_appended(append(request(update))));
}

// What it is, and effects.

TEST_F(EtcdLedgerTest, WhoComesFirstMakesTheLedgerAndAllOthersFindIt) {
  ledger::EtcdDescriptor first(session_, "etcd.example/1");
  LossyWay way(cluster_.exchange(), is_write);
  way.lose_answers = 1;
  drive(first, way.exchange());
  ledger::EtcdDescriptor second(session_, "etcd.example/2");
  drive(second, cluster_.exchange());
  const ledger::LedgerDescriptor made = must(first.result());
  EXPECT_EQ(made, must(second.result()));
  EXPECT_EQ(made.kind, "etcd");
  EXPECT_EQ(made.origin, "etcd.example/1");
  EXPECT_FALSE(ledger::can_prove(made));
  EXPECT_EQ(ledger::parse_descriptor(ledger::descriptor_json(made)).value(), made);
  // A key in it would be somebody's, and another kind has to have one.
  const auto as_kind = [](std::string text, const std::string& from, const std::string& to) {
    return text.replace(text.find(from), from.size(), to);
  };
  const std::string host = ledger::descriptor_json(ledger_descriptor());
  const std::string keyless = ledger::descriptor_json(made);
  for (const std::string& bad :
       {std::string("junk"), std::string("{}"), host, keyless + " ",
        as_kind(host, "\"host\"", "\"etcd\""), as_kind(keyless, "\"etcd\"", "\"host\"")}) {
    cluster_.put("kith/ledger", bad);
    ledger::EtcdDescriptor third(session_, "etcd.example/3");
    drive(third, cluster_.exchange());
    EXPECT_FALSE(third.result().has_value()) << bad;
  }
  EXPECT_EQ(ledger::open_checkpoint("", made).error(), Errc::ledger_no_proof);
}

TEST_F(EtcdLedgerTest, EffectsGetWhatTheirOwnersExpect) {
  const ledger::EtcdTaskContext context{lab_.time, true, "etcd.example/1"};
  const auto perform = [&](protocol::EffectKind kind, Bytes payload) {
    protocol::Effect effect;
    effect.id = "e1";
    effect.kind = kind;
    effect.payload = std::move(payload);
    EXPECT_EQ(ledger::ledger_of(effect), cluster_.url());
    const auto task = must(ledger::etcd_task(effect, session_, context));
    drive(task->job(), cluster_.exchange());
    EXPECT_EQ(task->result().id, "e1");
    return task->result();
  };
  const auto fetched = perform(protocol::EffectKind::fetch,
                               protocol::encode_record(protocol::FetchPayload{
                                   ledger::descriptor_url(cluster_.url()), {}, false, false, 0}));
  EXPECT_TRUE(
      ledger::parse_descriptor(crypto::as_text(must(Result<Bytes>(fetched.outcome)))).has_value());
  const Bytes wanted = protocol::encode_record(
      protocol::LedgerAppendPayload{cluster_.url(), lab_.subject, lab_.blobs[0].blob, ""});
  const auto appended = perform(protocol::EffectKind::ledger_append, wanted);
  const auto record = must(protocol::decode_record<protocol::LedgerAppended>(*appended.outcome));
  EXPECT_FALSE(record.stale);
  EXPECT_GT(record.position, 0U);
  const Bytes asked =
      protocol::encode_record(protocol::LedgerReadPayload{cluster_.url(), lab_.subject, 0, 0});
  const auto shown = perform(protocol::EffectKind::ledger_read, asked);
  const auto entries = must(protocol::decode_record<protocol::LedgerEntries>(*shown.outcome));
  ASSERT_EQ(entries.entries.size(), 1U);
  EXPECT_EQ(entries.entries[0].position, record.position);
  EXPECT_FALSE(entries.proof.has_value());
  // What people have to know is not tried again behind their backs.
  for (FakeServer& server : cluster_.servers) server.dead = true;
  const auto failed = perform(protocol::EffectKind::ledger_read, asked);
  EXPECT_TRUE(failed.outcome.has_error());
  EXPECT_FALSE(failed.retry);
}

}  // namespace
}  // namespace kith::test
