#pragma once

/// Recovery sessions at the trustee: one for each device that asks (recovery-protocol section 8).
/// States: session_table.hpp. The order of a good session:
///
///   trustee's user: trustee-invite CONTACT           -> URL for the person who lost a device
///   device: request, code-commit; code-nonce back; code-reveal
///   both people read codes to each other: the trustee's user types A (trustee-approve), the
///   device's user types B (code-typed); the owner's agents get a notice
///   challenge and its answer, if the record has a question; trustee-approve with challenge_ok
///   locate; the device's partial-request; the waiting period; partial
///
/// A request counts only if it answers an open invitation that our user made (parent thread), so
/// strangers open no sessions at all. The invitation allows limits::kExchangesPerInvitationMax of
/// them; all but the first count towards limits::kSessionsPerDayMax. A contact has at most
/// limits::kOpenSessionsPerContactMax open: the oldest unmatched one makes room, matched ones never
/// do.
///
/// Everything is durable before an answer leaves: counters of tries, approval, release.
///
/// Commands
///   trustee-invite {contact} -> {id, url, contact, expires}
///       Errors: unknown_peer, wrong_state (no share held for that contact, or no address yet).
///   trustee-approve {id, contact, code?, verified, challenge_ok?} -> {id, state, code_ok,
///       tries_left, words}; `verified`: in-person, video or voice. A wrong code is counted, so it
///       is a reply with code_ok false and no error. Again with challenge_ok (true or false) once
///       the answer to the challenge is there.
///       Errors: not_found, refused (text, e-mail, another contact), wrong_state, usage.
///   trustee-confirm {id, verified: "in-person"} -> {id, state, words}: after a veto.
///       Errors: not_found, refused (another way, or the owner has switched overriding off),
///       wrong_state.
///
/// An element of `sessions` in trustee-requests: {id, contact (whom the user invited), state,
/// words, device_text (untrusted), code (B, to read out; absent when not needed), needs: ["code",
/// "device-code", "challenge", "confirm"], question?, answer?, remaining_s, vetoed, started}.

#include <string>
#include <vector>

#include "protocol/module.hpp"
#include "recovery/answer.hpp"
#include "recovery/messages.hpp"
#include "recovery/session_table.hpp"
#include "recovery/short_code.hpp"
#include "recovery/waiting.hpp"

namespace kith::recovery {

/// Sessions that came to nothing end after this; approved ones so long after they fell due.
inline constexpr std::chrono::hours kSessionLife{24 * 14};
/// An invitation of trustee-invite.
inline constexpr std::chrono::hours kRecoveryInvitationLife{24};
/// Sessions that are over stay listed for so long.
inline constexpr std::chrono::hours kSessionKept{24 * 90};

/// Record version that has been answered, and for which points.
struct ReleasedVersion {
  RecordId record_id{};
  std::uint64_t version = 0;
  Digest points{};  ///< H over the request.
  template <class V>
  void visit(V& v) {
    v("record_id", record_id), v("version", version), v("points", points);
  }
};

/// Collection `session`, by session id in hex. Kept after its end for the audit.
struct Session {
  SessionId id{};
  PublicKey key;              ///< The device's, of this session.
  std::string device_did;     ///< Only its messages count.
  std::string own_did;        ///< One-time, of the invitation.
  std::string invitation_id;  ///< Parent thread of all messages.
  std::string thread;         ///< Of the request.
  std::string contact_id;     ///< Whom our user picked when inviting.
  std::string device_text;    ///< Untrusted.
  SessionState state = SessionState::received;
  Time started{};
  Time changed{};

  Digest commitment{};
  CodeNonce own_nonce{};
  ShortCodes codes;  ///< From `coded` on.
  bool user_right = false;
  bool device_right = false;
  std::uint32_t user_wrong = 0;
  std::uint32_t device_wrong = 0;
  std::string verified;  ///< How our user verified the person.

  std::string question;  ///< Empty until asked.
  std::string answer;
  bool answered = false;

  bool approved = false;
  std::vector<PartialRequest> requests;  ///< At most limits::kReleasesMax different ones.
  std::vector<ReleasedVersion> released;
  WaitingClock age;    ///< From the request on: decides the session's end.
  Duration life{};     ///< Compared with `age`.
  WaitingClock clock;  ///< From the approval on.
  bool vetoed = false;
  WaitingClock veto_clock;  ///< From the veto on.
  bool reconfirmed = false;
  Duration last_notice{};  ///< Uptime at the last notice to the owner's agents.
  std::string result;      ///< As the device closed it, or why it was refused.

  template <class V>
  void visit(V& v) {
    v("id", id), v("key", key), v("device_did", device_did), v("own_did", own_did);
    v("invitation_id", invitation_id), v("thread", thread), v("contact_id", contact_id);
    v("device_text", device_text), v("state", state), v("started", started);
    v("changed", changed), v("commitment", commitment), v("own_nonce", own_nonce);
    v("code_a", codes.shown_by_device), v("code_b", codes.shown_by_trustee);
    v("user_right", user_right), v("device_right", device_right), v("user_wrong", user_wrong);
    v("device_wrong", device_wrong), v("verified", verified), v("question", question);
    v("answer", answer), v("answered", answered), v("approved", approved), v("requests", requests);
    v("released", released), v("age", age), v("life", life), v("clock", clock);
    v("vetoed", vetoed), v("veto_clock", veto_clock), v("reconfirmed", reconfirmed);
    v("last_notice", last_notice), v("result", result);
  }
};

class TrusteeSessions final : public Module {
 public:
  std::string_view name() const override { return "trustee-sessions"; }
  std::vector<std::string> message_types() const override;
  std::vector<std::string> commands() const override {
    return {"trustee-invite", "trustee-approve", "trustee-confirm"};
  }
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
  void on_timer(Host& host, std::string_view timer) override;
  void on_start(Host& host) override;
};

/// The trustee's key in the codes' transcript: the first agreement key of the invitation's DID.
/// For both sides. Errors: malformed, unsupported (a DID that does not say its keys).
[[nodiscard]] Result<PublicKey> connection_key(const Did& invitation_did);

/// What an agent signs that objects without standing in the relationship's present state.
[[nodiscard]] Bytes veto_statement(ByteView session_id);

/// A signed time that some reply brought (heartbeat, backup location): counts for every open
/// session, as one that the requester chose where `contact_id`, who signed, is whom the session is
/// about. The caller has checked the signature.
void observe_signed_time(Host& host, SignedTime seen, std::string_view contact_id);

// For trustee.cpp.
[[nodiscard]] JsonArray describe_sessions(Host& host);
[[nodiscard]] bool session_exists(Host& host, std::string_view id);
/// Errors: wrong_state.
[[nodiscard]] Result<JsonObject> decline_session(Host& host, std::string_view id,
                                                 std::string_view reason);
/// Whether a matched recovery of that contact is open: its records are then kept.
[[nodiscard]] bool recovery_open(Host& host, std::string_view contact_id);

}  // namespace kith::recovery
