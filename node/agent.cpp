#include "node/agent.hpp"

#include <algorithm>
#include <utility>

#include "crypto/assert.hpp"
#include "crypto/hash.hpp"
#include "node/inbox.hpp"
#include "protocol/acks.hpp"
#include "protocol/contact.hpp"
#include "protocol/forward.hpp"
#include "protocol/look_up.hpp"
#include "protocol/mediation.hpp"
#include "protocol/messenger.hpp"
#include "protocol/relationship.hpp"

namespace kith::node {
namespace {

using protocol::Effect;
using protocol::EffectResult;
using protocol::StoreFailure;

constexpr std::string_view kAgent = "agent";  // Owner name of the agent's own timers.
constexpr std::chrono::hours kSweepEvery{24};
constexpr std::chrono::minutes kPauseWhenFull{1};

struct Uptime {
  Duration total{};
  template <class V>
  void visit(V& v) {
    v("total", total);
  }
};

/// Exponential back-off with jitter: a quarter either way, so that peers do not come in step.
Duration retry_delay(std::uint32_t attempts, crypto::Random& random) {
  const std::uint32_t doublings = std::min<std::uint32_t>(attempts, 12);
  const Duration base = std::min<Duration>(Duration{limits::kRetryFirst} * (1 << doublings),
                                           Duration{limits::kRetryMax});
  const auto spread = static_cast<std::uint64_t>(base.count() / 2);
  return base - base / 4 + Duration{static_cast<std::int64_t>(random.below(spread + 1))};
}

struct TimerParts {
  std::string module;
  std::string name;
};
TimerParts parts_of_timer(const std::string& id) {
  const std::size_t bar = id.find('|');
  ASSERT(bar != std::string::npos);
  return {id.substr(0, bar), id.substr(bar + 1)};
}

Error no_room() {
  return fail(Errc::wrong_state,
              "too much is waiting to be sent: try again when the connection is back");
}

}  // namespace

Agent::Agent(const AgentSeams& seams, std::vector<std::unique_ptr<protocol::Module>> modules)
    : Agent(seams, std::make_shared<const ModuleTable>(std::move(modules))) {}

Agent::Agent(const AgentSeams& seams, std::shared_ptr<const ModuleTable> modules)
    : seams_(seams), modules_(std::move(modules)) {}

Agent::~Agent() = default;

protocol::UnitContext Agent::context(const ClockReading& clock) {
  return {seams_.store,    seams_.keys, seams_.random, clock.now, uptime_before_ + clock.steady,
          seams_.test_mode};
}

Time Agent::next_wakeup() const {
  Time next = Time::max();
  if (!due_.empty()) next = std::min(next, due_.begin()->first);
  if (!retries_.empty()) next = std::min(next, retries_.begin()->first);
  return next;
}

bool Agent::overfills(const Unit& unit) const {
  const auto begun = static_cast<std::size_t>(std::ranges::count_if(
      unit.started(), [](const Effect& effect) { return !effect.transient; }));
  const auto ended = static_cast<std::size_t>(std::ranges::count_if(
      unit.cancelled(), [this](const std::string& id) { return open_.contains(id); }));
  return begun > 0 && open_.size() + begun > limits::kOpenEffectsMax + ended;
}

/// Commits, then brings the indices up to date and gives out the unit's effects.
Result<void> Agent::finish(Unit& unit, const ClockReading& clock, Outcome& outcome) {
  if (unit.changed()) save(unit, "meta", "uptime", Uptime{uptime_before_ + clock.steady});
  CHECK(unit.commit());
  for (const auto& mark : std::exchange(dropped_marks_, {})) marks_.remove(mark.id, mark.time);
  for (const auto& mark : std::exchange(new_marks_, {})) marks_.add(mark.id, mark.time);
  for (const auto& [id, at] : unit.timers()) {
    if (const auto old = timers_.find(id); old != timers_.end()) {
      due_.erase({old->second, id});
      timers_.erase(old);
    }
    if (at) {
      timers_[id] = *at;
      due_.insert({*at, id});
    }
  }
  for (const std::string& id : unit.cancelled()) {
    in_flight_.erase(id);
    open_.erase(id);
    std::erase_if(retries_, [&id](const auto& retry) { return retry.second == id; });
  }
  arrivals_.insert(arrivals_.end(), unit.arrivals().begin(), unit.arrivals().end());
  for (Effect& effect : unit.take_started()) {
    in_flight_[effect.id] = effect;
    if (!effect.transient) open_.insert(effect.id);
    outcome.effects.push_back(std::move(effect));
  }
  return {};
}

Result<Outcome> Agent::start(const ClockReading& clock) {
  Outcome outcome;
  try {
    Unit unit(context(clock));
    uptime_before_ = load<Uptime>(unit, "meta", "uptime").value_or(Uptime{}).total;
    for (const std::string& id : unit.list("timer")) {
      const Time at = load<protocol::StoredTimer>(unit, "timer", id)->at;
      timers_[id] = at;
      due_.insert({at, id});
    }
    arrivals_ = unit.list("arrived");
    for (const std::string& id : unit.list(kInbox)) {
      marks_.add(id, is_anonymous_mark(id) ? load<InboxMark>(unit, kInbox, id)->time : Time{});
    }
    for (const std::string& id : unit.list("effect")) {
      const Effect effect = *load<Effect>(unit, "effect", id);
      in_flight_[id] = effect;
      open_.insert(id);
      outcome.effects.push_back(effect);
    }
    if (!timers_.contains(std::string(kAgent) + "|sweep")) {
      unit.set_timer(kAgent, "sweep", clock.now + kSweepEvery);
    }
    CHECK(finish(unit, clock, outcome));
    for (const auto& module : modules_->all()) {
      Unit start_unit(context(clock));
      module->on_start(start_unit);
      CHECK(finish(start_unit, clock, outcome));
    }
    CHECK(drain_arrivals(clock, outcome));
  } catch (const StoreFailure& failure) {
    return failure.error;
  }
  return outcome;
}

/// Of a unit that was not committed.
void Agent::forget_mark_changes() {
  new_marks_.clear();
  dropped_marks_.clear();
}

Result<Outcome> Agent::handle(const Event& event, const ClockReading& clock) {
  forget_mark_changes();
  Outcome outcome;
  try {
    CHECK(std::visit([&](const auto& e) { return on(e, clock, outcome); }, event));
    CHECK(drain_arrivals(clock, outcome));
  } catch (const StoreFailure& failure) {
    return failure.error;
  }
  return outcome;
}

// --- Envelopes

Result<void> Agent::on(const EnvelopeArrived& event, const ClockReading& clock, Outcome& outcome) {
  Unit unit(context(clock));
  // Mail that was taken in before comes first.
  if (arrivals_.empty()) outcome.refused = open_envelope(unit, event, {}, outcome);
  if (!arrivals_.empty() || overfills(unit)) {
    outcome.refused = no_room();
    if (outcome.opened_for == OpenedFor::mailbox) outcome.opened_for = OpenedFor::stranger;
    return {};
  }
  outcome.new_client = unit.audited(protocol::kGrantedEvent);
  return finish(unit, clock, outcome);
}

/// Whoever is no contact is let through or not before a private key is used.
Result<protocol::Unpacked> Agent::unpack(Unit& unit, const EnvelopeArrived& event,
                                         Outcome& outcome) {
  protocol::KnownDids known(unit);
  protocol::OwnSecrets secrets(unit);
  const auto is_contact = [&unit](const std::optional<Did>& own, const std::optional<Did>& peer) {
    return own && peer && protocol::contact_of(unit, *own, *peer).has_value();
  };
  const auto admit = [&](const std::optional<Did>& own,
                         const std::optional<Did>& claimed) -> Result<void> {
    const bool contact = is_contact(own, claimed);
    if (event.contacts_only && !contact) return fail(Errc::busy, "too much came from strangers");
    outcome.opened_for = contact ? OpenedFor::contact : OpenedFor::stranger;
    return {};
  };
  auto unpacked = protocol::unpack(
      crypto::as_text(event.envelope),
      {secrets, known, seams_.keys, protocol::epoch_seconds(unit.now()), {}, admit});
  OpenedFor& opened_for = outcome.opened_for;
  if (!unpacked.has_value()) {
    const bool altered = unpacked.error() == Errc::cannot_decrypt;
    if (altered && opened_for == OpenedFor::contact) opened_for = OpenedFor::impersonator;
    return unpacked;
  }
  const EnvelopeInfo& info = unpacked->info;
  if (!info.authenticated || !info.sender) return unpacked;
  outcome.sender = info.sender->text();
  const bool behind_anoncrypt = info.anonymous_outside && info.layers > 1;
  if (behind_anoncrypt && is_contact(info.own_did, info.sender)) opened_for = OpenedFor::contact;
  return unpacked;
}

/// Unpacks, checks for a repeat, delivers.
std::optional<Error> Agent::open_envelope(Unit& unit, const EnvelopeArrived& event,
                                          std::string_view looked_up, Outcome& outcome) {
  forget_mark_changes();
  auto unpacked = unpack(unit, event, outcome);
  if (!unpacked.has_value()) return park(unit, event, unpacked.error(), looked_up);
  Inbound inbound{std::move(unpacked->message), std::move(unpacked->info), event.channel,
                  event.lasting, event.no_new_clients};
  if (const std::string* type = modules_->known_type(inbound.message.type)) {
    inbound.message.type = *type;
  }
  return_routes_.apply(inbound);
  const std::string mark_id = inbound.info.sender
                                  ? inbound_mark_id(*inbound.info.sender, inbound.message.id)
                                  : anonymous_mark_id(inbound.info, event.envelope);
  if (load<InboxMark>(unit, kInbox, mark_id)) {
    repeat_answers(unit, inbound, mark_id);
    return std::nullopt;
  }
  if (marks_.is_full(mark_id)) {
    return fail(Errc::limit_exceeded, "that sender wrote more messages than are remembered");
  }
  if (inbound.info.rotation && inbound.info.own_did) {
    protocol::follow_rotation(unit, *inbound.info.own_did, *inbound.info.rotation);
  }
  if (is_silenced(unit, inbound)) {
    unit.audit("message.ignored", {{"type", inbound.message.type}});
    remember(unit, mark_id);
    return std::nullopt;
  }
  if (!protocol::is_problem_report(inbound.message)) {
    auto refused = deliver(unit, inbound, mark_id);
    const bool mail = !inbound.info.authenticated && protocol::is_forward(inbound.message);
    // A forward to ourselves brings an envelope to open, not mail.
    if (!refused && mail && unit.arrivals().empty()) outcome.opened_for = OpenedFor::mailbox;
    return refused;
  }
  deliver_problem(unit, inbound);
  remember(unit, mark_id);
  return std::nullopt;
}

std::optional<Error> Agent::park(Unit& unit, const EnvelopeArrived& event, const Error& error,
                                 std::string_view looked_up) {
  // What was looked up and is unknown all the same would come again for ever.
  if (error != Errc::unknown_peer || error.detail == looked_up ||
      modules_->named(protocol::kLookUpModule) == nullptr) {
    return error;
  }
  const auto parked = protocol::park(unit, event.envelope, error.detail);
  if (!parked.has_value()) return parked.error();
  if (event.lasting) {
    if (parked_channels_.size() >= limits::kParkedEnvelopesMax) parked_channels_.clear();
    parked_channels_[protocol::parked_id(event.envelope)] = event.channel;
  }
  return std::nullopt;
}

Result<void> Agent::drain_arrivals(const ClockReading& clock, Outcome& outcome) {
  while (!arrivals_.empty() && open_.size() < limits::kOpenEffectsMax) {
    const std::string id = arrivals_.front();
    Unit unit(context(clock));
    const auto arrived = load<protocol::ArrivedEnvelope>(unit, "arrived", id);
    if (!arrived) {
      arrivals_.erase(arrivals_.begin());
      continue;
    }
    unit.erase({"arrived", id});
    EnvelopeArrived event{arrived->envelope, {}};
    if (!arrived->looked_up.empty()) {
      const auto route = parked_channels_.find(protocol::parked_id(event.envelope));
      event.lasting = route != parked_channels_.end();
      if (event.lasting) event.channel = route->second;
    }
    Outcome inner;  // Whom it is from is told of envelopes that came by themselves alone.
    if (const auto refused = open_envelope(unit, event, arrived->looked_up, inner)) {
      unit.audit("envelope.dropped", {{"code", crypto::error_text(refused->code).code}});
    }
    if (overfills(unit)) break;  // Stays until effects have ended.
    arrivals_.erase(arrivals_.begin());
    CHECK(finish(unit, clock, outcome));
  }
  return {};
}

std::optional<Error> Agent::deliver(Unit& unit, const Inbound& inbound, std::string_view mark_id) {
  const std::string& type = inbound.message.type;
  protocol::Module* const owner = modules_->for_type(type);
  const auto before = unit.savepoint();
  const bool handled = owner != nullptr;
  // An empty message is there for its headers: nobody has to handle it.
  const Result<void> result = handled ? owner->on_message(unit, inbound)
                              : protocol::is_empty(inbound.message)
                                  ? Result<void>()
                                  : Result<void>(fail(Errc::unknown_type));
  if (result.has_value() && handled && owner->only_reads(type)) return std::nullopt;
  if (!result.has_value()) {
    unit.roll_back(before);
    // Nobody to report to: the connection answers, without a mark, so that a later try can succeed.
    if (!inbound.info.authenticated) return result.error();
    unit.audit("message.refused", {{"code", crypto::error_text(result.error().code).code}});
    report_problem(unit, inbound, result.error());
  } else {
    settle_acks(unit, inbound);
  }
  remember(unit, std::string(mark_id));
  return std::nullopt;
}

void Agent::remember(Unit& unit, const std::string& mark_id) {
  save(unit, kInbox, mark_id, InboxMark{unit.now(), answers_of(unit.started())});
  new_marks_.push_back({mark_id, unit.now()});
  if (auto oldest = marks_.in_the_way_of(mark_id)) {
    unit.erase({kInbox, oldest->id});
    dropped_marks_.push_back(std::move(*oldest));
  }
}

void Agent::settle_acks(Unit& unit, const Inbound& inbound) {
  if (inbound.info.authenticated && !inbound.message.ack.empty()) {
    for (const auto& module : modules_->all()) module->on_acks(unit, inbound);
  }
  std::vector<std::string> ids = acks_wanted(unit, inbound);
  // An answer carries the acknowledgement of what it answers (protocol::reply).
  const bool answered = std::ranges::any_of(
      unit.started(), [](const Effect& effect) { return effect.answers_inbound; });
  if (answered && !ids.empty() && ids.back() == inbound.message.id) ids.pop_back();
  protocol::acknowledge(unit, inbound, ids);
}

/// A report reaches every module that speaks the failed message's protocol; each knows its threads.
void Agent::deliver_problem(Unit& unit, const Inbound& inbound) {
  const auto report = protocol::parse_problem_report(inbound.message);
  if (!report.has_value() || !inbound.info.authenticated || report->args.empty()) return;
  if (!count_reported_problem(unit, inbound)) return;
  unit.audit("problem.received", {{"code", report->code}});
  const std::string failed_protocol = protocol_of(report->args.front());
  for (const auto& module : modules_->all()) {
    const auto types = module->message_types();
    const bool speaks_it = std::ranges::any_of(
        types, [&](const std::string& type) { return protocol_of(type) == failed_protocol; });
    if (speaks_it) module->on_problem(unit, inbound, *report);
  }
}

void Agent::repeat_answers(Unit& unit, const Inbound& inbound, std::string_view mark_id) {
  auto mark = load<InboxMark>(unit, kInbox, mark_id);
  if (!mark) return;
  for (protocol::SendPayload& payload : mark->answers) {
    if (!payload.channel.empty()) {
      if (inbound.channel.empty()) continue;
      payload.channel = inbound.channel;
    }
    Effect effect;
    effect.payload = protocol::encode_record(payload);
    effect.expires = unit.now() + Duration{limits::kRetryMax};
    effect.transient = true;
    unit.start(std::move(effect));
  }
}

// --- Commands

Result<void> Agent::on(const CommandGiven& event, const ClockReading& clock, Outcome& outcome) {
  const Command& command = event.command;
  Unit unit(context(clock));
  protocol::Module* const owner = modules_->for_command(command.name);
  if (owner == nullptr) {
    outcome.reply = fail(Errc::usage, "no such command: " + command.name);
    return {};
  }
  if (owner->only_reads(command.name)) {
    outcome.reply = owner->on_command(unit, command);
    return finish(unit, clock, outcome);
  }
  if (const auto done = load<StoredReply>(unit, kCommands, command.id)) {
    outcome.reply = done->reply;
    return {};
  }
  const auto before = unit.savepoint();
  Result<JsonObject> reply = owner->on_command(unit, command);
  if (reply.has_value() && overfills(unit)) reply = no_room();
  if (reply.has_value()) {
    save(unit, kCommands, command.id, StoredReply{clock.now, *reply});
  } else {
    unit.roll_back(before);  // A failed command may be tried again under the same id.
  }
  CHECK(finish(unit, clock, outcome));
  outcome.reply = std::move(reply);
  return {};
}

// --- Effects

Result<void> Agent::on(const EffectResult& event, const ClockReading& clock, Outcome& outcome) {
  const auto found = in_flight_.find(event.id);
  if (found == in_flight_.end()) return {};  // Cancelled, or reported twice.
  Unit unit(context(clock));
  const auto waiting = retry_or_end(unit, std::move(found->second), event);
  in_flight_.erase(found);
  CHECK(finish(unit, clock, outcome));
  if (waiting) {
    retries_.insert({*waiting, event.id});
  } else {
    open_.erase(event.id);
  }
  return {};
}

/// The time of the next try, or nullopt when the effect has ended.
std::optional<Time> Agent::retry_or_end(Unit& unit, Effect effect, const EffectResult& result) {
  const bool failed = !result.outcome.has_value();
  if (failed && result.retry && !effect.transient && unit.now() < effect.expires) {
    effect.next_try = unit.now() + retry_delay(effect.attempts, seams_.random);
    ++effect.attempts;
    save(unit, "effect", effect.id, effect);
    return effect.next_try;
  }
  if (!effect.transient) unit.erase({"effect", effect.id});
  if (protocol::Module* const owner = modules_->named(effect.owner); owner != nullptr) {
    owner->on_effect(unit, effect, result.outcome);
  }
  return std::nullopt;
}

// --- Time

Result<void> Agent::on(const WokenUp&, const ClockReading& clock, Outcome& outcome) {
  // Only what is due now: a timer that sets itself to the present runs at the next call.
  std::vector<std::string> timers;
  for (const auto& [at, id] : due_) {
    if (at > clock.now) break;
    timers.push_back(id);
  }
  for (const std::string& id : timers) {
    Unit unit(context(clock));
    if (!load<protocol::StoredTimer>(unit, "timer", id)) continue;  // An earlier one cancelled it.
    run_timer(unit, id);
    if (!overfills(unit)) {
      CHECK(finish(unit, clock, outcome));
      continue;
    }
    Unit later(context(clock));
    const auto [module, name] = parts_of_timer(id);
    later.set_timer(module, name, clock.now + kPauseWhenFull);
    CHECK(finish(later, clock, outcome));
  }
  while (!retries_.empty() && retries_.begin()->first <= clock.now) {
    const std::string id = retries_.begin()->second;
    retries_.erase(retries_.begin());
    Unit unit(context(clock));
    const auto effect = load<Effect>(unit, "effect", id);
    if (!effect) continue;
    in_flight_[id] = *effect;
    outcome.effects.push_back(*effect);
  }
  return {};
}

void Agent::run_timer(Unit& unit, const std::string& id) {
  const auto [module, name] = parts_of_timer(id);
  unit.cancel_timer(module, name);
  if (module == kAgent) {
    sweep(unit);
  } else if (protocol::Module* const owner = modules_->named(module); owner != nullptr) {
    owner->on_timer(unit, name);
  }
}

/// Drops inbox marks and command replies that nothing can repeat any more.
void Agent::sweep(Unit& unit) {
  for (const std::string& id : unit.list(kInbox)) {
    const auto mark = load<InboxMark>(unit, kInbox, id);
    if (!mark || mark->time + limits::kInboxMarkLife >= unit.now()) continue;
    unit.erase({kInbox, id});
    dropped_marks_.push_back({id, mark->time});
  }
  for (const std::string& id : unit.list(kCommands)) {
    const auto done = load<StoredReply>(unit, kCommands, id);
    if (done && done->time + kSweepEvery < unit.now()) unit.erase({kCommands, id});
  }
  unit.set_timer(kAgent, "sweep", unit.now() + kSweepEvery);
}

}  // namespace kith::node
