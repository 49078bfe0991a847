#pragma once

/// messagepickup 3.0 and message-pickup 4.0: what differs between the two. Mailboxes and live mode
/// are the same for both; a client may use either, also both in turn.
///
/// Texts: didcomm.org, "messagepickup/3.0" and "message-pickup/4.0".

#include <array>
#include <string>
#include <string_view>

#include "protocol/time.hpp"

namespace kith::protocol {

struct PickupDialect {
  std::string_view prefix;   ///< Protocol URI with the slash before a message's name.
  const char* limit_member;  ///< Of a delivery-request.
  /// Where nothing waits, a delivery-request is answered by an empty delivery, not by a status.
  bool empty_delivery;
  bool milliseconds;        ///< Times in a status count these, not seconds.
  bool tells_longest_wait;  ///< `longest_waited_seconds` in a status.
  bool receipt_answered;    ///< messages-received is answered by a status.
  /// Type of the report that a connection cannot take live mode; empty: report-problem 2.0.
  std::string_view problem_type;

  /// The protocol, as discover-features names it.
  [[nodiscard]] std::string_view uri() const { return prefix.substr(0, prefix.size() - 1); }
  [[nodiscard]] std::string type(std::string_view name) const {
    return std::string(prefix) + std::string(name);
  }
  [[nodiscard]] std::int64_t time(Time time) const {
    return milliseconds ? epoch_ms(time) : epoch_seconds(time);
  }
};

inline constexpr PickupDialect kPickup3{
    "https://didcomm.org/messagepickup/3.0/", "limit", false, false, true, true, ""};
inline constexpr PickupDialect kPickup4{"https://didcomm.org/message-pickup/4.0/",
                                        "message_count_limit",
                                        true,
                                        true,
                                        false,
                                        false,
                                        "https://didcomm.org/message-pickup/4.0/problem-report"};
inline constexpr std::array<const PickupDialect*, 2> kPickupDialects{&kPickup3, &kPickup4};

/// The dialect of a message type; null if it is none of pickup's.
[[nodiscard]] inline const PickupDialect* pickup_dialect_of(std::string_view message_type) {
  for (const PickupDialect* dialect : kPickupDialects) {
    if (message_type.starts_with(dialect->prefix)) return dialect;
  }
  return nullptr;
}

// Names of the messages.
inline constexpr std::string_view kStatusRequest = "status-request";
inline constexpr std::string_view kStatus = "status";
inline constexpr std::string_view kDeliveryRequest = "delivery-request";
inline constexpr std::string_view kDelivery = "delivery";
inline constexpr std::string_view kMessagesReceived = "messages-received";
inline constexpr std::string_view kLiveDeliveryChange = "live-delivery-change";

}  // namespace kith::protocol
