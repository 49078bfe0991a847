// coordinate-mediation 2.0 and 3.0 against a mediator, by a client that is no Kith: it knows the
// routing DID and the published protocol, nothing else. And whom the mediator lets in.

#include "protocol/mediation.hpp"

#include <gtest/gtest.h>

#include "protocol/mailbox.hpp"
#include "protocol/pickup.hpp"
#include "tests/ledger/mediation_lab.hpp"

namespace kith {
namespace {

using ledger::Connection;
using protocol::Admission;
using protocol::MediationPolicy;
using protocol::Pickup;
using protocol::PickupPace;
using test::AgentBox;
using test::Heard;
using test::kSoon;
using test::kV2;
using test::kV3;

class MediationTest : public test::MediationLab {};

TEST_F(MediationTest, CoordinateMediation2GrantsOneRoutingDid) {
  AgentBox& box = stranger("foreign");
  const Heard grant = ask(box, std::string(kV2) + "mediate-request");
  EXPECT_EQ(grant.type, std::string(kV2) + "mediate-grant");
  EXPECT_EQ(grant.body.at("routing_did").get_string(), routing_did());
}

TEST_F(MediationTest, CoordinateMediation3GrantsAListOfRoutingDids) {
  AgentBox& box = stranger("foreign");
  const Heard grant = ask(box, std::string(kV3) + "mediate-request");
  EXPECT_EQ(grant.type, std::string(kV3) + "mediate-grant");
  ASSERT_EQ(grant.body.at("routing_did").get_array().size(), 1u);
  EXPECT_EQ(grant.body.at("routing_did").at(0).get_string(), routing_did());
}

TEST_F(MediationTest, CoordinateMediation2KeylistUpdateAndQueryAnswerAsWritten) {
  AgentBox& box = stranger("foreign");
  ask(box, std::string(kV2) + "mediate-request");
  const std::string type = std::string(kV2) + "keylist-update";
  const Heard added = ask(box, type, update("did:example:one"));
  EXPECT_EQ(added.type, std::string(kV2) + "keylist-update-response");
  EXPECT_EQ(result_of(added), "success");
  EXPECT_EQ(result_of(ask(box, type, update("did:example:one"))), "no_change");
  EXPECT_EQ(result_of(ask(box, type, update("no did"))), "client_error");
  EXPECT_EQ(result_of(ask(box, type, update("did:example:one", "turn"))), "client_error");
  const Heard list = ask(box, std::string(kV2) + "keylist-query");
  EXPECT_EQ(list.type, std::string(kV2) + "keylist");
  ASSERT_EQ(list.body.at("keys").get_array().size(), 1u);
  EXPECT_EQ(list.body.at("keys").at(0).at("recipient_did").get_string(), "did:example:one");
  EXPECT_FALSE(list.body.contains("pagination"));
  EXPECT_EQ(result_of(ask(box, type, update("did:example:one", "remove"))), "success");
  EXPECT_EQ(result_of(ask(box, type, update("did:example:one", "remove"))), "no_change");
}

TEST_F(MediationTest, CoordinateMediation3RecipientQueryPaginates) {
  AgentBox& box = stranger("foreign");
  ask(box, std::string(kV3) + "mediate-request");
  for (int i = 0; i < 5; ++i) {
    ask(box, std::string(kV3) + "recipient-update", update("did:example:" + std::to_string(i)));
  }
  const auto page = [&](std::int64_t limit, std::int64_t offset) {
    return ask(box, std::string(kV3) + "recipient-query",
               {{"paginate", JsonObject{{"limit", limit}, {"offset", offset}}}});
  };
  const Heard second = page(2, 2);
  EXPECT_EQ(second.type, std::string(kV3) + "recipient");
  ASSERT_EQ(second.body.at("dids").get_array().size(), 2u);
  EXPECT_EQ(second.body.at("dids").at(0).at("recipient_did").get_string(), "did:example:2");
  EXPECT_EQ(second.body.at("pagination"),
            (Json(JsonObject{{"count", 2}, {"offset", 2}, {"remaining", 1}})));
  const Heard beyond = page(2, 99);
  EXPECT_TRUE(beyond.body.at("dids").get_array().empty());
  EXPECT_EQ(beyond.body.at("pagination").at("remaining").to_number<int>(), 0);
  EXPECT_TRUE(page(0, 0).type.empty());  // Refused.
  EXPECT_TRUE(page(2, -1).type.empty());
}

TEST_F(MediationTest, WhoDidNotAskForMediationRegistersNothing) {
  AgentBox& box = stranger("foreign");
  EXPECT_TRUE(
      ask(box, std::string(kV3) + "recipient-update", update("did:example:x")).type.empty());
  EXPECT_FALSE(
      relay().look([](Host& h) { return !protocol::clients_for(h, "did:example:x").empty(); }));
}

TEST_F(MediationTest, ASecondClientGetsNoDidOfTheFirst) {
  AgentBox& one = stranger("one");
  AgentBox& two = stranger("two");
  ask(one, std::string(kV3) + "mediate-request");
  ask(two, std::string(kV2) + "mediate-request");
  EXPECT_EQ(result_of(ask(one, std::string(kV3) + "recipient-update", update("did:example:x"))),
            "success");
  EXPECT_EQ(result_of(ask(two, std::string(kV2) + "keylist-update", update("did:example:x"))),
            "client_error");
  EXPECT_EQ(
      result_of(ask(two, std::string(kV2) + "keylist-update", update("did:example:x", "remove"))),
      "client_error");
}

TEST_F(MediationTest, AllowListDeniesWithASentenceUntilTheOperatorListsTheDid) {
  policy_.admission = Admission::allow_list;
  AgentBox& box = stranger("foreign");
  const Heard denied = ask(box, std::string(kV3) + "mediate-request");
  EXPECT_EQ(denied.type, std::string(kV3) + "mediate-deny");
  EXPECT_NE(std::string(denied.body.at("comment").get_string()).find(dids_["foreign"]),
            std::string::npos);
  change_policy([&](MediationPolicy& policy) { policy.allowed = {dids_["foreign"]}; });
  EXPECT_EQ(ask(box, std::string(kV3) + "mediate-request").type,
            std::string(kV3) + "mediate-grant");
  EXPECT_EQ(result_of(ask(box, std::string(kV3) + "recipient-update", update("did:example:x"))),
            "success");
  // Taken off again: nothing new is registered.
  change_policy([&](MediationPolicy& policy) { policy.allowed.clear(); });
  EXPECT_EQ(result_of(ask(box, std::string(kV3) + "recipient-update", update("did:example:y"))),
            "client_error");
}

TEST_F(MediationTest, InvitedClosesThePublicInvitationAndTakesTheOperators) {
  policy_.admission = Admission::invited;
  EXPECT_EQ(ask(stranger("foreign"), std::string(kV3) + "mediate-request").type,
            std::string(kV3) + "mediate-deny");
  const auto open = relay().command("mediator-invitation");
  ASSERT_FALSE(open.has_value());
  EXPECT_EQ(open.error(), Errc::refused);

  const auto invitation = relay().command("invite", {{"client", true}, {"name", "alice"}});
  ASSERT_TRUE(invitation.has_value()) << invitation.error().detail;
  AgentBox& alice = net_.add("alice",
                             [] {
                               test::Modules all;
                               all.push_back(std::make_unique<Connection>());
                               all.push_back(std::make_unique<Pickup>(PickupPace{}));
                               return all;
                             },
                             {.has_address = false});
  ASSERT_TRUE(alice.command("accept", {{"url", std::string(invitation->at("url").get_string())}})
                  .has_value());
  EXPECT_TRUE(net_.run_until(
      [&] { return alice.look([](Host& h) {
              return h.get({"meta", "mediator"}).has_value();
            }); },
      kSoon));
}

TEST_F(MediationTest, ThePublicInvitationIsClosedToWhoKeptItsUrl) {
  const auto invitation = relay().command("mediator-invitation");
  ASSERT_TRUE(invitation.has_value());
  change_policy([](MediationPolicy& policy) { policy.admission = Admission::invited; });
  AgentBox& late = net_.add("late",
                            [] {
                              test::Modules all;
                              all.push_back(std::make_unique<Connection>());
                              all.push_back(std::make_unique<Pickup>(PickupPace{}));
                              return all;
                            },
                            {.has_address = false});
  ASSERT_TRUE(late.command("accept", {{"url", std::string(invitation->at("url").get_string())}})
                  .has_value());
  const auto granted = [&] {
    return late.look([](Host& h) { return h.get({"meta", "mediator"}).has_value(); });
  };
  EXPECT_FALSE(net_.run_until(granted, std::chrono::minutes{5}));
}

TEST_F(MediationTest, OnlyAMediatorInvitesClients) {
  AgentBox& person = net_.add("person", test::modules<Connection>());
  EXPECT_EQ(person.command("invite", {{"client", true}}).error(), Errc::wrong_state);
  EXPECT_EQ(person.command("invite", {{"client", "yes"}}).error(), Errc::usage);
}

TEST_F(MediationTest, WhatIsStoredIsCountedForAllAndGivenBack) {
  policy_.total = {3, 1000, 3};
  policy_.client = {2, 1000, 2};
  const auto total = [&] { return relay().look([](Host& h) { return protocol::total_use(h); }); };
  relay().edit([](Host& host) {
    const auto put = [&](const char* client) {
      return protocol::put_mail(host, client, {{1, 2, 3}, "did:example:x", {}}).has_value();
    };
    EXPECT_TRUE(put("a"));
    EXPECT_TRUE(put("a"));
    EXPECT_FALSE(put("a"));  // The client's share.
    EXPECT_TRUE(put("b"));
    EXPECT_FALSE(put("b"));  // All.
    EXPECT_EQ(protocol::register_recipient(host, "a", "did:example:1"),
              protocol::Registration::success);
    EXPECT_EQ(protocol::register_recipient(host, "a", "did:example:2"),
              protocol::Registration::success);
    EXPECT_EQ(protocol::register_recipient(host, "a", "did:example:3"),
              protocol::Registration::client_error);
    EXPECT_EQ(protocol::register_recipient(host, "b", "did:example:4"),
              protocol::Registration::success);
    EXPECT_EQ(protocol::register_recipient(host, "c", "did:example:5"),
              protocol::Registration::server_error);
    return true;
  });
  EXPECT_EQ(total().messages, 3u);
  EXPECT_EQ(total().bytes, 9u);
  EXPECT_EQ(total().dids, 3u);
  relay().edit([](Host& host) {
    for (const char* client : {"a", "b"}) {
      for (const auto& mail : protocol::read_mail(host, client, {}, 10)) {
        protocol::remove_mail(host, client, mail.id);
      }
    }
    EXPECT_EQ(protocol::remove_recipient(host, "b", "did:example:4"),
              protocol::Registration::success);
    return true;
  });
  EXPECT_EQ(total().messages, 0u);
  EXPECT_EQ(total().bytes, 0u);
  EXPECT_EQ(total().dids, 2u);
}

}  // namespace
}  // namespace kith
