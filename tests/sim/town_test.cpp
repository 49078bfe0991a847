#include "sim/town.hpp"

#include <gtest/gtest.h>

namespace kith::sim {
namespace {

TownPlan with_faults(std::uint64_t seed) {
  TownPlan plan;
  plan.seed = seed;
  World scratch(seed);
  crypto::SeededRandom random = scratch.stream("faults");
  plan.faults = draw_faults(random);
  return plan;
}

/// alice and bob connect through the mediator; alice pings bob until he has answered.
struct PingRun {
  bool answered = false;
  std::string hash;
  World::Marks marks;
};

PingRun run_ping(const TownPlan& plan) {
  Town town(plan);
  SimNode& alice = town.add("alice");
  SimNode& bob = town.add("bob");
  PingRun run;
  if (!town.mediate(alice) || !town.mediate(bob) || !town.connect(alice, bob)) return run;
  const auto ping = town.ask(alice, "ping", {{"contact", "bob"}});
  EXPECT_TRUE(ping.has_value()) << ping.error().detail;
  const auto id = crypto::json_string(*ping, "id");
  for (int hour = 0; hour < 48 && !run.answered; ++hour) {
    static_cast<void>(town.ask(alice, "nudge"));
    static_cast<void>(town.ask(bob, "nudge"));
    town.world.run_for(std::chrono::hours{1});
    const auto status = town.ask(alice, "ping-status", {{"id", *id}});
    run.answered = status.has_value() && status->at("answered").as_bool();
  }
  run.hash = town.world.trace_hash();
  run.marks = town.world.marks();
  return run;
}

TEST(Town, CarriesAPingThroughTheMediatorAndBack) {
  TownPlan plan;
  const PingRun run = run_ping(plan);
  EXPECT_TRUE(run.answered);
  EXPECT_EQ(run.marks.find("network.lost"), run.marks.end());
}

TEST(Town, CarriesAPingUnderFaultsOfManyKinds) {
  World::Marks all;
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    const PingRun run = run_ping(with_faults(seed));
    EXPECT_TRUE(run.answered) << "seed " << seed;
    for (const auto& [name, times] : run.marks) all[name] += times;
  }
  for (const char* mark :
       {"network.lost", "network.answer-lost", "network.duplicated", "network.reordered",
        "network.refused", "network.offline", "node.crashed", "crash.connect"}) {
    EXPECT_GT(all[mark], 0U) << mark << " never happened";
  }
}

TEST(Town, RunsTheSameForTheSameSeed) {
  const PingRun one = run_ping(with_faults(5)), same = run_ping(with_faults(5));
  const PingRun other = run_ping(with_faults(6));
  EXPECT_FALSE(one.hash.empty());
  EXPECT_EQ(one.hash, same.hash);
  EXPECT_EQ(one.marks, same.marks);
  EXPECT_NE(one.hash, other.hash);
}

}  // namespace
}  // namespace kith::sim
