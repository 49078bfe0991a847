#include "node/runtime/under_way.hpp"

#include <algorithm>
#include <string_view>

#include "ledger/ledger_effects.hpp"

namespace kith::node {
namespace {

/// "https://relay.example:8700/x" -> "relay.example:8700"
std::string authority_in(std::string_view url) {
  const std::size_t scheme = url.find("://");
  if (scheme == std::string_view::npos) return {};
  url.remove_prefix(scheme + 3);
  return std::string(url.substr(0, url.find_first_of("/?#")));
}

std::string place_of(const protocol::Effect& effect) {
  using protocol::EffectKind;
  if (effect.kind == EffectKind::send) {
    const auto payload = protocol::decode_record<protocol::SendPayload>(effect.payload);
    return payload.has_value() ? authority_in(payload->uri) : std::string();
  }
  if (effect.kind == EffectKind::fetch) {
    const auto payload = protocol::decode_record<protocol::FetchPayload>(effect.payload);
    return payload.has_value() ? authority_in(payload->url) : std::string();
  }
  return authority_in(ledger::ledger_of(effect));
}

}  // namespace

void UnderWay::note(const Event& event, const Outcome& outcome) {
  if (std::holds_alternative<WokenUp>(event)) return note_timers(outcome);
  const auto* const result = std::get_if<protocol::EffectResult>(&event);
  const auto* const envelope = std::get_if<EnvelopeArrived>(&event);
  const bool ours = (result != nullptr && effects_.contains(result->id)) ||
                    (envelope != nullptr && effects_.contains(envelope->answers)) ||
                    std::holds_alternative<CommandGiven>(event);
  if (!ours) return;
  for (const protocol::Effect& effect : outcome.effects) effects_[effect.id] = place_of(effect);
  timers_.insert(outcome.due.begin(), outcome.due.end());
}

void UnderWay::note_timers(const Outcome& outcome) {
  std::set<std::string> begun;
  for (const Ran& ran : outcome.ran) {
    if (timers_.erase(ran.timer) == 0) continue;
    begun.insert(ran.effects.begin(), ran.effects.end());
    timers_.insert(ran.due.begin(), ran.due.end());
  }
  for (const protocol::Effect& effect : outcome.effects) {
    if (begun.contains(effect.id)) effects_[effect.id] = place_of(effect);
  }
}

bool UnderWay::is_over(const Agent& agent, Time now) {
  std::erase_if(effects_, [&](const auto& effect) { return !agent.is_open(effect.first); });
  std::erase_if(timers_, [&](const std::string& timer) { return !agent.is_due(timer, now); });
  return effects_.empty() && timers_.empty();
}

std::vector<std::string> UnderWay::places() const {
  std::vector<std::string> places;
  for (const auto& [id, place] : effects_) {
    if (!place.empty() && std::ranges::find(places, place) == places.end()) places.push_back(place);
  }
  return places;
}

}  // namespace kith::node
