#pragma once

/// basicmessage 2.0: short texts between people. Received ones become notices and stay readable.
///
/// Commands: `send` {contact, text} -> {id}; `messages` {contact?} -> {messages: [{contact, text,
/// time, direction}]}, oldest first, at most limits::kMessagesKept of them.

#include "protocol/module.hpp"

namespace kith::protocol {

inline constexpr std::string_view kBasicMessageType =
    "https://didcomm.org/basicmessage/2.0/message";

class BasicMessage final : public Module {
 public:
  std::string_view name() const override { return "basic-message"; }
  std::vector<std::string> message_types() const override {
    return {std::string(kBasicMessageType)};
  }
  std::vector<std::string> commands() const override { return {"send", "messages"}; }
  bool only_reads(std::string_view what) const override { return what == "messages"; }
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
};

}  // namespace kith::protocol
