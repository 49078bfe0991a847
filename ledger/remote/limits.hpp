#pragma once

/// Limits of ledger hosts, each with its reason.

#include <cstddef>

namespace kith::ledger::remote_limits {

/// Appends that share one synced write. Judging one takes a part of a millisecond, which the first
/// of a group waits for the last: beyond these its length counts for more than the disk.
inline constexpr std::size_t kAppendGroupMax = 64;

}  // namespace kith::ledger::remote_limits
