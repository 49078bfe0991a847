#include "crypto/shamir.hpp"

#include <algorithm>
#include <span>
#include <utility>

#include "crypto/assert.hpp"
#include "crypto/declassify.hpp"
#include "crypto/limits.hpp"

namespace kith::crypto {
namespace {

/// How often a dealing may meet a zero before the generator must be broken: each has 2^-245.
constexpr int kDealingsMax = 16;

using Path = std::vector<Scalar>;

Result<void> check_node(const DealShape& shape, std::size_t levels_above, std::size_t& leaves) {
  if (shape.children.empty()) {
    if (shape.threshold != 0) return fail(Errc::malformed, "a leaf has no threshold");
    if (++leaves > limits::kPlanLeavesMax) return fail(Errc::limit_exceeded, "too many leaves");
    return {};
  }
  if (levels_above >= limits::kPlanDepthMax) return fail(Errc::limit_exceeded, "plan too deep");
  if (shape.children.size() < 2) return fail(Errc::malformed, "a group needs two children");
  if (shape.children.size() > limits::kPlanChildrenMax) {
    return fail(Errc::limit_exceeded, "too many children in a group");
  }
  if (shape.threshold < 1 || shape.threshold > shape.children.size()) {
    return fail(Errc::malformed, "a threshold lies between 1 and the number of children");
  }
  for (const DealShape& child : shape.children) {
    CHECK(check_node(child, levels_above + 1, leaves));
  }
  return {};
}

bool holds(const std::vector<Scalar>& values, const Scalar& value) {
  return std::ranges::any_of(values, [&](const Scalar& other) { return other.equals(value); });
}

Path below(const Path& path, const Scalar& x) {
  Path longer = path;
  longer.push_back(x);
  return longer;
}

/// f(0) = constant, the other threshold-1 coefficients uniform over the whole field.
std::vector<Scalar> draw_polynomial(const Scalar& constant, std::size_t threshold, Random& random) {
  std::vector<Scalar> coefficients = {constant};
  coefficients.reserve(threshold);
  while (coefficients.size() < threshold) coefficients.push_back(Scalar::random(random));
  return coefficients;
}

std::vector<Scalar> draw_x_values(std::size_t count, Random& random) {
  std::vector<Scalar> values;
  values.reserve(count);
  for (int draw = 0; values.size() < count; ++draw) {
    ASSERT(draw < static_cast<int>(count) + kDealingsMax);
    Scalar x = Scalar::random_nonzero(random);
    declassify(x.bytes());
    if (!holds(values, x)) values.push_back(std::move(x));
  }
  return values;
}

/// Shares `secret` over `shape`; fails only where a leaf's or node's secret is zero.
Result<void> deal_node(const DealShape& shape, const Scalar& secret, const Path& path,
                       Random& random, OpenDealing& dealing) {
  TRY(const Point point, Point::base_times(secret));
  if (shape.children.empty()) {
    dealing.leaves.push_back({path, point, secret});
    return {};
  }
  dealing.nodes.push_back({path, point});
  const auto polynomial = draw_polynomial(secret, shape.threshold, random);
  const auto x_values = draw_x_values(shape.children.size(), random);
  for (std::size_t j = 0; j < x_values.size(); ++j) {
    CHECK(deal_node(shape.children[j], evaluate(polynomial, x_values[j]), below(path, x_values[j]),
                    random, dealing));
  }
  return {};
}

/// A dealing's public half as a tree.
struct PublicNode {
  const DealShape* shape = nullptr;
  Path x_path;
  Point point;
  std::vector<PublicNode> children;
};

struct Cursor {
  std::span<const LeafPoint> leaves;
  std::span<const DealtNode> nodes;
};

bool extends(const Path& path, const Path& parent) {
  return path.size() == parent.size() + 1 &&
         std::equal(parent.begin(), parent.end(), path.begin(),
                    [](const Scalar& a, const Scalar& b) { return a.equals(b); });
}

Error misfit() {
  return fail(Errc::malformed, "the points do not fit the plan");
}

Result<PublicNode> take_node(const DealShape& shape, Cursor& cursor, const Path* parent) {
  PublicNode node;
  node.shape = &shape;
  if (shape.children.empty()) {
    if (cursor.leaves.empty()) return misfit();
    node.x_path = cursor.leaves.front().x_path;
    node.point = cursor.leaves.front().share_point;
    cursor.leaves = cursor.leaves.subspan(1);
  } else {
    if (cursor.nodes.empty()) return misfit();
    node.x_path = cursor.nodes.front().x_path;
    node.point = cursor.nodes.front().point;
    cursor.nodes = cursor.nodes.subspan(1);
  }
  const bool in_place = parent == nullptr ? node.x_path.empty() : extends(node.x_path, *parent);
  if (!in_place) return misfit();
  for (const DealShape& child : shape.children) {
    TRY(auto taken, take_node(child, cursor, &node.x_path));
    node.children.push_back(std::move(taken));
  }
  return node;
}

Result<PublicNode> lay_out(const DealShape& shape, const std::vector<LeafPoint>& leaves,
                           const std::vector<DealtNode>& nodes) {
  CHECK(check_shape(shape));
  Cursor cursor{leaves, nodes};
  TRY(auto root, take_node(shape, cursor, nullptr));
  if (!cursor.leaves.empty() || !cursor.nodes.empty()) return misfit();
  return root;
}

std::vector<Scalar> x_values_of(const PublicNode& node) {
  std::vector<Scalar> values;
  for (const PublicNode& child : node.children) values.push_back(child.x_path.back());
  return values;
}

Result<void> check_points(const PublicNode& node) {
  if (node.children.empty()) return {};
  const auto x_values = x_values_of(node);
  CHECK(lagrange(x_values));  // refuses zero and repeated x before anything else
  const std::size_t threshold = node.shape->threshold;
  const std::vector<Scalar> basis(x_values.begin(),
                                  x_values.begin() + static_cast<std::ptrdiff_t>(threshold));
  std::vector<Point> points;
  for (std::size_t j = 0; j < threshold; ++j) points.push_back(node.children[j].point);
  const auto lies_at = [&](const Scalar& x, const Point& expected) -> Result<void> {
    TRY(const auto factors, lagrange(basis, x));
    const auto value = combine(factors, points);
    if (!value || *value != expected) {
      return fail(Errc::bad_proof, "a group's points do not lie on one polynomial");
    }
    return {};
  };
  CHECK(lies_at(Scalar(), node.point));
  for (std::size_t j = threshold; j < node.children.size(); ++j) {
    CHECK(lies_at(x_values[j], node.children[j].point));
  }
  for (const PublicNode& child : node.children) CHECK(check_points(child));
  return {};
}

/// Adds a sharing of `delta` below `node`; fails only where a new point would be the identity.
Result<void> refresh_node(const PublicNode& node, const Scalar& delta, Random& random,
                          Refresh& refresh) {
  Point point = node.point;
  if (!delta.is_zero()) {  // zero only at the root and below 1-of-n groups under it: public
    TRY(const Point shift, Point::base_times(delta));
    TRY(point, node.point.plus(shift));
  }
  if (node.children.empty()) {
    refresh.leaves.push_back({delta, point});
    return {};
  }
  refresh.nodes.push_back({node.x_path, point});
  const auto polynomial = draw_polynomial(delta, node.shape->threshold, random);
  for (const PublicNode& child : node.children) {
    CHECK(refresh_node(child, evaluate(polynomial, child.x_path.back()), random, refresh));
  }
  return {};
}

}  // namespace

Result<void> check_shape(const DealShape& shape) {
  if (shape.children.empty()) return fail(Errc::malformed, "a plan needs a group at its root");
  std::size_t leaves = 0;
  return check_node(shape, 0, leaves);
}

Result<OpenDealing> deal(const DealShape& shape, Random& random) {
  CHECK(check_shape(shape));
  for (int attempt = 0;; ++attempt) {
    ASSERT(attempt < kDealingsMax);
    const Scalar secret = Scalar::random_nonzero(random);
    TRY(const Point recovery_key, Point::base_times(secret));
    OpenDealing dealing{SecretPoint(recovery_key), {}, {}};
    if (deal_node(shape, secret, {}, random, dealing)) return dealing;
  }
}

Result<Refresh> deal_refresh(const DealShape& shape, const std::vector<LeafPoint>& leaves,
                             const std::vector<DealtNode>& nodes, Random& random) {
  TRY(const PublicNode root, lay_out(shape, leaves, nodes));
  CHECK(check_points(root));
  for (int attempt = 0;; ++attempt) {
    ASSERT(attempt < kDealingsMax);
    Refresh refresh;
    if (refresh_node(root, Scalar(), random, refresh)) return refresh;
  }
}

Result<void> check_dealing(const DealShape& shape, const std::vector<LeafPoint>& leaves,
                           const std::vector<DealtNode>& nodes, const SecretPoint& recovery_key) {
  TRY(const PublicNode root, lay_out(shape, leaves, nodes));
  if (!recovery_key.equals(root.point)) {
    return fail(Errc::bad_proof, "the root is not the recovery key");
  }
  return check_points(root);
}

Result<std::vector<Scalar>> lagrange(const std::vector<Scalar>& x_values, const Scalar& at) {
  if (x_values.empty()) return fail(Errc::malformed, "nothing to interpolate");
  if (x_values.size() > limits::kPlanChildrenMax) {
    return fail(Errc::malformed, "more values than a group has children");
  }
  std::vector<Scalar> coefficients;
  for (std::size_t i = 0; i < x_values.size(); ++i) {
    if (x_values[i].is_zero()) return fail(Errc::malformed, "an x value is zero");
    Scalar numerator = Scalar::from_u64(1);
    Scalar denominator = Scalar::from_u64(1);
    for (std::size_t j = 0; j < x_values.size(); ++j) {
      if (j == i) continue;
      if (x_values[j].equals(x_values[i])) return fail(Errc::malformed, "an x value repeats");
      numerator = numerator * (at - x_values[j]);
      denominator = denominator * (x_values[i] - x_values[j]);
    }
    coefficients.push_back(numerator * denominator.inverse());
  }
  return coefficients;
}

Result<Scalar> interpolate(const std::vector<ScalarAt>& shares) {
  std::vector<Scalar> x_values;
  for (const ScalarAt& share : shares) x_values.push_back(share.x);
  TRY(const auto coefficients, lagrange(x_values));
  Scalar sum;
  for (std::size_t i = 0; i < shares.size(); ++i) sum = sum + coefficients[i] * shares[i].value;
  return sum;
}

Result<Point> interpolate(const std::vector<PointAt>& shares) {
  std::vector<Scalar> x_values;
  std::vector<Point> points;
  for (const PointAt& share : shares) {
    x_values.push_back(share.x);
    points.push_back(share.value);
  }
  TRY(const auto coefficients, lagrange(x_values));
  return combine(coefficients, points);
}

Scalar evaluate(const std::vector<Scalar>& coefficients, const Scalar& x) {
  Scalar value;
  for (auto it = coefficients.rbegin(); it != coefficients.rend(); ++it) value = value * x + *it;
  return value;
}

}  // namespace kith::crypto
