#pragma once

/// Pairing: how a new device becomes an agent of an identity. Two devices of one person connect by
/// an invitation, compare codes as in a recovery session (short_code.hpp), and then the old device
/// hands over what all devices share.
///
///   new device                                         device that invited
///   connection (ledger/connection.hpp), role `new_device` on both sides
///   hello {pairing, session key, commitment}  ---->
///                                             <----  nonce
///   reveal  ---->                                      both show a code
///                                                      its user types the new device's code and
///                                             <----  the passphrase: welcome, sealed to the
///                                             session
///                                                      key
///   its user types the other code and a
///   passphrase: joined {agent key, proof}  ---->      policy and document name the new device
///                                             <----  admitted
///
/// The code that the inviting device shows appears there only when the right code was typed into
/// it, so that the person checks both directions. A machine in the middle knows neither code
/// beforehand, and gets one try.
///
/// What waits for an answer is sent again, with the same content, until the next step is there.

#include <optional>
#include <string>
#include <vector>

#include "protocol/module.hpp"
#include "recovery/short_code.hpp"

namespace kith::recovery {

/// Stored: never renumber.
enum class PairingStep : std::uint8_t {
  connecting = 1,
  asked = 2,     ///< New device: hello is out. Inviting one: its nonce is out.
  coded = 3,     ///< Both codes are known.
  welcomed = 4,  ///< The welcome is out, or here.
  joined = 5,    ///< New device: it has the vault. Waits to be admitted.
  done = 6,
  failed = 7,
};
constexpr bool is_valid(PairingStep step) {
  return step >= PairingStep::connecting && step <= PairingStep::failed;
}

/// Collection `agent-pairing`, by contact id. Of this device alone.
struct Pairing {
  std::string contact_id;
  bool adds = false;  ///< This device invited.
  PairingStep step = PairingStep::connecting;
  SessionId id{};
  std::optional<PublicKey> session_key;  ///< The new device's.
  std::optional<SealedKey> session_own;  ///< Its private half, there.
  Digest commitment{};
  CodeNonce nonce{};  ///< Ours.
  ShortCodes codes;   ///< A is shown by the new device, B by the one that invited.
  std::uint32_t wrong_codes = 0;
  Bytes welcome;      ///< Sealed to the session key.
  std::string agent;  ///< The other's key in the policy, once known.
  std::string name;   ///< For the other device.
  std::string problem;
  std::uint32_t tries = 0;
  Time started{};
  template <class V>
  void visit(V& v) {
    v("contact_id", contact_id), v("adds", adds), v("step", step), v("id", id);
    v("session_key", session_key), v("session_own", session_own), v("commitment", commitment);
    v("nonce", nonce), v("code_a", codes.shown_by_device), v("code_b", codes.shown_by_trustee);
    v("wrong_codes", wrong_codes), v("welcome", welcome), v("agent", agent), v("name", name);
    v("problem", problem), v("tries", tries), v("started", started);
  }
  [[nodiscard]] bool is_open() const { return step < PairingStep::done; }
};

[[nodiscard]] std::optional<Pairing> find_pairing(Host& host, std::string_view contact_id);
[[nodiscard]] std::vector<Pairing> list_pairings(Host& host);
void save_pairing(Host& host, const Pairing& pairing);

// Commands; documented in own_agents.hpp.
[[nodiscard]] Result<JsonObject> add_agent(Host& host, const JsonObject& args);
[[nodiscard]] Result<JsonObject> accept_agent(Host& host, const JsonObject& args);
[[nodiscard]] Result<JsonObject> type_agent_code(Host& host, const Command& command);
[[nodiscard]] Result<JsonObject> cancel_pairing(Host& host, const JsonObject& args);
[[nodiscard]] JsonArray describe_pairings(Host& host);

/// Message names of the protocol agent/1.0 that this room takes.
[[nodiscard]] std::vector<std::string> pairing_message_types();
/// Errors: not_authentic, unknown_peer, wrong_state, code_mismatch, bad_signature, malformed.
[[nodiscard]] Result<void> on_pairing_message(Host& host, const Inbound& inbound);
/// The two devices are connected.
void begin_pairing(Host& host, std::string_view contact_id);
/// Sends again what waits for an answer; gives up what is too old.
void repeat_pairing(Host& host, std::string_view contact_id);

}  // namespace kith::recovery
