#pragma once

/// The handshake of a connection: its record and steps. Used by connection.cpp alone; the messages
/// are described in connection.hpp. Rooms: handshake_accept.cpp reads an invitation and asks,
/// introduction.cpp shows and judges logs, handshake.cpp does the rest.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "protocol/contact.hpp"
#include "protocol/messenger.hpp"
#include "protocol/module.hpp"

namespace kith::ledger {

inline constexpr std::string_view kConnectionModule = "connection";

/// How long a handshake may take before it is given up.
inline constexpr std::chrono::hours kHandshakeLife{24 * 7};

/// Stored: never renumber.
enum class HandshakePhase : std::uint8_t {
  requested = 1,   ///< Invitee: waits for the response.
  answered = 2,    ///< Inviter: waits for `complete`.
  completing = 3,  ///< Invitee: waits for the ack.
};
constexpr bool is_valid(HandshakePhase phase) {
  return phase >= HandshakePhase::requested && phase <= HandshakePhase::completing;
}

/// Collection `handshake`, by contact id; gone once the handshake has ended. `message` is our last
/// one, repeated (same id) until its answer comes.
struct Handshake {
  std::string contact_id;
  HandshakePhase phase = HandshakePhase::requested;
  std::string invitation_id;
  std::string thread;  ///< Id of the request.
  std::string my_one_time;
  std::string their_one_time;
  bool reusable = false;       ///< Inviter: my_one_time lives on (a reusable or public invitation).
  bool named_by_user = false;  ///< Invitee: the name does not follow the peer's proposal.
  /// Invitee: the inviter's document was looked up, and holds as it was until the handshake ends.
  bool pinned = false;
  JsonObject message;
  std::uint32_t tries = 0;
  Time expires{};
  template <class V>
  void visit(V& v) {
    v("contact_id", contact_id), v("phase", phase), v("invitation_id", invitation_id),
        v("thread", thread), v("my_one_time", my_one_time), v("their_one_time", their_one_time),
        v("reusable", reusable), v("named_by_user", named_by_user), v("message", message),
        v("tries", tries), v("expires", expires), v("pinned", pinned);
  }
};

[[nodiscard]] std::optional<Handshake> find_handshake(Host& host, std::string_view contact_id);
/// Whether a handshake still needs the DID of this invitation.
[[nodiscard]] bool handshake_open(Host& host, std::string_view invitation_id);

void save_handshake(Host& host, const Handshake& handshake);
/// Sends `handshake.message`, which is stored and may be sent again.
[[nodiscard]] Result<void> send_handshake(Host& host, const Handshake& handshake,
                                          protocol::SendOptions options);
/// With a new id, as yet unsaved and without name.
[[nodiscard]] Contact new_contact(Host& host, ContactRole role, ContactState state);

/// Command `accept`.
[[nodiscard]] Result<JsonObject> accept_invitation(Host& host, const JsonObject& args);

[[nodiscard]] Result<void> on_request(Host& host, const Inbound& inbound);
[[nodiscard]] Result<void> on_response(Host& host, const Inbound& inbound);
[[nodiscard]] Result<void> on_complete(Host& host, const Inbound& inbound);
[[nodiscard]] Result<void> on_empty(Host& host, const Inbound& inbound);
/// The peer refused our request.
void on_handshake_refused(Host& host, const Inbound& inbound, std::string_view reason);
/// A message of the handshake left, or could not: time to repeat it later.
void on_handshake_sent(Host& host, std::string_view contact_id);
void repeat_handshake(Host& host, std::string_view contact_id);
/// Time is up, or the user ended it: forgets record, timers and one-time DIDs of our own making.
void drop_handshake(Host& host, const Handshake& handshake);
void expire_handshake(Host& host, std::string_view contact_id);

/// 30 s, doubling, at most an hour.
[[nodiscard]] Duration repeat_delay(std::uint32_t tries);
[[nodiscard]] std::string timer_name(std::string_view what, std::string_view id);

}  // namespace kith::ledger
