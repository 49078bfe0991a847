#pragma once

/// A whole neighbourhood for recoveries: a mediator that keeps backups, a ledger, an owner,
/// trustees and a new device, all running their real modules over a network in memory.

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "ledger/connection.hpp"
#include "ledger/identity.hpp"
#include "ledger/ledger_effects.hpp"
#include "ledger/log_store.hpp"
#include "ledger/memory_ledger.hpp"
#include "ledger/proposal_module.hpp"
#include "node/freezer.hpp"
#include "protocol/basic_message.hpp"
#include "protocol/mediator.hpp"
#include "protocol/own_service.hpp"
#include "protocol/pickup.hpp"
#include "recovery/backup_client.hpp"
#include "recovery/backup_location.hpp"
#include "recovery/device.hpp"
#include "recovery/own_agents.hpp"
#include "recovery/owner.hpp"
#include "recovery/rotation.hpp"
#include "recovery/super_module.hpp"
#include "recovery/trustee.hpp"
#include "recovery/trustee_session.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/ledger_kit.hpp"

namespace kith::recovery::testing {

using test::AgentBox;
using test::Modules;

inline constexpr std::string_view kLedgerUrl = "https://ledger.test";

/// Worlds that live for days need not ask for mail every ten seconds.
inline constexpr protocol::PickupPace kPace{.idle_max = std::chrono::minutes{1}};

/// Sessions, Shares: the real modules, or liars in their place.
/// `history`: proves DIDs that are known by a log to the mediator; null: they go unproven.
using History = std::shared_ptr<const protocol::DidHistory>;
template <class Sessions = TrusteeSessions, class Shares = Trustee>
test::MakeModules personal_modules(const History& history = nullptr) {
  return [history] {
    Modules all;
    all.push_back(std::make_unique<ledger::Connection>());
    all.push_back(std::make_unique<protocol::Pickup>(kPace, history));
    all.push_back(std::make_unique<protocol::BasicMessage>());
    all.push_back(std::make_unique<ledger::IdentityModule>());
    all.push_back(std::make_unique<BackupClient>());
    all.push_back(std::make_unique<Owner>());
    all.push_back(std::make_unique<Rotation>());
    all.push_back(std::make_unique<OwnAgents>());
    all.push_back(std::make_unique<node::Freezer>());
    all.push_back(std::make_unique<ledger::Proposals>());
    all.push_back(std::make_unique<Shares>());
    all.push_back(std::make_unique<Sessions>());
    all.push_back(std::make_unique<Device>());
    all.push_back(std::make_unique<SuperQuorumModule>());
    return all;
  };
}

template <class Location = BackupLocation>
test::MakeModules mediator_modules(const std::string& url = "https://mediator.test/",
                                   const History& history = nullptr) {
  return [url, history] {
    Modules all;
    all.push_back(std::make_unique<ledger::Connection>());
    all.push_back(std::make_unique<protocol::Mediator>(url, protocol::MediationPolicy{}, history));
    all.push_back(std::make_unique<Location>());
    return all;
  };
}

inline std::string text_or_empty(const JsonObject& object, std::string_view member) {
  const Json* value = object.if_contains(member);
  return value != nullptr && value->is_string() ? std::string(value->get_string()) : std::string();
}

class Neighbourhood {
 public:
  explicit Neighbourhood(std::uint64_t seed = 1,
                         test::MakeModules at_mediator = mediator_modules<>(),
                         bool for_tests = true)
      : net(seed),
        test_mode(for_tests),
        mediator(net.add("mediator", std::move(at_mediator), no_vault(for_tests))) {
    ledger::LedgerDescriptor descriptor;
    descriptor.kind = "memory";
    descriptor.origin = "ledger.test";
    descriptor.key = test::LedgerKey(seed).pair.public_key;
    descriptor.urls = {std::string(kLedgerUrl)};
    log_ledger = std::make_unique<ledger::MemoryLedger>(descriptor, true);
    prover = std::make_unique<ledger::LedgerProver>(*log_ledger, test::ledger_signer(seed));
    net.perform = [this](AgentBox& box, const protocol::Effect& effect) {
      if (ledger_down || !box.online()) {
        return std::optional(
            protocol::EffectResult{effect.id, fail(Errc::unreachable, "no ledger"), true});
      }
      const auto now = ledger::anchor_time(net.now());
      return std::optional(ledger::perform_on(*log_ledger, effect, now, prover.get()));
    };
  }

  static test::BoxOptions no_vault(bool test_mode = true) {
    test::BoxOptions options;
    options.test_mode = test_mode;
    options.has_vault = false;
    return options;
  }

  /// A person's agent, connected to the mediator.
  template <class Sessions = TrusteeSessions, class Shares = Trustee>
  AgentBox& add_person(const std::string& name, bool has_vault = true) {
    test::BoxOptions options;
    options.has_address = false;
    options.has_vault = has_vault;
    options.test_mode = test_mode;
    AgentBox& box = net.add(name, personal_modules<Sessions, Shares>(history), options);
    register_with(box, mediator);
    return box;
  }
  /// `relay` keeps the mail of `box` from now on.
  void register_with(AgentBox& box, AgentBox& relay) {
    const auto invitation = relay.command("mediator-invitation");
    EXPECT_TRUE(invitation.has_value());
    const auto accepted = box.command(
        "accept",
        {{"url", text_or_empty(*invitation, "url")}, {"name", relay.name()}, {"role", "mediator"}});
    ASSERT_TRUE(accepted.has_value()) << accepted.error().detail;
    EXPECT_TRUE(net.run_until([&] {
      return box.look([&](Host& host) {
        const auto grant = protocol::mediator_grant(host);
        return grant && grant->contact_id == text_or_empty(*accepted, "contact");
      });
    }));
  }

  void connect(AgentBox& a, AgentBox& b) {
    const auto invitation = a.command("invite", {{"name", b.name()}});
    ASSERT_TRUE(invitation.has_value()) << invitation.error().detail;
    const auto accepted =
        b.command("accept", {{"url", text_or_empty(*invitation, "url")}, {"name", a.name()}});
    ASSERT_TRUE(accepted.has_value()) << accepted.error().detail;
    ASSERT_TRUE(net.run_until([&] { return connected(a, b.name()) && connected(b, a.name()); }));
  }

  static bool connected(AgentBox& box, const std::string& name) {
    return box.look([&](Host& host) {
      const auto contact = protocol::contact_named(host, name);
      return contact.has_value() && contact->state == ContactState::connected;
    });
  }

  /// `windows`: further arguments of identity-create.
  void make_identity(AgentBox& box, JsonObject windows = {}) {
    JsonObject args{{"name", box.name()}, {"ledger", kLedgerUrl}};
    for (const auto& item : windows) args[item.key()] = item.value();
    const auto made = box.command("identity-create", std::move(args), true);
    ASSERT_TRUE(made.has_value()) << made.error().detail;
    ASSERT_TRUE(net.run_until(
        [&] { return text_or_empty(*box.command("identity-status"), "state") == "posted"; }));
  }

  /// The owner's set over `trustees`, until it is in force.
  void set_up(AgentBox& owner, const std::vector<AgentBox*>& trustees, int threshold,
              JsonObject more = {}) {
    JsonArray names;
    for (AgentBox* box : trustees) names.emplace_back(boost::json::string(box->name()));
    if (!more.contains("plan")) {
      more["threshold"] = threshold;
      more["trustees"] = std::move(names);
    }
    const auto begun = owner.command("recovery-setup", std::move(more), true);
    ASSERT_TRUE(begun.has_value()) << begun.error().detail;
    for (AgentBox* box : trustees) {
      ASSERT_TRUE(net.run_until([&] { return !offers(*box).empty(); }));
      const auto accepted = box->command(
          "trustee-accept", {{"id", text_or_empty(offers(*box)[0].get_object(), "id")}});
      ASSERT_TRUE(accepted.has_value()) << accepted.error().detail;
    }
    ASSERT_TRUE(net.run_until([&] { return all_hold(owner); }, std::chrono::hours{2}))
        << crypto::json_text(*owner.command("recovery-status"));
  }
  /// In force, and every single trustee has confirmed.
  static bool all_hold(AgentBox& owner) {
    const JsonObject reply = *owner.command("recovery-status");
    for (const Json& trustee : reply.at("trustees").get_array()) {
      if (text_or_empty(trustee.get_object(), "state") != "ready") return false;
    }
    return text_or_empty(reply, "state") == "ready";
  }

  static JsonArray offers(AgentBox& box) {
    return box.command("trustee-requests")->at("offers").get_array();
  }
  /// The newest session at a trustee; empty while there is none.
  static JsonObject newest_session(AgentBox& box) {
    const JsonObject reply = *box.command("trustee-requests");
    const auto& sessions = reply.at("sessions").get_array();
    return sessions.empty() ? JsonObject{} : sessions.back().get_object();
  }
  static JsonObject status(AgentBox& device) { return *device.command("recover-status"); }
  static std::string state(AgentBox& device) { return text_or_empty(status(device), "state"); }
  /// The device's row for a trustee.
  static JsonObject row(AgentBox& device, const std::string& trustee) {
    const JsonObject reply = status(device);
    for (const Json& item : reply.at("sessions").get_array()) {
      if (text_or_empty(item.get_object(), "trustee") == trustee) return item.get_object();
    }
    return {};
  }
  static std::string step(AgentBox& device, const std::string& trustee) {
    return text_or_empty(row(device, trustee), "state");
  }

  /// Invitation, codes both ways, approval: until the trustee waits.
  void ask(AgentBox& device, AgentBox& trustee, const std::string& owner = "owner") {
    const auto invitation = trustee.command("trustee-invite", {{"contact", owner}});
    ASSERT_TRUE(invitation.has_value()) << trustee.name() << ": " << invitation.error().detail
                                        << crypto::json_text(*trustee.command("trustee-list"));
    const auto added =
        device.command("recover-add-trustee",
                       {{"url", text_or_empty(*invitation, "url")}, {"name", trustee.name()}});
    ASSERT_TRUE(added.has_value()) << added.error().detail;
    ASSERT_TRUE(net.run_until([&] {
      return step(device, trustee.name()) == "codes" &&
             !text_or_empty(newest_session(trustee), "code").empty();
    }));
    const JsonObject here = row(device, trustee.name());
    const JsonObject there = newest_session(trustee);
    const auto typed = device.command("recover-code", {{"id", text_or_empty(here, "id")},
                                                       {"code", text_or_empty(there, "code")}});
    ASSERT_TRUE(typed.has_value()) << typed.error().detail;
    ASSERT_TRUE(typed->at("code_ok").as_bool());
    const auto approved =
        trustee.command("trustee-approve", {{"id", text_or_empty(there, "id")},
                                            {"contact", owner},
                                            {"code", text_or_empty(here, "code_to_read")},
                                            {"verified", "in-person"}});
    ASSERT_TRUE(approved.has_value()) << approved.error().detail;
  }
  void ask_and_wait(AgentBox& device, AgentBox& trustee) {
    ask(device, trustee);
    ASSERT_TRUE(net.run_until([&] { return step(device, trustee.name()) == "answered"; }))
        << crypto::json_text(status(device));
  }

  /// recover-finish until it is done.
  void finish(AgentBox& device) {
    ASSERT_TRUE(net.run_until([&] { return status(device).at("can_finish").as_bool(); }))
        << crypto::json_text(status(device));
    const auto shown = device.command("recover-finish", {}, true);
    ASSERT_TRUE(shown.has_value()) << shown.error().detail;
    const auto begun = device.command("recover-finish", {}, true);
    ASSERT_TRUE(begun.has_value()) << begun.error().detail;
    ASSERT_TRUE(net.run_until([&] { return state(device) == "recovered"; }))
        << crypto::json_text(status(device));
  }

  test::Network net;
  std::unique_ptr<ledger::MemoryLedger> log_ledger;
  std::unique_ptr<ledger::LedgerProver> prover;
  bool ledger_down = false;
  bool test_mode;
  History history;  ///< Of people who are added from then on.
  AgentBox& mediator;
};

/// An owner with `count` trustees and a set in force; the owner's only device is then lost.
class LostDevice : public Neighbourhood {
 public:
  /// Without a vault, the owner's mediator and trustees are older than the identity and its vault.
  explicit LostDevice(std::uint64_t seed = 1, bool has_vault = true,
                      test::MakeModules at_mediator = mediator_modules<>(), bool for_tests = true)
      : Neighbourhood(seed, std::move(at_mediator), for_tests),
        owner(add_person("owner", has_vault)) {}

  void add_trustee(AgentBox& box) {
    connect(owner, box);
    trustees.push_back(&box);
  }
  /// People "t1", "t2", ...
  void add_trustees(int count) {
    for (int i = 1; i <= count; ++i) add_trustee(add_person("t" + std::to_string(i)));
  }
  /// `more`: of recovery-setup; `windows`: of identity-create.
  void set_up_and_lose(int threshold, JsonObject more = {}, JsonObject windows = {}) {
    make_identity(owner, std::move(windows));
    set_up(owner, trustees, threshold, std::move(more));
    lose();
  }
  void lose() {
    before = *owner.look([](Host& host) { return ledger::identity(host); });
    owner.set_online(false);
    device = &add_person("device");
    ASSERT_TRUE(device->command("recover-start").has_value());
  }

  AgentBox& owner;
  std::vector<AgentBox*> trustees;
  ledger::Identity before;
  AgentBox* device = nullptr;
};

}  // namespace kith::recovery::testing
