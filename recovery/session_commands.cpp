#include "recovery/session_commands.hpp"

#include <algorithm>

#include "ledger/connection.hpp"
#include "recovery/session_steps.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kInPerson = "in-person";

Result<Session> session_named(Host& host, const JsonObject& args) {
  TRY(const std::string id, crypto::json_string(args, "id"));
  auto session = find_session(host, id);
  if (!session) return fail(Errc::not_found, "no recovery by that id; see `kith trustee requests`");
  return std::move(*session);
}

JsonArray needs_of(const Session& session) {
  JsonArray needs;
  const auto add = [&](const char* what) { needs.push_back(boost::json::string(what)); };
  if (is_over(session.state) || session.codes.shown_by_trustee.empty()) return needs;
  if (!session.user_right) add("code");
  if (!session.device_right) add("device-code");
  if (session.answered && !session.approved) add("challenge");
  if (session.vetoed && !session.reconfirmed) add("confirm");
  return needs;
}

std::string words_of(const Session& session, const std::string& name) {
  const std::string id = session_name(session);
  switch (session.state) {
    case SessionState::received:
    case SessionState::committed:
      return "A device answered your invitation for " + name + ". Codes are being made.";
    case SessionState::coded:
    case SessionState::matched:
    case SessionState::typed:
      return "Call " + name +
             ", or meet them. Make sure that it is really them. Read your code to "
             "them, and let them read theirs to you. Then: kith trustee approve " +
             id + " --contact \"" + name + "\" --code THEIR-CODE --verified in-person|video|voice";
    case SessionState::verified:
      return "Both codes are right.";
    case SessionState::asked:
      return "Both codes are right. Their answer to the question is awaited.";
    case SessionState::answered:
      return "Read the answer to the question. Is it right? Then approve again and say so; if "
             "not, decline.";
    case SessionState::approved:
    case SessionState::waiting:
      return "You approved. The waiting period runs, so that " + name +
             "'s other devices can object.";
    case SessionState::contested:
      return "A device of " + name +
             " objects. Perhaps somebody pretends to be them; perhaps a "
             "thief has their device. Meet them in person, then: kith trustee confirm " +
             id + " --verified in-person. If it was not them: kith trustee decline " + id;
    case SessionState::confirmed:
      return "You confirmed in person. The longer wait after the objection runs.";
    case SessionState::released:
      return "Your answer has gone to " + name + "'s new device.";
    case SessionState::refused:
      return "Refused.";
    case SessionState::expired:
      return "Nothing came of this in time.";
    case SessionState::closed:
      return "Over: " + session.result + ".";
  }
  return "";
}

JsonObject outcome(Host& host, const Session& session) {
  return JsonObject{{"id", session_name(session)},
                    {"state", state_name(session.state)},
                    {"words", words_of(session, contact_name(host, session))}};
}

/// What the user decided about the answer to the challenge, if anything.
Result<std::optional<bool>> challenge_verdict(const JsonObject& args) {
  const Json* given = args.if_contains("challenge_ok");
  if (given == nullptr) return std::optional<bool>();
  if (!given->is_bool()) return fail(Errc::usage, "challenge_ok is true or false");
  return std::optional<bool>(given->get_bool());
}

Result<void> judge_answer(Host& host, Session& session, bool right) {
  if (!session.answered || session.approved) {
    return fail(Errc::wrong_state, "there is no answer to judge");
  }
  if (right) return approve_session(host, session);
  CHECK(step(host, session, SessionEvent::decline));
  session.result = "wrong answer to the question";
  return {};
}

/// Types code A. False: it was wrong.
Result<bool> type_code(Host& host, Session& session, const std::string& code,
                       const std::string& verified) {
  CHECK(check_step(session, SessionEvent::user_right));
  if (!code_matches(session.codes.shown_by_device, code)) {
    TRY(const bool spent, count_wrong(host, session, session.user_wrong));
    static_cast<void>(spent);
    return false;
  }
  CHECK(step(host, session, SessionEvent::user_right));
  session.user_right = true;
  session.verified = verified;
  notify_owner(host, session);
  CHECK(after_codes(host, session));
  return true;
}

}  // namespace

Result<void> check_verified(std::string_view verified) {
  if (verified == kInPerson || verified == "video" || verified == "voice") return {};
  if (verified == "text" || verified == "email" || verified == "e-mail" || verified == "chat") {
    return fail(Errc::refused,
                "a text or an e-mail proves nothing: whoever has the phone can write one. Call "
                "them, or meet them");
  }
  return fail(Errc::usage, "say how you verified the person: in-person, video or voice");
}

Result<JsonObject> invite_device(Host& host, const JsonObject& args) {
  TRY(const std::string name, crypto::json_string(args, "contact"));
  TRY(const Contact contact, protocol::contact_named(host, name));
  const auto trusteeship = find_trusteeship(host, contact.id);
  if (!trusteeship || trusteeship->versions.empty()) {
    return fail(Errc::wrong_state, "you hold no share for " + contact.name);
  }
  protocol::OpenInvitation record;
  record.use = protocol::InvitationUse::recovery;
  record.contact_id = contact.id;
  record.expires = host.now() + Duration{kRecoveryInvitationLife};
  TRY(const ledger::MadeInvitation made,
      ledger::make_invitation(host, std::move(record), ledger::kGoalRecover,
                              "Recover with the help of a trustee"));
  host.audit("trustee.invited", {{"contact", contact.id}});
  return JsonObject{{"id", made.record.id},
                    {"url", made.url},
                    {"contact", contact.name},
                    {"expires", protocol::utc_text(made.record.expires)}};
}

Result<JsonObject> approve_by_user(Host& host, const JsonObject& args) {
  TRY(Session session, session_named(host, args));
  TRY(const std::string who, crypto::json_string(args, "contact"));
  TRY(const std::string verified, crypto::json_string(args, "verified"));
  TRY(const auto code, crypto::json_optional_string(args, "code"));
  TRY(const std::optional<bool> verdict, challenge_verdict(args));
  TRY(const Contact contact, protocol::contact_named(host, who));
  CHECK(check_verified(verified));
  if (is_over(session.state)) {
    return fail(Errc::wrong_state, "this recovery is over: make a new invitation");
  }
  if (contact.id != session.contact_id) {
    return fail(Errc::refused, "your invitation was for another contact");
  }
  bool code_ok = session.user_right;
  if (!session.user_right) {
    if (!code) return fail(Errc::usage, "type the code that the person reads to you");
    TRY(code_ok, type_code(host, session, *code, verified));
  } else if (!verdict) {
    return fail(Errc::wrong_state, session.answered && !session.approved
                                       ? "say whether the answer to the question is right"
                                       : "you confirmed this code already");
  }
  if (code_ok && verdict) CHECK(judge_answer(host, session, *verdict));
  save_session(host, session);
  push_status(host, session);
  schedule_look(host);
  JsonObject reply = outcome(host, session);
  reply["code_ok"] = code_ok;
  reply["tries_left"] = limits::kCodeRetypingsMax - session.user_wrong;
  return reply;
}

Result<JsonObject> confirm_by_user(Host& host, const JsonObject& args) {
  TRY(Session session, session_named(host, args));
  TRY(const std::string verified, crypto::json_string(args, "verified"));
  if (session.state == SessionState::confirmed) return outcome(host, session);
  CHECK(check_step(session, SessionEvent::confirm));
  if (verified != kInPerson) {
    return fail(Errc::refused, "after an objection only a meeting in person counts");
  }
  if (!session.approved) {
    return fail(Errc::wrong_state, "the codes and the question come first");
  }
  if (!override_possible(host, session)) {
    return fail(Errc::refused, "the owner decided that an objection is final");
  }
  CHECK(step(host, session, SessionEvent::confirm));
  session.reconfirmed = true;
  TRY(const bool released, release_due(host, session));
  static_cast<void>(released);
  save_session(host, session);
  push_status(host, session);
  schedule_look(host);
  return outcome(host, session);
}

JsonArray describe_sessions(Host& host) {
  JsonArray rows;
  for (const Session& session : all_sessions(host)) {
    const std::string name = contact_name(host, session);
    JsonObject row{
        {"id", session_name(session)},        {"contact", name},
        {"state", state_name(session.state)}, {"words", words_of(session, name)},
        {"device_text", session.device_text}, {"needs", needs_of(session)},
        {"vetoed", session.vetoed},           {"started", protocol::utc_text(session.started)}};
    const bool shows_code = !session.codes.shown_by_trustee.empty() && !session.device_right;
    if (shows_code && !is_over(session.state)) row["code"] = session.codes.shown_by_trustee;
    if (!session.question.empty()) row["question"] = session.question;
    if (session.answered) row["answer"] = session.answer;
    row["remaining_s"] = status_of(host, session).remaining_s;
    rows.push_back(std::move(row));
  }
  return rows;
}

bool session_exists(Host& host, std::string_view id) {
  return find_session(host, id).has_value();
}

Result<JsonObject> decline_session(Host& host, std::string_view id, std::string_view reason) {
  auto session = find_session(host, id);
  if (!session) return fail(Errc::not_found, "no recovery by that id");
  CHECK(step(host, *session, SessionEvent::decline));
  session->result = reason.empty() ? "declined" : std::string(reason);
  forget_answers(host, *session);
  save_session(host, *session);
  push_status(host, *session);
  return outcome(host, *session);
}

}  // namespace kith::recovery
