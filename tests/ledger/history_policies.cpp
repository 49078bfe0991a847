#include "tests/ledger/history_scenarios.hpp"

// Who may change a policy: the rule of each change, the agents that count for it, and themselves.

namespace kith::test {

namespace {

using ledger::AuthBits;
using ledger::Policy;
namespace auth = ledger::auth;

constexpr AuthBits kGrants = auth::kProve | auth::kProveGrant;
constexpr AuthBits kRevokes = auth::kProve | auth::kProveRevoke;

/// A policy of such agents, what becomes of it, and which of them sign that.
struct Story {
  std::vector<AuthBits> agents;
  std::vector<std::size_t> signers;  ///< Agents by their place.
  std::function<void(LogLab&, Policy&)> change;
  bool stranger = false;  ///< Somebody signs who is no agent.
  bool active = false;    ///< And the log's active key.
};

/// Two must agree to whatever it is.
void tell(LogLab& lab, const Story& story) {
  LogContent content = lab.first_content();
  lab.agents.clear();
  Policy policy = lab.policy_state(story.agents);
  policy.rules = {{"grant", 2}, {"revoke", 2}, {"admin", 2}};
  if ((story.agents.back() & auth::kProve) != 0) {
    policy.agents.back().commitment = crypto::multibase(lab.random.bytes(32));
  }
  content.state = ledger::policy_json(policy);
  const LogView view = lab.start_with(content);
  std::vector<std::string> keys;
  for (const std::size_t i : story.signers) keys.push_back(policy.agents[i].key);
  if (story.stranger) {
    keys.push_back(crypto::multikey(lab.fresh(KeyPurpose::agent).public_key));
  }
  if (story.active) keys.push_back(view.current.keys.k.front());
  story.change(lab, policy);
  Entry entry = must(ledger::make_update(view, ledger::policy_json(policy), lab.time));
  lab.post(lab.sign(entry, keys));
}

class Stories {
 public:
  explicit Stories(std::vector<Scenario>& all) : all_(all) {}
  void counts(const std::string& name, std::string says, Story story) {
    add(name, std::move(says), {"normal", 1}, std::move(story));
  }
  void junk(const std::string& name, std::string says, Story story) {
    add(name, std::move(says), {"normal", 0, {1}}, std::move(story));
  }

 private:
  void add(const std::string& name, std::string says, Expected expected, Story story) {
    all_.push_back({"policy-" + name, std::move(says), std::move(expected),
                    [story = std::move(story)](LogLab& lab) { tell(lab, story); }, Kind::policy});
  }
  std::vector<Scenario>& all_;
};

void new_set(LogLab&, Policy& policy) {
  policy.set = "another";
}
void new_rules(LogLab&, Policy& policy) {
  policy.rules["admin"] = 1;
}
void new_order(LogLab&, Policy& policy) {
  std::swap(policy.agents[0], policy.agents[1]);
}
void new_agent(LogLab& lab, Policy& policy, AuthBits bits) {
  policy.agents.push_back(
      {crypto::multikey(lab.fresh(KeyPurpose::agent).public_key), bits, {}, {}});
}
void new_prover(LogLab& lab, Policy& policy) {
  new_agent(lab, policy, auth::kProve);
}
void new_name_only(LogLab& lab, Policy& policy) {
  new_agent(lab, policy, 0);
}
void last_without(Policy& policy, AuthBits bits) {
  ledger::PolicyAgent& last = policy.agents.back();
  last.auth &= ~bits;
  if ((bits & auth::kProve) != 0) last.commitment.reset();
}
void last_leaves(LogLab&, Policy& policy) {
  policy.agents.pop_back();
}
void last_loses_prove(LogLab&, Policy& policy) {
  last_without(policy, auth::kProve);
}
void last_loses_admin(LogLab&, Policy& policy) {
  last_without(policy, auth::kAdmin);
}
void last_gains_grant(LogLab&, Policy& policy) {
  policy.agents.back().auth |= auth::kProveGrant;
}
void last_without_commitment(LogLab&, Policy& policy) {
  policy.agents.back().commitment.reset();
}
void first_commits(LogLab& lab, Policy& policy) {
  policy.agents.front().commitment = crypto::multibase(lab.random.bytes(32));
}

void add_counting(Stories& stories) {
  const std::vector<AuthBits> admins = {auth::kOwnerAll, auth::kOwnerAll, kGrants, auth::kProve};
  stories.junk("admin-by-one-of-two", "Two administrators must agree.", {admins, {0}, new_set});
  stories.counts("admin-by-two", "When both do, it counts.", {admins, {0, 1}, new_set});
  stories.junk("admin-by-one-and-another", "Who lacks the bit does not make up for one who has it.",
               {admins, {0, 2}, new_set});
  stories.counts("admin-by-two-and-another", "Nor does it spoil anything.",
                 {admins, {0, 1, 2}, new_set});
  stories.junk("admin-and-a-stranger", "Whoever is no agent spoils it.",
               {admins, {0, 1}, new_set, true});
  stories.junk("admin-and-the-active-key", "The active key is no agent.",
               {admins, {0, 1}, new_set, false, true});
  stories.junk("by-the-active-key", "And changes no policy.", {admins, {}, new_set, false, true});
  stories.counts("admin-by-trustees", "Trustees with ADMIN_AUTHZ count as administrators do.",
                 {{auth::kOwnerAll, auth::kOwnerAll, auth::kAdminAuthz, auth::kAdminAuthz | 1},
                  {2, 3},
                  new_set});
  stories.counts(
      "grant-by-trustees", "Those with PROVISION_AUTHZ count for grants.",
      {{auth::kOwnerAll, auth::kOwnerAll, auth::kProvisionAuthz, auth::kProvisionAuthz | 1},
       {2, 3},
       new_prover});
  stories.counts("revoke-by-trustees", "Those with REVOKE_AUTHZ count for what is taken.",
                 {{auth::kOwnerAll, auth::kOwnerAll, auth::kRevokeAuthz, auth::kRevokeAuthz, 1},
                  {2, 3},
                  last_loses_prove});
}

void add_grants(Stories& stories) {
  const std::vector<AuthBits> agents = {auth::kAdmin, auth::kAdmin, kGrants, kGrants};
  const auto by_grants = [&](auto change) { return Story{agents, {2, 3}, change}; };
  stories.counts("grant-by-two", "PROVE is given by those who may grant.", by_grants(new_prover));
  stories.junk("grant-by-one-of-two", "Two of them must agree.", {agents, {2}, new_prover});
  stories.junk("grant-by-administrators", "Administrators as such grant nothing.",
               {agents, {0, 1}, new_prover});
  stories.counts("commitment-by-two", "A new commitment is a grant.",
                 {{auth::kAdmin | 1, auth::kAdmin, kGrants, kGrants}, {2, 3}, first_commits});
  stories.junk("commitment-by-administrators", "No less than that.",
               {{auth::kAdmin | 1, auth::kAdmin, kGrants, kGrants}, {0, 1}, first_commits});
  stories.junk("grant-of-another-bit", "Every other bit asks for administrators.",
               by_grants([](LogLab& lab, Policy& policy) {
                 new_agent(lab, policy, auth::kProve | auth::kAdmin);
               }));
  stories.junk("grant-of-granting", "The right to grant is no PROVE.",
               {{auth::kAdmin, auth::kAdmin, kGrants, kGrants, 1}, {2, 3}, last_gains_grant});
  const auto with_more = [&](const char* name, const char* says, auto more) {
    stories.junk(name, says, by_grants([=](LogLab& lab, Policy& policy) {
                   new_prover(lab, policy);
                   more(lab, policy);
                 }));
  };
  with_more("grant-and-set", "With a grant nothing else comes in: the set.", new_set);
  with_more("grant-and-rules", "The rules.", new_rules);
  with_more("grant-and-order", "The order.", new_order);
  with_more("grant-and-a-name", "An agent without bits.", new_name_only);
  with_more("grant-and-label", "A label.",
            [](LogLab&, Policy& policy) { policy.agents[0].label = "mine"; });
  const auto unknown = [](LogLab& lab, Policy& policy) { new_agent(lab, policy, 128); };
  stories.junk("grant-of-an-unknown-bit", "What nobody understands nobody grants.",
               {{15, 15, 1}, {0, 1}, unknown});
  stories.counts("carries-an-unknown-bit", "What was there is carried.",
                 {{15, 15, 128 | 1}, {0, 1}, new_set});
}

void add_losses(Stories& stories) {
  const std::vector<AuthBits> agents = {auth::kAdmin, auth::kAdmin, kRevokes, kRevokes, 1};
  stories.counts("revoke-by-two", "PROVE is taken by those who may revoke.",
                 {agents, {2, 3}, last_leaves});
  stories.junk("revoke-by-one-of-two", "Two of them must agree.", {agents, {2}, last_leaves});
  stories.junk("revoke-by-administrators", "Administrators as such revoke nothing.",
               {agents, {0, 1}, last_leaves});
  stories.counts("agent-leaves", "Whoever leaves needs nobody else.", {agents, {4}, last_leaves});
  stories.counts("commitment-given-up", "Nor who gives its commitment up.",
                 {agents, {4}, last_without_commitment});
  stories.counts("commitment-taken-by-two", "Which those may take who may revoke.",
                 {agents, {2, 3}, last_without_commitment});
  stories.junk("commitment-taken-by-administrators", "And no others.",
               {agents, {0, 1}, last_without_commitment});
  stories.junk("agent-leaves-and-another", "Another is not taken along.",
               {{15, 15, 15, 1, 1}, {4}, [](LogLab&, Policy& policy) {
                  policy.agents.pop_back();
                  policy.agents.pop_back();
                }});
  const std::vector<AuthBits> with_name = {auth::kAdmin, auth::kAdmin, kRevokes, kRevokes, 0};
  stories.counts("name-leaves", "Also where it had no bits.", {with_name, {4}, last_leaves});
  stories.junk("name-taken-by-revokers", "Those who may revoke have no say in that.",
               {with_name, {2, 3}, last_leaves});
  stories.counts("name-taken-by-administrators", "But administrators do.",
                 {with_name, {0, 1}, last_leaves});
  const std::vector<AuthBits> three = {auth::kOwnerAll, auth::kOwnerAll, kRevokes,
                                       kRevokes | auth::kAdmin};
  stories.counts("admin-given-up", "An administrator may step down alone.",
                 {three, {3}, last_loses_admin});
  stories.counts("admin-taken-by-two", "Or be removed by administrators.",
                 {three, {0, 1}, last_loses_admin});
  stories.junk("admin-taken-by-revokers", "But not by those who may revoke PROVE.",
               {three, {2, 0}, last_loses_admin});
  stories.junk("last-administrator-leaves", "As many administrators stay as must agree.",
               {{15, 1, 15}, {2}, last_leaves});
  stories.junk("commitment-twice", "No two agents have one commitment.",
               {{15, 15, kRevokes, 1}, {0, 1}, [](LogLab&, Policy& policy) {
                  policy.agents[0].commitment = policy.agents.back().commitment;
                }});
  stories.junk("label-by-itself", "A label is the administrators' to give.",
               {agents, {4}, [](LogLab&, Policy& policy) { policy.agents[4].label = "me"; }});
}

}  // namespace

std::vector<Scenario> policy_scenarios() {
  std::vector<Scenario> all;
  Stories stories(all);
  add_counting(stories);
  add_grants(stories);
  add_losses(stories);
  return all;
}

}  // namespace kith::test
