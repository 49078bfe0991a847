#pragma once

/// Limits of the super-quorum (recovery/super_owner.hpp, recovery/super_holder.hpp), each with its
/// reason.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace kith::recovery::super_limits {

/// People asked for one super-quorum: as many as one can call; their keys and signatures fit into
/// an entry many times over.
inline constexpr std::size_t kHoldersMax = 16;
/// Fewer could take an identity over alone.
inline constexpr std::uint32_t kThresholdMin = 2;
/// Offers, kept keys and refusals of one contact: a new super-quorum is chosen now and then, and
/// the one before it counts until nobody may contest any more.
inline constexpr std::size_t kHeldPerContactMax = 8;
/// Characters of an offer's or a request's id: 16 bytes in hex, and room.
inline constexpr std::size_t kIdCharsMax = 64;
/// At least 8 bytes in hex: nobody's name, and nobody guesses one.
inline constexpr std::size_t kIdCharsMin = 16;
/// Words of the owner, and of a holder who refuses: two sentences.
inline constexpr std::size_t kTextBytesMax = 500;
/// The address of the owner's ledger.
inline constexpr std::size_t kUrlCharsMax = 512;
/// A request for signatures is open this long, as messages are tried: whoever is on holiday
/// answers.
inline constexpr std::chrono::hours kRequestLife{24 * 14};
/// What is not confirmed or answered is sent again after this, then after twice as long each time.
inline constexpr std::chrono::seconds kRepeatFirst{60};
/// As rarely as this in the end, so that the mailbox of someone on holiday does not fill up.
inline constexpr std::chrono::hours kRepeatMax{6};
/// A holder's node reads the owner's logs again this long after a reading that did not show what it
/// looks for.
inline constexpr std::chrono::seconds kReadAgainFirst{30};
/// As rarely as this in the end.
inline constexpr std::chrono::hours kReadAgainMax{6};
/// Super-quorums of an owner that are remembered: an older one still recovers what is older than
/// the entry that replaced it.
inline constexpr std::size_t kSetsKept = 4;

}  // namespace kith::recovery::super_limits
