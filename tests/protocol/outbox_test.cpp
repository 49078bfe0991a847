// Queue transport: mail for a contact without an address waits with its sender.

#include "protocol/outbox.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "protocol/basic_message.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/mailbox.hpp"
#include "protocol/mediation.hpp"
#include "protocol/mediation_policy.hpp"
#include "protocol/mediator.hpp"
#include "protocol/messenger.hpp"
#include "protocol/pickup_dialect.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/parties.hpp"

namespace kith {
namespace {

using protocol::kPickup3;
using protocol::kPickup4;
using test::AgentBox;
using test::Network;
using test::Party;

/// Bob writes texts; Walt is an agent that is no Kith, and Bob's contact.
class OutboxTest : public ::testing::Test {
 protected:
  void SetUp() override { meet(walt_); }
  void meet(const Party& who) {
    bob_.edit([&](Host& host) {
      Contact contact;
      contact.id = "walt";
      contact.name = "Walt";
      contact.state = ContactState::connected;
      contact.my_did = bobs_did(host).text();
      contact.their_did = who.did.text();
      protocol::save_contact(host, contact);
      return true;
    });
  }
  Did bobs_did(Host& host) {
    if (bobs_document_) return bobs_document_->id;
    const auto agree = host.keys().generate(KeyType::x25519, KeyPurpose::agree);
    const Did did =
        *protocol::make_did_peer2({{agree->public_key, protocol::KeyUse::key_agreement}}, {});
    protocol::remember_key(host, protocol::did_peer2_kid(did, 0), agree->sealed);
    bobs_document_ = *protocol::resolve_self_contained(did);
    return did;
  }
  std::optional<Errc> text(const std::string& text) {
    const auto sent = bob_.command("send", {{"contact", "walt"}, {"text", text}});
    return sent.has_value() ? std::nullopt : std::optional(sent.error().code);
  }
  /// What comes back on the connection at once.
  std::vector<Message> say(Party& who, const std::string& type, JsonObject body,
                           const node::EnvelopeArrived& way = {{}, "http"}) {
    Message message =
        protocol::new_message(type, world_.random, protocol::epoch_seconds(net_.now()));
    message.from = who.did;
    message.to = {bobs_document_->id};
    message.return_route = "all";
    message.body = std::move(body);
    const auto packed = pack_authcrypt(message, who.agreement, bobs_document_->agreement_keys(), {},
                                       world_.keys, world_.random);
    node::EnvelopeArrived event = way;
    event.envelope = crypto::to_bytes(*packed);
    refused_ = bob_.feed(event).refused;
    return heard(who, way.channel);
  }
  std::vector<Message> heard(Party& who, const std::string& channel) {
    std::vector<Message> answers;
    for (const test::Packet& packet : net_.waiting()) {
      if (packet.payload.channel != channel) continue;
      answers.push_back(open(who, crypto::as_text(packet.payload.packed)));
    }
    net_.waiting().clear();
    return answers;
  }
  Message open(Party& who, std::string_view envelope) {
    auto opened = world_.open(envelope, who, protocol::epoch_seconds(net_.now()));
    EXPECT_TRUE(opened.has_value());
    return opened.has_value() ? std::move(opened->message) : Message{};
  }
  /// The texts in a delivery, and the ids to confirm.
  std::pair<std::vector<std::string>, JsonArray> unwrapped(Party& who, const Message& delivery) {
    std::vector<std::string> texts;
    JsonArray ids;
    for (const Attachment& attachment : delivery.attachments) {
      const Message inner = open(who, crypto::as_text(*attachment.base64));
      texts.push_back(std::string(inner.body.at("content").get_string()));
      ids.emplace_back(*attachment.id);
    }
    return {texts, ids};
  }
  std::size_t waiting() {
    return bob_.look([](Host& host) { return protocol::mailbox_state(host, "walt").count; });
  }

  using Texts = std::vector<std::string>;
  Network net_;
  test::World world_;
  Party walt_ = world_.make_party();
  AgentBox& bob_ = net_.add("bob", test::modules<protocol::BasicMessage, protocol::Outbox>());
  std::optional<DidDocument> bobs_document_;
  std::optional<Error> refused_;
};

TEST_F(OutboxTest, MailWaitsUntilTheContactAsksForIt) {
  EXPECT_EQ(text("one"), std::nullopt);
  EXPECT_EQ(text("two"), std::nullopt);
  EXPECT_TRUE(net_.waiting().empty()) << "nothing is sent anywhere";
  bob_.restart();
  const auto status = say(walt_, kPickup3.type(protocol::kStatusRequest), {});
  ASSERT_EQ(status.size(), 1U);
  EXPECT_EQ(status[0].body.at("message_count"), 2);
  const auto delivery = say(walt_, kPickup3.type(protocol::kDeliveryRequest), {{"limit", 10}});
  ASSERT_EQ(delivery.size(), 1U);
  const auto [texts, ids] = unwrapped(walt_, delivery[0]);
  EXPECT_EQ(texts, (Texts{"one", "two"}));
  EXPECT_EQ(waiting(), 2U) << "it stays until it is confirmed";
  say(walt_, kPickup3.type(protocol::kMessagesReceived), {{"message_id_list", ids}});
  EXPECT_EQ(waiting(), 0U);
}

TEST_F(OutboxTest, AQueueServiceIsTheSameAsNone) {
  Party queue =
      world_.make_party(KeyType::ed25519, {ServiceEndpoint{"", "didcomm:transport/queue", {}, {}}});
  meet(queue);
  EXPECT_EQ(text("one"), std::nullopt);
  const auto delivery =
      say(queue, kPickup4.type(protocol::kDeliveryRequest), {{"message_count_limit", 1}});
  ASSERT_EQ(delivery.size(), 1U);
  EXPECT_EQ(unwrapped(queue, delivery[0]).first, Texts{"one"});
}

TEST_F(OutboxTest, WhoWaitsOnALastingConnectionGetsItAtOnce) {
  const node::EnvelopeArrived socket{{}, "socket", true};
  ASSERT_EQ(
      say(walt_, kPickup3.type(protocol::kLiveDeliveryChange), {{"live_delivery", true}}, socket)
          .size(),
      1U);
  EXPECT_EQ(text("now"), std::nullopt);
  const auto delivery = heard(walt_, "socket");
  ASSERT_EQ(delivery.size(), 1U);
  EXPECT_EQ(unwrapped(walt_, delivery[0]).first, Texts{"now"});
  EXPECT_EQ(waiting(), 1U);
  bob_.restart();
  EXPECT_EQ(text("later"), std::nullopt);
  EXPECT_TRUE(net_.waiting().empty()) << "connections end with a life of the agent";
}

// Each of these would be mail that nobody can ever fetch, or that others could.
TEST_F(OutboxTest, OnlyTheContactItselfFetches) {
  ASSERT_EQ(text("one"), std::nullopt);
  Party mallory = world_.make_party();
  EXPECT_TRUE(say(mallory, kPickup3.type(protocol::kDeliveryRequest), {{"limit", 10}}).empty() ||
              waiting() == 1U);
  for (const Message& answer :
       say(mallory, kPickup3.type(protocol::kDeliveryRequest), {{"limit", 10}})) {
    EXPECT_EQ(answer.type, "https://didcomm.org/report-problem/2.0/problem-report");
  }
  EXPECT_EQ(waiting(), 1U);
}

TEST_F(OutboxTest, NothingWaitsForAContactWithAnotherAddress) {
  Party mqtt = world_.make_party(KeyType::ed25519, {ServiceEndpoint{"", "mqtt://a.test", {}, {}}});
  meet(mqtt);
  EXPECT_EQ(text("one"), Errc::unreachable);
  EXPECT_EQ(waiting(), 0U);
  for (const Message& answer : say(mqtt, kPickup3.type(protocol::kStatusRequest), {})) {
    EXPECT_EQ(answer.type, "https://didcomm.org/report-problem/2.0/problem-report");
  }
}

TEST_F(OutboxTest, AnAddressIsUsedWhereThereIsOne) {
  Party both =
      world_.make_party(KeyType::ed25519, {ServiceEndpoint{"", "didcomm:transport/queue", {}, {}},
                                           ServiceEndpoint{"", "https://walt.test/", {}, {}}});
  meet(both);
  EXPECT_EQ(text("one"), std::nullopt);
  EXPECT_EQ(waiting(), 0U);
  ASSERT_EQ(net_.waiting().size(), 1U);
  EXPECT_EQ(net_.waiting().front().payload.uri, "https://walt.test/");
}

TEST_F(OutboxTest, MailGoesWithTheContact) {
  ASSERT_EQ(text("one"), std::nullopt);
  ASSERT_EQ(waiting(), 1U);
  bob_.edit([](Host& host) {
    protocol::drop_waiting(host, *protocol::find_contact(host, "walt"));
    return true;
  });
  EXPECT_EQ(waiting(), 0U);
  EXPECT_TRUE(bob_.look([](Host& host) { return host.list("mailbox").empty(); }));
  EXPECT_TRUE(bob_.look([](Host& host) { return host.list("mail/walt").empty(); }));
}

TEST_F(OutboxTest, OldMailIsDropped) {
  ASSERT_EQ(text("one"), std::nullopt);
  net_.run_for(limits::kMailLife - std::chrono::hours{25});
  EXPECT_EQ(waiting(), 1U);
  net_.run_for(std::chrono::hours{50});
  EXPECT_EQ(waiting(), 0U);
  EXPECT_EQ(bob_.look([](Host& host) { return host.list("timer").size(); }), 1U)
      << "the agent's own alone";
}

}  // namespace
}  // namespace kith
