#include "node/runtime/event_queue.hpp"

#include <gtest/gtest.h>

#include "crypto/software_keys.hpp"
#include "tests/support/memory_store.hpp"

namespace kith::node {
namespace {

using protocol::Effect;
using test::MemoryStore;

/// Writes down what it is told, and begins an effect for each.
class Notebook final : public Module {
 public:
  std::string_view name() const override { return "notebook"; }
  std::vector<std::string> commands() const override { return {"note"}; }
  Result<JsonObject> on_command(Host& host, const Command& command) override {
    Effect effect;
    effect.kind = protocol::EffectKind::fetch;
    effect.owner = "notebook";
    effect.context = command.id;
    effect.expires = host.now() + std::chrono::hours{1};
    host.start(std::move(effect));
    host.put({"note", command.id}, crypto::to_bytes("noted"));
    return JsonObject{{"notes", static_cast<std::int64_t>(host.list("note").size())}};
  }
};

class EventQueueTest : public ::testing::Test {
 protected:
  EventQueueTest() : random_(3, "queue"), keys_(random_.secret(32), random_) {
    std::vector<std::unique_ptr<Module>> modules;
    modules.push_back(std::make_unique<Notebook>());
    auto agent = std::make_unique<Agent>(AgentSeams{group_, keys_, random_}, std::move(modules));
    const auto started = queue_.start(
        std::move(agent), group_,
        [this](const Effect& effect) {
          seen_.push_back("effect " + effect.context);
          open_[effect.context] = effect.id;
          EXPECT_TRUE(disk_.records().contains({"note", effect.context})) << "before it is durable";
        },
        [this] { seen_.emplace_back("failed"); });
    EXPECT_TRUE(started.has_value());
  }
  void note(const std::string& id) {
    queue_.submit(CommandGiven{{id, "note", {}, {}}}, [this, id](const Result<Outcome>& outcome) {
      if (!outcome.has_value()) {
        seen_.push_back("lost " + id);
        return;
      }
      const JsonObject& reply = **outcome->reply;
      seen_.push_back("reply " + id + " " + std::to_string(reply.at("notes").as_int64()));
    });
  }
  using Seen = std::vector<std::string>;

  boost::asio::io_context io_{1};
  crypto::SeededRandom random_;
  crypto::SoftwareKeys keys_;
  MemoryStore disk_;
  GroupStore group_{disk_};
  EventQueue queue_{io_};
  Seen seen_;
  std::map<std::string, std::string> open_;  ///< Ids of effects by context.
};

TEST_F(EventQueueTest, EventsThatWaitTogetherShareOneWrite) {
  const auto before = disk_.commits();
  for (const char* id : {"a", "b", "c"}) note(id);
  EXPECT_TRUE(seen_.empty()) << "nobody hears before the turn has come";
  EXPECT_FALSE(queue_.idle());
  io_.poll();
  EXPECT_EQ(disk_.commits(), before + 1);
  EXPECT_EQ(seen_,
            (Seen{"effect a", "reply a 1", "effect b", "reply b 2", "effect c", "reply c 3"}));
  note("d");
  io_.poll();
  EXPECT_EQ(disk_.commits(), before + 2);
}

TEST_F(EventQueueTest, AGroupHasAnEnd) {
  const auto before = disk_.commits();
  for (int i = 0; i < 200; ++i) note(std::to_string(i));
  io_.poll();
  EXPECT_EQ(seen_.size(), 400U);
  EXPECT_GT(disk_.commits(), before + 1);
  EXPECT_LT(disk_.commits(), before + 20);
}

TEST_F(EventQueueTest, KnowsWhatCommandsBeganFromThereOn) {
  note("before");
  io_.poll();
  queue_.watch_commands();
  EXPECT_TRUE(queue_.commands_over());
  note("a");
  EXPECT_FALSE(queue_.commands_over()) << "it waits for its turn";
  io_.poll();
  EXPECT_FALSE(queue_.commands_over());
  queue_.submit(protocol::EffectResult{open_.at("a"), Bytes{}, false});
  io_.poll();
  EXPECT_TRUE(queue_.commands_over());
  EXPECT_FALSE(queue_.idle()) << "what was open before is still open";
}

TEST_F(EventQueueTest, AWriteThatFailsIsToldToAllItHeldAndLetsNothingOut) {
  disk_.crash_at(1, MemoryStore::Crash::after_commit);
  for (const char* id : {"a", "b"}) note(id);
  io_.poll();
  EXPECT_EQ(seen_, (Seen{"lost a", "lost b", "failed"}));
  note("later");
  EXPECT_EQ(seen_.back(), "lost later");
}

}  // namespace
}  // namespace kith::node
