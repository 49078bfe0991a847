// One of the three translation units that may include Beast (the others: http_server.cpp and
// http_client.cpp).

#include "node/net/websocket.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/empty_body.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/websocket/stream.hpp>
#include <charconv>
#include <deque>
#include <optional>
#include <utility>

#include "crypto/assert.hpp"

namespace kith::node {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
namespace websocket = boost::beast::websocket;
using boost::system::error_code;

// How Beast ends a Stream below a WebSocket; found by the stream's namespace.
void teardown(beast::role_type, Stream& stream, error_code& error) {
  stream.close();
  error = {};
}
template <class Handler>
void async_teardown(beast::role_type, Stream& stream, Handler&& handler) {
  stream.close();
  asio::post(stream.get_executor(), [handler = std::forward<Handler>(handler)]() mutable {
    std::move(handler)(error_code{});
  });
}
void beast_close_socket(Stream& stream) {
  stream.close();
}

namespace {

/// A reader must take so much in each write timeout while more waits.
constexpr std::uint64_t kSlowestBytes = std::uint64_t{32} * 1024;
constexpr std::chrono::seconds kGoodbyeTimeout{2};

Error error_of(error_code error) {
  if (error == websocket::error::closed || error == asio::error::eof) {
    return fail(Errc::unreachable, "the other side closed the connection");
  }
  if (error == websocket::error::message_too_big || error == websocket::error::buffer_overflow ||
      error == asio::error::no_buffer_space) {
    return fail(Errc::limit_exceeded, "the other side sent a message that is too large");
  }
  if (error.category() == make_error_code(websocket::error::closed).category()) {
    return fail(Errc::malformed, "the other side broke the rules of WebSocket");
  }
  return fail(Errc::unreachable, "the connection broke: " + error.message());
}

}  // namespace

class WebSocket::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(Stream stream, const WebSocketLimits& limits, std::string remote_address,
       std::shared_ptr<void> ticket);

  void accept(const WebSocketUpgrade& upgrade, std::function<void(bool)> done);
  void shake_hands(const HttpUrl& url, std::function<void(error_code)> done);

  void start(Handlers handlers);
  bool send(Bytes message, Sent done);
  void close(websocket::close_code code);
  /// No callbacks from here on.
  void cut();
  std::size_t queued_bytes() const { return queued_bytes_; }
  bool quiet() const { return queue_.empty() && !writing_ && unconfirmed_.empty(); }
  const std::string& remote_address() const { return remote_address_; }

 private:
  struct Item {
    Bytes message;
    Sent done;
  };
  struct Unconfirmed {
    std::uint64_t number;
    Sent done;
  };

  void read_more();
  void on_read(error_code error);
  void deliver();
  void on_control(websocket::frame_type kind, beast::string_view payload);
  void confirm(std::uint64_t number);
  void allow_one_message();

  void write_next();
  void write_message(Item item);
  void ping(std::string payload);
  void watch_writing();
  void on_written(error_code error);

  void arm_tick(std::chrono::milliseconds time);
  void on_tick();
  void end(Error why);
  void report_end(const Error& why);
  void shut();

  WebSocketLimits limits_;
  std::string remote_address_;
  std::shared_ptr<void> ticket_;
  websocket::stream<Stream> ws_;
  Handlers handlers_;
  asio::steady_timer tick_;
  asio::steady_timer message_timer_;
  asio::steady_timer write_timer_;

  beast::flat_buffer buffer_;
  bool in_message_ = false;  ///< Its first part has come.
  std::size_t control_frames_ = 0;
  std::uint64_t received_at_tick_ = 0;
  bool awaits_pong_ = false;

  std::deque<Item> queue_;
  std::size_t queued_bytes_ = 0;  ///< In the queue and being written.
  std::optional<Item> item_;      ///< Being written.
  std::string ping_text_;
  bool writing_ = false;
  bool wants_ping_ = false;
  std::uint64_t sent_at_watch_ = 0;
  std::uint64_t next_number_ = 1;
  std::deque<Unconfirmed> unconfirmed_;

  bool closing_ = false;
  bool closed_ = false;
  bool silent_ = false;
};

WebSocket::Impl::Impl(Stream stream, const WebSocketLimits& limits, std::string remote_address,
                      std::shared_ptr<void> ticket)
    : limits_(limits),
      remote_address_(std::move(remote_address)),
      ticket_(std::move(ticket)),
      ws_(std::move(stream)),
      tick_(ws_.get_executor()),
      message_timer_(ws_.get_executor()),
      write_timer_(ws_.get_executor()) {
  // The timers here know more: what was confirmed, and how far a message has come.
  const auto never = websocket::stream_base::none();
  ws_.set_option(websocket::stream_base::timeout{never, never, false});
  ws_.read_message_max(limits_.message_bytes);
  ws_.auto_fragment(false);  // Fragments would need a buffer per connection.
  ws_.text(true);            // Both are read; an envelope is text.
  ws_.control_callback([this](websocket::frame_type kind, beast::string_view payload) {
    on_control(kind, payload);
  });
}

void WebSocket::Impl::accept(const WebSocketUpgrade& upgrade, std::function<void(bool)> done) {
  auto request = std::make_shared<http::request<http::empty_body>>(
      http::verb::get, beast::string_view{upgrade.target.data(), upgrade.target.size()}, 11U);
  request->set(http::field::host, upgrade.host);
  request->set(http::field::connection, "upgrade");
  request->set(http::field::upgrade, "websocket");
  request->set(http::field::sec_websocket_key, upgrade.key);
  request->set(http::field::sec_websocket_version, upgrade.version);
  ws_.next_layer().expires_after(limits_.write_timeout);
  ws_.async_accept(*request,
                   [self = shared_from_this(), request, done = std::move(done)](error_code error) {
                     if (!error) self->ws_.next_layer().expires_never();
                     done(!error);
                   });
}

void WebSocket::Impl::shake_hands(const HttpUrl& url, std::function<void(error_code)> done) {
  ws_.next_layer().allow_bytes(limits::kHttpHeaderBytesMax);
  ws_.async_handshake(
      url.authority, url.target,
      [self = shared_from_this(), done = std::move(done)](error_code error) { done(error); });
}

// --- Reading

void WebSocket::Impl::start(Handlers handlers) {
  ASSERT(!handlers_.message);
  handlers_ = std::move(handlers);
  allow_one_message();
  arm_tick(limits_.ping_interval);
  read_more();
}

void WebSocket::Impl::allow_one_message() {
  // Beast skips over empty fragments without telling; their bytes count here all the same.
  ws_.next_layer().allow_bytes(limits_.message_bytes + limits_.overhead_bytes);
}

void WebSocket::Impl::read_more() {
  if (closed_) return;
  ws_.async_read_some(
      buffer_, kStreamPieceBytes,
      [self = shared_from_this()](error_code error, std::size_t) { self->on_read(error); });
}

void WebSocket::Impl::on_read(error_code error) {
  if (closed_) return;
  if (error) return end(error_of(error));
  if (ws_.is_message_done()) return deliver();
  if (!std::exchange(in_message_, true)) {
    message_timer_.expires_after(limits_.message_timeout);
    message_timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
      const auto self = weak.lock();
      if (cancelled || !self || !self->in_message_) return;
      self->end(fail(Errc::timeout, "a message did not end in time"));
    });
  }
  read_more();
}

void WebSocket::Impl::deliver() {
  in_message_ = false;
  message_timer_.cancel();
  control_frames_ = 0;
  allow_one_message();
  const auto data = buffer_.cdata();
  const auto* bytes = static_cast<const std::uint8_t*>(data.data());
  Bytes message(bytes, bytes + data.size());
  buffer_ = beast::flat_buffer{};  // An idle connection keeps no large buffer.
  if (closing_) return read_more();
  // A copy: the handler may destroy this connection.
  const auto handler = handlers_.message;
  handler(std::move(message), [weak = weak_from_this()](const Result<void>& taken) {
    const auto self = weak.lock();
    if (!self || self->closed_) return;
    if (!taken.has_value()) return self->close(websocket::close_code::try_again_later);
    self->read_more();
  });
}

/// Called from inside a read: nothing here may call out.
void WebSocket::Impl::on_control(websocket::frame_type kind, beast::string_view payload) {
  if (++control_frames_ > limits_.control_frames) {
    asio::post(ws_.get_executor(), [weak = weak_from_this()] {
      const auto self = weak.lock();
      if (self) self->end(fail(Errc::limit_exceeded, "the other side sent too many pings"));
    });
    return;
  }
  if (kind != websocket::frame_type::pong || payload.empty()) return;
  std::uint64_t number = 0;
  const char* end_of_payload = payload.data() + payload.size();
  const auto [stop, error] = std::from_chars(payload.data(), end_of_payload, number);
  if (error != std::errc() || stop != end_of_payload) return;
  asio::post(ws_.get_executor(), [weak = weak_from_this(), number] {
    if (const auto self = weak.lock()) self->confirm(number);
  });
}

/// Pongs come in order, and may answer only the last of several pings (RFC 6455 section 5.5.3).
void WebSocket::Impl::confirm(std::uint64_t number) {
  const auto self = shared_from_this();
  control_frames_ = 0;  // Confirmations of our own messages are no flood.
  while (!closed_ && !unconfirmed_.empty() && unconfirmed_.front().number <= number) {
    const Sent done = std::move(unconfirmed_.front().done);
    unconfirmed_.pop_front();
    done({});
  }
  if (!closed_) write_next();
}

// --- Writing

bool WebSocket::Impl::send(Bytes message, Sent done) {
  if (closed_ || closing_) return false;
  // One message may go beyond, so that the largest still fits behind a small one.
  if (queued_bytes_ > limits_.queue_bytes) return false;
  WebSocketTotal& total = *limits_.total;
  if (total.queued_bytes + message.size() > total.queued_bytes_max) return false;
  queued_bytes_ += message.size();
  total.queued_bytes += message.size();
  queue_.push_back({std::move(message), std::move(done)});
  write_next();
  return true;
}

void WebSocket::Impl::write_next() {
  if (writing_ || closed_ || closing_) return;
  if (std::exchange(wants_ping_, false)) return ping("");
  if (queue_.empty() || unconfirmed_.size() >= limits_.unconfirmed) return;
  Item item = std::move(queue_.front());
  queue_.pop_front();
  write_message(std::move(item));
}

void WebSocket::Impl::write_message(Item item) {
  writing_ = true;
  item_.emplace(std::move(item));
  sent_at_watch_ = ws_.next_layer().bytes_sent();
  watch_writing();
  ws_.async_write(asio::buffer(item_->message),
                  [self = shared_from_this()](error_code error, std::size_t) {
                    if (self->closed_) return;
                    if (error) return self->end(error_of(error));
                    Item written = std::move(*self->item_);
                    self->item_.reset();
                    self->queued_bytes_ -= written.message.size();
                    self->limits_.total->queued_bytes -= written.message.size();
                    if (!written.done) return self->on_written({});
                    const std::uint64_t number = self->next_number_++;
                    self->unconfirmed_.push_back({number, std::move(written.done)});
                    self->ping(std::to_string(number));
                  });
}

void WebSocket::Impl::ping(std::string payload) {
  writing_ = true;
  ping_text_ = std::move(payload);
  sent_at_watch_ = ws_.next_layer().bytes_sent();
  watch_writing();
  ws_.async_ping(websocket::ping_data{beast::string_view{ping_text_.data(), ping_text_.size()}},
                 [self = shared_from_this()](error_code error) { self->on_written(error); });
}

void WebSocket::Impl::watch_writing() {
  write_timer_.expires_after(limits_.write_timeout);
  write_timer_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self || self->closed_ || !self->writing_) return;
    const std::uint64_t sent = self->ws_.next_layer().bytes_sent();
    if (sent - self->sent_at_watch_ < kSlowestBytes) {
      return self->end(fail(Errc::timeout, "the other side reads too slowly"));
    }
    self->sent_at_watch_ = sent;
    self->watch_writing();
  });
}

void WebSocket::Impl::on_written(error_code error) {
  if (closed_) return;
  if (error) return end(error_of(error));
  writing_ = false;
  write_timer_.cancel();
  write_next();
}

// --- Signs of life, and the end

void WebSocket::Impl::arm_tick(std::chrono::milliseconds time) {
  tick_.expires_after(time);
  tick_.async_wait([weak = weak_from_this()](error_code cancelled) {
    const auto self = weak.lock();
    if (!cancelled && self && !self->closed_) self->on_tick();
  });
}

void WebSocket::Impl::on_tick() {
  const std::uint64_t received = ws_.next_layer().bytes_received();
  const bool heard = received != std::exchange(received_at_tick_, received);
  if (closing_ || (awaits_pong_ && !heard)) {
    return end(fail(Errc::timeout, "the other side has gone silent"));
  }
  control_frames_ = 0;
  if (!in_message_) allow_one_message();
  awaits_pong_ = !heard;
  if (awaits_pong_) {
    wants_ping_ = true;
    write_next();
  }
  arm_tick(awaits_pong_ ? limits_.pong_timeout : limits_.ping_interval);
}

void WebSocket::Impl::close(websocket::close_code code) {
  if (closing_ || closed_) return;
  closing_ = true;
  arm_tick(kGoodbyeTimeout);
  ws_.async_close(code, [self = shared_from_this()](error_code) {
    self->end(fail(Errc::unreachable, "the connection is closed"));
  });
}

void WebSocket::Impl::end(Error why) {
  if (closed_) return;
  shut();
  asio::post(ws_.get_executor(),
             [self = shared_from_this(), why = std::move(why)] { self->report_end(why); });
}

void WebSocket::Impl::report_end(const Error& why) {
  const auto confirmations = std::exchange(unconfirmed_, {});
  auto waiting = std::exchange(queue_, {});
  if (item_) waiting.push_front(std::move(*item_));
  item_.reset();
  const Handlers handlers = std::exchange(handlers_, {});
  const Error lost = fail(Errc::unreachable, why.detail);
  // Each callback may silence this connection.
  for (const Unconfirmed& each : confirmations) {
    if (!silent_) each.done(lost);
  }
  for (const Item& each : waiting) {
    if (!silent_ && each.done) each.done(lost);
  }
  if (!silent_ && handlers.closed) handlers.closed(why);
}

void WebSocket::Impl::shut() {
  closed_ = true;
  tick_.cancel();
  message_timer_.cancel();
  write_timer_.cancel();
  ws_.next_layer().close();
  limits_.total->queued_bytes -= std::exchange(queued_bytes_, 0);
  ticket_.reset();
}

void WebSocket::Impl::cut() {
  silent_ = true;
  if (!closed_) shut();
  handlers_ = {};
  unconfirmed_.clear();
  queue_.clear();
}

// --- The facade

WebSocket::WebSocket(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
WebSocket::~WebSocket() {
  impl_->cut();
}
void WebSocket::start(Handlers handlers) {
  impl_->start(std::move(handlers));
}
bool WebSocket::send(Bytes message, Sent done) {
  return impl_->send(std::move(message), std::move(done));
}
void WebSocket::close() {
  impl_->close(websocket::close_code::going_away);
}
std::size_t WebSocket::queued_bytes() const {
  return impl_->queued_bytes();
}
bool WebSocket::quiet() const {
  return impl_->quiet();
}
const std::string& WebSocket::remote_address() const {
  return impl_->remote_address();
}

void accept_websocket(Stream stream, const WebSocketUpgrade& upgrade, const WebSocketLimits& limits,
                      std::shared_ptr<void> ticket,
                      std::function<void(std::unique_ptr<WebSocket>)> done) {
  auto impl = std::make_shared<WebSocket::Impl>(std::move(stream), limits, upgrade.remote_address,
                                                std::move(ticket));
  impl->accept(upgrade, [weak = std::weak_ptr(impl), done = std::move(done)](bool accepted) {
    auto open = weak.lock();
    if (!accepted || !open) return done(nullptr);
    done(std::make_unique<WebSocket>(std::move(open)));
  });
}

namespace {

class Opening final : public WebSocketOpening {
 public:
  struct State : std::enable_shared_from_this<State> {
    State(asio::io_context& context, WebSocketOpened callback)
        : io(context), timer(context), done(std::move(callback)) {}

    void finish(Result<std::unique_ptr<WebSocket>> result) {
      timer.cancel();
      const WebSocketOpened callback = std::exchange(done, nullptr);
      const auto keep = std::move(connecting);
      const auto keep_socket = std::move(socket);
      if (callback) callback(std::move(result));
    }
    void on_connected(Result<Stream> stream, const WebSocketLimits& limits);

    asio::io_context& io;
    asio::steady_timer timer;
    WebSocketOpened done;
    HttpUrl url;
    std::unique_ptr<Connecting> connecting;
    std::shared_ptr<WebSocket::Impl> socket;
  };

  explicit Opening(std::shared_ptr<State> state) : state_(std::move(state)) {}
  ~Opening() override {
    state_->done = nullptr;
    state_->timer.cancel();
    state_->connecting.reset();
    if (state_->socket) state_->socket->cut();
    state_->socket.reset();
  }

 private:
  std::shared_ptr<State> state_;
};

void Opening::State::on_connected(Result<Stream> stream, const WebSocketLimits& limits) {
  if (!done) return;
  if (!stream.has_value()) return finish(stream.error());
  socket = std::make_shared<WebSocket::Impl>(std::move(*stream), limits, url.host, nullptr);
  socket->shake_hands(url, [weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (!self || !self->done) return;
    if (error == websocket::error::upgrade_declined ||
        error.category() == make_error_code(http::error::bad_version).category()) {
      return self->finish(
          fail(Errc::unsupported, "the other side does not take WebSocket connections there"));
    }
    if (error) return self->finish(error_of(error));
    self->finish(std::make_unique<WebSocket>(self->socket));
  });
}

}  // namespace

std::unique_ptr<WebSocketOpening> open_websocket(asio::io_context& io, Connector& connector,
                                                 const UrlPolicy& policy, std::string url,
                                                 const WebSocketLimits& limits,
                                                 std::chrono::milliseconds timeout,
                                                 WebSocketOpened done) {
  auto state = std::make_shared<Opening::State>(io, std::move(done));
  state->timer.expires_after(timeout);
  state->timer.async_wait([weak = std::weak_ptr(state)](error_code cancelled) {
    const auto self = weak.lock();
    if (cancelled || !self) return;
    if (self->socket) self->socket->cut();
    self->finish(fail(Errc::timeout, "no WebSocket was opened in time"));
  });
  auto parsed = parse_ws_url(url, policy);
  if (!parsed.has_value()) {
    asio::post(io, [weak = std::weak_ptr(state), error = parsed.error()] {
      if (const auto self = weak.lock()) self->finish(error);
    });
  } else {
    state->url = *parsed;
    state->connecting =
        connector.connect(*parsed, [weak = std::weak_ptr(state), limits](Result<Stream> stream) {
          if (const auto self = weak.lock()) self->on_connected(std::move(stream), limits);
        });
  }
  return std::make_unique<Opening>(std::move(state));
}

}  // namespace kith::node
