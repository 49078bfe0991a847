#pragma once

/// Agents that talk over a network in memory, under a virtual clock: for tests of modules.
///
///     Network net;
///     AgentBox& alice = net.add("alice", [] { return modules(...); });
///     AgentBox& bob = net.add("bob", ...);
///     const auto invitation = alice.command("invite");
///     bob.command("accept", {{"url", ...}});
///     net.run_for(std::chrono::minutes{1});
///
/// Each box has a store of its own that survives restart() and crashes (MemoryStore::crash_at: the
/// Agent is dropped and a new one made on the same store). By default a box is reached at
/// "https://<name>.test/", as if started with --public-url; without an address it hears only
/// answers on its own connections.

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/random.hpp"
#include "crypto/software_keys.hpp"
#include "node/agent.hpp"
#include "protocol/unit_of_work.hpp"
#include "tests/support/memory_store.hpp"

namespace kith::test {

/// Long enough, in virtual time, for everything that ends at all.
inline constexpr auto kSoon = std::chrono::minutes{20};

using Modules = std::vector<std::unique_ptr<Module>>;
using MakeModules = std::function<Modules()>;

/// Modules by type: `modules<Connection, BasicMessage>()` gives a MakeModules.
template <class... M>
[[nodiscard]] MakeModules modules() {
  return [] {
    Modules all;
    (all.push_back(std::make_unique<M>()), ...);
    return all;
  };
}

class Network;

struct BoxOptions {
  bool has_address = true;  ///< false: nothing can be sent to it (a personal agent).
  bool test_mode = true;
  bool has_vault = true;  ///< A vault exists, locked under AgentBox::step_up().
};

inline constexpr BoxOptions kNoVaultYet{true, true, false};

class AgentBox {
 public:
  AgentBox(Network& network, std::string name, MakeModules make_modules, BoxOptions options);

  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] std::string url() const { return "https://" + name_ + ".test/"; }
  [[nodiscard]] std::string live_url() const { return "wss://" + name_ + ".test/"; }
  [[nodiscard]] MemoryStore& store() { return store_; }
  [[nodiscard]] crypto::SoftwareKeys& keys() { return keys_; }
  /// The owner's passphrase, always at hand in tests.
  [[nodiscard]] StepUp step_up() const { return step_up_; }
  [[nodiscard]] const BoxOptions& options() const { return options_; }

  /// Runs a command with a new id; after a crash again with the same id, as a client does.
  Result<JsonObject> command(std::string_view name, JsonObject args = {},
                             bool with_step_up = false);
  /// Drops the Agent and makes a new one on the same store.
  void restart();
  /// An offline box is not reached, its clock stands still, and its effects fail.
  void set_online(bool online);
  [[nodiscard]] bool online() const { return online_; }
  [[nodiscard]] std::size_t crashes() const { return crashes_; }

  /// Reads records, outside any event; nothing is kept.
  template <class F>
  auto look(F&& f) {
    protocol::UnitOfWork unit(context());
    return f(static_cast<Host&>(unit));
  }
  /// Changes records in one unit and restarts the Agent, which takes up the unit's effects.
  template <class F>
  auto edit(F&& f) {
    protocol::UnitOfWork unit(context());
    auto result = f(static_cast<Host&>(unit));
    commit_or_die(unit);
    restart();
    return result;
  }

  /// All records of a collection, decoded.
  template <class T>
  [[nodiscard]] std::vector<T> all(std::string_view collection) {
    return look([&](Host& host) {
      std::vector<T> values;
      for (const std::string& id : host.list(collection)) {
        values.push_back(*protocol::load<T>(host, collection, id));
      }
      return values;
    });
  }
  /// Texts of notices of one kind, oldest first.
  [[nodiscard]] std::vector<std::string> notices(std::string_view kind);
  /// Codes of refused messages, from the audit log.
  [[nodiscard]] std::vector<std::string> audited(std::string_view event);

  // For the network.
  node::Outcome feed(const node::Event& event);  ///< After a crash: an empty outcome.
  [[nodiscard]] Time next_wakeup() const { return agent_->next_wakeup(); }

 private:
  [[nodiscard]] protocol::UnitContext context();
  [[nodiscard]] node::ClockReading clock() const;
  static void commit_or_die(protocol::UnitOfWork& unit);
  void make_agent();

  Network& network_;
  std::string name_;
  MakeModules make_modules_;
  BoxOptions options_;
  MemoryStore store_;
  crypto::SeededRandom random_;
  crypto::SeededRandom key_random_;
  crypto::SoftwareKeys keys_;
  StepUp step_up_{};
  std::unique_ptr<node::Agent> agent_;
  Time born_{};
  Time started_{};  ///< Of the present Agent: its steady clock counts from here.
  bool online_ = true;
  std::size_t crashes_ = 0;
  std::uint64_t commands_ = 0;
};

/// One envelope under way.
struct Packet {
  AgentBox* from = nullptr;
  AgentBox* to = nullptr;  ///< Null: nobody lives at that address.
  std::string effect_id;
  protocol::SendPayload payload;
  Time sent{};
  std::string link;  ///< The lasting connection that it goes over.
};

/// What the network does with a packet. `lost`: the sender hears success all the same (a mediator
/// that lost it); `fails`: the sender hears of it and tries again.
enum class Fate { arrives, lost, fails, twice };

class Network {
 public:
  explicit Network(std::uint64_t seed = 1);

  AgentBox& add(std::string name, MakeModules make_modules, BoxOptions options = {});

  /// `box` is reached there too.
  void add_address(const std::string& uri, AgentBox& box) { more_addresses_[uri] = &box; }

  /// Decides each packet's fate; by default all arrive.
  std::function<Fate(const Packet&)> fate;
  /// The order of arrival: index of the next packet among those waiting; by default the oldest.
  std::function<std::size_t(const std::deque<Packet>&)> next;
  /// Performs effects other than send (ledger, fetch); by default they stay open.
  std::function<std::optional<protocol::EffectResult>(AgentBox&, const protocol::Effect&)> perform;
  /// Sees every packet that arrives.
  std::function<void(const Packet&)> on_arrival;

  [[nodiscard]] Time now() const { return now_; }
  [[nodiscard]] std::uint64_t seed() const { return seed_; }
  /// Delivers all that is under way, and what follows from it, without letting time pass.
  void settle();
  /// The same, and lets time pass from wakeup to wakeup.
  void run_for(Duration duration);
  /// Until `done` holds; false if `limit` passes first.
  bool run_until(const std::function<bool()>& done, Duration limit = std::chrono::hours{1});
  /// Every lasting connection of `box` breaks.
  void break_links(AgentBox& box);
  [[nodiscard]] std::size_t link_count() const { return links_.size(); }
  /// Whether lasting connections can be opened; by default they can.
  std::function<std::optional<Error>(const AgentBox& from, const AgentBox& to)> refuse_link;

  /// Hands an envelope to a box as if from the network; returns why it was refused.
  std::optional<Error> inject(AgentBox& to, Bytes envelope);

  // For boxes.
  void take(AgentBox& from, std::vector<protocol::Effect> effects);
  [[nodiscard]] std::deque<Packet>& waiting() { return waiting_; }

 private:
  struct Link {
    AgentBox* from = nullptr;
    AgentBox* to = nullptr;
    std::string effect_id;
  };
  std::map<std::string, AgentBox*> more_addresses_;

  [[nodiscard]] AgentBox* box_at(const std::string& uri);
  void open_link(AgentBox& from, const protocol::Effect& effect);
  void route(Packet& packet);
  void deliver(const Packet& packet);
  [[nodiscard]] std::optional<Error> hand_over(const Packet& packet);
  bool step(Time limit);

  std::uint64_t seed_;
  Time now_;
  std::vector<std::unique_ptr<AgentBox>> boxes_;
  std::deque<Packet> waiting_;
  std::map<std::string, AgentBox*> channels_;  ///< Connections that wait for an answer.
  std::map<std::string, Link> links_;          ///< Both ends know it by this name.
  std::uint64_t next_channel_ = 0;
};

}  // namespace kith::test
