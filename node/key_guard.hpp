#pragma once

/// KeyGuard stands between the units of an Agent and KeyOps. It is the one place where a key's
/// state is enforced (crypto/key_states.hpp), where its uses are counted, and where refusals get
/// into the audit log; purposes are enforced by KeyOps behind it, and what KeyOps refuses is noted
/// here.
///
/// A key is known by the record in which its unit found it. Keys that are not kept in such a record
/// (opened out of the vault, just drawn) have no state yet and pass.
///
/// Uses are written with the next unit that writes anything, so that nobody makes this node write
/// by sending what it cannot take; a crash forgets those that were not written yet. An entry
/// "key.refused" {key, operation, reason} is written at once, but once a day for each key and
/// operation.
///
/// Errors of its own: wrong_state (the key is suspended, compromised, or for reading only), refused
/// (a policy document of the owner forbids this use, rules.hpp).

#include <map>
#include <string>
#include <utility>
#include <vector>

#include "crypto/key_states.hpp"
#include "protocol/unit_of_work.hpp"

namespace kith::node {

class RuleBook;

class KeyGuard final : public KeyOps, public protocol::KeyWatch {
 public:
  /// `rules`: the owner's; they outlive it.
  KeyGuard(KeyOps& keys, const RuleBook& rules) : keys_(keys), rules_(rules) {}

  KeyOps& keys_for(protocol::UnitOfWork& unit) override;
  /// Before the commit of a unit: writes what was noted. Forgets the unit.
  void settle(protocol::UnitOfWork& unit);

  Result<KeyPair> generate(KeyType type, KeyPurpose purpose) override;
  Result<SealedKey> generate_secret(KeyPurpose purpose) override;
  Result<Bytes> sign(const SealedKey& key, ByteView message) override;
  Result<Bytes> sign_hash(const SealedKey& key, ByteView hash) override;
  Result<SealedKey> activate_next(const SealedKey& key) override;
  Result<Bytes> wrap_cek(const SealedKey* sender, const PublicKey& recipient,
                         const SecretBytes& ephemeral_private, const crypto::WrapContext& context,
                         const SecretBytes& cek) override;
  Result<SecretBytes> unwrap_cek(const SealedKey& recipient, const PublicKey* sender,
                                 const PublicKey& ephemeral, const crypto::WrapContext& context,
                                 ByteView wrapped) override;
  void forget_agreements(const PublicKey& key) override;
  Result<Bytes> seal_to(const PublicKey& recipient, ByteView ad, ByteView plaintext) override;
  Result<Bytes> open_box(const SealedKey& recipient, ByteView ad, ByteView box) override;
  Bytes seal_record(std::string_view name, ByteView plaintext) override;
  Result<Bytes> open_record(std::string_view name, ByteView sealed) override;
  Bytes record_name(std::string_view name) override;
  Result<NewVault> create_vault(StepUp step_up) override;
  Result<VaultItem> seal_to_vault(const PublicKey& vault, const SealedKey& key) override;
  Result<SealedKey> unlock_vault(const LockedVault& vault, StepUp step_up) override;
  Result<LockedVault> lock_vault(const SealedKey& unlocked, StepUp step_up) override;
  Result<KeyPair> open_vault_item(const SealedKey& unlocked_vault, const VaultItem& item) override;
  Result<Bytes> hand_over_vault(const SealedKey& unlocked_vault, const PublicKey& recipient,
                                ByteView ad) override;
  Result<KeyPair> take_over_vault(const SealedKey& session, ByteView ad, ByteView box) override;
  Result<Bytes> seal_capsule(const SealedKey& unlocked_vault, const SealedKey& agent_key,
                             const PublicKey& agent, const SecretPoint& recovery_key,
                             ByteView set_id, std::uint64_t created_s) override;
  Result<OpenedCapsule> open_capsule(ByteView capsule, const SecretPoint& recovery_key,
                                     const SecretPoint& opening) override;
  Result<crypto::Dealing> deal(const crypto::DealShape& shape) override;
  Result<Bytes> seal_share_to(const SealedShare& share, const PublicKey& trustee,
                              ByteView ad) override;
  Result<SealedShare> accept_share(const SealedKey& recipient, ByteView ad, ByteView box,
                                   const Point& share_point) override;
  Result<crypto::PartialAnswer> partial(const SealedShare& share, const std::vector<Point>& blinded,
                                        ByteView statement) override;
  Result<Bytes> prove_share(const SealedShare& share, ByteView statement) override;

 private:
  struct Refusal {
    std::string key;
    std::string operation;
    std::string reason;
  };

  /// `work` on the key sealed in `blob`: asks its state, calls, notes.
  template <class F>
  auto guarded(ByteView blob, KeyWork work, std::string_view operation, F&& call)
      -> decltype(call());
  [[nodiscard]] std::string key_with(ByteView blob) const;  ///< Empty: not known.
  /// Errors: wrong_state; refused: a rule of the owner forbids this use.
  [[nodiscard]] Result<void> check_state(const std::string& key, KeyWork work,
                                         std::string_view operation) const;
  void refuse(const std::string& key, std::string_view operation, const Error& error);
  void write_uses(protocol::UnitOfWork& unit);

  KeyOps& keys_;
  const RuleBook& rules_;
  protocol::UnitOfWork* unit_ = nullptr;  ///< The one under way; not owned.
  std::vector<Bytes> fresh_;              ///< Used before a record held them.
  std::map<std::string, std::uint64_t> uses_;
  std::vector<Refusal> refusals_;
  std::map<std::pair<std::string, std::string>, Time> told_;  ///< Key and operation: last noted.
};

}  // namespace kith::node
