// Who holds which role, who holds too many, and the signed review of it.

#include <gtest/gtest.h>

#include "node/automations.hpp"
#include "node/report_module.hpp"
#include "node/role_report.hpp"
#include "tests/recovery/two_devices.hpp"
#include "tests/support/error_code.hpp"

namespace kith::node {
namespace {

using namespace std::chrono_literals;
using recovery::testing::text_or_empty;
using test::AgentBox;

std::vector<std::string> flagged(const std::vector<RoleHolder>& holders, std::uint32_t needed = 2) {
  std::vector<std::string> people;
  for (const RoleFlag& flag : role_flags(holders, needed)) people.push_back(flag.person);
  return people;
}

TEST(Roles, OnePersonWithRolesThatShouldBeApartIsFlagged) {
  using enum Role;
  const auto one = [](std::set<Role> roles) {
    return std::vector<RoleHolder>{{"1", "Ann", "1", std::move(roles)}};
  };
  EXPECT_TRUE(flagged(one({trustee})).empty());
  EXPECT_TRUE(flagged(one({mediator, ward, client})).empty());
  for (const auto& roles : {std::set<Role>{trustee, mediator},
                            {trustee, last_resort},
                            {trustee, policy_signer},
                            {trustee, own_device},
                            {mediator, own_device}}) {
    EXPECT_EQ(flagged(one(roles)), std::vector<std::string>{"Ann"});
  }
  // Several records of one person count together, two people do not.
  EXPECT_EQ(flagged({{"1", "Ann", "ann", {trustee}}, {"2", "Key", "ann", {policy_signer}}}),
            std::vector<std::string>{"Ann"});
  EXPECT_TRUE(flagged({{"1", "Ann", "ann", {trustee}}, {"2", "Bea", "bea", {mediator}}}).empty());
}

TEST(Roles, ASoleAdministratorIsFlagged) {
  const std::vector<RoleHolder> holders{{"k", "This device", "you", {Role::administrator}}};
  EXPECT_EQ(flagged(holders, 1), std::vector<std::string>{"You"});
  EXPECT_TRUE(flagged(holders, 2).empty());
  EXPECT_TRUE(flagged({}, 0).empty());
}

test::MakeModules with_reports(const recovery::testing::History& history = nullptr) {
  return [history] {
    auto all = recovery::testing::personal_modules<>(history)();
    all.push_back(std::make_unique<ReportModule>());
    return all;
  };
}

/// Somebody with an identity and a trustee.
struct Reported : recovery::testing::TwoDevices {
  AgentBox& ann = net.add("ann", with_reports(logs()), test::BoxOptions{false, true, true});
};

std::vector<std::string> roles_named(const JsonObject& reply, const std::string& name) {
  std::vector<std::string> roles;
  for (const Json& row : reply.at("people").as_array()) {
    if (text_or_empty(row.as_object(), "name") != name) continue;
    for (const Json& role : row.as_object().at("roles").as_array()) {
      roles.emplace_back(role.as_string());
    }
  }
  return roles;
}

TEST(Report, ShowsDevicesAndContactsWithTheirRoles) {
  Reported world;
  world.register_with(world.ann, world.mediator);
  world.make_identity(world.ann);
  const auto reply = world.ann.command("report-roles");
  ASSERT_TRUE(reply.has_value()) << reply.error().detail;
  EXPECT_EQ(
      roles_named(*reply, "This device"),
      (std::vector<std::string>{"administrator", "granter", "revoker", "prover", "own device"}));
  EXPECT_EQ(roles_named(*reply, "mediator"), std::vector<std::string>{"mediator"});
  EXPECT_EQ(reply->at("flags").as_array().size(), 1U) << "the sole administrator";
}

TEST(Report, AReviewIsSignedComesDueAndSeesChanges) {
  Reported world;
  world.register_with(world.ann, world.mediator);
  world.make_identity(world.ann);
  AgentBox& ann = world.ann;
  EXPECT_FALSE(ann.command("report-access")->contains("review"));
  EXPECT_EQ(test::code_of(ann.command("report-review")), Errc::step_up_required);
  EXPECT_EQ(test::code_of(ann.command("report-review", {{"days", 401}}, true)), Errc::usage);
  EXPECT_EQ(test::code_of(ann.command("report-review", {{"days", 0}}, true)), Errc::usage);
  ASSERT_TRUE(ann.command("report-review", {{"days", 1}}, true).has_value());
  const auto review = [&] { return ann.command("report-access")->at("review").as_object(); };
  EXPECT_TRUE(review().at("signed").as_bool());
  EXPECT_TRUE(review().at("unchanged").as_bool());
  EXPECT_FALSE(review().at("overdue").as_bool());
  // Every member of the statement is under the signature.
  const AccessReview good = *ann.look([](Host& host) { return access_review(host); });
  ASSERT_TRUE(check_review(good).has_value());
  for (int member = 0; member < 4; ++member) {
    AccessReview bad = good;
    if (member == 0) bad.digest[0] = bad.digest[0] == 'a' ? 'b' : 'a';
    if (member == 1) bad.at += 1s;
    if (member == 2) bad.due += 1h;
    if (member == 3) bad.signature[5] ^= 1;
    EXPECT_FALSE(check_review(bad).has_value()) << member;
  }
  // Somebody new has a role.
  world.connect(ann, world.bob);
  EXPECT_TRUE(review().at("unchanged").as_bool()) << "a contact without a role";
  ann.edit([](Host& host) {
    auto contact = protocol::contact_named(host, "bob").value();
    contact.role = ContactRole::client;
    protocol::save_contact(host, contact);
    return true;
  });
  EXPECT_FALSE(review().at("unchanged").as_bool());
  EXPECT_TRUE(ann.notices("review").empty());
  world.net.run_for(25h);
  EXPECT_TRUE(review().at("overdue").as_bool());
  EXPECT_EQ(ann.notices("review").size(), 1U);
  std::size_t noted = 0;
  for (const auto& entry : ann.all<protocol::AuditEntry>("audit")) {
    if (entry.event == "report.reviewed") ++noted;
  }
  EXPECT_EQ(noted, 1U);
}

TEST(Report, WhoNeverReviewsIsRemindedToo) {
  test::Network net{3};
  AgentBox& ann = net.add("ann", test::modules<ledger::Connection, ReportModule>());
  net.run_for(24h * (kFirstReviewDays + 1));
  EXPECT_EQ(ann.notices("review").size(), 1U);
  EXPECT_NE(automation_of("reports", "review"), nullptr);
  // Without an identity nobody can sign, and that is said.
  const auto reviewed = ann.command("report-review", {}, true);
  ASSERT_TRUE(reviewed.has_value()) << reviewed.error().detail;
  EXPECT_FALSE(reviewed->at("review").as_object().at("signed").as_bool());
}

}  // namespace
}  // namespace kith::node
