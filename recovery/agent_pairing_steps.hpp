#pragma once

/// What pairing's rooms share: agent_pairing.cpp takes messages and repeats them,
/// agent_pairing_commands.cpp does what people say, agent_welcome.cpp hands the vault over and
/// takes it. Internal to them (agent_pairing.hpp is the contract).

#include "protocol/contact.hpp"
#include "recovery/agent_pairing.hpp"

namespace kith::recovery {

/// Timer of a pairing: repeats what waits, and ends what is too old.
[[nodiscard]] inline std::string repeat_timer(std::string_view contact_id) {
  return "pairing " + std::string(contact_id);
}
/// Sends what the new step asks for, keeps the pairing, and has it repeated.
[[nodiscard]] Result<void> go_on(Host& host, const Contact& contact, Pairing pairing,
                                 PairingStep step);
/// Both codes were compared here: from now on the other one counts as a device of the owner.
void count_as_device(Host& host, Contact contact);
/// Gives up, and tells both the person and the other device.
void fail_pairing(Host& host, const Pairing& pairing, const std::string& problem);

/// The key in the codes' transcript: the inviting device's newest one to agree with, of the
/// relationship of the two. Errors: those of pair_state_of.
[[nodiscard]] Result<CodeTranscript> pairing_transcript(Host& host, const Contact& contact,
                                                        const Pairing& pairing);

/// Sealed for the new device: the vault, the link secret, the identity and its logs.
/// Errors: those of open_vault; wrong_state (no identity).
[[nodiscard]] Result<Bytes> make_welcome(Host& host, const Pairing& pairing,
                                         const SealedKey& vault);
/// The new device takes it, locks the vault under its own passphrase and makes its agent key.
/// Errors: cannot_decrypt, malformed, refused (more in it than belongs there), conflict (an
/// identity lives here already).
[[nodiscard]] Result<void> take_welcome(Host& host, const Pairing& pairing, StepUp step_up);

/// What the new device says of itself.
struct AgentJoined {
  static constexpr std::string_view kName = "joined";
  PublicKey key;         ///< In the policy.
  Bytes proof;           ///< By `key`, over both ends of the relationship.
  std::string did_auth;  ///< Its keys in the public document (Multikeys).
  std::string did_agree;
  template <class V>
  void visit(V& v) {
    v("key", key), v("proof", proof), v("did_auth", did_auth), v("did_agree", did_agree);
  }
};
[[nodiscard]] Result<AgentJoined> make_joined(Host& host, const Contact& contact);
/// Policy and document name the new device; false: other agents have to agree first, and are asked.
/// Repeats change nothing. Errors: bad_key, bad_signature, those of post_entry and propose.
[[nodiscard]] Result<bool> admit(Host& host, const Contact& contact, const AgentJoined& joined,
                                 const std::string& name);
/// This device has a say in who belongs to the identity. Errors: refused, wrong_state.
[[nodiscard]] Result<void> check_may_add(Host& host);

}  // namespace kith::recovery
