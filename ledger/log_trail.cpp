#include "ledger/log_trail.hpp"

#include <algorithm>
#include <map>
#include <set>

#include "ledger/handed_entries.hpp"
#include "ledger/ledger_services.hpp"
#include "ledger/log_limits.hpp"
#include "ledger/seen_ledgers.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kTrails = "log-trail";

TrailStop* stop_of(LogTrail& trail, std::string_view id) {
  const auto found = std::ranges::find(trail.stops, id, &TrailStop::id);
  return found == trail.stops.end() || id.empty() ? nullptr : &*found;
}

std::map<std::string, Entry> entries_of(const LogTrail& trail) {
  std::map<std::string, Entry> entries;
  for (const TrailStop& stop : trail.stops) {
    for (const StoredBlob& blob : stop.blobs) {
      auto entry = parse_entry(blob.blob);
      if (entry.has_value() && entry->id == trail.subject) {
        entries.emplace(entry_hash(*entry), std::move(*entry));
      }
    }
  }
  return entries;
}

/// Where the log began.
std::string first_ledger(const LogTrail& trail) {
  for (const TrailStop& stop : trail.stops) {
    for (const StoredBlob& blob : stop.blobs) {
      const auto entry = parse_entry(blob.blob);
      if (!entry.has_value() || entry->op != Op::genesis || entry->id != trail.subject) continue;
      return entry->content->ledgers.empty() ? std::string() : entry->content->ledgers.front();
    }
  }
  return {};
}

/// A recover that names the ledger on which it lies, though what it continues does not.
bool leaves_by_itself(const Entry& entry, const TrailStop& stop,
                      const std::map<std::string, Entry>& entries) {
  if (entry.op != Op::recover || stop.id.empty()) return false;
  const auto& named = entry.content->ledgers;
  if (named.empty() || named.front() != stop.id) return false;
  const auto before = entries.find(entry.prev);
  return before == entries.end() || !before->second.content.has_value() ||
         !contains(before->second.content->ledgers, stop.id);
}

Time sight_of(Host& host, LogTrail& trail, const std::string& hash) {
  const auto seen = std::ranges::find(trail.sights, hash, &TrailSight::hash);
  if (seen != trail.sights.end()) return seen->first;
  if (trail.sights.size() < log_limits::kSightsKept) trail.sights.push_back({hash, host.now()});
  return host.now();
}

std::vector<AnchoredBlob> blobs_of(Host& host, LogTrail& trail) {
  const auto entries = entries_of(trail);
  const std::string first = first_ledger(trail);
  const bool many = trail.stops.size() > 1;
  std::vector<AnchoredBlob> all;
  const auto add = [&](const TrailStop& stop) {
    if (many && stop.id.empty()) return;
    for (const StoredBlob& blob : stop.blobs) {
      Time time = blob.anchored;
      const auto entry = parse_entry(blob.blob);
      if (entry.has_value() && leaves_by_itself(*entry, stop, entries)) {
        time = std::max(time, sight_of(host, trail, entry_hash(*entry)));
      }
      AnchoredBlob& one = all.emplace_back(anchored_blob(blob));
      one.time = anchor_time(time);
      one.ledger = stop.id;
    }
  };
  for (const TrailStop& stop : trail.stops) {
    if (stop.id == first) add(stop);
  }
  for (const TrailStop& stop : trail.stops) {
    if (stop.id != first) add(stop);
  }
  return all;
}

Result<LogView> read_as(Host& host, LogTrail& trail, bool carried) {
  ReaderOptions options{anchor_time(host.now()), host.test_mode(), {}, carried};
  std::vector<AnchoredBlob> blobs = blobs_of(host, trail);
  add_descriptors(host, options, blobs);
  add_handed(host, trail.subject, blobs, options);
  return read_log(trail.subject, blobs, options);
}

TrailStop stop_to(Host& host, const std::string& id, const LogView& view) {
  TrailStop stop;
  stop.id = id;
  if (const auto known = known_ledger_url(host, id)) {
    stop.url = *known;
  } else if (auto hinted = hinted_address(view, id)) {
    stop.url = std::move(*hinted);
    stop.hinted = true;
  }
  return stop;
}

/// What the log says about its ledgers, as far as it could be read.
struct Course {
  std::optional<LogView> view;     ///< By the ledgers that were read.
  std::optional<LogView> carried;  ///< By copies, where the log came from elsewhere.
  std::string wanted;              ///< A ledger that should be asked too; empty: none.
};

Course course_of(Host& host, LogTrail& trail) {
  Course course;
  auto view = read_as(host, trail, false);
  if (!view.has_value()) return course;
  course.view = std::move(*view);
  const std::string first = first_ledger(trail);
  if (const TrailStop* home = stop_of(trail, first); home == nullptr || home->blobs.empty()) {
    auto carried = read_as(host, trail, true);
    if (carried.has_value() && carried->unconfirmed_move) {
      course.carried = std::move(*carried);
      if (home == nullptr) course.wanted = first;
      return course;
    }
  }
  const auto& ledgers = course.view->current.ledgers;
  const bool moved = course.view->history.front().entry->content->ledgers != ledgers;
  if (!moved || ledgers.empty()) return course;
  const bool known_ids = std::ranges::none_of(
      trail.stops, [](const TrailStop& stop) { return stop.read && stop.id.empty(); });
  if (known_ids && stop_of(trail, ledgers.front()) == nullptr) course.wanted = ledgers.front();
  return course;
}

bool is_final(Host& host, LogTrail& trail) {
  const auto view = read_as(host, trail, false);
  return view.has_value() && !view->pending.has_value() &&
         view->open_move(anchor_time(host.now())) == nullptr;
}

void make_room(Host& host, const std::string& subject) {
  const auto subjects = host.list(kTrails);
  if (subjects.size() < log_limits::kTrailsKept || contains(subjects, subject)) return;
  const auto used = [&](const std::string& one) {
    return load<LogTrail>(host, kTrails, one)->used;
  };
  host.erase({std::string(kTrails), *std::ranges::min_element(subjects, {}, used)});
}

/// The entries that counted on ledgers which the log left, and the address of the one it lives on.
void remember(Host& host, const LogTrail& trail, const LogView& view) {
  const auto& now_on = view.current.ledgers;
  const bool moved = view.history.front().entry->content->ledgers != now_on;
  if (view.unconfirmed_move || (!moved && trail.sights.empty())) return;
  std::set<std::string> counted;
  for (const LogRecord& record : view.history) counted.insert(record.hash);
  LogTrail kept{trail.subject, {}, trail.sights, host.now()};
  for (const TrailStop& stop : trail.stops) {
    if (stop.id.empty()) continue;
    TrailStop& one = kept.stops.emplace_back(TrailStop{stop.id, stop.url, stop.hinted, {}, {}, {}});
    const bool left = moved && (now_on.empty() || stop.id != now_on.front());
    if (!left) continue;
    for (const StoredBlob& blob : stop.blobs) {
      const auto entry = parse_entry(blob.blob);
      if (entry.has_value() && counted.contains(entry_hash(*entry))) one.blobs.push_back(blob);
    }
  }
  make_room(host, trail.subject);
  save(host, kTrails, trail.subject, kept);
}

}  // namespace

LogTrail begin_trail(Host& host, std::string_view subject, const std::string& ledger_url) {
  LogTrail trail = load<LogTrail>(host, kTrails, subject).value_or(LogTrail{});
  trail.subject = subject;
  const bool final = !trail.stops.empty() && is_final(host, trail);
  for (TrailStop& stop : trail.stops) stop.read = final && !stop.blobs.empty();
  if (std::ranges::find(trail.stops, ledger_url, &TrailStop::url) == trail.stops.end()) {
    TrailStop asked;
    asked.id = known_ledger_id(host, ledger_url);
    asked.url = ledger_url;
    trail.stops.insert(trail.stops.begin(), std::move(asked));
  }
  return trail;
}

std::optional<std::size_t> next_stop(Host& host, LogTrail& trail) {
  const auto open = [](const TrailStop& stop) {
    return !stop.read && !stop.away && !stop.url.empty();
  };
  const auto index_of = [&]() -> std::optional<std::size_t> {
    const auto found = std::ranges::find_if(trail.stops, open);
    if (found == trail.stops.end()) return std::nullopt;
    return static_cast<std::size_t>(found - trail.stops.begin());
  };
  if (const auto index = index_of()) return index;
  const Course course = course_of(host, trail);
  if (course.wanted.empty() || trail.stops.size() >= log_limits::kStopsMax) return std::nullopt;
  trail.stops.push_back(
      stop_to(host, course.wanted, course.carried ? *course.carried : *course.view));
  return index_of();
}

void take_stop(Host& host, LogTrail& trail, std::size_t index, std::vector<StoredBlob> blobs) {
  TrailStop& stop = trail.stops[index];
  stop.read = true;
  stop.blobs = std::move(blobs);
  if (!stop.id.empty()) return;
  stop.id = known_ledger_id(host, stop.url);
  // The same ledger at another address than before.
  const auto same = [&](const TrailStop& other) {
    return &other != &stop && !stop.id.empty() && other.id == stop.id;
  };
  const auto twin = std::ranges::find_if(trail.stops, same);
  if (twin != trail.stops.end()) trail.stops.erase(twin);
}

Result<LogView> end_trail(Host& host, LogTrail& trail) {
  Course course = course_of(host, trail);
  if (!course.view.has_value()) return read_as(host, trail, false);
  if (course.carried.has_value()) return std::move(*course.carried);
  const auto& ledgers = course.view->current.ledgers;
  const TrailStop* last = ledgers.empty() ? nullptr : stop_of(trail, ledgers.front());
  const bool moved = course.view->history.front().entry->content->ledgers != ledgers;
  if (moved && !course.wanted.empty()) {
    return fail(Errc::unreachable, "the log moved to a ledger whose address is not known here");
  }
  if (moved && last != nullptr && !last->read) {
    return fail(Errc::unreachable,
                last->url.empty() ? "the log moved to a ledger whose address is not known here"
                                  : "the log moved to " + last->url + ", which does not answer");
  }
  remember(host, trail, *course.view);
  return std::move(*course.view);
}

std::vector<AnchoredBlob> trail_blobs(Host& host, LogTrail& trail) {
  return blobs_of(host, trail);
}

std::optional<std::string> hinted_address(const LogView& view, std::string_view id) {
  for (auto record = view.history.rbegin(); record != view.history.rend(); ++record) {
    if (!record->entry->content.has_value() || view.kind != Kind::did) continue;
    if (auto address = told_address(record->entry->content->state, id)) return address;
  }
  return std::nullopt;
}

}  // namespace kith::ledger
