#include "ledger/prover.hpp"

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"
#include "ledger/checkpoint.hpp"
#include "ledger/receipt.hpp"

namespace kith::ledger {
namespace {

/// What a hash in base64 takes of a page, counted like the bytes of blobs: as three quarters of
/// its text.
constexpr std::size_t kHashBytes = 36;

}  // namespace

Result<std::string> LedgerProver::checkpoint() {
  const std::uint64_t size = ledger_.size();
  if (!note_.empty() && signed_size_ == size) return note_;
  TRY(const Digest256 root, merkle_root(size, ledger_.tree()));
  const LedgerDescriptor& ledger = ledger_.descriptor();
  const std::string text = checkpoint_text({ledger.origin, size, root});
  TRY(Bytes signature, sign_(crypto::as_bytes(text)));
  note_ = note_text({text, {ledger_signature(ledger, std::move(signature))}});
  signed_size_ = size;
  return note_;
}

Result<MerkleProof> LedgerProver::inclusion(std::uint64_t position, std::uint64_t size) const {
  if (size > ledger_.size()) return fail(Errc::not_found, "the ledger has fewer entries");
  return inclusion_proof(position, size, ledger_.tree());
}

Result<MerkleProof> LedgerProver::consistency(std::uint64_t old_size, std::uint64_t size) const {
  if (size > ledger_.size()) return fail(Errc::not_found, "the ledger has fewer entries");
  return consistency_proof(old_size, size, ledger_.tree());
}

Result<protocol::LedgerProof> LedgerProver::prove(LedgerPage& page, std::uint64_t seen) {
  protocol::LedgerProof proof;
  TRY(proof.checkpoint, checkpoint());
  proof.descriptor = descriptor_json(ledger_.descriptor());
  if (seen <= signed_size_) {
    TRY(proof.consistency, consistency(seen, signed_size_));
  }
  std::size_t bytes = 0;
  for (const LedgerEntry& entry : page.entries) {
    TRY(MerkleProof inclusion_of_it, inclusion(entry.position, signed_size_));
    bytes += entry.blob.size() + kHashBytes * inclusion_of_it.size();
    if (!proof.inclusion.empty() && bytes > limits::kLedgerPageBytesMax) break;
    proof.inclusion.push_back(std::move(inclusion_of_it));
  }
  if (proof.inclusion.size() < page.entries.size()) {
    page.entries.resize(proof.inclusion.size());
    page.complete = false;
  }
  return proof;
}

Result<std::string> LedgerProver::receipt(std::uint64_t position) {
  Receipt receipt;
  TRY(receipt.checkpoint, checkpoint());
  receipt.position = position;
  TRY(receipt.inclusion, inclusion(position, signed_size_));
  return receipt_text(receipt);
}

}  // namespace kith::ledger
