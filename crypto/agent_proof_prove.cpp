#include <algorithm>

#include "crypto/agent_proof_format.hpp"
#include "crypto/assert.hpp"
#include "crypto/declassify.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto::agent_proof {
namespace {

constexpr std::string_view kSeedLabel = "kith-aap-v1/seed";
constexpr std::string_view kNonceLabel = "kith-aap-v1/nonce";

/// All numbers that a proof draws, from one seed.
class Nonces {
 public:
  Nonces(const Witness& witness, ByteView fresh, ByteView transcript)
      : seed_(Scalar::hash(kSeedLabel,
                           {witness.agent.secret.bytes(), witness.agent.blinding.bytes(),
                            witness.policy, witness.claim_blinding.bytes(), fresh, transcript})) {}
  [[nodiscard]] Scalar next() {
    Bytes number;
    append_u32_be(number, drawn_++);
    return Scalar::hash(kNonceLabel, {seed_.bytes(), number});
  }

 private:
  Scalar seed_;
  std::uint32_t drawn_ = 0;
};

/// 1 if a == b, for small numbers.
std::uint64_t same_number(std::uint64_t a, std::uint64_t b) {
  return (((a ^ b) - 1) >> 63U) & 1U;
}

struct Found {
  std::uint64_t position = 0;  ///< Secret.
  bool exists = false;
};

/// Looks at all leaves, wherever the opened one lies.
Found find_leaf(std::span<const Point> leaves, const Point& opened) {
  std::uint64_t position = 0;
  std::uint64_t seen = 0;
  for (std::size_t j = 0; j < leaves.size(); ++j) {
    std::uint64_t different = 0;
    for (std::size_t i = 0; i < Point::kBytes; ++i) {
      different |= static_cast<std::uint64_t>(leaves[j].bytes()[i] ^ opened.bytes()[i]);
    }
    const std::uint64_t here = same_number(different, 0) & (1 - seen);
    position |= (0 - here) & j;
    seen |= here;
  }
  return {position, declassified(seen) == 1};
}

/// The digits of the position as bits, and their masks; row i is digit i, the least first.
struct Digits {
  std::vector<Scalar> bits;
  std::vector<Scalar> masks;
};

Digits choose_digits(std::uint64_t position, std::size_t digits, Nonces& nonces) {
  Digits chosen;
  for (std::size_t i = 0; i < digits; ++i) {
    const std::uint64_t digit = (position >> (2 * i)) & (kRadix - 1);
    Scalar first;  // Each row of masks adds up to zero.
    chosen.masks.emplace_back();
    for (std::size_t t = 0; t < kRadix; ++t) {
      chosen.bits.push_back(Scalar::from_u64(same_number(digit, t)));
      if (t == 0) continue;
      chosen.masks.push_back(nonces.next());
      first = first - chosen.masks.back();
    }
    chosen.masks[i * kRadix] = first;
  }
  return chosen;
}

/// Coefficients below the highest of p_j(x) = product of (bit*x + mask) over j's digits: [k][j].
std::vector<std::vector<Scalar>> lower_coefficients(const Digits& chosen, std::size_t digits,
                                                    std::size_t leaves) {
  std::vector<std::vector<Scalar>> columns(digits, std::vector<Scalar>(leaves));
  for (std::size_t j = 0; j < leaves; ++j) {
    std::vector<Scalar> product = {Scalar::from_u64(1)};
    for (std::size_t i = 0; i < digits; ++i) {
      const std::size_t at = i * kRadix + ((j >> (2 * i)) & (kRadix - 1));
      std::vector<Scalar> next(product.size() + 1);
      for (std::size_t k = 0; k < product.size(); ++k) {
        next[k] = next[k] + product[k] * chosen.masks[at];
        next[k + 1] = product[k] * chosen.bits[at];
      }
      product = std::move(next);
    }
    for (std::size_t k = 0; k < digits; ++k) columns[k][j] = product[k];
  }
  return columns;
}

/// The commitment of all digits' values with one blinding.
Result<Point> commit_digits(const GroupSums& bases, std::vector<Scalar> values,
                            const Scalar& blinding) {
  values.push_back(blinding);
  return bases.sum(values);
}

/// Points and secrets of the representation proof: leaf, claim and pseudonym.
struct Opening {
  Scalar secret, policy, blinding, claim_blinding;
};

Result<Point> sum_of(std::initializer_list<Point> points, std::initializer_list<Scalar> factors) {
  return GroupSums({points.begin(), points.size()}).sum({factors.begin(), factors.size()});
}

/// The part that shows C to open like a leaf, C_I to have the same policy and T the same secret.
Result<void> announce(const Opening& nonce, const Statement& statement, Parts& parts) {
  const Generators& g = generators();
  TRY(parts.leaf_nonce,
      sum_of({g.secret, g.policy, g.blinding}, {nonce.secret, nonce.policy, nonce.blinding}));
  TRY(parts.claim_nonce, sum_of({g.policy, g.blinding}, {nonce.policy, nonce.claim_blinding}));
  if (!statement.scope.empty()) {
    TRY(parts.pseudonym_nonce, scope_generator(statement.scope).times(nonce.secret));
  }
  return {};
}

void respond(const Opening& secret, const Opening& nonce, const Scalar& x, Parts& parts) {
  parts.secret_response = nonce.secret + x * secret.secret;
  parts.policy_response = nonce.policy + x * secret.policy;
  parts.blinding_response = nonce.blinding + x * secret.blinding;
  parts.claim_response = nonce.claim_blinding + x * secret.claim_blinding;
}

/// The one-of-many proof for leaf - C = (r - r2)*H (Bootle and others 2015; n-ary digits).
class Membership {
 public:
  Membership(std::uint64_t position, std::size_t digits, Nonces& nonces)
      : digits_(digits),
        chosen_(choose_digits(position, digits, nonces)),
        bits_blinding_(nonces.next()),
        mask_blinding_(nonces.next()),
        cross_blinding_(nonces.next()),
        squares_blinding_(nonces.next()) {
    for (std::size_t k = 0; k < digits; ++k) lower_blindings_.push_back(nonces.next());
  }

  Result<void> announce(const std::vector<Point>& leaves, Parts& parts) const {
    const Generators& g = generators();
    std::vector<Point> bases(g.digits.begin(),
                             g.digits.begin() + static_cast<std::ptrdiff_t>(digits_ * kRadix));
    bases.push_back(g.blinding);
    const GroupSums sums(bases);
    std::vector<Scalar> cross;
    std::vector<Scalar> squares;
    for (std::size_t i = 0; i < chosen_.bits.size(); ++i) {
      const Scalar& a = chosen_.masks[i];
      cross.push_back(a * (Scalar::from_u64(1) - chosen_.bits[i] - chosen_.bits[i]));
      squares.push_back(Scalar() - a * a);
    }
    TRY(parts.bits, commit_digits(sums, chosen_.bits, bits_blinding_));
    TRY(parts.mask, commit_digits(sums, chosen_.masks, mask_blinding_));
    TRY(parts.cross, commit_digits(sums, cross, cross_blinding_));
    TRY(parts.squares, commit_digits(sums, squares, squares_blinding_));

    std::vector<Point> points = leaves;
    points.push_back(g.blinding);
    const GroupSums all(points);
    auto columns = lower_coefficients(chosen_, digits_, leaves.size());
    for (std::size_t k = 0; k < digits_; ++k) {
      columns[k].push_back(lower_blindings_[k]);
      TRY(const Point lower, all.sum(columns[k]));
      parts.lower.push_back(lower);
    }
    return {};
  }

  /// `difference` = r - r2.
  void respond(const Scalar& difference, const Scalar& x, Parts& parts) const {
    for (std::size_t i = 0; i < chosen_.bits.size(); ++i) {
      if (i % kRadix == 0) continue;  // The verifier gets it from the others.
      parts.responses.push_back(chosen_.bits[i] * x + chosen_.masks[i]);
    }
    parts.mask_response = bits_blinding_ * x + mask_blinding_;
    parts.cross_response = cross_blinding_ * x + squares_blinding_;
    Scalar power = Scalar::from_u64(1);
    Scalar response;
    for (const Scalar& blinding : lower_blindings_) {
      response = response - blinding * power;
      power = power * x;
    }
    parts.position_response = response + difference * power;
  }

 private:
  std::size_t digits_;
  Digits chosen_;
  Scalar bits_blinding_, mask_blinding_, cross_blinding_, squares_blinding_;
  std::vector<Scalar> lower_blindings_;
};

}  // namespace

Result<Bytes> prove(const Statement& statement, const Witness& witness, ByteView fresh) {
  ASSERT(fresh.size() == kFreshBytes);
  const std::size_t digits = digits_of(statement.leaves.size());
  if (digits == 0) return fail(Errc::malformed, "there is no proof for a list of this length");
  const bool has_scope = !statement.scope.empty();
  const Generators& g = generators();
  const Opening secret{witness.agent.secret, policy_scalar(witness.policy), witness.agent.blinding,
                       witness.claim_blinding};
  TRY(const Point claimed, sum_of({g.policy, g.blinding}, {secret.policy, secret.claim_blinding}));
  if (!equal_constant_time(claimed.bytes(), statement.claim.bytes())) {
    return fail(Errc::bad_key, "the claim is another policy's");
  }
  TRY(const Point opened,
      sum_of({g.secret, g.policy, g.blinding}, {secret.secret, secret.policy, secret.blinding}));
  const Found found = find_leaf(statement.leaves, opened);
  if (!found.exists) return fail(Errc::not_found, "this agent is not in the list");

  const Bytes bound = transcript(statement);
  Nonces nonces(witness, fresh, bound);
  Parts parts;
  // C opens as the leaf does, with a blinding of its own.
  Opening rerandomised = secret;
  rerandomised.blinding = nonces.next();
  TRY(parts.rerandomised,
      sum_of({g.secret, g.policy, g.blinding},
             {rerandomised.secret, rerandomised.policy, rerandomised.blinding}));
  if (has_scope) {
    TRY(parts.pseudonym, scope_generator(statement.scope).times(secret.secret));
  }
  Opening nonce;
  for (Scalar* each : {&nonce.secret, &nonce.policy, &nonce.blinding, &nonce.claim_blinding}) {
    *each = nonces.next();
  }
  const Membership membership(found.position, digits, nonces);
  CHECK(membership.announce(statement.leaves, parts));
  CHECK(announce(nonce, statement, parts));
  TRY(const Scalar x, challenge(bound, parts, has_scope));
  membership.respond(secret.blinding - rerandomised.blinding, x, parts);
  respond(rerandomised, nonce, x, parts);
  return encode(parts, has_scope);
}

}  // namespace kith::crypto::agent_proof
