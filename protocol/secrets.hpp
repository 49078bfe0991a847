#pragma once

/// Our own private keys by name. Sealed: only KeyOps can use them.

#include <optional>
#include <string_view>

#include "crypto/key_ops.hpp"

namespace kith::protocol {

class Secrets {
 public:
  virtual ~Secrets() = default;
  /// `kid` is an absolute DID URL with fragment. Absent when the key is not ours (or no longer).
  [[nodiscard]] virtual std::optional<SealedKey> find(std::string_view kid) = 0;
};

/// A key of ours that signs (JWS, from_prior).
struct SigningKey {
  std::string kid;  ///< Absolute.
  KeyType type = KeyType::ed25519;
  SealedKey key;
};

/// A key of ours that authenticates envelopes. Its curve decides for which keys of a recipient.
struct SenderKey {
  std::string kid;  ///< Absolute.
  SealedKey key;
  KeyType type = KeyType::x25519;
};

}  // namespace kith::protocol

namespace kith {
using protocol::Secrets;
using protocol::SenderKey;
using protocol::SigningKey;
}  // namespace kith
