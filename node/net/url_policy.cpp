#include "node/net/url_policy.hpp"

#include <algorithm>
#include <array>
#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>
#include <cstddef>
#include <optional>

#include "crypto/limits.hpp"

namespace kith::node {
namespace {

using boost::asio::ip::address;
using boost::asio::ip::address_v4;
using boost::asio::ip::address_v6;

enum class AddressKind { kPublic, kPrivate, kNever };

struct Block4 {
  std::uint32_t network;
  unsigned prefix_bits;
  AddressKind kind;
};

// IANA IPv4 Special-Purpose Address Registry; the first match counts.
constexpr std::array kBlocks4{
    Block4{0xA9FEA9FE, 32, AddressKind::kNever},    // 169.254.169.254, metadata of most clouds
    Block4{0xA9FEAA02, 32, AddressKind::kNever},    // 169.254.170.2, container credentials
    Block4{0x646464C8, 32, AddressKind::kNever},    // 100.100.100.200, metadata
    Block4{0xA83F8110, 32, AddressKind::kNever},    // 168.63.129.16, host agent of a cloud
    Block4{0x00000000, 8, AddressKind::kNever},     // "this network"
    Block4{0x0A000000, 8, AddressKind::kPrivate},   // RFC 1918
    Block4{0x64400000, 10, AddressKind::kPrivate},  // RFC 6598, shared
    Block4{0x7F000000, 8, AddressKind::kPrivate},   // loopback
    Block4{0xA9FE0000, 16, AddressKind::kPrivate},  // link-local
    Block4{0xAC100000, 12, AddressKind::kPrivate},  // RFC 1918
    Block4{0xC0000000, 24, AddressKind::kNever},    // protocol assignments
    Block4{0xC0000200, 24, AddressKind::kNever},    // documentation
    Block4{0xC0586300, 24, AddressKind::kNever},    // former 6to4 relays
    Block4{0xC0A80000, 16, AddressKind::kPrivate},  // RFC 1918
    Block4{0xC6120000, 15, AddressKind::kNever},    // benchmarks
    Block4{0xC6336400, 24, AddressKind::kNever},    // documentation
    Block4{0xCB007100, 24, AddressKind::kNever},    // documentation
    Block4{0xE0000000, 4, AddressKind::kNever},     // multicast
    Block4{0xF0000000, 4, AddressKind::kNever},     // reserved, broadcast
};

AddressKind kind_of(const address_v4& v4) {
  const std::uint32_t value = v4.to_uint();
  for (const Block4& block : kBlocks4) {
    const std::uint32_t mask = ~std::uint32_t{0} << (32 - block.prefix_bits);
    if ((value & mask) == block.network) return block.kind;
  }
  return AddressKind::kPublic;
}

struct Block6 {
  std::array<std::uint8_t, 16> network;
  unsigned prefix_bits;
};

bool in_block(const address_v6::bytes_type& bytes, const Block6& block) {
  for (unsigned bit = 0; bit < block.prefix_bits; ++bit) {
    const unsigned shift = 7U - bit % 8U;
    const unsigned a = (unsigned{bytes[bit / 8]} >> shift) & 1U;
    const unsigned b = (unsigned{block.network[bit / 8]} >> shift) & 1U;
    if (a != b) return false;
  }
  return true;
}

address_v4 embedded_v4(const address_v6::bytes_type& bytes, std::size_t offset) {
  return address_v4{address_v4::bytes_type{
      {bytes[offset], bytes[offset + 1], bytes[offset + 2], bytes[offset + 3]}}};
}

// IANA IPv6 Special-Purpose Address Registry.
constexpr Block6 kMapped{{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF}, 96};
constexpr Block6 kCompatible{{}, 96};
constexpr Block6 kNat64{{0x00, 0x64, 0xFF, 0x9B}, 96};
constexpr Block6 kSixToFour{{0x20, 0x02}, 16};
constexpr Block6 kUniqueLocal{{0xFC}, 7};
constexpr Block6 kLinkLocal{{0xFE, 0x80}, 10};
constexpr Block6 kGlobalUnicast{{0x20}, 3};
constexpr Block6 kProtocolAssignments{{0x20, 0x01}, 23};  // Teredo, ORCHID and others
constexpr Block6 kDocumentation{{0x20, 0x01, 0x0D, 0xB8}, 32};
constexpr Block6 kDocumentation2{{0x3F, 0xFF}, 20};
constexpr Block6 kMetadata{{0xFD, 0x00, 0x0E, 0xC2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x02, 0x54}, 128};

AddressKind kind_of(const address_v6& v6) {
  const auto bytes = v6.to_bytes();
  if (v6.is_loopback()) return AddressKind::kPrivate;
  if (v6.is_unspecified()) return AddressKind::kNever;
  // Forms that carry an IPv4 address reach that address.
  if (in_block(bytes, kMapped)) return kind_of(embedded_v4(bytes, 12));
  if (in_block(bytes, kNat64)) return kind_of(embedded_v4(bytes, 12));
  if (in_block(bytes, kSixToFour)) return kind_of(embedded_v4(bytes, 2));
  if (in_block(bytes, kCompatible)) return AddressKind::kNever;
  if (in_block(bytes, kMetadata)) return AddressKind::kNever;
  if (in_block(bytes, kUniqueLocal)) return AddressKind::kPrivate;
  if (in_block(bytes, kLinkLocal)) return AddressKind::kPrivate;
  if (in_block(bytes, kProtocolAssignments)) return AddressKind::kNever;
  if (in_block(bytes, kDocumentation)) return AddressKind::kNever;
  if (in_block(bytes, kDocumentation2)) return AddressKind::kNever;
  return in_block(bytes, kGlobalUnicast) ? AddressKind::kPublic : AddressKind::kNever;
}

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}
bool is_hex_digit(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
}

/// Resolvers read "2130706433", "127.1" and "0x7f.0.0.1" as addresses (inet_aton), so a name whose
/// last label is a number is one in disguise.
bool is_number(std::string_view label) {
  if (std::all_of(label.begin(), label.end(), is_digit)) return true;
  const bool prefixed =
      label.size() >= 2 && label[0] == '0' && (label[1] == 'x' || label[1] == 'X');
  return prefixed && std::all_of(label.begin() + 2, label.end(), is_hex_digit);
}

bool is_label_character(char c) {
  return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-' || c == '_';
}

Result<void> check_name(std::string_view name, const UrlPolicy& policy) {
  if (name.empty() || name.size() > 253)
    return fail(Errc::bad_url, "the host name is empty or long");
  std::string_view rest = name;
  std::string_view last;
  while (true) {
    const std::size_t dot = rest.find('.');
    last = rest.substr(0, dot);
    if (last.empty() || last.size() > 63)
      return fail(Errc::bad_url, "the host name has a bad part");
    if (!std::all_of(last.begin(), last.end(), is_label_character)) {
      return fail(Errc::bad_url, "the host name has characters that are not allowed");
    }
    if (dot == std::string_view::npos) break;
    rest.remove_prefix(dot + 1);
  }
  if (is_number(last)) return fail(Errc::bad_url, "the host is an odd spelling of an address");
  if (last == "localhost" && !policy.allow_private) {
    return fail(Errc::refused, "the host is this machine");
  }
  return {};
}

std::string lower(std::string_view text) {
  std::string out{text};
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

Result<std::uint16_t> parse_port(std::string_view text) {
  const bool plain = !text.empty() && text.size() <= 5 && text[0] != '0' &&
                     std::all_of(text.begin(), text.end(), is_digit);
  const unsigned long value = plain ? std::stoul(std::string{text}) : 0;
  if (value == 0 || value > 65535) return fail(Errc::bad_url, "the port is not valid");
  return static_cast<std::uint16_t>(value);
}

/// What stands between "//" and the path (RFC 3986 section 3.2), and what follows up to a fragment.
/// Taken from the text itself: Boost.URL 1.81 ends the authority of "http://127.0.0.1.example.com/"
/// after the address and calls the rest a path.
struct Parts {
  std::string_view host;  ///< With brackets.
  std::optional<std::string_view> port;
  std::string_view target;
};

Parts split(std::string_view url) {
  url.remove_prefix(url.find("//") + 2);
  url = url.substr(0, url.find('#'));
  const std::size_t end = std::min(url.find_first_of("/?"), url.size());
  Parts parts{url.substr(0, end), std::nullopt, url.substr(end)};
  const std::size_t colon = parts.host.rfind(':');
  const std::size_t bracket = parts.host.rfind(']');
  const bool has_port =
      colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  if (has_port) {
    parts.port = parts.host.substr(colon + 1);
    parts.host = parts.host.substr(0, colon);
  }
  return parts;
}

struct Scheme {
  std::string_view plain;
  std::string_view secure;
};
constexpr Scheme kHttp{"http", "https"};
constexpr Scheme kWebSocket{"ws", "wss"};

/// Whether it is the secure one.
Result<bool> check_form(const boost::urls::url_view& url, const Scheme& expected) {
  const std::string scheme = lower(std::string{url.scheme()});
  if (scheme != expected.plain && scheme != expected.secure) {
    return fail(Errc::unsupported, "only " + std::string(expected.plain) + " and " +
                                       std::string(expected.secure) + " addresses can be used");
  }
  if (!url.has_authority()) return fail(Errc::bad_url, "the host is missing");
  if (url.has_userinfo()) return fail(Errc::bad_url, "user names do not belong in addresses");
  return scheme == expected.secure;
}

}  // namespace

Result<void> check_address(const address& where, const UrlPolicy& policy) {
  const AddressKind kind = where.is_v4() ? kind_of(where.to_v4()) : kind_of(where.to_v6());
  if (kind == AddressKind::kPublic) return {};
  if (kind == AddressKind::kPrivate && policy.allow_private) return {};
  return fail(Errc::refused, kind == AddressKind::kPrivate
                                 ? "addresses of private networks are not allowed here"
                                 : "addresses of this kind are never used");
}

namespace {

Result<HttpUrl> parse_url(std::string_view text, const UrlPolicy& policy, const Scheme& scheme) {
  if (text.size() > limits::kHttpUrlCharsMax) return fail(Errc::bad_url, "the address is too long");
  const auto parsed = boost::urls::parse_uri(text);
  if (!parsed) return fail(Errc::bad_url, "this is not a whole address");
  const boost::urls::url_view url = *parsed;
  HttpUrl out;
  TRY(out.secure, check_form(url, scheme));
  const Parts parts = split(text);
  const std::uint16_t usual_port = out.secure ? 443 : 80;
  out.port = usual_port;
  if (parts.port) {
    TRY(out.port, parse_port(*parts.port));
  }
  out.host = lower(parts.host);
  out.authority = out.port == usual_port ? out.host : out.host + ":" + std::to_string(out.port);
  boost::system::error_code not_v4;
  const address_v4 v4 = boost::asio::ip::make_address_v4(out.host, not_v4);
  if (url.host_type() == boost::urls::host_type::ipv6) {
    address_v6::bytes_type bytes;
    const auto from = url.host_ipv6_address().to_bytes();
    std::copy(from.begin(), from.end(), bytes.begin());
    const address_v6 v6{bytes};
    if (parts.host != std::string_view{url.encoded_host().data(), url.encoded_host().size()}) {
      return fail(Errc::bad_url, "the host is not valid");
    }
    CHECK(check_address(v6, policy));
    out.is_address = true;
    out.host = v6.to_string();
    out.authority = "[" + out.host + "]" + out.authority.substr(parts.host.size());
  } else if (!not_v4) {
    CHECK(check_address(v4, policy));
    out.is_address = true;
  } else {
    CHECK(check_name(out.host, policy));
    out.is_address = false;
  }
  out.target = std::string{parts.target};
  if (out.target.empty() || out.target[0] != '/') out.target.insert(0, "/");
  return out;
}

}  // namespace

Result<HttpUrl> parse_http_url(std::string_view url, const UrlPolicy& policy) {
  return parse_url(url, policy, kHttp);
}

Result<HttpUrl> parse_ws_url(std::string_view url, const UrlPolicy& policy) {
  return parse_url(url, policy, kWebSocket);
}

}  // namespace kith::node
