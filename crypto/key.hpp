#pragma once

/// Public keys and their text forms: Multikey (multicodec in multibase) and JWK (RFC 7517, 8037,
/// 8812). Private keys never appear here: see key_ops.hpp.

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/bytes.hpp"
#include "crypto/json.hpp"
#include "crypto/result.hpp"

namespace kith::crypto {

/// Values are stored on disk: never renumber.
enum class KeyType : std::uint8_t { ed25519 = 1, x25519 = 2, secp256k1 = 3 };

struct PublicKey {
  KeyType type = KeyType::ed25519;
  Bytes bytes;  ///< 32 bytes for ed25519 and x25519, 33 (compressed) for secp256k1.

  friend bool operator==(const PublicKey&, const PublicKey&) = default;
};

/// Length, curve membership (secp256k1), small-order and non-canonical refusals (Ed25519, X25519).
/// Errors: bad_key.
[[nodiscard]] Result<void> check_public_key(const PublicKey& key);

/// "z6Mk...", "z6LS...", "zQ3s...". Errors: malformed, unsupported, bad_key (checked on reading).
[[nodiscard]] std::string multikey(const PublicKey& key);
[[nodiscard]] Result<PublicKey> from_multikey(std::string_view text);

/// Public JWK. Reading refuses private members ("d"), wrong sizes and off-curve points.
[[nodiscard]] JsonObject jwk(const PublicKey& key);
[[nodiscard]] Result<PublicKey> from_jwk(const JsonObject& object);

/// Verifies Ed25519 (64 bytes) or ECDSA-secp256k1-SHA256 (64 bytes R||S).
/// `require_low_s`: logs demand canonical signatures; JOSE accepts both.
enum class SValue : std::uint8_t { any, low_only };
[[nodiscard]] Result<void> verify(const PublicKey& key, ByteView message, ByteView signature,
                                  SValue s_value = SValue::low_only);

}  // namespace kith::crypto

namespace kith {
using crypto::KeyType;
using crypto::PublicKey;
}  // namespace kith
