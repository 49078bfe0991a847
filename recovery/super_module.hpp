#pragma once

/// Module "super-quorum": the last resort of an owner whose identity others have captured, on both
/// sides. Setting it up: super_owner.hpp; using it: super_use.hpp; holding a key of somebody's:
/// super_holder.hpp. Offers and their answers arrive at the modules "trustee" and "recovery", for
/// they share their messages with the offers of shares; accepting, declining and approving are
/// commands of "trustee" and "trustee-sessions".
///
/// Commands (`!` needs the passphrase, where there is a vault)
///   recovery-super-setup {threshold, holders: [contact], text?} -> as recovery-super-status
///   recovery-super-confirm! {without?: [contact]} -> as recovery-super-status
///   recovery-super-cancel {} -> as recovery-super-status
///   recovery-super-status {} -> {state: none|setting-up|in-force|used-up, step?, threshold?,
///       holders?: [{contact, state, reason?}], words, problem?, warning?, request?: as
///       recovery-super-start}
///   recovery-super-start! {text?} -> {state: gathering|posted|done|over, id, code?, expires?,
///       holders: [{contact, state, reason?}], words, problem?}
///   recovery-super-stop {} -> as recovery-super-start
///   did-veto! {super_quorum?} -> log_veto.hpp

#include "protocol/module.hpp"

namespace kith::recovery {

class SuperQuorumModule final : public Module {
 public:
  std::string_view name() const override;
  std::vector<std::string> message_types() const override;
  std::vector<std::string> commands() const override;
  bool only_reads(std::string_view what) const override { return what == "recovery-super-status"; }
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
  void on_timer(Host& host, std::string_view timer) override;
  void on_start(Host& host) override;
  void on_effect(Host& host, const protocol::Effect& effect, const Result<Bytes>& outcome) override;
  void on_problem(Host& host, const Inbound& inbound,
                  const protocol::ProblemReport& report) override;
};

}  // namespace kith::recovery
