#include <utility>

#include "protocol/pickup_parts.hpp"

/// Live mode: one WebSocket to the mediator.

namespace kith::protocol {
namespace pickup {
namespace {

/// Where the mediator takes WebSockets: as its routing DID says, or at its address.
std::string live_uri_of(Host& host, const MediatorGrant& grant) {
  KnownDids known(host);
  const auto did = Did::parse(grant.routing_did);
  if (did.has_value()) {
    const auto document = known.resolve(*did);
    if (document.has_value()) {
      for (const ServiceEndpoint& service : document->services) {
        if (websocket_address(service.uri) == service.uri) return service.uri;
      }
    }
  }
  return websocket_address(grant.uri);
}

}  // namespace

/// Opens the connection and asks for live mode on it.
void go_live(Host& host) {
  auto state = state_of(host);
  const auto grant = mediator_grant(host);
  if (!state || !grant || !state->live_effect.empty()) return;
  state->live_uri = live_uri_of(host, *grant);
  if (state->live_uri.empty()) return;
  Effect effect;
  effect.kind = EffectKind::live;
  effect.owner = kModule;
  effect.context = kLive;
  effect.payload = encode_record(LivePayload{state->live_uri});
  effect.transient = true;
  state->live_effect = host.start(std::move(effect));
  save_state(host, *state);
  // Failing to ask is repaired when mail is looked for.
  AskOptions options;
  options.over_live = true;
  static_cast<void>(ask(host, *state, dialect_of(*state).type(kLiveDeliveryChange),
                        {{"live_delivery", true}}, options));
}

/// Mail from before live mode is asked for until there is none.
Result<void> on_status(Host& host, const Inbound& inbound, PickupState state,
                       const PickupPace& pace) {
  const Json* live = inbound.message.body.if_contains("live_delivery");
  const Json* count = inbound.message.body.if_contains("message_count");
  const bool is_live = inbound.lasting && live != nullptr && live->is_bool() && live->get_bool();
  if (is_live && !state.live && !state.live_effect.empty()) {
    state.live = true;
    state.live_failures = 0;
    state.emptying = true;
    save_state(host, state);
    host.set_timer(kModule, kPoll, host.now());
    return {};
  }
  if (!state.live || !inbound.lasting) return {};
  if (!is_live) {
    // The mediator has forgotten us: the same again on the same connection.
    return ask(host, state, dialect_of(state).type(kLiveDeliveryChange), {{"live_delivery", true}});
  }
  const bool more = count != nullptr && count->is_int64() && count->get_int64() > 0;
  on_emptied(host, std::move(state), more, pace);
  return {};
}

void on_emptied(Host& host, PickupState state, bool more, const PickupPace& pace) {
  if (!state.emptying) return;
  state.emptying = more;
  save_state(host, state);
  // A pause even where there is more: the mediator may be wrong for ever.
  host.set_timer(kModule, kPoll, host.now() + (more ? pace.busy : pace.live_check));
}

}  // namespace pickup

using namespace pickup;

void Pickup::on_live_ended(Host& host, const Effect& effect, const Result<Bytes>& outcome) const {
  auto state = state_of(host);
  if (!state || state->live_effect != effect.id) return;
  // Whoever takes no WebSockets will hardly learn it in a second.
  const bool never = !outcome.has_value() && outcome.error() == Errc::unsupported;
  const std::uint32_t failures = never ? 16 : state->live_failures;
  host.set_timer(
      kModule, kLive,
      host.now() + backoff(pace_.reconnect_first, pace_.reconnect_max, failures, host.random()));
  ++state->live_failures;
  state->live_effect.clear();
  state->interval = pace_.busy;
  if (std::exchange(state->live, false)) host.set_timer(kModule, kPoll, host.now());
  save_state(host, *state);
}

bool receives_live(Host& host) {
  const auto state = state_of(host);
  return state && state->live;
}

}  // namespace kith::protocol
