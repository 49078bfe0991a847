#include "crypto/agent_proof_format.hpp"

namespace kith::crypto::agent_proof {
namespace {

/// An equation: the sum of factors and points has to be the identity.
class Equation {
 public:
  Equation& add(const Scalar& factor, const Point& point) {
    factors_.push_back(factor);
    points_.push_back(point);
    return *this;
  }
  [[nodiscard]] bool holds() const { return GroupSums(points_).vanishes(factors_); }

 private:
  std::vector<Scalar> factors_;
  std::vector<Point> points_;
};

Scalar negated(const Scalar& value) {
  return Scalar() - value;
}

/// All f, row by row: the first of a row is what is left of x.
std::vector<Scalar> all_responses(const Parts& parts, const Scalar& x) {
  std::vector<Scalar> all;
  for (std::size_t i = 0; i < parts.responses.size(); i += kRadix - 1) {
    Scalar first = x;
    for (std::size_t t = 0; t + 1 < kRadix; ++t) first = first - parts.responses[i + t];
    all.push_back(first);
    for (std::size_t t = 0; t + 1 < kRadix; ++t) all.push_back(parts.responses[i + t]);
  }
  return all;
}

/// x*B + A = Com(f; zA), x*C' + D = Com(f*(x - f); zC): each row has one 1 and else zeros.
bool digits_hold(const Parts& parts, const std::vector<Scalar>& f, const Scalar& x) {
  const Generators& g = generators();
  const Scalar one = Scalar::from_u64(1);
  Equation bits;
  Equation squares;
  bits.add(x, parts.bits).add(one, parts.mask).add(negated(parts.mask_response), g.blinding);
  squares.add(x, parts.cross).add(one, parts.squares);
  squares.add(negated(parts.cross_response), g.blinding);
  for (std::size_t i = 0; i < f.size(); ++i) {
    bits.add(negated(f[i]), g.digits[i]);
    squares.add(negated(f[i] * (x - f[i])), g.digits[i]);
  }
  return bits.holds() && squares.holds();
}

/// sum of p_j*L_j - x^m*C - sum of x^k*G_k = z*H: C is the leaf that the digits name.
bool position_holds(const Statement& statement, const Parts& parts, const std::vector<Scalar>& f,
                    const Scalar& x) {
  Equation equation;
  for (std::size_t j = 0; j < statement.leaves.size(); ++j) {
    Scalar factor = f[j & (kRadix - 1)];
    for (std::size_t i = 1; i < parts.lower.size(); ++i) {
      factor = factor * f[i * kRadix + ((j >> (2 * i)) & (kRadix - 1))];
    }
    equation.add(factor, statement.leaves[j]);
  }
  Scalar power = Scalar::from_u64(1);
  for (const Point& lower : parts.lower) {
    equation.add(negated(power), lower);
    power = power * x;
  }
  equation.add(negated(power), parts.rerandomised);
  equation.add(negated(parts.position_response), generators().blinding);
  return equation.holds();
}

/// C, C_I and T open with the same secrets.
bool openings_hold(const Statement& statement, const Parts& parts, const Scalar& x) {
  const Generators& g = generators();
  const Scalar minus_one = negated(Scalar::from_u64(1));
  Equation leaf;
  leaf.add(parts.secret_response, g.secret).add(parts.policy_response, g.policy);
  leaf.add(parts.blinding_response, g.blinding).add(negated(x), parts.rerandomised);
  leaf.add(minus_one, parts.leaf_nonce);
  Equation claimed;
  claimed.add(parts.policy_response, g.policy).add(parts.claim_response, g.blinding);
  claimed.add(negated(x), statement.claim).add(minus_one, parts.claim_nonce);
  if (!leaf.holds() || !claimed.holds()) return false;
  if (statement.scope.empty()) return true;
  Equation pseudonym;
  pseudonym.add(parts.secret_response, scope_generator(statement.scope));
  pseudonym.add(negated(x), parts.pseudonym).add(minus_one, parts.pseudonym_nonce);
  return pseudonym.holds();
}

}  // namespace

Result<Point> verify(const Statement& statement, ByteView proof) {
  const std::size_t digits = digits_of(statement.leaves.size());
  if (digits == 0) return fail(Errc::malformed, "there is no proof for a list of this length");
  const bool has_scope = !statement.scope.empty();
  if (proof.size() != proof_bytes(statement.leaves.size(), has_scope)) {
    return fail(Errc::malformed, "a proof about an agent has another size");
  }
  TRY(const Parts parts, parse(proof, digits, has_scope));
  TRY(const Scalar x, challenge(transcript(statement), parts, has_scope));
  const std::vector<Scalar> f = all_responses(parts, x);
  if (!openings_hold(statement, parts, x) || !digits_hold(parts, f, x) ||
      !position_holds(statement, parts, f, x)) {
    return fail(Errc::bad_proof, "a proof about an agent does not hold");
  }
  return parts.pseudonym;
}

}  // namespace kith::crypto::agent_proof
