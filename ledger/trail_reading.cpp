#include "ledger/trail_reading.hpp"

#include "ledger/ledger_effects.hpp"
#include "ledger/own_log.hpp"
#include "ledger/remote/client.hpp"
#include "ledger/seen_ledgers.hpp"
#include "ledger/sift.hpp"

namespace kith::ledger {
namespace {

/// Where there are several ledgers to ask, one that does not answer for so long is passed by.
constexpr std::chrono::seconds kAskLife{10};

std::uint64_t first_wanted(const TrailReading& reading) {
  return reading.pages.empty() ? 0 : reading.pages.back().position + 1;
}

std::string start_for(Host& host, const ReadingFor& whose, protocol::EffectKind kind, Bytes payload,
                      Duration life) {
  protocol::Effect effect;
  effect.kind = kind;
  effect.owner = whose.module;
  effect.context = whose.context;
  effect.payload = std::move(payload);
  effect.expires = host.now() + life;
  return host.start(std::move(effect));
}

/// The next page of the ledger that is asked. What a stranger named as its address is asked with
/// the care that such addresses need.
Result<void> ask_stop(Host& host, TrailReading& reading, const ReadingFor& whose) {
  const TrailStop& stop = reading.trail.stops[reading.stop];
  const std::string& subject = reading.trail.subject;
  const std::uint64_t from = first_wanted(reading);
  if (!stop.hinted) {
    const bool only = reading.trail.stops.size() == 1;
    const protocol::LedgerReadPayload payload{stop.url, subject, from, seen_at(host, stop.url)};
    reading.effect =
        start_for(host, whose, protocol::EffectKind::ledger_read, protocol::encode_record(payload),
                  only ? Duration(kLedgerEffectLife) : Duration(kAskLife));
    return {};
  }
  TRY(const LedgerClient client, LedgerClient::at(stop.url));
  protocol::FetchPayload payload;
  payload.url = client.ask_read(subject, from, seen_at(host, stop.url)).target;
  payload.public_only = !host.test_mode();
  payload.page = true;
  reading.effect = start_for(host, whose, protocol::EffectKind::fetch,
                             protocol::encode_record(payload), Duration(kAskLife));
  return {};
}

/// What an answer to ask_stop() brought; nullopt: to be asked again.
Result<std::optional<protocol::LedgerEntries>> page_of(Host& host, const TrailReading& reading,
                                                       const protocol::Effect& effect,
                                                       const Result<Bytes>& outcome) {
  if (effect.kind != protocol::EffectKind::fetch) return proven_entries(host, effect, outcome);
  if (!outcome.has_value()) return outcome.error();
  const TrailStop& stop = reading.trail.stops[reading.stop];
  TRY(const auto fetched, protocol::decode_record<protocol::FetchedPage>(*outcome));
  const protocol::LedgerReadPayload asked{stop.url, reading.trail.subject, first_wanted(reading),
                                          seen_at(host, stop.url)};
  const HttpReply reply{static_cast<int>(fetched.status), fetched.content_type,
                        std::string(crypto::as_text(fetched.body))};
  TRY(const ProvenPage proven, LedgerClient::read_page(asked.subject, asked.from, reply));
  return proven_page(host, asked, entries_record(proven), stop.id);
}

}  // namespace

Result<std::optional<LogView>> read_next_stop(Host& host, TrailReading& reading,
                                              const ReadingFor& whose) {
  while (const auto next = next_stop(host, reading.trail)) {
    reading.stop = static_cast<std::uint32_t>(*next);
    reading.pages.clear();
    if (ask_stop(host, reading, whose).has_value()) return std::optional<LogView>();
    reading.trail.stops[reading.stop].away = true;  // An address of no use.
  }
  TRY(LogView view, end_trail(host, reading.trail));
  return std::optional<LogView>(std::move(view));
}

Result<std::optional<LogView>> take_trail_page(Host& host, TrailReading& reading,
                                               const ReadingFor& whose,
                                               const protocol::Effect& effect,
                                               const Result<Bytes>& outcome) {
  reading.effect.clear();
  auto page = page_of(host, reading, effect, outcome);
  if (!page.has_value()) {
    if (reading.trail.stops.size() == 1) return page.error();
    reading.trail.stops[reading.stop].away = true;
    return read_next_stop(host, reading, whose);
  }
  // Of a ledger that proves nothing anybody may fill a log with junk.
  if (*page && !(*page)->proof) sift_pages(host, reading.trail.subject, reading.pages);
  const auto complete = *page ? take_page(reading.pages, std::move(**page)) : Result<bool>(false);
  if (!complete.has_value()) return fail(Errc::limit_exceeded, complete.error().detail);
  if (!*complete) {
    CHECK(ask_stop(host, reading, whose));
    return std::optional<LogView>();
  }
  std::vector<StoredBlob> blobs;
  for (const auto& entry : reading.pages) blobs.push_back(stored_blob(entry));
  take_stop(host, reading.trail, reading.stop, std::move(blobs));
  return read_next_stop(host, reading, whose);
}

}  // namespace kith::ledger
