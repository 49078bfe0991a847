#pragma once

/// Time as the core sees it: handed in with every event, never read from a clock here.

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/result.hpp"

namespace kith::protocol {

/// Wall-clock time, UTC, in milliseconds.
using Time = std::chrono::sys_time<std::chrono::milliseconds>;
using Duration = std::chrono::milliseconds;

[[nodiscard]] std::int64_t epoch_seconds(Time time);  ///< DIDComm headers count these.
[[nodiscard]] std::int64_t epoch_ms(Time time);
[[nodiscard]] Time from_epoch_seconds(std::int64_t seconds);  ///< Clamped to years 1970 to 9999.
[[nodiscard]] Time from_epoch_ms(std::int64_t ms);            ///< Clamped likewise.

/// "2026-11-22T01:00:00Z", seconds precision, the form of log entries and DID metadata.
[[nodiscard]] std::string utc_text(Time time);
[[nodiscard]] Result<Time> from_utc_text(std::string_view text);

}  // namespace kith::protocol

namespace kith {
using protocol::Duration;
using protocol::Time;
}  // namespace kith
