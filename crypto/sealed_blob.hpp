#pragma once

/// Shared by the sources of SoftwareKeys only: the frame version || nonce || XC20P, and purposes as
/// sets of bits.

#include <cstdint>
#include <string_view>

#include "crypto/bytes.hpp"
#include "crypto/key_ops.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto::sealed_blob {

inline constexpr std::size_t kKeyBytes = 32;
inline constexpr std::size_t kNonceBytes = 24;
inline constexpr std::size_t kTagBytes = 16;
inline constexpr std::uint8_t kVersion = 1;
inline constexpr std::uint8_t kOpenVaultVersion = 2;
inline constexpr std::string_view kKeyLabel = "kith/keys/v1/key";
inline constexpr std::string_view kShareLabel = "kith/keys/v1/share";

/// version || ad: the version is authenticated too.
[[nodiscard]] inline Bytes full_ad(std::uint8_t version, ByteView ad) {
  Bytes full;
  full.reserve(1 + ad.size());
  full.push_back(version);
  append(full, ad);
  return full;
}

/// Errors: storage_corrupt (altered, another version, or another root's).
[[nodiscard]] Result<SecretBytes> open(const SecretBytes& key, std::uint8_t version, ByteView ad,
                                       ByteView blob);

[[nodiscard]] constexpr std::uint32_t bit(KeyPurpose purpose) {
  return std::uint32_t{1} << static_cast<unsigned>(purpose);
}

inline constexpr std::uint32_t kSigning =
    bit(KeyPurpose::authenticate) | bit(KeyPurpose::log_active) | bit(KeyPurpose::log_next) |
    bit(KeyPurpose::log_recovery) | bit(KeyPurpose::agent) | bit(KeyPurpose::retire) |
    bit(KeyPurpose::audit) | bit(KeyPurpose::ledger) | bit(KeyPurpose::witness);
inline constexpr std::uint32_t kOpeningBoxes = bit(KeyPurpose::agree) | bit(KeyPurpose::session);
/// What may lie in the vault. Never the vault's own key: it would open itself.
inline constexpr std::uint32_t kVaultable = bit(KeyPurpose::log_next) |
                                            bit(KeyPurpose::log_recovery) |
                                            bit(KeyPurpose::retire) | bit(KeyPurpose::link_secret);

}  // namespace kith::crypto::sealed_blob
