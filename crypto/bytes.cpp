#include "crypto/bytes.hpp"

#include <algorithm>
#include <cstring>

#include "crypto/assert.hpp"
#include "crypto/limits.hpp"

namespace kith::crypto {
namespace {

constexpr std::string_view kBase64Url =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
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

/// The two characters of every twelve bits.
constexpr auto kBase64UrlPairs = [] {
  std::array<std::array<char, 2>, 4096> pairs{};
  for (std::size_t i = 0; i < pairs.size(); ++i)
    pairs[i] = {kBase64Url[i >> 6], kBase64Url[i & 63]};
  return pairs;
}();

/// What each character adds to three bytes, by its place among four.
constexpr std::uint32_t kNotBase64Url = 1U << 24;
constexpr auto kBase64UrlParts = [] {
  std::array<std::array<std::uint32_t, 256>, 4> parts{};
  for (std::size_t place = 0; place < parts.size(); ++place) {
    parts[place].fill(kNotBase64Url);
    for (std::uint32_t i = 0; i < kBase64Url.size(); ++i) {
      parts[place][static_cast<unsigned char>(kBase64Url[i])] = i << (18 - 6 * place);
    }
  }
  return parts;
}();

constexpr auto kHexValue = reverse(kHex);

template <std::size_t N>
std::array<std::uint8_t, N> big_endian(std::uint64_t value) {
  std::array<std::uint8_t, N> bytes{};
  for (std::size_t i = N; i > 0; --i, value >>= 8) bytes[i - 1] = static_cast<std::uint8_t>(value);
  return bytes;
}

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
  append(to, big_endian<4>(value));
}

void append_u64_be(Bytes& to, std::uint64_t value) {
  append(to, big_endian<8>(value));
}

void append_sized(Bytes& to, ByteView part) {
  ASSERT(part.size() <= UINT32_MAX);
  append_u32_be(to, static_cast<std::uint32_t>(part.size()));
  append(to, part);
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
  std::string text;
  append_base64url(text, bytes);
  return text;
}

void append_base64url(std::string& to, ByteView bytes) {
  const std::size_t before = to.size();
  to.resize(before + base64url_size(bytes.size()));
  char* out = to.data() + before;
  const auto put = [&out](std::uint32_t twelve) {
    std::memcpy(out, kBase64UrlPairs[twelve & 0xfff].data(), 2);
    out += 2;
  };
  const std::uint8_t* in = bytes.data();
  for (std::size_t groups = bytes.size() / 3; groups > 0; --groups, in += 3) {
    const std::uint32_t group = std::uint32_t{in[0]} << 16 | std::uint32_t{in[1]} << 8 | in[2];
    put(group >> 12);
    put(group);
  }
  const std::size_t rest = bytes.size() % 3;
  if (rest == 0) return;
  const std::uint32_t group = std::uint32_t{in[0]} << 8 | (rest == 2 ? in[1] : 0U);
  put(group >> 4);
  if (rest == 2) *out = kBase64Url[(group << 2) & 63];
}

Result<Bytes> from_base64url(std::string_view text) {
  if (text.size() % 4 == 1) return fail(Errc::malformed, "base64url has an impossible length");
  Bytes bytes(text.size() * 3 / 4);
  const auto& [first, second, third, fourth] = kBase64UrlParts;
  const std::uint8_t* in = as_bytes(text).data();
  std::uint8_t* out = bytes.data();
  std::uint32_t seen = 0;
  for (std::size_t groups = text.size() / 4; groups > 0; --groups, in += 4, out += 3) {
    const std::uint32_t group = first[in[0]] | second[in[1]] | third[in[2]] | fourth[in[3]];
    seen |= group;
    out[0] = static_cast<std::uint8_t>(group >> 16);
    out[1] = static_cast<std::uint8_t>(group >> 8);
    out[2] = static_cast<std::uint8_t>(group);
  }
  const std::size_t rest = text.size() % 4;
  std::uint32_t group = 0;
  if (rest > 0) group = first[in[0]] | second[in[1]] | (rest == 3 ? third[in[2]] : 0);
  if (((seen | group) & kNotBase64Url) != 0) {
    return fail(Errc::malformed, "not base64url without padding");
  }
  const std::uint32_t spare = rest == 3 ? 0xff : 0xffff;
  if ((group & spare) != 0) return fail(Errc::malformed, "base64url is not canonical");
  if (rest > 0) out[0] = static_cast<std::uint8_t>(group >> 16);
  if (rest == 3) out[1] = static_cast<std::uint8_t>(group >> 8);
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
