#include "node/runtime/event_queue.hpp"

#include <algorithm>
#include <boost/asio/post.hpp>
#include <chrono>
#include <utility>

#include "node/runtime/system_clock.hpp"

namespace kith::node {
namespace {

/// The wall clock may jump; timers are looked at again at least this often.
constexpr std::chrono::milliseconds kLongestNap{60'000};
/// A group costs one wait for the disk; beyond these its own length is what others wait for.
constexpr std::size_t kGroupMax = 64;
constexpr std::size_t kGroupRecordsMax = 1024;

}  // namespace

EventQueue::EventQueue(boost::asio::io_context& io, GateLimits limits)
    : io_(io), wakeup_(io), steady_base_ms_(read_clocks().steady_ms), gate_(limits) {}

Result<void> EventQueue::start(std::unique_ptr<Agent> agent, GroupStore& store, Perform perform,
                               OnFailure on_failure) {
  agent_ = std::move(agent);
  store_ = &store;
  on_failure_ = std::move(on_failure);
  perform_ = std::move(perform);
  TRY(const Outcome outcome, agent_->start(clock()));
  CHECK(store_->flush());
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
  drain_soon();
}

void EventQueue::submit(EnvelopeArrived event, Origin origin, After after) {
  if (failure_) return submit(Event(std::move(event)), std::move(after));
  queue_.push_back({std::move(event), std::move(after), std::move(origin)});
  drain_soon();
}

/// After what is ready to be read now, so that it can join the group.
void EventQueue::drain_soon() {
  if (drain_posted_ || draining_ || !agent_) return;
  drain_posted_ = true;
  boost::asio::post(io_, [this] {
    drain_posted_ = false;
    drain();
  });
}

void EventQueue::drain() {
  if (draining_ || !agent_) return;
  draining_ = true;
  while (!queue_.empty() && !failure_) {
    auto group = handle_group();
    if (!group.has_value()) {
      fail_with(group.error());
      break;
    }
    for (Handled& handled : *group) {
      for (const protocol::Effect& effect : handled.outcome.effects) perform_(effect);
      if (handled.after) handled.after(std::move(handled.outcome));
    }
  }
  draining_ = false;
  if (!failure_) arm();
}

Result<Outcome> EventQueue::handle(Event& event, const Origin& origin) {
  const ClockReading now = clock();
  auto* const envelope = std::get_if<EnvelopeArrived>(&event);
  if (envelope == nullptr) return agent_->handle(event, now);
  if (!gate_.admit(*envelope, origin, now.steady.count())) {
    Outcome outcome;
    outcome.refused = fail(Errc::busy, "too much that was not what it said came from there");
    return outcome;
  }
  auto outcome = agent_->handle(event, now);
  if (outcome.has_value()) gate_.count(*outcome, origin, now.steady.count());
  return outcome;
}

Result<std::vector<EventQueue::Handled>> EventQueue::handle_group() {
  std::vector<Handled> group;
  const auto lost = [&group](const Error& error) {
    for (const Handled& handled : group) {
      if (handled.after) handled.after(error);
    }
    return error;
  };
  while (!queue_.empty() && group.size() < kGroupMax && store_->waiting() < kGroupRecordsMax) {
    Queued next = std::move(queue_.front());
    queue_.pop_front();
    auto outcome = handle(next.event, next.origin);
    group.push_back({std::move(next.after), {}});
    if (!outcome.has_value()) return lost(outcome.error());
    count(next.event, *outcome);
    if (under_way_) under_way_->note(next.event, *outcome);
    group.back().outcome = std::move(*outcome);
  }
  const auto durable = store_->flush();
  if (!durable.has_value()) return lost(durable.error());
  return group;
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
