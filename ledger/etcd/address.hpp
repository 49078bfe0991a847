#pragma once

/// The address of a ledger in an etcd cluster, and the name and password for it.
///
///     etcd://HOST[:PORT],HOST[:PORT].../PREFIX     etcds:// with TLS
///
/// PORT is 2379 if not named, PREFIX "kith": letters, digits, '.', '_', '-', and '/' between them.
/// One cluster holds one ledger below each prefix. All servers of the cluster should be named:
/// their number tells what a majority is.
///
/// Names and passwords never stand in an address, because addresses are stored and shown. They come
/// from a file of one line, for the servers that it names and no others:
///
///     etcds://NAME:PASSWORD@HOST[:PORT],...

#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::ledger {

/// "etcd:" or "etcds:".
[[nodiscard]] bool is_etcd_url(std::string_view url);

struct EtcdAddress {
  bool secure = false;
  std::vector<std::string> servers;  ///< "host:port", distinct; at least one.
  std::string prefix;                ///< Without slashes at its ends.

  /// Errors: bad_url.
  [[nodiscard]] static Result<EtcdAddress> parse(std::string_view url);
  /// "http://host:port", or https.
  [[nodiscard]] std::string base_url(std::size_t server) const;
  friend bool operator==(const EtcdAddress&, const EtcdAddress&) = default;
};

struct EtcdLogin {
  EtcdAddress where;
  std::string name;
  SecretBytes password;

  /// `line` may end in a newline. Errors: bad_url (of the address), malformed.
  [[nodiscard]] static Result<EtcdLogin> parse(std::string_view line);
  /// Whether it may be shown to all servers of `address`: it names them too, and the same
  /// transport.
  [[nodiscard]] bool is_for(const EtcdAddress& address) const;
};

}  // namespace kith::ledger
