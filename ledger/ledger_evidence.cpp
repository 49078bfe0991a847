#include "ledger/ledger_evidence.hpp"

#include "crypto/limits.hpp"
#include "ledger/hash_text.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kEvidenceVersion = "kith-ledger-evidence/1";

}  // namespace

std::string_view evidence_name(EvidenceKind kind) {
  switch (kind) {
    case EvidenceKind::fork:
      return "fork";
    case EvidenceKind::not_continued:
      return "not-continued";
    case EvidenceKind::rollback:
      return "rollback";
  }
  return "";
}

Result<JudgedEvidence> judge_evidence(const LedgerEvidence& evidence) {
  JudgedEvidence judged;
  TRY(judged.ledger, parse_descriptor(evidence.descriptor));
  TRY(const TrustedCheckpoint first, open_checkpoint(evidence.first, judged.ledger));
  TRY(const TrustedCheckpoint second, open_checkpoint(evidence.second, judged.ledger));
  judged.first = first.checkpoint;
  judged.second = second.checkpoint;
  const auto& [origin, before, root_before] = judged.first;
  const auto& [same_origin, now, root_now] = judged.second;
  if (before == now) {
    if (root_before == root_now) return fail(Errc::bad_proof, "both are the same checkpoint");
    judged.kind = EvidenceKind::fork;
    judged.proven = true;
  } else if (now < before) {
    judged.kind = EvidenceKind::rollback;
  } else {
    if (proves_consistency(evidence.consistency, before, root_before, now, root_now)) {
      return fail(Errc::bad_proof, "the second checkpoint continues the first");
    }
    judged.kind = EvidenceKind::not_continued;
  }
  return judged;
}

JsonObject evidence_json(const LedgerEvidence& evidence) {
  JsonObject object;
  object["v"] = kEvidenceVersion;
  // Verified before it was kept.
  const auto descriptor = crypto::parse_json(evidence.descriptor);
  object["descriptor"] = descriptor.has_value() ? *descriptor : Json();
  object["first"] = evidence.first;
  object["second"] = evidence.second;
  object["consistency"] = hashes_json(evidence.consistency);
  object["noticed"] = protocol::utc_text(evidence.noticed);
  return object;
}

Result<LedgerEvidence> parse_evidence(std::string_view text) {
  TRY(const Json json,
      crypto::parse_json(text, {limits::kLedgerEvidenceBytesMax, 4, false, false}));
  TRY(const JsonObject* object, crypto::as_object(json, "evidence"));
  CHECK(only_members(*object, {"v", "descriptor", "first", "second", "consistency", "noticed"},
                     "evidence"));
  TRY(const std::string version, crypto::json_string(*object, "v"));
  if (version != kEvidenceVersion) return fail(Errc::unsupported, "another version of evidence");
  LedgerEvidence evidence;
  const Json* descriptor = object->if_contains("descriptor");
  if (descriptor == nullptr || !descriptor->is_object()) {
    return fail(Errc::malformed, "the evidence names no ledger");
  }
  evidence.descriptor = crypto::canonical_json(*descriptor);
  TRY(evidence.first, crypto::json_string(*object, "first"));
  TRY(evidence.second, crypto::json_string(*object, "second"));
  TRY(evidence.consistency, parse_hashes(*object, "consistency"));
  TRY(const std::string noticed, crypto::json_string(*object, "noticed"));
  TRY(evidence.noticed, protocol::from_utc_text(noticed));
  return evidence;
}

}  // namespace kith::ledger
