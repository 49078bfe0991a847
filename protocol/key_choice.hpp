#pragma once

/// Which keys one envelope uses (DIDComm v2.1, "Message Encryption" and "Key IDs"): all keys of the
/// recipient's DID on one curve, and for authcrypt a key of ours on the same curve. A DID with keys
/// on several curves takes a separate encryption for each curve.

#include <vector>

#include "protocol/did_document.hpp"
#include "protocol/secrets.hpp"

namespace kith::protocol {

/// P-256 comes last: the standard deprecates it.
inline constexpr KeyType kCurvesByPreference[] = {KeyType::x25519, KeyType::p384, KeyType::p521,
                                                  KeyType::p256};

/// `keys` one curve at a time, by preference; within a curve in the order given. Keys that do not
/// agree on secrets are left out.
[[nodiscard]] std::vector<std::vector<NamedKey>> by_curve(const std::vector<NamedKey>& keys);

/// Those of `recipients` on `curve`. Errors: unsupported when there are none.
[[nodiscard]] Result<std::vector<NamedKey>> keys_on_curve(const std::vector<NamedKey>& recipients,
                                                          KeyType curve);
/// Those on the first curve of our preference that the recipient has. Errors: unsupported.
[[nodiscard]] Result<std::vector<NamedKey>> preferred_keys(const std::vector<NamedKey>& recipients);

/// An agreement key of `own` that `secrets` holds, on the first curve of our preference that the
/// recipient has too. Errors: not_found (none of the keys is held here), unsupported (no curve in
/// common).
[[nodiscard]] Result<SenderKey> choose_sender(const DidDocument& own, Secrets& secrets,
                                              const std::vector<NamedKey>& recipients);

}  // namespace kith::protocol
