#include "node/key_changes.hpp"

#include <gtest/gtest.h>

#include "node/key_module.hpp"
#include "tests/recovery/key_lab.hpp"

namespace kith::recovery::testing {
namespace {

std::vector<std::string> texts(const JsonObject& object, std::string_view member) {
  std::vector<std::string> all;
  for (const Json& item : object.at(member).as_array()) all.emplace_back(item.as_string());
  return all;
}

TEST(KeyChanges, RelationshipKeysAreReplacedWhenTheirPeriodIsOver) {
  TwoPeople people;
  ASSERT_NO_FATAL_FAILURE(people.connect());
  const std::string old = TwoPeople::only(people.alice, KeyPurpose::agree);
  const std::string signs = TwoPeople::only(people.alice, KeyPurpose::authenticate);
  people.net.run_for(std::chrono::hours{24 * 340});
  EXPECT_EQ(TwoPeople::only(people.alice, KeyPurpose::agree), old) << "too early";
  EXPECT_FALSE(people.alice.command("keys-at-risk")->at("keys").as_array().empty());
  people.net.run_for(std::chrono::hours{24 * 30});
  const std::string fresh = TwoPeople::only(people.alice, KeyPurpose::agree);
  EXPECT_NE(fresh, old);
  EXPECT_EQ(state_of(people.alice, old), KeyState::destroyed);
  EXPECT_EQ(state_of(people.alice, signs), KeyState::destroyed);
  EXPECT_TRUE(people.reaches(people.alice, people.bob));
  EXPECT_TRUE(people.reaches(people.bob, people.alice));
  // The log's own key waits for its person, who is told once.
  EXPECT_EQ(people.alice.notices("keys").size(), 1U);
  expect_whole_after_start(people.alice, "a year later");
}

TEST(KeyChanges, AKeyThatWasUsedTooOftenIsReplacedToo) {
  TwoPeople people;
  ASSERT_NO_FATAL_FAILURE(people.connect());
  const std::string old = TwoPeople::only(people.alice, KeyPurpose::agree);
  const auto wear = [&](std::uint64_t uses) {
    people.alice.edit([&](Host& host) {
      save(host, node::kKeyUse, old, node::KeyUses{uses, host.now()});
      return true;
    });
    people.net.run_for(std::chrono::hours{50});  // A look, an answer, and a day of grace.
  };
  wear(1'000'000);
  EXPECT_EQ(TwoPeople::only(people.alice, KeyPurpose::agree), old);
  wear(std::uint64_t{1} << 32);
  EXPECT_EQ(state_of(people.alice, old), KeyState::destroyed);
  EXPECT_TRUE(people.reaches(people.bob, people.alice));
}

TEST(KeyChanges, OldKeysStayUntilTheContactHasConfirmedTheNewOnes) {
  TwoPeople people;
  ASSERT_NO_FATAL_FAILURE(people.connect());
  const std::string old = TwoPeople::only(people.alice, KeyPurpose::agree);
  people.bob.set_online(false);
  const std::string name = TwoPeople::contact(people.alice).id;
  ASSERT_TRUE(people.alice.command("keys-rotate", {{"contact", name}}));
  people.net.run_for(std::chrono::hours{3});
  EXPECT_EQ(of_kind(people.alice, KeyPurpose::agree).size(), 2U);
  EXPECT_EQ(state_of(people.alice, old), KeyState::active);
  EXPECT_EQ(people.alice.command("keys-rotate", {{"contact", name}}).error(), Errc::wrong_state);
  people.bob.set_online(true);
  ASSERT_TRUE(
      people.net.run_until([&] { return of_kind(people.alice, KeyPurpose::agree).size() == 1; },
                           std::chrono::hours{48}));
  EXPECT_EQ(state_of(people.alice, old), KeyState::destroyed);
  EXPECT_TRUE(people.reaches(people.bob, people.alice));
}

TEST(KeyChanges, ACompromisedKeyOfARelationshipIsReplacedAndProtectsNothing) {
  TwoPeople people;
  ASSERT_NO_FATAL_FAILURE(people.connect());
  for (const KeyPurpose purpose : {KeyPurpose::authenticate, KeyPurpose::log_active}) {
    const std::string key = TwoPeople::only(people.alice, purpose);
    const auto impact = people.alice.command("keys-impact", {{"key", key}});
    ASSERT_TRUE(impact.has_value());
    EXPECT_EQ(impact->at("affects").at(0).at("what"), Json("relationship"));
    const auto marked = people.alice.command("keys-compromised", {{"key", key}}, true);
    ASSERT_TRUE(marked.has_value()) << marked.error().detail;
    EXPECT_EQ(texts(*marked, "rotated").size(), 1U);
    const bool is_kept = purpose == KeyPurpose::authenticate;  // A day, for mail under way.
    EXPECT_EQ(state_of(people.alice, key),
              is_kept ? KeyState::compromised : KeyState::destroyed_compromised);
    people.net.run_for(std::chrono::hours{26});
    EXPECT_EQ(state_of(people.alice, key), KeyState::destroyed_compromised);
    EXPECT_NE(TwoPeople::only(people.alice, purpose), key);
    EXPECT_TRUE(people.reaches(people.alice, people.bob));
    EXPECT_EQ(people.alice.command("keys-compromised", {{"key", key}}, true).error(),
              Errc::wrong_state);
  }
  EXPECT_EQ(people.alice.audited("key.compromised").size(), 2U);
}

TEST(KeyChanges, ACompromisedNextKeyIsPassedOver) {
  TwoPeople people;
  ASSERT_NO_FATAL_FAILURE(people.connect());
  const std::string key = TwoPeople::only(people.alice, KeyPurpose::log_next);
  EXPECT_EQ(people.alice.command("keys-compromised", {{"key", key}}).error(),
            Errc::step_up_required);
  EXPECT_EQ(state_of(people.alice, key), KeyState::pre_active) << "nothing was marked";
  ASSERT_TRUE(people.alice.command("keys-compromised", {{"key", key}}, true));
  EXPECT_EQ(state_of(people.alice, key), KeyState::compromised);
  EXPECT_NE(TwoPeople::only(people.alice, KeyPurpose::log_active), key);
  EXPECT_TRUE(people.reaches(people.alice, people.bob));
}

TEST(KeyChanges, WhatAnythingRestsOnIsNotDestroyed) {
  TwoPeople people;
  ASSERT_NO_FATAL_FAILURE(people.connect());
  people.alice.restart();
  for (const NamedKeyInfo& key : held(people.alice)) {
    const auto refused = people.alice.command("keys-destroy", {{"key", key.id}});
    ASSERT_FALSE(refused.has_value()) << key.id;
    EXPECT_TRUE(refused.error() == Errc::wrong_state || refused.error() == Errc::refused);
    EXPECT_EQ(state_of(people.alice, key.id), key.info.state);
  }
}

TEST(KeyChanges, AKeyThatNothingRestsOnIsDestroyedWithAReceipt) {
  TwoPeople people;
  ASSERT_NO_FATAL_FAILURE(people.connect());
  const std::string idle = people.alice.edit([](Host& host) {
    const auto contact = protocol::list_contacts(host).at(0);
    return ledger::make_pair_agent(host, contact.my_did)->auth;  // No document ever names it.
  });
  EXPECT_EQ(state_of(people.alice, idle), KeyState::active);
  const auto done =
      people.alice.command("keys-destroy", {{"key", idle}, {"reason", "never needed"}});
  ASSERT_TRUE(done.has_value()) << done.error().detail;
  EXPECT_EQ(state_of(people.alice, idle), KeyState::destroyed);
  EXPECT_TRUE(ledger::contains(destroyed_receipts(people.alice), idle));
  EXPECT_EQ(people.alice.command("keys-destroy", {{"key", idle}}).error(), Errc::wrong_state);
  expect_whole_after_start(people.alice, "one key fewer");
}

TEST(KeyChanges, ASuspendedLogKeyRestsUntilItIsRenewed) {
  TwoPeople people;
  ASSERT_NO_FATAL_FAILURE(people.connect());
  const std::string key = TwoPeople::only(people.alice, KeyPurpose::log_active);
  const JsonObject named{{"key", key.substr(key.size() - 10)}};
  EXPECT_EQ(people.alice.command("keys-renew", named).error(), Errc::wrong_state);
  ASSERT_TRUE(people.alice.command("keys-suspend", named));
  const JsonObject contact{{"contact", TwoPeople::contact(people.alice).id}};
  EXPECT_EQ(people.alice.command("keys-rotate", contact).error(), Errc::wrong_state);
  EXPECT_EQ(people.alice.audited("key.refused").size(), 1U);
  ASSERT_TRUE(people.alice.command("keys-renew", named));
  EXPECT_TRUE(people.alice.command("keys-rotate", contact));
  EXPECT_EQ(
      people.alice
          .command("keys-suspend", {{"key", of_kind(people.alice, KeyPurpose::agree).front().id}})
          .error(),
      Errc::refused);
}

TEST(KeyChanges, AMarkOutlivesTheKey) {
  TwoPeople people;
  ASSERT_NO_FATAL_FAILURE(people.connect());
  protocol::VaultRecord copy;
  const std::string key = TwoPeople::only(people.alice, KeyPurpose::log_next);
  people.alice.look([&](Host& host) {
    copy = *load<protocol::VaultRecord>(host, "vault-item", key);
    return true;
  });
  ASSERT_TRUE(people.alice.command("keys-compromised", {{"key", key}}, true));
  people.alice.edit([&](Host& host) {
    host.erase({"vault-item", key});
    return true;
  });
  EXPECT_EQ(state_of(people.alice, key), KeyState::destroyed_compromised);
  people.alice.edit([&](Host& host) {
    protocol::put_vault_record(host, copy);  // As a restored backup would.
    return true;
  });
  EXPECT_EQ(state_of(people.alice, key), KeyState::compromised);
}

TEST(KeyChanges, NamesAreRefusedThatSayTooLittle) {
  TwoPeople people;
  ASSERT_NO_FATAL_FAILURE(people.connect());
  const auto show = [&](std::string_view key) {
    return people.alice.command("keys-show", {{"key", key}});
  };
  EXPECT_TRUE(show("vault").has_value());
  EXPECT_EQ(show("z6M").error(), Errc::not_found);
  EXPECT_EQ(show("z6MkNobody").error(), Errc::not_found);
  EXPECT_EQ(people.alice.command("keys-list", {{"state", "retired"}}).error(), Errc::usage);
  EXPECT_FALSE(people.alice.command("keys-show").has_value());
}

}  // namespace
}  // namespace kith::recovery::testing
