#pragma once

#include <gtest/gtest.h>

#include <functional>
#include <map>
#include <string>

#include "ledger/connection.hpp"
#include "ledger/log_history.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/mediation.hpp"
#include "protocol/mediator.hpp"
#include "protocol/messenger.hpp"
#include "tests/support/agents.hpp"

namespace kith::test {

inline constexpr const char* kV2 = "https://didcomm.org/coordinate-mediation/2.0/";
inline constexpr const char* kV3 = "https://didcomm.org/coordinate-mediation/3.0/";

struct Heard {
  std::string type;
  JsonObject body;
  template <class V>
  void visit(V& v) {
    v("type", type), v("body", body);
  }
};

/// Keeps the last answer.
class Ear final : public Module {
 public:
  std::string_view name() const override { return "ear"; }
  std::vector<std::string> message_types() const override {
    std::vector<std::string> types;
    for (const std::string prefix : {kV2, kV3}) {
      for (const char* name : {"mediate-grant", "mediate-deny", "keylist-update-response",
                               "keylist", "recipient-update-response", "recipient"}) {
        types.push_back(prefix + name);
      }
    }
    return types;
  }
  Result<void> on_message(Host& host, const Inbound& inbound) override {
    save(host, "heard", "last", Heard{inbound.message.type, inbound.message.body});
    return {};
  }
};

/// A mediator, and clients of it that are no Kith: they know the routing DID and the published
/// protocol, nothing else.
class MediationLab : public ::testing::Test {
 protected:
  AgentBox& relay() {
    if (relay_ == nullptr) {
      relay_ = &net_.add("relay", [this] {
        Modules all;
        all.push_back(std::make_unique<ledger::Connection>());
        all.push_back(std::make_unique<protocol::Mediator>(
            "https://relay.test/", policy_, std::make_shared<const ledger::LogHistory>()));
        return all;
      });
    }
    return *relay_;
  }
  /// The operator changes the configuration and starts the node again.
  void change_policy(const std::function<void(protocol::MediationPolicy&)>& change) {
    change(policy_);
    relay().restart();
  }
  std::string routing_did() {
    return relay().look(
        [](Host& host) { return load<protocol::RoutingDid>(host, "meta", "routing-did")->did; });
  }
  AgentBox& stranger(const std::string& name) {
    AgentBox& box = net_.add(name, modules<Ear>(), {.has_address = false});
    box.edit([&](Host& host) {
      const auto agree = host.keys().generate(crypto::KeyType::x25519, crypto::KeyPurpose::agree);
      const auto sign =
          host.keys().generate(crypto::KeyType::ed25519, crypto::KeyPurpose::authenticate);
      const auto did =
          protocol::make_did_peer2({{agree->public_key, protocol::KeyUse::key_agreement},
                                    {sign->public_key, protocol::KeyUse::authentication}},
                                   {});
      protocol::remember_key(host, protocol::did_peer2_kid(*did, 0), agree->sealed);
      protocol::remember_key(host, protocol::did_peer2_kid(*did, 1), sign->sealed);
      dids_[name] = did->text();
      return true;
    });
    return box;
  }
  /// What the mediator answers; an empty type: nothing.
  Heard ask(AgentBox& box, const std::string& type, JsonObject body = {}) {
    const std::string to = routing_did();
    box.edit([&](Host& host) {
      host.erase({"heard", "last"});
      Message message = protocol::new_message(type, host.random(), 0);
      message.created_time.reset();
      message.from = *Did::parse(dids_.at(box.name()));
      message.to = {*Did::parse(to)};
      message.body = std::move(body);
      protocol::SendOptions options;
      options.wants_reply = true;
      return protocol::send(host, std::move(message), options).has_value();
    });
    net_.run_for(std::chrono::seconds{10});
    return box.look(
        [](Host& host) { return load<Heard>(host, "heard", "last").value_or(Heard{}); });
  }
  static JsonObject update(const std::string& did, const std::string& action = "add") {
    return {{"updates", JsonArray{JsonObject{{"recipient_did", did}, {"action", action}}}}};
  }
  static std::string result_of(const Heard& heard) {
    return std::string(heard.body.at("updated").at(0).at("result").get_string());
  }

  Network net_{7};
  protocol::MediationPolicy policy_;
  AgentBox* relay_ = nullptr;
  std::map<std::string, std::string> dids_;
};

}  // namespace kith::test
