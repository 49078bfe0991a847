#pragma once

/// A store that acknowledges too early: a batch is reported as durable while it is still in memory
/// alone, and a write that fails later is passed over in silence. A node on it works as it should
/// until it is killed or its disk is full; the tests must notice that it breaks its promise.

#include <cstddef>
#include <deque>

#include "protocol/store.hpp"

namespace kith::e2e {

class EarlyStore final : public protocol::Store {
 public:
  /// The disk outlives it.
  explicit EarlyStore(protocol::Store& disk) : disk_(disk) {}

  Result<std::optional<Bytes>> get(const protocol::RecordKey& key) override;
  Result<std::vector<std::string>> list(std::string_view collection) override;
  Result<void> commit(const protocol::Batch& batch) override;

 private:
  static constexpr std::size_t kHeld = 12;  ///< Batches that a kill loses.
  protocol::Store& disk_;
  std::deque<protocol::Batch> held_;
};

}  // namespace kith::e2e
