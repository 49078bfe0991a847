#include "recovery/terms.hpp"

#include <array>
#include <string>

#include "crypto/assert.hpp"

namespace kith::recovery {
namespace {

struct WaitingRow {
  WaitingClass waiting;
  std::string_view name;
  Duration period;
};

constexpr std::array<WaitingRow, 7> kWaiting{{
    {WaitingClass::one_day, "1d", std::chrono::hours{24}},
    {WaitingClass::three_days, "3d", std::chrono::hours{24 * 3}},
    {WaitingClass::one_week, "7d", std::chrono::hours{24 * 7}},
    {WaitingClass::two_weeks, "14d", std::chrono::hours{24 * 14}},
    {WaitingClass::one_month, "30d", std::chrono::hours{24 * 30}},
    {WaitingClass::long_test_seconds, "test-long", std::chrono::seconds{5}},
    {WaitingClass::test_seconds, "test", std::chrono::seconds{2}},
}};

const WaitingRow* row_of(WaitingClass waiting) {
  for (const WaitingRow& row : kWaiting) {
    if (row.waiting == waiting) return &row;
  }
  return nullptr;
}

Duration days(const Terms& terms, std::uint16_t count) {
  if (is_for_tests(terms.waiting)) return std::chrono::seconds{count};
  return std::chrono::hours{24} * count;
}

}  // namespace

bool is_valid(WaitingClass waiting) {
  return row_of(waiting) != nullptr;
}

std::string_view waiting_name(WaitingClass waiting) {
  const WaitingRow* row = row_of(waiting);
  ASSERT(row != nullptr);
  return row->name;
}

Result<WaitingClass> waiting_from_name(std::string_view name) {
  for (const WaitingRow& row : kWaiting) {
    if (row.name == name) return row.waiting;
  }
  return fail(Errc::malformed, "waiting period: use 1d, 3d, 7d, 14d or 30d");
}

Result<void> check_terms(const Terms& terms, TestMode mode) {
  if (!is_valid(terms.waiting)) return fail(Errc::malformed, "unknown waiting class");
  const bool test = is_for_tests(terms.waiting);
  if (test && mode == TestMode::off) {
    return fail(Errc::refused, "a waiting period of seconds is for tests only");
  }
  if (terms.override_days > kTermDaysMax || terms.contest_days > kTermDaysMax) {
    return fail(Errc::limit_exceeded, "more than 366 days");
  }
  if (terms.override_allowed && override_period(terms) < 2 * waiting_period(terms)) {
    return fail(Errc::malformed, "the override must take at least twice the waiting period");
  }
  if (terms.contest_days == 0 && !test) return fail(Errc::malformed, "no contest days");
  return {};
}

Duration waiting_period(const Terms& terms) {
  const WaitingRow* row = row_of(terms.waiting);
  ASSERT(row != nullptr);
  return row->period;
}

Duration override_period(const Terms& terms) {
  return days(terms, terms.override_days);
}

Duration contest_period(const Terms& terms) {
  return days(terms, terms.contest_days);
}

bool weakens(const Terms& current, const Terms& next) {
  return waiting_period(next) < waiting_period(current) ||
         contest_period(next) < contest_period(current) ||
         (next.override_allowed &&
          (!current.override_allowed || override_period(next) < override_period(current))) ||
         (next.classic_allowed && !current.classic_allowed);
}

}  // namespace kith::recovery
