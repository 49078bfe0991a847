// Requests for signatures at a holder (super_holder.hpp is the contract).

#include <algorithm>

#include "ledger/log_store.hpp"
#include "ledger/log_writer.hpp"
#include "protocol/lookalike.hpp"
#include "protocol/sender.hpp"
#include "protocol/vault.hpp"
#include "recovery/session_commands.hpp"
#include "recovery/short_code.hpp"
#include "recovery/super_held.hpp"
#include "recovery/super_holder.hpp"
#include "recovery/super_judge.hpp"
#include "recovery/super_reading.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kAsks = "super-ask";
constexpr std::uint32_t kCodeTries = 3;

void save_ask(Host& host, const SuperHeld& held, const SuperAsk& ask) {
  save(host, kAsks, held_id(held.contact_id, held.offer_id), ask);
}

bool is_open(const SuperAsk& ask) {
  return ask.step == AskStep::reading || ask.step == AskStep::open;
}

ledger::Entry entry_in(const Bytes& blob) {
  return ledger::parse_entry(blob).value();  // Checked when it came.
}

std::vector<std::string> hashes_of(const SuperAsk& ask) {
  std::vector<std::string> hashes;
  for (const Bytes& blob : ask.entries) hashes.push_back(ledger::entry_hash_in(blob));
  return hashes;
}

/// Which log of the owner the entry is of; "": none.
std::string log_of(const SuperHeld& held, const ledger::Entry& entry) {
  for (const std::string_view log : kSuperLogs) {
    if (entry.id == subject_of(held, log)) return std::string(log);
  }
  return {};
}

/// The entry reveals the super-quorum that was confirmed here.
bool is_of(const SuperHeld& held, const ledger::Entry& entry) {
  const std::string log = log_of(held, entry);
  const auto opening = std::ranges::find(held.told.openings, log, &SuperOpening::log);
  return !log.empty() && entry.reveal && opening->reveal() == *entry.reveal;
}

/// What is asked for, as far as it can be said before the logs are read.
Result<std::vector<ledger::Entry>> check_request(Host& host, const Inbound& inbound,
                                                 const SuperRequest& body) {
  CHECK(check_super_id(body.request_id));
  CHECK(check_super_text(body.text));
  const auto expires = inbound.message.expires_time;
  if (!expires) return fail(Errc::malformed, "the request has no end");
  const Time end = protocol::from_epoch_seconds(*expires);
  if (end <= host.now()) return fail(Errc::expired, "the request has expired");
  if (end > host.now() + Duration(super_limits::kRequestLife)) {
    return fail(Errc::limit_exceeded, "the request is open for too long");
  }
  if (body.entries.empty() || body.entries.size() > kSuperLogs.size()) {
    return fail(Errc::malformed, "one entry for each log, and one at least");
  }
  std::vector<ledger::Entry> entries;
  for (const Bytes& blob : body.entries) {
    TRY(ledger::Entry entry, ledger::parse_entry(blob));
    if (!entry.sigs.empty()) return fail(Errc::refused, "it bears signatures already");
    if (!entries.empty() && entries.front().id == entry.id) {
      return fail(Errc::malformed, "two entries of one log");
    }
    entries.push_back(std::move(entry));
  }
  return entries;
}

/// The confirmed keys that the entries speak of.
Result<SuperHeld> held_for_entries(Host& host, const Contact& contact,
                                   const std::vector<ledger::Entry>& entries) {
  for (SuperHeld& held : all_held(host, contact.id)) {
    if (held.step != HeldStep::confirmed) continue;
    const bool all =
        std::ranges::all_of(entries, [&](const auto& entry) { return is_of(held, entry); });
    if (all) return std::move(held);
  }
  return fail(Errc::refused, "this agent never confirmed a key for that");
}

Result<void> answer_again(Host& host, const Contact& contact, const SuperAsk& ask) {
  if (ask.step == AskStep::approved) {
    return send_super(host, contact, "recovery", SuperSignature::kName,
                      SuperSignature{ask.request_id, ask.signatures});
  }
  if (ask.step == AskStep::declined) {
    return send_super(host, contact, "recovery", SuperDecline::kName,
                      SuperDecline{ask.request_id, ask.why, {}});
  }
  return {};
}

/// One entry with what it is judged by.
struct Judged {
  KnownLog known;
  ledger::Entry entry;
  std::string key;
};
SuperGround ground_of(Host& host, const Judged& judged) {
  ledger::ReaderOptions options{ledger::anchor_time(host.now()), host.test_mode()};
  const auto& ledgers = judged.entry.content->ledgers;
  if (ledger::is_marked(judged.known.blobs) && !ledgers.empty()) options.ledger = ledgers.front();
  return {judged.known.view, judged.known.blobs, options};
}

Result<std::vector<Judged>> judge_all(Host& host, const SuperHeld& held, const SuperAsk& ask) {
  std::vector<Judged> all;
  for (const Bytes& blob : ask.entries) {
    Judged judged;
    judged.entry = entry_in(blob);
    const std::string log = log_of(held, judged.entry);
    judged.key = held.key_of(log);
    TRY(judged.known, known_to_holder(host, reading_id(held, log)));
    CHECK(check_super_entry(ground_of(host, judged), judged.entry, judged.key));
    all.push_back(std::move(judged));
  }
  return all;
}

void end_ask(SuperAsk& ask, std::string why) {
  ask.step = AskStep::over;
  ask.why = std::move(why);
}

}  // namespace

std::string_view step_name(AskStep step) {
  switch (step) {
    case AskStep::reading:
      return "reading";
    case AskStep::open:
      return "open";
    case AskStep::approved:
      return "approved";
    case AskStep::declined:
      return "declined";
    case AskStep::over:
      return "over";
  }
  return "";
}

std::optional<SuperAsk> find_ask(Host& host, const SuperHeld& held) {
  return load<SuperAsk>(host, kAsks, held_id(held.contact_id, held.offer_id));
}

bool advance_ask(Host& host, const SuperHeld& held) {
  auto ask = find_ask(host, held);
  if (!ask || !is_open(*ask)) return false;
  if (ask->expires <= host.now()) {
    end_ask(*ask, "nobody decided in time");
    save_ask(host, held, *ask);
    return false;
  }
  const auto judged = judge_all(host, held, *ask);
  const AskStep before = ask->step;
  ask->step = judged.has_value() ? AskStep::open : AskStep::reading;
  ask->why = judged.has_value() ? std::string() : judged.error().detail;
  save_ask(host, held, *ask);
  if (before == AskStep::reading && judged.has_value()) {
    const auto contact = protocol::find_contact(host, held.contact_id);
    host.notify({"recovery-request",
                 (contact ? contact->name : "A contact") +
                     " asks for your key of their last resort. See `kith trustee requests`, and "
                     "call them.",
                 held.contact_id,
                 {}});
  }
  return true;
}

Result<void> on_super_request(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, protocol::sender_of(host, inbound));
  TRY(auto body, protocol::decode_body<SuperRequest>(inbound.message.body));
  TRY(const std::vector<ledger::Entry> entries, check_request(host, inbound, body));
  TRY(const SuperHeld held, held_for_entries(host, contact, entries));
  const auto old = find_ask(host, held);
  if (old && old->request_id == body.request_id) return answer_again(host, contact, *old);
  SuperAsk ask;
  ask.request_id = std::move(body.request_id);
  ask.contact_id = contact.id;
  ask.entries = std::move(body.entries);
  ask.text = std::move(body.text);
  ask.signed_before = old && (old->signed_before || !old->signatures.empty());
  ask.received = host.now();
  ask.expires = protocol::from_epoch_seconds(*inbound.message.expires_time);
  save_ask(host, held, ask);
  host.audit("super.asked", {{"contact", contact.id}});
  read_logs(host, held);
  holder_looks_in(host, 0);
  return {};
}

Result<void> on_super_outcome(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, protocol::sender_of(host, inbound));
  TRY(const auto body, protocol::decode_body<SuperOutcome>(inbound.message.body));
  for (const SuperHeld& held : all_held(host, contact.id)) {
    auto ask = find_ask(host, held);
    if (!ask || ask->request_id != body.request_id || ask->step == AskStep::over) continue;
    end_ask(*ask, body.outcome == "posted" ? "they say that it is posted" : "they took it back");
    save_ask(host, held, *ask);
  }
  return {};
}

// --- The person

namespace {

struct NamedAsk {
  SuperHeld held;
  SuperAsk ask;
};
std::optional<NamedAsk> ask_by_id(Host& host, std::string_view id) {
  for (SuperHeld& held : all_held(host)) {
    auto ask = find_ask(host, held);
    if (ask && ask->request_id == id) return NamedAsk{std::move(held), std::move(*ask)};
  }
  return std::nullopt;
}

std::string ask_words(const SuperAsk& ask, const std::string& name) {
  switch (ask.step) {
    case AskStep::reading:
      return "The logs of " + name + " do not show what this speaks of" +
             (ask.why.empty() ? "." : ": " + ask.why + ".") + " They are looked at again.";
    case AskStep::open:
      return "Call " + name +
             ", or meet them. Make sure that it is really them and that they want "
             "this. Let them read the code to you. Then: kith trustee approve " +
             ask.request_id + " --contact \"" + name +
             "\" --code THEIR-CODE --verified in-person|video|voice. If it is not them: kith "
             "trustee decline " +
             ask.request_id;
    case AskStep::approved:
      return "You signed it.";
    case AskStep::declined:
      return "You declined it.";
    case AskStep::over:
      return "Over: " + ask.why + ".";
  }
  return "";
}

JsonArray texts(const std::vector<std::string>& list) {
  JsonArray array;
  for (const std::string& text : list) array.push_back(boost::json::string(text));
  return array;
}

void tell_changes(Host& host, const NamedAsk& named, JsonObject& row) {
  const auto judged = judge_all(host, named.held, named.ask);
  if (!judged.has_value()) return;
  std::vector<std::string> changes;
  std::vector<std::string> warnings;
  for (const Judged& one : *judged) {
    const ledger::ProposalWords words = super_words(ground_of(host, one), one.entry);
    std::ranges::copy(words.changes, std::back_inserter(changes));
    std::ranges::copy(words.warnings, std::back_inserter(warnings));
    row["as_of"] = protocol::utc_text(one.known.read_at);
  }
  changes.emplace_back("Afterwards they have no such last resort until they choose a new one.");
  if (named.ask.signed_before) {
    warnings.emplace_back("You signed an earlier request of this kind. Ask why there is another.");
  }
  row["changes"] = texts(changes);
  if (!warnings.empty()) row["warnings"] = texts(warnings);
}

Result<KeyPair> private_half(Host& host, const std::optional<SealedKey>& vault,
                             const std::string& key) {
  if (vault) return protocol::open_vault_item(host, *vault, key);
  auto sealed = ledger::log_key(host, key);
  if (!sealed) return fail(Errc::not_found, "the key is not on this device");
  TRY(PublicKey public_key, ledger::signing_key(key));
  return KeyPair{std::move(public_key), std::move(*sealed)};
}

Result<void> sign_all(Host& host, const Command& command, const SuperHeld& held, SuperAsk& ask) {
  TRY(const std::vector<Judged> judged, judge_all(host, held, ask));
  std::optional<SealedKey> vault;
  if (protocol::vault_lock(host)) {
    TRY(vault, protocol::open_vault(host, command.step_up));
  }
  for (const Judged& one : judged) {
    TRY(const KeyPair pair, private_half(host, vault, one.key));
    ledger::Entry entry = one.entry;
    CHECK(ledger::add_signature(entry, pair, host.keys()));
    ask.signatures.push_back({ledger::entry_hash(entry), one.key, entry.sigs.front().s});
  }
  return {};
}

JsonObject ask_outcome(const NamedAsk& named, const Contact& contact) {
  return {{"id", named.ask.request_id},
          {"contact", contact.name},
          {"state", step_name(named.ask.step)},
          {"words", ask_words(named.ask, contact.name)}};
}

/// False: it was wrong.
bool take_code(const std::string& code, SuperAsk& ask) {
  if (code_matches(super_code(hashes_of(ask)), code)) return true;
  if (++ask.wrong_codes >= kCodeTries) {
    ask.step = AskStep::declined;
    ask.why = "the code was wrong too often";
  }
  return false;
}

}  // namespace

bool is_super_ask(Host& host, std::string_view id) {
  return ask_by_id(host, id).has_value();
}

Result<JsonObject> approve_super(Host& host, const Command& command) {
  TRY(const std::string id, crypto::json_string(command.args, "id"));
  TRY(const std::string who, crypto::json_string(command.args, "contact"));
  TRY(const std::string verified, crypto::json_string(command.args, "verified"));
  TRY(const std::string code, crypto::json_string(command.args, "code"));
  auto named = ask_by_id(host, id);
  if (!named) return fail(Errc::not_found, "no request by that id; see `kith trustee requests`");
  TRY(const Contact contact, protocol::contact_named(host, who));
  CHECK(check_verified(verified));
  if (contact.id != named->ask.contact_id) {
    return fail(Errc::refused, "another contact asked for this");
  }
  if (named->ask.step == AskStep::approved) return ask_outcome(*named, contact);
  if (named->ask.step != AskStep::open) {
    return fail(Errc::wrong_state, ask_words(named->ask, contact.name));
  }
  if (named->ask.expires <= host.now()) return fail(Errc::expired, "the request has expired");
  const bool right = take_code(code, named->ask);
  if (right) {
    CHECK(sign_all(host, command, named->held, named->ask));
    named->ask.step = AskStep::approved;
    host.audit("super.signed", {{"contact", contact.id}, {"verified", verified}});
  }
  save_ask(host, named->held, named->ask);
  if (!is_open(named->ask)) CHECK(answer_again(host, contact, named->ask));
  JsonObject reply = ask_outcome(*named, contact);
  reply["code_ok"] = right;
  reply["tries_left"] = kCodeTries - named->ask.wrong_codes;
  return reply;
}

Result<JsonObject> decline_super(Host& host, std::string_view id, std::string_view reason) {
  CHECK(check_super_text(reason));
  auto named = ask_by_id(host, id);
  if (!named) return decline_super_offer(host, id, reason);
  const auto contact = protocol::find_contact(host, named->ask.contact_id);
  if (!contact) return fail(Errc::unknown_peer, "that contact is gone");
  if (named->ask.step == AskStep::declined) return ask_outcome(*named, *contact);
  if (!is_open(named->ask)) {
    return fail(Errc::wrong_state, ask_words(named->ask, contact->name));
  }
  named->ask.step = AskStep::declined;
  named->ask.why = reason;
  save_ask(host, named->held, named->ask);
  CHECK(answer_again(host, *contact, named->ask));
  host.audit("super.request-declined", {{"contact", contact->id}});
  return ask_outcome(*named, *contact);
}

JsonArray describe_super_asks(Host& host) {
  JsonArray rows;
  for (SuperHeld& held : all_held(host)) {
    auto ask = find_ask(host, held);
    const auto contact = protocol::find_contact(host, held.contact_id);
    if (!ask || !contact || ask->step == AskStep::over) continue;
    const NamedAsk named{std::move(held), std::move(*ask)};
    JsonObject row = ask_outcome(named, *contact);
    row["text"] = named.ask.text;
    row["received"] = protocol::utc_text(named.ask.received);
    row["expires"] = protocol::utc_text(named.ask.expires);
    if (named.ask.step == AskStep::open) tell_changes(host, named, row);
    const std::string warning = protocol::lookalike_warning(host, *contact);
    if (!warning.empty()) row["warning"] = warning;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace kith::recovery
