// A prover that lies in one point and is honest in all others: its challenge covers what it sends,
// so each lie is for one equation of the verifier alone.

#include <gtest/gtest.h>

#include <functional>

#include "crypto/agent_proof_format.hpp"

namespace kith::crypto::agent_proof {
namespace {

using Scalars = std::vector<Scalar>;

Scalar number(std::uint64_t value) {
  return Scalar::from_u64(value);
}

Point sum(const Scalars& factors, const std::vector<Point>& points) {
  return combine(factors, points).value();
}

/// Four leaves that one person has registered, each for a policy of its own.
struct Liar {
  static constexpr std::size_t kLeaves = kRadix;
  Statement statement;
  std::vector<AgentSecret> agents;
  Scalars policies;
  Scalar claim_blinding = number(77);
  std::size_t position = 2;

  Liar() {
    for (std::size_t i = 0; i < kLeaves; ++i) {
      agents.push_back({number(100 + i), number(200 + i)});
      const Bytes policy(kPolicyBytes, static_cast<std::uint8_t>(i));
      policies.push_back(policy_scalar(policy));
      statement.leaves.push_back(leaf(commit(agents[i]).value(), policy).value());
    }
    statement.scope = to_bytes("verifier");
    statement.claim = claim_of(policies[position]);
  }

  [[nodiscard]] Point claim_of(const Scalar& policy) const {
    return sum({policy, claim_blinding}, {generators().policy, generators().blinding});
  }

  // What is proven about; an honest prover takes these from the leaf at its position.
  Scalars bits = {number(0), number(0), number(1), number(0)};
  Scalar secret = number(102);
  Scalar blinding = number(202);
  std::optional<Scalar> other_policy;
  std::function<void(Parts&)> lie = [](Parts&) {};  ///< Before the challenge.

  [[nodiscard]] Bytes prove() const {
    const Generators& g = generators();
    const Scalar policy = other_policy.value_or(policies[position]);
    const Scalars masks = {Scalar() - number(9), number(2), number(3), number(4)};
    const Scalar rb = number(11), ra = number(12), rc = number(13), rd = number(14);
    const Scalar rho = number(15), again = number(16);
    const Scalar as = number(21), ai = number(22), ar = number(23), arho = number(24);
    std::vector<Point> bases(g.digits.begin(), g.digits.begin() + kRadix);
    bases.push_back(g.blinding);
    Scalars b = bits, a = masks, cross, squares, low = masks;
    for (std::size_t t = 0; t < kRadix; ++t) {
      cross.push_back(masks[t] * (number(1) - bits[t] - bits[t]));
      squares.push_back(Scalar() - masks[t] * masks[t]);
    }
    b.push_back(rb), a.push_back(ra), cross.push_back(rc), squares.push_back(rd);
    low.push_back(rho);
    std::vector<Point> leaves = statement.leaves;
    leaves.push_back(g.blinding);
    const Point scope = scope_generator(statement.scope);

    Parts parts;
    parts.rerandomised = sum({secret, policy, again}, {g.secret, g.policy, g.blinding});
    parts.pseudonym = scope.times(secret).value();
    parts.bits = sum(b, bases), parts.mask = sum(a, bases);
    parts.cross = sum(cross, bases), parts.squares = sum(squares, bases);
    parts.lower = {sum(low, leaves)};
    parts.leaf_nonce = sum({as, ai, ar}, {g.secret, g.policy, g.blinding});
    parts.claim_nonce = sum({ai, arho}, {g.policy, g.blinding});
    parts.pseudonym_nonce = scope.times(as).value();
    lie(parts);

    const Scalar x = challenge(transcript(statement), parts, true).value();
    for (std::size_t t = 1; t < kRadix; ++t) parts.responses.push_back(bits[t] * x + masks[t]);
    parts.mask_response = rb * x + ra;
    parts.cross_response = rc * x + rd;
    parts.position_response = (blinding - again) * x - rho;
    parts.secret_response = as + x * secret;
    parts.policy_response = ai + x * policy;
    parts.blinding_response = ar + x * again;
    parts.claim_response = arho + x * claim_blinding;
    return encode(parts, true);
  }
  [[nodiscard]] bool is_refused() const {
    const auto verified = verify(statement, prove());
    return verified.has_error() && verified.error() == Errc::bad_proof;
  }
};

TEST(AgentProofLiar, IsBelievedWhileItIsHonest) {
  EXPECT_TRUE(verify(Liar().statement, Liar().prove()).has_value());
}

TEST(AgentProofLiar, HasNoPseudonymOfSomebodyElse) {
  Liar liar;
  liar.lie = [&](Parts& parts) {
    parts.pseudonym = scope_generator(liar.statement.scope).times(number(103)).value();
  };
  EXPECT_TRUE(liar.is_refused());
}

TEST(AgentProofLiar, SpeaksForNoOtherPolicy) {
  Liar liar;  // Its own leaf, and the claim of the policy next to it.
  liar.statement.claim = liar.claim_of(liar.policies[3]);
  EXPECT_TRUE(liar.is_refused());
}

TEST(AgentProofLiar, IsNobodyOutsideTheList) {
  Liar liar;
  liar.secret = number(999);
  EXPECT_TRUE(liar.is_refused());
  Liar elsewhere;  // The claim and C fit, the leaf is another policy's.
  elsewhere.other_policy = elsewhere.policies[3];
  elsewhere.statement.claim = elsewhere.claim_of(elsewhere.policies[3]);
  EXPECT_TRUE(elsewhere.is_refused());
}

/// Leaves 0 and 2 less leaf 1: an agent that nobody has registered, for a policy that none is.
TEST(AgentProofLiar, IsNoMixtureOfLeaves) {
  Liar liar;
  liar.bits = {number(1), Scalar() - number(1), number(1), number(0)};
  liar.secret = number(100) - number(101) + number(102);
  liar.blinding = number(200) - number(201) + number(202);
  liar.other_policy = liar.policies[0] - liar.policies[1] + liar.policies[2];
  liar.statement.claim = liar.claim_of(*liar.other_policy);
  EXPECT_TRUE(liar.is_refused());
}

TEST(AgentProofLiar, AnnouncesNothingThatItCannotOpen) {
  const std::vector<Point Parts::*> fields = {
      &Parts::bits,       &Parts::mask,        &Parts::cross,           &Parts::squares,
      &Parts::leaf_nonce, &Parts::claim_nonce, &Parts::pseudonym_nonce, &Parts::rerandomised};
  for (std::size_t i = 0; i < fields.size(); ++i) {
    Liar liar;
    liar.lie = [&](Parts& parts) {
      parts.*fields[i] = (parts.*fields[i]).plus(Point::base()).value();
    };
    EXPECT_TRUE(liar.is_refused()) << i;
  }
}

}  // namespace
}  // namespace kith::crypto::agent_proof
