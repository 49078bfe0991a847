#pragma once

/// KeyOps: the only place where private keys and recovery shares are used. SoftwareKeys does the
/// work; in a node it sits in a process of its own, and RemoteKeys asks it over a socket.
///
/// A key outside KeyOps is a `SealedKey`: its private half encrypted under a root key that only
/// KeyOps holds, with type and purpose authenticated. Sealed keys are plain data: they are stored
/// in ordinary records, in the same batch as the state they belong to, so a crash can never
/// separate a key from its use. KeyOps itself keeps no state that a crash could lose.
///
/// Thread-safety: none; called from the node's single thread. Each call is synchronous and does no
/// I/O. Randomness comes from the Random given to the implementation.
///
/// Errors of every operation: `key_misuse` when the purpose does not allow it, `storage_corrupt`
/// when a sealed value was altered or belongs to another root; others are named at the operation.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/bytes.hpp"
#include "crypto/key.hpp"
#include "crypto/result.hpp"
#include "crypto/ristretto.hpp"
#include "crypto/secret_bytes.hpp"
#include "crypto/secret_point.hpp"
#include "crypto/shamir.hpp"

namespace kith::crypto {

/// What a key may do; one purpose each. Values are stored on disk: never renumber.
enum class KeyPurpose : std::uint8_t {
  authenticate = 1,  ///< Signs messages (DIDComm JWS, from_prior) and signed statements.
  agree = 2,         ///< Opens and authenticates envelopes (X25519, NIST curves).
  log_active = 3,    ///< Signs log entries as an active key.
  log_next = 4,      ///< Pre-rotated log key: lies in the vault; becomes log_active by rotate.
  log_recovery = 5,  ///< Recovery authority of a log: lies in the vault.
  agent = 6,         ///< An agent's verkey in the policy: signs policy entries and backups.
  vault = 7,         ///< The vault's private key (X25519); opened only by step-up or recovery.
  retire = 8,        ///< Retire key of a leaf record: lies in the vault.
  session = 9,       ///< Ephemeral key of a recovery session (X25519): opens sealed answers.
  audit = 10,        ///< Signs the audit log.
  link_secret = 11,  ///< 32 secret bytes shared by the owner's agents; travels in the vault.
  ledger = 12,       ///< A ledger host's checkpoint key.
  witness = 13,      ///< Cosigns checkpoints of other ledgers.
  chain = 14,        ///< Pays for entries on a chain: signs its transactions (secp256k1).
};

/// A private key or secret, encrypted under KeyOps' root key. Opaque; safe to store.
struct SealedKey {
  Bytes blob;
  friend bool operator==(const SealedKey&, const SealedKey&) = default;
};

struct KeyPair {
  PublicKey public_key;
  SealedKey sealed;
};

/// A trustee's share s_i, encrypted like a SealedKey. Opaque; safe to store.
struct SealedShare {
  Bytes blob;
  friend bool operator==(const SealedShare&, const SealedShare&) = default;
};

/// A private key sealed to the vault's public key (X25519 sealed box, purpose and type inside).
struct VaultItem {
  Bytes box;
  friend bool operator==(const VaultItem&, const VaultItem&) = default;
};

/// The vault's private key, locked by the owner's passphrase and this device's root key together.
struct LockedVault {
  PublicKey public_key;
  Bytes blob;
};

/// Proof that the owner gave the passphrase just now. Made by the shell from Argon2id's output; the
/// number names a key that KeyOps holds in memory until it is dropped.
enum class StepUp : std::uint64_t {};

/// Inputs of one ECDH-ES or ECDH-1PU key wrap (reference: DIDComm v2.1, RFC 7518 4.6, 1PU draft
/// 04).
struct WrapContext {
  std::string_view alg;  ///< "ECDH-ES+A256KW" or "ECDH-1PU+A256KW".
  ByteView apu;
  ByteView apv;
  ByteView tag;  ///< Ciphertext tag for 1PU, empty for ES.
};

/// One dealt leaf: everything but the share is public data for the owner's recovery record.
struct DealtLeaf {
  std::vector<Scalar> x_path;  ///< From the root down.
  Point share_point;           ///< S_i = s_i * G
  SealedShare share;
};

struct Dealing {
  SecretPoint recovery_key;       ///< Y. As secret as a wallet key.
  std::vector<DealtLeaf> leaves;  ///< In the plan's depth-first order.
  std::vector<DealtNode> nodes;   ///< Inner nodes, the root first.
};

struct PartialAnswer {
  std::vector<Point> partials;  ///< P_j = s_i * E_j
  std::vector<Bytes> proofs;    ///< DLEQ(G, S_i; E_j, P_j), 64 bytes each.
};

class KeyOps {
 public:
  virtual ~KeyOps() = default;

  // Keys
  [[nodiscard]] virtual Result<KeyPair> generate(KeyType type, KeyPurpose purpose) = 0;
  /// 32 random bytes as a sealed secret (link_secret).
  [[nodiscard]] virtual Result<SealedKey> generate_secret(KeyPurpose purpose) = 0;
  /// Ed25519: 64 bytes; secp256k1 and P-256: R||S over SHA-256(message), low S.
  /// Purposes: authenticate, log_*, agent, retire, audit, ledger.
  [[nodiscard]] virtual Result<Bytes> sign(const SealedKey& key, ByteView message) = 0;
  /// R || S with the low S and the parity of R's y (0 or 1), 65 bytes, over a hash of 32 bytes as
  /// it is: transactions of chains are hashed with what signs nothing else here. Purpose chain.
  /// Errors: malformed (no hash of 32 bytes).
  [[nodiscard]] virtual Result<Bytes> sign_hash(const SealedKey& key, ByteView hash) = 0;
  /// What a key is for changes in one case only: log_next becomes log_active when its log rotates
  /// to it.
  [[nodiscard]] virtual Result<SealedKey> activate_next(const SealedKey& key) = 0;

  // Envelopes
  /// Wraps `cek` for `recipient`: Z = ECDH(ephemeral, recipient) [|| ECDH(sender, recipient)].
  /// `sender` present exactly for 1PU, on the recipient's curve, as `ephemeral_private` is. Purpose
  /// agree. Errors: bad_key for low-order recipients and mixed curves, unsupported (alg), malformed
  /// (sender or tag do not fit alg).
  [[nodiscard]] virtual Result<Bytes> wrap_cek(const SealedKey* sender, const PublicKey& recipient,
                                               const SecretBytes& ephemeral_private,
                                               const WrapContext& context,
                                               const SecretBytes& cek) = 0;
  /// Purpose agree. Errors: cannot_decrypt (also for unusable public keys), unsupported, malformed.
  [[nodiscard]] virtual Result<SecretBytes> unwrap_cek(const SealedKey& recipient,
                                                       const PublicKey* sender,
                                                       const PublicKey& ephemeral,
                                                       const WrapContext& context,
                                                       ByteView wrapped) = 0;
  /// Forgets what is kept in memory to speed up envelopes between `key` and anybody. Call it when
  /// either side's key is retired; forgetting what was never kept does nothing.
  virtual void forget_agreements(const PublicKey& key) { static_cast<void>(key); }
  /// Anonymous box to an X25519 key: ephemeral X25519, HKDF-SHA-256, XChaCha20-Poly1305 with `ad`.
  [[nodiscard]] virtual Result<Bytes> seal_to(const PublicKey& recipient, ByteView ad,
                                              ByteView plaintext) = 0;
  /// Purposes agree, session. Errors: cannot_decrypt.
  [[nodiscard]] virtual Result<Bytes> open_box(const SealedKey& recipient, ByteView ad,
                                               ByteView box) = 0;

  // Records at rest
  [[nodiscard]] virtual Bytes seal_record(std::string_view name, ByteView plaintext) = 0;
  /// Errors: storage_corrupt.
  [[nodiscard]] virtual Result<Bytes> open_record(std::string_view name, ByteView sealed) = 0;
  /// Keyed name of a record, so that a disk shows no names. 32 bytes, deterministic.
  [[nodiscard]] virtual Bytes record_name(std::string_view name) = 0;

  // The vault (recovery-protocol section 1)
  /// A new vault, locked under `step_up` and this root. Unlocked vault keys (here, and from
  /// unlock_vault and open_capsule) work until this KeyOps ends and never after it:
  /// storing one gains nothing.
  struct NewVault {
    LockedVault locked;
    SealedKey unlocked;
  };
  [[nodiscard]] virtual Result<NewVault> create_vault(StepUp step_up) = 0;
  /// Purposes log_next, log_recovery, retire, link_secret.
  [[nodiscard]] virtual Result<VaultItem> seal_to_vault(const PublicKey& vault,
                                                        const SealedKey& key) = 0;
  /// Errors: wrong_passphrase, step_up_required (unknown or dropped number).
  [[nodiscard]] virtual Result<SealedKey> unlock_vault(const LockedVault& vault,
                                                       StepUp step_up) = 0;
  /// Locks an opened vault key (recovered from a capsule) for this device.
  [[nodiscard]] virtual Result<LockedVault> lock_vault(const SealedKey& unlocked,
                                                       StepUp step_up) = 0;
  /// The key with the purpose it had; link secrets come with an empty public key. Errors:
  /// cannot_decrypt (another vault's), malformed (a stranger can make items: nothing is believed).
  [[nodiscard]] virtual Result<KeyPair> open_vault_item(const SealedKey& unlocked_vault,
                                                        const VaultItem& item) = 0;
  /// The vault for another device of the owner: its private key in a box to that device's session
  /// key, bound to `ad`. Purpose vault. Errors: bad_key (recipient).
  [[nodiscard]] virtual Result<Bytes> hand_over_vault(const SealedKey& unlocked_vault,
                                                      const PublicKey& recipient, ByteView ad) = 0;
  /// The other side: the vault's key, unlocked here. Purpose session. Errors: cannot_decrypt,
  /// malformed.
  [[nodiscard]] virtual Result<KeyPair> take_over_vault(const SealedKey& session, ByteView ad,
                                                        ByteView box) = 0;
  /// The capsule of a set (recovery-protocol section 3.2): `set_id` (kSetIdBytes) and the vault's
  /// private key in a container of the smallest size class, counter 0, sealed to `recovery_key` and
  /// signed by the agent; the container's records one after the other. Purposes vault and agent.
  /// Errors: malformed (set_id), those of seal_container.
  [[nodiscard]] virtual Result<Bytes> seal_capsule(const SealedKey& unlocked_vault,
                                                   const SealedKey& agent_key,
                                                   const PublicKey& agent,
                                                   const SecretPoint& recovery_key, ByteView set_id,
                                                   std::uint64_t created_s) = 0;
  static constexpr std::size_t kSetIdBytes = 16;
  struct OpenedCapsule {
    Bytes set_id;
    KeyPair vault;     ///< Unlocked.
    PublicKey signer;  ///< Whose signature was checked.
  };
  /// `opening` = e*Y. Errors: malformed, bad_key (recovery_key), cannot_decrypt, bad_signature.
  [[nodiscard]] virtual Result<OpenedCapsule> open_capsule(ByteView capsule,
                                                           const SecretPoint& recovery_key,
                                                           const SecretPoint& opening) = 0;

  // Sharing (recovery-protocol sections 2, 4, 5)
  /// Draws s, shares it over the plan's shape, forgets it. A dealing with a zero leaf or node is
  /// dealt again.
  [[nodiscard]] virtual Result<Dealing> deal(const DealShape& shape) = 0;
  /// The share sealed to a trustee's X25519 key, with `ad` = digest of the leaf record's other
  /// fields.
  [[nodiscard]] virtual Result<Bytes> seal_share_to(const SealedShare& share,
                                                    const PublicKey& trustee, ByteView ad) = 0;
  /// The trustee's side: opens the box, checks S_i = s_i*G. Errors: cannot_decrypt, bad_proof.
  [[nodiscard]] virtual Result<SealedShare> accept_share(const SealedKey& recipient, ByteView ad,
                                                         ByteView box,
                                                         const Point& share_point) = 0;
  /// P_j = s_i*E_j with DLEQ proofs over `statement` (already label- and length-prefixed).
  [[nodiscard]] virtual Result<PartialAnswer> partial(const SealedShare& share,
                                                      const std::vector<Point>& blinded,
                                                      ByteView statement) = 0;
  /// Schnorr proof of s_i for S_i over `statement` (heartbeat; 64 bytes).
  [[nodiscard]] virtual Result<Bytes> prove_share(const SealedShare& share, ByteView statement) = 0;
};

}  // namespace kith::crypto

namespace kith {
using crypto::KeyOps;
using crypto::KeyPair;
using crypto::KeyPurpose;
using crypto::LockedVault;
using crypto::SealedKey;
using crypto::SealedShare;
using crypto::StepUp;
using crypto::VaultItem;
}  // namespace kith
