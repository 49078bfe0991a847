#pragma once

/// What the ledger holds of the audit log (ledger/audit_anchor.hpp): puts it there, and compares.
/// Commands of NodeModule.

#include "node/wiring.hpp"
#include "protocol/audit_log.hpp"

namespace kith::node {

/// Command audit-anchor. Errors: those of ledger::anchor_audit_log; wrong_state (an empty log).
[[nodiscard]] Result<JsonObject> anchor_audit(Host& host);
/// Command audit-look: asks the ledger for what was anchored, also by a log that this home lost.
[[nodiscard]] JsonObject look_for_anchors(Host& host);
/// Command audit-looked.
[[nodiscard]] JsonObject looked_for_anchors(Host& host);

/// Adds `anchor` to the reply of audit-verify: absent without an identity. The log must be whole.
/// Errors: audit_broken (it lacks an entry that was anchored), those of ledger::audit_anchors.
[[nodiscard]] Result<void> check_anchors(Host& host, const protocol::AuditHead& head,
                                         JsonObject& reply);

}  // namespace kith::node
