#include "protocol/time.hpp"

#include <algorithm>
#include <cstdio>

namespace kith::protocol {
namespace {

constexpr std::int64_t kMaxSeconds = 253402300799;  // 9999-12-31T23:59:59Z

/// Reads `count` digits at `at`; -1 if one is not a digit.
int digits(std::string_view text, std::size_t at, std::size_t count) {
  int value = 0;
  for (std::size_t i = at; i < at + count; ++i) {
    if (text[i] < '0' || text[i] > '9') return -1;
    value = value * 10 + (text[i] - '0');
  }
  return value;
}

}  // namespace

std::int64_t epoch_ms(Time time) {
  return time.time_since_epoch().count();
}
std::int64_t epoch_seconds(Time time) {
  return std::chrono::floor<std::chrono::seconds>(time).time_since_epoch().count();
}
Time from_epoch_ms(std::int64_t ms) {
  return Time{Duration{std::clamp<std::int64_t>(ms, 0, kMaxSeconds * 1000)}};
}
Time from_epoch_seconds(std::int64_t seconds) {
  return from_epoch_ms(std::clamp<std::int64_t>(seconds, 0, kMaxSeconds) * 1000);
}

std::string utc_text(Time time) {
  const auto clamped = from_epoch_ms(epoch_ms(time));
  const auto day = std::chrono::floor<std::chrono::days>(clamped);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{std::chrono::floor<std::chrono::seconds>(clamped - day)};
  char text[40];
  std::snprintf(text, sizeof text, "%04d-%02u-%02uT%02d:%02d:%02dZ", static_cast<int>(date.year()),
                static_cast<unsigned>(date.month()), static_cast<unsigned>(date.day()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return text;
}

Result<Time> from_utc_text(std::string_view text) {
  const auto bad = [] { return fail(Errc::malformed, "time is not like 2026-11-22T01:00:00Z"); };
  if (text.size() != 20 || text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':' ||
      text[16] != ':' || text[19] != 'Z') {
    return bad();
  }
  const int year = digits(text, 0, 4), month = digits(text, 5, 2), day = digits(text, 8, 2);
  const int hour = digits(text, 11, 2), minute = digits(text, 14, 2), second = digits(text, 17, 2);
  if (year < 1970 || month < 1 || day < 1 || hour < 0 || hour > 23 || minute < 0 || minute > 59 ||
      second < 0 || second > 59) {
    return bad();
  }
  const std::chrono::year_month_day date{std::chrono::year{year},
                                         std::chrono::month{static_cast<unsigned>(month)},
                                         std::chrono::day{static_cast<unsigned>(day)}};
  if (!date.ok()) return bad();
  return Time{std::chrono::sys_days{date}} + std::chrono::hours{hour} +
         std::chrono::minutes{minute} + std::chrono::seconds{second};
}

}  // namespace kith::protocol
