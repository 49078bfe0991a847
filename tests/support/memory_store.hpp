#pragma once

/// A store in memory that can fail at a chosen commit: before it (the batch is lost) or after it
/// (the batch is kept, but nobody hears of it). Both are what a crash looks like.

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "protocol/store.hpp"

namespace kith::test {

class MemoryStore final : public protocol::Store {
 public:
  enum class Crash { before_commit, after_commit };

  Result<std::optional<Bytes>> get(const protocol::RecordKey& key) override {
    const auto found = records_.find(key);
    if (found == records_.end()) return std::optional<Bytes>();
    return std::optional<Bytes>(found->second);
  }

  Result<std::vector<std::string>> list(std::string_view collection) override {
    std::vector<std::string> ids;
    for (auto record = records_.lower_bound({std::string(collection), {}});
         record != records_.end() && record->first.collection == collection; ++record) {
      ids.push_back(record->first.id);
    }
    return ids;
  }

  Result<void> commit(const protocol::Batch& batch) override {
    ++commits_;
    const bool crashes = crash_at_ == commits_;
    if (crashes && crash_ == Crash::before_commit) return fail(Errc::storage_unknown, "crash");
    for (const protocol::Write& write : batch) {
      if (write.value) {
        records_[write.key] = *write.value;
      } else {
        records_.erase(write.key);
      }
    }
    if (crashes) return fail(Errc::storage_unknown, "crash");
    return {};
  }

  /// The `n`-th commit from now on (1 is the next) fails, once.
  void crash_at(std::uint64_t n, Crash crash) {
    crash_at_ = commits_ + n;
    crash_ = crash;
  }
  [[nodiscard]] bool crash_is_due() const { return crash_at_ > commits_; }
  void cancel_crash() { crash_at_ = 0; }
  [[nodiscard]] std::uint64_t commits() const { return commits_; }
  [[nodiscard]] const std::map<protocol::RecordKey, Bytes>& records() const { return records_; }

 private:
  std::map<protocol::RecordKey, Bytes> records_;
  std::uint64_t commits_ = 0;
  std::uint64_t crash_at_ = 0;
  Crash crash_ = Crash::before_commit;
};

}  // namespace kith::test
