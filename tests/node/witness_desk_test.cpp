/// What a witness answers strangers over HTTP who ask when it saw a blob.

#include <gtest/gtest.h>

#include "ledger/witness_module.hpp"
#include "ledger/witness_time.hpp"
#include "node/runtime/reception.hpp"
#include "tests/node/net_fixture.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/parties.hpp"

namespace kith::node {
namespace {

using test::run_until;

class WitnessDesk : public testing::Test {
 protected:
  void SetUp() override {
    std::vector<std::unique_ptr<protocol::Module>> modules;
    modules.push_back(std::make_unique<ledger::WitnessModule>());
    auto agent = std::make_unique<Agent>(AgentSeams{group_, world_.keys, world_.random, true},
                                         std::move(modules));
    ASSERT_TRUE(events_
                    .start(
                        std::move(agent), group_, [](const protocol::Effect&) {}, [] {})
                    .has_value());
  }
  HttpResponse ask(Reception& reception, const std::string& path,
                   const std::string& address = "192.0.2.1", const std::string& method = "GET") {
    std::optional<HttpResponse> answer;
    reception.handle({method, path, {}, {}, {}, address},
                     [&](HttpResponse response) { answer = std::move(response); });
    EXPECT_TRUE(run_until(io_, [&] { return answer.has_value(); }));
    return std::move(*answer);
  }

  boost::asio::io_context io_{1};
  kith::test::World world_{18};
  kith::test::MemoryStore store_;
  GroupStore group_{store_};
  EventQueue events_{io_, GateLimits{}};
  WaitingAnswers answers_;
  Reception witness_{events_, answers_, world_.random, Services{nullptr, false, true}};
  const std::string subject_ = "did:kith:" + crypto::multihash_sha256(crypto::as_bytes("a log"));
  const std::string hash_ = crypto::multihash_sha256(crypto::as_bytes("a blob"));
  const std::string path_ = "/witness/time/" + subject_ + "/" + hash_;
};

TEST_F(WitnessDesk, TellsWhenItSawABlob) {
  const HttpResponse answer = ask(witness_, path_);
  ASSERT_EQ(answer.status, 200U);
  const auto json = crypto::parse_json(crypto::as_text(answer.body));
  ASSERT_TRUE(json.has_value());
  const auto time = ledger::parse_witness_time(*json);
  ASSERT_TRUE(time.has_value());
  const std::string said = ledger::witness_time_text(subject_, hash_, time->time);
  EXPECT_TRUE(crypto::verify(time->witness, crypto::as_bytes(said), time->signature).has_value());
  const std::pair<std::string, std::string> uncached{"Cache-Control", "no-store"};
  EXPECT_EQ(answer.fields.front(), uncached);
}

TEST_F(WitnessDesk, RefusesWhatIsNoQuestion) {
  for (const std::string path : {"/witness/time/", "/witness/time/x", "/witness/time//"}) {
    EXPECT_EQ(ask(witness_, path).status, 400U) << path;
  }
  EXPECT_EQ(ask(witness_, path_ + "/").status, 400U);
  EXPECT_EQ(ask(witness_, "/witness/time/" + hash_ + "/" + subject_).status, 400U);
  EXPECT_EQ(ask(witness_, path_, "192.0.2.1", "POST").status, 405U);
  Reception other(events_, answers_, world_.random, Services{});
  EXPECT_EQ(ask(other, path_).status, 404U) << "no witness";
}

TEST_F(WitnessDesk, OneAddressAsksOnlySoOften) {
  for (std::size_t i = 0; i < ledger::witness_limits::kTimesPerMinute; ++i) {
    ASSERT_EQ(ask(witness_, path_).status, 200U) << i;
  }
  EXPECT_EQ(ask(witness_, path_).status, 429U);
  EXPECT_EQ(ask(witness_, path_, "192.0.2.2").status, 200U) << "the owner asks from elsewhere";
  EXPECT_EQ(ask(witness_, path_, "127.0.0.1").status, 200U) << "a proxy speaks for many";
}

}  // namespace
}  // namespace kith::node
