#pragma once

/// How much of a waiting period has really passed (recovery-protocol section 8). Clocks of this
/// machine are not asked at all: its running time counts, and time it was off counts only as far as
/// two independent signed sources show, at least one of them not chosen by the requester.
///
/// A source's span starts with an answer to a question that was asked after the clock started (it
/// holds a nonce of ours), because an old signed time played back would make the span longer. Our
/// running time is counted from the question on, not from the answer: whoever carries the mail may
/// hold an answer back, and time that ran meanwhile must not count twice. Any later signed time
/// extends the span: a signature that says t was not made before t. Nothing here ever makes
/// `elapsed` smaller.

#include <optional>
#include <string>
#include <vector>

#include "protocol/record.hpp"
#include "protocol/time.hpp"

namespace kith::recovery {

/// Sources that one clock remembers, and how many of them the requester may have brought.
inline constexpr std::size_t kTimeSourcesMax = 16;
inline constexpr std::size_t kRequesterSourcesMax = 4;

/// A time whose signature the caller has checked.
struct SignedTime {
  std::string source;  ///< Who signed: one name for one operator; at most limits::kDidCharsMax.
  Time time{};
  /// Host::uptime() when the nonce was made that the signature covers; absent: it covers none.
  std::optional<Duration> asked = std::nullopt;
  bool chosen_by_requester = false;  ///< Or possibly so: when in doubt, true.
};

/// Persisted with the session.
struct WaitingClock {
  struct Source {
    std::string name;
    bool chosen_by_requester = false;
    Time first{};
    Duration first_uptime{};  ///< Of this agent, when it asked for `first`.
    Duration gap{};           ///< The most that the source showed beyond our running time.

    template <class V>
    void visit(V& v) {
      v("name", name), v("chosen", chosen_by_requester), v("first", first);
      v("first_uptime", first_uptime), v("gap", gap);
    }
  };
  Duration started{};  ///< Host::uptime() at the start of the waiting period.
  std::vector<Source> sources;

  template <class V>
  void visit(V& v) {
    v("started", started), v("sources", sources);
  }
};

[[nodiscard]] WaitingClock start_waiting(Duration uptime);

/// Takes a signed time in; `uptime` is Host::uptime() now. Useless ones (not fresh from a new
/// source, too many sources) are ignored.
void observe(WaitingClock& clock, const SignedTime& seen, Duration uptime);

/// Never decreases while `uptime` does not.
[[nodiscard]] Duration elapsed(const WaitingClock& clock, Duration uptime);
/// Time left; zero when over.
[[nodiscard]] Duration remaining(const WaitingClock& clock, Duration uptime, Duration period);

}  // namespace kith::recovery
