#pragma once

#include <string>
#include <vector>

#include "ledger/log_store.hpp"
#include "ledger/microledger.hpp"
#include "protocol/mail_route.hpp"
#include "protocol/mailbox.hpp"
#include "protocol/pickup.hpp"
#include "protocol/recipient_proof.hpp"
#include "tests/ledger/mediation_lab.hpp"

namespace kith::test {

/// A mediator, clients that are no Kith, and proofs of DIDs by keys that any of them may hold.
class ProofLab : public MediationLab {
 protected:
  /// Kith's own client, without the parts that have nothing to do with mail.
  AgentBox& person(const std::string& name, const protocol::PickupPace& pace = {}) {
    return net_.add(name,
                    [pace] {
                      Modules all;
                      all.push_back(std::make_unique<ledger::Connection>());
                      all.push_back(std::make_unique<protocol::Pickup>(
                          pace, std::make_shared<const ledger::LogHistory>()));
                      return all;
                    },
                    {.has_address = false});
  }
  void join(AgentBox& box) {
    const auto invitation = relay().command("mediator-invitation");
    ASSERT_TRUE(invitation.has_value());
    const std::string url(invitation->at("url").get_string());
    ASSERT_TRUE(box.command("accept", {{"url", url}}).has_value());
    ASSERT_TRUE(net_.run_until([&] { return registered(box); }, kSoon)) << box.name();
  }
  static bool registered(AgentBox& box) {
    return box.look([](Host& host) {
      return host.get({"meta", "mediator"}).has_value() && protocol::all_registered(host);
    });
  }
  /// A client that is no Kith, let in.
  AgentBox& client(const std::string& name) {
    AgentBox& box = stranger(name);
    EXPECT_EQ(ask(box, std::string(kV3) + "mediate-request").type,
              std::string(kV3) + "mediate-grant");
    return box;
  }
  /// A DID whose keys `box` holds.
  std::string make_did(AgentBox& box) {
    return box.edit([](Host& host) { return ledger::make_one_time_did(host, {})->text(); });
  }
  /// A DID with a log, whose keys `box` holds.
  std::string make_logged_did(AgentBox& box) {
    return box.edit([](Host& host) { return ledger::new_pair_log(host, {})->did; });
  }
  protocol::ProofEnds ends(AgentBox& client) {
    return {*Did::parse(routing_did()), *Did::parse(dids_.at(client.name()))};
  }
  /// A proof that `did` is of `client`, by keys that `holder` has.
  protocol::RecipientProof proof(AgentBox& holder, const std::string& did, AgentBox& client) {
    const protocol::ProofEnds both = ends(client);
    return holder.look([&](Host& host) {
      const ledger::LogHistory history;
      return *protocol::prove_recipient(host, &history, *Did::parse(did), both);
    });
  }
  std::string add(AgentBox& client, const std::string& did) {
    return result_of(ask(client, std::string(kV3) + "recipient-update", update(did)));
  }
  std::string add(AgentBox& client, const std::string& did, const Json& proof,
                  const std::string& type = std::string(kV3) + "recipient-update") {
    JsonObject item{{"recipient_did", did}, {"action", "add"}, {"kith_proof", proof}};
    return result_of(ask(client, type, {{"updates", JsonArray{std::move(item)}}}));
  }
  std::string add(AgentBox& client, const std::string& did, const protocol::RecipientProof& proof) {
    return add(client, did, protocol::encode_body(proof));
  }
  std::string add_proven(AgentBox& client, const std::string& did) {
    return add(client, did, proof(client, did, client));
  }
  /// Whose DID it is for the mediator: the names of its clients here with "+" between, or "".
  std::string owner_of(const std::string& did) {
    return relay().look([&](Host& host) {
      std::string owners;
      for (const std::string& id : protocol::clients_for(host, did)) {
        const auto contact = protocol::find_contact(host, id);
        if (contact) owners += (owners.empty() ? "" : "+") + name_of(contact->their_did);
      }
      return owners;
    });
  }
  std::string name_of(const std::string& client_did) {
    for (const auto& [name, own] : dids_) {
      if (own == client_did) return name;
    }
    return "a person";
  }
  std::string id_of(AgentBox& client) {
    return relay().look([&](Host& host) -> std::string {
      for (const Contact& contact : protocol::list_contacts(host)) {
        if (contact.their_did == dids_.at(client.name())) return contact.id;
      }
      return "";
    });
  }
  void put(AgentBox& client, const std::string& did, const Bytes& envelope, Time held = {}) {
    const std::string id = id_of(client);
    relay().edit([&](Host& host) {
      EXPECT_TRUE(protocol::put_mail(host, id, {envelope, did, {}, held}).has_value());
      return true;
    });
  }
  std::vector<Bytes> mail_of(AgentBox& client) {
    const std::string id = id_of(client);
    return relay().look([&](Host& host) {
      std::vector<Bytes> envelopes;
      for (auto& one : protocol::read_mail(host, id, {}, 100)) {
        envelopes.push_back(std::move(one.mail.envelope));
      }
      return envelopes;
    });
  }
  protocol::MailboxState box_of(AgentBox& client) {
    const std::string id = id_of(client);
    return relay().look([&](Host& host) { return protocol::mailbox_state(host, id); });
  }
  /// Of the first client that has the DID.
  std::optional<protocol::RecipientClaim> claim(const std::string& did) {
    return relay().look([&](Host& host) -> std::optional<protocol::RecipientClaim> {
      const auto clients = protocol::clients_for(host, did);
      if (clients.empty()) return std::nullopt;
      return protocol::claim_of(host, clients.front(), did);
    });
  }
  void later(std::chrono::minutes time = std::chrono::minutes{1}) { net_.run_for(time); }
};

}  // namespace kith::test
