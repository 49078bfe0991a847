#pragma once

/// The super-quorum at work: the owner's device takes both logs back through rec.hi, with the
/// signatures of enough holders (log-protocol section 4). It is the device that has the identity:
/// one whose logs others have captured, or a new one whose ordinary recovery was vetoed, in its
/// finish job. What a holder could assemble alone would have keys that the owner does not hold.
///
///   gathering --t signatures, and a backup holds the new keys--> posted --D has run--> done
///       \--withdrawn, or out of time--> over        (vetoed, or another came first) --> over
///
/// The entries are made and kept when the owner gives the command and the passphrase: new keys in
/// the vault, this device alone in the policy, no super-quorum any more, for its keys are revealed.
/// Everything that follows happens again after a crash.
///
/// Record meta/super-use; of this device alone, in no backup: the active keys of its entries are in
/// none either.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/module.hpp"
#include "recovery/super_messages.hpp"

namespace kith::recovery {

/// {text?} -> as describe_use. Needs step-up. A request under way is not begun again.
/// Errors: wrong_state (no identity, no super-quorum that the logs name, nothing to take back),
/// not_found (the wallet knows no entry of a log), those of check_super_entry.
[[nodiscard]] Result<JsonObject> start_super(Host& host, const Command& command);
/// Takes the request back. Errors: wrong_state (none is open, or it is posted).
[[nodiscard]] Result<JsonObject> stop_super(Host& host);
/// {state: none|gathering|posted|done|over, id, code, holders: [{contact, state, reason?}], words}
[[nodiscard]] JsonObject describe_use(Host& host);

[[nodiscard]] Result<void> on_super_signature(Host& host, const Inbound& inbound);
[[nodiscard]] Result<void> on_super_decline(Host& host, const Inbound& inbound);
/// A holder's program refused the request. Nothing, if it was no request.
void super_request_refused(Host& host, const Inbound& inbound, const std::string& why);

inline constexpr std::string_view kSuperUseTimer = "use";
void super_use_looks(Host& host);

}  // namespace kith::recovery
