#pragma once

/// The host's side of proofs: signs a checkpoint over the ledger's tree, and shows from it that an
/// entry is there and that the ledger only grew (log-protocol section 5).
///
/// A checkpoint is signed when it is first asked for at a size; leaves are counted only when they
/// are durable, so nothing is signed that a crash could take back. One key and one tree have one
/// checkpoint at each size.
///
/// A ledger that asks for witnesses shows itself only as far as enough of them have cosigned it:
/// what came later does not count yet. Each entry comes with the first such checkpoint over it,
/// whose time is the entry's anchor time.
///
/// A copy of a ledger (remote/replica.hpp) has no key: it shows the checkpoints that it was shown.
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

  /// Without `sign`: of a copy.
  LedgerProver(const TreeLedger& ledger, Sign sign) : ledger_(ledger), sign_(std::move(sign)) {}

  /// The newest that counts, as a signed note. Errors: ledger_not_witnessed (none does yet),
  /// unreachable (a copy that has nothing to show yet), those of the storage and of `sign`.
  [[nodiscard]] Result<std::string> checkpoint();
  /// Entries that count: all, or those that enough witnesses have seen. Errors: of the storage.
  [[nodiscard]] Result<std::uint64_t> visible() const;
  /// For witnesses: signed by the ledger alone. Errors: not_found (size > ledger's), as above.
  [[nodiscard]] Result<std::string> signed_by_ledger(std::uint64_t size);
  /// In the tree of `size`. Errors: not_found (position >= size, size > ledger's), storage.
  [[nodiscard]] Result<MerkleProof> inclusion(std::uint64_t position, std::uint64_t size) const;
  /// Errors: not_found (old_size > size, size > ledger's), storage.
  [[nodiscard]] Result<MerkleProof> consistency(std::uint64_t old_size, std::uint64_t size) const;

  /// Proves a page of this ledger to a reader whose newest checkpoint had `seen` leaves. A page
  /// that grows too long by that loses its last entries. If the ledger is shorter than that there
  /// is nothing to prove: the reader sees it from the checkpoint. Errors: as checkpoint.
  [[nodiscard]] Result<protocol::LedgerProof> prove(LedgerPage& page, std::uint64_t seen);
  /// Takes from the page what does not count yet. Errors: of the storage.
  [[nodiscard]] Result<void> cut(LedgerPage& page) const;
  /// receipt.hpp, without the leaf; over the first checkpoint that counts and has the entry, if the
  /// ledger asks for witnesses. Errors: as checkpoint, not_found.
  [[nodiscard]] Result<std::string> receipt(std::uint64_t position);

 private:
  [[nodiscard]] bool asks_witnesses() const { return ledger_.descriptor().w > 0; }
  /// Only what is kept is shown.
  [[nodiscard]] bool shows_kept() const { return asks_witnesses() || !sign_; }
  [[nodiscard]] Result<CosignedCheckpoint> newest();
  [[nodiscard]] Result<std::size_t> anchor(protocol::LedgerProof& proof, std::uint64_t position);

  const TreeLedger& ledger_;
  Sign sign_;
  std::uint64_t signed_size_ = 0;
  std::string note_;               ///< Over signed_size_ leaves; empty: none yet.
  std::uint64_t anchor_size_ = 0;  ///< Of the last anchor of the page being proven.
};

}  // namespace kith::ledger
