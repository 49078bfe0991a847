// The client's side of pickup: how often it asks a mediator that does not answer, which version it
// speaks, and mail that was rewrapped for it.

#include "protocol/pickup.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "ledger/connection.hpp"
#include "protocol/basic_message.hpp"
#include "protocol/discover_features.hpp"
#include "protocol/mail_pickup.hpp"
#include "protocol/mailbox.hpp"
#include "protocol/mediator.hpp"
#include "protocol/rewrapped.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/vectors.hpp"

namespace kith {
namespace {

using protocol::kPickup3;
using protocol::kPickup4;
using protocol::PickupPace;
using test::AgentBox;
using test::Fate;
using test::kSoon;
using test::Network;
using test::Packet;
using test::text_of;
using Texts = std::vector<std::string>;

/// A mediator from before message-pickup 4.0.
class OldMediator final : public protocol::Mediator {
 public:
  using Mediator::Mediator;
  std::vector<std::string> message_types() const override {
    auto types = Mediator::message_types();
    std::erase_if(types, [](const std::string& type) { return type.starts_with(kPickup4.prefix); });
    return types;
  }
};

class PickupTest : public ::testing::Test {
 protected:
  AgentBox& person(const std::string& name, bool live = false) {
    AgentBox& box = net_.add(
        name,
        [this, live] {
          PickupPace pace;
          pace.live = live;
          test::Modules all;
          all.push_back(std::make_unique<ledger::Connection>());
          all.push_back(std::make_unique<protocol::Pickup>(pace));
          all.push_back(std::make_unique<protocol::BasicMessage>());
          if (unwraps_) all.push_back(std::make_unique<protocol::Rewrapped>());
          all.push_back(std::make_unique<protocol::DiscoverFeatures>(protocol::features_of(all)));
          return all;
        },
        {.has_address = false});
    const auto invitation = relay_.command("mediator-invitation");
    EXPECT_TRUE(box.command("accept", {{"url", text_of(*invitation, "url")}}).has_value());
    EXPECT_TRUE(net_.run_until(
        [&] {
          return box.look([](Host& host) { return host.get({"meta", "mediator"}).has_value(); });
        },
        kSoon));
    return box;
  }
  void connect(AgentBox& a, AgentBox& b) {
    const auto invitation = a.command("invite", {{"name", b.name()}});
    EXPECT_TRUE(b.command("accept", {{"url", text_of(*invitation, "url")}, {"name", a.name()}})
                    .has_value());
    EXPECT_TRUE(
        net_.run_until([&] { return connected(a, b.name()) && connected(b, a.name()); }, kSoon));
  }
  static bool connected(AgentBox& box, const std::string& name) {
    return box.look([&](Host& host) {
      const auto contact = protocol::contact_named(host, name);
      return contact.has_value() && contact->state == ContactState::connected;
    });
  }
  static Texts received(AgentBox& box) {
    Texts texts;
    const auto reply = box.command("messages");
    for (const Json& item : reply->at("messages").get_array()) {
      if (item.at("direction").get_string() == "received") {
        texts.push_back(std::string(item.at("text").get_string()));
      }
    }
    std::ranges::sort(texts);
    return texts;
  }
  static const protocol::PickupDialect* dialect(AgentBox& box) {
    return box.look([](Host& host) { return &protocol::spoken_dialect(host); });
  }
  /// Times at which `box` writes to the mediator, which does not answer while `fails` holds.
  void watch(AgentBox& box, std::vector<Time>& times, const bool& fails) {
    net_.fate = [&box, &times, &fails, this](const Packet& packet) {
      if (packet.from != &box) return Fate::arrives;
      times.push_back(net_.now());
      return fails ? Fate::fails : Fate::arrives;
    };
  }
  std::uint64_t mail_waiting() {
    return relay_.look([](Host& host) {
      std::uint64_t count = 0;
      for (const std::string& id : host.list("mailbox")) {
        count += protocol::mailbox_state(host, id).count;
      }
      return count;
    });
  }

  bool old_ = false;
  bool unwraps_ = true;
  protocol::MediationPolicy policy_;
  Network net_{17};
  AgentBox& relay_ = net_.add("relay", [this] {
    test::Modules all;
    all.push_back(std::make_unique<ledger::Connection>());
    if (old_) {
      all.push_back(std::make_unique<OldMediator>("https://relay.test/", policy_));
    } else {
      all.push_back(std::make_unique<protocol::Mediator>("https://relay.test/", policy_));
    }
    all.push_back(std::make_unique<protocol::DiscoverFeatures>(protocol::features_of(all)));
    return all;
  });
};

// --- Polls that fail

TEST_F(PickupTest, FailedPollsAreRepeatedAfterPausesThatDoubleUpToTheLongest) {
  AgentBox& alice = person("alice");
  net_.run_for(std::chrono::minutes{10});
  std::vector<Time> tries;
  bool fails = true;
  watch(alice, tries, fails);
  net_.run_for(std::chrono::minutes{10});
  ASSERT_GE(tries.size(), 40U);
  const PickupPace pace;
  Duration most = pace.busy;
  bool random = false;
  for (std::size_t i = 1; i < tries.size(); ++i) {
    const Duration pause = tries[i] - tries[i - 1];
    EXPECT_LE(pause, most) << i;
    EXPECT_GE(pause, most / 2) << i;
    random = random || pause != most;
    most = std::min(most * 2, pace.idle_max);
  }
  EXPECT_TRUE(random);
}

TEST_F(PickupTest, APollThatSucceedsEndsThePauses) {
  AgentBox& alice = person("alice");
  net_.run_for(std::chrono::minutes{10});
  std::vector<Time> tries;
  bool fails = true;
  watch(alice, tries, fails);
  net_.run_for(std::chrono::minutes{5});
  fails = false;
  tries.clear();
  net_.run_for(std::chrono::seconds{12});
  ASSERT_GE(tries.size(), 3U);
  EXPECT_LE(tries[1] - tries[0], PickupPace{}.busy) << "there may be mail by now";
  // A single failure later costs a moment, not the longest pause.
  net_.run_for(std::chrono::minutes{10});
  std::size_t n = 0;
  tries.clear();
  net_.fate = [&](const Packet& packet) {
    if (packet.from != &alice) return Fate::arrives;
    tries.push_back(net_.now());
    return ++n == 1 ? Fate::fails : Fate::arrives;
  };
  net_.run_for(std::chrono::seconds{30});
  ASSERT_GE(tries.size(), 2U);
  EXPECT_LE(tries[1] - tries[0], PickupPace{}.busy);
}

// --- Versions

TEST_F(PickupTest, SpeaksTheNewerVersionOnceTheMediatorSaysSo) {
  AgentBox& alice = person("alice");
  AgentBox& bob = person("bob", true);
  net_.run_for(std::chrono::minutes{6});
  EXPECT_EQ(dialect(alice), &kPickup4);
  EXPECT_EQ(dialect(bob), &kPickup4);
  connect(alice, bob);
  for (const char* text : {"one", "two"}) {
    EXPECT_TRUE(alice.command("send", {{"contact", "bob"}, {"text", text}}).has_value());
    EXPECT_TRUE(bob.command("send", {{"contact", "alice"}, {"text", text}}).has_value());
    // The second time Bob opens his connection in the newer version.
    EXPECT_TRUE(net_.run_until(
        [&] { return received(alice) == received(bob) && mail_waiting() == 0; }, kSoon));
    net_.break_links(bob);
    net_.run_for(std::chrono::minutes{1});
  }
  EXPECT_EQ(received(alice), (Texts{"one", "two"}));
}

TEST_F(PickupTest, EmptiesItsMailboxInTheNewerVersionBeforeItRests) {
  AgentBox& alice = person("alice");
  AgentBox& bob = person("bob", true);
  connect(alice, bob);
  net_.run_for(std::chrono::minutes{6});
  ASSERT_EQ(dialect(bob), &kPickup4);
  bob.set_online(false);
  Texts expected;
  for (int i = 0; i < 25; ++i) {  // More than two deliveries hold.
    expected.push_back(std::to_string(i));
    EXPECT_TRUE(alice.command("send", {{"contact", "bob"}, {"text", expected.back()}}).has_value());
  }
  net_.run_for(std::chrono::minutes{5});
  EXPECT_GE(mail_waiting(), 25U);
  bob.set_online(true);
  bob.restart();
  EXPECT_TRUE(net_.run_until([&] { return received(bob).size() == expected.size(); },
                             std::chrono::seconds{10}));
  std::ranges::sort(expected);
  EXPECT_EQ(received(bob), expected);
  EXPECT_TRUE(net_.run_until([&] { return mail_waiting() == 0; }, kSoon))
      << "Bob's mail is confirmed, and his acknowledgements have arrived";
  std::size_t packets = 0;
  net_.on_arrival = [&](const Packet& packet) { packets += packet.from == &bob ? 1U : 0U; };
  net_.run_for(std::chrono::minutes{5});
  EXPECT_LE(packets, 3U) << "then it rests";
}

TEST_F(PickupTest, StaysWithTheOlderVersionWhereTheMediatorHasNoOther) {
  old_ = true;
  relay_.restart();
  AgentBox& alice = person("alice");
  AgentBox& bob = person("bob");
  connect(alice, bob);
  net_.run_for(std::chrono::minutes{6});
  EXPECT_EQ(dialect(alice), &kPickup3);
  EXPECT_TRUE(alice.command("send", {{"contact", "bob"}, {"text", "hello"}}).has_value());
  EXPECT_TRUE(net_.run_until([&] { return received(bob) == Texts{"hello"}; }, kSoon));
  // The mediator learns it: at a later start the client asks again.
  old_ = false;
  relay_.restart();
  for (AgentBox* box : {&alice, &bob}) box->set_online(false);
  net_.run_for(std::chrono::hours{25});
  for (AgentBox* box : {&alice, &bob}) box->set_online(true);
  EXPECT_EQ(dialect(alice), &kPickup3);
  alice.restart();
  net_.run_for(std::chrono::minutes{1});
  EXPECT_EQ(dialect(alice), &kPickup4);
}

TEST_F(PickupTest, GoesBackToTheOlderVersionWhenTheMediatorDoes) {
  AgentBox& alice = person("alice");
  AgentBox& bob = person("bob");
  connect(alice, bob);
  net_.run_for(std::chrono::minutes{6});
  ASSERT_EQ(dialect(bob), &kPickup4);
  old_ = true;
  relay_.restart();
  EXPECT_TRUE(alice.command("send", {{"contact", "bob"}, {"text", "hello"}}).has_value());
  EXPECT_TRUE(net_.run_until([&] { return received(bob) == Texts{"hello"}; }, kSoon));
  EXPECT_EQ(dialect(bob), &kPickup3);
}

// --- Mail that was rewrapped

TEST_F(PickupTest, OpensMailThatTheMediatorRewraps) {
  policy_.rewrap = true;
  policy_.relay_delay_ms = 5'000;
  relay_.restart();
  AgentBox& alice = person("alice");
  AgentBox& bob = person("bob", true);
  connect(alice, bob);
  EXPECT_TRUE(alice.command("send", {{"contact", "bob"}, {"text", "hello"}}).has_value());
  EXPECT_TRUE(net_.run_until([&] { return received(bob) == Texts{"hello"}; }, kSoon));
  // An agent that cannot open it gets nothing.
  unwraps_ = false;
  bob.restart();
  net_.run_for(std::chrono::minutes{1});
  EXPECT_TRUE(alice.command("send", {{"contact", "bob"}, {"text", "again"}}).has_value());
  net_.run_for(std::chrono::minutes{1});
  EXPECT_EQ(received(bob), Texts{"hello"});
  EXPECT_FALSE(bob.audited("envelope.dropped").empty());
}

}  // namespace
}  // namespace kith
