#include "node/net/connector.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <optional>
#include <utility>

namespace kith::node {

namespace asio = boost::asio;
using asio::ip::tcp;
using boost::system::error_code;
using Addresses = std::vector<asio::ip::address>;

class Connecting::Impl : public std::enable_shared_from_this<Impl> {
 public:
  Impl(asio::io_context& io, std::shared_ptr<const ConnectOptions> options, HttpUrl url,
       ConnectDone done)
      : io_(io),
        options_(std::move(options)),
        url_(std::move(url)),
        done_(std::move(done)),
        resolver_(io),
        timer_(io) {}

  void start();
  void give_up();

 private:
  void resolve();
  void on_resolved(Result<Addresses> found);
  void connect_next(const std::string& failure);
  void on_connected(error_code error);
  void shake_hands();
  void finish(Result<Stream> result);

  asio::io_context& io_;
  std::shared_ptr<const ConnectOptions> options_;
  HttpUrl url_;
  ConnectDone done_;
  tcp::resolver resolver_;
  asio::steady_timer timer_;
  Addresses addresses_;  ///< Still to try.
  std::optional<tcp::socket> socket_;
  std::optional<Stream> stream_;
  bool timed_out_ = false;
  bool finished_ = false;
};

void Connecting::Impl::start() {
  asio::post(io_, [self = shared_from_this()] {
    if (self->finished_) return;
    if (self->url_.secure && !self->options_->tls) {
      return self->finish(fail(Errc::unsupported, "TLS is not set up here"));
    }
    if (!self->url_.is_address) return self->resolve();
    self->addresses_ = {asio::ip::make_address(self->url_.host)};
    self->connect_next("");
  });
}

void Connecting::Impl::resolve() {
  ResolveDone done = [weak = weak_from_this()](Result<Addresses> found) {
    if (const auto self = weak.lock()) self->on_resolved(std::move(found));
  };
  if (options_->resolve) return options_->resolve(url_.host, std::move(done));
  resolver_.async_resolve(
      url_.host, std::to_string(url_.port), tcp::resolver::numeric_service,
      [done = std::move(done)](error_code error, const tcp::resolver::results_type& results) {
        if (error) return done(fail(Errc::unreachable, "the name is not known"));
        Addresses found;
        for (const auto& entry : results) found.push_back(entry.endpoint().address());
        done(std::move(found));
      });
}

void Connecting::Impl::on_resolved(Result<Addresses> found) {
  if (finished_) return;
  if (!found) return finish(found.error());
  // The second check of url_policy.hpp: the connection goes to these addresses and no others.
  Result<void> refusal;
  for (const auto& address : *found) {
    if (addresses_.size() >= limits::kHttpAddressesMax) break;
    const auto allowed = check_address(address, options_->policy);
    if (allowed) {
      addresses_.push_back(address);
    } else {
      refusal = allowed;
    }
  }
  if (addresses_.empty() && !refusal) return finish(refusal.error());
  connect_next("the name has no address");
}

void Connecting::Impl::connect_next(const std::string& failure) {
  if (addresses_.empty()) return finish(fail(Errc::unreachable, failure));
  const tcp::endpoint endpoint{addresses_.front(), url_.port};
  addresses_.erase(addresses_.begin());
  socket_.emplace(io_);
  timed_out_ = false;
  timer_.expires_after(options_->connect_timeout);
  timer_.async_wait([weak = weak_from_this()](error_code error) {
    const auto self = weak.lock();
    if (error || !self || !self->socket_) return;
    self->timed_out_ = true;
    error_code ignored;
    self->socket_->close(ignored);
  });
  socket_->async_connect(
      endpoint, [self = shared_from_this()](error_code error) { self->on_connected(error); });
}

void Connecting::Impl::on_connected(error_code error) {
  if (finished_) return;
  timer_.cancel();
  if (timed_out_) return connect_next("cannot connect: there was no answer in time");
  if (error) return connect_next("cannot connect: " + error.message());
  error_code ignored;
  socket_->set_option(tcp::no_delay(true), ignored);
  stream_.emplace(std::move(*socket_));
  socket_.reset();
  if (url_.secure) return shake_hands();
  finish(std::move(*stream_));
}

void Connecting::Impl::shake_hands() {
  stream_->expires_after(options_->handshake_timeout);
  stream_->start_tls(options_->tls, url_.host,
                     [weak = weak_from_this()](const std::string& failure) {
                       const auto self = weak.lock();
                       if (!self || self->finished_) return;
                       if (!failure.empty()) {
                         return self->finish(fail(Errc::unreachable, failure));
                       }
                       self->stream_->expires_never();
                       self->finish(std::move(*self->stream_));
                     });
}

void Connecting::Impl::finish(Result<Stream> result) {
  if (std::exchange(finished_, true)) return;
  const ConnectDone done = std::exchange(done_, nullptr);
  give_up();
  done(std::move(result));
}

void Connecting::Impl::give_up() {
  finished_ = true;
  done_ = nullptr;
  timer_.cancel();
  resolver_.cancel();
  socket_.reset();
  stream_.reset();
}

Connecting::Connecting(std::shared_ptr<Impl> impl) : impl_(std::move(impl)) {}
Connecting::~Connecting() {
  impl_->give_up();
}

Connector::Connector(asio::io_context& io, ConnectOptions options)
    : io_(io), options_(std::make_shared<ConnectOptions>(std::move(options))) {}

std::unique_ptr<Connecting> Connector::connect(const HttpUrl& url, ConnectDone done) {
  auto impl = std::make_shared<Connecting::Impl>(io_, options_, url, std::move(done));
  impl->start();
  return std::unique_ptr<Connecting>(new Connecting(std::move(impl)));
}

}  // namespace kith::node
