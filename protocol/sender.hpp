#pragma once

/// Messages between contacts: who stands behind one that came, which every handler checks that
/// serves contacts alone; and the beginning of one that goes out.

#include <string_view>

#include "protocol/contact.hpp"
#include "protocol/module.hpp"

namespace kith::protocol {

/// The contact that sent `inbound`, proven by its envelope. Errors: not_authentic (anonymous),
/// unknown_peer.
[[nodiscard]] Result<Contact> sender_of(Host& host, const Inbound& inbound);

/// A new message from us to `contact`, over their relationship; as yet without body.
/// Errors: malformed (it has no DID yet).
[[nodiscard]] Result<Message> message_to(Host& host, const Contact& contact, std::string_view type);

}  // namespace kith::protocol
