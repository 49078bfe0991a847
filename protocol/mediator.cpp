#include "protocol/mediator.hpp"

#include "protocol/did_peer.hpp"
#include "protocol/forward.hpp"
#include "protocol/live.hpp"
#include "protocol/mailbox.hpp"
#include "protocol/mediation.hpp"
#include "protocol/messenger.hpp"
#include "protocol/open_invitation.hpp"
#include "protocol/own_service.hpp"
#include "protocol/sender.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kModule = "mediator";
constexpr std::string_view kSweep = "sweep";
constexpr std::string_view kRelease = "release";
constexpr std::chrono::hours kSweepEvery{24};

/// The client behind a message. Errors: unknown_peer, refused (a contact, but not a client).
Result<Contact> client_of(Host& host, const Inbound& inbound) {
  TRY(Contact contact, sender_of(host, inbound));
  if (contact.role != ContactRole::client) {
    return fail(Errc::refused, "this contact has no mailbox here");
  }
  return contact;
}

Result<void> answer(Host& host, const Inbound& inbound, std::string_view type, JsonObject body) {
  TRY(const std::string id, reply(host, inbound, type, std::move(body)));
  return {};
}

JsonObject status_body(Host& host, const std::string& client) {
  const MailboxState state = mailbox_state(host, client);
  JsonObject body{{"message_count", state.count - held_count(host, client)},
                  {"total_bytes", state.bytes},
                  {"live_delivery", is_live(host, client)}};
  const auto oldest = read_mail(host, client, {}, 1);
  if (!oldest.empty()) {
    const Time since = oldest.front().mail.received;
    body["oldest_received_time"] = epoch_seconds(since);
    body["longest_waited_seconds"] =
        std::chrono::duration_cast<std::chrono::seconds>(host.now() - since).count();
  }
  return body;
}

/// Hands mail to a client that waits for it. It stays in the mailbox until the client confirms it,
/// so nothing is lost when this fails.
void deliver_live(Host& host, const std::string& client, const StoredMail& stored) {
  const auto contact = find_contact(host, client);
  if (!contact || contact->state == ContactState::ended) return;
  Message delivery = new_message(kDelivery, host.random(), epoch_seconds(host.now()));
  delivery.body["recipient_did"] = stored.mail.recipient_did;
  delivery.attachments.push_back(base64_attachment(stored.mail.envelope, stored.id));
  static_cast<void>(send_live(host, *contact, std::move(delivery), kModule));
}

void set_release_timer(Host& host) {
  if (const auto next = next_release(host)) host.set_timer(kModule, kRelease, *next);
}

/// Mail whose sender asked for a delay becomes visible.
void release_held(Host& host) {
  for (const auto& [client, mail] : release_mail(host)) {
    if (is_live(host, client)) deliver_live(host, client, mail);
  }
  set_release_timer(host);
}

Result<void> on_forward(Host& host, const Inbound& inbound) {
  TRY(Forward forward, parse_forward(inbound.message));
  TRY(const DidUrl next, DidUrl::parse(forward.next));
  const auto client = client_for(host, next.did().text());
  if (!client) return fail(Errc::unknown_peer, "nobody here registered that recipient");
  const auto contact = find_contact(host, *client);
  if (!contact || !still_served(policy_of(host), contact->their_did)) {
    return fail(Errc::refused, "this mediator does not serve that recipient any more");
  }
  Mail mail{crypto::to_bytes(forward.envelope), next.did().text(), {}, {}};
  const Duration delay = relay_delay(forward.delay, host.random());
  if (delay > Duration{0}) mail.held_until = host.now() + delay;
  return take_mail(host, *client, std::move(mail));
}

Result<void> on_delivery_request(Host& host, const Inbound& inbound, const Contact& client) {
  TRY(const std::int64_t wanted, crypto::json_int(inbound.message.body, "limit"));
  TRY(const auto recipient, crypto::json_optional_string(inbound.message.body, "recipient_did"));
  if (wanted < 1) return fail(Errc::malformed, "limit must be at least 1");
  const std::size_t most = std::min(static_cast<std::size_t>(wanted), limits::kPickupBatchMax);
  const auto mails = read_mail(host, client.id, recipient.value_or(""), most);
  if (mails.empty()) return answer(host, inbound, kStatus, status_body(host, client.id));

  Message delivery =
      new_reply(inbound.message, kDelivery, host.random(), epoch_seconds(host.now()));
  delivery.from = inbound.info.own_did;
  delivery.to = {*inbound.info.sender};
  if (recipient) delivery.body["recipient_did"] = *recipient;
  std::size_t bytes = 0;
  for (const StoredMail& mail : mails) {
    bytes += mail.mail.envelope.size();
    if (bytes > limits::kPickupBytesMax && !delivery.attachments.empty()) break;
    delivery.attachments.push_back(base64_attachment(mail.mail.envelope, mail.id));
  }
  SendOptions options;
  options.answers_inbound = true;
  options.channel = inbound.channel;
  TRY(const std::string id, send(host, std::move(delivery), options));
  return {};
}

Result<void> on_messages_received(Host& host, const Inbound& inbound, const Contact& client) {
  TRY(const JsonArray* ids, crypto::json_array(inbound.message.body, "message_id_list"));
  if (ids->size() > limits::kRecipientUpdatesMax) {
    return fail(Errc::limit_exceeded, "too many ids in one message");
  }
  for (const Json& id : *ids) {
    if (!id.is_string()) return fail(Errc::malformed, "message_id_list holds texts");
    remove_mail(host, client.id, std::string_view(id.get_string()));
  }
  return answer(host, inbound, kStatus, status_body(host, client.id));
}

/// messagepickup 3.0: a change that this connection does not allow has a code of its own.
Result<void> on_live_delivery_change(Host& host, const Inbound& inbound, const Contact& client) {
  const Json* wanted = inbound.message.body.if_contains("live_delivery");
  if (wanted == nullptr || !wanted->is_bool()) {
    return fail(Errc::malformed, "live_delivery must be true or false");
  }
  if (!wanted->get_bool()) {
    forget_live(host, client.id);
  } else if (!note_live(host, client, inbound).has_value()) {
    const ProblemReport report{"e.m.live-mode-not-supported",
                               "Live delivery needs a lasting connection with return_route all.",
                               {inbound.message.type},
                               std::nullopt};
    Message problem =
        make_problem_report(inbound.message, report, host.random(), epoch_seconds(host.now()));
    problem.from = inbound.info.own_did;
    problem.to = {*inbound.info.sender};
    SendOptions options;
    options.answers_inbound = true;
    if (inbound.message.return_route == "all") options.channel = inbound.channel;
    // A sender without a way back simply gets none.
    static_cast<void>(send(host, std::move(problem), options));
    return {};
  }
  return answer(host, inbound, kStatus, status_body(host, client.id));
}

Result<RoutingDid> make_routing_did(Host& host, const std::string& public_url) {
  TRY(const KeyPair agree, host.keys().generate(KeyType::x25519, KeyPurpose::agree));
  TRY(const KeyPair sign, host.keys().generate(KeyType::ed25519, KeyPurpose::authenticate));
  std::vector<ServiceEndpoint> services(1);
  services.front().uri = public_url;
  services.front().accept = {"didcomm/v2"};
  const std::string live_url = websocket_address(public_url);
  if (!live_url.empty() && live_url != public_url) {
    services.push_back(services.front());
    services.back().uri = live_url;
  }
  TRY(const Did did, make_did_peer2({{agree.public_key, KeyUse::key_agreement},
                                     {sign.public_key, KeyUse::authentication}},
                                    services));
  remember_key(host, did_peer2_kid(did, 0), agree.sealed);
  remember_key(host, did_peer2_kid(did, 1), sign.sealed);
  OpenInvitation invitation;
  invitation.id = new_message_id(host.random());
  invitation.did = did.text();
  invitation.role = ContactRole::client;
  invitation.reusable = true;
  invitation.created = host.now();
  invitation.expires = from_epoch_seconds(std::numeric_limits<std::int64_t>::max());
  save(host, kInvitations, invitation.id, invitation);
  return RoutingDid{did.text(), invitation.id};
}

/// The public invitation answers to nobody while only invited people are served.
void open_or_close(Host& host) {
  const auto routing = load<RoutingDid>(host, "meta", "routing-did");
  if (!routing) return;
  auto invitation = load<OpenInvitation>(host, kInvitations, routing->invitation_id);
  if (!invitation) return;
  const bool closed = policy_of(host).admission == Admission::invited;
  invitation->expires =
      closed ? host.now() : from_epoch_seconds(std::numeric_limits<std::int64_t>::max());
  save(host, kInvitations, invitation->id, *invitation);
}

}  // namespace

Result<void> take_mail(Host& host, const std::string& client, Mail mail) {
  TRY(const std::string id, put_mail(host, client, mail));
  if (mail.held_until > host.now()) {
    set_release_timer(host);
  } else if (is_live(host, client)) {
    deliver_live(host, client, {id, std::move(mail)});
  }
  return {};
}

std::vector<std::string> Mediator::message_types() const {
  std::vector<std::string> types = mediation_message_types();
  for (const std::string_view type :
       {kForwardType, kStatusRequest, kDeliveryRequest, kMessagesReceived, kLiveDeliveryChange}) {
    types.emplace_back(type);
  }
  return types;
}

bool Mediator::only_reads(std::string_view what) const {
  return what == kStatusRequest || what == kDeliveryRequest || is_mediation_query(what) ||
         what == "mediator-invitation";
}

Result<void> Mediator::on_message(Host& host, const Inbound& inbound) {
  const std::string& type = inbound.message.type;
  if (type == kForwardType) return on_forward(host, inbound);
  if (is_mediation(type)) return on_mediation(host, inbound);
  TRY(const Contact client, client_of(host, inbound));
  if (type == kStatusRequest) {
    return answer(host, inbound, kStatus, status_body(host, client.id));
  }
  if (type == kDeliveryRequest) return on_delivery_request(host, inbound, client);
  if (type == kMessagesReceived) return on_messages_received(host, inbound, client);
  return on_live_delivery_change(host, inbound, client);
}

Result<JsonObject> Mediator::on_command(Host& host, const Command&) {
  const auto routing = load<RoutingDid>(host, "meta", "routing-did");
  if (!routing) return fail(Errc::wrong_state, "this node is not a mediator");
  if (policy_of(host).admission == Admission::invited) {
    return fail(Errc::refused, "this mediator serves invited people only");
  }
  TRY(const Did did, Did::parse(routing->did));
  Invitation invitation{routing->invitation_id, did, "mediate",    "Relay mail and keep backups",
                        {"didcomm/v2"},         {},  std::nullopt, {}};
  TRY(const std::string url, invitation_url(invitation, web_address(public_url_)));
  return JsonObject{{"invitation", to_json(to_message(invitation))}, {"url", url}};
}

void Mediator::on_timer(Host& host, std::string_view timer) {
  if (timer == kRelease) return release_held(host);
  drop_old_mail(host);
  host.set_timer(kModule, kSweep, host.now() + kSweepEvery);
}

void Mediator::on_effect(Host& host, const Effect& effect, const Result<Bytes>& outcome) {
  live_ended(host, effect, outcome);
}

void Mediator::on_start(Host& host) {
  forget_all_live(host);
  keep_policy(host, policy_);
  count_mail_once(host);
  const auto old = load<PublicUrl>(host, "meta", "public-url");
  if (!load<RoutingDid>(host, "meta", "routing-did") || !old || old->url != public_url_) {
    // A new address needs a new routing DID; the keys of the old one stay, for mail under way.
    auto routing = make_routing_did(host, public_url_);
    if (!routing.has_value()) {
      host.notify({"alarm", "The public address is not usable: " + routing.error().detail, {}, {}});
      return;
    }
    save(host, "meta", "routing-did", *routing);
    save(host, "meta", "public-url", PublicUrl{public_url_});
    host.set_timer(kModule, kSweep, host.now() + kSweepEvery);
  }
  open_or_close(host);
}

}  // namespace kith::protocol
