#include "crypto/group_sums.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "crypto/hash_to_point.hpp"

namespace kith::crypto {
namespace {

struct Terms {
  std::vector<Point> points;
  std::vector<Scalar> factors;

  explicit Terms(std::size_t count, std::uint64_t seed) {
    SeededRandom random(seed, "terms");
    for (std::size_t i = 0; i < count; ++i) {
      points.push_back(hash_to_point("test", {random.bytes(8)}));
      factors.push_back(Scalar::random(random));
    }
  }
};

Scalar negative(std::uint64_t value) {
  return Scalar() - Scalar::from_u64(value);
}

TEST(GroupSums, AgreesWithLibsodiumTermByTerm) {
  for (const std::size_t count : {1U, 2U, 3U, 17U, 40U}) {
    for (std::uint64_t seed = 0; seed < 5; ++seed) {
      const Terms terms(count, seed);
      const auto expected = combine(terms.factors, terms.points);
      const auto sum = GroupSums(terms.points).sum(terms.factors);
      ASSERT_TRUE(expected && sum);
      EXPECT_EQ(*sum, *expected) << count << " terms, seed " << seed;
    }
  }
}

TEST(GroupSums, AgreesForFactorsAtTheEdges) {
  Terms terms(2, 1);
  std::vector<Scalar> edges = {Scalar::from_u64(1), negative(1), negative(2),
                               Scalar::from_u64(UINT64_MAX)};
  for (std::uint64_t digit = 0; digit <= 17; ++digit) {
    edges.push_back(Scalar::from_u64(digit));
    edges.push_back(Scalar::from_u64(digit << 60U));
    edges.push_back(negative(digit));
  }
  for (const Scalar& edge : edges) {
    terms.factors[0] = edge;
    EXPECT_EQ(GroupSums(terms.points).sum(terms.factors).value(),
              combine(terms.factors, terms.points).value());
  }
}

TEST(GroupSums, AddsEqualAndOppositePoints) {
  const Terms terms(1, 2);
  const std::vector<Point> twice = {terms.points[0], terms.points[0]};
  const GroupSums sums(twice);
  const Scalar one = Scalar::from_u64(1);
  const std::vector<Scalar> same = {one, one};
  const std::vector<Scalar> opposite = {one, negative(1)};
  EXPECT_EQ(sums.sum(same).value(), terms.points[0].plus(terms.points[0]).value());
  EXPECT_TRUE(sums.sum(opposite).has_error());
  EXPECT_TRUE(sums.vanishes(opposite));
  EXPECT_FALSE(sums.vanishes(same));
}

TEST(GroupSums, OfNothingAndOfZerosIsTheIdentity) {
  const GroupSums none((std::span<const Point>()));
  EXPECT_TRUE(none.vanishes({}));
  const Terms terms(3, 3);
  EXPECT_TRUE(GroupSums(terms.points).vanishes(std::vector<Scalar>(3)));
  EXPECT_EQ(GroupSums(terms.points).sum(std::vector<Scalar>(3)).error().code, Errc::bad_key);
}

TEST(GroupSums, TakesTheBasePointAsPublished) {
  const std::vector<Point> base = {Point::base()};
  for (std::uint64_t i = 1; i <= 16; ++i) {
    const std::vector<Scalar> factor = {Scalar::from_u64(i)};
    EXPECT_EQ(GroupSums(base).sum(factor).value(), Point::base_times(factor[0]).value());
  }
}

}  // namespace
}  // namespace kith::crypto
