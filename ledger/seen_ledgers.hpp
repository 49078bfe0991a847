#pragma once

/// The ledgers that this node reads over HTTP, as it has seen them: which ledger an address stands
/// for, the newest checkpoint of each that was verified, and evidence against those that lied. What
/// the checks are is light_client.hpp's; here they meet the node's records.
///
///     ledger-seen      by ledger id: SeenLedger
///     ledger-pin       by address: which ledger it was at first, where nothing else names its key
///     ledger-evidence  by digest: LedgerEvidence, at most kLedgerEvidenceKept
///     ledger-receipt   by subject of an own log: the receipt of what was posted last
///     log-receipts     by subject of an own log: time_receipts.hpp
///
/// The ledger of the own identity is pinned by the descriptor that the identity was made with. One
/// that a user asks by address alone is pinned at the first answer that proves itself.
///
/// A ledger that goes back or forks raises the alarm (notice "alarm", audit "ledger.rollback" and
/// "ledger.fork"), once for each checkpoint that it broke with; nothing of its answer is taken, and
/// the next question asks for the truth again.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/ledger_evidence.hpp"
#include "protocol/host.hpp"

namespace kith::ledger {

/// Size of the newest checkpoint seen at `ledger_url`, for LedgerReadPayload::seen; 0: none.
[[nodiscard]] std::uint64_t seen_at(Host& host, std::string_view ledger_url);

/// What a ledger_read brought, if it is proven, with anchor times; a ledger of this home without
/// witnesses needs no proof. nullopt: the
/// ledger was seen at a later size meanwhile: to be asked again, at once. Errors: the outcome's
/// own, malformed, those of judge_checkpoint and check_included.
/// `wanted`: the id of the ledger that must be at that address, if it proves what it is; empty:
/// any. Errors beside those: refused (another one is).
[[nodiscard]] Result<std::optional<protocol::LedgerEntries>> proven_entries(
    Host& host, const protocol::Effect& effect, const Result<Bytes>& outcome,
    std::string_view wanted = {});

/// The same for a page that came otherwise.
[[nodiscard]] Result<std::optional<protocol::LedgerEntries>> proven_page(
    Host& host, const protocol::LedgerReadPayload& asked, protocol::LedgerEntries page,
    std::string_view wanted);

/// The ledger at that address is the one of this descriptor (canonical JSON) from now on.
void pin_ledger(Host& host, std::string_view ledger_url, const std::string& descriptor);
/// Which ledger the address stands for, as far as it is known; empty: it is not.
[[nodiscard]] std::string known_ledger_id(Host& host, std::string_view ledger_url);
/// An address of that ledger: the own identity's, or one that was asked before.
[[nodiscard]] std::optional<std::string> known_ledger_url(Host& host, std::string_view id);

/// What that ledger is: the own identity's, a former one, or one that was seen.
[[nodiscard]] std::optional<LedgerDescriptor> known_descriptor(Host& host, std::string_view id);

/// Keeps the receipt of an own entry that was appended, if it proves that. What does not is dropped
/// (audit "ledger.receipt-refused"): the entry counts only when it is read back anyway.
void keep_receipt(Host& host, const protocol::Effect& effect, ByteView outcome);

/// Keeps evidence of what the error `how` says, and writes to the audit log. Its id; nullopt: it is
/// kept already, or there is enough (limits::kLedgerEvidenceKept).
std::optional<std::string> keep_evidence(Host& host, const LedgerEvidence& evidence, Errc how);

/// Addresses of ledgers that were asked, and are not the own identity's.
[[nodiscard]] std::vector<std::string> other_ledgers(Host& host);
/// What is remembered of the ledger at that address; nullopt: nothing is.
[[nodiscard]] std::optional<SeenLedger> seen_ledger(Host& host, std::string_view ledger_url);
[[nodiscard]] std::optional<LedgerEvidence> ledger_evidence(Host& host, std::string_view id);
/// Ids of all evidence.
[[nodiscard]] std::vector<std::string> all_evidence(Host& host);
/// Ids of the evidence against that ledger.
[[nodiscard]] std::vector<std::string> evidence_against(Host& host, const SeenLedger& seen);
/// The kept receipt of an own log (receipt.hpp, with its leaf); nullopt: none.
[[nodiscard]] std::optional<std::string> kept_receipt(Host& host, std::string_view subject);

}  // namespace kith::ledger
