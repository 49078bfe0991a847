#include "node/net/stream.hpp"

#include <algorithm>
#include <boost/asio/error.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cstring>
#include <limits>
#include <optional>
#include <vector>

#include "crypto/assert.hpp"

namespace kith::node {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;

namespace {

/// The content of one TLS record (RFC 8446 section 5.1).
constexpr std::size_t kRecordBytes = std::size_t{16} * 1024;

}  // namespace

struct Stream::State : std::enable_shared_from_this<State> {
  explicit State(tcp::socket connected)
      : socket(std::move(connected)), timer(socket.get_executor()) {}

  using Self = std::shared_ptr<State>;

  /// The wait of an operation under way. One that is destroyed instead of called (its loop is gone)
  /// lets go of the operations' handlers: they own the stream, which owns them.
  class Pending {
   public:
    explicit Pending(Self state) : state_(std::move(state)) {}
    Pending(Pending&&) noexcept = default;
    Pending& operator=(Pending&&) = delete;
    ~Pending() {
      if (state_) state_->forget_operations();
    }
    Self take() { return std::move(state_); }

   private:
    Self state_;
  };

  void close();
  void complete_later(IoDone done, error_code error, std::size_t size);
  void handshake();
  void handshake_ended(const std::string& failure);
  void tls_read(bool may_complete_now);
  void tls_write(bool may_complete_now);
  void end_read(bool now, error_code error, std::size_t size);
  void end_write(bool now, error_code error, std::size_t size);
  void forget_operations();
  /// Calls `again` when the socket is ready for what TLS waits for.
  template <class Again>
  void wait(TlsSession::State want, Again again);

  tcp::socket socket;
  asio::steady_timer timer;
  std::uint64_t deadlines = 0;  ///< Counts: an older one that has just fired means nothing.
  std::unique_ptr<TlsSession> tls;
  HandshakeDone on_handshake;
  std::uint64_t received = 0;
  std::uint64_t sent = 0;
  std::uint64_t allowed = std::numeric_limits<std::uint64_t>::max();

  // The TLS operations under way; each empty when there is none. Never assigned: assigning such a
  // handler recurses without end in Boost 1.81.
  std::optional<IoDone> read_done;
  asio::mutable_buffer read_buffer;
  std::optional<IoDone> write_done;
  std::vector<std::uint8_t> write_bytes;  ///< The content of one record.
};

void Stream::State::close() {
  timer.cancel();
  if (!socket.is_open()) return;
  if (tls) tls->say_goodbye();
  error_code ignored;
  socket.shutdown(tcp::socket::shutdown_both, ignored);
  socket.close(ignored);
}

void Stream::State::complete_later(IoDone done, error_code error, std::size_t size) {
  asio::post(socket.get_executor(),
             [done = std::move(done), error, size]() mutable { std::move(done)(error, size); });
}

template <class Again>
void Stream::State::wait(TlsSession::State want, Again again) {
  ASSERT(want == TlsSession::State::kWantRead || want == TlsSession::State::kWantWrite);
  const auto kind =
      want == TlsSession::State::kWantRead ? tcp::socket::wait_read : tcp::socket::wait_write;
  socket.async_wait(kind, [pending = Pending(shared_from_this()), again](error_code error) mutable {
    const Self self = pending.take();
    again(error);
  });
}

void Stream::State::forget_operations() {
  const HandshakeDone no_handshake = std::exchange(on_handshake, nullptr);
  // Destroyed when this object no longer refers to them: they may be the last to own the stream.
  std::vector<IoDone> handlers;
  for (std::optional<IoDone>* done : {&read_done, &write_done}) {
    if (!*done) continue;
    handlers.push_back(std::move(**done));
    done->reset();
  }
}

void Stream::State::handshake() {
  switch (const TlsSession::State state = tls->handshake()) {
    case TlsSession::State::kDone:
      return handshake_ended("");
    case TlsSession::State::kWantRead:
    case TlsSession::State::kWantWrite:
      return wait(state, [this](error_code error) {
        if (error || !socket.is_open()) return handshake_ended("the TLS handshake did not end");
        handshake();
      });
    case TlsSession::State::kClosed:
      return handshake_ended("the other side ended the TLS handshake");
    case TlsSession::State::kFailed:
      return handshake_ended(tls->failure());
  }
}

void Stream::State::handshake_ended(const std::string& failure) {
  const HandshakeDone done = std::exchange(on_handshake, nullptr);
  asio::post(socket.get_executor(), [done, failure] { done(failure); });
}

void Stream::State::end_read(bool now, error_code error, std::size_t size) {
  received += size;
  allowed -= std::min<std::uint64_t>(size, allowed);
  IoDone done = std::move(*read_done);
  read_done.reset();
  if (!now) return complete_later(std::move(done), error, size);
  std::move(done)(error, size);
}

/// `may_complete_now`: not called from the function that began the operation.
void Stream::State::tls_read(bool may_complete_now) {
  std::size_t got = 0;
  switch (const auto state = tls->read(read_buffer.data(), read_buffer.size(), got)) {
    case TlsSession::State::kDone:
      return end_read(may_complete_now, {}, got);
    case TlsSession::State::kWantRead:
    case TlsSession::State::kWantWrite:
      return wait(state, [this](error_code error) {
        if (!error && !socket.is_open()) error = asio::error::operation_aborted;
        if (error) return end_read(true, error, 0);
        tls_read(true);
      });
    case TlsSession::State::kClosed:
      return end_read(may_complete_now, asio::error::eof, 0);
    case TlsSession::State::kFailed:
      // A connection that ends without TLS's goodbye may have been cut by anyone.
      return end_read(may_complete_now, asio::error::connection_reset, 0);
  }
}

void Stream::State::end_write(bool now, error_code error, std::size_t size) {
  sent += size;
  write_bytes.clear();
  write_bytes.shrink_to_fit();  // Idle connections hold no buffers.
  IoDone done = std::move(*write_done);
  write_done.reset();
  if (!now) return complete_later(std::move(done), error, size);
  std::move(done)(error, size);
}

void Stream::State::tls_write(bool may_complete_now) {
  std::size_t put = 0;
  switch (const auto state = tls->write(write_bytes.data(), write_bytes.size(), put)) {
    case TlsSession::State::kDone:
      return end_write(may_complete_now, {}, put);
    case TlsSession::State::kWantRead:
    case TlsSession::State::kWantWrite:
      return wait(state, [this](error_code error) {
        if (!error && !socket.is_open()) error = asio::error::operation_aborted;
        if (error) return end_write(true, error, 0);
        tls_write(true);
      });
    case TlsSession::State::kClosed:
    case TlsSession::State::kFailed:
      return end_write(may_complete_now, asio::error::connection_reset, 0);
  }
}

Stream::Stream(tcp::socket socket) : state_(std::make_shared<State>(std::move(socket))) {}

Stream::~Stream() {
  if (state_) state_->close();
}

void Stream::start_tls(std::shared_ptr<const TlsContext> context, const std::string& server_name,
                       HandshakeDone done) {
  ASSERT(!state_->tls);
  error_code ignored;
  state_->socket.non_blocking(true, ignored);
  state_->tls =
      std::make_unique<TlsSession>(std::move(context), state_->socket.native_handle(), server_name);
  state_->on_handshake = std::move(done);
  state_->handshake();
}

Stream::executor_type Stream::get_executor() {
  return state_->socket.get_executor();
}

tcp::socket& Stream::socket() {
  return state_->socket;
}

void Stream::read(const std::shared_ptr<State>& state, asio::mutable_buffer buffer, IoDone done) {
  if (state->allowed == 0) {
    return state->complete_later(std::move(done), asio::error::no_buffer_space, 0);
  }
  if (buffer.size() == 0) return state->complete_later(std::move(done), {}, 0);
  if (state->tls) {
    ASSERT(!state->read_done);
    state->read_done.emplace(std::move(done));
    state->read_buffer = buffer;
    if (!state->socket.is_open()) {
      return state->end_read(false, asio::error::operation_aborted, 0);
    }
    return state->tls_read(false);
  }
  state->socket.async_read_some(
      buffer, [state, done = std::move(done)](error_code error, std::size_t size) mutable {
        state->received += size;
        state->allowed -= std::min<std::uint64_t>(size, state->allowed);
        std::move(done)(error, size);
      });
}

void Stream::write(const std::shared_ptr<State>& state, const Pieces& pieces, IoDone done) {
  if (pieces[0].size() == 0) return state->complete_later(std::move(done), {}, 0);
  if (!state->tls) {
    return state->socket.async_write_some(
        pieces, [state, done = std::move(done)](error_code error, std::size_t size) mutable {
          state->sent += size;
          std::move(done)(error, size);
        });
  }
  ASSERT(!state->write_done);
  state->write_done.emplace(std::move(done));
  if (!state->socket.is_open()) {
    return state->end_write(false, asio::error::operation_aborted, 0);
  }
  // Header and body in one record, as in one segment without TLS.
  state->write_bytes.resize(std::min(kRecordBytes, asio::buffer_size(pieces)));
  asio::buffer_copy(asio::buffer(state->write_bytes), pieces);
  state->tls_write(false);
}

void Stream::expires_after(std::chrono::milliseconds time) {
  state_->timer.expires_after(time);
  const std::uint64_t number = ++state_->deadlines;
  state_->timer.async_wait([weak = std::weak_ptr(state_), number](error_code error) {
    const auto state = weak.lock();
    if (!error && state && state->deadlines == number) state->close();
  });
}

void Stream::expires_never() {
  ++state_->deadlines;
  state_->timer.cancel();
}

void Stream::close() {
  state_->close();
}

void Stream::shutdown_send(error_code& error) {
  if (state_->tls) state_->tls->say_goodbye();
  state_->socket.shutdown(tcp::socket::shutdown_send, error);
}

void Stream::allow_bytes(std::uint64_t bytes) {
  state_->allowed = bytes;
}

std::uint64_t Stream::bytes_received() const {
  return state_->received;
}

std::uint64_t Stream::bytes_sent() const {
  return state_->sent;
}

bool Stream::is_quiet() {
  error_code error;
  char byte = 0;
  state_->socket.non_blocking(true, error);
  if (error) return false;
  state_->socket.receive(asio::buffer(&byte, 1), tcp::socket::message_peek, error);
  return error == asio::error::would_block || error == asio::error::try_again;
}

}  // namespace kith::node
