#pragma once

/// Signatures of the finish job (finish.hpp) that need keys from the vault: entries for the
/// identity's logs. Made, not posted. Used by finish.cpp alone.

#include <string>
#include <vector>

#include "protocol/module.hpp"
#include "recovery/finish.hpp"

namespace kith::recovery {

/// What a log becomes.
struct LogPlan {
  std::vector<PlannedEntry> entries;
  bool slow = false;
  std::vector<std::string> notes;
};

/// The vault holds as many of the next keys that the log announces as it asks for: it is its
/// owner's to continue.
[[nodiscard]] bool holds_next_keys(Host& host, const ledger::LogView& view);

/// What to do about a recovery by the super-quorum that waits and is not ours.
enum class SuperQuorum {
  respected,  ///< Nothing can be done before it is over.
  vetoed,     ///< Its owner said so.
};

/// Entries that take the log back with `state`, from what the ledger shows (`blobs`).
///
/// Fast, if the vault holds the next keys that the head announces: two rotates, of which the second
/// replaces every restored key and the recovery authority. A recover that is pending and not ours
/// is vetoed first. Slow otherwise, also where the log was moved away from the identity's ledger: a
/// recover behind the newest entry whose next keys the vault
/// knows, with the authority announced there, on that ledger.
///
/// New next and recovery keys go to the vault, new active keys to `log-key`.
/// Errors: not_found (the vault holds neither), wrong_state (deactivated, or a recover of our own
/// or of a respected super-quorum is pending: wait for it), those of the log writer and of KeyOps.
[[nodiscard]] Result<LogPlan> plan_log(Host& host, const SealedKey& vault,
                                       const std::string& subject,
                                       const std::vector<ledger::AnchoredBlob>& blobs,
                                       const Json& state,
                                       SuperQuorum super = SuperQuorum::respected);

}  // namespace kith::recovery
