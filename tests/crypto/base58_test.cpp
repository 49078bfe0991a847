#include "crypto/base58.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/limits.hpp"
#include "crypto/random.hpp"

namespace kith::crypto {
namespace {

constexpr std::string_view kBase58Digits =
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";

/// As one does it by hand: divide by 58 until nothing is left.
std::string by_hand(Bytes number) {
  const auto zeros = std::ranges::find_if(number, [](auto byte) { return byte != 0; });
  std::string text(static_cast<std::size_t>(zeros - number.begin()), '1');
  std::string digits;
  while (std::ranges::any_of(number, [](auto byte) { return byte != 0; })) {
    unsigned rest = 0;
    for (std::uint8_t& byte : number) {
      rest = rest << 8 | byte;
      byte = static_cast<std::uint8_t>(rest / 58);
      rest %= 58;
    }
    digits.push_back(kBase58Digits[rest]);
  }
  return text + std::string(digits.rbegin(), digits.rend());
}

TEST(Base58, WritesTheExamplesOfTheInternetDraft) {
  EXPECT_EQ(base58(as_bytes("Hello World!")), "2NEpo7TZRRrLZSi2U");
  EXPECT_EQ(base58(as_bytes("The quick brown fox jumps over the lazy dog.")),
            "USm3fpXnKG5EUBx2ndxBDMPVciP5hGey2Jh4NDv6gmeo1LkMeiKrLJUUBk6Z");
  EXPECT_EQ(base58(*from_hex("0000287fb4cd")), "11233QC4");
  EXPECT_EQ(base58({}), "");
}

TEST(Base58, IsWhatItWouldBeByHandAndComesBack) {
  SeededRandom random(1, "base58");
  for (std::size_t size = 0; size < 80; ++size) {
    for (const std::size_t zeros : {std::size_t{0}, std::size_t{1}, size / 2, size}) {
      Bytes bytes = random.bytes(size);
      std::fill_n(bytes.begin(), std::min(zeros, size), std::uint8_t{0});
      const std::string text = base58(bytes);
      ASSERT_EQ(text, by_hand(bytes)) << hex(bytes);
      const auto back = from_base58_up_to(text, 200);
      ASSERT_TRUE(back.has_value());
      ASSERT_EQ(*back, bytes);
    }
    const Bytes ones(size, 0xff);  // Every carry.
    EXPECT_EQ(base58(ones), by_hand(ones));
    EXPECT_EQ(from_base58_up_to(base58(ones), 200).value(), ones);
  }
}

TEST(Base58, RefusesForeignCharactersWhereverTheyStand) {
  const std::string good = "2NEpo7TZRRrLZSi2U";
  for (std::size_t at = 0; at < good.size(); ++at) {
    for (int value = 0; value < 256; ++value) {
      const char c = static_cast<char>(value);
      std::string text = good;
      text[at] = c;
      EXPECT_EQ(from_base58(text).has_value(), kBase58Digits.find(c) != std::string_view::npos)
          << at << ": " << value;
    }
  }
}

TEST(Base58, RefusesWhatIsTooLong) {
  EXPECT_TRUE(from_base58(std::string(limits::kBase58CharsMax, '1')).has_value());
  EXPECT_EQ(from_base58(std::string(limits::kBase58CharsMax + 1, '1')).error().code,
            Errc::limit_exceeded);
  EXPECT_EQ(from_base58_up_to("22", 1).error().code, Errc::limit_exceeded);
}

}  // namespace
}  // namespace kith::crypto
