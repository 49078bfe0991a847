#include "node/runtime/locked_node.hpp"

#include <boost/asio/io_context.hpp>
#include <boost/asio/signal_set.hpp>
#include <boost/asio/steady_timer.hpp>
#include <csignal>
#include <utility>

#include "node/control/server.hpp"
#include "node/control/socket_path.hpp"
#include "node/net/http.hpp"
#include "node/runtime/listen_address.hpp"

namespace kith::node {
namespace {

/// What senders are told to wait; Kith has its own, longer pauses.
constexpr const char* kRetryAfterS = "60";
/// How often a node that was unlocked looks whether its answer has left.
constexpr std::chrono::milliseconds kAnswerLook{5};
constexpr int kAnswerLooks = 200;

}  // namespace

class LockedNode::Impl {
 public:
  Impl(const Home& home, const RuntimeOptions& options)
      : home_(home), options_(options), signals_(io_, SIGINT, SIGTERM), leaving_(io_) {}

  Result<void> open() {
    // Without its keys it reads no policy documents; it does when it is unlocked.
    std::signal(SIGHUP, SIG_IGN);
    TRY(const std::string path, control_socket_path(home_.directory()));
    auto handler = [this](std::string request, ControlRespond respond) {
      respond(answer(std::move(request)));
    };
    TRY(control_, ControlServer::listen(io_, path, std::move(handler)));
    signals_.async_wait([this](const boost::system::error_code& error, int) {
      if (!error) io_.stop();
    });
    return open_listener();
  }

  std::optional<Unlocked> run() {
    io_.run();
    return std::move(unlocked_);
  }
  [[nodiscard]] std::uint16_t port() const { return http_ ? http_->port() : std::uint16_t{0}; }

 private:
  Result<void> open_listener() {
    if (options_.listen.empty()) return {};
    TRY(const ListenAddress address, parse_listen(options_.listen));
    ServerExtras extras;
    if (!options_.tls_certificate.empty()) {
      TRY(extras.tls, TlsContext::server(options_.tls_certificate, options_.tls_key));
    }
    const auto handler = [](const HttpRequest&, const HttpRespond& respond) {
      respond({503, {}, {}, {{"Retry-After", kRetryAfterS}}});
    };
    ServerLimits limits;
    limits.connections_per_address = options_.connections_per_address;
    limits.new_connections_per_minute = options_.new_connections_per_minute;
    TRY(http_,
        HttpServer::listen(io_, address.host, address.port, handler, limits, std::move(extras)));
    return {};
  }

  std::string answer(std::string text) {
    auto request = parse_request(text);
    if (!request.has_value()) return encode_reply(request.error());
    if (request->command == "status" || request->command == "lock") {
      return encode_reply(JsonObject{{"home", home_.directory()}, {"locked", true}});
    }
    if (request->command == "unlock") return encode_reply(unlock(*request));
    return encode_reply(fail(Errc::wallet_locked));
  }

  /// Everybody waits meanwhile: there is nothing else to do.
  Result<JsonObject> unlock(ControlRequest& request) {
    if (unlocked_) return JsonObject{{"locked", false}};
    if (!request.passphrase) return fail(Errc::step_up_required);
    KeyStart start{home_.directory(), PassphraseFrom::here};
    start.passphrase = std::move(*request.passphrase);
    Unlocked unlocked;
    if (request.args.contains("for_s")) {
      TRY(unlocked.lock_after_s, crypto::json_int(request.args, "for_s"));
    }
    auto keys = start_key_process(std::move(start));
    if (!keys.has_value() && keys.error() == Errc::wrong_passphrase) ++wrong_tries_;
    TRY(unlocked.keys, std::move(keys));
    unlocked.wrong_tries = wrong_tries_;
    unlocked_ = std::move(unlocked);
    if (http_) http_->stop();
    control_->stop();
    leave(kAnswerLooks);
    return JsonObject{{"locked", false}};
  }

  void leave(int looks) {
    leaving_.expires_after(kAnswerLook);
    leaving_.async_wait([this, looks](const boost::system::error_code& error) {
      if (error) return;
      if (looks == 0 || control_->connection_count() == 0) return io_.stop();
      leave(looks - 1);
    });
  }

  const Home& home_;
  const RuntimeOptions& options_;
  boost::asio::io_context io_;
  boost::asio::signal_set signals_;
  boost::asio::steady_timer leaving_;
  std::unique_ptr<ControlServer> control_;
  std::unique_ptr<HttpServer> http_;
  std::optional<Unlocked> unlocked_;
  std::int64_t wrong_tries_ = 0;
};

Result<std::unique_ptr<LockedNode>> LockedNode::start(const Home& home,
                                                      const RuntimeOptions& options) {
  auto impl = std::make_unique<Impl>(home, options);
  CHECK(impl->open());
  return std::unique_ptr<LockedNode>(new LockedNode(std::move(impl)));
}

LockedNode::LockedNode(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
LockedNode::~LockedNode() = default;
std::optional<LockedNode::Unlocked> LockedNode::run() {
  return impl_->run();
}
std::uint16_t LockedNode::port() const {
  return impl_->port();
}

}  // namespace kith::node
