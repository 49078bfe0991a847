// Mail through a mediator: registration, forwards, pickup, under loss and crashes. Personal agents
// have no address of their own here, as in life.

#include <gtest/gtest.h>

#include <algorithm>

#include "ledger/connection.hpp"
#include "protocol/basic_message.hpp"
#include "protocol/forward.hpp"
#include "protocol/mail_route.hpp"
#include "protocol/mailbox.hpp"
#include "protocol/mediator.hpp"
#include "protocol/messenger.hpp"
#include "protocol/own_service.hpp"
#include "protocol/pickup.hpp"
#include "protocol/trust_ping.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/vectors.hpp"

namespace kith {
namespace {

using ledger::Connection;
using protocol::BasicMessage;
using protocol::Mediator;
using protocol::Pickup;
using protocol::PickupPace;
using protocol::TrustPing;
using test::AgentBox;
using test::Fate;
using test::kSoon;
using test::Network;
using test::text_of;

constexpr std::chrono::minutes kCheckEvery{10};

test::Modules person_modules() {
  test::Modules all;
  all.push_back(std::make_unique<Connection>());
  all.push_back(std::make_unique<Pickup>(PickupPace{.did_check = kCheckEvery}));
  all.push_back(std::make_unique<BasicMessage>());
  all.push_back(std::make_unique<TrustPing>());
  return all;
}

test::Modules mediator_modules(const std::string& url) {
  test::Modules all;
  all.push_back(std::make_unique<Connection>());
  all.push_back(std::make_unique<Mediator>(url));
  return all;
}

class MailTest : public ::testing::Test {
 protected:
  AgentBox& person(const std::string& name) {
    return net_.add(name, person_modules, {.has_address = false});
  }
  void join(AgentBox& box) {
    const auto invitation = relay_.command("mediator-invitation");
    ASSERT_TRUE(invitation.has_value());
    const auto accepted = box.command("accept", {{"url", text_of(*invitation, "url")}});
    ASSERT_TRUE(accepted.has_value()) << accepted.error().detail;
    ASSERT_TRUE(net_.run_until([&] { return granted(box); }, kSoon)) << box.name();
  }
  static bool granted(AgentBox& box) {
    return box.look([](Host& host) { return host.get({"meta", "mediator"}).has_value(); });
  }
  void connect(AgentBox& a, AgentBox& b) {
    const auto invitation = a.command("invite", {{"name", b.name()}});
    ASSERT_TRUE(invitation.has_value()) << invitation.error().detail;
    const auto accepted =
        b.command("accept", {{"url", text_of(*invitation, "url")}, {"name", a.name()}});
    ASSERT_TRUE(accepted.has_value()) << accepted.error().detail;
    ASSERT_TRUE(
        net_.run_until([&] { return connected(a, b.name()) && connected(b, a.name()); }, kSoon));
  }
  static bool connected(AgentBox& box, const std::string& name) {
    return box.look([&](Host& host) {
      const auto contact = protocol::contact_named(host, name);
      return contact.has_value() && contact->state == ContactState::connected;
    });
  }
  static std::vector<std::string> received(AgentBox& box) {
    std::vector<std::string> texts;
    const auto reply = box.command("messages");
    for (const Json& item : reply->at("messages").get_array()) {
      if (item.at("direction").get_string() == "received") {
        texts.push_back(std::string(item.at("text").get_string()));
      }
    }
    return texts;
  }

  Network net_{42};
  std::string relay_url_ = "https://relay.test/";
  AgentBox& relay_ = net_.add("relay", [this] { return mediator_modules(relay_url_); });
};

TEST_F(MailTest, TwoPeopleWithoutAddressesExchangeTextsThroughAMediator) {
  AgentBox& alice = person("alice");
  AgentBox& bob = person("bob");
  join(alice);
  join(bob);
  connect(alice, bob);
  ASSERT_TRUE(alice.command("send", {{"contact", "bob"}, {"text", "hello"}}).has_value());
  ASSERT_TRUE(
      net_.run_until([&] { return received(bob) == std::vector<std::string>{"hello"}; }, kSoon));
  const auto ping = bob.command("ping", {{"contact", "alice"}});
  ASSERT_TRUE(ping.has_value());
  EXPECT_TRUE(net_.run_until(
      [&] {
        return bob.command("ping-status", {{"id", text_of(*ping, "id")}})
            ->at("answered")
            .get_bool();
      },
      kSoon));
}

TEST_F(MailTest, ClientsFollowAMediatorThatMoves) {
  AgentBox& alice = person("alice");
  AgentBox& bob = person("bob");
  join(alice);
  join(bob);
  connect(alice, bob);
  net_.run_for(std::chrono::minutes{1});
  const auto grant = [](AgentBox& box) { return *box.look(protocol::mediator_grant); };
  const std::string routing_before = grant(bob).routing_did;
  net_.run_for(2 * kCheckEvery);
  EXPECT_EQ(grant(bob).routing_did, routing_before) << "it was asked for again meanwhile";

  relay_url_ = "https://moved.test/";
  net_.add_address(relay_url_, relay_);
  relay_.restart();
  const auto has_heard = [&](AgentBox& box) {
    return grant(box).uri == relay_url_ && grant(box).routing_did != routing_before;
  };
  ASSERT_TRUE(net_.run_until([&] { return has_heard(alice) && has_heard(bob); }, kSoon));
  ASSERT_TRUE(alice.command("send", {{"contact", "bob"}, {"text", "one"}}).has_value());
  ASSERT_TRUE(net_.run_until([&] { return received(bob).size() == 1; }, kSoon));
  net_.run_for(std::chrono::minutes{1});

  std::size_t to_former = 0;
  net_.fate = [&](const test::Packet& packet) {
    const bool former = packet.payload.uri == "https://relay.test/";
    to_former += former ? 1 : 0;
    return former ? Fate::fails : Fate::arrives;
  };
  ASSERT_TRUE(alice.command("send", {{"contact", "bob"}, {"text", "two"}}).has_value());
  ASSERT_TRUE(bob.command("send", {{"contact", "alice"}, {"text", "three"}}).has_value());
  ASSERT_TRUE(net_.run_until(
      [&] { return received(bob).size() == 2 && received(alice).size() == 1; }, kSoon));
  EXPECT_EQ(to_former, 0U) << "nobody needs the former address any more";
}

TEST_F(MailTest, ADenialOfWhatWasGrantedEndsNothing) {
  AgentBox& alice = person("alice");
  join(alice);
  const auto deny = [&] {
    relay_.edit([](Host& host) {
      const Contact client = protocol::list_contacts(host).front();
      Message message = protocol::new_message(protocol::kMediateDeny, host.random(), 0);
      message.created_time.reset();
      message.from = *Did::parse(client.my_did);
      message.to = {*Did::parse(client.their_did)};
      return protocol::send(host, std::move(message), {}).has_value();
    });
    net_.run_for(std::chrono::minutes{1});
  };
  deny();
  EXPECT_TRUE(alice.notices("alarm").empty());
  EXPECT_TRUE(granted(alice));
  alice.edit([](Host& host) {
    auto grant = *protocol::mediator_grant(host);
    grant.contact_id = "the one before";
    save(host, "meta", "mediator", grant);
    return true;
  });
  deny();
  EXPECT_EQ(alice.notices("alarm").size(), 1U) << "this one had never said yes";
}

TEST_F(MailTest, TheMediatorSeesNeitherTextsNorNames) {
  AgentBox& alice = person("alice");
  AgentBox& bob = person("bob");
  join(alice);
  join(bob);
  connect(alice, bob);
  ASSERT_TRUE(alice.command("send", {{"contact", "bob"}, {"text", "xylophone"}}).has_value());
  ASSERT_TRUE(net_.run_until([&] { return received(bob).size() == 1; }, kSoon));
  const auto holds = [](AgentBox& box, std::string_view word) {
    return std::ranges::any_of(box.store().records(), [&](const auto& record) {
      return crypto::as_text(record.second).find(word) != std::string_view::npos;
    });
  };
  EXPECT_FALSE(holds(relay_, "xylophone"));
  EXPECT_TRUE(holds(bob, "xylophone"));  // The search does find what is there.
}

TEST_F(MailTest, EveryTextArrivesOnceThroughLossDuplicationAndCrashes) {
  AgentBox& alice = person("alice");
  AgentBox& bob = person("bob");
  join(alice);
  join(bob);
  connect(alice, bob);
  std::size_t n = 0;
  net_.fate = [&](const test::Packet&) {
    ++n;
    if (n % 5 == 0) return Fate::fails;
    return n % 3 == 0 ? Fate::twice : Fate::arrives;
  };
  std::vector<std::string> sent;
  for (std::size_t i = 0; i < 14; ++i) {
    sent.push_back("text " + std::to_string(i));
    AgentBox& victim = i % 3 == 0 ? alice : i % 3 == 1 ? bob : relay_;
    victim.store().crash_at(1 + i % 4, i % 2 == 0 ? test::MemoryStore::Crash::before_commit
                                                  : test::MemoryStore::Crash::after_commit);
    ASSERT_TRUE(alice.command("send", {{"contact", "bob"}, {"text", sent.back()}}).has_value());
    net_.run_for(std::chrono::minutes{2});
  }
  net_.fate = nullptr;
  net_.run_until([&] { return received(bob).size() >= sent.size(); }, std::chrono::hours{2});
  auto got = received(bob);
  std::ranges::sort(got);
  std::ranges::sort(sent);
  EXPECT_EQ(got, sent);
  EXPECT_GT(alice.crashes() + bob.crashes() + relay_.crashes(), 10u);
}

TEST_F(MailTest, OnlyTheClientReadsItsMailboxAndRegistersItsDids) {
  AgentBox& alice = person("alice");
  AgentBox& mallory = person("mallory");
  join(alice);
  join(mallory);
  ASSERT_TRUE(alice.command("invite").has_value());  // Makes and registers a one-time DID.
  net_.run_for(std::chrono::minutes{1});
  const auto dids = alice.look([](Host& host) { return host.list("own-did"); });
  ASSERT_FALSE(dids.empty());
  mallory.edit([&](Host& host) {
    protocol::register_own_did(host, dids.front());
    return true;
  });
  net_.run_for(std::chrono::minutes{1});
  EXPECT_FALSE(mallory.notices("alarm").empty());
  relay_.look([&](Host& host) {
    const auto owners = protocol::clients_for(host, dids.front());
    EXPECT_EQ(owners.size(), 1u);
    EXPECT_TRUE(protocol::find_contact(host, owners.at(0)).has_value());
    return true;
  });
}

TEST_F(MailTest, StrangersAreRefusedAndForwardsToNobodyToo) {
  AgentBox& stranger = net_.add("stranger", person_modules);
  const auto forward_to = [&](const std::string& next) {
    return stranger.look([&](Host& host) {
      const std::string routing = relay_.look(
          [](Host& h) { return load<protocol::RoutingDid>(h, "meta", "routing-did")->did; });
      protocol::KnownDids known(host);
      const auto document = known.resolve(*Did::parse(routing));
      const auto message =
          protocol::make_forward(next, R"({"payload":"x"})",
                                 {protocol::epoch_seconds(host.now()) + 60, {}}, host.random());
      auto packed = protocol::pack_anoncrypt(*message, document->agreement_keys(), {}, host.keys(),
                                             host.random());
      return crypto::to_bytes(*packed);
    });
  };
  const auto refused = net_.inject(relay_, forward_to("did:example:nobody"));
  ASSERT_TRUE(refused.has_value());
  EXPECT_EQ(refused->code, Errc::unknown_peer);
  EXPECT_TRUE(net_.inject(relay_, {1, 2, 3}).has_value());
}

TEST_F(MailTest, AFullMailboxRefusesMoreAndLosesNothing) {
  relay_.edit([](Host& host) {
    for (std::size_t i = 0; i < limits::kMailboxMessagesMax; ++i) {
      EXPECT_TRUE(protocol::put_mail(host, "client", {{1, 2, 3}, "did:example:x", {}}).has_value());
    }
    const auto full = protocol::put_mail(host, "client", {{1}, "did:example:x", {}});
    EXPECT_EQ(full.error(), Errc::storage_full);
    EXPECT_EQ(protocol::mailbox_state(host, "client").count, limits::kMailboxMessagesMax);
    const auto oldest = protocol::read_mail(host, "client", {}, 1);
    protocol::remove_mail(host, "client", oldest.front().id);
    EXPECT_TRUE(protocol::put_mail(host, "client", {{1}, "did:example:y", {}}).has_value());
    EXPECT_EQ(protocol::read_mail(host, "client", "did:example:y", 10).size(), 1u);
    const Bytes large(limits::kMailBytesMax, 1);
    for (std::size_t i = 0; i < limits::kMailboxBytesMax / large.size(); ++i) {
      EXPECT_TRUE(protocol::put_mail(host, "other", {large, "did:example:x", {}}).has_value());
    }
    EXPECT_EQ(protocol::put_mail(host, "other", {large, "did:example:x", {}}).error(),
              Errc::storage_full);
    return true;
  });
}

TEST_F(MailTest, OldMailIsDroppedAfterItsTime) {
  relay_.edit([](Host& host) {
    return protocol::put_mail(host, "client", {{1}, "did:example:x", {}}).has_value();
  });
  net_.run_for(Duration{limits::kMailLife} - std::chrono::hours{25});
  EXPECT_EQ(relay_.look([](Host& h) { return protocol::mailbox_state(h, "client").count; }), 1u);
  net_.run_for(std::chrono::hours{50});
  EXPECT_EQ(relay_.look([](Host& h) { return protocol::mailbox_state(h, "client").count; }), 0u);
}

TEST_F(MailTest, PollingSlowsDownWhenNothingHappens) {
  AgentBox& alice = person("alice");
  join(alice);
  net_.run_for(std::chrono::minutes{10});
  std::size_t polls = 0;
  net_.on_arrival = [&](const test::Packet& packet) { polls += packet.from == &alice ? 1 : 0; };
  net_.run_for(std::chrono::minutes{10});
  EXPECT_GT(polls, 50u);  // About one in ten seconds: it never stops.
  EXPECT_LT(polls, 70u);
  polls = 0;
  ASSERT_TRUE(alice.command("nudge").has_value());
  net_.run_for(std::chrono::seconds{2});
  EXPECT_GE(polls, 3u);
}

}  // namespace
}  // namespace kith
