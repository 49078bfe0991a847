#include "ledger/etcd/keys.hpp"

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/etcd/limits.hpp"

namespace kith::ledger {

namespace {

/// Begins every subject: check_did_kith.
constexpr std::string_view kSubjects = "did:kith:";

EtcdRange range_below(std::string prefix, std::uint64_t from) {
  EtcdRange range;
  range.end = after_prefix(prefix);
  range.first = std::move(prefix);
  range.from = from;
  range.limit = etcd_limits::kKeysPerQuestion;
  return range;
}

std::string key_of(std::string_view prefix, const LedgerLeaf& leaf, std::string_view n) {
  return std::string(prefix) + "/" + leaf.subject + "/" + std::string(n) + "/" +
         blob_hash(leaf.blob);
}

/// Entries of a newer version are handed on: the log reader tells people of them.
bool is_in_place(std::string_view key, std::string_view prefix, const LedgerLeaf& leaf) {
  const auto entry = parse_entry(leaf.blob);
  if (entry.has_value()) {
    return entry->id == leaf.subject && entry->kind == leaf.kind &&
           key == key_of(prefix, leaf, std::to_string(entry->n));
  }
  if (!(entry.error() == Errc::unsupported)) return false;
  const std::size_t begin = prefix.size() + leaf.subject.size() + 2;
  if (key.size() <= begin) return false;
  const std::string_view n = key.substr(begin, key.find('/', begin) - begin);
  return n.find_first_not_of("0123456789") == std::string_view::npos &&
         key == key_of(prefix, leaf, n);
}

}  // namespace

std::string EtcdKeys::entry(const LedgerLeaf& leaf) const {
  const auto entry = parse_entry(leaf.blob);
  ASSERT(entry.has_value());
  return key_of(prefix_, leaf, std::to_string(entry->n));
}

EtcdRange EtcdKeys::entries(std::string_view subject, std::uint64_t from) const {
  return range_below(prefix_ + "/" + std::string(subject) + "/", from);
}

EtcdRange EtcdKeys::all_entries(std::uint64_t from) const {
  return range_below(prefix_ + "/" + std::string(kSubjects), from);
}

std::optional<LedgerEntry> EtcdKeys::entry_in(const EtcdPair& pair) const {
  if (pair.created != pair.modified) return std::nullopt;
  auto leaf = parse_leaf(pair.value);
  if (!leaf.has_value() || !check_did_kith(leaf->subject).has_value()) return std::nullopt;
  // One spelling, so that one entry has one value.
  const bool plain = leaf->time >= anchor_time_ms(0) && leaf->time <= kAnchorTimeMax &&
                     leaf->blob.size() <= limits::kEntryBytesMax && leaf_text(*leaf) == pair.value;
  if (!plain) return std::nullopt;
  if (!is_in_place(pair.key, prefix_, *leaf)) return std::nullopt;
  return LedgerEntry{pair.created, std::move(leaf->subject), std::move(leaf->blob), leaf->time};
}

}  // namespace kith::ledger
