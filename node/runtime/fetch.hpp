#pragma once

/// One GET of an address that the user named (a mediator, before it is a contact), outside any
/// node: private addresses are allowed.

#include <memory>
#include <string>

#include "crypto/bytes.hpp"
#include "crypto/result.hpp"
#include "node/net/tls.hpp"

namespace kith::node {

/// Blocks. `home`: the directory whose ca.pem is trusted too. Errors: those of HttpClient and
/// TlsContext::client, unreachable (any status but 200).
[[nodiscard]] Result<Bytes> fetch_url(std::string url, const std::string& home);

/// What a node with that home trusts: the system's CAs, and those in `extra_ca_file` or, if that is
/// empty, in the home's ca.pem if there is one. Errors: those of TlsContext::client.
[[nodiscard]] Result<std::shared_ptr<const TlsContext>> trust_of(const std::string& home,
                                                                 const std::string& extra_ca_file);

/// The address belongs to this machine or its network.
[[nodiscard]] bool is_private_url(const std::string& url);

}  // namespace kith::node
