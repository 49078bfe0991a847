#pragma once

/// The owner's word against a recover of the own logs that others posted: guardians who act
/// together, or a thief who got at the recovery authority (log-protocol sections 3.7 and 4).

#include "protocol/module.hpp"

namespace kith::recovery {

/// {super_quorum?} -> {logs: [{log, recovery, until}], words}. Needs step-up. Vetoes, in both logs,
/// every recover that waits and is not this wallet's; what is vetoed ends where it lies. One by the
/// super-quorum is the last word against thieves and guardians: it is vetoed only when the owner
/// says so, with next keys and the ordinary authority together.
/// Errors: wrong_state (none waits, or it is this wallet's own), refused (the super-quorum's, and
/// super_quorum was not said), not_found (the vault does not hold what it takes), those of
/// post_entry.
[[nodiscard]] Result<JsonObject> veto_logs(Host& host, const Command& command);

}  // namespace kith::recovery
