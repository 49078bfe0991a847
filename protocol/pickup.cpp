#include "protocol/pickup.hpp"

#include <algorithm>
#include <utility>

#include "protocol/mailbox_view.hpp"
#include "protocol/mediator.hpp"
#include "protocol/messenger.hpp"
#include "protocol/own_service.hpp"
#include "protocol/sender.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kModule = "pickup";
constexpr std::string_view kOwnDids = "own-did";
constexpr std::string_view kPoll = "poll";
constexpr std::string_view kRegister = "register";
constexpr std::string_view kMediate = "mediate";
constexpr std::string_view kLive = "live";
constexpr Duration kRepeat{2000};        // A request unanswered this long is sent again.
constexpr Duration kRepeatMax{300'000};  // ... but ever more rarely.
constexpr Duration kWatchdog{30'000};    // A poll whose result never comes does not end polling.

/// Stored: never renumber.
enum class DidWish : std::uint8_t { add = 1, registered = 2, remove = 3, refused = 4 };
constexpr bool is_valid(DidWish wish) {
  return wish >= DidWish::add && wish <= DidWish::refused;
}

/// Nothing is to be asked of the mediator.
constexpr bool settled(DidWish wish) {
  return wish == DidWish::registered || wish == DidWish::refused;
}

struct OwnDid {
  DidWish wish = DidWish::add;
  template <class V>
  void visit(V& v) {
    v("wish", wish);
  }
};

/// Record meta/pickup.
struct PickupState {
  std::string mediator;  ///< Contact id.
  Duration interval{0};
  std::uint32_t tries = 0;  ///< Of the open mediation or registration request.
  bool refused = false;     ///< The mediator did not take our last request.
  // Live mode, of this life of the node.
  std::string live_effect;  ///< Keeps the connection open; empty: there is none.
  std::string live_uri;
  bool live = false;      ///< The mediator has confirmed it.
  bool emptying = false;  ///< There may be mail from before.
  std::uint32_t live_failures = 0;
  template <class V>
  void visit(V& v) {
    v("mediator", mediator), v("interval", interval), v("tries", tries), v("refused", refused),
        v("live_effect", live_effect), v("live_uri", live_uri), v("live", live),
        v("emptying", emptying), v("live_failures", live_failures);
  }
};

std::optional<PickupState> state_of(Host& host) {
  return load<PickupState>(host, "meta", "pickup");
}

Duration repeat_delay(std::uint32_t tries) {
  return std::min(kRepeat * (1 << std::min<std::uint32_t>(tries, 8)), kRepeatMax);
}

/// Sends a request to the mediator; its answer arrives as a message of its own. In live mode all
/// goes over the one connection.
Result<void> ask(Host& host, const PickupState& state, std::string_view type, JsonObject body,
                 bool over_live) {
  const auto mediator = find_contact(host, state.mediator);
  if (!mediator || mediator->state != ContactState::connected) {
    return fail(Errc::wrong_state, "the mediator is not connected yet");
  }
  TRY(const Did mine, Did::parse(mediator->my_did));
  TRY(const Did theirs, Did::parse(mediator->their_did));
  Message message = new_message(type, host.random(), epoch_seconds(host.now()));
  message.from = mine;
  message.to = {theirs};
  message.body = std::move(body);
  SendOptions options;
  options.owner = kModule;
  options.context = type;
  options.life = std::chrono::minutes{5};
  options.wants_reply = true;
  options.transient = true;
  if (over_live) options.via = state.live_uri;
  TRY(const std::string id, send(host, std::move(message), options));
  return {};
}

Result<void> ask(Host& host, const PickupState& state, std::string_view type, JsonObject body) {
  return ask(host, state, type, std::move(body), state.live);
}

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
  save(host, "meta", "pickup", *state);
  // Failing to ask is repaired when mail is looked for.
  static_cast<void>(ask(host, *state, kLiveDeliveryChange, {{"live_delivery", true}}, true));
}

Duration reconnect_delay(const PickupPace& pace, std::uint32_t failures, crypto::Random& random) {
  const Duration longest = std::min(
      pace.reconnect_first * (1 << std::min<std::uint32_t>(failures, 16)), pace.reconnect_max);
  // Half of it is random: the clients of a mediator that comes back do not all knock at once.
  const auto half = static_cast<std::uint64_t>(longest.count() / 2);
  return longest - Duration{static_cast<std::int64_t>(random.below(half + 1))};
}

void poll(Host& host) {
  auto state = state_of(host);
  if (!state || !mediator_grant(host)) return;
  if (state->live && !std::exchange(state->emptying, true)) save(host, "meta", "pickup", *state);
  const auto asked = ask(host, *state, kDeliveryRequest,
                         {{"limit", static_cast<std::int64_t>(limits::kPickupBatchMax)}});
  static_cast<void>(asked);  // Failing to ask is repaired by the watchdog below.
  host.set_timer(kModule, kPoll, host.now() + kWatchdog);
}

void send_registrations(Host& host) {
  auto state = state_of(host);
  if (!state || !mediator_grant(host)) return;
  JsonArray updates;
  for (const std::string& did : host.list(kOwnDids)) {
    const DidWish wish = load<OwnDid>(host, kOwnDids, did)->wish;
    if (settled(wish)) continue;
    if (updates.size() == limits::kRecipientUpdatesMax / 2) break;  // DIDs may be long.
    updates.push_back(
        JsonObject{{"recipient_did", did}, {"action", wish == DidWish::add ? "add" : "remove"}});
  }
  if (updates.empty()) return;
  static_cast<void>(ask(host, *state, kRecipientUpdate, {{"updates", std::move(updates)}}));
  host.set_timer(kModule, kRegister, host.now() + repeat_delay(state->tries));
  ++state->tries;
  save(host, "meta", "pickup", *state);
}

void ask_for_mediation(Host& host) {
  auto state = state_of(host);
  if (!state) return;
  static_cast<void>(ask(host, *state, kMediateRequest, {}));
  host.set_timer(kModule, kMediate, host.now() + repeat_delay(state->tries));
  ++state->tries;
  save(host, "meta", "pickup", *state);
}

/// Errors: refused, for anybody but our mediator.
Result<PickupState> check_mediator(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, sender_of(host, inbound));
  auto state = state_of(host);
  if (!state || state->mediator != contact.id) {
    return fail(Errc::refused, "only our mediator may send this");
  }
  return *state;
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
    save(host, "meta", "pickup", state);
    host.set_timer(kModule, kPoll, host.now());
    return {};
  }
  if (!state.live || !inbound.lasting) return {};
  if (!is_live) {
    // The mediator has forgotten us: the same again on the same connection.
    return ask(host, state, kLiveDeliveryChange, {{"live_delivery", true}});
  }
  if (!state.emptying) return {};
  const bool more = count != nullptr && count->is_int64() && count->get_int64() > 0;
  if (!more) {
    state.emptying = false;
    save(host, "meta", "pickup", state);
  }
  // A pause even where there is more: the mediator may be wrong for ever.
  host.set_timer(kModule, kPoll, host.now() + (more ? pace.busy : pace.live_check));
  return {};
}

Result<void> on_grant(Host& host, const Inbound& inbound, PickupState state,
                      const PickupPace& pace) {
  TRY(const JsonArray* dids, crypto::json_array(inbound.message.body, "routing_did"));
  if (dids->empty() || !dids->front().is_string()) {
    return fail(Errc::malformed, "the grant names no routing DID");
  }
  TRY(const Did routing, Did::parse(std::string_view(dids->front().get_string())));
  KnownDids known(host);
  TRY(const DidDocument document, known.resolve(routing));
  if (document.services.empty()) {
    return fail(Errc::unsupported, "the routing DID has no address");
  }
  const auto before = mediator_grant(host);
  save(host, "meta", "mediator",
       MediatorGrant{state.mediator, document.services.front().uri, routing.text()});
  host.cancel_timer(kModule, kMediate);
  state.tries = 0;
  save(host, "meta", "pickup", state);
  if (before && before->contact_id != state.mediator) {
    register_all_again(host);  // The former one answered for them; this one knows none.
    host.set_timer(kAddressModule, kAddressTimer, host.now());
  }
  send_registrations(host);
  host.set_timer(kModule, kPoll, host.now());
  if (pace.live) host.set_timer(kModule, kLive, host.now());
  return {};
}

Result<void> on_registered(Host& host, const Inbound& inbound, PickupState state) {
  TRY(const JsonArray* updated, crypto::json_array(inbound.message.body, "updated"));
  for (const Json& item : *updated) {
    TRY(const JsonObject* update, crypto::as_object(item, "updated"));
    TRY(const std::string did, crypto::json_string(*update, "recipient_did"));
    TRY(const std::string action, crypto::json_string(*update, "action"));
    TRY(const std::string result, crypto::json_string(*update, "result"));
    const auto own = load<OwnDid>(host, kOwnDids, did);
    if (!own) continue;
    if (result != "success" && result != "no_change") {
      save(host, kOwnDids, did, OwnDid{DidWish::refused});  // Asking again would not change it.
      host.notify(
          {"alarm",
           "Your mediator refuses to take mail for one of your contacts. Messages from them "
           "may not reach you; try `kith doctor`.",
           did,
           {}});
      continue;
    }
    if (action == "add" && own->wish == DidWish::add) {
      save(host, kOwnDids, did, OwnDid{DidWish::registered});
    } else if (action == "remove" && own->wish == DidWish::remove) {
      host.erase({std::string(kOwnDids), did});
    }
  }
  state.tries = 0;
  save(host, "meta", "pickup", state);
  host.cancel_timer(kModule, kRegister);
  if (!all_registered(host)) send_registrations(host);
  return {};
}

Result<void> on_delivery(Host& host, const Inbound& inbound, PickupState state,
                         const PickupPace& pace) {
  JsonArray received;
  for (const Attachment& attachment : inbound.message.attachments) {
    if (!attachment.id || !attachment.base64) continue;
    host.arrived(*attachment.base64);
    received.push_back(boost::json::string(*attachment.id));
  }
  if (received.empty()) return {};
  CHECK(ask(host, state, kMessagesReceived, {{"message_id_list", std::move(received)}}));
  state.interval = pace.busy;  // Where there was mail, more may follow.
  save(host, "meta", "pickup", state);
  return {};
}

}  // namespace

std::vector<std::string> Pickup::message_types() const {
  return {std::string(kMediateGrant), std::string(kMediateDeny),
          std::string(kRecipientUpdateResponse), std::string(kDelivery), std::string(kStatus)};
}

Result<void> Pickup::on_message(Host& host, const Inbound& inbound) {
  TRY(const PickupState state, check_mediator(host, inbound));
  const std::string& type = inbound.message.type;
  if (type == kStatus) note_mailbox(host, inbound.message.body);
  if (type == kMediateGrant) return on_grant(host, inbound, state, pace_);
  if (type == kRecipientUpdateResponse) return on_registered(host, inbound, state);
  if (type == kDelivery) return on_delivery(host, inbound, state, pace_);
  if (type == kMediateDeny) {
    host.cancel_timer(kModule, kMediate);
    host.notify({"alarm", "The mediator refused to relay your mail. Choose another one.", {}, {}});
  }
  if (type == kStatus) return on_status(host, inbound, state, pace_);
  return {};
}

Result<JsonObject> Pickup::on_command(Host& host, const Command&) {
  auto state = state_of(host);
  if (!state) return JsonObject{};
  state->interval = pace_.busy;
  save(host, "meta", "pickup", *state);
  if (mediator_grant(host)) host.set_timer(kModule, kPoll, host.now());
  return JsonObject{};
}

void Pickup::on_timer(Host& host, std::string_view timer) {
  if (timer == kPoll) poll(host);
  if (timer == kRegister) send_registrations(host);
  if (timer == kMediate) ask_for_mediation(host);
  if (timer == kLive && pace_.live) go_live(host);
}

void Pickup::on_effect(Host& host, const Effect& effect, const Result<Bytes>& outcome) {
  if (effect.context == kDeliveryRequest) on_poll_ended(host, outcome);
  if (effect.context == kLive) on_live_ended(host, effect, outcome);
}

void Pickup::on_live_ended(Host& host, const Effect& effect, const Result<Bytes>& outcome) const {
  auto state = state_of(host);
  if (!state || state->live_effect != effect.id) return;
  // Whoever takes no WebSockets will hardly learn it in a second.
  const bool never = !outcome.has_value() && outcome.error() == Errc::unsupported;
  const std::uint32_t failures = never ? 16 : state->live_failures;
  host.set_timer(kModule, kLive, host.now() + reconnect_delay(pace_, failures, host.random()));
  ++state->live_failures;
  state->live_effect.clear();
  state->interval = pace_.busy;
  if (std::exchange(state->live, false)) host.set_timer(kModule, kPoll, host.now());
  save(host, "meta", "pickup", *state);
}

void Pickup::on_poll_ended(Host& host, const Result<Bytes>& outcome) const {
  auto state = state_of(host);
  if (!state) return;
  if (state->live) return host.set_timer(kModule, kPoll, host.now() + pace_.live_check);
  Duration interval = std::max(state->interval, pace_.busy);
  host.set_timer(kModule, kPoll, host.now() + interval);
  interval = std::min(interval * pace_.growth_percent / 100, pace_.idle_max);
  if (!outcome.has_value()) interval = pace_.idle_max;
  state->interval = interval;
  const bool refused = !outcome.has_value() && outcome.error() == Errc::refused;
  if (refused && !state->refused) {
    host.audit("mail.refused");
    host.notify({"alarm",
                 "Your mediator no longer takes requests of this device. That is right if you have "
                 "recovered your identity on another one; else accept its invitation anew.",
                 state->mediator, host.now()});
  }
  state->refused = refused;
  save(host, "meta", "pickup", *state);
}

void Pickup::on_start(Host& host) {
  auto state = state_of(host);
  if (!state) return;
  // Connections of an earlier life are gone.
  state->live = false;
  state->live_effect.clear();
  state->live_failures = 0;
  save(host, "meta", "pickup", *state);
  if (mediator_grant(host)) {
    host.set_timer(kModule, kPoll, host.now());
    if (pace_.live) host.set_timer(kModule, kLive, host.now());
    if (!all_registered(host)) host.set_timer(kModule, kRegister, host.now());
  } else {
    host.set_timer(kModule, kMediate, host.now());
  }
}

void start_mediation(Host& host, const Contact& mediator) {
  PickupState state;
  state.mediator = mediator.id;
  save(host, "meta", "pickup", state);
  ask_for_mediation(host);
}

void register_own_did(Host& host, std::string_view did) {
  if (const auto own = load<OwnDid>(host, kOwnDids, did); own && own->wish == DidWish::registered) {
    return;
  }
  save(host, kOwnDids, did, OwnDid{DidWish::add});
  if (mediator_grant(host)) host.set_timer(kModule, kRegister, host.now());
}

void unregister_own_did(Host& host, std::string_view did) {
  if (!load<OwnDid>(host, kOwnDids, did)) return;
  save(host, kOwnDids, did, OwnDid{DidWish::remove});
  if (mediator_grant(host)) host.set_timer(kModule, kRegister, host.now());
}

bool all_registered(Host& host) {
  const auto dids = host.list(kOwnDids);
  return std::ranges::all_of(dids, [&](const std::string& did) {
    return settled(load<OwnDid>(host, kOwnDids, did)->wish);
  });
}

bool receives_live(Host& host) {
  const auto state = state_of(host);
  return state && state->live;
}

void register_all_again(Host& host) {
  for (const std::string& did : host.list(kOwnDids)) {
    if (settled(load<OwnDid>(host, kOwnDids, did)->wish)) {
      save(host, kOwnDids, did, OwnDid{DidWish::add});
    }
  }
  if (mediator_grant(host)) host.set_timer(kModule, kRegister, host.now());
}

}  // namespace kith::protocol
