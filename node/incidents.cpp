#include "node/incidents.hpp"

#include <algorithm>

#include "ledger/proposal_messages.hpp"
#include "node/playbooks.hpp"
#include "node/watch_limits.hpp"
#include "protocol/contact_flags.hpp"
#include "protocol/messenger.hpp"
#include "protocol/sender.hpp"
#include "protocol/vault.hpp"
#include "recovery/ids.hpp"
#include "recovery/messages.hpp"
#include "recovery/owner_set.hpp"

namespace kith::node {
namespace {

using protocol::ContactFlag;
using protocol::kContactFlags;

constexpr std::string_view kIncidents = "incident";
constexpr std::size_t kNoticeIdBytes = 16;
constexpr std::size_t kDayChars = 10;

std::string_view word_of(IncidentState state) {
  return state == IncidentState::open ? "open" : "closed";
}

bool is_day(std::string_view text) {
  if (text.size() != kDayChars) return false;
  for (std::size_t i = 0; i < kDayChars; ++i) {
    const bool dash = i == 4 || i == 7;
    if (dash ? text[i] != '-' : text[i] < '0' || text[i] > '9') return false;
  }
  return true;
}

struct NoticeSigner {
  PublicKey key;
  SealedKey sealed;
};
/// Our key of the relationship.
Result<NoticeSigner> notice_signer(Host& host, const Contact& contact) {
  TRY(const Did mine, Did::parse(contact.my_did));
  protocol::KnownDids known(host);
  protocol::OwnSecrets secrets(host);
  TRY(const DidDocument document, known.resolve(mine));
  for (const NamedKey& key : document.authentication_keys()) {
    if (auto sealed = secrets.find(key.kid)) return NoticeSigner{key.key, std::move(*sealed)};
  }
  return fail(Errc::not_found, "no key of ours for that contact");
}

Result<void> send_notice(Host& host, const Incident& incident, const IncidentTold& told) {
  const auto contact = protocol::find_contact(host, told.contact_id);
  if (!contact || contact->state != ContactState::connected) return {};
  TRY(const NoticeSigner signer, notice_signer(host, *contact));
  IncidentNotice notice{told.notice,
                        incident.kind,
                        std::string(word_of(incident.state)),
                        protocol::utc_text(incident.opened).substr(0, kDayChars),
                        crypto::multikey(signer.key),
                        {}};
  TRY(notice.signature, host.keys().sign(signer.sealed, incident_statement(notice, contact->my_did,
                                                                           contact->their_did)));
  TRY(Message message,
      protocol::message_to(host, *contact, recovery::type_uri("incident", kIncidentNotice)));
  message.body = protocol::encode_body(notice);
  TRY(const std::string sent, protocol::send(host, std::move(message), {}));
  return {};
}

/// To everybody who was told. One who cannot be reached keeps nobody else from hearing it.
void tell_all(Host& host, const Incident& incident) {
  for (const IncidentTold& told : incident.told) {
    if (send_notice(host, incident, told).has_value()) continue;
    host.audit("incident.notice-not-sent", {{"contact", told.contact_id}});
  }
}

Result<std::vector<IncidentTold>> whom_to_tell(Host& host, std::string_view tell) {
  std::vector<std::string> ids;
  if (tell == "everyone") {
    for (const Contact& contact : protocol::list_contacts(host)) {
      const bool one_of_ours =
          contact.role == ContactRole::person || contact.role == ContactRole::device;
      if (one_of_ours && contact.state == ContactState::connected) ids.push_back(contact.id);
    }
  } else if (tell == "trustees") {
    const auto set = recovery::owner_set(host);
    for (std::size_t i = 0; set && i < set->trustees.size(); ++i) {
      ids.push_back(set->trustees[i].contact_id);
    }
  } else if (tell != "nobody") {
    return fail(Errc::usage, "tell everyone, trustees or nobody");
  }
  std::vector<IncidentTold> told;
  for (std::string& id : ids) {
    told.push_back({std::move(id), host.random().bytes(kNoticeIdBytes)});
  }
  return told;
}

JsonObject describe_incident(const Incident& incident) {
  JsonArray steps;
  if (const Playbook* playbook = playbook_of(incident.kind)) {
    for (const std::string_view step : playbook->steps) steps.emplace_back(std::string(step));
  }
  JsonObject row{{"id", incident.id},
                 {"kind", incident.kind},
                 {"state", word_of(incident.state)},
                 {"opened", protocol::utc_text(incident.opened)},
                 {"told", incident.told.size()}};
  if (incident.closed) row["closed"] = protocol::utc_text(*incident.closed);
  if (!incident.note.empty()) row["note"] = incident.note;
  row["steps"] = std::move(steps);
  return row;
}

void keep_incident(Host& host, const Incident& incident, std::string_view event) {
  save(host, kIncidents, incident.id, incident);
  host.audit(event, {{"incident", incident.id}, {"kind", incident.kind}});
}

Result<JsonObject> open_incident(Host& host, const JsonObject& args) {
  TRY(const std::string kind, crypto::json_string(args, "kind"));
  TRY(const auto note, crypto::json_optional_string(args, "note"));
  TRY(const auto tell, crypto::json_optional_string(args, "tell"));
  CHECK(ledger::check_reason(note.value_or("")));
  if (playbook_of(kind) == nullptr) {
    std::string kinds;
    for (const Playbook& playbook : playbooks()) kinds += " " + std::string(playbook.kind);
    return fail(Errc::usage, "the kinds are:" + kinds);
  }
  const std::size_t count = host.list(kIncidents).size();
  if (count >= watch_limits::kIncidentsMax) return fail(Errc::limit_exceeded, "too many incidents");
  Incident incident;
  incident.id = std::to_string(count + 1);
  incident.kind = kind;
  incident.opened = host.now();
  incident.note = note.value_or("");
  TRY(incident.told, whom_to_tell(host, tell.value_or("nobody")));
  keep_incident(host, incident, "incident.opened");
  tell_all(host, incident);
  return describe_incident(incident);
}

/// Errors: not_found.
Result<Incident> incident_named(Host& host, const JsonObject& args) {
  TRY(const std::string id, crypto::json_string(args, "id"));
  auto incident = load<Incident>(host, kIncidents, id);
  if (!incident) return fail(Errc::not_found, "no incident by that id; see `kith incident list`");
  return std::move(*incident);
}

/// Errors: those of incident_named; wrong_state.
Result<Incident> open_incident_named(Host& host, const JsonObject& args) {
  TRY(Incident incident, incident_named(host, args));
  if (incident.state != IncidentState::open) {
    return fail(Errc::wrong_state, "this incident is closed; open another one");
  }
  return incident;
}

Result<JsonObject> worsen_incident(Host& host, const JsonObject& args) {
  TRY(Incident incident, open_incident_named(host, args));
  const Playbook* playbook = playbook_of(incident.kind);
  if (playbook == nullptr || playbook->worse.empty()) {
    return fail(Errc::wrong_state, "only what was lost can turn out to be stolen");
  }
  incident.kind = playbook->worse;
  keep_incident(host, incident, "incident.worsened");
  tell_all(host, incident);
  return describe_incident(incident);
}

Result<JsonObject> close_incident(Host& host, const Command& command) {
  TRY(Incident incident, open_incident_named(host, command.args));
  if (!command.step_up) return fail(Errc::step_up_required);
  if (protocol::vault_lock(host)) {
    const auto opened = protocol::open_vault(host, command.step_up);
    if (!opened.has_value()) return opened.error();
  }
  incident.state = IncidentState::closed;
  incident.closed = host.now();
  keep_incident(host, incident, "incident.closed");
  tell_all(host, incident);
  return describe_incident(incident);
}

JsonObject list_incidents(Host& host) {
  JsonArray own;
  for (const std::string& id : host.list(kIncidents)) {
    const Incident incident = *load<Incident>(host, kIncidents, id);
    own.push_back(JsonObject{{"id", incident.id},
                             {"kind", incident.kind},
                             {"state", word_of(incident.state)},
                             {"opened", protocol::utc_text(incident.opened)}});
  }
  JsonArray others;
  for (const std::string& id : host.list(kContactFlags)) {
    const auto contact = protocol::find_contact(host, id);
    const ContactFlag flag = *load<ContactFlag>(host, kContactFlags, id);
    others.push_back(JsonObject{
        {"contact", contact ? contact->name : id}, {"kind", flag.kind}, {"day", flag.day}});
  }
  return {{"incidents", std::move(own)}, {"told_by_others", std::move(others)}};
}

/// Errors: not_authentic (a key that is not the sender's), bad_key, bad_signature.
Result<void> check_notice(Host& host, const Contact& contact, const IncidentNotice& notice) {
  TRY(const PublicKey key, crypto::from_multikey(notice.key));
  TRY(const Did theirs, Did::parse(contact.their_did));
  protocol::KnownDids known(host);
  TRY(const DidDocument document, known.resolve(theirs));
  const auto keys = document.authentication_keys();
  const bool listed =
      std::ranges::any_of(keys, [&](const NamedKey& one) { return one.key == key; });
  if (!listed) return fail(Errc::not_authentic, "the notice is signed by a key of somebody else");
  return crypto::verify(key, incident_statement(notice, contact.their_did, contact.my_did),
                        notice.signature);
}

void take_notice(Host& host, const Contact& contact, const IncidentNotice& notice,
                 const Playbook& playbook) {
  const auto before = load<ContactFlag>(host, kContactFlags, contact.id);
  if (notice.state == "closed") {
    if (!before || before->notice != notice.id) return;
    host.erase({std::string(kContactFlags), contact.id});
    host.audit("incident.heard-closed", {{"contact", contact.id}});
    host.notify({"incident",
                 contact.name + " says that it is over (" + before->kind + ", " + before->day +
                     "). Believe it when you have heard it from them.",
                 contact.id,
                 {}});
    return;
  }
  if (before && before->notice == notice.id && before->kind == notice.kind) return;
  save(host, kContactFlags, contact.id, ContactFlag{notice.id, notice.kind, notice.day});
  host.audit("incident.heard", {{"contact", contact.id}, {"kind", notice.kind}});
  host.notify({"incident", contact.name + std::string(playbook.told), contact.id, {}});
}

}  // namespace

Bytes incident_statement(const IncidentNotice& notice, std::string_view from, std::string_view to) {
  std::string text = recovery::label("incident-notice") + "\n" + crypto::base64url(notice.id);
  for (const std::string_view part : {std::string_view(notice.kind), std::string_view(notice.state),
                                      std::string_view(notice.day), from, to}) {
    text += "\n" + std::string(part);
  }
  return crypto::to_bytes(text);
}

std::vector<std::string> Incidents::message_types() const {
  return {recovery::type_uri("incident", kIncidentNotice)};
}

Result<void> Incidents::on_message(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, protocol::sender_of(host, inbound));
  TRY(const auto notice, protocol::decode_body<IncidentNotice>(inbound.message.body));
  if (notice.id.size() != kNoticeIdBytes || !is_day(notice.day)) {
    return fail(Errc::malformed, "an id has 16 bytes, a day the form 2026-11-23");
  }
  if (notice.state != "open" && notice.state != "closed") {
    return fail(Errc::malformed, "an incident is open or closed");
  }
  const Playbook* playbook = playbook_of(notice.kind);
  if (playbook == nullptr) return fail(Errc::unsupported, "that kind of incident is not known");
  CHECK(check_notice(host, contact, notice));
  take_notice(host, contact, notice, *playbook);
  return {};
}

Result<JsonObject> Incidents::on_command(Host& host, const Command& command) {
  if (command.name == "incident-open") return open_incident(host, command.args);
  if (command.name == "incident-worsen") return worsen_incident(host, command.args);
  if (command.name == "incident-close") return close_incident(host, command);
  if (command.name == "incident-list") return list_incidents(host);
  TRY(const Incident incident, incident_named(host, command.args));
  return describe_incident(incident);
}

}  // namespace kith::node
