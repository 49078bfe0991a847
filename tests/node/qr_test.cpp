#include "node/cli/qr.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/limits.hpp"

namespace kith::node {
namespace {

std::size_t lines_of(const std::string& text) {
  return static_cast<std::size_t>(std::count(text.begin(), text.end(), '\n'));
}

/// The ring of seven dark, five light and three dark modules at (x, y).
bool is_finder(const QrCode& code, std::size_t x, std::size_t y) {
  for (std::size_t dy = 0; dy < 7; ++dy) {
    for (std::size_t dx = 0; dx < 7; ++dx) {
      const std::size_t ring = std::min({dx, dy, 6 - dx, 6 - dy});
      if (code.at(x + dx, y + dy) != (ring != 1)) return false;
    }
  }
  return true;
}

// ISO/IEC 18004: a quiet zone of four modules, finders in three corners, sizes 21 + 4 n.
TEST(Qr, HasTheShapeOfTheStandard) {
  const auto code = make_qr("https://relay.test/invitation?_oobid=69212a3a-d068-4f9d-a2dd");
  ASSERT_TRUE(code.has_value());
  EXPECT_EQ((code->width - 8 - 21) % 4, 0U);
  for (std::size_t i = 0; i < code->width; ++i) {
    for (std::size_t border = 0; border < 4; ++border) {
      EXPECT_FALSE(code->at(i, border) || code->at(border, i) ||
                   code->at(i, code->width - 1 - border) || code->at(code->width - 1 - border, i));
    }
  }
  const std::size_t far = code->width - 4 - 7;
  EXPECT_TRUE(is_finder(*code, 4, 4));
  EXPECT_TRUE(is_finder(*code, far, 4));
  EXPECT_TRUE(is_finder(*code, 4, far));
  EXPECT_FALSE(is_finder(*code, far, far));
}

TEST(Qr, TakesTheLongestInvitationThatFitsAndNoLonger) {
  EXPECT_EQ(make_qr(std::string(limits::kQrTextBytesMax, 'a'))->width, 177U + 8U);
  EXPECT_EQ(make_qr(std::string(limits::kQrTextBytesMax + 1, 'a')).error().code,
            Errc::limit_exceeded);
  EXPECT_EQ(make_qr("").error().code, Errc::malformed);
  EXPECT_EQ(make_qr(std::string_view("a\0b", 3)).error().code, Errc::malformed);
  EXPECT_NE(make_qr("one")->dark, make_qr("two")->dark);
}

TEST(Qr, IsDrawnInTextInAllStyles) {
  const QrCode code = *make_qr("kith");
  const std::string utf8 = qr_text(code, {true, false});
  EXPECT_EQ(lines_of(utf8), (code.width + 1) / 2);
  EXPECT_EQ(utf8.find('\x1b'), std::string::npos);
  EXPECT_TRUE(utf8.starts_with("\u2588")) << "the quiet zone is light, and light is drawn";
  const std::string ascii = qr_text(code, {false, false});
  EXPECT_EQ(lines_of(ascii), code.width);
  EXPECT_EQ(ascii.find('\n'), code.width * 2);
  const auto light =
      static_cast<std::size_t>(std::count(code.dark.begin(), code.dark.end(), false));
  EXPECT_EQ(static_cast<std::size_t>(std::count(ascii.begin(), ascii.end(), '#')), light * 2);
  const std::string coloured = qr_text(code, {false, true});
  EXPECT_EQ(static_cast<std::size_t>(std::count(coloured.begin(), coloured.end(), '#')),
            (code.dark.size() - light) * 2);
  EXPECT_NE(coloured.find("\x1b[0m\n"), std::string::npos) << "each line ends its colours";
}

TEST(Qr, IsWrittenAsPictures) {
  const QrCode code = *make_qr("kith");
  const std::string svg = qr_svg(code);
  EXPECT_TRUE(svg.starts_with("<?xml"));
  EXPECT_TRUE(svg.ends_with("</svg>\n"));
  EXPECT_NE(svg.find("M4 4h7v1h-7z"), std::string::npos) << "the edge of the first finder";
  const auto png = qr_png(code);
  ASSERT_TRUE(png.has_value());
  EXPECT_TRUE(crypto::as_text(*png).starts_with("\x89PNG\r\n\x1a\n"));
  // IHDR: width, big-endian.
  const auto byte = [&](std::size_t i) { return std::size_t{(*png)[i]}; };
  const std::size_t width = byte(18) * 256 + byte(19);
  EXPECT_EQ(width, code.width * 8);
}

}  // namespace
}  // namespace kith::node
