#include "crypto/random.hpp"

#include <gtest/gtest.h>

#include <array>
#include <set>
#include <thread>
#include <vector>

namespace kith::crypto {
namespace {

using Draw = std::array<std::uint8_t, 32>;

Draw from(Random& random) {
  Draw drawn{};
  random.fill(drawn);
  return drawn;
}

/// What libsodium gives to whom asks it, in the calling thread: the system's generator where no
/// guard stands.
Draw from_libsodium() {
  OsRandom random;
  return from(random);
}

/// libsodium draws for itself when it is first used: not from a stream that is looked at.
class SodiumRandomGuardTest : public ::testing::Test {
  OsRandom used_before_;
};

TEST_F(SodiumRandomGuardTest, GivesEachThreadTheStreamOfItsOwnGuard) {
  constexpr std::size_t kThreads = 4;
  constexpr std::size_t kDraws = 200;
  std::vector<std::vector<Draw>> drawn(kThreads);
  {
    std::vector<std::jthread> threads;
    for (std::size_t number = 0; number < kThreads; ++number) {
      threads.emplace_back([&mine = drawn[number], number] {
        SeededRandom random(number, "thread");
        const SodiumRandomGuard guard(random);
        for (std::size_t i = 0; i < kDraws; ++i) mine.push_back(from_libsodium());
      });
    }
  }
  for (std::size_t number = 0; number < kThreads; ++number) {
    SeededRandom random(number, "thread");
    for (const Draw& draw : drawn[number]) ASSERT_EQ(draw, from(random)) << "thread " << number;
  }
}

TEST_F(SodiumRandomGuardTest, LeavesThreadsWithoutOneToTheSystem) {
  SeededRandom random(1, "guarded");
  const SodiumRandomGuard guard(random);
  std::set<Draw> drawn;
  std::jthread([&] {
    for (int i = 0; i < 100; ++i) drawn.insert(from_libsodium());
  }).join();
  EXPECT_EQ(drawn.size(), 100U);
  SeededRandom same(1, "guarded");
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(drawn.contains(from(same)));
}

TEST_F(SodiumRandomGuardTest, HandsBackToTheGuardBeforeItAndThenToTheSystem) {
  SeededRandom outer(1, "outer");
  SeededRandom inner(1, "inner");
  {
    const SodiumRandomGuard first(outer);
    {
      const SodiumRandomGuard second(inner);
      SeededRandom same(1, "inner");
      EXPECT_EQ(from_libsodium(), from(same));
    }
    SeededRandom same(1, "outer");
    EXPECT_EQ(from_libsodium(), from(same));
  }
  SeededRandom same(1, "outer");
  const Draw first = from(same);
  const Draw second = from(same);
  const Draw drawn = from_libsodium();
  EXPECT_NE(drawn, first);
  EXPECT_NE(drawn, second);
  EXPECT_NE(drawn, from_libsodium());
}

}  // namespace
}  // namespace kith::crypto
