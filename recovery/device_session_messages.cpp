// What a trustee's messages do to a recovering device's session (device_sessions.hpp).

#include <algorithm>

#include "crypto/dleq.hpp"
#include "recovery/device_session_steps.hpp"

namespace kith::recovery {
namespace {

constexpr std::size_t kAnswersPerSessionMax = 2 * kAnswersPerReplyMax;

/// Errors: not_authentic for anybody but the trustee of that session.
Result<DeviceSession> own_session_of(Host& host, const Inbound& inbound, ByteView id) {
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
  TRY(DeviceSession session, own_session_of(host, inbound, step.session_id));
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
  TRY(DeviceSession session, own_session_of(host, inbound, status.session_id));
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
  TRY(DeviceSession session, own_session_of(host, inbound, challenge.session_id));
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
  TRY(DeviceSession session, own_session_of(host, inbound, locate.session_id));
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
  save(host, kDeviceAnswers, protocol::numbered_id(arrived.size()),
       ArrivedAnswer{session, source, answer});
}

Result<std::vector<Bytes>> open_reply(Host& host, const DeviceSession& session,
                                      const PartialReply& reply) {
  const auto key = load<StoredSessionKey>(host, kDeviceSessionKeys, crypto::hex(session.id));
  if (!key) return fail(Errc::not_found, "the key of that session is gone");
  CHECK(crypto::verify(reply.signer, answers_statement(session.id, session.key, reply.box),
                       reply.signature));
  return open_answers(reply.box, session.id, key->key, host.keys());
}

Result<bool> on_partial(Host& host, const Inbound& inbound) {
  TRY(const auto reply, protocol::decode_body<PartialReply>(inbound.message.body));
  TRY(DeviceSession session, own_session_of(host, inbound, reply.session_id));
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

}  // namespace kith::recovery
