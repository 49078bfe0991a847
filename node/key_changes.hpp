#pragma once

/// What the owner, or the calendar, does to single keys. Each is one unit with its audit entry.

#include <string>

#include "node/key_view.hpp"
#include "protocol/contact.hpp"
#include "protocol/module.hpp"

namespace kith::node {

/// New keys of this device in the relationship; the contact is told, and the old ones go a day
/// after it has confirmed to the new ones. Errors: wrong_state (it has ended, or a change waits for
/// the contact's word), not_found (this device has no keys there), those of update_own_pair_state.
[[nodiscard]] Result<void> replace_relationship_keys(Host& host, const Contact& contact);

/// Marks the key, held or gone, and replaces it where a flow does that. Reply: keys-compromised.
/// Errors: wrong_state (marked before), step_up_required, those of the flow.
[[nodiscard]] Result<JsonObject> mark_compromised(Host& host, const Command& command);
[[nodiscard]] Result<JsonObject> suspend_key(Host& host, const JsonObject& args);
[[nodiscard]] Result<JsonObject> renew_key(Host& host, const JsonObject& args);
[[nodiscard]] Result<JsonObject> destroy_key(Host& host, const JsonObject& args);

}  // namespace kith::node
