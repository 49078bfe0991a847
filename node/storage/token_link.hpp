#pragma once

/// Where a keystore finds the token that it is bound to: a smart card, security key or hardware
/// module that speaks PKCS#11 (OASIS, v2.40).
///
///   label (32) || serial (16)       of CK_TOKEN_INFO, padded with blanks as there
///   size of the key's id (u8) || id (32, zeros behind it)       its CKA_ID
///   point (65)                      of P-256, uncompressed; drawn by lot, nobody knows its
///   logarithm
///
/// The token's secret is the x coordinate that its key makes of the point (ECDH, CKM_ECDH1_DERIVE).
/// Nothing in a link is secret.

#include <array>
#include <cstdint>
#include <string>

#include "crypto/bytes.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::node {

struct TokenLink {
  static constexpr std::size_t kLabelBytes = 32;
  static constexpr std::size_t kSerialBytes = 16;
  static constexpr std::size_t kIdBytesMax = 32;
  static constexpr std::size_t kPointBytes = 65;
  static constexpr std::size_t kBytes = kLabelBytes + kSerialBytes + 1 + kIdBytesMax + kPointBytes;

  std::array<std::uint8_t, kLabelBytes> label{};
  std::array<std::uint8_t, kSerialBytes> serial{};
  Bytes key_id;  ///< 1 to kIdBytesMax bytes.
  Bytes point;   ///< kPointBytes; the token checks it.

  [[nodiscard]] Bytes encode() const;
  /// Of kBytes. Errors: malformed.
  [[nodiscard]] static Result<TokenLink> parse(ByteView bytes);
  /// For people: its label, and its serial number where it has one. Text of the token's maker.
  [[nodiscard]] std::string name() const;
};

/// A token that has answered.
struct HeldToken {
  TokenLink link;
  SecretBytes secret;  ///< 32 bytes.
};

}  // namespace kith::node
