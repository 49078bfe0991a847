#pragma once

/// Servers as addresses of ledgers name them.

#include <string>
#include <string_view>

#include "crypto/result.hpp"

namespace kith::ledger {

/// "host:port" of "host" or "host:port", where the host is a name, an IPv4 address or an IPv6
/// address in brackets; `usual_port` is ":2379" or so. Whether the host can be used is judged where
/// it is connected to. Errors: bad_url.
[[nodiscard]] Result<std::string> host_with_port(std::string_view text,
                                                 std::string_view usual_port);

}  // namespace kith::ledger
