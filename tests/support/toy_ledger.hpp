#pragma once

/// A ledger in one text file, a line a leaf: what it takes to add a backend. It knows the seam
/// (ledger/ledger.hpp) and the rules that all share (ledger/append_rules.hpp), and nothing in
/// ledger/, protocol/, recovery/ or node/ knows it. Slow: each call reads the file.

#include <fstream>
#include <string>
#include <utility>

#include "ledger/append_rules.hpp"
#include "ledger/did_kith.hpp"

namespace kith::test {

class ToyLedger final : public ledger::Ledger {
 public:
  ToyLedger(std::string path, ledger::LedgerDescriptor descriptor, bool test_mode)
      : path_(std::move(path)), descriptor_(std::move(descriptor)), test_mode_(test_mode) {}

  const ledger::LedgerDescriptor& descriptor() const override { return descriptor_; }

  Result<ledger::AppendOutcome> append(const ledger::AppendRequest& request,
                                       ledger::AnchorTime now) override {
    CHECK(ledger::check_append(request));
    TRY(const auto held, entries());
    std::vector<ledger::AnchoredBlob> blobs;
    for (const ledger::LedgerEntry& entry : held) {
      if (entry.subject != request.subject) continue;
      if (entry.blob == request.blob) {
        return ledger::AppendOutcome(ledger::Appended{entry.position, entry.time});
      }
      blobs.push_back({entry.blob, entry.time});
    }
    const auto newest = held.empty() ? ledger::anchor_time_ms(0) : held.back().time;
    TRY(auto judged, ledger::judge_append(request, {blobs, newest, now, test_mode_}));
    if (auto* stale = std::get_if<ledger::StaleHead>(&judged)) {
      return ledger::AppendOutcome(std::move(*stale));
    }
    const auto& leaf = std::get<ledger::LedgerLeaf>(judged);
    std::ofstream file(path_, std::ios::app | std::ios::binary);
    file << ledger::leaf_text(leaf) << '\n' << std::flush;
    if (!file) return fail(Errc::io, path_);
    return ledger::AppendOutcome(ledger::Appended{held.size(), leaf.time});
  }

  Result<ledger::LedgerPage> read(std::string_view subject, std::uint64_t from) override {
    CHECK(ledger::check_did_kith(subject));
    return page(subject, from, limits::kLedgerPageEntriesMax);
  }
  Result<ledger::LedgerPage> follow(std::uint64_t position, std::size_t max) override {
    return page({}, position, max);
  }

 private:
  Result<std::vector<ledger::LedgerEntry>> entries() const {
    std::vector<ledger::LedgerEntry> found;
    std::ifstream file(path_, std::ios::binary);
    for (std::string line; std::getline(file, line);) {
      TRY(auto leaf, ledger::parse_leaf(line));
      found.push_back({found.size(), std::move(leaf.subject), std::move(leaf.blob), leaf.time});
    }
    return found;
  }
  /// Of all subjects where `subject` is empty.
  Result<ledger::LedgerPage> page(std::string_view subject, std::uint64_t from,
                                  std::size_t max) const {
    TRY(auto held, entries());
    ledger::LedgerPage page;
    for (ledger::LedgerEntry& entry : held) {
      if (entry.position < from || (!subject.empty() && entry.subject != subject)) continue;
      if (!ledger::add_to_page(page, std::move(entry), max)) break;
    }
    return page;
  }

  std::string path_;
  ledger::LedgerDescriptor descriptor_;
  bool test_mode_;
};

}  // namespace kith::test
