/// A listener under a flood of garbage: every piece is refused, none is stored, and somebody who
/// writes properly meanwhile is served.

#include <gtest/gtest.h>

#include "crypto/jwe.hpp"
#include "node/runtime/reception.hpp"
#include "protocol/messenger.hpp"
#include "protocol/unit_of_work.hpp"
#include "tests/node/net_fixture.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/parties.hpp"

namespace kith::node {
namespace {

using namespace std::chrono_literals;
using test::run_until;

constexpr std::size_t kGarbage = 3000;
constexpr std::size_t kGood = 60;
constexpr const char* kHeard = "https://example.org/talk/1.0/word";

class CountingModule final : public protocol::Module {
 public:
  explicit CountingModule(std::size_t& heard) : heard_(heard) {}
  std::string_view name() const override { return "ear"; }
  std::vector<std::string> message_types() const override { return {kHeard}; }
  Result<void> on_message(protocol::Host&, const protocol::Inbound&) override {
    ++heard_;
    return {};
  }

 private:
  std::size_t& heard_;
};

class GarbageFlood : public ::testing::Test {
 protected:
  void SetUp() override {
    protocol::UnitOfWork unit({store_, world_.keys, world_.random, Time{}, Duration{}, true});
    protocol::remember_key(unit, node_.agreement.kid, node_.agreement.key);
    ASSERT_TRUE(unit.commit().has_value());
    std::vector<std::unique_ptr<protocol::Module>> modules;
    modules.push_back(std::make_unique<CountingModule>(heard_));
    auto agent = std::make_unique<Agent>(AgentSeams{group_, world_.keys, world_.random, true},
                                         std::move(modules));
    ASSERT_TRUE(events_.start(
        std::move(agent), group_, [this](const protocol::Effect&) { ++effects_; }, [] {}));
    auto server =
        HttpServer::listen(io_, "127.0.0.1", 0, [this](HttpRequest request, HttpRespond respond) {
          reception_.handle(std::move(request), std::move(respond));
        });
    ASSERT_TRUE(server.has_value());
    server_ = std::move(*server);
  }
  void TearDown() override { server_.reset(); }

  std::string envelope() {
    Message message = world_.message(peer_, node_);
    message.created_time.reset(), message.expires_time.reset();
    return protocol::pack_authcrypt(message, peer_.agreement, node_.recipients(), {}, world_.keys,
                                    world_.random)
        .value();
  }
  /// Of many kinds: noise, bombs, and envelopes that are nearly right.
  std::string garbage(std::size_t i) {
    const std::string good = sample_;
    switch (i % 8) {
      case 0:
        return std::string(crypto::as_text(world_.random.bytes(1 + world_.random.below(2000))));
      case 1:
        return std::string(20'000, '[');
      case 2:
        return R"({"protected":1e999,"protected":2})";
      case 3:
        return "{\"ciphertext\":\"\xff\xfe\"}";
      case 4:
        return good.substr(0, world_.random.below(good.size()));
      case 5: {
        std::string damaged = good;
        damaged[world_.random.below(damaged.size())] = '~';
        return damaged;
      }
      case 6:
        return for_nobody_;
      default:
        return R"({"number":)" + std::string(5000, '9') + "}";
    }
  }
  void post(HttpClient& client, std::string_view body, unsigned least, unsigned most) {
    HttpCall call;
    call.url = "http://127.0.0.1:" + std::to_string(server_->port()) + "/";
    call.content_type = "application/didcomm-encrypted+json";
    call.body = crypto::to_bytes(body);
    ++asked_;
    client.request(std::move(call), [this, least, most](const Result<HttpReply>& reply) {
      ++answered_;
      ASSERT_TRUE(reply.has_value()) << reply.error().detail;
      EXPECT_GE(reply->status, least);
      EXPECT_LE(reply->status, most);
    });
  }

  boost::asio::io_context io_{1};
  kith::test::World world_{13};
  kith::test::Party node_ = world_.make_party();
  kith::test::Party peer_ = world_.make_party();
  kith::test::MemoryStore store_;
  GroupStore group_{store_};
  std::size_t heard_ = 0, effects_ = 0, asked_ = 0, answered_ = 0;
  EventQueue events_{io_, GateLimits{.strangers = 1'000'000}};  // Those are gate_test's matter.
  WaitingAnswers answers_;
  Reception reception_{events_, answers_, world_.random, Services{}};
  std::unique_ptr<HttpServer> server_;
  std::string sample_, for_nobody_;
};

TEST_F(GarbageFlood, IsRefusedAndStoresNothingWhileOthersAreServed) {
  sample_ = envelope();
  for_nobody_ = protocol::pack_authcrypt(world_.message(node_, peer_), node_.agreement,
                                         peer_.recipients(), {}, world_.keys, world_.random)
                    .value();
  ClientOptions options;
  options.policy.allow_private = true;
  HttpClient flood(io_, options);
  HttpClient good(io_, options);
  const std::size_t records = store_.records().size();
  // Waves, as many at once as a client may have.
  for (std::size_t sent = 0; sent < kGarbage;) {
    for (std::size_t i = 0; i < 100; ++i) post(flood, garbage(sent++), 400, 413);
    ASSERT_TRUE(run_until(io_, [&] { return answered_ == asked_; }));
    EXPECT_EQ(store_.records().size(), records) << "garbage left a trace";
  }
  EXPECT_EQ(heard_, 0U);
  EXPECT_EQ(effects_, 0U);
  EXPECT_EQ(events_.counts().refused, kGarbage);

  for (std::size_t i = 0; i < kGood; ++i) {
    for (std::size_t k = 0; k < 8; ++k) post(flood, garbage(k), 400, 413);
    post(good, envelope(), 202, 202);
    ASSERT_TRUE(run_until(io_, [&] { return heard_ == i + 1; })) << "the good one waits too long";
  }
  ASSERT_TRUE(run_until(io_, [&] { return answered_ == asked_; }));
  EXPECT_EQ(answers_.size(), 0U);
}

}  // namespace
}  // namespace kith::node
