/// What one address, and one peer, may take of a listener: each limit is reached and passed.

#include <gtest/gtest.h>

#include <vector>

#include "node/net/arrivals.hpp"
#include "node/net/http.hpp"
#include "node/runtime/links.hpp"
#include "node/runtime/peer_channels.hpp"
#include "protocol/messenger.hpp"
#include "protocol/unit_of_work.hpp"
#include "tests/node/net_fixture.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/parties.hpp"

namespace kith::node {
namespace {

using namespace std::chrono_literals;
using test::RawPeer;
using test::run_until;

constexpr std::string_view kPlainGet = "GET / HTTP/1.1\r\nHost: x\r\n\r\n";

TEST(Arrivals, CountsEachGroupForAMinute) {
  Arrivals arrivals(3);
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(arrivals.admit("a", 1000 + i));
  EXPECT_FALSE(arrivals.admit("a", 1003));
  EXPECT_TRUE(arrivals.admit("b", 1003)) << "another group has its own count";
  EXPECT_FALSE(arrivals.admit("a", 1000 + Arrivals::kWindowMs - 1));
  EXPECT_TRUE(arrivals.admit("a", 1000 + Arrivals::kWindowMs)) << "a new window";
  EXPECT_EQ(arrivals.groups(), 2U);
  EXPECT_TRUE(arrivals.admit("c", 1003 + 3 * Arrivals::kWindowMs));
  EXPECT_EQ(arrivals.groups(), 1U) << "windows that are over take no room";
}

TEST(Arrivals, RemembersABoundedNumberOfGroups) {
  Arrivals arrivals(1, 100);
  for (int i = 0; i < 1000; ++i) EXPECT_TRUE(arrivals.admit(std::to_string(i), 5));
  EXPECT_EQ(arrivals.groups(), 100U);
  EXPECT_FALSE(arrivals.admit("999", 5));
  EXPECT_TRUE(arrivals.admit("0", 5)) << "the oldest was forgotten";
}

TEST(PeerChannels, TheQuietestOfTooManyIsNamed) {
  PeerChannels peers(2);
  EXPECT_EQ(peers.spoke("1", "did:a"), std::nullopt);
  EXPECT_EQ(peers.spoke("2", "did:a"), std::nullopt);
  EXPECT_EQ(peers.spoke("3", "did:b"), std::nullopt) << "another peer's";
  EXPECT_EQ(peers.spoke("1", "did:a"), std::nullopt) << "known already";
  EXPECT_EQ(peers.spoke("4", "did:a"), "2");
  EXPECT_EQ(peers.size(), 3U);
  peers.forget("1");
  EXPECT_EQ(peers.spoke("5", "did:a"), std::nullopt);
  EXPECT_EQ(peers.spoke("3", "did:a"), "4") << "whoever speaks on it has it";
}

class AddressLimits : public testing::Test {
 protected:
  void listen(ServerLimits limits) {
    ServerExtras extras;
    extras.on_websocket = [this](std::unique_ptr<WebSocket> socket) {
      if (links_) links_->adopt(std::move(socket));
    };
    auto server = HttpServer::listen(
        io_, "127.0.0.1", 0,
        [](HttpRequest, const HttpRespond& respond) {
          respond({200, "", {}, {}});
        },
        limits, std::move(extras));
    ASSERT_TRUE(server.has_value());
    server_ = std::move(*server);
  }
  /// The status that a new connection gets.
  std::string knock() {
    RawPeer peer(io_, server_->port());
    peer.send(kPlainGet);
    EXPECT_TRUE(run_until(io_, [&] { return peer.closed() || peer.has("\r\n\r\n"); }));
    const std::string status = peer.received().substr(9, 3);
    peer.close();
    EXPECT_TRUE(run_until(io_, [&] { return server_->connection_count() == 0; }));
    return status;
  }

  boost::asio::io_context io_{1};
  std::unique_ptr<Links> links_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(AddressLimits, NewConnectionsOfOneAddressAreCountedByTheMinute) {
  ServerLimits limits;
  limits.exempt_loopback = false;
  listen(limits);
  for (std::size_t i = 0; i < limits::kHttpNewConnectionsPerMinute; ++i) {
    ASSERT_EQ(knock(), "200") << i;
  }
  EXPECT_EQ(knock(), "503");
  limits.exempt_loopback = true;  // The default: a proxy on this machine speaks for many.
  listen(limits);
  for (std::size_t i = 0; i < 2 * limits::kHttpNewConnectionsPerMinute; ++i) {
    ASSERT_EQ(knock(), "200") << i;
  }
}

TEST_F(AddressLimits, ConnectionsOfOneAddressAtATime) {
  ServerLimits limits;
  limits.exempt_loopback = false;
  listen(limits);
  std::vector<std::unique_ptr<RawPeer>> peers;
  for (std::size_t i = 0; i < limits::kHttpConnectionsPerAddressMax; ++i) {
    peers.push_back(std::make_unique<RawPeer>(io_, server_->port()));
    peers.back()->send(kPlainGet);
    ASSERT_TRUE(run_until(io_, [&] { return peers.back()->has("200 OK"); })) << i;
  }
  RawPeer surplus(io_, server_->port());
  ASSERT_TRUE(run_until(io_, [&] { return surplus.closed(); }));
  EXPECT_TRUE(surplus.has("503"));
}

/// A node that knows one DID of its own, and peers who write to it.
class PeerLimits : public AddressLimits {
 protected:
  void SetUp() override {
    protocol::UnitOfWork unit({store_, world_.keys, world_.random, Time{}, Duration{}, true});
    protocol::remember_key(unit, node_.agreement.kid, node_.agreement.key);
    ASSERT_TRUE(unit.commit().has_value());
    events_ = std::make_unique<EventQueue>(io_);
    auto agent = std::make_unique<Agent>(AgentSeams{group_, world_.keys, world_.random, true},
                                         std::vector<std::unique_ptr<protocol::Module>>{});
    ASSERT_TRUE(events_->start(
        std::move(agent), group_, [](const protocol::Effect&) {}, [] {}));
    LinkOptions options;
    options.connect.policy = policy_;
    options.prefix = "test-";
    links_ = std::make_unique<Links>(io_, *events_, options);
    listen({});
  }
  void TearDown() override {
    server_.reset();
    links_.reset();
  }

  struct Client {
    std::unique_ptr<WebSocket> socket;
    bool confirmed = false;
    bool closed = false;
  };
  std::unique_ptr<Client> open() {
    auto client = std::make_unique<Client>();
    Connector connector(io_, {.policy = policy_, .tls = {}, .resolve = {}});
    const auto opening = open_websocket(
        io_, connector, policy_, "ws://127.0.0.1:" + std::to_string(server_->port()) + "/",
        WebSocketLimits{}, 4s, [&](Result<std::unique_ptr<WebSocket>> opened) {
          ASSERT_TRUE(opened.has_value());
          client->socket = std::move(*opened);
        });
    EXPECT_TRUE(run_until(io_, [&] { return client->socket != nullptr; }));
    Client* const there = client.get();
    client->socket->start({[](Bytes, const WebSocket::Sent& done) { done({}); },
                           [there](const Error&) { there->closed = true; }});
    return client;
  }
  /// An authenticated message of `from`, dealt with by the node.
  void speak(Client& client, const kith::test::Party& from) {
    Message message = world_.message(from, node_);
    message.created_time.reset(), message.expires_time.reset();
    const auto packed = protocol::pack_authcrypt(message, from.agreement, node_.recipients(), {},
                                                 world_.keys, world_.random);
    ASSERT_TRUE(packed.has_value());
    client.confirmed = false;
    ASSERT_TRUE(client.socket->send(crypto::to_bytes(std::string_view(*packed)),
                                    [&](Result<void>) { client.confirmed = true; }));
    ASSERT_TRUE(run_until(io_, [&] { return client.confirmed; }));
  }

  kith::test::World world_{7};
  kith::test::Party node_ = world_.make_party();
  kith::test::Party peer_ = world_.make_party();
  kith::test::Party other_ = world_.make_party();
  kith::test::MemoryStore store_;
  GroupStore group_{store_};
  UrlPolicy policy_{.allow_private = true};
  std::unique_ptr<EventQueue> events_;
};

TEST_F(PeerLimits, OnePeerHasAFewConnectionsAndTheQuietestMakesRoom) {
  std::vector<std::unique_ptr<Client>> clients;
  for (std::size_t i = 0; i < limits::kWebSocketConnectionsPerPeerMax; ++i) {
    clients.push_back(open());
    speak(*clients.back(), peer_);
  }
  const auto others = open();
  speak(*others, other_);
  const auto stranger = open();  // Has said nothing: counts for nobody.
  speak(*clients[0], peer_);
  for (const auto& client : clients) EXPECT_FALSE(client->closed);

  const auto surplus = open();
  speak(*surplus, peer_);
  ASSERT_TRUE(run_until(io_, [&] { return clients[1]->closed; }));
  EXPECT_TRUE(run_until(
      io_, [&] { return links_->adopted_count() == limits::kWebSocketConnectionsPerPeerMax + 2; }));
  for (const std::size_t i : {0U, 2U, 3U}) EXPECT_FALSE(clients[i]->closed) << i;
  EXPECT_FALSE(surplus->closed);
  EXPECT_FALSE(others->closed);
  EXPECT_FALSE(stranger->closed);

  // The place of one that went by itself is free.
  clients[2]->socket.reset();
  ASSERT_TRUE(run_until(
      io_, [&] { return links_->adopted_count() == limits::kWebSocketConnectionsPerPeerMax + 1; }));
  const auto again = open();
  speak(*again, peer_);
  EXPECT_FALSE(clients[0]->closed);
  EXPECT_FALSE(clients[3]->closed);
}

}  // namespace
}  // namespace kith::node
