#pragma once

/// A private key in the clear with its public half. Lives inside crypto/ only, and in tests: the
/// rest of Kith holds SealedKeys (key_ops.hpp). Exception: ephemeral keys of envelopes.

#include "crypto/key.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

struct RawKeyPair {
  PublicKey public_key;
  SecretBytes private_key;  ///< Its form is told by the header of each curve.
};

}  // namespace kith::crypto
