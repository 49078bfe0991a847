#include "crypto/bytes.hpp"

#include <algorithm>

#include "crypto/base58.hpp"
#include "crypto/limits.hpp"

namespace kith::crypto {
namespace {

constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
constexpr std::string_view kBase58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
constexpr std::string_view kHex = "0123456789abcdef";

/// Position of every character in `alphabet`, or -1.
constexpr std::array<std::int8_t, 256> reverse(std::string_view alphabet) {
  std::array<std::int8_t, 256> table{};
  table.fill(-1);
  for (std::size_t i = 0; i < alphabet.size(); ++i) {
    table[static_cast<unsigned char>(alphabet[i])] = static_cast<std::int8_t>(i);
  }
  return table;
}

constexpr auto kBase64UrlValue = reverse(kBase64Url);
constexpr auto kBase58Value = reverse(kBase58);
constexpr auto kHexValue = reverse(kHex);

unsigned value_of(const std::array<std::int8_t, 256>& table, char c, bool& ok) {
  const std::int8_t value = table[static_cast<unsigned char>(c)];
  ok = ok && value >= 0;
  return static_cast<unsigned>(value) & 0xff;
}

}  // namespace

ByteView as_bytes(std::string_view text) {
  return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

std::string_view as_text(ByteView bytes) {
  return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

Bytes to_bytes(ByteView view) {
  return {view.begin(), view.end()};
}
Bytes to_bytes(std::string_view text) {
  return to_bytes(as_bytes(text));
}
void append(Bytes& to, ByteView more) {
  to.insert(to.end(), more.begin(), more.end());
}
bool equal(ByteView a, ByteView b) {
  return std::ranges::equal(a, b);
}

void append_u32_be(Bytes& to, std::uint32_t value) {
  for (int shift = 24; shift >= 0; shift -= 8)
    to.push_back(static_cast<std::uint8_t>(value >> shift));
}

void append_u64_be(Bytes& to, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8)
    to.push_back(static_cast<std::uint8_t>(value >> shift));
}

std::string hex(ByteView bytes) {
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::uint8_t byte : bytes) {
    text.push_back(kHex[byte >> 4]);
    text.push_back(kHex[byte & 15]);
  }
  return text;
}

Result<Bytes> from_hex(std::string_view text) {
  if (text.size() % 2 != 0) return fail(Errc::malformed, "hex has an odd number of digits");
  Bytes bytes;
  bytes.reserve(text.size() / 2);
  bool ok = true;
  for (std::size_t i = 0; i < text.size(); i += 2) {
    const unsigned high = value_of(kHexValue, text[i], ok);
    const unsigned low = value_of(kHexValue, text[i + 1], ok);
    bytes.push_back(static_cast<std::uint8_t>((high << 4) | (low & 15)));
  }
  if (!ok) return fail(Errc::malformed, "not lower-case hex");
  return bytes;
}

std::string base64url(ByteView bytes) {
  std::string text((bytes.size() * 4 + 2) / 3, '\0');
  char* out = text.data();
  const auto put = [&out](std::uint32_t six) { *out++ = kBase64Url[six & 63]; };
  std::size_t at = 0;
  for (; at + 3 <= bytes.size(); at += 3) {
    const std::uint32_t group =
        std::uint32_t{bytes[at]} << 16 | std::uint32_t{bytes[at + 1]} << 8 | bytes[at + 2];
    put(group >> 18);
    put(group >> 12);
    put(group >> 6);
    put(group);
  }
  if (at == bytes.size()) return text;
  const bool two = at + 2 == bytes.size();
  const std::uint32_t group = std::uint32_t{bytes[at]} << 8 | (two ? bytes[at + 1] : 0U);
  put(group >> 10);
  put(group >> 4);
  if (two) put(group << 2);
  return text;
}

Result<Bytes> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return fail(Errc::malformed, "base64url has an impossible length");
  Bytes bytes(text.size() * 3 / 4);
  std::uint8_t* out = bytes.data();
  const auto put = [&out](std::uint32_t byte) { *out++ = static_cast<std::uint8_t>(byte); };
  std::uint32_t group = 0;
  std::int32_t wrong = 0;  // Negative when any character was.
  const auto take = [&](char c) {
    const std::int32_t six = kBase64UrlValue[static_cast<unsigned char>(c)];
    wrong |= six;
    group = group << 6 | (static_cast<std::uint32_t>(six) & 63);
  };
  std::size_t at = 0;
  for (; at + 4 <= text.size(); at += 4) {
    for (std::size_t i = 0; i < 4; ++i) take(text[at + i]);
    put(group >> 16);
    put(group >> 8);
    put(group);
  }
  const std::size_t rest = text.size() - at;
  for (; at < text.size(); ++at) take(text[at]);
  if (wrong < 0) return fail(Errc::malformed, "not base64url without padding");
  if (rest == 0) return bytes;
  const unsigned spare = rest == 2 ? 4 : 2;
  if ((group & ((1U << spare) - 1)) != 0)
    return fail(Errc::malformed, "base64url is not canonical");
  if (rest == 3) put(group >> 10);
  put(group >> spare);
  return bytes;
}

std::string base58(ByteView bytes) {
  std::size_t zeros = 0;
  while (zeros < bytes.size() && bytes[zeros] == 0) ++zeros;
  std::vector<std::uint8_t> digits;  // Least significant first.
  for (const std::uint8_t byte : bytes.subspan(zeros)) {
    std::uint32_t carry = byte;
    for (std::uint8_t& digit : digits) {
      carry += std::uint32_t{digit} << 8;
      digit = static_cast<std::uint8_t>(carry % 58);
      carry /= 58;
    }
    for (; carry > 0; carry /= 58) digits.push_back(static_cast<std::uint8_t>(carry % 58));
  }
  std::string text(zeros, '1');
  for (auto digit = digits.rbegin(); digit != digits.rend(); ++digit)
    text.push_back(kBase58[*digit]);
  return text;
}

Result<Bytes> from_base58(std::string_view text) {
  return from_base58_up_to(text, limits::kBase58CharsMax);
}

Result<Bytes> from_base58_up_to(std::string_view text, std::size_t chars_max) {
  if (text.size() > chars_max) return fail(Errc::limit_exceeded, "base58 text too long");
  std::size_t zeros = 0;
  while (zeros < text.size() && text[zeros] == '1') ++zeros;
  Bytes bytes;  // Least significant first.
  bool ok = true;
  for (const char c : text.substr(zeros)) {
    std::uint32_t carry = value_of(kBase58Value, c, ok);
    if (!ok) return fail(Errc::malformed, "not base58");
    for (std::uint8_t& byte : bytes) {
      carry += std::uint32_t{byte} * 58;
      byte = static_cast<std::uint8_t>(carry);
      carry >>= 8;
    }
    for (; carry > 0; carry >>= 8) bytes.push_back(static_cast<std::uint8_t>(carry));
  }
  bytes.insert(bytes.end(), zeros, 0);
  std::ranges::reverse(bytes);
  return bytes;
}

std::string multibase(ByteView bytes) {
  return "z" + base58(bytes);
}

Result<Bytes> from_multibase(std::string_view text) {
  if (text.starts_with('z')) return from_base58(text.substr(1));
  if (text.starts_with('u')) return from_base64url(text.substr(1));
  return fail(Errc::unsupported, "multibase must start with z or u");
}

}  // namespace kith::crypto
