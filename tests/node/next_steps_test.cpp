#include "node/cli/next_steps.hpp"

#include <gtest/gtest.h>

namespace kith::node {
namespace {

/// Somebody for whom nothing is left to do.
Situation settled() {
  return {{{"running", true}, {"mediator", JsonObject{}}, {"connected", 6}},
          {{"state", "posted"}},
          {{"state", "ready"}},
          {{"state", "none"}}};
}

void expect_one(const Situation& situation, std::string_view command) {
  const auto steps = next_steps(situation);
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_NE(steps.front().find(command), std::string::npos) << steps.front();
}

TEST(NextSteps, AreNoneWhenAllIsSetUp) {
  EXPECT_TRUE(next_steps(settled()).empty());
}

TEST(NextSteps, LeadThroughTheSettingUp) {
  Situation now = settled();
  now.recovery["state"] = "setting-up";
  expect_one(now, "who of your trustees is missing: kith recovery status");
  now.recovery["state"] = "incomplete";
  now.recovery["drilled"] = "2026-11-22T01:00:00Z";
  expect_one(now, "still lacks: kith recovery status");
  now.recovery["state"] = "none";
  expect_one(now, "kith recovery setup");
  now.status["connected"] = 1;  // The mediator is a contact too.
  expect_one(now, "kith invite");
  now.status.erase("mediator");
  expect_one(now, "kith accept");
  now.status["public_url"] = "http://alice.example/";  // Reachable by herself.
  now.status["connected"] = 0;
  expect_one(now, "kith invite");
}

TEST(NextSteps, NameANodeThatStandsStillAndAnIdentityThatIsNotPosted) {
  Situation now = settled();
  now.status["running"] = false;
  expect_one(now, "kith run");
  now = settled();
  now.identity["state"] = "waiting-for-ledger";
  expect_one(now, "kith ledger status");
}

TEST(NextSteps, PutARecoveryBeforeEverythingElse) {
  Situation now = settled();
  now.identity["state"] = "none";
  now.recover["state"] = "collecting";
  expect_one(now, "kith recover status");
  now.recover["state"] = "recovered";
  EXPECT_TRUE(next_steps(now).empty());
}

TEST(NextSteps, AdviseNothingToAHostWithoutAnIdentity) {
  Situation host = settled();
  host.identity["state"] = "none";
  host.status.erase("mediator");
  EXPECT_TRUE(next_steps(host).empty());
}

TEST(NextSteps, OfALedgerStatusWithoutAnIdentity) {
  const auto expect = [](const std::vector<std::string>& steps, std::size_t count,
                         std::string_view first) {
    ASSERT_EQ(steps.size(), count);
    if (count == 0) return;
    EXPECT_NE(steps.front().find(first), std::string::npos) << steps.front();
  };
  const JsonObject host{{"ledger", "leveldb:x"}, {"served", false}};
  const JsonObject coming{{"state", "collecting"}};
  expect(ledger_steps({"none", {}, {}, {}}), 2, "kith ledger serve --listen");
  expect(ledger_steps({"none", host, {}, {{"state", "none"}}}), 1, "kith ledger serve --listen");
  expect(ledger_steps({"none", {{"served", true}}, {}, {}}), 0, "");
  JsonObject copy{{"replica_of", "https://l.example"}, {"following", false}};
  expect(ledger_steps({"none", host, copy, {}}), 1, "--replica-of https://l.example");
  expect(ledger_steps({"none", host, copy, coming}), 1, "kith recover status");
  copy["following"] = true;
  expect(ledger_steps({"none", host, copy, {}}), 0, "");
  expect(ledger_steps({"waiting-for-ledger", {}, {}, {}}), 1, "kith run");
}

}  // namespace
}  // namespace kith::node
