#pragma once

/// The terms of a leaf record: how long a trustee waits, keeps and lets itself be overridden
/// (recovery-protocol sections 2 and 8). Values are wire values: never renumber.

#include <cstdint>
#include <string_view>

#include "crypto/result.hpp"
#include "protocol/time.hpp"

namespace kith::recovery {

/// How long a trustee waits between approval and release.
enum class WaitingClass : std::uint8_t {
  one_day = 1,
  three_days = 2,
  one_week = 3,
  two_weeks = 4,
  one_month = 5,  ///< 30 days.
  /// Test mode only: five and two seconds; override and contest "days" are seconds.
  long_test_seconds = 254,
  test_seconds = 255,
};
[[nodiscard]] bool is_valid(WaitingClass waiting);

[[nodiscard]] constexpr bool is_for_tests(WaitingClass waiting) {
  return waiting == WaitingClass::test_seconds || waiting == WaitingClass::long_test_seconds;
}

/// "1d", "3d", "7d", "14d", "30d", "test", "test-long". Errors of reading: malformed.
[[nodiscard]] std::string_view waiting_name(WaitingClass waiting);
[[nodiscard]] Result<WaitingClass> waiting_from_name(std::string_view name);

enum class TestMode : bool { off = false, on = true };

struct Terms {
  WaitingClass waiting = WaitingClass::one_week;
  std::uint16_t override_days = 14;  ///< After a veto; at least twice the waiting period.
  std::uint16_t contest_days = 49;   ///< How long replaced and deleted versions stay releasable.
  bool override_allowed = true;
  bool classic_allowed = false;  ///< The trustee may hand the share itself out.

  template <class V>
  void visit(V& v) {
    v("waiting", waiting), v("override_days", override_days), v("contest_days", contest_days);
    v("override_allowed", override_allowed), v("classic_allowed", classic_allowed);
  }
  friend bool operator==(const Terms&, const Terms&) = default;
};

inline constexpr std::uint16_t kTermDaysMax = 366;

/// The class is known and, if for tests, allowed; the override is at least twice the waiting
/// period (if allowed at all); contest is 1 to kTermDaysMax days (0 too in tests).
/// Errors: malformed, limit_exceeded; refused for the classes of tests outside test mode.
[[nodiscard]] Result<void> check_terms(const Terms& terms, TestMode mode);

[[nodiscard]] Duration waiting_period(const Terms& terms);
[[nodiscard]] Duration override_period(const Terms& terms);
[[nodiscard]] Duration contest_period(const Terms& terms);

/// Whether `next` protects the owner less than `current` in any of waiting, override, contest: such
/// terms apply only after the old contest period (section 8).
[[nodiscard]] bool weakens(const Terms& current, const Terms& next);

}  // namespace kith::recovery
