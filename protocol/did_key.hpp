#pragma once

/// did:key, for every type of key that Kith reads. Only the key itself is listed: an Ed25519
/// did:key has no key agreement (no silent derivation of X25519), an X25519 did:key has nothing
/// else. Keys on NIST curves serve both ends, as the method says.

#include "crypto/key.hpp"
#include "protocol/did.hpp"
#include "protocol/did_document.hpp"

namespace kith::protocol {

[[nodiscard]] Did did_key(const PublicKey& key);
/// `did:key:z...#z...`, the only key of that DID.
[[nodiscard]] std::string did_key_kid(const PublicKey& key);
/// Errors: malformed, unsupported (method or key type), bad_key.
[[nodiscard]] Result<DidDocument> resolve_did_key(const Did& did);

/// The document of a DID that is one key in multibase: did:key, and did:peer of method 0.
/// Errors: as resolve_did_key.
[[nodiscard]] Result<DidDocument> single_key_document(const Did& did, std::string_view multikey);

}  // namespace kith::protocol
