#include <gtest/gtest.h>

#include <boost/asio/steady_timer.hpp>
#include <vector>

#include "node/net/header_scan.hpp"
#include "node/net/http.hpp"
#include "tests/node/net_fixture.hpp"

namespace kith::node {
namespace {

using namespace std::chrono_literals;
using test::RawPeer;
using test::run_for;
using test::run_until;

constexpr std::string_view kGet = "GET /a?b=c HTTP/1.1\r\nHost: x\r\n\r\n";

HttpResponse text(std::string_view body) {
  HttpResponse response;
  response.content_type = "text/plain";
  response.body = crypto::to_bytes(body);
  return response;
}

class HttpServerTest : public testing::Test {
 protected:
  void listen(ServerLimits limits = {}) {
    auto server = HttpServer::listen(
        io_, "127.0.0.1", 0,
        [this](HttpRequest request, HttpRespond respond) {
          requests_.push_back(std::move(request));
          if (defer_) {
            deferred_.push_back(std::move(respond));
          } else {
            respond(text("fine"));
          }
        },
        limits);
    ASSERT_TRUE(server.has_value());
    server_ = std::move(*server);
  }

  /// The status that one raw request gets; 0 if the connection closes without an answer.
  unsigned status_of(std::string_view raw) {
    RawPeer peer(io_, server_->port());
    peer.send(raw);
    EXPECT_TRUE(run_until(io_, [&] { return peer.closed() || peer.has("\r\n\r\n"); })) << raw;
    return peer.received().size() < 12
               ? 0
               : static_cast<unsigned>(std::stoul(peer.received().substr(9, 3)));
  }

  boost::asio::io_context io_{1};
  std::unique_ptr<HttpServer> server_;
  std::vector<HttpRequest> requests_;
  std::vector<HttpRespond> deferred_;
  bool defer_ = false;
};

TEST_F(HttpServerTest, AnswersSeveralRequestsOnOneConnection) {
  listen();
  RawPeer peer(io_, server_->port());
  for (int i = 0; i < 3; ++i) {
    peer.forget();
    peer.send(
        "POST /a%20b?c=d HTTP/1.1\r\nHost: x\r\nContent-Type: t/u\r\nContent-Length: 5\r\n\r\n"
        "hello");
    ASSERT_TRUE(run_until(io_, [&] { return peer.has("fine"); }));
    EXPECT_FALSE(peer.closed());
  }
  ASSERT_EQ(requests_.size(), 3U);
  EXPECT_EQ(requests_[2].method, "POST");
  EXPECT_EQ(requests_[2].path, "/a%20b");
  EXPECT_EQ(requests_[2].query, "c=d");
  EXPECT_EQ(requests_[2].content_type, "t/u");
  EXPECT_EQ(crypto::as_text(requests_[2].body), "hello");
  EXPECT_EQ(requests_[2].remote_address, "127.0.0.1");
  EXPECT_EQ(server_->connection_count(), 1U);
}

TEST_F(HttpServerTest, ClosesAfterTheAllowedNumberOfRequests) {
  ServerLimits limits;
  limits.requests_per_connection = 2;
  listen(limits);
  RawPeer peer(io_, server_->port());
  peer.send(kGet);
  ASSERT_TRUE(run_until(io_, [&] { return peer.has("fine"); }));
  EXPECT_FALSE(peer.closed());
  peer.send(kGet);
  ASSERT_TRUE(run_until(io_, [&] { return peer.closed(); }));
  EXPECT_EQ(requests_.size(), 2U);
  EXPECT_TRUE(peer.has("Connection: close"));
}

TEST_F(HttpServerTest, RefusesALargeBodyBeforeReadingIt) {
  ServerLimits limits;
  limits.body_bytes = 1000;
  listen(limits);
  const std::string chunk = "258\r\n" + std::string(600, 'x') + "\r\n";
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1001\r\n\r\n"), 413U);
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunk +
                      chunk + "0\r\n\r\n"),
            413U);
  EXPECT_TRUE(requests_.empty());
  EXPECT_EQ(status_of("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n" +
                      std::string(1000, 'x')),
            200U);
}

TEST_F(HttpServerTest, DeliversTheRefusalToAClientThatIsStillSending) {
  ServerLimits limits;
  limits.body_bytes = 1000;
  listen(limits);
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n";
  EXPECT_EQ(status_of(head + std::string(100000, 'x')), 413U);
}

TEST_F(HttpServerTest, RefusesLargeHeaders) {
  ServerLimits limits;
  limits.header_bytes = 500;
  limits.header_fields = 5;
  listen(limits);
  const std::string head = "GET / HTTP/1.1\r\nHost: x\r\nA: 1\r\nB: 1\r\nC: 1\r\nD: 1\r\n";
  EXPECT_EQ(status_of("GET / HTTP/1.1\r\nHost: x\r\nA: " + std::string(600, 'a') + "\r\n\r\n"),
            431U);
  EXPECT_EQ(status_of("GET /" + std::string(600, 'a')), 431U) << "no end in sight";
  EXPECT_EQ(status_of(head + "E: 1\r\n\r\n"), 431U);
  EXPECT_TRUE(requests_.empty());
  EXPECT_EQ(status_of(head + "\r\n"), 200U);
}

TEST_F(HttpServerTest, RefusesEveryAmbiguousFraming) {
  const std::string post = "POST / HTTP/1.1\r\nHost: x\r\n";
  const std::string get = "GET / HTTP/1.1\r\nHost: x\r\n";
  const std::string length = "Content-Length: ";
  const std::string coding = "Transfer-Encoding: ";
  const std::string end = "\r\n\r\n0\r\n\r\n";
  struct Row {
    std::string raw;
    unsigned status;
  };
  const Row rows[] = {
      {post + length + "5\r\n" + coding + "chunked" + end, 400},
      {post + coding + "chunked\r\n" + length + "5" + end, 400},
      {post + length + "1\r\n" + length + "2\r\n\r\nab", 400},
      {post + length + "1\r\n" + length + "1\r\n\r\na", 400},
      {post + length + "1, 1\r\n\r\na", 400},
      {post + length + "+1\r\n\r\na", 400},
      {post + length + "-1\r\n\r\na", 400},
      {post + length + "0x1\r\n\r\na", 400},
      {post + length + "\r\n\r\na", 400},
      {post + length + "99999999999999999999999\r\n\r\na", 400},
      {post + coding + "gzip" + end, 400},
      {post + coding + "gzip, chunked" + end, 400},
      {post + coding + "chunked, chunked" + end, 400},
      {post + coding + "xchunked" + end, 400},
      {post + coding + "chunked\r\n" + coding + "identity" + end, 400},
      {post + "Transfer-Encoding : chunked" + end, 400},
      {post + coding + "chunked\r\n\r\nzz\r\n\r\n", 400},
      {"POST / HTTP/1.0\r\nHost: x\r\n" + coding + "chunked" + end, 400},
      {"GET / HTTP/1.1\nHost: x\n\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\nA: b\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\nHost: x\rA: b\r\n\r\n", 400},
      {get + "A: b\r\n folded\r\n\r\n", 400},
      {"GET / HTTP/1.1\r\n Host: x\r\n\r\n", 400},
      {get + "A: " + std::string(1, '\0') + "\r\n\r\n", 400},
      {"\r\n" + get + "\r\n", 400},
      {"GET / HTTP/1.1\r\n\r\n", 400},
      {get + "Host: y\r\n\r\n", 400},
      {"GET http://x/ HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET * HTTP/1.1\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 400},
      {"GET / HTTP/1.2\r\nHost: x\r\n\r\n", 400},
      {get + "Expect: miracles\r\n\r\n", 417},
      {"OPTIONS / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
      {"TRACE / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
      {"PUT / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", 405},
      {"BREW / HTTP/1.1\r\nHost: x\r\n\r\n", 405},
  };
  listen();
  for (const Row& row : rows) EXPECT_EQ(status_of(row.raw), row.status) << row.raw;
  EXPECT_TRUE(requests_.empty());
  // The same server takes the plain forms, so the table refuses what it means to.
  EXPECT_EQ(status_of(kGet), 200U);
  EXPECT_EQ(status_of(post + length + "1\r\n\r\na"), 200U);
  EXPECT_EQ(status_of(post + coding + "chunked\r\n\r\n1\r\na\r\n0\r\n\r\n"), 200U);
  EXPECT_EQ(status_of("GET / HTTP/1.0\r\n\r\n"), 200U);
  EXPECT_EQ(requests_.size(), 4U);
}

TEST_F(HttpServerTest, DoesNotHandleASmuggledSecondRequest) {
  listen();
  RawPeer peer(io_, server_->port());
  peer.send(std::string{kGet} + "GET /smuggled HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(run_until(io_, [&] { return peer.closed(); }));
  ASSERT_EQ(requests_.size(), 1U);
  EXPECT_EQ(requests_[0].path, "/a");
}

TEST_F(HttpServerTest, NamesTheAllowedMethods) {
  listen();
  RawPeer peer(io_, server_->port());
  peer.send("DELETE / HTTP/1.1\r\nHost: x\r\n\r\n");
  ASSERT_TRUE(run_until(io_, [&] { return peer.closed(); }));
  EXPECT_TRUE(peer.has("Allow: GET, POST"));
}

TEST_F(HttpServerTest, ClosesSlowHeadersInTimeThoughBytesTrickleIn) {
  ServerLimits limits;
  limits.header_timeout = 60ms;
  listen(limits);
  RawPeer peer(io_, server_->port());
  boost::asio::steady_timer timer(io_);
  std::function<void()> trickle = [&] {
    peer.send("G");
    timer.expires_after(5ms);
    timer.async_wait([&](boost::system::error_code error) {
      if (!error && !peer.closed()) trickle();
    });
  };
  const auto begin_ms = read_clocks().steady_ms;
  trickle();
  ASSERT_TRUE(run_until(io_, [&] { return peer.closed(); }));
  EXPECT_GE(read_clocks().steady_ms - begin_ms, 50);
  EXPECT_EQ(server_->connection_count(), 0U);
}

TEST_F(HttpServerTest, ClosesSilentIdleAndHalfSentConnections) {
  ServerLimits limits;
  limits.header_timeout = 100ms;
  limits.body_timeout = 40ms;
  limits.idle_timeout = 40ms;
  listen(limits);
  RawPeer silent(io_, server_->port());
  RawPeer half_body(io_, server_->port());
  half_body.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nab");
  RawPeer idle(io_, server_->port());
  idle.send(kGet);
  ASSERT_TRUE(
      run_until(io_, [&] { return silent.closed() && half_body.closed() && idle.closed(); }));
  EXPECT_TRUE(idle.has("fine"));
  EXPECT_EQ(requests_.size(), 1U);
  EXPECT_EQ(server_->connection_count(), 0U);
}

TEST_F(HttpServerTest, ClosesAConnectionWhoseClientDoesNotRead) {
  ServerLimits limits;
  limits.write_timeout = 60ms;
  defer_ = true;
  listen(limits);
  RawPeer peer(io_, server_->port(), /*reading=*/false);
  peer.send(kGet);
  ASSERT_TRUE(run_until(io_, [&] { return !deferred_.empty(); }));
  HttpResponse large;
  large.body.resize(std::size_t{32} * 1024 * 1024);
  deferred_[0](std::move(large));
  EXPECT_EQ(server_->connection_count(), 1U);
  ASSERT_TRUE(run_until(io_, [&] { return server_->connection_count() == 0; }));
}

TEST_F(HttpServerTest, TurnsAwayConnectionsAboveTheTotalCap) {
  ServerLimits limits;
  limits.connections = 2;
  listen(limits);
  auto first = std::make_unique<RawPeer>(io_, server_->port());
  RawPeer second(io_, server_->port());
  RawPeer third(io_, server_->port());
  ASSERT_TRUE(run_until(io_, [&] { return third.closed(); }));
  EXPECT_TRUE(third.has("503"));
  EXPECT_EQ(server_->connection_count(), 2U);
  first.reset();
  ASSERT_TRUE(run_until(io_, [&] { return server_->connection_count() == 1; }));
  EXPECT_EQ(status_of(kGet), 200U) << "a free place is given again";
}

TEST_F(HttpServerTest, OnlySoManyConnectionsMayCarryRequests) {
  ServerLimits limits;
  limits.http_connections = 1;
  listen(limits);
  RawPeer first(io_, server_->port());
  RawPeer second(io_, server_->port());
  ASSERT_TRUE(run_until(io_, [&] { return second.closed(); }));
  EXPECT_TRUE(second.has("503"));
  EXPECT_FALSE(first.closed());
}

TEST_F(HttpServerTest, TurnsAwayConnectionsAboveTheCapPerAddress) {
  ServerLimits limits;
  limits.connections_per_address = 1;
  limits.exempt_loopback = false;
  listen(limits);
  {
    RawPeer first(io_, server_->port());
    RawPeer second(io_, server_->port());
    ASSERT_TRUE(run_until(io_, [&] { return second.closed(); }));
    EXPECT_FALSE(first.closed());
  }
  ASSERT_TRUE(run_until(io_, [&] { return server_->connection_count() == 0; }));
  EXPECT_EQ(status_of(kGet), 200U);

  limits.exempt_loopback = true;
  listen(limits);
  RawPeer first(io_, server_->port());
  EXPECT_EQ(status_of(kGet), 200U) << "loopback may be exempt";
}

TEST_F(HttpServerTest, AnswersLaterAndOnlyOnce) {
  defer_ = true;
  listen();
  RawPeer peer(io_, server_->port());
  peer.send(kGet);
  ASSERT_TRUE(run_until(io_, [&] { return deferred_.size() == 1; }));
  EXPECT_TRUE(peer.received().empty());
  deferred_[0](text("late"));
  deferred_[0](text("twice"));
  ASSERT_TRUE(run_until(io_, [&] { return peer.has("late"); }));
  peer.send(kGet);
  ASSERT_TRUE(run_until(io_, [&] { return deferred_.size() == 2; }));
  deferred_[0](text("stale"));
  deferred_[1](text("right"));
  ASSERT_TRUE(run_until(io_, [&] { return peer.has("right"); }));
  EXPECT_FALSE(peer.has("twice"));
  EXPECT_FALSE(peer.has("stale"));
}

TEST_F(HttpServerTest, SaysUnavailableWhenTheHandlerNeverAnswers) {
  ServerLimits limits;
  limits.respond_timeout = 30ms;
  defer_ = true;
  listen(limits);
  EXPECT_EQ(status_of(kGet), 503U);
  ASSERT_EQ(deferred_.size(), 1U);
  deferred_[0](text("too late"));
  run_for(io_, 5ms);
}

TEST_F(HttpServerTest, AsksForTheBodyOfAClientThatExpectsContinue) {
  listen();
  RawPeer peer(io_, server_->port());
  peer.send("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  ASSERT_TRUE(run_until(io_, [&] { return peer.has("100 Continue"); }));
  EXPECT_TRUE(requests_.empty());
  peer.send("ab");
  ASSERT_TRUE(run_until(io_, [&] { return peer.has("fine"); }));
  EXPECT_EQ(crypto::as_text(requests_[0].body), "ab");
}

TEST_F(HttpServerTest, NeverWritesAnAnswerThatSplitsIntoTwo) {
  defer_ = true;
  listen();
  RawPeer peer(io_, server_->port());
  peer.send(kGet);
  ASSERT_TRUE(run_until(io_, [&] { return deferred_.size() == 1; }));
  HttpResponse response = text("x");
  response.fields = {{"Location", "/a\r\nSet-Cookie: b"}};
  deferred_[0](std::move(response));
  ASSERT_TRUE(run_until(io_, [&] { return peer.has("\r\n\r\n"); }));
  EXPECT_TRUE(peer.has("500"));
  EXPECT_FALSE(peer.has("Set-Cookie"));
}

TEST_F(HttpServerTest, StopFinishesAnswersAndClosesTheRest) {
  defer_ = true;
  listen();
  RawPeer busy(io_, server_->port());
  busy.send(kGet);
  RawPeer idle(io_, server_->port());
  ASSERT_TRUE(
      run_until(io_, [&] { return deferred_.size() == 1 && server_->connection_count() == 2; }));
  server_->stop();
  ASSERT_TRUE(run_until(io_, [&] { return idle.closed(); }));
  EXPECT_FALSE(busy.closed());
  deferred_[0](text("goodbye"));
  ASSERT_TRUE(run_until(io_, [&] { return busy.closed(); }));
  EXPECT_TRUE(busy.has("goodbye"));
  EXPECT_EQ(server_->connection_count(), 0U);
  io_.restart();
  io_.run_for(2s);
  EXPECT_TRUE(io_.stopped()) << "nothing of the server is left to wait for";
}

TEST_F(HttpServerTest, DestructionClosesEverythingAndLateAnswersAreHarmless) {
  defer_ = true;
  listen();
  RawPeer busy(io_, server_->port());
  busy.send(kGet);
  RawPeer idle(io_, server_->port());
  ASSERT_TRUE(
      run_until(io_, [&] { return deferred_.size() == 1 && server_->connection_count() == 2; }));
  server_.reset();
  deferred_[0](text("nobody"));
  ASSERT_TRUE(run_until(io_, [&] { return busy.closed() && idle.closed(); }));
  EXPECT_TRUE(busy.received().empty());
}

TEST_F(HttpServerTest, MayBeDestroyedByItsHandler) {
  auto server = HttpServer::listen(io_, "127.0.0.1", 0, [this](HttpRequest, HttpRespond respond) {
    server_.reset();
    respond(text("x"));
  });
  ASSERT_TRUE(server.has_value());
  server_ = std::move(*server);
  RawPeer peer(io_, server_->port());
  peer.send(kGet);
  ASSERT_TRUE(run_until(io_, [&] { return peer.closed(); }));
  EXPECT_EQ(server_, nullptr);
}

TEST_F(HttpServerTest, ListensOnLiteralAddressesOnly) {
  const HttpHandler handler = [](const HttpRequest&, const HttpRespond&) {};
  EXPECT_EQ(HttpServer::listen(io_, "localhost", 0, handler).error().code, Errc::bad_url);
  EXPECT_EQ(HttpServer::listen(io_, "192.0.2.1", 0, handler).error().code, Errc::unreachable);
}

TEST(HeaderScan, FindsTheEndHoweverTheBytesArrive) {
  const std::string header = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  const std::string all = header + "body";
  HeaderScan scan;
  for (std::size_t size = 1; size < header.size(); ++size) {
    ASSERT_EQ(scan.scan(std::string_view{all}.substr(0, size)), HeaderScan::State::kMore) << size;
  }
  ASSERT_EQ(scan.scan(all), HeaderScan::State::kEnd);
  EXPECT_EQ(scan.end(), header.size());
}

}  // namespace
}  // namespace kith::node
