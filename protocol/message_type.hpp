#pragma once

/// Message Type URIs (DIDComm v2.1): `<doc-uri>/<protocol>/<major.minor>/<name>`.

#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/result.hpp"

namespace kith::protocol {

struct MessageType {
  std::string doc_uri;   ///< With its delimiter: "https://didcomm.org/".
  std::string protocol;  ///< "trust-ping"
  std::uint32_t major = 0;
  std::uint32_t minor = 0;
  std::string name;  ///< "ping"

  /// Errors: malformed, limit_exceeded.
  [[nodiscard]] static Result<MessageType> parse(std::string_view uri);
  [[nodiscard]] std::string text() const;
  [[nodiscard]] std::string protocol_uri() const;  ///< Without the name.
};

/// Whether two types mean the same message: same document, protocol and name (without regard to
/// case and punctuation in the last two) and the same major version. Minor versions may differ.
[[nodiscard]] bool same_message(const MessageType& a, const MessageType& b);
/// The same for two URIs; unreadable ones are equal only when their text is.
[[nodiscard]] bool same_message(std::string_view a, std::string_view b);
[[nodiscard]] bool same_protocol(const MessageType& a, const MessageType& b);

}  // namespace kith::protocol

namespace kith {
using protocol::MessageType;
}
