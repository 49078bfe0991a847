#pragma once

/// A holder of somebody's super-quorum: keeps one key for each of the owner's logs, and signs with
/// them when its person says so (docs/recovery-states.md has the states).
///
///   offered -> agreed -> told -> confirmed        offered -> declined; any but confirmed ->
///   withdrawn
///
/// The keys are made when the person agrees. They are sealed to the holder's own vault: to sign
/// takes the holder's passphrase, so a thief of an unlocked device cannot, and they travel in the
/// holder's backups, for whoever lost a device must still be able to help others. A holder without
/// a vault keeps them on the device.
///
/// What the owner says is not believed: the holder's node reads both logs from their ledger, and
/// confirms only what their rec.hi commits to. A request for signatures is judged by the logs as
/// that ledger shows them (super_judge.hpp), shown to the person in the words of the holder's own
/// reader, and signed after the person has spoken with the owner, typed the code that the owner's
/// device shows, and given the passphrase. A request for keys that were never confirmed is refused.
///
/// Records: recovery-record/"held <contact> <offer>" (travel in backups), super-ask, super-read.

#include <optional>
#include <string>
#include <string_view>

#include "protocol/module.hpp"
#include "recovery/super_messages.hpp"

namespace kith::recovery {

// Messages
[[nodiscard]] bool offers_super(const CapabilityOffer& offer);
[[nodiscard]] Result<void> on_super_offer(Host& host, const Inbound& inbound,
                                          const CapabilityOffer& offer);
[[nodiscard]] Result<void> on_super_response(Host& host, const Inbound& inbound);
[[nodiscard]] Result<void> on_super_withdrawn(Host& host, const Inbound& inbound);
[[nodiscard]] Result<void> on_super_request(Host& host, const Inbound& inbound);
[[nodiscard]] Result<void> on_super_outcome(Host& host, const Inbound& inbound);

/// A reading has ended (super_reading.hpp): what waited for it goes on.
void holder_log_read(Host& host, const std::string& reading);
/// Reads again what did not show what it should; ends requests that are out of time.
void holder_looks(Host& host);

// The person
/// An offer or a request by that id, which the functions below take.
[[nodiscard]] bool is_super_offer(Host& host, std::string_view id);
[[nodiscard]] bool is_super_ask(Host& host, std::string_view id);
[[nodiscard]] Result<JsonObject> accept_super_offer(Host& host, std::string_view id);
[[nodiscard]] Result<JsonObject> decline_super(Host& host, std::string_view id,
                                               std::string_view reason);
/// {id, contact, verified, code} -> {id, contact, state, words}. Errors: step_up_required, refused,
/// expired, wrong_state, those of check_super_entry.
[[nodiscard]] Result<JsonObject> approve_super(Host& host, const Command& command);
/// Rows for `trustee requests` and `trustee list`.
[[nodiscard]] JsonArray describe_super_offers(Host& host);
[[nodiscard]] JsonArray describe_super_asks(Host& host);
[[nodiscard]] JsonArray describe_super_held(Host& host);

}  // namespace kith::recovery
