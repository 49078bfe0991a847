#include "recovery/waiting.hpp"

#include <algorithm>

#include "crypto/limits.hpp"

namespace kith::recovery {
namespace {

using TimeSource = WaitingClock::Source;

TimeSource* find(WaitingClock& clock, const std::string& name) {
  const auto found = std::find_if(clock.sources.begin(), clock.sources.end(),
                                  [&](const TimeSource& source) { return source.name == name; });
  return found == clock.sources.end() ? nullptr : &*found;
}

bool has_room(const WaitingClock& clock, bool chosen_by_requester) {
  const auto chosen =
      std::count_if(clock.sources.begin(), clock.sources.end(),
                    [](const TimeSource& source) { return source.chosen_by_requester; });
  const auto brought = static_cast<std::size_t>(chosen);
  if (chosen_by_requester) return brought < kRequesterSourcesMax;
  return clock.sources.size() - brought < kTimeSourcesMax - kRequesterSourcesMax;
}

}  // namespace

WaitingClock start_waiting(Duration uptime) {
  WaitingClock clock;
  clock.started = uptime;
  return clock;
}

void observe(WaitingClock& clock, const SignedTime& seen, Duration uptime) {
  if (uptime < clock.started || seen.source.empty() || seen.source.size() > limits::kDidCharsMax) {
    return;
  }
  TimeSource* source = find(clock, seen.source);
  if (source == nullptr) {
    const bool fresh = seen.asked && *seen.asked >= clock.started && *seen.asked <= uptime;
    if (!fresh || !has_room(clock, seen.chosen_by_requester)) return;
    clock.sources.push_back(
        {seen.source, seen.chosen_by_requester, seen.time, *seen.asked, Duration::zero()});
    return;
  }
  // The requester may name a source that this agent knows by itself; that does not taint it.
  source->chosen_by_requester = source->chosen_by_requester && seen.chosen_by_requester;
  const Duration ran = uptime - source->first_uptime;
  if (seen.time <= source->first || ran < Duration::zero()) return;
  source->gap = std::max(source->gap, seen.time - source->first - ran);
}

Duration elapsed(const WaitingClock& clock, Duration uptime) {
  // The best pair: what both of them show, one of the two not chosen by the requester.
  Duration gap = Duration::zero();
  for (std::size_t i = 0; i < clock.sources.size(); ++i) {
    for (std::size_t j = i + 1; j < clock.sources.size(); ++j) {
      const TimeSource& a = clock.sources[i];
      const TimeSource& b = clock.sources[j];
      if (a.chosen_by_requester && b.chosen_by_requester) continue;
      gap = std::max(gap, std::min(a.gap, b.gap));
    }
  }
  return std::max(Duration::zero(), uptime - clock.started) + gap;
}

Duration remaining(const WaitingClock& clock, Duration uptime, Duration period) {
  return std::max(Duration::zero(), period - elapsed(clock, uptime));
}

}  // namespace kith::recovery
