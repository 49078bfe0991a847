#include "recovery/super_holder.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/log_store.hpp"
#include "ledger/strict_json.hpp"
#include "protocol/lookalike.hpp"
#include "protocol/sender.hpp"
#include "protocol/vault.hpp"
#include "recovery/super_held.hpp"
#include "recovery/super_reading.hpp"

namespace kith::recovery {

using protocol::VaultUse;

namespace {

constexpr std::string_view kHeldPrefix = "held ";
constexpr std::string_view kHeldRecords = "recovery-record";

bool is_out_of_time(Host& host, const SuperHeld& held) {
  return held.step == HeldStep::offered && held.expires != Time{} && held.expires <= host.now();
}

bool came_to_nothing(Host& host, const SuperHeld& held) {
  return held.step == HeldStep::declined || held.step == HeldStep::withdrawn ||
         is_out_of_time(host, held);
}

/// The oldest of what nothing came of makes room; else what its owner does not remember any more.
Result<void> room_for_offer(Host& host, const std::string& contact_id) {
  const std::vector<SuperHeld> all = all_held(host, contact_id);
  if (all.size() < super_limits::kHeldPerContactMax) return {};
  std::vector<SuperHeld> may_go;
  std::vector<SuperHeld> confirmed;
  for (const SuperHeld& held : all) {
    if (held.step == HeldStep::confirmed) confirmed.push_back(held);
    if (came_to_nothing(host, held)) may_go.push_back(held);
  }
  if (may_go.empty() && confirmed.size() > super_limits::kSetsKept) may_go = std::move(confirmed);
  if (may_go.empty()) return fail(Errc::limit_exceeded, "too many offers of one contact");
  const SuperHeld& oldest = *std::ranges::min_element(may_go, {}, &SuperHeld::received);
  host.erase({std::string(kHeldRecords), held_id(contact_id, oldest.offer_id)});
  return {};
}

SuperAccept accept_of(const SuperHeld& held) {
  return {held.offer_id, {std::string(kSuperCapability)}, held.keys};
}

/// With their proofs, while the private halves are at hand without the passphrase.
Result<void> make_keys(Host& host, const Contact& owner, SuperHeld& held) {
  const std::string id = held_id(held.contact_id, held.offer_id);
  for (const std::string_view log : kSuperLogs) {
    TRY(const KeyPair pair, host.keys().generate(KeyType::ed25519, KeyPurpose::log_recovery));
    const std::string key = crypto::multikey(pair.public_key);
    const Bytes statement =
        super_key_statement(held.offer_id, log, key, owner.my_did, owner.their_did);
    TRY(Bytes proof, host.keys().sign(pair.sealed, statement));
    if (protocol::vault_lock(host)) {
      CHECK(protocol::add_to_vault(host, VaultUse::log_recovery, key, id, {}, pair.sealed));
    } else {
      ledger::remember_log_key(host, pair);
    }
    held.keys.push_back({std::string(log), key, std::move(proof)});
  }
  return {};
}

Result<SuperHeld> held_for(Host& host, const Contact& contact, std::string_view offer_id) {
  auto held = find_held(host, held_id(contact.id, offer_id));
  if (!held) return fail(Errc::refused, "nothing was agreed under that offer");
  return std::move(*held);
}

/// The openings are of the keys that we gave.
Result<void> check_openings(const SuperHeld& held, const SuperResponse& told) {
  if (told.openings.size() != kSuperLogs.size()) {
    return fail(Errc::malformed, "an opening for each log is needed");
  }
  for (std::size_t i = 0; i < kSuperLogs.size(); ++i) {
    const SuperOpening& opening = told.openings[i];
    if (opening.log != kSuperLogs[i]) return fail(Errc::malformed, "the openings are out of order");
    const bool fits = opening.t >= 1 && opening.t <= opening.k.size() &&
                      opening.k.size() <= limits::kEntryKeysMax;
    if (!fits) return fail(Errc::malformed, "a threshold that the keys cannot meet");
    CHECK(ledger::multibase_bytes(opening.salt, ledger::kSaltBytes, "salt"));
    if (!ledger::contains(opening.k, held.key_of(opening.log))) {
      return fail(Errc::refused, "the key that was given here is not in it");
    }
  }
  return {};
}

/// Both logs commit to what the owner told. Errors: unreachable, refused.
Result<void> check_anchored(Host& host, const SuperHeld& held) {
  for (const SuperOpening& opening : held.told.openings) {
    TRY(const KnownLog known, known_to_holder(host, reading_id(held, opening.log)));
    const auto& hi = known.view.current.rec.hi;
    if (!hi || *hi != ledger::recovery_digest(opening.reveal())) {
      return fail(Errc::refused, "the log does not name this super-quorum");
    }
  }
  return {};
}

Result<void> confirm(Host& host, SuperHeld& held) {
  const auto contact = protocol::find_contact(host, held.contact_id);
  if (!contact) return fail(Errc::unknown_peer, "that contact is gone");
  held.step = HeldStep::confirmed;
  held.since = host.now();
  held.looks = 0;
  held.problem.clear();
  host.audit("super.confirmed", {{"contact", held.contact_id}});
  host.notify({"trustee",
               "You now hold a key of " + contact->name +
                   "'s last resort. If their identity is captured, they will call you.",
               held.contact_id,
               {}});
  return send_super(host, *contact, "trustee", SuperRef::kConfirmed, SuperRef{held.offer_id});
}

/// True: it still waits for the ledger.
bool advance_told(Host& host, SuperHeld held) {
  const auto anchored = check_anchored(host, held);
  if (anchored.has_value()) {
    static_cast<void>(confirm(host, held));
  } else {
    held.problem = anchored.error().detail;
  }
  save_held(host, held);
  return held.step == HeldStep::told;
}

}  // namespace

// --- Records

std::string_view step_name(HeldStep step) {
  switch (step) {
    case HeldStep::offered:
      return "offered";
    case HeldStep::declined:
      return "declined";
    case HeldStep::agreed:
      return "agreed";
    case HeldStep::told:
      return "told";
    case HeldStep::confirmed:
      return "confirmed";
    case HeldStep::withdrawn:
      return "withdrawn";
  }
  return "";
}

std::string SuperHeld::key_of(std::string_view log) const {
  const auto found = std::ranges::find(keys, log, &SuperKey::log);
  return found == keys.end() ? std::string() : found->key;
}

std::string held_id(std::string_view contact_id, std::string_view offer_id) {
  return std::string(kHeldPrefix) + std::string(contact_id) + " " + std::string(offer_id);
}

std::optional<SuperHeld> find_held(Host& host, std::string_view id) {
  if (!id.starts_with(kHeldPrefix)) return std::nullopt;
  return load<SuperHeld>(host, kHeldRecords, id);
}

void save_held(Host& host, const SuperHeld& held) {
  save(host, kHeldRecords, held_id(held.contact_id, held.offer_id), held);
}

std::vector<SuperHeld> all_held(Host& host, std::string_view contact_id) {
  std::vector<SuperHeld> all;
  for (const std::string& id : host.list(kHeldRecords)) {
    auto held = find_held(host, id);
    if (!held || (!contact_id.empty() && held->contact_id != contact_id)) continue;
    all.push_back(std::move(*held));
  }
  return all;
}

std::string subject_of(const SuperHeld& held, std::string_view log) {
  return log == kDidLog ? held.told.did : held.told.policy;
}

std::string reading_id(const SuperHeld& held, std::string_view log) {
  return held_id(held.contact_id, held.offer_id) + " " + std::string(log);
}

std::optional<SuperHeld> held_of_reading(Host& host, std::string_view reading) {
  const std::size_t end = reading.rfind(' ');
  return end == std::string_view::npos ? std::nullopt : find_held(host, reading.substr(0, end));
}

void read_logs(Host& host, const SuperHeld& held) {
  for (const std::string_view log : kSuperLogs) {
    read_for_holder(host, reading_id(held, log), subject_of(held, log), held.told.ledger);
  }
}

// --- Messages

bool offers_super(const CapabilityOffer& offer) {
  return std::ranges::find(offer.capabilities, kSuperCapability) != offer.capabilities.end();
}

Result<void> on_super_offer(Host& host, const Inbound& inbound, const CapabilityOffer& offer) {
  TRY(const Contact contact, protocol::sender_of(host, inbound));
  if (offer.capabilities.size() != 1) {
    return fail(Errc::unsupported, "SUPER_QUORUM is offered by itself");
  }
  CHECK(check_super_id(offer.offer_id));
  CHECK(check_super_text(offer.text));
  const auto end = inbound.message.expires_time;
  const Time expires = end ? protocol::from_epoch_seconds(*end) : Time{};
  if (auto known = find_held(host, held_id(contact.id, offer.offer_id))) {
    if (known->step == HeldStep::offered) {  // Asked again: it is open for longer.
      known->expires = expires;
      save_held(host, *known);
    }
    if (known->step == HeldStep::agreed) {  // Asked again: answered again.
      return send_super(host, contact, "trustee", SuperAccept::kName, accept_of(*known));
    }
    if (known->step != HeldStep::declined) return {};
    return send_super(host, contact, "trustee", CapabilityDecline::kName,
                      CapabilityDecline{known->offer_id, known->reason});
  }
  CHECK(room_for_offer(host, contact.id));
  SuperHeld held;
  held.contact_id = contact.id;
  held.offer_id = offer.offer_id;
  held.text = offer.text;
  held.received = held.since = host.now();
  held.expires = expires;
  save_held(host, held);
  host.audit("super.offered", {{"contact", contact.id}});
  host.notify({"trustee-offer",
               contact.name + " asks you to hold a key of their last resort. See `kith trustee "
                              "requests`.",
               contact.id,
               {}});
  return {};
}

Result<void> on_super_response(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, protocol::sender_of(host, inbound));
  TRY(auto told, protocol::decode_body<SuperResponse>(inbound.message.body));
  TRY(SuperHeld held, held_for(host, contact, told.offer_id));
  if (held.step == HeldStep::confirmed) {  // Said again: answered again.
    return send_super(host, contact, "trustee", SuperRef::kConfirmed, SuperRef{held.offer_id});
  }
  if (held.step != HeldStep::agreed && held.step != HeldStep::told) {
    return fail(Errc::refused, "nobody agreed to that here");
  }
  CHECK(ledger::check_did_kith(told.did));
  CHECK(ledger::check_did_kith(told.policy));
  if (told.did == told.policy) return fail(Errc::malformed, "two logs are needed");
  CHECK(check_ledger_address(told.ledger));
  CHECK(check_openings(held, told));
  held.told = std::move(told);
  if (held.step == HeldStep::agreed) held.since = host.now();
  held.step = HeldStep::told;
  held.looks = 0;
  save_held(host, held);
  read_logs(host, held);
  holder_looks_in(host, held.looks);
  return {};
}

Result<void> on_super_withdrawn(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, protocol::sender_of(host, inbound));
  TRY(const auto body, protocol::decode_body<SuperRef>(inbound.message.body));
  auto held = find_held(host, held_id(contact.id, body.offer_id));
  // What counts in the owner's logs is not ended by a message: a thief of a device could send it.
  const bool ends = held && held->step != HeldStep::confirmed && held->step != HeldStep::declined;
  if (!ends) return {};
  held->step = HeldStep::withdrawn;
  held->since = host.now();
  save_held(host, *held);
  return {};
}

void holder_log_read(Host& host, const std::string& reading) {
  const auto held = held_of_reading(host, reading);
  if (!held) return;
  bool waits = held->step == HeldStep::told && advance_told(host, *held);
  waits = advance_ask(host, *held) || waits;
  if (waits) holder_looks_in(host, held->looks);
}

void holder_looks(Host& host) {
  std::uint32_t least = 16;
  bool waits = false;
  for (SuperHeld& held : all_held(host)) {
    const bool told = held.step == HeldStep::told && advance_told(host, held);
    const bool asked = advance_ask(host, held);
    if (!told && !asked) continue;
    held = *find_held(host, held_id(held.contact_id, held.offer_id));
    ++held.looks;
    save_held(host, held);
    read_logs(host, held);
    least = std::min(least, held.looks);
    waits = true;
  }
  if (waits) holder_looks_in(host, least);
}

void holder_looks_in(Host& host, std::uint32_t looks) {
  const Duration wait = std::min<Duration>(
      Duration(super_limits::kReadAgainFirst) * (1 << std::min<std::uint32_t>(looks, 12)),
      super_limits::kReadAgainMax);
  host.set_timer(kSuperModule, kHolderTimer, host.now() + wait);
}

// --- The person

namespace {

std::optional<SuperHeld> offer_by_id(Host& host, std::string_view id) {
  for (SuperHeld& held : all_held(host)) {
    if (held.offer_id == id) return std::move(held);
  }
  return std::nullopt;
}

JsonObject told_to_person(const SuperHeld& held, const Contact& contact) {
  return {{"id", held.offer_id},
          {"contact", contact.name},
          {"contact_id", contact.id},
          {"state", step_name(held.step)}};
}

std::string held_words(const SuperHeld& held, const std::string& name) {
  switch (held.step) {
    case HeldStep::agreed:
      return "You agreed to hold a key of " + name +
             "'s last resort. It counts when they have put it into force.";
    case HeldStep::told:
      return name + " says that your key counts. This is being looked up" +
             (held.problem.empty() ? "." : ": " + held.problem + ".");
    case HeldStep::confirmed:
      return "You hold a key of " + name +
             "'s last resort. If others have taken their identity over, they call you; with enough "
             "of the others you give it back.";
    case HeldStep::offered:
    case HeldStep::declined:
    case HeldStep::withdrawn:
      break;
  }
  return "";
}

}  // namespace

bool is_super_offer(Host& host, std::string_view id) {
  return offer_by_id(host, id).has_value();
}

Result<JsonObject> accept_super_offer(Host& host, std::string_view id) {
  auto held = offer_by_id(host, id);
  if (!held) return fail(Errc::not_found, "no request by that id; see `kith trustee requests`");
  const auto contact = protocol::find_contact(host, held->contact_id);
  if (!contact) return fail(Errc::unknown_peer, "that contact is gone");
  if (held->step == HeldStep::declined) {
    return fail(Errc::wrong_state, "you declined this; ask for a new offer");
  }
  if (held->step == HeldStep::withdrawn) {
    return fail(Errc::wrong_state, contact->name + " took this back");
  }
  if (held->step != HeldStep::offered) return told_to_person(*held, *contact);
  if (is_out_of_time(host, *held)) return fail(Errc::expired, "the offer has expired");
  CHECK(make_keys(host, *contact, *held));
  held->step = HeldStep::agreed;
  held->since = host.now();
  save_held(host, *held);
  CHECK(send_super(host, *contact, "trustee", SuperAccept::kName, accept_of(*held)));
  host.audit("super.agreed", {{"contact", contact->id}});
  return told_to_person(*held, *contact);
}

Result<JsonObject> decline_super_offer(Host& host, std::string_view id, std::string_view reason) {
  auto held = offer_by_id(host, id);
  if (!held) return fail(Errc::not_found, "no request by that id; see `kith trustee requests`");
  const auto contact = protocol::find_contact(host, held->contact_id);
  if (!contact) return fail(Errc::unknown_peer, "that contact is gone");
  if (held->step == HeldStep::declined) return told_to_person(*held, *contact);
  if (held->step != HeldStep::offered) {
    return fail(Errc::wrong_state, "you accepted this already, or it was taken back");
  }
  held->step = HeldStep::declined;
  held->reason = reason;
  held->since = host.now();
  save_held(host, *held);
  CHECK(send_super(host, *contact, "trustee", CapabilityDecline::kName,
                   CapabilityDecline{held->offer_id, held->reason}));
  host.audit("super.declined", {{"contact", contact->id}});
  return told_to_person(*held, *contact);
}

JsonArray describe_super_offers(Host& host) {
  JsonArray rows;
  for (const SuperHeld& held : all_held(host)) {
    const auto contact = protocol::find_contact(host, held.contact_id);
    if (!contact || held.step != HeldStep::offered || is_out_of_time(host, held)) continue;
    JsonObject row{
        {"id", held.offer_id},
        {"contact", contact->name},
        {"contact_id", contact->id},
        {"capabilities", JsonArray{kSuperCapability}},
        {"text", held.text},
        {"received", protocol::utc_text(held.received)},
        {"words", contact->name +
                      " asks you to hold a key of their last resort. It reads nothing and does "
                      "nothing by itself. If others take their identity over, enough of these keys "
                      "together give it back; you make sure that it is really them. To agree: kith "
                      "trustee accept " +
                      held.offer_id}};
    const std::string warning = protocol::lookalike_warning(host, *contact);
    if (!warning.empty()) row["warning"] = warning;
    rows.push_back(std::move(row));
  }
  return rows;
}

JsonArray describe_super_held(Host& host) {
  JsonArray rows;
  for (const SuperHeld& held : all_held(host)) {
    const auto contact = protocol::find_contact(host, held.contact_id);
    if (!contact || held_words(held, contact->name).empty()) continue;
    JsonObject row{{"contact", contact->name},
                   {"contact_id", contact->id},
                   {"state", step_name(held.step)},
                   {"since", protocol::utc_text(held.since)},
                   {"words", held_words(held, contact->name)}};
    if (!held.told.policy.empty()) row["policy"] = held.told.policy;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace kith::recovery
