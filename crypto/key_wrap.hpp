#pragma once

/// A256KW (AES key wrap, RFC 3394 with the default initial value) and the Concat KDF (NIST SP
/// 800-56A section 5.8.1 as RFC 7518 section 4.6.2 uses it) that makes its key. Thread-safe.

#include <cstddef>
#include <string_view>

#include "crypto/bytes.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

inline constexpr std::size_t kKeyWrapKeyBytes = 32;
/// The longest key that is wrapped or unwrapped; a content key has 64 bytes at most.
inline constexpr std::size_t kWrappedKeyBytesMax = 1024;

/// `kek` has 32 bytes (asserted). Errors: bad_key unless `key` has 16 bytes or more, in eights.
/// The result is 8 bytes longer than the key.
[[nodiscard]] Result<Bytes> wrap_key(const SecretBytes& kek, const SecretBytes& key);

/// Errors: cannot_decrypt (wrong key, altered data, impossible length).
[[nodiscard]] Result<SecretBytes> unwrap_key(const SecretBytes& kek, ByteView wrapped);

/// One SHA-256 round, 256 bits out:
///   SHA-256(be32(1) || z || OtherInfo), where OtherInfo is
///   be32(len)||alg || be32(len)||apu || be32(len)||apv || be32(256) [ || be32(len)||tag ]
/// `apu` and `apv` are the decoded bytes. An empty tag leaves its part out wholly, length included
/// (ECDH-ES); ECDH-1PU (draft 04) always has one.
[[nodiscard]] SecretBytes concat_kdf(ByteView z, std::string_view alg, ByteView apu, ByteView apv,
                                     ByteView tag);

}  // namespace kith::crypto
