#pragma once

/// The states of a recovery session at the trustee, as one table. Every pair of state and event
/// that is not in it is refused. docs/recovery-states.md shows the same table; a test compares.

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include "crypto/result.hpp"

namespace kith::recovery {

/// Stored: never renumber.
enum class SessionState : std::uint8_t {
  received = 1,    ///< A device asks.
  committed = 2,   ///< The device has committed to its nonce; ours is out.
  coded = 3,       ///< Both people can read their code.
  matched = 4,     ///< Our user picked the contact and typed code A rightly.
  typed = 5,       ///< The device's user typed code B rightly, ours has not yet.
  verified = 6,    ///< Both codes were right.
  asked = 7,       ///< The owner's challenge question is out.
  answered = 8,    ///< Its answer waits for our user's judgement.
  approved = 9,    ///< The waiting period runs.
  waiting = 10,    ///< The same, and the device has sent its points.
  contested = 11,  ///< An agent of the owner objected.
  confirmed = 12,  ///< Confirmed in person after that; the override days run.
  released = 13,   ///< An answer has left.
  refused = 14,
  expired = 15,
  closed = 16,  ///< The device is done.
};
constexpr bool is_valid(SessionState state) {
  return state >= SessionState::received && state <= SessionState::closed;
}

enum class SessionEvent : std::uint8_t {
  commit,        ///< code-commit arrived.
  reveal,        ///< code-reveal arrived and fits the commitment.
  user_right,    ///< Our user picked the contact of the invitation and typed A.
  device_right,  ///< The device's user typed B.
  wrong_code,    ///< Either was wrong, with tries left.
  spent,         ///< No tries are left, or the reveal does not fit.
  ask,           ///< The challenge question goes out.
  answer,        ///< challenge-response arrived.
  approve,       ///< All checks are done.
  request,       ///< partial-request arrived.
  due,           ///< The time is over and points are here.
  veto,          ///< An agent of the owner objects.
  confirm,       ///< Our user met the person after the veto.
  decline,       ///< Our user refuses.
  close,         ///< The device ends the session.
  expire,        ///< Nothing came of it in time.
};
inline constexpr std::size_t kSessionEvents = 16;

struct Transition {
  SessionState state;
  SessionEvent event;
  SessionState next;
};

[[nodiscard]] std::span<const Transition> session_table();
/// nullopt: not possible in that state.
[[nodiscard]] std::optional<SessionState> next_state(SessionState state, SessionEvent event);
/// Over: takes no further part in anything.
[[nodiscard]] bool is_over(SessionState state);
/// From `matched` on: the owner's agents know of it, and a veto counts.
[[nodiscard]] bool is_matched(SessionState state);

[[nodiscard]] std::string_view state_name(SessionState state);
[[nodiscard]] std::string_view event_name(SessionEvent event);

}  // namespace kith::recovery
