#pragma once

/// The seam to the disk: named records, changed only by atomic batches.
///
/// Contract of `commit`: Ok means the whole batch is durable (synced). Any error means the outcome
/// is unknown: the batch may or may not be found after a restart. The owner then stops and opens
/// the store again; it never assumes "failed, so absent". Single-threaded.

#include <compare>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/bytes.hpp"
#include "crypto/result.hpp"

namespace kith::protocol {

/// `collection` groups records that are listed together; `id` is unique in it. Both are any text.
struct RecordKey {
  std::string collection;
  std::string id;
  friend auto operator<=>(const RecordKey&, const RecordKey&) = default;
};

struct Write {
  RecordKey key;
  std::optional<Bytes> value;  ///< nullopt erases.
};
using Batch = std::vector<Write>;

class Store {
 public:
  virtual ~Store() = default;
  /// Errors: storage_corrupt, io.
  [[nodiscard]] virtual Result<std::optional<Bytes>> get(const RecordKey& key) = 0;
  /// Ids of a collection in byte order. Errors: storage_corrupt, io.
  [[nodiscard]] virtual Result<std::vector<std::string>> list(std::string_view collection) = 0;
  /// Errors: storage_unknown, storage_full; see above. A later write to the same key wins.
  [[nodiscard]] virtual Result<void> commit(const Batch& batch) = 0;
};

/// Thrown by Host reads when the store fails: no handler can go on, the unit is dropped and the
/// node stops. The one exception of the core; only Agent catches it.
struct StoreFailure {
  Error error;
};

}  // namespace kith::protocol
