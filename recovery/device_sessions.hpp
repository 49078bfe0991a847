#pragma once

/// Sessions of a recovering device: one for each trustee that is asked (recovery-protocol sections
/// 4 and 8). The trustee's side is trustee_session.hpp.
///
///   requested --code-nonce--> coded --B typed--> typed --approved--> located --partial--> answered
///
/// Each step is sent again until the trustee's next message shows that it arrived. All messages of
/// a session have the invitation's id as parent thread, and come from a one-time did:peer:2.
/// The session's private key is record `session-key/<session id>`; it never leaves this device.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/module.hpp"
#include "recovery/combine.hpp"
#include "recovery/messages.hpp"
#include "recovery/short_code.hpp"

namespace kith::recovery {

inline constexpr std::string_view kDeviceModule = "recover";
// Timers of the module, besides "fetch|<location>" for downloads.
inline constexpr std::string_view kTimerSessions = "sessions";  ///< Send again what is unanswered.
inline constexpr std::string_view kTimerFinish = "finish";      ///< Next look at the checklist.

/// Stored: never renumber.
enum class DeviceStep : std::uint8_t {
  requested = 1,  ///< The request and the commitment are out.
  coded = 2,      ///< Both codes are known.
  typed = 3,      ///< Our user typed code B rightly.
  located = 4,    ///< Approved: the trustee said where the backups are.
  answered = 5,   ///< Its partials are here.
  refused = 6,    ///< By the trustee, or after too many wrong codes.
  closed = 7,
};
constexpr bool is_valid(DeviceStep step) {
  return step >= DeviceStep::requested && step <= DeviceStep::closed;
}

/// A trustee releases each version limits::kReleasesMax times at most.
inline constexpr std::size_t kSourcesAskedMax = 8;

/// Points that one trustee is asked for, for one source (device_open.hpp).
struct PointsAsked {
  std::string source;
  Blinding blinding;
  std::uint32_t tries = 0;
  bool answered = false;
  template <class V>
  void visit(V& v) {
    v("source", source), v("blinding", blinding), v("tries", tries), v("answered", answered);
  }
};

/// Collection `recover-session`, by session id in hex.
struct DeviceSession {
  SessionId id{};
  PublicKey key;
  std::string label;        ///< The user's name for this trustee; never from the trustee.
  std::string own_did;      ///< One-time, of this session.
  std::string trustee_did;  ///< Of the invitation.
  std::string invitation_id;
  DeviceStep step = DeviceStep::requested;
  Time started{};
  Time next_send{};  ///< Of what is unanswered.
  std::uint32_t tries = 0;

  CodeNonce nonce{};
  ShortCodes codes;       ///< From `coded` on.
  bool revealed = false;  ///< The trustee has shown that our nonce arrived.
  std::uint32_t wrong_codes = 0;

  std::string trustee_state;  ///< Its last status: a name of session_table.hpp, or empty.
  std::int64_t remaining_s = 0;
  std::string trustee_text;
  std::string question;
  std::string answer;  ///< To the question; erased once it arrived.
  std::vector<BackupLocator> locations;
  std::vector<PointsAsked> asked;
  /// Newest reply, kept as evidence: what the trustee signed.
  Bytes box;
  Bytes signature;
  std::optional<PublicKey> signer;

  template <class V>
  void visit(V& v) {
    v("id", id), v("key", key), v("label", label), v("own_did", own_did);
    v("trustee_did", trustee_did), v("invitation_id", invitation_id), v("step", step);
    v("started", started), v("next_send", next_send), v("tries", tries), v("nonce", nonce);
    v("code_a", codes.shown_by_device), v("code_b", codes.shown_by_trustee);
    v("revealed", revealed), v("wrong_codes", wrong_codes), v("trustee_state", trustee_state);
    v("remaining_s", remaining_s), v("trustee_text", trustee_text), v("question", question);
    v("answer", answer), v("locations", locations), v("asked", asked), v("box", box);
    v("signature", signature), v("signer", signer);
  }
};

/// One answer as it came (collection `recover-answer`, numbered in the order of arrival).
struct ArrivedAnswer {
  std::string session;
  std::string source;
  Bytes answer;  ///< As open_answers gave it.
  template <class V>
  void visit(V& v) {
    v("session", session), v("source", source), v("answer", answer);
  }
};

[[nodiscard]] std::vector<DeviceSession> device_sessions(Host& host);  ///< Oldest first.
[[nodiscard]] std::vector<ArrivedAnswer> arrived_answers(Host& host);

/// Command recover-add-trustee.
[[nodiscard]] Result<JsonObject> add_trustee(Host& host, const JsonObject& args);
/// Command recover-code. A wrong code is counted, so it is a reply and no error.
[[nodiscard]] Result<JsonObject> type_code(Host& host, const JsonObject& args);
/// Command recover-answer.
[[nodiscard]] Result<JsonObject> answer_challenge(Host& host, const JsonObject& args);

/// A message of a session. Returns true when there is something new to open: locations or answers.
/// Errors: not_authentic, not_found, malformed, wrong_state; those of open_answers.
[[nodiscard]] Result<bool> on_session_message(Host& host, const Inbound& inbound);
/// A trustee's program refused a message of ours.
void on_session_problem(Host& host, const Inbound& inbound, const protocol::ProblemReport& report);

/// Asks a trustee that has approved for the points of `source`, unless it was asked before, was
/// asked for kSourcesAskedMax others, or has not answered the last request. Returns whether it is
/// being asked for a source now.
bool ask_for_points(Host& host, const SessionId& session, const std::string& source,
                    const Targets& targets);
/// Sends what is unanswered again, and sets the timer.
void repeat_sessions(Host& host);
/// Tells every trustee how the recovery ended. `result`: "recovered" or "abandoned".
void close_sessions(Host& host, std::string_view result);

/// For status: [{id, trustee, state, code_to_read?, needs: [..], ...}].
[[nodiscard]] JsonArray describe_device_sessions(Host& host);

}  // namespace kith::recovery
