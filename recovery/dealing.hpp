#pragma once

/// Makes a recovery set: deals the secret over a plan and packs what every trustee, backup location
/// and the owner get (recovery-protocol sections 2 and 3). Shares never appear here in the clear.

#include <optional>
#include <string>
#include <vector>

#include "crypto/key_ops.hpp"
#include "protocol/record.hpp"
#include "recovery/leaf_record.hpp"
#include "recovery/plan.hpp"
#include "recovery/sheet.hpp"
#include "recovery/vouch.hpp"

namespace kith::recovery {

/// Y inside a stored record. Wiped when destroyed; the record's encoding holds it, so such records
/// are stored sealed (Host does) and their bytes are not kept.
struct StoredRecoveryKey {
  SecretBytes bytes;
};

/// The owner's memory of a set: everything but the shares. Move-only, because Y is in it.
struct RecoveryRecord {
  struct Leaf {
    Holder holder;
    RecordId record_id{};
    std::uint64_t version = 0;
    XPath x_path;
    Point share_point;
    Salt r{};
    bool acknowledged = false;
    Bytes packed;  ///< PREPARE or COMMIT as packed for this trustee, until acknowledged.

    template <class V>
    void visit(V& v) {
      v("holder", holder), v("record_id", record_id), v("version", version), v("x_path", x_path);
      v("share_point", share_point), v("r", r), v("acknowledged", acknowledged);
      v("packed", packed);
    }
  };
  struct Node {
    XPath x_path;  ///< Empty for the root.
    Point point;

    template <class V>
    void visit(V& v) {
      v("x_path", x_path), v("point", point);
    }
  };

  SetId set_id{};
  StoredRecoveryKey recovery_key;
  Plan plan;
  std::vector<Leaf> leaves;  ///< In the plan's depth-first order.
  std::vector<Node> nodes;   ///< Inner nodes, depth-first, the root first.
  Digest anchor{};
  Time created{};

  template <class V>
  void visit(V& v) {
    v("set_id", set_id), v("recovery_key", recovery_key), v("plan", plan), v("leaves", leaves);
    v("nodes", nodes), v("anchor", anchor), v("created", created);
  }
};

/// Errors: malformed (a damaged record).
[[nodiscard]] Result<SecretPoint> recovery_key_of(const RecoveryRecord& record);
/// The plan is valid and every stored point lies where the tree says, up to Y. Errors: malformed,
/// limit_exceeded, bad_proof.
[[nodiscard]] Result<void> check_recovery_record(const RecoveryRecord& record);
/// A drill (section 5): valid heartbeats of `proven` leaves open the plan, and their stored S
/// interpolate to Y. Errors: not_enough, bad_proof, malformed.
[[nodiscard]] Result<void> check_drill(const RecoveryRecord& record, const LeafSet& proven);

/// What the owner decides for one trustee's leaf. A holder with several leaves has one for each;
/// tokens must all differ.
struct LeafInput {
  PublicKey trustee_key;                 ///< X25519, from the relationship.
  const SealedKey* owner_key = nullptr;  ///< The owner's key of that relationship; not owned.
  Terms terms;
  std::string question;
  std::string hint;
  std::vector<Location> locations;
};

struct SetInput {
  Plan plan;
  /// One for each leaf, depth-first; nullopt exactly for paper leaves.
  std::vector<std::optional<LeafInput>> leaves;
  std::string policy_address;
  std::vector<std::string> ledger_descriptors;
  PublicKey vault;                            ///< Retire keys are sealed to it.
  const SealedKey* unlocked_vault = nullptr;  ///< Its private key, for the capsule; not owned.
  const SealedKey* agent_key = nullptr;       ///< Signs the capsule; not owned.
  PublicKey agent;
  TestMode mode = TestMode::off;
  Time now{};
};

/// A trustee's leaf: send `wire` to it alone.
struct TrusteeLeaf {
  std::size_t leaf = 0;   ///< Number in the plan.
  Bytes wire;             ///< limits::kLeafRecordBytes.
  VaultItem retire_item;  ///< The retire key's private half, for the owner's vault.
};
/// A paper leaf: to be printed once, then wiped.
struct PaperLeaf {
  std::size_t leaf = 0;
  RecordId record_id{};
  std::uint64_t version = 0;
  XPath x_path;
  Point share_point;
  SealedShare share;
};

struct RecoverySet {
  RecoveryRecord record;
  std::vector<TrusteeLeaf> trustees;
  std::vector<PaperLeaf> papers;
  Sheet sheet;
  Bytes capsule;
};

/// Deals and packs; checks before it returns that the S values interpolate to Y. Draws from
/// `random` in a fixed order; `keys` draws from its own.
/// Errors: those of check_plan, check_terms, encode_leaf_record and seal_vouch; bad_key (a
/// trustee's or the owner's key); malformed (inputs do not fit the plan, a token used twice).
[[nodiscard]] Result<RecoverySet> make_set(const SetInput& input, KeyOps& keys, Random& random);

}  // namespace kith::recovery

namespace kith::protocol {
template <>
struct Codec<recovery::StoredRecoveryKey> {
  static Value write(const recovery::StoredRecoveryKey& value) {
    return Value{crypto::to_bytes(value.bytes.expose())};
  }
  static Result<recovery::StoredRecoveryKey> read(ValueView from) {
    TRY(Bytes bytes, Codec<Bytes>::read(from));
    recovery::StoredRecoveryKey value;
    value.bytes = SecretBytes::take(bytes);
    return value;
  }
};
}  // namespace kith::protocol
