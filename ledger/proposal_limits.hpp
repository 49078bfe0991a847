#pragma once

/// Limits of proposals (ledger/proposal.hpp), each with its reason.

#include <chrono>
#include <cstddef>

namespace kith::ledger::proposal_limits {

/// Proposals of one sender that are open here at a time. A person decides a few things at once; a
/// stolen device cannot bury the one that matters.
inline constexpr std::size_t kOpenPerSenderMax = 4;
/// Open proposals in all, own ones too: a list that a person still reads.
inline constexpr std::size_t kOpenMax = 16;
/// Closed ones that are remembered, so that late and repeated answers find what they belong to.
inline constexpr std::size_t kClosedKept = 64;
/// Why, in the proposer's words: two sentences.
inline constexpr std::size_t kReasonBytesMax = 500;
/// A proposal is open this long if its proposer does not say otherwise: a weekend.
inline constexpr std::chrono::hours kLifeDefault{72};
/// And at most so long: as messages are tried (SendOptions::life).
inline constexpr std::chrono::hours kLifeMax{24 * 14};
/// A proposal that continues an entry which this device has not seen: the ledger is asked after
/// this, then after twice as long each time. Its newest entry may be seconds old.
inline constexpr std::chrono::seconds kLookFirst{10};
/// As rarely as this in the end: own logs are read every hour anyway.
inline constexpr std::chrono::hours kLookMax{1};
/// Characters of an entry's hash that name a proposal on the command line: 58^10 are too many to
/// find a second entry with the same name while a proposal is open.
inline constexpr std::size_t kIdChars = 10;

/// A signature in an entry, its key and punctuation included: an entry that would be too long once
/// all have signed is not asked for.
inline constexpr std::size_t kSignatureBytes = 192;

}  // namespace kith::ledger::proposal_limits
