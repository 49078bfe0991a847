#include "recovery/agent_relationships.hpp"

#include <algorithm>

#include "crypto/hash.hpp"
#include "crypto/limits.hpp"
#include "ledger/connection.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "ledger/microledger.hpp"
#include "protocol/messenger.hpp"
#include "protocol/pickup.hpp"
#include "recovery/ids.hpp"
#include "recovery/own_agents.hpp"

namespace kith::recovery {
namespace {

/// Record `agent-seat`/<did>: what was seen of a relationship when it was looked after last.
struct Seat {
  std::string auth;  ///< Our key in the log, told to mediator and contact; empty: none yet.
  Bytes seen;        ///< Digest of the log and of what devices say of their keys for it.
  template <class V>
  void visit(V& v) {
    v("auth", auth), v("seen", seen);
  }
};
constexpr std::string_view kSeats = "agent-seat";

bool holds_key(Host& host, const std::string& did, const std::string& multikey) {
  return protocol::OwnSecrets(host).find(did + "#" + multikey).has_value();
}

bool holds_active_keys(Host& host, const std::string& did) {
  const auto view = ledger::stored_view(host, did);
  if (!view.has_value()) return false;
  const auto held = std::ranges::count_if(view->current.keys.k, [&](const std::string& key) {
    return ledger::log_key(host, key).has_value();
  });
  return static_cast<std::uint64_t>(held) >= view->current.keys.t;
}

std::optional<AgentKeys> keys_for(Host& host, std::string_view did, std::string_view agent) {
  return load<AgentKeys>(host, kAgentKeys, agent_keys_id(did, agent));
}

const ledger::PairAgent* own_place(Host& host, const std::string& did,
                                   const ledger::PairState& state) {
  const auto mine = std::ranges::find_if(state.agents, [&](const ledger::PairAgent& agent) {
    return holds_key(host, did, agent.auth);
  });
  return mine == state.agents.end() ? nullptr : &*mine;
}

Bytes agent_keys_statement(const AgentKeys& keys) {
  return labelled("agent-keys", {crypto::as_bytes(keys.did), crypto::as_bytes(keys.auth),
                                 crypto::as_bytes(keys.agree)});
}

/// This device stands in the log: mail for it comes here from now on.
void take_seat(Host& host, const Contact& contact, const ledger::PairAgent& mine) {
  static_cast<void>(keep_agent_keys(host, contact.my_did, mine));
  Seat seat = load<Seat>(host, kSeats, contact.my_did).value_or(Seat{});
  if (seat.auth == mine.auth) return;
  seat.auth = mine.auth;
  save(host, kSeats, contact.my_did, seat);
  protocol::register_own_did(host, contact.my_did);
  protocol::prove_own_did_again(host, contact.my_did);
  ledger::send_sync(host, contact);
}

/// Puts other devices into a log that this one can change.
void seat_others(Host& host, const Contact& contact, const std::vector<std::string>& agents,
                 ledger::PairState state) {
  if (!holds_active_keys(host, contact.my_did)) return;
  bool changed = false;
  for (const std::string& agent : agents) {
    const auto keys = keys_for(host, contact.my_did, agent);
    if (!keys || state.agents.size() == limits::kRecipientsMax) continue;
    const bool there = std::ranges::any_of(state.agents, [&](const ledger::PairAgent& one) {
      return one.auth == keys->auth || one.agree == keys->agree;
    });
    if (there) continue;
    state.agents.push_back({keys->auth, keys->agree});
    changed = true;
  }
  if (!changed) return;
  const auto updated = ledger::update_own_pair_state(host, contact, state);
  host.audit(updated.has_value() ? "agent.seated" : "agent.not-seated", {{"contact", contact.id}});
}

}  // namespace

std::string agent_keys_id(std::string_view did, std::string_view agent) {
  return std::string(did) + " " + std::string(agent);
}

bool knows_this_device(Host& host, const Contact& contact) {
  const auto state = ledger::pair_state_of(host, contact.my_did);
  return state.has_value() && own_place(host, contact.my_did, *state) != nullptr;
}

Result<void> keep_agent_keys(Host& host, const std::string& did, const ledger::PairAgent& keys) {
  TRY(const KeyPair agent, ledger::own_agent_key(host));
  const std::string me = crypto::multikey(agent.public_key);
  const auto kept = keys_for(host, did, me);
  if (kept && kept->auth == keys.auth && kept->agree == keys.agree) return {};
  AgentKeys named{did, me, keys.auth, keys.agree, {}};
  TRY(named.proof, host.keys().sign(agent.sealed, agent_keys_statement(named)));
  save(host, kAgentKeys, agent_keys_id(did, me), named);
  return {};
}

Result<void> check_agent_keys(const AgentKeys& keys) {
  TRY(const PublicKey agent, crypto::from_multikey(keys.agent));
  if (agent.type != KeyType::ed25519) return fail(Errc::bad_key, "an agent key is Ed25519");
  return crypto::verify(agent, agent_keys_statement(keys), keys.proof);
}

namespace {

/// Everything that looking after a relationship depends on; reading a log is dear.
Bytes ground_of(Host& host, const std::string& did, const std::vector<std::string>& agents) {
  Bytes all = host.get({"log", did}).value_or(Bytes{});
  for (const std::string& agent : agents) {
    const auto keys = host.get({std::string(kAgentKeys), agent_keys_id(did, agent)});
    crypto::append(all, crypto::as_bytes(agent));
    if (keys) crypto::append(all, *keys);
  }
  return crypto::to_bytes(crypto::sha256(all));
}

void tend_relationship(Host& host, const Contact& contact, const std::vector<std::string>& agents) {
  const auto state = ledger::pair_state_of(host, contact.my_did);
  if (!state.has_value() || state->status != ledger::PairStatus::active) return;
  if (const ledger::PairAgent* mine = own_place(host, contact.my_did, *state)) {
    take_seat(host, contact, *mine);
  } else if (!keys_for(host, contact.my_did, own_agent_multikey(host))) {
    auto made = ledger::make_pair_agent(host, contact.my_did);
    if (made.has_value()) static_cast<void>(keep_agent_keys(host, contact.my_did, *made));
  }
  seat_others(host, contact, agents, *state);
}

}  // namespace

void tend_relationships(Host& host, const std::vector<std::string>& agents) {
  if (!contains_agent(agents, own_agent_multikey(host))) return;
  for (const Contact& contact : protocol::list_contacts(host)) {
    if (!is_shared(contact) || contact.state != ContactState::connected) continue;
    Seat seat = load<Seat>(host, kSeats, contact.my_did).value_or(Seat{});
    if (seat.seen == ground_of(host, contact.my_did, agents)) continue;
    tend_relationship(host, contact, agents);
    seat = load<Seat>(host, kSeats, contact.my_did).value_or(Seat{});
    seat.seen = ground_of(host, contact.my_did, agents);
    save(host, kSeats, contact.my_did, seat);
  }
}

std::optional<ledger::PairAgent> keys_of_device(Host& host, std::string_view did,
                                                std::string_view agent) {
  auto keys = keys_for(host, did, agent);
  if (!keys) return std::nullopt;
  return ledger::PairAgent{std::move(keys->auth), std::move(keys->agree)};
}

std::vector<ledger::PairAgent> keys_of_devices(Host& host, std::string_view did,
                                               const std::vector<std::string>& agents) {
  std::vector<ledger::PairAgent> all;
  for (const std::string& agent : agents) {
    if (auto keys = keys_of_device(host, did, agent)) all.push_back(std::move(*keys));
  }
  return all;
}

}  // namespace kith::recovery
