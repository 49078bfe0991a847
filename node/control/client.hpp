#pragma once

/// The command line's side of the control socket: blocking, plain POSIX.

#include <chrono>
#include <string>
#include <string_view>

#include "crypto/limits.hpp"
#include "crypto/result.hpp"
#include "node/control/server.hpp"

namespace kith::node {

/// Owns the socket. Move-only; one thread.
class ControlClient {
 public:
  /// Errors: `unreachable` (no node is running), `refused` (the socket belongs to another user),
  /// `limit_exceeded` (path too long), `io`.
  [[nodiscard]] static Result<ControlClient> connect(const std::string& path,
                                                     ControlPeers served_to = ControlPeers::owner);
  ~ControlClient();
  ControlClient(ControlClient&& other) noexcept;
  ControlClient& operator=(ControlClient&& other) noexcept;
  ControlClient(const ControlClient&) = delete;
  ControlClient& operator=(const ControlClient&) = delete;

  /// Sends one request and waits for its reply. After an error the connection is closed, and
  /// whether the command was carried out is not known (its id makes a repetition harmless).
  /// Errors: `timeout`, `unreachable` (the node closed the connection), `limit_exceeded`,
  /// `malformed`.
  [[nodiscard]] Result<std::string> call(
      std::string_view request_json,
      std::chrono::milliseconds timeout = limits::kControlRespondTimeout);

 private:
  explicit ControlClient(int socket) : socket_(socket) {}
  void close();
  int socket_ = -1;
};

}  // namespace kith::node
