#pragma once

/// Agent: the deterministic heart of a node. Events in, effects out; no sockets, threads, files,
/// clocks or global randomness. The same object runs in the node and in the simulator.
///
/// Each event is one unit of work (protocol/unit_of_work.hpp): the responsible module reads and
/// changes records, the unit is committed in one synced batch, and only then do its effects appear
/// in the Outcome. After a crash at any point a new Agent on the same store goes on: `start`
/// returns every open effect again.
///
/// Back-pressure: limits::kOpenEffectsMax effects may be open. A unit that would begin more is
/// dropped as if it had never run: its command fails with wrong_state, its envelope is refused
/// unmarked so that the sender's next try can succeed, its timer runs later, and mail that pickup
/// handed in waits, nothing more being taken in meanwhile. What ends an effect always runs.
///
/// Single-threaded. An error of `start` or `handle` means the store's state is unknown: the owner
/// drops the Agent, opens the store again and makes a new one.

#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "node/event.hpp"
#include "node/inbox.hpp"
#include "node/module_table.hpp"
#include "node/return_routes.hpp"
#include "protocol/unit_of_work.hpp"

namespace kith::node {

struct AgentSeams {
  protocol::Store& store;
  crypto::KeyOps& keys;
  crypto::Random& random;
  bool test_mode = false;
};

class KeyGuard;
class RuleBook;

class Agent {
 public:
  /// Modules are asked in no particular order; each name, message type and command has one owner.
  Agent(const AgentSeams& seams, std::vector<std::unique_ptr<protocol::Module>> modules);
  /// Agents with the same wiring may share it.
  Agent(const AgentSeams& seams, std::shared_ptr<const ModuleTable> modules);
  ~Agent();

  [[nodiscard]] Result<Outcome> start(const ClockReading& clock);
  [[nodiscard]] Result<Outcome> handle(const Event& event, const ClockReading& clock);

  /// When WokenUp is due; Time::max() if never.
  [[nodiscard]] Time next_wakeup() const;
  /// Effects given out whose result has not come back.
  [[nodiscard]] std::size_t effects_in_flight() const { return in_flight_.size(); }
  /// Whether that effect is under way, or waits for its next try.
  [[nodiscard]] bool is_open(const std::string& effect) const {
    return in_flight_.contains(effect) || open_.contains(effect);
  }
  /// Whether that timer, "<module>|<name>", is to run now.
  [[nodiscard]] bool is_due(const std::string& timer, Time now) const {
    const auto found = timers_.find(timer);
    return found != timers_.end() && found->second <= now;
  }
  /// All open effects, waiting ones included.
  [[nodiscard]] bool idle() const { return in_flight_.empty() && retries_.empty(); }

 private:
  using Unit = protocol::UnitOfWork;

  [[nodiscard]] protocol::UnitContext context(const ClockReading& clock);
  [[nodiscard]] Result<void> finish(Unit& unit, const ClockReading& clock, Outcome& outcome);

  [[nodiscard]] Result<void> on(const EnvelopeArrived& event, const ClockReading& clock,
                                Outcome& outcome);
  [[nodiscard]] Result<void> on(const CommandGiven& event, const ClockReading& clock,
                                Outcome& outcome);
  [[nodiscard]] Result<void> on(const protocol::EffectResult& event, const ClockReading& clock,
                                Outcome& outcome);
  [[nodiscard]] Result<void> on(const WokenUp& event, const ClockReading& clock, Outcome& outcome);

  /// Runs the envelopes that pickup handed in, each in its own unit.
  [[nodiscard]] Result<void> drain_arrivals(const ClockReading& clock, Outcome& outcome);
  /// `looked_up`: the sender whose document it waited for. `outcome` gets the DID that
  /// authenticated it, and whom it was opened for. Returns why the envelope was dropped, if it was.
  [[nodiscard]] std::optional<Error> open_envelope(Unit& unit, const EnvelopeArrived& event,
                                                   std::string_view looked_up, Outcome& outcome);
  [[nodiscard]] Result<protocol::Unpacked> unpack(Unit& unit, const EnvelopeArrived& event,
                                                  Outcome& outcome);
  /// What unpacking could not open: parked if its sender can be looked up, otherwise refused.
  [[nodiscard]] std::optional<Error> park(Unit& unit, const EnvelopeArrived& event,
                                          const Error& error, std::string_view looked_up);
  /// An error is for the connection: the anonymous sender may try again.
  [[nodiscard]] std::optional<Error> deliver(Unit& unit, const Inbound& inbound,
                                             std::string_view mark_id);
  [[nodiscard]] Result<void> may_handle(Unit& unit, const Inbound& inbound,
                                        std::string_view type) const;
  void deliver_problem(Unit& unit, const Inbound& inbound);
  /// After a message was taken: tells modules what it acknowledges, acknowledges what it asks.
  void settle_acks(Unit& unit, const Inbound& inbound);
  void remember(Unit& unit, const std::string& mark_id, bool acknowledged = false);
  void forget_mark_changes();
  void repeat_answers(Unit& unit, const Inbound& inbound, std::string_view mark_id);
  void run_timer(Unit& unit, const std::string& id);
  /// How long a timer that is due is put off: the node is frozen, its owner turned that off, or a
  /// rule forbids it. nullopt: it runs.
  [[nodiscard]] std::optional<Duration> put_off(Unit& unit, const std::string& id) const;
  /// Reads the policy documents in force, when they may have changed.
  void read_rules(Unit& unit);
  [[nodiscard]] std::optional<Time> retry_or_end(Unit& unit, protocol::Effect effect,
                                                 const protocol::EffectResult& result);
  void sweep(Unit& unit);
  /// The unit begins effects, and more would be open than may be.
  [[nodiscard]] bool overfills(const Unit& unit) const;
  [[nodiscard]] static Error no_room();  ///< What is said then.

  AgentSeams seams_;
  std::unique_ptr<RuleBook> rules_;  ///< The owner's, as in the record meta/policy-documents.
  std::unique_ptr<KeyGuard> guard_;  ///< Between the units and `seams_.keys`.
  std::shared_ptr<const ModuleTable> modules_;

  // Indices over records, rebuilt at start.
  std::map<std::string, Time> timers_;                 ///< "<module>|<name>"
  std::set<std::pair<Time, std::string>> due_;         ///< The same, by time.
  std::set<std::pair<Time, std::string>> retries_;     ///< Effects waiting for their next try.
  std::map<std::string, protocol::Effect> in_flight_;  ///< Transient ones exist only here.
  std::set<std::string> open_;                         ///< Effects with a record.
  ReturnRoutes return_routes_;
  /// Lasting connections of parked envelopes, by parked_id. Lost at a restart, as connections are.
  std::map<std::string, std::string> parked_channels_;
  MarkIndex marks_;
  /// What the unit under way does to marks: counts once it is committed.
  std::vector<MarkIndex::Dated> new_marks_, dropped_marks_;
  std::vector<std::string> arrivals_;  ///< Records of collection `arrived`.
  Duration uptime_before_{};           ///< Of earlier lives.
};

}  // namespace kith::node
