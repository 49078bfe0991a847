#pragma once

/// Tokens that a keystore can be bound to, through PKCS#11 (OASIS, v2.40) and p11-kit, which knows
/// what modules this machine has. For the process of the keys alone, before its sandbox closes: the
/// modules are other people's code, are loaded when a token is asked for, and let go of after.
///
/// A PIN is tried once and never again by itself: tokens lock themselves after a few wrong ones.

#include <string>

#include "crypto/random.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"
#include "node/storage/token_link.hpp"

namespace kith::node {

/// Makes a key on the token that `uri` names (RFC 7512: pkcs11:token=My%20key), P-256, which never
/// leaves it; where the URI names a key too (id), takes that. The answer was tried a second time
/// in a session of its own. `pin`: nullptr where it was not given.
/// Errors: usage (the URI is none, or several tokens are like that), token_missing (also: no
/// p11-kit here), token_pin_needed, token_pin_wrong, token_locked, refused (it cannot do what is
/// needed).
[[nodiscard]] Result<HeldToken> bind_token(const std::string& uri, const SecretBytes* pin,
                                           Random& random);
/// The secret of a link, 32 bytes. Errors: as bind_token; token_missing where the key is not there
/// any more.
[[nodiscard]] Result<SecretBytes> ask_token(const TokenLink& link, const SecretBytes* pin);

}  // namespace kith::node
