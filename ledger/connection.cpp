#include "ledger/connection.hpp"

#include <algorithm>

#include "ledger/handshake.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_sync.hpp"
#include "protocol/contact_flags.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/invitation.hpp"
#include "protocol/lookalike.hpp"
#include "protocol/own_service.hpp"
#include "protocol/pickup.hpp"

namespace kith::ledger {
namespace {

using protocol::InvitationUse;
using protocol::KeyUse;
using protocol::kInvitations;
using protocol::OpenInvitation;

constexpr std::chrono::seconds kInvitationLife = std::chrono::hours{24 * 7};
constexpr std::int64_t kLifeSecondsMin = 60;
constexpr std::int64_t kLifeSecondsMax = 90 * 24 * 3600;

std::string_view state_name(ContactState state) {
  switch (state) {
    case ContactState::requested:
      return "requested";
    case ContactState::answered:
      return "answered";
    case ContactState::connected:
      return "connected";
    case ContactState::ended:
      return "ended";
  }
  return "";
}

std::string_view role_name(ContactRole role) {
  switch (role) {
    case ContactRole::person:
      return "person";
    case ContactRole::mediator:
      return "mediator";
    case ContactRole::client:
      return "client";
    case ContactRole::device:
      return "device";
    case ContactRole::new_device:
      return "new-device";
  }
  return "";
}

Result<JsonObject> invite(Host& host, const JsonObject& args) {
  TRY(const auto goal, crypto::json_optional_string(args, "goal"));
  TRY(const auto name, crypto::json_optional_string(args, "name"));
  TRY(const auto life, crypto::json_optional_int(args, "life_s"));
  TRY(const bool client, protocol::flag_argument(args, "client"));
  TRY(const bool is_public, protocol::flag_argument(args, "public"));
  if (client && !host.get({"meta", "routing-did"})) {
    return fail(Errc::wrong_state, "only a mediator has clients: start it with --mediate");
  }
  if (life && (*life < kLifeSecondsMin || *life > kLifeSecondsMax)) {
    return fail(Errc::usage, "an invitation lives between a minute and 90 days");
  }
  OpenInvitation record;
  record.name = name.value_or("");
  record.expires = host.now() + (life ? std::chrono::seconds{*life} : kInvitationLife);
  if (client) record.role = ContactRole::client;
  if (is_public) {
    TRY(const Did did, publish_address(host));
    record.did = did.text();
  }
  TRY(const MadeInvitation made,
      make_invitation(host, std::move(record), client ? kGoalMediate : kGoalConnect,
                      goal.value_or(client ? "Relay mail and keep backups" : "Become contacts")));
  return JsonObject{{"id", made.record.id},
                    {"url", made.url},
                    {"expires", protocol::utc_text(made.record.expires)}};
}

Result<JsonObject> contacts(Host& host) {
  JsonArray list;
  for (const Contact& contact : protocol::list_contacts(host)) {
    JsonObject row{{"id", contact.id},
                   {"name", contact.name},
                   {"role", role_name(contact.role)},
                   {"state", state_name(contact.state)},
                   {"did", contact.my_did},
                   {"their_did", contact.their_did},
                   {"created", protocol::utc_text(contact.created)}};
    const auto alike = protocol::lookalikes(host, contact.name, contact.id);
    if (!alike.empty() && contact.state != ContactState::ended) {
      row["looks_like"] = JsonArray(alike.begin(), alike.end());
    }
    if (const auto flag = load<protocol::ContactFlag>(host, protocol::kContactFlags, contact.id)) {
      row["incident"] = flag->kind + " since " + flag->day;
    }
    list.push_back(std::move(row));
  }
  return JsonObject{{"contacts", std::move(list)}};
}

Result<JsonObject> rename(Host& host, const JsonObject& args) {
  TRY(const std::string who, crypto::json_string(args, "contact"));
  TRY(const std::string name, crypto::json_string(args, "name"));
  TRY(Contact contact, protocol::contact_named(host, who));
  if (name.empty()) return fail(Errc::usage, "the new name is empty");
  for (const Contact& other : protocol::list_contacts(host)) {
    if (other.id != contact.id && other.name == name) {
      return fail(Errc::conflict, "another contact has that name");
    }
  }
  if (contact.name != name) contact.name = protocol::free_contact_name(host, name);
  protocol::save_contact(host, contact);
  JsonObject reply{{"id", contact.id}, {"name", contact.name}};
  const std::string warning = protocol::lookalike_warning(host, contact);
  if (!warning.empty()) reply["warning"] = warning;
  return reply;
}

/// The keys of an answered recovery invitation belong to its session, which drops them itself.
void expire_invitation(Host& host, std::string_view id) {
  const auto record = load<OpenInvitation>(host, kInvitations, id);
  if (!record) return;
  if (handshake_open(host, id)) {  // Its DID still has to sign the rotation.
    host.set_timer(kConnectionModule, timer_name("invitation", id),
                   host.now() + std::chrono::hours{1});
    return;
  }
  const bool in_use = record->use == InvitationUse::recovery && record->answered > 0;
  if (!in_use) drop_one_time_did(host, record->did);
  host.erase({kInvitations, std::string(id)});
}

}  // namespace

// --- The module

std::vector<std::string> Connection::message_types() const {
  return {std::string(kConnectionRequest),  std::string(kConnectionResponse),
          std::string(kConnectionComplete), std::string(kConnectionSync),
          std::string(kConnectionSyncAck),  std::string(kEmptyType)};
}

std::vector<std::string> Connection::commands() const {
  return {"invite", "accept", "contacts", "contact-rename", "contact-end"};
}

Result<void> Connection::on_message(Host& host, const Inbound& inbound) {
  const std::string& type = inbound.message.type;
  if (type == kConnectionRequest) return on_request(host, inbound);
  if (type == kConnectionResponse) return on_response(host, inbound);
  if (type == kConnectionComplete) return on_complete(host, inbound);
  if (type == kConnectionSync) return on_sync(host, inbound);
  if (type == kConnectionSyncAck) return on_sync_ack(host, inbound);
  return on_empty(host, inbound);
}

Result<JsonObject> Connection::on_command(Host& host, const Command& command) {
  if (command.name == "invite") return invite(host, command.args);
  if (command.name == "accept") return accept_invitation(host, command.args);
  if (command.name == "contacts") return contacts(host);
  if (command.name == "contact-rename") return rename(host, command.args);
  TRY(const std::string who, crypto::json_string(command.args, "contact"));
  TRY(const Contact contact, protocol::contact_named(host, who));
  return end_contact(host, contact);
}

void Connection::on_timer(Host& host, std::string_view timer) {
  const std::size_t space = timer.find(' ');
  const std::string_view what = timer.substr(0, space);
  const std::string_view id = space == std::string_view::npos ? "" : timer.substr(space + 1);
  if (what == "repeat") repeat_handshake(host, id);
  if (what == "expire") expire_handshake(host, id);
  if (what == "invitation") expire_invitation(host, id);
  if (what == "sync") repeat_sync(host, id);
  if (what == "log") reread_log(host, id);
  if (what == protocol::kAddressTimer) announce_address(host);
  if (what == "retire") {
    if (const auto contact = protocol::find_contact(host, id)) {
      forget_unlisted_keys(host, contact->my_did);
    }
  }
}

void Connection::on_effect(Host& host, const protocol::Effect& effect, const Result<Bytes>&) {
  const std::string_view context = effect.context;
  const std::size_t space = context.find(' ');
  if (space == std::string_view::npos) return;
  const std::string_view id = context.substr(space + 1);
  if (context.substr(0, space) == "handshake") on_handshake_sent(host, id);
  if (context.substr(0, space) == "sync") on_sync_sent(host, id);
}

void Connection::on_problem(Host& host, const Inbound& inbound,
                            const protocol::ProblemReport& report) {
  if (report.args.empty() || report.args.front() != kConnectionRequest || !report.is_error())
    return;
  on_handshake_refused(host, inbound, report.args.size() > 1 ? report.args[1] : report.code);
}

// --- Invitations

protocol::SendOptions options_for(const Contact& contact) {
  protocol::SendOptions options;
  options.wants_reply = contact.role == ContactRole::mediator;
  return options;
}

Result<Did> make_one_time_did(Host& host, const std::vector<ServiceEndpoint>& services) {
  TRY(const KeyPair agree, host.keys().generate(KeyType::x25519, KeyPurpose::agree));
  TRY(const KeyPair sign, host.keys().generate(KeyType::ed25519, KeyPurpose::authenticate));
  TRY(Did did, protocol::make_did_peer2({{agree.public_key, KeyUse::key_agreement},
                                         {sign.public_key, KeyUse::authentication}},
                                        services));
  protocol::remember_key(host, protocol::did_peer2_kid(did, 0), agree.sealed);
  protocol::remember_key(host, protocol::did_peer2_kid(did, 1), sign.sealed);
  if (!services.empty()) protocol::register_own_did(host, did.text());
  return did;
}

void drop_one_time_did(Host& host, std::string_view did) {
  const auto parsed = Did::parse(did);
  if (!parsed.has_value() || !protocol::is_self_contained(*parsed)) return;
  protocol::forget_key(host, protocol::did_peer2_kid(*parsed, 0));
  protocol::forget_key(host, protocol::did_peer2_kid(*parsed, 1));
  protocol::unregister_own_did(host, did);
}

Result<MadeInvitation> make_invitation(Host& host, OpenInvitation record,
                                       std::string_view goal_code, std::string_view goal_text) {
  TRY(const ServiceEndpoint service, protocol::own_service(host));
  if (record.did.empty()) {
    TRY(const Did fresh, make_one_time_did(host, {service}));
    record.did = fresh.text();
  }
  TRY(const Did did, Did::parse(record.did));
  record.id = protocol::new_message_id(host.random());
  record.created = host.now();
  if (record.expires == Time{}) record.expires = host.now() + kInvitationLife;
  save(host, kInvitations, record.id, record);
  host.set_timer(kConnectionModule, timer_name("invitation", record.id), record.expires);

  Invitation invitation{record.id,
                        did,
                        std::string(goal_code),
                        std::string(goal_text),
                        {"didcomm/v2"},
                        {},
                        protocol::epoch_seconds(record.expires),
                        JsonObject{}};
  const std::string label = load<Profile>(host, "meta", "profile").value_or(Profile{}).name;
  if (!label.empty()) invitation.body_others["label"] = label;
  TRY(std::string url, protocol::invitation_url(invitation, protocol::web_address(service.uri)));
  return MadeInvitation{std::move(record), std::move(url)};
}

Result<OpenInvitation> take_invitation(Host& host, std::string_view id, const Did& own_did,
                                       InvitationUse use) {
  auto record = load<OpenInvitation>(host, kInvitations, id);
  if (!record) return fail(Errc::not_found, "that invitation is not open any more");
  if (record->did != own_did.text() || record->use != use) {
    return fail(Errc::refused, "the invitation is for something else");
  }
  if (record->expires <= host.now()) return fail(Errc::expired, "the invitation has expired");
  if (!record->reusable && record->answered > 0) {
    return fail(Errc::conflict, "the invitation was answered before: ask for a new one");
  }
  ++record->answered;
  save(host, kInvitations, id, *record);
  return std::move(*record);
}

}  // namespace kith::ledger
