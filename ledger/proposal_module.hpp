#pragma once

/// Module "policy": changes of an own log that several agents of one owner must sign, over DIDComm
/// (policy 1.0, docs/policy-protocol.md).
///
/// Commands (`!` needs the passphrase, where there is a vault)
///   policy-propose! {grant?: {KEY: "PROVE,ADMIN"}, revoke?: {KEY: "PROVE"}, remove?: [KEY],
///       rule?: {name: "m"}, reason?, hours?, to?: [contact], unproven?} -> PROPOSAL
///       At least one change. `grant` adds an agent that is not there. `to`: by default all that
///       have proven to be agents of this policy. `unproven`: even if the administrators that this
///       device has heard of could not change the policy again.
///       Errors: usage, unknown_peer, those of propose() (proposal_steps.hpp).
///   policy-proposals {} -> {proposals: [PROPOSAL]}: open ones first.
///   policy-approve! {id} -> PROPOSAL         Errors: not_found, those of approve_proposal().
///   policy-reject {id, reason?} -> PROPOSAL  An own one is withdrawn.
///       Errors: not_found, those of decline_proposal() and withdraw_proposal().
/// PROPOSAL: {id, entry, log: policy|did, state, from, agent, changes: [text], warnings?: [text],
///     needs?: [{rule, needed, have}], reason?, why?, created, expires, asked?: [{contact,
///     problem?}], answers?: [{agent, contact, answer: approved|rejected, reason?}]}. `changes` and
///     `needs` come from the entry and this device's own copy of the log.

#include "protocol/module.hpp"

namespace kith::ledger {

class Proposals final : public Module {
 public:
  std::string_view name() const override;
  std::vector<std::string> message_types() const override;
  std::vector<std::string> commands() const override;
  bool only_reads(std::string_view what) const override { return what == "policy-proposals"; }
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
  void on_timer(Host& host, std::string_view timer) override;
  void on_problem(Host& host, const Inbound& inbound,
                  const protocol::ProblemReport& report) override;
};

}  // namespace kith::ledger
