#pragma once

/// The host's side of proofs: signs a checkpoint over the ledger's tree, and shows from it that an
/// entry is there and that the ledger only grew (log-protocol section 5).
///
/// A checkpoint is signed when it is first asked for at a size; leaves are counted only when they
/// are durable, so nothing is signed that a crash could take back. One key and one tree have one
/// checkpoint at each size.
///
/// Single-threaded. The ledger outlives the prover.

#include <cstdint>
#include <functional>
#include <string>

#include "ledger/ledger.hpp"
#include "protocol/effect.hpp"

namespace kith::ledger {

class LedgerProver {
 public:
  /// Signs with the key of the ledger's descriptor (Ed25519, 64 bytes).
  using Sign = std::function<Result<Bytes>(ByteView message)>;

  LedgerProver(const TreeLedger& ledger, Sign sign) : ledger_(ledger), sign_(std::move(sign)) {}

  /// The newest, as a signed note. Errors: those of the storage and of `sign`.
  [[nodiscard]] Result<std::string> checkpoint();
  /// In the tree of `size`. Errors: not_found (position >= size, size > ledger's), storage.
  [[nodiscard]] Result<MerkleProof> inclusion(std::uint64_t position, std::uint64_t size) const;
  /// Errors: not_found (old_size > size, size > ledger's), storage.
  [[nodiscard]] Result<MerkleProof> consistency(std::uint64_t old_size, std::uint64_t size) const;

  /// Proves a page of this ledger to a reader whose newest checkpoint had `seen` leaves. A page
  /// that grows too long by that loses its last entries. If the ledger is shorter than that there
  /// is nothing to prove: the reader sees it from the checkpoint. Errors: as checkpoint.
  [[nodiscard]] Result<protocol::LedgerProof> prove(LedgerPage& page, std::uint64_t seen);
  /// receipt.hpp, without the leaf. Errors: as checkpoint, not_found.
  [[nodiscard]] Result<std::string> receipt(std::uint64_t position);

 private:
  const TreeLedger& ledger_;
  Sign sign_;
  std::uint64_t signed_size_ = 0;
  std::string note_;  ///< Over signed_size_ leaves; empty: none yet.
};

}  // namespace kith::ledger
