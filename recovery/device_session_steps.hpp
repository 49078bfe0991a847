#pragma once

/// Steps of a device's session that messages, commands and timers share. Internal to the module
/// "recover" (device_sessions.hpp).

#include <string>
#include <string_view>

#include "crypto/limits.hpp"
#include "protocol/audit_log.hpp"
#include "recovery/device_sessions.hpp"
#include "recovery/trustee_session.hpp"

namespace kith::recovery {

inline constexpr std::string_view kDeviceSessions = "recover-session";
inline constexpr std::string_view kDeviceAnswers = "recover-answer";
inline constexpr std::string_view kDeviceSessionKeys = "session-key";

/// The private half of a session's key (collection `session-key`, by session id in hex).
struct StoredSessionKey {
  SealedKey key;
  template <class V>
  void visit(V& v) {
    v("key", key);
  }
};

void save_session(Host& host, const DeviceSession& session);
/// Errors: not_found.
[[nodiscard]] Result<DeviceSession> session_named(Host& host, const std::string& id);
/// What both codes are made of. Errors: malformed, unsupported (the trustee's DID).
[[nodiscard]] Result<CodeTranscript> transcript_of(const DeviceSession& session);

/// Neither refused nor closed.
[[nodiscard]] bool is_open(const DeviceSession& session);
/// Whether the trustee's last status comes after all of `before` in a good session.
[[nodiscard]] bool trustee_is_past(const DeviceSession& session,
                                   std::initializer_list<std::string_view> before);
[[nodiscard]] bool nonce_arrived(const DeviceSession& session);
[[nodiscard]] bool typed_code_arrived(const DeviceSession& session);
[[nodiscard]] bool answer_arrived(const DeviceSession& session);

/// `tag` makes the message's id: the same tag is taken once by the trustee, however often it comes.
[[nodiscard]] Result<void> send_step(Host& host, const DeviceSession& session,
                                     std::string_view name, const std::string& tag,
                                     JsonObject body);
/// Sends what is unanswered now, keeps the session, and has it repeated.
[[nodiscard]] Result<void> send_and_keep(Host& host, DeviceSession session);

}  // namespace kith::recovery
