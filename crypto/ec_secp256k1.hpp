#pragma once

/// ECDSA over secp256k1 with SHA-256 (ES256K, RFC 8812). Private keys: 32 bytes in [1, n).
/// Signatures: R || S, 64 bytes. Nonces after RFC 6979: no randomness is needed for signing.
/// Thread-safe; signing is constant time.

#include "crypto/bytes.hpp"
#include "crypto/key.hpp"
#include "crypto/random.hpp"
#include "crypto/raw_key_pair.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

inline constexpr std::size_t kSecp256k1SignatureBytes = 64;
inline constexpr std::size_t kSecp256k1RecoverableBytes = 65;

[[nodiscard]] RawKeyPair secp256k1_generate(Random& random);
/// Errors: bad_key for wrong length, zero, or a value not below the group order.
[[nodiscard]] Result<RawKeyPair> secp256k1_from_private(SecretBytes private_key);

/// Over SHA-256(message), always low S. Asserts a valid private key.
[[nodiscard]] Bytes secp256k1_sign(ByteView private_key, ByteView message);

/// `public_key`: compressed (33 bytes). SValue::any takes both S of a signature, low_only one.
/// Errors: bad_key, bad_signature.
[[nodiscard]] Result<void> secp256k1_verify(ByteView public_key, ByteView message,
                                            ByteView signature, SValue s_value);

/// Over a hash of 32 bytes (asserted, as a valid private key is): R || S with the low S, and one
/// byte more, 0 or 1, that makes the key's public half readable from the signature.
[[nodiscard]] Bytes secp256k1_sign_recoverable(ByteView private_key, ByteView hash);
/// The compressed point whose private half signed that. Errors: bad_signature.
[[nodiscard]] Result<Bytes> secp256k1_recover(ByteView hash, ByteView signature);

/// Compressed form of a point given compressed or uncompressed (04 || x || y).
/// Errors: bad_key (wrong form, not on the curve).
[[nodiscard]] Result<Bytes> secp256k1_compress(ByteView point);
/// 04 || x || y. Errors: bad_key.
[[nodiscard]] Result<Bytes> secp256k1_uncompress(ByteView public_key);

}  // namespace kith::crypto
