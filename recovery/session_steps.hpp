#pragma once

/// Steps of a trustee's session that messages, commands and timers share. Internal to the module
/// "trustee-sessions" (trustee_session.hpp).

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/contact.hpp"
#include "recovery/trustee_session.hpp"
#include "recovery/trustee_share.hpp"

namespace kith::recovery {

inline constexpr std::string_view kSessionModule = "trustee-sessions";
inline constexpr std::string_view kSessionTimer = "look";
inline constexpr std::string_view kSessions = "session";

[[nodiscard]] std::optional<Session> find_session(Host& host, std::string_view id);
[[nodiscard]] std::vector<Session> all_sessions(Host& host);
void save_session(Host& host, const Session& session);
[[nodiscard]] std::string session_name(const Session& session);  ///< Id in hex.

/// Moves by the table. Errors: wrong_state, naming the state.
[[nodiscard]] Result<void> step(Host& host, Session& session, SessionEvent event);
/// The error of `step` without the step.
[[nodiscard]] Result<void> check_step(const Session& session, SessionEvent event);

// To the device. Failures to send are left to its repeats.
void push_to_device(Host& host, const Session& session, std::string_view name, JsonObject body);
[[nodiscard]] SessionStatus status_of(Host& host, const Session& session);
void push_status(Host& host, const Session& session);

/// Tells the owner's agents, and remembers when.
void notify_owner(Host& host, Session& session);
void tell_user(Host& host, const Session& session, std::string text);
[[nodiscard]] std::string contact_name(Host& host, const Session& session);

/// Both codes are right: asks the challenge question, or approves if there is none.
[[nodiscard]] Result<void> after_codes(Host& host, Session& session);
/// The checks are done: the waiting period starts, the device hears where the backups are.
[[nodiscard]] Result<void> approve_session(Host& host, Session& session);
/// One more wrong code of either side; true when no try is left.
[[nodiscard]] Result<bool> count_wrong(Host& host, Session& session, std::uint32_t& counter);

// Waiting and release (session_release.cpp)

/// Until the first version may be answered, as far as is known now.
[[nodiscard]] Duration time_to_release(Host& host, const Session& session);
/// Some version held for the contact lets a veto be overridden.
[[nodiscard]] bool override_possible(Host& host, const Session& session);
/// How long a session may live on after approval or veto: the longest of its periods.
[[nodiscard]] Duration longest_period(Host& host, const Session& session);
/// Answers what may be answered now. True when something left that had not left before.
[[nodiscard]] Result<bool> release_due(Host& host, Session& session);
/// Sends the stored answers to this request again; false when there are none.
[[nodiscard]] bool repeat_answers(Host& host, const Session& session,
                                  const PartialRequest& request);
void forget_answers(Host& host, const Session& session);

/// A waiting period of the session runs, so time that this machine is off may count.
[[nodiscard]] bool time_runs(const Session& session);
/// Sets the timer for whatever comes next in any session.
void schedule_look(Host& host);

}  // namespace kith::recovery
