#include "protocol/mediator.hpp"

#include <algorithm>

#include "protocol/did_peer.hpp"
#include "protocol/forward.hpp"
#include "protocol/live.hpp"
#include "protocol/mail_pickup.hpp"
#include "protocol/mail_route.hpp"
#include "protocol/mailbox.hpp"
#include "protocol/mediation.hpp"
#include "protocol/messenger.hpp"
#include "protocol/open_invitation.hpp"
#include "protocol/own_service.hpp"
#include "protocol/rewrapped.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kSweep = "sweep";
constexpr std::string_view kRelease = "release";
constexpr std::chrono::hours kSweepEvery{24};
constexpr Duration kReleaseGrain{20};

void set_release_timer(Host& host) {
  if (const auto next = next_release(host)) host.set_timer(kMediatorModule, kRelease, *next);
}

/// Mail whose sender asked for a delay becomes visible.
void release_held(Host& host) {
  for (const auto& [client, mail] : release_mail(host)) {
    deliver_live(host, client, mail, kMediatorModule);
  }
  set_release_timer(host);
}

/// Until when a relay holds mail back; now or earlier: not at all. What a sender asks for is
/// ignored while much is held already, so that nobody fills a relay with waiting; the operator's
/// own delay never is, because it must not depend on what strangers send.
Time held_until(Host& host, const MediationPolicy& policy, std::chrono::milliseconds asked) {
  Time until = host.now();
  if (asked.count() != 0 && held_count(host) < limits::kMailHeldMax) {
    until += relay_delay(asked, host.random());
  }
  const auto longest = std::clamp<std::int64_t>(policy.relay_delay_ms, 0,
                                                Duration{limits::kOwnRelayDelayMax}.count());
  if (longest > 0) until += relay_delay(std::chrono::milliseconds{-longest}, host.random());
  if (until == host.now()) return until;
  // What is due at about the same time leaves together.
  const Duration beyond = until.time_since_epoch() % kReleaseGrain;
  return beyond.count() == 0 ? until : until + (kReleaseGrain - beyond);
}

Result<Mail> mail_for(Host& host, const MediationPolicy& policy, const Contact& client,
                      const Forward& forward, const std::string& envelope) {
  TRY(const DidUrl next, DidUrl::parse(forward.next));
  Mail mail{{}, next.did().text(), {}, {}};
  if (policy.rewrap) {
    TRY(Did client_did, Did::parse(client.their_did));
    KnownDids known(host);
    TRY(const std::string rewrapped,
        rewrap(envelope, {forward.next, std::move(client_did)}, {forward.expires_time, {}}, known,
               host.keys(), host.random()));
    mail.envelope = crypto::to_bytes(rewrapped);
  } else {
    mail.envelope = crypto::to_bytes(envelope);
  }
  mail.held_until = held_until(host, policy, forward.delay);
  return mail;
}

/// The clients that still get mail for the recipient. Errors: refused (none of them).
Result<std::vector<Contact>> served_ones(Host& host, const MediationPolicy& policy,
                                         const std::vector<std::string>& clients) {
  std::vector<Contact> served;
  for (const std::string& client : clients) {
    auto contact = find_contact(host, client);
    if (contact && still_served(policy, contact->their_did)) served.push_back(std::move(*contact));
  }
  if (!served.empty()) return served;
  return fail(Errc::refused, "this mediator does not serve that recipient any more");
}

/// Who sends and for whom, where the sender says it. Forwards are anonymous as a rule; then nothing
/// here tells senders apart, and nothing shall.
std::string pair_of(const Inbound& inbound, const Did& recipient) {
  if (!inbound.info.authenticated || !inbound.info.sender) return {};
  return mail_pair(inbound.info.sender->text(), recipient.text());
}

/// All of its envelopes are queued, or none. Each client has a copy of its own; one that cannot
/// take it, because it has no room, does not keep the others from theirs.
Result<void> on_forward(Host& host, const Inbound& inbound) {
  TRY(const Forward forward, parse_forward(inbound.message));
  TRY(const DidUrl next, DidUrl::parse(forward.next));
  const std::vector<std::string> clients = clients_for(host, next.did().text());
  if (clients.empty()) {
    if (take_rewrapped(host, inbound, forward)) return {};
    return fail(Errc::unknown_peer, "nobody here registered that recipient");
  }
  if (!forward.encrypted) return fail(Errc::malformed, "only encrypted messages are relayed");
  const MediationPolicy policy = policy_of(host);
  TRY(const std::vector<Contact> served, served_ones(host, policy, clients));
  const std::string pair = pair_of(inbound, next.did());
  for (const std::string& envelope : forward.envelopes) {
    std::optional<Error> refusal;
    bool taken = false;
    for (const Contact& client : served) {
      auto mail = mail_for(host, policy, client, forward, envelope);
      if (mail.has_value()) mail->pair = pair;
      const auto put = mail.has_value() ? take_mail(host, policy, client.id, std::move(*mail))
                                        : Result<void>(mail.error());
      taken = taken || put.has_value();
      if (!put.has_value() && !refusal) refusal = put.error();
    }
    if (!taken) return *refusal;
  }
  return {};
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

Result<void> take_mail(Host& host, const MediationPolicy& policy, const std::string& client,
                       Mail mail) {
  TRY(const StoredMail stored, put_mail(host, policy, client, std::move(mail)));
  if (stored.mail.held_until > host.now()) {
    set_release_timer(host);
  } else {
    deliver_live(host, client, stored, kMediatorModule);
  }
  return {};
}

std::vector<std::string> Mediator::message_types() const {
  std::vector<std::string> types = mediation_message_types();
  for (std::string& type : pickup_message_types()) types.push_back(std::move(type));
  types.emplace_back(kForwardType);
  return types;
}

bool Mediator::only_reads(std::string_view what) const {
  return is_pickup_query(what) || is_mediation_query(what) || what == "mediator-invitation";
}

Result<void> Mediator::on_message(Host& host, const Inbound& inbound) {
  const std::string& type = inbound.message.type;
  if (type == kForwardType) return on_forward(host, inbound);
  if (is_mediation(type)) return on_mediation(host, inbound, history_.get());
  return on_pickup(host, inbound);
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
  host.set_timer(kMediatorModule, kSweep, host.now() + kSweepEvery);
}

void Mediator::on_effect(Host& host, const Effect& effect, const Result<Bytes>& outcome) {
  live_ended(host, effect, outcome);
}

void Mediator::on_start(Host& host) {
  forget_all_live(host);
  keep_policy(host, policy_);
  set_release_timer(host);
  count_mail_once(host);
  const auto old = load<PublicUrl>(host, "meta", "public-url");
  if (!load<RoutingDid>(host, "meta", "routing-did") || !old || old->url != public_url_) {
    // A new address needs a new routing DID; the keys of the old one stay, for mail under way.
    // Clients hear of the address as contacts do, and then ask for the routing DID.
    auto routing = make_routing_did(host, public_url_);
    if (!routing.has_value()) {
      host.notify({"alarm", "The public address is not usable: " + routing.error().detail, {}, {}});
      return;
    }
    save(host, "meta", "routing-did", *routing);
    save(host, "meta", "public-url", PublicUrl{public_url_});
    host.set_timer(kMediatorModule, kSweep, host.now() + kSweepEvery);
    if (old) host.set_timer(kAddressModule, kAddressTimer, host.now());
  }
  open_or_close(host);
}

}  // namespace kith::protocol
