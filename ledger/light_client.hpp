#pragma once

/// The reader's side of proofs (log-protocol section 5): pins what a ledger is, keeps the newest
/// checkpoint of it that was verified, goes on only to one that continues it, and believes entries
/// only when they are proven to be in that tree.
///
/// Pure: what is remembered is a plain record, and who keeps it is the caller (seen_ledgers.hpp).
///
/// What a host may have done, and how it shows:
///   ledger_rollback  it showed fewer leaves than the question said were seen
///   ledger_fork      its checkpoint does not continue the one that was seen
///   ledger_unproven  an entry is not where it says, or too few witnesses signed
///   ledger_outdated  its newest checkpoint was witnessed too long ago
/// A host that leaves out an entry which its reader never saw is not caught by this: a tree proves
/// what is there. Readers of whole ledgers see the gap (check_followed).

#include <cstdint>
#include <span>
#include <string>

#include "ledger/checkpoint.hpp"
#include "ledger/ledger.hpp"
#include "protocol/effect.hpp"
#include "protocol/record.hpp"

namespace kith::ledger {

/// What a reader remembers of a ledger; a record.
struct SeenLedger {
  std::string descriptor;  ///< Canonical JSON: pinned, never replaced.
  std::string checkpoint;  ///< The newest verified, as a signed note; empty: none yet.
  Time advanced{};         ///< When it was taken over.
  template <class V>
  void visit(V& v) {
    v("descriptor", descriptor), v("checkpoint", checkpoint), v("advanced", advanced);
  }
};

/// Of the newest verified checkpoint; 0: none. Errors: storage_corrupt.
[[nodiscard]] Result<std::uint64_t> seen_size(const SeenLedger& seen);

struct Judged {
  Checkpoint checkpoint;  ///< Of the proof; verified unless `ask_again`.
  bool advances = false;  ///< It is newer than the one that was seen: to be kept.
  /// The question was asked before the ledger was seen at its present size, so that its answer
  /// cannot be compared. Nothing of it is verified.
  bool ask_again = false;
};
/// Whether the checkpoint of `proof` continues what was seen. `asked` is the size that the question
/// named, `now` when the answer came. Errors: bad_key (another ledger's descriptor), malformed,
/// limit_exceeded, bad_signature, ledger_unproven, ledger_outdated, ledger_rollback, ledger_fork.
[[nodiscard]] Result<Judged> judge_checkpoint(const SeenLedger& seen,
                                              const protocol::LedgerProof& proof,
                                              std::uint64_t asked, AnchorTime now);

/// That `entries` are in the tree of `checkpoint`, each with its time and subject, in its place.
/// Errors: malformed, ledger_unproven.
[[nodiscard]] Result<void> check_included(std::span<const LedgerEntry> entries,
                                          std::span<const MerkleProof> inclusion,
                                          const Checkpoint& checkpoint);

/// Gives entries that check_included() took their anchor times: of a ledger that asks for witnesses
/// the time when enough of them had signed the first tree with the entry; of others nothing
/// changes. Errors: malformed, limit_exceeded, bad_signature, ledger_unproven (also: the times run
/// back).
[[nodiscard]] Result<void> set_anchor_times(std::span<LedgerEntry> entries,
                                            const protocol::LedgerProof& proof,
                                            const LedgerDescriptor& ledger, AnchorTime now);

/// That a page which was read from `position` on lacks nothing: places without gaps, up to the end
/// of the tree if it says that it is complete. Errors: ledger_unproven.
[[nodiscard]] Result<void> check_followed(const LedgerPage& page, std::uint64_t position,
                                          const Checkpoint& checkpoint);

}  // namespace kith::ledger
