#include <algorithm>
#include <array>
#include <utility>

#include "crypto/hash.hpp"
#include "crypto/jose_header.hpp"
#include "crypto/json.hpp"
#include "crypto/jwe.hpp"
#include "crypto/limits.hpp"

namespace kith::crypto {

namespace {

constexpr std::size_t kAesBlockBytes = 16;
constexpr std::size_t kWrapOverheadBytes = 8;
constexpr std::size_t kDigestBytes = 32;

Result<KeyAgreement> agreement_of(std::string_view alg) {
  for (const KeyAgreement known : {KeyAgreement::ecdh_es, KeyAgreement::ecdh_1pu}) {
    if (alg == alg_name(known)) return known;
  }
  return fail(Errc::unsupported, "this key agreement algorithm");
}

Result<PublicKey> parse_epk(ValueView header) {
  TRY(const ValueView epk, json_object(header, "epk"));
  TRY(const auto curve, json_string(epk, "crv"));
  constexpr std::array<std::string_view, 4> kCurves = {"X25519", "P-256", "P-384", "P-521"};
  if (std::ranges::find(kCurves, curve) == kCurves.end()) {
    return fail(Errc::unsupported, "key agreement on this curve");
  }
  return from_jwk(epk);
}

/// The sender's kid stands twice: `apu` enters the key derivation, `skid` is for people. Some peers
/// send `apu` alone.
Result<void> parse_sender(ValueView header, ParsedJwe& jwe) {
  if (jwe.agreement == KeyAgreement::ecdh_es) {
    if (header.contains("skid")) {
      return fail(Errc::malformed, "an anonymous envelope that names a sender key");
    }
    // Some peers write a null for "none".
    const auto apu = header.field("apu");
    if (apu && !apu->is_nil()) {
      return fail(Errc::malformed, "an anonymous envelope with sender information");
    }
    return {};
  }
  TRY(jwe.apu, jose::decode_member(header, "apu", limits::kDidCharsMax));
  TRY(jwe.skid, json_optional_string(header, "skid"));
  if (!jwe.skid) jwe.skid = std::string(as_text(jwe.apu));
  CHECK(jose::check_kid(*jwe.skid));
  if (as_text(jwe.apu) != *jwe.skid) return fail(Errc::malformed, "skid and apu differ");
  return {};
}

Result<void> parse_protected(ParsedJwe& jwe) {
  TRY(const jose::Header decoded, jose::decode_header(jwe.protected_text));
  const ValueView header = decoded.root();
  if (header.contains("zip")) return fail(Errc::unsupported, "compressed content");
  if (header.contains("kid")) return fail(Errc::malformed, "a recipient in the protected header");
  TRY(const auto typ, json_optional_string(header, "typ"));
  if (typ && !jose::is_media_type(*typ, kEncryptedSubtype)) {
    return fail(Errc::malformed, "the envelope was made for another kind of data");
  }
  TRY(const auto alg, json_string(header, "alg"));
  TRY(jwe.agreement, agreement_of(alg));
  TRY(const auto enc, json_string(header, "enc"));
  TRY(jwe.enc, enc_from_name(enc));
  if (jwe.agreement == KeyAgreement::ecdh_1pu && jwe.enc != ContentEncryption::a256cbc_hs512) {
    return fail(Errc::unsupported,
                "ECDH-1PU with a content cipher that does not commit to its key");
  }
  CHECK(parse_sender(header, jwe));
  TRY(jwe.apv, jose::decode_member(header, "apv", kDigestBytes));
  TRY(jwe.ephemeral, parse_epk(header));
  return {};
}

Result<JweRecipient> parse_recipient(ValueView value, std::size_t wrapped_bytes) {
  TRY(const ValueView object, as_object(value, "a recipient"));
  TRY(const ValueView header, json_object(object, "header"));
  CHECK(jose::check_unprotected(header, {"alg", "enc", "epk", "apu", "apv", "skid", "typ", "cty",
                                         "zip", "crit", "b64", "p2s", "p2c"}));
  JweRecipient recipient;
  TRY(recipient.kid, json_string(header, "kid"));
  CHECK(jose::check_kid(recipient.kid));
  TRY(recipient.encrypted_key, jose::decode_member(object, "encrypted_key", wrapped_bytes));
  if (recipient.encrypted_key.size() != wrapped_bytes) {
    return fail(Errc::malformed, "an encrypted key of the wrong length");
  }
  return recipient;
}

Result<void> parse_recipients(ValueView envelope, ParsedJwe& jwe) {
  TRY(const ValueView list, json_array(envelope, "recipients"));
  if (list.size() == 0) return fail(Errc::malformed, "an envelope for nobody");
  if (list.size() > limits::kRecipientsMax) {
    return fail(Errc::limit_exceeded, "too many recipients");
  }
  std::vector<std::string> kids;
  for (const ValueView value : list.items()) {
    TRY(JweRecipient recipient,
        parse_recipient(value, sizes_of(jwe.enc).key_bytes + kWrapOverheadBytes));
    if (std::find(kids.begin(), kids.end(), recipient.kid) != kids.end()) {
      return fail(Errc::malformed, "the same recipient key twice");
    }
    kids.push_back(recipient.kid);
    jwe.recipients.push_back(std::move(recipient));
  }
  if (recipients_digest(std::move(kids)) != jwe.apv) {
    return fail(Errc::malformed, "apv does not fit the recipients");
  }
  return {};
}

Result<void> parse_content(ValueView envelope, ParsedJwe& jwe) {
  const ContentEncryptionSizes sizes = sizes_of(jwe.enc);
  TRY(jwe.iv, jose::decode_member(envelope, "iv", sizes.iv_bytes));
  TRY(jwe.tag, jose::decode_member(envelope, "tag", sizes.tag_bytes));
  if (jwe.iv.size() != sizes.iv_bytes || jwe.tag.size() != sizes.tag_bytes) {
    return fail(Errc::malformed, "iv or tag of the wrong length");
  }
  TRY(jwe.ciphertext, jose::decode_member(envelope, "ciphertext", limits::kEnvelopeBytesMax));
  if (jwe.enc == ContentEncryption::a256cbc_hs512 &&
      (jwe.ciphertext.empty() || jwe.ciphertext.size() % kAesBlockBytes != 0)) {
    return fail(Errc::malformed, "a ciphertext that is not whole blocks");
  }
  return {};
}

}  // namespace

std::string_view alg_name(KeyAgreement agreement) {
  return agreement == KeyAgreement::ecdh_es ? "ECDH-ES+A256KW" : "ECDH-1PU+A256KW";
}

Bytes recipients_digest(std::vector<std::string> kids) {
  std::sort(kids.begin(), kids.end());
  std::string joined;
  for (const std::string& kid : kids) {
    if (!joined.empty()) joined += '.';
    joined += kid;
  }
  const Digest256 digest = sha256(as_bytes(joined));
  return Bytes(digest.begin(), digest.end());
}

Result<ParsedJwe> parse_jwe(std::string_view text) {
  JsonLimits json_limits;
  json_limits.bytes_max = limits::kEnvelopeBytesMax;
  TRY(const FlatValue value, read_json(text, json_limits));
  TRY(const ValueView envelope, as_object(value.root(), "an encrypted message"));
  return read_jwe(envelope);
}

Result<ParsedJwe> read_jwe(ValueView envelope) {
  for (const std::string_view member : {"aad", "unprotected", "header", "encrypted_key"}) {
    if (envelope.contains(member)) {
      return fail(Errc::unsupported, "envelope member '" + std::string(member) + "'");
    }
  }
  for (const std::string_view member : {"payload", "signatures", "signature"}) {
    if (envelope.contains(member)) {
      return fail(Errc::malformed, "signed and encrypted form in one");
    }
  }
  ParsedJwe jwe;
  TRY(jwe.protected_text, json_string(envelope, "protected"));
  CHECK(parse_protected(jwe));
  CHECK(parse_recipients(envelope, jwe));
  CHECK(parse_content(envelope, jwe));
  return jwe;
}

}  // namespace kith::crypto
