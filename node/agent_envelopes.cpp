/// What becomes of an envelope: opened, parked, recognised as a repeat, or given to the module that
/// its type belongs to.

#include <algorithm>
#include <utility>

#include "node/agent.hpp"
#include "node/inbox.hpp"
#include "node/operations.hpp"
#include "node/rule_gate.hpp"
#include "protocol/acks.hpp"
#include "protocol/contact.hpp"
#include "protocol/forward.hpp"
#include "protocol/look_up.hpp"
#include "protocol/mediation.hpp"
#include "protocol/messenger.hpp"
#include "protocol/relationship.hpp"
#include "protocol/sequence.hpp"
#include "protocol/web_redirect.hpp"

namespace kith::node {

using protocol::Effect;

namespace {

/// A node answers to whom an envelope names, and only encrypted ones name somebody.
Error not_encrypted() {
  return fail(Errc::unsupported, "only encrypted messages are taken");
}

}  // namespace

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
    if (!own) return not_encrypted();  // Signed alone.
    const bool contact = is_contact(own, claimed);
    if (event.contacts_only && !contact) return fail(Errc::busy, "too much came from strangers");
    outcome.opened_for = contact ? OpenedFor::contact : OpenedFor::stranger;
    return {};
  };
  auto unpacked = protocol::unpack(
      crypto::as_text(event.envelope),
      {secrets, known, seams_.keys, protocol::epoch_seconds(unit.now()), {}, admit});
  if (unpacked.has_value() && !unpacked->info.encrypted) return not_encrypted();
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
  const protocol::Arrival how{error.detail, !event.channel.empty(), event.no_new_clients};
  const auto parked = protocol::park(unit, event.envelope, how);
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
    const protocol::Arrival& how = arrived->how;
    event.no_new_clients = how.no_new_clients;
    if (how.waited) event.channel = protocol::kChannelOver;
    const std::string parked = how.looked_up.empty() ? "" : protocol::parked_id(event.envelope);
    if (const auto route = parked_channels_.find(parked); route != parked_channels_.end()) {
      event.channel = route->second;
      event.lasting = true;
    }
    Outcome inner;  // Whom it is from is told of envelopes that came by themselves alone.
    if (const auto refused = open_envelope(unit, event, how.looked_up, inner)) {
      unit.audit("envelope.dropped", {{"code", crypto::error_text(refused->code).code}});
    }
    if (overfills(unit)) break;  // Stays until effects have ended.
    arrivals_.erase(arrivals_.begin());
    parked_channels_.erase(parked);
    outcome.new_client = outcome.new_client || unit.audited(protocol::kGrantedEvent);
    CHECK(finish(unit, clock, outcome));
  }
  return {};
}

/// Errors: refused: the node is frozen, or its owner's rules forbid it.
Result<void> Agent::may_handle(Unit& unit, const Inbound& inbound, std::string_view type) const {
  if (is_stopped(unit, operation_of_message(type))) return protocol::frozen_error();
  if (rules_->empty()) return {};
  const auto ruled = check_rules(*rules_, message_request(unit, inbound, type));
  // Which rules there are is nobody else's business.
  return ruled.has_value() ? ruled : fail(Errc::refused, "its owner does not allow this");
}

std::optional<Error> Agent::deliver(Unit& unit, const Inbound& inbound, std::string_view mark_id) {
  const std::string& type = inbound.message.type;
  protocol::Module* const owner = modules_->for_type(type);
  const auto before = unit.savepoint();
  const bool handled = owner != nullptr;
  // An empty message is there for its headers: nobody has to handle it.
  const Result<void> may = handled ? may_handle(unit, inbound, type) : Result<void>();
  const Result<void> result = !may.has_value() ? may
                              : handled        ? owner->on_message(unit, inbound)
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
    protocol::show_web_redirect(unit, inbound);
  }
  const bool acknowledged = result.has_value() && protocol::asks_for_ack(inbound.message);
  remember(unit, std::string(mark_id), acknowledged);
  return std::nullopt;
}

void Agent::remember(Unit& unit, const std::string& mark_id, bool acknowledged) {
  save(unit, kInbox, mark_id, InboxMark{unit.now(), answers_of(unit.started()), acknowledged});
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

/// A report reaches every module that speaks the failed message's protocol, which our own reports
/// name in their first argument. Others' need not: those reach all modules. Each knows its threads.
void Agent::deliver_problem(Unit& unit, const Inbound& inbound) {
  const auto report = protocol::parse_problem_report(inbound.message);
  if (!report.has_value() || !inbound.info.authenticated) return;
  if (!count_reported_problem(unit, inbound)) return;
  unit.audit("problem.received", {{"code", report->code}});
  protocol::show_web_redirect(unit, inbound);
  const std::string failed = report->args.empty() ? "" : protocol_of(report->args.front());
  const auto speaks_it = [&failed](const std::unique_ptr<protocol::Module>& module) {
    const auto types = module->message_types();
    return std::ranges::any_of(
        types, [&failed](const std::string& type) { return protocol_of(type) == failed; });
  };
  const bool named = std::ranges::any_of(modules_->all(), speaks_it);
  for (const auto& module : modules_->all()) {
    if (!named || speaks_it(module)) module->on_problem(unit, inbound, *report);
  }
}

void Agent::repeat_answers(Unit& unit, const Inbound& inbound, std::string_view mark_id) {
  auto mark = load<InboxMark>(unit, kInbox, mark_id);
  if (!mark) return;
  // Packed anew, because keys have changed on one side: it could not read our old answer.
  if (mark->acknowledged && protocol::is_sent_again(inbound.message)) {
    return protocol::acknowledge(unit, inbound, {inbound.message.id});
  }
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

}  // namespace kith::node
