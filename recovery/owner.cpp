#include "recovery/owner.hpp"

#include <algorithm>

#include "crypto/dleq.hpp"
#include "ledger/identity.hpp"
#include "protocol/contact.hpp"
#include "protocol/messenger.hpp"
#include "protocol/sender.hpp"
#include "recovery/backup_location.hpp"
#include "recovery/heartbeat.hpp"
#include "recovery/messages.hpp"
#include "recovery/owner_anchor.hpp"
#include "recovery/owner_setup.hpp"
#include "recovery/owner_upload.hpp"
#include "recovery/plan_text.hpp"
#include "recovery/recognition_words.hpp"
#include "recovery/signed_times.hpp"
#include "recovery/super_owner.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kAlerts = "recovery-alert";
constexpr std::string_view kBeats = "heartbeat";
constexpr std::chrono::hours kHeartbeatEvery{24 * 7};
constexpr Duration kHeartbeatEveryTest{60'000};
/// Notices that come this long after a veto are vetoed without asking again.
constexpr std::chrono::hours kVetoStands{24 * 14};

/// An open heartbeat (by contact id).
struct OpenBeat {
  Bytes challenge;
  std::size_t leaf = 0;
  Duration asked{};  ///< Host::uptime() when the challenge was made.
  Duration sent{};   ///< Host::uptime() when it was last sent.
  template <class V>
  void visit(V& v) {
    v("challenge", challenge), v("leaf", leaf), v("asked", asked), v("sent", sent);
  }
};

/// No more often, whatever our user does.
constexpr std::chrono::hours kHeartbeatAgain{1};
constexpr std::chrono::seconds kHeartbeatAgainTest{2};

/// Record meta/veto: the owner's standing objection.
struct StandingVeto {
  Time until{};
  template <class V>
  void visit(V& v) {
    v("until", until);
  }
};

/// The challenge for a trustee: the open one again while an answer to it may be under way, for an
/// answer to a challenge that was replaced proves nothing. Nothing while it was sent lately.
std::optional<OpenBeat> next_beat(Host& host, const TrusteeProgress& trustee, Duration pause) {
  const Duration now = host.uptime();
  auto beat = load<OpenBeat>(host, kBeats, trustee.contact_id);
  const bool open = beat && beat->leaf == trustee.leaf && now - beat->asked < pause;
  if (!open) {
    beat = OpenBeat{host.random().bytes(kHeartbeatChallengeBytes), trustee.leaf, now, now};
  } else if (now - beat->sent <
             (host.test_mode() ? Duration{kHeartbeatAgainTest} : Duration{kHeartbeatAgain})) {
    return std::nullopt;
  }
  beat->sent = now;
  save(host, kBeats, trustee.contact_id, *beat);
  return beat;
}

/// A trustee that proved its share before and has missed this many heartbeats is missed.
constexpr int kBeatsMissed = 3;
constexpr std::string_view kSilent = "heartbeat-lost";

/// Collection `heartbeat-lost`, by contact id: the owner was told.
struct SilentTrustee {
  Time since{};
  template <class V>
  void visit(V& v) {
    v("since", since);
  }
};

/// Says once that a trustee gives no sign of life any more.
void note_silence(Host& host, const TrusteeProgress& trustee, Duration pause) {
  if (!trustee.last_proof || *trustee.last_proof + pause * kBeatsMissed > host.now()) return;
  if (host.get({std::string(kSilent), trustee.contact_id})) return;
  save(host, kSilent, trustee.contact_id, SilentTrustee{*trustee.last_proof});
  host.audit("recovery.heartbeat-lost", {{"contact", trustee.contact_id}});
  const auto contact = protocol::find_contact(host, trustee.contact_id);
  host.notify({"heartbeat",
               (contact ? contact->name : "A trustee") +
                   " has given no sign of life for weeks. Ask whether all is well; `kith recovery "
                   "status` shows how many still answer.",
               trustee.contact_id,
               {}});
}

std::size_t ask_for_heartbeats(Host& host) {
  const auto set = owner_set(host);
  if (!set || set->step != SetStep::done) return 0;
  const Duration pause = host.test_mode() ? kHeartbeatEveryTest : Duration{kHeartbeatEvery};
  std::size_t asked = 0;
  for (const TrusteeProgress& trustee : set->trustees) {
    if (trustee.step != TrusteeStep::committed) continue;
    note_silence(host, trustee, pause);
    const auto beat = next_beat(host, trustee, pause);
    if (!beat) {
      ++asked;  // Still open.
      continue;
    }
    const auto& record_id = set->record.leaves[trustee.leaf].record_id;
    auto head = head_for(*set, trustee.leaf, host.random());
    const HeartbeatRequest request{crypto::to_bytes(record_id), beat->challenge,
                                   head.has_value() ? std::move(*head) : Bytes{}};
    // A request that did not arrive until the next one is due has no use any more.
    const auto sent = send_to_trustee(host, trustee.contact_id, HeartbeatRequest::kName,
                                      protocol::encode_body(request), pause);
    if (sent.has_value()) ++asked;
  }
  // Jitter, so that the trustees' traffic does not show who belongs together.
  const auto spread = static_cast<std::uint64_t>(pause.count() / 4);
  const Duration jitter{static_cast<std::int64_t>(host.random().below(spread + 1))};
  host.set_timer(kOwnerModule, kTimerHeartbeat, host.now() + pause + jitter);
  return asked;
}

/// A drill passes when leaves with recent proofs satisfy the plan and interpolate to Y.
void note_drill(Host& host, OwnerSet& set) {
  LeafSet proven;
  for (const TrusteeProgress& trustee : set.trustees) {
    if (trustee.last_proof && *trustee.last_proof + Duration{kHeartbeatEvery} * 2 > host.now()) {
      proven.insert(trustee.leaf);
    }
  }
  if (!check_drill(set.record, proven).has_value()) return;
  if (!set.drilled) host.audit("recovery.drill-passed");
  set.drilled = host.now();
}

Result<void> on_heartbeat_answer(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, protocol::sender_of(host, inbound));
  TRY(const auto beat, protocol::decode_body<HeartbeatResponse>(inbound.message.body));
  const auto open = load<OpenBeat>(host, kBeats, contact.id);
  auto set = owner_set(host);
  if (!open || !set || open->leaf >= set->record.leaves.size()) return {};  // Not asked, or late.
  const auto& leaf = set->record.leaves[open->leaf];
  const Bytes statement = heartbeat_statement(leaf.record_id, leaf.version, open->challenge,
                                              contact.my_did, contact.their_did);
  CHECK(crypto::verify_schnorr(leaf.share_point, statement, beat.proof));
  CHECK(
      take_signed_time(host, inbound, open->challenge, open->asked, beat.time_ms, beat.signature));
  host.erase({std::string(kBeats), contact.id});
  host.erase({std::string(kSilent), contact.id});
  for (TrusteeProgress& trustee : set->trustees) {
    if (trustee.contact_id == contact.id) trustee.last_proof = host.now();
  }
  note_drill(host, *set);
  save_set(host, *set);
  return {};
}

Result<void> send_veto(Host& host, const std::string& id, RecoveryAlert alert) {
  const auto contact = protocol::find_contact(host, alert.contact_id);
  if (!contact) return fail(Errc::unknown_peer, "that trustee is no longer a contact");
  TRY(const Bytes session_id, crypto::from_hex(id));
  TRY(Message message,
      protocol::message_to(host, *contact, type_uri("recovery", SessionRef::kVeto)));
  message.body = protocol::encode_body(SessionRef{session_id, {}});
  TRY(const std::string sent, protocol::send(host, std::move(message), {}));
  alert.veto_sent = true;
  save(host, kAlerts, id, alert);
  host.audit("recovery.veto-sent");
  return {};
}

Result<void> on_notice(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, protocol::sender_of(host, inbound));
  TRY(const auto notice, protocol::decode_body<SessionNotice>(inbound.message.body));
  if (notice.session_id.size() != 16) return fail(Errc::malformed, "session id has 16 bytes");
  const std::string id = crypto::hex(notice.session_id);
  const auto known = load<RecoveryAlert>(host, kAlerts, id);
  if (known && known->contact_id != contact.id) return fail(Errc::refused, "another's session");
  RecoveryAlert alert = known.value_or(RecoveryAlert{});
  alert.contact_id = contact.id;
  if (!known) alert.noticed = host.now();
  alert.earliest_release = protocol::from_epoch_seconds(notice.earliest_release_s);
  save(host, kAlerts, id, alert);
  const auto veto = load<StandingVeto>(host, "meta", "veto");
  if (veto && veto->until > host.now() && !alert.veto_sent) return send_veto(host, id, alert);
  if (!known) {
    host.audit("recovery.noticed");
    host.notify({"recovery-alarm",
                 "Somebody asked " + contact.name +
                     " to recover your identity. If that is not you, object at once: "
                     "kith recovery veto " +
                     id,
                 id,
                 {}});
  }
  return {};
}

Result<void> on_vetoed(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, protocol::sender_of(host, inbound));
  TRY(const auto vetoed, protocol::decode_body<SessionRef>(inbound.message.body));
  const std::string id = crypto::hex(vetoed.session_id);
  auto alert = load<RecoveryAlert>(host, kAlerts, id);
  if (!alert || alert->contact_id != contact.id || alert->vetoed) return {};
  alert->vetoed = true;
  save(host, kAlerts, id, *alert);
  return {};
}

/// One veto speaks for the owner at every trustee: alarms known now, and those to come.
Result<JsonObject> veto(Host& host, const JsonObject& args) {
  TRY(const std::string id, crypto::json_string(args, "id"));
  const auto wanted = load<RecoveryAlert>(host, kAlerts, id);
  if (!wanted) return fail(Errc::not_found, "no alarm by that id");
  save(host, "meta", "veto", StandingVeto{host.now() + Duration{kVetoStands}});
  for (const std::string& other : host.list(kAlerts)) {
    const auto alert = *load<RecoveryAlert>(host, kAlerts, other);
    if (!alert.veto_sent) CHECK(send_veto(host, other, alert));
  }
  const auto contact = protocol::find_contact(host, wanted->contact_id);
  return JsonObject{{"contact", contact ? contact->name : wanted->contact_id}};
}

JsonArray trustee_list(Host& host, const OwnerSet& set) {
  JsonArray trustees;
  for (const TrusteeProgress& trustee : set.trustees) {
    const auto contact = protocol::find_contact(host, trustee.contact_id);
    JsonObject row{{"contact", contact ? contact->name : trustee.contact_id},
                   {"state", step_name(trustee.step)}};
    if (trustee.last_proof) row["last_seen"] = protocol::utc_text(*trustee.last_proof);
    trustees.push_back(std::move(row));
  }
  return trustees;
}

JsonArray alert_list(Host& host) {
  JsonArray alerts;
  for (const std::string& id : host.list(kAlerts)) {
    const auto alert = *load<RecoveryAlert>(host, kAlerts, id);
    const auto contact = protocol::find_contact(host, alert.contact_id);
    alerts.push_back(JsonObject{{"id", id},
                                {"contact", contact ? contact->name : alert.contact_id},
                                {"earliest_release", protocol::utc_text(alert.earliest_release)},
                                {"vetoed", alert.vetoed}});
  }
  return alerts;
}

/// What is still missing for READY, in words.
JsonArray missing_parts(Host& host, const OwnerSet& set) {
  JsonArray missing;
  const auto add = [&](const char* text) { missing.push_back(boost::json::string(text)); };
  if (set.step == SetStep::offering) add("Not enough trustees hold a share yet.");
  if (set.stored_counter == 0) add("No backup is stored yet.");
  if (set.step != SetStep::done) add("The set is not in force yet.");
  if (const std::string proposal = waiting_proposal(host, set); !proposal.empty()) {
    const std::string text =
        "Other devices of yours have not agreed yet: say `kith policy approve " + proposal +
        "` there.";
    add(text.c_str());
  }
  if (!set.drilled) add("No drill has passed yet: trustees still have to prove their shares.");
  if (const auto own = ledger::identity(host); own && ledger::lacks_witnesses(*own)) {
    add("Your ledger is this device's own and has no witnesses, so nobody else can say when its "
        "entries were made. Publish at a ledger that others run.");
  }
  return missing;
}

/// The contacts' names instead of their ids.
Plan with_names(Host& host, Plan plan) {
  if (plan.is_leaf()) {
    const auto contact = protocol::find_contact(host, plan.holder.id);
    if (contact && !contact->name.empty()) plan.holder.id = contact->name;
  }
  for (Plan& child : plan.children) child = with_names(host, std::move(child));
  return plan;
}

JsonObject setup_status(Host& host) {
  const auto set = owner_set(host);
  if (!set) {
    return {{"state", "none"},
            {"trustees", JsonArray{}},
            {"alarms", alert_list(host)},
            {"super_quorum", super_state(host)}};
  }
  JsonArray missing = missing_parts(host, *set);
  JsonObject reply{{"step", step_name(set->step)},
                   {"threshold", set->record.plan.threshold},
                   {"trustees", trustee_list(host, *set)},
                   {"alarms", alert_list(host)},
                   {"super_quorum", super_state(host)}};
  reply["state"] = missing.empty()              ? "ready"
                   : set->step == SetStep::done ? "incomplete"
                                                : "setting-up";
  reply["missing"] = std::move(missing);
  if (std::ranges::any_of(set->record.plan.children, std::not_fn(&Plan::is_leaf))) {
    reply["plan"] = plan_text(with_names(host, set->record.plan));
  }
  if (set->stored_counter > 0) {
    reply["backup"] =
        JsonObject{{"counter", set->stored_counter}, {"stored", protocol::utc_text(set->stored)}};
  }
  if (set->drilled) reply["drilled"] = protocol::utc_text(*set->drilled);
  if (const auto own = ledger::identity(host)) {
    JsonArray words;
    for (const std::string& word : recognition_words(own->policy)) {
      words.push_back(boost::json::string(word));
    }
    reply["words"] = std::move(words);
  }
  return reply;
}

}  // namespace

std::vector<std::string> Owner::message_types() const {
  return {
      type_uri("trustee", CapabilityRequest::kName), type_uri("trustee", CapabilityDecline::kName),
      type_uri("trustee", SharePrepared::kName),     type_uri("trustee", ShareBusy::kName),
      type_uri("trustee", ShareChange::kCommitted),  type_uri("trustee", HeartbeatResponse::kName),
      type_uri("recovery", SessionNotice::kName),    type_uri("recovery", SessionRef::kVetoed)};
}

Result<void> Owner::on_message(Host& host, const Inbound& inbound) {
  const std::string& type = inbound.message.type;
  if (type == type_uri("trustee", SharePrepared::kName)) return on_share_prepared(host, inbound);
  if (type == type_uri("trustee", ShareChange::kCommitted)) {
    return on_share_committed(host, inbound);
  }
  if (type == type_uri("trustee", HeartbeatResponse::kName))
    return on_heartbeat_answer(host, inbound);
  if (type == type_uri("recovery", SessionNotice::kName)) return on_notice(host, inbound);
  if (type == type_uri("recovery", SessionRef::kVetoed)) return on_vetoed(host, inbound);
  if (type == type_uri("trustee", ShareBusy::kName)) return {};  // The repeat timer asks again.
  if (answers_super_offer(host, inbound)) return on_super_answer(host, inbound);
  return on_capability_answer(host, inbound);
}

Result<JsonObject> Owner::on_command(Host& host, const Command& command) {
  if (command.name == "recovery-setup") return begin_setup(host, command);
  if (command.name == "recovery-veto") return veto(host, command.args);
  if (command.name == "recovery-heartbeat") {
    return JsonObject{{"asked", ask_for_heartbeats(host)}};
  }
  return setup_status(host);
}

void Owner::on_timer(Host& host, std::string_view timer) {
  if (timer == kTimerRepeat) repeat_unanswered(host);
  if (timer == kTimerStored) after_upload(host);
  if (timer == kTimerAnchor) check_anchor(host);
  if (timer == kTimerBackup) backup_if_changed(host);
  if (timer == kTimerHeartbeat) ask_for_heartbeats(host);
}

void Owner::on_start(Host& host) {
  const auto set = owner_set(host);
  if (!set) return;
  if (!set->job.empty()) host.set_timer(kOwnerModule, kTimerStored, host.now());
  if (set->step != SetStep::done) {
    host.set_timer(kOwnerModule, kTimerRepeat, host.now());
    host.set_timer(kOwnerModule, kTimerAnchor, host.now());
  }
}

}  // namespace kith::recovery
