#pragma once

/// trust-ping 2.0: is the other side there, and does the channel work both ways?
///
/// Commands: `ping` {contact} -> {id}; `ping-status` {id} -> {answered, round_trip_ms?}.

#include "protocol/module.hpp"

namespace kith::protocol {

inline constexpr std::string_view kPingType = "https://didcomm.org/trust-ping/2.0/ping";
inline constexpr std::string_view kPingResponseType =
    "https://didcomm.org/trust-ping/2.0/ping-response";

class TrustPing final : public Module {
 public:
  std::string_view name() const override { return "trust-ping"; }
  std::vector<std::string> message_types() const override;
  std::vector<std::string> commands() const override { return {"ping", "ping-status"}; }
  bool only_reads(std::string_view what) const override { return what == "ping-status"; }
  Result<void> on_message(Host& host, const Inbound& inbound) override;
  Result<JsonObject> on_command(Host& host, const Command& command) override;
};

}  // namespace kith::protocol
