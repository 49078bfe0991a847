// Small protocols between agents: discover-features, short addresses of invitations, and what is
// ignored on purpose.

#include <gtest/gtest.h>

#include <map>
#include <set>

#include "ledger/connection.hpp"
#include "protocol/acks.hpp"
#include "protocol/basic_message.hpp"
#include "protocol/discover_features.hpp"
#include "protocol/invitation.hpp"
#include "protocol/mailbox_view.hpp"
#include "protocol/mediator.hpp"
#include "protocol/messenger.hpp"
#include "protocol/out_of_band.hpp"
#include "protocol/pickup.hpp"
#include "protocol/trust_ping.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/vectors.hpp"

namespace kith {
namespace {

using ledger::Connection;
using protocol::DiscoverFeatures;
using protocol::Feature;
using protocol::FetchedPage;
using protocol::FetchPayload;
using protocol::Mediator;
using protocol::OutOfBand;
using test::AgentBox;
using test::Network;
using test::text_of;
using namespace std::chrono_literals;

const std::string kRelay = "https://relay.test/";

test::Modules agent_modules(const std::string& public_url) {
  test::Modules all;
  all.push_back(std::make_unique<Connection>());
  all.push_back(std::make_unique<protocol::TrustPing>());
  all.push_back(std::make_unique<protocol::BasicMessage>());
  all.push_back(std::make_unique<OutOfBand>(public_url));
  if (public_url.empty()) {
    all.push_back(std::make_unique<protocol::Pickup>(protocol::PickupPace{}));
    all.push_back(std::make_unique<protocol::MailboxView>());
  } else {
    all.push_back(std::make_unique<Mediator>(public_url));
  }
  all.push_back(std::make_unique<DiscoverFeatures>(protocol::features_of(all)));
  return all;
}

class SmallProtocols : public ::testing::Test {
 protected:
  JsonObject must(Result<JsonObject> reply) {
    EXPECT_TRUE(reply.has_value()) << (reply.has_value() ? "" : reply.error().detail);
    return reply.has_value() ? *reply : JsonObject{};
  }
  static Contact only_contact(AgentBox& box) {
    return box.look([](Host& host) { return protocol::list_contacts(host).front(); });
  }
  AgentBox& direct(const std::string& name) {
    return net_.add(name, [] { return agent_modules(""); });
  }
  void connect(AgentBox& a, AgentBox& b) {
    const JsonObject made = must(a.command("invite", {{"name", b.name()}}));
    must(b.command("accept", {{"url", text_of(made, "url")}, {"name", a.name()}}));
    net_.run_for(1min);
  }
  /// A personal agent whose mail the relay keeps.
  AgentBox& client(const std::string& name) {
    AgentBox& box = net_.add(name, [] { return agent_modules(""); }, {.has_address = false});
    const JsonObject invitation = must(relay().command("mediator-invitation"));
    must(box.command("accept", {{"url", text_of(invitation, "url")}}));
    EXPECT_TRUE(net_.run_until(
        [&] {
          return box.look([](Host& host) { return host.get({"meta", "mediator"}).has_value(); });
        },
        20min));
    return box;
  }
  AgentBox& relay() {
    if (relay_ == nullptr) {
      relay_ = &net_.add("relay", [] { return agent_modules(kRelay); });
    }
    return *relay_;
  }
  JsonArray ask(AgentBox& from, const std::string& type, const std::string& match) {
    const JsonArray queries{JsonObject{{"type", type}, {"match", match}}};
    const JsonObject asked = must(
        from.command("features-ask", {{"contact", only_contact(from).name}, {"queries", queries}}));
    net_.run_for(1min);
    const JsonObject status = must(from.command("features-status", {{"id", text_of(asked, "id")}}));
    EXPECT_TRUE(status.at("answered").as_bool());
    return status.contains("disclosures") ? status.at("disclosures").as_array() : JsonArray{};
  }

  Network net_{11};
  AgentBox* relay_ = nullptr;
};

// --- Protocols and versions ("Semver Rules")

TEST_F(SmallProtocols, AnotherMinorVersionIsSpokenAndAnotherMajorIsNot) {
  AgentBox& alice = direct("alice");
  AgentBox& bob = direct("bob");
  connect(alice, bob);
  const auto answers_to = [&](const std::string& type) {
    std::vector<std::string> answers;
    net_.on_arrival = [&](const test::Packet& packet) {
      if (packet.to == &alice) answers.emplace_back("answer");
    };
    alice.edit([&](Host& host) {
      const Contact contact = protocol::list_contacts(host).front();
      Message message = protocol::new_message(type, host.random(), 0);
      message.created_time.reset();
      message.from = *Did::parse(contact.my_did);
      message.to = {*Did::parse(contact.their_did)};
      return protocol::send(host, std::move(message), {}).has_value();
    });
    net_.run_for(1min);
    net_.on_arrival = nullptr;
    return answers.size();
  };
  const std::size_t refused = bob.audited("message.refused").size();
  EXPECT_EQ(answers_to("https://didcomm.org/trust-ping/2.0/ping"), 1U);
  EXPECT_EQ(answers_to("https://didcomm.org/trust-ping/2.7/ping"), 1U);
  EXPECT_EQ(answers_to("https://didcomm.org/Trust_Ping/2.0/PING"), 1U);
  EXPECT_EQ(bob.audited("message.refused").size(), refused);
  answers_to("https://didcomm.org/trust-ping/3.0/ping");
  answers_to("https://example.org/trust-ping/2.0/ping");
  answers_to("https://didcomm.org/trust-ping/2.0/pong");
  EXPECT_EQ(bob.audited("message.refused").size(), refused + 3);
}

// --- basicmessage 2.0

TEST_F(SmallProtocols, TextsSayTheirLanguageAndWhetherTheyArrived) {
  AgentBox& alice = direct("alice");
  AgentBox& bob = direct("bob");
  connect(alice, bob);
  must(alice.command("send", {{"contact", "bob"}, {"text", "Guten Tag"}, {"lang", "de"}}));
  const auto texts = [&](AgentBox& box) {
    return must(box.command("messages")).at("messages").as_array();
  };
  EXPECT_FALSE(texts(alice)[0].as_object().at("delivered").as_bool());
  net_.settle();
  EXPECT_TRUE(texts(alice)[0].as_object().at("delivered").as_bool());
  const JsonObject received = texts(bob)[0].as_object();
  EXPECT_EQ(text_of(received, "lang"), "de");
  EXPECT_FALSE(received.contains("delivered"));

  EXPECT_EQ(alice.command("send", {{"contact", "bob"}, {"text", "x"}, {"lang", "in German"}})
                .error()
                .code,
            Errc::usage);

  // One that never gets there stays undelivered; one that arrives late is marked late.
  net_.fate = [](const test::Packet&) { return test::Fate::fails; };
  must(alice.command("send", {{"contact", "bob"}, {"text", "second"}}));
  net_.run_for(1min);
  EXPECT_FALSE(texts(alice)[1].as_object().at("delivered").as_bool());
  net_.fate = {};
  net_.run_for(1h);
  EXPECT_TRUE(texts(alice)[1].as_object().at("delivered").as_bool());
}

TEST_F(SmallProtocols, NobodyAcknowledgesTheTextsOfOthers) {
  AgentBox& alice = direct("alice");
  AgentBox& bob = direct("bob");
  AgentBox& eve = direct("eve");
  connect(alice, bob);
  connect(alice, eve);
  net_.fate = [](const test::Packet&) { return test::Fate::lost; };
  const JsonObject sent = must(alice.command("send", {{"contact", "bob"}, {"text", "hello"}}));
  net_.settle();
  const auto acknowledge = [&](AgentBox& from) {
    const Contact contact = only_contact(from);
    from.edit([&](Host& host) {
      Message empty = protocol::new_message(protocol::kEmptyType, host.random(),
                                            protocol::epoch_seconds(host.now()));
      empty.from = Did::parse(contact.my_did).value();
      empty.to = {Did::parse(contact.their_did).value()};
      empty.ack = {text_of(sent, "id")};
      return protocol::send(host, std::move(empty), {}).has_value();
    });
  };
  const auto delivered = [&] {
    const JsonObject reply = must(alice.command("messages", {{"contact", "bob"}}));
    return reply.at("messages").as_array()[0].as_object().at("delivered").as_bool();
  };
  net_.fate = [&](const test::Packet& packet) {
    return packet.from == &alice ? test::Fate::lost : test::Fate::arrives;
  };
  acknowledge(eve);
  net_.settle();
  EXPECT_FALSE(delivered());
  acknowledge(bob);
  net_.settle();
  EXPECT_TRUE(delivered());
}

// --- discover-features 2.0

TEST(FeaturePatterns, MatchWithStarsAnywhere) {
  const std::pair<std::string, std::string> matching[] = {
      {"https://didcomm.org/tictactoe/1.0", "https://didcomm.org/tictactoe/1.*"},
      {"org.didcomm.sell", "org.didcomm.*"},
      {"anything", "*"},
      {"", "*"},
      {"abcabc", "*abc"},
      {"abXcd", "a*c*d"},
      {"abc", "abc***"},
  };
  for (const auto& [text, pattern] : matching) {
    EXPECT_TRUE(protocol::matches_pattern(text, pattern)) << text << " " << pattern;
  }
  const std::pair<std::string, std::string> others[] = {
      {"https://didcomm.org/tictactoe/2.0", "https://didcomm.org/tictactoe/1.*"},
      {"abc", "ab"},
      {"ab", "abc"},
      {"abc", ""},
      {"abcabd", "*abc"},
      {"a.b", "a?b"},
  };
  for (const auto& [text, pattern] : others) {
    EXPECT_FALSE(protocol::matches_pattern(text, pattern)) << text << " " << pattern;
  }
  // Many stars cost no more than text times pattern.
  std::string stars;
  for (int i = 0; i < 100; ++i) stars += "a*";
  EXPECT_FALSE(protocol::matches_pattern(std::string(5000, 'a'), stars + "b"));
}

TEST_F(SmallProtocols, TellContactsWhatTheyCanDo) {
  AgentBox& alice = direct("alice");
  AgentBox& bob = direct("bob");
  connect(alice, bob);
  const JsonArray pings = ask(bob, "protocol", "https://didcomm.org/trust-ping/2.*");
  ASSERT_EQ(pings.size(), 1U);
  EXPECT_EQ(pings[0].at("id"), "https://didcomm.org/trust-ping/2.0");
  EXPECT_EQ(pings[0].at("feature-type"), "protocol");
  EXPECT_EQ(pings[0].at("roles").as_array().size(), 2U);
  EXPECT_GT(ask(bob, "protocol", "*").size(), 5U);
  EXPECT_EQ(ask(bob, "header", "return_route").size(), 1U);
  EXPECT_EQ(ask(bob, "constraint", "max_receive_bytes").size(), 1U);
  EXPECT_EQ(ask(bob, "goal-code", "conn*").size(), 1U);
  EXPECT_TRUE(ask(bob, "gov-fw", "*").empty()) << "unknown types are ignored";

  must(alice.command("features-policy", {{"contacts", JsonArray{"https://didcomm.org/trust*"}}}));
  EXPECT_EQ(ask(bob, "protocol", "*").size(), 1U);
  must(alice.command("features-policy", {{"contacts", JsonArray{}}}));
  EXPECT_TRUE(ask(bob, "protocol", "*").empty());
}

TEST_F(SmallProtocols, VaryTheOrderOfFeatures) {
  AgentBox& alice = direct("alice");
  AgentBox& bob = direct("bob");
  connect(alice, bob);
  std::vector<std::string> orders;
  for (int i = 0; i < 6; ++i) orders.push_back(crypto::json_text(ask(bob, "protocol", "*")));
  EXPECT_GT(std::set<std::string>(orders.begin(), orders.end()).size(), 1U);
}

TEST_F(SmallProtocols, RefuseQueriesBeyondTheLimits) {
  AgentBox& alice = direct("alice");
  AgentBox& bob = direct("bob");
  connect(alice, bob);
  const auto send_queries = [&](JsonArray queries) {
    bob.edit([&](Host& host) {
      const Contact contact = protocol::list_contacts(host).front();
      Message message = protocol::new_message(protocol::kFeatureQueries, host.random(),
                                              protocol::epoch_seconds(host.now()));
      message.from = *Did::parse(contact.my_did);
      message.to = {*Did::parse(contact.their_did)};
      message.body = {{"queries", std::move(queries)}};
      return protocol::send(host, std::move(message), {}).has_value();
    });
    net_.run_for(1min);
    return alice.audited("message.refused").size();
  };
  JsonArray many;
  for (std::size_t i = 0; i <= limits::kFeatureQueriesMax; ++i) {
    many.push_back(JsonObject{{"feature-type", "protocol"}, {"match", "*"}});
  }
  EXPECT_EQ(send_queries(many), 1U);
  EXPECT_EQ(
      send_queries({JsonObject{{"feature-type", "protocol"},
                               {"match", std::string(limits::kFeaturePatternCharsMax + 1, '*')}}}),
      2U);
  EXPECT_EQ(send_queries({JsonObject{{"feature-type", "protocol"}}}), 3U);
  EXPECT_EQ(send_queries({}), 3U);
}

// --- Short addresses (out-of-band 2.0, shorten-url 1.0)

TEST_F(SmallProtocols, KeepShortAddressesForClients) {
  AgentBox& alice = client("alice");
  const std::string url = text_of(must(alice.command("invite", {{"life_s", 300}})), "url");
  const JsonObject asked = must(alice.command("shorten", {{"url", url}}));
  net_.run_for(1min);
  const JsonObject done = must(alice.command("shorten-status", {{"id", text_of(asked, "id")}}));
  ASSERT_EQ(done.at("state"), "done");
  const std::string short_url = text_of(done, "url");
  ASSERT_TRUE(short_url.starts_with(kRelay + "invitation?_oobid=")) << short_url;
  EXPECT_LT(short_url.size(), 100U);

  const std::string id = short_url.substr(short_url.find('=') + 1);
  const JsonObject found = must(relay().command("short-url-get", {{"id", id}}));
  EXPECT_EQ(found.at("url"), Json(url));
  EXPECT_EQ(found.at("invitation").at("type"), "https://didcomm.org/out-of-band/2.0/invitation");
  EXPECT_EQ(relay().command("short-url-get", {{"id", "../x"}}).error().code, Errc::not_found);
  net_.run_for(5min);
  EXPECT_EQ(relay().command("short-url-get", {{"id", id}}).error().code, Errc::not_found)
      << "it ends with the invitation";
}

TEST_F(SmallProtocols, ShortenNothingThatLeadsElsewhere) {
  AgentBox& alice = client("alice");
  const std::string url = text_of(must(alice.command("invite")), "url");
  const std::string elsewhere = "https://evil.test/" + url.substr(url.find('?'));
  const JsonObject asked = must(alice.command("shorten", {{"url", elsewhere}}));
  net_.run_for(1min);
  EXPECT_EQ(must(alice.command("shorten-status", {{"id", text_of(asked, "id")}})).at("state"),
            "failed");
  EXPECT_EQ(alice.command("shorten", {{"url", "https://relay.test/"}}).error().code, Errc::bad_url);
  AgentBox& lone = direct("lone");
  EXPECT_EQ(lone.command("shorten", {{"url", url}}).error().code, Errc::wrong_state);
}

TEST_F(SmallProtocols, KeepFewShortAddressesForOneClient) {
  AgentBox& alice = client("alice");
  const std::string url = text_of(must(alice.command("invite")), "url");
  std::string last;
  for (std::size_t i = 0; i <= limits::kShortUrlsPerClientMax; ++i) {
    last = text_of(must(alice.command("shorten", {{"url", url}})), "id");
    net_.run_for(5s);
  }
  const auto kept = relay().look([](Host& host) { return host.list("short-url").size(); });
  EXPECT_EQ(kept, limits::kShortUrlsPerClientMax);
  EXPECT_EQ(must(alice.command("shorten-status", {{"id", last}})).at("state"), "failed");
}

TEST_F(SmallProtocols, FollowShortAddresses) {
  AgentBox& alice = client("alice");
  AgentBox& bob = client("bob");
  const std::string url = text_of(must(alice.command("invite")), "url");
  const std::string place = "https://host.test/i";
  std::map<std::string, FetchedPage> web = {
      {place + "?_oobid=redirect", {302, url, "", {}}},
      {place + "?_oobid=twice", {307, place + "?_oobid=redirect", "", {}}},
      {place + "?_oobid=loop", {302, place + "?_oobid=loop", "", {}}},
      {place + "?_oobid=away", {302, "https://host.test/page", "", {}}},
      {place + "?_oobid=gone", {404, "", "", {}}},
  };
  const auto invitation = protocol::parse_invitation_url(url)->invitation;
  web[place + "?_oobid=json"] = {
      200, "", "application/json",
      crypto::to_bytes(crypto::json_text(protocol::to_json(protocol::to_message(*invitation))))};
  net_.perform = [&](AgentBox&, const protocol::Effect& effect) {
    const auto payload = protocol::decode_record<FetchPayload>(effect.payload);
    EXPECT_NE(payload->accept, "");
    protocol::EffectResult result;
    result.id = effect.id;
    result.outcome = protocol::encode_record(web.at(payload->url));
    return std::optional(result);
  };
  const auto follow = [&](const std::string& id) {
    const JsonObject asked = must(bob.command("unshorten", {{"url", place + "?_oobid=" + id}}));
    net_.run_for(1min);
    return must(bob.command("unshorten-status", {{"id", text_of(asked, "id")}}));
  };
  EXPECT_EQ(follow("redirect").at("url"), Json(url));
  EXPECT_EQ(follow("twice").at("url"), Json(url));
  const auto read = protocol::parse_invitation_url(text_of(follow("json"), "url"));
  ASSERT_TRUE(read.has_value());
  EXPECT_EQ(read->invitation->id, invitation->id);
  for (const char* id : {"loop", "away", "gone"}) EXPECT_EQ(follow(id).at("state"), "failed") << id;
  EXPECT_EQ(bob.command("unshorten", {{"url", "https://host.test/"}}).error().code, Errc::bad_url);
  must(bob.command("accept", {{"url", text_of(follow("redirect"), "url")}}));
}

// --- What waits at the mediator

TEST_F(SmallProtocols, SayWhatWaitsAtTheMediator) {
  AgentBox& alice = client("alice");
  EXPECT_EQ(must(alice.command("mailbox")).at("answered"), false);
  must(alice.command("mailbox-ask"));
  net_.run_for(10s);
  const JsonObject shown = must(alice.command("mailbox"));
  EXPECT_EQ(shown.at("answered"), true);
  EXPECT_EQ(shown.at("messages"), 0);
  EXPECT_EQ(shown.at("bytes"), 0);
  AgentBox& lone = direct("lone");
  EXPECT_EQ(lone.command("mailbox").error().code, Errc::wrong_state);
  EXPECT_EQ(lone.command("mailbox-ask").error().code, Errc::wrong_state);
}

// --- trace (DIDComm v2.1, "Message Tracing": refused unless the owner wants it)

TEST_F(SmallProtocols, SendNoTraceReports) {
  AgentBox& alice = direct("alice");
  AgentBox& bob = direct("bob");
  connect(alice, bob);
  std::size_t packets = 0;
  net_.on_arrival = [&](const test::Packet&) { ++packets; };
  net_.perform = [&](AgentBox&, const protocol::Effect& effect) {
    ADD_FAILURE() << "an effect of kind " << static_cast<int>(effect.kind);
    return std::optional<protocol::EffectResult>();
  };
  bob.edit([&](Host& host) {
    const Contact contact = protocol::list_contacts(host).front();
    Message message = protocol::new_message(protocol::kPingType, host.random(),
                                            protocol::epoch_seconds(host.now()));
    message.from = *Did::parse(contact.my_did);
    message.to = {*Did::parse(contact.their_did)};
    message.body = {{"response_requested", false}};
    message.others["trace"] = "https://tracer.test/";
    return protocol::send(host, std::move(message), {}).has_value();
  });
  net_.run_for(1min);
  EXPECT_EQ(packets, 1U) << "the ping alone";
  EXPECT_TRUE(alice.audited("message.refused").empty()) << "the header is ignored, not refused";
}

// --- Names that look alike

TEST_F(SmallProtocols, WarnWhenANewContactLooksLikeAnother) {
  AgentBox& alice = direct("alice");
  AgentBox& bob = direct("bob");
  AgentBox& eve = direct("eve");
  connect(alice, bob);
  const JsonObject made = must(eve.command("invite"));
  const JsonObject accepted =
      must(alice.command("accept", {{"url", text_of(made, "url")}, {"name", "B0b"}}));
  EXPECT_TRUE(accepted.contains("warning"));
  net_.run_for(1min);
  EXPECT_EQ(alice.notices("look-alike").size(), 1U);
  const JsonObject renamed =
      must(alice.command("contact-rename", {{"contact", "B0b"}, {"name", "Eve"}}));
  EXPECT_FALSE(renamed.contains("warning"));
  EXPECT_TRUE(must(alice.command("contact-rename", {{"contact", "Eve"}, {"name", "BOB"}}))
                  .contains("warning"));
  const JsonObject listed = must(alice.command("contacts"));
  for (const Json& row : listed.at("contacts").as_array()) {
    EXPECT_TRUE(row.as_object().contains("looks_like"));
  }
}

}  // namespace
}  // namespace kith
