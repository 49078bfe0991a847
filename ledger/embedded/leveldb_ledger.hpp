#pragma once

/// The embedded ledger: one writer, one directory, one synced batch for the appends of a group
/// (log-protocol section 5; TreeLedger). Each batch holds leaves, indices, heads of the subjects,
/// nodes of the tree and size together, so that a crash leaves all of the group or nothing. Leaves
/// are numbered 0, 1, 2, ... and never change, nor do the nodes of the Merkle tree that they
/// complete.
///
///     e<position u64 BE>            leaf_text
///     s<subject> 0x00 <position>    (empty)
///     b<blob hash>                  position
///     h<subject>                    {hash of the newest entry, position, count}
///     t<level u8> <index u64 BE>    hash of a complete node of the tree (merkle.hpp)
///     c<size u64 BE>                first checkpoint of that size that enough witnesses cosigned
///     !state                        {size, anchor time of the newest entry}
///     !cosigned                     {size, note} of the newest such checkpoint
///     !format, !descriptor          format version and descriptor, written when it is made
///
/// Single-threaded; LevelDB's own lock keeps other processes out. Files are readable by their owner
/// only if the directory is (the home's is).

#include <memory>
#include <optional>
#include <string>

#include "ledger/append_rules.hpp"
#include "ledger/ledger.hpp"

namespace kith::ledger {

struct LevelDbLedgerOptions {
  std::string directory;
  /// Of a new ledger. An existing one keeps the descriptor it was made with, and is refused if its
  /// key, origin, witnesses or w are others; as long as it is empty, they may change.
  LedgerDescriptor descriptor;
  bool test_mode = false;      ///< Test logs are taken.
  bool any_witnesses = false;  ///< Whatever witnesses it was made with: nobody said which.
};

class LevelDbLedger final : public TreeLedger {
 public:
  /// Errors: home_locked (open elsewhere), storage_corrupt, storage_unknown, storage_full,
  /// wrong_state (another key, origin or witnesses), home_newer (a newer format), those of
  /// check_descriptor.
  [[nodiscard]] static Result<std::unique_ptr<LevelDbLedger>> open(
      const LevelDbLedgerOptions& options);
  ~LevelDbLedger() override;
  LevelDbLedger(const LevelDbLedger&) = delete;
  LevelDbLedger& operator=(const LevelDbLedger&) = delete;

  [[nodiscard]] const LedgerDescriptor& descriptor() const override;
  /// After a flush that failed all that follows is UnknownOutcome, and every flush fails: open it
  /// again.
  [[nodiscard]] Result<AppendOutcome> stage(const AppendRequest& request, AnchorTime now) override;
  [[nodiscard]] Result<void> stage_copy(const LedgerEntry& entry) override;
  [[nodiscard]] Result<void> flush() override;
  [[nodiscard]] Result<LedgerPage> read(std::string_view subject, std::uint64_t from) override;
  [[nodiscard]] Result<LedgerPage> follow(std::uint64_t position, std::size_t max) override;

  [[nodiscard]] std::uint64_t size() const override;
  [[nodiscard]] MerkleReader tree() const override;
  /// A write that fails counts as one of flush.
  [[nodiscard]] Result<void> keep_cosigned(const CosignedCheckpoint& cosigned) override;
  [[nodiscard]] Result<std::optional<CosignedCheckpoint>> newest_cosigned() const override;
  [[nodiscard]] Result<std::optional<CosignedCheckpoint>> first_cosigned(
      std::uint64_t size) const override;
  /// The write that failed: storage_full or storage_unknown.
  [[nodiscard]] std::optional<Error> failure() const;

 private:
  struct Impl;  ///< Keeps LevelDB out of this header.
  explicit LevelDbLedger(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace kith::ledger
