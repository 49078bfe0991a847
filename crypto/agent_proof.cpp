#include "crypto/agent_proof.hpp"

#include <algorithm>
#include <string>

#include "crypto/agent_proof_format.hpp"
#include "crypto/assert.hpp"
#include "crypto/hash_to_point.hpp"

namespace kith::crypto::agent_proof {
namespace {

constexpr std::string_view kGeneratorLabel = "kith-aap-v1/gen";
constexpr std::string_view kScopeLabel = "kith-aap-v1/scope";
constexpr std::string_view kPolicyLabel = "kith-aap-v1/policy";
constexpr std::string_view kDeadLabel = "kith-aap-v1/dead";
constexpr std::string_view kRegistrationLabel = "kith-aap-v1/reg";
constexpr std::string_view kRegistrationNonceLabel = "kith-aap-v1/reg-nonce";
constexpr std::string_view kProofLabel = "kith-aap-v1/prove";
constexpr std::string_view kLeavesLabel = "kith-aap-v1/leaves";

Point named_generator(std::string_view name) {
  return hash_to_point(kGeneratorLabel, {as_bytes(name)});
}

/// first*G + second*H, the same steps for all values.
Result<Point> sum_of_two(const Point& generator, const Scalar& first, const Scalar& second) {
  const std::array<Point, 2> points = {generator, generators().blinding};
  const std::array<Scalar, 2> factors = {first, second};
  return GroupSums(points).sum(factors);
}

Bytes u64_bytes(std::uint64_t value) {
  Bytes out;
  append_u64_be(out, value);
  return out;
}

Bytes registration_transcript(const Registration& registration, const Point& commitment) {
  ASSERT(registration.policy.size() == kPolicyBytes);
  Bytes out;
  append_sized(out, registration.origin);
  append_sized(out, registration.policy);
  append_sized(out, registration.agent_key);
  append_u64_be(out, registration.policy_sequence);
  append(out, commitment.bytes());
  return out;
}

/// Takes a point or scalar off the front.
template <class Value>
Result<void> take(ByteView& from, Value& value) {
  TRY(value, Value::parse(from.first(Value::kBytes)));
  from = from.subspan(Value::kBytes);
  return {};
}

/// Calls `each` with every point of a proof in its order, then with every scalar.
template <class SomeParts, class Each>
Result<void> walk_points(SomeParts& parts, bool has_scope, Each each) {
  CHECK(each(parts.rerandomised));
  if (has_scope) CHECK(each(parts.pseudonym));
  for (auto* point : {&parts.mask, &parts.bits, &parts.cross, &parts.squares}) CHECK(each(*point));
  for (auto& point : parts.lower) CHECK(each(point));
  CHECK(each(parts.leaf_nonce));
  CHECK(each(parts.claim_nonce));
  if (has_scope) CHECK(each(parts.pseudonym_nonce));
  return {};
}

template <class SomeParts, class Each>
Result<void> walk_scalars(SomeParts& parts, Each each) {
  for (auto& scalar : parts.responses) CHECK(each(scalar));
  for (auto* scalar : {&parts.mask_response, &parts.cross_response, &parts.position_response,
                       &parts.secret_response, &parts.policy_response, &parts.blinding_response,
                       &parts.claim_response}) {
    CHECK(each(*scalar));
  }
  return {};
}

/// Appends whatever has bytes.
auto appender(Bytes& to) {
  return [&to](const auto& value) -> Result<void> {
    append(to, value.bytes());
    return {};
  };
}

}  // namespace

const Generators& generators() {
  static const Generators made = [] {
    Generators all{named_generator("G_S"), named_generator("G_I"), named_generator("H"), {}};
    for (std::size_t i = 0; i < all.digits.size(); ++i) {
      all.digits[i] =
          named_generator("V_" + std::to_string(i / kRadix) + "_" + std::to_string(i % kRadix));
    }
    return all;
  }();
  return made;
}

Point scope_generator(ByteView scope) {
  return hash_to_point(kScopeLabel, {scope});
}

std::size_t digits_of(std::size_t leaves) {
  std::size_t length = kRadix;
  for (std::size_t digits = 1; digits <= kDigitsMax; ++digits, length *= kRadix) {
    if (leaves == length) return digits;
  }
  return 0;
}

Result<Point> commit(const AgentSecret& agent) {
  return sum_of_two(generators().secret, agent.secret, agent.blinding);
}

Scalar policy_scalar(ByteView policy) {
  ASSERT(policy.size() == kPolicyBytes);
  return Scalar::hash(kPolicyLabel, {policy});
}

Result<Point> leaf(const Point& commitment, ByteView policy) {
  TRY(const Point term, generators().policy.times(policy_scalar(policy)));
  return commitment.plus(term);
}

Point dead_leaf(std::uint64_t slot) {
  return hash_to_point(kDeadLabel, {u64_bytes(slot)});
}

Result<Point> claim(ByteView policy, const Scalar& claim_blinding) {
  return sum_of_two(generators().policy, policy_scalar(policy), claim_blinding);
}

Result<Bytes> prove_registration(const AgentSecret& agent, const Registration& registration,
                                 ByteView fresh) {
  ASSERT(fresh.size() == kFreshBytes);
  TRY(const Point commitment, commit(agent));
  const Bytes bound = registration_transcript(registration, commitment);
  const auto nonce = [&](std::uint8_t which) {
    return Scalar::hash(kRegistrationNonceLabel, {agent.secret.bytes(), agent.blinding.bytes(),
                                                  fresh, bound, ByteView(&which, 1)});
  };
  const Scalar secret_nonce = nonce(0);
  const Scalar blinding_nonce = nonce(1);
  TRY(const Point announced, sum_of_two(generators().secret, secret_nonce, blinding_nonce));
  const Scalar x = Scalar::hash(kRegistrationLabel, {bound, announced.bytes()});
  Bytes proof = to_bytes(x.bytes());
  append(proof, (secret_nonce + x * agent.secret).bytes());
  append(proof, (blinding_nonce + x * agent.blinding).bytes());
  return proof;
}

Result<void> verify_registration(const Point& commitment, const Registration& registration,
                                 ByteView proof) {
  if (proof.size() != kRegistrationProofBytes) {
    return fail(Errc::malformed, "a proof of a registration has 96 bytes");
  }
  Scalar x;
  Scalar secret_response;
  Scalar blinding_response;
  CHECK(take(proof, x));
  CHECK(take(proof, secret_response));
  CHECK(take(proof, blinding_response));
  const std::array<Point, 3> points = {generators().secret, generators().blinding, commitment};
  const std::array<Scalar, 3> factors = {secret_response, blinding_response, Scalar() - x};
  const auto announced = combine(factors, points);
  if (!announced) return fail(Errc::bad_proof, "a proof commits to the identity");
  const Bytes bound = registration_transcript(registration, commitment);
  if (!Scalar::hash(kRegistrationLabel, {bound, announced->bytes()}).equals(x)) {
    return fail(Errc::bad_proof, "the proof of a registration does not hold");
  }
  return {};
}

std::size_t proof_bytes(std::size_t leaves, bool has_scope) {
  const std::size_t digits = digits_of(leaves);
  ASSERT(digits > 0);
  const std::size_t points = (has_scope ? 9 : 7) + digits;
  const std::size_t scalars = (kRadix - 1) * digits + 7;
  return points * Point::kBytes + scalars * Scalar::kBytes;
}

Bytes encode(const Parts& parts, bool has_scope) {
  Bytes out;
  const auto points = walk_points(parts, has_scope, appender(out));
  const auto scalars = walk_scalars(parts, appender(out));
  ASSERT(points.has_value() && scalars.has_value());
  return out;
}

Result<Parts> parse(ByteView proof, std::size_t digits, bool has_scope) {
  Parts parts;
  parts.lower.resize(digits);
  parts.responses.resize((kRadix - 1) * digits);
  const auto next = [&proof](auto& value) { return take(proof, value); };
  CHECK(walk_points(parts, has_scope, next));
  CHECK(walk_scalars(parts, next));
  return parts;
}

Bytes transcript(const Statement& statement) {
  Bytes leaves;
  leaves.reserve(statement.leaves.size() * Point::kBytes);
  for (const Point& each : statement.leaves) append(leaves, each.bytes());
  Bytes out;
  append_sized(out, statement.origin);
  append_u64_be(out, statement.epoch);
  append(out, statement.epoch_root);
  append_u32_be(out, statement.bucket);
  append(out, digest(kLeavesLabel, {leaves}));
  append(out, statement.claim.bytes());
  append_sized(out, statement.scope);
  append_sized(out, statement.context);
  return out;
}

Result<Scalar> challenge(ByteView transcript, const Parts& parts, bool has_scope) {
  Bytes points;
  CHECK(walk_points(parts, has_scope, appender(points)));
  const Scalar x = Scalar::hash(kProofLabel, {transcript, points});
  if (x.is_zero()) return fail(Errc::bad_proof, "the challenge is zero");
  return x;
}

}  // namespace kith::crypto::agent_proof
