#pragma once

/// Shamir's secret sharing over a tree (recovery-protocol section 2), and interpolation of scalars
/// and of points in the exponent (section 4). Each node "k of children" holds a polynomial of
/// degree k-1 whose value at 0 is the node's secret; child j gets its value at a random x_j.
/// Coefficients are uniform over the whole field, the leading one included.
///
/// Pure functions over values; thread-safe. x values, node points and leaf points are public to the
/// owner; constant time holds for secrets and coefficients.

#include <cstddef>
#include <cstdint>
#include <vector>

#include "crypto/random.hpp"
#include "crypto/result.hpp"
#include "crypto/ristretto.hpp"
#include "crypto/secret_point.hpp"

namespace kith::crypto {

/// Shape of a plan for dealing: k of children; a node without children is a leaf.
struct DealShape {
  std::uint8_t threshold = 0;  ///< 0 for a leaf.
  std::vector<DealShape> children;
};

/// An inner node of a dealing.
struct DealtNode {
  std::vector<Scalar> x_path;  ///< Empty for the root.
  Point point;                 ///< N = f(0) * G of this node.
};

/// A leaf with its share in the clear: exists only between dealing and sealing. Scalars wipe
/// themselves.
struct OpenLeaf {
  std::vector<Scalar> x_path;  ///< From the root down.
  Point share_point;           ///< S_i = s_i * G
  Scalar share;                ///< s_i
};

struct OpenDealing {
  SecretPoint recovery_key;      ///< Y = s*G
  std::vector<OpenLeaf> leaves;  ///< Depth-first order of the shape.
  std::vector<DealtNode> nodes;  ///< Inner nodes, depth-first, the root first.
};

/// Limits: the root is an inner node, inner nodes have 2 to limits::kPlanChildrenMax children,
/// 1 <= threshold <= children, at most limits::kPlanDepthMax levels below the root and
/// limits::kPlanLeavesMax leaves; leaves have threshold 0. Errors: malformed, limit_exceeded.
[[nodiscard]] Result<void> check_shape(const DealShape& shape);

/// Draws the recovery secret, shares it and forgets it. A dealing in which any leaf's or node's
/// secret is zero is dealt again. Errors: those of check_shape.
[[nodiscard]] Result<OpenDealing> deal(const DealShape& shape, Random& random);

/// A sharing of zero on the x values of an earlier dealing, for a refresh (section 6): leaf i adds
/// `delta` to its share. Points are those after the addition; the root's does not change. Redealt
/// if any of them would be the identity. Leaves and nodes in the order of `deal`.
/// Errors: those of check_shape; malformed when `leaves` or `nodes` do not fit the shape.
struct LeafPoint {
  std::vector<Scalar> x_path;
  Point share_point;
};
struct RefreshedLeaf {
  Scalar delta;       ///< d_i; secret.
  Point share_point;  ///< S_i + d_i*G
};
struct Refresh {
  std::vector<RefreshedLeaf> leaves;
  std::vector<DealtNode> nodes;
};
[[nodiscard]] Result<Refresh> deal_refresh(const DealShape& shape,
                                           const std::vector<LeafPoint>& leaves,
                                           const std::vector<DealtNode>& nodes, Random& random);

/// The owner's check of a dealing's public half: every node's children lie on one polynomial of
/// degree threshold-1 whose value at 0 is the node, and the root is `recovery_key`.
/// Errors: those of check_shape; malformed (does not fit the shape); bad_proof (points disagree).
[[nodiscard]] Result<void> check_dealing(const DealShape& shape,
                                         const std::vector<LeafPoint>& leaves,
                                         const std::vector<DealtNode>& nodes,
                                         const SecretPoint& recovery_key);

/// Lagrange coefficients for the value at `at`. Errors: malformed for an empty list, more than
/// limits::kPlanChildrenMax, a zero or repeated x.
[[nodiscard]] Result<std::vector<Scalar>> lagrange(const std::vector<Scalar>& x_values,
                                                   const Scalar& at = Scalar());

struct ScalarAt {
  Scalar x;
  Scalar value;
};
struct PointAt {
  Scalar x;
  Point value;
};

/// The value at 0 of the polynomial through `shares`: pass exactly threshold many. Errors: as
/// lagrange.
[[nodiscard]] Result<Scalar> interpolate(const std::vector<ScalarAt>& shares);
/// The same in the exponent. Errors: as lagrange; bad_key when the result is the identity.
[[nodiscard]] Result<Point> interpolate(const std::vector<PointAt>& shares);

/// The polynomial's value; coefficients from the constant term up.
[[nodiscard]] Scalar evaluate(const std::vector<Scalar>& coefficients, const Scalar& x);

}  // namespace kith::crypto
