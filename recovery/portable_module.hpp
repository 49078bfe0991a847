#pragma once

/// Module "portable": the wallet in a file that another machine or program takes over
/// (docs/portable-format.md). The file passes in parts, of the size of a backup's records; reading
/// and writing it, and asking for its passphrase, is the command line's.
///
/// Taking over is a recovery (finish.hpp) for which nobody is asked, because the file brings the
/// vault's key: every key of the identity and of each relationship is replaced, the old home's
/// count no more. No private key of a device is in the file, and no share that it holds for others.
///
/// Commands (`!` needs the passphrase of this home):
///   export-begin! {key, header, program, settings?, anyway?} -> {parts, name, did, contacts,
///       trustee_for: [name], left_behind: [name], devices}
///       `key`: the point that the file is sealed to; `header`: its first bytes; base64url both.
///       Errors: wrong_state (no identity or vault; it lives on this home's own ledger; a rotation
///       or recovery is under way), refused (others count on this home, or the identity has other
///       devices, and not `anyway`; others matter only if the header says that the wallet moves),
///       limit_exceeded.
///   export-part {part} -> {data}. Errors: not_found.
///   export-end {done} -> {}: forgets the parts; `done`: the file lies on the disk.
///   import-part {part, data} -> {}. Errors: limit_exceeded, malformed, wrong_state.
///   import-open! {header, key, openings} -> {name, did, contacts, trustee_for, moved, notes}
///       `openings`: of capsule and backup; secret, as is `key`. Errors: wrong_state (an identity
///       is here; test wallets stay such), those of open_portable and begin_finish; not_found (a
///       part is missing), bad_signature (not by the identity's own device).

#include "protocol/module.hpp"

namespace kith::recovery {

class Portable final : public Module {
 public:
  std::string_view name() const override { return "portable"; }
  std::vector<std::string> commands() const override {
    return {"export-begin", "export-part", "export-end", "import-part", "import-open"};
  }
  bool only_reads(std::string_view what) const override { return what == "export-part"; }
  Result<JsonObject> on_command(Host& host, const Command& command) override;
};

}  // namespace kith::recovery
