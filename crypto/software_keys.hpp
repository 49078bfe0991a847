#pragma once

/// KeyOps inside this process. All keys come from one 32-byte root key (from the OS keyring, a file
/// or a passphrase; the caller knows) by HKDF-SHA-256 with an empty salt and these infos:
///
///   kith/keys/v1/key          sealed keys            kith/keys/v1/record       records
///   kith/keys/v1/share        sealed shares          kith/keys/v1/record-name  names of records
///   kith/keys/v1/vault-shell  the outer layer of a locked vault
///
/// Formats. "XC20P" is the ciphertext with its 16-byte tag behind; || joins; nonces have 24 bytes.
///
///   sealed key     01 || nonce || XC20P(content), AD = 01 || "kith/keys/v1/key"
///     content      type || purpose || material: one byte each, then by type
///                  ed25519 seed || public (64), x25519 private || public (64),
///                  secp256k1 and p256 private || public (65), p384 (97), p521 (133),
///                  0 = plain secret (32)
///   open vault key 02 || nonce || XC20P(content), AD = 02 || "kith/keys/v1/key", under a key that
///                  is drawn at construction and dies with this object: storing one gains nothing
///   sealed share   01 || nonce || XC20P(scalar), AD = 01 || "kith/keys/v1/share"
///   record, record name   record_keys.hpp
///   box            epk (32) || XC20P(plaintext), AD = ad; key (32) || nonce (24) =
///                  HKDF(X25519(ephemeral, recipient), salt = epk || recipient, "kith/box/v1")
///   vault item     box to the vault's key, AD = "kith/vault-item/v1", plaintext = content (above)
///   locked vault   01 || nonce || XC20P(inner), AD = 01 || "kith/keys/v1/vault-shell" || public
///     inner        nonce || XC20P(private key), AD = "kith/keys/v1/vault" || public, under
///                  HKDF(step-up key || root key, "kith/keys/v1/vault"). Two layers, so that damage
///                  (outer) and a wrong passphrase (inner) are told apart.
///   share box      box with AD = "kith/share-box/v1" || ad, plaintext = scalar (32)
///
/// Ownership: keeps its own copies of what it needs of the root key; `random` must outlive it.
/// Thread-safety: none, as KeyOps.

#include <cstdint>
#include <map>
#include <string_view>
#include <vector>

#include "crypto/agreement_cache.hpp"
#include "crypto/hash.hpp"
#include "crypto/key_ops.hpp"
#include "crypto/limits.hpp"
#include "crypto/random.hpp"
#include "crypto/record_keys.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

class SoftwareKeys final : public KeyOps {
 public:
  /// `root_key` has 32 bytes (asserted).
  SoftwareKeys(const SecretBytes& root_key, Random& random);

  /// Holds the key that the passphrase gave (32 bytes, asserted) until it is dropped. Whether it is
  /// the right one shows at the first vault that it shall open.
  [[nodiscard]] StepUp hold_step_up(SecretBytes step_up_key);
  /// Unknown numbers are ignored: dropping twice does no harm.
  void drop_step_up(StepUp step_up);

  /// For the process that reads records while this object is in another one.
  [[nodiscard]] const RecordKeys& record_keys() const { return records_; }

  /// How many static halves of authcrypt are kept in memory (limits::kAgreementCacheMax unless
  /// told); 0 switches that off and wipes what is there.
  void keep_agreements(std::size_t pairs_max) { agreements_.resize(pairs_max); }
  [[nodiscard]] std::size_t kept_agreements() const { return agreements_.size(); }

  /// Seals a given private key: for published test vectors and interoperability tests. The node
  /// never has a private key in the clear. ed25519: the seed. Errors: bad_key, key_misuse.
  [[nodiscard]] Result<SealedKey> import_private(KeyType type, KeyPurpose purpose,
                                                 SecretBytes private_key);

  [[nodiscard]] Result<KeyPair> generate(KeyType type, KeyPurpose purpose) override;
  [[nodiscard]] Result<SealedKey> generate_secret(KeyPurpose purpose) override;
  [[nodiscard]] Result<Bytes> sign(const SealedKey& key, ByteView message) override;
  [[nodiscard]] Result<Bytes> sign_hash(const SealedKey& key, ByteView hash) override;
  [[nodiscard]] Result<SealedKey> activate_next(const SealedKey& key) override;

  [[nodiscard]] Result<Bytes> wrap_cek(const SealedKey* sender, const PublicKey& recipient,
                                       const SecretBytes& ephemeral_private,
                                       const WrapContext& context, const SecretBytes& cek) override;
  [[nodiscard]] Result<SecretBytes> unwrap_cek(const SealedKey& recipient, const PublicKey* sender,
                                               const PublicKey& ephemeral,
                                               const WrapContext& context,
                                               ByteView wrapped) override;
  void forget_agreements(const PublicKey& key) override;
  [[nodiscard]] Result<Bytes> seal_to(const PublicKey& recipient, ByteView ad,
                                      ByteView plaintext) override;
  [[nodiscard]] Result<Bytes> open_box(const SealedKey& recipient, ByteView ad,
                                       ByteView box) override;

  [[nodiscard]] Bytes seal_record(std::string_view name, ByteView plaintext) override;
  [[nodiscard]] Result<Bytes> open_record(std::string_view name, ByteView sealed) override;
  [[nodiscard]] Bytes record_name(std::string_view name) override;

  [[nodiscard]] Result<NewVault> create_vault(StepUp step_up) override;
  [[nodiscard]] Result<VaultItem> seal_to_vault(const PublicKey& vault,
                                                const SealedKey& key) override;
  [[nodiscard]] Result<SealedKey> unlock_vault(const LockedVault& vault, StepUp step_up) override;
  [[nodiscard]] Result<LockedVault> lock_vault(const SealedKey& unlocked, StepUp step_up) override;
  [[nodiscard]] Result<KeyPair> open_vault_item(const SealedKey& unlocked_vault,
                                                const VaultItem& item) override;
  [[nodiscard]] Result<Bytes> hand_over_vault(const SealedKey& unlocked_vault,
                                              const PublicKey& recipient, ByteView ad) override;
  [[nodiscard]] Result<KeyPair> take_over_vault(const SealedKey& session, ByteView ad,
                                                ByteView box) override;
  [[nodiscard]] Result<Bytes> seal_capsule(const SealedKey& unlocked_vault,
                                           const SealedKey& agent_key, const PublicKey& agent,
                                           const SecretPoint& recovery_key, ByteView set_id,
                                           std::uint64_t created_s) override;
  [[nodiscard]] Result<OpenedCapsule> open_capsule(ByteView capsule,
                                                   const SecretPoint& recovery_key,
                                                   const SecretPoint& opening) override;

  [[nodiscard]] Result<Dealing> deal(const DealShape& shape) override;
  [[nodiscard]] Result<Bytes> seal_share_to(const SealedShare& share, const PublicKey& trustee,
                                            ByteView ad) override;
  [[nodiscard]] Result<SealedShare> accept_share(const SealedKey& recipient, ByteView ad,
                                                 ByteView box, const Point& share_point) override;
  [[nodiscard]] Result<PartialAnswer> partial(const SealedShare& share,
                                              const std::vector<Point>& blinded,
                                              ByteView statement) override;
  [[nodiscard]] Result<Bytes> prove_share(const SealedShare& share, ByteView statement) override;

 private:
  /// An opened key: type || purpose || material, checked.
  struct Opened {
    SecretBytes content;

    [[nodiscard]] std::uint8_t type() const { return content.expose()[0]; }
    [[nodiscard]] KeyPurpose purpose() const { return KeyPurpose{content.expose()[1]}; }
    [[nodiscard]] ByteView material() const { return content.expose().subspan(2); }
    /// The private key, the seed, or the secret.
    [[nodiscard]] ByteView private_part() const { return material().first(private_bytes(type())); }
    [[nodiscard]] ByteView public_part() const { return material().subspan(private_bytes(type())); }
  };

  /// A vault key in hand: sealed for this object, unlocked. Errors: bad_key.
  [[nodiscard]] Result<KeyPair> take_in_vault(ByteView private_key);
  /// Of a stored type, 0 (plain secret) included.
  [[nodiscard]] static std::size_t private_bytes(std::uint8_t type);
  [[nodiscard]] static Result<SecretBytes> make_content(std::uint8_t type, KeyPurpose purpose,
                                                        SecretBytes private_part);
  [[nodiscard]] static PublicKey public_key_of(const Opened& key);
  /// Agreement keys on NIST curves do not. Errors: key_misuse.
  [[nodiscard]] static Result<void> check_opens_boxes(const Opened& key);
  [[nodiscard]] static Result<SecretBytes> open_box_with(ByteView private_key, ByteView public_key,
                                                         ByteView ad, ByteView box);

  /// Z of ES, or Ze || Zs of 1PU. `own` is the static key of 1PU, null for ES. Errors: bad_key.
  [[nodiscard]] Result<SecretBytes> agree(ByteView ephemeral_private, const PublicKey& first,
                                          const Opened* own, const PublicKey* peer);
  [[nodiscard]] SealedKey seal_content(const SecretBytes& content);
  [[nodiscard]] Result<Opened> open_key(const SealedKey& key) const;
  /// `purposes`: a set of bits, one a purpose. Errors: storage_corrupt, key_misuse.
  [[nodiscard]] Result<Opened> open_for(const SealedKey& key, std::uint32_t purposes) const;
  [[nodiscard]] Bytes seal_under(const SecretBytes& key, std::uint8_t version, ByteView ad,
                                 ByteView plaintext);
  [[nodiscard]] Result<SecretBytes> vault_key(StepUp step_up) const;
  [[nodiscard]] SealedShare seal_share(const Scalar& share);
  [[nodiscard]] Result<Scalar> open_share(const SealedShare& share) const;

  Random& random_;
  SecretBytes root_;
  RecordKeys records_;
  SecretBytes key_key_;
  SecretBytes open_vault_key_;
  SecretBytes share_key_;
  SecretBytes vault_shell_key_;
  std::map<std::uint64_t, SecretBytes> step_ups_;
  AgreementCache agreements_{limits::kAgreementCacheMax};
  std::uint64_t next_step_up_ = 1;
};

}  // namespace kith::crypto

namespace kith {
using crypto::SoftwareKeys;
}
