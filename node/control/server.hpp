#pragma once

/// The node's side of the control socket. One io_context, one thread. Only processes of the same
/// user may speak (the kernel tells who they are); nothing else authenticates a command.

#include <sys/types.h>

#include <boost/asio/io_context.hpp>
#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>

#include "crypto/limits.hpp"
#include "crypto/result.hpp"

namespace kith::node {

/// May be called at once or later, on the io_context's thread, also after the server is gone. Only
/// the first call counts. Without one the connection closes after `respond_timeout`.
using ControlRespond = std::function<void(std::string reply_json)>;
/// `request_json` is one frame; it is not checked to be JSON here.
using ControlHandler = std::function<void(std::string request_json, ControlRespond)>;
/// User id of the process at the other end of a connected socket.
using PeerUid = std::function<Result<uid_t>(int socket)>;

/// SO_PEERCRED (unix(7)). Errors: `io`.
[[nodiscard]] Result<uid_t> peer_uid(int socket);

/// Who may connect: the user of this process alone, or whoever the permissions of the socket (0660)
/// and its directory let in.
enum class ControlPeers : std::uint8_t { owner, group };

struct ControlLimits {
  ControlPeers peers = ControlPeers::owner;
  std::size_t frame_bytes = limits::kControlFrameBytesMax;
  std::size_t connections = limits::kControlConnectionsMax;
  std::size_t requests_per_second = limits::kControlRequestsPerSecond;  ///< Further ones wait.
  /// First to last byte of a frame, and writing a reply.
  std::chrono::milliseconds frame_timeout = limits::kControlFrameTimeout;
  std::chrono::milliseconds idle_timeout = limits::kControlIdleTimeout;
  std::chrono::milliseconds respond_timeout = limits::kControlRespondTimeout;
};

/// Frames of one connection are handled one after the other, in order.
class ControlServer {
 public:
  /// The caller holds the lock of the home (a socket found at `path` is stale and removed).
  /// `peer` is replaceable for tests; with ControlPeers::owner, a connection whose uid differs from
  /// ours is closed unread.
  /// Errors: those of prepare_socket_path, `io`.
  [[nodiscard]] static Result<std::unique_ptr<ControlServer>> listen(boost::asio::io_context& io,
                                                                     const std::string& path,
                                                                     ControlHandler handler,
                                                                     ControlLimits limits = {},
                                                                     PeerUid peer = peer_uid);
  /// Closes every connection and removes the socket; the handler is not called again.
  ~ControlServer();
  ControlServer(const ControlServer&) = delete;
  ControlServer& operator=(const ControlServer&) = delete;

  [[nodiscard]] std::size_t connection_count() const;

  /// Stops listening and removes the socket; closes connections without a frame in progress, lets
  /// the others finish their reply.
  void stop();

 private:
  class Impl;
  explicit ControlServer(std::shared_ptr<Impl> impl);
  std::shared_ptr<Impl> impl_;
};

}  // namespace kith::node
