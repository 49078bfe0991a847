#include "crypto/assert.hpp"
#include "node/keys/key_host.hpp"

namespace kith::node {

LocalKeyHost::LocalKeyHost(UnlockedKeys keys, Keystore keystore, bool keep_step_up)
    : keys_(keys.root, random_), keystore_(std::move(keystore)) {
  if (keep_step_up || !keystore_.has_passphrase()) {
    standing_ = keys_.hold_step_up(std::move(keys.step_up));
  }
}

Result<PassphraseProof> LocalKeyHost::prove(const SecretBytes& passphrase) {
  TRY(UnlockedKeys keys, keystore_.unlock(&passphrase));
  return PassphraseProof{std::move(keys.step_up), {}};
}

StepUp LocalKeyHost::hold(PassphraseProof proof) {
  ASSERT(proof.key.has_value());
  return keys_.hold_step_up(std::move(*proof.key));
}

}  // namespace kith::node
