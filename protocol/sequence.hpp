#pragma once

/// Advanced sequencing (DIDComm extension `advanced_sequencing`): which of the messages that a
/// contact numbered in a thread have arrived. `sender_order` counts them from 1; our
/// acknowledgement tells in `received_orders` the greatest number seen and those that are missing,
/// and the contact decides what to send again. Nothing is held back for a gap. Kept for texts
/// (basicmessage 2.0).
///
/// Record `sequence`/<contact id> <thread>: at most kSequencesMax; the thread that was silent
/// longest is forgotten first.

#include "protocol/contact.hpp"
#include "protocol/module.hpp"

namespace kith::protocol {

inline constexpr const char* kSenderOrder = "sender_order";
inline constexpr const char* kSentCount = "sent_count";
inline constexpr const char* kReceivedOrders = "received_orders";

/// Threads whose numbers are remembered: enough for every contact who talks at the same time.
inline constexpr std::size_t kSequencesMax = 256;
/// Missing numbers of one thread: whoever leaves out more is told of the latest ones alone.
inline constexpr std::size_t kGapsMax = 64;

/// Takes the number of a message in that came from `contact`. One without a number, or with one
/// that is not natural, changes nothing.
void note_order(Host& host, const Contact& contact, const Message& message);

/// Whether its sender says that it has packed and sent the message before.
[[nodiscard]] bool is_sent_again(const Message& message);

/// For a message that goes back to the sender of `inbound`, on the same thread. Nothing where that
/// thread has no numbers.
void tell_received_orders(Host& host, const Inbound& inbound, Message& answer);

}  // namespace kith::protocol
