#include "node/control/server.hpp"

#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/local/stream_protocol.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <cerrno>
#include <cstring>
#include <deque>
#include <set>
#include <utility>

#include "node/control/frame.hpp"
#include "node/control/socket_path.hpp"

namespace kith::node {
namespace {

using boost::system::error_code;
using Socket = boost::asio::local::stream_protocol::socket;
using Acceptor = boost::asio::local::stream_protocol::acceptor;

/// How long to wait when the process has no file descriptor left for a new connection.
constexpr std::chrono::milliseconds kAcceptRetry{100};

}  // namespace

Result<uid_t> peer_uid(int socket) {
  ucred peer{};
  socklen_t size = sizeof peer;
  if (::getsockopt(socket, SOL_SOCKET, SO_PEERCRED, &peer, &size) != 0) {
    return fail(Errc::io, std::strerror(errno));
  }
  return peer.uid;
}

class ControlServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(boost::asio::io_context& io, std::string path, ControlHandler handler, ControlLimits limits,
       PeerUid peer)
      : path_(std::move(path)),
        handler_(std::move(handler)),
        limits_(limits),
        peer_(std::move(peer)),
        acceptor_(io),
        accept_timer_(io) {}

  Result<void> open();
  void accept();
  void stop();
  void close_all();
  std::size_t connection_count() const { return connections_.size(); }

 private:
  using Clock = boost::asio::steady_timer::clock_type;
  class Connection;
  void admit(Socket socket);
  Clock::time_point take_turn();

  std::string path_;
  ControlHandler handler_;
  ControlLimits limits_;
  PeerUid peer_;
  Acceptor acceptor_;
  boost::asio::steady_timer accept_timer_;
  bool stopping_ = false;
  std::set<std::shared_ptr<Connection>> connections_;
  std::deque<Clock::time_point> turns_;  ///< The last `requests_per_second`, coming ones included.
};

/// Alive while the server lists it or an operation of its own is pending.
class ControlServer::Impl::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Impl& server, Socket socket)
      : server_(&server),
        socket_(std::move(socket)),
        timer_(socket_.get_executor()),
        frames_(server.limits_.frame_bytes) {}

  void start() { next_frame(); }

  void stop() {
    stopping_ = true;
    if (state_ == State::kReading && !frames_.partial()) close();
  }

  /// Ends it; the server no longer lists it.
  void close() {
    if (server_ == nullptr) return;
    Impl* server = std::exchange(server_, nullptr);
    error_code ignored;
    socket_.close(ignored);
    timer_.cancel();
    server->connections_.erase(shared_from_this());
  }

 private:
  enum class State { kReading, kWaiting, kHandling, kWriting };

  void next_frame() {
    state_ = State::kReading;
    auto frame = frames_.next();
    if (!frame) return close();
    if (*frame) return handle(std::move(**frame));
    if (stopping_ && !frames_.partial()) return close();
    arm(frames_.partial() ? server_->limits_.frame_timeout : server_->limits_.idle_timeout);
    read();
  }

  void read() {
    socket_.async_read_some(boost::asio::buffer(piece_),
                            [self = shared_from_this()](error_code error, std::size_t size) {
                              self->on_read(error, size);
                            });
  }

  void on_read(error_code error, std::size_t size) {
    if (server_ == nullptr) return;
    if (error) return close();
    const bool first = !frames_.partial();
    frames_.add({piece_.data(), size});
    auto frame = frames_.next();
    if (!frame) return close();
    if (*frame) return handle(std::move(**frame));
    // The deadline runs from the first byte: a trickle does not move it.
    if (first) arm(server_->limits_.frame_timeout);
    read();
  }

  /// Nothing is read meanwhile, so whoever asks too fast is slowed down.
  void handle(std::string request) {
    const auto turn = server_->take_turn();
    if (turn <= Clock::now()) return hand_over(std::move(request));
    state_ = State::kWaiting;
    timer_.expires_at(turn);
    timer_.async_wait(
        [self = shared_from_this(), waiting = std::move(request)](error_code error) mutable {
          if (error || self->server_ == nullptr || self->state_ != State::kWaiting) return;
          self->hand_over(std::move(waiting));
        });
  }

  void hand_over(std::string request) {
    state_ = State::kHandling;
    arm(server_->limits_.respond_timeout);
    const std::uint64_t number = ++frame_number_;
    // A copy: the handler may destroy the server.
    const ControlHandler handler = server_->handler_;
    handler(std::move(request), [weak = weak_from_this(), number](std::string reply) {
      if (auto self = weak.lock()) self->respond(number, reply);
    });
  }

  void respond(std::uint64_t number, const std::string& reply) {
    if (server_ == nullptr || state_ != State::kHandling || number != frame_number_) return;
    auto frame = encode_frame(reply);
    if (!frame) return close();
    reply_ = std::move(*frame);
    state_ = State::kWriting;
    arm(server_->limits_.frame_timeout);
    boost::asio::async_write(socket_, boost::asio::buffer(reply_),
                             [self = shared_from_this()](error_code error, std::size_t) {
                               if (self->server_ == nullptr) return;
                               if (error) return self->close();
                               self->reply_.clear();
                               self->next_frame();
                             });
  }

  void arm(std::chrono::milliseconds timeout) {
    timer_.expires_after(timeout);
    timer_.async_wait([self = shared_from_this()](error_code error) {
      // A timer that was set anew while its handler waited in the queue has a later expiry.
      if (error || self->timer_.expiry() > boost::asio::steady_timer::clock_type::now()) return;
      self->close();
    });
  }

  Impl* server_;  ///< Null once closed; the server outlives its listed connections.
  Socket socket_;
  boost::asio::steady_timer timer_;
  FrameReader frames_;
  State state_ = State::kReading;
  bool stopping_ = false;
  std::uint64_t frame_number_ = 0;
  std::string reply_;
  std::array<char, 16 * 1024> piece_;
};

Result<void> ControlServer::Impl::open() {
  const bool for_group = limits_.peers == ControlPeers::group;
  CHECK(for_group ? prepare_group_socket_path(path_) : prepare_socket_path(path_));
  error_code error;
  acceptor_.open(boost::asio::local::stream_protocol{}, error);
  if (!error) {
    const mode_t before = ::umask(S_IRWXG | S_IRWXO);
    acceptor_.bind(boost::asio::local::stream_protocol::endpoint{path_}, error);
    ::umask(before);
  }
  const mode_t mode = S_IRUSR | S_IWUSR | (for_group ? S_IRGRP | S_IWGRP : 0U);
  if (!error && ::chmod(path_.c_str(), mode) != 0) {
    error.assign(errno, boost::system::system_category());
  }
  if (!error) acceptor_.listen(boost::asio::socket_base::max_listen_connections, error);
  if (error) return fail(Errc::io, "cannot listen on " + path_ + ": " + error.message());
  return {};
}

void ControlServer::Impl::accept() {
  acceptor_.async_accept([self = shared_from_this()](error_code error, Socket socket) {
    if (self->stopping_) return;
    if (!error) {
      self->admit(std::move(socket));
      if (!self->stopping_) self->accept();
      return;
    }
    self->accept_timer_.expires_after(kAcceptRetry);
    self->accept_timer_.async_wait([self](error_code cancelled) {
      if (!cancelled && !self->stopping_) self->accept();
    });
  });
}

void ControlServer::Impl::admit(Socket socket) {
  if (limits_.peers == ControlPeers::owner) {
    const auto peer = peer_(socket.native_handle());
    if (!peer || *peer != ::geteuid()) return;  // Closes it, unread.
  }
  if (connections_.size() >= limits_.connections) return;
  auto connection = std::make_shared<Connection>(*this, std::move(socket));
  connections_.insert(connection);
  connection->start();
}

/// When the next request may be handled; each call takes one turn.
ControlServer::Impl::Clock::time_point ControlServer::Impl::take_turn() {
  auto turn = Clock::now();
  if (turns_.size() >= limits_.requests_per_second) {
    turn = std::max(turn, turns_.front() + std::chrono::seconds{1});
    turns_.pop_front();
  }
  turns_.push_back(turn);
  return turn;
}

void ControlServer::Impl::stop() {
  if (std::exchange(stopping_, true)) return;
  error_code ignored;
  const bool listening = acceptor_.is_open();
  acceptor_.close(ignored);
  accept_timer_.cancel();
  if (listening) ::unlink(path_.c_str());
  const auto copy = connections_;
  for (const auto& connection : copy) connection->stop();
}

void ControlServer::Impl::close_all() {
  stop();
  const auto copy = connections_;
  for (const auto& connection : copy) connection->close();
}

Result<std::unique_ptr<ControlServer>> ControlServer::listen(boost::asio::io_context& io,
                                                             const std::string& path,
                                                             ControlHandler handler,
                                                             ControlLimits limits, PeerUid peer) {
  auto impl = std::make_shared<Impl>(io, path, std::move(handler), limits, std::move(peer));
  CHECK(impl->open());
  impl->accept();
  return std::unique_ptr<ControlServer>(new ControlServer(std::move(impl)));
}

ControlServer::ControlServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
ControlServer::~ControlServer() {
  impl_->close_all();
}
std::size_t ControlServer::connection_count() const {
  return impl_->connection_count();
}
void ControlServer::stop() {
  impl_->stop();
}

}  // namespace kith::node
