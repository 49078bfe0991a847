#pragma once

/// Taking a device away. It must not act for its owner any more, whoever has it: so all keys that
/// it held are replaced, not only its own left out.
///
///   policy         an update without it, at once, where this device may make it
///   own logs       a rotation of both logs whose states leave it out (rotation.hpp)
///   relationships  a rotate of each log, to the devices that stay; contacts learn it at once, and
///                  the mediator gives its mail to nobody else
///   devices        the others are told; the relationship with it ends
///
/// What it has read it has: texts, contacts, and the vault as far as its passphrase was known to
/// whoever has it.

#include <string>
#include <vector>

#include "protocol/module.hpp"

namespace kith::recovery {

/// Command agent-revoke. Errors: not_found, conflict (two are called that), refused (this device
/// itself), wrong_state (a rotation is under way), those of open_vault and prepare_rotate.
[[nodiscard]] Result<JsonObject> revoke_agent(Host& host, const Command& command);

/// `present`, here and below: the policy's agents in force.
/// Ends the relationships with devices that were taken away, wherever that was done.
void part_from_removed(Host& host, const std::vector<std::string>& present);

/// Warns the owner of agents in the policy that no device has told of.
void watch_for_unknown_agents(Host& host, const std::vector<std::string>& present);

/// Raises an alarm, once, when the policy does not name this device any more.
void watch_own_membership(Host& host, const std::vector<std::string>& present);

}  // namespace kith::recovery
