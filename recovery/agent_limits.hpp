#pragma once

/// Limits of several devices (recovery/own_agents.hpp), each with its reason.

#include <chrono>
#include <cstddef>

namespace kith::recovery::agent_limits {

/// Devices of one identity: a person's own few. A message to them stays an envelope of ordinary
/// size, and every relationship has room for them among limits::kRecipientsMax.
inline constexpr std::size_t kOwnAgentsMax = 8;
/// Devices that are remembered by name, those that were taken away too: more than a person owns in
/// a lifetime, and few enough for one that lies about them.
inline constexpr std::size_t kAgentsRemembered = 64;
/// An invitation for a new device: both lie on the same table.
inline constexpr std::chrono::hours kInvitationLife{1};
/// A pairing that came to nothing is given up after this.
inline constexpr std::chrono::hours kPairingLife{24};
/// Content of records in one message between own devices: with base64url twice over it stays below
/// kJsonBytesMax. A record that is larger goes alone.
inline constexpr std::size_t kBatchBytesMax = 192 * 1024;
/// Records in one such message.
inline constexpr std::size_t kBatchRecordsMax = 256;
/// A record that other devices do not get: it would not fit a message (docs/wire-formats.md).
inline constexpr std::size_t kRecordBytesMax = 448 * 1024;
/// How often the other devices get what changed here: what a person does on one is on the other
/// when they have put it down.
inline constexpr std::chrono::seconds kSyncEvery{60};

}  // namespace kith::recovery::agent_limits
