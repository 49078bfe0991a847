#pragma once

/// The owner's uploads: the parts of a new set, and backups from then on. Internal to the module
/// "recovery" (owner.hpp), but for what others need stored before they go on (rotation.hpp).

#include "protocol/module.hpp"
#include "recovery/owner_set.hpp"

namespace kith::recovery {

/// Enough trustees hold their share: stores everything; the anchor comes after that.
void store_when_enough(Host& host, OwnerSet& set);

/// An upload ended: on to anchoring, or once more.
void after_upload(Host& host);
/// Seals and stores a new backup if the wallet changed since the last one.
void backup_if_changed(Host& host);

/// Whether anything keeps this wallet's backups: what must not be lost waits for them.
[[nodiscard]] bool backups_are_kept(Host& host);
[[nodiscard]] bool backup_runs(Host& host);
/// Seals and stores the wallet as it is now; returns the backup's counter. When an upload ends,
/// backup_stored() tells; one that failed is not repeated for the caller.
/// Errors: wrong_state (no set, no location, or another backup runs).
[[nodiscard]] Result<std::uint64_t> begin_backup(Host& host);
/// A backup with this counter, or a newer one, was stored and read back.
[[nodiscard]] bool backup_stored(Host& host, std::uint64_t counter);

}  // namespace kith::recovery
