#pragma once

/// The owner's uploads: the parts of a new set, and backups from then on. Internal to the module
/// "recovery" (owner.hpp).

#include "protocol/module.hpp"
#include "recovery/owner_set.hpp"

namespace kith::recovery {

/// Enough trustees hold their share: stores everything; the anchor comes after that.
void store_when_enough(Host& host, OwnerSet& set);
/// Puts the set's anchor into the policy log. Errors: those of ledger::update_policy.
[[nodiscard]] Result<void> anchor_set(Host& host, OwnerSet& set);

/// An upload ended: on to anchoring, or once more.
void after_upload(Host& host);
/// Seals and stores a new backup if the wallet changed since the last one.
void backup_if_changed(Host& host);

}  // namespace kith::recovery
