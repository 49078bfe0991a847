// A ledger at work with witnesses on real sockets: quick, slow, and dead ones. An append is
// answered when enough have signed, and in any case within the documented time.

#include "node/runtime/ledger_desk.hpp"

#include <gtest/gtest.h>

#include "crypto/software_keys.hpp"
#include "ledger/add_checkpoint.hpp"
#include "ledger/checkpoint.hpp"
#include "ledger/remote/limits.hpp"
#include "ledger/witness_limits.hpp"
#include "tests/node/net_fixture.hpp"
#include "tests/support/disk_syncs.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"
#include "tests/support/memory_store.hpp"

namespace kith::node {
namespace {

using namespace std::chrono_literals;
using test::must;
using test::run_until;

/// Signs whatever it is asked for, at the wall clock's time; or does not answer.
class QuickWitness {
 public:
  QuickWitness(boost::asio::io_context& io, std::uint64_t seed)
      : key_(test::ledger_descriptor(seed).key), sign_(test::ledger_signer(seed)) {
    server_ = must(
        HttpServer::listen(io, "127.0.0.1", 0, [this](HttpRequest request, HttpRespond respond) {
          ++asked;
          if (silent) return held_.push_back(std::move(respond));
          respond(answer(request));
        }));
  }
  /// As a line of kith.toml.
  std::string line() const {
    return ledger::verifier_key("w", ledger::NoteSignatureType::cosignature, key_) +
           " http://127.0.0.1:" + std::to_string(server_->port());
  }
  void die() { server_.reset(); }

  bool silent = false;
  int asked = 0;

 private:
  HttpResponse answer(const HttpRequest& request) {
    EXPECT_EQ(request.path, "/add-checkpoint");
    const auto asked_for = must(ledger::parse_add_checkpoint(crypto::as_text(request.body)));
    const auto note = must(ledger::parse_note(asked_for.checkpoint));
    const ledger::CosignatureTime time{std::chrono::seconds{read_clocks().wall_ms / 1000}};
    const Bytes signature = must(sign_(crypto::as_bytes(ledger::cosigned_text(note.text, time))));
    const std::string lines =
        ledger::signature_lines({ledger::witness_signature(key_, time, signature)});
    return {200, "text/plain", crypto::to_bytes(std::string_view(lines)), {}};
  }

  PublicKey key_;
  ledger::LedgerProver::Sign sign_;
  std::unique_ptr<HttpServer> server_;
  std::vector<HttpRespond> held_;
};

class LedgerDeskTest : public ::testing::Test {
 protected:
  LedgerDeskTest() {
    for (std::uint64_t seed = 60; seed < 63; ++seed) {
      witnesses_.push_back(std::make_unique<QuickWitness>(io_, seed));
    }
  }
  void open(std::int64_t needed) {
    std::vector<std::string> lines;
    for (const auto& witness : witnesses_) lines.push_back(witness->line());
    open(lines, needed);
  }
  void open(const std::vector<std::string>& lines, std::int64_t needed) {
    home_ = std::make_unique<HomeLedger>(directory_.path(), store_, keys_, random_, true,
                                         must(home_witnesses(lines, needed)));
    desk_ = std::make_unique<LedgerDesk>(io_, client_, *home_, [this](const Error& error) {
      if (!broken_disk_) ADD_FAILURE() << error.detail;
      ++failures_;
    });
    must(desk_->serve());
  }
  static ledger::HttpQuestion question(std::uint64_t seed) {
    test::LogLab lab(ledger::Kind::did, {}, seed);
    lab.start(true);
    JsonObject body;
    body["blob"] = crypto::base64url(lab.blobs[0].blob);
    body["expected_head"] = "";
    return {"POST", "/ledger/log/" + lab.subject, crypto::json_text(body)};
  }
  protocol::Effect own_append(std::uint64_t seed) {
    test::LogLab lab(ledger::Kind::did, {}, seed);
    lab.start(true);
    protocol::Effect effect;
    effect.id = "e" + std::to_string(seed);
    effect.kind = protocol::EffectKind::ledger_append;
    effect.payload = protocol::encode_record(
        protocol::LedgerAppendPayload{home_->default_url(), lab.subject, lab.blobs[0].blob, ""});
    return effect;
  }
  /// The status of an append, and how long it took.
  struct Answered {
    int status = 0;
    std::string body;
    std::int64_t ms = 0;
  };
  Answered append(std::uint64_t seed) {
    const ledger::HttpQuestion asked = question(seed);
    const std::int64_t begin_ms = read_clocks().steady_ms;
    std::optional<ledger::HttpReply> reply;
    desk_->handle(asked, [&](ledger::HttpReply got) { reply = std::move(got); });
    EXPECT_TRUE(run_until(io_, [&] { return reply.has_value(); }));
    if (!reply) return {};
    return {reply->status, reply->body, read_clocks().steady_ms - begin_ms};
  }
  JsonObject report() { return must(desk_->report()); }

  boost::asio::io_context io_{1};
  test::TemporaryDirectory directory_;
  crypto::SeededRandom random_{5, "desk"};
  crypto::SoftwareKeys keys_{random_.secret(32), random_};
  test::MemoryStore store_;
  HttpClient client_{io_, [] {
                       ClientOptions options;
                       options.policy.allow_private = true;
                       return options;
                     }()};
  std::vector<std::unique_ptr<QuickWitness>> witnesses_;
  std::unique_ptr<HomeLedger> home_;
  std::unique_ptr<LedgerDesk> desk_;
  bool broken_disk_ = false;
  int failures_ = 0;
};

TEST_F(LedgerDeskTest, AnAppendComesWithTheSignaturesThatItNeeds) {
  open(2);
  const Answered done = append(1);
  ASSERT_EQ(done.status, 200) << done.body;
  const Json json = must(crypto::parse_json(done.body));
  const auto receipt =
      must(ledger::parse_receipt(must(crypto::json_string(json.get_object(), "receipt"))));
  const auto trusted = must(ledger::open_checkpoint(
      receipt.checkpoint, must(home_->open(home_->default_url()))->descriptor()));
  EXPECT_GE(trusted.cosignatures.size(), 2U);
}

TEST_F(LedgerDeskTest, ASlowAndADeadWitnessHoldNobodyUp) {
  open(1);
  ASSERT_EQ(append(1).status, 200);
  witnesses_[0]->silent = true;
  witnesses_[1]->die();
  for (std::uint64_t seed = 2; seed < 6; ++seed) {
    const Answered done = append(seed);
    EXPECT_EQ(done.status, 200) << done.body;
    EXPECT_LT(done.ms, ledger::witness_limits::kPatience.count());
  }
}

TEST_F(LedgerDeskTest, TooFewAreWaitedForNoLongerThanIsPromised) {
  open(3);
  ASSERT_EQ(append(1).status, 200);
  witnesses_[0]->silent = true;
  const Answered late = append(2);
  EXPECT_EQ(late.status, 503);
  EXPECT_NE(late.body.find("ledger.not_witnessed"), std::string::npos) << late.body;
  EXPECT_GE(late.ms, ledger::witness_limits::kQuorumWait.count() - 50);
  EXPECT_LT(late.ms, ledger::witness_limits::kQuorumWait.count() + 1500);
  EXPECT_GE(witnesses_[0]->asked, 3);  // More than one try within that time.
  // The same again, when it is back: the entry was kept.
  witnesses_[0]->silent = false;
  EXPECT_EQ(append(2).status, 200);
  EXPECT_EQ(report().at("size"), 2);
}

TEST_F(LedgerDeskTest, OwnEffectsWaitLikewise) {
  open(2);
  protocol::Effect effect = own_append(9);
  const std::string subject =
      must(protocol::decode_record<protocol::LedgerAppendPayload>(effect.payload)).subject;
  std::optional<protocol::EffectResult> result;
  const auto perform = [&] {
    result.reset();
    desk_->perform(effect, home_->default_url(),
                   [&](protocol::EffectResult got) { result = std::move(got); });
    EXPECT_TRUE(run_until(io_, [&] { return result.has_value(); }));
  };
  for (const auto& witness : witnesses_) witness->silent = true;
  perform();
  EXPECT_EQ(result->outcome.error(), Errc::ledger_not_witnessed);
  EXPECT_FALSE(result->retry);
  for (const auto& witness : witnesses_) witness->silent = false;
  perform();
  ASSERT_TRUE(result->outcome.has_value());
  // Read back with the witnesses' time.
  effect.kind = protocol::EffectKind::ledger_read;
  effect.payload =
      protocol::encode_record(protocol::LedgerReadPayload{home_->default_url(), subject, 0, 0});
  perform();
  const auto page = must(protocol::decode_record<protocol::LedgerEntries>(*result->outcome));
  EXPECT_EQ(page.proof.value().anchored.size(), 1U);
}

TEST_F(LedgerDeskTest, ReportsWhoIsMissing) {
  open(2);
  witnesses_[2]->die();
  ASSERT_EQ(append(1).status, 200);
  ASSERT_TRUE(run_until(io_, [&] {
    const JsonObject said = report();
    const auto& lines = said.at("witnesses").get_object().at("witnesses").get_array();
    return lines.at(2).get_object().contains("error");
  }));
  const JsonObject said = report();
  EXPECT_EQ(said.at("witnesses").get_object().at("needed"), 2);
  EXPECT_TRUE(said.at("served").get_bool());
}

TEST_F(LedgerDeskTest, AppendsThatWaitAtOneTimeShareOneWrite) {
  open({}, 0);
  std::vector<ledger::HttpQuestion> asked;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) asked.push_back(question(seed));
  const std::vector<protocol::Effect> own{own_append(30), own_append(31)};
  std::vector<std::uint64_t> sizes;  // Of the durable ledger, whenever somebody heard.
  const auto heard = [&] { sizes.push_back(must(home_->open(home_->default_url()))->size()); };
  const test::DiskSyncs syncs;
  for (const auto& one : asked) {
    desk_->handle(one, [&](const ledger::HttpReply& reply) {
      EXPECT_EQ(reply.status, 200) << reply.body;
      heard();
    });
  }
  for (const auto& effect : own) {
    desk_->perform(effect, home_->default_url(), [&](const protocol::EffectResult& result) {
      EXPECT_TRUE(result.outcome.has_value());
      heard();
    });
  }
  EXPECT_TRUE(sizes.empty());
  EXPECT_EQ(syncs.count(), 0U);
  ASSERT_TRUE(run_until(io_, [&] { return sizes.size() == 22; }));
  EXPECT_EQ(syncs.count(), 1U);
  EXPECT_EQ(sizes, std::vector<std::uint64_t>(22, 22));
  EXPECT_EQ(append(40).status, 200);  // One alone.
  EXPECT_EQ(syncs.count(), 2U);
}

TEST_F(LedgerDeskTest, AGroupHasAnEnd) {
  open({}, 0);
  const std::size_t count = ledger::remote_limits::kAppendGroupMax + 1;
  const test::DiskSyncs syncs;
  std::size_t answered = 0;
  for (std::size_t i = 0; i < count; ++i) {
    desk_->handle(question(i + 1), [&](const ledger::HttpReply& reply) {
      EXPECT_EQ(reply.status, 200);
      ++answered;
    });
  }
  EXPECT_EQ(answered, count - 1);
  ASSERT_TRUE(run_until(io_, [&] { return answered == count; }));
  EXPECT_EQ(syncs.count(), 2U);
}

TEST_F(LedgerDeskTest, AGroupThatCannotBeWrittenIsUnknownToAll) {
  open({}, 0);
  EXPECT_EQ(append(1).status, 200);
  broken_disk_ = true;
  test::DiskSyncs syncs;
  syncs.fail_from_now_on();
  std::vector<int> statuses;
  const auto ask = [&](ledger::HttpQuestion asked) {
    desk_->handle(asked, [&](const ledger::HttpReply& reply) { statuses.push_back(reply.status); });
  };
  ask(question(2));
  ask(question(2));  // The same once more stands on the first.
  ledger::HttpQuestion junk = question(3);
  junk.body.replace(junk.body.find("\"blob\":\"") + 8, 4, "AAAA");
  ask(junk);
  std::optional<protocol::EffectResult> own;
  desk_->perform(own_append(4), home_->default_url(),
                 [&](protocol::EffectResult result) { own = std::move(result); });
  ASSERT_TRUE(run_until(io_, [&] { return own.has_value(); }));
  EXPECT_EQ(statuses, std::vector<int>({503, 503, 503}));
  EXPECT_FALSE(own->outcome.has_value());
  EXPECT_TRUE(own->retry);
  EXPECT_EQ(failures_, 1);  // The node stops by that.
}

TEST_F(LedgerDeskTest, ManyClientsOnSocketsCostFewerWritesThanAppends) {
  open({}, 0);
  const auto server = must(
      HttpServer::listen(io_, "127.0.0.1", 0, [this](HttpRequest request, HttpRespond respond) {
        desk_->handle({request.method, request.path, std::string(crypto::as_text(request.body))},
                      [respond = std::move(respond)](const ledger::HttpReply& reply) {
                        respond({static_cast<unsigned>(reply.status),
                                 reply.content_type,
                                 crypto::to_bytes(std::string_view(reply.body)),
                                 {}});
                      });
      }));
  constexpr std::uint64_t kClients = 16;
  const test::DiskSyncs syncs;
  std::uint64_t done = 0;
  for (std::uint64_t seed = 1; seed <= kClients; ++seed) {
    const ledger::HttpQuestion asked = question(seed);
    HttpCall call;
    call.method = asked.method;
    call.url = "http://127.0.0.1:" + std::to_string(server->port()) + asked.target;
    call.content_type = "application/json";
    call.body = crypto::to_bytes(std::string_view(asked.body));
    client_.request(std::move(call), [&](const Result<HttpReply>& reply) {
      EXPECT_TRUE(reply.has_value() && reply->status == 200);
      ++done;
    });
  }
  ASSERT_TRUE(run_until(io_, [&] { return done == kClients; }));
  EXPECT_LT(syncs.count(), kClients / 2);
  RecordProperty("writes", static_cast<int>(syncs.count()));
}

TEST(HomeWitnessesTest, AreNamedRightOrNotAtAll) {
  boost::asio::io_context io{1};
  const QuickWitness one(io, 60), two(io, 61);
  EXPECT_EQ(must(home_witnesses({}, 0)).needed, 0U);
  EXPECT_EQ(must(home_witnesses({one.line(), two.line()}, 0)).needed, 2U);
  EXPECT_EQ(must(home_witnesses({one.line(), two.line()}, 1)).needed, 1U);
  EXPECT_EQ(home_witnesses({one.line()}, 2).error(), Errc::usage);
  EXPECT_EQ(home_witnesses({}, 1).error(), Errc::usage);
  EXPECT_EQ(home_witnesses({one.line(), one.line()}, 0).error(), Errc::usage);
  EXPECT_EQ(home_witnesses({"somebody"}, 0).error(), Errc::usage);
}

}  // namespace
}  // namespace kith::node
