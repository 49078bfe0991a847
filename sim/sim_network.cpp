#include "sim/sim_network.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "node/inbox.hpp"
#include "sim/chance.hpp"
#include "sim/sim_node.hpp"

namespace kith::sim {
SimNetwork::SimNetwork(World& world, const Faults& faults)
    : world_(world), faults_(faults), random_(world.stream("network")) {}

void SimNetwork::attach(std::string uri, SimNode& node) {
  by_uri_[std::move(uri)] = &node;
}

void SimNetwork::heal() {
  faults_.slow = faults_.lost = faults_.duplicated = faults_.refused = faults_.clogged = 0;
}

Duration SimNetwork::delay_to(const SimNode& to) {
  Duration delay = exponential(random_, faults_.delay_mean);
  if (per_mille(random_, faults_.slow)) {
    delay += exponential(random_, faults_.slow_mean);
    world_.mark("network.slow");
  }
  if (per_mille(random_, faults_.clogged)) {
    Time& until = clogged_until_[to.name()];
    until = std::max(until, world_.now() + exponential(random_, faults_.clog_mean));
    world_.mark("network.clogged");
  }
  if (const auto clog = clogged_until_.find(to.name()); clog != clogged_until_.end()) {
    delay = std::max(delay, clog->second - world_.now());
  }
  return delay;
}

void SimNetwork::send(SimNode& from, const protocol::Effect& effect) {
  auto payload = protocol::decode_record<protocol::SendPayload>(effect.payload);
  ASSERT(payload.has_value());
  if (on_wire) on_wire(from.name(), payload->packed);
  if (!payload->channel.empty()) return answer(from, effect, std::move(*payload));
  world_.mark("network.sent");
  auto request = std::make_shared<Request>();
  request->from = &from;
  request->life = from.life();
  request->effect_id = effect.id;
  request->packed = std::move(payload->packed);
  request->number = next_number_++;
  const auto found = by_uri_.find(payload->uri);
  if (found == by_uri_.end() || per_mille(random_, faults_.refused)) {
    world_.mark(found == by_uri_.end() ? "network.no-address" : "network.refused");
    const Error error = fail(Errc::unreachable, "nobody answers there");
    const Duration delay = exponential(random_, faults_.delay_mean);
    world_.after(delay, [this, request, error] { finish(request, {}, error, true); });
    return;
  }
  request->to = found->second;
  const bool lost = per_mille(random_, faults_.lost);
  const bool twice = per_mille(random_, faults_.duplicated);
  const Duration first = delay_to(*request->to), second = delay_to(*request->to);
  if (lost) world_.mark("network.lost");
  if (!lost) world_.after(first, [this, request] { arrive(request); });
  if (!lost && twice) {
    world_.mark("network.duplicated");
    world_.after(second, [this, request] { arrive(request); });
  }
  world_.after(faults_.timeout, [this, request] {
    if (!request->done) finish(request, {}, fail(Errc::timeout, "no answer"), true);
  });
}

void SimNetwork::note_order(const Request& request) {
  auto& newest = newest_[request.from->name() + " " + request.to->name()];
  if (request.number < newest) world_.mark("network.reordered");
  newest = std::max(newest, request.number);
}

void SimNetwork::arrive(const RequestPtr& request) {
  SimNode& to = *request->to;
  if (!to.up()) {
    world_.mark("network.offline");
    return respond(request, {}, fail(Errc::unreachable, "it is not running"), true);
  }
  note_order(*request);
  const std::string channel = "c" + std::to_string(next_channel_++);
  waiting_[channel] = request;
  const auto outcome = to.feed(node::EnvelopeArrived{request->packed, channel});
  const auto unanswered = waiting_.extract(channel);
  if (unanswered.empty()) return;  // The handler's answer is under way.
  if (!outcome) return respond(request, {}, fail(Errc::unreachable, "it died"), true);
  if (outcome->refused) {
    return respond(request, {}, outcome->refused, node::may_succeed_later(outcome->refused->code));
  }
  respond(request, {}, std::nullopt, false);
}

void SimNetwork::answer(SimNode& from, const protocol::Effect& effect,
                        protocol::SendPayload payload) {
  protocol::EffectResult result;
  result.id = effect.id;
  const auto waiting = waiting_.extract(payload.channel);
  if (waiting.empty()) {
    result.outcome = fail(Errc::unreachable, "the connection is closed");
  } else {
    world_.mark("network.answered");
    respond(waiting.mapped(), std::move(payload.packed), std::nullopt, false);
  }
  world_.after(Duration{0}, [&from, life = from.life(), result] {
    if (from.up() && from.life() == life) static_cast<void>(from.feed(result));
  });
}

void SimNetwork::respond(const RequestPtr& request, Bytes body, std::optional<Error> failure,
                         bool retry) {
  if (per_mille(random_, faults_.lost)) {
    world_.mark("network.answer-lost");
    return;  // The timeout tells.
  }
  world_.after(delay_to(*request->from),
               [this, request, body = std::move(body), failure = std::move(failure), retry] {
                 finish(request, body, failure, retry);
               });
}

void SimNetwork::finish(const RequestPtr& request, const Bytes& body,
                        const std::optional<Error>& failure, bool retry) {
  if (request->done) return;
  request->done = true;
  SimNode& from = *request->from;
  if (!from.up() || from.life() != request->life) return;
  // The answer first: if the node dies in between, the message is sent again.
  if (!body.empty()) {
    if (!from.feed(node::EnvelopeArrived{body, {}})) return;
  }
  protocol::EffectResult result;
  result.id = request->effect_id;
  if (failure) result.outcome = fail(failure->code, failure->detail);
  result.retry = retry;
  static_cast<void>(from.feed(result));
}

}  // namespace kith::sim
