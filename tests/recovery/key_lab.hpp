#pragma once

/// Agents with an inventory of keys, and what a test tells without it.

#include <gtest/gtest.h>

#include <map>
#include <set>
#include <string>
#include <vector>

#include "ledger/microledger.hpp"
#include "ledger/strict_json.hpp"
#include "node/key_module.hpp"
#include "node/key_view.hpp"
#include "protocol/messenger.hpp"
#include "protocol/vault.hpp"
#include "tests/recovery/device_world.hpp"

namespace kith::recovery::testing {

using node::KeyInfo;
using node::KeyKind;
using node::kind_of;
using node::NamedKeyInfo;

inline test::MakeModules with_keys(test::MakeModules make = personal_modules<>()) {
  return [make] {
    Modules all = make();
    all.push_back(std::make_unique<node::KeyModule>());
    return all;
  };
}

inline std::vector<NamedKeyInfo> held(AgentBox& box) {
  return box.look([](Host& host) { return node::list_keys(host); });
}
inline std::vector<NamedKeyInfo> gone(AgentBox& box) {
  return box.look([](Host& host) { return node::list_keys(host, true); });
}
inline std::vector<NamedKeyInfo> of_kind(AgentBox& box, KeyPurpose purpose) {
  std::vector<NamedKeyInfo> keys = held(box);
  std::erase_if(keys, [&](const NamedKeyInfo& key) { return key.info.kind != kind_of(purpose); });
  return keys;
}
inline KeyState state_of(AgentBox& box, const std::string& id) {
  return box.look([&](Host& host) { return node::key_named(host, id).value().info.state; });
}
inline std::vector<std::string> destroyed_receipts(AgentBox& box) {
  std::vector<std::string> ids;
  for (const auto& entry : box.all<protocol::AuditEntry>("audit")) {
    if (entry.event != "key.destroyed") continue;
    for (const Json& key : entry.details.at("keys").as_array()) {
      ids.emplace_back(key.as_string());
    }
  }
  return ids;
}

/// Told without the inventory: which keys lie in records, and what the logs say of them.
inline std::map<std::string, KeyState> truth(AgentBox& box) {
  return box.look([](Host& host) {
    std::map<std::string, KeyState> keys;
    std::set<std::string> current, next;
    for (const std::string& subject : host.list("log")) {
      const auto view = ledger::stored_view(host, subject);
      if (!view.has_value()) continue;
      current.insert(view->current.keys.k.begin(), view->current.keys.k.end());
      next.insert(view->current.next.kd.begin(), view->current.next.kd.end());
    }
    for (const std::string& id : host.list("own-key")) {
      keys[*node::key_in_record({"own-key", id})] = KeyState::active;
    }
    for (const auto& item : protocol::list_vault(host)) {
      const bool waits =
          item.use == protocol::VaultUse::log_recovery ||
          (item.use == protocol::VaultUse::log_next && next.contains(ledger::key_digest(item.id)));
      keys[item.id] = waits                                      ? KeyState::pre_active
                      : item.use == protocol::VaultUse::log_next ? KeyState::deactivated
                                                                 : KeyState::active;
    }
    for (const std::string& id : host.list("log-key")) {
      keys[id] = current.contains(id) ? KeyState::active : KeyState::pre_active;
    }
    for (const char* id : {"vault", "audit"}) {
      if (host.get({"meta", id})) keys[id] = KeyState::active;
    }
    for (const std::string& id : host.list("share")) keys["share-" + id] = KeyState::active;
    if (host.get({"recovery-record", "set"})) keys["backup"] = KeyState::active;
    return keys;
  });
}

inline void expect_whole(AgentBox& box, const std::string& when) {
  std::map<std::string, KeyState> listed;
  for (const NamedKeyInfo& key : held(box)) listed[key.id] = key.info.state;
  const auto true_ones = truth(box);
  for (const auto& [id, state] : true_ones) {
    ASSERT_TRUE(listed.contains(id)) << when << ": " << id << " is not listed";
    EXPECT_EQ(crypto::key_state_name(listed[id]), crypto::key_state_name(state))
        << when << ": " << id;
  }
  for (const auto& [id, state] : listed) {
    EXPECT_TRUE(true_ones.contains(id)) << when << ": " << id << " is held by nothing";
  }
}

/// What the shell or a commit adds to records shows at the next start.
inline void expect_whole_after_start(AgentBox& box, const std::string& when) {
  box.restart();
  expect_whole(box, when);
}

/// Two people who reach each other.
struct TwoPeople {
  test::Network net{11};
  AgentBox& alice = net.add("alice", person());
  AgentBox& bob = net.add("bob", person());

  static test::MakeModules person() {
    return test::modules<ledger::Connection, protocol::BasicMessage, node::KeyModule>();
  }
  void connect() {
    const auto made = alice.command("invite");
    ASSERT_TRUE(made.has_value()) << made.error().detail;
    ASSERT_TRUE(bob.command("accept", {{"url", text_or_empty(*made, "url")}, {"name", "Alice"}}));
    net.run_for(std::chrono::hours{24 * 8});  // Until the invitation has expired.
    ASSERT_EQ(contact(bob).state, ContactState::connected);
  }
  static Contact contact(AgentBox& box) {
    return box.look([](Host& host) { return protocol::list_contacts(host).at(0); });
  }
  /// Whether a text of `from` arrives.
  bool reaches(AgentBox& from, AgentBox& to) {
    const std::size_t before = to.notices("message").size();
    const auto sent = from.command("send", {{"contact", contact(from).id}, {"text", "hello"}});
    if (!sent.has_value()) return false;
    net.run_for(std::chrono::minutes{1});
    return to.notices("message").size() == before + 1;
  }
  static std::string only(AgentBox& box, KeyPurpose purpose) {
    const auto keys = of_kind(box, purpose);
    EXPECT_EQ(keys.size(), 1U);
    return keys.empty() ? "" : keys.front().id;
  }
};

}  // namespace kith::recovery::testing
