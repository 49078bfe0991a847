#pragma once

/// A log as a file that anybody verifies for themselves, without a home and without a ledger:
///     {"v":"kith-log/1","subject":"did:kith:..","entries":[{"blob":"<entry>","time":<ms>},..]}
/// A recover or veto may have the times at which witnesses saw it ("witnessed", witness_time.hpp),
/// and one that its ledger does not show has "seen" in the place of "time": when it was first seen.
/// Witnesses count by the descriptors of their ledgers in the file ("ledgers":[{..},..]), and only
/// for entries that say from which ledger they come.
///
/// Blobs are the entries' own text, in the ledger's order, whether they count or not. Those of a
/// log that moved say from which ledger they come ("ledger":"<id>"), the first ledger's first. The
/// times are those at which the ledger anchored them, by the word of whoever made the file:
/// signatures and the chain hold without it, windows are judged by it. A receipt
/// (ledger_report.hpp) proves the time of one entry.

#include <string>
#include <string_view>
#include <vector>

#include "crypto/limits.hpp"
#include "ledger/log_reader.hpp"
#include "protocol/host.hpp"

namespace kith::ledger {

/// What an agent can hand out in one reply; a ledger shows less of a log (kLedgerSubjectBytesMax).
inline constexpr std::size_t kLogFileBytesMax = limits::kControlFrameBytesMax;

struct LogFile {
  std::string subject;
  std::vector<AnchoredBlob> blobs;
  std::vector<LedgerDescriptor> descriptors;
};
/// Errors: malformed, unsupported, limit_exceeded, bad_key.
[[nodiscard]] Result<LogFile> parse_log_file(std::string_view text);

/// Command did-export {did?, policy?}: the file of the own DID log or policy, or of another log
/// that is kept here: those of contacts. Errors: wrong_state (no identity), not_found, malformed,
/// limit_exceeded.
[[nodiscard]] Result<JsonObject> export_log(Host& host, const JsonObject& args);

/// Judges such a file by what was anchored until `options.now`, as a reader at that time would
/// have: {what: "log", kind, subject, status, at, entries, junk, duplicity, and of a DID the
/// members of a resolution, of a policy its `policy`}. Pure. Errors: malformed, limit_exceeded,
/// those of read_log.
[[nodiscard]] Result<JsonObject> judge_log_file(std::string_view file, ReaderOptions options);

}  // namespace kith::ledger
