#include "node/incidents.hpp"

#include <gtest/gtest.h>

#include <fstream>
#include <sstream>

#include "ledger/connection.hpp"
#include "node/freezer.hpp"
#include "node/playbooks.hpp"
#include "node/watch_limits.hpp"
#include "protocol/messenger.hpp"
#include "recovery/messages.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/error_code.hpp"

namespace kith::node {
namespace {

using namespace std::chrono_literals;
using test::AgentBox;

std::string text_in(const JsonObject& object, std::string_view member) {
  return crypto::json_text_of(object, member);
}

/// Olga and her friends Tina and Theo.
struct Friends {
  test::Network net;
  AgentBox& olga = net.add("olga", test::modules<ledger::Connection, Incidents, Freezer>());
  AgentBox& tina = net.add("tina", test::modules<ledger::Connection, Incidents>());
  AgentBox& theo = net.add("theo", test::modules<ledger::Connection, Incidents>());

  Friends() {
    for (AgentBox* box : {&tina, &theo}) {
      const auto invited = olga.command("invite", {{"name", box->name()}});
      const auto accepted =
          box->command("accept", {{"url", text_in(*invited, "url")}, {"name", "Olga"}});
      EXPECT_TRUE(accepted.has_value());
      net.run_for(10s);
    }
  }
  Contact contact(AgentBox& of, std::string_view name) {
    return of.look([&](Host& host) { return protocol::contact_named(host, name).value(); });
  }
  /// What the list of contacts says of Olga.
  std::string flag_at(AgentBox& box) {
    const JsonObject reply = *box.command("contacts");
    for (const Json& row : reply.at("contacts").as_array()) {
      if (text_in(row.as_object(), "name") == "Olga") return text_in(row.as_object(), "incident");
    }
    return {};
  }
  JsonObject open(const JsonObject& args) {
    const auto opened = olga.command("incident-open", args);
    EXPECT_TRUE(opened.has_value()) << opened.error().detail;
    net.settle();
    return *opened;
  }
  /// A notice that a program of Olga's made up.
  void send(const IncidentNotice& notice) {
    const Contact to = contact(olga, "tina");
    olga.edit([&](Host& host) {
      Message message = protocol::new_message(recovery::type_uri("incident", kIncidentNotice),
                                              host.random(), protocol::epoch_seconds(host.now()));
      message.from = Did::parse(to.my_did).value();
      message.to = {Did::parse(to.their_did).value()};
      message.body = protocol::encode_body(notice);
      return protocol::send(host, std::move(message), {}).has_value();
    });
    net.settle();
  }
  /// Signed by Olga's key for Tina, as it should be.
  IncidentNotice signed_notice(IncidentNotice notice) {
    const Contact to = contact(olga, "tina");
    return olga.look([&](Host& host) {
      protocol::KnownDids known(host);
      protocol::OwnSecrets secrets(host);
      const auto document = known.resolve(Did::parse(to.my_did).value()).value();
      const NamedKey key = document.authentication_keys().front();
      notice.key = crypto::multikey(key.key);
      notice.signature =
          host.keys()
              .sign(*secrets.find(key.kid), incident_statement(notice, to.my_did, to.their_did))
              .value();
      return notice;
    });
  }
};

IncidentNotice stolen() {
  return {Bytes(16, 7), "stolen-device", "open", "2026-11-23", {}, {}};
}

TEST(Incidents, TellEverybodyAndMarkTheContactUntilItIsOver) {
  Friends world;
  const JsonObject opened =
      world.open({{"kind", "stolen-device"}, {"tell", "everyone"}, {"note", "on the train"}});
  EXPECT_EQ(opened.at("told").to_number<int>(), 2);
  EXPECT_FALSE(opened.at("steps").as_array().empty());
  for (AgentBox* box : {&world.tina, &world.theo}) {
    EXPECT_EQ(world.flag_at(*box).substr(0, 19), "stolen-device since") << box->name();
    ASSERT_EQ(box->notices("incident").size(), 1U);
    EXPECT_EQ(box->notices("incident")[0].substr(0, 23), "Olga says that a device");
  }
  const std::string id = text_in(opened, "id");
  EXPECT_EQ(test::code_of(world.olga.command("incident-close", {{"id", id}})),
            Errc::step_up_required);
  ASSERT_TRUE(world.olga.command("incident-close", {{"id", id}}, true).has_value());
  world.net.settle();
  EXPECT_EQ(world.flag_at(world.tina), "");
  EXPECT_EQ(world.tina.notices("incident").size(), 2U);
  EXPECT_EQ(test::code_of(world.olga.command("incident-close", {{"id", id}}, true)),
            Errc::wrong_state);
}

TEST(Incidents, ToldToNobodyUnlessTheOwnerSaysSo) {
  Friends world;
  EXPECT_EQ(world.open({{"kind", "compromised-key"}}).at("told").to_number<int>(), 0);
  EXPECT_EQ(world.flag_at(world.tina), "");
  EXPECT_EQ(test::code_of(world.olga.command("incident-open", {{"kind", "x"}})), Errc::usage);
  EXPECT_EQ(
      test::code_of(world.olga.command("incident-open", {{"kind", "lost-device"}, {"tell", "x"}})),
      Errc::usage);
}

TEST(Incidents, WhatWasLostMayTurnOutToBeStolenAndNothingElse) {
  Friends world;
  const std::string lost =
      text_in(world.open({{"kind", "lost-device"}, {"tell", "everyone"}}), "id");
  const std::string ledger = text_in(world.open({{"kind", "compromised-ledger"}}), "id");
  const auto worse = world.olga.command("incident-worsen", {{"id", lost}});
  ASSERT_TRUE(worse.has_value());
  EXPECT_EQ(text_in(*worse, "kind"), "stolen-device");
  world.net.settle();
  EXPECT_EQ(world.flag_at(world.tina).substr(0, 13), "stolen-device");
  EXPECT_EQ(world.tina.notices("incident").size(), 2U);
  EXPECT_EQ(test::code_of(world.olga.command("incident-worsen", {{"id", lost}})),
            Errc::wrong_state);
  EXPECT_EQ(test::code_of(world.olga.command("incident-worsen", {{"id", ledger}})),
            Errc::wrong_state);
  ASSERT_TRUE(world.olga.command("incident-close", {{"id", ledger}}, true).has_value());
  EXPECT_EQ(test::code_of(world.olga.command("incident-worsen", {{"id", ledger}})),
            Errc::wrong_state);
  EXPECT_EQ(test::code_of(world.olga.command("incident-show", {{"id", "9"}})), Errc::not_found);
}

TEST(Incidents, GoOnWhileFrozen) {
  Friends world;
  ASSERT_TRUE(world.olga.command("freeze").has_value());
  world.open({{"kind", "stolen-device"}, {"tell", "everyone"}});
  EXPECT_NE(world.flag_at(world.tina), "");
}

TEST(Incidents, ANoticeCountsOnlyWithTheContactsOwnSignature) {
  Friends world;
  world.send(stolen());  // None.
  EXPECT_EQ(world.flag_at(world.tina), "");
  IncidentNotice altered = world.signed_notice(stolen());
  altered.day = "2020-01-01";
  world.send(altered);
  EXPECT_EQ(world.flag_at(world.tina), "");
  IncidentNotice of_another = stolen();
  const bool made = world.olga.edit([&](Host& host) {
    const Contact to = protocol::contact_named(host, "tina").value();
    const auto pair = host.keys().generate(KeyType::ed25519, KeyPurpose::agent).value();
    of_another.key = crypto::multikey(pair.public_key);
    of_another.signature =
        host.keys()
            .sign(pair.sealed, incident_statement(of_another, to.my_did, to.their_did))
            .value();
    return true;
  });
  ASSERT_TRUE(made);
  world.send(of_another);
  EXPECT_EQ(world.flag_at(world.tina), "");
  world.send(world.signed_notice(stolen()));
  EXPECT_NE(world.flag_at(world.tina), "");
}

TEST(Incidents, OnlyTheSameNoticeTakesAMarkAway) {
  Friends world;
  world.send(world.signed_notice(stolen()));
  IncidentNotice closed = stolen();
  closed.state = "closed";
  closed.id = Bytes(16, 8);
  world.send(world.signed_notice(closed));
  EXPECT_NE(world.flag_at(world.tina), "");
  closed.id = stolen().id;
  world.send(world.signed_notice(closed));
  EXPECT_EQ(world.flag_at(world.tina), "");
}

TEST(Incidents, NoticesOfTwoReceiversShareNoValueButTheDay) {
  Friends world;
  world.open({{"kind", "lost-device"}, {"tell", "everyone"}});
  const auto told = world.olga.all<Incident>("incident").at(0).told;
  ASSERT_EQ(told.size(), 2U);
  EXPECT_NE(told[0].notice, told[1].notice);
}

TEST(Incidents, WhatIsMalformedIsRefused) {
  Friends world;
  for (const auto& change : std::vector<std::function<void(IncidentNotice&)>>{
           [](IncidentNotice& n) { n.id.pop_back(); }, [](IncidentNotice& n) { n.day = "today"; },
           [](IncidentNotice& n) { n.state = "x"; }, [](IncidentNotice& n) { n.kind = "x"; }}) {
    IncidentNotice notice = stolen();
    change(notice);
    world.send(world.signed_notice(notice));
  }
  EXPECT_EQ(world.flag_at(world.tina), "");
  EXPECT_EQ(world.tina.audited("message.refused").size(), 4U);
}

TEST(Incidents, AreLimitedInNumber) {
  test::Network net;
  AgentBox& alice = net.add("alice", test::modules<Incidents>());
  alice.edit([](Host& host) {
    for (std::size_t i = 1; i <= watch_limits::kIncidentsMax; ++i) {
      Incident incident;
      incident.id = std::to_string(i);
      incident.kind = "lost-device";
      save(host, "incident", incident.id, incident);
    }
    return true;
  });
  EXPECT_EQ(test::code_of(alice.command("incident-open", {{"kind", "lost-device"}})),
            Errc::limit_exceeded);
}

// --- The page

std::string page() {
  std::ifstream file(std::string(KITH_SOURCE_DIR) + "/docs/incident-response.md");
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

/// The numbered items of a section, each on one line.
std::vector<std::string> items_of(const std::string& text, std::string_view section) {
  std::vector<std::string> items;
  std::istringstream lines(text);
  bool inside = false;
  bool item = false;
  for (std::string line; std::getline(lines, line);) {
    if (line.starts_with("## ")) inside = line == "## " + std::string(section);
    if (!inside) continue;
    if (line.size() > 3 && line[0] >= '1' && line[0] <= '9' && line.substr(1, 2) == ". ") {
      items.push_back(line.substr(3));
      item = true;
    } else if (item && line.starts_with("   ")) {
      items.back() += line.substr(2);
    } else {
      item = false;
    }
  }
  return items;
}

TEST(Playbooks, AreThoseOfThePageWordForWord) {
  const std::string text = page();
  ASSERT_FALSE(text.empty());
  for (const Playbook& playbook : playbooks()) {
    const std::vector<std::string> steps(playbook.steps.begin(), playbook.steps.end());
    EXPECT_EQ(items_of(text, playbook.section), steps) << playbook.kind;
    EXPECT_NE(text.find("`" + std::string(playbook.kind) + "`"), std::string::npos);
  }
}

TEST(Playbooks, EachKindIsThereOnceAndWhatIsWorseToo) {
  for (const Playbook& playbook : playbooks()) {
    EXPECT_EQ(playbook_of(playbook.kind), &playbook);
    EXPECT_TRUE(playbook.worse.empty() || playbook_of(playbook.worse) != nullptr);
  }
  EXPECT_EQ(playbook_of("fire"), nullptr);
}

}  // namespace
}  // namespace kith::node
