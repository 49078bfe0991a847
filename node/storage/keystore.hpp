#pragma once

/// The root key of a home, in the file `keystore`.
///
///   "kith-keystore-v1" (16) || kind || rest
///     kind 3, passphrase: flags (u8, 1: test wallet) || ops (u32) || memory bytes (u64) ||
///             salt (16) || nonce (24) || XC20P(root key || step-up key) (80), AD = all bytes
///             before the nonce; big-endian numbers;
///             key = HKDF(Argon2id(passphrase), "kith/keystore/v1/unlock")
///     kind 4, passphrase and token: as kind 3, with a token link (token_link.hpp) between salt and
///             nonce; key = HKDF(Argon2id(passphrase) || the token's secret,
///             "kith/keystore/v1/unlock-with-token")
///     kind 1, passphrase, of home format 1: as kind 3 without flags and step-up key
///     kind 2, key file: root key (32). Whoever reads the file has the wallet.
///
/// The step-up key opens the vault, together with the root key. When the keystore is made it is
/// HKDF(Argon2id(passphrase), "kith/keystore/v1/step-up"); sealed again under another passphrase or
/// cost it stays the same, so that nothing else has to change. Without a passphrase it comes from
/// the root key, so that the same commands work.
///
/// The root key is random and lies here alone: a passphrase without this file opens nothing, and
/// with a token neither does a copy of this file with its passphrase.

#include <optional>
#include <string>

#include "crypto/passphrase.hpp"
#include "crypto/random.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"
#include "node/storage/token_link.hpp"

namespace kith::node {

struct UnlockedKeys {
  SecretBytes root;     ///< 32 bytes, for SoftwareKeys.
  SecretBytes step_up;  ///< 32 bytes, for SoftwareKeys::hold_step_up.
};

/// What it costs to try a passphrase.
struct KeystoreCost {
  KeystoreCost(const crypto::PassphraseParameters& given, bool of_test_wallet = false)
      : parameters(given), test(of_test_wallet) {}
  crypto::PassphraseParameters parameters;
  bool test;  ///< Low on purpose, and never raised.
};

class Keystore {
 public:
  /// Of the file's beginning, kHeadBytes of it, and its size: whether there is a passphrase. For
  /// processes that must not see the rest. Errors: storage_corrupt.
  static constexpr std::size_t kHeadBytes = 17;
  /// With a passphrase, these bytes of the file's beginning are public: kind, cost and salt. Of
  /// kind 1, whose salt begins earlier, the first of its nonce too.
  static constexpr std::size_t kPublicBytes = 46;
  [[nodiscard]] static Result<bool> has_passphrase(ByteView head, std::size_t file_bytes);

  /// Draws a new root key. Without a passphrase: a key file. `token`: needed too from now on,
  /// beside a passphrase (asserted). Errors: those of derive_from_passphrase.
  struct Made;
  [[nodiscard]] static Result<Made> make(const SecretBytes* passphrase, const KeystoreCost& cost,
                                         Random& random, const HeldToken* token = nullptr);
  /// The same keys under this passphrase, cost and token. Errors: those of derive_from_passphrase.
  [[nodiscard]] static Result<Keystore> sealed(const UnlockedKeys& keys,
                                               const SecretBytes& passphrase,
                                               const KeystoreCost& cost, Random& random,
                                               const HeldToken* token = nullptr);
  /// Errors: storage_corrupt.
  [[nodiscard]] static Result<Keystore> parse(SecretBytes file);

  [[nodiscard]] bool has_passphrase() const { return cost_.has_value(); }
  [[nodiscard]] const std::optional<KeystoreCost>& cost() const { return cost_; }
  /// The token that is needed beside the passphrase.
  [[nodiscard]] const std::optional<TokenLink>& token() const { return token_; }
  /// What the token gave for `token()`; kept, so that `unlock` needs the token once.
  void hold_token_secret(SecretBytes secret);
  /// Nothing: none is needed. Asserts that its secret is held.
  [[nodiscard]] std::optional<HeldToken> held_token() const;
  /// Slow (Argon2id) where there is a passphrase; any thread. `passphrase` may be null for a key
  /// file. Errors: wrong_passphrase, step_up_required (none given), token_missing (its secret is
  /// not held), refused (the parameters were altered), no_memory.
  [[nodiscard]] Result<UnlockedKeys> unlock(const SecretBytes* passphrase) const;
  /// For the file; secret where it holds a bare key.
  [[nodiscard]] const SecretBytes& file() const { return file_; }
  [[nodiscard]] Keystore clone() const;

 private:
  Keystore() = default;
  [[nodiscard]] static Result<Keystore> seal(const UnlockedKeys& keys, const SecretBytes& derived,
                                             const KeystoreCost& cost, Random& random,
                                             const HeldToken* token);
  SecretBytes file_;
  std::optional<TokenLink> token_;
  SecretBytes token_secret_;
  std::optional<KeystoreCost> cost_;
  std::size_t nonce_at_ = 0;  ///< Where a passphrase is needed.
};

struct Keystore::Made {
  Keystore keystore;
  UnlockedKeys keys;
};

}  // namespace kith::node
