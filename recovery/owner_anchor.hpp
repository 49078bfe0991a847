#pragma once

/// The anchor of a new set in the owner's policy: the step that puts the set in force. Internal to
/// the module "recovery" (owner.hpp).
///
/// Where the policy asks for several administrators, the owner's other devices are asked to sign
/// (ledger/proposal_steps.hpp), and the set waits for them. If they do not, it comes to nothing:
/// its trustees drop their shares, and what the policy named before stays in force.

#include "protocol/module.hpp"
#include "recovery/owner_set.hpp"

namespace kith::recovery {

/// Everything is stored: the anchor goes into the policy log. Tried again by check_anchor() until
/// it can be handed in or proposed.
void begin_anchoring(Host& host, OwnerSet& set);
/// The anchor is in the log that the ledger shows: on to committing. Else once more on top of what
/// came first, or the end of the set if the other devices would not have it. Timer kTimerAnchor.
void check_anchor(Host& host);
/// Id of the proposal that waits for other devices; empty: none does.
[[nodiscard]] std::string waiting_proposal(Host& host, const OwnerSet& set);

}  // namespace kith::recovery
