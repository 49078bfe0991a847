#include "node/storage/group_store.hpp"

#include <algorithm>
#include <utility>

#include "crypto/random.hpp"

namespace kith::node {
namespace {

/// What the maps take for one record besides its bytes, roughly.
constexpr std::size_t kEntryBytes = 256;

std::size_t size_of(const protocol::RecordKey& key, const std::optional<Bytes>& value) {
  return kEntryBytes + 2 * (key.collection.size() + key.id.size()) + (value ? value->size() : 0);
}

}  // namespace

GroupStore::Hash::Hash() : hash_(crypto::OsRandom().bytes(16)) {}

std::size_t GroupStore::Hash::operator()(const protocol::RecordKey& key) const {
  constexpr std::uint64_t kOdd = 0x9E3779B97F4A7C15;  // Keeps ("a", "b") and ("b", "a") apart.
  return hash_.of(key.collection) * kOdd ^ hash_.of(key.id);
}

Result<std::optional<Bytes>> GroupStore::get(const protocol::RecordKey& key) {
  if (const auto found = records_.find(key); found != records_.end()) {
    const Held& held = found->second;
    if (!held.waits) uses_.splice(uses_.begin(), uses_, held.use);
    return held.value;
  }
  if (is_known_absent(key)) return Value();
  TRY(Value value, inner_.get(key));
  if (is_kept(key, value)) keep(*records_.try_emplace(key, Held{value, false, {}}).first);
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
  for (const Record* record : waiting_) {
    const auto& [key, held] = *record;
    if (key.collection != collection) continue;
    const auto at = std::ranges::lower_bound(ids, key.id);
    const bool there = at != ids.end() && *at == key.id;
    if (held.value && !there) ids.insert(at, key.id);
    if (!held.value && there) ids.erase(at);
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
    const auto [record, is_new] = records_.try_emplace(write.key);
    Held& held = record->second;
    if (!held.waits) {
      if (!is_new) unkeep(*record);
      held.waits = true;
      waiting_.push_back(&*record);
    }
    held.value = write.value;
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
  const std::vector<Record*> written = std::exchange(waiting_, {});
  protocol::Batch batch;
  batch.reserve(written.size());
  for (Record* record : written) {
    batch.push_back({record->first, std::move(record->second.value)});
  }
  CHECK(inner_.commit(batch));
  for (std::size_t i = 0; i < written.size(); ++i) {
    Record& record = *written[i];
    record.second.value = std::move(batch[i].value);
    record.second.waits = false;
    if (is_kept(record.first, record.second.value)) {
      keep(record);
    } else {
      erase(record);
    }
  }
  return {};
}

bool GroupStore::is_kept(const protocol::RecordKey& key, const Value& value) const {
  return size_of(key, value) <= std::min(limits_.kept_record_bytes, limits_.kept_bytes);
}

void GroupStore::keep(Record& record) {
  const std::size_t bytes = size_of(record.first, record.second.value);
  while (kept_bytes_ + bytes > limits_.kept_bytes) {
    Record& oldest = *uses_.back();
    unkeep(oldest);
    erase(oldest);
  }
  uses_.push_front(&record);
  record.second.use = uses_.begin();
  kept_bytes_ += bytes;
}

/// It stays held, for one who goes on with it.
void GroupStore::unkeep(Record& record) {
  kept_bytes_ -= size_of(record.first, record.second.value);
  uses_.erase(record.second.use);
}

void GroupStore::erase(const Record& record) {
  records_.erase(records_.find(record.first));
}

}  // namespace kith::node
