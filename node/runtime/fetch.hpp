#pragma once

/// One GET of an address that the user named (a mediator, before it is a contact), outside any
/// node: private addresses are allowed.

#include <string>

#include "crypto/bytes.hpp"
#include "crypto/result.hpp"

namespace kith::node {

/// Blocks. Errors: those of HttpClient, unreachable (any status but 200).
[[nodiscard]] Result<Bytes> fetch_url(std::string url);

/// The address belongs to this machine or its network.
[[nodiscard]] bool is_private_url(const std::string& url);

}  // namespace kith::node
