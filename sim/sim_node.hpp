#pragma once

/// SimNode: one person's node. The Agent is the real one, on a simulated disk, clock, network and
/// ledger; its randomness (libsodium's too) comes from a stream of its own. A crash destroys the
/// Agent and the keys in memory; after a while a new Agent starts on the same disk.
///
/// Single-threaded. The world's queue holds on to nodes: they live as long as the world runs.

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "crypto/software_keys.hpp"
#include "node/agent.hpp"
#include "node/wiring.hpp"
#include "protocol/unit_of_work.hpp"
#include "sim/crashes.hpp"
#include "sim/sim_ledger.hpp"
#include "sim/sim_network.hpp"
#include "sim/sim_store.hpp"
#include "sim/world.hpp"

namespace kith::sim {

/// What all nodes of a run share.
struct Surroundings {
  World& world;
  SimNetwork& network;
  SimLedgers& ledgers;
  Crashes& crashes;
  Faults faults;
};

struct NodePlan {
  std::string name;
  /// Where it listens; empty: a personal agent that fetches its mail.
  std::string uri;
  node::NodeConfig config;
  /// Of the wiring for `config`; null: made by the node for itself.
  std::shared_ptr<const node::ModuleTable> modules;
};

class SimNode {
 public:
  SimNode(const Surroundings& around, NodePlan plan);
  ~SimNode();
  SimNode(const SimNode&) = delete;
  SimNode& operator=(const SimNode&) = delete;

  [[nodiscard]] const std::string& name() const { return plan_.name; }
  [[nodiscard]] bool up() const { return agent_ != nullptr; }
  /// Counts starts; results for an earlier life reach nobody.
  [[nodiscard]] std::uint64_t life() const { return life_; }
  [[nodiscard]] bool lost() const { return lost_; }

  void start();
  /// nullopt: it died on it (or was down).
  std::optional<node::Outcome> feed(const node::Event& event);
  /// As a CLI does: the same `id` again after a nullopt does it once.
  std::optional<Result<JsonObject>> command(const std::string& id, std::string_view name,
                                            JsonObject args, bool with_step_up);
  /// Dies now, and starts again after its downtime.
  void crash();
  /// Its machine is gone: disk wiped, never up again.
  void lose_everything();

  [[nodiscard]] SimStore& store() { return store_; }
  /// What must never leave this node: for checkers.
  [[nodiscard]] ByteView root_key() const { return root_.expose(); }
  [[nodiscard]] ByteView passphrase_key() const { return passphrase_key_.expose(); }
  /// Reads records from outside; nothing is kept. The node must be up.
  template <class F>
  auto look(F&& f) {
    const crypto::SodiumRandomGuard guard(look_random_);
    protocol::UnitOfWork unit(
        {store_, *keys_, look_random_, around_.world.now(), Duration{}, plan_.config.test_mode});
    return f(static_cast<Host&>(unit));
  }

 private:
  [[nodiscard]] node::ClockReading clock() const;
  void take(std::vector<protocol::Effect> effects);
  void perform(const protocol::Effect& effect);
  void arm();
  void die();

  Surroundings around_;
  NodePlan plan_;
  SimStore store_;
  crypto::SeededRandom random_;
  crypto::SeededRandom look_random_;
  crypto::SecretBytes root_;
  crypto::SecretBytes passphrase_key_;
  std::unique_ptr<crypto::SoftwareKeys> keys_;
  StepUp step_up_{};
  std::unique_ptr<node::Agent> agent_;
  Time born_{};              ///< Of this life.
  Time armed_{Time::max()};  ///< The wakeup that the world knows of.
  std::string_view phase_;   ///< Of the last batch, for effects that follow it.
  std::uint64_t life_ = 0;
  bool feeding_ = false;
  bool lost_ = false;
};

}  // namespace kith::sim
