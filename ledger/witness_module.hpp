#pragma once

/// Module "witness": this node cosigns the checkpoints of ledgers that it was told to watch, so
/// that their readers need not trust them to show everybody the same (C2SP tlog-witness).
///
///     witness-ledger   by origin: WatchedLedger (witness.hpp)
///     meta/witness-key  the key that cosigns, purpose witness; made when it is first needed
///     meta/witness-time the last time at which it said that it saw a blob
///
/// One request is one unit of work: the new state is in the batch that is synced before the
/// signature leaves, so no crash separates them. After one the ledger asks again from the size that
/// was kept, and is told so. Requests need no inbox marks: the same one twice is answered by the
/// state.
///
/// Two checkpoints of one size, both signed by the ledger, raise the alarm (notice "alarm", audit
/// "ledger.fork") and are kept as evidence. This witness stays with the one that it cosigned.
///
/// It also says to anybody when it saw a blob (witness_time.hpp), of which it is told the hash, so
/// that a ledger that refuses an entry does not make it late. That costs one write a second at
/// most: the time is kept before the signature leaves, and never runs back.
///
/// Commands (arguments -> reply):
///   witness-show     {} -> {key, multikey, address?, ledgers: [{origin, key, watched,
///                           size, root?, cosigned?, evidence?}]}
///                    key: the verifier key for hosts; address: where they ask for cosignatures
///   witness-watch    {ledger: descriptor or verifier key} -> {origin, key, named}
///                    named: this witness is one of the descriptor's. Watching one again goes on
///                    from the size that was signed last. Errors: those of parse_descriptor and
///                    descriptor_of_key, ledger_no_proof, conflict (another key for an origin that
///                    is known), limit_exceeded (kWatchedMax)
///   witness-unwatch  {origin} -> {}. Errors: not_found
///   witness-cosign   {request} -> {signatures}: body of a 200, or {size}: body of a 409. A
///                    stranger's add-checkpoint. Errors: not_found, bad_signature, bad_proof,
///                    malformed and limit_exceeded: 404, 403, 422, 400 (add_checkpoint.hpp)
///   witness-time     {subject, hash} -> {k, time, s}. A stranger's question. Errors: malformed

#include <string>

#include "protocol/module.hpp"

namespace kith::ledger {

/// The path of this node's listener below which a witness is asked.
inline constexpr std::string_view kWitnessPath = "/witness";
/// Below that one: GET <this>/<subject>/<blob hash> for a witness's time.
inline constexpr std::string_view kWitnessTimePath = "/witness/time";

class WitnessModule final : public Module {
 public:
  /// `address`: where strangers may ask it; empty: they may not.
  explicit WitnessModule(std::string address = {}) : address_(std::move(address)) {}

  [[nodiscard]] std::string_view name() const override { return "witness"; }
  [[nodiscard]] std::vector<std::string> commands() const override;
  [[nodiscard]] bool only_reads(std::string_view command) const override;
  [[nodiscard]] Result<JsonObject> on_command(Host& host, const Command& command) override;

 private:
  [[nodiscard]] Result<JsonObject> show(Host& host) const;

  std::string address_;
};

}  // namespace kith::ledger
