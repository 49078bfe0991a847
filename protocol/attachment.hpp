#pragma once

/// What attachments promise about their content (DIDComm v2.1, "Attachments"): a multihash, and a
/// detached signature (RFC 7515 appendix F).

#include <string>
#include <string_view>

#include "crypto/key_ops.hpp"
#include "protocol/message.hpp"
#include "protocol/resolver.hpp"
#include "protocol/secrets.hpp"

namespace kith::protocol {

/// The multihash of `content` with SHA-256, as base58btc text ("Qm...").
[[nodiscard]] std::string content_hash(ByteView content);

/// A multihash (hex, base58btc, or multibase 'z').
struct ContentHash {
  std::uint8_t function = 0;  ///< Multicodec: 0x12 SHA-256, 0x13 SHA-512; others are unsupported.
  Bytes digest;

  [[nodiscard]] bool is_supported() const { return function == 0x12 || function == 0x13; }
};
/// Errors: malformed.
[[nodiscard]] Result<ContentHash> parse_content_hash(std::string_view text);

/// Whether `content` is what `hash` names.
/// Errors: malformed (unreadable, or another content), unsupported (neither SHA-256 nor SHA-512).
[[nodiscard]] Result<void> check_content_hash(std::string_view hash, ByteView content);

/// Checks what was fetched for an attachment with links: byte_count (when told) and hash.
/// Errors: malformed, unsupported.
[[nodiscard]] Result<void> check_fetched(const Attachment& attachment, ByteView content);

/// Signs the attachment's bytes; `data.jws` becomes a flattened JWS without payload. Errors:
/// unsupported unless the content is base64, those of KeyOps::sign.
[[nodiscard]] Result<void> sign_attachment(Attachment& attachment, const SigningKey& signer,
                                           KeyOps& keys);

/// Verifies `data.jws` over `content` (the decoded base64, or what was fetched). The signer need
/// not be the message's author: the result is the key id that signed.
/// Errors: not_found (no signature), malformed, unsupported, not_authentic (key not listed for
/// authentication), bad_signature, those of the resolver.
[[nodiscard]] Result<std::string> verify_attachment(const Attachment& attachment, ByteView content,
                                                    Resolver& resolver);

}  // namespace kith::protocol
