#pragma once

/// Replacing the keys of the owner's identity: a job that no entry leaves before a backup that
/// holds its new next keys is stored and read back (recovery-protocol section 1). Otherwise a loss
/// right after the rotation would leave logs whose next keys nobody has.
///
///   storing  both entries are signed, their new next keys lie in the vault; a backup is made and
///            read back, again and again until it succeeds. Then, while the identity moves to
///            another ledger, it waits for the end of that
///   posted   the entries are with the identity module, which posts them until they are read back
///
/// Signing needs the opened vault, so it comes first. Until the entries are posted, the keys they
/// activate lie outside the vault; a job whose backup does not succeed within a day (an
/// hour in test mode) is therefore given up, its keys are forgotten, and the owner is told. Without
/// a recovery set there is no location to wait for, and the entries are posted at once.
///
/// The record meta/rotation stays behind for the status. It belongs to one device: no backup holds
/// it.
///
/// Commands (`!` needs the passphrase, where there is a vault):
///   did-rotate!        {} -> as did-rotate-status. A rotation under way is not begun again.
///                      Errors: wrong_state (no identity), step_up_required, not_found (the next
///                      keys are not held here).
///   did-rotate-status  {} -> {state: none|storing|posted|given-up, did_version?, policy_version?,
///                      problem?}; the versions are those of the kept logs.

#include <map>
#include <optional>
#include <string>

#include "ledger/identity.hpp"
#include "protocol/module.hpp"

namespace kith::recovery {

/// What a rotation also changes, by log.
using LogChanges = std::map<std::string, ledger::RotateChange>;
/// A rotation that also changes what the logs say. `vault`: as prepare_rotate.
/// Errors: wrong_state (no identity, or a rotation is under way), those of prepare_rotate.
[[nodiscard]] Result<void> begin_rotation(Host& host, const std::optional<SealedKey>& vault,
                                          const LogChanges& changes);

/// A backup was stored: the rotation looks whether it is the one it waits for.
void rotation_looks_now(Host& host);

/// Entries wait for their backup, or for the end of a move.
[[nodiscard]] bool rotation_runs(Host& host);

class Rotation final : public Module {
 public:
  std::string_view name() const override { return "rotation"; }
  std::vector<std::string> commands() const override { return {"did-rotate", "did-rotate-status"}; }
  bool only_reads(std::string_view what) const override { return what == "did-rotate-status"; }
  Result<JsonObject> on_command(Host& host, const Command& command) override;
  void on_timer(Host& host, std::string_view timer) override;
};

}  // namespace kith::recovery
