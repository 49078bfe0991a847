#pragma once

/// Where a node listens, as --listen names it.

#include <cstdint>
#include <string>

#include "crypto/result.hpp"

namespace kith::node {

struct ListenAddress {
  std::string host;        ///< A literal address, without brackets.
  std::uint16_t port = 0;  ///< 0: the kernel chooses.
};

/// "127.0.0.1:8000", "[::1]:0". Errors: usage.
[[nodiscard]] Result<ListenAddress> parse_listen(const std::string& text);

/// "http://HOST:PORT/", or https, for others on the same network. Errors: usage (the address stands
/// for every interface, so nobody can call it).
[[nodiscard]] Result<std::string> url_of(const std::string& host, std::uint16_t port, bool secure);

}  // namespace kith::node
