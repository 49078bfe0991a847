#pragma once

/// A passphrase drawn by lot, for people to whom none occurs: seven words of the list of SLIP-0039,
/// which differ in their first four letters. 70 bits, and Argon2id at every try.

#include "crypto/random.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

inline constexpr int kProposedWords = 7;

/// With one space between the words.
[[nodiscard]] SecretBytes propose_passphrase(Random& random);

}  // namespace kith::crypto
