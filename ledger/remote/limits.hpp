#pragma once

/// Limits of ledger hosts and of copies of ledgers, each with its reason.

#include <chrono>
#include <cstddef>

namespace kith::ledger::remote_limits {

/// Appends that share one synced write. Judging one takes a part of a millisecond, which the first
/// of a group waits for the last: beyond these its length counts for more than the disk.
inline constexpr std::size_t kAppendGroupMax = 64;
/// A copy asks its ledger for new entries this often: what it may lack when the ledger is lost.
inline constexpr std::chrono::milliseconds kFollowEvery{2000};
/// A ledger that does not answer, or not as it should, is asked after twice as long each time, up
/// to this.
inline constexpr std::chrono::milliseconds kFollowRetryMax{60'000};

}  // namespace kith::ledger::remote_limits
