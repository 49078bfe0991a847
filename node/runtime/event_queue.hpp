#pragma once

/// The Agent's turn-taking: events are handled one after the other, their effects leave when the
/// store has them, and the Agent is woken when one of its timers is due.
///
/// Group commit: events that wait at the same time are handled in a row, and made durable by one
/// synced write; then their effects leave and whoever waits hears of them, in the events' order.
/// Under load a group fills while the disk writes the one before.
///
/// Single-threaded. After the first error of the Agent (the store failed) nothing more is handled:
/// what is on the disk is then known only after a new start. Whoever waits hears that error.

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "node/agent.hpp"
#include "node/runtime/gate.hpp"
#include "node/runtime/under_way.hpp"
#include "node/storage/group_store.hpp"

namespace kith::node {

/// Since the node was started.
struct EventCounts {
  std::uint64_t envelopes = 0;
  std::uint64_t refused = 0;  ///< Of the envelopes.
  std::uint64_t commands = 0;
  std::uint64_t effects = 0;  ///< Handed out; tries again included.
};

class EventQueue {
 public:
  using Perform = std::function<void(const protocol::Effect&)>;
  using After = std::function<void(const Result<Outcome>&)>;
  using OnFailure = std::function<void()>;

  explicit EventQueue(boost::asio::io_context& io, GateLimits limits = {});

  /// `store` is the Agent's, and outlives this. `perform` may submit events at once; they wait for
  /// their turn. `on_failure` is called once, when all who waited have heard. Errors: the store
  /// failed.
  [[nodiscard]] Result<void> start(std::unique_ptr<Agent> agent, GroupStore& store, Perform perform,
                                   OnFailure on_failure);
  /// `after` hears the outcome once its effects have been handed out, or that the store failed;
  /// never before this returns.
  void submit(Event event, After after = {});
  /// The same for what others bring. Whether it is taken is decided when its turn has come.
  void submit(EnvelopeArrived event, Origin origin, After after);

  /// Another part of the home failed; the same as an error of the Agent. Only the first counts.
  void fail_with(const Error& error);
  [[nodiscard]] const std::optional<Error>& failure() const { return failure_; }
  [[nodiscard]] const EventCounts& counts() const { return counts_; }
  /// Nothing waits, no effect is open.
  [[nodiscard]] bool idle() const { return agent_->idle() && queue_.empty(); }
  /// From here on: what commands begin (under_way.hpp). Nobody asks a node that runs on and on.
  void watch_commands() { under_way_.emplace(); }
  /// Nothing waits, and nothing that commands began is open.
  [[nodiscard]] bool commands_over() {
    return queue_.empty() && under_way_ && under_way_->is_over(*agent_, clock().now);
  }
  [[nodiscard]] std::vector<std::string> waits_for() const { return under_way_->places(); }

 private:
  struct Queued {
    Event event;
    After after;
    Origin origin = {};
  };
  struct Handled {
    After after;
    Outcome outcome;
  };

  [[nodiscard]] ClockReading clock() const;
  void drain_soon();
  void drain();
  /// What waits now, up to the size of a group. An error is told to those whose events it lost.
  [[nodiscard]] Result<std::vector<Handled>> handle_group();
  /// Past the gate.
  [[nodiscard]] Result<Outcome> handle(Event& event, const Origin& origin);
  void count(const Event& event, const Outcome& outcome);
  void arm();

  boost::asio::io_context& io_;
  boost::asio::steady_timer wakeup_;
  std::int64_t steady_base_ms_;
  std::unique_ptr<Agent> agent_;
  GroupStore* store_ = nullptr;  ///< From start on.
  Perform perform_;
  OnFailure on_failure_;
  std::deque<Queued> queue_;
  bool draining_ = false;
  bool drain_posted_ = false;
  Gate gate_;
  EventCounts counts_;
  std::optional<UnderWay> under_way_;
  std::optional<Error> failure_;
};

}  // namespace kith::node
