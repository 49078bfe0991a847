#pragma once

/// The node's records in a LevelDB database, sealed (record_seal.hpp). Each commit is one synced
/// batch.
///
/// After a failed commit nobody knows what is on the disk: the store then answers every call with
/// the same error until it is opened anew. Single-threaded.

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "crypto/key_ops.hpp"
#include "protocol/store.hpp"

namespace kith::node {

class LeveldbStore final : public protocol::Store {
 public:
  /// Makes the directory if it is missing. `keys` outlives the store.
  /// Errors: storage_corrupt, storage_full, home_locked (open elsewhere), io.
  [[nodiscard]] static Result<std::unique_ptr<LeveldbStore>> open(const std::string& directory,
                                                                  crypto::KeyOps& keys);
  ~LeveldbStore() override;
  LeveldbStore(const LeveldbStore&) = delete;
  LeveldbStore& operator=(const LeveldbStore&) = delete;

  [[nodiscard]] Result<std::optional<Bytes>> get(const protocol::RecordKey& key) override;
  [[nodiscard]] Result<std::vector<std::string>> list(std::string_view collection) override;
  [[nodiscard]] Result<void> commit(const protocol::Batch& batch) override;

 private:
  class Impl;
  explicit LeveldbStore(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kith::node
