// What a device that was stolen, a friend, or a faulty program can do to the owner's other devices.

#include "ledger/document_agents.hpp"
#include "recovery/agent_limits.hpp"
#include "recovery/agent_pairing_steps.hpp"
#include "recovery/agent_relationships.hpp"
#include "recovery/messages.hpp"
#include "tests/recovery/two_devices.hpp"

namespace kith::recovery {
namespace {

using namespace testing;

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
          {"v", crypto::base64url(value)}};
}

TEST(StolenDevice, RecordsOfOneDeviceCannotBeReplacedByAnother) {
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

TEST(StolenDevice, ValuesThatAreNoneOfTheirKindAreRefused) {
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

TEST(StolenDevice, AFriendIsNoDevice) {
  TwoDevices two;
  two.add_device();
  const std::size_t before = two.phone.look([](Host& host) { return own_agents(host).size(); });
  OwnAgent agent{"z6Mkfriend", "bob's", two.net.now(), {}};
  send_record(two.bob, ContactRole::person,
              record_item(two.bob, "own-agent", agent.key, protocol::encode_record(agent)));
  two.net.run_for(5min);
  EXPECT_EQ(two.phone.look([](Host& host) { return own_agents(host).size(); }), before);
}

void send_as_device(AgentBox& from, std::string_view name, const JsonObject& body) {
  from.edit([&](Host& host) {
    const auto other = paired_devices(host).at(0);
    Message message = protocol::new_message(type_uri("agent", name), host.random(),
                                            protocol::epoch_seconds(host.now()));
    message.from = *Did::parse(other.my_did);
    message.to = {*Did::parse(other.their_did)};
    message.body = body;
    return protocol::send(host, std::move(message), {}).has_value();
  });
}

std::string key_of(AgentBox& box) {
  return box.look([](Host& host) { return own_agent_multikey(host); });
}

Contact friend_of(AgentBox& box) {
  return box.look([](Host& host) {
    const auto all = protocol::list_contacts(host);
    return *std::ranges::find(all, ContactRole::person, &Contact::role);
  });
}

/// A record with a stamp that goes before all others.
void send_from(AgentBox& from, const std::string& collection, const std::string& id,
               const Bytes& value) {
  JsonObject item = record_item(from, collection, id, value);
  item["t"] = std::int64_t{1} << 50;
  send_as_device(from, "records", {{"records", JsonArray{std::move(item)}}});
}

TEST(StolenDevice, OnePairingAdmitsOneDeviceOnce) {
  TwoDevices two;
  two.add_device();
  AgentBox& laptop = *two.laptop;
  const auto joined_again = [&](bool other_key) {
    return laptop.look([&](Host& host) {
      const auto other = paired_devices(host).at(0);
      AgentJoined joined = *make_joined(host, other);
      if (!other_key) return protocol::encode_body(joined);
      const std::string did = ledger::identity(host)->did;
      const auto keys = keys_of_device(host, did, own_agent_multikey(host));
      const auto fresh = ledger::make_agent_key(host);  // Not kept: the unit is dropped.
      EXPECT_TRUE(fresh.has_value() && keep_agent_keys(host, did, *keys).has_value());
      joined = *make_joined(host, other);
      return protocol::encode_body(joined);
    });
  };
  send_as_device(laptop, "joined", joined_again(true));
  two.net.run_for(5min);
  EXPECT_EQ(two.agents_in_policy(two.phone), 2U);
  // Removed elsewhere: the policy says so before any record does.
  const std::string key = key_of(laptop);
  const JsonObject again = joined_again(false);
  const bool removed = two.phone.edit([&](Host& host) {
    return ledger::update_policy(host,
                                 [&](ledger::Policy& policy) {
                                   std::erase_if(policy.agents,
                                                 [&](const auto& one) { return one.key == key; });
                                 })
        .has_value();
  });
  ASSERT_TRUE(removed);
  send_as_device(laptop, "joined", again);
  two.net.run_for(5min);
  EXPECT_EQ(two.agents_in_policy(two.phone), 1U);
}

TEST(StolenDevice, NoDeviceSpeaksForTheKeysOfAnother) {
  TwoDevices two;
  two.add_device();
  AgentBox& thief = *two.laptop;
  const std::string did = friend_of(two.phone).my_did;
  const std::string phone = key_of(two.phone);
  AgentBox& tablet = two.add_proving("tablet", false);
  two.add(two.phone, tablet);
  ASSERT_TRUE(two.net.run_until([&] { return two.settled(); }));
  two.net.run_for(5min);
  // The thief's own keys, as if they were the tablet's.
  const std::string victim = key_of(tablet);
  const AgentKeys planted = thief.edit([&](Host& host) {
    const auto made = *ledger::make_pair_agent(host, did);
    EXPECT_TRUE(keep_agent_keys(host, did, made).has_value());
    AgentKeys keys =
        *load<AgentKeys>(host, kAgentKeys, agent_keys_id(did, own_agent_multikey(host)));
    keys.agent = victim;
    return keys;
  });
  send_from(thief, std::string(kAgentKeys), agent_keys_id(did, victim),
            protocol::encode_record(planted));
  two.net.run_for(5min);
  ASSERT_TRUE(two.phone.command("agent-revoke", {{"agent", key_of(thief)}}, true).has_value());
  two.net.run_for(10min);
  const auto state = two.bob.look(
      [&](Host& host) { return *ledger::pair_state_of(host, friend_of(two.bob).their_did); });
  EXPECT_EQ(state.agents.size(), 2U);
  for (const ledger::PairAgent& agent : state.agents) EXPECT_NE(agent.auth, planted.auth);
}

TEST(StolenDevice, ADeviceCannotCallItselfOrOthersRemoved) {
  TwoDevices two;
  two.add_device();
  AgentBox& thief = *two.laptop;
  for (AgentBox* box : {&thief, &two.phone}) {
    const std::string key = key_of(*box);
    send_from(thief, std::string(kOwnAgents), key,
              protocol::encode_record(OwnAgent{key, "x", two.net.now(), two.net.now()}));
  }
  two.net.run_for(5min);
  const auto paired = two.phone.look([](Host& host) { return paired_devices(host).size(); });
  EXPECT_EQ(paired, 1U);
  const auto revoked = two.phone.command("agent-revoke", {{"agent", key_of(thief)}}, true);
  EXPECT_TRUE(revoked.has_value()) << revoked.error().detail;
  EXPECT_EQ(two.agents_in_policy(two.phone), 1U);
}

TEST(StolenDevice, AFriendCannotBeReplacedBySomebodyElse) {
  TwoDevices two;
  two.add_device();
  AgentBox& mallory = two.add_person("mallory");
  two.connect(*two.laptop, mallory);
  ASSERT_TRUE(two.net.run_until([&] { return two.connected(two.phone, "mallory"); }));
  Contact bob = friend_of(two.phone);
  ASSERT_EQ(bob.name, "bob");
  const std::string before = bob.their_did;
  bob.their_did = two.phone.look(
      [](Host& host) { return protocol::contact_named(host, "mallory")->their_did; });
  send_from(*two.laptop, "contact", bob.id, protocol::encode_record(bob));
  two.net.run_for(5min);
  EXPECT_EQ(friend_of(two.phone).their_did, before);
}

TEST(StolenDevice, EntriesOfTheOwnLogsComeFromTheLedgerAlone) {
  TwoDevices two;
  two.add_device();
  AgentBox& thief = *two.laptop;
  const std::string policy =
      two.phone.look([](Host& host) { return ledger::identity(host)->policy; });
  const Bytes forged = thief.look([&](Host& host) {
    const std::string me = own_agent_multikey(host);
    const bool done = ledger::update_policy(host, [&](ledger::Policy& one) {
                        std::erase_if(one.agents, [&](const auto& a) { return a.key != me; });
                      }).has_value();
    EXPECT_TRUE(done);
    return *host.get({"log", policy});  // Neither kept nor posted: the unit is dropped.
  });
  send_from(thief, "log", policy, forged);
  two.net.run_for(5min);
  EXPECT_EQ(two.agents_in_policy(two.phone), 2U);
}

TEST(StolenDevice, AnUnknownCollectionHoldsNothingUp) {
  TwoDevices two;
  two.add_device();
  const Contact bob = [&] {
    Contact one = friend_of(two.phone);
    one.name = "Rob";
    return one;
  }();
  JsonObject known = record_item(*two.laptop, "contact", bob.id, protocol::encode_record(bob));
  known["t"] = std::int64_t{1} << 50;  // A clock of the year 37,000.
  send_as_device(
      *two.laptop, "records",
      {{"records", JsonArray{record_item(*two.laptop, "of-2030", "x", Bytes{1}), known}}});
  two.net.run_for(1min);
  EXPECT_EQ(friend_of(two.phone).name, "Rob");
}

TEST(StolenDevice, ARecordThatBecomesAgainWhatItWasIsTold) {
  TwoDevices two;
  two.add_device();
  for (const char* name : {"Bobby", "bob", "Bobby", "bob"}) {
    const std::string old = friend_of(*two.laptop).name;
    ASSERT_TRUE(two.laptop->command("contact-rename", {{"contact", old}, {"name", name}}));
    two.net.run_for(5min);
    EXPECT_EQ(friend_of(two.phone).name, name);
  }
}

/// A change that was made while the record was on its way to a new device counts.
TEST(StolenDevice, WhatArrivesIsNotNewerThanWhatWasDoneMeanwhile) {
  TwoDevices two;
  two.add_device();
  AgentBox& carol = two.add_person("carol");
  two.connect(two.phone, carol);
  two.laptop->set_online(false);
  two.net.run_for(2min);  // Told, not yet heard.
  two.phone.set_online(false);
  ASSERT_TRUE(two.phone.command("contact-rename", {{"contact", "carol"}, {"name", "Caro"}}));
  two.net.run_for(1min);
  two.laptop->set_online(true);
  two.net.run_for(5min);
  two.phone.set_online(true);
  two.net.run_for(10min);
  EXPECT_TRUE(two.connected(two.phone, "Caro"));
  EXPECT_TRUE(two.connected(*two.laptop, "Caro"));
}

TEST(StolenDevice, ADeviceThatNoDeviceNamedRaisesTheAlarm) {
  TwoDevices two;
  two.add_device();
  AgentBox& thief = *two.laptop;
  const bool added = thief.edit([](Host& host) {
    const auto key = *host.keys().generate(crypto::KeyType::ed25519, crypto::KeyPurpose::agent);
    return ledger::update_policy(
               host,
               [&](ledger::Policy& policy) {
                 policy.agents.push_back({crypto::multikey(key.public_key), ledger::auth::kOwnerAll,
                                          std::nullopt, std::nullopt});
               })
        .has_value();
  });
  ASSERT_TRUE(added);
  two.net.run_for(20min);
  ASSERT_EQ(two.agents_in_policy(two.phone), 3U);
  const auto alarms = two.phone.notices("alarm");
  EXPECT_TRUE(std::ranges::any_of(alarms, [](const std::string& text) {
    return text.find("unknown device") != std::string::npos;
  }));
}

TEST(StolenDevice, APairingCanBeCalledOffAfterTheCodes) {
  TwoDevices two;
  two.begin();
  two.invite(two.phone);
  const auto typed = two.phone.command(
      "agent-code", {{"code", text_or_empty(pairing_of(*two.laptop), "code_to_read")}}, true);
  ASSERT_TRUE(typed.has_value()) << typed.error().detail;
  ASSERT_TRUE(two.phone.command("agent-cancel").has_value());
  two.net.run_for(1min);
  EXPECT_EQ(pairing_state(*two.laptop), "failed");
}

TEST(StolenDevice, TooManyRecordsInOneMessageAreRefused) {
  TwoDevices two;
  two.add_device();
  JsonArray records;
  for (std::size_t i = 0; i <= agent_limits::kBatchRecordsMax; ++i) {
    records.push_back(record_item(*two.laptop, "of-2030", std::to_string(i), Bytes{1}));
  }
  const auto before = two.phone.audited("message.refused").size();
  send_as_device(*two.laptop, "records", {{"records", std::move(records)}});
  two.net.run_for(5min);
  EXPECT_EQ(two.phone.audited("message.refused").size(), before + 1);
}

TEST(StolenDevice, NamesOfDevicesThatAreNoneAreFew) {
  TwoDevices two;
  two.add_device();
  JsonArray records;
  for (std::size_t i = 0; i < 2 * agent_limits::kAgentsRemembered; ++i) {
    const std::string key = "z6Mk" + std::to_string(i);
    const OwnAgent invented{key, "x", two.net.now(), {}};
    records.push_back(
        record_item(*two.laptop, std::string(kOwnAgents), key, protocol::encode_record(invented)));
  }
  send_as_device(*two.laptop, "records", {{"records", std::move(records)}});
  two.net.run_for(5min);
  EXPECT_EQ(two.phone.look([](Host& host) { return own_agents(host).size(); }),
            agent_limits::kAgentsRemembered);
}

TEST(StolenDevice, ARecordThatNoMessageHoldsStaysHere) {
  TwoDevices two;
  two.add_device();
  const auto rename = [&](std::size_t size) {
    two.phone.edit([&](Host& host) {
      save(host, "meta", "profile", ledger::Profile{std::string(size, 'x')});
      return true;
    });
    two.net.run_for(5min);
    return two.laptop->look([](Host& host) {
      const auto profile = load<ledger::Profile>(host, "meta", "profile");
      return profile ? profile->name.size() : std::size_t{0};
    });
  };
  EXPECT_EQ(rename(300'000), 300'000U);
  EXPECT_EQ(rename(agent_limits::kRecordBytesMax + 1), 300'000U);
  EXPECT_EQ(rename(20), 20U) << "and holds nothing else up";
}

}  // namespace
}  // namespace kith::recovery
