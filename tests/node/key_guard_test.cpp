#include "node/key_guard.hpp"

#include <gtest/gtest.h>

#include <functional>
#include <set>

#include "crypto/key_types.hpp"
#include "crypto/software_keys.hpp"
#include "node/key_info.hpp"
#include "node/rules.hpp"
#include "protocol/audit_log.hpp"
#include "protocol/messenger.hpp"
#include "tests/support/memory_store.hpp"

namespace kith::node {
namespace {

using crypto::KeyTypeInfo;
using crypto::WrapContext;

constexpr std::string_view kGuardedKid = "did:kith:zGuarded#z6Guarded";
constexpr std::string_view kGuardedId = "z6Guarded";

/// A unit on a store of its own, with one key in a record.
class GuardedUnit {
 private:
  void end(protocol::UnitOfWork& unit) {
    guard_.settle(unit);
    ASSERT_TRUE(unit.commit().has_value());
  }
  template <class F>
  auto in_unit(F&& f) {
    protocol::UnitOfWork unit({store_, keys_, random_, now_, {}, true, &guard_});
    if constexpr (std::is_void_v<decltype(f(unit))>) {
      f(unit);
      end(unit);
    } else {
      auto result = f(unit);
      end(unit);
      return result;
    }
  }

 public:
  GuardedUnit() : keys_(random_.secret(32), random_), guard_(keys_, rules_) {}

  void keep(const SealedKey& key) {
    in_unit([&](Host& host) { protocol::remember_key(host, kGuardedKid, key); });
  }
  void set_state(KeyState state) {
    in_unit([&](Host& host) {
      KeyInfo info;
      info.kind = kind_of(KeyPurpose::authenticate);
      info.state = state;
      save(host, kKeyInfo, kGuardedId, info);
    });
  }
  /// In a unit that found the key in its record, as every handler does. `write`: it writes, too.
  template <class F>
  auto use(F&& f, bool write = false) {
    return in_unit([&](Host& host) {
      const SealedKey key = *protocol::OwnSecrets(host).find(kGuardedKid);
      if (write) host.put({"text", "1"}, crypto::to_bytes(crypto::as_bytes("x")));
      return f(host.keys(), key);
    });
  }
  std::vector<JsonObject> refusals() {
    std::vector<JsonObject> found;
    in_unit([&](Host& host) {
      for (const std::string& id : host.list("audit")) {
        const auto entry = *load<protocol::AuditEntry>(host, "audit", id);
        if (entry.event == "key.refused") found.push_back(entry.details);
      }
    });
    return found;
  }
  std::uint64_t uses() {
    return in_unit([](Host& host) {
      return load<KeyUses>(host, kKeyUse, kGuardedId).value_or(KeyUses{}).count;
    });
  }
  void set_rules(RuleBook rules) { rules_ = std::move(rules); }
  void pass(Duration time) { now_ += time; }
  crypto::SoftwareKeys& keys() { return keys_; }
  crypto::SeededRandom& random() { return random_; }
  test::MemoryStore& store() { return store_; }

 private:
  test::MemoryStore store_;
  crypto::SeededRandom random_{5, "guard"};
  crypto::SoftwareKeys keys_;
  RuleBook rules_;
  KeyGuard guard_;
  Time now_ = protocol::from_epoch_ms(1'800'000'000'000);
};

struct KeyUse {
  std::string_view name;
  std::function<std::optional<Errc>(KeyOps&, const SealedKey&)> call;
};

template <class T>
std::optional<Errc> code_of(const Result<T>& result) {
  return result.has_value() ? std::nullopt : std::optional(result.error().code);
}

/// What a handler may ask of a key that it found in a record.
std::vector<KeyUse> all_uses(GuardedUnit& unit) {
  const PublicKey peer = unit.keys().generate(KeyType::x25519, KeyPurpose::agree)->public_key;
  const Bytes message(32, 7);
  return {
      {"sign", [=](KeyOps& ops, const SealedKey& key) { return code_of(ops.sign(key, message)); }},
      {"sign_hash",
       [=](KeyOps& ops, const SealedKey& key) { return code_of(ops.sign_hash(key, message)); }},
      {"activate_next",
       [](KeyOps& ops, const SealedKey& key) { return code_of(ops.activate_next(key)); }},
      {"wrap_cek",
       [=, &unit](KeyOps& ops, const SealedKey& key) {
         const SecretBytes ephemeral = unit.random().secret(32);
         const SecretBytes cek = unit.random().secret(32);
         return code_of(ops.wrap_cek(&key, peer, ephemeral,
                                     {"ECDH-1PU+A256KW", message, message, message}, cek));
       }},
      {"unwrap_cek",
       [=](KeyOps& ops, const SealedKey& key) {
         return code_of(
             ops.unwrap_cek(key, nullptr, peer, {"ECDH-ES+A256KW", message, message, {}}, message));
       }},
      {"open_box",
       [=](KeyOps& ops, const SealedKey& key) { return code_of(ops.open_box(key, {}, message)); }},
      {"take_over_vault",
       [=](KeyOps& ops, const SealedKey& key) {
         return code_of(ops.take_over_vault(key, {}, message));
       }},
  };
}

/// crypto/key_ops.hpp, in other words.
bool is_for(KeyPurpose purpose, std::string_view use) {
  using enum KeyPurpose;
  if (use == "sign") {
    const std::set<KeyPurpose> signers{authenticate, log_active, log_next, log_recovery, agent,
                                       retire,       audit,      ledger,   witness};
    return signers.contains(purpose);
  }
  if (use == "sign_hash") return purpose == chain;
  if (use == "activate_next") return purpose == log_next;
  if (use == "wrap_cek" || use == "unwrap_cek") return purpose == agree;
  if (use == "open_box") return purpose == agree || purpose == session;
  return use == "take_over_vault" && purpose == session;
}

TEST(KeyGuardTest, RefusesAndNotesEveryUseThatAPurposeDoesNotAllow) {
  std::size_t refused = 0;
  for (const KeyTypeInfo& info : crypto::key_types()) {
    if (info.types.empty() || info.purpose == KeyPurpose::vault) continue;
    GuardedUnit unit;
    unit.keep(unit.keys().generate(info.types.front(), info.purpose)->sealed);
    std::set<std::string> wanted;
    for (const KeyUse& one : all_uses(unit)) {
      const auto code =
          unit.use([&](KeyOps& ops, const SealedKey& key) { return one.call(ops, key); });
      EXPECT_EQ(code == Errc::key_misuse, !is_for(info.purpose, one.name))
          << info.name << " " << one.name;
      if (!is_for(info.purpose, one.name)) wanted.insert(std::string(one.name));
    }
    std::set<std::string> noted;
    for (const JsonObject& entry : unit.refusals()) {
      EXPECT_EQ(entry.at("key"), Json(kGuardedId));
      EXPECT_EQ(entry.at("reason"), Json("not what the key is for"));
      noted.insert(std::string(entry.at("operation").as_string()));
    }
    EXPECT_EQ(noted, wanted) << info.name;
    refused += wanted.size();
  }
  EXPECT_GT(refused, 50U);
}

TEST(KeyGuardTest, EveryStateAllowsWhatTheTableSaysAndNotesTheRest) {
  for (const KeyState state : crypto::kKeyStates) {
    if (crypto::is_gone(state)) continue;  // No record has such a key.
    for (const bool signs : {true, false}) {
      GuardedUnit unit;
      const KeyType type = signs ? KeyType::ed25519 : KeyType::x25519;
      const KeyPurpose purpose = signs ? KeyPurpose::authenticate : KeyPurpose::agree;
      unit.keep(unit.keys().generate(type, purpose)->sealed);
      unit.set_state(state);
      for (const KeyUse& one : all_uses(unit)) {
        const bool protects = one.name == "sign" || one.name == "wrap_cek";
        if (!protects && one.name != "unwrap_cek") continue;
        if ((one.name == "sign") != signs) continue;
        const bool allowed =
            crypto::key_may(state, protects ? KeyWork::protect : KeyWork::process) ||
            (protects && state == KeyState::pre_active);  // It signs what makes it active.
        const auto code =
            unit.use([&](KeyOps& ops, const SealedKey& key) { return one.call(ops, key); });
        EXPECT_EQ(code == Errc::wrong_state, !allowed)
            << crypto::key_state_name(state) << " " << one.name;
        bool noted = false;
        for (const JsonObject& entry : unit.refusals()) {
          noted = noted || entry.at("operation") == Json(one.name);
        }
        EXPECT_EQ(noted, !allowed) << crypto::key_state_name(state) << " " << one.name;
      }
    }
  }
}

TEST(KeyGuardTest, NotesARefusalOnceADay) {
  GuardedUnit unit;
  unit.keep(unit.keys().generate(KeyType::ed25519, KeyPurpose::authenticate)->sealed);
  unit.set_state(KeyState::suspended);
  const auto sign = [&] {
    return unit.use([](KeyOps& ops, const SealedKey& key) { return ops.sign(key, Bytes(3)); });
  };
  for (int i = 0; i < 10; ++i) EXPECT_EQ(sign().error(), Errc::wrong_state);
  EXPECT_EQ(unit.refusals().size(), 1U);
  unit.pass(std::chrono::hours{25});
  EXPECT_FALSE(sign().has_value());
  EXPECT_EQ(unit.refusals().size(), 2U);
  unit.set_state(KeyState::active);
  EXPECT_TRUE(sign().has_value());
}

TEST(KeyGuardTest, HoldsToTheOwnersRules) {
  GuardedUnit unit;
  unit.keep(unit.keys().generate(KeyType::ed25519, KeyPurpose::authenticate)->sealed);
  unit.set_state(KeyState::active);
  const auto sign = [](KeyOps& ops, const SealedKey& key) { return ops.sign(key, Bytes(3)); };
  const auto rules = [](const char* of, const char* use) {
    const JsonObject rule{{"line", 1}, {"operations", JsonArray{use}}, {"effect", "forbid"}};
    const JsonObject document{{"file", "k"},
                              {"level", "key"},
                              {"name", "k"},
                              {"keys", JsonArray{of}},
                              {"rules", JsonArray{rule}}};
    return RuleBook::parse({document}).value();
  };
  unit.set_rules(rules("authenticate", "use:sign_hash"));
  EXPECT_TRUE(unit.use(sign).has_value());
  unit.set_rules(rules("agree", "use:sign"));
  EXPECT_TRUE(unit.use(sign).has_value());
  for (const char* key : {"authenticate", kGuardedId.data()}) {
    unit.set_rules(rules(key, "use:sign"));
    EXPECT_EQ(unit.use(sign).error(), Errc::refused) << key;
  }
  EXPECT_EQ(unit.refusals().size(), 1U);
}

TEST(KeyGuardTest, UsesWaitForAUnitThatWrites) {
  GuardedUnit unit;
  unit.keep(unit.keys().generate(KeyType::ed25519, KeyPurpose::authenticate)->sealed);
  unit.set_state(KeyState::active);
  const auto sign = [](KeyOps& ops, const SealedKey& key) {
    return ops.sign(key, Bytes(3)).has_value();
  };
  const std::uint64_t commits = unit.store().commits();
  for (int i = 0; i < 7; ++i) EXPECT_TRUE(unit.use(sign));
  EXPECT_EQ(unit.store().commits(), commits) << "a stranger could make it write";
  EXPECT_EQ(unit.uses(), 0U);
  EXPECT_TRUE(unit.use(sign, true));
  EXPECT_EQ(unit.uses(), 8U);
}

}  // namespace
}  // namespace kith::node
