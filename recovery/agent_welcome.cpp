// What a new device gets from the one that invited it, and what it says of itself.

#include <algorithm>

#include "ledger/document_agents.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_keys.hpp"
#include "ledger/log_store.hpp"
#include "ledger/microledger.hpp"
#include "ledger/proposal_steps.hpp"
#include "protocol/messenger.hpp"
#include "protocol/vault.hpp"
#include "recovery/agent_pairing_steps.hpp"
#include "recovery/agent_relationships.hpp"
#include "recovery/own_agents.hpp"
#include "recovery/wallet_backup.hpp"

namespace kith::recovery {
namespace {

/// Plaintext of the welcome.
struct WelcomePack {
  PublicKey vault;
  Bytes vault_box;  ///< As hand_over_vault gives it: no key is in clear here.
  Bytes wallet;     ///< As welcome_snapshot gives it.
  template <class V>
  void visit(V& v) {
    v("vault", vault), v("vault_box", vault_box), v("wallet", wallet);
  }
};

Bytes welcome_label(const Pairing& pairing) {
  const std::string key = crypto::multikey(*pairing.session_key);
  return labelled("agent-welcome", {pairing.id, crypto::as_bytes(key)});
}

Bytes joined_statement(std::string_view new_did, std::string_view old_did, const PublicKey& key) {
  const std::string named = crypto::multikey(key);
  return labelled("agent-joined",
                  {crypto::as_bytes(new_did), crypto::as_bytes(old_did), crypto::as_bytes(named)});
}

Result<ledger::Policy> policy_now(Host& host, ledger::LogView& view) {
  TRY(const ledger::Identity own, ledger::needed_identity(host));
  TRY(view, ledger::stored_view(host, own.policy));
  return ledger::parse_policy(view.current.state);
}

ledger::PolicyAgent owner_agent(std::string key) {
  return {std::move(key), ledger::auth::kOwnerAll, std::nullopt, std::nullopt};
}

void keep_own_agent(Host& host, const std::string& key, const std::string& name) {
  const auto known = load<OwnAgent>(host, kOwnAgents, key);
  if (known && known->is_named()) return;
  save(host, kOwnAgents, key, OwnAgent{key, name, host.now(), {}});
}

/// Until now there was one device, and nothing to be kept of it.
Result<void> keep_first_device(Host& host) {
  const std::string me = own_agent_multikey(host);
  if (host.get({std::string(kOwnAgents), me})) return {};
  keep_own_agent(host, me, "first device");
  TRY(const ledger::Identity own, ledger::needed_identity(host));
  TRY(const ledger::LogView view, ledger::stored_view(host, own.did));
  const auto agents = ledger::document_agents(view.current.state);
  if (!agents.has_value()) return {};
  return keep_agent_keys(host, own.did, agents->front());
}

}  // namespace

Result<CodeTranscript> pairing_transcript(Host& host, const Contact& contact,
                                          const Pairing& pairing) {
  if (!pairing.session_key) return fail(Errc::wrong_state, "the new device has not spoken yet");
  const std::string& inviter = pairing.adds ? contact.my_did : contact.their_did;
  const std::string& invitee = pairing.adds ? contact.their_did : contact.my_did;
  TRY(const ledger::PairState state, ledger::pair_state_of(host, inviter));
  CodeTranscript transcript;
  TRY(transcript.connection_key, crypto::from_multikey(state.agents.front().agree));
  transcript.invitation_id = inviter + " " + invitee;
  transcript.session_id = pairing.id;
  transcript.session_key = *pairing.session_key;
  return transcript;
}

Result<void> check_may_add(Host& host) {
  ledger::LogView view;
  TRY(const ledger::Policy policy, policy_now(host, view));
  const ledger::PolicyAgent* me = ledger::find_agent(policy, own_agent_multikey(host));
  if (me == nullptr || (me->auth & ledger::auth::kAdmin) == 0) {
    return fail(Errc::refused, "this device may not change who belongs to your identity");
  }
  return {};
}

Result<Bytes> make_welcome(Host& host, const Pairing& pairing, const SealedKey& vault) {
  const auto lock = protocol::vault_lock(host);
  if (!lock) return fail(Errc::wrong_state, "this wallet has no vault");
  const Bytes label = welcome_label(pairing);
  const SecretBytes wallet = welcome_snapshot(host);
  WelcomePack pack{lock->public_key, {}, crypto::to_bytes(wallet.expose())};
  TRY(pack.vault_box, host.keys().hand_over_vault(vault, *pairing.session_key, label));
  return host.keys().seal_to(*pairing.session_key, label, protocol::encode_record(pack));
}

Result<void> take_welcome(Host& host, const Pairing& pairing, StepUp step_up) {
  if (ledger::identity(host) || protocol::vault_lock(host)) {
    return fail(Errc::conflict, "this home has an identity of its own");
  }
  if (!pairing.session_own) return fail(Errc::wrong_state, "the pairing's key is gone");
  const Bytes label = welcome_label(pairing);
  TRY(const Bytes plaintext, host.keys().open_box(*pairing.session_own, label, pairing.welcome));
  TRY(const auto pack, protocol::decode_record<WelcomePack>(plaintext));
  CHECK(restore_welcome(host, pack.wallet));
  TRY(const KeyPair vault,
      host.keys().take_over_vault(*pairing.session_own, label, pack.vault_box));
  CHECK(protocol::adopt_vault(host, pack.vault, vault.sealed, step_up));
  CHECK(ledger::move_keys_to_vault(host));
  CHECK(ledger::take_link_secret(host, vault.sealed));
  TRY(ledger::Identity own, ledger::needed_identity(host));
  TRY(const KeyPair agent, ledger::make_agent_key(host));
  own.agent_key = agent.public_key;
  ledger::save_identity(host, own);
  TRY(const ledger::PairAgent named, ledger::make_pair_agent(host, own.did));
  return keep_agent_keys(host, own.did, named);
}

Result<AgentJoined> make_joined(Host& host, const Contact& contact) {
  TRY(const KeyPair agent, ledger::own_agent_key(host));
  TRY(const ledger::Identity own, ledger::needed_identity(host));
  const auto named = keys_of_device(host, own.did, crypto::multikey(agent.public_key));
  if (!named) return fail(Errc::wrong_state, "this device has not joined");
  AgentJoined joined;
  joined.key = agent.public_key;
  joined.did_auth = named->auth;
  joined.did_agree = named->agree;
  TRY(joined.proof,
      host.keys().sign(agent.sealed,
                       joined_statement(contact.my_did, contact.their_did, agent.public_key)));
  return joined;
}

Result<bool> admit(Host& host, const Contact& contact, const AgentJoined& joined,
                   const std::string& name) {
  if (joined.key.type != KeyType::ed25519) return fail(Errc::bad_key, "an agent key is Ed25519");
  CHECK(crypto::verify(joined.key, joined_statement(contact.their_did, contact.my_did, joined.key),
                       joined.proof));
  const std::string key = crypto::multikey(joined.key);
  ledger::LogView view;
  TRY(const ledger::Policy before, policy_now(host, view));
  if (ledger::find_agent(before, key) == nullptr) {
    const auto add = [&](ledger::Policy& policy) { policy.agents.push_back(owner_agent(key)); };
    const auto proposed = ledger::change_policy(host, add, "A new device: " + name);
    const bool asked_before = !proposed.has_value() && proposed.error() == Errc::conflict;
    if (!proposed.has_value() && !asked_before) return proposed.error();
    // It asks again, and is admitted when the others have agreed.
    if (asked_before || !proposed->empty()) return false;
    host.audit("agent.added", {{"agent", key}});
  }
  const auto documented = ledger::add_document_agent(host, {joined.did_auth, joined.did_agree});
  if (!documented.has_value()) host.audit("agent.not-in-document", {{"agent", key}});
  CHECK(keep_first_device(host));
  keep_own_agent(host, key, name);
  ledger::remember_agent(host, key, contact.id, policy_agents(host));
  return true;
}

}  // namespace kith::recovery
