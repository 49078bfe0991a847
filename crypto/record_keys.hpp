#pragma once

/// How records at rest are sealed and named: the two keys that KeyOps::seal_record, open_record and
/// record_name need, and nothing else. They open records, never a private key or a share: those are
/// sealed once more, under keys that stay with KeyOps.
///
///   record         01 || nonce || XC20P(plaintext), AD = 01 || name
///   record name    HMAC-SHA-256(key, name)
///
/// Thread-safety: none.

#include <string_view>

#include "crypto/bytes.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

class RecordKeys {
 public:
  static constexpr std::size_t kBytes = 64;  ///< Both keys, one behind the other.

  /// Asserts kBytes.
  explicit RecordKeys(SecretBytes keys);
  /// HKDF-SHA-256 of the root with "kith/keys/v1/record" and "kith/keys/v1/record-name".
  [[nodiscard]] static RecordKeys of_root(const SecretBytes& root);

  [[nodiscard]] Bytes seal(std::string_view name, ByteView plaintext, Random& random) const;
  /// Errors: storage_corrupt.
  [[nodiscard]] Result<Bytes> open(std::string_view name, ByteView sealed) const;
  [[nodiscard]] Bytes name_of(std::string_view name) const;
  /// For the process that may read records and must not have the root.
  [[nodiscard]] const SecretBytes& both() const { return keys_; }

 private:
  SecretBytes keys_;
  HmacSha256Key name_key_;
};

}  // namespace kith::crypto
