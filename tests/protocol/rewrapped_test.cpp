// Routing 2.0, "Rewrapping": the receiver opens a forward to itself, and relays none for others.

#include "protocol/rewrapped.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "protocol/did_peer.hpp"
#include "protocol/messenger.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/parties.hpp"

namespace kith {
namespace {

using test::AgentBox;
using test::Network;
using Texts = std::vector<std::string>;

struct Word {
  std::string text;
  bool authenticated = false;
  template <class V>
  void visit(V& v) {
    v("text", text), v("authenticated", authenticated);
  }
};

/// Keeps every word it hears.
class Ear final : public Module {
 public:
  std::string_view name() const override { return "ear"; }
  std::vector<std::string> message_types() const override {
    return {"https://example.org/talk/1.0/word"};
  }
  Result<void> on_message(Host& host, const Inbound& inbound) override {
    save(
        host, "heard", inbound.message.id,
        Word{std::string(inbound.message.body.at("text").as_string()), inbound.info.authenticated});
    return {};
  }
};

class ReceiverTest : public ::testing::Test {
 protected:
  ReceiverTest() {
    bob_.edit([this](Host& host) {
      const auto agree = host.keys().generate(KeyType::x25519, KeyPurpose::agree);
      did_ = protocol::make_did_peer2({{agree->public_key, protocol::KeyUse::key_agreement}}, {})
                 .value()
                 .text();
      protocol::remember_key(host, protocol::did_peer2_kid(*Did::parse(did_), 0), agree->sealed);
      return true;
    });
  }
  std::vector<NamedKey> bobs_keys() {
    return alice_.world.dids.resolve(*Did::parse(did_)).value().agreement_keys();
  }
  std::string word(const std::string& text) {
    Message message = alice_.world.message(alice_.party, alice_.party);
    message.created_time = protocol::epoch_seconds(net_.now());
    message.expires_time = *message.created_time + 60;
    message.to = {*Did::parse(did_)};
    message.body["text"] = text;
    return pack_authcrypt(message, alice_.party.agreement, bobs_keys(), {}, alice_.world.keys,
                          alice_.world.random)
        .value();
  }
  /// Hands a forward to Bob himself.
  std::optional<Error> hand_over(const std::string& next, const Texts& inside) {
    Message forward =
        protocol::make_forward(next, inside.at(0), {protocol::epoch_seconds(net_.now()) + 60, {}},
                               alice_.world.random)
            .value();
    for (std::size_t i = 1; i < inside.size(); ++i) {
      forward.attachments.push_back(protocol::base64_attachment(crypto::to_bytes(inside[i])));
    }
    forward.to = {*Did::parse(did_)};
    const auto packed =
        pack_anoncrypt(forward, bobs_keys(), {}, alice_.world.keys, alice_.world.random);
    return net_.inject(bob_, crypto::to_bytes(*packed));
  }
  Texts heard() {
    Texts texts;
    for (const Word& one : bob_.all<Word>("heard")) {
      EXPECT_TRUE(one.authenticated);
      texts.push_back(one.text);
    }
    std::ranges::sort(texts);
    return texts;
  }

  struct Alice {
    test::World world{9};
    test::Party party = world.make_party();
  };
  Network net_{31};
  AgentBox& bob_ = net_.add("bob", [] {
    test::Modules all;
    all.push_back(std::make_unique<protocol::Rewrapped>());
    all.push_back(std::make_unique<Ear>());
    return all;
  });
  Alice alice_;
  std::string did_;
};

TEST_F(ReceiverTest, OpensWhatWasRewrappedForIt) {
  EXPECT_EQ(hand_over(did_, {word("one"), word("two")}), std::nullopt);
  EXPECT_EQ(heard(), (Texts{"one", "two"}));
  EXPECT_EQ(hand_over(did_ + "#key-1", {word("by key")}), std::nullopt);
  EXPECT_EQ(heard().size(), 3U);
}

TEST_F(ReceiverTest, RelaysNothingForOthers) {
  const auto refused = hand_over(alice_.party.did.text(), {word("one")});
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, Errc::unknown_peer);
  EXPECT_EQ(hand_over("did:example:elsewhere", {word("one")})->code, Errc::unknown_peer);
  EXPECT_TRUE(heard().empty());
}

TEST_F(ReceiverTest, WhatIsInsideIsCheckedAsIfItHadComeAlone) {
  std::string altered = word("one");
  const std::size_t tag = altered.find("\"tag\":\"") + 7;
  altered[tag] = altered[tag] == 'A' ? 'B' : 'A';
  EXPECT_EQ(hand_over(did_, {altered, word("two")}), std::nullopt);
  EXPECT_EQ(heard(), Texts{"two"});
  EXPECT_EQ(bob_.audited("envelope.dropped"), Texts{"crypto.decrypt"});
  // The same mail directly and rewrapped is one message.
  const std::string twice = word("three");
  EXPECT_EQ(net_.inject(bob_, crypto::to_bytes(twice)), std::nullopt);
  EXPECT_EQ(hand_over(did_, {twice}), std::nullopt);
  EXPECT_EQ(heard(), (Texts{"three", "two"}));
}

}  // namespace
}  // namespace kith
