#include "tests/e2e/faulty/early_store.hpp"

#include <set>

namespace kith::e2e {

Result<std::optional<Bytes>> EarlyStore::get(const protocol::RecordKey& key) {
  std::optional<std::optional<Bytes>> newest;
  for (const protocol::Batch& batch : held_) {
    for (const protocol::Write& write : batch) {
      if (write.key == key) newest = write.value;
    }
  }
  if (newest) return *newest;
  return disk_.get(key);
}

Result<std::vector<std::string>> EarlyStore::list(std::string_view collection) {
  TRY(const std::vector<std::string> stored, disk_.list(collection));
  std::set<std::string> ids(stored.begin(), stored.end());
  for (const protocol::Batch& batch : held_) {
    for (const protocol::Write& write : batch) {
      if (write.key.collection != collection) continue;
      if (write.value) {
        ids.insert(write.key.id);
      } else {
        ids.erase(write.key.id);
      }
    }
  }
  return std::vector<std::string>(ids.begin(), ids.end());
}

Result<void> EarlyStore::commit(const protocol::Batch& batch) {
  held_.push_back(batch);
  if (held_.size() <= kHeld) return {};
  const auto written = disk_.commit(held_.front());
  static_cast<void>(written);  // The lie: whatever became of it, all is well.
  held_.pop_front();
  return {};
}

}  // namespace kith::e2e
