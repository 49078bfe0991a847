#pragma once

/// The NIST curves P-256, P-384 and P-521 (FIPS 186-4, SP 800-186; SEC 2): Diffie-Hellman on all
/// three, ECDSA with SHA-256 on P-256 (ES256, RFC 7518 section 3.4). Over OpenSSL.
///
/// `curve` is KeyType::p256, p384 or p521 everywhere (asserted). Public keys are compressed points
/// (SEC 1 section 2.3.3). Private keys are big-endian integers in [1, n), as long as a coordinate:
/// 32, 48 or 66 bytes. All three curves have cofactor 1: a point that is on the curve and not
/// infinity is of full order.
///
/// Thread-safe. What touches private keys is constant time, as far as OpenSSL is.

#include <cstddef>

#include "crypto/bytes.hpp"
#include "crypto/key.hpp"
#include "crypto/random.hpp"
#include "crypto/raw_key_pair.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

inline constexpr std::size_t kP256SignatureBytes = 64;

[[nodiscard]] constexpr bool is_nist(KeyType type) {
  return type == KeyType::p256 || type == KeyType::p384 || type == KeyType::p521;
}
/// Bytes of a coordinate, a private key and a shared secret: 32, 48, 66.
[[nodiscard]] std::size_t nist_field_bytes(KeyType curve);

/// The private key comes from `random` alone.
[[nodiscard]] RawKeyPair nist_generate(KeyType curve, Random& random);
/// Errors: bad_key for wrong length, zero, or a value not below the group order.
[[nodiscard]] Result<RawKeyPair> nist_from_private(KeyType curve, SecretBytes private_key);

/// Z: the x coordinate of private_key * public_key, padded to the field's size (SP 800-56A section
/// 5.7.1.2). `public_key` may be in any form that nist_compress takes; it is checked in full.
/// Errors: bad_key.
[[nodiscard]] Result<SecretBytes> nist_shared(KeyType curve, ByteView private_key,
                                              ByteView public_key);

/// The one spelling of a public key: compressed, coordinates below p, on the curve.
/// Errors: bad_key.
[[nodiscard]] Result<void> nist_check_public(KeyType curve, ByteView public_key);
/// Compressed form of a point given compressed (02, 03) or uncompressed (04 || x || y). Infinity
/// and the hybrid forms are refused. Errors: bad_key.
[[nodiscard]] Result<Bytes> nist_compress(KeyType curve, ByteView point);
/// 04 || x || y. Errors: bad_key.
[[nodiscard]] Result<Bytes> nist_uncompress(KeyType curve, ByteView public_key);

/// R || S over SHA-256(message), with the lower of the two possible S. The nonce is OpenSSL's own:
/// random, hashed with key and message; so signatures differ from run to run even under a seeded
/// Random. Errors: bad_key.
[[nodiscard]] Result<Bytes> p256_sign(ByteView private_key, ByteView public_key, ByteView message);
/// SValue::any takes both S of a signature, as RFC 7518 does; low_only takes one.
/// Errors: bad_key, bad_signature.
[[nodiscard]] Result<void> p256_verify(ByteView public_key, ByteView message, ByteView signature,
                                       SValue s_value);

}  // namespace kith::crypto
