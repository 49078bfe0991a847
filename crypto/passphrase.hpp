#pragma once

/// A key from the owner's passphrase: Argon2id (RFC 9106), one lane. Slow and large on purpose: the
/// shell runs it on the worker thread, and only for the owner, never because a peer asked.
///
/// Parameters are stored beside what they protect. A stored value may have been altered, hence
/// floor and cap: the floor keeps a forged record from making guessing cheap, the cap keeps it from
/// eating the machine.

#include <array>
#include <cstdint>

#include "crypto/random.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

struct PassphraseParameters {
  std::uint32_t ops = 3;
  std::uint64_t memory_bytes = std::uint64_t{256} << 20;
  std::array<std::uint8_t, 16> salt{};
};

/// The default cost with a fresh salt.
[[nodiscard]] PassphraseParameters new_passphrase_parameters(Random& random);

/// Floor and cap of limits.hpp. Errors: refused (below the floor), limit_exceeded.
[[nodiscard]] Result<void> check_passphrase_parameters(const PassphraseParameters& parameters);

/// 32 bytes. The passphrase is taken byte for byte. Checks the parameters first.
/// Errors: those of the check; limit_exceeded for an empty or overlong passphrase; no_memory.
[[nodiscard]] Result<SecretBytes> derive_from_passphrase(const SecretBytes& passphrase,
                                                         const PassphraseParameters& parameters);

}  // namespace kith::crypto
