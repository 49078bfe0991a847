// A client whose DID the mediator gave to another client notices it by itself, and one whose
// mediator forgot something puts it right.

#include <gtest/gtest.h>

#include <algorithm>

#include "protocol/mail_route.hpp"
#include "protocol/own_did.hpp"
#include "protocol/pickup.hpp"
#include "tests/ledger/mediation_lab.hpp"

namespace kith {
namespace {

using ledger::Connection;
using protocol::Pickup;
using protocol::PickupPace;
using protocol::RecipientClaim;
using protocol::Registration;
using protocol::pickup::DidWish;
using protocol::pickup::OwnDid;
using test::AgentBox;
using test::kSoon;
using test::kV3;

constexpr std::chrono::hours kDay{24};

class LostDids : public test::MediationLab {
 protected:
  void SetUp() override {
    alice_ = &net_.add("alice",
                       [] {
                         PickupPace pace;
                         pace.idle_max = std::chrono::hours{1};  // Days pass in these tests.
                         test::Modules all;
                         all.push_back(std::make_unique<Connection>());
                         all.push_back(std::make_unique<Pickup>(
                             pace, std::make_shared<const ledger::LogHistory>()));
                         return all;
                       },
                       {.has_address = false});
    const auto invitation = relay().command("mediator-invitation");
    ASSERT_TRUE(invitation.has_value());
    const std::string url(invitation->at("url").get_string());
    ASSERT_TRUE(alice().command("accept", {{"url", url}}).has_value());
    ASSERT_TRUE(net_.run_until([&] { return settled(); }, kSoon));
    ASSERT_EQ(ask(stranger("other"), std::string(kV3) + "mediate-request").type,
              std::string(kV3) + "mediate-grant");
  }
  AgentBox& alice() { return *alice_; }
  bool settled() {
    return alice().look([](Host& host) {
      return host.get({"meta", "mediator"}).has_value() && protocol::all_registered(host);
    });
  }
  /// DIDs of Alice's, known to the mediator as proven.
  std::vector<std::string> own(std::size_t count) {
    std::vector<std::string> dids;
    alice().edit([&](Host& host) {
      for (std::size_t i = 0; i < count; ++i) {
        dids.push_back(ledger::make_one_time_did(host, {})->text());
        protocol::register_own_did(host, dids.back());
      }
      return true;
    });
    EXPECT_TRUE(net_.run_until([&] { return settled(); }, kSoon));
    return dids;
  }
  std::string client_of(const std::string& did) {
    return relay().look([&](Host& host) {
      const auto clients = protocol::clients_for(host, did);
      return clients.size() == 1 ? clients.front() : std::string();
    });
  }
  /// As when the registration lapsed, or an older backup was restored.
  void forget(const std::string& did) {
    relay().edit([&](Host& host) {
      for (const std::string& owner : protocol::clients_for(host, did)) {
        EXPECT_EQ(protocol::remove_recipient(host, owner, did), Registration::success);
      }
      return true;
    });
  }
  /// The id of the other client at the mediator.
  std::string other(Host& host) {
    for (const Contact& contact : protocol::list_contacts(host)) {
      if (contact.their_did == dids_.at("other")) return contact.id;
    }
    return {};
  }
  /// What a valid proof of the other client does.
  void take_over(const std::string& did) {
    relay().edit([&](Host& host) {
      const std::string thief = other(host);
      const auto clients = protocol::clients_for(host, did);
      RecipientClaim claim;  // By the key that she has.
      if (!clients.empty()) claim = protocol::claim_of(host, clients.front(), did).value_or(claim);
      claim.time = host.now() + std::chrono::seconds{1};
      EXPECT_EQ(protocol::register_proven(host, thief, did, {claim, {claim.key}}).result,
                Registration::success);
      return true;
    });
  }
  DidWish wish(const std::string& did) {
    return alice().look(
        [&](Host& host) { return load<OwnDid>(host, protocol::pickup::kOwnDids, did)->wish; });
  }

  AgentBox* alice_ = nullptr;
};

TEST_F(LostDids, ADidThatAnotherProvedRaisesOneAlarmAndIsNotTakenBack) {
  const auto dids = own(2);
  const std::string before = client_of(dids[0]);
  net_.run_for(2 * kDay);
  EXPECT_TRUE(alice().notices("alarm").empty()) << "all is well";

  take_over(dids[0]);
  const std::string thief = client_of(dids[0]);
  ASSERT_NE(thief, before);
  net_.run_for(kDay + std::chrono::hours{1});
  const auto alarms = alice().notices("alarm");
  ASSERT_EQ(alarms.size(), 1U);
  EXPECT_NE(alarms[0].find("another agent"), std::string::npos) << alarms[0];
  EXPECT_EQ(wish(dids[0]), DidWish::lost);
  EXPECT_EQ(wish(dids[1]), DidWish::registered);
  EXPECT_EQ(alice().audited("mail.did-lost").size(), 1U);
  net_.run_for(3 * kDay);
  EXPECT_EQ(alice().notices("alarm").size(), 1U) << "once is enough";
  EXPECT_EQ(client_of(dids[0]), thief) << "two who take it from each other would never end";
  EXPECT_EQ(client_of(dids[1]), before);
}

TEST_F(LostDids, WhatTheMediatorForgotIsProvenToItAgainWithoutAnAlarm) {
  const auto dids = own(2);
  const std::string me = client_of(dids[0]);
  forget(dids[0]);
  net_.run_for(kDay + std::chrono::hours{1});
  EXPECT_EQ(client_of(dids[0]), me);
  EXPECT_TRUE(
      relay().look([&](Host& host) { return protocol::claim_of(host, me, dids[0]).has_value(); }));
  EXPECT_EQ(wish(dids[0]), DidWish::registered);
  EXPECT_TRUE(alice().notices("alarm").empty());
}

TEST_F(LostDids, OneThatInsistsOnProofsMayForgetWithoutAnAlarm) {
  const auto dids = own(2);
  const std::string me = client_of(dids[0]);
  change_policy([](protocol::MediationPolicy& policy) { policy.require_proof = true; });
  forget(dids[0]);
  net_.run_for(kDay + std::chrono::hours{1});
  EXPECT_EQ(client_of(dids[0]), me);
  EXPECT_EQ(wish(dids[0]), DidWish::registered);
  EXPECT_TRUE(alice().notices("alarm").empty());

  forget(dids[0]);
  take_over(dids[0]);
  const std::string thief = client_of(dids[0]);
  net_.run_for(kDay + std::chrono::hours{1});
  EXPECT_EQ(wish(dids[0]), DidWish::lost);
  EXPECT_EQ(alice().notices("alarm").size(), 1U);
  EXPECT_EQ(client_of(dids[0]), thief) << "her proof gave way";
  EXPECT_EQ(wish(dids[1]), DidWish::registered);
}

TEST_F(LostDids, WhoeverTookAForgottenDidWithoutProofGivesItBackWithoutAnAlarm) {
  const auto dids = own(1);
  const std::string me = client_of(dids[0]);
  forget(dids[0]);
  relay().edit([&](Host& host) {
    EXPECT_EQ(protocol::register_recipient(host, other(host), dids[0]), Registration::success);
    return true;
  });
  net_.run_for(kDay + std::chrono::hours{1});
  EXPECT_EQ(client_of(dids[0]), me);
  EXPECT_TRUE(alice().notices("alarm").empty());
}

TEST_F(LostDids, ARefusalForWantOfRoomIsNotCalledALoss) {
  const auto dids = own(2);
  forget(dids[0]);
  change_policy([](protocol::MediationPolicy& policy) {
    policy.require_proof = true;
    policy.client.dids = 1;
  });
  net_.run_for(kDay + std::chrono::hours{1});
  EXPECT_EQ(wish(dids[0]), DidWish::refused);
  EXPECT_TRUE(alice().audited("mail.did-lost").empty());
  const auto alarms = alice().notices("alarm");
  ASSERT_EQ(alarms.size(), 1U);
  EXPECT_EQ(alarms[0].find("another agent"), std::string::npos) << alarms[0];
}

TEST_F(LostDids, AListOfSeveralPagesIsReadToItsEnd) {
  auto dids = own(230);
  net_.run_for(kDay + std::chrono::hours{1});
  EXPECT_TRUE(alice().notices("alarm").empty()) << "those of the second page are there";
  std::ranges::sort(dids);
  take_over(dids.back());
  net_.run_for(kDay + std::chrono::hours{1});
  EXPECT_EQ(wish(dids.back()), DidWish::lost);
  EXPECT_EQ(alice().notices("alarm").size(), 1U);
}

TEST_F(LostDids, NewKeysTakeItBack) {
  const auto dids = own(1);
  const std::string me = client_of(dids[0]);
  take_over(dids[0]);
  net_.run_for(kDay + std::chrono::hours{1});
  ASSERT_EQ(wish(dids[0]), DidWish::lost);
  // As when its log has grown.
  alice().edit([&](Host& host) {
    protocol::prove_own_did_again(host, dids[0]);
    return true;
  });
  ASSERT_TRUE(net_.run_until([&] { return settled(); }, kSoon));
  EXPECT_EQ(client_of(dids[0]), me);
  EXPECT_EQ(wish(dids[0]), DidWish::registered);
}

}  // namespace
}  // namespace kith
