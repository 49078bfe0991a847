#pragma once

/// Lasting connections (WebSockets) on which contacts wait for what comes for them.
///
/// A connection belongs to the contact whose authenticated message asked for it, whatever the
/// socket's origin. It may break at any time, so nothing may depend on it: whoever sends over one
/// keeps the message where it can be fetched until its receipt is confirmed.

#include <optional>
#include <string>
#include <string_view>

#include "protocol/contact.hpp"
#include "protocol/module.hpp"

namespace kith::protocol {

/// `contact` waits on the connection that `inbound` came on; a later one takes its place.
/// `protocol`: in which it waits, for live_protocol().
/// Errors: unsupported (that connection does not last, or no return route was asked for).
[[nodiscard]] Result<void> note_live(Host& host, const Contact& contact, const Inbound& inbound,
                                     std::string_view protocol);
void forget_live(Host& host, std::string_view contact_id);
/// At the start: connections of an earlier life are gone.
void forget_all_live(Host& host);
[[nodiscard]] bool is_live(Host& host, std::string_view contact_id);
/// Whether it is this connection on which the contact waits.
[[nodiscard]] bool is_live_on(Host& host, std::string_view contact_id, std::string_view channel);
/// Empty for who does not wait.
[[nodiscard]] std::string live_protocol(Host& host, std::string_view contact_id);

/// Sends `message` on the contact's connection, if it has one. False if not: the message waits for
/// the contact to ask. `owner` hands the end of the effect to live_ended().
/// Errors: as send.
[[nodiscard]] Result<bool> send_live(Host& host, const Contact& contact, Message message,
                                     std::string_view owner);

/// From on_effect: forgets the connection that could not take a message. False: not one of ours.
bool live_ended(Host& host, const Effect& effect, const Result<Bytes>& outcome);

}  // namespace kith::protocol
