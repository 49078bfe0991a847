#pragma once

/// The setup job of the owner (owner.hpp), step by step. Every function may be called again after a
/// crash: each looks at the set's record and does what is still missing.

#include "protocol/module.hpp"
#include "recovery/owner_set.hpp"

namespace kith::recovery {

inline constexpr std::string_view kOwnerModule = "recovery";
// Timers of the module.
inline constexpr std::string_view kTimerStored = "stored";  ///< An upload ended.
inline constexpr std::string_view kTimerAnchor = "anchor";  ///< Look whether the ledger has it.
inline constexpr std::string_view kTimerRepeat = "repeat";  ///< Resend what is unacknowledged.
inline constexpr std::string_view kTimerBackup = "backup";  ///< Is a new backup due?
inline constexpr std::string_view kTimerHeartbeat = "heartbeat";  ///< Ask for proofs.

/// Deals a new set and asks its trustees. `command` carries the step-up.
[[nodiscard]] Result<JsonObject> begin_setup(Host& host, const Command& command);

[[nodiscard]] Result<void> on_capability_answer(Host& host, const Inbound& inbound);
[[nodiscard]] Result<void> on_share_prepared(Host& host, const Inbound& inbound);
[[nodiscard]] Result<void> on_share_committed(Host& host, const Inbound& inbound);

/// Resends offers, PREPAREs and COMMITs that were not answered, and sets the timer again.
void repeat_unanswered(Host& host);
/// The set is in force: whoever holds a share of it is told, and told again.
void commit_shares(Host& host, const OwnerSet& set);
/// The set comes to nothing: whoever holds a share of it is told to drop it.
void abort_shares(Host& host, const OwnerSet& set);

/// Sends `body` as trustee/1.0/<name> to a contact, who may be offline for as long as `life`. Lost
/// ones are repeated by the caller's timer.
[[nodiscard]] Result<void> send_to_trustee(Host& host, const std::string& contact_id,
                                           std::string_view name, JsonObject body,
                                           Duration life = std::chrono::hours{24 * 14});

}  // namespace kith::recovery
