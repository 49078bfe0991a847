#include "protocol/unit_of_work.hpp"

#include <gtest/gtest.h>

#include "crypto/software_keys.hpp"
#include "protocol/contact.hpp"
#include "protocol/own_service.hpp"
#include "protocol/vault.hpp"
#include "tests/support/memory_store.hpp"

namespace kith::protocol {
namespace {

class UnitOfWorkTest : public ::testing::Test {
 protected:
  UnitContext context() { return {store_, keys_, random_, now_, {}, true}; }

  test::MemoryStore store_;
  crypto::SeededRandom random_{1, "unit"};
  crypto::SoftwareKeys keys_{random_.secret(32), random_};
  Time now_ = from_epoch_seconds(1'795'000'000);
};

TEST_F(UnitOfWorkTest, ShowsNothingOutsideUntilItCommits) {
  UnitOfWork unit(context());
  unit.put({"c", "1"}, {1});
  EXPECT_EQ(unit.get({"c", "1"}), Bytes{1});
  EXPECT_TRUE(store_.records().empty());
  ASSERT_TRUE(unit.commit().has_value());
  EXPECT_EQ(store_.records().size(), 1u);
}

TEST_F(UnitOfWorkTest, ListsItsOwnWritesAmongTheStoredOnes) {
  {
    UnitOfWork unit(context());
    for (const char* id : {"b", "d", "f"}) unit.put({"c", id}, {1});
    unit.put({"other", "x"}, {1});
    ASSERT_TRUE(unit.commit().has_value());
  }
  UnitOfWork unit(context());
  unit.put({"c", "a"}, {1});
  unit.put({"c", "e"}, {1});
  unit.erase({"c", "d"});
  unit.put({"c", "b"}, {2});
  EXPECT_EQ(unit.list("c"), (std::vector<std::string>{"a", "b", "e", "f"}));
}

TEST_F(UnitOfWorkTest, ForgetsAllSinceASavepoint) {
  UnitOfWork unit(context());
  unit.put({"c", "kept"}, {1});
  auto point = unit.savepoint();
  unit.put({"c", "dropped"}, {1});
  unit.start(Effect{});
  unit.set_timer("m", "t", now_);
  unit.audit("dropped", {});
  unit.arrived({1}, {});
  unit.roll_back(std::move(point));
  ASSERT_TRUE(unit.commit().has_value());
  EXPECT_EQ(store_.records().size(), 1u);
  EXPECT_TRUE(unit.started().empty());
  EXPECT_TRUE(unit.timers().empty());
  EXPECT_TRUE(unit.arrivals().empty());
}

TEST_F(UnitOfWorkTest, StoresEffectsButNotTransientOnes) {
  UnitOfWork unit(context());
  const std::string first = unit.start(Effect{});
  Effect poll;
  poll.transient = true;
  const std::string second = unit.start(poll);
  const std::string third = unit.start(Effect{});
  EXPECT_LT(first, third);
  ASSERT_TRUE(unit.commit().has_value());
  UnitOfWork after(context());
  EXPECT_EQ(after.list("effect"), (std::vector<std::string>{first, third}));
  EXPECT_NE(second, first);
  after.cancel_effect(first);
  ASSERT_TRUE(after.commit().has_value());
  UnitOfWork last(context());
  EXPECT_EQ(last.list("effect"), std::vector<std::string>{third});
}

TEST_F(UnitOfWorkTest, ReportsDamagedRecordsInsteadOfGuessing) {
  UnitOfWork unit(context());
  unit.put({"contact", "1"}, {0xc1});
  EXPECT_THROW(static_cast<void>(find_contact(unit, "1")), StoreFailure);
}

class AuditTest : public UnitOfWorkTest {
 protected:
  void SetUp() override {
    for (int i = 0; i < 3; ++i) {
      UnitOfWork unit(context());
      unit.audit("event", {{"i", i}});
      unit.audit("second", {});
      ASSERT_TRUE(unit.commit().has_value());
    }
  }
  AuditHead head() {
    UnitOfWork unit(context());
    return *load<AuditHead>(unit, "meta", "audit");
  }
  void change(std::uint64_t n, const std::function<void(AuditEntry&)>& how) {
    UnitOfWork unit(context());
    auto entry = *load<AuditEntry>(unit, "audit", numbered_id(n));
    how(entry);
    save(unit, "audit", numbered_id(n), entry);
    ASSERT_TRUE(unit.commit().has_value());
  }
  void expect_broken() {
    const auto verified = verify_audit_log(store_, head());
    ASSERT_FALSE(verified.has_value());
    EXPECT_EQ(verified.error().code, Errc::audit_broken);
  }
};

TEST_F(AuditTest, VerifiesWhatWasWritten) {
  EXPECT_EQ(*verify_audit_log(store_, head()), 6u);
}

TEST_F(AuditTest, FindsEveryChangedMember) {
  const std::vector<std::function<void(AuditEntry&)>> changes = {
      [](AuditEntry& e) { e.n = 9; },
      [](AuditEntry& e) { e.prev.assign(32, 1); },
      [](AuditEntry& e) { e.time += Duration{1}; },
      [](AuditEntry& e) { e.event = "other"; },
      [](AuditEntry& e) { e.details["i"] = 7; },
      [](AuditEntry& e) { e.signature[5] ^= 1; },
  };
  for (const auto& how : changes) {
    const auto untouched = store_;
    change(2, how);
    expect_broken();
    store_ = untouched;
  }
}

TEST_F(AuditTest, FindsACutAnExtensionAndAGap) {
  const auto untouched = store_;
  UnitOfWork cut(context());
  cut.erase({"audit", numbered_id(5)});
  ASSERT_TRUE(cut.commit().has_value());
  expect_broken();
  store_ = untouched;
  UnitOfWork extended(context());
  extended.put({"audit", numbered_id(6)}, *extended.get({"audit", numbered_id(5)}));
  ASSERT_TRUE(extended.commit().has_value());
  expect_broken();
  store_ = untouched;
  // A forger without the key who rewrites the chain and its head is found by the signature.
  change(5, [](AuditEntry& e) { e.event = "forged"; });
  UnitOfWork forged(context());
  auto forged_head = head();
  forged_head.hash = audit_hash(*load<AuditEntry>(forged, "audit", numbered_id(5)));
  const auto verified = verify_audit_log(store_, forged_head);
  ASSERT_FALSE(verified.has_value());
}

TEST_F(UnitOfWorkTest, ContactsAreFoundByNameAndByDids) {
  UnitOfWork unit(context());
  const auto did = [](const char* text) { return *Did::parse(text); };
  Contact bob{"01",
              "Bob",
              "did:example:me",
              "did:example:bob",
              ContactRole::person,
              ContactState::connected,
              now_};
  save_contact(unit, bob);
  EXPECT_EQ(contact_named(unit, "Bob")->id, "01");
  EXPECT_EQ(contact_of(unit, did("did:example:me"), did("did:example:bob"))->id, "01");
  EXPECT_FALSE(contact_of(unit, did("did:example:other"), did("did:example:bob")).has_value());
  EXPECT_EQ(free_contact_name(unit, "Bob"), "Bob (2)");
  EXPECT_EQ(free_contact_name(unit, "B\nob\x7f"), "Bob (2)");
  EXPECT_EQ(free_contact_name(unit, ""), "someone");
  const std::string accents(limits::kNameCharsMax, '\xc3');
  EXPECT_LE(free_contact_name(unit, accents + "\xa9").size(), limits::kNameCharsMax);
  bob.their_did = "did:example:bob2";
  save_contact(unit, bob);
  EXPECT_FALSE(contact_of(unit, did("did:example:me"), did("did:example:bob")).has_value());
  EXPECT_TRUE(contact_of(unit, did("did:example:me"), did("did:example:bob2")).has_value());
  bob.state = ContactState::ended;
  save_contact(unit, bob);
  EXPECT_FALSE(contact_of(unit, did("did:example:me"), did("did:example:bob2")).has_value());
}

TEST_F(UnitOfWorkTest, TheVaultTakesKeysFromAnybodyAndGivesThemToTheOwnerAlone) {
  UnitOfWork unit(context());
  const auto next = *keys_.generate(KeyType::ed25519, KeyPurpose::log_next);
  EXPECT_EQ(add_to_vault(unit, VaultUse::log_next, "k", "did:example:a", {}, next.sealed).error(),
            Errc::wrong_state);
  const StepUp owner = keys_.hold_step_up(random_.secret(32));
  const StepUp thief = keys_.hold_step_up(random_.secret(32));
  ASSERT_TRUE(create_vault(unit, owner).has_value());
  EXPECT_EQ(create_vault(unit, owner).error(), Errc::wrong_state);
  const std::string id = crypto::multikey(next.public_key);
  ASSERT_TRUE(
      add_to_vault(unit, VaultUse::log_next, id, "did:example:a", {}, next.sealed).has_value());
  EXPECT_EQ(vault_items_of(unit, "did:example:a", VaultUse::log_next).size(), 1u);
  EXPECT_TRUE(vault_items_of(unit, "did:example:b", VaultUse::log_next).empty());
  EXPECT_EQ(open_vault(unit, std::nullopt).error(), Errc::step_up_required);
  EXPECT_EQ(open_vault(unit, thief).error(), Errc::wrong_passphrase);
  const auto vault = open_vault(unit, owner);
  ASSERT_TRUE(vault.has_value());
  const auto opened = open_vault_item(unit, *vault, id);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->public_key, next.public_key);
  EXPECT_EQ(open_vault_item(unit, *vault, "none").error(), Errc::not_found);
}

TEST_F(UnitOfWorkTest, AnAddressComesFromTheMediatorOrFromTheNodeItself) {
  UnitOfWork unit(context());
  EXPECT_EQ(own_service(unit).error(), Errc::wrong_state);
  save(unit, "meta", "public-url", PublicUrl{"http://me.test/"});
  EXPECT_EQ(own_service(unit)->uri, "http://me.test/");
  save(unit, "meta", "mediator", MediatorGrant{"01", "http://relay.test/", "did:example:relay"});
  EXPECT_EQ(own_service(unit)->uri, "http://relay.test/");
  EXPECT_EQ(own_service(unit)->routing_keys, std::vector<std::string>{"did:example:relay"});
}

}  // namespace
}  // namespace kith::protocol
