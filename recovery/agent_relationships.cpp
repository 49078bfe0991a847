#include "recovery/agent_relationships.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "ledger/connection.hpp"
#include "ledger/log_store.hpp"
#include "ledger/microledger.hpp"
#include "protocol/messenger.hpp"
#include "protocol/pickup.hpp"
#include "recovery/own_agents.hpp"

namespace kith::recovery {
namespace {

/// Record `agent-seat`/<did>: this device stands in that log, and said so to the mediator and to
/// the contact.
struct Seat {
  std::string auth;
  template <class V>
  void visit(V& v) {
    v("auth", auth);
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

void keep_keys(Host& host, const std::string& did, const std::string& me,
               const ledger::PairAgent& agent) {
  const auto kept = keys_for(host, did, me);
  if (kept && kept->auth == agent.auth && kept->agree == agent.agree) return;
  save(host, kAgentKeys, agent_keys_id(did, me), AgentKeys{did, me, agent.auth, agent.agree});
}

/// This device stands in the log: mail for it comes here from now on.
void take_seat(Host& host, const Contact& contact, const std::string& me,
               const ledger::PairAgent& mine) {
  keep_keys(host, contact.my_did, me, mine);
  const auto seat = load<Seat>(host, kSeats, contact.my_did);
  if (seat && seat->auth == mine.auth) return;
  save(host, kSeats, contact.my_did, Seat{mine.auth});
  protocol::register_own_did(host, contact.my_did);
  protocol::prove_own_did_again(host, contact.my_did);
  ledger::send_sync(host, contact);
}

/// Puts other devices into a log that this one can change.
void seat_others(Host& host, const Contact& contact, const std::string& me,
                 ledger::PairState state) {
  if (!holds_active_keys(host, contact.my_did)) return;
  bool changed = false;
  for (const std::string& agent : policy_agents(host)) {
    const auto keys = agent == me ? std::nullopt : keys_for(host, contact.my_did, agent);
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

std::size_t tend_relationships(Host& host) {
  const std::string me = own_agent_name(host);
  if (me.empty()) return 0;
  std::size_t waiting = 0;
  for (const Contact& contact : protocol::list_contacts(host)) {
    if (!is_shared(contact) || contact.state != ContactState::connected) continue;
    const auto state = ledger::pair_state_of(host, contact.my_did);
    if (!state.has_value() || state->status != ledger::PairStatus::active) continue;
    if (const ledger::PairAgent* mine = own_place(host, contact.my_did, *state)) {
      take_seat(host, contact, me, *mine);
    } else {
      ++waiting;
      if (!keys_for(host, contact.my_did, me)) {
        auto made = ledger::make_pair_agent(host, contact.my_did);
        if (made.has_value()) keep_keys(host, contact.my_did, me, *made);
      }
    }
    seat_others(host, contact, me, *state);
  }
  return waiting;
}

std::vector<DeviceKeys> keys_of_devices(Host& host, std::string_view did,
                                        const std::vector<std::string>& staying) {
  std::vector<DeviceKeys> kept;
  for (const std::string& agent : staying) {
    if (const auto keys = keys_for(host, did, agent)) kept.push_back({keys->auth, keys->agree});
  }
  return kept;
}

}  // namespace kith::recovery
