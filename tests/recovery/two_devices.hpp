#pragma once

/// One person with two devices and a friend, for the tests of several devices.

#include <algorithm>
#include <string>
#include <vector>

#include "ledger/log_history.hpp"
#include "ledger/microledger.hpp"
#include "recovery/own_agents.hpp"
#include "tests/recovery/device_world.hpp"

namespace kith::recovery::testing {

using namespace std::chrono_literals;

/// The one that is under way, else the last.
inline JsonObject pairing_of(AgentBox& box) {
  const JsonObject reply = *box.command("agent-pairings");
  const auto& rows = reply.at("pairings").get_array();
  for (const Json& row : rows) {
    const std::string state = text_or_empty(row.get_object(), "state");
    if (state != "done" && state != "failed") return row.get_object();
  }
  return rows.empty() ? JsonObject{} : rows.back().get_object();
}

inline std::string pairing_state(AgentBox& box) {
  return text_or_empty(pairing_of(box), "state");
}

inline std::vector<std::string> texts(AgentBox& box) {
  std::vector<std::string> all;
  const JsonObject reply = *box.command("messages");
  for (const Json& text : reply.at("messages").get_array()) {
    all.push_back(text_or_empty(text.get_object(), "text"));
  }
  std::ranges::sort(all);
  return all;
}

inline bool has_text(AgentBox& box, const std::string& text) {
  const auto all = texts(box);
  return std::ranges::find(all, text) != all.end();
}

inline void say(AgentBox& from, const std::string& to, const std::string& text) {
  const auto sent = from.command("send", {{"contact", to}, {"text", text}});
  ASSERT_TRUE(sent.has_value()) << sent.error().detail;
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
    return box.look([](Host& host) { return recovery::policy_agents(host).size(); });
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

}  // namespace kith::recovery::testing
