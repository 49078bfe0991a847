#pragma once

/// Envelopes of DIDComm v2.1: packing and unpacking with every check of the standard.
///
/// Written: plain, sign(plain), anon(plain), auth(plain), anon(sign(plain)), anon(auth(plain)).
/// Read as well: auth(sign(plain)) and anon(auth(sign(plain))) when one party sent and signed it.
/// All other nestings are refused; a forward starts a fresh set.
///
/// Addressing checks come before signature checks and before any use of a private key.

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "crypto/key_ops.hpp"
#include "crypto/random.hpp"
#include "protocol/did_document.hpp"
#include "protocol/from_prior.hpp"
#include "protocol/message.hpp"
#include "protocol/resolver.hpp"
#include "protocol/secrets.hpp"

namespace kith::protocol {

struct PackOptions {
  /// Content encryption of anoncrypt: by default the one that every implementation must know.
  /// Authcrypt always takes A256CBC-HS512, as the standard demands.
  crypto::ContentEncryption cipher = crypto::ContentEncryption::a256cbc_hs512;
  /// Non-repudiable: sign the plaintext inside. With authcrypt this is written as
  /// anon(sign(plain)): auth(sign) should not be emitted, and the signature already authenticates.
  const SigningKey* sign = nullptr;
  /// Authcrypt only: hides the sender's key from the path by anon(auth(plain)).
  bool protect_sender = false;
  bool pad = true;
};

/// Errors of all packing functions: malformed (what the standard forbids to send: `from` missing or
/// not the sender, `to` missing in a signed and encrypted message), limit_exceeded, bad_key,
/// unsupported (the recipient has no keyAgreement key on a curve that fits).
[[nodiscard]] Result<std::string> pack_plain(const Message& message);
[[nodiscard]] Result<std::string> pack_signed(const Message& message, const SigningKey& signer,
                                              KeyOps& keys);
/// Encrypts to every key of `recipients` on one curve; all keys are of one DID
/// (DidDocument::agreement_keys()). Authcrypt takes the curve of the sender's key; anoncrypt the
/// first of X25519, P-384, P-521 and P-256 that the recipient has.
[[nodiscard]] Result<std::string> pack_anoncrypt(const Message& message,
                                                 const std::vector<NamedKey>& recipients,
                                                 const PackOptions& options, KeyOps& keys,
                                                 Random& random);
[[nodiscard]] Result<std::string> pack_authcrypt(const Message& message, const SenderKey& sender,
                                                 const std::vector<NamedKey>& recipients,
                                                 const PackOptions& options, KeyOps& keys,
                                                 Random& random);

enum class EnvelopeWarning : std::uint8_t {
  not_addressed_to_us,     ///< anon(plain) or plain whose `to` lacks our DID.
  unauthenticated_sender,  ///< `from` is a claim only: never an identity.
  no_times,                ///< Neither created_time nor expires_time.
  auth_over_signed,        ///< auth(sign): legal to read, not to send.
  spec_forbidden_nesting,  ///< anon(auth(sign)), as in one vector of the standard.
  expired,                 ///< Only where UnpackPolicy::expired_allowed.
};

/// One envelope that was opened.
struct OpenedEnvelope {
  enum class Kind : std::uint8_t { signed_, anoncrypt, authcrypt };
  Kind kind = Kind::anoncrypt;
  std::string alg;                ///< "ECDH-1PU+A256KW", "EdDSA", ...
  std::string enc;                ///< "A256CBC-HS512", ...; empty for signatures.
  std::vector<std::string> kids;  ///< All recipients' keys, or the one that signed.
  KeyType curve = KeyType::x25519;
};

/// What the envelope proves about a message.
struct EnvelopeInfo {
  bool encrypted = false;
  bool authenticated = false;             ///< `sender` is proven, by authcrypt or signature.
  bool anonymous_outside = false;         ///< The outermost layer is anoncrypt.
  std::optional<std::string> signed_by;   ///< kid of the signature: non-repudiable.
  std::optional<Did> sender;              ///< Only when authenticated.
  std::optional<std::string> sender_kid;  ///< skid of authcrypt.
  std::optional<std::string> recipient_kid;
  std::optional<Did> own_did;             ///< The DID of ours that it was encrypted to.
  std::size_t layers = 0;                 ///< Envelopes round the plaintext.
  std::vector<OpenedEnvelope> envelopes;  ///< The same one by one, the outermost first.
  std::vector<EnvelopeWarning> warnings;
  std::optional<Rotation> rotation;  ///< Verified from_prior.
  /// Of an envelope whose outermost layer is anoncrypt: stays the same however its JSON is
  /// rewritten on the way. Only its author can make another one with it that opens.
  std::optional<crypto::Digest256> fingerprint;

  [[nodiscard]] bool has(EnvelopeWarning warning) const;
  /// The sender cannot deny it to others: Unpacked::signed_text proves it.
  [[nodiscard]] bool non_repudiable() const { return signed_by.has_value(); }
};

struct Unpacked {
  Message message;
  EnvelopeInfo info;
  std::string plaintext;    ///< Exactly as it was inside.
  std::string signed_text;  ///< The JWS as received, if there was one: evidence.
};

struct UnpackPolicy {
  bool plain_allowed = true;    ///< Unprotected messages.
  bool times_required = false;  ///< Refuse messages with neither created_time nor expires_time.
  /// Opens messages whose time is over, with a warning: for reading old mail, never for acting.
  bool expired_allowed = false;
};

/// Asked once for each protected envelope, when all that is public has been checked and before the
/// first key is used: the DID of ours it is addressed to and the one it claims to come from, as far
/// as it names them. An error refuses the envelope.
using AdmitSender =
    std::function<Result<void>(const std::optional<Did>& own, const std::optional<Did>& claimed)>;

/// Everything that unpacking reads. All must outlive the call.
struct UnpackContext {
  Secrets& secrets;
  Resolver& resolver;
  KeyOps& keys;
  std::int64_t now_seconds = 0;
  UnpackPolicy policy = {};
  AdmitSender admit = {};  ///< Empty: everybody.
};

/// Opens an envelope and checks all of it. Replays are the caller's matter: remember
/// (sender, message_id_key(id)) for limits::kInboxMarkLife.
/// Errors: malformed, limit_exceeded, unsupported, cannot_decrypt (no key of ours, or altered),
/// not_authentic (addressing, keys not listed, forbidden nesting), bad_signature, expired, refused
/// (policy), unknown_peer (the sender must be resolved first: the detail is exactly the DID), those
/// of `admit`.
[[nodiscard]] Result<Unpacked> unpack(std::string_view text, const UnpackContext& context);

}  // namespace kith::protocol

namespace kith {
using protocol::EnvelopeInfo;
using protocol::Unpacked;
}  // namespace kith
