// Two people connect while one node dies at its n-th commit or effect, for every n until there is
// none. The ordinary run takes every fifth, beginning elsewhere for each kind; KITH_LONG=1 takes
// all.

#include <gtest/gtest.h>

#include <cstdlib>

#include "sim/town.hpp"

namespace kith::sim {
namespace {

constexpr std::uint64_t kStride = 5;
constexpr std::uint64_t kSitesMax = 2'000;  // More: the run never ends.

enum class Outcome : std::uint8_t { connected, connected_without_crash, stuck };

Outcome connect_with_crash(std::string_view victim, CrashSite site, std::uint64_t n) {
  Town town(TownPlan{});
  SimNode& alice = town.add("alice");
  SimNode& bob = town.add("bob");
  if (!town.mediate(alice) || !town.mediate(bob)) return Outcome::stuck;
  if (site == CrashSite::commit_lost || site == CrashSite::commit_kept) {
    const auto fate = site == CrashSite::commit_lost ? CommitFate::lost : CommitFate::kept;
    town.crashes.crash_commit(victim, n, fate);
  } else {
    town.crashes.crash_effect(victim, n, site);
  }
  if (!town.connect(alice, bob)) return Outcome::stuck;
  return town.crashes.crash_is_due(victim) ? Outcome::connected_without_crash : Outcome::connected;
}

class CrashSites : public testing::TestWithParam<const char*> {};

TEST_P(CrashSites, OfAConnectionAllEndInAConnection) {
  const char* const long_form = std::getenv("KITH_LONG");
  const bool all = long_form != nullptr && *long_form != '\0';
  std::uint64_t crashes = 0;
  for (std::size_t kind = 0; kind < kCrashSites; ++kind) {
    const auto site = static_cast<CrashSite>(kind);
    std::uint64_t n = all ? 1 : 1 + kind;
    for (;; n += all ? 1 : kStride) {
      ASSERT_LT(n, kSitesMax);
      const Outcome outcome = connect_with_crash(GetParam(), site, n);
      ASSERT_NE(outcome, Outcome::stuck) << GetParam() << " " << site_name(site) << " " << n;
      if (outcome == Outcome::connected_without_crash) break;
      ++crashes;
    }
  }
  EXPECT_GE(crashes, kCrashSites) << "nobody crashed";
}

INSTANTIATE_TEST_SUITE_P(Everybody, CrashSites, testing::Values("alice", "bob", "mediator"),
                         [](const auto& victim) { return std::string(victim.param); });

TEST(Crashes, AreReachedOnlyWhereAskedFor) {
  Town town(TownPlan{});
  SimNode& alice = town.add("alice");
  town.crashes.crash_effect("alice", 1, CrashSite::effect_before);
  EXPECT_TRUE(town.mediate(alice));
  EXPECT_FALSE(town.crashes.crash_is_due("alice"));
  EXPECT_EQ(town.world.marked("node.crashed"), 1U);
  EXPECT_GT(alice.life(), 1U);
}

}  // namespace
}  // namespace kith::sim
