#pragma once

/// Where a node's private keys are: in a process of their own (start_key_process), or, for tests
/// and programs around the node, in this one (LocalKeyHost).

#include <cstddef>
#include <memory>
#include <optional>
#include <string>

#include "crypto/key_ops.hpp"
#include "crypto/software_keys.hpp"
#include "node/storage/keystore.hpp"

namespace kith::node {

/// What the passphrase gave: the key itself, or the number that the key's process gave it.
struct PassphraseProof {
  std::optional<SecretBytes> key;
  std::optional<StepUp> number;
};

class KeyHost {
 public:
  virtual ~KeyHost() = default;

  /// The node's thread alone, as everything here but `prove`.
  [[nodiscard]] virtual crypto::KeyOps& ops() = 0;
  [[nodiscard]] virtual bool has_passphrase() const = 0;
  /// Slow (Argon2id); any thread, one at a time. Errors: wrong_passphrase, refused, no_memory,
  /// keys_gone.
  [[nodiscard]] virtual Result<PassphraseProof> prove(const SecretBytes& passphrase) = 0;
  /// Until it is dropped.
  [[nodiscard]] virtual StepUp hold(PassphraseProof proof) = 0;
  virtual void drop(StepUp step_up) = 0;
  /// Held for every command: the passphrase was given for all of them, or there is none.
  [[nodiscard]] virtual std::optional<StepUp> standing() const = 0;
  /// SoftwareKeys::keep_agreements.
  virtual void keep_agreements(std::size_t pairs_max) = 0;
  /// The keys are gone, and an operation has failed for that: nothing decided since may be kept.
  [[nodiscard]] virtual bool gone() const = 0;
  /// A descriptor that becomes readable when the keys go away; -1: they cannot.
  [[nodiscard]] virtual int watched() const = 0;
};

class LocalKeyHost final : public KeyHost {
 public:
  /// `keystore` proves passphrases. `keep_step_up`: for every command.
  LocalKeyHost(UnlockedKeys keys, Keystore keystore, bool keep_step_up);

  crypto::KeyOps& ops() override { return keys_; }
  bool has_passphrase() const override { return keystore_.has_passphrase(); }
  Result<PassphraseProof> prove(const SecretBytes& passphrase) override;
  StepUp hold(PassphraseProof proof) override;
  void drop(StepUp step_up) override { keys_.drop_step_up(step_up); }
  std::optional<StepUp> standing() const override { return standing_; }
  void keep_agreements(std::size_t pairs_max) override { keys_.keep_agreements(pairs_max); }
  bool gone() const override { return false; }
  int watched() const override { return -1; }

 private:
  crypto::OsRandom random_;
  crypto::SoftwareKeys keys_;
  Keystore keystore_;
  std::optional<StepUp> standing_;
};

/// Where the process of the keys gets the passphrase from.
enum class PassphraseFrom : std::uint8_t {
  nowhere = 0,   ///< The keystore is a bare file.
  file = 1,      ///< The first line of a file; a token's PIN is the second.
  terminal = 2,  ///< It asks.
  here = 3,      ///< Handed over; a token's PIN behind a line end.
};

struct KeyStart {
  std::string home;  ///< Its lock is held by this process.
  PassphraseFrom from = PassphraseFrom::nowhere;
  std::string passphrase_file = {};
  SecretBytes passphrase = {};
  bool keep_step_up = false;
  bool make = false;  ///< A new keystore, written into the home.
  bool test = false;  ///< ... of a test wallet: cheap, and any passphrase will do.
  /// Once open, the keystore is written again under a new passphrase: the first line of
  /// new_passphrase_file, or asked for.
  bool change = false;
  std::string new_passphrase_file = {};
  /// With `make` or `change`: the wallet needs this token too from now on (RFC 7512).
  std::string token_uri = {};
  bool no_token = false;  ///< With `change`: no token any more.
};

/// Runs this program anew as the process of the keys, which opens the keystore by itself: neither
/// root nor passphrase was ever in this process. It ends with the host. Call it on the thread that
/// lives as long as the host: the process ends with that thread too. Errors: those of the keystore,
/// of the passphrase's source and of its token (key_token.hpp), weak_passphrase, random_broken,
/// self_test_failed, keys_gone, io.
[[nodiscard]] Result<std::unique_ptr<KeyHost>> start_key_process(KeyStart start);

/// The word that makes this program the process of the keys; main looks for it first.
inline constexpr char kKeyProcessWord[] = "--key-process";
/// ... and what it then does: serves on descriptors 3 and 4 until they close. The exit code.
[[nodiscard]] int run_key_process();

}  // namespace kith::node
