// What the user of a recovering device says and sees of its sessions (device_sessions.hpp).

#include <algorithm>

#include "crypto/assert.hpp"
#include "ledger/connection.hpp"
#include "protocol/invitation.hpp"
#include "protocol/own_service.hpp"
#include "recovery/device_session_steps.hpp"

namespace kith::recovery {
namespace {

constexpr std::size_t kSessionsMax = limits::kPlanLeavesMax;

std::string_view step_word(const DeviceSession& session) {
  switch (session.step) {
    case DeviceStep::requested:
      return "asked";
    case DeviceStep::coded:
      return "codes";
    case DeviceStep::typed:
      return session.question.empty() || answer_arrived(session) ? "checking" : "question";
    case DeviceStep::located:
      return session.trustee_state == "contested" ? "contested" : "waiting";
    case DeviceStep::answered:
      return "answered";
    case DeviceStep::refused:
      return "refused";
    case DeviceStep::closed:
      return "closed";
  }
  UNREACHABLE();
}

}  // namespace

Result<JsonObject> add_trustee(Host& host, const JsonObject& args) {
  TRY(const std::string url, crypto::json_string(args, "url"));
  TRY(const auto name, crypto::json_optional_string(args, "name"));
  TRY(auto parsed, protocol::parse_invitation_url(url));
  if (!parsed.invitation) return fail(Errc::unsupported, "paste the long form of the invitation");
  const Invitation& invitation = *parsed.invitation;
  if (invitation.goal_code != ledger::kGoalRecover) {
    return fail(Errc::usage,
                "that invitation is not for a recovery: your trustee makes one with "
                "`kith trustee invite`");
  }
  if (invitation.expires_time && *invitation.expires_time < protocol::epoch_seconds(host.now())) {
    return fail(Errc::expired, "ask your trustee for a new invitation");
  }
  const auto others = device_sessions(host);
  if (others.size() >= kSessionsMax) return fail(Errc::limit_exceeded, "too many sessions");
  for (const DeviceSession& other : others) {
    if (other.invitation_id == invitation.id) {
      return fail(Errc::conflict, "that invitation was used before");
    }
  }
  TRY(const ServiceEndpoint service, protocol::own_service(host));
  TRY(const Did own, ledger::make_one_time_did(host, {service}));
  TRY(const KeyPair key, host.keys().generate(KeyType::x25519, KeyPurpose::session));

  DeviceSession session;
  session.id = random_id<SessionId>(host.random());
  session.nonce = random_id<CodeNonce>(host.random());
  session.key = key.public_key;
  session.label = name.value_or("trustee " + std::to_string(others.size() + 1))
                      .substr(0, limits::kNameCharsMax);
  session.own_did = own.text();
  session.trustee_did = invitation.from.text();
  session.invitation_id = invitation.id;
  session.started = host.now();
  const std::string id = crypto::hex(session.id);
  save(host, kDeviceSessionKeys, id, StoredSessionKey{key.sealed});
  CHECK(send_and_keep(host, session));
  host.audit("recover.trustee-asked");
  return JsonObject{{"id", id}, {"trustee", session.label}};
}

Result<JsonObject> type_code(Host& host, const JsonObject& args) {
  TRY(const std::string id, crypto::json_string(args, "id"));
  TRY(const std::string code, crypto::json_string(args, "code"));
  TRY(DeviceSession session, session_named(host, id));
  if (session.wrong_codes >= limits::kCodeRetypingsMax) {
    return fail(Errc::too_many_tries, "ask your trustee for a new invitation");
  }
  if (session.step == DeviceStep::requested) {
    return fail(Errc::wrong_state, "there is no code yet: the trustee's device must answer first");
  }
  if (session.step != DeviceStep::coded) {
    return fail(Errc::wrong_state, "that session needs no code any more");
  }
  const bool right = code_matches(session.codes.shown_by_trustee, code);
  if (right) {
    session.step = DeviceStep::typed;
    CHECK(send_and_keep(host, session));
    host.audit("recover.code-right");
  } else {
    ++session.wrong_codes;
    host.audit("recover.code-wrong");
    if (session.wrong_codes >= limits::kCodeRetypingsMax) {
      session.step = DeviceStep::refused;
      session.trustee_text =
          "The code was wrong too often. Somebody may be listening in: ask your "
          "trustee for a new invitation.";
      CHECK(
          send_step(host, session, SessionRef::kClose, "close",
                    protocol::encode_body(SessionRef{crypto::to_bytes(session.id), "abandoned"})));
    }
    save_session(host, session);
  }
  return JsonObject{{"id", id},
                    {"code_ok", right},
                    {"tries_left", limits::kCodeRetypingsMax - session.wrong_codes}};
}

Result<JsonObject> answer_challenge(Host& host, const JsonObject& args) {
  TRY(const std::string id, crypto::json_string(args, "id"));
  TRY(const std::string answer, crypto::json_string(args, "answer"));
  TRY(DeviceSession session, session_named(host, id));
  if (answer.empty() || answer.size() > kChallengeTextBytesMax) {
    return fail(Errc::limit_exceeded, "the answer has 1 to 256 bytes");
  }
  if (session.question.empty() || !is_open(session) || answer_arrived(session)) {
    return fail(Errc::wrong_state, "nothing is asked in that session");
  }
  session.answer = answer;
  CHECK(send_and_keep(host, session));
  return JsonObject{{"id", id}};
}

JsonArray describe_device_sessions(Host& host) {
  JsonArray rows;
  for (const DeviceSession& session : device_sessions(host)) {
    JsonArray needs;
    JsonObject row{
        {"id", crypto::hex(session.id)}, {"trustee", session.label}, {"state", step_word(session)}};
    const bool codes = session.step == DeviceStep::coded || session.step == DeviceStep::typed;
    const bool theirs_open = !trustee_is_past(session, {"received", "committed", "coded", "typed"});
    if (codes && theirs_open) {
      row["code_to_read"] = session.codes.shown_by_device;
      needs.push_back("read-code");
    }
    if (session.step == DeviceStep::coded) {
      needs.push_back("code");
      row["tries_left"] = limits::kCodeRetypingsMax - session.wrong_codes;
    }
    const bool question =
        !session.question.empty() && session.answer.empty() && !answer_arrived(session);
    if (question && is_open(session)) {
      row["question"] = session.question;
      needs.push_back("answer");
    }
    row["needs"] = std::move(needs);
    if (!session.trustee_state.empty()) row["trustee_state"] = session.trustee_state;
    if (session.step == DeviceStep::located) row["remaining_s"] = session.remaining_s;
    if (!session.trustee_text.empty()) row["text"] = session.trustee_text;
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace kith::recovery
