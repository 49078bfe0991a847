#pragma once

/// WebSocket connections (RFC 6455), both sides: a facade over Beast (websocket.cpp alone includes
/// that part of it). One message of DIDComm is one message here. No extensions: compression before
/// encryption tells lengths, and decompression is a bomb.
///
/// Everything is called on the thread that runs the io_context, and calls back on it.

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "crypto/bytes.hpp"
#include "crypto/limits.hpp"
#include "crypto/result.hpp"
#include "node/net/connector.hpp"
#include "node/net/stream.hpp"

namespace kith::node {

/// What all connections of a node have waiting.
struct WebSocketTotal {
  std::size_t queued_bytes = 0;
  std::size_t queued_bytes_max = limits::kWebSocketQueuesBytesMax;
};

/// Configuration may lower these, never remove them.
struct WebSocketLimits {
  std::size_t message_bytes = limits::kEnvelopeBytesMax;
  std::size_t overhead_bytes = limits::kWebSocketOverheadBytesMax;
  std::size_t queue_bytes = limits::kWebSocketQueueBytesMax;
  std::size_t control_frames = limits::kWebSocketControlFramesMax;
  std::size_t unconfirmed = limits::kWebSocketUnconfirmedMax;
  std::shared_ptr<WebSocketTotal> total = std::make_shared<WebSocketTotal>();  ///< Never null.
  std::chrono::milliseconds ping_interval = limits::kWebSocketPingInterval;
  std::chrono::milliseconds pong_timeout = limits::kWebSocketPongTimeout;
  std::chrono::milliseconds message_timeout = limits::kWebSocketMessageTimeout;
  std::chrono::milliseconds write_timeout = limits::kWebSocketWriteTimeout;
};

/// An open connection. Destroying it cuts it off without further callbacks.
class WebSocket {
 public:
  /// What became of a message: taken by the other side, or an error.
  using Sent = std::function<void(Result<void>)>;

  struct Handlers {
    /// One message; the next is read only after `done`, so a slow receiver slows its sender down.
    /// An error as result closes the connection: the sender will try again.
    std::function<void(Bytes message, Sent done)> message;
    /// At the end, once, never from inside a function of this class.
    std::function<void(const Error& why)> closed;
  };

  ~WebSocket();
  WebSocket(const WebSocket&) = delete;
  WebSocket& operator=(const WebSocket&) = delete;

  /// Begins to read. Once.
  void start(Handlers handlers);

  /// False if too much is waiting already: nothing was queued, and `done` is not called.
  ///
  /// With `done` a ping follows the message, and its pong confirms it: a peer that reads one
  /// message after the other, as this class does, has dealt with it by then. `done` is called
  /// later, once.
  [[nodiscard]] bool send(Bytes message, Sent done = {});

  /// Says goodbye and closes; `closed` follows.
  void close();

  /// Messages and bytes not written yet.
  [[nodiscard]] std::size_t queued_bytes() const;
  /// Nothing waits to be written or confirmed.
  [[nodiscard]] bool quiet() const;
  [[nodiscard]] const std::string& remote_address() const;  ///< Text form, without port.

  class Impl;
  explicit WebSocket(std::shared_ptr<Impl> impl);

 private:
  std::shared_ptr<Impl> impl_;
};

/// What an HTTP request for an upgrade said.
struct WebSocketUpgrade {
  std::string target;
  std::string host;
  std::string key;
  std::string version;
  std::string remote_address;
};

/// The server's side of the opening handshake. `done` gets the connection, or nullptr if the
/// request was refused. `ticket` lives as long as the connection.
void accept_websocket(Stream stream, const WebSocketUpgrade& upgrade, const WebSocketLimits& limits,
                      std::shared_ptr<void> ticket,
                      std::function<void(std::unique_ptr<WebSocket>)> done);

using WebSocketOpened = std::function<void(Result<std::unique_ptr<WebSocket>>)>;

/// The client's side. `done` is called once, never before this function returns; not if the result
/// is dropped before. Errors: those of parse_ws_url and Connector; `unsupported` (the other side
/// does not take WebSockets there), `timeout`.
class WebSocketOpening {
 public:
  virtual ~WebSocketOpening() = default;
};
[[nodiscard]] std::unique_ptr<WebSocketOpening> open_websocket(
    boost::asio::io_context& io, Connector& connector, const UrlPolicy& policy, std::string url,
    const WebSocketLimits& limits, std::chrono::milliseconds timeout, WebSocketOpened done);

}  // namespace kith::node
