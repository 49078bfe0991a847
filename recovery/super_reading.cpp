#include "recovery/super_reading.hpp"

#include <algorithm>
#include <array>

#include "ledger/log_store.hpp"
#include "ledger/strict_json.hpp"
#include "recovery/super_limits.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kReadings = "super-read";
constexpr auto kNetworkSchemes = std::to_array<std::string_view>(
    {"https://", "http://", "etcd://", "evm+https://", "evm+http://"});

struct SuperReading {
  ledger::TrailReading reading;
  std::string subject;
  ledger::StoredLog log;  ///< The newest complete one.
  std::optional<Time> read_at;
  std::string problem;  ///< Of the last one.
  template <class V>
  void visit(V& v) {
    v("reading", reading), v("subject", subject), v("log", log), v("read_at", read_at);
    v("problem", problem);
  }
};

ledger::ReadingFor reading_of(const std::string& id) {
  return {kSuperModule, id};
}

/// True: it has ended.
bool note(Host& host, SuperReading& record, const Result<std::optional<ledger::LogView>>& read) {
  if (read.has_value() && !*read) return false;
  if (!read.has_value()) {
    const Error& error = read.error();
    record.problem =
        error.detail.empty() ? std::string(crypto::error_text(error.code).sentence) : error.detail;
  } else if ((*read)->unconfirmed_move) {
    record.problem = "the ledger that the log left does not answer";
  } else {
    record.problem.clear();
    record.log.blobs.clear();
    for (const auto& blob : ledger::trail_blobs(host, record.reading.trail)) {
      record.log.blobs.push_back(ledger::stored_blob(blob));
    }
    record.read_at = host.now();
  }
  record.reading = {};
  return true;
}

}  // namespace

Result<void> check_ledger_address(std::string_view url) {
  CHECK(ledger::plain_text(url, "the ledger's address", super_limits::kUrlCharsMax));
  const bool known = std::ranges::any_of(
      kNetworkSchemes, [url](std::string_view scheme) { return url.starts_with(scheme); });
  if (!known) return fail(Errc::unsupported, "that ledger is not on a network");
  return {};
}

void read_for_holder(Host& host, const std::string& id, const std::string& subject,
                     const std::string& ledger_url) {
  auto record = load<SuperReading>(host, kReadings, id).value_or(SuperReading{});
  if (!record.reading.effect.empty()) return;
  record.subject = subject;
  record.reading = {};
  record.reading.trail = ledger::begin_trail(host, subject, ledger_url);
  note(host, record, ledger::read_next_stop(host, record.reading, reading_of(id)));
  save(host, kReadings, id, record);
}

std::optional<std::string> take_holder_reading(Host& host, const protocol::Effect& effect,
                                               const Result<Bytes>& outcome) {
  const std::string& id = effect.context;
  auto record = load<SuperReading>(host, kReadings, id);
  if (!record || record->reading.effect != effect.id) return std::nullopt;
  const bool ended =
      note(host, *record,
           ledger::take_trail_page(host, record->reading, reading_of(id), effect, outcome));
  save(host, kReadings, id, *record);
  return ended ? std::optional(id) : std::nullopt;
}

void forget_reading(Host& host, const std::string& id) {
  const auto record = load<SuperReading>(host, kReadings, id);
  if (record && !record->reading.effect.empty()) host.cancel_effect(record->reading.effect);
  host.erase({std::string(kReadings), id});
}

Result<KnownLog> known_to_holder(Host& host, const std::string& id) {
  const auto record = load<SuperReading>(host, kReadings, id);
  if (!record || !record->read_at) {
    return fail(Errc::unreachable,
                record && !record->problem.empty() ? record->problem : "not read yet");
  }
  KnownLog known;
  for (const auto& blob : record->log.blobs) {
    known.blobs.push_back(ledger::anchored_blob(blob));
  }
  TRY(known.view, ledger::read_log(record->subject, known.blobs,
                                   {ledger::anchor_time(host.now()), host.test_mode()}));
  known.read_at = *record->read_at;
  return known;
}

}  // namespace kith::recovery
