#include "crypto/result.hpp"

#include <gtest/gtest.h>

#include <array>
#include <memory>
#include <vector>

namespace kith::crypto {
namespace {

Result<int> half(int number) {
  if (number % 2 != 0) return fail(Errc::malformed, "odd");
  return number / 2;
}

Result<int> quarter(int number) {
  TRY(const int once, half(number));
  return half(once);
}

Result<void> is_even(int number) {
  CHECK(half(number));
  return {};
}

TEST(Result, HoldsAValueOrAnError) {
  EXPECT_EQ(half(6).value(), 3);
  EXPECT_TRUE(half(6).has_value());
  EXPECT_FALSE(half(7).has_value());
  EXPECT_TRUE(half(7).has_error());
  EXPECT_TRUE(half(7).error() == Errc::malformed);
  EXPECT_EQ(half(7).error().detail, "odd");
  EXPECT_TRUE(is_even(2).has_value());
  EXPECT_TRUE(is_even(3).error() == Errc::malformed);
}

TEST(Result, TryAndCheckPassTheFirstErrorOn) {
  EXPECT_EQ(*quarter(8), 2);
  EXPECT_EQ(quarter(6).error().detail, "odd");
  EXPECT_EQ(quarter(7).error().detail, "odd");
}

TEST(Result, AbortsWhenAskedForWhatItDoesNotHold) {
  const auto failed = half(7);
  const auto fine = half(6);
  EXPECT_DEATH((void)*failed, "value of a failed Result: odd");
  EXPECT_DEATH((void)failed.value(), "value of a failed Result: odd");
  EXPECT_DEATH((void)fine.error(), "error of a Result that holds a value");
  EXPECT_DEATH(is_even(3).value(), "value of a failed Result: odd");
  EXPECT_DEATH((void)is_even(2).error(), "error of a Result that holds a value");
}

TEST(Result, CarriesWhatCanOnlyBeMoved) {
  Result<std::unique_ptr<int>> first = std::make_unique<int>(4);
  Result<std::unique_ptr<int>> second = std::move(first);
  EXPECT_EQ(**second, 4);
  EXPECT_EQ(*first, nullptr);  // Moved from, it still holds a value.
  const std::unique_ptr<int> taken = *std::move(second);
  EXPECT_EQ(*taken, 4);
  static_assert(!std::is_copy_constructible_v<Result<std::unique_ptr<int>>>);
  static_assert(std::is_copy_constructible_v<Result<int>>);
  static_assert(!std::is_convertible_v<std::string, Result<int>>);
}

/// Counts how many of its kind live.
struct Counted {
  explicit Counted(int* living_count) : living(living_count) { ++*living; }
  Counted(const Counted& other) : living(other.living) { ++*living; }
  Counted(Counted&& other) noexcept : living(other.living) { ++*living; }
  Counted& operator=(const Counted&) = default;
  ~Counted() { --*living; }
  int* living;
};

// Every change of what is held, over itself too: each value is destroyed exactly once.
TEST(Result, AssignmentReplacesWhatWasHeld) {
  int living = 0;
  {
    const Result<Counted> value = Counted(&living);
    const Result<Counted> error = fail(Errc::malformed, "long enough not to be stored in place");
    const std::array all{&value, &error};
    for (const auto* before : all) {
      for (const auto* after : all) {
        Result<Counted> held = *before;
        held = *after;
        EXPECT_EQ(held.has_value(), after->has_value());
        held = Result<Counted>(held);
        EXPECT_EQ(held.has_value(), after->has_value());
        EXPECT_EQ(living, held.has_value() ? 2 : 1);
        EXPECT_EQ(held.has_error() ? held.error().detail : "",
                  after->has_error() ? error.error().detail : "");
      }
    }
  }
  EXPECT_EQ(living, 0);
}

TEST(Result, BuildsItsValueFromWhatConvertsToIt) {
  const Result<std::vector<std::string>> list = std::vector<std::string>{"one", "two"};
  EXPECT_EQ(list->size(), 2U);
  const Result<std::string> text = "a literal";
  EXPECT_EQ(*text, "a literal");
  const Result<std::optional<int>> none = std::nullopt;
  EXPECT_FALSE(none->has_value());
}

// A loop over what a temporary holds: the Result is gone before the first turn.
TEST(Result, ATemporaryGivesItsContentAway) {
  const auto list = [] { return Result<std::vector<int>>(std::vector<int>{1, 2, 3}); };
  int sum = 0;
  for (const int number : list().value()) sum += number;
  for (const int number : *list()) sum += number;
  EXPECT_EQ(sum, 12);
  static_assert(!std::is_reference_v<decltype(list().value())>);
  static_assert(!std::is_reference_v<decltype(*list())>);
  static_assert(!std::is_reference_v<decltype(list().error())>);
}

}  // namespace
}  // namespace kith::crypto
