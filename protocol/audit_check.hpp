#pragma once

#include "protocol/audit_log.hpp"

namespace kith::protocol {

/// The signature of one entry, by the key that it names. Errors: of crypto::verify.
[[nodiscard]] Result<void> check_audit_signature(const AuditEntry& entry);

}  // namespace kith::protocol
