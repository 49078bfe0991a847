#pragma once

/// How records look on disk: names and values are sealed, so a stolen disk shows neither.
///
///   key    16 bytes of record_name("collection|" collection) || 16 bytes of
///          record_name("record|" length "|" collection "|" id)
///   value  u32 big-endian length of the sealed id || sealed id || sealed value
///
/// Both parts are sealed by KeyOps with the key's 32 bytes (in hex) and their kind as associated
/// data: a value moved to another key, or an id put where a value belongs, does not open.

#include <map>
#include <string>
#include <string_view>

#include "crypto/key_ops.hpp"
#include "protocol/store.hpp"

namespace kith::node {

/// Not thread-safe; `keys` outlives it. Remembers the prefixes of the collections it met lately.
class RecordSeal {
 public:
  static constexpr std::size_t kTagBytes = 16;
  static constexpr std::size_t kPrefixesKept = 256;  ///< 32 KiB of them, roughly.

  explicit RecordSeal(crypto::KeyOps& keys) : keys_(keys) {}

  /// Common prefix of the keys of a collection.
  [[nodiscard]] std::string prefix(std::string_view collection) const;
  [[nodiscard]] std::string key(const protocol::RecordKey& record) const;
  /// `disk_key` is that of the record.
  [[nodiscard]] std::string seal(std::string_view disk_key, std::string_view id,
                                 ByteView value) const;

  /// Errors: storage_corrupt.
  [[nodiscard]] Result<Bytes> open_value(std::string_view disk_key, std::string_view stored) const;
  /// The id in a stored value, checked to belong to `disk_key`. Errors: storage_corrupt.
  [[nodiscard]] Result<std::string> open_id(std::string_view collection, std::string_view disk_key,
                                            std::string_view stored) const;

 private:
  crypto::KeyOps& keys_;
  mutable std::map<std::string, std::string, std::less<>> prefixes_;
};

}  // namespace kith::node
