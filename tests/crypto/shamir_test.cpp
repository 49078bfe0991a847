#include "crypto/shamir.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <bit>
#include <set>

#include "crypto/dleq.hpp"
#include "crypto/limits.hpp"
#include "crypto/random.hpp"

namespace kith::crypto {
namespace {

DealShape leaf() {
  return {};
}

DealShape group(std::uint8_t threshold, std::vector<DealShape> children) {
  return {threshold, std::move(children)};
}

DealShape flat(std::uint8_t threshold, std::size_t count) {
  return group(threshold, std::vector<DealShape>(count));
}

std::vector<LeafPoint> public_half(const OpenDealing& dealing) {
  std::vector<LeafPoint> points;
  for (const OpenLeaf& one : dealing.leaves) points.push_back({one.x_path, one.share_point});
  return points;
}

/// The shares of the leaves in `mask`, for a flat plan.
std::vector<ScalarAt> chosen(const OpenDealing& dealing, unsigned mask) {
  std::vector<ScalarAt> shares;
  for (std::size_t i = 0; i < dealing.leaves.size(); ++i) {
    if ((mask >> i & 1U) != 0) {
      shares.push_back({dealing.leaves[i].x_path[0], dealing.leaves[i].share});
    }
  }
  return shares;
}

/// A stream whose draws in `zero_draws` come out as zeros.
class RiggedRandom final : public Random {
 public:
  RiggedRandom(std::uint64_t seed, std::set<int> zero_draws)
      : inner_(seed, "rigged"), zero_draws_(std::move(zero_draws)) {}
  void fill(std::span<std::uint8_t> out) override {
    inner_.fill(out);
    if (zero_draws_.contains(draws_++)) std::fill(out.begin(), out.end(), std::uint8_t{0});
  }
  [[nodiscard]] int draws() const { return draws_; }

 private:
  SeededRandom inner_;
  std::set<int> zero_draws_;
  int draws_ = 0;
};

TEST(Shamir, OpensWithEverySubsetThatSufficesAndWithNoneBelow) {
  SeededRandom random(1, "subsets");
  for (std::uint8_t n = 2; n <= 7; ++n) {
    for (std::uint8_t k = 1; k <= n; ++k) {
      const OpenDealing dealing = deal(flat(k, n), random).value();
      for (unsigned mask = 1; mask < (1U << n); ++mask) {
        const auto shares = chosen(dealing, mask);
        const Scalar secret = interpolate(shares).value();
        const auto point = Point::base_times(secret);
        const bool opens = point.has_value() && dealing.recovery_key.equals(*point);
        EXPECT_EQ(opens, std::popcount(mask) >= k) << int{n} << " " << int{k} << " " << mask;
      }
    }
  }
}

/// What a holder may answer, other than the truth.
enum class Lie { wrong_partial, wrong_x, duplicate, zero_x, swapped, other_dealing, stale_proof };
constexpr std::array kLies = {Lie::wrong_partial, Lie::wrong_x,       Lie::duplicate,  Lie::zero_x,
                              Lie::swapped,       Lie::other_dealing, Lie::stale_proof};

struct Answer {
  Scalar x;
  Point share_point;
  Point partial;
  Bytes proof;
};

constexpr std::string_view kStatement = "session 1";

Answer honest(const OpenLeaf& one, const Point& blinded, std::string_view statement = kStatement) {
  const Point partial = blinded.times(one.share).value();
  const Bytes fresh(kProofFreshBytes, 7);
  return {one.x_path[0], one.share_point, partial,
          prove_dleq(one.share, {one.share_point, blinded, partial}, as_bytes(statement), fresh)
              .value()};
}

Answer lying(Lie lie, const OpenDealing& dealing, const OpenDealing& other, std::size_t i,
             const Point& blinded) {
  const OpenLeaf& mine = dealing.leaves[i];
  const OpenLeaf& neighbour = dealing.leaves[(i + 1) % dealing.leaves.size()];
  Answer answer = honest(mine, blinded);
  switch (lie) {
    case Lie::wrong_partial:
      answer.partial = answer.partial.plus(Point::base()).value();
      break;
    case Lie::wrong_x:
      answer.x = answer.x + Scalar::from_u64(1);
      break;
    case Lie::duplicate:
      answer = honest(neighbour, blinded);
      break;
    case Lie::zero_x:
      answer.x = Scalar();
      break;
    case Lie::swapped:
      answer.partial = honest(neighbour, blinded).partial;
      break;
    case Lie::other_dealing:
      answer = honest(other.leaves[i], blinded);
      break;
    case Lie::stale_proof:
      answer = honest(mine, blinded, "session 0");
      break;
  }
  return answer;
}

/// The device's rule of section 4: the answer belongs to this leaf and its proof holds.
bool counts(const Answer& answer, const LeafPoint& expected, const Point& blinded) {
  return answer.x.equals(expected.x_path[0]) && answer.share_point == expected.share_point &&
         verify_dleq({answer.share_point, blinded, answer.partial}, as_bytes(kStatement),
                     answer.proof)
             .has_value();
}

TEST(Shamir, OpensWithAnyHonestQuorumAndBlamesExactlyTheLiars) {
  SeededRandom random(2, "liars");
  const Scalar e = Scalar::random_nonzero(random);
  const Point blinded = Point::base_times(e).value();
  for (std::uint8_t n = 2; n <= 7; ++n) {
    for (std::uint8_t k = 1; k <= n; ++k) {
      const OpenDealing dealing = deal(flat(k, n), random).value();
      const OpenDealing other = deal(flat(k, n), random).value();
      const auto expected = public_half(dealing);
      const Point opening = dealing.recovery_key.expose_point().times(e).value();
      // Verdicts do not depend on the other answers, so each holder's lies are judged once; then
      // every set of liars (by bit) leaves its honest rest.
      std::vector<PointAt> honest_points;
      for (std::size_t i = 0; i < n; ++i) {
        const Answer answer = honest(dealing.leaves[i], blinded);
        ASSERT_TRUE(counts(answer, expected[i], blinded));
        honest_points.push_back({answer.x, answer.partial});
        for (const Lie lie : kLies) {
          // In a 1-of plan all shares are one, so a neighbour's partial is the right one.
          const bool is_true = lie == Lie::swapped && k == 1;
          EXPECT_EQ(counts(lying(lie, dealing, other, i, blinded), expected[i], blinded), is_true)
              << "lie " << static_cast<int>(lie) << " of " << i << " in " << int{k} << "/"
              << int{n};
        }
      }
      for (unsigned liars = 0; liars < (1U << n); ++liars) {
        std::vector<PointAt> good;
        for (std::size_t i = 0; i < n; ++i) {
          if ((liars >> i & 1U) == 0) good.push_back(honest_points[i]);
        }
        if (good.empty()) continue;
        const auto point = interpolate(good);
        EXPECT_EQ(point.has_value() && *point == opening, good.size() >= k) << liars;
      }
    }
  }
}

TEST(Shamir, WouldOpenToSomethingElseWithALieThatNobodyChecked) {
  // The counter-example to the proofs: without them each of these lies gives a wrong point or
  // error.
  SeededRandom random(3, "unchecked");
  const Scalar e = Scalar::random_nonzero(random);
  const Point blinded = Point::base_times(e).value();
  const OpenDealing dealing = deal(flat(3, 4), random).value();
  const OpenDealing other = deal(flat(3, 4), random).value();
  const Point opening = dealing.recovery_key.expose_point().times(e).value();
  for (const Lie lie : {Lie::wrong_partial, Lie::wrong_x, Lie::duplicate, Lie::zero_x, Lie::swapped,
                        Lie::other_dealing}) {
    std::vector<PointAt> points;
    const Answer bad = lying(lie, dealing, other, 0, blinded);
    points.push_back({bad.x, bad.partial});
    for (std::size_t i = 1; i < 3; ++i) {
      const Answer good = honest(dealing.leaves[i], blinded);
      points.push_back({good.x, good.partial});
    }
    const auto point = interpolate(points);
    EXPECT_FALSE(point.has_value() && *point == opening) << static_cast<int>(lie);
  }
}

TEST(Shamir, RefusesZeroAndRepeatedX) {
  const Scalar one = Scalar::from_u64(1);
  const Scalar two = Scalar::from_u64(2);
  EXPECT_EQ(lagrange({}).error(), Errc::malformed);
  EXPECT_EQ(lagrange({one, Scalar()}).error(), Errc::malformed);
  EXPECT_EQ(lagrange({one, two, one}).error(), Errc::malformed);
  EXPECT_EQ(interpolate(std::vector<ScalarAt>{{one, two}, {one, two}}).error(), Errc::malformed);
  EXPECT_EQ(interpolate(std::vector<PointAt>{{one, Point::base()}, {one, Point::base()}}).error(),
            Errc::malformed);
  std::vector<Scalar> many;
  for (std::uint64_t i = 1; i <= limits::kPlanChildrenMax; ++i) many.push_back(Scalar::from_u64(i));
  EXPECT_TRUE(lagrange(many).has_value());
  many.push_back(Scalar::from_u64(99));
  EXPECT_EQ(lagrange(many).error(), Errc::malformed);
}

TEST(Shamir, RefusesPointsThatCancelToTheIdentity) {
  // f(x) = G - x*G is the identity at 1 and f(0) = G; g(x) = x*G has the identity at 0.
  const Scalar two = Scalar::from_u64(2);
  const Scalar three = Scalar::from_u64(3);
  const Point two_g = Point::base_times(two).value();
  const Point three_g = Point::base_times(three).value();
  EXPECT_EQ(interpolate(std::vector<PointAt>{{two, two_g}, {three, three_g}}).error(),
            Errc::bad_key);
}

TEST(Shamir, InterpolatesWhatAPolynomialGives) {
  SeededRandom random(4, "polynomial");
  std::vector<Scalar> coefficients;
  std::vector<ScalarAt> shares;
  for (std::uint64_t degree = 0; degree < 8; ++degree) {
    coefficients.push_back(Scalar::random(random));
    shares.clear();
    for (std::uint64_t x = 1; x <= coefficients.size(); ++x) {
      shares.push_back({Scalar::from_u64(x), evaluate(coefficients, Scalar::from_u64(x))});
    }
    EXPECT_TRUE(interpolate(shares).value().equals(coefficients[0])) << degree;
  }
  // 3 + 2x + x^2 at 10
  const std::vector<Scalar> known = {Scalar::from_u64(3), Scalar::from_u64(2), Scalar::from_u64(1)};
  EXPECT_TRUE(evaluate(known, Scalar::from_u64(10)).equals(Scalar::from_u64(123)));
}

DealShape three_levels() {
  // 2 of {leaf, 2 of {leaf, leaf, 1 of {leaf, leaf}}, 3 of {leaf, leaf, leaf}}
  return group(2, {leaf(), group(2, {leaf(), leaf(), group(1, {leaf(), leaf()})}),
                   group(3, {leaf(), leaf(), leaf()})});
}

bool satisfied(const DealShape& shape, unsigned mask, std::size_t& next) {
  if (shape.children.empty()) return (mask >> next++ & 1U) != 0;
  int count = 0;
  for (const DealShape& child : shape.children) count += satisfied(child, mask, next) ? 1 : 0;
  return count >= shape.threshold;
}

/// Interpolates bottom up with whatever leaves are there.
std::optional<Scalar> open_tree(const DealShape& shape, const OpenDealing& dealing, unsigned mask,
                                std::size_t& next, std::size_t level, Scalar& own_x) {
  if (shape.children.empty()) {
    const OpenLeaf& one = dealing.leaves[next];
    own_x = one.x_path[level - 1];
    if ((mask >> next++ & 1U) == 0) return std::nullopt;
    return one.share;
  }
  std::vector<ScalarAt> shares;
  const std::size_t first = next;
  for (const DealShape& child : shape.children) {
    Scalar x;
    const auto secret = open_tree(child, dealing, mask, next, level + 1, x);
    if (secret.has_value()) shares.push_back({x, *secret});
  }
  if (level > 0) own_x = dealing.leaves[first].x_path[level - 1];
  if (shares.size() < shape.threshold) return std::nullopt;
  return interpolate(shares).value();
}

TEST(Shamir, OpensNestedPlansExactlyWhereThePlanSaysSo) {
  SeededRandom random(5, "nested");
  const DealShape shape = three_levels();
  const OpenDealing dealing = deal(shape, random).value();
  ASSERT_EQ(dealing.leaves.size(), 8U);
  ASSERT_EQ(dealing.nodes.size(), 4U);
  EXPECT_TRUE(dealing.nodes[0].x_path.empty());
  EXPECT_EQ(dealing.leaves[3].x_path.size(), 3U);
  for (const OpenLeaf& one : dealing.leaves) {
    EXPECT_EQ(Point::base_times(one.share).value(), one.share_point);
  }
  for (unsigned mask = 0; mask < 256; ++mask) {
    std::size_t next = 0;
    const bool expected = satisfied(shape, mask, next);
    next = 0;
    Scalar unused;
    const auto secret = open_tree(shape, dealing, mask, next, 0, unused);
    ASSERT_EQ(secret.has_value(), expected) << mask;
    if (expected) {
      EXPECT_TRUE(dealing.recovery_key.equals(Point::base_times(*secret).value())) << mask;
    }
  }
}

TEST(Shamir, RefusesPlansOutsideTheLimits) {
  SeededRandom random(6, "limits");
  const auto code_of = [&](const DealShape& shape) {
    const auto dealt = deal(shape, random);
    EXPECT_FALSE(dealt.has_value());
    return dealt.has_value() ? Errc::usage : dealt.error().code;
  };
  EXPECT_EQ(code_of(leaf()), Errc::malformed);
  EXPECT_EQ(code_of({1, {}}), Errc::malformed);
  EXPECT_EQ(code_of(flat(1, 1)), Errc::malformed);
  EXPECT_EQ(code_of(flat(0, 2)), Errc::malformed);
  EXPECT_EQ(code_of(flat(3, 2)), Errc::malformed);
  EXPECT_EQ(code_of(group(1, {leaf(), {1, {}}})), Errc::malformed);
  EXPECT_EQ(code_of(flat(2, limits::kPlanChildrenMax + 1)), Errc::limit_exceeded);
  EXPECT_TRUE(check_shape(flat(2, limits::kPlanChildrenMax)).has_value());
  const DealShape wide = flat(2, 32);
  EXPECT_TRUE(check_shape(group(1, {wide, wide})).has_value());
  EXPECT_EQ(code_of(group(1, {wide, wide, leaf()})), Errc::limit_exceeded);
  DealShape deep = flat(1, 2);
  for (std::size_t level = 1; level < limits::kPlanDepthMax; ++level)
    deep = group(1, {deep, leaf()});
  EXPECT_TRUE(check_shape(deep).has_value());
  EXPECT_EQ(code_of(group(1, {deep, leaf()})), Errc::limit_exceeded);
}

TEST(Shamir, DealsAgainWhenASecretIsZero) {
  const DealShape shape = flat(1, 2);
  RiggedRandom plain(7, {});
  ASSERT_TRUE(deal(shape, plain).has_value());
  RiggedRandom zero_secret(7, {0});
  const OpenDealing dealing = deal(shape, zero_secret).value();
  EXPECT_EQ(zero_secret.draws(), plain.draws() + 1);
  for (const OpenLeaf& one : dealing.leaves) EXPECT_FALSE(one.share.is_zero());
}

/// Makes the first dealing of a 2-of-2 plan hit zero in its first leaf: the secret is a, the slope
/// b, and x_1 is forced to -a/b.
class ZeroLeafRandom final : public Random {
 public:
  void fill(std::span<std::uint8_t> out) override {
    inner_.fill(out);
    std::array<std::uint8_t, 64> copy{};
    ASSERT_EQ(out.size(), copy.size());
    if (draw_ == 0 || draw_ == 1) {
      FedRandom fed(out);
      (draw_ == 0 ? secret_ : slope_) = Scalar::random(fed);
    } else if (draw_ == 2) {
      const Scalar root = (Scalar() - secret_) * slope_.inverse();
      EXPECT_TRUE(evaluate({secret_, slope_}, root).is_zero());
      std::fill(out.begin(), out.end(), std::uint8_t{0});
      std::copy(root.bytes().begin(), root.bytes().end(), out.begin());
    }
    ++draw_;
  }
  [[nodiscard]] int draws() const { return draw_; }

 private:
  class FedRandom final : public Random {
   public:
    explicit FedRandom(ByteView bytes) : bytes_(bytes) {}
    void fill(std::span<std::uint8_t> out) override {
      std::copy_n(bytes_.begin(), out.size(), out.begin());
    }

   private:
    ByteView bytes_;
  };
  SeededRandom inner_{8, "zero leaf"};
  Scalar secret_;
  Scalar slope_;
  int draw_ = 0;
};

TEST(Shamir, DealsAgainWhenALeafIsZero) {
  ZeroLeafRandom random;
  const OpenDealing dealing = deal(flat(2, 2), random).value();
  EXPECT_EQ(random.draws(), 8) << "two dealings of four draws: secret, slope, two x";
  for (const OpenLeaf& one : dealing.leaves) EXPECT_FALSE(one.share.is_zero());
}

TEST(ShamirDeathTest, StopsOnAGeneratorThatOnlyRepeats) {
  class Repeating final : public Random {
    void fill(std::span<std::uint8_t> out) override {
      std::fill(out.begin(), out.end(), std::uint8_t{5});
    }
  };
  Repeating repeating;
  EXPECT_DEATH(static_cast<void>(deal(flat(2, 2), repeating)), "draw");
}

TEST(Shamir, ChecksTheWholePublicHalfOfADealing) {
  SeededRandom random(9, "public");
  const DealShape shape = three_levels();
  const OpenDealing dealing = deal(shape, random).value();
  const auto points = public_half(dealing);
  EXPECT_TRUE(check_dealing(shape, points, dealing.nodes, dealing.recovery_key).has_value());
  const SecretPoint wrong_key(Point::base());
  EXPECT_EQ(check_dealing(shape, points, dealing.nodes, wrong_key).error(), Errc::bad_proof);
  for (std::size_t i = 0; i < points.size(); ++i) {  // any one leaf, surplus ones included
    auto altered = points;
    altered[i].share_point = altered[i].share_point.plus(Point::base()).value();
    EXPECT_EQ(check_dealing(shape, altered, dealing.nodes, dealing.recovery_key).error(),
              Errc::bad_proof)
        << i;
    altered = points;
    altered[i].x_path.back() = altered[i].x_path.back() + Scalar::from_u64(1);
    const auto moved = check_dealing(shape, altered, dealing.nodes, dealing.recovery_key);
    // Under a 1-of group every x carries the same share, so x alone proves nothing there.
    EXPECT_EQ(moved.has_value(), i == 3 || i == 4) << i;
  }
  for (std::size_t i = 0; i < dealing.nodes.size(); ++i) {
    auto altered = dealing.nodes;
    altered[i].point = altered[i].point.plus(Point::base()).value();
    EXPECT_EQ(check_dealing(shape, points, altered, dealing.recovery_key).error(), Errc::bad_proof);
  }
  auto fewer = points;
  fewer.pop_back();
  EXPECT_EQ(check_dealing(shape, fewer, dealing.nodes, dealing.recovery_key).error(),
            Errc::malformed);
  auto more = points;
  more.push_back(points[0]);
  EXPECT_EQ(check_dealing(shape, more, dealing.nodes, dealing.recovery_key).error(),
            Errc::malformed);
  auto swapped = points;
  std::swap(swapped[1], swapped[7]);
  EXPECT_EQ(check_dealing(shape, swapped, dealing.nodes, dealing.recovery_key).error(),
            Errc::malformed);
}

TEST(Shamir, RefreshesSharesWithoutChangingTheKey) {
  SeededRandom random(10, "refresh");
  const DealShape shape = three_levels();
  OpenDealing dealing = deal(shape, random).value();
  const auto before = public_half(dealing);
  const Refresh refresh = deal_refresh(shape, before, dealing.nodes, random).value();
  auto after = before;
  for (std::size_t i = 0; i < after.size(); ++i) {
    dealing.leaves[i].share = dealing.leaves[i].share + refresh.leaves[i].delta;
    after[i].share_point = refresh.leaves[i].share_point;
    EXPECT_EQ(Point::base_times(dealing.leaves[i].share).value(), after[i].share_point) << i;
    EXPECT_NE(after[i].share_point, before[i].share_point) << i;
  }
  EXPECT_TRUE(check_dealing(shape, after, refresh.nodes, dealing.recovery_key).has_value());
  // Old and new shares do not mix: one leaf of the old version spoils the group.
  auto mixed = after;
  mixed[0] = before[0];
  EXPECT_EQ(check_dealing(shape, mixed, refresh.nodes, dealing.recovery_key).error(),
            Errc::bad_proof);
  EXPECT_EQ(deal_refresh(shape, mixed, refresh.nodes, random).error(), Errc::bad_proof);
}

TEST(Shamir, DrawsEveryCoefficientUniformly) {
  // Known failures: a leading coefficient that is never zero, and distinct coefficients, both
  // invisible in 252 bits; what a test can see is that no bit of any coefficient is biased. The
  // coefficients of a 3-of-3 dealing are solved from its three shares.
  SeededRandom random(11, "uniform");
  constexpr int kDealings = 600;
  std::array<std::array<int, 252>, 3> ones{};
  for (int round = 0; round < kDealings; ++round) {
    const OpenDealing dealing = deal(flat(3, 3), random).value();
    const auto shares = chosen(dealing, 7);
    const Scalar c0 = interpolate(shares).value();
    // (f(x) - c0)/x = c1 + c2*x: two points give c2 and c1.
    const Scalar u = (shares[0].value - c0) * shares[0].x.inverse();
    const Scalar v = (shares[1].value - c0) * shares[1].x.inverse();
    const Scalar c2 = (u - v) * (shares[0].x - shares[1].x).inverse();
    const Scalar c1 = u - c2 * shares[0].x;
    const std::array<Scalar, 3> coefficients = {c0, c1, c2};
    for (std::size_t c = 0; c < 3; ++c) {
      const ByteView bytes = coefficients[c].bytes();
      for (std::size_t bit = 0; bit < 252; ++bit) ones[c][bit] += bytes[bit / 8] >> (bit % 8) & 1;
    }
  }
  // 12.2 is one standard deviation; 756 counters stay within 5.5 of them.
  for (const auto& counters : ones) {
    for (const int count : counters) EXPECT_NEAR(count, kDealings / 2, 68);
  }
}

TEST(Shamir, DealsAZeroLeadingCoefficientLikeAnyOther) {
  // Draw 1 of a 2-of-2 dealing is its leading coefficient. Redrawing zero there would leak
  // something about the secret in each dealing.
  RiggedRandom rigged(12, {1});
  const OpenDealing dealing = deal(flat(2, 2), rigged).value();
  EXPECT_EQ(rigged.draws(), 4);
  EXPECT_TRUE(dealing.leaves[0].share.equals(dealing.leaves[1].share));
}

}  // namespace
}  // namespace kith::crypto
