#pragma once

/// The owner's side: sets recovery up, watches over it, objects to recoveries that are not the
/// owner's (recovery-protocol sections 2, 3, 5, 6, 8).
///
/// Setup is one job that survives crashes at any point:
///   offering -> storing -> anchoring -> committing -> done
///                             |-> given up: other devices had to sign the anchor, and did not
/// The set is dealt when the command is given, because that is when the vault is open; the shares
/// leave, sealed to each trustee, when that trustee has agreed. Nothing is anchored before a quorum
/// of trustees acknowledged and sheet, capsule, backup and log part were stored and read back.
///
/// Commands
///   recovery-setup {threshold, trustees: [contact] | plan: text (plan_text.hpp), waiting?, text?,
///   questions?: {contact: text},
///       one_is_enough?} (step-up)
///       -> {set, state}; `waiting`: 1d 3d 7d 14d 30d (test mode: test, test-long). Refused where
///       one trustee alone would be enough, unless `one_is_enough` says that this is meant.
///   recovery-status {} -> {state: none|setting-up|incomplete|ready, step?, threshold?, trustees:
///       [{contact, state, last_seen?}], backup: {counter, stored, location}, missing: [text],
///       alarms: [{id, contact, earliest_release, vetoed}], super_quorum:
///       none|setting-up|in-force|used-up, words}
///   recovery-heartbeat {} -> {asked}: asks every trustee for a proof.
///   recovery-veto {id} -> {contact}: objects to one recovery; later notices are answered alike.

#include "protocol/module.hpp"

namespace kith::recovery {

class Owner final : public Module {
 public:
  std::string_view name() const override { return "recovery"; }
  std::vector<std::string> message_types() const override;
  std::vector<std::string> commands() const override {
    return {"recovery-setup", "recovery-status", "recovery-heartbeat", "recovery-veto"};
  }
  bool only_reads(std::string_view what) const override { return what == "recovery-status"; }
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
  void on_timer(Host& host, std::string_view timer) override;
  void on_start(Host& host) override;
};

}  // namespace kith::recovery
