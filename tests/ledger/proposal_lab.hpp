#pragma once

/// One owner's three devices, who hold one identity whose policy asks for two of them, and a friend
/// who is a contact of the laptop. Adding a device has no command yet: the identity's records are
/// copied to the others, each with an agent key of its own.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "ledger/connection.hpp"
#include "ledger/identity.hpp"
#include "ledger/ledger_effects.hpp"
#include "ledger/log_store.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/memory_ledger.hpp"
#include "ledger/proposal_messages.hpp"
#include "ledger/proposal_module.hpp"
#include "ledger/proposal_steps.hpp"
#include "protocol/basic_message.hpp"
#include "protocol/messenger.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {

class DeviceLab : public ::testing::Test {
 protected:
  using Change = std::function<void(ledger::Policy&)>;

  explicit DeviceLab(std::uint64_t seed = 1) : net_(seed) {
    net_.perform = [this](AgentBox& box, const protocol::Effect& effect) {
      return std::optional(perform(box, effect));
    };
  }

  void SetUp() override {
    must(laptop_.command("identity-create", {{"name", "Alice"}, {"ledger", "https://l.example"}},
                         true));
    ASSERT_TRUE(net_.run_until([&] { return is_posted(laptop_); }));
    for (AgentBox* other : {&phone_, &tablet_, &friend_}) connect(laptop_, *other);
    connect(phone_, tablet_);
    const std::vector<std::string> keys = {new_agent(phone_), new_agent(tablet_)};
    must(laptop_.edit([&](Host& host) {
      return ledger::update_policy(host, [&](ledger::Policy& policy) {
        for (const std::string& key : keys) {
          policy.agents.push_back({key, ledger::auth::kOwnerAll, {}, {}});
        }
        policy.rules["admin"] = 2;
      });
    }));
    ASSERT_TRUE(net_.run_until([&] { return is_posted(laptop_); }));
    for (AgentBox* other : {&phone_, &tablet_}) share_identity(*other);
    net_.run_for(std::chrono::minutes{2});
    for (AgentBox* box : devices()) ASSERT_TRUE(box->notices("alarm").empty());
  }

  static MakeModules person() {
    return modules<ledger::Connection, protocol::BasicMessage, ledger::IdentityModule,
                   ledger::Proposals>();
  }
  std::vector<AgentBox*> devices() { return {&laptop_, &phone_, &tablet_}; }

  protocol::EffectResult perform(AgentBox& box, const protocol::Effect& effect) {
    if (!ledger_up_ || !box.online()) return {effect.id, fail(Errc::unreachable), true};
    return ledger::perform_on(ledger_, effect, ledger::anchor_time(net_.now()), &prover_);
  }

  /// Each is called by its box's name at the other.
  void connect(AgentBox& inviter, AgentBox& invitee) {
    const auto invitation = must(inviter.command("invite", {{"name", invitee.name()}}));
    must(invitee.command("accept", {{"url", text(invitation, "url")}, {"name", inviter.name()}}));
    net_.run_for(std::chrono::minutes{1});
    ASSERT_EQ(contact(inviter, invitee.name()).state, ContactState::connected);
    ASSERT_EQ(contact(invitee, inviter.name()).state, ContactState::connected);
  }
  static std::string new_agent(AgentBox& box) {
    return box.edit(
        [](Host& host) { return crypto::multikey(must(ledger::make_agent_key(host)).public_key); });
  }
  void share_identity(AgentBox& to) {
    auto own = *laptop_.look([](Host& host) { return ledger::identity(host); });
    const auto copy = [&](const std::string& subject) {
      return *laptop_.look(
          [&](Host& host) { return load<ledger::StoredLog>(host, "log", subject); });
    };
    const auto did = copy(own.did);
    const auto policy = copy(own.policy);
    to.edit([&](Host& host) {
      own.agent_key = must(ledger::own_agent_key(host)).public_key;
      save(host, "log", own.did, did);
      save(host, "log", own.policy, policy);
      ledger::save_identity(host, own);
      return true;
    });
  }

  static Contact contact(AgentBox& box, const std::string& name) {
    return box.look([&](Host& host) { return must(protocol::contact_named(host, name)); });
  }
  static std::string key_of(AgentBox& box) {
    return box.look(
        [](Host& host) { return crypto::multikey(must(ledger::own_agent_key(host)).public_key); });
  }
  std::string policy_id() {
    return laptop_.look([](Host& host) { return ledger::identity(host)->policy; });
  }
  bool is_posted(AgentBox& box) {
    return box.look([](Host& host) {
      const auto own = ledger::identity(host);
      return own && ledger::posted(host, own->did) && ledger::posted(host, own->policy);
    });
  }
  static LogView view(AgentBox& box) {
    return box.look(
        [](Host& host) { return must(ledger::stored_view(host, ledger::identity(host)->policy)); });
  }
  static ledger::Policy policy(AgentBox& box) {
    return must(ledger::parse_policy(view(box).current.state));
  }
  /// The next entry of the policy, unsigned, as `box` sees it.
  Entry next_entry(AgentBox& box, const Change& change) {
    const LogView before = view(box);
    ledger::Policy after = must(ledger::parse_policy(before.current.state));
    change(after);
    return must(
        ledger::make_update(before, ledger::policy_json(after), ledger::anchor_time(net_.now())));
  }
  static Entry signed_by(AgentBox& box, Entry entry) {
    const KeyPair key = box.look([](Host& host) { return must(ledger::own_agent_key(host)); });
    must(ledger::add_signature(entry, key, box.keys()));
    return entry;
  }
  /// Straight onto the ledger, past every device.
  void append(const Entry& entry) {
    const auto outcome = must(ledger_.append({entry.id, ledger::entry_blob(entry), entry.prev},
                                             ledger::anchor_time(net_.now())));
    ASSERT_TRUE(std::holds_alternative<ledger::Appended>(outcome));
  }
  static void rename_set(ledger::Policy& policy) { policy.set = "another"; }
  Entry some_entry(AgentBox& box) { return next_entry(box, rename_set); }

  /// A proposal as a device sends it that makes no checks of its own.
  void send_raw(AgentBox& from, AgentBox& to, const Entry& entry, std::string reason = {},
                Duration life = std::chrono::hours{1}) {
    must(from.edit([&](Host& host) {
      const Contact receiver = must(protocol::contact_named(host, to.name()));
      return ledger::send_propose(host, {receiver, {}, host.now() + life},
                                  {ledger::entry_blob(entry), std::move(reason), {}, {}});
    }));
    net_.settle();
  }
  template <class Send>
  void send_as(AgentBox& from, Send&& send) {
    must(from.edit([&](Host& host) { return send(host); }));
    net_.settle();
  }

  /// With the command; asks the two others. Returns its id.
  std::string propose(JsonObject args = {{"rule", {{"revoke", "2"}}}}) {
    if (!args.contains("to")) args["to"] = JsonArray{"phone", "tablet"};
    const auto made = laptop_.command("policy-propose", std::move(args), true);
    EXPECT_TRUE(made.has_value()) << (made.has_value() ? "" : made.error().detail);
    net_.settle();
    return made.has_value() ? text(*made, "id") : "";
  }
  static Result<JsonObject> approve(AgentBox& box, const std::string& id) {
    return box.command("policy-approve", {{"id", id}}, true);
  }
  static JsonObject shown(AgentBox& box, const std::string& id) {
    const auto listed = must(box.command("policy-proposals"));
    for (const Json& one : listed.at("proposals").get_array()) {
      if (text(one.get_object(), "id") == id) return one.get_object();
    }
    return {};
  }
  static std::string state(AgentBox& box, const std::string& id) {
    const JsonObject one = shown(box, id);
    return one.empty() ? "none" : text(one, "state");
  }
  static std::vector<std::string> texts(const JsonObject& object, std::string_view member) {
    std::vector<std::string> all;
    if (!object.contains(member)) return all;
    for (const Json& one : object.at(member).get_array()) all.emplace_back(one.get_string());
    return all;
  }
  static std::size_t count(AgentBox& box) {
    return box.look([](Host& host) { return host.list("proposal").size(); });
  }
  static std::vector<std::string> refusals(AgentBox& box) { return box.audited("message.refused"); }
  using Codes = std::vector<std::string>;

  Network net_;
  ledger::MemoryLedger ledger_{ledger_descriptor(), true};
  ledger::LedgerProver prover_{ledger_, ledger_signer()};
  bool ledger_up_ = true;
  AgentBox& laptop_ = net_.add("laptop", person());
  AgentBox& phone_ = net_.add("phone", person());
  AgentBox& tablet_ = net_.add("tablet", person());
  AgentBox& friend_ = net_.add("friend", person());
};

}  // namespace kith::test
