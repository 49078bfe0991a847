#include "node/role_report.hpp"

#include <algorithm>
#include <array>
#include <map>

#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "ledger/policy.hpp"
#include "ledger/proposal.hpp"
#include "protocol/contact.hpp"
#include "protocol/own_service.hpp"
#include "recovery/own_agents.hpp"
#include "recovery/owner_set.hpp"
#include "recovery/super_owner.hpp"
#include "recovery/trustee_share.hpp"

namespace kith::node {
namespace {

constexpr std::string_view kOwner = "you";

struct RoleWords {
  std::string_view name;
  std::string_view power;
};
constexpr std::array<RoleWords, 11> kRoleWords{{
    {"administrator", "changes who may act for you, with as many others as your policy asks for"},
    {"granter", "gives rights to devices, with as many others as your policy asks for"},
    {"revoker", "takes rights from devices, with as many others as your policy asks for"},
    {"prover", "proves to be one of your devices"},
    {"policy signer", "counts as a trustee for changes of your policy"},
    {"trustee", "holds a part of your recovery key; enough of them open your backup"},
    {"last resort", "holds a key that undoes a recovery, with enough others"},
    {"mediator", "keeps your mail and your backups, which it cannot open"},
    {"own device", "acts for you"},
    {"client", "has mail and backups at this node"},
    {"ward", "may ask this device for a part of its recovery key"},
}};

std::set<Role> roles_of_bits(ledger::AuthBits bits) {
  using namespace ledger::auth;
  std::set<Role> roles;
  if ((bits & kAdmin) != 0) roles.insert(Role::administrator);
  if ((bits & kProveGrant) != 0) roles.insert(Role::granter);
  if ((bits & kProveRevoke) != 0) roles.insert(Role::revoker);
  if ((bits & kProve) != 0) roles.insert(Role::prover);
  if ((bits & (kRevokeAuthz | kProvisionAuthz | kAdminAuthz)) != 0) {
    roles.insert(Role::policy_signer);
  }
  return roles;
}

std::optional<ledger::Policy> present_policy(Host& host) {
  const auto own = ledger::identity(host);
  if (!own) return std::nullopt;
  const auto view = ledger::stored_view(host, own->policy);
  if (!view.has_value()) return std::nullopt;
  auto policy = ledger::parse_policy(view->current.state);
  if (!policy.has_value()) return std::nullopt;
  return std::move(*policy);
}

/// A device is a contact, too: both stand for the owner.
std::map<std::string, std::set<Role>> roles_of_contacts(Host& host) {
  std::map<std::string, std::set<Role>> roles;
  if (const auto grant = protocol::mediator_grant(host)) {
    roles[grant->contact_id].insert(Role::mediator);
  }
  if (const auto set = recovery::owner_set(host)) {
    for (const recovery::TrusteeProgress& trustee : set->trustees) {
      if (trustee.step < recovery::TrusteeStep::preparing) continue;
      roles[trustee.contact_id].insert(Role::trustee);
    }
  }
  for (const recovery::SuperSet& set : recovery::super_sets(host)) {
    if (set.step != recovery::SuperStep::in_force) continue;
    for (const auto& holder : set.holders) roles[holder.contact_id].insert(Role::last_resort);
  }
  for (const std::string& id : host.list("trusteeship")) {
    if (recovery::find_trusteeship(host, id)) roles[id].insert(Role::ward);
  }
  return roles;
}

void add_contact_role(const Contact& contact, std::set<Role>& roles) {
  if (contact.role == ContactRole::client) roles.insert(Role::client);
  if (contact.role == ContactRole::mediator) roles.insert(Role::mediator);
  if (contact.role == ContactRole::device) roles.insert(Role::own_device);
}

/// Agents of the policy that are no contact of another person.
void add_agents(Host& host, const ledger::Policy& policy, std::vector<RoleHolder>& holders) {
  const std::string self = recovery::own_agent_multikey(host);
  const auto devices = recovery::own_agents(host);
  for (const ledger::PolicyAgent& agent : policy.agents) {
    RoleHolder holder{agent.key, "Device " + agent.key.substr(0, 12), std::string(kOwner),
                      roles_of_bits(agent.auth)};
    holder.roles.insert(Role::own_device);
    const auto known = std::ranges::find(devices, agent.key, &recovery::OwnAgent::key);
    if (known != devices.end()) holder.name = known->name;
    if (agent.key == self) holder.name = "This device";
    const bool of_trustee = holder.roles.contains(Role::policy_signer);
    const auto contact = ledger::contact_of_agent(host, agent.key);
    if (of_trustee) {
      holder.person = contact.value_or(agent.key);
      holder.roles.erase(Role::own_device);
      const auto known_as = protocol::find_contact(host, holder.person);
      if (known_as) holder.name = known_as->name;
    }
    holders.push_back(std::move(holder));
  }
}

struct Apart {
  Role one;
  Role other;
  std::string_view why;
};
constexpr std::array<Apart, 5> kApart{{
    {Role::trustee, Role::mediator,
     "holds a part of your recovery key and keeps the backup that it opens"},
    {Role::trustee, Role::own_device, "is a device of yours: a thief of your things gets both"},
    {Role::trustee, Role::last_resort,
     "is a trustee, and of the last resort that is there against trustees"},
    {Role::trustee, Role::policy_signer,
     "takes part in your recovery, and in changing who acts for you"},
    {Role::mediator, Role::own_device,
     "keeps your backups and is a device of yours: one loss takes both"},
}};

}  // namespace

std::string_view role_name(Role role) {
  return kRoleWords.at(static_cast<std::size_t>(role)).name;
}

std::string_view role_power(Role role) {
  return kRoleWords.at(static_cast<std::size_t>(role)).power;
}

std::uint32_t administrators_needed(Host& host) {
  const auto policy = present_policy(host);
  if (!policy) return 0;
  const auto rule = policy->rules.find("admin");
  return rule == policy->rules.end() ? 1 : rule->second;
}

std::vector<RoleHolder> role_holders(Host& host) {
  std::vector<RoleHolder> holders;
  if (const auto policy = present_policy(host)) add_agents(host, *policy, holders);
  auto roles = roles_of_contacts(host);
  for (const Contact& contact : protocol::list_contacts(host)) {
    RoleHolder holder{contact.id, contact.name, contact.id, roles[contact.id]};
    if (contact.state != ContactState::ended) add_contact_role(contact, holder.roles);
    if (holder.roles.contains(Role::own_device)) holder.person = kOwner;
    if (!holder.roles.empty()) holders.push_back(std::move(holder));
  }
  return holders;
}

std::vector<RoleFlag> role_flags(const std::vector<RoleHolder>& holders,
                                 std::uint32_t administrators_needed) {
  std::map<std::string, std::set<Role>> people;
  std::map<std::string, std::string> names;
  std::size_t administrators = 0;
  for (const RoleHolder& holder : holders) {
    people[holder.person].insert(holder.roles.begin(), holder.roles.end());
    names.try_emplace(holder.person, holder.person == kOwner ? "You" : holder.name);
    if (holder.roles.contains(Role::administrator)) ++administrators;
  }
  std::vector<RoleFlag> flags;
  for (const auto& [person, roles] : people) {
    for (const Apart& apart : kApart) {
      if (!roles.contains(apart.one) || !roles.contains(apart.other)) continue;
      flags.push_back({names[person], {apart.one, apart.other}, std::string(apart.why)});
    }
  }
  if (administrators_needed == 1 && administrators > 0) {
    flags.push_back({"You",
                     {Role::administrator},
                     "one device alone changes who acts for you: with a second one, `kith policy "
                     "propose --rule admin=2` makes two of them agree"});
  }
  return flags;
}

}  // namespace kith::node
