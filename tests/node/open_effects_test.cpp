#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "ledger/connection.hpp"
#include "protocol/trust_ping.hpp"
#include "tests/support/agents.hpp"

namespace kith::test {
namespace {

constexpr std::chrono::minutes kSoon{30};

/// Begins effects that nobody performs, and ends them again. All boxes of a test share one letter.
class Filler final : public Module {
 public:
  explicit Filler(const Bytes& letter) : letter_(letter) {}
  std::string_view name() const override { return "filler"; }
  std::vector<std::string> commands() const override {
    return {"fill", "empty", "fill-later", "hand-in", "count"};
  }
  bool only_reads(std::string_view what) const override { return what == "count"; }
  Result<JsonObject> on_command(Host& host, const Command& command) override {
    if (command.name == "fill") {
      TRY(const std::int64_t count, crypto::json_int(command.args, "count"));
      for (std::int64_t i = 0; i < count; ++i) begin_one(host);
    } else if (command.name == "empty") {
      for (const std::string& id : host.list("effect")) host.cancel_effect(id);
    } else if (command.name == "fill-later") {
      host.set_timer("filler", "later", host.now() + std::chrono::seconds{1});
    } else if (command.name == "hand-in") {
      host.arrived(letter_, {});
    }
    return JsonObject{{"open", host.list("effect").size()}};
  }
  void on_timer(Host& host, std::string_view) override { begin_one(host); }

 private:
  static void begin_one(Host& host) {
    protocol::Effect effect;
    effect.kind = protocol::EffectKind::fetch;
    effect.owner = "filler";
    effect.expires = host.now() + std::chrono::hours{24 * 30};
    host.start(std::move(effect));
  }
  const Bytes& letter_;
};

/// Alice and Bob are connected; Bob may have as many open effects as allowed.
class OpenEffects : public ::testing::Test {
 protected:
  OpenEffects() {
    const auto invitation = alice_.command("invite", {{"name", "bob"}});
    const auto accepted = bob_.command("accept", {{"url", invitation->at("url")}});
    EXPECT_TRUE(accepted.has_value());
    net_.run_for(std::chrono::hours{2});
    EXPECT_EQ(open(), 0U);
  }
  MakeModules make_modules() {
    return [this] {
      Modules all;
      all.push_back(std::make_unique<ledger::Connection>());
      all.push_back(std::make_unique<protocol::TrustPing>());
      all.push_back(std::make_unique<Filler>(letter_));
      return all;
    };
  }
  std::size_t open() { return bob_.command("count")->at("open").to_number<std::size_t>(); }
  void fill() {
    const auto room = static_cast<std::int64_t>(limits::kOpenEffectsMax - open());
    ASSERT_TRUE(bob_.command("fill", {{"count", room}}).has_value());
    ASSERT_EQ(open(), limits::kOpenEffectsMax);
  }
  void empty() { ASSERT_TRUE(bob_.command("empty").has_value()); }
  std::string ping() {
    const auto sent = alice_.command("ping", {{"contact", "bob"}});
    return std::string(sent->at("id").get_string());
  }
  bool answered(const std::string& id) {
    return alice_.command("ping-status", {{"id", id}})->at("answered").get_bool();
  }

  Bytes letter_;
  Network net_;
  AgentBox& alice_ = net_.add("alice", make_modules());
  AgentBox& bob_ = net_.add("bob", make_modules());
};

TEST_F(OpenEffects, ACommandForWhichThereIsNoRoomFailsAndLeavesNothing) {
  fill();
  const auto records = bob_.store().records();
  const auto refused = bob_.command("fill", {{"count", 1}});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::wrong_state);
  bob_.restart();  // The count is that of the records.
  EXPECT_FALSE(bob_.command("fill", {{"count", 1}}).has_value());
  EXPECT_EQ(open(), limits::kOpenEffectsMax);
  // What begins nothing still works.
  EXPECT_TRUE(bob_.command("fill", {{"count", 0}}).has_value());
  empty();
  EXPECT_TRUE(bob_.command("fill", {{"count", 1}}).has_value());
}

TEST_F(OpenEffects, AMessageForWhichThereIsNoRoomIsTakenWhenItComesAgain) {
  fill();
  const std::string id = ping();
  net_.run_for(std::chrono::minutes{2});
  EXPECT_FALSE(answered(id));
  EXPECT_EQ(open(), limits::kOpenEffectsMax);
  empty();
  EXPECT_TRUE(net_.run_until([&] { return answered(id); }, std::chrono::hours{24}));
}

TEST_F(OpenEffects, MailThatWasTakenInWaitsForRoomAndIsNotLost) {
  net_.fate = [this](const Packet& packet) {
    if (packet.from == &alice_) letter_ = packet.payload.packed;
    return Fate::lost;
  };
  const std::string id = ping();
  net_.settle();
  ASSERT_FALSE(letter_.empty());
  fill();
  ASSERT_TRUE(bob_.command("hand-in").has_value());  // As pickup does before it confirms.
  net_.fate = nullptr;
  bob_.restart();
  net_.run_for(std::chrono::minutes{10});
  EXPECT_FALSE(answered(id));
  const auto waiting = [&] {
    return bob_.look([](Host& host) { return host.list("arrived").size(); });
  };
  EXPECT_EQ(waiting(), 1U);
  // Nothing more is taken in meanwhile, so that it cannot pile up.
  const auto refused = net_.inject(bob_, Bytes(10, 1));
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, Errc::wrong_state);
  empty();
  EXPECT_TRUE(net_.run_until([&] { return answered(id); }, kSoon));
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(OpenEffects, ATimerForWhichThereIsNoRoomRunsLater) {
  fill();
  ASSERT_TRUE(bob_.command("fill-later").has_value());
  net_.run_for(std::chrono::minutes{10});
  EXPECT_EQ(open(), limits::kOpenEffectsMax);
  empty();
  net_.run_for(std::chrono::minutes{2});
  EXPECT_EQ(open(), 1U);
}

}  // namespace
}  // namespace kith::test
