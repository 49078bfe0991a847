// One of the three translation units that may include Beast (the others: http_server.cpp and
// websocket.cpp).

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/vector_body.hpp>
#include <boost/beast/http/write.hpp>
#include <deque>
#include <map>
#include <optional>
#include <set>

#include "crypto/assert.hpp"
#include "node/net/http.hpp"

namespace kith::node {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = boost::beast::http;
using boost::system::error_code;

using Body = http::vector_body<std::uint8_t>;

/// Interim answers (1xx) before the real one.
constexpr unsigned kInterimMax = 3;
constexpr unsigned kStatusTemporaryRedirect = 307;

struct Connection {
  Connection(asio::io_context& io, Stream connected, std::size_t buffer_bytes)
      : stream(std::move(connected)), idle_timer(io), buffer(buffer_bytes) {}

  Stream stream;
  asio::steady_timer idle_timer;
  beast::flat_buffer buffer;
  bool reused = false;
};
using ConnectionPtr = std::shared_ptr<Connection>;

/// One call from request() to its callback, over all redirects. A call that ends early lets go of
/// its connection at once, so every pending operation keeps (`kept`) the connection it works on.
struct Call {
  Call(asio::io_context& io, HttpCall what, HttpDone callback)
      : call(std::move(what)), done(std::move(callback)), deadline(io) {}

  HttpCall call;
  HttpDone done;
  asio::steady_timer deadline;
  HttpUrl url{};
  std::size_t redirects = 0;
  bool finished = false;
  bool repeated = false;    ///< Sent again after a reused connection turned out to be dead.
  bool holds_slot = false;  ///< Counted in its host's `active`.
  bool write_failed = false;
  unsigned interim = 0;
  std::unique_ptr<Connecting> connecting;
  ConnectionPtr connection;
  std::optional<http::request<Body>> request;
  std::optional<http::response_parser<Body>> parser;
};
using CallPtr = std::shared_ptr<Call>;

struct Host {
  std::vector<ConnectionPtr> idle;
  std::deque<CallPtr> waiting;
  std::size_t active = 0;  ///< Calls that connect or use a connection.
};

Error answer_error(error_code error) {
  if (error == http::error::body_limit || error == http::error::header_limit ||
      error == http::error::buffer_overflow) {
    return fail(Errc::limit_exceeded, "the answer is too large");
  }
  if (error == http::error::end_of_stream || error == http::error::partial_message) {
    return fail(Errc::unreachable, "the other side closed the connection before its answer ended");
  }
  if (error.category() == make_error_code(http::error::bad_version).category()) {
    return fail(Errc::malformed, "the other side did not answer in HTTP");
  }
  return fail(Errc::unreachable, "the connection broke: " + error.message());
}

/// Location is absolute or a path at the same place; other relative forms are not used by anyone.
Result<HttpUrl> redirect_target(const HttpUrl& from, std::string_view location,
                                const UrlPolicy& policy) {
  if (location.empty()) return fail(Errc::malformed, "a redirect without a target");
  const bool path = location[0] == '/' && location.substr(0, 2) != "//";
  const std::string scheme = from.secure ? "https://" : "http://";
  TRY(HttpUrl url,
      parse_http_url(path ? scheme + from.authority + std::string{location} : std::string{location},
                     policy));
  if (from.secure && !url.secure) {
    return fail(Errc::refused, "a redirect away from https is not followed");
  }
  return url;
}

}  // namespace

class HttpClient::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, ClientOptions options)
      : io_(io),
        options_(std::move(options)),
        connector_(io, connect_options(options_.policy)),
        public_connector_(io, connect_options(UrlPolicy{})) {}

  void request(HttpCall what, HttpDone done);
  void close_idle();
  void close_all();
  std::size_t idle_count() const { return idle_count_; }

 private:
  using Self = std::shared_ptr<Impl>;

  /// Calls share connections only with calls under the same rules.
  static std::string key(const CallPtr& call) {
    const HttpUrl& url = call->url;
    return url.host + "|" + std::to_string(url.port) + (url.secure ? "|tls" : "") +
           (call->call.public_only ? "|public" : "");
  }
  ConnectOptions connect_options(const UrlPolicy& policy) const {
    return {policy, options_.tls, options_.connect_timeout, limits::kTlsHandshakeTimeout,
            options_.resolve};
  }
  UrlPolicy policy_of(const CallPtr& call) const {
    return call->call.public_only ? UrlPolicy{} : options_.policy;
  }

  void acquire(const CallPtr& call);
  void use_slot(const CallPtr& call);
  void open(const CallPtr& call);
  void send(const CallPtr& call);
  void receive(const CallPtr& call);
  void on_answer(const CallPtr& call, error_code error);
  void follow(const CallPtr& call);
  bool send_again(const CallPtr& call);
  void release(const CallPtr& call, bool reusable);
  void pump(const std::string& host_key);
  void keep_idle(const std::string& host_key, ConnectionPtr connection);
  void drop_idle(const std::string& host_key, const ConnectionPtr& connection);
  void finish(const CallPtr& call, Result<HttpReply> result);

  asio::io_context& io_;
  ClientOptions options_;
  Connector connector_;
  Connector public_connector_;
  bool closed_ = false;
  std::size_t idle_count_ = 0;
  std::map<std::string, Host> hosts_;  ///< Only hosts with something in them.
  std::set<CallPtr> calls_;
};

void HttpClient::Impl::request(HttpCall what, HttpDone done) {
  ASSERT(what.method == "GET" || what.method == "POST");
  const auto call = std::make_shared<Call>(io_, std::move(what), std::move(done));
  const bool crowded = calls_.size() >= options_.calls;
  calls_.insert(call);
  call->deadline.expires_after(call->call.timeout);
  call->deadline.async_wait([self = shared_from_this(), call](error_code error) {
    if (!error) self->finish(call, fail(Errc::timeout, "no answer in time"));
  });
  // Everything that may call back runs after this function has returned.
  asio::post(io_, [self = shared_from_this(), call, crowded] {
    if (call->finished) return;
    if (crowded) {
      return self->finish(call, fail(Errc::limit_exceeded, "too many calls at once"));
    }
    auto url = parse_http_url(call->call.url, self->policy_of(call));
    if (!url) return self->finish(call, url.error());
    call->url = std::move(*url);
    self->acquire(call);
  });
}

/// Takes a slot of its host, or a place in the queue for one.
void HttpClient::Impl::acquire(const CallPtr& call) {
  Host& host = hosts_[key(call)];
  if (host.active >= options_.connections_per_host) {
    host.waiting.push_back(call);
    return;
  }
  ++host.active;
  call->holds_slot = true;
  use_slot(call);
}

void HttpClient::Impl::use_slot(const CallPtr& call) {
  Host& host = hosts_[key(call)];
  while (!host.idle.empty()) {
    ConnectionPtr connection = std::move(host.idle.back());
    host.idle.pop_back();
    --idle_count_;
    connection->idle_timer.cancel();
    if (!connection->stream.is_quiet()) continue;
    connection->reused = true;
    call->connection = std::move(connection);
    return send(call);
  }
  open(call);
}

void HttpClient::Impl::open(const CallPtr& call) {
  Connector& connector = call->call.public_only ? public_connector_ : connector_;
  call->connecting = connector.connect(
      call->url, [self = shared_from_this(), weak = std::weak_ptr(call)](Result<Stream> stream) {
        const CallPtr waiting = weak.lock();
        if (!waiting || waiting->finished) return;
        waiting->connecting.reset();
        if (!stream.has_value()) return self->finish(waiting, stream.error());
        waiting->connection = std::make_shared<Connection>(
            self->io_, std::move(*stream), self->options_.header_bytes + kStreamPieceBytes);
        self->send(waiting);
      });
}

void HttpClient::Impl::send(const CallPtr& call) {
  call->interim = 0;
  call->write_failed = false;
  const bool post = call->call.method == "POST";
  call->request.emplace(post ? http::verb::post : http::verb::get, call->url.target, 11U);
  auto& request = *call->request;
  request.set(http::field::host, call->url.authority);
  if (!call->call.content_type.empty()) {
    request.set(http::field::content_type, call->call.content_type);
  }
  if (!call->call.accept.empty()) request.set(http::field::accept, call->call.accept);
  if (!call->call.authorization.empty() && call->redirects == 0) {
    request.set(http::field::authorization, call->call.authorization);
  }
  // A copy: a redirect or a dead connection may need it again.
  request.body() = call->call.body;
  request.prepare_payload();
  // The call's own deadline closes the connection.
  call->connection->stream.expires_never();
  http::async_write(
      call->connection->stream, request,
      [self = shared_from_this(), call, kept = call->connection](error_code error, std::size_t) {
        if (call->finished) return;
        // A server that refuses a large body answers and closes before it has read
        // all: the answer is there nevertheless.
        call->write_failed = static_cast<bool>(error);
        self->receive(call);
      });
}

void HttpClient::Impl::receive(const CallPtr& call) {
  call->parser.emplace();
  call->parser->header_limit(static_cast<std::uint32_t>(options_.header_bytes));
  const std::size_t most = call->call.answer_bytes;
  call->parser->body_limit(most == 0 ? options_.body_bytes : std::min(most, options_.body_bytes));
  http::async_read(
      call->connection->stream, call->connection->buffer, *call->parser,
      [self = shared_from_this(), call, kept = call->connection](error_code error, std::size_t) {
        if (!call->finished) self->on_answer(call, error);
      });
}

void HttpClient::Impl::on_answer(const CallPtr& call, error_code error) {
  if (error) {
    if (!call->parser->got_some() && send_again(call)) return;
    return finish(call, answer_error(error));
  }
  const auto& message = call->parser->get();
  const unsigned status = message.result_int();
  if (status < 200) {
    // 101 is refused too: nobody asked to switch.
    if (status == 101 || ++call->interim > kInterimMax) {
      return finish(call, fail(Errc::malformed, "the other side did not answer in HTTP"));
    }
    return receive(call);
  }
  if (status == kStatusTemporaryRedirect && call->call.follow_redirects) return follow(call);
  HttpReply reply;
  reply.status = status;
  reply.content_type = std::string{message[http::field::content_type]};
  reply.location = std::string{message[http::field::location]};
  reply.body = std::move(call->parser->get().body());
  release(call, call->parser->keep_alive());
  finish(call, std::move(reply));
}

void HttpClient::Impl::follow(const CallPtr& call) {
  if (++call->redirects > limits::kHttpRedirectsMax) {
    return finish(call, fail(Errc::limit_exceeded, "too many redirects"));
  }
  const auto location = call->parser->get()[http::field::location];
  auto url = redirect_target(call->url, {location.data(), location.size()}, policy_of(call));
  if (!url) return finish(call, url.error());
  release(call, call->parser->keep_alive());
  call->url = std::move(*url);
  call->repeated = false;
  acquire(call);
}

/// True if the call goes out once more because a kept connection had died in the meantime.
bool HttpClient::Impl::send_again(const CallPtr& call) {
  if (!call->connection->reused || call->repeated) return false;
  call->repeated = true;
  call->connection->stream.close();
  call->connection = nullptr;
  open(call);
  return true;
}

/// Gives back the connection, if any, and the slot; then the next in line may go.
void HttpClient::Impl::release(const CallPtr& call, bool reusable) {
  const ConnectionPtr connection = std::exchange(call->connection, nullptr);
  if (!call->holds_slot) return;
  call->holds_slot = false;
  const std::string host_key = key(call);
  Host& host = hosts_[host_key];
  ASSERT(host.active > 0);
  --host.active;
  if (connection) {
    // Bytes beyond the answer belong to no request of ours.
    if (reusable && !call->write_failed && connection->buffer.size() == 0) {
      keep_idle(host_key, connection);
    } else {
      connection->stream.close();
    }
  }
  pump(host_key);
}

void HttpClient::Impl::pump(const std::string& host_key) {
  const auto found = hosts_.find(host_key);
  if (found == hosts_.end()) return;
  Host& host = found->second;
  if (!host.waiting.empty() && host.active < options_.connections_per_host) {
    const CallPtr next = std::move(host.waiting.front());
    host.waiting.pop_front();
    ++host.active;
    next->holds_slot = true;
    // Through the queue of the io_context: no recursion from call to call.
    asio::post(io_, [self = shared_from_this(), next] {
      if (!next->finished) self->use_slot(next);
    });
    return;
  }
  if (host.active == 0 && host.idle.empty() && host.waiting.empty()) hosts_.erase(found);
}

void HttpClient::Impl::keep_idle(const std::string& host_key, ConnectionPtr connection) {
  if (closed_ || idle_count_ >= options_.idle_connections) return connection->stream.close();
  connection->idle_timer.expires_after(options_.idle_timeout);
  connection->idle_timer.async_wait(
      [self = shared_from_this(), host_key, weak = std::weak_ptr(connection)](error_code error) {
        const ConnectionPtr idle = weak.lock();
        if (!error && idle) self->drop_idle(host_key, idle);
      });
  hosts_[host_key].idle.push_back(std::move(connection));
  ++idle_count_;
}

void HttpClient::Impl::drop_idle(const std::string& host_key, const ConnectionPtr& connection) {
  const auto found = hosts_.find(host_key);
  if (found == hosts_.end()) return;
  idle_count_ -= std::erase(found->second.idle, connection);
  pump(host_key);
}

void HttpClient::Impl::finish(const CallPtr& call, Result<HttpReply> result) {
  if (std::exchange(call->finished, true)) return;
  call->deadline.cancel();
  call->connecting.reset();
  if (call->connection) call->connection->stream.close();
  if (!call->holds_slot) {
    const auto host = hosts_.find(key(call));
    if (host != hosts_.end()) std::erase(host->second.waiting, call);
  }
  release(call, false);
  calls_.erase(call);
  // Last: the callback may make new calls or destroy the client.
  const HttpDone done = std::move(call->done);
  done(std::move(result));
}

void HttpClient::Impl::close_idle() {
  for (auto entry = hosts_.begin(); entry != hosts_.end();) {
    Host& host = entry->second;
    for (const ConnectionPtr& connection : host.idle) connection->idle_timer.cancel();
    idle_count_ -= host.idle.size();
    host.idle.clear();
    entry = host.active == 0 && host.waiting.empty() ? hosts_.erase(entry) : std::next(entry);
  }
}

void HttpClient::Impl::close_all() {
  closed_ = true;
  for (const CallPtr& call : calls_) {
    call->finished = true;
    call->done = nullptr;
    call->deadline.cancel();
    call->connecting.reset();
    if (call->connection) call->connection->stream.close();
  }
  calls_.clear();
  close_idle();
  hosts_.clear();
}

HttpClient::HttpClient(asio::io_context& io, ClientOptions options)
    : impl_(std::make_shared<Impl>(io, std::move(options))) {}
HttpClient::~HttpClient() {
  impl_->close_all();
}
void HttpClient::request(HttpCall call, HttpDone done) {
  impl_->request(std::move(call), std::move(done));
}
void HttpClient::close_idle() {
  impl_->close_idle();
}
std::size_t HttpClient::idle_count() const {
  return impl_->idle_count();
}

}  // namespace kith::node
