#pragma once

/// Taking the identity back (recovery-protocol section 9): one resumable job.
///
/// All signatures that need keys from the vault are made in the one unit of the command, because
/// the vault is open only there: every relationship's rotate, and the entries for the identity's
/// two logs. They are stored (in `recovery-record/finish`, which travels in backups, so that a
/// device that dies now can be recovered too) and leave in this order:
///
///   mediator      our mediator learns the new keys of its relationship
///   safety copy   a backup under the present recovery key, stored and read back
///   identity      the entries of DID and policy log, posted and read back; after a recover, the
///                 log's delay has passed
///   mail          all addresses are registered at the mediator again
///   people        contacts learn the new keys; goes on in the background
///   close         the trustees are told; who answered badly is named
///
/// Every step may run again after a crash: it looks at what is still missing.
///
/// No step waits for the mediator for ever. If its relationship cannot be taken over, the mediator
/// of this device takes its place and the contacts' entries name it. A mediator that does not
/// answer is given up after a day: the job goes on without safety copy and registration, says so,
/// and the hints say until then and afterwards how to register with another one.

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "protocol/module.hpp"
#include "recovery/device_open.hpp"

namespace kith::recovery {

/// Stored: never renumber.
enum class FinishStep : std::uint8_t {
  mediator = 1,
  safety_copy = 2,
  identity = 3,
  mail = 4,
  close = 5,
  done = 6,
};
constexpr bool is_valid(FinishStep step) {
  return step >= FinishStep::mediator && step <= FinishStep::done;
}

/// A signed entry that has to reach the ledger.
struct PlannedEntry {
  std::string subject;
  Bytes blob;
  bool handed_in = false;  ///< To the identity module, which posts it.
  template <class V>
  void visit(V& v) {
    v("subject", subject), v("blob", blob), v("handed_in", handed_in);
  }
};

/// Record recovery-record/finish.
struct FinishJob {
  FinishStep step = FinishStep::mediator;
  PublicKey agent;  ///< Of the device that runs the job: another device ignores it.
  std::vector<PlannedEntry> entries;
  bool slow = false;      ///< By recover, which takes its log's delay to count.
  bool waits = false;     ///< For that delay, now.
  bool imported = false;  ///< From an exported wallet (portable_module.hpp), not from a loss.
  std::string backup_job;
  std::string given_up;  ///< Contact id of a mediator that never answered.
  std::uint32_t tries = 0;
  std::string problem;             ///< Of the present step.
  std::vector<std::string> notes;  ///< What could not be taken over, for the user.
  template <class V>
  void visit(V& v) {
    v("step", step), v("agent", agent), v("entries", entries), v("slow", slow), v("waits", waits);
    v("backup_job", backup_job), v("given_up", given_up), v("tries", tries), v("problem", problem),
        v("notes", notes), v("imported", imported);
  }
};
/// This device's own job.
[[nodiscard]] std::optional<FinishJob> finish_job(Host& host);

/// Restores the wallet and signs everything. `set` and the chosen policy passed judge().
/// A move to another ledger that the backup does not know of is followed if the vault can continue
/// the logs there; with `undo_move`, and else, it counts as a thief's (finish_sign.hpp).
/// Errors: step_up_required, wrong_passphrase; malformed or refused (the backup); not_found (the
/// vault does not hold what it should); unreachable (the ledger that the identity was moved to). An
/// error leaves nothing changed.
[[nodiscard]] Result<void> begin_finish(Host& host, const Command& command, OpenedSet set,
                                        const std::string& policy, bool undo_move);
/// The command again while the identity's entries cannot be posted any more: signs new ones.
[[nodiscard]] Result<void> sign_again(Host& host, const Command& command, FinishJob job);

/// No mediator keeps this wallet's mail and backups: the person has to register with one.
[[nodiscard]] bool needs_mediator(Host& host, const FinishJob& job);

/// Does what can be done now and sets the timer for the next look.
void advance_finish(Host& host);

/// [{name, state: done|doing|to-do|waiting, detail?}]
[[nodiscard]] JsonArray describe_steps(Host& host, const FinishJob& job);

}  // namespace kith::recovery
