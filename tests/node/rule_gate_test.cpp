// Policy documents in force: commands, messages, timers and uses of keys of real agents.

#include "node/rule_gate.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "node/automation_module.hpp"
#include "node/automations.hpp"
#include "node/key_module.hpp"
#include "node/rules_module.hpp"
#include "node/runtime/rule_files.hpp"
#include "protocol/basic_message.hpp"
#include "protocol/trust_ping.hpp"
#include "protocol/unit_of_work.hpp"
#include "tests/recovery/two_devices.hpp"
#include "tests/support/error_code.hpp"
#include "tests/support/temp_directory.hpp"

namespace kith::node {
namespace {

using namespace std::chrono_literals;
using recovery::testing::text_or_empty;
using test::AgentBox;

test::MakeModules with_rules() {
  return [] {
    test::Modules all;
    all.push_back(std::make_unique<ledger::Connection>());
    all.push_back(std::make_unique<protocol::BasicMessage>());
    all.push_back(std::make_unique<KeyModule>());
    all.push_back(std::make_unique<AutomationModule>());
    std::vector<std::string> types;
    for (const auto& module : all) {
      for (const std::string& type : module->message_types()) types.push_back(type);
    }
    all.push_back(std::make_unique<RulesModule>(types));
    return all;
  };
}

/// A document as its owner writes it.
JsonObject toml(const std::string& file, const std::string& text) {
  auto parsed = parse_rule_file(text, file);
  EXPECT_TRUE(parsed.has_value()) << parsed.error().detail;
  return parsed.has_value() ? std::move(*parsed) : JsonObject();
}

JsonObject domain(const std::string& rules) {
  return toml("house.toml", "level = \"domain\"\nname = \"house\"\n" + rules);
}

std::string rule_text(const std::string& operation, const std::string& effect) {
  return "[[rule]]\noperations = [\"" + operation + "\"]\neffect = \"" + effect + "\"\n";
}

/// Alice knows Bob and Carol.
struct Three {
  test::Network net{17};
  AgentBox& alice = net.add("alice", with_rules());
  AgentBox& bob = net.add("bob", with_rules());
  AgentBox& carol = net.add("carol", with_rules());

  void connect() {
    for (AgentBox* other : {&bob, &carol}) {
      const auto made = alice.command("invite", {{"name", other->name()}});
      ASSERT_TRUE(made.has_value()) << made.error().detail;
      ASSERT_TRUE(other->command("accept", {{"url", text_or_empty(*made, "url")}}).has_value());
      net.run_for(5min);
    }
    for (const Contact& contact :
         alice.look([](Host& host) { return protocol::list_contacts(host); })) {
      ASSERT_EQ(contact.state, ContactState::connected) << contact.name;
    }
  }
  Result<JsonObject> load_rules(JsonArray documents) {
    return alice.command("policy-load", {{"documents", std::move(documents)}});
  }
  Result<JsonObject> say(const std::string& to) {
    return alice.command("send", {{"contact", to}, {"text", "hello"}});
  }
  std::string explained(const char* operation, const char* contact = nullptr) {
    JsonObject args{{"operation", operation}};
    if (contact != nullptr) args["contact"] = contact;
    const auto reply = alice.command("policy-explain", args);
    return reply.has_value() ? text_or_empty(*reply, "decision") : reply.error().detail;
  }
};

TEST(RuleGate, RefusesACommandNotesItAndStandsAfterARestart) {
  Three world;
  ASSERT_NO_FATAL_FAILURE(world.connect());
  ASSERT_TRUE(world.say("bob").has_value());
  ASSERT_TRUE(world.load_rules({domain(rule_text("send", "forbid"))}).has_value());
  for (int life = 0; life < 2; ++life) {
    const auto refused = world.say("bob");
    ASSERT_EQ(test::code_of(refused), Errc::refused);
    EXPECT_NE(refused.error().detail.find("house (domain), house.toml line 3"), std::string::npos)
        << refused.error().detail;
    EXPECT_EQ(world.explained("send"), "forbid");
    world.alice.restart();
  }
  std::size_t noted = 0;
  for (const auto& entry : world.alice.all<protocol::AuditEntry>("audit")) {
    if (entry.event != "policy.command-refused") continue;
    ++noted;
    EXPECT_EQ(entry.details.at("command"), Json("send"));
  }
  EXPECT_EQ(noted, 2U);
  ASSERT_TRUE(world.load_rules({}).has_value());
  EXPECT_TRUE(world.say("bob").has_value());
}

TEST(RuleGate, AConnectionMayBeLooserThanTheDomain) {
  Three world;
  ASSERT_NO_FATAL_FAILURE(world.connect());
  const JsonObject to_bob =
      toml("bob.toml", "level = \"connection\"\nname = \"to bob\"\ncontact = \"bob\"\n" +
                           rule_text("send", "allow"));
  ASSERT_TRUE(world.load_rules({domain(rule_text("send", "forbid")), to_bob}).has_value());
  EXPECT_TRUE(world.say("bob").has_value());
  EXPECT_EQ(test::code_of(world.say("carol")), Errc::refused);
  EXPECT_EQ(world.explained("send", "bob"), "allow");
  EXPECT_EQ(world.explained("send", "carol"), "forbid");
  // A contact stays who it is when its name changes, and nobody gets rights by a name.
  ASSERT_TRUE(world.alice.command("contact-rename", {{"contact", "bob"}, {"name", "rob"}}));
  ASSERT_TRUE(world.alice.command("contact-rename", {{"contact", "carol"}, {"name", "bob"}}));
  EXPECT_TRUE(world.say("rob").has_value());
  EXPECT_EQ(test::code_of(world.say("bob")), Errc::refused);
}

TEST(RuleGate, AsksForThePassphrase) {
  Three world;
  ASSERT_NO_FATAL_FAILURE(world.connect());
  ASSERT_TRUE(world.load_rules({domain(rule_text("profile-set", "passphrase"))}).has_value());
  const JsonObject name{{"name", "Al"}};
  const JsonObject text{{"contact", "bob"}, {"text", "hello"}};
  ASSERT_TRUE(world.load_rules({domain(rule_text("send", "passphrase"))}).has_value());
  EXPECT_EQ(test::code_of(world.alice.command("send", text)), Errc::step_up_required);
  EXPECT_TRUE(world.alice.command("send", text, true).has_value());
}

TEST(RuleGate, RefusesAMessageOfOneContactAlone) {
  Three world;
  ASSERT_NO_FATAL_FAILURE(world.connect());
  const JsonObject from_bob =
      toml("bob.toml", "level = \"connection\"\nname = \"b\"\ncontact = \"bob\"\n" +
                           rule_text("basicmessage/2.0/message", "forbid"));
  const auto loaded = world.load_rules({from_bob});
  ASSERT_TRUE(loaded.has_value()) << loaded.error().detail;
  const auto contact_of = [](AgentBox& box) {
    return box.look([](Host& host) { return protocol::list_contacts(host).at(0).id; });
  };
  for (AgentBox* from : {&world.bob, &world.carol}) {
    ASSERT_TRUE(from->command("send", {{"contact", contact_of(*from)}, {"text", "hi"}}));
    world.net.run_for(2min);
  }
  EXPECT_EQ(world.alice.notices("message").size(), 1U);
}

TEST(RuleGate, PutsATimerOffAndLetsItRunLater) {
  Three world;
  const auto looked = [&] {
    return world.alice.look([](Host& host) { return key_review(host).has_value(); });
  };
  ASSERT_TRUE(world.load_rules({domain(rule_text("keys|look", "forbid"))}).has_value());
  world.net.run_for(72h);
  EXPECT_FALSE(looked());
  ASSERT_TRUE(world.load_rules({}).has_value());
  world.net.run_for(2h);
  EXPECT_TRUE(looked());
}

TEST(RuleGate, ABadLoadChangesNothing) {
  Three world;
  ASSERT_NO_FATAL_FAILURE(world.connect());
  ASSERT_TRUE(world.load_rules({domain(rule_text("send", "forbid"))}).has_value());
  const auto stands = [&] { return test::code_of(world.say("bob")) == Errc::refused; };
  for (const char* word : {"sendd", "keys|lok", "identity|watch", "basicmessage/2.0/massage",
                           "recovery-veto", "policy-load", "use:sing"}) {
    EXPECT_EQ(test::code_of(world.load_rules({domain(rule_text(word, "forbid"))})), Errc::usage)
        << word;
    EXPECT_TRUE(stands()) << word;
  }
  const auto to = [](const char* who) {
    return toml("c.toml", "level = \"connection\"\nname = \"c\"\ncontact = \"" + std::string(who) +
                              "\"\n" + rule_text("send", "allow"));
  };
  EXPECT_EQ(test::code_of(world.load_rules({to("nobody")})), Errc::usage);
  EXPECT_EQ(test::code_of(world.load_rules({toml("k.toml",
                                                 "level = \"key\"\nname = \"k\"\nkeys = "
                                                 "[\"log-activ\"]\n")})),
            Errc::usage);
  EXPECT_TRUE(stands());
  // The owner is told of what lies on the disk, once for each reason.
  for (const char* why : {"x.toml, line 3: no", "x.toml, line 3: no", "x.toml, line 4: no"}) {
    ASSERT_TRUE(world.alice.command("policy-load-failed", {{"why", why}}).has_value());
  }
  EXPECT_EQ(world.alice.notices("policy").size(), 2U);
}

TEST(RuleGate, EveryLoadLeavesDigestsInTheAuditLog) {
  Three world;
  const JsonArray documents{domain(rule_text("send", "forbid"))};
  EXPECT_TRUE(world.load_rules(documents)->at("changed").as_bool());
  EXPECT_FALSE(world.load_rules(documents)->at("changed").as_bool());
  EXPECT_TRUE(world.load_rules({})->at("changed").as_bool());
  std::vector<std::size_t> sizes;
  for (const auto& entry : world.alice.all<protocol::AuditEntry>("audit")) {
    if (entry.event == "policy.loaded") {
      sizes.push_back(entry.details.at("documents").as_array().size());
    }
  }
  EXPECT_EQ(sizes, (std::vector<std::size_t>{1, 0}));
}

TEST(RuleGate, DocumentsThatCannotBeReadAnyMoreStopWhatTheyCould) {
  Three world;
  ASSERT_NO_FATAL_FAILURE(world.connect());
  ASSERT_TRUE(world.load_rules({domain(rule_text("send", "allow"))}).has_value());
  ASSERT_TRUE(world.say("bob").has_value());
  world.alice.edit([](Host& host) {
    auto stored = *rule_documents(host);
    stored.text = "[{\"level\":\"from another version\"}]";
    save(host, "meta", kRuleDocuments, stored);
    return true;
  });
  EXPECT_EQ(test::code_of(world.say("bob")), Errc::refused);
  EXPECT_TRUE(world.alice.command("contacts").has_value());
  ASSERT_TRUE(world.load_rules({}).has_value());
  EXPECT_TRUE(world.say("bob").has_value());
}

TEST(RuleGate, AnUseOfAKeyIsForbiddenWhereItIsUsed) {
  Three world;
  ASSERT_NO_FATAL_FAILURE(world.connect());
  const std::string keys = "level = \"key\"\nname = \"k\"\nkeys = [\"agree\"]\n";
  ASSERT_TRUE(
      world.load_rules({toml("k.toml", keys + rule_text("use:wrap_cek", "forbid"))}).has_value());
  const auto sent = world.say("bob");
  ASSERT_EQ(test::code_of(sent), Errc::refused);
  EXPECT_FALSE(world.alice.audited("key.refused").empty());
  ASSERT_TRUE(
      world.load_rules({toml("k.toml", keys + rule_text("use:partial", "forbid"))}).has_value());
  EXPECT_TRUE(world.say("bob").has_value());
}

TEST(Automation, OffOutlivesARestartAndOnRunsAtOnce) {
  Three world;
  const auto looked = [&] {
    return world.alice.look([](Host& host) { return key_review(host).has_value(); });
  };
  const auto off = world.alice.command("auto-disable", {{"name", "keys|look"}, {"reason", "why"}});
  ASSERT_TRUE(off.has_value()) << off.error().detail;
  EXPECT_TRUE(off->contains("off_since"));
  EXPECT_TRUE(off->contains("risk"));
  EXPECT_EQ(test::code_of(world.alice.command("auto-disable", {{"name", "keys|look"}})),
            Errc::wrong_state);
  world.alice.restart();
  world.net.run_for(72h);
  EXPECT_FALSE(looked());
  const auto on = world.alice.command("auto-enable", {{"name", "keys|look"}});
  ASSERT_TRUE(on.has_value());
  EXPECT_FALSE(on->contains("off_since"));
  world.net.run_for(1min);
  EXPECT_TRUE(looked());
  EXPECT_EQ(test::code_of(world.alice.command("auto-enable", {{"name", "keys|look"}})),
            Errc::wrong_state);
  for (const char* event : {"automation.off", "automation.on"}) {
    std::size_t count = 0;
    for (const auto& entry : world.alice.all<protocol::AuditEntry>("audit")) {
      if (entry.event == event) ++count;
    }
    EXPECT_EQ(count, 1U) << event;
  }
}

TEST(Automation, WhatProtectsStaysOn) {
  Three world;
  std::size_t kept = 0;
  for (const Automation& row : automations()) {
    const auto reply = world.alice.command("auto-disable", {{"name", std::string(row.name)}});
    if (row.off == Automation::Off::never) {
      EXPECT_EQ(test::code_of(reply), Errc::refused) << row.name;
      ++kept;
    } else {
      EXPECT_TRUE(reply.has_value()) << row.name;
    }
    EXPECT_EQ(row.off == Automation::Off::at_a_risk, !row.risk.empty()) << row.name;
  }
  EXPECT_GT(kept, 5U);
  EXPECT_EQ(test::code_of(world.alice.command("auto-disable", {{"name", "watch"}})),
            Errc::not_found);
  // Nor by a record that nobody could have made.
  world.alice.edit([](Host& host) {
    save(host, kAutomationsOff, "identity|watch", AutomationOff{});
    return true;
  });
  EXPECT_FALSE(
      world.alice.look([](Host& host) { return is_turned_off(host, "identity", "watch"); }));
}

TEST(Automation, EveryTimerOfALifeHasARow) {
  recovery::testing::TwoDevices world;
  world.add_device();
  std::size_t seen = 0;
  for (AgentBox* box : {&world.phone, &world.bob, world.laptop}) {
    for (const std::string& id : box->look([](Host& host) { return host.list("timer"); })) {
      const std::size_t bar = id.find('|');
      EXPECT_NE(automation_of(id.substr(0, bar), id.substr(bar + 1)), nullptr) << id;
      ++seen;
    }
  }
  EXPECT_GT(seen, 10U);
}

TEST(RuleFiles, WhatIsNotKnownIsRefusedWithItsLine) {
  const auto why = [](const std::string& text) {
    const auto parsed = parse_rule_file(text, "x.toml");
    return parsed.has_value() ? std::string() : parsed.error().detail;
  };
  const std::string head = "level = \"domain\"\nname = \"x\"\n";
  EXPECT_EQ(why(head), "");
  EXPECT_EQ(why(head + "colour = 1\n"), "x.toml, line 3: there is no `colour` here");
  EXPECT_EQ(why("level = \"domain\"\n"), "x.toml, line 1: `name` is missing");
  EXPECT_EQ(why(head + "frameworks = \"a\"\n"), "x.toml, line 3: `frameworks` is a list of texts");
  EXPECT_EQ(why(head + "[rule]\n"), "x.toml, line 3: a rule begins with [[rule]], in two brackets");
  EXPECT_EQ(why(head + "[[rule]]\nfinal = 1\n"), "x.toml, line 4: `final` is true or false");
  EXPECT_EQ(why(head + "[[rule]]\nopertions = []\n"),
            "x.toml, line 4: there is no `opertions` here");
  EXPECT_NE(why(head + "oops").find("x.toml, line 3"), std::string::npos);
  const auto parsed = parse_rule_file(head + "\n" + rule_text("send", "forbid"), "x.toml");
  ASSERT_TRUE(parsed.has_value());
  EXPECT_EQ(parsed->at("rules").as_array().at(0).as_object().at("line"), Json(4));
}

TEST(RuleFiles, AHomeIsReadInOrderAndForeignFilesAreRefused) {
  const test::TempDirectory home;
  const std::string directory = home.path() + "/policy";
  EXPECT_TRUE(read_rule_files(home.path())->at("documents").as_array().empty());
  ASSERT_EQ(::mkdir(directory.c_str(), 0700), 0);
  const auto write = [&](const std::string& name, const std::string& text) {
    std::ofstream(directory + "/" + name) << text;
  };
  write("20-b.toml", "level = \"domain\"\nname = \"b\"\n");
  write("10-a.toml", "level = \"domain\"\nname = \"a\"\n");
  write("notes.txt", "not read");
  write(".10-a.toml.swp", "not read");
  const auto all = read_rule_files(home.path());
  ASSERT_TRUE(all.has_value()) << all.error().detail;
  ASSERT_EQ(all->at("documents").as_array().size(), 2U);
  EXPECT_EQ(all->at("documents").as_array().at(0).as_object().at("name"), Json("a"));
  ASSERT_EQ(::chmod((directory + "/10-a.toml").c_str(), 0666), 0);
  EXPECT_EQ(test::code_of(read_rule_files(home.path())), Errc::refused);
  ASSERT_EQ(::chmod((directory + "/10-a.toml").c_str(), 0600), 0);
  ASSERT_EQ(::symlink("/etc/hostname", (directory + "/30-c.toml").c_str()), 0);
  EXPECT_FALSE(read_rule_files(home.path()).has_value());
  ASSERT_EQ(::unlink((directory + "/30-c.toml").c_str()), 0);
  write("30-c.toml", std::string(65 * 1024, '#'));
  EXPECT_EQ(test::code_of(read_rule_files(home.path())), Errc::limit_exceeded);
  ASSERT_EQ(::unlink((directory + "/30-c.toml").c_str()), 0);
  ASSERT_EQ(::chmod(directory.c_str(), 0777), 0);
  EXPECT_EQ(test::code_of(read_rule_files(home.path())), Errc::refused);
  ASSERT_EQ(::chmod(directory.c_str(), 0700), 0);
}

}  // namespace
}  // namespace kith::node
