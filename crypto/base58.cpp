#include "crypto/base58.hpp"

#include <algorithm>
#include <array>

#include "crypto/limits.hpp"

namespace kith::crypto {
namespace {

constexpr std::string_view kBase58Alphabet =
    "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::size_t kGroupDigits = 5;
constexpr std::uint32_t kGroup = 58 * 58 * 58 * 58 * 58;  ///< Below 2^30: five digits are one limb.

constexpr auto kBase58Digits = [] {
  std::array<std::int8_t, 256> digits{};
  digits.fill(-1);
  for (std::size_t i = 0; i < kBase58Alphabet.size(); ++i) {
    digits[static_cast<unsigned char>(kBase58Alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return digits;
}();

/// Limbs, least significant first: limbs * factor + add, in `base`.
void multiply_add(std::vector<std::uint32_t>& limbs, std::uint64_t factor, std::uint64_t add,
                  std::uint64_t base) {
  std::uint64_t carry = add;
  for (std::uint32_t& limb : limbs) {
    carry += factor * limb;
    limb = static_cast<std::uint32_t>(carry % base);
    carry /= base;
  }
  for (; carry > 0; carry /= base) limbs.push_back(static_cast<std::uint32_t>(carry % base));
}

}  // namespace

std::string base58(ByteView bytes) {
  std::size_t zeros = 0;
  while (zeros < bytes.size() && bytes[zeros] == 0) ++zeros;
  std::vector<std::uint32_t> groups;
  groups.reserve(bytes.size() / 3 + 1);
  for (std::size_t at = zeros; at < bytes.size();) {
    const std::size_t count = (bytes.size() - at) % 4 == 0 ? 4 : (bytes.size() - at) % 4;
    std::uint64_t word = 0;
    for (std::size_t i = 0; i < count; ++i) word = word << 8 | bytes[at++];
    multiply_add(groups, std::uint64_t{1} << (8 * count), word, kGroup);
  }
  std::string text;  // Last digit first.
  text.reserve(zeros + groups.size() * kGroupDigits);
  for (std::uint32_t group : groups) {
    for (std::size_t i = 0; i < kGroupDigits; ++i, group /= 58) {
      text.push_back(kBase58Alphabet[group % 58]);
    }
  }
  while (!groups.empty() && text.back() == kBase58Alphabet[0]) text.pop_back();
  text.append(zeros, kBase58Alphabet[0]);
  std::ranges::reverse(text);
  return text;
}

Result<Bytes> from_base58(std::string_view text) {
  return from_base58_up_to(text, limits::kBase58CharsMax);
}

Result<Bytes> from_base58_up_to(std::string_view text, std::size_t chars_max) {
  if (text.size() > chars_max) return fail(Errc::limit_exceeded, "base58 text too long");
  std::size_t zeros = 0;
  while (zeros < text.size() && text[zeros] == kBase58Alphabet[0]) ++zeros;
  std::vector<std::uint32_t> words;
  words.reserve(text.size() / 5 + 1);
  for (std::size_t at = zeros; at < text.size();) {
    std::uint64_t factor = 1;
    std::uint64_t group = 0;
    for (std::size_t i = 0; i < kGroupDigits && at < text.size(); ++i, factor *= 58) {
      const std::int8_t digit = kBase58Digits[static_cast<unsigned char>(text[at++])];
      if (digit < 0) return fail(Errc::malformed, "not base58");
      group = group * 58 + static_cast<std::uint64_t>(digit);
    }
    multiply_add(words, factor, group, std::uint64_t{1} << 32);
  }
  Bytes bytes;  // Last byte first.
  bytes.reserve(zeros + words.size() * 4);
  for (std::uint32_t word : words) {
    for (int i = 0; i < 4; ++i, word >>= 8) bytes.push_back(static_cast<std::uint8_t>(word));
  }
  while (!words.empty() && bytes.back() == 0) bytes.pop_back();
  bytes.insert(bytes.end(), zeros, 0);
  std::ranges::reverse(bytes);
  return bytes;
}

}  // namespace kith::crypto
