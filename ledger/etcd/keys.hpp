#pragma once

/// Where a ledger's entries lie in an etcd cluster (log-protocol section 5), below its prefix:
///
///     PREFIX/<subject>/<n>/<blob hash>   leaf_text: the entry with its anchor time; written once
///     PREFIX/head/<subject>              blob hash of the newest; writers compare its revision
///     PREFIX/ledger                      the ledger's descriptor, of whoever came first
///
/// An entry's position is the revision of its making. One transaction writes one entry, so no two
/// have the same one, and positions of one ledger rise with gaps.
///
/// Whoever may write to the cluster may put anything anywhere. A reader passes over what is not an
/// entry in its own place (entry_in): a key of another form, one that was written twice, a value
/// that is not a leaf, a leaf of another subject, number or blob than its key says.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "ledger/append_rules.hpp"
#include "ledger/etcd/wire.hpp"

namespace kith::ledger {

class EtcdKeys {
 public:
  explicit EtcdKeys(std::string prefix) : prefix_(std::move(prefix)) {}

  [[nodiscard]] std::string descriptor() const { return prefix_ + "/ledger"; }
  [[nodiscard]] std::string head(std::string_view subject) const {
    return prefix_ + "/head/" + std::string(subject);
  }
  /// `leaf` holds an entry that the reader took (asserted).
  [[nodiscard]] std::string entry(const LedgerLeaf& leaf) const;

  /// All entries of one subject, or of all; from `from` on.
  [[nodiscard]] EtcdRange entries(std::string_view subject, std::uint64_t from) const;
  [[nodiscard]] EtcdRange all_entries(std::uint64_t from) const;

  /// The entry of that key and value; nullopt: junk.
  [[nodiscard]] std::optional<LedgerEntry> entry_in(const EtcdPair& pair) const;

 private:
  std::string prefix_;
};

}  // namespace kith::ledger
