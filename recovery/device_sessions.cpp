#include "recovery/device_sessions.hpp"

#include <algorithm>

#include "recovery/device_session_steps.hpp"

namespace kith::recovery {

void save_session(Host& host, const DeviceSession& session) {
  save(host, kDeviceSessions, crypto::hex(session.id), session);
}

Result<DeviceSession> session_named(Host& host, const std::string& id) {
  auto session = load<DeviceSession>(host, kDeviceSessions, id);
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

std::vector<DeviceSession> device_sessions(Host& host) {
  std::vector<DeviceSession> sessions;
  for (const std::string& id : host.list(kDeviceSessions)) {
    sessions.push_back(*load<DeviceSession>(host, kDeviceSessions, id));
  }
  std::ranges::stable_sort(sessions, {}, [](const DeviceSession& one) { return one.started; });
  return sessions;
}

std::vector<ArrivedAnswer> arrived_answers(Host& host) {
  std::vector<ArrivedAnswer> answers;
  for (const std::string& id : host.list(kDeviceAnswers)) {
    answers.push_back(*load<ArrivedAnswer>(host, kDeviceAnswers, id));
  }
  return answers;
}

}  // namespace kith::recovery
