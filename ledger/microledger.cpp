#include "ledger/microledger.hpp"

#include <algorithm>

#include "ledger/did_kith.hpp"
#include "ledger/log_keys.hpp"
#include "ledger/log_store.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/strict_json.hpp"
#include "protocol/messenger.hpp"
#include "protocol/pickup.hpp"
#include "protocol/vault.hpp"

namespace kith::ledger {
namespace {

std::string kid(std::string_view did, std::string_view multikey) {
  return std::string(did) + "#" + std::string(multikey);
}

struct AgentKeys {
  KeyPair auth;
  KeyPair agree;
  [[nodiscard]] PairAgent names() const {
    return {crypto::multikey(auth.public_key), crypto::multikey(agree.public_key)};
  }
};

Result<AgentKeys> generate_agent(Host& host) {
  TRY(KeyPair auth, host.keys().generate(KeyType::ed25519, KeyPurpose::authenticate));
  TRY(KeyPair agree, host.keys().generate(KeyType::x25519, KeyPurpose::agree));
  return AgentKeys{std::move(auth), std::move(agree)};
}

void remember_agent(Host& host, std::string_view did, const AgentKeys& keys) {
  const PairAgent names = keys.names();
  protocol::remember_key(host, kid(did, names.auth), keys.auth.sealed);
  protocol::remember_key(host, kid(did, names.agree), keys.agree.sealed);
}

/// Removing or replacing an agent asks for that agent's own signature: ours give it.
Result<void> sign_as_leaving(Host& host, Entry& update, const PairState& before,
                             const PairState& after) {
  protocol::OwnSecrets secrets(host);
  for (const PairAgent& agent : before.agents) {
    const bool stays = std::ranges::find(after.agents, agent) != after.agents.end();
    const auto sealed = stays ? std::nullopt : secrets.find(kid(update.id, agent.auth));
    if (!sealed) continue;
    TRY(const PublicKey key, signing_key(agent.auth));
    CHECK(add_signature(update, key, host.keys(), *sealed));
  }
  return {};
}

/// Judges and keeps an entry of our own.
Result<void> keep_entry(Host& host, const Entry& entry) {
  TRY(const LogView view, append_checked(host, entry.id, entry_blob(entry), host.now()));
  CHECK(refresh_document(host, view));
  protocol::prove_own_did_again(host, entry.id);
  return {};
}

}  // namespace

PairService pair_service(const ServiceEndpoint& service) {
  return {service.uri, service.routing_keys};
}

Result<PairAgent> make_pair_agent(Host& host, std::string_view did) {
  TRY(const AgentKeys keys, generate_agent(host));
  remember_agent(host, did, keys);
  return keys.names();
}

Result<OwnPairLog> new_pair_log(Host& host, const std::vector<ServiceEndpoint>& services) {
  TRY(const LogKeys keys, generate_log_keys(host.keys(), host.random()));
  TRY(const AgentKeys agent, generate_agent(host));
  PairState state;
  state.agents.push_back(agent.names());
  for (const ServiceEndpoint& service : services) state.services.push_back(pair_service(service));
  CHECK(check_pair_state(state));

  LogContent content = make_content(keys, {}, pair_state_json(state));
  if (host.test_mode()) {
    content.rec.delay = std::chrono::seconds{0};
    content.rec.contest = std::chrono::seconds{0};
  }
  TRY(Entry genesis, make_genesis(Kind::pair, content, host.test_mode(), anchor_time(host.now())));
  CHECK(add_signatures(genesis, keys.active, keys.keys.t, host.keys()));
  CHECK(keep_entry(host, genesis));
  CHECK(keep_log_keys(host, genesis.id, keys));
  remember_agent(host, genesis.id, agent);
  return OwnPairLog{genesis.id, entry_blob(genesis)};
}

Result<PairState> pair_state_of(Host& host, std::string_view did) {
  TRY(const LogView view, stored_view(host, did));
  if (view.kind != Kind::pair) return fail(Errc::malformed, "not the log of a relationship");
  return parse_pair_state(view.current.state);
}

Result<void> update_pair_log(Host& host, std::string_view did, const PairState& state) {
  CHECK(check_pair_state(state));
  TRY(const LogView view, stored_view(host, did));
  TRY(Entry update, make_update(view, pair_state_json(state), anchor_time(host.now())));
  CHECK(sign_with_active(host, update, view));
  TRY(const PairState before, parse_pair_state(view.current.state));
  CHECK(sign_as_leaving(host, update, before, state));
  return keep_entry(host, update);
}

Result<void> rotate_pair_keys(Host& host, std::string_view did,
                              const std::optional<SealedKey>& vault, const PairState& state) {
  CHECK(check_pair_state(state));
  TRY(const LogView view, stored_view(host, did));
  TRY(const std::vector<KeyPair> active, take_next_keys(host, view, vault));
  TRY(const NextTier next, generate_next(host.keys()));
  RotateSpec spec;
  spec.keys = KeySet{view.current.next.t, multikeys(active)};
  spec.next = next.digests;
  spec.state = pair_state_json(state);
  TRY(Entry rotate, make_rotate(view, std::move(spec), anchor_time(host.now())));
  CHECK(add_signatures(rotate, active, view.current.next.t, host.keys()));
  CHECK(keep_entry(host, rotate));
  for (const std::string& old : view.current.keys.k) forget_log_key(host, old);
  for (const KeyPair& pair : active) remember_log_key(host, pair);
  return keep_next_keys(host, did, next);
}

Result<void> refresh_document(Host& host, const LogView& view) {
  if (!view.key_changes_acceptable()) return {};
  TRY(const Resolution resolution, resolve_did_kith(view));
  TRY(const JsonObject* document, crypto::as_object(resolution.document, "DID document"));
  protocol::remember_document(host, view.subject, *document);
  return {};
}

void forget_unlisted_keys(Host& host, std::string_view did) {
  const auto state = pair_state_of(host, did);
  std::vector<std::string> listed;
  if (state.has_value() && state->status == PairStatus::active) {
    for (const PairAgent& agent : state->agents) {
      listed.push_back(kid(did, agent.auth));
      listed.push_back(kid(did, agent.agree));
    }
  }
  const std::string own = std::string(did) + "#";
  for (const std::string& id : host.list("own-key")) {
    if (id.starts_with(own) && !contains(listed, id)) protocol::forget_key(host, id);
  }
}

std::vector<Bytes> log_blobs(Host& host, std::string_view did) {
  std::vector<Bytes> blobs;
  for (const AnchoredBlob& kept : stored_blobs(host, did)) blobs.push_back(kept.blob);
  return blobs;
}

}  // namespace kith::ledger
