#include "ledger/receipt.hpp"

#include <optional>

#include "crypto/limits.hpp"
#include "ledger/hash_text.hpp"
#include "ledger/text_lines.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kFirstLine = "c2sp.org/tlog-proof@v1\n";
constexpr std::string_view kExtra = "extra ";
constexpr std::string_view kIndex = "index ";

Result<std::string_view> next_receipt_line(std::string_view& text) {
  const auto line = take_line(text);
  if (!line) return fail(Errc::malformed, "a receipt ends too early");
  return *line;
}

/// The number on a line that names the place of an entry.
std::optional<std::uint64_t> index_in(std::string_view line) {
  if (!line.starts_with(kIndex)) return std::nullopt;
  line.remove_prefix(kIndex.size());
  return plain_decimal(line);
}

}  // namespace

std::string receipt_text(const Receipt& receipt) {
  std::string text(kFirstLine);
  if (!receipt.leaf.empty()) {
    text.append(kExtra).append(base64(crypto::as_bytes(receipt.leaf))).push_back('\n');
  }
  text.append(kIndex).append(std::to_string(receipt.position)).push_back('\n');
  for (const Digest256& hash : receipt.inclusion) text.append(base64(hash)).push_back('\n');
  return text.append("\n").append(receipt.checkpoint);
}

Result<Receipt> parse_receipt(std::string_view text) {
  if (text.size() > limits::kReceiptBytesMax) {
    return fail(Errc::limit_exceeded, "a receipt is too long");
  }
  if (!text.starts_with(kFirstLine)) return fail(Errc::malformed, "that is not a receipt");
  text.remove_prefix(kFirstLine.size());
  Receipt receipt;
  TRY(std::string_view line, next_receipt_line(text));
  if (line.starts_with(kExtra)) {
    TRY(const Bytes leaf, from_base64(line.substr(kExtra.size())));
    if (leaf.empty()) return fail(Errc::malformed, "a receipt with an empty leaf");
    receipt.leaf = crypto::as_text(leaf);
    TRY(line, next_receipt_line(text));
  }
  const auto position = index_in(line);
  if (!position) return fail(Errc::malformed, "a receipt names no place");
  receipt.position = *position;
  for (;;) {
    TRY(line, next_receipt_line(text));
    if (line.empty()) break;
    if (receipt.inclusion.size() == limits::kMerkleProofHashesMax) {
      return fail(Errc::limit_exceeded, "a receipt has too many hashes");
    }
    TRY(const Digest256 hash, parse_hash(line));
    receipt.inclusion.push_back(hash);
  }
  receipt.checkpoint = text;
  CHECK(parse_note(receipt.checkpoint));
  return receipt;
}

Result<OpenedReceipt> open_receipt(const Receipt& receipt, const LedgerDescriptor& ledger) {
  auto leaf = parse_leaf(receipt.leaf);
  if (!leaf.has_value()) return fail(Errc::malformed, "the receipt holds no leaf of a ledger");
  TRY(TrustedCheckpoint trusted, open_checkpoint(receipt.checkpoint, ledger));
  const Checkpoint& checkpoint = trusted.checkpoint;
  if (!proves_inclusion(receipt.inclusion, merkle_leaf_hash(crypto::as_bytes(receipt.leaf)),
                        receipt.position, checkpoint.size, checkpoint.root)) {
    return fail(Errc::bad_proof, "the entry is not in the tree that the ledger signed");
  }
  return OpenedReceipt{std::move(*leaf), std::move(trusted)};
}

}  // namespace kith::ledger
