#pragma once

/// Town: everything one run consists of: a world, its faults, a mediator, two ledgers, and nodes.
///
/// `ask` and the functions built on it let virtual time pass until something is done: for tests and
/// for setting a scene. Scripted people (people.hpp) act on their own instead.

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sim/sim_node.hpp"

namespace kith::sim {

struct TownPlan {
  std::uint64_t seed = 1;
  Faults faults = no_faults();
  /// How rarely idle nodes look for mail. Real nodes look every few seconds; weeks of that are
  /// too many events for a simulator, so idle means hours here, it comes in few steps, and patience
  /// is part of the script.
  protocol::PickupPace pickup{Duration{20'000}, std::chrono::hours{4}, 400};
  bool test_mode = false;  ///< Of all nodes and the ledger: logs with windows of zero.
};

class Town {
 public:
  explicit Town(const TownPlan& plan);

  /// A personal agent without anything yet, up and running.
  SimNode& add(std::string name);
  [[nodiscard]] SimNode& mediator() { return *mediator_; }
  [[nodiscard]] const std::vector<std::unique_ptr<SimNode>>& nodes() const { return nodes_; }

  /// Repeats the command, as a CLI does, until the node is up and has done it.
  Result<JsonObject> ask(SimNode& node, std::string_view name, JsonObject args = {},
                         bool with_step_up = false);
  /// `node` takes the mediator: until it may be reached through it.
  bool mediate(SimNode& node, Duration limit = std::chrono::hours{24});
  /// Both become contacts under each other's names: until both are connected.
  bool connect(SimNode& inviter, SimNode& invitee, Duration limit = std::chrono::hours{48});
  /// State of the contact by that name as `contacts` tells it; empty if there is none.
  [[nodiscard]] std::string contact_state(SimNode& node, std::string_view contact);

  /// Faults end; messages are only delayed from here on.
  void heal();

  /// Where identities begin, and where some of them move to.
  [[nodiscard]] SimLedger& first_ledger() { return *ledgers.all().front(); }
  [[nodiscard]] SimLedger& second_ledger() { return *ledgers.all().back(); }

  World world;
  Crashes crashes;
  SimNetwork network;
  SimLedgers ledgers;

 private:
  TownPlan plan_;
  node::NodeConfig personal_;
  std::shared_ptr<const node::ModuleTable> personal_modules_;  ///< One for all people.
  std::unique_ptr<SimNode> mediator_;
  std::vector<std::unique_ptr<SimNode>> nodes_;
  std::uint64_t commands_ = 0;
};

}  // namespace kith::sim
