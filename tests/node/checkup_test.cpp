// What `kith doctor` says of the facts that it finds.

#include "node/cli/checkup.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace kith::node {
namespace {

using Level = Finding::Level;

/// Somebody with whom all is well, but for what nobody can mend yet.
struct Facts {
  HomeFacts home{"/home/alice/kith", "", "", {}, true};
  MachineFacts machine{true, false, false, true, std::uint64_t{1} << 30, ""};
  NodeFacts node{true,
                 "1.2",
                 {{{"version", "1.2"}, {"mediator", JsonObject{}}, {"mail_registered", true}},
                  {{"state", "posted"}},
                  {{"state", "ready"}},
                  {}},
                 ""};
};

std::vector<Finding> findings(const Facts& facts) {
  return examine(facts.home, facts.machine, facts.node);
}

Finding about(const Facts& facts, std::string_view check) {
  const auto all = findings(facts);
  const auto found = std::ranges::find(all, check, &Finding::check);
  return found == all.end() ? Finding{} : *found;
}

/// One fact goes wrong: that check alone says so, with what to do next.
void expect(const Facts& facts, std::string_view check, Level level, std::string_view next) {
  for (const Finding& finding : findings(facts)) {
    if (finding.check == check) {
      EXPECT_EQ(finding.level, level) << check;
      EXPECT_NE(finding.next.find(next), std::string::npos) << finding.next;
    } else if (finding.check != "trustees together") {
      EXPECT_EQ(finding.level, Level::good) << finding.check;
    }
  }
  EXPECT_EQ(about(facts, check).check, check) << "it was not looked at";
}

TEST(Checkup, NamesAnAlgorithmThatComputesWrongly) {
  Facts facts;
  facts.machine.wrong_algorithm = "SHA-512";
  expect(facts, "cryptography", Level::problem, "install Kith anew");
  EXPECT_NE(about(facts, "cryptography").found.find("SHA-512"), std::string::npos);
}

TEST(Checkup, FindsNothingWhereAllIsWell) {
  const auto all = findings(Facts{});
  EXPECT_GE(all.size(), 10U);
  for (const Finding& finding : all) {
    EXPECT_NE(finding.level, Level::problem) << finding.check;
    EXPECT_FALSE(finding.found.empty()) << finding.check;
    EXPECT_EQ(finding.next.empty(), finding.level == Level::good) << finding.check;
  }
}

TEST(Checkup, SaysWhatTrusteesTogetherCouldDo) {
  EXPECT_EQ(about(Facts{}, "trustees together").level, Level::advice);
  Facts none;
  none.node.situation.recovery["state"] = "none";
  EXPECT_EQ(about(none, "trustees together").check, "") << "there are none";
  Facts contested;
  contested.node.situation.recovery["super_quorum"] = "in-force";
  EXPECT_EQ(about(contested, "trustees together").level, Level::good);
  contested.node.situation.recovery["super_quorum"] = "setting-up";
  EXPECT_EQ(about(contested, "trustees together").level, Level::advice);
}

TEST(Checkup, NamesTheOneThingOfTheHomeThatIsWrong) {
  Facts facts;
  facts.home.broken = "The home was made by a newer Kith.";
  facts.home.mend = "Use the newer program.";
  expect(facts, "home", Level::problem, "Use the newer program.");
  facts = {};
  facts.home.open_files = {"keystore"};
  expect(facts, "permissions", Level::problem, "chmod -R go-rwx /home/alice/kith");
  facts = {};
  facts.home.has_passphrase = false;
  expect(facts, "passphrase", Level::advice, "kith init");
}

TEST(Checkup, TakesAKeyFileAsRightForAServer) {
  Facts server;
  server.home.has_passphrase = false;
  server.node.situation = {{{"version", "1.2"}}, {{"state", "none"}}, {{"state", "none"}}, {}};
  for (const Finding& finding : findings(server))
    EXPECT_EQ(finding.level, Level::good) << finding.check;
}

TEST(Checkup, AsksTheRunningNodeOfThePassphrase) {
  Facts facts;
  facts.home.has_passphrase.reset();
  EXPECT_EQ(about(facts, "passphrase").check, "") << "nobody knows";
  facts.node.situation.status["passphrase"] = true;
  EXPECT_EQ(about(facts, "passphrase").level, Level::good);
  facts.node.situation.status["passphrase"] = false;
  EXPECT_EQ(about(facts, "passphrase").level, Level::advice);
}

TEST(Checkup, NamesTheOneThingOfTheMachineThatIsWrong) {
  Facts facts;
  facts.machine.memory_locked = false;
  expect(facts, "secret memory", Level::problem, "ulimit -l");
  facts = {};
  facts.machine.dumps = true;
  expect(facts, "core dumps", Level::problem, "ulimit -c 0");
  facts = {};
  facts.machine.clock_kept = false;
  expect(facts, "clock", Level::advice, "timedatectl");
  facts.machine.clock_kept.reset();
  EXPECT_EQ(about(facts, "clock").check, "") << "the system does not say";
  facts = {};
  facts.machine.free_bytes = kFreeBytesWanted - 1;
  expect(facts, "free space", Level::problem, "Make room");
  facts.machine.free_bytes = kFreeBytesWanted;
  EXPECT_EQ(about(facts, "free space").level, Level::good);
}

TEST(Checkup, NamesTheOneThingOfTheNodeThatIsWrong) {
  Facts facts;
  facts.node.program_version = "1.3";
  expect(facts, "node", Level::advice, "Start the node again");
  facts = {};
  facts.node.audit_broken = "Entry 3 was changed.";
  expect(facts, "audit log", Level::problem, "kith audit verify");
  facts = {};
  facts.node.situation.identity["state"] = "posting";
  expect(facts, "identity", Level::problem, "kith ledger status");
  facts = {};
  facts.node.situation.status["mail_registered"] = false;
  expect(facts, "mail", Level::advice, "kith mailbox");
  facts = {};
  facts.node.situation.recovery["state"] = "incomplete";
  expect(facts, "recovery", Level::problem, "kith recovery status");
  facts.node.situation.recovery["state"] = "none";
  expect(facts, "recovery", Level::problem, "kith recovery setup");
}

TEST(Checkup, SaysThatANodeThatIsDownWasNotAsked) {
  Facts facts;
  facts.node = {};
  facts.node.program_version = "1.2";
  expect(facts, "node", Level::advice, "kith run");
  for (const char* check : {"audit log", "identity", "mail", "recovery"}) {
    EXPECT_EQ(about(facts, check).check, "") << check;
  }
}

}  // namespace
}  // namespace kith::node
