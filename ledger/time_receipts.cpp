#include "ledger/time_receipts.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <set>

#include "ledger/receipt.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kTimeReceipts = "log-receipts";

struct KeptReceipts {
  std::vector<HistoryReceipt> receipts;  ///< Oldest first.
  template <class V>
  void visit(V& v) {
    v("receipts", receipts);
  }
};

bool is_timed(Op op) {
  return op == Op::recover || op == Op::veto;
}

/// What a receipt says, by a ledger that signed it as its descriptor asks.
struct Word {
  std::string ledger;
  LedgerLeaf leaf;
  AnchorTime time;
};
Result<Word> word_of(const HistoryReceipt& shown, AnchorTime now) {
  TRY(const LedgerDescriptor ledger, parse_descriptor(shown.keeper));
  TRY(const Receipt receipt, parse_receipt(shown.receipt));
  TRY(OpenedReceipt opened, open_receipt(receipt, ledger));
  TRY(const auto witnessed, check_witnesses(opened.trusted, ledger, now));
  const AnchorTime time = witnessed.value_or(opened.leaf.time);
  return Word{ledger_id(ledger), std::move(opened.leaf), time};
}

/// Where a log lives, entry by entry.
class Places {
 public:
  /// The ledger that gives the entry its time; empty: not known.
  std::string take(const Entry& entry) {
    const auto before = places_.find(entry.prev);
    Place place;
    if (before != places_.end()) {
      // A veto lies where the recover does that it names.
      place.judged = entry.op == Op::veto ? before->second.judged : before->second.named;
    }
    place.named = entry.content && !entry.content->ledgers.empty() ? entry.content->ledgers.front()
                                                                   : place.judged;
    return places_.insert_or_assign(entry_hash(entry), std::move(place)).first->second.judged;
  }

 private:
  struct Place {
    std::string judged;  ///< By its time the entry was judged.
    std::string named;   ///< After the entry the log lives here.
  };
  std::map<std::string, Place> places_;
};

}  // namespace

std::vector<HistoryReceipt> receipts_in(std::span<const LedgerEntry> entries,
                                        const protocol::LedgerProof& proof,
                                        const std::string& descriptor) {
  std::vector<HistoryReceipt> receipts;
  for (std::size_t i = 0; i < entries.size(); ++i) {
    const LedgerEntry& shown = entries[i];
    const auto entry = parse_entry(shown.blob);
    if (!entry.has_value() || !is_timed(entry->op) || i >= proof.inclusion.size()) continue;
    Receipt receipt;
    receipt.leaf = leaf_text({shown.subject, shown.blob, shown.time, entry->kind});
    receipt.position = shown.position;
    receipt.inclusion = proof.inclusion[i];
    receipt.checkpoint = proof.checkpoint;
    if (i < proof.anchored.size() && proof.anchored[i].anchor < proof.anchors.size()) {
      receipt.inclusion = proof.anchored[i].inclusion;
      receipt.checkpoint = proof.anchors[static_cast<std::size_t>(proof.anchored[i].anchor)];
    }
    receipts.push_back({descriptor, receipt_text(receipt)});
  }
  return receipts;
}

void keep_time_receipts(Host& host, std::string_view subject,
                        const std::vector<HistoryReceipt>& receipts) {
  if (receipts.empty()) return;
  KeptReceipts kept{time_receipts(host, subject)};
  const auto leaf_of = [](const HistoryReceipt& one) {
    const auto receipt = parse_receipt(one.receipt);
    return receipt.has_value() ? receipt->leaf : std::string();
  };
  std::vector<std::string> leaves;
  for (const HistoryReceipt& one : kept.receipts) leaves.push_back(leaf_of(one));
  const std::size_t before = kept.receipts.size();
  for (const HistoryReceipt& one : receipts) {
    if (std::ranges::find(leaves, leaf_of(one)) == leaves.end()) kept.receipts.push_back(one);
  }
  if (kept.receipts.size() == before) return;
  if (const std::size_t count = kept.receipts.size(); count > protocol::kProofReceiptsMax) {
    const auto surplus = static_cast<std::ptrdiff_t>(count - protocol::kProofReceiptsMax);
    kept.receipts.erase(kept.receipts.begin(), kept.receipts.begin() + surplus);
  }
  save(host, kTimeReceipts, subject, kept);
}

std::vector<HistoryReceipt> time_receipts(Host& host, std::string_view subject) {
  return load<KeptReceipts>(host, kTimeReceipts, subject).value_or(KeptReceipts{}).receipts;
}

TimedLog timed_log(std::string_view subject, const protocol::ShownHistory& shown, AnchorTime now) {
  TimedLog log;
  log.blobs.reserve(shown.log.size());
  for (const Bytes& blob : shown.log) log.blobs.push_back({blob, now});
  std::vector<Word> words;
  for (const HistoryReceipt& receipt : shown.receipts) {
    auto word = word_of(receipt, now);
    if (word.has_value() && word->leaf.subject == subject) words.push_back(std::move(*word));
  }
  if (words.empty()) return log;

  Places places;
  std::set<std::string> timed;
  std::size_t open = 0;  // Entries from here on wait for the next one that has a time.
  for (std::size_t i = 0; i < log.blobs.size(); ++i) {
    const auto entry = parse_entry(log.blobs[i].blob);
    if (!entry.has_value()) continue;
    const std::string place = places.take(*entry);
    if (!is_timed(entry->op)) continue;
    const auto word = std::ranges::find_if(words, [&](const Word& one) {
      return !place.empty() && one.ledger == place && one.leaf.blob == log.blobs[i].blob;
    });
    AnchorTime time = now;
    if (word != words.end()) {
      time = std::min(word->time, now);
      timed.insert(entry_hash(*entry));
      if (entry->op == Op::veto && timed.contains(entry->prev)) log.vetoed.push_back(entry->prev);
    }
    for (; open <= i; ++open) log.blobs[open].time = time;
  }
  return log;
}

}  // namespace kith::ledger
