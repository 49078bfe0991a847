#include "node/storage/group_store.hpp"

#include <algorithm>
#include <utility>

namespace kith::node {
namespace {

/// What the maps take for one record besides its bytes, roughly.
constexpr std::size_t kEntryBytes = 256;

std::size_t size_of(const protocol::RecordKey& key, const std::optional<Bytes>& value) {
  return kEntryBytes + 2 * (key.collection.size() + key.id.size()) + (value ? value->size() : 0);
}

}  // namespace

Result<std::optional<Bytes>> GroupStore::get(const protocol::RecordKey& key) {
  if (is_known_absent(key)) return Value();
  if (const auto found = waiting_.find(key); found != waiting_.end()) return found->second;
  if (const auto found = kept_.find(key); found != kept_.end()) {
    uses_.splice(uses_.begin(), uses_, found->second.use);
    return found->second.value;
  }
  TRY(Value value, inner_.get(key));
  keep(key, value);
  return value;
}

/// Whether a message came before is asked of marks that mostly are not there.
bool GroupStore::is_known_absent(const protocol::RecordKey& key) const {
  const auto ids = lists_.find(key.collection);
  return ids != lists_.end() && !ids->second.contains(key.id);
}

Result<std::vector<std::string>> GroupStore::list(std::string_view collection) {
  if (const auto found = lists_.find(collection); found != lists_.end()) {
    return std::vector<std::string>(found->second.begin(), found->second.end());
  }
  TRY(std::vector<std::string> ids, inner_.list(collection));
  const protocol::RecordKey first{std::string(collection), {}};
  for (auto write = waiting_.lower_bound(first);
       write != waiting_.end() && write->first.collection == collection; ++write) {
    const auto at = std::ranges::lower_bound(ids, write->first.id);
    const bool there = at != ids.end() && *at == write->first.id;
    if (write->second && !there) ids.insert(at, write->first.id);
    if (!write->second && there) ids.erase(at);
  }
  if (ids.size() > limits_.listed_ids) return ids;
  if (listed_ids_ + ids.size() > limits_.listed_ids) {
    lists_.clear();
    listed_ids_ = 0;
  }
  listed_ids_ += ids.size() + 1;  // An empty list takes room too.
  lists_.emplace(collection, std::set<std::string>(ids.begin(), ids.end()));
  return ids;
}

void GroupStore::note_in_lists(const protocol::Write& write) {
  const auto found = lists_.find(write.key.collection);
  if (found == lists_.end()) return;
  if (!write.value) {
    listed_ids_ -= found->second.erase(write.key.id);
  } else if (found->second.insert(write.key.id).second) {
    ++listed_ids_;
  }
}

Result<void> GroupStore::commit(const protocol::Batch& batch) {
  for (const protocol::Write& write : batch) {
    waiting_.insert_or_assign(write.key, write.value);
    // What is kept of a record that waits would be read again only after the flush.
    if (const auto old = kept_.find(write.key); old != kept_.end()) drop(old);
    note_in_lists(write);
  }
  if (listed_ids_ > limits_.listed_ids) {
    lists_.clear();
    listed_ids_ = 0;
  }
  return {};
}

Result<void> GroupStore::flush() {
  if (waiting_.empty()) return {};
  protocol::Batch batch;
  batch.reserve(waiting_.size());
  for (auto& [key, value] : waiting_) batch.push_back({key, std::move(value)});
  waiting_.clear();
  CHECK(inner_.commit(batch));
  for (protocol::Write& write : batch) keep(std::move(write.key), std::move(write.value));
  return {};
}

void GroupStore::keep(protocol::RecordKey key, Value value) {
  const std::size_t bytes = size_of(key, value);
  if (bytes > std::min(limits_.kept_record_bytes, limits_.kept_bytes)) return;
  while (kept_bytes_ + bytes > limits_.kept_bytes) drop(kept_.find(uses_.back()));
  uses_.push_front(key);
  kept_.emplace(std::move(key), Kept{std::move(value), uses_.begin()});
  kept_bytes_ += bytes;
}

void GroupStore::drop(Records::iterator record) {
  kept_bytes_ -= size_of(record->first, record->second.value);
  uses_.erase(record->second.use);
  kept_.erase(record);
}

}  // namespace kith::node
