#include "crypto/passphrase.hpp"

#include <sodium.h>

#include "crypto/limits.hpp"

namespace kith::crypto {

static_assert(sizeof(PassphraseParameters::salt) == crypto_pwhash_argon2id_SALTBYTES);

PassphraseParameters new_passphrase_parameters(Random& random) {
  PassphraseParameters parameters;
  random.fill(parameters.salt);
  return parameters;
}

Result<void> check_passphrase_parameters(const PassphraseParameters& parameters) {
  if (parameters.ops < limits::kArgonOpsMin ||
      parameters.memory_bytes < limits::kArgonMemoryBytesMin) {
    return fail(Errc::refused, "the passphrase parameters are too weak");
  }
  if (parameters.ops > limits::kArgonOpsMax ||
      parameters.memory_bytes > limits::kArgonMemoryBytesMax) {
    return fail(Errc::limit_exceeded, "the passphrase parameters ask for too much");
  }
  return {};
}

Result<SecretBytes> derive_from_passphrase(const SecretBytes& passphrase,
                                           const PassphraseParameters& parameters) {
  CHECK(check_passphrase_parameters(parameters));
  if (passphrase.empty() || passphrase.size() > limits::kPassphraseBytesMax) {
    return fail(Errc::limit_exceeded, "the passphrase is empty or too long");
  }
  SecretBytes key(32);
  const auto text = passphrase.expose();
  if (crypto_pwhash(key.expose_mutable().data(), key.size(),
                    reinterpret_cast<const char*>(text.data()), text.size(), parameters.salt.data(),
                    parameters.ops, parameters.memory_bytes, crypto_pwhash_ALG_ARGON2ID13) != 0) {
    return fail(Errc::no_memory, "not enough memory for the passphrase");
  }
  return key;
}

}  // namespace kith::crypto
