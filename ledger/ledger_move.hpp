#pragma once

/// Moving the identity to another ledger (log-protocol sections 3.8 and 4), in steps that a crash
/// or a ledger that is down only delays (record meta/ledger-move):
///
///     descriptor   what the new ledger is; nothing else happens before it is known
///     copying      both logs are copied to it: it takes them, so it can take what follows
///     checking     it shows them, with its proofs; and the logs would take what follows
///     leaving      on the old ledger: an update of the DID document that tells the addresses of
///                  both (ledger_services.hpp), then the move of each log
///     (moved)      when the old ledger has shown them, the identity lives on the new one, and
///                  what was added is posted there (own_log.hpp); the old one is watched until C
///                  is over
///
/// A ledger that the logs left before is refused: there, only what ends a move counts.
///
/// Until `leaving` nothing has changed for anybody, and the move can be called off. From then on
/// the logs take no other entries before they have arrived.
///
/// Commands:
///   ledger-move        {ledger} -> {state}
///   ledger-move-status {} -> {state: none|descriptor|copying|checking|leaving|
///                           refused, ledger?, error?}
///   ledger-move-cancel {} -> {state: none}; errors: wrong_state (none, or it is too late)

#include <string_view>

#include "ledger/identity.hpp"

namespace kith::ledger {

/// Context of this file's effects, and name of its timer.
inline constexpr std::string_view kMoveContext = "move";

/// Errors: wrong_state (no identity, another move, an entry that is not posted yet, a log that
/// ended or is contested), usage (no address), refused (it lives there).
[[nodiscard]] Result<JsonObject> start_ledger_move(Host& host, const JsonObject& args);
[[nodiscard]] JsonObject ledger_move_status(Host& host);
[[nodiscard]] Result<JsonObject> cancel_ledger_move(Host& host);
/// Forgets a move under way, whatever it did so far.
void end_ledger_move(Host& host);

void take_move_result(Host& host, const protocol::Effect& effect, const Result<Bytes>& outcome);
/// The next step, if it can be done: after every reading of an own log, and when a wait is over.
void continue_ledger_move(Host& host);

}  // namespace kith::ledger
