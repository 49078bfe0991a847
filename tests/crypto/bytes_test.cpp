#include "crypto/bytes.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"

namespace kith::crypto {
namespace {

constexpr std::string_view kAlphabet =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

TEST(Base64Url, IsThatOfTheStandard) {
  // RFC 4648 section 10, without padding.
  constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kRows{
      {{"", ""},
       {"f", "Zg"},
       {"fo", "Zm8"},
       {"foo", "Zm9v"},
       {"foob", "Zm9vYg"},
       {"fooba", "Zm9vYmE"},
       {"foobar", "Zm9vYmFy"}}};
  for (const auto& [plain, text] : kRows) {
    EXPECT_EQ(base64url(as_bytes(plain)), text);
    EXPECT_EQ(from_base64url(text).value(), to_bytes(plain));
  }
  EXPECT_EQ(base64url(Bytes{0xfb, 0xff, 0xbe}), "-_--");
}

TEST(Base64Url, ReadsWhatItWrites) {
  SeededRandom random(7, "base64url");
  for (std::size_t size = 0; size < 200; ++size) {
    const Bytes bytes = random.bytes(size);
    EXPECT_EQ(from_base64url(base64url(bytes)).value(), bytes);
  }
}

/// In each place of whole groups and of what is left over.
TEST(Base64Url, IsWrittenToTheEndOfAText) {
  for (const std::size_t size : {0U, 1U, 2U, 3U, 4U, 100U}) {
    const Bytes bytes(size, 0xa5);
    std::string text = "before";
    append_base64url(text, bytes);
    EXPECT_EQ(text, "before" + base64url(bytes));
    EXPECT_EQ(base64url(bytes).size(), base64url_size(size));
  }
}

TEST(Base64Url, RefusesEveryOtherCharacterEverywhere) {
  for (const std::string_view sound : {"AAAA", "AAAAAAAA", "AA", "AAA", "AAAAAA", "AAAAAAA"}) {
    for (std::size_t at = 0; at < sound.size(); ++at) {
      for (int c = 0; c < 256; ++c) {
        std::string text(sound);
        text[at] = static_cast<char>(c);
        const std::size_t six = kAlphabet.find(text[at]);
        // The last character of a group of two or three says more than its bytes hold.
        const std::size_t rest = text.size() % 4;
        const std::size_t spare = at + 1 < text.size() || rest == 0 ? 1 : rest == 2 ? 16 : 4;
        const bool fits = six != std::string_view::npos && six % spare == 0;
        const auto read = from_base64url(text);
        ASSERT_EQ(read.has_value(), fits) << sound << ' ' << at << ' ' << c;
        if (fits) {
          ASSERT_EQ(base64url(*read), text);
        } else {
          ASSERT_EQ(read.error(), Errc::malformed);
        }
      }
    }
  }
  for (const std::string_view text : {"A", "AAAAA"}) EXPECT_FALSE(from_base64url(text).has_value());
}

TEST(Bytes, APartAfterItsSizeCannotBeTakenForAnother) {
  Bytes parts{0x09};
  append_sized(parts, as_bytes("ab"));
  append_sized(parts, {});
  EXPECT_EQ(hex(parts), "0900000002616200000000");
  Bytes moved{0x09};
  append_sized(moved, as_bytes("a"));
  append_sized(moved, as_bytes("b"));
  EXPECT_NE(parts, moved);
}

}  // namespace
}  // namespace kith::crypto
