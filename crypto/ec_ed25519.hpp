#pragma once

/// Ed25519 (RFC 8032), strict. Private keys: 64 bytes, seed || public key, so that signing does not
/// derive the public key each time. Thread-safe; signing is constant time.

#include "crypto/bytes.hpp"
#include "crypto/random.hpp"
#include "crypto/raw_key_pair.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

inline constexpr std::size_t kEd25519SignatureBytes = 64;

[[nodiscard]] RawKeyPair ed25519_generate(Random& random);
/// Errors: bad_key unless the seed has 32 bytes.
[[nodiscard]] Result<RawKeyPair> ed25519_from_seed(const SecretBytes& seed);

/// `private_key` has 64 bytes (asserted) and is one that the functions above made.
[[nodiscard]] Bytes ed25519_sign(ByteView private_key, ByteView message);

/// Refuses S >= L, and keys and R that are of small order or not canonical, so that every verifier
/// agrees. Errors: bad_signature.
[[nodiscard]] Result<void> ed25519_verify(ByteView public_key, ByteView message,
                                          ByteView signature);

/// Canonical, on the curve, in the group of prime order. Errors: bad_key.
[[nodiscard]] Result<void> ed25519_check_public(ByteView public_key);

}  // namespace kith::crypto
