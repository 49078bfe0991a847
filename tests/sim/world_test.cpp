#include "sim/world.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "sim/chance.hpp"

namespace kith::sim {
namespace {

TEST(World, RunsWhatIsDueInTheOrderOfTimeThenOfAsking) {
  World world(1);
  std::string order;
  world.after(Duration{20}, [&] { order += 'c'; });
  world.after(Duration{10}, [&] {
    order += 'a';
    world.at(world.now() - Duration{5}, [&] { order += 'x'; });
  });
  world.after(Duration{10}, [&] { order += 'b'; });
  world.run_for(Duration{15});
  EXPECT_EQ(order, "abx");
  EXPECT_EQ(world.now() - world.start(), Duration{15});
  world.run_for(Duration{15});
  EXPECT_EQ(order, "abxc");
}

TEST(World, HashesTheTrace) {
  World one(1), same(1), other(1);
  for (World* world : {&one, &same}) world->trace("alice", "wakeup");
  other.trace("alice", "start");
  EXPECT_EQ(one.trace_hash(), same.trace_hash());
  EXPECT_NE(one.trace_hash(), other.trace_hash());
  const std::string before = one.trace_hash();
  one.trace("alice", "wakeup");
  EXPECT_NE(one.trace_hash(), before);
}

TEST(World, HasStreamsThatDoNotShiftEachOther) {
  World world(7);
  crypto::SeededRandom a = world.stream("a"), again = world.stream("a"), b = world.stream("b");
  static_cast<void>(b.u64());
  const std::uint64_t first = a.u64();
  EXPECT_EQ(first, again.u64());
  EXPECT_NE(first, b.u64());
  EXPECT_NE(first, World(8).stream("a").u64());
}

TEST(World, StopsWaitingAtTheLimit) {
  World world(1);
  bool done = false;
  world.after(Duration{100}, [&] { done = true; });
  EXPECT_FALSE(world.run_until([&] { return done; }, Duration{50}));
  EXPECT_TRUE(world.run_until([&] { return done; }, Duration{100}));
}

TEST(Chance, DrawsDelaysAroundTheirMean) {
  World world(3);
  crypto::SeededRandom random = world.stream("delays");
  std::int64_t sum = 0, longest = 0;
  constexpr int kDraws = 20'000;
  for (int i = 0; i < kDraws; ++i) {
    const std::int64_t delay = exponential(random, Duration{1000}).count();
    ASSERT_GE(delay, 0);
    sum += delay;
    longest = std::max(longest, delay);
  }
  EXPECT_GT(sum / kDraws, 950);
  EXPECT_LT(sum / kDraws, 1100);
  EXPECT_GT(longest, 6000);
}

TEST(Chance, KeepsToItsRates) {
  World world(3);
  crypto::SeededRandom random = world.stream("rates");
  int hits = 0;
  for (int i = 0; i < 10'000; ++i) hits += per_mille(random, 100) ? 1 : 0;
  EXPECT_NEAR(hits, 1000, 120);
  EXPECT_FALSE(per_mille(random, 0));
  EXPECT_TRUE(per_mille(random, 1000));
}

}  // namespace
}  // namespace kith::sim
