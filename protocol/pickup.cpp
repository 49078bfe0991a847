#include "protocol/pickup.hpp"

#include <algorithm>
#include <utility>

#include "protocol/discover_features.hpp"
#include "protocol/mailbox_view.hpp"
#include "protocol/pickup_parts.hpp"
#include "protocol/sender.hpp"

namespace kith::protocol {
namespace pickup {
namespace {

constexpr Duration kRepeat{2000};        // A request unanswered this long is sent again.
constexpr Duration kRepeatMax{300'000};  // ... but ever more rarely.

}  // namespace

std::optional<PickupState> state_of(Host& host) {
  return load<PickupState>(host, "meta", "pickup");
}

void save_state(Host& host, const PickupState& state) {
  save(host, "meta", "pickup", state);
}

Duration repeat_delay(std::uint32_t tries) {
  return std::min(kRepeat * (1 << std::min<std::uint32_t>(tries, 8)), kRepeatMax);
}

Duration backoff(Duration first, Duration longest, std::uint32_t failures, crypto::Random& random) {
  const Duration pause = std::min(first * (1 << std::min<std::uint32_t>(failures, 16)), longest);
  const auto half = static_cast<std::uint64_t>(pause.count() / 2);
  return pause - Duration{static_cast<std::int64_t>(random.below(half + 1))};
}

Result<void> ask(Host& host, const PickupState& state, std::string_view type, JsonObject body,
                 AskOptions how) {
  const auto mediator = find_contact(host, state.mediator);
  if (!mediator || mediator->state != ContactState::connected) {
    return fail(Errc::wrong_state, "the mediator is not connected yet");
  }
  TRY(const Did mine, Did::parse(mediator->my_did));
  TRY(const Did theirs, Did::parse(mediator->their_did));
  Message message = new_message(type, host.random(), epoch_seconds(host.now()));
  if (!how.id.empty()) message.id = std::move(how.id);
  message.from = mine;
  message.to = {theirs};
  message.body = std::move(body);
  SendOptions options;
  options.owner = kModule;
  options.context = type;
  options.life = std::chrono::minutes{5};
  options.wants_reply = how.expects_reply;
  options.transient = true;
  if (state.live || how.over_live) options.via = state.live_uri;
  TRY(const std::string id, send(host, std::move(message), options));
  return {};
}

}  // namespace pickup

namespace {

using namespace pickup;

constexpr std::chrono::hours kAskAgain{24};  // A mediator may have learned more since.
constexpr Duration kWatchdog{30'000};  // A poll whose result never comes does not end polling.

/// Which version of pickup the mediator has. Without an answer it stays the older one.
void ask_for_dialect(Host& host, PickupState& state) {
  const auto mediator = find_contact(host, state.mediator);
  if (!mediator || state.newer || state.asked + kAskAgain > host.now()) return;
  auto id = ask_for_protocol(host, *mediator, kPickup4.uri());
  if (!id.has_value()) return;
  state.question = std::move(*id);
  state.asked = host.now();
}

void note_dialect(Host& host, PickupState& state) {
  if (state.question.empty()) return;
  const auto told = was_told(host, state.question, kPickup4.uri());
  if (!told) return;
  state.newer = *told;
  state.question.clear();
  save_state(host, state);
}

void poll(Host& host) {
  auto state = state_of(host);
  if (!state || !mediator_grant(host)) return;
  note_dialect(host, *state);
  if (state->live && !std::exchange(state->emptying, true)) save_state(host, *state);
  const PickupDialect& dialect = dialect_of(*state);
  const auto asked =
      ask(host, *state, dialect.type(kDeliveryRequest),
          {{dialect.limit_member, static_cast<std::int64_t>(limits::kPickupBatchMax)}});
  static_cast<void>(asked);  // Failing to ask is repaired by the watchdog below.
  host.set_timer(kModule, kPoll, host.now() + kWatchdog);
}

void ask_for_mediation(Host& host) {
  auto state = state_of(host);
  if (!state) return;
  static_cast<void>(ask(host, *state, kMediateRequest, {}));
  host.set_timer(kModule, kMediate, host.now() + repeat_delay(state->tries));
  ++state->tries;
  save_state(host, *state);
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

Result<void> on_grant(Host& host, const Inbound& inbound, PickupState state, const PickupPace& pace,
                      const DidHistory* history) {
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
  ask_for_dialect(host, state);
  save_state(host, state);
  if (before && before->contact_id != state.mediator) {
    register_all_again(host);  // The former one answered for them; this one knows none.
  }
  if (before && before->routing_did != routing.text()) {
    host.set_timer(kAddressModule, kAddressTimer, host.now());
  }
  send_registrations(host, history);
  host.set_timer(kModule, kPoll, host.now());
  if (pace.live) host.set_timer(kModule, kLive, host.now());
  plan_check(host, pace.did_check);
  return {};
}

/// Polls tell whether a mediator has really given up a client that it had taken.
Result<void> on_deny(Host& host, PickupState state) {
  host.cancel_timer(kModule, kMediate);
  state.tries = 0;
  const auto grant = mediator_grant(host);
  const bool was_granted = grant && grant->contact_id == state.mediator;
  save_state(host, state);
  if (was_granted) return {};
  host.notify({"alarm", "The mediator refused to relay your mail. Choose another one.", {}, {}});
  return {};
}

/// Confirmed in the dialect in which it came.
Result<void> on_delivery(Host& host, const Inbound& inbound, const PickupDialect& dialect,
                         PickupState state, const PickupPace& pace) {
  JsonArray received;
  for (const Attachment& attachment : inbound.message.attachments) {
    const auto envelope = attachment.payload();
    if (!attachment.id || envelope.has_error()) continue;
    host.arrived(crypto::to_bytes(*envelope), {});
    received.push_back(boost::json::string(*attachment.id));
  }
  const bool some = !received.empty();
  if (some) {
    AskOptions options;
    options.expects_reply = dialect.receipt_answered;
    CHECK(ask(host, state, dialect.type(kMessagesReceived),
              {{"message_id_list", std::move(received)}}, options));
    state.interval = pace.busy;  // Where there was mail, more may follow.
    save_state(host, state);
  }
  // Without a status, only the next answer tells whether there is more.
  const bool answers_poll = inbound.message.thid.has_value();
  if (dialect.empty_delivery && answers_poll && state.live && inbound.lasting) {
    on_emptied(host, std::move(state), some, pace);
  }
  return {};
}

}  // namespace

std::vector<std::string> Pickup::message_types() const {
  std::vector<std::string> types = {std::string(kMediateGrant), std::string(kMediateDeny),
                                    std::string(kRecipientUpdateResponse), std::string(kRecipient)};
  for (const PickupDialect* dialect : kPickupDialects) {
    types.push_back(dialect->type(kDelivery));
    types.push_back(dialect->type(kStatus));
  }
  return types;
}

Result<void> Pickup::on_message(Host& host, const Inbound& inbound) {
  TRY(const PickupState state, check_mediator(host, inbound));
  const std::string& type = inbound.message.type;
  if (type == kRecipient) return on_recipients(host, inbound, state);
  if (type == kMediateGrant) return on_grant(host, inbound, state, pace_, history_.get());
  if (type == kRecipientUpdateResponse) {
    return on_registered(host, inbound, state, history_.get());
  }
  if (const PickupDialect* dialect = pickup_dialect_of(type)) {
    if (type == dialect->type(kDelivery)) {
      return on_delivery(host, inbound, *dialect, state, pace_);
    }
    note_mailbox(host, inbound.message.body, *dialect);
    return on_status(host, inbound, state, pace_);
  }
  return on_deny(host, state);
}

/// A mediator that has forgotten the newer version may still know the older one.
void Pickup::on_problem(Host& host, const Inbound& inbound, const ProblemReport& report) {
  const auto state = check_mediator(host, inbound);
  if (!state.has_value() || !state->newer || report.args.empty()) return;
  if (pickup_dialect_of(report.args.front()) != &kPickup4) return;
  PickupState older = *state;
  older.newer = false;
  save_state(host, older);
}

Result<JsonObject> Pickup::on_command(Host& host, const Command&) {
  auto state = state_of(host);
  if (!state) return JsonObject{};
  state->interval = pace_.busy;
  save_state(host, *state);
  if (mediator_grant(host)) host.set_timer(kModule, kPoll, host.now());
  return JsonObject{};
}

void Pickup::on_timer(Host& host, std::string_view timer) {
  if (timer == kPoll) poll(host);
  if (timer == kRegister) send_registrations(host, history_.get());
  if (timer == kMediate) ask_for_mediation(host);
  if (timer == kLive && pace_.live) go_live(host);
  if (timer == kCheck) {
    check_own_dids(host);
    ask_for_mediation(host);
    plan_check(host, pace_.did_check);
  }
}

void Pickup::on_effect(Host& host, const Effect& effect, const Result<Bytes>& outcome) {
  const PickupDialect* dialect = pickup_dialect_of(effect.context);
  if (dialect != nullptr && effect.context == dialect->type(kDeliveryRequest)) {
    on_poll_ended(host, outcome);
  }
  if (effect.context == kLive) on_live_ended(host, effect, outcome);
}

void Pickup::on_poll_ended(Host& host, const Result<Bytes>& outcome) const {
  auto state = state_of(host);
  if (!state) return;
  if (state->live) return;  // The answer says how to go on, else the watchdog.
  const bool failed = !outcome.has_value();
  if (failed) {
    const Duration pause = backoff(pace_.busy, pace_.idle_max, state->failures++, host.random());
    host.set_timer(kModule, kPoll, host.now() + pause);
  } else {
    if (std::exchange(state->failures, 0U) > 0) state->interval = pace_.busy;
    const Duration interval = std::max(state->interval, pace_.busy);
    host.set_timer(kModule, kPoll, host.now() + interval);
    state->interval = std::min(interval * pace_.growth_percent / 100, pace_.idle_max);
  }
  const bool refused = failed && outcome.error() == Errc::refused;
  if (refused && !state->refused) {
    host.audit("mail.refused");
    host.notify({"alarm",
                 "Your mediator no longer takes requests of this device. That is right if you have "
                 "recovered your identity on another one; else accept its invitation anew.",
                 state->mediator, host.now()});
  }
  state->refused = refused;
  save_state(host, *state);
}

void Pickup::on_start(Host& host) {
  auto state = state_of(host);
  if (!state) return;
  // Connections of an earlier life are gone.
  state->live = false;
  state->live_effect.clear();
  state->live_failures = 0;
  state->failures = 0;
  if (mediator_grant(host)) ask_for_dialect(host, *state);
  save_state(host, *state);
  prove_unproven(host);
  if (mediator_grant(host)) {
    host.set_timer(kModule, kPoll, host.now());
    if (pace_.live) host.set_timer(kModule, kLive, host.now());
    if (!all_registered(host)) host.set_timer(kModule, kRegister, host.now());
    if (!checks_own_dids(host)) host.set_timer(kModule, kCheck, host.now());
  } else {
    host.set_timer(kModule, kMediate, host.now());
  }
}

void start_mediation(Host& host, const Contact& mediator) {
  PickupState state;
  state.mediator = mediator.id;
  save_state(host, state);
  ask_for_mediation(host);
}

void ask_for_grant_again(Host& host) {
  if (state_of(host)) host.set_timer(kModule, kMediate, host.now());
}

const PickupDialect& spoken_dialect(Host& host) {
  const auto state = state_of(host);
  return state ? dialect_of(*state) : kPickup3;
}

}  // namespace kith::protocol
