#pragma once

/// What the HTTP server looks at that is not Beast's business: addresses and the form of fields.

#include <algorithm>
#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <string>
#include <string_view>

namespace kith::node {

inline boost::asio::ip::address plain_address(const boost::asio::ip::address& address) {
  if (address.is_v6() && address.to_v6().is_v4_mapped()) {
    return boost::asio::ip::make_address_v4(boost::asio::ip::v4_mapped, address.to_v6());
  }
  return address;
}

/// Whom the cap per address counts: a customer of IPv6 commands a whole /64.
inline std::string address_group(const boost::asio::ip::address& address) {
  if (address.is_v4()) return address.to_string();
  auto bytes = address.to_v6().to_bytes();
  std::fill(bytes.begin() + 8, bytes.end(), std::uint8_t{0});
  return boost::asio::ip::address_v6{bytes}.to_string();
}

/// The same of an address as text; empty: none, or of this machine where that is exempt, as a proxy
/// on it speaks for many.
inline std::string stranger_group(const std::string& text, bool exempt_loopback = true) {
  boost::system::error_code error;
  const auto parsed = boost::asio::ip::make_address(text, error);
  if (error) return {};
  const auto address = plain_address(parsed);
  if (exempt_loopback && address.is_loopback()) return {};
  return address_group(address);
}

inline bool has_control_character(std::string_view text) {
  return std::any_of(text.begin(), text.end(),
                     [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7F; });
}

inline bool is_token(std::string_view text) {
  return !text.empty() && std::all_of(text.begin(), text.end(), [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
  });
}

/// 16 bytes in base64 (RFC 6455 section 4.1).
inline bool is_websocket_key(std::string_view key) {
  const auto is_digit = [](char c) {
    return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '+' ||
           c == '/';
  };
  return key.size() == 24 && key.substr(22) == "==" &&
         std::all_of(key.begin(), key.begin() + 22, is_digit);
}

}  // namespace kith::node
