#pragma once

/// What a trustee proves to the owner: that it still holds its share (recovery-protocol section 5).
/// No point from outside is ever multiplied for it.

#include <string_view>

#include "recovery/ids.hpp"

namespace kith::recovery {

/// Statement of the Schnorr proof of s_i: record, version, challenge and the relationship's DIDs.
/// Acknowledging a PREPARE is the same proof over the challenge that came with it.
[[nodiscard]] Bytes heartbeat_statement(const RecordId& record_id, std::uint64_t version,
                                        ByteView challenge, std::string_view owner_did,
                                        std::string_view trustee_did);

inline constexpr std::size_t kHeartbeatChallengeBytes = 32;

}  // namespace kith::recovery
