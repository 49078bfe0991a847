// What a recovering device sends, and sends again (device_sessions.hpp).

#include <algorithm>

#include "ledger/connection.hpp"
#include "recovery/device_session_steps.hpp"

namespace kith::recovery {
namespace {

constexpr Duration kRepeat{30'000};
constexpr Duration kRepeatTest{2'000};
constexpr Duration kRepeatMax{3'600'000};

Result<void> send_request(Host& host, const DeviceSession& session) {
  TRY(const CodeTranscript transcript, transcript_of(session));
  const auto profile = load<ledger::Profile>(host, "meta", "profile");
  const SessionRequest request{crypto::to_bytes(session.id), session.key,
                               profile ? profile->name : ""};
  CHECK(send_step(host, session, SessionRequest::kName, "request", protocol::encode_body(request)));
  const Digest commitment = code_commitment(session.nonce, transcript);
  return send_step(
      host, session, CodeStep::kCommit, "commit-" + std::to_string(session.tries),
      protocol::encode_body(CodeStep{crypto::to_bytes(session.id), crypto::to_bytes(commitment)}));
}

Result<void> send_points(Host& host, const DeviceSession& session, const PointsAsked& asked) {
  PartialRequest request{crypto::to_bytes(session.id), {}};
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
  const Bytes id = crypto::to_bytes(session.id);
  if (!is_open(session)) return false;
  if (session.step == DeviceStep::requested) {
    CHECK(send_request(host, session));
    return true;
  }
  bool sent = false;
  if (session.step <= DeviceStep::typed && !nonce_arrived(session)) {
    CHECK(send_step(host, session, CodeStep::kReveal, "reveal" + again,
                    protocol::encode_body(CodeStep{id, crypto::to_bytes(session.nonce)})));
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

}  // namespace

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

bool ask_for_points(Host& host, const SessionId& id, const std::string& source,
                    const Targets& targets) {
  auto session = session_named(host, crypto::hex(id));
  if (!session.has_value()) return false;
  if (session->step != DeviceStep::located && session->step != DeviceStep::answered) return false;
  const auto& asked = session->asked;
  if (std::ranges::find(asked, false, &PointsAsked::answered) != asked.end()) return true;
  if (std::ranges::find(asked, source, &PointsAsked::source) != asked.end()) return false;
  if (asked.size() >= kSourcesAskedMax) return false;
  auto blinding = blind(targets, host.random());
  if (!blinding.has_value()) return false;
  session->asked.push_back({source, std::move(*blinding), 0, false});
  if (!send_and_keep(host, *session).has_value()) save_session(host, *session);
  return true;
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
    const SessionRef close{crypto::to_bytes(session.id), std::string(result)};
    static_cast<void>(
        send_step(host, session, SessionRef::kClose, "close", protocol::encode_body(close)));
    session.step = DeviceStep::closed;
    save_session(host, session);
    host.erase({std::string(kDeviceSessionKeys), id});
  }
}

}  // namespace kith::recovery
