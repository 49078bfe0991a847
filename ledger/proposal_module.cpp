#include "ledger/proposal_module.hpp"

#include <algorithm>
#include <charconv>
#include <map>

#include "crypto/limits.hpp"
#include "ledger/log_store.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/proposal_limits.hpp"
#include "ledger/proposal_messages.hpp"
#include "ledger/proposal_steps.hpp"
#include "ledger/proposal_words.hpp"
#include "ledger/strict_json.hpp"
#include "protocol/vault.hpp"

namespace kith::ledger {
namespace {

// --- What is asked for

Result<AuthBits> bits_named(std::string_view list) {
  AuthBits bits = 0;
  while (!list.empty()) {
    const std::size_t comma = std::min(list.find(','), list.size());
    const std::string_view word = list.substr(0, comma);
    const auto& names = auth_names();
    const auto name = std::ranges::find(names, word, &AuthName::name);
    if (name == names.end()) {
      return fail(Errc::usage, "'" + std::string(word) + "' is no authorization; there are " +
                                   "PROVE, PROVE_GRANT, PROVE_REVOKE, ADMIN, REVOKE_AUTHZ, "
                                   "PROVISION_AUTHZ and ADMIN_AUTHZ");
    }
    bits |= name->bit;
    list.remove_prefix(std::min(comma + 1, list.size()));
  }
  if (bits == 0) return fail(Errc::usage, "name authorizations, as in KEY=PROVE,ADMIN");
  return bits;
}

Result<std::map<std::string, std::string>> pairs_in(const JsonObject& args,
                                                    std::string_view member) {
  std::map<std::string, std::string> pairs;
  if (!args.contains(member)) return pairs;
  TRY(const JsonObject* object, crypto::json_object(args, member));
  for (const auto& one : *object) {
    TRY(std::string text, crypto::json_string(*object, one.key()));
    pairs.emplace(std::string(one.key()), std::move(text));
  }
  return pairs;
}

PolicyAgent* agent_of(Policy& policy, std::string_view key) {
  const auto at = std::ranges::find(policy.agents, key, &PolicyAgent::key);
  return at == policy.agents.end() ? nullptr : &*at;
}

Result<void> grant(Policy& policy, const std::string& key, std::string_view names) {
  TRY(const AuthBits bits, bits_named(names));
  if (PolicyAgent* agent = agent_of(policy, key)) {
    agent->auth |= bits;
    return {};
  }
  const auto good = signing_key(key);
  if (!good.has_value()) return fail(Errc::usage, "'" + key + "' is no key of an agent");
  policy.agents.push_back({key, bits, std::nullopt, std::nullopt});
  return {};
}

Result<void> revoke(Policy& policy, const std::string& key, std::string_view names) {
  TRY(const AuthBits bits, bits_named(names));
  PolicyAgent* agent = agent_of(policy, key);
  if (agent == nullptr) return fail(Errc::not_found, "no agent has the key '" + key + "'");
  agent->auth &= ~bits;
  if ((agent->auth & auth::kProve) == 0) agent->commitment.reset();
  return {};
}

Result<void> set_rule(Policy& policy, const std::string& name, const std::string& text) {
  if (!policy.rules.contains(name)) {
    return fail(Errc::usage, "the rules are admin, grant and revoke");
  }
  std::uint32_t m = 0;
  const auto read = std::from_chars(text.data(), text.data() + text.size(), m);
  if (read.ec != std::errc{} || read.ptr != text.data() + text.size() || m < 1) {
    return fail(Errc::usage, "a rule is a number of agents, as in admin=2");
  }
  policy.rules[name] = m;
  return {};
}

Result<Policy> changed(const Policy& before, const JsonObject& args) {
  Policy after = before;
  TRY(const auto rules, pairs_in(args, "rule"));
  for (const auto& [name, text] : rules) CHECK(set_rule(after, name, text));
  TRY(const auto grants, pairs_in(args, "grant"));
  for (const auto& [key, names] : grants) CHECK(grant(after, key, names));
  TRY(const auto revokes, pairs_in(args, "revoke"));
  for (const auto& [key, names] : revokes) CHECK(revoke(after, key, names));
  std::vector<std::string> removed;
  if (args.contains("remove")) {
    TRY(removed, string_list(args, "remove", limits::kEntryKeysMax));
  }
  for (const std::string& key : removed) {
    if (agent_of(after, key) == nullptr) {
      return fail(Errc::not_found, "no agent has the key '" + key + "'");
    }
    std::erase_if(after.agents, [&](const PolicyAgent& agent) { return agent.key == key; });
  }
  if (after == before) return fail(Errc::usage, "say what is to change");
  return after;
}

/// A key that nobody holds would lock its owner out. Administrators that this device has heard of
/// keep the quorum that they have.
Result<void> check_heard_of(Host& host, const OwnGround& ground, const Policy& after) {
  const auto heard_of = [&](const Policy& policy) {
    return std::ranges::count_if(policy.agents, [&](const PolicyAgent& agent) {
      const bool heard = agent.key == crypto::multikey(ground.own.agent_key) ||
                         contact_of_agent(host, agent.key).has_value();
      return heard && (agent.auth & auth::kAdmin) != 0;
    });
  };
  const auto short_of_quorum = [&](const Policy& policy) {
    return heard_of(policy) < std::int64_t{policy.rules.at("admin")};
  };
  if (!short_of_quorum(after) || short_of_quorum(ground.policy)) return {};
  return fail(Errc::refused,
              "the administrators that this device has heard of could not change the policy again; "
              "if the others are surely yours, say --unproven");
}

Result<std::vector<Contact>> contacts_in(Host& host, const JsonObject& args) {
  std::vector<Contact> contacts;
  if (!args.contains("to")) return contacts;
  TRY(const auto names, string_list(args, "to", limits::kEntryKeysMax));
  for (const std::string& name : names) {
    TRY(Contact contact, protocol::contact_named(host, name));
    contacts.push_back(std::move(contact));
  }
  return contacts;
}

/// Where there is a vault, its passphrase shows that the owner is there.
Result<void> owner_is_here(Host& host, const Command& command) {
  if (!protocol::vault_lock(host)) return {};
  CHECK(protocol::open_vault(host, command.step_up));
  return {};
}

// --- What is shown

AgentNames agent_names(Host& host, const OwnGround& ground, const Policy& after) {
  AgentNames names;
  for (const Policy* policy : {&ground.policy, &after}) {
    for (const PolicyAgent& agent : policy->agents) {
      const auto id = contact_of_agent(host, agent.key);
      const auto contact = id ? protocol::find_contact(host, *id) : std::nullopt;
      if (contact) names[agent.key] = contact->name;
    }
  }
  names[crypto::multikey(ground.own.agent_key)] = "this device";
  return names;
}

std::string contact_name(Host& host, const std::string& id) {
  const auto contact = protocol::find_contact(host, id);
  return contact ? contact->name : id;
}

void describe_people(Host& host, const Proposal& proposal, JsonObject& shown) {
  JsonArray answers;
  for (const ProposalAnswer& answer : proposal.answers) {
    JsonObject one{{"agent", answer.agent},
                   {"contact", contact_name(host, answer.contact_id)},
                   {"answer", answer.approved ? "approved" : "rejected"}};
    if (!answer.reason.empty()) one["reason"] = answer.reason;
    answers.emplace_back(std::move(one));
  }
  JsonArray asked;
  for (const ProposalAsked& one : proposal.asked) {
    JsonObject contact{{"contact", contact_name(host, one.contact_id)}};
    if (!one.problem.empty()) contact["problem"] = one.problem;
    asked.emplace_back(std::move(contact));
  }
  if (asked.empty()) return;
  shown["asked"] = std::move(asked);
  shown["answers"] = std::move(answers);
}

/// The state that the entry changes, if this device has read it.
const LogContent* parent_of(const LogView& view, const Entry& entry) {
  if (entry.n == 0 || entry.n > view.history.size()) return nullptr;
  const LogRecord& parent = view.history[static_cast<std::size_t>(entry.n - 1)];
  if (parent.hash != entry.prev || !parent.entry->content) return nullptr;
  return &*parent.entry->content;
}

void describe_change(Host& host, const OwnGround& ground, const Entry& entry, JsonObject& shown) {
  const LogContent* before = parent_of(ground.view, entry);
  if (before == nullptr || !entry.content) {
    shown["changes"] = JsonArray();
    shown["why"] = "this device has not read from the ledger yet what it follows";
    return;
  }
  Policy after;
  if (auto read = parse_policy(entry.content->state); read.has_value()) after = std::move(*read);
  const ProposalWords words =
      words_of(entry.kind, before->state, entry.content->state, agent_names(host, ground, after));
  shown["changes"] = json_strings(words.changes);
  if (!words.warnings.empty()) shown["warnings"] = json_strings(words.warnings);
  if (place_of(ground.view, entry) != Place::next) return;
  JsonArray needs;
  for (const Need& need : needs_of(ground.ground(), entry)) {
    needs.emplace_back(JsonObject{{"rule", need.rule},
                                  {"needed", std::int64_t{need.needed}},
                                  {"have", std::int64_t{need.have}}});
  }
  shown["needs"] = std::move(needs);
}

JsonObject describe(Host& host, const OwnGround& ground, const Proposal& proposal) {
  JsonObject shown;
  shown["id"] = proposal_id(proposal.hash);
  shown["entry"] = proposal.hash;
  shown["log"] = proposal.subject == ground.own.policy ? "policy" : "did";
  shown["state"] = state_name(proposal.state);
  shown["from"] = proposal.mine ? "this device" : contact_name(host, proposal.contact_id);
  shown["agent"] = proposal.agent;
  if (!proposal.why.empty()) shown["why"] = proposal.why;
  if (const auto entry = parse_entry(proposal.blob); entry.has_value()) {
    describe_change(host, ground, *entry, shown);
  }
  if (!proposal.reason.empty())
    shown["reason"] = shown_text(proposal.reason, proposal.reason.size());
  shown["created"] = protocol::utc_text(proposal.created);
  shown["expires"] = protocol::utc_text(proposal.expires);
  describe_people(host, proposal, shown);
  return shown;
}

Result<JsonObject> describe(Host& host, const Proposal& proposal) {
  TRY(const OwnGround ground, own_ground(host, proposal.subject));
  return describe(host, ground, proposal);
}

// --- Commands

Result<JsonObject> propose_change(Host& host, const Command& command) {
  const JsonObject& args = command.args;
  CHECK(only_members(args,
                     {"grant", "revoke", "remove", "rule", "reason", "hours", "to", "unproven"},
                     "policy-propose"));
  TRY(const Identity own, needed_identity(host));
  TRY(const OwnGround ground, own_ground(host, own.policy));
  TRY(const Policy after, changed(ground.policy, args));
  CHECK(check_policy(after));
  TRY(const bool unproven, protocol::flag_argument(args, "unproven"));
  if (!unproven) CHECK(check_heard_of(host, ground, after));
  TRY(const auto reason, crypto::json_optional_string(args, "reason"));
  TRY(const auto hours, crypto::json_optional_int(args, "hours"));
  if (hours && (*hours < 1 || *hours > proposal_limits::kLifeMax.count())) {
    return fail(Errc::usage, "a proposal is open for 1 to 336 hours");
  }
  ProposalDraft draft;
  TRY(draft.to, contacts_in(host, args));
  CHECK(owner_is_here(host, command));
  TRY(draft.entry, make_update(ground.view, policy_json(after), anchor_time(host.now())));
  draft.reason = reason.value_or("");
  draft.life = hours ? Duration{std::chrono::hours{*hours}} : proposal_limits::kLifeDefault;
  TRY(const Proposal proposal, propose(host, std::move(draft)));
  return describe(host, proposal);
}

Result<JsonObject> list(Host& host) {
  std::map<std::string, Result<OwnGround>> grounds;
  JsonArray proposals;
  for (const Proposal& proposal : list_proposals(host)) {
    auto ground = grounds.find(proposal.subject);
    if (ground == grounds.end()) {
      ground = grounds.emplace(proposal.subject, own_ground(host, proposal.subject)).first;
    }
    if (!ground->second.has_value()) continue;  // Of an identity before this one.
    proposals.emplace_back(describe(host, *ground->second, proposal));
  }
  return JsonObject{{"proposals", std::move(proposals)}};
}

Result<Proposal> named(Host& host, const Command& command) {
  TRY(const std::string id, crypto::json_string(command.args, "id"));
  return proposal_named(host, id);
}

Result<JsonObject> approve(Host& host, const Command& command) {
  CHECK(only_members(command.args, {"id"}, "policy-approve"));
  TRY(Proposal proposal, named(host, command));
  CHECK(owner_is_here(host, command));
  TRY(proposal, approve_proposal(host, std::move(proposal)));
  return describe(host, proposal);
}

Result<JsonObject> reject(Host& host, const Command& command) {
  CHECK(only_members(command.args, {"id", "reason"}, "policy-reject"));
  TRY(Proposal proposal, named(host, command));
  TRY(const auto reason, crypto::json_optional_string(command.args, "reason"));
  if (proposal.mine) {
    TRY(proposal, withdraw_proposal(host, std::move(proposal)));
  } else {
    TRY(proposal, decline_proposal(host, std::move(proposal), reason.value_or("")));
  }
  return describe(host, proposal);
}

}  // namespace

std::string_view Proposals::name() const {
  return kProposalsModule;
}

std::vector<std::string> Proposals::message_types() const {
  return {std::string(kPolicyPropose), std::string(kPolicyApprove), std::string(kPolicyReject),
          std::string(kPolicyOutcome)};
}

std::vector<std::string> Proposals::commands() const {
  return {"policy-propose", "policy-proposals", "policy-approve", "policy-reject"};
}

Result<void> Proposals::on_message(Host& host, const Inbound& inbound) {
  if (inbound.message.type == kPolicyPropose) return take_propose(host, inbound);
  if (inbound.message.type == kPolicyApprove) return take_approve(host, inbound);
  if (inbound.message.type == kPolicyReject) return take_reject(host, inbound);
  if (inbound.message.type == kPolicyOutcome) return take_outcome(host, inbound);
  return fail(Errc::unknown_type);
}

Result<JsonObject> Proposals::on_command(Host& host, const Command& command) {
  if (command.name == "policy-propose") return propose_change(host, command);
  if (command.name == "policy-proposals") return list(host);
  if (command.name == "policy-approve") return approve(host, command);
  if (command.name == "policy-reject") return reject(host, command);
  return fail(Errc::usage);
}

void Proposals::on_timer(Host& host, std::string_view timer) {
  proposal_timer(host, timer);
}

void Proposals::on_problem(Host& host, const Inbound& inbound,
                           const protocol::ProblemReport& report) {
  // Ours carry the stable code as their second argument.
  take_proposal_problem(host, inbound, report.args.size() > 1 ? report.args[1] : report.code);
}

}  // namespace kith::ledger
