#pragma once

/// The root key of a home, in the file `keystore`.
///
///   "kith-keystore-v1" (16) || kind || rest
///     kind 1, passphrase: ops (u32) || memory bytes (u64) || salt (16) || nonce (24) ||
///             XC20P(root key) (48), AD = all bytes before the nonce; big-endian numbers;
///             key = HKDF(Argon2id(passphrase), "kith/keystore/v1/unlock")
///     kind 2, key file: root key (32). Whoever reads the file has the wallet.
///
/// One run of Argon2id gives both the key that unlocks and the step-up key
/// (HKDF "kith/keystore/v1/step-up") that opens the vault. Without a passphrase the step-up key
/// comes from the root key, so that the same commands work.

#include <optional>
#include <string>

#include "crypto/passphrase.hpp"
#include "crypto/random.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::node {

struct UnlockedKeys {
  SecretBytes root;     ///< 32 bytes, for SoftwareKeys.
  SecretBytes step_up;  ///< 32 bytes, for SoftwareKeys::hold_step_up.
};

class Keystore {
 public:
  /// Draws a new root key. Without a passphrase: a key file. Errors: those of
  /// derive_from_passphrase.
  struct Made;
  [[nodiscard]] static Result<Made> make(const SecretBytes* passphrase,
                                         const crypto::PassphraseParameters& parameters,
                                         Random& random);
  /// Errors: storage_corrupt.
  [[nodiscard]] static Result<Keystore> parse(SecretBytes file);

  [[nodiscard]] bool has_passphrase() const { return parameters_.has_value(); }
  /// Slow (Argon2id) where there is a passphrase; any thread. `passphrase` may be null for a key
  /// file. Errors: wrong_passphrase, step_up_required (none given), refused (the parameters were
  /// altered), no_memory.
  [[nodiscard]] Result<UnlockedKeys> unlock(const SecretBytes* passphrase) const;
  /// For the file; secret where it holds a bare key.
  [[nodiscard]] const SecretBytes& file() const { return file_; }
  [[nodiscard]] Keystore clone() const;

 private:
  Keystore() = default;
  SecretBytes file_;
  std::optional<crypto::PassphraseParameters> parameters_;
};

struct Keystore::Made {
  Keystore keystore;
  UnlockedKeys keys;
};

}  // namespace kith::node
