#include "ledger/append_rules.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "ledger/did_kith.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {

namespace {

/// Updates and rotates leave this part of the room to what ends a theft.
constexpr std::size_t kRoomForRecovery = limits::kLedgerSubjectBytesMax / 4;

using Judgement = std::variant<LedgerLeaf, StaleHead>;

Result<std::string> head_of(std::string_view subject, std::span<const AnchoredBlob> blobs,
                            const ReaderOptions& options) {
  if (blobs.empty()) return std::string();
  TRY(const LogView view, read_log(subject, blobs, options));
  return view.head().hash;
}

/// Of a word of a witness, in a page.
constexpr std::size_t kWordBytes = 180;

std::size_t page_bytes(const LedgerEntry& entry) {
  return entry.blob.size() + kWordBytes * entry.witnessed.size();
}

bool stands_alone(Op op) {
  return op == Op::recover || op == Op::veto;
}

Result<Kind> kind_of(std::string_view name) {
  for (const Kind kind : {Kind::did, Kind::policy, Kind::pair}) {
    if (kind_name(kind) == name) return kind;
  }
  return fail(Errc::malformed, "another kind of log");
}

Result<LedgerLeaf> read_leaf(std::string_view text) {
  TRY(const Json json, crypto::parse_json(text, {limits::kJsonBytesMax, 2, false, false}));
  TRY(const JsonObject* object, crypto::as_object(json, "leaf"));
  CHECK(only_members(*object, {"blob", "kind", "subject", "time"}, "a leaf"));
  LedgerLeaf leaf;
  TRY(leaf.subject, crypto::json_string(*object, "subject"));
  TRY(const std::string blob, crypto::json_string(*object, "blob"));
  TRY(leaf.blob, crypto::from_base64url(blob));
  TRY(const std::int64_t time, crypto::json_int(*object, "time"));
  leaf.time = anchor_time_ms(time);
  TRY(const std::string kind, crypto::json_string(*object, "kind"));
  TRY(leaf.kind, kind_of(kind));
  return leaf;
}

Result<void> check_room(std::span<const AnchoredBlob> blobs, const Entry& entry, ByteView blob) {
  std::size_t bytes = blob.size();
  for (const AnchoredBlob& held : blobs) bytes += held.blob.size();
  const bool grows_it = entry.op == Op::update || entry.op == Op::rotate;
  if (bytes + (grows_it ? kRoomForRecovery : 0) > limits::kLedgerSubjectBytesMax) {
    return fail(Errc::limit_exceeded, "the log is full");
  }
  return {};
}

}  // namespace

std::string leaf_text(const LedgerLeaf& leaf) {
  JsonObject object;
  object["blob"] = crypto::base64url(leaf.blob);
  object["kind"] = kind_name(leaf.kind);
  object["subject"] = leaf.subject;
  object["time"] = to_ms(leaf.time);
  return crypto::canonical_json(object);
}

Result<LedgerLeaf> parse_leaf(std::string_view text) {
  auto leaf = read_leaf(text);
  if (!leaf.has_value()) return fail(Errc::storage_corrupt, "leaf: " + leaf.error().detail);
  return leaf;
}

Result<void> check_append(const AppendRequest& request) {
  CHECK(check_did_kith(request.subject));
  if (request.blob.size() > limits::kEntryBytesMax) {
    return fail(Errc::limit_exceeded, "the entry is too long");
  }
  if (request.witnessed.size() > limits::kLedgerWitnessesMax) {
    return fail(Errc::limit_exceeded, "more times than a ledger has witnesses");
  }
  if (!request.expected_head.empty() && !is_digest(request.expected_head)) {
    return fail(Errc::malformed, "the expected head is not the hash of an entry");
  }
  return {};
}

std::vector<WitnessTime> words_to_keep(const AppendRequest& request,
                                       const LedgerDescriptor& descriptor) {
  if (request.witnessed.empty()) return {};
  const auto entry = parse_entry(request.blob);
  if (!entry.has_value() || !stands_alone(entry->op)) return {};
  return good_times(descriptor, request.subject, request.blob, request.witnessed);
}

Result<std::variant<LedgerLeaf, StaleHead>> judge_append(const AppendRequest& request,
                                                         const AppendContext& context) {
  CHECK(check_append(request));
  TRY(const Entry entry, parse_entry(request.blob));
  const AnchorTime low = std::max(context.now, anchor_time_ms(0));
  const AnchorTime time = std::min(std::max(low, context.newest), kAnchorTimeMax);
  ReaderOptions options{time, context.test_mode, context.ledger, true};
  const bool has_words =
      !request.witnessed.empty() ||
      std::ranges::any_of(context.blobs, [](const auto& held) { return !held.witnessed.empty(); });
  if (has_words && context.descriptor != nullptr) {
    options.descriptors.push_back(*context.descriptor);
  }
  CHECK(check_room(context.blobs, entry, request.blob));
  // What continues the head names it as its prev: then one reading tells all.
  const bool compares = !stands_alone(entry.op);
  if (!compares || request.expected_head == entry.prev) {
    AnchoredBlob candidate{request.blob, time, context.ledger};
    candidate.witnessed = request.witnessed;
    const auto after = read_with(request.subject, context.blobs, candidate, options);
    if (after.has_value()) {
      return Judgement(LedgerLeaf{request.subject, request.blob, time, after->kind});
    }
    if (!compares) return after.error();
    TRY(std::string head, head_of(request.subject, context.blobs, options));
    if (head == request.expected_head) return after.error();
    return Judgement(StaleHead{std::move(head)});
  }
  TRY(std::string head, head_of(request.subject, context.blobs, options));
  if (head != request.expected_head) return Judgement(StaleHead{std::move(head)});
  return fail(Errc::invalid_entry, "the entry does not continue the head");
}

Result<LedgerLeaf> copied_leaf(const LedgerEntry& entry, std::uint64_t next, AnchorTime newest) {
  CHECK(check_did_kith(entry.subject));
  TRY(const Entry parsed, parse_entry(entry.blob));
  if (entry.position != next) return fail(Errc::malformed, "an entry in another place");
  if (entry.time < newest) return fail(Errc::malformed, "ledger times run back");
  return LedgerLeaf{entry.subject, entry.blob, entry.time, parsed.kind};
}

Result<AppendOutcome> TreeLedger::append(const AppendRequest& request, AnchorTime now) {
  auto outcome = stage(request, now);
  const auto synced = flush();
  if (!synced.has_value()) return AppendOutcome(UnknownOutcome{synced.error().detail});
  return outcome;
}

bool add_to_page(LedgerPage& page, LedgerEntry entry, std::size_t max) {
  std::size_t bytes = page_bytes(entry);
  for (const LedgerEntry& held : page.entries) bytes += page_bytes(held);
  const bool full = page.entries.size() >= std::min(max, limits::kLedgerPageEntriesMax) ||
                    (!page.entries.empty() && bytes > limits::kLedgerPageBytesMax);
  if (full) {
    page.complete = false;
    return false;
  }
  page.entries.push_back(std::move(entry));
  return true;
}

Result<std::vector<LedgerEntry>> read_all(Ledger& ledger, std::string_view subject) {
  std::vector<LedgerEntry> all;
  std::size_t bytes = 0;
  for (std::uint64_t from = 0;;) {
    TRY(LedgerPage page, ledger.read(subject, from));
    for (LedgerEntry& entry : page.entries) {
      bytes += entry.blob.size();
      from = entry.position + 1;
      all.push_back(std::move(entry));
    }
    if (bytes > limits::kLedgerSubjectBytesMax) {
      return fail(Errc::limit_exceeded, "the ledger shows more of this log than can be read");
    }
    if (page.complete || page.entries.empty()) return all;
  }
}

}  // namespace kith::ledger
