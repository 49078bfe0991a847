#include "node/cli/spec_parts.hpp"

namespace kith::node {

using enum ArgSpec::Kind;

std::vector<CommandSpec> rule_commands() {
  return {
      {"policy explain",
       "Say whether something is allowed by your policy documents, and which rule decides",
       "policy-explain",
       Special::policy_explain,
       {{"OP", "operation", "A command (\"keys destroy\"), or what `policy operations` lists", text,
         true},
        {"--to", "contact", "Towards this contact: name or id"},
        {"--key", "key", "With this key: its id from `keys list`, or an end of it"}}},
      {"policy documents",
       "List the policy documents in force",
       "policy-documents",
       Special::none,
       {}},
      {"policy operations",
       "List what policy documents can speak of, by class",
       "policy-operations",
       Special::none,
       {}},
      {"policy reload",
       "Put the policy documents of this home in force, if all of them are right",
       "policy-load",
       Special::policy_reload,
       {}},
  };
}

std::vector<CommandSpec> auto_commands() {
  const ArgSpec name{"NAME", "name", "As `kith auto list` shows it", text, true};
  return {
      {"auto list",
       "What this node does by itself, by the clock: when next, and whether it is off",
       "auto-list",
       Special::none,
       {}},
      {"auto disable",
       "Turn one of these off until you turn it on again; what protects you stays on",
       "auto-disable",
       Special::none,
       {name, {"--reason", "reason", "Why, for yourself later"}}},
      {"auto enable",
       "Turn it on again; what is due happens at once",
       "auto-enable",
       Special::none,
       {name}},
  };
}

}  // namespace kith::node
