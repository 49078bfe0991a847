#pragma once

/// did:key for every type of key that Kith knows. Only the key itself is listed, for what it can
/// do: an Ed25519 did:key has no key agreement (no silent derivation of X25519), an X25519 did:key
/// has nothing else, a P-256 did:key has both.

#include "crypto/key.hpp"
#include "protocol/did.hpp"
#include "protocol/did_document.hpp"

namespace kith::protocol {

[[nodiscard]] Did did_key(const PublicKey& key);
/// `did:key:z...#z...`, the only key of that DID.
[[nodiscard]] std::string did_key_kid(const PublicKey& key);
/// Errors: malformed, unsupported (method or key type), bad_key.
[[nodiscard]] Result<DidDocument> resolve_did_key(const Did& did);

}  // namespace kith::protocol
