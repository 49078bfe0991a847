#include "crypto/agent_proof.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "crypto/hash_to_point.hpp"

namespace kith::crypto {
namespace {

using namespace agent_proof;

Bytes policy_named(std::string_view name) {
  return to_bytes(sha256(as_bytes(name)));
}

/// A bucket with the agent at `position`, another policy's agent next to it, and dead points.
struct Bucket {
  SeededRandom random;
  Statement statement;
  Witness witness;
  Witness neighbour;

  explicit Bucket(std::size_t leaves = 4, std::size_t position = 1, std::uint64_t seed = 1)
      : random(seed, "bucket"), witness(agent("owner")), neighbour(agent("stranger")) {
    for (std::size_t slot = 0; slot < leaves; ++slot) {
      statement.leaves.push_back(dead_leaf(slot));
    }
    statement.leaves[position] = leaf_of(witness);
    statement.leaves[(position + 1) % leaves] = leaf_of(neighbour);
    statement.origin = to_bytes("example.org/ledger");
    statement.epoch = 7;
    statement.epoch_root = sha256(as_bytes("root"));
    statement.bucket = 3;
    statement.claim = claim(witness.policy, witness.claim_blinding).value();
    statement.context = to_bytes("verifier, prover, nonce, thread, message");
  }

  Witness agent(std::string_view policy) {
    Witness made;
    made.agent.secret = Scalar::random_nonzero(random);
    made.agent.blinding = Scalar::random_nonzero(random);
    made.policy = policy_named(policy);
    made.claim_blinding = Scalar::random_nonzero(random);
    return made;
  }
  static Point leaf_of(const Witness& agent) {
    return leaf(commit(agent.agent).value(), agent.policy).value();
  }
  Bytes proof() { return prove(statement, witness, random.bytes(kFreshBytes)).value(); }
  Bytes scoped_proof(std::string_view scope) {
    statement.scope = to_bytes(scope);
    return proof();
  }
};

Errc code_of(const Result<Point>& result) {
  return result.has_value() ? Errc::incident : result.error().code;
}

TEST(AgentProof, HoldsAtEveryPositionWithTheSameSize) {
  for (std::size_t position = 0; position < 16; ++position) {
    Bucket bucket(16, position, position);
    const Bytes proof = bucket.proof();
    EXPECT_EQ(proof.size(), proof_bytes(16, false));
    EXPECT_TRUE(verify(bucket.statement, proof)) << position;
  }
}

TEST(AgentProof, HasTheSizesThatItsPageNames) {
  EXPECT_EQ(proof_bytes(256, true), 1024U);
  EXPECT_EQ(proof_bytes(256, false), 960U);
  EXPECT_EQ(proof_bytes(64, true), 896U);
  EXPECT_EQ(proof_bytes(1024, true), 1152U);
}

TEST(AgentProof, HoldsInAWholeBucket) {
  Bucket bucket(256, 200);
  const Bytes proof = bucket.scoped_proof("did:example:verifier");
  EXPECT_EQ(proof.size(), 1024U);
  const auto pseudonym = verify(bucket.statement, proof);
  ASSERT_TRUE(pseudonym);
  EXPECT_NE(*pseudonym, Point());
}

TEST(AgentProof, RefusesEveryAlteredField) {
  Bucket bucket;
  const Bytes proof = bucket.scoped_proof("scope");
  ASSERT_TRUE(verify(bucket.statement, proof));
  for (std::size_t at = 0; at < proof.size(); at += 32) {
    for (const std::size_t byte : {at, at + 17}) {
      Bytes altered = proof;
      altered[byte] ^= 4;
      EXPECT_TRUE(verify(bucket.statement, altered).has_error()) << byte;
    }
    // Valid everywhere, and wrong.
    Bytes swapped = proof;
    const std::size_t other = (at + 32) % proof.size();
    std::swap_ranges(swapped.begin() + static_cast<std::ptrdiff_t>(at),
                     swapped.begin() + static_cast<std::ptrdiff_t>(at) + 32,
                     swapped.begin() + static_cast<std::ptrdiff_t>(other));
    EXPECT_TRUE(verify(bucket.statement, swapped).has_error()) << at;
  }
}

/// Every field put off by one in a way that parses: the equations themselves have to refuse it.
TEST(AgentProof, RefusesEveryFieldThatIsValidAndWrong) {
  Bucket bucket;
  const Bytes proof = bucket.scoped_proof("scope");
  const Scalar one = Scalar::from_u64(1);
  const std::size_t scalars_at = 10 * 32;  // One digit: nine points and one G.
  for (std::size_t at = 0; at < proof.size(); at += 32) {
    const ByteView field = ByteView(proof).subspan(at, 32);
    Bytes altered = proof;
    const auto write = [&](ByteView value) {
      std::ranges::copy(value, altered.begin() + static_cast<std::ptrdiff_t>(at));
    };
    if (at < scalars_at) {
      write(Point::parse(field).value().plus(Point::base()).value().bytes());
    } else {
      write((Scalar::parse(field).value() + one).bytes());
    }
    EXPECT_EQ(code_of(verify(bucket.statement, altered)), Errc::bad_proof) << at;
  }
}

TEST(AgentProof, HoldsForItsStatementAlone) {
  Bucket bucket;
  const Bytes proof = bucket.scoped_proof("scope");
  const auto refused = [&](auto change) {
    Statement other = bucket.statement;
    change(other);
    return code_of(verify(other, proof)) == Errc::bad_proof;
  };
  EXPECT_TRUE(refused([](Statement& s) { s.origin.push_back('x'); }));
  EXPECT_TRUE(refused([](Statement& s) { ++s.epoch; }));
  EXPECT_TRUE(refused([](Statement& s) { s.epoch_root[31] ^= 1; }));
  EXPECT_TRUE(refused([](Statement& s) { ++s.bucket; }));
  EXPECT_TRUE(refused([](Statement& s) { s.scope.back() ^= 1; }));
  EXPECT_TRUE(refused([](Statement& s) { s.context.back() ^= 1; }));
  EXPECT_TRUE(refused([](Statement& s) {  // The border between two fields.
    s.scope.push_back(s.context.front());
    s.context.erase(s.context.begin());
  }));
  EXPECT_TRUE(refused([](Statement& s) { std::swap(s.leaves[0], s.leaves[3]); }));
  EXPECT_TRUE(refused([](Statement& s) { s.leaves[1] = dead_leaf(1); }));  // Revoked.
  EXPECT_TRUE(refused(
      [&](Statement& s) { s.claim = claim(bucket.witness.policy, Scalar::from_u64(5)).value(); }));
  EXPECT_TRUE(refused([&](Statement& s) {
    s.claim = claim(bucket.neighbour.policy, bucket.witness.claim_blinding).value();
  }));
}

TEST(AgentProof, IsMadeOnlyByWhoIsInTheListAndForTheirOwnPolicy) {
  Bucket bucket;
  const Bytes fresh = bucket.random.bytes(kFreshBytes);
  Witness outsider = bucket.witness;
  outsider.agent.blinding = outsider.agent.blinding + Scalar::from_u64(1);
  EXPECT_EQ(prove(bucket.statement, outsider, fresh).error().code, Errc::not_found);
  Witness mixed = bucket.neighbour;  // In the list, and another policy's.
  EXPECT_EQ(prove(bucket.statement, mixed, fresh).error().code, Errc::bad_key);
  mixed.policy = bucket.witness.policy;
  mixed.claim_blinding = bucket.witness.claim_blinding;
  EXPECT_EQ(prove(bucket.statement, mixed, fresh).error().code, Errc::not_found);
  bucket.statement.leaves.pop_back();
  EXPECT_EQ(prove(bucket.statement, bucket.witness, fresh).error().code, Errc::malformed);
  EXPECT_EQ(code_of(verify(bucket.statement, Bytes(960))), Errc::malformed);
}

TEST(AgentProof, PseudonymsAreTheSameWithinAScopeAndNowhereElse) {
  Bucket bucket(4, 1);
  const Point first = verify(bucket.statement, bucket.scoped_proof("a")).value();
  EXPECT_TRUE(verify(bucket.statement, bucket.scoped_proof("a")).has_value());
  bucket.statement.context = to_bytes("another time");
  EXPECT_EQ(verify(bucket.statement, bucket.scoped_proof("a")).value(), first);
  EXPECT_NE(verify(bucket.statement, bucket.scoped_proof("b")).value(), first);
  EXPECT_EQ(verify(bucket.statement, bucket.scoped_proof("")).value(), Point());
  bucket.witness = bucket.neighbour;
  bucket.statement.claim = claim(bucket.witness.policy, bucket.witness.claim_blinding).value();
  EXPECT_NE(verify(bucket.statement, bucket.scoped_proof("a")).value(), first);
}

TEST(AgentProof, SharesNothingBetweenTwoProofs) {
  Bucket bucket;
  std::set<std::string> seen;
  for (int i = 0; i < 4; ++i) {
    const Bytes proof = bucket.proof();
    for (std::size_t at = 0; at < proof.size(); at += 32) {
      EXPECT_TRUE(seen.insert(hex(ByteView(proof).subspan(at, 32))).second) << i << " " << at;
    }
  }
}

TEST(AgentProof, NeverSharesANonceThoughTheGeneratorRepeatsItself) {
  Bucket bucket;
  const Bytes fresh(kFreshBytes);
  const Bytes first = prove(bucket.statement, bucket.witness, fresh).value();
  EXPECT_EQ(prove(bucket.statement, bucket.witness, fresh).value(), first);
  bucket.statement.context = to_bytes("another");
  const Bytes second = prove(bucket.statement, bucket.witness, fresh).value();
  for (std::size_t at = 0; at < first.size(); at += 32) {
    EXPECT_NE(hex(ByteView(first).subspan(at, 32)), hex(ByteView(second).subspan(at, 32))) << at;
  }
}

TEST(AgentProof, RefusesOtherEncodings) {
  Bucket bucket;
  const Bytes proof = bucket.scoped_proof("scope");
  const std::size_t scalars_at = 10 * 32;
  for (std::size_t at = 0; at < proof.size(); at += 32) {
    Bytes other = proof;
    const auto field = other.begin() + static_cast<std::ptrdiff_t>(at);
    field[31] |= 0x80;  // A bit that a lenient reader leaves out.
    EXPECT_EQ(code_of(verify(bucket.statement, other)), Errc::malformed) << at;
    if (at < scalars_at) {
      std::fill(field, field + 32, std::uint8_t{0});  // The identity.
      EXPECT_EQ(code_of(verify(bucket.statement, other)), Errc::malformed) << at;
    }
  }
  Bytes longer = proof;
  longer.push_back(0);
  EXPECT_EQ(code_of(verify(bucket.statement, longer)), Errc::malformed);
  longer.resize(proof.size() - 1);
  EXPECT_EQ(code_of(verify(bucket.statement, longer)), Errc::malformed);
}

TEST(AgentProof, RegistrationHoldsForItsOwnContextAlone) {
  Bucket bucket;
  Registration registration{to_bytes("ledger"), bucket.witness.policy, Bytes(32, 7), 4};
  const Point commitment = commit(bucket.witness.agent).value();
  const Bytes proof =
      prove_registration(bucket.witness.agent, registration, bucket.random.bytes(kFreshBytes))
          .value();
  ASSERT_EQ(proof.size(), kRegistrationProofBytes);
  ASSERT_TRUE(verify_registration(commitment, registration, proof));
  const auto refused = [&](auto change) {
    Registration other = registration;
    change(other);
    return verify_registration(commitment, other, proof).has_error();
  };
  EXPECT_TRUE(refused([](Registration& r) { r.origin.push_back('x'); }));
  EXPECT_TRUE(refused([&](Registration& r) { r.policy = bucket.neighbour.policy; }));
  EXPECT_TRUE(refused([](Registration& r) { r.agent_key[0] ^= 1; }));
  EXPECT_TRUE(refused([](Registration& r) { ++r.policy_sequence; }));
  for (std::size_t at = 0; at < proof.size(); at += 8) {
    Bytes altered = proof;
    altered[at] ^= 1;
    EXPECT_TRUE(verify_registration(commitment, registration, altered).has_error()) << at;
  }
  EXPECT_TRUE(verify_registration(Point::base(), registration, proof).has_error());
  EXPECT_TRUE(verify_registration(commitment, registration, {}).has_error());
}

/// K' = S*G_S + (iota_victim - iota_own)*G_I + r*H would make a leaf of one's own policy that opens
/// to the victim's. The forger knows all of it, and cannot register it.
TEST(AgentProof, RefusesARogueRegistration) {
  Bucket bucket;
  const Bytes& victim = bucket.witness.policy;
  const Bytes own = bucket.neighbour.policy;
  const Scalar shift = policy_scalar(victim) - policy_scalar(own);
  const Point generator = hash_to_point("kith-aap-v1/gen", {as_bytes("G_I")});
  const AgentSecret rogue = bucket.neighbour.agent;
  const Point commitment = commit(rogue).value().plus(generator.times(shift).value()).value();
  // His leaf would indeed open to the victim's policy.
  bucket.statement.leaves[1] = leaf(commitment, own).value();
  const Witness forger{rogue, victim, bucket.witness.claim_blinding};
  EXPECT_TRUE(prove(bucket.statement, forger, bucket.random.bytes(kFreshBytes)));
  const Registration registration{to_bytes("ledger"), own, Bytes(32, 7), 4};
  const Bytes proof =
      prove_registration(rogue, registration, bucket.random.bytes(kFreshBytes)).value();
  EXPECT_TRUE(verify_registration(commitment, registration, proof).has_error());
}

TEST(AgentProof, AgreesWithTheVectorsOfItsPage) {
  Witness witness;
  witness.agent = {Scalar::from_u64(11), Scalar::from_u64(12)};
  witness.policy = Bytes(kPolicyBytes, 7);
  witness.claim_blinding = Scalar::from_u64(13);
  const Point commitment = commit(witness.agent).value();
  EXPECT_EQ(hex(commitment.bytes()),
            "ccad7220cb59e74fd3482afd5d02241712d072603f246b892bf9100dca033452");
  Statement statement;
  statement.origin = to_bytes("ledger");
  statement.epoch = 1;
  for (std::uint64_t slot = 0; slot < 4; ++slot) statement.leaves.push_back(dead_leaf(slot));
  statement.leaves[2] = leaf(commitment, witness.policy).value();
  statement.claim = claim(witness.policy, witness.claim_blinding).value();
  statement.scope = to_bytes("verifier");
  statement.context = to_bytes("context");
  EXPECT_EQ(hex(statement.leaves[2].bytes()),
            "f200928f23da5f8ec784565ec9167d0ae9e84e704bd1afd2db1f6a96b0d95c11");
  const Bytes proof = prove(statement, witness, Bytes(kFreshBytes)).value();
  EXPECT_EQ(hex(sha256(proof)), "6f4acc81f3cfcde6db561f9baaf0834e24998b0f565987dca7948b7ae7840058");
  EXPECT_EQ(hex(verify(statement, proof).value().bytes()),
            "a6853caf3cf7fca145f00ca63bfef18a217934ec02262c76b86063c717832758");
  const Registration registration{to_bytes("ledger"), witness.policy, Bytes(32, 1), 1};
  EXPECT_EQ(
      hex(prove_registration(witness.agent, registration, Bytes(kFreshBytes)).value()),
      "b5a94b27206aaf412dfe947b8965b6a14c9e391bdb7709048ac080bcce28d508944e5a2bdaefac5878dddf16"
      "a366e3da777c50cfb1f70199b05aeee347d361074ca16ea382a1a6a69ac2fbfa792f30573191bb786fb46325"
      "532d15ba80e5ce09");
}

TEST(AgentProof, GeneratorsAndDeadLeavesAllDiffer) {
  std::set<Point> seen;
  for (const std::string_view name : {"G_S", "G_I", "H", "V_0_0", "V_4_3"}) {
    EXPECT_TRUE(seen.insert(hash_to_point("kith-aap-v1/gen", {as_bytes(name)})).second);
  }
  for (std::uint64_t slot = 0; slot < 300; ++slot) {
    EXPECT_TRUE(seen.insert(dead_leaf(slot)).second);
  }
}

}  // namespace
}  // namespace kith::crypto
