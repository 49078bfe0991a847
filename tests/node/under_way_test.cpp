#include "node/runtime/under_way.hpp"

#include <gtest/gtest.h>

#include "crypto/software_keys.hpp"
#include "tests/support/memory_store.hpp"

namespace kith::node {
namespace {

using protocol::Effect;
using protocol::EffectKind;
using test::MemoryStore;

/// Begins fetches: at once, when a timer runs, or when a fetch of its own is over.
class Fetcher final : public Module {
 public:
  std::string_view name() const override { return "fetcher"; }
  std::vector<std::string> commands() const override {
    return {"fetch", "fetch-soon", "fetch-later", "fetch-twice", "wait"};
  }
  Result<JsonObject> on_command(Host& host, const Command& command) override {
    if (command.name == "fetch") begin(host, "then");
    if (command.name == "fetch-soon") host.set_timer("fetcher", "soon", host.now());
    if (command.name == "fetch-twice") host.set_timer("fetcher", "twice", host.now());
    if (command.name == "fetch-later") host.set_timer("fetcher", "later", host.now() + kPause);
    return JsonObject{};
  }
  void on_timer(Host& host, std::string_view timer) override {
    if (timer == "twice") return host.set_timer("fetcher", "soon", host.now());
    begin(host, std::string(timer));
  }
  void on_start(Host& host) override { host.set_timer("fetcher", "started", host.now()); }
  void on_effect(Host& host, const Effect& effect, const Result<Bytes>& outcome) override {
    if (effect.context == "then" && outcome.has_value()) begin(host, "after");
  }
  static constexpr std::chrono::minutes kPause{5};

 private:
  static void begin(Host& host, const std::string& context) {
    Effect effect;
    effect.kind = EffectKind::fetch;
    effect.owner = "fetcher";
    effect.context = context;
    const std::string url = "https://" + context + ".example:8700/a?b";
    effect.payload = protocol::encode_record(protocol::FetchPayload{url, {}, false, false, 0});
    effect.expires = host.now() + std::chrono::hours{1};
    host.start(std::move(effect));
  }
};

class UnderWayTest : public ::testing::Test {
 protected:
  UnderWayTest() : random_(5, "under way"), keys_(random_.secret(32), random_) {
    std::vector<std::unique_ptr<Module>> modules;
    modules.push_back(std::make_unique<Fetcher>());
    agent_ = std::make_unique<Agent>(AgentSeams{disk_, keys_, random_}, std::move(modules));
    EXPECT_TRUE(agent_->start({now_, {}}).has_value());
  }
  /// Handles it and keeps what it began, by context.
  void happen(const Event& event) {
    const auto outcome = agent_->handle(event, {now_, {}});
    ASSERT_TRUE(outcome.has_value());
    under_way_.note(event, *outcome);
    for (const Effect& effect : outcome->effects) begun_[effect.context] = effect.id;
  }
  void command(const std::string& name) {
    happen(CommandGiven{{std::to_string(commands_++), name, {}, {}}});
  }
  void end(const std::string& context) {
    happen(protocol::EffectResult{begun_.at(context), Bytes{}, false});
  }
  void fail_once(const std::string& context) {
    happen(protocol::EffectResult{begun_.at(context), fail(Errc::unreachable), true});
  }
  bool is_over() { return under_way_.is_over(*agent_, now_); }
  using Places = std::vector<std::string>;

  crypto::SeededRandom random_;
  crypto::SoftwareKeys keys_;
  MemoryStore disk_;
  Time now_ = protocol::from_epoch_ms(1'800'000'000'000);
  std::unique_ptr<Agent> agent_;
  UnderWay under_way_;
  std::map<std::string, std::string> begun_;
  int commands_ = 0;
};

TEST_F(UnderWayTest, WhatWasOpenBeforeIsNotWaitedFor) {
  happen(WokenUp{});
  ASSERT_TRUE(begun_.contains("started"));
  EXPECT_TRUE(is_over());
  command("wait");
  EXPECT_TRUE(is_over());
  EXPECT_FALSE(agent_->idle());
}

TEST_F(UnderWayTest, AnEffectOfACommandIsWaitedForAndWhatComesOfItToo) {
  command("fetch");
  EXPECT_FALSE(is_over());
  EXPECT_EQ(under_way_.places(), Places{"then.example:8700"});
  end("then");
  EXPECT_FALSE(is_over());
  EXPECT_EQ(under_way_.places(), Places{"after.example:8700"});
  end("after");
  EXPECT_TRUE(is_over());
}

TEST_F(UnderWayTest, ATryThatFailedIsWaitedForAsLongAsAnotherComes) {
  command("fetch");
  fail_once("then");
  EXPECT_FALSE(is_over());
  now_ += std::chrono::minutes{10};
  happen(WokenUp{});
  EXPECT_FALSE(is_over());
  end("then");
  end("after");
  EXPECT_TRUE(is_over());
}

TEST_F(UnderWayTest, ATimerThatACommandSetToThePresentIsItsWork) {
  command("fetch-soon");
  EXPECT_FALSE(is_over());
  happen(WokenUp{});
  ASSERT_TRUE(begun_.contains("soon"));
  ASSERT_TRUE(begun_.contains("started"));
  EXPECT_FALSE(is_over());
  EXPECT_EQ(under_way_.places(), Places{"soon.example:8700"}) << "the other timer is not its own";
  end("soon");
  EXPECT_TRUE(is_over());
}

TEST_F(UnderWayTest, ATimerThatSetsAnotherToThePresentHandsItsWorkOn) {
  command("fetch-twice");
  happen(WokenUp{});
  EXPECT_FALSE(is_over());
  happen(WokenUp{});
  ASSERT_TRUE(begun_.contains("soon"));
  EXPECT_FALSE(is_over());
  end("soon");
  EXPECT_TRUE(is_over());
}

TEST_F(UnderWayTest, ATimerOfTheFutureIsNotWaitedFor) {
  command("fetch-later");
  EXPECT_TRUE(is_over());
  now_ += Fetcher::kPause;
  happen(WokenUp{});
  ASSERT_TRUE(begun_.contains("later"));
  EXPECT_TRUE(is_over());
}

TEST_F(UnderWayTest, WhatAnAnswerOverHttpBeginsBelongsToWhoAsked) {
  command("fetch");
  EXPECT_FALSE(is_over());
  Outcome brought;
  Effect effect;
  effect.id = "brought";
  effect.kind = EffectKind::fetch;
  brought.effects.push_back(effect);
  // The agent does not know that effect: all that is looked at is whether it counts.
  EnvelopeArrived other;
  other.answers = "unknown";
  under_way_.note(Event(other), brought);
  EXPECT_EQ(under_way_.places(), Places{"then.example:8700"});
  brought.effects.front().payload =
      protocol::encode_record(protocol::FetchPayload{"https://b.example/", {}, false, false, 0});
  other.answers = begun_.at("then");
  under_way_.note(Event(other), brought);
  EXPECT_EQ(under_way_.places().size(), 2U);
}

}  // namespace
}  // namespace kith::node
