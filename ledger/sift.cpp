#include "ledger/sift.hpp"

#include <algorithm>
#include <set>

#include "ledger/log_machine.hpp"
#include "ledger/log_rules.hpp"
#include "ledger/log_store.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {
namespace {

/// What entries that count announce: digests of next keys and of recovery sets.
class Announced {
 public:
  explicit Announced(const LogView& view) {
    for (const auto* list : {&view.history, &view.replaced, &view.vetoed}) {
      for (const LogRecord& record : *list) add(*record.entry);
    }
    if (view.pending) add(*view.pending->record.entry);
  }
  [[nodiscard]] bool may_be_owners(const Entry& entry) const {
    const auto is_known = [&](const EntrySignature& sig) {
      return entry.op == Op::recover ? contains(entry.reveal->k, sig.k) : holds(key_digest(sig.k));
    };
    if (entry.op == Op::recover && !(entry.reveal && holds(recovery_digest(*entry.reveal)))) {
      return false;
    }
    return std::ranges::any_of(entry.sigs, is_known);
  }

 private:
  void add(const Entry& entry) {
    if (!entry.content) return;
    for (const std::string& digest : entry.content->next.kd) digests_.insert(digest);
    digests_.insert(entry.content->rec.d);
    if (entry.content->rec.hi) digests_.insert(*entry.content->rec.hi);
  }
  [[nodiscard]] bool holds(const std::string& digest) const { return digests_.contains(digest); }

  std::set<std::string> digests_;
};

}  // namespace

std::vector<bool> never_counts(std::string_view subject, std::span<const AnchoredBlob> blobs,
                               AnchorTime now, bool test_mode) {
  LogMachine machine(subject, test_mode, false);
  machine.enter("");
  std::vector<Arrival> arrivals;
  for (const AnchoredBlob& blob : blobs) {
    arrivals.push_back(read_arrival(arrivals.size(), blob.blob, blob.time));
    machine.take(arrivals.back());
  }
  machine.leave(now);
  const auto view = machine.view();
  if (!view.has_value() && view.error() != Errc::not_found) return {};
  const std::optional<Announced> announced =
      view.has_value() ? std::optional<Announced>(*view) : std::nullopt;
  std::vector<bool> never(blobs.size(), false);
  for (std::size_t i = 0; i < blobs.size(); ++i) {
    if (!machine.junk_at(i)) continue;
    const auto& entry = arrivals[i].entry;
    const bool stands_alone =
        entry != nullptr && (entry->op == Op::recover || entry->op == Op::veto);
    never[i] = !stands_alone || !announced || !announced->may_be_owners(*entry) ||
               check_signatures(*entry, arrivals[i].digest).has_value();
  }
  if (!view.has_value()) return never;
  for (const Duplicity& evidence : view->duplicity) never[evidence.second] = false;
  return never;
}

void sift_pages(Host& host, std::string_view subject, std::vector<protocol::AnchoredBlob>& pages) {
  std::size_t bytes = 0;
  for (const auto& entry : pages) bytes += entry.blob.size();
  if (bytes <= kSiftAboveBytes && pages.size() <= kSiftAboveEntries) return;
  std::vector<AnchoredBlob> blobs;
  for (const auto& entry : pages) blobs.push_back({entry.blob, anchor_time(entry.time)});
  const auto never = never_counts(subject, blobs, anchor_time(host.now()), host.test_mode());
  if (never.empty()) return;
  std::vector<protocol::AnchoredBlob> kept;
  for (std::size_t i = 0; i < pages.size(); ++i) {
    if (!never[i] || i + 1 == pages.size()) kept.push_back(std::move(pages[i]));
  }
  pages = std::move(kept);
}

}  // namespace kith::ledger
