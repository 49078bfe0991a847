#include "ledger/handed_entries.hpp"

#include <algorithm>

#include "ledger/log_file.hpp"
#include "ledger/log_limits.hpp"
#include "ledger/log_store.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kHandedLogs = "handed-entry";

struct HandedEntry {
  StoredBlob blob;         ///< Unseen; `anchored` is when it was handed over.
  std::string descriptor;  ///< Of its ledger, canonical JSON; the ledger's id commits to it.
  template <class V>
  void visit(V& v) {
    v("blob", blob), v("descriptor", descriptor);
  }
};

struct HandedLog {
  std::vector<HandedEntry> entries;
  Time handed{};
  template <class V>
  void visit(V& v) {
    v("entries", entries), v("handed", handed);
  }
};

/// As it is to be kept; nullopt: enough witnesses did not see it, or it is another kind of entry.
std::optional<HandedEntry> handed_entry(const LogFile& file, const AnchoredBlob& blob, Time now) {
  const auto entry = parse_entry(blob.blob);
  const bool may = entry.has_value() && entry->id == file.subject &&
                   (entry->op == Op::recover || entry->op == Op::veto);
  for (const LedgerDescriptor& ledger : file.descriptors) {
    if (!may || ledger_id(ledger) != blob.ledger) continue;
    if (!witnessed_time(ledger, file.subject, blob.blob, blob.witnessed)) continue;
    StoredBlob kept{blob.blob, now, blob.ledger};
    kept.witnessed = witness_words(good_times(ledger, file.subject, blob.blob, blob.witnessed));
    kept.unseen = true;
    return HandedEntry{std::move(kept), descriptor_json(ledger)};
  }
  return std::nullopt;
}

void make_room_for_handed(Host& host, const std::string& subject) {
  const auto subjects = host.list(kHandedLogs);
  if (subjects.size() < log_limits::kHandedLogs || contains(subjects, subject)) return;
  const auto handed = [&](const std::string& one) {
    return load<HandedLog>(host, kHandedLogs, one)->handed;
  };
  host.erase({std::string(kHandedLogs), *std::ranges::min_element(subjects, {}, handed)});
}

}  // namespace

Result<JsonObject> take_log_file(Host& host, const JsonObject& args) {
  CHECK(only_members(args, {"file"}, "did-take"));
  TRY(const std::string text, crypto::json_string(args, "file"));
  TRY(const LogFile file, parse_log_file(text));
  HandedLog log = load<HandedLog>(host, kHandedLogs, file.subject).value_or(HandedLog{});
  std::int64_t taken = 0;
  std::int64_t known = 0;
  for (const AnchoredBlob& blob : file.blobs) {
    auto handed = handed_entry(file, blob, host.now());
    if (!handed) continue;
    const bool is_here = std::ranges::any_of(
        log.entries, [&](const HandedEntry& one) { return one.blob.blob == blob.blob; });
    if (is_here) {
      ++known;
      continue;
    }
    if (log.entries.size() >= log_limits::kHandedKept) {
      return fail(Errc::limit_exceeded, "more of that log were handed over than are kept");
    }
    log.entries.push_back(std::move(*handed));
    ++taken;
  }
  if (taken + known == 0) {
    return fail(Errc::refused, "no recovery or veto in it was seen by enough witnesses");
  }
  log.handed = host.now();
  make_room_for_handed(host, file.subject);
  save(host, kHandedLogs, file.subject, log);
  if (taken > 0) host.audit("ledger.entry-handed", {{"log", file.subject}, {"entries", taken}});
  return JsonObject{{"subject", file.subject}, {"taken", taken}, {"known", known}};
}

void add_handed(Host& host, std::string_view subject, std::vector<AnchoredBlob>& blobs,
                ReaderOptions& options) {
  const auto log = load<HandedLog>(host, kHandedLogs, subject);
  if (!log) return;
  for (const HandedEntry& handed : log->entries) {
    auto descriptor = parse_descriptor(handed.descriptor);
    if (!descriptor.has_value()) continue;
    options.descriptors.push_back(std::move(*descriptor));
    AnchoredBlob unseen = anchored_blob(handed.blob);
    bool shown = false;
    for (AnchoredBlob& blob : blobs) {
      if (blob.blob != unseen.blob || blob.ledger != unseen.ledger) continue;
      if (blob.witnessed.empty()) blob.witnessed = unseen.witnessed;
      shown = true;
    }
    if (!shown && !blobs.empty()) blobs.push_back(std::move(unseen));
  }
}

}  // namespace kith::ledger
