#include "ledger/ledger_report.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "ledger/former_ledgers.hpp"
#include "ledger/ledger_evidence.hpp"
#include "ledger/receipt.hpp"
#include "ledger/seen_ledgers.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kReceiptVersion = "kith-ledger-receipt/1";
constexpr std::size_t kFileBytesMax =
    std::max(limits::kLedgerEvidenceBytesMax, 2 * limits::kReceiptBytesMax);

JsonObject checkpoint_json(const Checkpoint& checkpoint) {
  JsonObject object;
  object["origin"] = checkpoint.origin;
  object["size"] = static_cast<std::int64_t>(checkpoint.size);
  object["root"] = base64(checkpoint.root);
  return object;
}

JsonArray cosignatures_json(const TrustedCheckpoint& trusted) {
  JsonArray lines;
  for (const Cosignature& cosignature : trusted.cosignatures) {
    lines.push_back(
        JsonObject{{"witness", crypto::multikey(cosignature.witness)},
                   {"time", utc_text(AnchorTime{cosignature.time.time_since_epoch()})}});
  }
  return lines;
}

/// Of a ledger that has witnesses.
JsonObject witnesses_json(const TrustedCheckpoint& trusted, const LedgerDescriptor& ledger) {
  JsonObject object;
  object["needed"] = std::int64_t{ledger.w};
  object["known"] = static_cast<std::int64_t>(ledger.witnesses.size());
  object["cosignatures"] = cosignatures_json(trusted);
  if (const auto time = witnessed_at(trusted, ledger)) {
    object["witnessed"] = utc_text(AnchorTime{time->time_since_epoch()});
  }
  return object;
}

Result<JsonObject> seen_checkpoint(const SeenLedger& seen) {
  TRY(const SignedNote note, parse_note(seen.checkpoint));
  TRY(const Checkpoint checkpoint, parse_checkpoint(note.text));
  TRY(const LedgerDescriptor ledger, parse_descriptor(seen.descriptor));
  JsonObject object = checkpoint_json(checkpoint);
  object["key"] = verifier_key(ledger.origin, NoteSignatureType::ed25519, ledger.key);
  object["signatures"] = static_cast<std::int64_t>(note.signatures.size());
  object["advanced"] = protocol::utc_text(seen.advanced);
  if (!ledger.witnesses.empty()) {
    TRY(const TrustedCheckpoint trusted, open_checkpoint(seen.checkpoint, ledger));
    object["witnesses"] = witnesses_json(trusted, ledger);
  }
  return object;
}

JsonObject evidence_line(const std::string& id, const LedgerEvidence& evidence) {
  JsonObject object;
  object["id"] = id;
  const auto judged = judge_evidence(evidence);
  if (judged.has_value()) {
    object["kind"] = evidence_name(judged->kind);
    object["proven"] = judged->proven;
  }
  object["noticed"] = protocol::utc_text(evidence.noticed);
  return object;
}

Result<std::string> object_text(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  if (value == nullptr || !value->is_object()) {
    return fail(Errc::malformed, "the file names no ledger");
  }
  return crypto::canonical_json(*value);
}

Result<JsonObject> judge_evidence_file(std::string_view file) {
  TRY(const LedgerEvidence evidence, parse_evidence(file));
  TRY(const JudgedEvidence judged, judge_evidence(evidence));
  JsonObject reply;
  reply["what"] = "evidence";
  reply["kind"] = evidence_name(judged.kind);
  reply["proven"] = judged.proven;
  reply["ledger"] = ledger_id(judged.ledger);
  reply["first"] = checkpoint_json(judged.first);
  reply["second"] = checkpoint_json(judged.second);
  reply["noticed"] = protocol::utc_text(evidence.noticed);
  return reply;
}

Result<JsonObject> judge_receipt(std::string_view text, std::string_view descriptor,
                                 AnchorTime now) {
  TRY(const LedgerDescriptor ledger, parse_descriptor(descriptor));
  TRY(const Receipt receipt, parse_receipt(text));
  TRY(const OpenedReceipt opened, open_receipt(receipt, ledger));
  TRY(const auto witnessed, check_witnesses(opened.trusted, ledger, now));
  TRY(const Entry entry, parse_entry(opened.leaf.blob));
  JsonObject reply;
  reply["what"] = "receipt";
  reply["ledger"] = ledger_id(ledger);
  reply["log"] = opened.leaf.subject;
  reply["entry"] = entry_hash(entry);
  reply["position"] = static_cast<std::int64_t>(receipt.position);
  // When the ledger says that it took the entry, and when its witnesses had seen it.
  reply["time"] = utc_text(opened.leaf.time);
  if (witnessed) reply["anchored"] = utc_text(*witnessed);
  reply["checkpoint"] = checkpoint_json(opened.trusted.checkpoint);
  if (!ledger.witnesses.empty()) reply["witnesses"] = witnesses_json(opened.trusted, ledger);
  return reply;
}

Result<JsonObject> judge_receipt_file(const JsonObject& object, AnchorTime now) {
  CHECK(only_members(object, {"v", "descriptor", "receipt"}, "a receipt"));
  TRY(const std::string descriptor, object_text(object, "descriptor"));
  TRY(const std::string receipt, crypto::json_string(object, "receipt"));
  return judge_receipt(receipt, descriptor, now);
}

/// The newest checkpoint of a ledger, and evidence against it, as far as there is any.
Result<JsonObject> seen_json(Host& host, const SeenLedger& seen) {
  JsonObject object;
  if (!seen.checkpoint.empty()) {
    TRY(object["checkpoint"], seen_checkpoint(seen));
  }
  JsonArray evidence;
  for (const std::string& id : evidence_against(host, seen)) {
    evidence.emplace_back(evidence_line(id, *ledger_evidence(host, id)));
  }
  if (!evidence.empty()) object["evidence"] = std::move(evidence);
  return object;
}

Result<JsonObject> seen_of_own(Host& host, const Identity& own) {
  TRY(const LedgerDescriptor ledger, parse_descriptor(own.ledger));
  if (!can_prove(ledger)) {
    const crypto::ErrorText& text = crypto::error_text(Errc::ledger_no_proof);
    return JsonObject{{"can_prove", false},
                      {"note", std::string(text.sentence) + " " + std::string(text.next_step)}};
  }
  const auto seen = seen_ledger(host, own.ledger_url);
  if (!seen) return JsonObject{};
  return seen_json(host, *seen);
}

Result<JsonArray> seen_of_others(Host& host, const std::string& own_descriptor) {
  JsonArray others;
  std::vector<std::string> told{own_descriptor};
  const auto tell = [&](const SeenLedger& seen, const std::string& address) -> Result<void> {
    TRY(JsonObject line, seen_json(host, seen));
    TRY(const LedgerDescriptor ledger, parse_descriptor(seen.descriptor));
    line["ledger_id"] = ledger_id(ledger);
    if (!address.empty()) line["address"] = address;
    others.emplace_back(std::move(line));
    told.push_back(seen.descriptor);
    return {};
  };
  for (const std::string& url : other_ledgers(host)) {
    if (const auto seen = seen_ledger(host, url)) CHECK(tell(*seen, url));
  }
  for (const std::string& id : all_evidence(host)) {
    const auto evidence = ledger_evidence(host, id);
    if (!evidence || std::ranges::find(told, evidence->descriptor) != told.end()) continue;
    CHECK(tell({evidence->descriptor, {}, {}}, ""));
  }
  return others;
}

}  // namespace

Result<JsonObject> ledger_seen(Host& host) {
  JsonObject reply;
  std::string own_descriptor;
  if (const auto own = identity(host)) {
    TRY(reply, seen_of_own(host, *own));
    if (!own->former.empty()) reply["former"] = describe_former(host, *own);
    own_descriptor = own->ledger;
  }
  TRY(JsonArray others, seen_of_others(host, own_descriptor));
  if (!others.empty()) reply["others"] = std::move(others);
  return reply;
}

Result<JsonObject> evidence_file(Host& host, const JsonObject& args) {
  CHECK(only_members(args, {"id"}, "ledger-evidence"));
  TRY(const std::string id, crypto::json_string(args, "id"));
  const auto evidence = ledger_evidence(host, id);
  if (!evidence) return fail(Errc::not_found, "no evidence by that id");
  return evidence_json(*evidence);
}

Result<JsonObject> take_evidence_file(Host& host, const JsonObject& args) {
  CHECK(only_members(args, {"evidence"}, "ledger-accuse"));
  TRY(const std::string text, crypto::json_string(args, "evidence"));
  TRY(const LedgerEvidence evidence, parse_evidence(text));
  TRY(const JudgedEvidence judged, judge_evidence(evidence));
  const bool back = judged.kind == EvidenceKind::rollback;
  const auto id = keep_evidence(host, evidence, back ? Errc::ledger_rollback : Errc::ledger_fork);
  if (!id) return JsonObject{};
  host.notify({"alarm",
               "The ledger " + judged.ledger.origin + ", of which this node keeps a copy, shows " +
                   (back ? "an older state" : "another history") +
                   " than it did before. The copy stays with what it has. `kith ledger status` "
                   "shows the evidence: ask the ledger's operator, and warn those who use it.",
               ledger_id(judged.ledger),
               {}});
  return JsonObject{{"id", *id}};
}

Result<JsonObject> receipt_file(Host& host, const JsonObject& args) {
  CHECK(only_members(args, {"policy"}, "ledger-receipt"));
  TRY(const Identity own, needed_identity(host));
  TRY(const LedgerDescriptor ledger, parse_descriptor(own.ledger));
  if (!can_prove(ledger)) return fail(Errc::ledger_no_proof, "it gives no receipts");
  const Json* policy = args.if_contains("policy");
  const bool of_policy = policy != nullptr && policy->is_bool() && policy->get_bool();
  const auto receipt = kept_receipt(host, of_policy ? own.policy : own.did);
  if (!receipt) return fail(Errc::not_found, "the ledger gave no receipt");
  TRY(const Json descriptor, crypto::parse_json(own.ledger));
  JsonObject file;
  file["v"] = kReceiptVersion;
  file["descriptor"] = descriptor;
  file["receipt"] = *receipt;
  return file;
}

Result<JsonObject> judge_file(std::string_view file, std::string_view descriptor, AnchorTime now) {
  if (file.size() > kFileBytesMax) return fail(Errc::limit_exceeded, "the file is too long");
  if (!descriptor.empty()) return judge_receipt(file, descriptor, now);
  TRY(const Json json, crypto::parse_json(file, {kFileBytesMax, 4, false, false}));
  TRY(const JsonObject* object, crypto::as_object(json, "evidence or receipt"));
  TRY(const std::string version, crypto::json_string(*object, "v"));
  if (version == kReceiptVersion) return judge_receipt_file(*object, now);
  return judge_evidence_file(file);
}

}  // namespace kith::ledger
