#pragma once

/// Module "recover": a new device takes an identity back with the help of its owner's trustees
/// (recovery-protocol sections 3, 4, 8 and 9). Sessions: device_sessions.hpp; opening:
/// device_open.hpp; taking over: finish.hpp.
///
/// The home is new: connected to a mediator, with a passphrase, without an identity.
///
/// Commands (`!` needs the passphrase of this device)
///   recover-start {} -> {state}
///       Errors: wrong_state (this wallet has an identity), or no address yet.
///   recover-add-trustee {url, name?} -> {id, trustee}
///       Errors: bad_url, malformed, expired, conflict (used before), usage (another kind of
///       invitation), wrong_state.
///   recover-code {id, code} -> {id, code_ok, tries_left}
///       The code that the trustee reads out. Errors: not_found, wrong_state, too_many_tries.
///   recover-answer {id, answer} -> {id}
///       To the trustee's question. Errors: not_found, wrong_state, limit_exceeded.
///   recover-status {} -> {state: none|collecting|opened|finishing|waiting-period|recovered,
///       sessions: [{id, trustee, state, code_to_read?, needs: [..], question?, remaining_s?,
///       text?}], locations: [{state, address, problem?}], good_answers,
///       backup?: {counter, created, newest_known, stale}, blamed: [{id, trustee, reason}],
///       candidates: [{policy, words, vouching, contradicting}], waiting_for?, can_finish,
///       moved_to? (the ledger that the identity went to since the backup),
///       steps: [{name, state, detail?}], notes: [text], hints: [text]}
///       good_answers counts; how many are needed only the owner knew.
///   recover-finish! {choose?, confirm_few?, undo_move?} -> {state, candidates?, step?, moved_to?}
///       First shows the candidates; given again, or with `choose` (a policy address), it takes the
///       identity over. Errors: not_enough, waiting_for_people, step_up_required, and others.
///   recover-hints {} -> {hints: [text]}: what to do next.

#include "protocol/module.hpp"

namespace kith::recovery {

class Device final : public Module {
 public:
  std::string_view name() const override { return "recover"; }
  std::vector<std::string> message_types() const override;
  std::vector<std::string> commands() const override;
  bool only_reads(std::string_view what) const override;
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
  void on_timer(Host& host, std::string_view timer) override;
  void on_effect(Host& host, const protocol::Effect& effect, const Result<Bytes>& outcome) override;
  void on_problem(Host& host, const Inbound& inbound,
                  const protocol::ProblemReport& report) override;
  void on_start(Host& host) override;
};

}  // namespace kith::recovery
