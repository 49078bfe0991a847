#include "recovery/session_table.hpp"

#include <array>

namespace kith::recovery {
namespace {

using S = SessionState;
using E = SessionEvent;

constexpr Transition kTable[] = {
    {S::received, E::commit, S::committed},
    {S::received, E::decline, S::refused},
    {S::received, E::close, S::closed},
    {S::received, E::expire, S::expired},

    {S::committed, E::reveal, S::coded},
    {S::committed, E::spent, S::refused},
    {S::committed, E::decline, S::refused},
    {S::committed, E::close, S::closed},
    {S::committed, E::expire, S::expired},

    {S::coded, E::user_right, S::matched},
    {S::coded, E::device_right, S::typed},
    {S::coded, E::wrong_code, S::coded},
    {S::coded, E::spent, S::refused},
    {S::coded, E::decline, S::refused},
    {S::coded, E::close, S::closed},
    {S::coded, E::expire, S::expired},

    {S::matched, E::device_right, S::verified},
    {S::matched, E::wrong_code, S::matched},
    {S::matched, E::spent, S::refused},
    {S::matched, E::veto, S::contested},
    {S::matched, E::decline, S::refused},
    {S::matched, E::close, S::closed},
    {S::matched, E::expire, S::expired},

    {S::typed, E::user_right, S::verified},
    {S::typed, E::wrong_code, S::typed},
    {S::typed, E::spent, S::refused},
    {S::typed, E::decline, S::refused},
    {S::typed, E::close, S::closed},
    {S::typed, E::expire, S::expired},

    {S::verified, E::ask, S::asked},
    {S::verified, E::approve, S::approved},
    {S::verified, E::veto, S::contested},
    {S::verified, E::decline, S::refused},
    {S::verified, E::close, S::closed},
    {S::verified, E::expire, S::expired},

    {S::asked, E::answer, S::answered},
    {S::asked, E::veto, S::contested},
    {S::asked, E::decline, S::refused},
    {S::asked, E::close, S::closed},
    {S::asked, E::expire, S::expired},

    {S::answered, E::approve, S::approved},
    {S::answered, E::veto, S::contested},
    {S::answered, E::decline, S::refused},
    {S::answered, E::close, S::closed},
    {S::answered, E::expire, S::expired},

    {S::approved, E::request, S::waiting},
    {S::approved, E::veto, S::contested},
    {S::approved, E::decline, S::refused},
    {S::approved, E::close, S::closed},
    {S::approved, E::expire, S::expired},

    {S::waiting, E::request, S::waiting},
    {S::waiting, E::due, S::released},
    {S::waiting, E::veto, S::contested},
    {S::waiting, E::decline, S::refused},
    {S::waiting, E::close, S::closed},
    {S::waiting, E::expire, S::expired},

    // A veto stops the release, not the checks: they go on underneath.
    {S::contested, E::device_right, S::contested},
    {S::contested, E::wrong_code, S::contested},
    {S::contested, E::spent, S::refused},
    {S::contested, E::ask, S::contested},
    {S::contested, E::answer, S::contested},
    {S::contested, E::approve, S::contested},
    {S::contested, E::request, S::contested},
    {S::contested, E::veto, S::contested},
    {S::contested, E::confirm, S::confirmed},
    {S::contested, E::decline, S::refused},
    {S::contested, E::close, S::closed},
    {S::contested, E::expire, S::expired},

    {S::confirmed, E::request, S::confirmed},
    {S::confirmed, E::due, S::released},
    {S::confirmed, E::veto, S::confirmed},
    {S::confirmed, E::decline, S::refused},
    {S::confirmed, E::close, S::closed},
    {S::confirmed, E::expire, S::expired},

    // What has left cannot be called back.
    {S::released, E::request, S::released},
    {S::released, E::due, S::released},
    {S::released, E::veto, S::released},
    {S::released, E::decline, S::refused},
    {S::released, E::close, S::closed},
    {S::released, E::expire, S::expired},

    {S::closed, E::close, S::closed},
};

constexpr std::array<std::string_view, 17> kStates{
    "",          "received", "committed", "coded",    "matched", "typed",
    "verified",  "asked",    "answered",  "approved", "waiting", "contested",
    "confirmed", "released", "refused",   "expired",  "closed"};

constexpr std::array<std::string_view, kSessionEvents> kEvents{
    "commit",  "reveal",  "user-right", "device-right", "wrong-code", "spent",   "ask",   "answer",
    "approve", "request", "due",        "veto",         "confirm",    "decline", "close", "expire"};

}  // namespace

std::span<const Transition> session_table() {
  return kTable;
}

std::optional<SessionState> next_state(SessionState state, SessionEvent event) {
  for (const Transition& row : kTable) {
    if (row.state == state && row.event == event) return row.next;
  }
  return std::nullopt;
}

bool is_over(SessionState state) {
  return state == S::refused || state == S::expired || state == S::closed;
}

bool is_matched(SessionState state) {
  return state >= S::matched && state <= S::released && state != S::typed;
}

std::string_view state_name(SessionState state) {
  return kStates[static_cast<std::size_t>(state)];
}

std::string_view event_name(SessionEvent event) {
  return kEvents[static_cast<std::size_t>(event)];
}

}  // namespace kith::recovery
