/// What strangers may bring: the counts by the second and the minute, that they are refused before
/// a private key is used, and that contacts are served meanwhile.

#include "node/runtime/gate.hpp"

#include <gtest/gtest.h>

#include "node/runtime/links.hpp"
#include "node/runtime/reception.hpp"
#include "protocol/contact.hpp"
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

constexpr const char* kTalk = "https://example.org/talk/1.0/word";

Origin from(const std::string& address, bool vouched = false) {
  return {address, vouched};
}
Outcome opened_for(OpenedFor whom) {
  Outcome outcome;
  outcome.opened_for = whom;
  return outcome;
}
Outcome new_client() {
  Outcome outcome;
  outcome.new_client = true;
  return outcome;
}

/// What the gate says of an envelope.
struct Said {
  bool taken = false;
  bool contacts_only = false;
  bool no_new_clients = false;
  bool operator==(const Said&) const = default;
};
const Said kOpen{true, false, false};
const Said kContactsOnly{true, true, false};
const Said kNoNewClients{true, false, true};

Said ask(Gate& gate, const Origin& origin, std::int64_t now_ms) {
  EnvelopeArrived event;
  const bool taken = gate.admit(event, origin, now_ms);
  return {taken, event.contacts_only, event.no_new_clients};
}
void bring(Gate& gate, const Origin& origin, std::int64_t now_ms, const Outcome& outcome,
           std::size_t times) {
  for (std::size_t i = 0; i < times; ++i) gate.count(outcome, origin, now_ms);
}

TEST(Gate, CountsTheStrangersOfOneAddressByTheSecond) {
  Gate gate;
  const Outcome stranger = opened_for(OpenedFor::stranger);
  bring(gate, from("192.0.2.1"), 5000, stranger, limits::kStrangersPerAddressPerSecond - 1);
  EXPECT_EQ(ask(gate, from("192.0.2.1"), 5000), kOpen);
  bring(gate, from("192.0.2.1"), 5000, stranger, 1);
  EXPECT_EQ(ask(gate, from("192.0.2.1"), 5999), kContactsOnly);
  EXPECT_EQ(ask(gate, from("::ffff:192.0.2.1"), 5999), kContactsOnly);
  EXPECT_EQ(ask(gate, from("192.0.2.2"), 5999), kOpen);
  EXPECT_EQ(ask(gate, from("192.0.2.1"), 6000), kOpen) << "a new second";
  bring(gate, from("2001:db8::1"), 6000, stranger, limits::kStrangersPerAddressPerSecond);
  EXPECT_EQ(ask(gate, from("2001:db8::2"), 6000), kContactsOnly) << "the same /64";
  EXPECT_EQ(ask(gate, from("2001:db8:0:1::2"), 6000), kOpen);
}

TEST(Gate, CountsAllStrangersTogetherAndLoopbackWithThemAlone) {
  Gate gate;
  const Outcome stranger = opened_for(OpenedFor::stranger);
  bring(gate, from("127.0.0.1"), 0, stranger, limits::kStrangersPerSecond - 20);
  EXPECT_EQ(ask(gate, from("127.0.0.1"), 0), kOpen) << "a proxy speaks for many";
  bring(gate, from("192.0.2.1"), 0, stranger, 19);
  EXPECT_EQ(ask(gate, from("192.0.2.2"), 0), kOpen);
  bring(gate, from("192.0.2.2"), 0, stranger, 1);
  EXPECT_EQ(ask(gate, from("192.0.2.3"), 0), kContactsOnly);
  EXPECT_EQ(ask(gate, from("::1"), 999), kContactsOnly);
  EXPECT_EQ(ask(gate, from("::1"), 1000), kOpen);
}

TEST(Gate, ContactsMailAndAnswersAreNotCounted) {
  Gate gate;
  const Outcome stranger = opened_for(OpenedFor::stranger);
  for (const OpenedFor whom : {OpenedFor::nobody, OpenedFor::contact, OpenedFor::mailbox}) {
    bring(gate, from("192.0.2.1"), 0, opened_for(whom), 1000);
  }
  bring(gate, from("192.0.2.1", true), 0, stranger, 1000);  // On the connection of a contact.
  bring(gate, from(""), 0, stranger, 1000);                 // In answer to us.
  EXPECT_EQ(ask(gate, from("192.0.2.1"), 0), kOpen);
  bring(gate, from("192.0.2.1"), 0, stranger, limits::kStrangersPerSecond);
  EXPECT_EQ(ask(gate, from("192.0.2.1"), 0), kContactsOnly);
  EXPECT_EQ(ask(gate, from("192.0.2.1", true), 0), kOpen);
  EXPECT_EQ(ask(gate, from(""), 0), kOpen);
}

TEST(Gate, WhoTakesTheNamesOfContactsIsShutOut) {
  Gate gate;
  const Outcome impersonator = opened_for(OpenedFor::impersonator);
  bring(gate, from("192.0.2.1"), 0, impersonator, limits::kStrangersPerAddressPerSecond - 1);
  EXPECT_EQ(ask(gate, from("192.0.2.1"), 0), kOpen);
  bring(gate, from("192.0.2.1"), 0, impersonator, 1);
  EXPECT_FALSE(ask(gate, from("192.0.2.1"), 999).taken);
  EXPECT_TRUE(ask(gate, from("192.0.2.2"), 999).taken);
  EXPECT_TRUE(ask(gate, from("192.0.2.1"), 1000).taken);
}

TEST(Gate, CountsNewClientsOfOneAddressByTheMinute) {
  Gate gate;
  bring(gate, from("192.0.2.1"), 0, new_client(), limits::kNewGrantsPerMinute - 1);
  EXPECT_EQ(ask(gate, from("192.0.2.1"), 0), kOpen);
  bring(gate, from("192.0.2.1"), 1000, new_client(), 1);
  EXPECT_EQ(ask(gate, from("192.0.2.1"), 59'999), kNoNewClients);
  EXPECT_EQ(ask(gate, from("192.0.2.1", true), 59'999), kNoNewClients) << "of a contact too";
  EXPECT_EQ(ask(gate, from("192.0.2.2"), 59'999), kOpen);
  EXPECT_EQ(ask(gate, from("192.0.2.1"), 60'000), kOpen);
  bring(gate, from("127.0.0.1"), 60'000, new_client(), 1000);
  EXPECT_EQ(ask(gate, from("127.0.0.1"), 60'000), kOpen);
}

class QuietModule final : public protocol::Module {
 public:
  std::string_view name() const override { return "ear"; }
  std::vector<std::string> message_types() const override { return {kTalk}; }
  Result<void> on_message(protocol::Host&, const protocol::Inbound&) override { return {}; }
};

/// A node with one contact. Its addresses count, though they are loopback.
class GateAtWork : public testing::Test {
 protected:
  static constexpr std::size_t kStrangers = 3;

  void SetUp() override {
    protocol::UnitOfWork unit({store_, world_.keys, world_.random, Time{}, Duration{}, true});
    protocol::remember_key(unit, node_.agreement.kid, node_.agreement.key);
    Contact contact;
    contact.id = "friend";
    contact.name = "friend";
    contact.my_did = node_.did.text();
    contact.their_did = friend_.did.text();
    contact.state = ContactState::connected;
    protocol::save_contact(unit, contact);
    ASSERT_TRUE(unit.commit().has_value());
    ASSERT_TRUE(events_
                    .start(
                        agent(), group_, [](const protocol::Effect&) {}, [] {})
                    .has_value());
    LinkOptions options;
    options.connect.policy = policy_;
    options.prefix = "test-";
    links_ = std::make_unique<Links>(io_, events_, options);
    ServerExtras extras;
    extras.on_websocket = [this](std::unique_ptr<WebSocket> socket) {
      links_->adopt(std::move(socket));
    };
    auto server = HttpServer::listen(
        io_, "127.0.0.1", 0,
        [this](HttpRequest request, HttpRespond respond) {
          reception_.handle(std::move(request), std::move(respond));
        },
        {}, std::move(extras));
    ASSERT_TRUE(server.has_value());
    server_ = std::move(*server);
  }
  void TearDown() override {
    server_.reset();
    links_.reset();
  }
  std::unique_ptr<Agent> agent() {
    std::vector<std::unique_ptr<protocol::Module>> modules;
    modules.push_back(std::make_unique<QuietModule>());
    return std::make_unique<Agent>(AgentSeams{group_, world_.keys, world_.random, true},
                                   std::move(modules));
  }
  std::string envelope(const kith::test::Party& from, bool protect_sender = false) {
    Message message = world_.message(from, node_);
    message.type = kTalk;
    message.created_time.reset(), message.expires_time.reset();
    protocol::PackOptions options;
    options.protect_sender = protect_sender;
    return protocol::pack_authcrypt(message, from.agreement, node_.recipients(), options,
                                    world_.keys, world_.random)
        .value();
  }
  /// Opens as far as the tag, which does not fit.
  std::string altered(const std::string& envelope) {
    auto json = crypto::parse_json(envelope).value();
    auto& text = json.get_object().at("ciphertext").get_string();
    text[10] = text[10] == 'A' ? 'B' : 'A';
    return crypto::json_text(json);
  }
  Outcome hand_to(Agent& agent, const std::string& envelope, bool contacts_only = false) {
    EnvelopeArrived event{crypto::to_bytes(envelope), "c"};
    event.contacts_only = contacts_only;
    auto outcome = agent.handle(event, {});
    EXPECT_TRUE(outcome.has_value());
    EXPECT_TRUE(group_.flush().has_value());
    return *outcome;
  }
  std::string post(const std::string& body) {
    RawPeer peer(io_, server_->port());
    peer.send(
        "POST / HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: "
        "application/didcomm-encrypted+json\r\nContent-Length: " +
        std::to_string(body.size()) + "\r\n\r\n" + body);
    EXPECT_TRUE(run_until(io_, [&] { return peer.closed(); }));
    return peer.received();
  }

  boost::asio::io_context io_{1};
  kith::test::World world_{17};
  kith::test::Party node_ = world_.make_party();
  kith::test::Party friend_ = world_.make_party();
  kith::test::Party stranger_ = world_.make_party();
  kith::test::MemoryStore store_;
  GroupStore group_{store_};
  EventQueue events_{io_, GateLimits{.strangers_per_address = kStrangers,
                                     .strangers_window_ms = 60'000,
                                     .exempt_loopback = false}};
  WaitingAnswers answers_;
  Reception reception_{events_, answers_, world_.random, Services{}};
  UrlPolicy policy_{.allow_private = true};
  std::unique_ptr<Links> links_;
  std::unique_ptr<HttpServer> server_;
};

TEST_F(GateAtWork, TheAgentSaysWhomItUsedItsKeysFor) {
  const auto node = agent();
  EXPECT_EQ(hand_to(*node, envelope(stranger_)).opened_for, OpenedFor::stranger);
  EXPECT_EQ(hand_to(*node, envelope(friend_)).opened_for, OpenedFor::contact);
  EXPECT_EQ(hand_to(*node, envelope(friend_, true)).opened_for, OpenedFor::contact);
  EXPECT_EQ(hand_to(*node, envelope(stranger_, true)).opened_for, OpenedFor::stranger);
  EXPECT_EQ(hand_to(*node, altered(envelope(friend_))).opened_for, OpenedFor::impersonator);
  EXPECT_EQ(hand_to(*node, altered(envelope(stranger_))).opened_for, OpenedFor::stranger);
  EXPECT_EQ(hand_to(*node, "{}").opened_for, OpenedFor::nobody);
  const std::string for_others =
      protocol::pack_authcrypt(world_.message(node_, stranger_), node_.agreement,
                               stranger_.recipients(), {}, world_.keys, world_.random)
          .value();
  EXPECT_EQ(hand_to(*node, for_others).opened_for, OpenedFor::nobody);
}

TEST_F(GateAtWork, StrangersAreRefusedBeforeAKeyIsUsed) {
  const auto node = agent();
  const std::string unopenable = altered(envelope(stranger_));
  EXPECT_EQ(hand_to(*node, unopenable).refused->code, Errc::cannot_decrypt);
  const Outcome refused = hand_to(*node, unopenable, true);
  EXPECT_EQ(refused.refused->code, Errc::busy) << "nobody tried to open it";
  EXPECT_EQ(refused.opened_for, OpenedFor::nobody);

  const std::string good = envelope(stranger_);
  EXPECT_EQ(hand_to(*node, good, true).refused->code, Errc::busy);
  EXPECT_EQ(hand_to(*node, envelope(friend_, true), true).refused->code, Errc::busy)
      << "who hides the sender is a stranger until it is opened";
  EXPECT_FALSE(hand_to(*node, envelope(friend_), true).refused);
  EXPECT_FALSE(hand_to(*node, good).refused) << "a later try succeeds: it left no mark";
}

TEST_F(GateAtWork, OverHttpASurplusStrangerIsToldToComeAgainAndContactsAreServed) {
  for (std::size_t i = 0; i < kStrangers; ++i) {
    EXPECT_TRUE(post(envelope(stranger_)).starts_with("HTTP/1.1 202")) << i;
  }
  const std::string answer = post(envelope(stranger_));
  EXPECT_TRUE(answer.starts_with("HTTP/1.1 503")) << answer;
  EXPECT_NE(answer.find("Retry-After: 1\r\n"), std::string::npos) << answer;
  EXPECT_NE(answer.find("net.busy"), std::string::npos) << answer;
  EXPECT_TRUE(post(envelope(friend_)).starts_with("HTTP/1.1 202"));
}

TEST_F(GateAtWork, WhatComesOnTheConnectionOfAContactIsTheContacts) {
  std::unique_ptr<WebSocket> socket;
  bool closed = false;
  Connector connector(io_, {.policy = policy_, .tls = {}, .resolve = {}});
  const auto opening = open_websocket(
      io_, connector, policy_, "ws://127.0.0.1:" + std::to_string(server_->port()) + "/",
      WebSocketLimits{}, 4s, [&](Result<std::unique_ptr<WebSocket>> opened) {
        ASSERT_TRUE(opened.has_value());
        socket = std::move(*opened);
      });
  ASSERT_TRUE(run_until(io_, [&] { return socket != nullptr; }));
  socket->start(
      {[](Bytes, const WebSocket::Sent& done) { done({}); }, [&](const Error&) { closed = true; }});
  const auto say = [&](const std::string& what) {
    bool confirmed = false;
    EXPECT_TRUE(socket->send(crypto::to_bytes(what),
                             [&](Result<void> sent) { confirmed = sent.has_value(); }));
    EXPECT_TRUE(run_until(io_, [&] { return confirmed || closed; }));
    return confirmed;
  };
  const auto anonymous = [&] {
    Message message = world_.message(stranger_, node_);
    message.from.reset();
    message.created_time.reset(), message.expires_time.reset();
    return protocol::pack_anoncrypt(message, node_.recipients(), {}, world_.keys, world_.random)
        .value();
  };
  ASSERT_TRUE(say(envelope(friend_)));
  for (std::size_t i = 0; i < 3 * kStrangers; ++i) ASSERT_TRUE(say(anonymous())) << i;
  // A stranger who speaks on it ends that.
  ASSERT_TRUE(say(envelope(stranger_)));
  std::size_t taken = 0;
  while (taken < 2 * kStrangers && say(anonymous())) ++taken;
  EXPECT_LE(taken, kStrangers);
  EXPECT_TRUE(closed);
}

}  // namespace
}  // namespace kith::node
