#pragma once

/// A ledger in memory: for the simulator and for tests. The same rules as the embedded one.

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "ledger/append_rules.hpp"
#include "ledger/ledger.hpp"

namespace kith::ledger {

class MemoryLedger final : public TreeLedger {
 public:
  /// `descriptor` is valid (asserted). `test_mode`: test logs are taken.
  MemoryLedger(LedgerDescriptor descriptor, bool test_mode);

  [[nodiscard]] const LedgerDescriptor& descriptor() const override { return descriptor_; }
  /// There is nothing to wait for: what is staged can be read.
  [[nodiscard]] Result<AppendOutcome> stage(const AppendRequest& request, AnchorTime now) override;
  [[nodiscard]] Result<void> stage_copy(const LedgerEntry& entry) override;
  [[nodiscard]] Result<void> flush() override { return {}; }
  [[nodiscard]] Result<LedgerPage> read(std::string_view subject, std::uint64_t from) override;
  [[nodiscard]] Result<LedgerPage> follow(std::uint64_t position, std::size_t max) override;

  [[nodiscard]] std::uint64_t size() const override { return entries_.size(); }
  [[nodiscard]] MerkleReader tree() const override;

  [[nodiscard]] Result<void> keep_cosigned(const CosignedCheckpoint& cosigned) override;
  [[nodiscard]] Result<std::optional<CosignedCheckpoint>> newest_cosigned() const override;
  [[nodiscard]] Result<std::optional<CosignedCheckpoint>> first_cosigned(
      std::uint64_t size) const override;

 private:
  [[nodiscard]] AnchorTime newest() const;
  [[nodiscard]] Result<Appended> put(LedgerLeaf leaf, const std::string& hash);

  LedgerDescriptor descriptor_;
  bool test_mode_;
  std::vector<LedgerEntry> entries_;  ///< The index is the position.
  std::map<std::string, std::vector<std::uint64_t>, std::less<>> by_subject_;
  std::map<std::string, std::uint64_t> by_blob_hash_;
  std::map<MerkleNode, Digest256> nodes_;
  std::optional<CosignedCheckpoint> newest_cosigned_;
  std::map<std::uint64_t, std::string> first_cosigned_;  ///< By size.
};

}  // namespace kith::ledger
