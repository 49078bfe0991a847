#pragma once

/// Who stands behind a message: the check that every handler makes which serves contacts alone.

#include "protocol/contact.hpp"
#include "protocol/module.hpp"

namespace kith::protocol {

/// The contact that sent `inbound`, proven by its envelope. Errors: not_authentic (anonymous),
/// unknown_peer.
[[nodiscard]] Result<Contact> sender_of(Host& host, const Inbound& inbound);

}  // namespace kith::protocol
