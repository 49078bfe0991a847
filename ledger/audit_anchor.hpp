#pragma once

/// The end of a private audit log on the owner's ledger: a digest of its newest entry in the public
/// document of the owner's DID, posted as an update like any other change of it. Whoever cuts the
/// log, or puts an older one in its place, is found out by what the ledger holds; and the ledger
/// learns nothing of what the log says, nor how long it is.
///
///     "kithAudit": [{"log": "zQm..", "head": "zQm.."}]
///
/// One item for each device that anchors its log, replaced by its next anchor (of two that anchor
/// at once, the second is made anew on top of the first, rebase.hpp): multihashes, `log` of
/// "kith-audit-log/v1\n" and the Multikey of the audit key, `head` of the newest entry (audit_hash
/// of protocol/audit_log.hpp). Former ones stay readable in the DID's log.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/entry.hpp"
#include "protocol/host.hpp"

namespace kith::ledger {

inline constexpr std::string_view kAuditMember = "kithAudit";
/// Which log an item of that member is of; empty: it lacks the form.
[[nodiscard]] std::string audit_log_of(const Json& anchor);

struct AuditAnchor {
  std::string head;       ///< audit_head_digest() of the entry that was the newest one.
  AnchorTime anchored{};  ///< When the ledger took it; our own time while it has not.
  std::uint64_t n = 0;    ///< Number of the entry in the DID's log.
  std::string entry;      ///< Its hash.
  bool posted = false;    ///< The ledger has shown it.
};

/// An audit_hash as the document writes it.
[[nodiscard]] std::string audit_head_digest(ByteView audit_hash);

/// The anchors of the audit log of `key`, oldest first, as far as the DID's log is known here.
/// Empty without an identity. Errors: those of stored_view.
[[nodiscard]] Result<std::vector<AuditAnchor>> audit_anchors(protocol::Host& host,
                                                             const PublicKey& key);

/// Puts the digest of `audit_hash` into the document, and posts that; nothing is posted if it
/// stands there already. Errors: wrong_state (no identity, its log has ended or a recovery is
/// pending), refused (the last one is younger than log_limits::kAuditAnchorEvery; not in test
/// mode), limit_exceeded (too many devices did), not_found (the keys of the DID's log are not
/// held), those of post_entry.
[[nodiscard]] Result<void> anchor_audit_log(protocol::Host& host, const PublicKey& key,
                                            ByteView audit_hash);

}  // namespace kith::ledger
