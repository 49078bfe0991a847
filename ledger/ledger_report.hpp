#pragma once

/// What people see of a ledger's proofs: the state of the own ledger, files of evidence and
/// receipts, and the judging of such files without a home.
///
/// A receipt as a file carries the ledger's descriptor with it:
///     {"v":"kith-ledger-receipt/1","descriptor":{..},"receipt":"<C2SP tlog-proof>"}

#include <string_view>

#include "ledger/identity.hpp"

namespace kith::ledger {

/// Command ledger-seen: {checkpoint?: {origin, size, root, key, signatures, advanced, witnesses?:
/// {needed, known, cosignatures: [{witness, time}], witnessed}}, evidence?: [{id, kind, proven,
/// noticed}]} of the identity's ledger, or {can_prove: false, note} of one that signs nothing;
/// without an identity {}. Beside that others?: [{address?, ledger_id, checkpoint?, evidence?}],
/// the ledgers that were asked for others' logs, and those against which there is evidence; and
/// former?, those that the identity left (former_ledgers.hpp).
[[nodiscard]] Result<JsonObject> ledger_seen(Host& host);
/// Command ledger-evidence {id}: the file. Errors: not_found.
[[nodiscard]] Result<JsonObject> evidence_file(Host& host, const JsonObject& args);
/// Command ledger-accuse {evidence: file}: of this node's copy of a ledger, which broke with what
/// it said before. Kept like other evidence, with an alarm. Errors: those of judge_evidence.
[[nodiscard]] Result<JsonObject> take_evidence_file(Host& host, const JsonObject& args);
/// Command ledger-receipt {policy?}: the file, of what was posted last to the DID log, or to the
/// policy. Errors: wrong_state, not_found, ledger_no_proof.
[[nodiscard]] Result<JsonObject> receipt_file(Host& host, const JsonObject& args);

/// Judges a file of evidence or a receipt, by what it holds alone. `descriptor`: of the ledger, for
/// a bare tlog-proof; empty otherwise. A receipt counts only with the cosignatures that the
/// descriptor asks for. Gives {what, ledger, origin, ...}. Pure. Errors: malformed, limit_exceeded,
/// unsupported, those of judge_evidence, open_receipt and check_witnesses.
[[nodiscard]] Result<JsonObject> judge_file(std::string_view file, std::string_view descriptor,
                                            AnchorTime now);

}  // namespace kith::ledger
