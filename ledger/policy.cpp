#include "ledger/policy.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"
#include "ledger/entry.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {

namespace {

constexpr std::size_t kRulesMax = 16;
constexpr std::size_t kRuleNameCharsMax = 32;
constexpr std::size_t kSetCharsMax = 128;
constexpr std::size_t kCommitmentBytes = 32;
constexpr std::int64_t kThresholdMax = static_cast<std::int64_t>(limits::kEntryKeysMax);

bool is_rule_name(std::string_view name) {
  return !name.empty() && name.size() <= kRuleNameCharsMax &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || c == '_'; });
}

Result<PolicyAgent> parse_agent(const Json& json) {
  TRY(const JsonObject* object, crypto::as_object(json, "agent"));
  CHECK(only_members(*object, {"key", "auth", "label", "commitment"}, "agent"));
  PolicyAgent agent;
  TRY(agent.key, crypto::json_string(*object, "key"));
  TRY(const std::int64_t bits, ranged_int(*object, "auth", 0, crypto::kJsonIntegerMax));
  agent.auth = static_cast<AuthBits>(bits);
  TRY(agent.label, crypto::json_optional_string(*object, "label"));
  TRY(agent.commitment, crypto::json_optional_string(*object, "commitment"));
  return agent;
}

Result<std::map<std::string, std::uint32_t>> parse_rules(const JsonObject& object) {
  TRY(const JsonObject* rules_object, crypto::json_object(object, "rules"));
  std::map<std::string, std::uint32_t> rules;
  for (const auto& member : *rules_object) {
    const std::string name(member.key().data(), member.key().size());
    TRY(const std::int64_t m, ranged_int(*rules_object, name, 1, kThresholdMax));
    rules[name] = static_cast<std::uint32_t>(m);
  }
  return rules;
}

Result<void> check_agent(const PolicyAgent& agent) {
  const auto key = signing_key(agent.key);
  if (!key.has_value()) return key.error();
  if (agent.auth > static_cast<AuthBits>(crypto::kJsonIntegerMax)) {
    return fail(Errc::malformed, "auth is out of range");
  }
  if (agent.label.has_value() && agent.label->size() > limits::kNameCharsMax) {
    return fail(Errc::limit_exceeded, "a label is too long");
  }
  if (agent.commitment.has_value()) {
    const auto point = multibase_bytes(*agent.commitment, kCommitmentBytes, "commitment");
    if (!point.has_value()) return point.error();
    if ((agent.auth & auth::kProve) == 0) {
      return fail(Errc::malformed, "a commitment of an agent without PROVE");
    }
  }
  return {};
}

Result<void> check_agents(const std::vector<PolicyAgent>& agents) {
  if (agents.empty()) return fail(Errc::refused, "a policy without agents");
  if (agents.size() > limits::kEntryKeysMax) return fail(Errc::limit_exceeded, "too many agents");
  std::vector<std::string> keys;
  std::vector<std::string> commitments;
  for (const PolicyAgent& agent : agents) {
    CHECK(check_agent(agent));
    keys.push_back(agent.key);
    if (agent.commitment.has_value()) commitments.push_back(*agent.commitment);
  }
  if (!all_distinct(std::move(keys))) return fail(Errc::malformed, "one agent is named twice");
  if (!all_distinct(std::move(commitments))) {
    return fail(Errc::refused, "two agents have the same commitment");
  }
  return {};
}

Result<void> check_rules(const std::map<std::string, std::uint32_t>& rules) {
  if (rules.size() > kRulesMax) return fail(Errc::limit_exceeded, "too many rules");
  for (const auto& [name, m] : rules) {
    if (!is_rule_name(name) || m < 1 || m > limits::kEntryKeysMax) {
      return fail(Errc::malformed, "a rule is not well-formed");
    }
  }
  for (const char* name : {"grant", "revoke", "admin"}) {
    if (!rules.contains(name)) {
      return fail(Errc::malformed, std::string("the rule '") + name + "' is missing");
    }
  }
  return {};
}

class ChangeList {
 public:
  void gains(PolicyAction action, const std::string& key, std::string_view what) {
    changes_.push_back({action, std::nullopt, "agent " + key + ": " + std::string(what)});
  }
  void loses(PolicyAction action, const std::string& key, std::string_view what) {
    changes_.push_back({action, key, "agent " + key + ": " + std::string(what)});
  }
  void admin(std::string_view what) {
    changes_.push_back({PolicyAction::admin, std::nullopt, std::string(what)});
  }
  [[nodiscard]] std::vector<PolicyChange> take() { return std::move(changes_); }

 private:
  std::vector<PolicyChange> changes_;
};

void compare_bits(const std::string& key, AuthBits before, AuthBits after, ChangeList& changes) {
  const AuthBits gained = after & ~before;
  const AuthBits lost = before & ~after;
  if ((gained & auth::kProve) != 0) changes.gains(PolicyAction::grant, key, "gains PROVE");
  if ((gained & ~auth::kProve) != 0) {
    changes.gains(PolicyAction::admin, key, "gains an authorization");
  }
  if ((lost & auth::kProve) != 0) changes.loses(PolicyAction::revoke, key, "loses PROVE");
  if ((lost & ~auth::kProve) != 0) {
    changes.loses(PolicyAction::admin, key, "loses an authorization");
  }
}

void compare_agent(const PolicyAgent& before, const PolicyAgent& after, ChangeList& changes) {
  compare_bits(after.key, before.auth, after.auth, changes);
  if (before.commitment != after.commitment) {
    if (after.commitment.has_value()) {
      changes.gains(PolicyAction::grant, after.key, "has a new commitment");
    }
    if (before.commitment.has_value()) {
      changes.loses(PolicyAction::revoke, after.key, "loses its commitment");
    }
  }
  if (before.label != after.label) {
    changes.gains(PolicyAction::admin, after.key, "has another label");
  }
}

void compare_agents(const Policy& before, const Policy& after, ChangeList& changes) {
  for (const PolicyAgent& agent : after.agents) {
    const PolicyAgent* old = find_agent(before, agent.key);
    if (old != nullptr) {
      compare_agent(*old, agent, changes);
      continue;
    }
    compare_bits(agent.key, 0, agent.auth, changes);
    if (agent.auth == 0) changes.gains(PolicyAction::admin, agent.key, "is new");
  }
  for (const PolicyAgent& agent : before.agents) {
    if (find_agent(after, agent.key) != nullptr) continue;
    compare_bits(agent.key, agent.auth, 0, changes);
    if (agent.auth == 0) changes.loses(PolicyAction::admin, agent.key, "is gone");
  }
}

Result<void> check_unknown_bits(const Policy& before, const Policy& after) {
  for (const PolicyAgent& agent : after.agents) {
    const PolicyAgent* old = find_agent(before, agent.key);
    const AuthBits gained = agent.auth & ~(old == nullptr ? 0 : old->auth);
    if ((gained & ~auth::kKnown) != 0) {
      return fail(Errc::refused, "an authorization without a known meaning cannot be granted");
    }
  }
  return {};
}

std::uint32_t count_holders(const Policy& policy, const std::vector<std::string>& signers,
                            AuthBits bits) {
  std::uint32_t count = 0;
  for (const std::string& signer : signers) {
    const PolicyAgent* agent = find_agent(policy, signer);
    if (agent != nullptr && (agent->auth & bits) != 0) ++count;
  }
  return count;
}

}  // namespace

const PolicyAgent* find_agent(const Policy& policy, std::string_view key) {
  const auto at = std::find_if(policy.agents.begin(), policy.agents.end(),
                               [&](const PolicyAgent& agent) { return agent.key == key; });
  return at == policy.agents.end() ? nullptr : &*at;
}

std::vector<std::string> shared_order(const Policy& policy, const Policy& other) {
  std::vector<std::string> keys;
  for (const PolicyAgent& agent : policy.agents) {
    if (find_agent(other, agent.key) != nullptr) keys.push_back(agent.key);
  }
  return keys;
}

const std::vector<AuthName>& auth_names() {
  static const std::vector<AuthName> names = {
      {auth::kProve, "PROVE"},
      {auth::kProveGrant, "PROVE_GRANT"},
      {auth::kProveRevoke, "PROVE_REVOKE"},
      {auth::kAdmin, "ADMIN"},
      {auth::kRevokeAuthz, "REVOKE_AUTHZ"},
      {auth::kProvisionAuthz, "PROVISION_AUTHZ"},
      {auth::kAdminAuthz, "ADMIN_AUTHZ"},
  };
  return names;
}

std::string_view action_name(PolicyAction action) {
  switch (action) {
    case PolicyAction::grant:
      return "grant";
    case PolicyAction::revoke:
      return "revoke";
    case PolicyAction::admin:
      return "admin";
  }
  UNREACHABLE();
}

AuthBits counting_bits(PolicyAction action) {
  switch (action) {
    case PolicyAction::grant:
      return auth::kProveGrant | auth::kProvisionAuthz;
    case PolicyAction::revoke:
      return auth::kProveRevoke | auth::kRevokeAuthz;
    case PolicyAction::admin:
      return auth::kAdmin | auth::kAdminAuthz;
  }
  UNREACHABLE();
}

Result<void> check_policy(const Policy& policy) {
  CHECK(check_agents(policy.agents));
  CHECK(check_rules(policy.rules));
  if (policy.set.has_value()) CHECK(plain_text(*policy.set, "set", kSetCharsMax));
  const auto admins =
      std::count_if(policy.agents.begin(), policy.agents.end(),
                    [](const PolicyAgent& agent) { return (agent.auth & auth::kAdmin) != 0; });
  if (static_cast<std::uint64_t>(admins) < policy.rules.at("admin")) {
    return fail(Errc::refused, "too few agents would hold ADMIN for the rule 'admin'");
  }
  return {};
}

Result<Policy> parse_policy(const Json& json) {
  TRY(const JsonObject* object, crypto::as_object(json, "policy"));
  CHECK(only_members(*object, {"agents", "rules", "set"}, "policy"));
  TRY(const JsonArray* agents, crypto::json_array(*object, "agents"));
  if (agents->size() > limits::kEntryKeysMax) return fail(Errc::limit_exceeded, "too many agents");
  Policy policy;
  for (const Json& item : *agents) {
    TRY(PolicyAgent agent, parse_agent(item));
    policy.agents.push_back(std::move(agent));
  }
  TRY(policy.rules, parse_rules(*object));
  TRY(policy.set, crypto::json_optional_string(*object, "set"));
  CHECK(check_policy(policy));
  return policy;
}

Json policy_json(const Policy& policy) {
  JsonArray agents;
  for (const PolicyAgent& agent : policy.agents) {
    JsonObject one;
    one["key"] = agent.key;
    one["auth"] = static_cast<std::int64_t>(agent.auth);
    if (agent.label.has_value()) one["label"] = *agent.label;
    if (agent.commitment.has_value()) one["commitment"] = *agent.commitment;
    agents.emplace_back(std::move(one));
  }
  JsonObject rules;
  for (const auto& [name, m] : policy.rules) rules[name] = static_cast<std::int64_t>(m);
  JsonObject object;
  object["agents"] = std::move(agents);
  object["rules"] = std::move(rules);
  if (policy.set.has_value()) object["set"] = *policy.set;
  return object;
}

Result<std::vector<PolicyChange>> policy_changes(const Policy& before, const Policy& after) {
  CHECK(check_unknown_bits(before, after));
  ChangeList changes;
  compare_agents(before, after, changes);
  if (shared_order(before, after) != shared_order(after, before)) {
    changes.admin("the order of the agents");
  }
  if (before.rules != after.rules) changes.admin("the rules");
  if (before.set != after.set) changes.admin("the anchor of the recovery set");
  return changes.take();
}

Result<void> check_policy_update(const Policy& before, const Policy& after,
                                 const std::vector<std::string>& signers) {
  for (const std::string& signer : signers) {
    if (find_agent(before, signer) == nullptr) {
      return fail(Errc::refused, "a signer is not an agent of the policy");
    }
  }
  CHECK(check_policy(after));
  TRY(std::vector<PolicyChange> changes, policy_changes(before, after));
  if (changes.empty()) {
    changes.push_back({PolicyAction::admin, std::nullopt, "an entry that changes nothing"});
  }
  for (const PolicyChange& change : changes) {
    if (change.self.has_value() && contains(signers, *change.self)) continue;
    const std::uint32_t needed = before.rules.at(std::string(action_name(change.action)));
    if (count_holders(before, signers, counting_bits(change.action)) < needed) {
      return fail(Errc::refused, change.what + ": too few agents agreed under the rule '" +
                                     std::string(action_name(change.action)) + "'");
    }
  }
  return {};
}

}  // namespace kith::ledger
