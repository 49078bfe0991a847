#include "recovery/device_sessions.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "crypto/dleq.hpp"
#include "crypto/limits.hpp"
#include "ledger/connection.hpp"
#include "protocol/audit_log.hpp"
#include "protocol/invitation.hpp"
#include "protocol/own_service.hpp"
#include "recovery/trustee_session.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kSessions = "recover-session";
constexpr std::string_view kAnswers = "recover-answer";
constexpr std::string_view kKeys = "session-key";
constexpr Duration kRepeat{30'000};
constexpr Duration kRepeatTest{2'000};
constexpr Duration kRepeatMax{3'600'000};
constexpr std::size_t kAnswersPerSessionMax = 2 * kAnswersPerReplyMax;
constexpr std::size_t kSessionsMax = limits::kPlanLeavesMax;

struct StoredSessionKey {
  SealedKey key;
  template <class V>
  void visit(V& v) {
    v("key", key);
  }
};

Bytes bytes_of(const auto& array) {
  return {array.begin(), array.end()};
}

void save_session(Host& host, const DeviceSession& session) {
  save(host, kSessions, crypto::hex(session.id), session);
}

Result<DeviceSession> session_named(Host& host, const std::string& id) {
  auto session = load<DeviceSession>(host, kSessions, id);
  if (!session) return fail(Errc::not_found, "no recovery session by that id");
  return std::move(*session);
}

Result<CodeTranscript> transcript_of(const DeviceSession& session) {
  TRY(const Did trustee, Did::parse(session.trustee_did));
  TRY(PublicKey connection, connection_key(trustee));
  return CodeTranscript{session.invitation_id, session.id, session.key, std::move(connection)};
}

/// Whether the trustee's last status is one that comes after `name` in a good session.
bool trustee_is_past(const DeviceSession& session, std::initializer_list<std::string_view> before) {
  if (session.trustee_state.empty()) return false;
  return std::ranges::find(before, session.trustee_state) == before.end();
}

/// The trustee can tell A from B: our nonce arrived.
bool nonce_arrived(const DeviceSession& session) {
  return trustee_is_past(session, {"received", "committed"});
}
bool typed_code_arrived(const DeviceSession& session) {
  return trustee_is_past(session, {"received", "committed", "coded", "matched"});
}
bool answer_arrived(const DeviceSession& session) {
  return trustee_is_past(
      session, {"received", "committed", "coded", "matched", "typed", "verified", "asked"});
}
bool is_open(const DeviceSession& session) {
  return session.step != DeviceStep::refused && session.step != DeviceStep::closed;
}

/// `tag` makes the message's id: the same tag is taken once by the trustee, however often it comes.
Result<void> send_step(Host& host, const DeviceSession& session, std::string_view name,
                       const std::string& tag, JsonObject body) {
  TRY(const Did mine, Did::parse(session.own_did));
  TRY(const Did theirs, Did::parse(session.trustee_did));
  Message message = protocol::new_message(type_uri("recovery", name), host.random(),
                                          protocol::epoch_seconds(host.now()));
  message.id = crypto::hex(session.id) + "-" + tag;
  message.from = mine;
  message.to = {theirs};
  message.pthid = session.invitation_id;
  message.body = std::move(body);
  TRY(const std::string id, protocol::send(host, std::move(message), {}));
  return {};
}

Result<void> send_request(Host& host, const DeviceSession& session) {
  TRY(const CodeTranscript transcript, transcript_of(session));
  const auto profile = load<ledger::Profile>(host, "meta", "profile");
  const SessionRequest request{bytes_of(session.id), session.key, profile ? profile->name : ""};
  CHECK(send_step(host, session, SessionRequest::kName, "request", protocol::encode_body(request)));
  const Digest commitment = code_commitment(session.nonce, transcript);
  return send_step(host, session, CodeStep::kCommit, "commit-" + std::to_string(session.tries),
                   protocol::encode_body(CodeStep{bytes_of(session.id), bytes_of(commitment)}));
}

Result<void> send_points(Host& host, const DeviceSession& session, const PointsAsked& asked) {
  PartialRequest request{bytes_of(session.id), {}};
  for (const Point& point : asked.blinding.blinded) {
    request.points.push_back(crypto::to_bytes(point.bytes()));
  }
  return send_step(host, session, PartialRequest::kName,
                   "points-" + asked.source + "-" + std::to_string(session.tries),
                   protocol::encode_body(request));
}

/// Sends what the trustee has not shown to have, if anything. Returns whether there was something.
Result<bool> send_unanswered(Host& host, const DeviceSession& session) {
  const std::string again = "-" + std::to_string(session.tries);
  const Bytes id = bytes_of(session.id);
  if (!is_open(session)) return false;
  if (session.step == DeviceStep::requested) {
    CHECK(send_request(host, session));
    return true;
  }
  bool sent = false;
  if (session.step <= DeviceStep::typed && !nonce_arrived(session)) {
    CHECK(send_step(host, session, CodeStep::kReveal, "reveal" + again,
                    protocol::encode_body(CodeStep{id, bytes_of(session.nonce)})));
    sent = true;
  }
  if (session.step == DeviceStep::typed && !typed_code_arrived(session)) {
    CHECK(send_step(host, session, CodeTyped::kName, "typed" + again,
                    protocol::encode_body(CodeTyped{id, session.codes.shown_by_trustee})));
    sent = true;
  }
  if (!session.answer.empty() && !answer_arrived(session)) {
    CHECK(send_step(host, session, ChallengeResponse::kName, "answer" + again,
                    protocol::encode_body(ChallengeResponse{id, session.answer})));
    sent = true;
  }
  for (const PointsAsked& asked : session.asked) {
    if (asked.answered) continue;
    CHECK(send_points(host, session, asked));
    sent = true;
    break;  // The trustee keeps the newest request only: one source after the other.
  }
  return sent;
}

Duration pause_after(Host& host, std::uint32_t tries) {
  const Duration first = host.test_mode() ? kRepeatTest : kRepeat;
  return std::min(first * (1 << std::min<std::uint32_t>(tries, 8)), kRepeatMax);
}

/// Sends now, keeps the session, and has it repeated.
Result<void> send_and_keep(Host& host, DeviceSession session) {
  session.tries = 0;
  TRY(const bool sent, send_unanswered(host, session));
  static_cast<void>(sent);
  session.next_send = host.now() + pause_after(host, 0);
  session.tries = 1;
  save_session(host, session);
  // The shortest pause: repeat_sessions() then finds the next one due.
  host.set_timer(kDeviceModule, kTimerSessions, session.next_send);
  return {};
}

/// Errors: not_authentic for anybody but the trustee of that session.
Result<DeviceSession> session_of(Host& host, const Inbound& inbound, ByteView id) {
  if (!inbound.info.authenticated || !inbound.info.sender || !inbound.info.own_did) {
    return fail(Errc::not_authentic);
  }
  TRY(DeviceSession session, session_named(host, crypto::hex(id)));
  if (inbound.info.sender->text() != session.trustee_did ||
      inbound.info.own_did->text() != session.own_did) {
    return fail(Errc::not_authentic, "another session's address");
  }
  return session;
}

Result<void> on_nonce(Host& host, const Inbound& inbound) {
  TRY(const auto step, protocol::decode_body<CodeStep>(inbound.message.body));
  TRY(DeviceSession session, session_of(host, inbound, step.session_id));
  if (session.step != DeviceStep::requested) return {};  // The first one counts: codes are fixed.
  CodeNonce theirs{};
  if (step.value.size() != theirs.size()) return fail(Errc::malformed, "nonce has 32 bytes");
  std::ranges::copy(step.value, theirs.begin());
  TRY(const CodeTranscript transcript, transcript_of(session));
  session.codes = short_codes(transcript, session.nonce, theirs);
  session.step = DeviceStep::coded;
  CHECK(send_and_keep(host, session));
  host.notify({"recover",
               "Call " + session.label +
                   ": read the code of `kith recover status` to them, and "
                   "type the code that they read to you.",
               crypto::hex(session.id),
               {}});
  return {};
}

Result<void> on_status(Host& host, const Inbound& inbound) {
  TRY(const auto status, protocol::decode_body<SessionStatus>(inbound.message.body));
  TRY(DeviceSession session, session_of(host, inbound, status.session_id));
  if (!is_open(session)) return {};
  session.trustee_state = status.state.substr(0, limits::kNameCharsMax);
  session.trustee_text = status.text.substr(0, limits::kTextBytesMax);
  session.remaining_s = std::max<std::int64_t>(0, status.remaining_s);
  if (answer_arrived(session)) session.answer.clear();
  if (status.state == "refused" || status.state == "expired") {
    session.step = DeviceStep::refused;
    host.notify({"recover",
                 session.label + " refused, or too much time has passed. Ask for a new "
                                 "invitation, or ask another trustee.",
                 crypto::hex(session.id),
                 {}});
  }
  save_session(host, session);
  return {};
}

Result<void> on_challenge(Host& host, const Inbound& inbound) {
  TRY(const auto challenge, protocol::decode_body<Challenge>(inbound.message.body));
  TRY(DeviceSession session, session_of(host, inbound, challenge.session_id));
  if (!is_open(session)) return {};
  if (challenge.question.size() > limits::kTextBytesMax) {
    return fail(Errc::limit_exceeded, "the question is too long");
  }
  session.question = challenge.question;
  save_session(host, session);
  host.notify({"recover",
               session.label + " asks the question that you chose at setup. Answer it "
                               "with `kith recover answer`.",
               crypto::hex(session.id),
               {}});
  return {};
}

Result<bool> on_locate(Host& host, const Inbound& inbound) {
  TRY(const auto locate, protocol::decode_body<Locate>(inbound.message.body));
  TRY(DeviceSession session, session_of(host, inbound, locate.session_id));
  if (session.step < DeviceStep::typed) {
    return fail(Errc::wrong_state, "the codes have not been compared yet");
  }
  if (!is_open(session)) return false;
  // One leaf names at most so many; a trustee may hold several leaves.
  if (locate.locations.size() > kLocationsMax * kAnswersPerReplyMax) {
    return fail(Errc::limit_exceeded, "too many locations");
  }
  session.locations = locate.locations;
  if (session.step == DeviceStep::typed) session.step = DeviceStep::located;
  save_session(host, session);
  return true;
}

/// Whether the answer's first proof holds for the points of `asked`.
bool fits(const DeviceSession& session, const LeafAnswer& answer, const PointsAsked& asked) {
  if (answer.partials.size() != asked.blinding.blinded.size() || answer.partials.empty() ||
      answer.proofs.size() != answer.partials.size()) {
    return false;
  }
  const Bytes statement =
      partial_statement(answer.record_id, answer.version, session.id, session.key);
  return crypto::verify_dleq(
             {answer.share_point, asked.blinding.blinded.front(), answer.partials.front()},
             statement, answer.proofs.front())
      .has_value();
}

/// Which request an answer is for: a reply does not say, but its proof does. What fits none counts
/// for the request that is open, and is judged there.
PointsAsked* request_of(DeviceSession& session, const Bytes& answer) {
  const auto read = read_answer(answer);
  if (read.has_value()) {
    for (PointsAsked& asked : session.asked) {
      if (fits(session, *read, asked)) return &asked;
    }
  }
  for (PointsAsked& asked : session.asked) {
    if (!asked.answered) return &asked;
  }
  return nullptr;  // A repeat that fits nothing.
}

void keep_answer(Host& host, const std::string& session, const std::string& source,
                 const Bytes& answer) {
  std::size_t of_session = 0;
  const auto arrived = arrived_answers(host);
  for (const ArrivedAnswer& other : arrived) {
    if (other.session != session) continue;
    if (other.answer == answer) return;
    ++of_session;
  }
  if (of_session >= kAnswersPerSessionMax || arrived.size() >= kCollectedAnswersMax) return;
  save(host, kAnswers, protocol::numbered_id(arrived.size()),
       ArrivedAnswer{session, source, answer});
}

Result<std::vector<Bytes>> open_reply(Host& host, const DeviceSession& session,
                                      const PartialReply& reply) {
  const auto key = load<StoredSessionKey>(host, kKeys, crypto::hex(session.id));
  if (!key) return fail(Errc::not_found, "the key of that session is gone");
  CHECK(crypto::verify(reply.signer, answers_statement(session.id, session.key, reply.box),
                       reply.signature));
  return open_answers(reply.box, session.id, key->key, host.keys());
}

Result<bool> on_partial(Host& host, const Inbound& inbound) {
  TRY(const auto reply, protocol::decode_body<PartialReply>(inbound.message.body));
  TRY(DeviceSession session, session_of(host, inbound, reply.session_id));
  if (session.asked.empty() || !is_open(session)) {
    return fail(Errc::wrong_state, "nothing was asked for");
  }
  if (reply.box == session.box) return false;
  if (reply.box.size() > kAnswersBoxBytesMax) return fail(Errc::limit_exceeded, "answers too long");
  session.box = reply.box;
  session.signature = reply.signature;
  session.signer = reply.signer;
  const std::string id = crypto::hex(session.id);
  const auto opened = open_reply(host, session, reply);
  // What does not open is an answer too: a malformed one, by a proven sender.
  const std::vector<Bytes> answers = opened.has_value() ? *opened : std::vector<Bytes>{Bytes{}};
  for (const Bytes& answer : answers) {
    PointsAsked* asked = request_of(session, answer);
    if (asked == nullptr) continue;
    keep_answer(host, id, asked->source, answer);
  }
  for (PointsAsked& asked : session.asked) {
    if (asked.answered) continue;
    asked.answered = true;  // Replies come in the order of requests; one is open at a time.
    break;
  }
  session.step = DeviceStep::answered;
  session.remaining_s = 0;
  save_session(host, session);
  host.audit("recover.answer-arrived");
  return true;
}

}  // namespace

std::vector<DeviceSession> device_sessions(Host& host) {
  std::vector<DeviceSession> sessions;
  for (const std::string& id : host.list(kSessions)) {
    sessions.push_back(*load<DeviceSession>(host, kSessions, id));
  }
  std::ranges::stable_sort(sessions, {}, [](const DeviceSession& one) { return one.started; });
  return sessions;
}

std::vector<ArrivedAnswer> arrived_answers(Host& host) {
  std::vector<ArrivedAnswer> answers;
  for (const std::string& id : host.list(kAnswers)) {
    answers.push_back(*load<ArrivedAnswer>(host, kAnswers, id));
  }
  return answers;
}

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
  save(host, kKeys, id, StoredSessionKey{key.sealed});
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
      CHECK(send_step(host, session, SessionRef::kClose, "close",
                      protocol::encode_body(SessionRef{bytes_of(session.id), "abandoned"})));
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

Result<bool> on_session_message(Host& host, const Inbound& inbound) {
  const std::string& type = inbound.message.type;
  if (type == type_uri("recovery", Locate::kName)) return on_locate(host, inbound);
  if (type == type_uri("recovery", PartialReply::kName)) return on_partial(host, inbound);
  if (type == type_uri("recovery", CodeStep::kNonce)) CHECK(on_nonce(host, inbound));
  if (type == type_uri("recovery", SessionStatus::kName)) CHECK(on_status(host, inbound));
  if (type == type_uri("recovery", Challenge::kName)) CHECK(on_challenge(host, inbound));
  return false;
}

void on_session_problem(Host& host, const Inbound& inbound, const protocol::ProblemReport& report) {
  if (!inbound.info.sender || !inbound.info.own_did) return;
  for (DeviceSession& session : device_sessions(host)) {
    if (session.own_did != inbound.info.own_did->text() ||
        session.trustee_did != inbound.info.sender->text() || !is_open(session)) {
      continue;
    }
    session.trustee_text = report.text().substr(0, limits::kTextBytesMax);
    save_session(host, session);
  }
}

void ask_for_points(Host& host, const std::string& source, const Targets& targets) {
  for (DeviceSession& session : device_sessions(host)) {
    if (session.step != DeviceStep::located && session.step != DeviceStep::answered) continue;
    const bool asked = std::ranges::any_of(
        session.asked, [&](const PointsAsked& points) { return points.source == source; });
    const bool busy = std::ranges::any_of(
        session.asked, [](const PointsAsked& points) { return !points.answered; });
    if (asked || busy) continue;
    auto blinding = blind(targets, host.random());
    if (!blinding.has_value()) continue;
    session.asked.push_back({source, std::move(*blinding), 0, false});
    if (!send_and_keep(host, session).has_value()) save_session(host, session);
  }
}

void repeat_sessions(Host& host) {
  std::optional<Time> next;
  for (DeviceSession& session : device_sessions(host)) {
    if (!is_open(session)) continue;
    if (session.next_send <= host.now()) {
      const auto sent = send_unanswered(host, session);
      // Nothing unanswered: the next message of the session starts its repeats anew.
      if (sent.has_value() && !*sent) continue;
      session.next_send = host.now() + pause_after(host, session.tries);
      ++session.tries;
      save_session(host, session);
    }
    next = next ? std::min(*next, session.next_send) : session.next_send;
  }
  if (next) host.set_timer(kDeviceModule, kTimerSessions, *next);
}

void close_sessions(Host& host, std::string_view result) {
  for (DeviceSession& session : device_sessions(host)) {
    const std::string id = crypto::hex(session.id);
    if (!is_open(session)) continue;
    const SessionRef close{bytes_of(session.id), std::string(result)};
    static_cast<void>(
        send_step(host, session, SessionRef::kClose, "close", protocol::encode_body(close)));
    session.step = DeviceStep::closed;
    save_session(host, session);
    host.erase({std::string(kKeys), id});
  }
}

namespace {

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
