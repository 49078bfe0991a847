#pragma once

/// Encrypted envelopes of DIDComm v2.1: JWE in the general JSON form (RFC 7516 section 7.2.1) for
/// one or more keys of one recipient, all on one curve: X25519, P-256, P-384 or P-521.
///
///   anoncrypt  ECDH-ES+A256KW (RFC 7518 section 4.6), content under XC20P, A256GCM or
///   A256CBC-HS512 authcrypt  ECDH-1PU+A256KW (draft-madden-jose-ecdh-1pu-04), content under
///   A256CBC-HS512 only
///
/// The content is encrypted first, then each recipient's wrap key is derived over the content's
/// tag. With a cipher that commits to its key this keeps one recipient from forging a message of
/// the same sender to another one (draft section 2.1); other ciphers are refused with ECDH-1PU.
///
/// Reading has two steps: `parse_jwe` uses public data only, so that the caller checks who may
/// write to whom before `decrypt` touches a private key. Long-term private keys stay inside KeyOps.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/aead.hpp"
#include "crypto/bytes.hpp"
#include "crypto/json.hpp"
#include "crypto/key.hpp"
#include "crypto/key_ops.hpp"
#include "crypto/random.hpp"
#include "crypto/result.hpp"

namespace kith::crypto {

inline constexpr std::string_view kEncryptedSubtype = "didcomm-encrypted+json";

enum class KeyAgreement : std::uint8_t { ecdh_es = 1, ecdh_1pu = 2 };

/// "ECDH-ES+A256KW", "ECDH-1PU+A256KW".
[[nodiscard]] std::string_view alg_name(KeyAgreement agreement);

struct JweRecipient {
  std::string kid;
  Bytes encrypted_key;
};

/// A JWE whose structure holds. Nothing in it is authentic before `decrypt`.
struct ParsedJwe {
  KeyAgreement agreement = KeyAgreement::ecdh_es;
  ContentEncryption enc = ContentEncryption::a256cbc_hs512;
  std::string protected_text;       ///< As it arrived: the additional authenticated data.
  std::optional<std::string> skid;  ///< The claimed sender key; present exactly for ecdh_1pu.
  Bytes apu;
  Bytes apv;
  PublicKey ephemeral;
  std::vector<JweRecipient> recipients;  ///< 1 to limits::kRecipientsMax, distinct kids.
  Bytes iv;
  Bytes ciphertext;
  Bytes tag;
};

/// Sizes are capped before anything is decoded. Refused: other serialisations than general JSON,
/// `aad`, `unprotected`, `zip`, `crit`, per-recipient algorithms, algorithms outside the table, an
/// `apv` that is not the digest of the recipients' kids, `skid` and `apu` that differ, invalid
/// `epk` (not on its curve, of small order, infinity). Errors: malformed, limit_exceeded,
/// unsupported, bad_key.
[[nodiscard]] Result<ParsedJwe> parse_jwe(std::string_view text);
/// The same of an object that read_json gave.
[[nodiscard]] Result<ParsedJwe> read_jwe(ValueView envelope);

/// Opens with the key named `recipient_kid`. `sender` is the public key of `skid`; given exactly
/// for ecdh_1pu (otherwise not_authentic). Errors: cannot_decrypt, bad_key, those of KeyOps.
[[nodiscard]] Result<Bytes> decrypt(const ParsedJwe& jwe, std::string_view recipient_kid,
                                    const SealedKey& recipient, const PublicKey* sender,
                                    KeyOps& keys);

/// A key to encrypt to, with its absolute DID URL.
struct JweTarget {
  std::string kid;
  PublicKey key;
};

/// Anyone can have written it. Errors: malformed (no targets, a kid twice or not a DID URL, several
/// curves), limit_exceeded, unsupported (key type), bad_key.
[[nodiscard]] Result<std::string> encrypt_anonymous(
    ByteView plaintext, const std::vector<JweTarget>& targets, KeyOps& keys, Random& random,
    ContentEncryption enc = ContentEncryption::xc20p);

/// The sender's key. The reference must outlive the call.
struct JweSender {
  const SealedKey& key;  ///< On the targets' curve, purpose agree.
  std::string_view kid;
};

/// Only the sender or one of the recipients can have written it. Errors: as encrypt_anonymous, and
/// those of KeyOps.
[[nodiscard]] Result<std::string> encrypt_authenticated(ByteView plaintext, const JweSender& sender,
                                                        const std::vector<JweTarget>& targets,
                                                        KeyOps& keys, Random& random);

/// `apv` as DIDComm v2.1 makes it: SHA-256 of the kids, sorted bytewise and joined by ".".
[[nodiscard]] Bytes recipients_digest(std::vector<std::string> kids);

}  // namespace kith::crypto
