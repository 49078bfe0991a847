#pragma once

#include "protocol/message.hpp"

namespace kith::protocol {

/// As read_message, with body, payloads and further headers moved instead of copied: mail is
/// mostly these.
[[nodiscard]] Result<Message> take_message(JsonObject object);

}  // namespace kith::protocol
