#pragma once

/// Keys of a trustee that lies: everything works as it should, but its answers to a recovery are
/// spoiled. For tests only; never part of an installed program.
///
///   bad-proof     a partial decryption that does not fit its proof
///   unknown-leaf  a share of its own invention, with proofs that hold
///   malformed     bytes that are no answer at all

#include <map>
#include <string_view>

#include "crypto/key_ops.hpp"
#include "crypto/random.hpp"
#include "crypto/ristretto.hpp"

namespace kith::e2e {

enum class Fault : std::uint8_t { bad_proof, unknown_leaf, malformed };
/// Errors: usage.
[[nodiscard]] Result<Fault> parse_fault(std::string_view text);

class LyingKeys final : public KeyOps {
 public:
  /// Both references outlive it.
  LyingKeys(KeyOps& honest, Random& random, Fault fault);

  Result<crypto::PartialAnswer> partial(const SealedShare& share, const std::vector<Point>& blinded,
                                        ByteView statement) override;
  /// Spoils what goes to a recovering device; leaves every other box alone.
  Result<Bytes> seal_to(const PublicKey& recipient, ByteView ad, ByteView plaintext) override;

  // The rest as it should be.
  Result<KeyPair> generate(KeyType type, KeyPurpose purpose) override {
    return honest_.generate(type, purpose);
  }
  Result<SealedKey> generate_secret(KeyPurpose purpose) override {
    return honest_.generate_secret(purpose);
  }
  Result<Bytes> sign(const SealedKey& key, ByteView message) override {
    return honest_.sign(key, message);
  }
  Result<Bytes> sign_hash(const SealedKey& key, ByteView hash) override {
    return honest_.sign_hash(key, hash);
  }
  Result<SealedKey> activate_next(const SealedKey& key) override {
    return honest_.activate_next(key);
  }
  Result<Bytes> wrap_cek(const SealedKey* sender, const PublicKey& recipient,
                         const SecretBytes& ephemeral_private, const crypto::WrapContext& context,
                         const SecretBytes& cek) override {
    return honest_.wrap_cek(sender, recipient, ephemeral_private, context, cek);
  }
  Result<SecretBytes> unwrap_cek(const SealedKey& recipient, const PublicKey* sender,
                                 const PublicKey& ephemeral, const crypto::WrapContext& context,
                                 ByteView wrapped) override {
    return honest_.unwrap_cek(recipient, sender, ephemeral, context, wrapped);
  }
  Result<Bytes> open_box(const SealedKey& recipient, ByteView ad, ByteView box) override {
    return honest_.open_box(recipient, ad, box);
  }
  Bytes seal_record(std::string_view name, ByteView plaintext) override {
    return honest_.seal_record(name, plaintext);
  }
  Result<Bytes> open_record(std::string_view name, ByteView sealed) override {
    return honest_.open_record(name, sealed);
  }
  Bytes record_name(std::string_view name) override { return honest_.record_name(name); }
  Result<NewVault> create_vault(StepUp step_up) override { return honest_.create_vault(step_up); }
  Result<VaultItem> seal_to_vault(const PublicKey& vault, const SealedKey& key) override {
    return honest_.seal_to_vault(vault, key);
  }
  Result<SealedKey> unlock_vault(const LockedVault& vault, StepUp step_up) override {
    return honest_.unlock_vault(vault, step_up);
  }
  Result<LockedVault> lock_vault(const SealedKey& unlocked, StepUp step_up) override {
    return honest_.lock_vault(unlocked, step_up);
  }
  Result<KeyPair> open_vault_item(const SealedKey& unlocked_vault, const VaultItem& item) override {
    return honest_.open_vault_item(unlocked_vault, item);
  }
  Result<Bytes> hand_over_vault(const SealedKey& unlocked_vault, const PublicKey& recipient,
                                ByteView ad) override {
    return honest_.hand_over_vault(unlocked_vault, recipient, ad);
  }
  Result<KeyPair> take_over_vault(const SealedKey& session, ByteView ad, ByteView box) override {
    return honest_.take_over_vault(session, ad, box);
  }
  Result<Bytes> seal_capsule(const SealedKey& unlocked_vault, const SealedKey& agent_key,
                             const PublicKey& agent, const crypto::SecretPoint& recovery_key,
                             ByteView set_id, std::uint64_t created_s) override {
    return honest_.seal_capsule(unlocked_vault, agent_key, agent, recovery_key, set_id, created_s);
  }
  Result<OpenedCapsule> open_capsule(ByteView capsule, const crypto::SecretPoint& recovery_key,
                                     const crypto::SecretPoint& opening) override {
    return honest_.open_capsule(capsule, recovery_key, opening);
  }
  Result<crypto::Dealing> deal(const crypto::DealShape& shape) override {
    return honest_.deal(shape);
  }
  Result<Bytes> seal_share_to(const SealedShare& share, const PublicKey& trustee,
                              ByteView ad) override {
    return honest_.seal_share_to(share, trustee, ad);
  }
  Result<SealedShare> accept_share(const SealedKey& recipient, ByteView ad, ByteView box,
                                   const Point& share_point) override {
    return honest_.accept_share(recipient, ad, box, share_point);
  }
  Result<Bytes> prove_share(const SealedShare& share, ByteView statement) override {
    return honest_.prove_share(share, statement);
  }

 private:
  KeyOps& honest_;
  Random& random_;
  Fault fault_;
  Scalar invented_;  ///< The share of `unknown_leaf`.
};

}  // namespace kith::e2e
