#pragma once

/// Frames of the two processes on a socket: size (u32, big-endian), then so many bytes. Blocking.
/// Nothing larger than limits::kKeyFrameBytesMax is sent or received.

#include <chrono>

#include "crypto/result.hpp"
#include "crypto/wire_buffer.hpp"

namespace kith::node {

/// Owns a descriptor. Move-only.
class KeySocket {
 public:
  KeySocket() = default;
  explicit KeySocket(int fd) : fd_(fd) {}
  ~KeySocket() { close(); }
  KeySocket(KeySocket&& other) noexcept;
  KeySocket& operator=(KeySocket&& other) noexcept;
  KeySocket(const KeySocket&) = delete;
  KeySocket& operator=(const KeySocket&) = delete;

  [[nodiscard]] int fd() const { return fd_; }
  void close();
  /// How long either direction may stall; forever unless told. Errors: io.
  [[nodiscard]] Result<void> set_timeout(std::chrono::seconds time);
  /// Errors: keys_gone (the other side is gone or stalls).
  [[nodiscard]] Result<void> send(const crypto::WireBuffer& frame);
  /// Errors: keys_gone, also for a frame that is too large.
  [[nodiscard]] Result<void> receive(crypto::WireBuffer& frame);

 private:
  int fd_ = -1;
};

}  // namespace kith::node
