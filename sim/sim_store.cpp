#include "sim/sim_store.hpp"

#include <algorithm>
#include <deque>

namespace kith::sim {
namespace {

/// Names of collections, each once: a few dozen in all.
class NameTable {
 public:
  std::optional<std::uint32_t> find(std::string_view name) const {
    const auto found = numbers_.find(name);
    if (found == numbers_.end()) return std::nullopt;
    return found->second;
  }
  std::uint32_t number(std::string_view name) {
    if (const auto known = find(name)) return *known;
    names_.emplace_back(name);
    const auto number = static_cast<std::uint32_t>(names_.size() - 1);
    numbers_.emplace(names_.back(), number);
    return number;
  }
  [[nodiscard]] const std::string& name(std::uint32_t number) const { return names_[number]; }

 private:
  std::deque<std::string> names_;
  std::map<std::string, std::uint32_t, std::less<>> numbers_;
};

/// One a thread: a world lives in one.
NameTable& names() {
  static thread_local NameTable table;
  return table;
}

}  // namespace

SimStore::Collection* SimStore::find(std::string_view name) {
  const auto number = names().find(name);
  if (!number) return nullptr;
  const auto found = std::ranges::find(collections_, *number, &Collection::name);
  return found == collections_.end() ? nullptr : &*found;
}

SimStore::Collection& SimStore::make(std::string_view name) {
  if (Collection* known = find(name)) return *known;
  collections_.push_back({names().number(name), {}});
  return collections_.back();
}

Result<std::optional<Bytes>> SimStore::get(const protocol::RecordKey& key) {
  if (read_fails && read_fails()) return fail(Errc::io, "simulated");
  Collection* collection = find(key.collection);
  if (collection == nullptr) return std::optional<Bytes>();
  const auto found = collection->records.find(key.id);
  if (found == collection->records.end()) return std::optional<Bytes>();
  return std::optional<Bytes>(found->second);
}

Result<std::vector<std::string>> SimStore::list(std::string_view collection) {
  if (read_fails && read_fails()) return fail(Errc::io, "simulated");
  std::vector<std::string> ids;
  if (const Collection* found = find(collection)) {
    ids.reserve(found->records.size());
    for (const auto& [id, value] : found->records) ids.push_back(id);
  }
  return ids;
}

void SimStore::apply(const protocol::Write& write) {
  if (write.value) {
    Bytes value(write.value->begin(), write.value->end());  // Without spare capacity.
    make(write.key.collection).records.insert_or_assign(write.key.id, std::move(value));
    return;
  }
  Collection* collection = find(write.key.collection);
  if (collection == nullptr) return;
  collection->records.erase(write.key.id);
}

Result<void> SimStore::commit(const protocol::Batch& batch) {
  ++commits_;
  const CommitFate fate = commit_fate ? commit_fate(batch) : CommitFate::done;
  if (fate == CommitFate::lost) return fail(Errc::storage_unknown, "died before the sync");
  for (const protocol::Write& write : batch) apply(write);
  if (fate == CommitFate::kept) return fail(Errc::storage_unknown, "died after the sync");
  return {};
}

std::uint64_t SimStore::records() const {
  std::uint64_t count = 0;
  for (const Collection& collection : collections_) count += collection.records.size();
  return count;
}

std::uint64_t SimStore::bytes() const {
  std::uint64_t sum = 0;
  each([&](std::string_view, std::string_view id, ByteView value) {
    sum += id.size() + value.size();
  });
  return sum;
}

void SimStore::each(
    const std::function<void(std::string_view, std::string_view, ByteView)>& see) const {
  for (const Collection& collection : collections_) {
    for (const auto& [id, value] : collection.records) {
      see(names().name(collection.name), id, value);
    }
  }
}

}  // namespace kith::sim
