#include "node/net/websocket.hpp"

#include <gtest/gtest.h>
#include <sys/resource.h>

#include <fstream>
#include <optional>
#include <vector>

#include "node/net/http.hpp"
#include "tests/node/net_fixture.hpp"

namespace kith::node {
namespace {

using namespace std::chrono_literals;
using test::RawPeer;
using test::run_for;
using test::run_until;
using Socket = std::unique_ptr<WebSocket>;

constexpr std::string_view kHello =
    "GET /a HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n";

/// A client's frame with a mask of zeros: opcode 1 text, 0 continuation, 8 close, 9 ping.
std::string frame(unsigned opcode, std::string_view payload, bool last = true) {
  std::string out{static_cast<char>((last ? 0x80U : 0U) | opcode)};
  if (payload.size() < 126) {
    out += static_cast<char>(0x80U | payload.size());
  } else {
    const bool large = payload.size() > 0xFFFF;
    out += static_cast<char>(0x80U | (large ? 127U : 126U));
    for (int shift = large ? 56 : 8; shift >= 0; shift -= 8) {
      out += static_cast<char>((payload.size() >> static_cast<unsigned>(shift)) & 0xFFU);
    }
  }
  return out + std::string(4, '\0') + std::string{payload};
}

/// One end with what reached it.
struct End {
  explicit End(Socket opened, bool takes_at_once = true) : socket(std::move(opened)) {
    socket->start({[this, takes_at_once](Bytes message, WebSocket::Sent done) {
                     received.emplace_back(crypto::as_text(message));
                     if (takes_at_once) return done({});
                     takers.push_back(std::move(done));
                   },
                   [this](const Error& why) { closed = why; }});
  }
  Socket socket;
  std::vector<std::string> received;
  std::vector<WebSocket::Sent> takers;
  std::optional<Error> closed;
};

class WebSocketTest : public testing::Test {
 protected:
  void listen(ServerLimits limits = {}) {
    ServerExtras extras;
    extras.on_websocket = [this](Socket socket) {
      ends_.push_back(std::make_unique<End>(std::move(socket), take_at_once_));
    };
    auto server = HttpServer::listen(
        io_, "127.0.0.1", 0,
        [](HttpRequest, const HttpRespond& respond) {
          respond({404, "", {}, {}});
        },
        limits, std::move(extras));
    ASSERT_TRUE(server.has_value());
    server_ = std::move(*server);
  }

  std::string url(std::string_view scheme = "ws") const {
    return std::string{scheme} + "://127.0.0.1:" + std::to_string(server_->port()) + "/a";
  }

  Result<Socket> open(std::string to, WebSocketLimits limits = {},
                      std::chrono::milliseconds timeout = 4s) {
    std::optional<Result<Socket>> result;
    const auto opening = open_websocket(io_, connector_, policy_, std::move(to), limits, timeout,
                                        [&](Result<Socket> opened) { result = std::move(opened); });
    EXPECT_TRUE(run_until(io_, [&] { return result.has_value(); }));
    return std::move(*result);
  }

  /// A connected pair: the client's end; the server's is the last of ends_.
  std::unique_ptr<End> connect(WebSocketLimits limits = {}) {
    const std::size_t before = ends_.size();
    auto opened = open(url(), limits);
    EXPECT_TRUE(opened.has_value());
    EXPECT_TRUE(run_until(io_, [&] { return ends_.size() > before; }));
    return std::make_unique<End>(std::move(*opened));
  }

  /// A raw connection that has shaken hands.
  std::unique_ptr<RawPeer> raw(bool reading = true) {
    auto peer = std::make_unique<RawPeer>(io_, server_->port(), reading);
    const std::size_t before = ends_.size();
    peer->send(kHello);
    EXPECT_TRUE(run_until(io_, [&] { return ends_.size() > before; }));
    return peer;
  }

  boost::asio::io_context io_{1};
  UrlPolicy policy_{.allow_private = true};
  Connector connector_{io_, {.policy = policy_, .tls = {}, .resolve = {}}};
  std::unique_ptr<HttpServer> server_;
  std::vector<std::unique_ptr<End>> ends_;
  bool take_at_once_ = true;
};

TEST_F(WebSocketTest, CarriesMessagesBothWays) {
  listen();
  const auto client = connect();
  const std::string large(300'000, 'x');
  int confirmed = 0;
  for (const std::string& text : {std::string("one"), std::string(), large}) {
    ASSERT_TRUE(client->socket->send(crypto::to_bytes(text), [&](Result<void> sent) {
      EXPECT_TRUE(sent.has_value());
      ++confirmed;
    }));
  }
  ASSERT_TRUE(run_until(io_, [&] { return confirmed == 3; }));
  EXPECT_EQ(ends_[0]->received, (std::vector<std::string>{"one", "", large}));
  ASSERT_TRUE(ends_[0]->socket->send(crypto::to_bytes("back")));
  ASSERT_TRUE(run_until(io_, [&] { return !client->received.empty(); }));
  EXPECT_EQ(client->received[0], "back");
  EXPECT_EQ(server_->websocket_count(), 1U);
  EXPECT_EQ(server_->connection_count(), 0U);
}

TEST_F(WebSocketTest, ConfirmsAMessageOnlyWhenTheOtherSideHasDealtWithIt) {
  take_at_once_ = false;
  listen();
  const auto client = connect();
  std::vector<int> confirmed;
  for (int i = 0; i < 2; ++i) {
    ASSERT_TRUE(client->socket->send(crypto::to_bytes("m"), [&confirmed, i](Result<void> sent) {
      EXPECT_TRUE(sent.has_value());
      confirmed.push_back(i);
    }));
  }
  ASSERT_TRUE(run_until(io_, [&] { return !ends_[0]->takers.empty(); }));
  run_for(io_, 30ms);
  EXPECT_TRUE(confirmed.empty());
  EXPECT_EQ(ends_[0]->received.size(), 1U) << "the second is read after the first is dealt with";
  ends_[0]->takers[0]({});
  ASSERT_TRUE(run_until(io_, [&] { return confirmed == std::vector<int>{0}; }));
  ASSERT_TRUE(run_until(io_, [&] { return ends_[0]->takers.size() == 2; }));
  ends_[0]->takers[1]({});
  EXPECT_TRUE(run_until(io_, [&] { return confirmed == std::vector<int>{0, 1}; }));
}

TEST_F(WebSocketTest, AMessageThatTheOtherSideDoesNotTakeFailsAndClosesTheConnection) {
  take_at_once_ = false;
  listen();
  const auto client = connect();
  std::optional<Result<void>> result;
  ASSERT_TRUE(client->socket->send(crypto::to_bytes("m"),
                                   [&](Result<void> sent) { result = std::move(sent); }));
  ASSERT_TRUE(run_until(io_, [&] { return !ends_[0]->takers.empty(); }));
  ends_[0]->takers[0](fail(Errc::storage_full));
  ASSERT_TRUE(run_until(io_, [&] { return result.has_value() && client->closed.has_value(); }));
  EXPECT_EQ(result->error().code, Errc::unreachable);
}

TEST_F(WebSocketTest, WhatIsUnderWayFailsWhenTheOtherSideVanishes) {
  take_at_once_ = false;
  listen();
  const auto client = connect();
  int failed = 0;
  for (int i = 0; i < 3; ++i) {
    ASSERT_TRUE(client->socket->send(crypto::to_bytes("m"), [&](Result<void> sent) {
      EXPECT_EQ(sent.error().code, Errc::unreachable);
      ++failed;
    }));
  }
  ASSERT_TRUE(run_until(io_, [&] { return !ends_[0]->takers.empty(); }));
  ends_.clear();
  ASSERT_TRUE(run_until(io_, [&] { return failed == 3 && client->closed.has_value(); }));
  EXPECT_EQ(server_->websocket_count(), 0U);
  EXPECT_FALSE(client->socket->send(crypto::to_bytes("late")));
}

TEST_F(WebSocketTest, ADroppedConnectionCallsNobody) {
  listen();
  auto client = connect();
  ASSERT_TRUE(client->socket->send(crypto::to_bytes("m"), [](Result<void>) { FAIL(); }));
  client.reset();
  ASSERT_TRUE(run_until(io_, [&] { return ends_[0]->closed.has_value(); }));
}

TEST_F(WebSocketTest, SaysGoodbye) {
  listen();
  const auto client = connect();
  client->socket->close();
  ASSERT_TRUE(
      run_until(io_, [&] { return client->closed.has_value() && ends_[0]->closed.has_value(); }));
  EXPECT_EQ(ends_[0]->closed->code, Errc::unreachable);
}

TEST_F(WebSocketTest, RefusesBadHandshakes) {
  listen();
  const auto answer = [&](std::string request) {
    RawPeer peer(io_, server_->port());
    peer.send(request);
    EXPECT_TRUE(run_until(io_, [&] { return peer.closed() || peer.has("\r\n\r\n"); })) << request;
    return peer.received().substr(0, 12);
  };
  const auto without = [](std::string_view line, std::string_view instead = "") {
    std::string hello{kHello};
    const std::size_t at = hello.find(line);
    hello.replace(at, line.size(), instead);
    return hello;
  };
  EXPECT_EQ(answer(std::string{kHello}), "HTTP/1.1 101");
  EXPECT_EQ(answer(without("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n")), "HTTP/1.1 400");
  EXPECT_EQ(answer(without("dGhlIHNhbXBsZSBub25jZQ==", "c2hvcnQ=")), "HTTP/1.1 400");
  EXPECT_EQ(answer(without("Version: 13", "Version: 8")), "HTTP/1.1 426");
  EXPECT_EQ(answer(without("Upgrade: websocket\r\n")), "HTTP/1.1 404") << "an ordinary request";
  EXPECT_EQ(answer(without("GET", "PUT")), "HTTP/1.1 405");
  EXPECT_EQ(answer(std::string{kHello} + frame(1, "early")), "HTTP/1.1 400");
  EXPECT_EQ(answer(std::string{"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 11}),
            "HTTP/1.1 400");
  EXPECT_EQ(ends_.size(), 1U);
}

TEST_F(WebSocketTest, AListenerWithoutWebSocketsAnswersAnUpgradeAsARequest) {
  auto server =
      HttpServer::listen(io_, "127.0.0.1", 0, [](HttpRequest, const HttpRespond& respond) {
        respond({404, "", {}, {}});
      });
  ASSERT_TRUE(server.has_value());
  server_ = std::move(*server);
  const auto opened = open(url());
  ASSERT_FALSE(opened.has_value());
  EXPECT_EQ(opened.error().code, Errc::unsupported);
}

TEST_F(WebSocketTest, ClosesOnGarbageAndOnFramesThatAreTooLarge) {
  ServerLimits limits;
  limits.websocket.message_bytes = 1000;
  listen(limits);
  const std::string headers_of_a_terabyte{
      "\x81\xff\x00\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00", 14};
  const std::string bad[] = {
      std::string(20, '\xff'),
      frame(3, "reserved opcode"),
      frame(0, "no beginning"),
      frame(1, "\xff not utf-8"),
      frame(1, std::string(1001, 'x')),
      headers_of_a_terabyte,
      std::string{"\x81\x01x", 3},  // Not masked, as a client's must be.
      frame(9, std::string(126, 'x')),
      frame(1, std::string(600, 'x'), false) + frame(0, std::string(600, 'x'))};
  for (const std::string& bytes : bad) {
    const auto peer = raw();
    End& end = *ends_.back();
    peer->send(bytes);
    EXPECT_TRUE(run_until(io_, [&] { return end.closed.has_value() && peer->closed(); })) << bytes;
    EXPECT_TRUE(end.received.empty());
  }
  const auto good = raw();
  good->send(frame(1, std::string(999, 'x'), false) + frame(0, "y"));
  EXPECT_TRUE(run_until(io_, [&] { return !ends_.back()->received.empty(); }));
  EXPECT_TRUE(run_until(io_, [&] { return server_->websocket_count() == 1U; }));
}

TEST_F(WebSocketTest, ReadsTextAndBinaryFrames) {
  listen();
  const auto peer = raw();
  peer->send(frame(1, "text") + frame(2, "binary"));
  EXPECT_TRUE(run_until(io_, [&] { return ends_[0]->received.size() == 2; }));
}

TEST_F(WebSocketTest, EndsABombOfEmptyFragments) {
  ServerLimits limits;
  limits.websocket.message_bytes = 1000;
  limits.websocket.overhead_bytes = 2000;
  listen(limits);
  const auto peer = raw();
  std::string bomb = frame(1, "", false);
  for (int i = 0; i < 1000; ++i) bomb += frame(0, "", false);
  peer->send(bomb);
  ASSERT_TRUE(run_until(io_, [&] { return ends_[0]->closed.has_value(); }));
  EXPECT_EQ(ends_[0]->closed->code, Errc::limit_exceeded);
}

TEST_F(WebSocketTest, EndsAMessageThatTricklesIn) {
  ServerLimits limits;
  limits.websocket.message_timeout = 60ms;
  listen(limits);
  const auto peer = raw();
  peer->send(frame(1, "begin", false));
  ASSERT_TRUE(run_until(io_, [&] { return ends_[0]->closed.has_value(); }));
  EXPECT_EQ(ends_[0]->closed->code, Errc::timeout);
}

TEST_F(WebSocketTest, EndsAFloodOfPings) {
  ServerLimits limits;
  limits.websocket.control_frames = 10;
  listen(limits);
  const auto peer = raw();
  std::string pings;
  for (int i = 0; i < 10; ++i) pings += frame(9, "p");
  peer->send(pings);
  run_for(io_, 30ms);
  EXPECT_FALSE(ends_[0]->closed.has_value());
  peer->send(frame(9, "p"));
  ASSERT_TRUE(run_until(io_, [&] { return ends_[0]->closed.has_value(); }));
  EXPECT_EQ(ends_[0]->closed->code, Errc::limit_exceeded);
}

TEST_F(WebSocketTest, ClosesAHalfOpenConnectionButNotAQuietOne) {
  ServerLimits limits;
  limits.websocket.ping_interval = 40ms;
  limits.websocket.pong_timeout = 40ms;
  listen(limits);
  const auto quiet = connect();  // Answers pings, as every client must.
  const auto silent = raw();     // Reads, but never answers.
  End& end = *ends_.back();
  ASSERT_TRUE(run_until(io_, [&] { return end.closed.has_value(); }));
  EXPECT_EQ(end.closed->code, Errc::timeout);
  run_for(io_, 200ms);
  EXPECT_FALSE(ends_[0]->closed.has_value());
  EXPECT_FALSE(quiet->closed.has_value());
}

TEST_F(WebSocketTest, TheClientNoticesAServerThatHasGoneSilent) {
  listen();
  WebSocketLimits limits;
  limits.ping_interval = 40ms;
  limits.pong_timeout = 40ms;
  take_at_once_ = false;  // It does not read on, so it answers no ping either.
  const auto client = connect(limits);
  ASSERT_TRUE(client->socket->send(crypto::to_bytes("m")));
  ASSERT_TRUE(run_until(io_, [&] { return client->closed.has_value(); }));
  EXPECT_EQ(client->closed->code, Errc::timeout);
}

TEST_F(WebSocketTest, BoundsWhatWaitsForASlowReaderAndCutsItOff) {
  ServerLimits limits;
  limits.websocket.queue_bytes = 10'000;
  limits.websocket.write_timeout = 60ms;
  listen(limits);
  const auto peer = raw(false);  // Reads nothing.
  WebSocket& socket = *ends_[0]->socket;
  ASSERT_TRUE(socket.send(Bytes(8'000'000, 'x')));  // More than the kernel keeps.
  run_for(io_, 20ms);
  EXPECT_FALSE(socket.send(Bytes(10'000, 'x'))) << "no place behind it";
  ASSERT_TRUE(run_until(io_, [&] { return ends_[0]->closed.has_value(); }));
  EXPECT_EQ(ends_[0]->closed->code, Errc::timeout);
}

TEST_F(WebSocketTest, BoundsWhatWaitsOverAllConnections) {
  ServerLimits limits;
  limits.websocket.total->queued_bytes_max = 9'000'000;
  listen(limits);
  auto slow = raw(false);
  const auto other = raw(false);
  ASSERT_TRUE(ends_[0]->socket->send(Bytes(8'000'000, 'x')));
  run_for(io_, 20ms);
  EXPECT_FALSE(ends_[1]->socket->send(Bytes(2'000'000, 'x')));
  ends_[0]->socket.reset();
  EXPECT_EQ(limits.websocket.total->queued_bytes, 0U);
  EXPECT_TRUE(ends_[1]->socket->send(Bytes(2'000'000, 'x')));
}

TEST_F(WebSocketTest, BoundsTheConnectionsOfOneAddressAndOfAll) {
  ServerLimits limits;
  limits.exempt_loopback = false;
  limits.connections_per_address = 3;
  limits.websockets = 2;
  listen(limits);
  const auto one = raw();
  auto two = raw();
  const auto answer = [&] {
    RawPeer peer(io_, server_->port());
    peer.send(kHello);
    EXPECT_TRUE(run_until(io_, [&] { return peer.closed() || peer.has("\r\n\r\n"); }));
    return peer.received().substr(0, 12);
  };
  EXPECT_EQ(answer(), "HTTP/1.1 503") << "a third WebSocket";
  RawPeer third(io_, server_->port());
  ASSERT_TRUE(run_until(io_, [&] { return server_->connection_count() == 1; }));
  EXPECT_EQ(answer(), "HTTP/1.1 503") << "a fourth connection of this address";
  third.close();
  two->close();
  ASSERT_TRUE(run_until(
      io_, [&] { return server_->websocket_count() == 1 && server_->connection_count() == 0; }));
  EXPECT_EQ(answer(), "HTTP/1.1 101");
}

TEST_F(WebSocketTest, SharesTheTotalWithRequests) {
  ServerLimits limits;
  limits.connections = 2;
  listen(limits);
  auto one = raw();
  ASSERT_TRUE(run_until(io_, [&] { return server_->connection_count() == 0; }));
  RawPeer request(io_, server_->port());
  ASSERT_TRUE(run_until(io_, [&] { return server_->connection_count() == 1; }));
  RawPeer surplus(io_, server_->port());
  ASSERT_TRUE(run_until(io_, [&] { return surplus.closed(); }));
  EXPECT_TRUE(surplus.has("503"));
  EXPECT_FALSE(request.closed());
  one->close();
  ASSERT_TRUE(run_until(io_, [&] { return server_->websocket_count() == 0; }));
  RawPeer again(io_, server_->port());
  EXPECT_TRUE(run_until(io_, [&] { return server_->connection_count() == 2; }));
}

static_assert(limits::kHttpConnectionsMax + limits::kWebSocketConnectionsMax >
                  limits::kConnectionsMax &&
              limits::kWebSocketConnectionsMax < limits::kConnectionsMax);

TEST_F(WebSocketTest, TellsWhyNoConnectionCanBeOpened) {
  listen();
  EXPECT_EQ(open("http://127.0.0.1/").error().code, Errc::unsupported);
  EXPECT_EQ(open("ws://user@127.0.0.1/").error().code, Errc::bad_url);
  EXPECT_EQ(open("wss://127.0.0.1:1/").error().code, Errc::unsupported) << "no TLS here";
  const std::string there = url();
  server_.reset();
  EXPECT_EQ(open(there).error().code, Errc::unreachable);
  policy_.allow_private = false;
  EXPECT_EQ(open(there).error().code, Errc::refused);
}

TEST_F(WebSocketTest, GivesUpOnAServerThatDoesNotAnswer) {
  boost::asio::ip::tcp::acceptor mute(io_, {boost::asio::ip::address_v4::loopback(), 0});
  const auto opened =
      open("ws://127.0.0.1:" + std::to_string(mute.local_endpoint().port()), {}, 60ms);
  EXPECT_EQ(opened.error().code, Errc::timeout);
}

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0;
  std::size_t resident = 0;
  statm >> total >> resident;
  return resident * 4096;
}

TEST_F(WebSocketTest, TwoThousandIdleConnectionsCostLittle) {
  rlimit files{};
  ASSERT_EQ(getrlimit(RLIMIT_NOFILE, &files), 0);
  const rlimit wanted{files.rlim_max, files.rlim_max};
  ASSERT_EQ(setrlimit(RLIMIT_NOFILE, &wanted), 0);
  const std::size_t count = files.rlim_max < 4200 ? 200 : 2000;
  listen();
  std::vector<std::unique_ptr<RawPeer>> peers;  // Their buffers of 4 KiB count here as well.
  const std::size_t before = resident_bytes();
  for (std::size_t i = 0; i < count; ++i) peers.push_back(raw(false));
  EXPECT_EQ(server_->websocket_count(), count);
  const std::size_t each = (resident_bytes() - before) / count;
  RecordProperty("bytes_per_connection", static_cast<int>(each));
#if !defined(__SANITIZE_ADDRESS__)
  EXPECT_LT(each, 16U * 1024);
#endif
  // They do not slow down the one who talks.
  const auto client = connect();
  bool confirmed = false;
  ASSERT_TRUE(client->socket->send(crypto::to_bytes("m"), [&](Result<void>) { confirmed = true; }));
  EXPECT_TRUE(run_until(io_, [&] { return confirmed; }));
}

}  // namespace
}  // namespace kith::node
