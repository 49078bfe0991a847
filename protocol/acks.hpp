#pragma once

/// Acknowledgements (DIDComm v2.1, "ACKs"). A message asks with `please_ack`; any message of the
/// other side may carry `ack`, an empty message when there is nothing else to say. Never
/// acknowledged: pure acknowledgements (they would go on for ever), forwards (the standard forbids
/// it), and anonymous messages (there is nobody to tell).

#include <string>
#include <vector>

#include "protocol/messenger.hpp"

namespace kith::protocol {

inline constexpr std::string_view kEmptyType = "https://didcomm.org/empty/1.0/empty";

/// A carrier of headers without content.
[[nodiscard]] bool is_empty(const Message& message);

/// Whether `message` asks for its own acknowledgement: by "" or by its id.
[[nodiscard]] bool asks_for_ack(const Message& message);

/// Sends an empty message that acknowledges `ids` (oldest first) on the thread of `inbound`, and
/// tells what is missing there (sequence.hpp); kept with its inbox mark. Does nothing without ids.
void acknowledge(Host& host, const Inbound& inbound, const std::vector<std::string>& ids);

}  // namespace kith::protocol
