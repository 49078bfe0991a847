// Logs that a recovering device reads from ledgers (device_open.hpp), and the way of those that
// moved.

#include <algorithm>
#include <utility>

#include "crypto/limits.hpp"
#include "ledger/log_limits.hpp"
#include "ledger/log_trail.hpp"
#include "ledger/seen_ledgers.hpp"
#include "ledger/sift.hpp"
#include "recovery/device_open.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kLogs = "recover-log";
constexpr Duration kReadAgain{60'000};
constexpr Duration kReadAgainTest{5'000};
constexpr Duration kLedgerPatience{80'000};
constexpr Duration kLedgerPatienceTest{8'000};
constexpr Duration kLedgerPatienceMax{600'000};

/// How long a ledger is tried for one page.
Duration ledger_patience(Host& host, std::uint32_t tries) {
  const Duration first = host.test_mode() ? kLedgerPatienceTest : kLedgerPatience;
  return std::min(first * (1 << std::min<std::uint32_t>(tries, 5)), kLedgerPatienceMax);
}

}  // namespace

std::optional<LogRead> log_read(Host& host, std::string_view subject) {
  return load<LogRead>(host, kLogs, subject);
}

void save_log_read(Host& host, std::string_view subject, const LogRead& read) {
  save(host, kLogs, subject, read);
}

std::vector<ledger::AnchoredBlob> known_log(const LogRead& read) {
  std::vector<ledger::AnchoredBlob> blobs;
  for (const ledger::StoredBlob& blob : read.read_at ? read.blobs : read.saved) {
    blobs.push_back(ledger::anchored_blob(blob));
  }
  return blobs;
}

std::optional<LogStop> moved_to(const LogRead& read) {
  if (!read.beyond.id.empty()) return read.beyond;
  if (read.stops.size() > 1) return read.stops.back();
  return std::nullopt;
}

namespace {

const std::string& url_of(const LogRead& read) {
  if (!read.following.id.empty()) return read.following.url;
  return read.urls[read.url % read.urls.size()];
}

void ask_ledger(Host& host, const std::string& subject, LogRead read) {
  const std::string& url = url_of(read);
  const protocol::LedgerReadPayload payload{url, subject, read.from, ledger::seen_at(host, url)};
  protocol::Effect effect;
  effect.kind = protocol::EffectKind::ledger_read;
  effect.owner = kDeviceModule;
  effect.context = subject;
  effect.payload = protocol::encode_record(payload);
  effect.expires = host.now() + ledger_patience(host, read.tries);
  host.start(std::move(effect));
  read.reading = true;
  save_log_read(host, subject, read);
}

}  // namespace

void read_wanted_logs(Host& host) {
  bool wanted = false;
  for (const WantedLog& log : opening_summary(host).logs) {
    wanted = true;
    auto read = log_read(host, log.subject).value_or(LogRead{});
    if (std::ranges::find(read.urls, log.ledger_url) == read.urls.end()) {
      read.urls.push_back(log.ledger_url);
      save_log_read(host, log.subject, read);
    }
    if (!read.reading) ask_ledger(host, log.subject, std::move(read));
  }
  if (wanted) {
    host.set_timer(kDeviceModule, kTimerLogs,
                   host.now() + (host.test_mode() ? kReadAgainTest : kReadAgain));
  }
}

namespace {

std::vector<ledger::AnchoredBlob> anchored_blobs(const std::vector<ledger::StoredBlob>& stored) {
  std::vector<ledger::AnchoredBlob> blobs;
  for (const ledger::StoredBlob& blob : stored) {
    blobs.push_back(ledger::anchored_blob(blob));
  }
  return blobs;
}

/// Where the log lives, as those entries tell; empty: they do not.
std::string home_in(Host& host, const std::string& subject,
                    const std::vector<ledger::StoredBlob>& stored) {
  const ledger::ReaderOptions options{ledger::anchor_time(host.now()), host.test_mode()};
  const auto view = ledger::read_log(subject, anchored_blobs(stored), options);
  if (!view.has_value() || view->current.ledgers.empty()) return {};
  return view->current.ledgers.front();
}

/// The address that the DID's document tells for a ledger; empty: none.
std::string told_url(Host& host, const std::vector<ledger::StoredBlob>& did_log,
                     const std::string& id) {
  const ledger::ReaderOptions options{ledger::anchor_time(host.now()), host.test_mode()};
  const auto view = ledger::read_log(opening_summary(host).did, anchored_blobs(did_log), options);
  if (!view.has_value()) return {};
  return ledger::hinted_address(*view, id).value_or(std::string());
}

/// What came is of the ledger that was asked. False: the log may not be followed from there, for
/// it is not known which ledger that is, or where the log was before.
bool mark_stage(Host& host, const std::string& subject, LogRead& read) {
  const LogStop home = opening_summary(host).home;
  const std::string url = url_of(read);
  std::string id = read.following.id;
  if (id.empty()) id = url == home.url ? home.id : ledger::known_ledger_id(host, url);
  const std::string lives = home_in(host, subject, read.incoming);
  if (read.way_stops.empty()) {
    for (const ledger::StoredBlob& blob : read.saved) {
      if (!blob.ledger.empty() && blob.ledger != id) read.way.push_back(blob);
    }
  }
  for (ledger::StoredBlob& blob : std::exchange(read.incoming, {})) {
    blob.ledger = id;
    read.way.push_back(std::move(blob));
  }
  read.way_stops.push_back({id, url});
  return !id.empty() && home_in(host, subject, read.way) == lives;
}

/// The ledger that the log went to from those that were read; empty: from the last, none.
LogStop next_stop_of(Host& host, const std::string& subject, const LogRead& read) {
  LogStop next{home_in(host, subject, read.way), {}};
  const bool was_read =
      std::ranges::find(read.way_stops, next.id, &LogStop::id) != read.way_stops.end();
  if (was_read || next.id.empty()) return {};
  const std::string did = opening_summary(host).did;
  const auto did_log = subject == did ? std::optional(read) : log_read(host, did);
  if (did_log) next.url = told_url(host, subject == did ? read.way : did_log->blobs, next.id);
  return next;
}

/// What was read so far counts. If there is more to come, a reading before that came further does.
void count_stages(Host& host, LogRead& read, LogStop beyond) {
  const bool whole = beyond.url.empty();
  if (!whole && read.read_at && read.way_stops.size() < read.stops.size()) return;
  read.blobs = read.way;
  read.stops = read.way_stops;
  read.beyond = std::move(beyond);
  read.read_at = host.now();
  if (read.stops.size() > 1) return;
  const std::string only = read.stops.front().id;
  std::erase_if(read.blobs, [&](const auto& blob) { return blob.ledger != only; });
  for (ledger::StoredBlob& blob : read.blobs) blob.ledger.clear();
}

/// The next reading begins at the first ledger.
void end_reading(LogRead& read) {
  read.way.clear();
  read.way_stops.clear();
  read.following = {};
  read.from = 0;
}

/// A ledger showed the log. True: it lives on another one, which is to be asked now.
bool follow(Host& host, const std::string& subject, LogRead& read) {
  read.tries = 0;
  read.problem.clear();
  LogStop next;
  if (mark_stage(host, subject, read)) next = next_stop_of(host, subject, read);
  count_stages(host, read, next);
  if (next.url.empty() || read.way_stops.size() >= ledger::log_limits::kStopsMax) {
    end_reading(read);
    return false;
  }
  read.following = std::move(next);
  read.from = 0;
  return true;
}

/// The ledger did not show the log.
void note_vain_read(LogRead& read, std::string problem) {
  read.incoming.clear();
  read.from = 0;
  ++read.tries;
  read.problem = std::move(problem);
  if (read.following.id.empty()) {
    ++read.url;  // Another of its ledgers may be up; the timer comes back to it.
  } else {
    end_reading(read);
  }
}

/// Of a ledger where anybody may post, what can never count (ledger/sift.hpp) is left out.
void sift_incoming(Host& host, const std::string& subject, LogRead& read) {
  std::size_t bytes = 0;
  for (const ledger::StoredBlob& blob : read.incoming) bytes += blob.blob.size();
  if (bytes <= ledger::kSiftAboveBytes) return;
  const auto never = ledger::never_counts(subject, anchored_blobs(read.incoming),
                                          ledger::anchor_time(host.now()), host.test_mode());
  std::vector<ledger::StoredBlob> kept;
  for (std::size_t i = 0; i < read.incoming.size(); ++i) {
    if (never.empty() || !never[i]) kept.push_back(std::move(read.incoming[i]));
  }
  read.incoming = std::move(kept);
}

/// The DID's log was read: logs whose way it tells go on.
void follow_told(Host& host) {
  const OpeningSummary summary = opening_summary(host);
  const auto did_log = log_read(host, summary.did);
  for (const WantedLog& log : summary.logs) {
    auto read = log_read(host, log.subject);
    if (!read || read->reading || read->beyond.id.empty() || !read->beyond.url.empty()) continue;
    if (told_url(host, did_log->blobs, read->beyond.id).empty()) continue;
    ask_ledger(host, log.subject, std::move(*read));
  }
}

}  // namespace

void on_log_read(Host& host, const protocol::Effect& effect, const Result<Bytes>& outcome) {
  const std::string& subject = effect.context;
  auto read = log_read(host, subject);
  if (!read) return;
  read->reading = false;
  const auto proven = ledger::proven_entries(host, effect, outcome, read->following.id);
  if (proven.has_value() && !*proven) return ask_ledger(host, subject, std::move(*read));
  if (!proven.has_value()) {
    note_vain_read(*read, proven.error().detail);
    save_log_read(host, subject, *read);
    return;
  }
  const protocol::LedgerEntries& entries = **proven;
  std::size_t bytes = 0;
  for (const auto& blob : read->incoming) bytes += blob.blob.size();
  for (const protocol::AnchoredBlob& entry : entries.entries) {
    bytes += entry.blob.size();
    if (bytes > limits::kLedgerSubjectBytesMax) break;
    read->incoming.push_back(ledger::stored_blob(entry));
    read->from = entry.position + 1;
  }
  if (!entries.proof) {
    sift_incoming(host, subject, *read);
    bytes = 0;
    for (const auto& blob : read->incoming) bytes += blob.blob.size();
  }
  const bool more =
      !entries.complete && !entries.entries.empty() && bytes <= limits::kLedgerSubjectBytesMax;
  if (read->incoming.empty()) {  // A ledger that shows nothing is none for this log.
    note_vain_read(*read, "the ledger does not know this log");
  } else if (more || follow(host, subject, *read)) {
    return ask_ledger(host, subject, std::move(*read));
  }
  save_log_read(host, subject, *read);
  if (subject == opening_summary(host).did) follow_told(host);
}

}  // namespace kith::recovery
