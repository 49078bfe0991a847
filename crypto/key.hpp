#pragma once

/// Public keys and their text forms: Multikey (multicodec in multibase) and JWK (RFC 7517, 7518
/// section 6.2, 8037, 8812). Private keys never appear here: see key_ops.hpp.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/bytes.hpp"
#include "crypto/json.hpp"
#include "crypto/result.hpp"

namespace kith::crypto {

/// Values are stored on disk: never renumber.
enum class KeyType : std::uint8_t {
  ed25519 = 1,
  x25519 = 2,
  secp256k1 = 3,
  p256 = 4,  ///< NIST curves: FIPS 186-4, SEC 2 (secp256r1, secp384r1, secp521r1).
  p384 = 5,
  p521 = 6,
};

/// Curves that envelopes may be encrypted on. P-256 does both.
[[nodiscard]] constexpr bool can_agree(KeyType type) {
  return type == KeyType::x25519 || type == KeyType::p256 || type == KeyType::p384 ||
         type == KeyType::p521;
}
/// Curves whose signatures are understood here.
[[nodiscard]] constexpr bool can_sign(KeyType type) {
  return type == KeyType::ed25519 || type == KeyType::secp256k1 || type == KeyType::p256;
}

struct PublicKey {
  KeyType type = KeyType::ed25519;
  /// 32 bytes for ed25519 and x25519; the compressed point (SEC 1 section 2.3.3) for the others:
  /// 33 for secp256k1 and p256, 49 for p384, 67 for p521.
  Bytes bytes;

  friend bool operator==(const PublicKey&, const PublicKey&) = default;
};

/// Length, curve membership (secp256k1 and NIST), small-order and non-canonical refusals (Ed25519,
/// X25519). Errors: bad_key.
[[nodiscard]] Result<void> check_public_key(const PublicKey& key);

/// "z6Mk...", "z6LS...", "zQ3s...", "zDn...", "z82...", "z2J9...". Errors: malformed, unsupported,
/// bad_key (checked on reading).
[[nodiscard]] std::string multikey(const PublicKey& key);
[[nodiscard]] Result<PublicKey> from_multikey(std::string_view text);

/// Public JWK. Reading refuses private members ("d"), wrong sizes and off-curve points.
[[nodiscard]] JsonObject jwk(const PublicKey& key);
[[nodiscard]] Result<PublicKey> from_jwk(const JsonObject& object);
[[nodiscard]] Result<PublicKey> from_jwk(ValueView object);

/// Verifies Ed25519 (64 bytes) or ECDSA with SHA-256 over secp256k1 or P-256 (64 bytes R||S).
/// `require_low_s`: logs demand canonical signatures; JOSE accepts both.
enum class SValue : std::uint8_t { any, low_only };
[[nodiscard]] Result<void> verify(const PublicKey& key, ByteView message, ByteView signature,
                                  SValue s_value = SValue::low_only);

}  // namespace kith::crypto

namespace kith {
using crypto::KeyType;
using crypto::PublicKey;
}  // namespace kith
