#include "crypto/declassify.hpp"
#include "crypto/dleq.hpp"
#include "crypto/limits.hpp"
#include "crypto/sealed_blob.hpp"
#include "crypto/shamir.hpp"
#include "crypto/software_keys.hpp"

/// The sharing half of SoftwareKeys: dealing, and the trustee's use of a share.

namespace kith::crypto {

namespace {

constexpr std::string_view kShareBoxLabel = "kith/share-box/v1";

Bytes share_box_ad(ByteView ad) {
  Bytes full = to_bytes(kShareBoxLabel);
  append(full, ad);
  return full;
}

}  // namespace

SealedShare SoftwareKeys::seal_share(const Scalar& share) {
  return {seal_under(share_key_, sealed_blob::kVersion, as_bytes(sealed_blob::kShareLabel),
                     share.bytes())};
}

Result<Scalar> SoftwareKeys::open_share(const SealedShare& share) const {
  TRY(const SecretBytes bytes, sealed_blob::open(share_key_, sealed_blob::kVersion,
                                                 as_bytes(sealed_blob::kShareLabel), share.blob));
  return Scalar::parse(bytes.expose());
}

Result<Dealing> SoftwareKeys::deal(const DealShape& shape) {
  TRY(OpenDealing open, crypto::deal(shape, random_));
  Dealing dealing{std::move(open.recovery_key), {}, std::move(open.nodes)};
  for (OpenLeaf& leaf : open.leaves) {
    dealing.leaves.push_back({std::move(leaf.x_path), leaf.share_point, seal_share(leaf.share)});
  }
  return dealing;
}

Result<Bytes> SoftwareKeys::seal_share_to(const SealedShare& share, const PublicKey& trustee,
                                          ByteView ad) {
  TRY(const Scalar scalar, open_share(share));
  return seal_to(trustee, share_box_ad(ad), scalar.bytes());
}

Result<SealedShare> SoftwareKeys::accept_share(const SealedKey& recipient, ByteView ad,
                                               ByteView box, const Point& share_point) {
  TRY(const Opened opened, open_for(recipient, sealed_blob::bit(KeyPurpose::agree)));
  CHECK(check_opens_boxes(opened));
  TRY(const SecretBytes bytes,
      open_box_with(opened.private_part(), opened.public_part(), share_box_ad(ad), box));
  const auto scalar = Scalar::parse(bytes.expose());
  if (!scalar.has_value()) return fail(Errc::bad_proof, "the share is not a scalar");
  const auto point = Point::base_times(*scalar);
  if (point.has_value()) declassify(point->bytes());
  if (!point.has_value() || *point != share_point) {
    return fail(Errc::bad_proof, "the share does not fit its public point");
  }
  return seal_share(*scalar);
}

Result<PartialAnswer> SoftwareKeys::partial(const SealedShare& share,
                                            const std::vector<Point>& blinded, ByteView statement) {
  if (blinded.empty() || blinded.size() > limits::kPartialPointsMax) {
    return fail(Errc::limit_exceeded, "too many points in one request, or none");
  }
  TRY(const Scalar scalar, open_share(share));
  TRY(const Point share_point, Point::base_times(scalar));
  PartialAnswer answer;
  for (const Point& point : blinded) {
    TRY(const Point partial, point.times(scalar));
    const Bytes fresh = random_.bytes(kProofFreshBytes);
    TRY(Bytes proof, prove_dleq(scalar, {share_point, point, partial}, statement, fresh));
    answer.partials.push_back(partial);
    answer.proofs.push_back(std::move(proof));
  }
  return answer;
}

Result<Bytes> SoftwareKeys::prove_share(const SealedShare& share, ByteView statement) {
  TRY(const Scalar scalar, open_share(share));
  TRY(const Point share_point, Point::base_times(scalar));
  const Bytes fresh = random_.bytes(kProofFreshBytes);
  return prove_schnorr(scalar, share_point, statement, fresh);
}

}  // namespace kith::crypto
