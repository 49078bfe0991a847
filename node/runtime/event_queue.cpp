#include "node/runtime/event_queue.hpp"

#include <algorithm>
#include <chrono>
#include <utility>

#include "node/runtime/system_clock.hpp"

namespace kith::node {
namespace {

/// The wall clock may jump; timers are looked at again at least this often.
constexpr std::chrono::milliseconds kLongestNap{60'000};

}  // namespace

EventQueue::EventQueue(boost::asio::io_context& io)
    : wakeup_(io), steady_base_ms_(read_clocks().steady_ms) {}

Result<void> EventQueue::start(std::unique_ptr<Agent> agent, Perform perform,
                               OnFailure on_failure) {
  agent_ = std::move(agent);
  on_failure_ = std::move(on_failure);
  perform_ = std::move(perform);
  TRY(const Outcome outcome, agent_->start(clock()));
  draining_ = true;  // What effects cause at once waits until all have been handed out.
  for (const protocol::Effect& effect : outcome.effects) perform_(effect);
  draining_ = false;
  drain();
  if (failure_) return *failure_;
  return {};
}

ClockReading EventQueue::clock() const {
  const MachineClocks now = read_clocks();
  return {protocol::from_epoch_ms(now.wall_ms), Duration{now.steady_ms - steady_base_ms_}};
}

void EventQueue::submit(Event event, After after) {
  if (failure_) {
    if (after) after(*failure_);
    return;
  }
  queue_.push_back({std::move(event), std::move(after)});
  drain();
}

void EventQueue::drain() {
  if (draining_ || !agent_) return;
  draining_ = true;
  while (!queue_.empty() && !failure_) {
    const Queued next = std::move(queue_.front());
    queue_.pop_front();
    const auto outcome = agent_->handle(next.event, clock());
    if (!outcome.has_value()) {
      if (next.after) next.after(outcome);
      fail_with(outcome.error());
      break;
    }
    count(next.event, *outcome);
    for (const protocol::Effect& effect : outcome->effects) perform_(effect);
    if (next.after) next.after(outcome);
  }
  draining_ = false;
  if (!failure_) arm();
}

void EventQueue::count(const Event& event, const Outcome& outcome) {
  counts_.effects += outcome.effects.size();
  if (std::holds_alternative<CommandGiven>(event)) ++counts_.commands;
  if (!std::holds_alternative<EnvelopeArrived>(event)) return;
  ++counts_.envelopes;
  if (outcome.refused) ++counts_.refused;
}

void EventQueue::arm() {
  const ClockReading now = clock();
  Duration nap = kLongestNap;
  if (agent_->next_wakeup() < now.now + kLongestNap) {
    nap = std::max(Duration{0}, agent_->next_wakeup() - now.now);
  }
  wakeup_.expires_after(nap);
  wakeup_.async_wait([this](const boost::system::error_code& error) {
    if (!error) submit(WokenUp{});
  });
}

void EventQueue::fail_with(const Error& error) {
  if (failure_) return;
  failure_ = error;
  wakeup_.cancel();
  while (!queue_.empty()) {
    const Queued next = std::move(queue_.front());
    queue_.pop_front();
    if (next.after) next.after(error);
  }
  if (on_failure_) on_failure_();
}

}  // namespace kith::node
