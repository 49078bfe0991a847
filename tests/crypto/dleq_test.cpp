#include "crypto/dleq.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"

namespace kith::crypto {
namespace {

struct Case {
  Scalar share;
  DleqPoints points;
  Bytes fresh;
};

Case make_case(std::uint64_t seed) {
  SeededRandom random(seed, "dleq");
  Case made;
  made.share = Scalar::random_nonzero(random);
  const Scalar e = Scalar::random_nonzero(random);
  made.points.share_point = Point::base_times(made.share).value();
  made.points.blinded = Point::base_times(e).value();
  made.points.partial = made.points.blinded.times(made.share).value();
  made.fresh = random.bytes(kProofFreshBytes);
  return made;
}

Bytes prove(const Case& c, std::string_view statement) {
  return prove_dleq(c.share, c.points, as_bytes(statement), c.fresh).value();
}

bool holds(const DleqPoints& points, std::string_view statement, ByteView proof) {
  return verify_dleq(points, as_bytes(statement), proof).has_value();
}

Bytes schnorr(const Case& c, std::string_view statement) {
  return prove_schnorr(c.share, c.points.share_point, as_bytes(statement), c.fresh).value();
}

TEST(Dleq, HoldsForTheSharesOwnPartial) {
  for (std::uint64_t seed = 0; seed < 20; ++seed) {
    const Case c = make_case(seed);
    const Bytes proof = prove(c, "session");
    EXPECT_EQ(proof.size(), kProofBytes);
    EXPECT_TRUE(holds(c.points, "session", proof));
    EXPECT_TRUE(holds(c.points, "session", prove(c, "session"))) << "the same inputs prove again";
  }
}

TEST(Dleq, RefusesEveryAlteredByte) {
  const Case c = make_case(1);
  const Bytes proof = prove(c, "session");
  for (std::size_t i = 0; i < proof.size(); ++i) {
    Bytes altered = proof;
    altered[i] ^= 0x01;
    EXPECT_FALSE(holds(c.points, "session", altered)) << i;
  }
}

TEST(Dleq, RefusesProofsThatAreNotInTheirOneForm) {
  const Case c = make_case(2);
  const Bytes proof = prove(c, "session");
  for (const std::size_t size : {0U, 32U, 63U, 65U, 128U}) {
    Bytes wrong = proof;
    wrong.resize(size);
    EXPECT_EQ(verify_dleq(c.points, as_bytes("session"), wrong).error(), Errc::malformed) << size;
  }
  // Challenge or response plus L is the same number mod L, in a second spelling.
  const Bytes order =
      from_hex("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").value();
  for (const std::size_t at : {0U, 32U}) {
    Bytes second = proof;
    unsigned carry = 0;
    for (std::size_t i = 0; i < 32; ++i) {
      carry += unsigned{second[at + i]} + order[i];
      second[at + i] = static_cast<std::uint8_t>(carry);
      carry >>= 8U;
    }
    ASSERT_EQ(carry, 0U);
    EXPECT_EQ(verify_dleq(c.points, as_bytes("session"), second).error(), Errc::malformed) << at;
  }
  EXPECT_EQ(verify_dleq(c.points, as_bytes("session"), Bytes(kProofBytes, 0)).error(),
            Errc::bad_proof)
      << "commitments to the identity";
}

TEST(Dleq, RefusesOtherPointsAndStatements) {
  const Case c = make_case(3);
  const Case other = make_case(4);
  const Bytes proof = prove(c, "session");
  EXPECT_FALSE(holds(c.points, "another session", proof));
  EXPECT_FALSE(holds(c.points, "", proof));
  EXPECT_FALSE(
      holds({other.points.share_point, c.points.blinded, c.points.partial}, "session", proof));
  EXPECT_FALSE(
      holds({c.points.share_point, other.points.blinded, c.points.partial}, "session", proof));
  EXPECT_FALSE(
      holds({c.points.share_point, c.points.blinded, other.points.partial}, "session", proof));
  EXPECT_FALSE(holds({c.points.blinded, c.points.share_point, c.points.partial}, "session", proof));
  EXPECT_FALSE(holds(other.points, "session", proof));
}

TEST(Dleq, NeverHoldsForAPartialMadeWithAnotherScalar) {
  const Case c = make_case(5);
  const Case other = make_case(6);
  DleqPoints lie = c.points;
  lie.partial = c.points.blinded.times(other.share).value();
  for (const Scalar& used : {c.share, other.share}) {
    const Bytes proof = prove_dleq(used, lie, as_bytes("session"), c.fresh).value();
    EXPECT_FALSE(holds(lie, "session", proof));
  }
}

TEST(Dleq, NeverSharesANonceBetweenTwoProofs) {
  // A nonce used for two challenges gives the share away: s = (z - z') / (c - c').
  const auto extracted = [](const Bytes& a, const Bytes& b) {
    const ByteView first(a);
    const ByteView second(b);
    const Scalar challenges =
        Scalar::parse(first.first(32)).value() - Scalar::parse(second.first(32)).value();
    const Scalar responses =
        Scalar::parse(first.last(32)).value() - Scalar::parse(second.last(32)).value();
    return responses * challenges.inverse();
  };
  // The formula finds a share in proofs that do share a nonce.
  {
    const Scalar share = Scalar::from_u64(77);
    const Scalar nonce = Scalar::from_u64(1234);
    const auto fake = [&](std::uint64_t challenge) {
      Bytes proof = to_bytes(Scalar::from_u64(challenge).bytes());
      append(proof, (nonce + Scalar::from_u64(challenge) * share).bytes());
      return proof;
    };
    EXPECT_TRUE(extracted(fake(5), fake(9)).equals(share));
  }
  // A generator that repeats its bytes: other statements, other points, the other kind of proof.
  const Case c = make_case(7);
  Case other_point = c;
  other_point.points.blinded = Point::base_times(Scalar::from_u64(3)).value();
  other_point.points.partial = other_point.points.blinded.times(c.share).value();
  const Bytes proof = prove(c, "session");
  EXPECT_FALSE(extracted(proof, prove(c, "another session")).equals(c.share));
  EXPECT_FALSE(extracted(proof, prove(other_point, "session")).equals(c.share));
  EXPECT_FALSE(extracted(proof, schnorr(c, "session")).equals(c.share));
  // A statement cannot borrow bytes from what follows it.
  EXPECT_FALSE(extracted(prove(c, "sessio"), proof).equals(c.share));
}

TEST(Dleq, RefusesAZeroShare) {
  Case c = make_case(8);
  EXPECT_EQ(prove_dleq(Scalar(), c.points, as_bytes("s"), c.fresh).error(), Errc::bad_key);
  EXPECT_EQ(prove_schnorr(Scalar(), c.points.share_point, as_bytes("s"), c.fresh).error(),
            Errc::bad_key);
}

TEST(Schnorr, HoldsForTheSharesPointAlone) {
  const Case c = make_case(9);
  const Case other = make_case(10);
  const Bytes proof = schnorr(c, "beat 1");
  EXPECT_TRUE(verify_schnorr(c.points.share_point, as_bytes("beat 1"), proof).has_value());
  EXPECT_FALSE(verify_schnorr(c.points.share_point, as_bytes("beat 2"), proof).has_value());
  EXPECT_FALSE(verify_schnorr(other.points.share_point, as_bytes("beat 1"), proof).has_value());
  for (std::size_t i = 0; i < proof.size(); ++i) {
    Bytes altered = proof;
    altered[i] ^= 0x80;
    EXPECT_FALSE(verify_schnorr(c.points.share_point, as_bytes("beat 1"), altered).has_value())
        << i;
  }
  // Another scalar proves nothing about this point.
  const Bytes forged =
      prove_schnorr(other.share, c.points.share_point, as_bytes("beat 1"), c.fresh).value();
  EXPECT_EQ(verify_schnorr(c.points.share_point, as_bytes("beat 1"), forged).error(),
            Errc::bad_proof);
}

TEST(Schnorr, IsNotTakenForADleqProofNorTheOtherWayRound) {
  // E = G and P = S make the two statements the same; the kinds still differ.
  const Case c = make_case(11);
  const DleqPoints same = {c.points.share_point, Point::base(), c.points.share_point};
  const Bytes dleq = prove_dleq(c.share, same, as_bytes("s"), c.fresh).value();
  const Bytes single = schnorr(c, "s");
  EXPECT_TRUE(verify_dleq(same, as_bytes("s"), dleq).has_value());
  EXPECT_FALSE(verify_dleq(same, as_bytes("s"), single).has_value());
  EXPECT_FALSE(verify_schnorr(c.points.share_point, as_bytes("s"), dleq).has_value());
}

TEST(DleqDeathTest, DemandsItsFreshBytes) {
  const Case c = make_case(12);
  EXPECT_DEATH(static_cast<void>(prove_dleq(c.share, c.points, as_bytes("s"), Bytes(31))), "fresh");
}

}  // namespace
}  // namespace kith::crypto
