#include "recovery/own_agents.hpp"

#include <algorithm>

#include "ledger/document_agents.hpp"
#include "recovery/agent_limits.hpp"
#include "tests/recovery/two_devices.hpp"

namespace kith::recovery {
namespace {

using namespace testing;
using namespace std::chrono_literals;

test::MemoryStore::Crash crash_kind(std::size_t n) {
  return n % 2 == 0 ? test::MemoryStore::Crash::before_commit
                    : test::MemoryStore::Crash::after_commit;
}

TEST(OwnAgents, ASecondDeviceBelongsToTheIdentity) {
  TwoDevices two;
  two.add_device();
  EXPECT_EQ(two.agents_in_policy(two.phone), 2U);
  EXPECT_EQ(two.agents_in_policy(*two.laptop), 2U);
  EXPECT_EQ(two.agents_bob_knows(), 2U);
  // The same link secret and vault, each under its own passphrase.
  const auto here = two.phone.command("identity-check", {}, true);
  const auto there = two.laptop->command("identity-check", {}, true);
  ASSERT_TRUE(here.has_value() && there.has_value());
  EXPECT_EQ(text_or_empty(*here, "link_secret"), text_or_empty(*there, "link_secret"));
  EXPECT_FALSE(text_or_empty(*here, "link_secret").empty());
  EXPECT_TRUE(has_text(*two.laptop, "from before"));
  const auto documented = two.phone.look([](Host& host) {
    const auto own = *ledger::identity(host);
    return ledger::document_agents(ledger::stored_view(host, own.did)->current.state)->size();
  });
  EXPECT_EQ(documented, 2U);
  for (AgentBox* box : {&two.phone, two.laptop}) {
    EXPECT_EQ(box->audited("identity.foreign-entry").size(), 0U) << box->name();
  }
}

std::vector<std::string> device_names(AgentBox& box) {
  std::vector<std::string> names;
  const JsonObject reply = *box.command("agent-list");
  for (const Json& agent : reply.at("agents").get_array()) {
    names.push_back(text_or_empty(agent.get_object(), "name"));
  }
  std::ranges::sort(names);
  return names;
}

/// The policy is there before the other device has told how its devices are called.
TEST(OwnAgents, ANewDeviceTakesNobodyForAStranger) {
  TwoDevices two;
  two.begin();
  two.invite(two.phone);
  two.compare_codes(two.phone);
  two.phone.set_online(false);
  two.net.run_for(10min);
  EXPECT_EQ(two.laptop->notices("alarm").size(), 0U);
  two.phone.set_online(true);
  two.net.run_for(30min);
  const std::vector<std::string> both{"first device", "laptop"};
  EXPECT_EQ(device_names(two.phone), both);
  EXPECT_EQ(device_names(*two.laptop), both);
  EXPECT_EQ(two.laptop->notices("alarm").size(), 0U);
}

/// A device that found others in the policy, and knows no names, tells of them later than the one
/// that knows.
TEST(OwnAgents, AnUnknownNameNeverReplacesAKnownOne) {
  TwoDevices two;
  two.add_device();
  two.net.run_for(5min);
  two.laptop->edit([](Host& host) {
    for (OwnAgent agent : own_agents(host)) {
      agent.name = kUnknownDevice;
      agent.added = host.now();
      save(host, kOwnAgents, agent.key, agent);
    }
    return 0;
  });
  two.net.run_for(10min);
  const std::vector<std::string> both{"first device", "laptop"};
  EXPECT_EQ(device_names(two.phone), both);
  EXPECT_EQ(device_names(*two.laptop), both);
}

TEST(OwnAgents, BothDevicesTalkWithContacts) {
  TwoDevices two;
  two.add_device();
  say(*two.laptop, "bob", "from the laptop");
  say(two.phone, "bob", "from the phone");
  two.net.run_for(5min);
  EXPECT_TRUE(has_text(two.bob, "from the laptop"));
  EXPECT_TRUE(has_text(two.bob, "from the phone"));
  say(two.bob, "phone", "to both");
  two.net.run_for(5min);
  for (AgentBox* box : {&two.phone, two.laptop}) {
    EXPECT_EQ(texts(*box), (std::vector<std::string>{"from before", "from the laptop",
                                                     "from the phone", "to both"}))
        << box->name();
  }
}

TEST(OwnAgents, ContactsOfEitherDeviceBecomeThoseOfBoth) {
  TwoDevices two;
  two.add_device();
  AgentBox& carol = two.add_person("carol");
  two.connect(*two.laptop, carol);
  ASSERT_TRUE(two.net.run_until([&] { return two.connected(two.phone, "carol"); }));
  ASSERT_TRUE(two.net.run_until(
      [&] { return two.phone.command("agent-list")->at("waiting").as_int64() == 0; }));
  two.net.run_for(5min);
  say(two.phone, "carol", "from the phone");
  two.net.run_for(5min);
  EXPECT_TRUE(has_text(carol, "from the phone"));
  ASSERT_TRUE(two.phone.command("contact-rename", {{"contact", "carol"}, {"name", "Caro"}}));
  ASSERT_TRUE(two.net.run_until([&] { return two.connected(*two.laptop, "Caro"); }));
}

TEST(OwnAgents, ARevokedDeviceIsOutEverywhere) {
  TwoDevices two;
  two.add_device();
  AgentBox& phone = two.phone;
  phone.set_online(false);  // Lost.
  const auto revoked = two.laptop->command("agent-revoke", {{"agent", "first device"}}, true);
  ASSERT_TRUE(revoked.has_value()) << revoked.error().detail;
  EXPECT_EQ(revoked->at("relationships").as_int64(), 1);
  EXPECT_FALSE(revoked->contains("problems")) << crypto::json_text(*revoked);
  two.net.run_for(5min);
  EXPECT_EQ(two.agents_in_policy(*two.laptop), 1U);
  EXPECT_EQ(two.agents_bob_knows(), 1U);
  say(*two.laptop, "bob", "from the one that stays");
  say(two.bob, "phone", "for the one that stays");
  two.net.run_for(5min);
  EXPECT_TRUE(has_text(two.bob, "from the one that stays"));
  EXPECT_TRUE(has_text(*two.laptop, "for the one that stays"));
  phone.set_online(true);
  two.net.run_for(10min);
  EXPECT_FALSE(has_text(phone, "for the one that stays"));
  static_cast<void>(phone.command("send", {{"contact", "bob"}, {"text", "from the thief"}}));
  two.net.run_for(10min);
  EXPECT_FALSE(has_text(two.bob, "from the thief"));
  EXPECT_EQ(phone.audited("agent.left-out").size(), 1U);
}

TEST(OwnAgents, WrongCodesEndThePairing) {
  TwoDevices two;
  two.begin();
  two.invite(two.phone);
  for (int left = 2; left >= 0; --left) {
    const auto typed = two.phone.command("agent-code", {{"code", "000000"}}, true);
    ASSERT_TRUE(typed.has_value()) << typed.error().detail;
    EXPECT_FALSE(typed->at("code_ok").as_bool());
    EXPECT_EQ(typed->at("tries_left").to_number<int>(), left);
  }
  two.net.run_for(1min);
  EXPECT_EQ(pairing_state(two.phone), "failed");
  EXPECT_EQ(pairing_state(*two.laptop), "failed");
  EXPECT_EQ(two.agents_in_policy(two.phone), 1U);
  EXPECT_FALSE(two.phone.command("agent-code", {{"code", "000000"}}, true).has_value());
}

TEST(OwnAgents, TheVaultStaysShutWithoutTheRightCodeAndPassphrase) {
  TwoDevices two;
  two.begin();
  two.invite(two.phone);
  const JsonObject code{{"code", text_or_empty(pairing_of(*two.laptop), "code_to_read")}};
  EXPECT_EQ(two.phone.command("agent-code", code).error(), Errc::step_up_required);
  EXPECT_EQ(two.laptop->command("agent-code", {{"code", "123456"}}, true).error(),
            Errc::wrong_state);
  EXPECT_TRUE(text_or_empty(pairing_of(two.phone), "code_to_read").empty());
}

TEST(OwnAgents, AThirdDeviceIsAddedByTheSecondAndKnownToAll) {
  TwoDevices two;
  two.add_device();
  AgentBox& laptop = *two.laptop;
  AgentBox& tablet = two.add_proving("tablet", false);
  two.add(laptop, tablet);
  ASSERT_TRUE(two.net.run_until([&] { return two.settled(); }));
  two.net.run_for(10min);
  EXPECT_EQ(two.agents_in_policy(two.phone), 3U);
  EXPECT_EQ(two.agents_bob_knows(), 3U);
  // The phone did not add it: its owner is warned there.
  const auto alarms = two.phone.notices("alarm");
  EXPECT_TRUE(std::ranges::any_of(alarms, [](const std::string& text) {
    return text.find("\"tablet\"") != std::string::npos;
  }));
  EXPECT_EQ(two.phone.audited("identity.foreign-entry").size(), 0U);
  say(tablet, "bob", "from the tablet");
  two.net.run_for(10min);
  EXPECT_TRUE(has_text(two.bob, "from the tablet"));
  EXPECT_TRUE(has_text(two.phone, "from the tablet"));
  // Whoever takes it away again need not be the one that added it.
  ASSERT_TRUE(two.phone.command("agent-revoke", {{"agent", "tablet"}}, true).has_value());
  two.net.run_for(10min);
  EXPECT_EQ(two.agents_bob_knows(), 2U);
  EXPECT_EQ(tablet.audited("agent.left-out").size(), 1U);
  say(laptop, "bob", "still here");
  two.net.run_for(10min);
  EXPECT_TRUE(has_text(two.bob, "still here"));
  EXPECT_FALSE(has_text(tablet, "still here"));
}

TEST(OwnAgents, WhereTwoMustAgreeAThirdDeviceWaitsForTheSecond) {
  TwoDevices two;
  two.add_device();
  AgentBox& laptop = *two.laptop;
  JsonObject rules;
  for (const char* rule : {"admin", "grant"}) rules[rule] = "2";
  const auto ruled = two.phone.command("policy-propose", {{"rule", rules}}, true);
  ASSERT_TRUE(ruled.has_value()) << ruled.error().detail;
  two.net.run_for(10min);
  two.laptop = &two.add_proving("tablet", false);
  two.invite(two.phone);
  two.type_codes(two.phone);
  const auto open = [&] {
    const JsonObject reply = *laptop.command("policy-proposals");
    for (const Json& row : reply.at("proposals").get_array()) {
      if (text_or_empty(row.get_object(), "state") == "open") {
        return text_or_empty(row.get_object(), "id");
      }
    }
    return std::string();
  };
  ASSERT_TRUE(two.net.run_until([&] { return !open().empty(); }));
  EXPECT_EQ(pairing_state(two.phone), "waiting");
  const auto approved = laptop.command("policy-approve", {{"id", open()}}, true);
  ASSERT_TRUE(approved.has_value()) << approved.error().detail;
  ASSERT_TRUE(two.net.run_until([&] { return pairing_state(two.phone) == "done"; }))
      << crypto::json_text(pairing_of(two.phone));
  EXPECT_EQ(two.agents_in_policy(two.phone), 3U);
}

/// Every message that one of the two sends to the other is lost once, or comes twice.
TEST(OwnAgents, LostAndRepeatedMailChangesNothing) {
  for (std::uint64_t seed = 1; seed <= 3; ++seed) {
    TwoDevices two(seed);
    two.begin();
    crypto::SeededRandom dice(seed, "fate");
    two.net.fate = [&](const test::Packet&) {
      switch (dice.below(6)) {
        case 0:
          return test::Fate::fails;
        case 1:
          return test::Fate::twice;
        default:
          return test::Fate::arrives;
      }
    };
    two.invite(two.phone);
    two.compare_codes(two.phone);
    ASSERT_TRUE(two.net.run_until([&] { return two.settled(); })) << seed;
    say(*two.laptop, "bob", "through the storm");
    ASSERT_TRUE(two.net.run_until([&] { return has_text(two.bob, "through the storm"); })) << seed;
    two.net.run_for(10min);
    EXPECT_EQ(texts(two.phone), texts(*two.laptop)) << seed;
  }
}

/// The devices stop at each commit in turn and start again.
TEST(OwnAgents, ACrashAnywhereLosesNothing) {
  for (std::size_t at = 1; at <= 40; at += 5) {
    TwoDevices two(at);
    two.begin();
    two.phone.store().crash_at(at, crash_kind(at));
    two.laptop->store().crash_at(at + 1, crash_kind(at + 1));
    two.invite(two.phone);
    two.compare_codes(two.phone);
    ASSERT_TRUE(two.net.run_until([&] { return two.settled(); })) << at;
    two.net.run_for(5min);
    EXPECT_EQ(two.agents_bob_knows(), 2U) << at;
    EXPECT_EQ(two.agents_in_policy(*two.laptop), 2U) << at;
    EXPECT_EQ(texts(two.phone), texts(*two.laptop)) << at;
  }
}

TEST(OwnAgents, TheLaterChangeOfTheSameContactCounts) {
  TwoDevices two;
  two.add_device();
  two.laptop->set_online(false);
  ASSERT_TRUE(two.phone.command("contact-rename", {{"contact", "bob"}, {"name", "Bobby"}}));
  two.net.run_for(5min);
  two.phone.set_online(false);
  two.laptop->set_online(true);
  ASSERT_TRUE(two.laptop->command("contact-rename", {{"contact", "bob"}, {"name", "Robert"}}));
  two.net.run_for(5min);
  two.phone.set_online(true);
  two.net.run_for(5min);
  EXPECT_TRUE(two.connected(two.phone, "Robert"));
  EXPECT_TRUE(two.connected(*two.laptop, "Robert"));
}

TEST(OwnAgents, AnEndedContactStaysEnded) {
  TwoDevices two;
  two.add_device();
  two.phone.set_online(false);
  ASSERT_TRUE(two.laptop->command("contact-end", {{"contact", "bob"}}).has_value());
  two.laptop->set_online(false);
  two.phone.set_online(true);
  ASSERT_TRUE(two.phone.command("contact-rename", {{"contact", "bob"}, {"name", "Bobby"}}));
  two.laptop->set_online(true);
  two.net.run_for(10min);
  // The phone alone has the keys to tell Bob.
  for (AgentBox* box : {&two.phone, two.laptop, &two.bob}) {
    const auto state = box->look([](Host& host) {
      const auto all = protocol::list_contacts(host);
      return std::ranges::find(all, ContactRole::person, &Contact::role)->state;
    });
    EXPECT_EQ(state, ContactState::ended) << box->name();
  }
}

TEST(OwnAgents, TheNewDeviceChecksTheOtherCodeToo) {
  TwoDevices two;
  two.begin();
  two.invite(two.phone);
  ASSERT_TRUE(two.phone.command(
      "agent-code", {{"code", text_or_empty(pairing_of(*two.laptop), "code_to_read")}}, true));
  ASSERT_TRUE(
      two.net.run_until([&] { return !pairing_of(*two.laptop).at("needs").get_array().empty(); }));
  for (int tries = 0; tries < 3; ++tries) {
    const auto typed = two.laptop->command("agent-code", {{"code", "000000"}}, true);
    ASSERT_TRUE(typed.has_value()) << typed.error().detail;
    EXPECT_FALSE(typed->at("code_ok").as_bool());
  }
  two.net.run_for(5min);
  EXPECT_EQ(pairing_state(*two.laptop), "failed");
  EXPECT_FALSE(two.laptop->look([](Host& host) { return protocol::vault_lock(host).has_value(); }));
  EXPECT_EQ(two.agents_in_policy(two.phone), 1U);
}

TEST(OwnAgents, OfTwoDevicesOneKeepsAShare) {
  TwoDevices two;
  two.add_device();
  AgentBox& carol = two.add_person("carol");
  two.connect(two.bob, carol);
  two.make_identity(two.bob);
  two.set_up(two.bob, {&two.phone, &carol}, 2);
  two.net.run_for(1h);
  EXPECT_EQ(two.offers(*two.laptop).size(), 0U);
  EXPECT_TRUE(two.all_hold(two.bob)) << "the laptop's silence takes nothing away";
  EXPECT_EQ(two.laptop->look([](Host& host) { return host.list("trusteeship").size(); }), 0U);
}

bool has_others(AgentBox& box) {
  return box.look([](Host& host) { return protocol::has_other_devices(host); });
}

/// What quietens alarms where several devices answer for each other must not hold before they do.
TEST(OwnAgents, ADeviceCountsOnlyOnceItWasAdmitted) {
  TwoDevices two;
  two.begin();
  two.invite(two.phone);
  EXPECT_FALSE(has_others(two.phone));
  ASSERT_TRUE(two.phone.command("agent-cancel").has_value());
  two.net.run_for(5min);
  EXPECT_FALSE(has_others(two.phone));
  for (AgentBox* box : {&two.phone, two.laptop}) {
    const auto contact = box->look([&](Host& host) {
      const auto all = protocol::list_contacts(host);
      return *std::ranges::find(all, ContactRole::new_device, &Contact::role);
    });
    EXPECT_EQ(contact.state, ContactState::ended) << box->name();
  }
}

TEST(OwnAgents, AnIdentityHasEightDevicesAtMost) {
  TwoDevices two;
  two.add_device();
  const bool filled = two.phone.edit([](Host& host) {
    return ledger::update_policy(
               host,
               [&](ledger::Policy& policy) {
                 while (policy.agents.size() < agent_limits::kOwnAgentsMax) {
                   const auto key = host.keys().generate(KeyType::ed25519, KeyPurpose::agent);
                   policy.agents.push_back({crypto::multikey(key->public_key), ledger::auth::kProve,
                                            std::nullopt, std::nullopt});
                 }
               })
        .has_value();
  });
  ASSERT_TRUE(filled);
  EXPECT_EQ(two.phone.command("agent-add").error(), Errc::limit_exceeded);
}

/// A device that is off for long finds a few messages, not a mailbox full of them.
TEST(OwnAgents, ADeviceThatIsOffIsToldEverMoreRarely) {
  TwoDevices two;
  two.add_device();
  two.laptop->set_online(false);
  ASSERT_TRUE(two.phone.command("contact-rename", {{"contact", "bob"}, {"name", "Bobby"}}));
  two.net.run_for(24h);
  const auto waiting = two.mediator.look([](Host& host) {
    std::size_t mails = 0;
    for (const std::string& client : host.list("mailbox"))
      mails += host.list("mail/" + client).size();
    return mails;
  });
  EXPECT_GE(waiting, 8U);
  EXPECT_LE(waiting, 20U);
  two.laptop->set_online(true);
  ASSERT_TRUE(two.net.run_until([&] { return two.connected(*two.laptop, "Bobby"); }));
}

}  // namespace
}  // namespace kith::recovery
