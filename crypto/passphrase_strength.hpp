#pragma once

/// How hard a new passphrase is to guess, estimated low: what people build passwords from (common
/// ones, sequences, repetitions, years) counts for next to nothing, and letters count as parts of
/// words. No dictionary, so a passphrase of common words that have to do with each other is rated
/// too well; the next step that people are shown says so.

#include <cstddef>
#include <string_view>

#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

struct PassphraseStrength {
  std::size_t bits = 0;  ///< log2 of the guesses needed.
  std::string_view why;  ///< What made it weak, in words; empty if nothing did.
};

[[nodiscard]] PassphraseStrength passphrase_strength(const SecretBytes& passphrase);

}  // namespace kith::crypto
