#pragma once

/// Receipts of those entries of a log whose time decides whether they count: recovers and vetoes.
/// With them a reader who asks no ledger judges these by their ledger's word (log_history.hpp).
///
/// Collection `log-receipts`, by subject: of the own DID's log, gathered whenever a ledger that
/// proves what it says shows it; the newest protocol::kProofReceiptsMax.

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/ledger.hpp"
#include "ledger/log_reader.hpp"
#include "protocol/effect.hpp"
#include "protocol/host.hpp"
#include "protocol/recipient_proof.hpp"

namespace kith::ledger {

using protocol::HistoryReceipt;

/// Those in a proven page (check_included), whose entries have the times of their leaves still.
/// `descriptor`: of the ledger that shows it, canonical JSON.
[[nodiscard]] std::vector<HistoryReceipt> receipts_in(std::span<const LedgerEntry> entries,
                                                      const protocol::LedgerProof& proof,
                                                      const std::string& descriptor);
/// An entry that has one already keeps it: the first is the earliest.
void keep_time_receipts(Host& host, std::string_view subject,
                        const std::vector<HistoryReceipt>& receipts);
[[nodiscard]] std::vector<HistoryReceipt> time_receipts(Host& host, std::string_view subject);

struct TimedLog {
  std::vector<AnchoredBlob> blobs;
  /// Hashes of recovers of which receipts say both when they were anchored and when their veto was.
  /// A veto that no ledger has seen is worth nothing: it could be made long after its time.
  std::vector<std::string> vetoed;
};
/// The log of `subject` for the reader, as somebody shows it: a recover or veto is anchored when a
/// receipt of the ledger on which the log lived then says so, else `now`; all other entries just
/// before the next such one. Receipts that do not hold count nothing. Pure.
[[nodiscard]] TimedLog timed_log(std::string_view subject, const protocol::ShownHistory& shown,
                                 AnchorTime now);

}  // namespace kith::ledger
