#pragma once

/// One share of SLIP-0039 as a mnemonic: the words, their checksum, and the fields in front.
/// Text: slips.readthedocs.io, SLIP-0039, "Format of the share mnemonic" and "Checksum".
///
/// Mnemonics are secrets, and so is everything made from them but the fields that say which share
/// it is. Pure functions; any thread.

#include <cstdint>

#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

struct Slip39Share {
  std::uint16_t identifier = 0;  ///< 15 bits, the same in all shares of a set.
  bool extendable = true;        ///< More sets may be made for one encrypted secret.
  std::uint8_t exponent = 0;     ///< The passphrase costs 10000 * 2^exponent hashes.
  std::uint8_t group_index = 0;
  std::uint8_t group_threshold = 1;  ///< At most group_count.
  std::uint8_t group_count = 1;
  std::uint8_t member_index = 0;
  std::uint8_t member_threshold = 1;
  SecretBytes value;
};

/// `share` within the limits of share_limits.hpp: words with one space between.
[[nodiscard]] SecretBytes write_slip39_mnemonic(const Slip39Share& share);

/// Words with white space between; capitals do not matter. Errors: malformed, which names the word
/// that is not in the list by its place, never by its letters.
[[nodiscard]] Result<Slip39Share> read_slip39_mnemonic(ByteView text);

}  // namespace kith::crypto
