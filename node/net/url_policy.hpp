#pragma once

/// Which addresses a node may be sent to. Endpoints come from strangers (DID documents,
/// invitations), so without this check anyone could make a node talk to services of its own machine
/// or network (server-side request forgery).
///
/// The name is checked here, and the address it resolves to once more just before connecting: a
/// name may resolve to something else by then (rebinding).

#include <boost/asio/ip/address.hpp>
#include <cstdint>
#include <string>
#include <string_view>

#include "crypto/result.hpp"

namespace kith::node {

struct UrlPolicy {
  /// Also allow loopback, private, shared (RFC 6598) and link-local addresses: for tests,
  /// households, and services that the user named. Metadata services of clouds, multicast and
  /// reserved addresses stay refused.
  bool allow_private = false;
};

/// An http, https, ws or wss URL, taken apart and checked.
struct HttpUrl {
  bool secure = false;     ///< TLS: https or wss.
  std::string host = {};   ///< Lower-case name or address; IPv6 without brackets.
  std::uint16_t port = 0;  ///< 80, or 443 if secure, where the URL names none.
  /// For the Host field: host, in brackets if IPv6, and port unless it is the scheme's own.
  std::string authority = {};
  std::string target = {};  ///< Path and query; never empty.
  bool is_address = false;  ///< `host` is an address, already checked against the policy.
};

/// http and https. Errors: `bad_url` (not a URL in its plain form: user info, odd spellings of
/// addresses, trailing dot, control characters ...), `unsupported` (other schemes), `refused` (an
/// address or name that the policy does not allow).
[[nodiscard]] Result<HttpUrl> parse_http_url(std::string_view url, const UrlPolicy& policy);
/// The same for ws and wss.
[[nodiscard]] Result<HttpUrl> parse_ws_url(std::string_view url, const UrlPolicy& policy);

/// The check on a resolved address. Errors: `refused`.
[[nodiscard]] Result<void> check_address(const boost::asio::ip::address& address,
                                         const UrlPolicy& policy);

}  // namespace kith::node
