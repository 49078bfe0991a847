#include "ledger/memory_ledger.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "ledger/did_kith.hpp"

namespace kith::ledger {

MemoryLedger::MemoryLedger(LedgerDescriptor descriptor, bool test_mode)
    : descriptor_(std::move(descriptor)), test_mode_(test_mode) {
  ASSERT(check_descriptor(descriptor_).has_value());
}

Result<AppendOutcome> MemoryLedger::stage(const AppendRequest& request, AnchorTime now) {
  CHECK(check_append(request));
  const std::string hash = blob_hash(request.blob);
  if (const auto held = by_blob_hash_.find(hash); held != by_blob_hash_.end()) {
    LedgerEntry& entry = entries_[held->second];
    if (entry.witnessed.empty()) entry.witnessed = words_to_keep(request, descriptor_);
    return AppendOutcome(Appended{held->second, entry.time});
  }
  std::vector<AnchoredBlob> blobs;
  if (const auto log = by_subject_.find(request.subject); log != by_subject_.end()) {
    for (const std::uint64_t position : log->second) {
      const LedgerEntry& entry = entries_[position];
      blobs.push_back({entry.blob, entry.time, {}, true, entry.witnessed});
    }
  }
  const AppendContext context{blobs,       newest(), now, test_mode_, ledger_id(descriptor_),
                              &descriptor_};
  TRY(auto judged, judge_append(request, context));
  if (auto* stale = std::get_if<StaleHead>(&judged)) return AppendOutcome(std::move(*stale));
  TRY(const Appended appended, put(std::move(std::get<LedgerLeaf>(judged)), hash));
  entries_.back().witnessed = words_to_keep(request, descriptor_);
  return AppendOutcome(appended);
}

Result<void> MemoryLedger::stage_copy(const LedgerEntry& entry) {
  TRY(LedgerLeaf leaf, copied_leaf(entry, entries_.size(), newest()));
  const std::string hash = blob_hash(leaf.blob);
  CHECK(put(std::move(leaf), hash));
  entries_.back().witnessed =
      words_to_keep({entry.subject, entry.blob, {}, entry.witnessed}, descriptor_);
  return {};
}

AnchorTime MemoryLedger::newest() const {
  return entries_.empty() ? anchor_time_ms(0) : entries_.back().time;
}

Result<Appended> MemoryLedger::put(LedgerLeaf leaf, const std::string& hash) {
  const std::uint64_t position = entries_.size();
  TRY(const auto complete,
      merkle_append(position, merkle_leaf_hash(crypto::as_bytes(leaf_text(leaf))), tree()));
  for (const auto& [node, node_hash] : complete) nodes_[node] = node_hash;
  by_subject_[leaf.subject].push_back(position);
  by_blob_hash_.emplace(hash, position);
  entries_.push_back({position, std::move(leaf.subject), std::move(leaf.blob), leaf.time});
  return Appended{position, leaf.time};
}

MerkleReader MemoryLedger::tree() const {
  return [this](const MerkleNode& wanted) -> Result<Digest256> {
    const auto found = nodes_.find(wanted);
    ASSERT(found != nodes_.end());  // Asked only for complete ones.
    return found->second;
  };
}

Result<LedgerPage> MemoryLedger::read(std::string_view subject, std::uint64_t from) {
  CHECK(check_did_kith(subject));
  LedgerPage page;
  const auto log = by_subject_.find(subject);
  if (log == by_subject_.end()) return page;
  for (const std::uint64_t position : log->second) {
    if (position < from) continue;
    if (!add_to_page(page, entries_[position], limits::kLedgerPageEntriesMax)) break;
  }
  return page;
}

Result<LedgerPage> MemoryLedger::follow(std::uint64_t position, std::size_t max) {
  LedgerPage page;
  for (std::uint64_t at = position; at < entries_.size(); ++at) {
    if (!add_to_page(page, entries_[at], max)) break;
  }
  return page;
}

Result<void> MemoryLedger::keep_cosigned(const CosignedCheckpoint& cosigned) {
  ASSERT(cosigned.size <= size() && (!newest_cosigned_ || newest_cosigned_->size <= cosigned.size));
  first_cosigned_.emplace(cosigned.size, cosigned.note);
  newest_cosigned_ = cosigned;
  return {};
}

Result<std::optional<CosignedCheckpoint>> MemoryLedger::newest_cosigned() const {
  return newest_cosigned_;
}

Result<std::optional<CosignedCheckpoint>> MemoryLedger::first_cosigned(std::uint64_t size) const {
  const auto found = first_cosigned_.lower_bound(size);
  if (found == first_cosigned_.end()) return std::optional<CosignedCheckpoint>();
  return std::optional<CosignedCheckpoint>({found->first, found->second});
}

}  // namespace kith::ledger
