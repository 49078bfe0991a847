#include "ledger/handshake.hpp"

#include <algorithm>

#include "ledger/connection.hpp"
#include "ledger/introduction.hpp"
#include "ledger/log_sync.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/invitation.hpp"
#include "protocol/lookalike.hpp"
#include "protocol/mediation.hpp"
#include "protocol/own_service.hpp"
#include "protocol/pickup.hpp"
#include "protocol/relationship.hpp"
#include "protocol/resolver.hpp"

namespace kith::ledger {
namespace {

using protocol::InvitationUse;
using protocol::OpenInvitation;
using protocol::OwnSecrets;
using protocol::SendOptions;

constexpr std::string_view kHandshakes = "handshake";

std::vector<Handshake> list_handshakes(Host& host) {
  std::vector<Handshake> all;
  for (const std::string& id : host.list(kHandshakes)) {
    all.push_back(*load<Handshake>(host, kHandshakes, id));
  }
  return all;
}

SendOptions answer_options(const Inbound& inbound) {
  SendOptions options;
  options.answers_inbound = true;
  if (inbound.message.return_route == "all") options.channel = inbound.channel;
  return options;
}

Result<std::string> one_time_token(Host& host, std::string_view prior, const Did& next) {
  TRY(const Did did, Did::parse(prior));
  return protocol::rotation_token(host, did, next);
}

Result<void> check_authenticated(const Inbound& inbound) {
  if (!inbound.info.authenticated || !inbound.info.sender || !inbound.info.own_did) {
    return fail(Errc::not_authentic, "this message must come from somebody");
  }
  return {};
}

void connected_notice(Host& host, const Contact& contact) {
  if (contact.role == ContactRole::new_device) {
    host.set_timer(protocol::kOwnAgentsModule,
                   timer_name(protocol::kAgentConnectedTimer, contact.id), host.now());
    return;
  }
  host.notify({"connected", "You and " + contact.name + " are connected.", contact.id, {}});
  host.audit("connection.made", {{"contact", contact.id}});
  const std::string warning = protocol::lookalike_warning(host, contact);
  if (!warning.empty()) host.notify({"look-alike", warning, contact.id, {}});
}

}  // namespace

void save_handshake(Host& host, const Handshake& handshake) {
  save(host, kHandshakes, handshake.contact_id, handshake);
}

std::optional<Handshake> find_handshake(Host& host, std::string_view contact_id) {
  return load<Handshake>(host, kHandshakes, contact_id);
}

bool handshake_open(Host& host, std::string_view invitation_id) {
  const auto all = list_handshakes(host);
  return std::ranges::any_of(
      all, [&](const Handshake& one) { return one.invitation_id == invitation_id; });
}

std::string timer_name(std::string_view what, std::string_view id) {
  return std::string(what) + " " + std::string(id);
}

Duration repeat_delay(std::uint32_t tries) {
  const Duration first = std::chrono::seconds{30};
  return std::min<Duration>(first * (1 << std::min<std::uint32_t>(tries, 10)),
                            std::chrono::hours{1});
}

Result<void> send_handshake(Host& host, const Handshake& handshake, SendOptions options) {
  TRY(Message message, protocol::read_message(handshake.message));
  options.owner = kConnectionModule;
  options.context = timer_name("handshake", handshake.contact_id);
  TRY(const std::string id, protocol::send(host, std::move(message), options));
  return {};
}

Contact new_contact(Host& host, ContactRole role, ContactState state) {
  Contact contact;
  contact.id = crypto::hex(host.random().bytes(16));
  contact.role = role;
  contact.state = state;
  contact.created = host.now();
  return contact;
}

// --- The inviter

namespace {

/// A peer that never heard our response asks again, perhaps under a new id.
std::optional<Handshake> answered_before(Host& host, const Inbound& inbound) {
  for (Handshake& one : list_handshakes(host)) {
    if (one.phase == HandshakePhase::answered && one.thread == inbound.message.thread() &&
        one.their_one_time == inbound.info.sender->text() &&
        one.my_one_time == inbound.info.own_did->text()) {
      return std::move(one);
    }
  }
  return std::nullopt;
}

/// Persons must be reachable; a client of ours fetches its mail.
Result<void> check_reachable(Host& host, const std::string& did, ContactRole role) {
  TRY(const PairState state, pair_state_of(host, did));
  if (role != ContactRole::client && state.services.empty()) {
    return fail(Errc::refused, "the sender has no address: it needs a mediator first");
  }
  return {};
}

Result<Contact> make_answering_contact(Host& host, const OpenInvitation& invitation,
                                       const std::string& label, const std::string& their_did) {
  TRY(const ServiceEndpoint service, protocol::own_service(host));
  TRY(const OwnPairLog log, new_pair_log(host, {service}));
  protocol::register_own_did(host, log.did);
  Contact contact = new_contact(host, invitation.role, ContactState::answered);
  contact.name =
      protocol::free_contact_name(host, invitation.name.empty() ? label : invitation.name);
  contact.my_did = log.did;
  contact.their_did = their_did;
  protocol::save_contact(host, contact);
  return contact;
}

}  // namespace

Result<void> on_request(Host& host, const Inbound& inbound) {
  CHECK(check_authenticated(inbound));
  if (!inbound.message.pthid) return fail(Errc::malformed, "a request names its invitation");
  if (const auto known = answered_before(host, inbound)) {
    return send_handshake(host, *known, answer_options(inbound));
  }
  if (host.list(kHandshakes).size() >= limits::kHandshakesMax) {
    return fail(Errc::limit_exceeded, "too many connections are being made; try again later");
  }
  TRY(const OpenInvitation invitation,
      take_invitation(host, *inbound.message.pthid, *inbound.info.own_did,
                      InvitationUse::connection));
  TRY(const auto intro, protocol::decode_body<Introduction>(inbound.message.body));
  TRY(const std::string their_did, take_peer_log(host, inbound, intro));
  CHECK(check_reachable(host, their_did, invitation.role));
  TRY(const Contact contact, make_answering_contact(host, invitation, intro.label, their_did));

  Message response = protocol::new_reply(inbound.message, kConnectionResponse, host.random(),
                                         protocol::epoch_seconds(host.now()));
  response.from = inbound.info.own_did;
  response.to = {*inbound.info.sender};
  TRY(const Introduction own, introduce(host, contact.my_did, response));
  response.body = protocol::encode_body(own);

  Handshake handshake;
  handshake.contact_id = contact.id;
  handshake.phase = HandshakePhase::answered;
  handshake.invitation_id = invitation.id;
  handshake.thread = inbound.message.thread();
  handshake.my_one_time = inbound.info.own_did->text();
  handshake.their_one_time = inbound.info.sender->text();
  handshake.reusable = invitation.reusable || !protocol::is_self_contained(*inbound.info.own_did);
  handshake.message = protocol::to_json(response);
  handshake.expires = host.now() + kHandshakeLife;
  save_handshake(host, handshake);
  note_synced(host, contact);
  host.set_timer(kConnectionModule, timer_name("expire", contact.id), handshake.expires);
  host.audit("connection.answered", {{"contact", contact.id}});
  return send_handshake(host, handshake, answer_options(inbound));
}

Result<void> on_complete(Host& host, const Inbound& inbound) {
  CHECK(check_authenticated(inbound));
  TRY(Contact contact, protocol::contact_of(host, *inbound.info.own_did, *inbound.info.sender));
  const auto handshake = find_handshake(host, contact.id);
  if (!handshake || handshake->phase != HandshakePhase::answered) return {};
  const auto& rotation = inbound.info.rotation;
  if (!rotation || rotation->prior.text() != handshake->their_one_time) {
    return fail(Errc::not_authentic, "this does not come from the one who asked");
  }
  contact.state = ContactState::connected;
  protocol::save_contact(host, contact);

  Message ack = protocol::new_reply(inbound.message, kEmptyType, host.random(),
                                    protocol::epoch_seconds(host.now()));
  ack.from = inbound.info.own_did;
  ack.to = {*inbound.info.sender};
  ack.ack = {inbound.message.id};
  if (!handshake->reusable) {
    TRY(ack.from_prior, one_time_token(host, handshake->my_one_time, *ack.from));
  }
  TRY(const std::string id, protocol::send(host, std::move(ack), answer_options(inbound)));
  drop_handshake(host, *handshake);
  connected_notice(host, contact);
  return {};
}

// --- The invitee

Result<void> on_response(Host& host, const Inbound& inbound) {
  CHECK(check_authenticated(inbound));
  const auto all = list_handshakes(host);
  const auto found = std::ranges::find_if(all, [&](const Handshake& one) {
    return one.phase != HandshakePhase::answered && one.thread == inbound.message.thread() &&
           one.my_one_time == inbound.info.own_did->text() &&
           one.their_one_time == inbound.info.sender->text();
  });
  if (found == all.end()) return fail(Errc::wrong_state, "no request waits for this response");
  Handshake handshake = *found;
  if (handshake.phase == HandshakePhase::completing) return {};

  TRY(const auto intro, protocol::decode_body<Introduction>(inbound.message.body));
  auto contact = protocol::find_contact(host, handshake.contact_id);
  if (!contact) return fail(Errc::not_found, "that contact is gone");
  TRY(contact->their_did, take_peer_log(host, inbound, intro));
  contact->state = ContactState::connected;
  if (!handshake.named_by_user && !intro.label.empty()) {
    contact->name.clear();  // Its own provisional name does not count as taken.
    protocol::save_contact(host, *contact);
    contact->name = protocol::free_contact_name(host, intro.label);
  }
  protocol::save_contact(host, *contact);
  note_synced(host, *contact);

  TRY(const Did mine, Did::parse(contact->my_did));
  TRY(const Did theirs, Did::parse(contact->their_did));
  Message complete = protocol::new_message(kConnectionComplete, host.random(),
                                           protocol::epoch_seconds(host.now()));
  complete.from = mine;
  complete.to = {theirs};
  complete.thid = handshake.thread;
  TRY(complete.from_prior, one_time_token(host, handshake.my_one_time, mine));
  handshake.phase = HandshakePhase::completing;
  handshake.message = protocol::to_json(complete);
  handshake.tries = 0;
  save_handshake(host, handshake);
  CHECK(send_handshake(host, handshake, options_for(*contact)));
  connected_notice(host, *contact);
  if (contact->role == ContactRole::mediator) protocol::start_mediation(host, *contact);
  return {};
}

Result<void> on_empty(Host& host, const Inbound& inbound) {
  if (!check_authenticated(inbound).has_value()) return {};
  const auto contact = protocol::contact_of(host, *inbound.info.own_did, *inbound.info.sender);
  if (!contact.has_value()) return {};
  const auto handshake = find_handshake(host, contact->id);
  if (!handshake || handshake->phase != HandshakePhase::completing) return {};
  const auto& rotation = inbound.info.rotation;
  if (rotation && rotation->prior.text() != handshake->their_one_time) {
    return fail(Errc::not_authentic, "this does not come from the one who invited");
  }
  TRY(const Message complete, protocol::read_message(handshake->message));
  const auto& acks = inbound.message.ack;
  const bool confirms = std::ranges::find(acks, complete.id) != acks.end();
  // A reusable invitation's DID lives on and gives no rotation: the ack alone confirms.
  if (rotation || confirms) drop_handshake(host, *handshake);
  return {};
}

// --- Time and trouble

void on_handshake_sent(Host& host, std::string_view contact_id) {
  auto handshake = find_handshake(host, contact_id);
  // The inviter answers again when it is asked again.
  if (!handshake || handshake->phase == HandshakePhase::answered) return;
  host.set_timer(kConnectionModule, timer_name("repeat", contact_id),
                 host.now() + repeat_delay(handshake->tries));
  ++handshake->tries;
  save_handshake(host, *handshake);
}

void repeat_handshake(Host& host, std::string_view contact_id) {
  const auto handshake = find_handshake(host, contact_id);
  const auto contact = protocol::find_contact(host, contact_id);
  if (!handshake || !contact) return;
  if (!send_handshake(host, *handshake, options_for(*contact)).has_value()) {
    on_handshake_sent(host, contact_id);
  }
}

void drop_handshake(Host& host, const Handshake& handshake) {
  const bool mine_is_invitation = handshake.phase == HandshakePhase::answered;
  if (!mine_is_invitation) drop_one_time_did(host, handshake.my_one_time);
  host.erase({std::string(kHandshakes), handshake.contact_id});
  const auto others = list_handshakes(host);
  const bool needed = std::ranges::any_of(others, [&](const Handshake& other) {
    return other.pinned && other.their_one_time == handshake.their_one_time;
  });
  if (handshake.pinned && !needed) protocol::forget_document(host, handshake.their_one_time);
  host.cancel_timer(kConnectionModule, timer_name("repeat", handshake.contact_id));
  host.cancel_timer(kConnectionModule, timer_name("expire", handshake.contact_id));
}

namespace {

/// Nothing became of it: the contact stays in the list as ended.
void fail_handshake(Host& host, const Handshake& handshake, const std::string& why) {
  drop_handshake(host, handshake);
  auto contact = protocol::find_contact(host, handshake.contact_id);
  if (!contact) return;
  protocol::unregister_own_did(host, contact->my_did);
  protocol::drop_waiting(host, *contact);
  contact->state = ContactState::ended;
  protocol::save_contact(host, *contact);
  host.notify({"connection-failed", contact->name + ": " + why, contact->id, {}});
  host.audit("connection.failed", {{"contact", contact->id}});
}

}  // namespace

void expire_handshake(Host& host, std::string_view contact_id) {
  const auto handshake = find_handshake(host, contact_id);
  if (!handshake) return;
  if (handshake->phase == HandshakePhase::completing) {
    drop_handshake(host, *handshake);  // Connected all the same; the peer may just be away.
    return;
  }
  fail_handshake(host, *handshake, "no answer came. Make a new invitation and try again.");
}

void on_handshake_refused(Host& host, const Inbound& inbound, std::string_view reason) {
  if (!inbound.info.sender || !inbound.message.pthid) return;
  for (const Handshake& one : list_handshakes(host)) {
    if (one.phase == HandshakePhase::requested && one.thread == *inbound.message.pthid &&
        one.their_one_time == inbound.info.sender->text()) {
      fail_handshake(host, one,
                     "the invitation was refused (" + std::string(reason.substr(0, 200)) +
                         "). Ask for a new one.");
    }
  }
}

}  // namespace kith::ledger
