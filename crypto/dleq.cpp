#include "crypto/dleq.hpp"

#include <algorithm>
#include <array>
#include <span>
#include <string_view>
#include <vector>

#include "crypto/assert.hpp"

namespace kith::crypto {
namespace {

constexpr std::string_view kDleqLabel = "kith/recovery/v1/dleq";
constexpr std::string_view kSchnorrLabel = "kith/recovery/v1/schnorr";
constexpr std::string_view kNonceLabel = "kith/recovery/v1/nonce";
constexpr std::string_view kChallengeLabel = "kith/recovery/v1/challenge";

/// All that is public before the commitments: kind of proof, statement, points.
Bytes transcript(std::string_view label, ByteView statement, std::span<const Point> points) {
  Bytes out;
  append_sized(out, as_bytes(label));
  append_sized(out, statement);
  for (const Point& point : points) append_sized(out, point.bytes());
  return out;
}

/// The bases of the commitments are G and, for DLEQ, E.
Scalar challenge_of(ByteView transcript, std::span<const Point> commitments) {
  Bytes all;
  for (const Point& commitment : commitments) append_sized(all, commitment.bytes());
  return Scalar::hash(kChallengeLabel, {transcript, all});
}

Result<Bytes> prove(const Scalar& share, ByteView transcript, std::span<const Point> bases,
                    ByteView fresh) {
  ASSERT(fresh.size() == kProofFreshBytes);
  if (share.is_zero()) return fail(Errc::bad_key, "a share is zero");
  const Scalar nonce = Scalar::hash(kNonceLabel, {share.bytes(), fresh, transcript});
  std::vector<Point> commitments;
  for (const Point& base : bases) {
    TRY(const Point commitment, base.times(nonce));
    commitments.push_back(commitment);
  }
  const Scalar challenge = challenge_of(transcript, commitments);
  const Scalar response = nonce + challenge * share;
  Bytes proof = to_bytes(challenge.bytes());
  append(proof, response.bytes());
  return proof;
}

/// `keys[i]` = share * bases[i].
Result<void> verify(ByteView transcript, std::span<const Point> bases, std::span<const Point> keys,
                    ByteView proof) {
  if (proof.size() != kProofBytes) return fail(Errc::malformed, "a proof has 64 bytes");
  TRY(const Scalar challenge, Scalar::parse(proof.first(Scalar::kBytes)));
  TRY(const Scalar response, Scalar::parse(proof.last(Scalar::kBytes)));
  const std::array<Scalar, 2> factors = {response, Scalar() - challenge};
  std::vector<Point> commitments;
  for (std::size_t i = 0; i < bases.size(); ++i) {
    const std::array<Point, 2> points = {bases[i], keys[i]};
    auto commitment = combine(factors, points);
    if (!commitment) return fail(Errc::bad_proof, "a proof commits to the identity");
    commitments.push_back(*commitment);
  }
  if (!challenge_of(transcript, commitments).equals(challenge)) {
    return fail(Errc::bad_proof, "a proof about a share does not hold");
  }
  return {};
}

}  // namespace

Result<Bytes> prove_dleq(const Scalar& share, const DleqPoints& points, ByteView statement,
                         ByteView fresh) {
  const std::array<Point, 3> all = {points.share_point, points.blinded, points.partial};
  const std::array<Point, 2> bases = {Point::base(), points.blinded};
  return prove(share, transcript(kDleqLabel, statement, all), bases, fresh);
}

Result<void> verify_dleq(const DleqPoints& points, ByteView statement, ByteView proof) {
  const std::array<Point, 3> all = {points.share_point, points.blinded, points.partial};
  const std::array<Point, 2> bases = {Point::base(), points.blinded};
  const std::array<Point, 2> keys = {points.share_point, points.partial};
  return verify(transcript(kDleqLabel, statement, all), bases, keys, proof);
}

Result<Bytes> prove_schnorr(const Scalar& share, const Point& share_point, ByteView statement,
                            ByteView fresh) {
  const std::array<Point, 1> all = {share_point};
  const std::array<Point, 1> bases = {Point::base()};
  return prove(share, transcript(kSchnorrLabel, statement, all), bases, fresh);
}

Result<void> verify_schnorr(const Point& share_point, ByteView statement, ByteView proof) {
  const std::array<Point, 1> all = {share_point};
  const std::array<Point, 1> bases = {Point::base()};
  return verify(transcript(kSchnorrLabel, statement, all), bases, all, proof);
}

}  // namespace kith::crypto
