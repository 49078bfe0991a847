// Live mode of pickup: mail over one lasting connection, and what happens when it breaks.

#include <gtest/gtest.h>

#include <algorithm>

#include "ledger/connection.hpp"
#include "protocol/basic_message.hpp"
#include "protocol/live.hpp"
#include "protocol/mailbox.hpp"
#include "protocol/mediator.hpp"
#include "protocol/messenger.hpp"
#include "protocol/pickup.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/vectors.hpp"

namespace kith {
namespace {

using protocol::Pickup;
using protocol::PickupPace;
using test::AgentBox;
using test::Fate;
using test::kSoon;
using test::Network;
using test::Packet;
using test::text_of;
using Texts = std::vector<std::string>;

test::Modules live_modules() {
  PickupPace pace;
  pace.live = true;
  test::Modules all;
  all.push_back(std::make_unique<ledger::Connection>());
  all.push_back(std::make_unique<Pickup>(pace));
  all.push_back(std::make_unique<protocol::BasicMessage>());
  return all;
}

test::Modules relay_modules() {
  test::Modules all;
  all.push_back(std::make_unique<ledger::Connection>());
  all.push_back(std::make_unique<protocol::Mediator>("https://relay.test/"));
  return all;
}

class LiveTest : public ::testing::Test {
 protected:
  LiveTest() {
    join(alice_);
    join(bob_);
    const auto invitation = alice_.command("invite", {{"name", "bob"}});
    EXPECT_TRUE(bob_.command("accept", {{"url", text_of(*invitation, "url")}, {"name", "alice"}})
                    .has_value());
    EXPECT_TRUE(net_.run_until([&] { return connected(alice_, "bob") && connected(bob_, "alice"); },
                               kSoon));
    net_.run_for(std::chrono::minutes{1});
  }

  void join(AgentBox& box) {
    const auto invitation = relay_.command("mediator-invitation");
    EXPECT_TRUE(box.command("accept", {{"url", text_of(*invitation, "url")}}).has_value());
    EXPECT_TRUE(net_.run_until(
        [&] {
          return box.look([](Host& host) { return host.get({"meta", "mediator"}).has_value(); });
        },
        kSoon));
  }
  static bool connected(AgentBox& box, const std::string& name) {
    return contact(box, name).state == ContactState::connected;
  }
  static Contact contact(AgentBox& box, const std::string& name) {
    return box.look([&](Host& host) {
      const auto found = protocol::contact_named(host, name);
      return found.has_value() ? *found : Contact{};
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
    return texts;
  }
  void say(const std::string& text) {
    EXPECT_TRUE(alice_.command("send", {{"contact", "bob"}, {"text", text}}).has_value());
  }
  std::uint64_t mail_waiting() {
    std::uint64_t count = 0;
    relay_.look([&](Host& host) {
      for (const std::string& id : host.list("mailbox")) {
        count += protocol::mailbox_state(host, id).count;
      }
      return true;
    });
    return count;
  }

  Network net_{7};
  AgentBox& relay_ = net_.add("relay", relay_modules);
  AgentBox& alice_ = net_.add("alice", live_modules, {.has_address = false});
  AgentBox& bob_ = net_.add("bob", live_modules, {.has_address = false});
};

TEST_F(LiveTest, MailArrivesAtOnceAndNobodyPolls) {
  EXPECT_EQ(net_.link_count(), 2u);
  std::size_t packets = 0;
  net_.on_arrival = [&](const Packet&) { ++packets; };
  net_.run_for(std::chrono::minutes{5});
  EXPECT_LE(packets, 4u) << "each looks once, to be safe";
  say("hello");
  net_.settle();  // No time passes.
  EXPECT_EQ(received(bob_), Texts{"hello"});
  EXPECT_EQ(mail_waiting(), 0u) << "confirmed, so gone";
}

TEST_F(LiveTest, ManyMessagesComeAtOnceAndOnce) {
  Texts expected;
  for (int i = 0; i < 40; ++i) {
    expected.push_back(std::to_string(i));
    say(expected.back());
  }
  net_.settle();
  Texts texts = received(bob_);
  std::ranges::sort(texts);
  std::ranges::sort(expected);
  EXPECT_EQ(texts, expected);
}

TEST_F(LiveTest, ABrokenConnectionFallsBackToPollingAndComesBack) {
  net_.refuse_link = [&](const AgentBox& from, const AgentBox&) {
    return &from == &bob_ ? std::optional<Error>(fail(Errc::unreachable)) : std::nullopt;
  };
  net_.break_links(bob_);
  net_.settle();
  say("by polling");
  ASSERT_TRUE(net_.run_until([&] { return received(bob_) == Texts{"by polling"}; },
                             std::chrono::seconds{30}));
  EXPECT_EQ(net_.link_count(), 1u);
  net_.refuse_link = nullptr;
  ASSERT_TRUE(net_.run_until([&] { return net_.link_count() == 2; }, std::chrono::minutes{10}));
  net_.run_for(std::chrono::seconds{1});
  say("live");
  net_.settle();
  EXPECT_EQ(received(bob_), (Texts{"by polling", "live"}));
}

TEST_F(LiveTest, ReconnectsWithGrowingPauses) {
  std::vector<Time> tries;
  net_.refuse_link = [&](const AgentBox& from, const AgentBox&) {
    if (&from == &bob_) tries.push_back(net_.now());
    return std::optional<Error>(fail(Errc::unreachable));
  };
  net_.break_links(bob_);
  net_.run_for(std::chrono::hours{1});
  ASSERT_GE(tries.size(), 12u);
  EXPECT_LE(tries.size(), 40u);
  const Duration longest = PickupPace{}.reconnect_max;
  for (std::size_t i = 1; i < tries.size(); ++i) {
    EXPECT_LE(tries[i] - tries[i - 1], longest);
    if (i > 12) {
      EXPECT_GE(tries[i] - tries[i - 1], longest / 2);
    }
  }
}

TEST_F(LiveTest, AMediatorThatRestartsLosesAndDoublesNothing) {
  Texts expected;
  for (int i = 0; i < 6; ++i) {
    expected.push_back(std::to_string(i));
    say(expected.back());
    if (i % 2 == 0) net_.settle();
    relay_.restart();
    net_.run_for(std::chrono::seconds{i % 3 == 0 ? 0 : 5});
  }
  ASSERT_TRUE(net_.run_until([&] { return received(bob_).size() == 6; }, kSoon));
  net_.run_for(std::chrono::minutes{10});
  Texts texts = received(bob_);
  std::ranges::sort(texts);
  EXPECT_EQ(texts, expected);
  EXPECT_EQ(net_.link_count(), 2u);
  EXPECT_EQ(mail_waiting(), 0u);
}

TEST_F(LiveTest, WhatTheConnectionLostComesAgain) {
  bool dropped = false;
  net_.fate = [&](const Packet& packet) {
    const bool delivery = packet.from == &relay_ && packet.to == &bob_ && !packet.link.empty();
    if (!delivery || dropped) return Fate::arrives;
    dropped = true;
    return Fate::lost;
  };
  say("hello");
  net_.settle();
  EXPECT_TRUE(dropped);
  EXPECT_TRUE(received(bob_).empty());
  ASSERT_TRUE(net_.run_until([&] { return !received(bob_).empty(); },
                             PickupPace{}.live_check + std::chrono::seconds{1}));
  net_.run_for(std::chrono::minutes{20});
  EXPECT_EQ(received(bob_), Texts{"hello"});
}

TEST_F(LiveTest, AConnectionThatTakesNothingIsForgotten) {
  net_.fate = [&](const Packet& packet) {
    const bool delivery = packet.from == &relay_ && packet.to == &bob_ && !packet.link.empty();
    return delivery ? Fate::fails : Fate::arrives;
  };
  const auto live_clients = [&] {
    return relay_.look([](Host& host) { return host.list("live").size(); });
  };
  EXPECT_EQ(live_clients(), 2u);
  say("hello");
  net_.settle();
  EXPECT_EQ(live_clients(), 1u);
  EXPECT_EQ(mail_waiting(), 1u) << "kept for pickup";
}

TEST_F(LiveTest, LiveModeNeedsALastingConnection) {
  net_.break_links(bob_);
  net_.refuse_link = [](const AgentBox&, const AgentBox&) {
    return std::optional<Error>(fail(Errc::unreachable));
  };
  bob_.edit([&](Host& host) {
    for (const Contact& mediator : protocol::list_contacts(host)) {
      if (mediator.role != ContactRole::mediator) continue;
      Message message =
          protocol::new_message(protocol::kPickup3.type(protocol::kLiveDeliveryChange),
                                host.random(), protocol::epoch_seconds(host.now()));
      message.from = *Did::parse(mediator.my_did);
      message.to = {*Did::parse(mediator.their_did)};
      message.body["live_delivery"] = true;
      protocol::SendOptions options;
      options.wants_reply = true;
      EXPECT_TRUE(protocol::send(host, std::move(message), options).has_value());
    }
    return true;
  });
  net_.settle();
  ASSERT_FALSE(bob_.audited("problem.received").empty());
  EXPECT_EQ(bob_.audited("problem.received").back(), "e.m.live-mode-not-supported");
}

TEST_F(LiveTest, ADelayedForwardIsHeldBackAndThenDelivered) {
  const Contact bob = contact(alice_, "bob");
  const auto send_later = [&](std::chrono::milliseconds delay, std::string_view text) {
    alice_.edit([&](Host& host) {
      Message message = protocol::new_message("https://didcomm.org/basicmessage/2.0/message",
                                              host.random(), protocol::epoch_seconds(host.now()));
      message.from = *Did::parse(bob.my_did);
      message.to = {*Did::parse(bob.their_did)};
      message.body["content"] = text;
      protocol::SendOptions options;
      options.relay_delay = delay;
      EXPECT_TRUE(protocol::send(host, std::move(message), options).has_value());
      return true;
    });
  };
  send_later(std::chrono::minutes{10}, "later");
  say("now");
  net_.run_for(std::chrono::minutes{9});
  EXPECT_EQ(received(bob_), Texts{"now"});
  EXPECT_EQ(mail_waiting(), 1u);
  bob_.restart();  // Asks for what is there: the held one is not.
  net_.settle();
  net_.run_for(std::chrono::minutes{1} + std::chrono::seconds{1});
  EXPECT_EQ(received(bob_), (Texts{"now", "later"}));
  // A random time, up to an hour.
  for (int i = 0; i < 8; ++i) send_later(-std::chrono::hours{1}, std::to_string(i));
  net_.run_for(std::chrono::minutes{30});
  const std::size_t early = received(bob_).size() - 2;
  EXPECT_GT(early, 0u);
  EXPECT_LT(early, 8u);
  net_.run_for(std::chrono::minutes{31});
  EXPECT_EQ(received(bob_).size(), 10u);
}

}  // namespace
}  // namespace kith
