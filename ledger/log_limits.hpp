#pragma once

/// Limits of logs: moves between ledgers, and entries of several devices; each with its reason.

#include <chrono>
#include <cstddef>

namespace kith::ledger::log_limits {

/// Moves that count in one log. A person changes hosts now and then; each further ledger must be
/// asked by every reader.
inline constexpr std::size_t kMovesMax = 16;
/// Ledgers that one reading follows one after the other, those of recovers too: a log whose owner
/// sends it back and forth costs a reader no more than this many passes.
inline constexpr std::size_t kStagesMax = 32;
/// Ledgers that a look-up asks for one log: a stranger's log makes a node send no more questions.
inline constexpr std::size_t kStopsMax = 8;
/// Logs that moved whose way is remembered; the one looked up longest ago goes first.
inline constexpr std::size_t kTrailsKept = 64;
/// Recovers of one log that left a ledger by themselves and whose first sight is remembered. One
/// beyond them counts as seen just now, and so never takes effect.
inline constexpr std::size_t kSightsKept = 16;

/// Recovers and vetoes of one log that somebody handed over: a person makes a few in a lifetime,
/// and each was seen by witnesses.
inline constexpr std::size_t kHandedKept = 16;
/// Logs of which some were handed over: friends in trouble. The oldest makes room.
inline constexpr std::size_t kHandedLogs = 64;
/// Entries of the own logs of which it is remembered that this owner's devices made them: far more
/// than are made between two looks at a ledger.
inline constexpr std::size_t kOwnEntriesKept = 64;
/// An entry of the own logs that this device did not make waits this long for another device to say
/// that it did, before the alarm is raised. One that is on says so within a minute or two.
inline constexpr std::chrono::minutes kForeignGrace{15};

/// Devices of one identity whose audit logs its DID document anchors: as many as a pair has agents.
inline constexpr std::size_t kAuditLogsMax = 16;
/// One device anchors its audit log no more often: every anchor is an entry that the ledger and all
/// readers of the DID keep for ever, of 4096 that a log may have.
inline constexpr std::chrono::hours kAuditAnchorEvery{24};

}  // namespace kith::ledger::log_limits
