#pragma once

/// SimStore: a disk whose failures are decided from outside.
///
/// Fault model. A commit is one atomic, synced batch, as LevelDB gives it: until the sync it is
/// pending, and a crash loses all of it; after the sync it is durable, and a crash loses none of
/// it. Hence a crash at a commit has two outcomes, and the node hears of neither:
///   lost    the node dies before the sync: the batch is absent after the restart
///   kept    the node dies after the sync: the batch is there, but none of its effects has left
/// Both report storage_unknown. A failed read reports io and changes nothing. Torn batches and bit
/// rot are not in this model: the store behind the real node detects and repairs them, and is
/// tested on a faulty disk of its own.
///
/// Memory: names of collections exist once a process; records lie in one tree a collection.
/// Single-threaded.

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/store.hpp"

namespace kith::sim {

enum class CommitFate : std::uint8_t { done, lost, kept };

class SimStore final : public protocol::Store {
 public:
  /// Asked once a commit; by default all are done.
  std::function<CommitFate(const protocol::Batch&)> commit_fate;
  /// Asked once a read: true makes it fail.
  std::function<bool()> read_fails;

  Result<std::optional<Bytes>> get(const protocol::RecordKey& key) override;
  Result<std::vector<std::string>> list(std::string_view collection) override;
  Result<void> commit(const protocol::Batch& batch) override;

  [[nodiscard]] std::uint64_t commits() const { return commits_; }
  [[nodiscard]] std::uint64_t records() const;
  /// Of names and values, without the tree around them.
  [[nodiscard]] std::uint64_t bytes() const;
  /// Every record, in no promised order: for checkers.
  void each(const std::function<void(std::string_view collection, std::string_view id,
                                     ByteView value)>& see) const;
  /// The disk is gone.
  void wipe() { collections_.clear(); }

 private:
  using Records = std::map<std::string, Bytes, std::less<>>;
  struct Collection {
    std::uint32_t name = 0;  ///< Number in the table of names.
    Records records;
  };
  [[nodiscard]] Collection* find(std::string_view name);
  Collection& make(std::string_view name);
  void apply(const protocol::Write& write);

  std::vector<Collection> collections_;
  std::uint64_t commits_ = 0;
};

}  // namespace kith::sim
