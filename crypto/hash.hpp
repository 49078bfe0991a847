#pragma once

/// Hashes (FIPS 180-4), HMAC (RFC 2104) and HKDF (RFC 5869).
///
/// Thread-safety: free functions from any thread; a hasher belongs to one thread at a time.
/// Nothing here allocates but HKDF's result, and nothing fails: wrong sizes are our own bugs.

#include <array>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>

#include "crypto/bytes.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

using Digest256 = std::array<std::uint8_t, 32>;
using Digest512 = std::array<std::uint8_t, 64>;

/// Incremental SHA-256. Copies carry the state along, so a common prefix is hashed once.
class Sha256 {
 public:
  static constexpr std::size_t kBlockBytes = 64;
  using Digest = Digest256;

  Sha256();
  Sha256& update(ByteView more);
  /// Ends the hash; the object must not be used again.
  [[nodiscard]] Digest finish();
  /// Overwrites the state: for hashes over secrets.
  void wipe_state();

 private:
  alignas(8) std::array<std::uint8_t, 112> state_;  ///< SHA256_CTX, kept out of headers.
};

/// Incremental SHA-512; as Sha256.
class Sha512 {
 public:
  static constexpr std::size_t kBlockBytes = 128;
  using Digest = Digest512;

  Sha512();
  Sha512& update(ByteView more);
  [[nodiscard]] Digest finish();
  void wipe_state();

 private:
  alignas(8) std::array<std::uint8_t, 216> state_;  ///< SHA512_CTX, kept out of headers.
};

[[nodiscard]] Digest256 sha256(ByteView data);
[[nodiscard]] Digest512 sha512(ByteView data);

/// H(label, parts...) of the recovery protocol: SHA-256 over label and parts, each with its length
/// as u32 big-endian before it, so that no two lists of parts run together to the same bytes.
[[nodiscard]] Digest256 digest(std::string_view label, std::initializer_list<ByteView> parts);

/// Multihash of SHA-256 as multibase text: 'z' and base58btc of 0x12 0x20 || sha256 ("zQm...").
[[nodiscard]] std::string multihash_sha256(ByteView data);

/// Any key length. Compare the result with equal_constant_time.
[[nodiscard]] Digest256 hmac_sha256(ByteView key, ByteView data);

/// HMAC-SHA-256 under one key that is used often: what depends on the key alone is hashed once, and
/// kept as secret as the key. Any thread.
class HmacSha256Key {
 public:
  explicit HmacSha256Key(ByteView key);
  [[nodiscard]] Digest256 of(ByteView data) const;

 private:
  SecretBytes states_;
};

/// `parts` one after the other, without lengths between.
[[nodiscard]] Digest512 hmac_sha512(ByteView key, std::initializer_list<ByteView> parts);
[[nodiscard]] Digest512 hmac_sha512(ByteView key, ByteView data);

/// SipHash-2-4, for tables in memory: without the key nobody finds names that fall together.
class TableHash {
 public:
  /// `key` has 16 bytes (asserted), random ones.
  explicit TableHash(ByteView key);
  [[nodiscard]] std::uint64_t of(std::string_view name) const;

 private:
  std::array<std::uint8_t, 16> key_{};
};

/// The longest output of HKDF-SHA-256: 255 blocks.
inline constexpr std::size_t kHkdfSha256BytesMax = 255 * 32;
/// Extract and expand. `ikm` is secret; an empty salt stands for 32 zeros. Asserts
/// length_bytes <= kHkdfSha256BytesMax.
[[nodiscard]] SecretBytes hkdf_sha256(ByteView ikm, ByteView salt, ByteView info,
                                      std::size_t length_bytes);

}  // namespace kith::crypto
