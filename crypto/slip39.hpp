#pragma once

/// SLIP-0039: a secret as sets of mnemonics, of which some are enough. Two levels: so many groups,
/// and of each group so many members. Text: slips.readthedocs.io, SLIP-0039.
///
/// The passphrase encrypts the secret; with another one, combining gives another secret and no
/// error, as the standard wants it. A digest of four bytes tells wrong sets of shares apart:
/// against liars there are the proofs of recovery itself, this is for paper.
///
/// Pure functions; any thread. Secrets in, secrets out; the caller wipes nothing.

#include <cstdint>
#include <span>
#include <vector>

#include "crypto/random.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"
#include "crypto/share_limits.hpp"

namespace kith::crypto {

struct Slip39Group {
  std::uint8_t threshold = 1;
  std::uint8_t count = 1;
};

struct Slip39Plan {
  std::uint8_t group_threshold = 1;
  std::vector<Slip39Group> groups;
  std::uint8_t exponent = 1;  ///< Cost of the passphrase: 10000 * 2^exponent hashes.
  bool extendable = true;     ///< Another set made later for the same secret has the same cipher.
};

/// A mnemonic for each member, by groups. The passphrase is printable ASCII, or empty.
/// Errors: malformed (sizes, thresholds, characters), limit_exceeded (exponent).
[[nodiscard]] Result<std::vector<std::vector<SecretBytes>>> slip39_split(
    const SecretBytes& secret, const SecretBytes& passphrase, const Slip39Plan& plan,
    Random& random);

/// Exactly as many mnemonics as are needed: "Combining the shares" refuses more and fewer.
/// Errors: malformed (a mnemonic, named by its place, or ones that do not belong together),
/// not_enough, limit_exceeded (exponent above `exponent_max`).
[[nodiscard]] Result<SecretBytes> slip39_combine(
    std::span<const SecretBytes> mnemonics, const SecretBytes& passphrase,
    std::uint8_t exponent_max = share_limits::kSlip39ExponentMax);

}  // namespace kith::crypto
