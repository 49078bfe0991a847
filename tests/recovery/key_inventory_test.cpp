#include "node/key_inventory.hpp"

#include <gtest/gtest.h>

#include "tests/recovery/key_lab.hpp"

namespace kith::recovery::testing {
namespace {

using namespace std::chrono_literals;
using Crash = test::MemoryStore::Crash;

TEST(KeyInventory, FollowsAConnectionAndForgetsTheKeysOfItsBeginning) {
  TwoPeople people;
  ASSERT_NO_FATAL_FAILURE(people.connect());
  people.alice.restart();  // The audit key is made while a unit is written.
  people.bob.restart();
  for (AgentBox* box : {&people.alice, &people.bob}) {
    expect_whole(*box, box->name());
    EXPECT_EQ(of_kind(*box, KeyPurpose::authenticate).size(), 1U);
    EXPECT_EQ(of_kind(*box, KeyPurpose::agree).size(), 1U);
    EXPECT_EQ(of_kind(*box, KeyPurpose::log_active).size(), 1U);
    EXPECT_EQ(of_kind(*box, KeyPurpose::log_next).size(), 1U);
    // The two of the one-time DID, with receipts.
    EXPECT_EQ(gone(*box).size(), 2U);
    const auto receipts = destroyed_receipts(*box);
    EXPECT_EQ(receipts.size(), 2U);
    for (const NamedKeyInfo& key : gone(*box)) {
      EXPECT_EQ(key.info.state, KeyState::destroyed);
      EXPECT_TRUE(ledger::contains(receipts, key.id)) << key.id;
    }
  }
}

TEST(KeyInventory, CountsUsesAndKeepsTheCount) {
  TwoPeople people;
  ASSERT_NO_FATAL_FAILURE(people.connect());
  const std::string key = TwoPeople::only(people.alice, KeyPurpose::agree);
  const auto uses = [&] {
    return people.alice.look([&](Host& host) { return node::key_named(host, key)->uses.count; });
  };
  const std::uint64_t before = uses();
  for (int i = 0; i < 5; ++i) ASSERT_TRUE(people.reaches(people.alice, people.bob));
  EXPECT_GE(uses(), before + 5);
  EXPECT_LE(uses(), before + 15);
  const std::uint64_t now = uses();
  people.alice.restart();
  EXPECT_EQ(uses(), now);
}

TEST(KeyInventory, IsBuiltFromWhatAnOldHomeHolds) {
  TwoPeople people;
  ASSERT_NO_FATAL_FAILURE(people.connect());
  people.alice.restart();
  std::map<std::string, KeyState> before;
  for (const NamedKeyInfo& key : held(people.alice)) before[key.id] = key.info.state;
  people.alice.edit([](Host& host) {
    for (const char* collection : {"key-info", "key-gone", "key-use"}) {
      for (const std::string& id : host.list(collection)) host.erase({collection, id});
    }
    return true;
  });
  std::map<std::string, KeyState> after;
  for (const NamedKeyInfo& key : held(people.alice)) {
    after[key.id] = key.info.state;
    EXPECT_EQ(key.info.origin, node::KeyOrigin::found) << key.id;
    EXPECT_TRUE(key.info.kind != kind_of(KeyPurpose::log_active) || key.info.owner) << key.id;
  }
  EXPECT_EQ(after, before);
}

TEST(KeyInventory, NoticesWhatAProgramWithoutItDid) {
  TwoPeople people;
  ASSERT_NO_FATAL_FAILURE(people.connect());
  people.alice.restart();
  // As by an older program: the records change, the inventory does not.
  people.alice.edit([](Host& host) {
    const auto contact = protocol::list_contacts(host).at(0);
    EXPECT_TRUE(ledger::make_pair_agent(host, contact.my_did).has_value());
    host.erase({"vault-item", protocol::list_vault(host).front().id});
    return true;
  });
  expect_whole(people.alice, "after a start");
}

TEST(KeyInventory, FollowsTheRotationOfAnIdentityThroughEveryCrash) {
  Neighbourhood world;
  test::BoxOptions options;
  options.has_address = false;
  AgentBox& owner = world.net.add("owner", with_keys(), options);
  world.register_with(owner, world.mediator);
  world.make_identity(owner);
  owner.restart();
  expect_whole(owner, "identity");
  EXPECT_EQ(of_kind(owner, KeyPurpose::agent).size(), 1U);
  for (std::uint64_t at = 1; at < 100; ++at) {
    owner.store().crash_at(at, at % 2 == 0 ? Crash::before_commit : Crash::after_commit);
    ASSERT_TRUE(owner.command("did-rotate", {}, true).has_value());
    ASSERT_TRUE(world.net.run_until([&] {
      return text_or_empty(*owner.command("did-rotate-status"), "state") == "posted" &&
             text_or_empty(*owner.command("identity-status"), "state") == "posted";
    }));
    expect_whole(owner, "rotation with a crash at " + std::to_string(at));
    if (owner.store().crash_is_due()) break;
  }
  EXPECT_GT(owner.crashes(), 3U);
  // Genesis keys were never in the vault: they are gone. Later ones stay there for vetoes.
  std::size_t kept_for_vetoes = 0;
  for (const NamedKeyInfo& key : held(owner)) {
    if (key.info.state == KeyState::deactivated) ++kept_for_vetoes;
  }
  EXPECT_GT(kept_for_vetoes, 0U);
}

TEST(KeyInventory, KnowsSharesSetsAndWhatARecoveryBringsBack) {
  Neighbourhood world;
  test::BoxOptions options;
  options.has_address = false;
  AgentBox& owner = world.net.add("owner", with_keys(), options);
  world.register_with(owner, world.mediator);
  std::vector<AgentBox*> trustees;
  for (const char* name : {"t1", "t2"}) {
    AgentBox& box = world.net.add(name, with_keys(), options);
    world.register_with(box, world.mediator);
    world.connect(box, owner);
    trustees.push_back(&box);
  }
  world.make_identity(owner);
  ASSERT_NO_FATAL_FAILURE(world.set_up(owner, trustees, 2));
  world.net.run_for(5min);
  owner.restart();
  expect_whole(owner, "owner");
  EXPECT_EQ(of_kind(owner, KeyPurpose::retire).size(), 2U);
  for (AgentBox* trustee : trustees) {
    trustee->restart();
    expect_whole(*trustee, trustee->name());
    const auto keys = held(*trustee);
    EXPECT_EQ(std::ranges::count_if(
                  keys, [](const auto& key) { return key.info.kind == KeyKind::share; }),
              1);
  }
  owner.set_online(false);
  AgentBox& device = world.net.add("device", with_keys(), options);
  world.register_with(device, world.mediator);
  ASSERT_TRUE(device.command("recover-start").has_value());
  for (AgentBox* trustee : trustees) ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(device, *trustee));
  ASSERT_NO_FATAL_FAILURE(world.finish(device));
  world.net.run_for(10min);
  device.restart();
  expect_whole(device, "recovered device");
}

}  // namespace
}  // namespace kith::recovery::testing
