// Whom a mediator serves and how much it keeps, decided on plain data.

#include "protocol/mediation_policy.hpp"

#include <gtest/gtest.h>

namespace kith {
namespace {

using protocol::Admission;
using protocol::Applicant;
using protocol::MailUse;
using protocol::MediationPolicy;

constexpr const char* kDid = "did:example:alice";

TEST(MediationPolicy, OpenLetsEverybodyInUntilThereAreTooManyClients) {
  MediationPolicy policy;
  policy.clients_max = 2;
  EXPECT_TRUE(may_enter(policy, {kDid, false, false}, {0, 0, 0, 1}).has_value());
  const auto full = may_enter(policy, {kDid, false, false}, {0, 0, 0, 2});
  ASSERT_FALSE(full.has_value());
  EXPECT_EQ(full.error(), Errc::storage_full);
  EXPECT_TRUE(may_enter(policy, {kDid, true, false}, {0, 0, 0, 2}).has_value());  // In already.
}

TEST(MediationPolicy, InvitedLetsInWhomTheOperatorInvitedOrServedBefore) {
  MediationPolicy policy;
  policy.admission = Admission::invited;
  EXPECT_TRUE(may_enter(policy, {kDid, false, true}, {}).has_value());
  EXPECT_TRUE(may_enter(policy, {kDid, true, false}, {}).has_value());
  const auto stranger = may_enter(policy, {kDid, false, false}, {});
  ASSERT_FALSE(stranger.has_value());
  EXPECT_EQ(stranger.error(), Errc::refused);
  EXPECT_NE(stranger.error().detail.find("invitation"), std::string::npos);
}

TEST(MediationPolicy, AllowListLetsInListedDidsAloneAndSaysWhichDidToList) {
  MediationPolicy policy;
  policy.admission = Admission::allow_list;
  policy.allowed = {"did:example:bob", kDid};
  EXPECT_TRUE(may_enter(policy, {kDid, false, false}, {}).has_value());
  EXPECT_TRUE(still_served(policy, kDid));
  policy.allowed.pop_back();
  const auto taken_off = may_enter(policy, {kDid, true, true}, {});
  ASSERT_FALSE(taken_off.has_value());
  EXPECT_NE(taken_off.error().detail.find(kDid), std::string::npos);
  EXPECT_FALSE(still_served(policy, kDid));
  policy.admission = Admission::invited;
  EXPECT_TRUE(still_served(policy, kDid));
}

TEST(MediationPolicy, MailIsRefusedBeyondTheShareOfAClientOrOfAll) {
  MediationPolicy policy;
  policy.client = {2, 100, 1};
  policy.total = {3, 150, 2};
  EXPECT_TRUE(may_store(policy, {1, 40, 0, 0}, {2, 90, 0, 0}, 60).has_value());
  EXPECT_FALSE(may_store(policy, {2, 40, 0, 0}, {2, 40, 0, 0}, 1).has_value());
  EXPECT_FALSE(may_store(policy, {1, 40, 0, 0}, {1, 40, 0, 0}, 61).has_value());
  EXPECT_FALSE(may_store(policy, {0, 0, 0, 0}, {3, 40, 0, 0}, 1).has_value());
  EXPECT_FALSE(may_store(policy, {0, 0, 0, 0}, {1, 100, 0, 0}, 51).has_value());
  // More than the share alone, and numbers near the end of their range, must not wrap around.
  EXPECT_FALSE(may_store(policy, {0, 0, 0, 0}, {}, 101).has_value());
  EXPECT_FALSE(may_store(policy, {0, 0, 0, 0}, {}, ~std::uint64_t{0}).has_value());
}

TEST(MediationPolicy, DidsAreRefusedBeyondTheShareOfAClientOrOfAll) {
  MediationPolicy policy;
  policy.client.dids = 1;
  policy.total.dids = 2;
  EXPECT_TRUE(may_register(policy, {0, 0, 0, 0}, {0, 0, 1, 0}).has_value());
  EXPECT_EQ(may_register(policy, {0, 0, 1, 0}, {0, 0, 1, 0}).error(), Errc::limit_exceeded);
  EXPECT_EQ(may_register(policy, {0, 0, 0, 0}, {0, 0, 2, 0}).error(), Errc::storage_full);
}

}  // namespace
}  // namespace kith
