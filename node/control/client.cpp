#include "node/control/client.hpp"

#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <utility>

#include "node/control/frame.hpp"
#include "node/control/server.hpp"
#include "node/runtime/system_clock.hpp"

namespace kith::node {
namespace {

/// Waits for the socket; `timeout` once the deadline has passed.
Result<void> wait_for(int socket, short events, std::int64_t deadline_ms) {
  while (true) {
    const std::int64_t left_ms = deadline_ms - read_clocks().steady_ms;
    if (left_ms <= 0) return fail(Errc::timeout, "the running Kith did not answer");
    pollfd entry{.fd = socket, .events = events, .revents = 0};
    const int slice_ms = static_cast<int>(std::min<std::int64_t>(left_ms, 1000));
    const int ready = ::poll(&entry, 1, slice_ms);
    if (ready > 0) return {};
    if (ready < 0 && errno != EINTR) return fail(Errc::io, std::strerror(errno));
  }
}

Result<void> send_all(int socket, std::string_view bytes, std::int64_t deadline_ms) {
  while (!bytes.empty()) {
    CHECK(wait_for(socket, POLLOUT, deadline_ms));
    const ssize_t sent = ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent > 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (sent < 0 && errno != EAGAIN && errno != EINTR) {
      return fail(Errc::unreachable, "the running Kith closed the connection");
    }
  }
  return {};
}

Result<std::string> receive_frame(int socket, std::int64_t deadline_ms) {
  FrameReader reader;
  std::array<char, 16 * 1024> piece;
  while (true) {
    TRY(auto frame, reader.next());
    if (frame && reader.partial()) return fail(Errc::malformed, "more came than was asked for");
    if (frame) return std::move(*frame);
    CHECK(wait_for(socket, POLLIN, deadline_ms));
    const ssize_t got = ::recv(socket, piece.data(), piece.size(), MSG_DONTWAIT);
    if (got > 0) {
      reader.add({piece.data(), static_cast<std::size_t>(got)});
    } else if (got == 0 || (errno != EAGAIN && errno != EINTR)) {
      return fail(Errc::unreachable, "the running Kith closed the connection");
    }
  }
}

}  // namespace

Result<ControlClient> ControlClient::connect(const std::string& path, ControlPeers served_to) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() > limits::kControlPathBytesMax) {
    return fail(Errc::limit_exceeded, "the path is too long for a socket");
  }
  std::copy(path.begin(), path.end(), address.sun_path);

  const int socket = ::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (socket < 0) return fail(Errc::io, std::strerror(errno));
  ControlClient client{socket};
  // connect(2) takes the generic type of all socket addresses.
  if (::connect(socket, reinterpret_cast<const sockaddr*>(&address), sizeof address) != 0) {
    return fail(Errc::unreachable, "no Kith is running for this home");
  }
  // Who listens decides what the user sees: another user's process may have taken the path.
  TRY(const uid_t owner, peer_uid(socket));
  if (served_to == ControlPeers::owner && owner != ::geteuid())
    return fail(Errc::refused, path + " is served by another user");
  return client;
}

ControlClient::~ControlClient() {
  close();
}

ControlClient::ControlClient(ControlClient&& other) noexcept
    : socket_(std::exchange(other.socket_, -1)) {}

ControlClient& ControlClient::operator=(ControlClient&& other) noexcept {
  if (this != &other) {
    close();
    socket_ = std::exchange(other.socket_, -1);
  }
  return *this;
}

void ControlClient::close() {
  if (socket_ >= 0) ::close(socket_);
  socket_ = -1;
}

Result<std::string> ControlClient::call(std::string_view request_json,
                                        std::chrono::milliseconds timeout) {
  if (socket_ < 0) return fail(Errc::unreachable, "the connection is closed");
  TRY(const std::string frame, encode_frame(request_json));
  const std::int64_t deadline_ms = read_clocks().steady_ms + timeout.count();
  auto sent = send_all(socket_, frame, deadline_ms);
  auto reply = sent ? receive_frame(socket_, deadline_ms) : Result<std::string>{sent.error()};
  if (!reply) close();
  return reply;
}

}  // namespace kith::node
