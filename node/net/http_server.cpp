// One of the three translation units that may include Beast (the others: http_client.cpp and
// websocket.cpp).

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <boost/beast/http/write.hpp>
#include <optional>
#include <set>

#include "crypto/assert.hpp"
#include "node/net/admission.hpp"
#include "node/net/header_rules.hpp"
#include "node/net/header_scan.hpp"
#include "node/net/http.hpp"
#include "node/net/http_parts.hpp"
#include "node/runtime/system_clock.hpp"

namespace kith::node {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using asio::ip::tcp;
using boost::system::error_code;

using Body = http::vector_body<std::uint8_t>;
using Parser = http::request_parser<Body>;

/// How long to wait when the process has no file descriptor left for a new connection.
constexpr std::chrono::milliseconds kAcceptRetry{100};

}  // namespace

class HttpServer::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, HttpHandler handler, ServerLimits limits, ServerExtras extras)
      : handler_(std::move(handler)),
        limits_(limits),
        admission_(std::make_shared<Admission>(limits)),
        extras_(std::move(extras)),
        acceptor_(io),
        accept_timer_(io) {}

  Result<void> open(const tcp::endpoint& endpoint);
  void accept();
  void stop();
  void close_all();
  std::uint16_t port() const { return port_; }
  std::size_t connection_count() const { return connections_.size(); }
  std::size_t websocket_count() const { return admission_->websockets(); }

 private:
  class Connection;
  void admit(tcp::socket socket);

  HttpHandler handler_;
  ServerLimits limits_;
  std::shared_ptr<Admission> admission_;
  ServerExtras extras_;
  tcp::acceptor acceptor_;
  asio::steady_timer accept_timer_;
  std::uint16_t port_ = 0;
  bool stopping_ = false;
  std::set<std::shared_ptr<Connection>> connections_;
};

/// Alive while the server lists it or an operation of its own is pending.
class HttpServer::Impl::Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(Impl& server, tcp::socket socket, const asio::ip::address& remote,
             std::unique_ptr<Admission::Place> place)
      : server_(&server),
        stream_(std::move(socket)),
        timer_(stream_.get_executor()),
        buffer_(server.limits_.header_bytes + kStreamPieceBytes),
        remote_address_(remote.to_string()),
        place_(std::move(place)) {}

  void start();

  void stop() {
    stopping_ = true;
    if (state_ == State::kIdle || state_ == State::kHeader || state_ == State::kLinger) close();
  }

  /// Ends it; the server no longer lists it.
  void close();

 private:
  enum class State { kIdle, kHeader, kBody, kHandling, kWriting, kLinger };
  using Self = std::shared_ptr<Connection>;

  void next_request(std::chrono::milliseconds first_byte_timeout);
  void shake_hands();
  void read_header();
  void on_header_bytes(error_code error, std::size_t size);
  void parse_header();
  void read_body(error_code error);
  void on_body(error_code error);
  bool wants_websocket() const;
  void upgrade();
  void handle();
  void respond(std::uint64_t number, HttpResponse response);
  void refuse(unsigned status, std::string_view text) { write(plain_answer(status, text), false); }
  void write(HttpResponse response, bool keep_alive);
  void on_written(error_code error);
  void linger();
  void on_linger(error_code error, std::size_t size);

  Impl* server_;  ///< Null once closed; the server outlives its listed connections.
  Stream stream_;
  asio::steady_timer timer_;  ///< For the handler's answer; the stream has its own for I/O.
  beast::flat_buffer buffer_;
  std::string remote_address_;
  std::shared_ptr<Admission::Place> place_;  ///< Until the connection closes or is given away.
  State state_ = State::kIdle;
  bool stopping_ = false;
  std::uint64_t request_number_ = 0;
  HeaderScan scan_;
  std::optional<Parser> parser_;
  std::optional<http::response<Body>> response_;
  std::size_t lingered_bytes_ = 0;
};

void HttpServer::Impl::Connection::close() {
  if (server_ == nullptr) return;
  Impl* server = std::exchange(server_, nullptr);
  const Self self = shared_from_this();
  stream_.close();
  timer_.cancel();
  server->connections_.erase(self);
  place_.reset();
}

void HttpServer::Impl::Connection::start() {
  if (server_->extras_.tls) return shake_hands();
  // The first byte of the first request is due as soon as the rest of its header.
  next_request(server_->limits_.header_timeout);
}

void HttpServer::Impl::Connection::shake_hands() {
  state_ = State::kIdle;
  stream_.expires_after(server_->limits_.handshake_timeout);
  stream_.start_tls(server_->extras_.tls, "",
                    [self = shared_from_this()](const std::string& failure) {
                      if (self->server_ == nullptr) return;
                      if (!failure.empty()) return self->close();
                      self->next_request(self->server_->limits_.header_timeout);
                    });
}

void HttpServer::Impl::Connection::next_request(std::chrono::milliseconds first_byte_timeout) {
  state_ = State::kIdle;
  scan_ = HeaderScan{};
  buffer_.consume(buffer_.size());
  parser_.reset();
  response_.reset();
  stream_.expires_after(first_byte_timeout);
  read_header();
}

void HttpServer::Impl::Connection::read_header() {
  const std::size_t room = server_->limits_.header_bytes + 1 - buffer_.size();
  stream_.async_read_some(buffer_.prepare(std::min(room, kStreamPieceBytes)),
                          [self = shared_from_this()](error_code error, std::size_t size) {
                            self->on_header_bytes(error, size);
                          });
}

void HttpServer::Impl::Connection::on_header_bytes(error_code error, std::size_t size) {
  if (server_ == nullptr) return;
  if (error) return close();
  buffer_.commit(size);
  if (state_ == State::kIdle) {
    state_ = State::kHeader;
    // From the first byte on, so that a trickle does not move the deadline.
    stream_.expires_after(server_->limits_.header_timeout);
  }
  const auto data = buffer_.cdata();
  switch (scan_.scan({static_cast<const char*>(data.data()), data.size()})) {
    case HeaderScan::State::kBad:
      return refuse(400, "The header is malformed.\n");
    case HeaderScan::State::kMore:
      if (buffer_.size() <= server_->limits_.header_bytes) return read_header();
      return refuse(431, "The header is too large.\n");
    case HeaderScan::State::kEnd:
      if (scan_.end() > server_->limits_.header_bytes) {
        return refuse(431, "The header is too large.\n");
      }
      return parse_header();
  }
}

void HttpServer::Impl::Connection::parse_header() {
  state_ = State::kBody;
  parser_.emplace();
  parser_->header_limit(static_cast<std::uint32_t>(server_->limits_.header_bytes));
  parser_->body_limit(server_->limits_.body_bytes);
  error_code error;
  const std::size_t used = parser_->put(asio::buffer(buffer_.cdata(), scan_.end()), error);
  buffer_.consume(used);
  if (error == http::error::body_limit) return refuse(413, "The body is too large.\n");
  if (error || !parser_->is_header_done()) return refuse(400, "The header is malformed.\n");
  if (auto refusal = judge_header(parser_->get(), server_->limits_.header_fields)) {
    return write(std::move(*refusal), false);
  }
  if (parser_->is_done() && wants_websocket()) return upgrade();
  if (parser_->is_done()) return handle();
  stream_.expires_after(server_->limits_.body_timeout);
  if (parser_->get().count(http::field::expect) == 0 || buffer_.size() > 0) return read_body({});
  static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
  asio::async_write(
      stream_, asio::buffer(kContinue),
      [self = shared_from_this()](error_code failed, std::size_t) { self->read_body(failed); });
}

void HttpServer::Impl::Connection::read_body(error_code error) {
  if (server_ == nullptr) return;
  if (error) return close();
  parser_->eager(true);
  http::async_read(
      stream_, buffer_, *parser_,
      [self = shared_from_this()](error_code failed, std::size_t) { self->on_body(failed); });
}

void HttpServer::Impl::Connection::on_body(error_code error) {
  if (server_ == nullptr) return;
  if (error == http::error::body_limit) return refuse(413, "The body is too large.\n");
  if (error == http::error::partial_message || error == http::error::end_of_stream) return close();
  if (error.category() == make_error_code(http::error::bad_chunk).category()) {
    return refuse(400, "The body is malformed.\n");
  }
  if (error) return close();
  handle();
}

/// RFC 6455 section 4.2.1; Beast looks at the rest.
bool HttpServer::Impl::Connection::wants_websocket() const {
  const auto& request = parser_->get();
  return server_->extras_.on_websocket && request.method() == http::verb::get &&
         http::token_list{request[http::field::upgrade]}.exists("websocket") &&
         http::token_list{request[http::field::connection]}.exists("upgrade");
}

void HttpServer::Impl::Connection::upgrade() {
  // Frames before the handshake has ended would be a request smuggled in.
  if (buffer_.size() > 0) return refuse(400, "Nothing may follow before the answer.\n");
  const auto& request = parser_->get();
  WebSocketUpgrade upgrade{std::string{request.target()}, std::string{request[http::field::host]},
                           std::string{request[http::field::sec_websocket_key]},
                           std::string{request[http::field::sec_websocket_version]},
                           remote_address_};
  if (!is_websocket_key(upgrade.key)) return refuse(400, "The WebSocket key is malformed.\n");
  if (stopping_ || !place_->become_websocket()) {
    return refuse(503, "There are too many connections.\n");
  }
  Impl* server = std::exchange(server_, nullptr);
  const Self self = shared_from_this();
  server->connections_.erase(self);
  stream_.expires_never();
  accept_websocket(
      std::move(stream_), upgrade, server->limits_.websocket, std::move(place_),
      [weak = std::weak_ptr(server->shared_from_this())](std::unique_ptr<WebSocket> socket) {
        const auto open = weak.lock();
        if (!socket || !open || open->stopping_) return;
        const WebSocketHandler handler = open->extras_.on_websocket;
        handler(std::move(socket));
      });
}

void HttpServer::Impl::Connection::handle() {
  state_ = State::kHandling;
  const std::uint64_t number = ++request_number_;
  stream_.expires_never();
  timer_.expires_after(server_->limits_.respond_timeout);
  timer_.async_wait([self = shared_from_this(), number](error_code error) {
    if (!error) self->respond(number, plain_answer(503, "There was no answer in time.\n"));
  });

  auto& message = parser_->get();
  const std::string_view target{message.target().data(), message.target().size()};
  const std::size_t mark = target.find('?');
  HttpRequest request;
  request.method = std::string{message.method_string()};
  request.path = std::string{target.substr(0, mark)};
  if (mark != std::string_view::npos) request.query = std::string{target.substr(mark + 1)};
  request.content_type = std::string{message[http::field::content_type]};
  request.accept = std::string{message[http::field::accept]};
  request.body = std::move(message.body());
  request.remote_address = remote_address_;
  // A copy: the handler may destroy the server.
  const HttpHandler handler = server_->handler_;
  handler(std::move(request), [weak = weak_from_this(), number](HttpResponse response) {
    if (const Self self = weak.lock()) self->respond(number, std::move(response));
  });
}

void HttpServer::Impl::Connection::respond(std::uint64_t number, HttpResponse response) {
  if (server_ == nullptr || state_ != State::kHandling || number != request_number_) return;
  timer_.cancel();
  // Bytes beyond the request would be a pipelined one, or an attempt to smuggle one.
  const bool keep_alive = parser_->keep_alive() && !stopping_ && buffer_.size() == 0 &&
                          request_number_ < server_->limits_.requests_per_connection;
  write(std::move(response), keep_alive);
}

void HttpServer::Impl::Connection::write(HttpResponse response, bool keep_alive) {
  bool sound = response.status >= 200 && response.status <= 599 &&
               !has_control_character(response.content_type);
  for (const auto& [name, value] : response.fields) {
    sound = sound && is_token(name) && !has_control_character(value);
  }
  if (!sound) response = plain_answer(500, "The answer could not be written.\n");
  state_ = State::kWriting;
  response_.emplace(static_cast<http::status>(response.status), 11U);
  if (!response.content_type.empty()) {
    response_->set(http::field::content_type, response.content_type);
  }
  for (const auto& [name, value] : response.fields) response_->insert(name, value);
  response_->body() = std::move(response.body);
  response_->keep_alive(keep_alive);
  response_->prepare_payload();
  stream_.expires_after(server_->limits_.write_timeout);
  http::async_write(
      stream_, *response_,
      [self = shared_from_this()](error_code error, std::size_t) { self->on_written(error); });
}

void HttpServer::Impl::Connection::on_written(error_code error) {
  if (server_ == nullptr) return;
  if (error) return close();
  if (!response_->keep_alive()) return linger();
  if (stopping_) return close();
  next_request(server_->limits_.idle_timeout);
}

void HttpServer::Impl::Connection::linger() {
  if (stopping_) return close();
  state_ = State::kLinger;
  error_code error;
  stream_.shutdown_send(error);
  if (error) return close();
  stream_.expires_after(std::min<std::chrono::milliseconds>(limits::kHttpLingerTimeout,
                                                            server_->limits_.write_timeout));
  on_linger({}, 0);
}

void HttpServer::Impl::Connection::on_linger(error_code error, std::size_t size) {
  if (server_ == nullptr) return;
  lingered_bytes_ += size;
  if (error || lingered_bytes_ > limits::kHttpLingerBytesMax) return close();
  buffer_.consume(buffer_.size());
  stream_.async_read_some(buffer_.prepare(kStreamPieceBytes),
                          [self = shared_from_this()](error_code failed, std::size_t more) {
                            self->on_linger(failed, more);
                          });
}

Result<void> HttpServer::Impl::open(const tcp::endpoint& endpoint) {
  error_code error;
  acceptor_.open(endpoint.protocol(), error);
  // Old connections of an earlier run in TIME_WAIT must not keep a node from starting.
  if (!error) acceptor_.set_option(tcp::acceptor::reuse_address(true), error);
  if (!error && endpoint.address().is_v6()) {
    acceptor_.set_option(asio::ip::v6_only(true), error);
  }
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(asio::socket_base::max_listen_connections, error);
  if (!error) port_ = acceptor_.local_endpoint(error).port();
  if (error) {
    return fail(Errc::unreachable, "cannot listen on " + endpoint.address().to_string() + " port " +
                                       std::to_string(endpoint.port()) + ": " + error.message());
  }
  return {};
}

void HttpServer::Impl::accept() {
  acceptor_.async_accept([self = shared_from_this()](error_code error, tcp::socket socket) {
    if (self->stopping_) return;
    if (!error) {
      self->admit(std::move(socket));
      return self->accept();
    }
    self->accept_timer_.expires_after(kAcceptRetry);
    self->accept_timer_.async_wait([self](error_code cancelled) {
      if (!cancelled && !self->stopping_) self->accept();
    });
  });
}

void HttpServer::Impl::admit(tcp::socket socket) {
  error_code error;
  const tcp::endpoint remote = socket.remote_endpoint(error);
  if (error) return;
  const asio::ip::address address = plain_address(remote.address());
  auto place = admission_->admit(address, read_clocks().steady_ms);
  if (!place) {
    // One try without waiting; the socket closes either way.
    static constexpr std::string_view kBusy =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nContent-Length: 0\r\n"
        "Connection: close\r\n\r\n";
    socket.non_blocking(true, error);
    if (!error) socket.write_some(asio::buffer(kBusy), error);
    return;
  }
  socket.set_option(tcp::no_delay(true), error);
  auto connection =
      std::make_shared<Connection>(*this, std::move(socket), address, std::move(place));
  connections_.insert(connection);
  connection->start();
}

void HttpServer::Impl::stop() {
  stopping_ = true;
  error_code ignored;
  acceptor_.close(ignored);
  accept_timer_.cancel();
  const auto copy = connections_;
  for (const auto& connection : copy) connection->stop();
}

void HttpServer::Impl::close_all() {
  stop();
  const auto copy = connections_;
  for (const auto& connection : copy) connection->close();
}

Result<std::unique_ptr<HttpServer>> HttpServer::listen(asio::io_context& io, std::string_view host,
                                                       std::uint16_t port, HttpHandler handler,
                                                       ServerLimits limits, ServerExtras extras) {
  error_code error;
  const asio::ip::address address = asio::ip::make_address(std::string{host}, error);
  if (error) return fail(Errc::bad_url, "the address to listen on must be a literal one");
  auto impl = std::make_shared<Impl>(io, std::move(handler), limits, std::move(extras));
  CHECK(impl->open({address, port}));
  impl->accept();
  return std::unique_ptr<HttpServer>(new HttpServer(std::move(impl)));
}

HttpServer::HttpServer(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
HttpServer::~HttpServer() {
  impl_->close_all();
}
std::uint16_t HttpServer::port() const {
  return impl_->port();
}
std::size_t HttpServer::connection_count() const {
  return impl_->connection_count();
}
std::size_t HttpServer::websocket_count() const {
  return impl_->websocket_count();
}
void HttpServer::stop() {
  impl_->stop();
}

}  // namespace kith::node
