#include "node/cli/spec_parts.hpp"

namespace kith::node {

using enum ArgSpec::Kind;

std::vector<CommandSpec> policy_commands() {
  return {
      {"policy show", "Show who may act for you", "policy-show", Special::none, {}},
      {"policy history", "Show how that came about", "policy-history", Special::none, {}},
      {"policy propose",
       "Change who may act for you; where several devices must agree, the others are asked",
       "policy-propose",
       Special::none,
       {{"--grant", "grant", "KEY=PROVE,ADMIN: give an agent these; one that is not there is added",
         pairs},
        {"--revoke", "revoke", "KEY=PROVE: take these from an agent", pairs},
        {"--remove", "remove", "Remove the agents with these keys", list},
        {"--rule", "rule", "admin=2: so many must agree (admin, grant, revoke)", pairs},
        {"--reason", "reason", "Why, for the owner of the other devices"},
        {"--hours", "hours", "Open for so long (72, at most 336)", number},
        {"--to", "to", "Ask these contacts, devices of yours; else those known to be", list},
        {"--unproven", "unproven",
         "Even if the administrators heard of could not change the policy again", flag}},
       "Change who may act for you?"},
      {"policy proposals",
       "Show what waits for this device's approval, what it proposed, and what became of it",
       "policy-proposals",
       Special::none,
       {}},
      {"policy approve",
       "Sign a change that another device of yours proposed",
       "policy-approve",
       Special::none,
       {{"ID", "id", "From `policy proposals`: the same on all your devices", text, true}},
       "Sign it? Its changes are what `kith policy proposals` shows."},
      {"policy reject",
       "Refuse such a change, or take back one that this device proposed",
       "policy-reject",
       Special::none,
       {{"ID", "id", "From `policy proposals`", text, true},
        {"--reason", "reason", "Why, for the owner of the other devices"}}},
  };
}

}  // namespace kith::node
