#pragma once

/// A receipt: what a ledger gives the writer of an entry, to be checked without it (log-protocol
/// section 5). The form is a C2SP tlog-proof: the entry's place, the proof that it is in the tree,
/// and the signed checkpoint over that tree.
///
///     c2sp.org/tlog-proof@v1
///     extra <base64 of the leaf>       kept receipts have it, those of a host lack it
///     index <position>
///     <base64 of a hash>               one line a hash, from the leaf upwards
///     <empty line>
///     <signed note>
///
/// The specification calls `extra` unauthenticated; here it is the leaf itself, and so the proof
/// is over it.
///
/// Pure. Receipts come from hosts and from files: nothing in one is believed before open_receipt.

#include <cstdint>
#include <string>
#include <string_view>

#include "ledger/append_rules.hpp"
#include "ledger/checkpoint.hpp"

namespace kith::ledger {

struct Receipt {
  std::string leaf;  ///< leaf_text; empty: the reader knows it from elsewhere.
  std::uint64_t position = 0;
  MerkleProof inclusion;
  std::string checkpoint;  ///< Signed note.
  friend bool operator==(const Receipt&, const Receipt&) = default;
};

[[nodiscard]] std::string receipt_text(const Receipt& receipt);
/// The form alone, in its one spelling. Errors: malformed, limit_exceeded (kReceiptBytesMax).
[[nodiscard]] Result<Receipt> parse_receipt(std::string_view text);

/// What a receipt proves.
struct OpenedReceipt {
  LedgerLeaf leaf;
  TrustedCheckpoint trusted;
};
/// The ledger signed a tree that has the receipt's leaf in its place. Errors: malformed (also: no
/// leaf), those of open_checkpoint, bad_proof.
[[nodiscard]] Result<OpenedReceipt> open_receipt(const Receipt& receipt,
                                                 const LedgerDescriptor& ledger);

}  // namespace kith::ledger
