#pragma once

/// basicmessage 2.0: short texts between people. Received ones become notices and stay readable.
///
/// Commands
///   send {contact, text, lang?} -> {id, contact}
///       `lang`: the text's language, for people who read several (RFC 5646).
///       Errors: usage, limit_exceeded, unknown_peer, wrong_state.
///   messages {contact?} -> {messages: [{contact, text, time, direction, lang?, delivered?}]}
///       Oldest first, at most limits::kMessagesKept. `delivered`, of sent ones: the other agent
///       has acknowledged it. What a peer's lost device could alone have read is sent again
///       (resend_texts).

#include "protocol/contact.hpp"
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
  void on_acks(Host& host, const Inbound& inbound) override;
  /// The other side says which languages it reads (DIDComm v2.1, "Asking for a different lang").
  void on_problem(Host& host, const Inbound& inbound, const ProblemReport& report) override;
};

/// For when a contact's keys have changed: sends again, with their old ids, the texts that it has
/// not acknowledged: of the last 14 days, at most 100 of them. Those that it could read after all
/// are known to it by their ids.
void resend_texts(Host& host, const Contact& contact);

/// A text that another device of the owner sent or got (record of collection `text`). One that is
/// known here already only takes over that it was delivered. Errors: malformed.
[[nodiscard]] Result<void> take_shared_text(Host& host, std::string_view id, ByteView record);

}  // namespace kith::protocol
