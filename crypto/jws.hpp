#pragma once

/// JSON Web Signatures as DIDComm v2.1 uses them (RFC 7515, 7518 section 3.4, 8037, 8812): one
/// signature, EdDSA with Ed25519, ES256K or ES256. Writes the general JSON form, reads general and
/// flattened; the compact form is for `from_prior` tokens alone.
///
/// The algorithm table is closed and bound to the key's type: a header can choose nothing that the
/// key is not for. What was signed is kept as the exact text that arrived, never written again.
///
/// Reading has two steps, so that callers check who may sign before any curve arithmetic:
/// `parse_*` checks structure only (nothing in it is trusted yet), `verify_jws` the signature.

#include <functional>
#include <string>
#include <string_view>

#include "crypto/bytes.hpp"
#include "crypto/key.hpp"
#include "crypto/key_ops.hpp"
#include "crypto/result.hpp"

namespace kith::crypto {

inline constexpr std::string_view kSignedSubtype = "didcomm-signed+json";

/// Who signs. The references must outlive the call.
struct JwsSigner {
  const SealedKey& key;
  KeyType type;          ///< ed25519, secp256k1 or p256; must be the type of `key`.
  std::string_view kid;  ///< Absolute DID URL of the public key.
};

/// General JSON form: `typ` and `alg` protected, `kid` in the unprotected header (where most peers
/// look for it). Errors: those of KeyOps::sign, malformed (kid), limit_exceeded.
[[nodiscard]] Result<std::string> sign_jws(KeyOps& keys, const JwsSigner& signer, ByteView payload);

/// Compact form with header {alg, kid, typ:"JWT"}. `claims` is JSON text. Errors: as sign_jws.
[[nodiscard]] Result<std::string> sign_jwt(KeyOps& keys, const JwsSigner& signer,
                                           std::string_view claims);

/// Flattened form without its payload (RFC 7515 appendix F): whoever verifies has `payload` anyway.
/// Errors: as sign_jws.
[[nodiscard]] Result<JsonObject> sign_detached(KeyOps& keys, const JwsSigner& signer,
                                               ByteView payload);

/// A JWS whose structure holds and whose signature nobody has checked yet.
struct ParsedJws {
  std::string kid;
  KeyType key_type = KeyType::ed25519;  ///< The one type of key that `alg` fits.
  std::string alg;                      ///< "EdDSA", "ES256K" or "ES256".
  Bytes payload;                        ///< Unverified.
  std::string signing_input;            ///< protected "." payload, as they arrived.
  Bytes signature;
};

/// General or flattened. Errors: malformed, limit_exceeded, unsupported (algorithm, `crit`, `b64`).
[[nodiscard]] Result<ParsedJws> parse_jws(std::string_view text);
/// Compact, `typ` "JWT". Errors: as parse_jws.
[[nodiscard]] Result<ParsedJws> parse_jwt(std::string_view text);

/// Without payload: an object in general or flattened form, or the compact form as text. `typ` is
/// whatever the signer chose. Errors: as parse_jws.
[[nodiscard]] Result<ParsedJws> parse_detached(const Json& jws, ByteView payload);

/// Errors: bad_signature (also when the key's type does not fit `alg`), bad_key.
[[nodiscard]] Result<void> verify_jws(const ParsedJws& jws, const PublicKey& key);

struct VerifiedJws {
  Bytes payload;
  std::string kid;
  std::string alg;
};

/// Finds the public key of a key id and refuses those that may not sign; its errors pass through.
using KeyLookup = std::function<Result<PublicKey>(std::string_view kid)>;

/// Parse, look up, verify in one step. Errors: those of parse_*, of `lookup` and of verify_jws.
[[nodiscard]] Result<VerifiedJws> open_jws(std::string_view text, const KeyLookup& lookup);
[[nodiscard]] Result<VerifiedJws> open_jwt(std::string_view text, const KeyLookup& lookup);

}  // namespace kith::crypto
