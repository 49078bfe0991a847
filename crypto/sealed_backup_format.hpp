#pragma once

/// What sealing and opening of containers share; used by crypto/sealed_backup*.cpp only.

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>

#include "crypto/sealed_backup.hpp"

namespace kith::crypto::container {

inline constexpr std::size_t kStreamHeaderBytes = 24;
inline constexpr std::size_t kRecordOverheadBytes = 17;  ///< secretstream's tag byte and MAC.
inline constexpr std::size_t kLengthBytes = 8;
inline constexpr std::size_t kKeyBytesMax = 33;
inline constexpr std::size_t kSignatureBytes = 64;
/// Type and length of the key, the key padded, the signature.
inline constexpr std::size_t kSignedBytes = 2 + kKeyBytesMax + kSignatureBytes;

/// One direction of the stream that holds everything but the core; a record tells whether it is the
/// last.
class Stream {
 public:
  enum class Mark : std::uint8_t { more, last };

  /// Draws the header.
  [[nodiscard]] static Stream sealing(const SecretBytes& key);
  /// `header` has kStreamHeaderBytes (asserted).
  [[nodiscard]] static Stream opening(const SecretBytes& key, ByteView header);

  [[nodiscard]] ByteView header() const { return header_; }
  [[nodiscard]] Bytes seal(ByteView plaintext, Mark mark);
  /// Opens into `plaintext`, kRecordOverheadBytes shorter than `record` (asserted). Errors:
  /// cannot_decrypt; malformed when the record's mark is neither of the two.
  [[nodiscard]] Result<Mark> open(ByteView record, std::span<std::uint8_t> plaintext);

 private:
  Stream();

  std::array<std::uint8_t, kStreamHeaderBytes> header_{};
  SecretBytes state_;  ///< libsodium's state, kept out of headers.
};

/// Errors: malformed.
[[nodiscard]] Result<void> check_counter(ContainerFormat format, std::uint64_t counter);
/// The size the key's type demands, or 0 for types that do not sign.
[[nodiscard]] std::size_t signer_key_bytes(KeyType type);
/// Key of the stream.
[[nodiscard]] SecretBytes stream_key(const ContainerCore& core, const SecretPoint& recovery_key,
                                     const SecretPoint& opening);
/// What the signer signs.
[[nodiscard]] Bytes signed_message(const ContainerCore& core, const Digest256& rest);

}  // namespace kith::crypto::container
