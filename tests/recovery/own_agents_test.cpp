#include "recovery/own_agents.hpp"

#include <algorithm>

#include "ledger/document_agents.hpp"
#include "ledger/log_history.hpp"
#include "ledger/microledger.hpp"
#include "tests/recovery/device_world.hpp"

namespace kith::recovery {
namespace {

using namespace testing;
using namespace std::chrono_literals;

/// The one that is under way, else the last.
JsonObject pairing_of(AgentBox& box) {
  const JsonObject reply = *box.command("agent-pairings");
  const auto& rows = reply.at("pairings").get_array();
  for (const Json& row : rows) {
    const std::string state = text_or_empty(row.get_object(), "state");
    if (state != "done" && state != "failed") return row.get_object();
  }
  return rows.empty() ? JsonObject{} : rows.back().get_object();
}

std::string pairing_state(AgentBox& box) {
  return text_or_empty(pairing_of(box), "state");
}

std::vector<std::string> texts(AgentBox& box) {
  std::vector<std::string> all;
  const JsonObject reply = *box.command("messages");
  for (const Json& text : reply.at("messages").get_array()) {
    all.push_back(text_or_empty(text.get_object(), "text"));
  }
  std::ranges::sort(all);
  return all;
}

bool has_text(AgentBox& box, const std::string& text) {
  const auto all = texts(box);
  return std::ranges::find(all, text) != all.end();
}

void say(AgentBox& from, const std::string& to, const std::string& text) {
  const auto sent = from.command("send", {{"contact", to}, {"text", text}});
  ASSERT_TRUE(sent.has_value()) << sent.error().detail;
}

test::MemoryStore::Crash crash_kind(std::size_t n) {
  return n % 2 == 0 ? test::MemoryStore::Crash::before_commit
                    : test::MemoryStore::Crash::after_commit;
}

/// Alice, with a friend, who adds a second device.
class TwoDevices : public Neighbourhood {
 public:
  explicit TwoDevices(std::uint64_t seed = 1)
      : Neighbourhood(seed, mediator_modules<>("https://mediator.test/", logs())),
        phone(add_proving("phone")),
        bob(add_person("bob")) {}

  static History logs() { return std::make_shared<const ledger::LogHistory>(); }
  AgentBox& add_proving(const std::string& name, bool has_vault = true) {
    history = logs();
    return add_person(name, has_vault);
  }

  void add(AgentBox& old, AgentBox& fresh) {
    laptop = &fresh;
    invite(old);
    compare_codes(old);
  }
  void begin() {
    connect(phone, bob);
    make_identity(phone);
    say(phone, "bob", "from before");
    net.run_for(1min);
    laptop = &add_proving("laptop", false);
  }
  void invite(AgentBox& old) {
    const auto invitation = old.command("agent-add", {{"name", laptop->name()}});
    ASSERT_TRUE(invitation.has_value()) << invitation.error().detail;
    const auto accepted =
        laptop->command("agent-accept", {{"url", text_or_empty(*invitation, "url")}});
    ASSERT_TRUE(accepted.has_value()) << accepted.error().detail;
    ASSERT_TRUE(net.run_until([&] {
      return pairing_state(old) == "codes" && pairing_state(*laptop) == "codes";
    })) << crypto::json_text(pairing_of(old))
        << crypto::json_text(pairing_of(*laptop));
  }
  void compare_codes(AgentBox& old) {
    type_codes(old);
    ASSERT_TRUE(net.run_until([&] {
      return pairing_state(old) == "done" && pairing_state(*laptop) == "done";
    })) << crypto::json_text(pairing_of(old))
        << crypto::json_text(pairing_of(*laptop));
  }
  void type_codes(AgentBox& old) {
    const auto first = old.command(
        "agent-code", {{"code", text_or_empty(pairing_of(*laptop), "code_to_read")}}, true);
    ASSERT_TRUE(first.has_value()) << first.error().detail;
    ASSERT_TRUE(first->at("code_ok").as_bool());
    ASSERT_TRUE(
        net.run_until([&] { return !pairing_of(*laptop).at("needs").get_array().empty(); }));
    const auto second = laptop->command(
        "agent-code", {{"code", text_or_empty(pairing_of(old), "code_to_read")}}, true);
    ASSERT_TRUE(second.has_value()) << second.error().detail;
    ASSERT_TRUE(second->at("code_ok").as_bool());
  }
  /// The new device knows all there is, and all others know it.
  bool settled() {
    const JsonObject reply = *laptop->command("agent-list");
    return reply.at("relationships").as_int64() > 0 && reply.at("waiting").as_int64() == 0;
  }
  void add_device() {
    begin();
    invite(phone);
    compare_codes(phone);
    ASSERT_TRUE(net.run_until([&] { return settled(); }))
        << crypto::json_text(*laptop->command("agent-list"));
    net.run_for(5min);
  }
  static std::size_t agents_in_policy(AgentBox& box) {
    return box.look([](Host& host) { return policy_agents(host).size(); });
  }
  std::size_t agents_bob_knows() {
    return bob.look([](Host& host) {
      const auto contact = protocol::list_contacts(host);
      const auto it = std::ranges::find(contact, ContactRole::person, &Contact::role);
      return ledger::pair_state_of(host, it->their_did)->agents.size();
    });
  }

  AgentBox& phone;
  AgentBox& bob;
  AgentBox* laptop = nullptr;
};

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
  for (std::size_t at = 1; at <= 40; at += 3) {
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

/// Sends one record to the first contact of that role, as a device does.
void send_record(AgentBox& from, ContactRole to, const JsonObject& record) {
  const auto sent = from.edit([&](Host& host) -> Result<std::string> {
    const auto all = protocol::list_contacts(host);
    const auto contact = std::ranges::find(all, to, &Contact::role);
    TRY(const Did mine, Did::parse(contact->my_did));
    TRY(const Did theirs, Did::parse(contact->their_did));
    Message message = protocol::new_message("https://w3id.org/kith/agent/1.0/records",
                                            host.random(), protocol::epoch_seconds(host.now()));
    message.from = mine;
    message.to = {theirs};
    message.body = {{"records", JsonArray{record}}};
    return protocol::send(host, std::move(message), {});
  });
  ASSERT_TRUE(sent.has_value()) << sent.error().detail;
}

JsonObject record_item(AgentBox& from, std::string_view collection, const std::string& id,
                       ByteView value) {
  return {{"c", collection},
          {"i", id},
          {"t", protocol::epoch_ms(from.look([](Host& host) { return host.now(); }))},
          {"d", "z6Mk"},
          {"v", crypto::base64url(value)},
          {"e", false}};
}

TEST(OwnAgents, RecordsOfOneDeviceCannotBeReplacedByAnother) {
  TwoDevices two;
  two.add_device();
  const auto lock = two.phone.look([](Host& host) { return host.get({"meta", "vault"}); });
  for (const auto& [collection, id] : {std::pair<std::string, std::string>{"meta", "vault"},
                                       {"own-key", "agent"},
                                       {"share", "x"},
                                       {"meta", "agent-key"}}) {
    send_record(*two.laptop, ContactRole::device,
                record_item(*two.laptop, collection, id, Bytes{0x80}));
  }
  two.net.run_for(5min);
  EXPECT_EQ(two.phone.look([](Host& host) { return host.get({"meta", "vault"}); }), lock);
  EXPECT_FALSE(two.phone.look([](Host& host) { return host.get({"share", "x"}); }).has_value());
  EXPECT_TRUE(two.phone.command("identity-check", {}, true).has_value());
}

TEST(OwnAgents, ValuesThatAreNoneOfTheirKindAreRefused) {
  TwoDevices two;
  two.add_device();
  for (const std::string collection :
       {"contact", "text", "log", "vault-item", "own-agent", "agent-keys", "own-entry"}) {
    send_record(*two.laptop, ContactRole::device,
                record_item(*two.laptop, collection, "z-new", Bytes{0xc1, 0x00}));
  }
  two.net.run_for(5min);
  for (const std::string collection :
       {"contact", "text", "log", "vault-item", "own-agent", "agent-keys", "own-entry"}) {
    EXPECT_FALSE(two.phone.look([&](Host& host) {
                            return host.get({collection, "z-new"});
                          })
                     .has_value())
        << collection;
  }
  say(two.phone, "bob", "goes on");
  two.net.run_for(5min);
  EXPECT_TRUE(has_text(two.bob, "goes on"));
}

TEST(OwnAgents, AFriendIsNoDevice) {
  TwoDevices two;
  two.add_device();
  const std::size_t before = two.phone.look([](Host& host) { return own_agents(host).size(); });
  OwnAgent agent{"z6Mkfriend", "bob's", two.net.now(), {}};
  send_record(two.bob, ContactRole::person,
              record_item(two.bob, "own-agent", agent.key, protocol::encode_record(agent)));
  two.net.run_for(5min);
  EXPECT_EQ(two.phone.look([](Host& host) { return own_agents(host).size(); }), before);
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

}  // namespace
}  // namespace kith::recovery
