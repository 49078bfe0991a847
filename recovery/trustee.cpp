#include "recovery/trustee.hpp"

#include <algorithm>

#include "ledger/microledger.hpp"
#include "protocol/contact.hpp"
#include "protocol/lookalike.hpp"
#include "protocol/messenger.hpp"
#include "protocol/sender.hpp"
#include "recovery/super_holder.hpp"
#include "recovery/trustee_session.hpp"
#include "recovery/trustee_share.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kTrustee = "trustee";
constexpr std::string_view kTimerAge = "age";
constexpr std::string_view kOffers = "offer";
constexpr std::chrono::hours kAgeEvery{24};
constexpr std::chrono::seconds kAgeEveryTest{1};
constexpr std::size_t kOfferIdCharsMax = 64;
constexpr std::size_t kCapabilitiesMax = 8;
constexpr std::size_t kOfferTextBytesMax = 2000;
constexpr std::string_view kShareCapability = "RECOVERY_SHARE";

/// Stored: never renumber.
enum class OfferState : std::uint8_t { open = 1, accepted = 2, declined = 3 };
constexpr bool is_valid(OfferState state) {
  return state >= OfferState::open && state <= OfferState::declined;
}

/// The newest offer of a contact (collection `offer`, by contact id).
struct Offer {
  std::string contact_id;
  std::string offer_id;  ///< As the owner calls it.
  std::vector<std::string> capabilities;
  std::string text;
  std::string reason;  ///< When declined.
  OfferState state = OfferState::open;
  Time received{};
  Time expires{};  ///< Epoch: never.
  template <class V>
  void visit(V& v) {
    v("contact_id", contact_id), v("offer_id", offer_id), v("capabilities", capabilities),
        v("text", text), v("reason", reason), v("state", state), v("received", received),
        v("expires", expires);
  }
};

bool is_over_time(Host& host, const Offer& offer) {
  return offer.expires != Time{} && offer.expires <= host.now();
}

Result<Contact> sender_contact(Host& host, const Inbound& inbound) {
  return protocol::sender_of(host, inbound);
}

template <class Body>
Result<void> answer(Host& host, const Inbound& inbound, std::string_view name, const Body& body) {
  TRY(const std::string id,
      protocol::reply(host, inbound, type_uri("trustee", name), protocol::encode_body(body)));
  return {};
}

template <class Body>
Result<void> send_to(Host& host, const Contact& contact, std::string_view name, const Body& body) {
  TRY(Message message, protocol::message_to(host, contact, type_uri("trustee", name)));
  message.body = protocol::encode_body(body);
  TRY(const std::string id, protocol::send(host, std::move(message), {}));
  return {};
}

CapabilityRequest request_of(const Offer& offer) {
  return {offer.offer_id, {std::string(kShareCapability)}};
}
CapabilityDecline decline_of(const Offer& offer) {
  return {offer.offer_id, offer.reason};
}

void age_later(Host& host) {
  const Duration pause = host.test_mode() ? Duration{kAgeEveryTest} : Duration{kAgeEvery};
  host.set_timer(kTrustee, kTimerAge, host.now() + pause);
}

// --- Messages

/// Of several devices of one person one keeps the shares for a contact: the first in the log of the
/// relationship, for the owner of the share seals it to that one's key. The others say nothing.
bool is_for_another_device(Host& host, const Inbound& inbound) {
  if (!protocol::has_other_devices(host)) return false;
  const auto contact = sender_contact(host, inbound);
  if (!contact.has_value()) return false;
  if (inbound.message.type != type_uri("trustee", CapabilityOffer::kName)) {
    return !find_trusteeship(host, contact->id) && !load<Offer>(host, kOffers, contact->id);
  }
  const auto state = ledger::pair_state_of(host, contact->my_did);
  if (!state.has_value()) return false;
  const std::string first = contact->my_did + "#" + state->agents.front().agree;
  return !protocol::OwnSecrets(host).find(first).has_value();
}

Result<void> on_offer(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, sender_contact(host, inbound));
  TRY(const auto body, protocol::decode_body<CapabilityOffer>(inbound.message.body));
  if (body.offer_id.empty() || body.offer_id.size() > kOfferIdCharsMax ||
      body.capabilities.size() > kCapabilitiesMax || body.text.size() > kOfferTextBytesMax) {
    return fail(Errc::limit_exceeded, "the offer is too long");
  }
  if (offers_super(body)) return on_super_offer(host, inbound, body);
  const auto& wanted = body.capabilities;
  if (std::ranges::find(wanted, kShareCapability) == wanted.end()) {
    return fail(Errc::unsupported, "only RECOVERY_SHARE and SUPER_QUORUM are taken here");
  }
  const auto known = load<Offer>(host, kOffers, contact.id);
  if (known && known->offer_id == body.offer_id) {  // Asked again: answered again.
    if (known->state == OfferState::accepted) {
      return answer(host, inbound, CapabilityRequest::kName, request_of(*known));
    }
    if (known->state == OfferState::declined) {
      return answer(host, inbound, CapabilityDecline::kName, decline_of(*known));
    }
    return {};
  }
  Offer offer;
  offer.contact_id = contact.id;
  offer.offer_id = body.offer_id;
  offer.capabilities = {std::string(kShareCapability)};
  offer.text = body.text;
  offer.received = host.now();
  if (inbound.message.expires_time) {
    offer.expires = protocol::from_epoch_seconds(*inbound.message.expires_time);
  }
  save(host, kOffers, contact.id, offer);
  host.audit("trustee.offered", {{"contact", contact.id}});
  host.notify({"trustee-offer",
               contact.name + " asks you to be a trustee: to keep a sealed part of their recovery "
                              "key. See `kith trustee requests`.",
               contact.id,
               {}});
  return {};
}

Result<void> on_prepare(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, sender_contact(host, inbound));
  TRY(const auto body, protocol::decode_body<SharePrepare>(inbound.message.body));
  TRY(PrepareAnswer prepared, prepare_share(host, contact, body));
  TRY(const std::string id,
      protocol::reply(host, inbound, type_uri("trustee", prepared.type), std::move(prepared.body)));
  return {};
}

Result<void> on_commit(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, sender_contact(host, inbound));
  TRY(ShareChange change, protocol::decode_body<ShareChange>(inbound.message.body));
  CHECK(commit_share(host, contact, change));
  age_later(host);
  change.signature.clear();
  return answer(host, inbound, ShareChange::kCommitted, change);
}

Result<void> on_abort_or_retire(Host& host, const Inbound& inbound, bool retires) {
  TRY(const Contact contact, sender_contact(host, inbound));
  TRY(const auto change, protocol::decode_body<ShareChange>(inbound.message.body));
  if (retires) {
    CHECK(retire_share(host, contact, change));
    age_later(host);
  } else {
    CHECK(abort_share(host, contact, change));
  }
  return answer(host, inbound, ShareHeld::kName, held_by(host, contact.id, change.change_id));
}

Result<void> on_heartbeat(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, sender_contact(host, inbound));
  TRY(const auto body, protocol::decode_body<HeartbeatRequest>(inbound.message.body));
  TRY(const HeartbeatResponse response, answer_heartbeat(host, contact, body));
  return answer(host, inbound, HeartbeatResponse::kName, response);
}

// --- Commands

/// By the offer's id or the contact's name.
Result<Offer> offer_named(Host& host, std::string_view id) {
  for (const std::string& contact_id : host.list(kOffers)) {
    auto offer = *load<Offer>(host, kOffers, contact_id);
    if (offer.offer_id == id) return offer;
  }
  const auto contact = protocol::contact_named(host, id);
  if (contact.has_value()) {
    if (auto offer = load<Offer>(host, kOffers, contact->id)) return std::move(*offer);
  }
  return fail(Errc::not_found, "no request by that id; see `kith trustee requests`");
}

Result<JsonObject> accept(Host& host, const JsonObject& args) {
  TRY(const std::string id, crypto::json_string(args, "id"));
  if (is_super_offer(host, id)) return accept_super_offer(host, id);
  TRY(Offer offer, offer_named(host, id));
  const auto contact = protocol::find_contact(host, offer.contact_id);
  if (!contact) return fail(Errc::unknown_peer, "that contact is gone");
  JsonObject reply{{"id", offer.offer_id},
                   {"contact", contact->name},
                   {"contact_id", contact->id},
                   {"state", "accepted"}};
  if (offer.state == OfferState::accepted) return reply;
  if (offer.state == OfferState::declined) {
    return fail(Errc::wrong_state, "you declined this; ask for a new offer");
  }
  if (is_over_time(host, offer)) return fail(Errc::expired, "the offer has expired");
  auto trusteeship = find_trusteeship(host, contact->id).value_or(Trusteeship{});
  trusteeship.contact_id = contact->id;
  trusteeship.capabilities = offer.capabilities;
  if (trusteeship.accepted == Time{}) trusteeship.accepted = host.now();
  save_trusteeship(host, trusteeship);
  offer.state = OfferState::accepted;
  save(host, kOffers, contact->id, offer);
  CHECK(send_to(host, *contact, CapabilityRequest::kName, request_of(offer)));
  host.audit("trustee.accepted", {{"contact", contact->id}});
  return reply;
}

Result<JsonObject> decline(Host& host, const JsonObject& args) {
  TRY(const std::string id, crypto::json_string(args, "id"));
  TRY(const auto given, crypto::json_optional_string(args, "reason"));
  const std::string reason = given.value_or("");
  if (reason.size() > kOfferTextBytesMax)
    return fail(Errc::limit_exceeded, "the reason is too long");
  if (session_exists(host, id)) return decline_session(host, id, reason);
  if (is_super_offer(host, id) || is_super_ask(host, id)) return decline_super(host, id, reason);
  TRY(Offer offer, offer_named(host, id));
  const auto contact = protocol::find_contact(host, offer.contact_id);
  if (!contact) return fail(Errc::unknown_peer, "that contact is gone");
  if (offer.state == OfferState::accepted) {
    return fail(Errc::wrong_state, "you accepted this already");
  }
  JsonObject reply{{"id", offer.offer_id}, {"contact", contact->name}, {"state", "declined"}};
  if (offer.state == OfferState::declined) return reply;
  offer.state = OfferState::declined;
  offer.reason = reason;
  save(host, kOffers, contact->id, offer);
  CHECK(send_to(host, *contact, CapabilityDecline::kName, decline_of(offer)));
  host.audit("trustee.declined", {{"contact", contact->id}});
  return reply;
}

JsonObject requests(Host& host) {
  JsonArray offers;
  for (const std::string& contact_id : host.list(kOffers)) {
    const auto offer = *load<Offer>(host, kOffers, contact_id);
    const auto contact = protocol::find_contact(host, contact_id);
    if (!contact || offer.state != OfferState::open || is_over_time(host, offer)) continue;
    JsonArray capabilities;
    for (const std::string& name : offer.capabilities) {
      capabilities.push_back(boost::json::string(name));
    }
    JsonObject row{
        {"id", offer.offer_id},
        {"contact", contact->name},
        {"contact_id", contact->id},
        {"capabilities", std::move(capabilities)},
        {"text", offer.text},
        {"received", protocol::utc_text(offer.received)},
        {"words", contact->name +
                      " asks you to keep a sealed part of their recovery key. You cannot read "
                      "anything with it. If they lose their devices, they will call you, and you "
                      "make sure that it is really them. To agree: kith trustee accept " +
                      offer.offer_id}};
    const std::string warning = protocol::lookalike_warning(host, *contact);
    if (!warning.empty()) row["warning"] = warning;
    offers.push_back(std::move(row));
  }
  for (Json& row : describe_super_offers(host)) offers.push_back(std::move(row));
  return JsonObject{{"offers", std::move(offers)},
                    {"sessions", describe_sessions(host)},
                    {"last_resort", describe_super_asks(host)}};
}

JsonObject describe(Host& host, const Trusteeship& trusteeship, const Contact& contact) {
  JsonArray versions;
  bool committed = false;
  bool missing = false;
  for (const HeldVersion& held : trusteeship.versions) {
    const bool present = held_leaf(host, contact.id, held).has_value();
    committed = committed || held.state == HeldState::committed;
    missing = missing || !present;
    versions.push_back(
        JsonObject{{"record", crypto::hex(held.record.record_id)},
                   {"version", held.record.version},
                   {"state", held_state_name(held.state)},
                   {"waiting", waiting_name(terms_in_force(trusteeship, held).waiting)},
                   {"since", protocol::utc_text(held.since)},
                   {"present", present}});
  }
  std::string words = "You agreed to help " + contact.name + ". ";
  if (missing) {
    words += "Their part is not on this device any more: tell them to set recovery up anew.";
  } else if (committed) {
    words += "You hold a part of their recovery key.";
  } else {
    words += "Their part has not arrived yet.";
  }
  JsonObject row{{"contact", contact.name},
                 {"contact_id", contact.id},
                 {"since", protocol::utc_text(trusteeship.accepted)},
                 {"versions", std::move(versions)},
                 {"words", std::move(words)}};
  const std::string warning = protocol::lookalike_warning(host, contact);
  if (!warning.empty()) row["warning"] = warning;
  if (trusteeship.last_heartbeat != Time{}) {
    row["last_heartbeat"] = protocol::utc_text(trusteeship.last_heartbeat);
  }
  return row;
}

JsonObject list(Host& host) {
  JsonArray rows;
  for (const Contact& contact : protocol::list_contacts(host)) {
    const auto trusteeship = find_trusteeship(host, contact.id);
    if (trusteeship) rows.push_back(describe(host, *trusteeship, contact));
  }
  return JsonObject{{"trustees_of", std::move(rows)},
                    {"last_resort_of", describe_super_held(host)}};
}

}  // namespace

std::vector<std::string> Trustee::message_types() const {
  return {
      type_uri("trustee", CapabilityOffer::kName), type_uri("trustee", SharePrepare::kName),
      type_uri("trustee", ShareChange::kCommit),   type_uri("trustee", ShareChange::kAbort),
      type_uri("trustee", ShareChange::kRetire),   type_uri("trustee", HeartbeatRequest::kName)};
}

bool Trustee::only_reads(std::string_view what) const {
  return what == "trustee-requests" || what == "trustee-list";
}

Result<void> Trustee::on_message(Host& host, const Inbound& inbound) {
  const std::string& type = inbound.message.type;
  if (is_for_another_device(host, inbound)) return {};
  if (type == type_uri("trustee", CapabilityOffer::kName)) return on_offer(host, inbound);
  if (type == type_uri("trustee", SharePrepare::kName)) return on_prepare(host, inbound);
  if (type == type_uri("trustee", ShareChange::kCommit)) return on_commit(host, inbound);
  if (type == type_uri("trustee", HeartbeatRequest::kName)) return on_heartbeat(host, inbound);
  return on_abort_or_retire(host, inbound, type == type_uri("trustee", ShareChange::kRetire));
}

Result<JsonObject> Trustee::on_command(Host& host, const Command& command) {
  if (command.name == "trustee-accept") return accept(host, command.args);
  if (command.name == "trustee-decline") return decline(host, command.args);
  if (command.name == "trustee-list") return list(host);
  return requests(host);
}

void Trustee::on_timer(Host& host, std::string_view timer) {
  if (timer != kTimerAge) return;
  bool more = false;
  for (const Contact& contact : protocol::list_contacts(host)) {
    auto trusteeship = find_trusteeship(host, contact.id);
    if (!trusteeship) continue;
    const auto ages = [](const Trusteeship& held) {
      return !held.floors.empty() ||
             std::ranges::any_of(held.versions, [](const HeldVersion& version) {
               return version.state == HeldState::retained;
             });
    };
    if (!ages(*trusteeship)) continue;
    age_trusteeship(host, *trusteeship, recovery_open(host, contact.id));
    save_trusteeship(host, *trusteeship);
    more = more || ages(*trusteeship);
  }
  if (more) age_later(host);
}

void Trustee::on_start(Host& host) {
  on_timer(host, kTimerAge);
}

}  // namespace kith::recovery
