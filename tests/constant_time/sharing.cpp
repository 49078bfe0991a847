#include <vector>

#include "crypto/dleq.hpp"
#include "crypto/ec_ed25519.hpp"
#include "crypto/sealed_backup.hpp"
#include "crypto/shamir.hpp"
#include "tests/constant_time/cases.hpp"
#include "tests/constant_time/marks.hpp"

namespace kith::test {

using namespace crypto;

namespace {

/// Two of three, the third a group of one of two.
DealShape nested_shape() {
  return {2, {{}, {}, {1, {{}, {}}}}};
}

Point handed_out(Point point) {
  hand_out(point.bytes());
  return point;
}

Point secret_point(Random& random) {
  const auto point = Point::base_times(Scalar::random_nonzero(random));
  ASSERT(point && depends_on_secrets(point->bytes()));
  return *point;
}

}  // namespace

void deal_and_combine() {
  SecretRandom random("deal");
  auto dealing = deal(nested_shape(), random);
  ASSERT(dealing && dealing->leaves.size() == 4);
  ASSERT(depends_on_secrets(dealing->recovery_key.expose()));
  std::vector<LeafPoint> leaves;
  for (const OpenLeaf& leaf : dealing->leaves) {
    ASSERT(depends_on_secrets(leaf.share.bytes()));
    leaves.push_back({leaf.x_path, handed_out(leaf.share_point)});
  }
  for (DealtNode& node : dealing->nodes) hand_out(node.point.bytes());
  ASSERT(check_dealing(nested_shape(), leaves, dealing->nodes, dealing->recovery_key));

  // Partial evaluation at the holders of two shares, and both ways to put them together.
  const Point blinded = handed_out(secret_point(random));
  std::vector<ScalarAt> shares;
  std::vector<PointAt> partials;
  for (std::size_t i = 0; i < 2; ++i) {
    const OpenLeaf& leaf = dealing->leaves[i];
    const auto partial = blinded.times(leaf.share);
    ASSERT(partial);
    shares.push_back({leaf.x_path.back(), leaf.share});
    partials.push_back({leaf.x_path.back(), *partial});
  }
  const auto secret = interpolate(shares);
  const auto opening = interpolate(partials);
  ASSERT(secret && opening && depends_on_secrets(secret->bytes()));
  ASSERT(depends_on_secrets(opening->bytes()));
  const auto expected = blinded.times(*secret);
  ASSERT(expected && SecretPoint(*expected).equals(*opening));
  const auto key = Point::base_times(*secret);
  ASSERT(key && dealing->recovery_key.equals(*key));

  const auto refresh = deal_refresh(nested_shape(), leaves, dealing->nodes, random);
  ASSERT(refresh && depends_on_secrets(refresh->leaves.front().delta.bytes()));
}

void prove_shares() {
  SecretRandom random("prove");
  const Scalar share = Scalar::random_nonzero(random);
  const auto share_point = Point::base_times(share);
  const Point blinded = handed_out(secret_point(random));
  const auto partial = blinded.times(share);
  ASSERT(share_point && partial);
  const DleqPoints points{handed_out(*share_point), blinded, handed_out(*partial)};
  const Bytes fresh = random.bytes(kProofFreshBytes);
  const auto dleq = prove_dleq(share, points, as_bytes("statement"), fresh);
  const auto schnorr = prove_schnorr(share, points.share_point, as_bytes("statement"), fresh);
  ASSERT(dleq && schnorr && depends_on_secrets(*dleq) && depends_on_secrets(*schnorr));
  hand_out(*dleq);
  hand_out(*schnorr);
  ASSERT(verify_dleq(points, as_bytes("statement"), *dleq));
  ASSERT(verify_schnorr(points.share_point, as_bytes("statement"), *schnorr));
}

void seal_and_open_backup() {
  SecretRandom random("backup");
  const Scalar secret = Scalar::random_nonzero(random);
  const auto point = Point::base_times(secret);
  ASSERT(point);
  const SecretPoint recovery_key(*point);
  const RawKeyPair signer = ed25519_generate(random);
  const SecretBytes content = secret_bytes(random, 500);
  const ContainerParams params{ContainerFormat::backup, 1, 2, signer.public_key};
  const auto sign = [&](ByteView message) -> Result<Bytes> {
    return ed25519_sign(signer.private_key.expose(), message);
  };
  auto records = seal_container(recovery_key, params, content.clone(), sign, random);
  ASSERT(records && records->size() == 3);
  for (Bytes& record : *records) {
    ASSERT(depends_on_secrets(record) || &record == &records->front());
    hand_out(record);
  }
  const auto core = parse_container_core(ByteView(records->front()).first(kContainerCoreBytes));
  ASSERT(core);
  const auto product = core->ephemeral.times(secret);
  ASSERT(product);
  const SecretPoint opening(*product);
  const auto opened = open_container(*records, recovery_key, opening);
  ASSERT(opened && depends_on_secrets(opened->content.expose()));
  ASSERT(equal_constant_time(opened->content.expose(), content.expose()));
  ASSERT(!open_container(*records, recovery_key, recovery_key));
}

}  // namespace kith::test
