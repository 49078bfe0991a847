#pragma once

/// What each kind of key is for, on which curves it exists, where it is kept and how long it lives
/// (NIST SP 800-130, FR 6.1; NIST SP 800-57 part 1, section 5.3). A table for people and programs
/// (`kith keys types`, docs/algorithms.md). KeyOps holds keys to the curves of this table: tests
/// compare the two for every purpose.
///
/// No key is derived from a tree: each is drawn by itself from the operating system's generator.

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/key_ops.hpp"

namespace kith::crypto {

enum class KeyKeeping : std::uint8_t {
  device = 1,  ///< Sealed under the device's root key; never in a backup.
  vault = 2,   ///< Sealed to the vault from birth; travels in backups, sealed.
  locked = 3,  ///< The vault's own: under passphrase and device, and in the recovery capsule.
};
[[nodiscard]] std::string_view keeping_text(KeyKeeping keeping);

struct KeyTypeInfo {
  KeyPurpose purpose;
  std::string_view name;
  std::string_view use;
  std::vector<KeyType> types;  ///< Empty: 32 secret bytes.
  KeyKeeping keeping;
  std::string_view life;  ///< Until when it is used.
  /// Crypto-period: so many days after it became active it is due to be replaced (SP 800-57 part 1,
  /// section 5.3.6: one to three years for such keys). 0: an event ends it, as `life` says; time
  /// adds no risk that a replacement would take away.
  std::uint16_t period_days = 0;
  /// So many uses, and it is due as well: bounds what side channels can gather of one key, far
  /// above what people do in a period. 0: no bound.
  std::uint64_t uses_max = 0;
};

/// Before a key is due, `kith keys at-risk` names it for so long.
inline constexpr std::uint16_t kDueSoonDays = 30;

/// In the order of KeyPurpose; one row for each.
[[nodiscard]] std::span<const KeyTypeInfo> key_types();

/// "365 days or 65536 uses", or that an event ends it.
[[nodiscard]] std::string period_text(const KeyTypeInfo& info);
/// "Ed25519", "P-256".
[[nodiscard]] std::string_view key_type_name(KeyType type);
/// "Ed25519, secp256k1", or that it is a bare secret.
[[nodiscard]] std::string types_text(const KeyTypeInfo& info);

}  // namespace kith::crypto
