#pragma once

/// Limits of moves between ledgers, each with its reason.

#include <cstddef>

namespace kith::ledger::log_limits {

/// Moves that count in one log. A person changes hosts now and then; each further ledger must be
/// asked by every reader.
inline constexpr std::size_t kMovesMax = 16;
/// Ledgers that one reading follows one after the other, those of recovers too: a log whose owner
/// sends it back and forth costs a reader no more than this many passes.
inline constexpr std::size_t kStagesMax = 32;

}  // namespace kith::ledger::log_limits
