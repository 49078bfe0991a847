#include "node/cli/spec_parts.hpp"

namespace kith::node {

using enum ArgSpec::Kind;

std::vector<CommandSpec> incident_commands() {
  return {
      {"freeze",
       "Stop everything that matters at once: no new keys, no answers to recoveries, no changes; "
       "objecting stays possible",
       "freeze",
       Special::none,
       {{"--reason", "reason", "Why, for yourself later"},
        {"--device", "device", "Freeze another device of yours, as `kith agent list` shows it"}}},
      {"thaw",
       "Let a frozen device act again, with the passphrase; where your policy asks for several "
       "devices, others must agree",
       "thaw",
       Special::thaw,
       {}},
      {"alerts test",
       "Send a test to every place that kith.toml names for alerts, and say whether it arrives",
       "alerts-test",
       Special::alerts_test,
       {kWait}},
      {"incident open",
       "Note that something has gone wrong, show what to do, and tell others",
       "incident-open",
       Special::none,
       {{"KIND", "kind",
         "lost-device, stolen-device, compromised-key, compromised-trustee, compromised-ledger or "
         "compromised-mediator",
         text, true},
        {"--note", "note", "What you saw, for yourself"},
        {"--tell", "tell", "Send a signed notice to everyone, trustees or nobody (the default)"}}},
      {"incident list",
       "Show what has gone wrong here, and what contacts told of themselves",
       "incident-list",
       Special::none,
       {}},
      {"incident show",
       "Show an incident, with the steps to take",
       "incident-show",
       Special::none,
       {{"ID", "id", "As `kith incident list` shows it", text, true}}},
      {"incident worsen",
       "What was lost turns out to be stolen",
       "incident-worsen",
       Special::none,
       {{"ID", "id", "As `kith incident list` shows it", text, true}}},
      {"incident close",
       "It is over: whoever was told hears so",
       "incident-close",
       Special::none,
       {{"ID", "id", "As `kith incident list` shows it", text, true}}},
  };
}

}  // namespace kith::node
