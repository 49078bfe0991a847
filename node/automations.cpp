#include "node/automations.hpp"

#include <algorithm>

#include "node/operations.hpp"

namespace kith::node {

using Off = Automation::Off;

const std::vector<Automation>& automations() {
  constexpr std::string_view kDeaf =
      "mail waits at your mediator, warnings of other devices and "
      "requests of friends too";
  static const std::vector<Automation> all = {
      {"agent|sweep", "Forgets messages and commands that cannot come a second time any more",
       Off::never},
      {"keys|look",
       "Looks at the ages of keys once a day, replaces those of relationships, tells of others",
       Off::at_a_risk, "keys grow old until `kith keys rotate` replaces them"},
      {"reports|review", "Reminds you to look at who may do what for you", Off::at_a_risk,
       "rights that nobody needs any more stay"},
      {"identity|watch", "Reads your logs on their ledger, and warns while you can still object",
       Off::never},
      {"identity|foreign", "Warns of entries in your logs that no device of yours made",
       Off::never},
      {"identity|move", "Carries a move to another ledger on"},
      {"identity", "Hands entries in that the ledger has not taken yet", Off::never},
      {"connection", "Carries invitations, handshakes and changes of relationships on", Off::never},
      {"policy", "Carries changes that several devices sign to their end", Off::never},
      {"rotation", "Carries a rotation of your identity on, once its backup is stored"},
      {"recovery|backup", "Stores a new backup when something has changed", Off::at_a_risk,
       "what is new is lost with this device"},
      {"recovery|heartbeat", "Asks trustees for signs of life", Off::at_a_risk,
       "nobody notices when too few are left"},
      {"recovery", "Carries setting up a recovery on"},
      {"backup", "Carries the storing and fetching of backups on"},
      {"own-agents", "Looks after your devices, and warns of one that you did not add", Off::never},
      {"trustee", "Tells you as a trustee of shares that have grown old"},
      {"trustee-sessions", "Tells owners that somebody wants to recover them; releases when due",
       Off::never},
      {"recover", "Carries your own recovery on", Off::never},
      {"super-quorum", "Carries setting up and using a last resort on", Off::never},
      {"pickup", "Fetches mail, and keeps the mediator's list of your addresses right",
       Off::at_a_risk, kDeaf},
      {"look-up", "Looks up senders whose identity is not known yet"},
      {"outbox", "Forgets mail for contacts without an address that nobody fetched", Off::never},
      {"out-of-band", "Forgets short addresses of invitations that have ended", Off::never},
      {"mediator|release", "Hands mail on that was held back to hide when it came", Off::never},
      {"mediator", "Forgets mail of clients that has grown too old", Off::never},
      {"backup-location", "Forgets backups of others whose time is over", Off::never},
  };
  return all;
}

const Automation* automation_called(std::string_view name) {
  const auto found = std::ranges::find(automations(), name, &Automation::name);
  return found == automations().end() ? nullptr : &*found;
}

const Automation* automation_of(std::string_view module, std::string_view name) {
  const Automation* const own = automation_called(timer_word(module, name));
  return own != nullptr ? own : automation_called(module);
}

std::optional<AutomationOff> find_automation_off(Host& host, std::string_view name) {
  return load<AutomationOff>(host, kAutomationsOff, name);
}

bool is_turned_off(Host& host, std::string_view module, std::string_view timer) {
  const Automation* const row = automation_of(module, timer);
  return row != nullptr && row->off != Off::never &&
         find_automation_off(host, row->name).has_value();
}

}  // namespace kith::node
