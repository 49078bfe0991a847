#pragma once

/// From a URL to an open connection: resolves the name, checks every address against the policy,
/// tries them in turn, and shakes hands if the URL asks for TLS.

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/address.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "crypto/limits.hpp"
#include "crypto/result.hpp"
#include "node/net/stream.hpp"
#include "node/net/url_policy.hpp"

namespace kith::node {

/// Turns a name into addresses; replaceable so that tests can rebind a name.
/// The answer may come at once or later, or not at all.
using ResolveDone = std::function<void(Result<std::vector<boost::asio::ip::address>>)>;
using ResolveName = std::function<void(std::string host, ResolveDone done)>;

struct ConnectOptions {
  UrlPolicy policy;
  std::shared_ptr<const TlsContext> tls;                                    ///< For https and wss.
  std::chrono::milliseconds connect_timeout = limits::kHttpConnectTimeout;  ///< Per address.
  std::chrono::milliseconds handshake_timeout = limits::kTlsHandshakeTimeout;
  ResolveName resolve;  ///< The system's resolver if empty.
};

using ConnectDone = std::function<void(Result<Stream>)>;

/// One connection being made. Dropping it gives up: `done` is not called any more.
class Connecting {
 public:
  ~Connecting();
  Connecting(const Connecting&) = delete;
  Connecting& operator=(const Connecting&) = delete;

 private:
  friend class Connector;
  class Impl;
  explicit Connecting(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

class Connector {
 public:
  Connector(boost::asio::io_context& io, ConnectOptions options);

  /// Calls `done` once, never before this function returns. Errors: `unreachable` (name, address,
  /// or a TLS handshake that failed; the detail says which), `refused` (the name resolves to an
  /// address that is not allowed), `unsupported` (TLS without a context).
  [[nodiscard]] std::unique_ptr<Connecting> connect(const HttpUrl& url, ConnectDone done);

 private:
  boost::asio::io_context& io_;
  std::shared_ptr<const ConnectOptions> options_;
};

}  // namespace kith::node
