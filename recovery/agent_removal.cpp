#include "recovery/agent_removal.hpp"

#include <algorithm>

#include "ledger/connection.hpp"
#include "ledger/document_agents.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "ledger/microledger.hpp"
#include "protocol/vault.hpp"
#include "recovery/agent_pairing.hpp"
#include "recovery/agent_records.hpp"
#include "recovery/agent_relationships.hpp"
#include "recovery/own_agents.hpp"
#include "recovery/rotation.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kMember = "agent-member";

/// Record meta/agent-member: the policy has named this device.
struct Membership {
  std::string key;
  template <class V>
  void visit(V& v) {
    v("key", key);
  }
};

/// A device that the policy names, whatever other devices say of it.
Result<OwnAgent> agent_named(Host& host, const std::string& wanted) {
  std::vector<OwnAgent> found;
  for (const std::string& key : policy_agents(host)) {
    const OwnAgent agent = load<OwnAgent>(host, kOwnAgents, key)
                               .value_or(OwnAgent{key, std::string(kUnknownDevice), {}, {}});
    if (key == wanted || agent.name == wanted) found.push_back(agent);
  }
  if (found.empty()) return fail(Errc::not_found, "no device of yours is called " + wanted);
  if (found.size() > 1) return fail(Errc::conflict, "two devices are called that: give the key");
  return std::move(found.front());
}

/// The states of both own logs without the device.
Result<LogChanges> states_without(Host& host, const ledger::Identity& own, const std::string& agent,
                                  const std::vector<std::string>& staying) {
  LogChanges changes;
  TRY(const ledger::LogView policy_view, ledger::stored_view(host, own.policy));
  TRY(ledger::Policy policy, ledger::parse_policy(policy_view.current.state));
  std::erase_if(policy.agents, [&](const auto& one) { return one.key == agent; });
  CHECK(ledger::check_policy(policy));
  changes[own.policy].state = ledger::policy_json(policy);
  TRY(const ledger::LogView did_view, ledger::stored_view(host, own.did));
  const auto agents = keys_of_devices(host, own.did, staying);
  if (!agents.empty()) {
    TRY(changes[own.did].state,
        ledger::document_with_agents(own.did, did_view.current.state, agents));
  }
  return changes;
}

/// One relationship without the device. Errors: those of rotate_pair_log; not_found (which keys
/// belong to devices that stay is not known).
Result<void> leave_out(Host& host, const Contact& contact, const std::vector<std::string>& staying,
                       const SealedKey& vault) {
  TRY(ledger::PairState state, ledger::pair_state_of(host, contact.my_did));
  if (state.status != ledger::PairStatus::active) return {};
  state.agents = keys_of_devices(host, contact.my_did, staying);
  state.revoke = 1;
  if (state.agents.empty()) return fail(Errc::not_found, "no device that stays has keys for it");
  return ledger::rotate_pair_log(host, contact, vault, state);
}

}  // namespace

Result<JsonObject> revoke_agent(Host& host, const Command& command) {
  TRY(const std::string wanted, crypto::json_string(command.args, "agent"));
  TRY(OwnAgent agent, agent_named(host, wanted));
  if (agent.key == own_agent_multikey(host)) {
    return fail(Errc::refused,
                "this is the device itself: take it away from another device of yours");
  }
  TRY(const ledger::Identity own, ledger::needed_identity(host));
  TRY(const SealedKey vault, protocol::open_vault(host, command.step_up));
  std::vector<std::string> staying = policy_agents(host);
  tend_relationships(host, staying);  // So that which keys are ours is known everywhere.
  std::erase(staying, agent.key);
  TRY(const LogChanges changes, states_without(host, own, agent.key, staying));
  // At once, where this device's word is enough; the rotation leaves it out in any case.
  static_cast<void>(ledger::update_policy(host, [&](ledger::Policy& policy) {
    std::erase_if(policy.agents, [&](const auto& one) { return one.key == agent.key; });
  }));
  CHECK(begin_rotation(host, vault, changes));
  std::int64_t changed = 0;
  JsonArray problems;
  for (const Contact& contact : protocol::list_contacts(host)) {
    if (!is_shared(contact) || contact.state != ContactState::connected) continue;
    const auto done = leave_out(host, contact, staying, vault);
    if (done.has_value()) {
      ++changed;
    } else {
      problems.emplace_back(contact.name + ": " + done.error().detail);
    }
  }
  agent.removed = host.now();
  save(host, kOwnAgents, agent.key, agent);
  part_from_removed(host, policy_agents(host));
  host.audit("agent.removed", {{"agent", agent.key}, {"relationships", changed}});
  tend_agents_soon(host);
  JsonObject reply{{"agent", agent.name}, {"relationships", changed}};
  if (!problems.empty()) reply["problems"] = std::move(problems);
  return reply;
}

void part_from_removed(Host& host, const std::vector<std::string>& present) {
  if (present.empty()) return;
  for (const Pairing& pairing : list_pairings(host)) {
    if (pairing.step != PairingStep::done || contains_agent(present, pairing.agent)) continue;
    const auto contact = protocol::find_contact(host, pairing.contact_id);
    if (!contact || contact->state == ContactState::ended) continue;
    static_cast<void>(ledger::end_contact(host, *contact));
    forget_device_records(host, pairing.contact_id);
  }
}

void watch_for_unknown_agents(Host& host, const std::vector<std::string>& present) {
  for (const std::string& key : present) {
    if (host.get({std::string(kOwnAgents), key})) continue;
    const OwnAgent agent{key, std::string(kUnknownDevice), host.now(), {}};
    save(host, kOwnAgents, key, agent);
    warn_of_agent(host, agent);
  }
}

void watch_own_membership(Host& host, const std::vector<std::string>& present) {
  const std::string me = own_agent_multikey(host);
  if (me.empty() || present.empty()) return;
  const bool named = contains_agent(present, me);
  const auto before = load<Membership>(host, "meta", kMember);
  if (named && (!before || before->key != me)) save(host, "meta", kMember, Membership{me});
  if (named || !before || before->key != me) return;
  host.erase({"meta", std::string(kMember)});
  host.audit("agent.left-out");
  host.notify({"alarm",
               "This device was taken out of your identity. It can read what it had, and no more. "
               "If you did not do that, look at `kith policy history` on another device, or begin "
               "a recovery.",
               me,
               {}});
}

}  // namespace kith::recovery
