#include "recovery/session_messages.hpp"

#include <algorithm>
#include <array>
#include <set>

#include "ledger/connection.hpp"
#include "protocol/messenger.hpp"
#include "recovery/session_steps.hpp"

namespace kith::recovery {
namespace {

using protocol::InvitationUse;
using protocol::kInvitations;
using protocol::OpenInvitation;

constexpr std::size_t kDeviceTextBytesMax = 500;
constexpr std::size_t kAnswerBytesMax = 1000;
constexpr std::size_t kResultBytesMax = 40;

/// The session that the message names, if it comes from that session's device.
Result<Session> session_of(Host& host, const Inbound& inbound, ByteView session_id) {
  if (!inbound.info.authenticated || !inbound.info.sender || !inbound.info.own_did) {
    return fail(Errc::not_authentic, "a recovery needs an authenticated device");
  }
  TRY(const SessionId id, session_id_of(session_id));
  auto session = find_session(host, crypto::hex(id));
  if (!session || session->device_did != inbound.info.sender->text() ||
      session->own_did != inbound.info.own_did->text()) {
    return fail(Errc::not_found, "no recovery session of yours by that id");
  }
  return std::move(*session);
}

Result<void> reply_status(Host& host, const Inbound& inbound, const Session& session) {
  TRY(const std::string id,
      protocol::reply(host, inbound, type_uri("recovery", SessionStatus::kName),
                      protocol::encode_body(status_of(host, session))));
  return {};
}

Result<void> reply_nonce(Host& host, const Inbound& inbound, const Session& session) {
  const CodeStep nonce{crypto::to_bytes(session.id), crypto::to_bytes(session.own_nonce)};
  TRY(const std::string id, protocol::reply(host, inbound, type_uri("recovery", CodeStep::kNonce),
                                            protocol::encode_body(nonce)));
  return {};
}

/// Keeps, tells and looks at what comes next.
Result<void> done(Host& host, const Inbound& inbound, const Session& session) {
  save_session(host, session);
  schedule_look(host);
  return reply_status(host, inbound, session);
}

// --- Requests

/// Counts the exchange. Errors: not_found, refused, expired, too_many_tries.
Result<OpenInvitation> take_exchange(Host& host, const Inbound& inbound) {
  if (!inbound.message.pthid) {
    return fail(Errc::refused, "a recovery begins with an invitation from the trustee");
  }
  auto invitation = load<OpenInvitation>(host, kInvitations, *inbound.message.pthid);
  if (!invitation || invitation->use != InvitationUse::recovery ||
      invitation->did != inbound.info.own_did->text()) {
    return fail(Errc::not_found, "that invitation is not open: ask the trustee for a new one");
  }
  if (invitation->expires <= host.now()) return fail(Errc::expired, "the invitation has expired");
  if (invitation->answered >= limits::kExchangesPerInvitationMax) {
    return fail(Errc::too_many_tries, "the invitation was used too often");
  }
  ++invitation->answered;
  save(host, kInvitations, invitation->id, *invitation);
  return std::move(*invitation);
}

/// `invitation` counts the exchange at hand already. Errors: limit_exceeded.
Result<void> check_day(Host& host, const OpenInvitation& invitation) {
  if (invitation.answered <= 1) return {};
  std::size_t sessions = 0;
  std::set<std::string> invitations;
  for (const Session& session : all_sessions(host)) {
    if (session.started + Duration{std::chrono::hours{24}} <= host.now()) continue;
    ++sessions;
    invitations.insert(session.invitation_id);
  }
  if (sessions - invitations.size() < limits::kSessionsPerDayMax) return {};
  return fail(Errc::limit_exceeded,
              "too many recoveries were begun here today: ask the trustee for a new invitation");
}

/// The oldest unmatched session of the contact makes room. Errors: limit_exceeded.
Result<void> make_room(Host& host, const std::string& contact_id) {
  std::size_t open = 0;
  std::optional<Session> oldest;
  for (Session& session : all_sessions(host)) {
    if (session.contact_id != contact_id || is_over(session.state)) continue;
    ++open;
    if (is_matched(session.state)) continue;
    if (!oldest || session.started < oldest->started) oldest = std::move(session);
  }
  if (open < limits::kOpenSessionsPerContactMax) return {};
  if (!oldest) return fail(Errc::limit_exceeded, "other recoveries of that person are open");
  CHECK(step(host, *oldest, SessionEvent::expire));
  oldest->result = "made room for a newer request";
  push_status(host, *oldest);
  save_session(host, *oldest);
  return {};
}

/// Untrusted text for a screen: no control characters, bounded.
std::string plain_text(std::string_view text, std::size_t bytes_max) {
  std::string plain;
  for (const char c : text.substr(0, bytes_max)) {
    const bool control = static_cast<unsigned char>(c) < 0x20 || c == 0x7f;
    plain.push_back(control ? ' ' : c);
  }
  return plain;
}

Result<void> on_request(Host& host, const Inbound& inbound) {
  if (!inbound.info.authenticated || !inbound.info.sender || !inbound.info.own_did) {
    return fail(Errc::not_authentic, "a recovery needs an authenticated device");
  }
  TRY(const auto body, protocol::decode_body<SessionRequest>(inbound.message.body));
  TRY(const SessionId id, session_id_of(body.session_id));
  if (body.session_key.type != KeyType::x25519) return fail(Errc::bad_key, "not an X25519 key");
  CHECK(crypto::check_public_key(body.session_key));
  if (const auto known = find_session(host, crypto::hex(id))) {
    const bool same = known->device_did == inbound.info.sender->text() &&
                      known->own_did == inbound.info.own_did->text() &&
                      known->key == body.session_key;
    if (!same) return fail(Errc::conflict, "that session id is taken");
    return reply_status(host, inbound, *known);
  }
  TRY(const OpenInvitation invitation, take_exchange(host, inbound));
  CHECK(check_day(host, invitation));
  CHECK(make_room(host, invitation.contact_id));

  Session session;
  session.id = id;
  session.key = body.session_key;
  session.device_did = inbound.info.sender->text();
  session.own_did = invitation.did;
  session.invitation_id = invitation.id;
  session.thread = inbound.message.thread();
  session.contact_id = invitation.contact_id;
  session.device_text = plain_text(body.text, kDeviceTextBytesMax);
  session.started = host.now();
  session.changed = host.now();
  session.age = start_waiting(host.uptime());
  session.life = Duration{kSessionLife};
  host.audit("trustee.session", {{"session", session_name(session)},
                                 {"event", "request"},
                                 {"state", state_name(session.state)}});
  return done(host, inbound, session);
}

// --- Codes

Result<CodeTranscript> transcript_of(const Session& session) {
  TRY(const Did own, Did::parse(session.own_did));
  CodeTranscript transcript;
  transcript.invitation_id = session.invitation_id;
  transcript.session_id = session.id;
  transcript.session_key = session.key;
  TRY(transcript.connection_key, connection_key(own));
  return transcript;
}

Result<void> on_code_commit(Host& host, const Inbound& inbound) {
  TRY(const auto body, protocol::decode_body<CodeStep>(inbound.message.body));
  TRY(Session session, session_of(host, inbound, body.session_id));
  if (body.value.size() != session.commitment.size()) return fail(Errc::malformed, "commitment");
  const bool repeat = session.state != SessionState::received &&
                      crypto::equal(session.commitment, body.value) && !is_over(session.state);
  if (repeat) return reply_nonce(host, inbound, session);
  CHECK(step(host, session, SessionEvent::commit));
  std::copy(body.value.begin(), body.value.end(), session.commitment.begin());
  session.own_nonce = random_id<CodeNonce>(host.random());
  save_session(host, session);
  return reply_nonce(host, inbound, session);
}

Result<void> on_reveal(Host& host, const Inbound& inbound) {
  TRY(const auto body, protocol::decode_body<CodeStep>(inbound.message.body));
  TRY(Session session, session_of(host, inbound, body.session_id));
  CodeNonce nonce{};
  if (body.value.size() != nonce.size()) return fail(Errc::malformed, "a nonce has 32 bytes");
  std::copy(body.value.begin(), body.value.end(), nonce.begin());
  TRY(const CodeTranscript transcript, transcript_of(session));
  const bool fits = check_code_reveal(session.commitment, nonce, transcript).has_value();
  const bool repeat = fits && !session.codes.shown_by_device.empty();
  if (repeat) return reply_status(host, inbound, session);
  CHECK(check_step(session, SessionEvent::reveal));
  if (!fits) {  // A guess, which counts: the session is over.
    CHECK(step(host, session, SessionEvent::spent));
    session.result = "the reveal does not fit the commitment";
    return done(host, inbound, session);
  }
  CHECK(step(host, session, SessionEvent::reveal));
  session.codes = short_codes(transcript, nonce, session.own_nonce);
  tell_user(host, session,
            "The person whom you invited for " + contact_name(host, session) +
                "'s recovery has answered. Call them and compare codes: `kith trustee requests`.");
  return done(host, inbound, session);
}

Result<void> on_typed(Host& host, const Inbound& inbound) {
  TRY(const auto body, protocol::decode_body<CodeTyped>(inbound.message.body));
  TRY(Session session, session_of(host, inbound, body.session_id));
  if (session.device_right) return reply_status(host, inbound, session);
  CHECK(check_step(session, SessionEvent::device_right));
  if (!code_matches(session.codes.shown_by_trustee, body.code)) {
    TRY(const bool spent, count_wrong(host, session, session.device_wrong));
    static_cast<void>(spent);
    return done(host, inbound, session);
  }
  CHECK(step(host, session, SessionEvent::device_right));
  session.device_right = true;
  CHECK(after_codes(host, session));
  return done(host, inbound, session);
}

Result<void> on_answer(Host& host, const Inbound& inbound) {
  TRY(const auto body, protocol::decode_body<ChallengeResponse>(inbound.message.body));
  TRY(Session session, session_of(host, inbound, body.session_id));
  if (body.answer.size() > kAnswerBytesMax) return fail(Errc::limit_exceeded, "a long answer");
  const std::string answer = plain_text(body.answer, kAnswerBytesMax);
  if (session.answered && session.answer == answer) return reply_status(host, inbound, session);
  if (session.question.empty() || session.answered) {
    return fail(Errc::wrong_state, "no question is open");
  }
  CHECK(step(host, session, SessionEvent::answer));
  session.answer = answer;
  session.answered = true;
  tell_user(host, session,
            "The answer to " + contact_name(host, session) +
                "'s question is here: `kith trustee requests`.");
  return done(host, inbound, session);
}

// --- Points and the end

Result<void> on_points(Host& host, const Inbound& inbound) {
  TRY(const auto body, protocol::decode_body<PartialRequest>(inbound.message.body));
  TRY(Session session, session_of(host, inbound, body.session_id));
  TRY(const PartialQuestion question, read_question(body.session_id, body.points));
  static_cast<void>(question);
  if (!session.approved) return fail(Errc::wrong_state, "the trustee has not approved yet");
  const bool known = std::ranges::any_of(session.requests, [&](const PartialRequest& request) {
    return request.points == body.points;
  });
  CHECK(step(host, session, SessionEvent::request));
  if (!known) {
    if (session.requests.size() >= limits::kReleasesMax) {
      return fail(Errc::limit_exceeded, "too many different points");
    }
    session.requests.push_back(body);
  }
  const bool repeated = known && repeat_answers(host, session, body);
  TRY(const bool released, release_due(host, session));
  static_cast<void>(repeated), static_cast<void>(released);
  return done(host, inbound, session);
}

Result<void> on_close(Host& host, const Inbound& inbound) {
  TRY(const auto body, protocol::decode_body<SessionRef>(inbound.message.body));
  TRY(Session session, session_of(host, inbound, body.session_id));
  if (session.state == SessionState::closed) return reply_status(host, inbound, session);
  CHECK(step(host, session, SessionEvent::close));
  session.result = plain_text(body.result, kResultBytesMax);
  forget_answers(host, session);
  tell_user(host, session,
            "The recovery of " + contact_name(host, session) +
                " is over: " + (session.result == "recovered" ? "it succeeded." : "abandoned."));
  return done(host, inbound, session);
}

using Handler = Result<void> (*)(Host&, const Inbound&);
struct Route {
  std::string_view name;
  Handler handler;
};
constexpr std::array<Route, 7> kRoutes{{{SessionRequest::kName, on_request},
                                        {CodeStep::kCommit, on_code_commit},
                                        {CodeStep::kReveal, on_reveal},
                                        {CodeTyped::kName, on_typed},
                                        {ChallengeResponse::kName, on_answer},
                                        {PartialRequest::kName, on_points},
                                        {SessionRef::kClose, on_close}}};

}  // namespace

Result<SessionId> session_id_of(ByteView bytes) {
  SessionId id{};
  if (bytes.size() != id.size()) return fail(Errc::malformed, "a session id has 16 bytes");
  std::copy(bytes.begin(), bytes.end(), id.begin());
  return id;
}

std::vector<std::string> device_message_types() {
  std::vector<std::string> types;
  for (const Route& route : kRoutes) types.push_back(type_uri("recovery", route.name));
  return types;
}

Result<void> on_device_message(Host& host, const Inbound& inbound) {
  for (const Route& route : kRoutes) {
    if (inbound.message.type == type_uri("recovery", route.name)) {
      return route.handler(host, inbound);
    }
  }
  return fail(Errc::unsupported, "no message of a recovering device");
}

}  // namespace kith::recovery
