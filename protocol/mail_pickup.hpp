#pragma once

/// messagepickup 3.0 and message-pickup 4.0, the mediator's side.
///
/// A mailbox belongs to a contact with role `client`, or to one without an address (outbox.hpp);
/// only its authenticated DID reads it. All is
/// answered on the connection that asks (return_route: all), never later: a status that waited
/// somewhere would tell of a mailbox that has changed since.
///
/// Live mode: mail for a client that waits on a lasting connection is stored, and delivered there
/// at once. It stays in the mailbox until the client says it was received.

#include <string>
#include <string_view>
#include <vector>

#include "protocol/mailbox.hpp"
#include "protocol/module.hpp"

namespace kith::protocol {

[[nodiscard]] std::vector<std::string> pickup_message_types();
[[nodiscard]] bool is_pickup(std::string_view message_type);
/// Requests that change nothing.
[[nodiscard]] bool is_pickup_query(std::string_view message_type);

/// Errors: unknown_peer, not_authentic, refused (a contact, but no client), unsupported (no
/// connection to answer on), malformed, limit_exceeded.
[[nodiscard]] Result<void> on_pickup(Host& host, const Inbound& inbound);

/// Hands mail to a client in live mode, in the dialect that turned it on; else does nothing. Lost
/// on the way, it is still in the mailbox. `owner` hands the end of the effect to live_ended().
void deliver_live(Host& host, const std::string& client, const StoredMail& stored,
                  std::string_view owner);

}  // namespace kith::protocol
