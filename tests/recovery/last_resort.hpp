#pragma once

/// An owner whose last resort is in force: the neighbourhood of recoveries (device_world.hpp) with
/// people who hold it, and the steps of setting it up and using it.

#include <algorithm>
#include <string>
#include <vector>

#include "ledger/policy.hpp"
#include "recovery/finish.hpp"
#include "recovery/super_held.hpp"
#include "recovery/super_owner.hpp"
#include "tests/recovery/theft.hpp"

namespace kith::recovery::testing {

using namespace std::chrono_literals;

/// Windows that let a test tell before from after.
inline JsonObject super_windows() {
  return {{"delay_seconds", 600}, {"contest_seconds", 60 * 60 * 24 * 49}};
}

/// An owner with trustees t1 to t3, of whom two are enough, and h1 to h3 for the last resort.
struct LastResort : LostDevice {
  LastResort() {
    add_trustees(3);
    for (const char* name : {"h1", "h2", "h3"}) {
      AgentBox& holder = add_person(name);
      connect(owner, holder);
      holders.push_back(&holder);
    }
  }

  JsonObject super(AgentBox& box) { return *box.command("recovery-super-status"); }
  Result<JsonObject> choose(int threshold, JsonArray names) {
    return owner.command("recovery-super-setup",
                         {{"threshold", threshold}, {"holders", std::move(names)}});
  }
  static JsonArray names() { return {"h1", "h2", "h3"}; }
  std::string offer(AgentBox& holder) {
    EXPECT_TRUE(net.run_until([&] { return !offers(holder).empty(); }));
    return text_or_empty(offers(holder)[0].get_object(), "id");
  }
  std::string holder_state(const std::string& name) {
    const JsonObject reply = super(owner);
    for (const Json& row : reply.at("holders").get_array()) {
      if (text_or_empty(row.get_object(), "contact") == name) {
        return text_or_empty(row.get_object(), "state");
      }
    }
    return {};
  }
  bool all_holders(const std::string& state) {
    return std::ranges::all_of(holders,
                               [&](AgentBox* box) { return holder_state(box->name()) == state; });
  }
  void agree() {
    for (AgentBox* box : holders) {
      const auto accepted = box->command("trustee-accept", {{"id", offer(*box)}});
      ASSERT_TRUE(accepted.has_value()) << accepted.error().detail;
    }
    ASSERT_TRUE(net.run_until([&] { return all_holders("agreed"); }));
  }
  void identity_and_trustees() {
    make_identity(owner, super_windows());
    ASSERT_NO_FATAL_FAILURE(set_up(owner, trustees, 2));
    net.run_for(5min);  // Uploads of the setup itself.
  }
  void put_into_force() {
    ASSERT_TRUE(choose(2, names()).has_value());
    ASSERT_NO_FATAL_FAILURE(agree());
    const auto confirmed = owner.command("recovery-super-confirm", {}, true);
    ASSERT_TRUE(confirmed.has_value()) << confirmed.error().detail;
    ASSERT_TRUE(net.run_until([&] { return all_holders("confirmed"); }, 4h))
        << crypto::json_text(super(owner));
  }
  void all_of_it() {
    ASSERT_NO_FATAL_FAILURE(identity_and_trustees());
    ASSERT_NO_FATAL_FAILURE(put_into_force());
    before = *owner.look([](Host& host) { return ledger::identity(host); });
    net.run_for(5min);
  }
  std::vector<std::string> subjects() const { return {before.did, before.policy}; }

  /// Trustees take both logs together, and nobody objects in time.
  void taken_by_trustees(Announces announces = Announces::keys_of_theirs) {
    for (const std::string& subject : subjects()) {
      ASSERT_NO_FATAL_FAILURE(recover_as_guardians(*this, subject, announces));
    }
    net.run_for(20min);
    for (const std::string& subject : subjects()) {
      EXPECT_EQ(view_of(*this, subject).head().entry->op, ledger::Op::recover);
    }
    ASSERT_TRUE(
        net.run_until([&] { return !owner.audited("identity.foreign-entry").empty(); }, 3h));
  }

  static JsonObject ask_at(AgentBox& holder) {
    const JsonObject reply = *holder.command("trustee-requests");
    const auto& asks = reply.at("last_resort").get_array();
    return asks.empty() ? JsonObject{} : asks.back().get_object();
  }
  bool open_at(AgentBox& holder) {
    return net.run_until([&] { return text_or_empty(ask_at(holder), "state") == "open"; }, 2h);
  }
  JsonObject request(AgentBox& box) { return super(box).at("request").as_object(); }
  Result<JsonObject> sign(AgentBox& holder, const std::string& code, bool step_up = true) {
    return holder.command("trustee-approve",
                          {{"id", text_or_empty(ask_at(holder), "id")},
                           {"contact", "owner"},
                           {"code", code},
                           {"verified", "voice"}},
                          step_up);
  }
  /// The device asks, two holders sign, and it counts when the delay has run.
  void use(AgentBox& box) {
    const auto begun = box.command("recovery-super-start", {{"text", "It is me"}}, true);
    ASSERT_TRUE(begun.has_value()) << begun.error().detail;
    EXPECT_EQ(text_or_empty(*begun, "state"), "gathering");
    for (AgentBox* holder : {holders[0], holders[2]}) {
      ASSERT_TRUE(open_at(*holder)) << crypto::json_text(*holder->command("trustee-requests"))
                                    << crypto::json_text(request(box));
      const auto done = sign(*holder, text_or_empty(*begun, "code"));
      ASSERT_TRUE(done.has_value()) << done.error().detail;
      EXPECT_EQ(text_or_empty(*done, "state"), "approved");
    }
    ASSERT_TRUE(net.run_until([&] { return text_or_empty(request(box), "state") == "posted"; }))
        << crypto::json_text(request(box));
  }
  void expect_taken_back(AgentBox& box) {
    ASSERT_TRUE(net.run_until([&] { return text_or_empty(request(box), "state") == "done"; }, 2h))
        << crypto::json_text(super(box));
    const std::string agent = box.look([](Host& host) {
      return crypto::multikey(ledger::own_agent_key(host).value().public_key);
    });
    for (const std::string& subject : subjects()) {
      const auto view = view_of(*this, subject);
      EXPECT_EQ(view.head().entry->op, ledger::Op::recover);
      EXPECT_TRUE(view.head().super_quorum);
      EXPECT_FALSE(view.pending.has_value());
      EXPECT_FALSE(view.current.rec.hi.has_value());
      if (subject != before.policy) continue;
      const auto policy = ledger::parse_policy(view.current.state).value();
      ASSERT_EQ(policy.agents.size(), 1U);
      EXPECT_EQ(policy.agents[0].key, agent);
    }
    EXPECT_EQ(text_or_empty(super(box), "state"), "used-up");
  }

  std::vector<AgentBox*> holders;
};

/// A holder's signatures under what it is asked for, whether its person wants that or not.
inline SuperSignature forced_signature(AgentBox& holder) {
  return holder.look([&](Host& host) {
    const SuperHeld held = all_held(host)[0];
    const SuperAsk ask = find_ask(host, held).value();
    const SealedKey vault = protocol::open_vault(host, holder.step_up()).value();
    SuperSignature signature{ask.request_id, {}};
    for (const Bytes& blob : ask.entries) {
      ledger::Entry entry = ledger::parse_entry(blob).value();
      const auto log = entry.id == held.told.did ? kDidLog : kPolicyLog;
      const KeyPair pair = protocol::open_vault_item(host, vault, held.key_of(log)).value();
      EXPECT_TRUE(ledger::add_signature(entry, pair, host.keys()).has_value());
      signature.signatures.push_back(
          {ledger::entry_hash(entry), held.key_of(log), entry.sigs.front().s});
    }
    return signature;
  });
}

/// A message as the program of `box` would never send it.
template <class Body>
void tell(AgentBox& box, const std::string& to, std::string_view protocol, std::string_view name,
          const Body& body) {
  box.edit([&](Host& host) {
    const Contact contact = protocol::contact_named(host, to).value();
    EXPECT_TRUE(send_super(host, contact, protocol, name, body).has_value());
    return 0;
  });
}

/// Two holders have turned against the owner: they recover the log behind its entry `fork` (absent:
/// its head) to keys of their own.
inline void recover_as_holders(LastResort& world, const std::string& subject,
                               std::optional<std::uint64_t> fork = {}) {
  const std::string_view log = subject == world.before.did ? kDidLog : kPolicyLog;
  const auto view = view_of(world, subject);
  ledger::Entry entry = world.owner.look([&](Host& host) {
    const auto keys = ledger::generate_log_keys(host.keys(), host.random()).value();
    ledger::LogContent content =
        ledger::make_content(keys, view.current.ledgers, view.current.state);
    content.rec.delay = view.current.rec.delay;
    content.rec.contest = view.current.rec.contest;
    const SuperSet set = super_sets(host).back();
    return ledger::make_recover(view, fork.value_or(view.n()), set.opening_of(log)->reveal(),
                                content, ledger::anchor_time(world.net.now()))
        .value();
  });
  for (AgentBox* holder : {world.holders[0], world.holders[1]}) {
    holder->look([&](Host& host) {
      const SealedKey vault = protocol::open_vault(host, holder->step_up()).value();
      const std::string key = all_held(host)[0].key_of(log);
      const KeyPair pair = protocol::open_vault_item(host, vault, key).value();
      EXPECT_TRUE(ledger::add_signature(entry, pair, host.keys()).has_value());
      return 0;
    });
  }
  ASSERT_NO_FATAL_FAILURE(post(world, subject, ledger::entry_blob(entry)));
}

}  // namespace kith::recovery::testing
