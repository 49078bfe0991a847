#pragma once

/// Evidence against a ledger: two checkpoints, both signed by it, of which the second does not
/// continue the first. Anybody can check it without the ledger and without the node that found it.
///
/// JSON, also as a file:
///     {"v":"kith-ledger-evidence/1","descriptor":{..},"first":"<signed note>",
///      "second":"<signed note>","consistency":["<base64 of a hash>",..],"noticed":"<UTC>"}
/// `first` was seen and verified first; `second` came later, in the answer to a question that named
/// the size of `first`, with `consistency` as its proof.
///
/// Pure. Files come from anybody: judge_evidence believes only the signatures.

#include <string>
#include <string_view>

#include "crypto/json.hpp"
#include "ledger/light_client.hpp"

namespace kith::ledger {

struct LedgerEvidence {
  std::string descriptor;  ///< Canonical JSON.
  std::string first;
  std::string second;
  MerkleProof consistency;
  Time noticed{};
  template <class V>
  void visit(V& v) {
    v("descriptor", descriptor), v("first", first), v("second", second);
    v("consistency", consistency), v("noticed", noticed);
  }
};

enum class EvidenceKind : std::uint8_t {
  /// Two roots for one size: nothing can explain it but two trees.
  fork = 1,
  /// Two sizes, and the proof does not connect them. The ledger can clear itself by showing one
  /// that does.
  not_continued = 2,
  /// Fewer leaves after more. That they came in this order is the finder's word.
  rollback = 3,
};
[[nodiscard]] std::string_view evidence_name(EvidenceKind kind);

struct JudgedEvidence {
  EvidenceKind kind = EvidenceKind::fork;
  bool proven = false;  ///< By the file alone: kind is fork.
  LedgerDescriptor ledger;
  Checkpoint first;
  Checkpoint second;
};
/// Errors: malformed, limit_exceeded, bad_key, bad_signature (one of the notes is not the
/// ledger's), bad_proof (the two go together: this is evidence of nothing).
[[nodiscard]] Result<JudgedEvidence> judge_evidence(const LedgerEvidence& evidence);

[[nodiscard]] JsonObject evidence_json(const LedgerEvidence& evidence);
/// The form alone. Errors: malformed, unsupported (another version), limit_exceeded
/// (kLedgerEvidenceBytesMax).
[[nodiscard]] Result<LedgerEvidence> parse_evidence(std::string_view text);

}  // namespace kith::ledger
