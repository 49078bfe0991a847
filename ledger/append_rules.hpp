#pragma once

/// What the backends of ours share: when a blob is taken, the leaf that is stored for it, and how
/// pages are cut. Storage is theirs.

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "ledger/ledger.hpp"
#include "ledger/log_reader.hpp"

namespace kith::ledger {

/// The leaf of the Merkle tree (log-protocol section 5): canonical JSON {"blob":base64url,
/// "kind":"did","subject":"did:kith:..","time":ms}. Below 65535 bytes, as tlog-tiles asks.
struct LedgerLeaf {
  std::string subject;
  Bytes blob;
  AnchorTime time;
  Kind kind = Kind::did;
  friend bool operator==(const LedgerLeaf&, const LedgerLeaf&) = default;
};
[[nodiscard]] std::string leaf_text(const LedgerLeaf& leaf);
/// Errors: storage_corrupt (leaves are our own writing).
[[nodiscard]] Result<LedgerLeaf> parse_leaf(std::string_view text);

struct AppendContext {
  std::span<const AnchoredBlob> blobs;  ///< What the ledger holds of the subject.
  AnchorTime newest;                    ///< Anchor time of the ledger's newest entry.
  AnchorTime now;
  bool test_mode = false;
  /// Id of the ledger; empty: not known. With it a log that moved here is taken as it was where it
  /// comes from, and one that moved away takes no more than what ends the move.
  std::string ledger = {};
  const LedgerDescriptor* descriptor = nullptr;  ///< Where witnesses' words are kept.
};

/// Shape of a request, before anything is looked up. Errors: malformed, limit_exceeded.
[[nodiscard]] Result<void> check_append(const AppendRequest& request);

/// The words of `request` that a backend keeps beside the leaf: of a recover or veto, those that
/// hold.
[[nodiscard]] std::vector<WitnessTime> words_to_keep(const AppendRequest& request,
                                                     const LedgerDescriptor& descriptor);

/// The leaf to store, or the head when `expected_head` is another. The blob is not held yet.
/// Errors: those of Ledger::append.
[[nodiscard]] Result<std::variant<LedgerLeaf, StaleHead>> judge_append(
    const AppendRequest& request, const AppendContext& context);

/// The leaf of an entry that is copied to place `next`, after one of the time `newest`. Errors:
/// those of TreeLedger::stage_copy.
[[nodiscard]] Result<LedgerLeaf> copied_leaf(const LedgerEntry& entry, std::uint64_t next,
                                             AnchorTime newest);

/// Adds an entry to a page unless it is full; then marks the page incomplete and returns false.
[[nodiscard]] bool add_to_page(LedgerPage& page, LedgerEntry entry, std::size_t max);

}  // namespace kith::ledger
