#include "recovery/trustee_session.hpp"

#include <algorithm>

#include "ledger/connection.hpp"
#include "ledger/log_store.hpp"
#include "protocol/messenger.hpp"
#include "recovery/session_commands.hpp"
#include "recovery/session_steps.hpp"

namespace kith::recovery {
namespace {

using protocol::InvitationUse;
using protocol::kInvitations;
using protocol::OpenInvitation;

constexpr std::size_t kDeviceTextBytesMax = 500;
constexpr std::size_t kAnswerBytesMax = 1000;
constexpr std::size_t kResultBytesMax = 40;
constexpr std::chrono::hours kNoticeEvery{24};

Result<SessionId> session_id_of(ByteView bytes) {
  SessionId id{};
  if (bytes.size() != id.size()) return fail(Errc::malformed, "a session id has 16 bytes");
  std::copy(bytes.begin(), bytes.end(), id.begin());
  return id;
}

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

Result<void> on_commit(Host& host, const Inbound& inbound) {
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

// --- Vetoes

/// Authentication keys that agents of `did` had within the last contest period. Only a rotate or
/// recover removes one at once; an update might be a thief's.
bool key_counts(Host& host, const std::string& did, const std::string& key) {
  const auto view = ledger::stored_view(host, did);
  if (!view.has_value()) return false;
  for (const ledger::PreviousAgent& agent : view->previous_agents) {
    const bool recent = agent.removed_at + view->contest_in_force > ledger::anchor_time(host.now());
    if (agent.key == key && agent.removed_by == ledger::Op::update && recent) return true;
  }
  const auto state = ledger::parse_pair_state(view->uncontested_content().state);
  return state.has_value() &&
         std::ranges::any_of(state->agents,
                             [&](const ledger::PairAgent& agent) { return agent.auth == key; });
}

/// Errors: refused (not the owner of what the session is about), bad_signature.
Result<void> check_objector(Host& host, const Inbound& inbound, const Session& session,
                            const SessionRef& veto) {
  const auto contact = protocol::find_contact(host, session.contact_id);
  if (!contact) return fail(Errc::refused, "that contact is gone");
  const bool related = inbound.info.authenticated && inbound.info.sender && inbound.info.own_did &&
                       inbound.info.sender->text() == contact->their_did &&
                       inbound.info.own_did->text() == contact->my_did;
  if (related) return {};
  if (!key_counts(host, contact->their_did, veto.key)) {
    return fail(Errc::refused, "only the owner's own agents can object");
  }
  TRY(const PublicKey key, crypto::from_multikey(veto.key));
  return crypto::verify(key, veto_statement(veto.session_id), veto.signature);
}

Result<void> on_veto(Host& host, const Inbound& inbound) {
  TRY(const auto body, protocol::decode_body<SessionRef>(inbound.message.body));
  TRY(const SessionId id, session_id_of(body.session_id));
  auto session = find_session(host, crypto::hex(id));
  if (!session) return fail(Errc::not_found, "no recovery by that id");
  CHECK(check_objector(host, inbound, *session, body));
  const SessionState before = session->state;
  if (!is_over(before)) {
    CHECK(step(host, *session, SessionEvent::veto));
    if (session->state == SessionState::contested && before != SessionState::contested) {
      session->vetoed = true;
      session->veto_clock = start_waiting(host.uptime());
      session->life = elapsed(session->age, host.uptime()) + longest_period(host, *session) +
                      Duration{kSessionLife};
      tell_user(host, *session,
                "A device of " + contact_name(host, *session) +
                    " objects to the recovery. Nothing is released unless you meet them in "
                    "person and say so: `kith trustee requests`.");
      push_status(host, *session);
    }
    save_session(host, *session);
    schedule_look(host);
  }
  if (!inbound.info.authenticated) return {};
  const SessionRef vetoed{body.session_id, std::string(state_name(session->state))};
  TRY(const std::string sent,
      protocol::reply(host, inbound, type_uri("recovery", SessionRef::kVetoed),
                      protocol::encode_body(vetoed)));
  return {};
}

// --- Time

bool did_in_use(Host& host, const Session& ended) {
  return std::ranges::any_of(all_sessions(host), [&](const Session& other) {
    return other.id != ended.id && other.own_did == ended.own_did;
  });
}

/// Ended sessions: first the answers go, then the record with the one-time keys.
void clean_up(Host& host, const Session& session) {
  if (host.now() < session.changed + Duration{kSessionLife}) return;
  forget_answers(host, session);
  if (host.now() < session.changed + Duration{kSessionKept}) return;
  const bool invited = load<OpenInvitation>(host, kInvitations, session.invitation_id).has_value();
  if (!invited && !did_in_use(host, session)) ledger::drop_one_time_did(host, session.own_did);
  host.erase({std::string(kSessions), session_name(session)});
}

void look_at(Host& host, Session session) {
  if (is_over(session.state)) return clean_up(host, session);
  bool changed = false;
  if (remaining(session.age, host.uptime(), session.life) == Duration{0}) {
    changed = step(host, session, SessionEvent::expire).has_value();
    session.result = "expired";
    push_status(host, session);
  } else {
    const auto released = release_due(host, session);
    changed = released.has_value() && *released;
    if (changed) push_status(host, session);
    const bool notice_due = is_matched(session.state) && session.state != SessionState::released &&
                            host.uptime() - session.last_notice >= Duration{kNoticeEvery};
    if (notice_due) notify_owner(host, session);
    changed = changed || notice_due;
  }
  if (changed) save_session(host, session);
}

}  // namespace

Result<PublicKey> connection_key(const Did& invitation_did) {
  TRY(const DidDocument document, protocol::resolve_self_contained(invitation_did));
  const auto keys = document.agreement_keys();
  if (keys.empty()) return fail(Errc::malformed, "the invitation's DID has no key to agree on");
  return keys.front().key;
}

Bytes veto_statement(ByteView session_id) {
  return labelled("veto", {session_id});
}

void observe_signed_time(Host& host, const SignedTime& seen) {
  for (Session& session : all_sessions(host)) {
    if (is_over(session.state)) continue;
    observe(session.age, seen, host.uptime());
    if (session.approved) observe(session.clock, seen, host.uptime());
    if (session.vetoed) observe(session.veto_clock, seen, host.uptime());
    save_session(host, session);
  }
  schedule_look(host);
}

bool recovery_open(Host& host, std::string_view contact_id) {
  return std::ranges::any_of(all_sessions(host), [&](const Session& session) {
    return session.contact_id == contact_id && is_matched(session.state);
  });
}

std::vector<std::string> TrusteeSessions::message_types() const {
  return {
      type_uri("recovery", SessionRequest::kName),    type_uri("recovery", CodeStep::kCommit),
      type_uri("recovery", CodeStep::kReveal),        type_uri("recovery", CodeTyped::kName),
      type_uri("recovery", ChallengeResponse::kName), type_uri("recovery", PartialRequest::kName),
      type_uri("recovery", SessionRef::kVeto),        type_uri("recovery", SessionRef::kClose)};
}

Result<void> TrusteeSessions::on_message(Host& host, const Inbound& inbound) {
  const std::string& type = inbound.message.type;
  if (type == type_uri("recovery", SessionRequest::kName)) return on_request(host, inbound);
  if (type == type_uri("recovery", CodeStep::kCommit)) return on_commit(host, inbound);
  if (type == type_uri("recovery", CodeStep::kReveal)) return on_reveal(host, inbound);
  if (type == type_uri("recovery", CodeTyped::kName)) return on_typed(host, inbound);
  if (type == type_uri("recovery", ChallengeResponse::kName)) return on_answer(host, inbound);
  if (type == type_uri("recovery", PartialRequest::kName)) return on_points(host, inbound);
  if (type == type_uri("recovery", SessionRef::kVeto)) return on_veto(host, inbound);
  return on_close(host, inbound);
}

Result<JsonObject> TrusteeSessions::on_command(Host& host, const Command& command) {
  if (command.name == "trustee-invite") return invite_device(host, command.args);
  if (command.name == "trustee-approve") return approve_by_user(host, command.args);
  return confirm_by_user(host, command.args);
}

void TrusteeSessions::on_timer(Host& host, std::string_view timer) {
  if (timer != kSessionTimer) return;
  for (Session& session : all_sessions(host)) look_at(host, std::move(session));
  schedule_look(host);
}

void TrusteeSessions::on_start(Host& host) {
  on_timer(host, kSessionTimer);
}

}  // namespace kith::recovery
