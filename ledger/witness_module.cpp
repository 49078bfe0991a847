#include "ledger/witness_module.hpp"

#include <algorithm>

#include "ledger/did_kith.hpp"
#include "ledger/seen_ledgers.hpp"
#include "ledger/strict_json.hpp"
#include "ledger/witness.hpp"
#include "ledger/witness_limits.hpp"
#include "ledger/witness_time.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kWatchedLedgers = "witness-ledger";
constexpr std::string_view kWitnessKey = "witness-key";
constexpr std::string_view kLastWord = "witness-time";

struct WitnessKey {
  PublicKey key;
  SealedKey sealed;
  template <class V>
  void visit(V& v) {
    v("key", key), v("sealed", sealed);
  }
};

Result<WitnessKey> witness_key(Host& host) {
  if (auto kept = load<WitnessKey>(host, "meta", kWitnessKey)) return std::move(*kept);
  TRY(KeyPair made, host.keys().generate(KeyType::ed25519, KeyPurpose::witness));
  WitnessKey key{std::move(made.public_key), std::move(made.sealed)};
  save(host, "meta", kWitnessKey, key);
  return key;
}

std::string verifier_key_of(const PublicKey& witness) {
  return verifier_key(crypto::multikey(witness), NoteSignatureType::cosignature, witness);
}

std::string verifier_key_of(const LedgerDescriptor& ledger) {
  return verifier_key(ledger.origin, NoteSignatureType::ed25519, ledger.key);
}

// --- Which ledgers

Result<LedgerDescriptor> read_watched_ledger(std::string text) {
  while (text.ends_with('\n') || text.ends_with(' ')) text.pop_back();
  if (!text.starts_with('{')) return descriptor_of_key(text);
  TRY(LedgerDescriptor ledger, parse_descriptor(text));
  if (!can_prove(ledger)) return fail(Errc::ledger_no_proof, "there is nothing to cosign");
  return ledger;
}

Result<JsonObject> watch_ledger(Host& host, const JsonObject& args) {
  CHECK(only_members(args, {"ledger"}, "witness-watch"));
  TRY(std::string text, crypto::json_string(args, "ledger"));
  TRY(const LedgerDescriptor ledger, read_watched_ledger(std::move(text)));
  TRY(const WitnessKey own, witness_key(host));
  auto watched = load<WatchedLedger>(host, kWatchedLedgers, ledger.origin);
  if (watched) {
    TRY(const LedgerDescriptor known, parse_descriptor(watched->descriptor));
    if (!(known.key == ledger.key)) {
      return fail(Errc::conflict, "a ledger of this name is known by another key");
    }
  } else if (host.list(kWatchedLedgers).size() >= witness_limits::kWatchedMax) {
    return fail(Errc::limit_exceeded, "this witness knows as many ledgers as it can");
  } else {
    watched = WatchedLedger{{}, true, {}, {}, host.now()};
  }
  watched->descriptor = descriptor_json(ledger);
  watched->watched = true;
  save(host, kWatchedLedgers, ledger.origin, *watched);
  host.audit("witness.watches", {{"origin", ledger.origin}});
  JsonObject reply;
  reply["origin"] = ledger.origin;
  reply["key"] = verifier_key_of(ledger);
  reply["named"] = std::ranges::find(ledger.witnesses, own.key) != ledger.witnesses.end();
  return reply;
}

Result<JsonObject> unwatch_ledger(Host& host, const JsonObject& args) {
  CHECK(only_members(args, {"origin"}, "witness-unwatch"));
  TRY(const std::string origin, crypto::json_string(args, "origin"));
  auto watched = load<WatchedLedger>(host, kWatchedLedgers, origin);
  if (!watched || !watched->watched) return fail(Errc::not_found, "that ledger is not watched");
  watched->watched = false;
  save(host, kWatchedLedgers, origin, *watched);
  host.audit("witness.unwatched", {{"origin", origin}});
  return JsonObject{};
}

Result<JsonObject> watched_json(Host& host, const WatchedLedger& watched) {
  TRY(const LedgerDescriptor ledger, parse_descriptor(watched.descriptor));
  TRY(const Checkpoint last, last_cosigned(watched));
  JsonObject object;
  object["origin"] = ledger.origin;
  object["key"] = verifier_key_of(ledger);
  object["watched"] = watched.watched;
  object["size"] = static_cast<std::int64_t>(last.size);
  if (!watched.checkpoint.empty()) {
    object["root"] = base64(last.root);
    object["cosigned"] = protocol::utc_text(watched.cosigned);
  }
  const auto evidence = evidence_against(host, {watched.descriptor, {}, {}});
  if (!evidence.empty()) object["evidence"] = json_strings(evidence);
  return object;
}

// --- Cosigning

void accuse_of_fork(Host& host, const WatchedLedger& watched, const JudgedCheckpoint& judged) {
  const LedgerEvidence evidence{
      watched.descriptor, watched.checkpoint, judged.note, {}, host.now()};
  if (!keep_evidence(host, evidence, Errc::ledger_fork)) return;
  host.notify({"alarm",
               "The ledger " + judged.checkpoint.origin +
                   " has signed two different histories. This witness stays with the first. `kith "
                   "ledger witness` shows the evidence: ask the ledger's operator, and warn those "
                   "who use it.",
               judged.checkpoint.origin,
               {}});
}

/// The state first: the signature is part of the reply, which leaves when the state is durable.
Result<JsonObject> sign_and_keep(Host& host, WatchedLedger watched,
                                 const JudgedCheckpoint& judged) {
  TRY(const WitnessKey own, witness_key(host));
  const Time now = std::chrono::floor<std::chrono::seconds>(host.now());
  // Whoever repeats a request costs one write a second, at most.
  if (watched.checkpoint != judged.note || watched.cosigned < now) {
    watched.checkpoint = judged.note;
    watched.cosigned = std::max(watched.cosigned, now);
    save(host, kWatchedLedgers, judged.checkpoint.origin, watched);
  }
  const auto time = std::chrono::floor<std::chrono::seconds>(watched.cosigned);
  const std::string text = cosigned_text(checkpoint_text(judged.checkpoint), time);
  TRY(const Bytes signature, host.keys().sign(own.sealed, crypto::as_bytes(text)));
  JsonObject reply;
  reply["signatures"] = signature_lines({witness_signature(own.key, time, signature)});
  return reply;
}

Result<JsonObject> cosign(Host& host, const JsonObject& args) {
  TRY(const std::string text, crypto::json_string(args, "request"));
  TRY(const AddCheckpoint request, parse_add_checkpoint(text));
  TRY(const SignedNote note, parse_note(request.checkpoint));
  TRY(const Checkpoint stated, parse_checkpoint(note.text));
  auto watched = load<WatchedLedger>(host, kWatchedLedgers, stated.origin);
  if (!watched || !watched->watched) return fail(Errc::not_found, "no ledger by that origin");
  TRY(const JudgedCheckpoint judged, judge_add_checkpoint(request, *watched));
  switch (judged.verdict) {
    case WitnessVerdict::cosign:
      return sign_and_keep(host, std::move(*watched), judged);
    case WitnessVerdict::inconsistent:
      return fail(Errc::bad_proof, "the tree does not continue the one that was cosigned");
    case WitnessVerdict::other_root:
      accuse_of_fork(host, *watched, judged);
      break;
    case WitnessVerdict::other_size:
      break;
  }
  return JsonObject{{"size", size_text(judged.kept_size)}};
}

// --- When it saw a blob

struct LastWord {
  Time said{};  ///< Whole seconds.
  template <class V>
  void visit(V& v) {
    v("said", said);
  }
};

Result<JsonObject> tell_time(Host& host, const JsonObject& args) {
  CHECK(only_members(args, {"subject", "hash"}, "witness-time"));
  TRY(const std::string did, crypto::json_string(args, "subject"));
  TRY(const std::string subject, check_did_kith(did));
  TRY(const std::string hash, crypto::json_string(args, "hash"));
  if (!is_digest(hash)) return fail(Errc::malformed, "not the hash of a blob");
  TRY(const WitnessKey own, witness_key(host));
  LastWord last = load<LastWord>(host, "meta", kLastWord).value_or(LastWord{});
  const Time now = std::chrono::floor<std::chrono::seconds>(host.now());
  if (last.said < now) {
    last.said = now;
    save(host, "meta", kLastWord, last);
  }
  WitnessTime seen{own.key, std::chrono::floor<std::chrono::seconds>(last.said), {}};
  const std::string text = witness_time_text(subject, hash, seen.time);
  TRY(seen.signature, host.keys().sign(own.sealed, crypto::as_bytes(text)));
  return witness_time_json(seen);
}

}  // namespace

std::vector<std::string> WitnessModule::commands() const {
  return {"witness-show", "witness-watch", "witness-unwatch", "witness-cosign", "witness-time"};
}

/// Neither is done differently when it is done again.
bool WitnessModule::only_reads(std::string_view command) const {
  return command == "witness-show" || command == "witness-cosign" || command == "witness-time";
}

Result<JsonObject> WitnessModule::on_command(Host& host, const Command& command) {
  if (command.name == "witness-show") return show(host);
  if (command.name == "witness-watch") return watch_ledger(host, command.args);
  if (command.name == "witness-unwatch") return unwatch_ledger(host, command.args);
  if (command.name == "witness-cosign") return cosign(host, command.args);
  if (command.name == "witness-time") return tell_time(host, command.args);
  return fail(Errc::usage);
}

Result<JsonObject> WitnessModule::show(Host& host) const {
  TRY(const WitnessKey own, witness_key(host));
  JsonObject reply;
  reply["key"] = verifier_key_of(own.key);
  reply["multikey"] = crypto::multikey(own.key);
  if (!address_.empty()) reply["address"] = address_;
  JsonArray ledgers;
  for (const std::string& origin : host.list(kWatchedLedgers)) {
    TRY(JsonObject ledger, watched_json(host, *load<WatchedLedger>(host, kWatchedLedgers, origin)));
    ledgers.emplace_back(std::move(ledger));
  }
  reply["ledgers"] = std::move(ledgers);
  return reply;
}

}  // namespace kith::ledger
