#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <vector>

#include "ledger/did_kith.hpp"
#include "ledger/identity.hpp"
#include "ledger/ledger_effects.hpp"
#include "ledger/log_history.hpp"
#include "ledger/log_store.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/memory_ledger.hpp"
#include "protocol/own_did.hpp"
#include "protocol/own_service.hpp"
#include "protocol/pickup.hpp"
#include "tests/ledger/mediation_lab.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {

/// People with identities on one ledger, and a mediator.
class PublicDid : public MediationLab {
 protected:
  static constexpr std::string_view kLedger = "https://ledger.example";
  using IdentityModule = ledger::IdentityModule;
  using LogHistory = ledger::LogHistory;
  using DidWish = protocol::pickup::DidWish;

  PublicDid() : ledger_(ledger_descriptor(), true), prover_(ledger_, ledger_signer()) {
    net_.perform = [this](AgentBox&, const protocol::Effect& effect) {
      if (ledger::ledger_of(effect) != kLedger) {
        return std::optional(protocol::EffectResult{effect.id, fail(Errc::unreachable), true});
      }
      const auto now = ledger::anchor_time(net_.now());
      return std::optional(ledger::perform_on(ledger_, effect, now, &prover_));
    };
  }
  /// Without an identity.
  AgentBox& agent(const std::string& name, bool has_address = true) {
    return net_.add(name,
                    [] {
                      Modules all;
                      all.push_back(std::make_unique<ledger::Connection>());
                      all.push_back(std::make_unique<IdentityModule>());
                      all.push_back(std::make_unique<protocol::Pickup>(
                          protocol::PickupPace{}, std::make_shared<const LogHistory>()));
                      return all;
                    },
                    {has_address, true, false});
  }
  /// With one that is on the ledger.
  AgentBox& person(const std::string& name, bool has_address = true) {
    AgentBox& box = agent(name, has_address);
    must(box.command("identity-create", {{"name", name}, {"ledger", kLedger}, {"no_vault", true}}));
    EXPECT_TRUE(run_until_posted(box)) << name;
    return box;
  }
  bool run_until_posted(AgentBox& box) {
    return net_.run_until([&] {
      return box.look([](Host& host) {
        const auto own = ledger::identity(host);
        return own && ledger::posted(host, own->did) && ledger::posted(host, own->policy);
      });
    });
  }
  void join(AgentBox& box) {
    const auto invitation = must(relay().command("mediator-invitation"));
    must(box.command("accept", {{"url", text(invitation, "url")}}));
    ASSERT_TRUE(net_.run_until([&] { return registered(box); })) << box.name();
  }
  static bool registered(AgentBox& box) {
    return box.look([](Host& host) {
      return protocol::mediator_grant(host).has_value() && protocol::all_registered(host);
    });
  }
  static std::string did_of(AgentBox& box) {
    return box.look([](Host& host) { return ledger::identity(host)->did; });
  }
  static JsonObject document_of(AgentBox& box) {
    return *must(crypto::json_object(must(box.command("did-show")), "document"));
  }
  /// The address of a public invitation, once its ledger shows what it needs.
  std::string invitation(AgentBox& box, JsonObject args = {}) {
    args["public"] = true;
    const std::string url = text(must(box.command("invite", std::move(args))), "url");
    EXPECT_TRUE(run_until_posted(box));
    return url;
  }
  void look_up(AgentBox& box, const std::string& did) {
    must(box.command("did-resolve", {{"did", did}, {"ledger", kLedger}}));
    net_.run_for(std::chrono::seconds{10});
  }
  static std::optional<Errc> accept(AgentBox& box, const std::string& url) {
    const auto accepted = box.command("accept", {{"url", url}});
    return accepted.has_value() ? std::nullopt : std::optional(accepted.error().code);
  }
  static std::vector<Contact> people(AgentBox& box) {
    auto all = box.look([](Host& host) { return protocol::list_contacts(host); });
    std::erase_if(all, [](const Contact& one) { return one.role != ContactRole::person; });
    return all;
  }
  static bool connected(AgentBox& box) {
    const auto all = people(box);
    return all.size() == 1 && all.front().state == ContactState::connected;
  }
  /// Changes our own public log: `make` gets its present view.
  static void post(AgentBox& box, const std::function<Entry(Host&, const LogView&)>& make) {
    must(box.edit([&](Host& host) -> Result<void> {
      const std::string did = ledger::identity(host)->did;
      const LogView view = must(ledger::stored_view(host, did));
      Entry entry = make(host, view);
      if (entry.sigs.empty()) must(ledger::sign_with_active(host, entry, view));
      return ledger::post_entry(host, did, entry);
    }));
  }
  static void deactivate(AgentBox& box) {
    post(box, [](Host& host, const LogView& view) {
      return must(ledger::make_deactivate(view, ledger::anchor_time(host.now())));
    });
  }
  /// Fresh keys in the document; the former ones stay in this wallet.
  static void change_document_keys(AgentBox& box) {
    post(box, [](Host& host, const LogView& view) {
      ledger::PairState shape;
      shape.agents = {must(ledger::make_pair_agent(host, view.subject))};
      Json document = ledger::pair_document(view.subject, shape);
      if (view.current.state.get_object().contains("service")) {
        document.as_object()["service"] = view.current.state.at("service");
      }
      return must(ledger::make_update(view, document, ledger::anchor_time(host.now())));
    });
  }
  static DidWish wish(AgentBox& box, const std::string& did) {
    return box.look(
        [&](Host& host) { return load<protocol::pickup::OwnDid>(host, "own-did", did)->wish; });
  }

  ledger::MemoryLedger ledger_;
  ledger::LedgerProver prover_;
};

}  // namespace kith::test
