#include "ledger/etcd/jobs.hpp"

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"
#include "ledger/did_kith.hpp"

namespace kith::ledger {

namespace {

constexpr const char* kRangePath = "/v3/kv/range";
constexpr const char* kTransactionPath = "/v3/kv/txn";

EtcdRange single(std::string key) {
  EtcdRange range;
  range.first = std::move(key);
  return range;
}

/// Errors: malformed, unsupported.
Result<LedgerDescriptor> descriptor_in(const std::string& text) {
  TRY(LedgerDescriptor found, parse_descriptor(text));
  if (found.kind != "etcd" || descriptor_json(found) != text) {
    return fail(Errc::malformed, "what lies at that prefix describes no ledger in etcd");
  }
  return found;
}

/// Empty if it describes none.
std::string id_of(const std::string& text) {
  const auto found = descriptor_in(text);
  return found.has_value() ? ledger_id(*found) : std::string();
}

}  // namespace

std::vector<LedgerEntry> EtcdScan::take(const EtcdPairs& answer) {
  std::vector<LedgerEntry> entries;
  for (const EtcdPair& pair : answer.pairs) {
    range_.from = pair.created + 1;
    if (range_.keys_only) continue;
    auto entry = keys_->entry_in(pair);
    if (!entry) continue;
    // One transaction of ours makes one entry; of what others made at once the first counts.
    const bool is_second = !entries.empty() && entries.back().position == entry->position;
    if (!is_second) entries.push_back(std::move(*entry));
  }
  done_ = !answer.more;
  range_.limit = etcd_limits::kKeysPerQuestion;
  range_.keys_only = false;
  return entries;
}

bool EtcdScan::ask_less() {
  if (range_.limit > 1) {
    range_.limit = 1;
    return true;
  }
  if (range_.keys_only) return false;
  range_.keys_only = true;
  return true;
}

// Reading.

EtcdRead::EtcdRead(EtcdSession& session, std::string_view subject, std::uint64_t from)
    : EtcdJob(session),
      scan_(keys(), keys().entries(subject, from)),
      max_(limits::kLedgerPageEntriesMax) {
  const auto checked = check_did_kith(subject);
  if (checked.has_value()) return;
  end();
  on_failure(checked.error());
}

EtcdRead::EtcdRead(EtcdSession& session, std::uint64_t position, std::size_t max)
    : EtcdJob(session), scan_(keys(), keys().all_entries(position)), max_(max) {}

EtcdJob::Call EtcdRead::call() const {
  return {kRangePath, range_question(scan_.range()), false};
}

Result<void> EtcdRead::on_answer(const Json& answer) {
  TRY(const EtcdPairs pairs, read_range(scan_.range(), answer));
  bool full = false;
  for (LedgerEntry& entry : scan_.take(pairs)) {
    full = full || !add_to_page(page_, std::move(entry), max_);
  }
  if (!full && !scan_.done()) return {};
  end();
  result_ = std::move(page_);
  return {};
}

// Appending.

EtcdAppend::EtcdAppend(EtcdSession& session, AppendRequest request, AnchorTime now, bool test_mode)
    : EtcdJob(session),
      request_(std::move(request)),
      now_(now),
      test_mode_(test_mode),
      scan_(keys(), keys().entries(request_.subject, 0)) {
  const auto checked = check_append(request_);
  if (!checked.has_value()) finish(checked.error());
}

void EtcdAppend::start_reading() {
  scan_ = EtcdScan(keys(), keys().entries(request_.subject, 0));
  head_read_ = false;
  head_revision_ = 0;
  entries_.clear();
  bytes_ = 0;
  leaf_.reset();
}

/// The head comes first: what is appended after it was read changes its revision.
std::vector<EtcdRange> EtcdAppend::ranges() const {
  if (head_read_) return {scan_.range()};
  return {single(keys().head(request_.subject)), single(keys().descriptor()), scan_.range()};
}

EtcdWrite EtcdAppend::write() const {
  const std::string key = keys().entry(*leaf_);
  const std::string head = keys().head(request_.subject);
  return {key, head, head_revision_, {{key, leaf_text(*leaf_)}, {head, blob_hash(request_.blob)}}};
}

EtcdJob::Call EtcdAppend::call() const {
  if (leaf_) return {kTransactionPath, write_question(write()), true};
  return {kTransactionPath, ranges_question(ranges()), false};
}

Result<void> EtcdAppend::on_answer(const Json& answer) {
  return leaf_ ? take_written(answer) : take_reading(answer);
}

Result<void> EtcdAppend::take_reading(const Json& answer) {
  TRY(const std::vector<EtcdPairs> read, read_ranges(ranges(), answer));
  if (!head_read_) {
    head_read_ = true;
    if (!read.front().pairs.empty()) head_revision_ = read.front().pairs.front().modified;
    const auto& descriptor = read[1].pairs;
    if (!descriptor.empty()) ledger_ = id_of(descriptor.front().value);
  }
  for (LedgerEntry& entry : scan_.take(read.back())) {
    bytes_ += entry.blob.size();
    if (bytes_ > limits::kLedgerSubjectBytesMax) {
      return fail(Errc::limit_exceeded, "the ledger shows more of this log than can be read");
    }
    entries_.push_back(std::move(entry));
  }
  return scan_.done() ? judge() : Result<void>();
}

Result<void> EtcdAppend::judge() {
  unknown_ = false;
  std::vector<AnchoredBlob> blobs;
  AnchorTime newest = anchor_time_ms(0);
  for (const LedgerEntry& entry : entries_) {
    if (entry.blob == request_.blob) {
      finish(AppendOutcome(Appended{entry.position, entry.time}));
      return {};
    }
    newest = std::max(newest, entry.time);
    blobs.push_back({entry.blob, entry.time});
  }
  TRY(auto judged, judge_append(request_, {blobs, newest, now_, test_mode_, ledger_}));
  if (auto* stale = std::get_if<StaleHead>(&judged)) {
    finish(AppendOutcome(std::move(*stale)));
  } else {
    leaf_ = std::move(std::get<LedgerLeaf>(judged));
  }
  return {};
}

Result<void> EtcdAppend::take_written(const Json& answer) {
  TRY(const EtcdWritten written, read_written(answer));
  if (written.done) {
    const std::uint64_t last = entries_.empty() ? 0 : entries_.back().position;
    if (written.revision <= last) return fail(Errc::malformed, "etcd: revisions run back");
    finish(AppendOutcome(Appended{written.revision, leaf_->time}));
    return {};
  }
  if (++conflicts_ > etcd_limits::kConflictsMax) {
    finish(fail(Errc::busy, "others write to this log all the time"));
    return {};
  }
  start_reading();
  return {};
}

void EtcdAppend::on_unknown() {
  unknown_ = true;
  start_reading();
}

void EtcdAppend::on_failure(const Error& error) {
  if (!unknown_) {
    result_ = error;
    return;
  }
  std::string why(crypto::error_text(error.code).sentence);
  if (!error.detail.empty()) why += " (" + error.detail + ")";
  result_ = AppendOutcome(UnknownOutcome{std::move(why)});
}

void EtcdAppend::finish(Result<AppendOutcome> result) {
  end();
  result_ = std::move(result);
}

// What it is.

EtcdDescriptor::EtcdDescriptor(EtcdSession& session, std::string_view origin) : EtcdJob(session) {
  made_.kind = "etcd";
  made_.origin = origin;
  ASSERT(check_descriptor(made_).has_value());
}

EtcdJob::Call EtcdDescriptor::call() const {
  if (!writing_) return {kRangePath, range_question(single(keys().descriptor())), false};
  EtcdWrite write;
  write.absent = keys().descriptor();
  write.puts = {{write.absent, descriptor_json(made_)}};
  return {kTransactionPath, write_question(write), true};
}

Result<void> EtcdDescriptor::on_answer(const Json& answer) {
  if (writing_) {
    TRY(const EtcdWritten written, read_written(answer));
    static_cast<void>(written);  // Whoever came first: it is read.
    writing_ = false;
    return {};
  }
  TRY(const EtcdPairs pairs, read_range(single(keys().descriptor()), answer));
  if (pairs.pairs.empty()) {
    writing_ = true;
    return {};
  }
  TRY(LedgerDescriptor found, descriptor_in(pairs.pairs.front().value));
  end();
  result_ = std::move(found);
  return {};
}

}  // namespace kith::ledger
