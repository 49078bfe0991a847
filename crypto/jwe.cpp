#include "crypto/jwe.hpp"

#include <algorithm>
#include <utility>

#include "crypto/ec_nist.hpp"
#include "crypto/ec_x25519.hpp"
#include "crypto/jose_header.hpp"
#include "crypto/json.hpp"
#include "crypto/limits.hpp"

namespace kith::crypto {

namespace {

/// More than member names, punctuation, iv and tag take.
constexpr std::size_t kJweFrameBytes = 256;

Result<void> check_targets(const std::vector<JweTarget>& targets) {
  if (targets.empty()) return fail(Errc::malformed, "an envelope for nobody");
  if (targets.size() > limits::kRecipientsMax) {
    return fail(Errc::limit_exceeded, "too many recipient keys");
  }
  for (auto target = targets.begin(); target != targets.end(); ++target) {
    CHECK(jose::check_kid(target->kid));
    if (!can_agree(target->key.type)) {
      return fail(Errc::unsupported, "encryption to this type of key");
    }
    if (target->key.type != targets.front().key.type) {
      return fail(Errc::malformed, "one envelope takes keys on one curve");
    }
    CHECK(check_public_key(target->key));
    const bool twice = std::any_of(targets.begin(), target, [&](const JweTarget& earlier) {
      return earlier.kid == target->kid;
    });
    if (twice) return fail(Errc::malformed, "the same recipient key twice");
  }
  return {};
}

/// The protected header in base64url. Fills apu and apv, which the key derivation needs again.
std::string protected_header(KeyAgreement agreement, ContentEncryption enc,
                             const PublicKey& ephemeral, const JweSender* sender,
                             const std::vector<JweTarget>& targets, Bytes& apu, Bytes& apv) {
  std::vector<std::string> kids;
  for (const JweTarget& target : targets) kids.push_back(target.kid);
  apv = recipients_digest(std::move(kids));

  JsonObject header;
  header["typ"] = "application/" + std::string(kEncryptedSubtype);
  header["alg"] = alg_name(agreement);
  header["enc"] = enc_name(enc);
  if (sender != nullptr) {
    apu = to_bytes(sender->kid);
    header["skid"] = sender->kid;
    header["apu"] = base64url(apu);
  }
  header["apv"] = base64url(apv);
  header["epk"] = jwk(ephemeral);
  return base64url(as_bytes(json_text(header)));
}

Result<std::string> encrypt(ByteView plaintext, const JweSender* sender,
                            const std::vector<JweTarget>& targets, ContentEncryption enc,
                            KeyOps& keys, Random& random) {
  CHECK(check_targets(targets));
  if (sender != nullptr) CHECK(jose::check_kid(sender->kid));
  if (plaintext.size() > limits::kEnvelopeBytesMax / 4 * 3) {
    return fail(Errc::limit_exceeded, "the message to be encrypted is too long");
  }
  const KeyAgreement agreement = sender == nullptr ? KeyAgreement::ecdh_es : KeyAgreement::ecdh_1pu;
  const ContentEncryptionSizes sizes = sizes_of(enc);
  const KeyType curve = targets.front().key.type;
  const RawKeyPair ephemeral =
      is_nist(curve) ? nist_generate(curve, random) : x25519_generate(random);
  const SecretBytes cek = random.secret(sizes.key_bytes);
  const Bytes iv = random.bytes(sizes.iv_bytes);

  Bytes apu;
  Bytes apv;
  const std::string header =
      protected_header(agreement, enc, ephemeral.public_key, sender, targets, apu, apv);
  const AeadOutput content = aead_encrypt(enc, cek, iv, as_bytes(header), plaintext);

  // Only now, because ECDH-1PU derives its wrap keys over the content's tag.
  WrapContext context{alg_name(agreement), apu, apv, {}};
  if (sender != nullptr) context.tag = content.tag;
  std::string recipients;
  for (const JweTarget& target : targets) {
    TRY(const Bytes wrapped, keys.wrap_cek(sender == nullptr ? nullptr : &sender->key, target.key,
                                           ephemeral.private_key, context, cek));
    if (!recipients.empty()) recipients += ',';
    recipients += R"({"header":{"kid":)" + json_text(Json(target.kid)) + R"(},"encrypted_key":")" +
                  base64url(wrapped) + R"("})";
  }
  // Written out, not built: base64url needs no escapes, and the content would be copied twice.
  std::string text;
  text.reserve(header.size() + recipients.size() + base64url_size(content.ciphertext.size()) +
               kJweFrameBytes);
  text.append(R"({"protected":")").append(header);
  text.append(R"(","recipients":[)").append(recipients);
  append_base64url(text.append(R"(],"iv":")"), iv);
  append_base64url(text.append(R"(","ciphertext":")"), content.ciphertext);
  append_base64url(text.append(R"(","tag":")"), content.tag);
  text.append(R"("})");
  if (text.size() > limits::kEnvelopeBytesMax) {
    return fail(Errc::limit_exceeded, "the encrypted message is too long");
  }
  return text;
}

}  // namespace

Result<std::string> encrypt_anonymous(ByteView plaintext, const std::vector<JweTarget>& targets,
                                      KeyOps& keys, Random& random, ContentEncryption enc) {
  return encrypt(plaintext, nullptr, targets, enc, keys, random);
}

Result<std::string> encrypt_authenticated(ByteView plaintext, const JweSender& sender,
                                          const std::vector<JweTarget>& targets, KeyOps& keys,
                                          Random& random) {
  return encrypt(plaintext, &sender, targets, ContentEncryption::a256cbc_hs512, keys, random);
}

Result<Bytes> decrypt(const ParsedJwe& jwe, std::string_view recipient_kid,
                      const SealedKey& recipient, const PublicKey* sender, KeyOps& keys) {
  const bool authenticated = jwe.agreement == KeyAgreement::ecdh_1pu;
  if (authenticated != (sender != nullptr)) {
    return fail(Errc::not_authentic, "the sender's key does not fit the kind of envelope");
  }
  if (sender != nullptr) {
    if (sender->type != jwe.ephemeral.type) {
      return fail(Errc::bad_key, "the sender's key is on another curve than the envelope's");
    }
    CHECK(check_public_key(*sender));
  }
  const auto entry = std::find_if(jwe.recipients.begin(), jwe.recipients.end(),
                                  [&](const JweRecipient& r) { return r.kid == recipient_kid; });
  if (entry == jwe.recipients.end()) {
    return fail(Errc::cannot_decrypt, "the envelope is not for this key");
  }
  WrapContext context{alg_name(jwe.agreement), jwe.apu, jwe.apv, {}};
  if (authenticated) context.tag = jwe.tag;
  TRY(const SecretBytes cek,
      keys.unwrap_cek(recipient, sender, jwe.ephemeral, context, entry->encrypted_key));
  return aead_decrypt(jwe.enc, cek, jwe.iv, as_bytes(jwe.protected_text), jwe.ciphertext, jwe.tag);
}

}  // namespace kith::crypto
