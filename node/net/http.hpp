#pragma once

/// HTTP/1.1 server and client of the shell, with or without TLS: facades over Beast (which only
/// http_server.cpp, http_client.cpp and websocket.cpp include). One io_context, one thread:
/// everything here is called on the thread that runs the io_context, and calls back on it.

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "crypto/bytes.hpp"
#include "crypto/limits.hpp"
#include "crypto/result.hpp"
#include "node/net/connector.hpp"
#include "node/net/url_policy.hpp"
#include "node/net/websocket.hpp"

namespace kith::node {

/// One request as it arrived. Everything in it is a stranger's word.
struct HttpRequest {
  std::string method;  ///< "GET" or "POST"; others are answered with 405 before the handler.
  std::string path;    ///< As sent (percent-encoded), beginning with '/'.
  std::string query;   ///< As sent, without '?'; empty if none.
  std::string content_type;
  Bytes body;
  std::string remote_address;  ///< Text form, without port.
  std::string accept = {};
};

struct HttpResponse {
  unsigned status = 200;
  std::string content_type;  ///< No such field if empty.
  Bytes body;
  /// Further fields, such as Location. A control character in one makes the answer a 500.
  std::vector<std::pair<std::string, std::string>> fields = {};
};

/// May be called at once or later, on the io_context's thread, also after the server is gone. Only
/// the first call counts. Without one the client gets 503 after `respond_timeout`.
using HttpRespond = std::function<void(HttpResponse)>;
using HttpHandler = std::function<void(HttpRequest, HttpRespond)>;

/// A connection that its client turned into a WebSocket, at whatever path. Dropping it closes it.
using WebSocketHandler = std::function<void(std::unique_ptr<WebSocket>)>;

/// Configuration may lower these, never remove them.
struct ServerLimits {
  std::size_t header_bytes = limits::kHttpHeaderBytesMax;
  std::size_t header_fields = limits::kHttpHeaderFieldsMax;
  std::size_t body_bytes = limits::kEnvelopeBytesMax;
  std::size_t connections = limits::kConnectionsMax;           ///< WebSockets included.
  std::size_t http_connections = limits::kHttpConnectionsMax;  ///< Without them.
  /// Per IPv4 address, or per /64 of IPv6.
  std::size_t connections_per_address = limits::kHttpConnectionsPerAddressMax;
  /// The same groups; a handshake with TLS costs more than a request.
  std::size_t new_connections_per_minute = limits::kHttpNewConnectionsPerMinute;
  std::size_t requests_per_connection = limits::kHttpRequestsPerConnectionMax;
  /// Loopback clients are not counted per address: a reverse proxy and the simulator live there.
  bool exempt_loopback = true;
  std::chrono::milliseconds header_timeout = limits::kHttpHeaderTimeout;  ///< First to last byte.
  std::chrono::milliseconds body_timeout = limits::kHttpBodyTimeout;      ///< For the whole body.
  std::chrono::milliseconds idle_timeout = limits::kHttpIdleTimeout;      ///< Between requests.
  std::chrono::milliseconds respond_timeout = limits::kHttpRespondTimeout;
  std::chrono::milliseconds write_timeout = limits::kHttpWriteTimeout;
  std::chrono::milliseconds handshake_timeout = limits::kTlsHandshakeTimeout;
  /// Below `connections`, so that some places are left for requests.
  std::size_t websockets = limits::kWebSocketConnectionsMax;
  WebSocketLimits websocket = {};  ///< Of each.
};

/// What a listener does besides answering requests.
struct ServerExtras {
  std::shared_ptr<const TlsContext> tls;  ///< With it TLS alone is spoken.
  WebSocketHandler on_websocket;          ///< Without it an upgrade is an ordinary request.
};

/// Requests of one connection are handled one after the other; pipelined ones are not (the
/// connection closes after the first answer). Ambiguous framing is refused with 400.
class HttpServer {
 public:
  /// `host` is a literal address; `port` 0 lets the kernel choose.
  /// Errors: `bad_url` (not a literal address), `unreachable` (cannot listen there).
  [[nodiscard]] static Result<std::unique_ptr<HttpServer>> listen(
      boost::asio::io_context& io, std::string_view host, std::uint16_t port, HttpHandler handler,
      ServerLimits limits = {}, ServerExtras extras = {});
  /// Closes every connection at once; the handlers are not called again. WebSockets that were
  /// handed over live on with their owners.
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  [[nodiscard]] std::uint16_t port() const;
  [[nodiscard]] std::size_t connection_count() const;
  [[nodiscard]] std::size_t websocket_count() const;

  /// Stops listening, closes connections without a request in progress, lets the others finish
  /// their answer. The io_context runs out of this server's work within the timeouts above.
  void stop();

 private:
  class Impl;
  explicit HttpServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

struct HttpCall {
  std::string method = "POST";  ///< "GET" or "POST".
  std::string url;
  std::string content_type;  ///< No such field if empty.
  Bytes body;
  std::string accept = {};  ///< The Accept field; none is sent if empty.
  /// The Authorization field; none is sent if empty, nor to where a redirect leads.
  std::string authorization = {};
  /// The URL was written by a stranger: only public addresses, whatever the options allow.
  bool public_only = false;
  bool follow_redirects = true;
  std::size_t answer_bytes = 0;  ///< Of the body; 0: as in the options. Lowers it only.
  /// From now to the last byte of the answer: waiting, resolving, connecting and redirects
  /// included.
  std::chrono::milliseconds timeout = limits::kHttpRequestTimeout;
};

/// Any status that is not a followed redirect; judging it is the caller's.
struct HttpReply {
  unsigned status;
  std::string content_type;
  Bytes body;
  std::string location = {};  ///< Of a redirect that was not followed; as sent.
};

using HttpDone = std::function<void(Result<HttpReply>)>;

struct ClientOptions {
  UrlPolicy policy;
  std::shared_ptr<const TlsContext> tls;  ///< For https; without it that is `unsupported`.
  std::size_t body_bytes = limits::kEnvelopeBytesMax;  ///< Of an answer.
  std::size_t header_bytes = limits::kHttpHeaderBytesMax;
  std::size_t connections_per_host = limits::kHttpClientConnectionsPerHostMax;
  std::size_t calls = limits::kHttpClientCallsMax;  ///< Running and waiting, all hosts.
  std::size_t idle_connections = limits::kHttpClientIdleMax;
  std::chrono::milliseconds connect_timeout = limits::kHttpConnectTimeout;  ///< Per address.
  std::chrono::milliseconds idle_timeout = limits::kHttpClientIdleTimeout;
  ResolveName resolve;  ///< The system's resolver if empty.
};

/// Keeps connections per host and port open for reuse. A call on a reused connection that closes
/// before the first byte of an answer is sent once more on a new one: every POST of Kith may arrive
/// twice without harm (inbox marks, idempotent appends).
class HttpClient {
 public:
  explicit HttpClient(boost::asio::io_context& io, ClientOptions options = {});
  /// Calls still running end without a callback.
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  /// Calls `done` exactly once, never before this function returns. Follows only 307, at most three
  /// times, only to URLs that the policy allows. Errors: those of parse_http_url, `unreachable`,
  /// `timeout`, `refused` (the name resolves to an address that is not allowed),
  /// `limit_exceeded` (answer too large, too many calls), `malformed` (not an HTTP answer).
  void request(HttpCall call, HttpDone done);

  /// Closes the idle connections, so that an io_context can run out of work.
  void close_idle();
  [[nodiscard]] std::size_t idle_count() const;

 private:
  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace kith::node
