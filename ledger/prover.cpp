#include "ledger/prover.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "ledger/checkpoint.hpp"
#include "ledger/receipt.hpp"

namespace kith::ledger {
namespace {

/// What a hash in base64 takes of a page, counted like the bytes of blobs: as three quarters of
/// its text.
constexpr std::size_t kHashBytes = 36;

}  // namespace

Result<std::string> LedgerProver::signed_by_ledger(std::uint64_t size) {
  if (size > ledger_.size()) return fail(Errc::not_found, "the ledger has fewer entries");
  if (!sign_) return fail(Errc::refused, "a copy of a ledger signs nothing");
  if (!note_.empty() && signed_size_ == size) return note_;
  TRY(const Digest256 root, merkle_root(size, ledger_.tree()));
  const LedgerDescriptor& ledger = ledger_.descriptor();
  const std::string text = checkpoint_text({ledger.origin, size, root});
  TRY(Bytes signature, sign_(crypto::as_bytes(text)));
  note_ = note_text({text, {ledger_signature(ledger, std::move(signature))}});
  signed_size_ = size;
  return note_;
}

Result<CosignedCheckpoint> LedgerProver::newest() {
  if (shows_kept()) {
    TRY(auto cosigned, ledger_.newest_cosigned());
    if (!cosigned && !sign_) return fail(Errc::unreachable, "this copy is not complete yet");
    if (!cosigned) return fail(Errc::ledger_not_witnessed);
    return std::move(*cosigned);
  }
  const std::uint64_t size = ledger_.size();
  TRY(std::string note, signed_by_ledger(size));
  return CosignedCheckpoint{size, std::move(note)};
}

Result<std::string> LedgerProver::checkpoint() {
  TRY(CosignedCheckpoint shown, newest());
  return std::move(shown.note);
}

Result<std::uint64_t> LedgerProver::visible() const {
  if (!shows_kept()) return ledger_.size();
  TRY(const auto cosigned, ledger_.newest_cosigned());
  return cosigned ? cosigned->size : std::uint64_t{0};
}

Result<MerkleProof> LedgerProver::inclusion(std::uint64_t position, std::uint64_t size) const {
  if (size > ledger_.size()) return fail(Errc::not_found, "the ledger has fewer entries");
  return inclusion_proof(position, size, ledger_.tree());
}

Result<MerkleProof> LedgerProver::consistency(std::uint64_t old_size, std::uint64_t size) const {
  if (size > ledger_.size()) return fail(Errc::not_found, "the ledger has fewer entries");
  return consistency_proof(old_size, size, ledger_.tree());
}

Result<void> LedgerProver::cut(LedgerPage& page) const {
  TRY(const std::uint64_t size, visible());
  const auto first = std::ranges::find_if(
      page.entries, [size](const LedgerEntry& entry) { return entry.position >= size; });
  if (first == page.entries.end()) return {};
  page.entries.erase(first, page.entries.end());
  page.complete = true;  // Nothing that follows counts either.
  return {};
}

/// The place in `proof.anchors` of the first checkpoint over the entry. Entries come in order.
Result<std::size_t> LedgerProver::anchor(protocol::LedgerProof& proof, std::uint64_t position) {
  if (!proof.anchors.empty() && position < anchor_size_) return proof.anchors.size() - 1;
  TRY(auto first, ledger_.first_cosigned(position + 1));
  if (!first) return fail(Errc::storage_corrupt, "the ledger lacks what its witnesses signed");
  anchor_size_ = first->size;
  proof.anchors.push_back(std::move(first->note));
  return proof.anchors.size() - 1;
}

Result<protocol::LedgerProof> LedgerProver::prove(LedgerPage& page, std::uint64_t seen) {
  protocol::LedgerProof proof;
  TRY(CosignedCheckpoint shown, newest());
  CHECK(cut(page));
  proof.descriptor = descriptor_json(ledger_.descriptor());
  if (seen <= shown.size) {
    TRY(proof.consistency, consistency(seen, shown.size));
  }
  std::size_t bytes = 0;
  for (const LedgerEntry& entry : page.entries) {
    TRY(MerkleProof inclusion_of_it, inclusion(entry.position, shown.size));
    bytes += entry.blob.size() + kHashBytes * inclusion_of_it.size();
    protocol::LedgerProof::Anchored anchored;
    if (asks_witnesses()) {
      const std::size_t before = proof.anchors.size();
      TRY(anchored.anchor, anchor(proof, entry.position));
      TRY(anchored.inclusion, inclusion(entry.position, anchor_size_));
      bytes += kHashBytes * anchored.inclusion.size();
      if (proof.anchors.size() > before) bytes += proof.anchors.back().size();
    }
    if (!proof.inclusion.empty() && bytes > limits::kLedgerPageBytesMax) break;
    proof.inclusion.push_back(std::move(inclusion_of_it));
    if (asks_witnesses()) proof.anchored.push_back(std::move(anchored));
  }
  if (proof.inclusion.size() < page.entries.size()) {
    page.entries.resize(proof.inclusion.size());
    page.complete = false;
    if (asks_witnesses()) proof.anchors.resize(proof.anchored.back().anchor + 1);
  }
  proof.checkpoint = std::move(shown.note);
  return proof;
}

Result<std::string> LedgerProver::receipt(std::uint64_t position) {
  Receipt receipt;
  receipt.position = position;
  std::uint64_t size = 0;
  if (asks_witnesses()) {
    TRY(auto first, ledger_.first_cosigned(position + 1));
    if (!first) return fail(Errc::ledger_not_witnessed);
    size = first->size;
    receipt.checkpoint = std::move(first->note);
  } else {
    TRY(CosignedCheckpoint shown, newest());
    size = shown.size;
    receipt.checkpoint = std::move(shown.note);
  }
  TRY(receipt.inclusion, inclusion(position, size));
  return receipt_text(receipt);
}

}  // namespace kith::ledger
