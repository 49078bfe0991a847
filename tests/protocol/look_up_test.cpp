// Envelopes from senders whose documents must be fetched: parked, then opened or dropped.

#include "protocol/look_up.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "protocol/contact.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/late_answers.hpp"
#include "protocol/mailbox.hpp"
#include "protocol/messenger.hpp"
#include "protocol/trust_ping.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/parties.hpp"

namespace kith {
namespace {

using protocol::Effect;
using protocol::EffectResult;
using protocol::FetchedPage;
using protocol::FetchPayload;
using test::AgentBox;
using test::Network;
using Codes = std::vector<std::string>;

const std::string kWanda = "did:web:wanda.example";
const std::string kWandasEndpoint = "https://wanda.example/";
const std::string kWandasDocument = "https://wanda.example/.well-known/did.json";

Result<Bytes> page(std::uint32_t status, const std::string& body = {}, const std::string& to = {}) {
  return protocol::encode_record(
      FetchedPage{status, to, "application/did+json", crypto::to_bytes(body)});
}

constexpr const char* kWord = "https://example.org/talk/1.0/word";

/// Keeps by message id whether whoever says a word may become a client.
class Witness final : public Module {
 public:
  std::string_view name() const override { return "witness"; }
  std::vector<std::string> message_types() const override { return {kWord}; }
  Result<void> on_message(Host& host, const Inbound& inbound) override {
    host.put({inbound.no_new_clients ? "late" : "early", inbound.message.id}, {});
    return {};
  }
};

/// Bob answers pings, whoever sends them. Wanda's keys are told by a web server.
class LookUpTest : public ::testing::Test {
 protected:
  LookUpTest() {
    net_.perform = [this](AgentBox&, const Effect& effect) -> std::optional<EffectResult> {
      fetched_.push_back(protocol::decode_record<FetchPayload>(effect.payload)->url);
      open_.push_back(effect);
      return std::nullopt;
    };
    bob_.edit([this](Host& host) {
      const auto agree = host.keys().generate(KeyType::x25519, KeyPurpose::agree);
      bobs_did_ =
          *protocol::make_did_peer2({{agree->public_key, protocol::KeyUse::key_agreement}}, {});
      protocol::remember_key(host, protocol::did_peer2_kid(bobs_did_, 0), agree->sealed);
      return true;
    });
    const auto agree = world_.keys.generate(KeyType::x25519, KeyPurpose::agree);
    wandas_key_ = {kWanda + "#agree", agree->sealed, KeyType::x25519};
    document_ = document_with(agree->public_key, {ServiceEndpoint{"", kWandasEndpoint, {}, {}}});
    document_without_address_ = document_with(agree->public_key, {});
  }
  static std::string document_with(const PublicKey& agree,
                                   const std::vector<ServiceEndpoint>& services) {
    const auto document = protocol::build_did_document(
        *Did::parse(kWanda), {{"agree", agree, protocol::KeyUse::key_agreement}}, services);
    return crypto::json_text(document->raw);
  }
  Bytes ping_from(const std::string& did, std::string_view type = protocol::kPingType) {
    Message message =
        protocol::new_message(type, world_.random, protocol::epoch_seconds(net_.now()));
    message.from = *Did::parse(did);
    message.to = {bobs_did_};
    message.return_route = "all";
    SenderKey key = wandas_key_;
    key.kid = did + "#agree";
    const auto keys = protocol::resolve_self_contained(bobs_did_)->agreement_keys();
    return crypto::to_bytes(*pack_authcrypt(message, key, keys, {}, world_.keys, world_.random));
  }
  std::optional<Errc> send(Bytes envelope) {
    const auto refused = net_.inject(bob_, std::move(envelope));
    return refused ? std::optional(refused->code) : std::nullopt;
  }
  std::optional<Errc> ping() { return send(ping_from(kWanda)); }
  /// The oldest open fetch ends.
  void answer(const Result<Bytes>& outcome) {
    ASSERT_FALSE(open_.empty());
    EffectResult result;
    result.id = open_.front().id;
    result.outcome = outcome;
    open_.erase(open_.begin());
    bob_.feed(result);
  }
  std::size_t count(const std::string& collection) {
    return bob_.look([&](Host& host) { return host.list(collection).size(); });
  }
  /// Answers on their way to Wanda's endpoint or connection.
  std::size_t answers() { return net_.waiting().size(); }
  Codes dropped() { return bob_.audited("envelope.dropped"); }

  Network net_;
  test::World world_;
  AgentBox& bob_ = net_.add(
      "bob",
      test::modules<protocol::TrustPing, protocol::LookUps, protocol::LateAnswers, Witness>(),
      {.test_mode = false});
  Did bobs_did_ = *Did::parse("did:example:bob");
  SenderKey wandas_key_;
  std::string document_;
  std::string document_without_address_;
  std::vector<std::string> fetched_;
  std::vector<Effect> open_;
};

TEST_F(LookUpTest, AMessageWaitsForItsSendersDocument) {
  EXPECT_EQ(ping(), std::nullopt);
  EXPECT_EQ(count("parked"), 1U);
  EXPECT_EQ(answers(), 0U);
  EXPECT_EQ(fetched_, Codes{kWandasDocument});
  answer(page(200, document_));
  EXPECT_EQ(count("parked") + count("look-up") + count("arrived"), 0U);
  EXPECT_EQ(answers(), 1U);
  EXPECT_EQ(dropped(), Codes{});
  EXPECT_EQ(ping(), std::nullopt) << "known now";
  EXPECT_EQ(answers(), 2U);
  EXPECT_EQ(fetched_.size(), 1U);
}

TEST_F(LookUpTest, SurvivesARestart) {
  ASSERT_EQ(ping(), std::nullopt);
  open_.clear();
  bob_.restart();
  EXPECT_EQ(fetched_.size(), 2U) << "open effects run again";
  answer(page(200, document_));
  EXPECT_EQ(answers(), 1U);
}

TEST_F(LookUpTest, ManyMessagesShareOneLookUpAndARepeatIsParkedOnce) {
  const Bytes first = ping_from(kWanda);
  EXPECT_EQ(send(first), std::nullopt);
  EXPECT_EQ(send(first), std::nullopt);
  EXPECT_EQ(ping(), std::nullopt);
  EXPECT_EQ(count("parked"), 2U);
  EXPECT_EQ(fetched_.size(), 1U);
  answer(page(200, document_));
  EXPECT_EQ(answers(), 2U);
}

TEST_F(LookUpTest, FollowsRedirects) {
  ASSERT_EQ(ping(), std::nullopt);
  answer(page(302, "", "https://other.example/did.json"));
  EXPECT_EQ(fetched_.back(), "https://other.example/did.json");
  answer(page(200, document_));
  EXPECT_EQ(answers(), 1U);
}

TEST_F(LookUpTest, GivesUpOnTooManyRedirects) {
  ASSERT_EQ(ping(), std::nullopt);
  for (std::size_t i = 0; i <= limits::kHttpRedirectsMax; ++i) {
    answer(page(302, "", "https://other.example/" + std::to_string(i)));
  }
  EXPECT_TRUE(open_.empty());
  EXPECT_EQ(dropped(), Codes{"input.limit"});
}

// The document decides, not the envelope: each of these would be opened if it did not.
TEST_F(LookUpTest, AFetchedDocumentIsNotBelievedBlindly) {
  struct Row {
    std::string document;
    std::string code;
  };
  std::string no_agreement = document_;
  no_agreement.replace(no_agreement.find("\"keyAgreement\""), 14, "\"capabilityInvocation\"");
  std::string other_did = document_;
  other_did.replace(other_did.find("wanda"), 5, "mandy");
  const Row rows[] = {{other_did, "message.not_authentic"},
                      {"{}", "input.malformed"},
                      {no_agreement, "message.not_authentic"}};
  Codes codes;
  for (const Row& row : rows) {
    ASSERT_EQ(ping(), std::nullopt);
    answer(page(200, row.document));
    codes.push_back(row.code);
    EXPECT_EQ(dropped(), codes);
    net_.run_for(limits::kLookUpPause);
  }
  EXPECT_EQ(answers(), 0U);
  EXPECT_EQ(count("parked"), 0U);
}

TEST_F(LookUpTest, NobodyIsAskedAgainAtOnceForWhatIsNotThere) {
  ASSERT_EQ(ping(), std::nullopt);
  answer(page(404));
  EXPECT_EQ(dropped(), Codes{"not_found"});
  EXPECT_EQ(ping(), Errc::unknown_peer);
  EXPECT_EQ(fetched_.size(), 1U);
  net_.run_for(limits::kLookUpPause);
  EXPECT_EQ(count("look-up"), 0U);
  EXPECT_EQ(ping(), std::nullopt);
  EXPECT_EQ(fetched_.size(), 2U);
}

TEST_F(LookUpTest, WaitsForAWebServerThatComesBack) {
  ASSERT_EQ(ping(), std::nullopt);
  for (int i = 0; i < 3; ++i) {
    answer(fail(Errc::unreachable));
    EXPECT_EQ(count("parked"), 1U);
    net_.run_for(std::chrono::minutes{10});
  }
  answer(page(200, document_));
  EXPECT_EQ(answers(), 1U);
  EXPECT_EQ(dropped(), Codes{});
}

TEST_F(LookUpTest, DropsWhatNobodyVouchesForInTime) {
  ASSERT_EQ(ping(), std::nullopt);
  const Time begun = net_.now();
  while (!open_.empty()) {
    answer(page(503));
    net_.run_until([&] { return !open_.empty(); }, limits::kParkedLife);
  }
  EXPECT_LE(net_.now() - begun, Duration{limits::kParkedLife} * 2);
  EXPECT_GT(fetched_.size(), 3U);
  EXPECT_LT(fetched_.size(), 10U);
  EXPECT_EQ(dropped(), Codes{"net.unreachable"});
  EXPECT_EQ(count("parked") + count("look-up"), 0U);
  EXPECT_EQ(answers(), 0U);
}

TEST_F(LookUpTest, OnlyWhatIsForUsAndCanBeLookedUpIsParked) {
  EXPECT_EQ(send(ping_from("did:kith:zQmd8CpeFPci817KDsbSAKWcXAE2mjvCQSasRewvbSF54Bd")),
            Errc::unknown_peer);
  EXPECT_EQ(send(ping_from("did:example:wanda")), Errc::unknown_peer);
  EXPECT_EQ(send(ping_from("did:web:localhost")), Errc::refused);
  EXPECT_EQ(send(ping_from("did:web:10.0.0.1")), Errc::refused);
  bob_.edit([&](Host& host) {
    protocol::forget_key(host, protocol::did_peer2_kid(bobs_did_, 0));
    return true;
  });
  EXPECT_EQ(ping(), Errc::cannot_decrypt);
  EXPECT_TRUE(fetched_.empty());
  EXPECT_EQ(count("parked"), 0U);
}

TEST_F(LookUpTest, MailThatAMediatorHandedOverIsParkedToo) {
  bob_.edit([&](Host& host) {
    host.arrived(ping_from(kWanda), {});
    return true;
  });
  EXPECT_EQ(count("parked"), 1U);
  answer(page(200, document_));
  EXPECT_EQ(answers(), 1U);
  EXPECT_EQ(dropped(), Codes{});
}

TEST_F(LookUpTest, AnAnswerGoesBackOnTheLastingConnection) {
  const auto taken = bob_.feed(node::EnvelopeArrived{ping_from(kWanda), "socket", true});
  EXPECT_FALSE(taken.refused.has_value());
  EXPECT_TRUE(taken.sender.empty()) << "nobody is proven yet";
  answer(page(200, document_));
  ASSERT_EQ(answers(), 1U);
  EXPECT_EQ(net_.waiting().front().payload.channel, "socket");
}

TEST_F(LookUpTest, AnAnswerGoesToTheEndpointWhereTheRequestIsOver) {
  const auto taken = bob_.feed(node::EnvelopeArrived{ping_from(kWanda), "http"});
  EXPECT_FALSE(taken.refused.has_value());
  answer(page(200, document_));
  ASSERT_EQ(answers(), 1U);
  EXPECT_EQ(net_.waiting().front().payload.uri, kWandasEndpoint);
  EXPECT_EQ(net_.waiting().front().payload.channel, "");
}

TEST_F(LookUpTest, AnAnswerWaitsInTheOutboxOfAContactWithoutAnEndpoint) {
  bob_.edit([this](Host& host) {
    Contact wanda;
    wanda.id = "wanda";
    wanda.my_did = bobs_did_.text();
    wanda.their_did = kWanda;
    wanda.state = protocol::ContactState::connected;
    protocol::save_contact(host, wanda);
    return true;
  });
  bob_.feed(node::EnvelopeArrived{ping_from(kWanda), "http"});
  answer(page(200, document_without_address_));
  EXPECT_EQ(answers(), 0U);
  const auto box = [](Host& host) { return protocol::mailbox_state(host, "wanda").count; };
  EXPECT_EQ(bob_.look(box), 1U);
}

TEST_F(LookUpTest, AStrangerWithoutAnEndpointHearsTheAnswerWhenItAsksAgain) {
  const Bytes first = ping_from(kWanda);
  bob_.feed(node::EnvelopeArrived{first, "http"});
  answer(page(200, document_without_address_));
  net_.settle();
  EXPECT_EQ(bob_.audited("message.refused"), Codes{});
  bob_.restart();
  EXPECT_EQ(answers(), 0U);
  bob_.feed(node::EnvelopeArrived{first, "http-2"});
  ASSERT_EQ(answers(), 1U);
  EXPECT_EQ(net_.waiting().front().payload.channel, "http-2");
  net_.waiting().clear();
  EXPECT_EQ(send(first), std::nullopt);
  EXPECT_EQ(answers(), 0U) << "nobody waits for it there";
}

TEST_F(LookUpTest, AnAnswerGoesToTheEndpointWhereTheLastingConnectionHasClosed) {
  bob_.feed(node::EnvelopeArrived{ping_from(kWanda), "socket", true});
  answer(page(200, document_));
  ASSERT_EQ(answers(), 1U);
  Codes ways;
  net_.fate = [&](const test::Packet& packet) {
    ways.push_back(packet.payload.channel + packet.payload.uri);
    return packet.payload.channel.empty() ? test::Fate::lost : test::Fate::fails;
  };
  net_.settle();
  EXPECT_EQ(ways, (Codes{"socket", kWandasEndpoint}));
  // What arrived on its connection goes no second way.
  ways.clear();
  bob_.feed(node::EnvelopeArrived{ping_from(kWanda), "socket", true});
  net_.fate = [&](const test::Packet& packet) {
    ways.push_back(packet.payload.channel + packet.payload.uri);
    return test::Fate::lost;
  };
  net_.settle();
  EXPECT_EQ(ways, Codes{"socket"});
}

TEST_F(LookUpTest, TheConnectionOfAnEarlierLifeIsOver) {
  bob_.feed(node::EnvelopeArrived{ping_from(kWanda), "socket", true});
  open_.clear();
  bob_.restart();
  answer(page(200, document_));
  ASSERT_EQ(answers(), 1U);
  EXPECT_EQ(net_.waiting().front().payload.uri, kWandasEndpoint);
}

TEST_F(LookUpTest, WhatWasDecidedWhenItCameHoldsWhenItIsOpened) {
  for (const bool crowded : {true, false}) {
    bob_.feed(node::EnvelopeArrived{ping_from(kWanda, kWord), "http", false, false, crowded});
  }
  open_.clear();
  bob_.restart();
  answer(page(200, document_));
  EXPECT_EQ(count("late"), 1U);
  EXPECT_EQ(count("early"), 1U) << "each by its own";
}

/// The limits, without packing hundreds of envelopes.
class ParkTest : public LookUpTest {
 protected:
  std::optional<Errc> park(const std::string& did, std::size_t bytes = 100) {
    const auto parked = bob_.edit([&](Host& host) {
      open_.clear();  // The restart gives all of them again.
      Bytes envelope = host.random().bytes(16);
      envelope.resize(bytes);
      return protocol::park(host, envelope, {.looked_up = did});
    });
    if (parked.has_value()) return std::nullopt;
    return parked.error().code;
  }
  static std::string sender(std::size_t i) { return "did:web:wanda.example:" + std::to_string(i); }
};

TEST_F(ParkTest, OneSenderFillsNobodyElsesRoom) {
  for (std::size_t i = 0; i < limits::kParkedPerSenderMax; ++i) {
    ASSERT_EQ(park(kWanda), std::nullopt);
  }
  EXPECT_EQ(park(kWanda), Errc::wrong_state);
  EXPECT_EQ(park(sender(1)), std::nullopt);
}

TEST_F(ParkTest, ThereIsRoomForSoManyEnvelopesAndBytes) {
  const std::size_t senders = limits::kParkedEnvelopesMax / limits::kParkedPerSenderMax;
  for (std::size_t i = 0; i < limits::kParkedEnvelopesMax; ++i) {
    ASSERT_EQ(park(sender(i % senders)), std::nullopt) << i;
  }
  EXPECT_EQ(park(sender(senders)), Errc::wrong_state);
  EXPECT_EQ(count("parked"), limits::kParkedEnvelopesMax);
}

TEST_F(ParkTest, ThereIsRoomForSoManyBytes) {
  const std::size_t largest = limits::kEnvelopeBytesMax;
  for (std::size_t bytes = largest; bytes < limits::kParkedBytesMax; bytes += largest) {
    EXPECT_EQ(park(sender(1), largest), std::nullopt);
  }
  EXPECT_EQ(park(sender(2), largest + 1), Errc::wrong_state);
  EXPECT_EQ(park(sender(2), largest), std::nullopt);
  EXPECT_EQ(park(sender(3)), Errc::wrong_state);
}

TEST_F(ParkTest, WhoFailedOnceMakesRoomForTheNext) {
  for (std::size_t i = 0; i < limits::kLookUpsMax; ++i) {
    ASSERT_EQ(park(sender(i)), std::nullopt);
  }
  EXPECT_EQ(park(kWanda), Errc::wrong_state) << "each of the others is in its first try";
  answer(fail(Errc::unreachable));
  EXPECT_EQ(count("parked"), limits::kLookUpsMax);
  EXPECT_EQ(park(kWanda), std::nullopt);
  EXPECT_EQ(count("look-up"), limits::kLookUpsMax);
  EXPECT_EQ(dropped(), Codes{"input.limit"});
  EXPECT_EQ(park(sender(0)), Errc::wrong_state) << "that one was driven out";
}

TEST_F(LookUpTest, AnAgentThatLooksNothingUpRefuses) {
  AgentBox& carol = net_.add("carol", test::modules<protocol::TrustPing>());
  carol.edit([this](Host& host) {
    const auto agree = host.keys().generate(KeyType::x25519, KeyPurpose::agree);
    bobs_did_ =
        *protocol::make_did_peer2({{agree->public_key, protocol::KeyUse::key_agreement}}, {});
    protocol::remember_key(host, protocol::did_peer2_kid(bobs_did_, 0), agree->sealed);
    return true;
  });
  EXPECT_EQ(net_.inject(carol, ping_from(kWanda))->code, Errc::unknown_peer);
}

}  // namespace
}  // namespace kith
