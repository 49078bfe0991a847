#include "node/keys/key_frames.hpp"

#include <poll.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "crypto/limits.hpp"

namespace kith::node {
namespace {

constexpr std::size_t kSizeBytes = 4;

constexpr std::chrono::milliseconds kStalled{limits::kKeyAnswerTimeout};

/// Whoever watches a socket with Asio (key_watch.hpp) makes it one that never waits.
bool may_go_on(int fd, short events) {
  if (errno == EINTR) return true;
  if (errno != EAGAIN) return false;  // On Linux the same as EWOULDBLOCK.
  pollfd waiting{fd, events, 0};
  return ::poll(&waiting, 1, static_cast<int>(kStalled.count())) > 0;
}

Result<void> receive_all(int fd, std::span<std::uint8_t> into) {
  while (!into.empty()) {
    const ssize_t got = ::recv(fd, into.data(), into.size(), 0);
    if (got < 0 && may_go_on(fd, POLLIN)) continue;
    if (got <= 0) return fail(Errc::keys_gone);
    into = into.subspan(static_cast<std::size_t>(got));
  }
  return {};
}

}  // namespace

KeySocket::KeySocket(KeySocket&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}

KeySocket& KeySocket::operator=(KeySocket&& other) noexcept {
  if (this != &other) {
    close();
    fd_ = std::exchange(other.fd_, -1);
  }
  return *this;
}

void KeySocket::close() {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<void> KeySocket::set_timeout(std::chrono::seconds time) {
  const timeval limit{time.count(), 0};
  for (const int which : {SO_RCVTIMEO, SO_SNDTIMEO}) {
    if (::setsockopt(fd_, SOL_SOCKET, which, &limit, sizeof limit) != 0) {
      return fail(Errc::io, std::strerror(errno));
    }
  }
  return {};
}

Result<void> KeySocket::send(const crypto::WireBuffer& frame) {
  const auto size = static_cast<std::uint32_t>(frame.size());
  std::array<std::uint8_t, kSizeBytes> head{};
  for (std::size_t i = 0; i < kSizeBytes; ++i) {
    head[i] = static_cast<std::uint8_t>(size >> (8 * (kSizeBytes - 1 - i)));
  }
  // sendmsg wants pointers that may be written through; it does not write.
  std::array<iovec, 2> parts{iovec{head.data(), head.size()},
                             iovec{const_cast<std::uint8_t*>(frame.view().data()), frame.size()}};
  std::size_t left = head.size() + frame.size();
  while (left > 0) {
    msghdr message{};
    message.msg_iov = parts.data();
    message.msg_iovlen = parts.size();
    const ssize_t sent = ::sendmsg(fd_, &message, MSG_NOSIGNAL);
    if (sent < 0 && may_go_on(fd_, POLLOUT)) continue;
    if (sent <= 0) return fail(Errc::keys_gone);
    left -= static_cast<std::size_t>(sent);
    auto gone = static_cast<std::size_t>(sent);
    for (iovec& part : parts) {
      const std::size_t cut = std::min(gone, part.iov_len);
      part.iov_base = static_cast<std::uint8_t*>(part.iov_base) + cut;
      part.iov_len -= cut;
      gone -= cut;
    }
  }
  return {};
}

Result<void> KeySocket::receive(crypto::WireBuffer& frame) {
  std::array<std::uint8_t, kSizeBytes> head{};
  CHECK(receive_all(fd_, head));
  std::size_t size = 0;
  for (const std::uint8_t byte : head) size = size << 8U | byte;
  if (size > limits::kKeyFrameBytesMax) return fail(Errc::keys_gone, "a frame is too large");
  return receive_all(fd_, frame.receive(size));
}

}  // namespace kith::node
