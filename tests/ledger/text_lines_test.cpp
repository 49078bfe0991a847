// Lines and numbers as C2SP writes them, in one spelling.

#include "ledger/text_lines.hpp"

#include <gtest/gtest.h>

namespace kith::ledger {
namespace {

TEST(TextLines, AreTakenOneByOneWithoutTheirNewlines) {
  std::string_view text = "first\n\nlast\nrest";
  EXPECT_EQ(take_line(text), "first");
  EXPECT_EQ(take_line(text), "");
  EXPECT_EQ(take_line(text), "last");
  EXPECT_EQ(take_line(text), std::nullopt) << "without a newline it is no line";
  EXPECT_EQ(text, "rest");
}

TEST(TextLines, NumbersHaveOneSpelling) {
  EXPECT_EQ(plain_decimal("0"), 0U);
  EXPECT_EQ(plain_decimal("18446744073709551615"), ~std::uint64_t{0});
  for (const std::string_view other :
       {"", "00", "01", "-1", "+1", " 1", "1 ", "1\n", "0x1", "1.0", "18446744073709551616"}) {
    EXPECT_EQ(plain_decimal(other), std::nullopt) << other;
  }
}

}  // namespace
}  // namespace kith::ledger
