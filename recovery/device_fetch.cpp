// Downloads of a recovering device (device_open.hpp) from backup locations.

#include <algorithm>

#include "crypto/hash.hpp"
#include "crypto/limits.hpp"
#include "ledger/connection.hpp"
#include "protocol/audit_log.hpp"
#include "recovery/device_open.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kLocations = "recover-location";
constexpr std::size_t kFetchesMax = 64;
/// One session may name no more, so that a liar leaves room for the others.
constexpr std::size_t kFetchesOfSessionMax = kLocationsMax;
constexpr Duration kRetry{10'000};
constexpr Duration kRetryTest{1'000};
constexpr Duration kRetryCap{600'000};

Duration retry_after(Host& host, std::uint32_t tries) {
  const Duration first = host.test_mode() ? kRetryTest : kRetry;
  return std::min(first * (1 << std::min<std::uint32_t>(tries, 8)), kRetryCap);
}

std::string timer_of(std::string_view location) {
  return std::string(kFetchTimer) + std::string(location);
}

BackupPart next_part(const LocationFetch& fetch) {
  if (fetch.sheet_job.empty()) return BackupPart::sheet;
  return fetch.capsule_job.empty() ? BackupPart::capsule : BackupPart::backup;
}

/// Starts the next download. A location that answers nothing keeps its job running: the backup
/// module repeats its requests.
Result<void> start_next(Host& host, std::string_view id, LocationFetch fetch) {
  if (fetch.own_did.empty()) {
    TRY(const Did own, ledger::make_one_time_did(host, {}));
    fetch.own_did = own.text();
  }
  const LocationLink link{fetch.own_did, fetch.did, fetch.token};
  fetch.started = true;
  fetch.job = start_get(host, kDeviceModule, timer_of(id), link, next_part(fetch), std::nullopt);
  save(host, kLocations, id, fetch);
  return {};
}

void start_fetches(Host& host, const std::set<std::string>& useless);

void try_again_later(Host& host, std::string_view id, LocationFetch fetch, std::string problem) {
  fetch.problem = std::move(problem);
  fetch.job.clear();
  ++fetch.tries;
  save(host, kLocations, id, fetch);
  host.set_timer(kDeviceModule, timer_of(id), host.now() + retry_after(host, fetch.tries));
  start_fetches(host, {});
}

/// Every location gives its first token's backup first; a further token only where what came so
/// far is useless, or its token is refused.
void start_fetches(Host& host, const std::set<std::string>& useless) {
  std::set<std::string> served;  // DIDs of which more need not be asked now.
  for (const LocationFetch& fetch : location_fetches(host)) {
    const bool failed = fetch.started && !fetch.complete() && fetch.tries > 0;
    const bool wrong = fetch.complete() && (fetch.source.empty() || useless.contains(fetch.source));
    if (fetch.started && !failed && !wrong) served.insert(fetch.did);
  }
  for (const std::string& id : host.list(kLocations)) {
    auto fetch = *load<LocationFetch>(host, kLocations, id);
    if (fetch.started || !served.insert(fetch.did).second) continue;
    fetch.started = true;
    save(host, kLocations, id, fetch);
    host.set_timer(kDeviceModule, timer_of(id), host.now());
  }
}

std::optional<Source> read_source(Host& host, const LocationFetch& fetch) {
  const auto sheet_part = job_download(host, fetch.sheet_job);
  const auto capsule_part = job_download(host, fetch.capsule_job);
  auto backup_part = job_download(host, fetch.backup_job);
  if (!sheet_part.has_value() || !capsule_part.has_value() || !backup_part.has_value()) {
    return std::nullopt;
  }
  Bytes sheet_bytes, capsule;
  for (const Bytes& chunk : sheet_part->chunks) crypto::append(sheet_bytes, chunk);
  for (const Bytes& chunk : capsule_part->chunks) crypto::append(capsule, chunk);
  auto sheet = Sheet::parse(sheet_bytes);
  const auto capsule_target = capsule_core(capsule);
  if (!sheet.has_value() || !capsule_target.has_value() || backup_part->chunks.empty()) {
    return std::nullopt;
  }
  const Bytes& first = backup_part->chunks.front();
  if (first.size() < crypto::kContainerCoreBytes) return std::nullopt;
  const auto backup_target =
      crypto::parse_container_core(ByteView(first).first(crypto::kContainerCoreBytes));
  if (!backup_target.has_value()) return std::nullopt;
  Source source{{}, std::move(*sheet), std::move(capsule), std::move(backup_part->chunks), {}};
  source.targets = {*capsule_target, *backup_target};
  source.id = crypto::hex(crypto::digest("kith/recovery/v1/source",
                                         {source.sheet.encoded(), source.capsule, first}))
                  .substr(0, 16);
  return source;
}

}  // namespace

void fetch_from_locations(Host& host) {
  for (const DeviceSession& session : device_sessions(host)) {
    std::size_t named = 0;
    for (const BackupLocator& locator : session.locations) {
      if (++named > kFetchesOfSessionMax) break;
      const auto known = location_fetches(host);
      const bool is_known = std::ranges::any_of(known, [&](const LocationFetch& other) {
        return other.did == locator.did && other.token == locator.token;
      });
      if (is_known || known.size() >= kFetchesMax) continue;
      LocationFetch fetch;
      fetch.did = locator.did;
      fetch.token = locator.token;
      save(host, kLocations, protocol::numbered_id(known.size()), fetch);
    }
  }
  start_fetches(host, {});
}

void continue_fetch(Host& host, std::string_view location) {
  auto fetch = load<LocationFetch>(host, kLocations, location);
  if (!fetch || fetch->complete()) return;
  if (!fetch->job.empty()) {
    const auto result = job_result(host, fetch->job);
    if (result.has_value() && result->state == JobState::running) return;
    if (!result.has_value() || result->state == JobState::failed) {
      const std::string problem = result.has_value() ? result->problem : result.error().detail;
      drop_job(host, fetch->job);
      try_again_later(host, location, std::move(*fetch), problem);
      return;
    }
    std::string& done = fetch->sheet_job.empty()     ? fetch->sheet_job
                        : fetch->capsule_job.empty() ? fetch->capsule_job
                                                     : fetch->backup_job;
    done = std::exchange(fetch->job, {});
    fetch->problem.clear();
    save(host, kLocations, location, *fetch);
    if (fetch->complete()) {
      ledger::drop_one_time_did(host, fetch->own_did);
      if (const auto source = read_source(host, *fetch)) {
        fetch->source = source->id;
      } else {
        fetch->problem = "what it gave is no backup of Kith";
      }
      save(host, kLocations, location, *fetch);
      evaluate(host);
      return;
    }
  }
  const auto started = start_next(host, location, *fetch);
  if (!started.has_value()) try_again_later(host, location, *fetch, started.error().detail);
}

std::vector<LocationFetch> location_fetches(Host& host) {
  std::vector<LocationFetch> fetches;
  for (const std::string& id : host.list(kLocations)) {
    fetches.push_back(*load<LocationFetch>(host, kLocations, id));
  }
  return fetches;
}

std::string location_address(const LocationFetch& fetch) {
  const auto did = Did::parse(fetch.did);
  if (!did.has_value()) return {};
  const auto document = protocol::resolve_self_contained(*did);
  if (!document.has_value() || document->services.empty()) return {};
  return document->services.front().uri;
}

void judge_locations(Host& host, const std::map<std::string, std::string>& problems,
                     const std::set<std::string>& useless) {
  for (const std::string& id : host.list(kLocations)) {
    auto fetch = *load<LocationFetch>(host, kLocations, id);
    if (fetch.source.empty()) continue;
    const auto found = problems.find(fetch.source);
    const std::string problem = found == problems.end() ? "" : found->second;
    if (fetch.problem == problem) continue;
    fetch.problem = problem;
    save(host, kLocations, id, fetch);
  }
  start_fetches(host, useless);
}

std::vector<Source> sources(Host& host) {
  std::vector<Source> found;
  for (const LocationFetch& fetch : location_fetches(host)) {
    if (fetch.source.empty()) continue;
    const bool known =
        std::ranges::any_of(found, [&](const Source& other) { return other.id == fetch.source; });
    if (known) continue;
    if (auto source = read_source(host, fetch)) found.push_back(std::move(*source));
  }
  return found;
}

}  // namespace kith::recovery
