#pragma once

/// The audit log as a file for others: JSON Lines, an entry a line as it was signed, and a signed
/// checkpoint at the end. Whoever kept a checkpoint, or the journal, sees when entries before it
/// were taken away or written anew, even with the audit key.
///
///   {"n":0,"prev":"","time":..,"event":"..","details":"{..}","key":"..","signature":"..",
///    "utc":"..","hash":".."}
///   {"checkpoint":{"entries":1,"hash":"..","utc":"..","key":"z6Mk..","signature":".."}}
///
/// Bytes are base64url. The checkpoint's signature is by the audit key over
/// "kith-audit-checkpoint-v1\n" entries "\n" hash "\n" utc "\n".

#include <optional>
#include <string>
#include <string_view>

#include "protocol/audit_log.hpp"
#include "protocol/host.hpp"

namespace kith::node {

struct AuditCheckpoint {
  std::uint64_t entries = 0;
  std::string hash;  ///< Of the last one; empty without entries.
  std::string utc;
  std::string key;
  Bytes signature;
  template <class V>
  void visit(V& v) {
    v("entries", entries), v("hash", hash), v("utc", utc), v("key", key), v("signature", signature);
  }
};

[[nodiscard]] JsonObject audit_row(const protocol::AuditEntry& entry);
/// From entry `from` on, at most watch_limits::kAuditPageEntries. {entries, next?}
[[nodiscard]] JsonObject audit_page(Host& host, std::uint64_t from);
/// Errors: not_found (nothing was noted yet), of KeyOps::sign.
[[nodiscard]] Result<AuditCheckpoint> make_audit_checkpoint(Host& host);
/// Whether the log of `host` continues what the checkpoint stands for. Errors: bad_key,
/// bad_signature; audit_broken (another key, fewer entries, another history).
[[nodiscard]] Result<void> check_audit_checkpoint(Host& host, const AuditCheckpoint& checkpoint);
/// The one of a file: its last line, or the file alone. Errors: malformed.
[[nodiscard]] Result<AuditCheckpoint> checkpoint_in(std::string_view file);

/// Checks an exported file by itself: {entries, first, key}. Errors: malformed, audit_broken,
/// bad_key, bad_signature.
[[nodiscard]] Result<JsonObject> judge_audit_file(std::string_view file);

/// One line with CRLF (RFC 4180).
[[nodiscard]] std::string audit_csv_head();
[[nodiscard]] std::string audit_csv_row(const JsonObject& row);

}  // namespace kith::node
