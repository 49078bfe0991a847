#pragma once

/// Limits of witnessing, each with its reason. docs/running-a-ledger.md names those that an
/// operator meets.

#include <chrono>
#include <cstddef>

namespace kith::ledger::witness_limits {

/// A cosignature from further in the future counts for nothing: clocks of nodes may differ by as
/// much as messages allow. Hosts take none that is older than this when it comes, either.
inline constexpr std::chrono::minutes kFutureMax{5};
/// A checkpoint that its witnesses signed longer ago is refused by readers. A third of D (72 h):
/// whoever is shown an old state still hears of a recovery in time to veto it.
inline constexpr std::chrono::hours kCheckpointAgeMax{24};
/// A host asks its witnesses again after this, though nothing is new: readers need a young
/// signature, and a day of outages passes before they are left without.
inline constexpr std::chrono::minutes kRefreshAfter{60};

/// An append waits at most so long for its witnesses; they answer within milliseconds or are down.
/// The entry is kept and counts later.
inline constexpr std::chrono::milliseconds kQuorumWait{3000};
/// The host's patience with one witness: below kQuorumWait, so that a second try fits.
inline constexpr std::chrono::milliseconds kPatience{1400};
/// A witness that did not answer is asked again after this; then twice as long each time.
inline constexpr std::chrono::milliseconds kRetryFirst{1000};
/// As long as this while an entry waits for witnesses.
inline constexpr std::chrono::milliseconds kRetryUrgentMax{5000};
/// Otherwise as long as this.
inline constexpr std::chrono::minutes kRetryMax{5};
/// Answers "409: I have another size" that are taken in a row; more means that the witness runs
/// ahead of this host, or does not mean it.
inline constexpr unsigned kConflictsMax = 3;

/// Hashes of a consistency proof in an add-checkpoint request (C2SP tlog-witness).
inline constexpr std::size_t kRequestHashesMax = 63;
/// An add-checkpoint request: the longest proof and the longest signed note.
inline constexpr std::size_t kRequestBytesMax = 68 * 1024;
/// A witness's answer: signature lines of one checkpoint.
inline constexpr std::size_t kAnswerBytesMax = 16 * 1024;
/// What witnesses saw counts as come in time if its ledger, or a reader, shows it no later than
/// this after. Enough to find a peer or another ledger when a host refuses; and what somebody keeps
/// hidden to bring it out when nobody expects it lengthens no window by more.
inline constexpr std::chrono::hours kWitnessedLagMax{168};
/// Questions of one network when this node saw a blob; a person has a few in a year, and each costs
/// a signature. Another network's questions go on.
inline constexpr std::size_t kTimesPerMinute = 60;
/// Ledgers that one witness watches, and those that it has watched: it never forgets a state.
inline constexpr std::size_t kWatchedMax = 256;
/// Characters of a witness's or log's verifier key as people copy it: a name of 255, and the key.
inline constexpr std::size_t kVerifierKeyCharsMax = 320;

}  // namespace kith::ledger::witness_limits
