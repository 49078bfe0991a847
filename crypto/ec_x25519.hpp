#pragma once

/// X25519 (RFC 7748). Private keys: 32 bytes, clamped on use. Thread-safe, constant time.

#include "crypto/bytes.hpp"
#include "crypto/random.hpp"
#include "crypto/raw_key_pair.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

[[nodiscard]] RawKeyPair x25519_generate(Random& random);
/// Errors: bad_key unless 32 bytes.
[[nodiscard]] Result<RawKeyPair> x25519_from_private(SecretBytes private_key);

/// Z. Errors: bad_key for wrong lengths and for public keys of small order (all-zero result).
/// Non-canonical public keys are reduced as the RFC says; check_public_key refuses them earlier.
[[nodiscard]] Result<SecretBytes> x25519_shared(ByteView private_key, ByteView public_key);

/// Canonical (below 2^255-19) and not of small order. Errors: bad_key.
[[nodiscard]] Result<void> x25519_check_public(ByteView public_key);

}  // namespace kith::crypto
