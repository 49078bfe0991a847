#include "protocol/attachment.hpp"

#include "crypto/hash.hpp"
#include "crypto/jws.hpp"

namespace kith::protocol {

namespace {

constexpr std::uint8_t kSha256Code = 0x12;
constexpr std::size_t kHashCharsMax = 256;

/// The specification leaves the text form open; these three do not overlap: SHA-2 multihashes start
/// with "12" or "13" in hex, and in base58btc (where 1 stands for a zero byte) never do.
Result<Bytes> multihash_bytes(std::string_view text) {
  if (text.starts_with('z')) return crypto::from_multibase(text);
  if (text.starts_with("12") || text.starts_with("13")) return crypto::from_hex(text);
  return crypto::from_base58(text);
}

}  // namespace

std::string content_hash(ByteView content) {
  Bytes multihash{kSha256Code, 32};
  crypto::append(multihash, crypto::sha256(content));
  return crypto::base58(multihash);
}

Result<ContentHash> parse_content_hash(std::string_view text) {
  const auto bytes =
      text.size() > kHashCharsMax ? Result<Bytes>(fail(Errc::malformed)) : multihash_bytes(text);
  // Both numbers are varints; every hash function in use and every length fits one byte.
  if (!bytes.has_value() || bytes->size() < 2 || (*bytes)[0] >= 0x80 ||
      (*bytes)[1] != bytes->size() - 2) {
    return fail(Errc::malformed, "the hash of an attachment is no multihash");
  }
  return ContentHash{(*bytes)[0], crypto::to_bytes(ByteView(*bytes).subspan(2))};
}

Result<void> check_content_hash(std::string_view hash, ByteView content) {
  TRY(const ContentHash expected, parse_content_hash(hash));
  if (!expected.is_supported()) {
    return fail(Errc::unsupported, "the hash function of an attachment");
  }
  const bool same = expected.function == kSha256Code
                        ? crypto::equal(expected.digest, crypto::sha256(content))
                        : crypto::equal(expected.digest, crypto::sha512(content));
  if (!same) return fail(Errc::malformed, "the content of an attachment does not fit its hash");
  return {};
}

Result<void> check_fetched(const Attachment& attachment, ByteView content) {
  if (attachment.byte_count && static_cast<std::size_t>(*attachment.byte_count) != content.size()) {
    return fail(Errc::malformed, "the content of an attachment has another size than announced");
  }
  if (!attachment.hash) return fail(Errc::malformed, "an attachment with links needs a hash");
  return check_content_hash(*attachment.hash, content);
}

Result<void> sign_attachment(Attachment& attachment, const SigningKey& signer, KeyOps& keys) {
  if (!attachment.base64) {
    return fail(Errc::unsupported, "only attachments in base64 can be signed");
  }
  TRY(JsonObject jws,
      crypto::sign_detached(keys, {signer.key, signer.type, signer.kid}, *attachment.base64));
  attachment.jws = Json(std::move(jws));
  return {};
}

Result<std::string> verify_attachment(const Attachment& attachment, ByteView content,
                                      Resolver& resolver) {
  if (!attachment.jws) return fail(Errc::not_found, "the attachment is not signed");
  TRY(const crypto::ParsedJws jws, crypto::parse_detached(*attachment.jws, content));
  TRY(const DidUrl kid, DidUrl::parse_kid(jws.kid));
  TRY(const DidDocument document, resolver.resolve(kid.did()));
  TRY(const PublicKey key, document.authentication_key(kid.text()));
  CHECK(crypto::verify_jws(jws, key));
  return kid.text();
}

}  // namespace kith::protocol
