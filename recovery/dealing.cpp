#include "recovery/dealing.hpp"

#include <set>

#include "crypto/shamir.hpp"
#include "recovery/capsule.hpp"

namespace kith::recovery {
namespace {

Result<void> check_input(const SetInput& input) {
  CHECK(check_plan(input.plan));
  const std::vector<Holder> holders = plan_leaves(input.plan);
  if (input.leaves.size() != holders.size()) {
    return fail(Errc::malformed, "recovery set: not one input for each leaf of the plan");
  }
  std::set<Token> tokens;
  for (std::size_t i = 0; i < holders.size(); ++i) {
    const auto& leaf = input.leaves[i];
    if (leaf.has_value() != (holders[i].kind == HolderKind::trustee)) {
      return fail(Errc::malformed, "recovery set: a trustee without terms, or paper with them");
    }
    if (!leaf) continue;
    if (leaf->owner_key == nullptr) return fail(Errc::malformed, "recovery set: no owner key");
    if (leaf->trustee_key.type != KeyType::x25519) {
      return fail(Errc::bad_key, "recovery set: a trustee's key cannot receive a share");
    }
    CHECK(check_terms(leaf->terms, input.mode));
    for (const Location& location : leaf->locations) {
      if (!tokens.insert(location.token).second) {
        return fail(Errc::malformed, "recovery set: a token is used twice");
      }
    }
  }
  if (input.unlocked_vault == nullptr || input.agent_key == nullptr) {
    return fail(Errc::malformed, "recovery set: no vault key or no agent key");
  }
  return {};
}

/// The owner's half of a set, before anything is packed.
RecoveryRecord record_of(const SetInput& input, const crypto::Dealing& dealing, Random& random) {
  RecoveryRecord record;
  record.set_id = random_id<SetId>(random);
  record.recovery_key.bytes = SecretBytes::copy_of(dealing.recovery_key.expose());
  record.plan = input.plan;
  record.created = input.now;
  const std::vector<Holder> holders = plan_leaves(input.plan);
  for (std::size_t i = 0; i < holders.size(); ++i) {
    RecoveryRecord::Leaf leaf;
    leaf.holder = holders[i];
    leaf.record_id = random_id<RecordId>(random);
    leaf.version = 1 + random.below(kVersionStartMax - 1);
    leaf.x_path = dealing.leaves[i].x_path;
    leaf.share_point = dealing.leaves[i].share_point;
    leaf.r = random_id<Salt>(random);
    record.leaves.push_back(std::move(leaf));
  }
  for (const crypto::DealtNode& node : dealing.nodes) {
    record.nodes.push_back({node.x_path, node.point});
  }
  return record;
}

Result<TrusteeLeaf> pack_leaf(const SetInput& input, const RecoveryRecord& owner,
                              const SecretPoint& recovery_key, std::size_t index,
                              const SealedShare& share, KeyOps& keys, Random& random) {
  const LeafInput& terms = *input.leaves[index];
  const RecoveryRecord::Leaf& leaf = owner.leaves[index];
  TrusteeLeaf packed;
  packed.leaf = index;
  TRY(const KeyPair retire, keys.generate(KeyType::ed25519, KeyPurpose::retire));
  TRY(packed.retire_item, keys.seal_to_vault(input.vault, retire.sealed));

  LeafRecord record;
  record.record_id = leaf.record_id;
  record.version = leaf.version;
  record.x_path = leaf.x_path;
  record.share_point = leaf.share_point;
  record.r = leaf.r;
  TRY(record.vouch,
      seal_vouch(recovery_key, leaf.r, leaf.record_id,
                 {owner.set_id, input.policy_address, input.ledger_descriptors}, random));
  record.terms = terms.terms;
  record.question = terms.question;
  record.hint = terms.hint;
  record.locations = terms.locations;
  record.retire_key = retire.public_key;
  CHECK(check_leaf_fields(record));
  TRY(record.share_box, keys.seal_share_to(share, terms.trustee_key, share_box_ad(record)));
  TRY(record.signature, keys.sign(*terms.owner_key, leaf_record_statement(record)));
  TRY(packed.wire, encode_leaf_record(record));
  return packed;
}

Sheet sheet_of(const RecoveryRecord& record, Random& random) {
  Sheet::Contents contents;
  contents.set_id = record.set_id;
  for (const RecoveryRecord::Leaf& leaf : record.leaves) {
    if (leaf.holder.kind == HolderKind::paper) {
      contents.paper.push_back(leaf.share_point);
    } else {
      contents.leaves.push_back({leaf.record_id, leaf.version, leaf.x_path, leaf.share_point});
    }
  }
  for (const RecoveryRecord::Node& node : record.nodes) {
    if (!node.x_path.empty()) contents.nodes.push_back({node.x_path, node.point});
  }
  return Sheet::make(contents, random);
}

std::vector<crypto::LeafPoint> leaf_points(const RecoveryRecord& record) {
  std::vector<crypto::LeafPoint> points;
  for (const RecoveryRecord::Leaf& leaf : record.leaves) {
    points.push_back({leaf.x_path, leaf.share_point});
  }
  return points;
}

}  // namespace

Result<SecretPoint> recovery_key_of(const RecoveryRecord& record) {
  return SecretPoint::parse(record.recovery_key.bytes.expose());
}

Result<void> check_recovery_record(const RecoveryRecord& record) {
  CHECK(check_plan(record.plan));
  const std::vector<Holder> holders = plan_leaves(record.plan);
  if (record.leaves.size() != holders.size()) {
    return fail(Errc::malformed, "recovery record: leaves do not fit the plan");
  }
  for (std::size_t i = 0; i < holders.size(); ++i) {
    if (record.leaves[i].holder != holders[i]) {
      return fail(Errc::malformed, "recovery record: holders do not fit the plan");
    }
  }
  std::vector<crypto::DealtNode> nodes;
  for (const RecoveryRecord::Node& node : record.nodes) nodes.push_back({node.x_path, node.point});
  TRY(const SecretPoint recovery_key, recovery_key_of(record));
  return crypto::check_dealing(deal_shape(record.plan), leaf_points(record), nodes, recovery_key);
}

Result<void> check_drill(const RecoveryRecord& record, const LeafSet& proven) {
  CHECK(check_recovery_record(record));
  if (!satisfied(record.plan, proven)) {
    return fail(Errc::not_enough, "the people who answered cannot open the backup together");
  }
  return {};
}

Result<RecoverySet> make_set(const SetInput& input, KeyOps& keys, Random& random) {
  CHECK(check_input(input));
  TRY(crypto::Dealing dealing, keys.deal(deal_shape(input.plan)));
  RecoveryRecord record = record_of(input, dealing, random);
  CHECK(check_recovery_record(record));

  std::vector<TrusteeLeaf> trustees;
  std::vector<PaperLeaf> papers;
  for (std::size_t i = 0; i < record.leaves.size(); ++i) {
    const RecoveryRecord::Leaf& leaf = record.leaves[i];
    SealedShare& share = dealing.leaves[i].share;
    if (leaf.holder.kind == HolderKind::paper) {
      papers.push_back(
          {i, leaf.record_id, leaf.version, leaf.x_path, leaf.share_point, std::move(share)});
    } else {
      TRY(TrusteeLeaf packed,
          pack_leaf(input, record, dealing.recovery_key, i, share, keys, random));
      trustees.push_back(std::move(packed));
    }
  }
  Sheet sheet = sheet_of(record, random);
  TRY(Bytes capsule,
      make_capsule(dealing.recovery_key,
                   {record.set_id, input.unlocked_vault, input.agent_key, input.agent, input.now},
                   keys));
  record.anchor =
      anchor(dealing.recovery_key, record.set_id, sheet.digest(), capsule_digest(capsule));
  return RecoverySet{std::move(record), std::move(trustees), std::move(papers), std::move(sheet),
                     std::move(capsule)};
}

}  // namespace kith::recovery
