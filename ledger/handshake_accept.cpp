#include <algorithm>

#include "ledger/connection.hpp"
#include "ledger/handshake.hpp"
#include "ledger/introduction.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/invitation.hpp"
#include "protocol/kept_document.hpp"
#include "protocol/lookalike.hpp"
#include "protocol/own_service.hpp"
#include "protocol/pickup.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kAccepted = "accepted";  // Contact by id of the accepted invitation.

struct Accepted {
  std::string contact_id;
  template <class V>
  void visit(V& v) {
    v("contact_id", contact_id);
  }
};

/// The document of an inviter that was looked up outlives its time among the kept ones: the request
/// is repeated for days. True: it must be forgotten after the handshake.
bool pin_inviter(Host& host, const Did& inviter) {
  if (protocol::is_self_contained(inviter)) return false;
  const auto kept = protocol::kept_document(host, inviter);
  if (!kept) return false;  // A contact's, and known as long as that contact.
  protocol::remember_document(host, inviter.text(), kept->raw);
  return true;
}

/// Errors: as command `accept`.
Result<void> check_acceptable(Host& host, const Invitation& invitation, ContactRole role) {
  if (role != ContactRole::new_device && invitation.goal_code == kGoalDevice) {
    return fail(Errc::wrong_state,
                "this invitation adds a device to its maker's identity: use it with `kith agent "
                "accept` on a device of your own");
  }
  if (role == ContactRole::new_device && invitation.goal_code != kGoalDevice) {
    return fail(Errc::unsupported,
                "this invitation is for something else: make one with `kith agent add`");
  }
  if (invitation.goal_code == kGoalRecover) {
    return fail(Errc::wrong_state,
                "this invitation is for a recovery: use it with `kith recover add-trustee`");
  }
  if (invitation.expires_time &&
      protocol::from_epoch_seconds(*invitation.expires_time) < host.now()) {
    return fail(Errc::expired, "the invitation has expired: ask for a new one");
  }
  const auto& profiles = invitation.accept;
  if (!profiles.empty() && std::ranges::find(profiles, "didcomm/v2") == profiles.end()) {
    return fail(Errc::unsupported, "the invitation is for agents of another kind than DIDComm v2");
  }
  protocol::KnownDids known(host);
  TRY(const DidDocument inviter, known.resolve(invitation.from));
  protocol::OwnSecrets secrets(host);
  for (const NamedKey& key : inviter.agreement_keys()) {
    if (secrets.find(key.kid)) {
      return fail(Errc::conflict, "this is your own invitation: give it to somebody else");
    }
  }
  if (inviter.agreement_keys().empty()) {
    return fail(Errc::unsupported, "the invitation holds no key that Kith can encrypt to");
  }
  if (inviter.services.empty()) {
    return fail(Errc::unreachable,
                "the invitation holds no address to answer to: ask for one that does");
  }
  if (const auto accepted = load<Accepted>(host, kAccepted, invitation.id)) {
    const auto contact = protocol::find_contact(host, accepted->contact_id);
    if (contact && contact->state != ContactState::ended) {
      return fail(Errc::conflict, "you accepted this invitation before: see " + contact->name +
                                      " in `kith contacts`");
    }
  }
  return {};
}

Result<ContactRole> wanted_role(const JsonObject& args, const Invitation& invitation) {
  TRY(const auto role, crypto::json_optional_string(args, "role"));
  if (role && *role != "mediator" && *role != "person") {
    return fail(Errc::usage, "role is person or mediator");
  }
  const bool mediator = role ? *role == "mediator" : invitation.goal_code == kGoalMediate;
  return mediator ? ContactRole::mediator : ContactRole::person;
}

std::string proposed_name(const Invitation& invitation) {
  const auto label = crypto::json_optional_string(invitation.body_others, "label");
  return label.has_value() ? label->value_or("") : "";
}

Result<Invitation> read_url(std::string_view url) {
  TRY(auto parsed, protocol::parse_invitation_url(url));
  if (!parsed.invitation) {
    return fail(Errc::unsupported,
                "this is the short form: open it in a browser and use the address it leads to");
  }
  return std::move(*parsed.invitation);
}

/// The request, with id and proof, as yet unsent.
Result<Message> make_request(Host& host, const Invitation& invitation, const Did& one_time,
                             std::string_view my_did) {
  Message request =
      protocol::new_message(kConnectionRequest, host.random(), protocol::epoch_seconds(host.now()));
  request.from = one_time;
  request.to = {invitation.from};
  request.pthid = invitation.id;
  TRY(const Introduction intro, introduce(host, my_did, request));
  request.body = protocol::encode_body(intro);
  return request;
}

Result<JsonObject> accept_as(Host& host, const Invitation& invitation, ContactRole role,
                             const std::optional<std::string>& name) {
  CHECK(check_acceptable(host, invitation, role));
  const bool mediator = role == ContactRole::mediator;
  std::vector<ServiceEndpoint> services;  // A mediator answers on our connections alone.
  if (!mediator) {
    TRY(ServiceEndpoint own, protocol::own_service(host));
    services.push_back(std::move(own));
  }
  TRY(const Did one_time, make_one_time_did(host, services));
  TRY(const OwnPairLog log, new_pair_log(host, services));
  if (!mediator) protocol::register_own_did(host, log.did);

  Contact contact = new_contact(host, role, ContactState::requested);
  contact.name = protocol::free_contact_name(host, name.value_or(proposed_name(invitation)));
  contact.my_did = log.did;
  protocol::save_contact(host, contact);

  TRY(const Message request, make_request(host, invitation, one_time, log.did));
  Handshake handshake;
  handshake.contact_id = contact.id;
  handshake.invitation_id = invitation.id;
  handshake.thread = request.id;
  handshake.my_one_time = one_time.text();
  handshake.their_one_time = invitation.from.text();
  handshake.named_by_user = name.has_value();
  handshake.pinned = pin_inviter(host, invitation.from);
  handshake.message = protocol::to_json(request);
  handshake.expires = host.now() + kHandshakeLife;
  save_handshake(host, handshake);
  save(host, kAccepted, invitation.id, Accepted{contact.id});
  host.set_timer(kConnectionModule, timer_name("expire", contact.id), handshake.expires);
  CHECK(send_handshake(host, handshake, options_for(contact)));
  host.audit("connection.requested", {{"contact", contact.id}});
  JsonObject reply{{"contact", contact.id}, {"name", contact.name}, {"state", "requested"}};
  const std::string warning = protocol::lookalike_warning(host, contact);
  if (!warning.empty()) reply["warning"] = warning;
  return reply;
}

}  // namespace

Result<JsonObject> accept_invitation(Host& host, const JsonObject& args) {
  TRY(const std::string url, crypto::json_string(args, "url"));
  TRY(const Invitation invitation, read_url(url));
  TRY(const ContactRole role, wanted_role(args, invitation));
  TRY(const auto name, crypto::json_optional_string(args, "name"));
  return accept_as(host, invitation, role, name);
}

Result<JsonObject> accept_device_invitation(Host& host, std::string_view url) {
  TRY(const Invitation invitation, read_url(url));
  return accept_as(host, invitation, ContactRole::new_device, "other device");
}

}  // namespace kith::ledger
