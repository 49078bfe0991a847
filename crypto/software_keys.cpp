#include "crypto/software_keys.hpp"

#include "crypto/aead.hpp"
#include "crypto/assert.hpp"
#include "crypto/declassify.hpp"
#include "crypto/ec_ed25519.hpp"
#include "crypto/ec_nist.hpp"
#include "crypto/ec_secp256k1.hpp"
#include "crypto/ec_x25519.hpp"
#include "crypto/hash.hpp"
#include "crypto/key_wrap.hpp"
#include "crypto/sealed_blob.hpp"

namespace kith::crypto {

using sealed_blob::bit;
using sealed_blob::kKeyBytes;
using sealed_blob::kNonceBytes;
using sealed_blob::kTagBytes;
using sealed_blob::kVersion;

namespace {

constexpr std::uint8_t kPlainSecret = 0;  ///< Beside the values of KeyType.
constexpr std::string_view kEs = "ECDH-ES+A256KW";
constexpr std::string_view k1Pu = "ECDH-1PU+A256KW";

SecretBytes derive(const SecretBytes& root, std::string_view info) {
  return hkdf_sha256(root.expose(), {}, as_bytes(info), kKeyBytes);
}

/// Purpose and type have to fit each other. Errors: key_misuse.
Result<void> check_fits(KeyType type, KeyPurpose purpose) {
  const bool boxes = (bit(purpose) & sealed_blob::kOpeningBoxes) != 0;
  const bool signing = (bit(purpose) & sealed_blob::kSigning) != 0 ||
                       (purpose == KeyPurpose::chain && type == KeyType::secp256k1);
  // NIST curves are for peers who have nothing else: envelopes only, never logs or vaults.
  const bool fits = type == KeyType::x25519 ? boxes
                    : is_nist(type)         ? (purpose == KeyPurpose::agree && can_agree(type)) ||
                                          (purpose == KeyPurpose::authenticate && can_sign(type))
                                    : signing;
  if (fits) return {};
  return fail(Errc::key_misuse, "a key of this type cannot have this purpose");
}

/// Errors: unsupported, malformed.
Result<void> check_context(const WrapContext& context, bool has_sender) {
  if (context.alg != kEs && context.alg != k1Pu) {
    return fail(Errc::unsupported, "this key agreement is not known here");
  }
  const bool authenticated = context.alg == k1Pu;
  if (authenticated != has_sender || authenticated == context.tag.empty()) {
    return fail(Errc::malformed, "ECDH-1PU needs a sender and a tag, ECDH-ES has neither");
  }
  return {};
}

/// One Diffie-Hellman on the public key's curve. Errors: bad_key.
Result<SecretBytes> shared_secret(ByteView private_key, const PublicKey& key) {
  if (is_nist(key.type)) return nist_shared(key.type, private_key, key.bytes);
  return x25519_shared(private_key, key.bytes);
}

SecretBytes joined(const SecretBytes& first, const SecretBytes& second) {
  SecretBytes both(first.size() + second.size());
  std::ranges::copy(first.expose(), both.expose_mutable().begin());
  std::ranges::copy(second.expose(), both.expose_mutable().subspan(first.size()).begin());
  return both;
}

struct BoxKeys {
  SecretBytes bytes;  ///< key || nonce
  [[nodiscard]] ByteView key() const { return bytes.expose().first(kKeyBytes); }
  [[nodiscard]] ByteView nonce() const { return bytes.expose().subspan(kKeyBytes); }
};

BoxKeys box_keys(const SecretBytes& shared, ByteView ephemeral, ByteView recipient) {
  Bytes salt = to_bytes(ephemeral);
  append(salt, recipient);
  return {hkdf_sha256(shared.expose(), salt, as_bytes("kith/box/v1"), kKeyBytes + kNonceBytes)};
}

/// Errors: bad_key.
Result<void> check_box_key(const PublicKey& key) {
  if (key.type != KeyType::x25519) return fail(Errc::bad_key, "not an X25519 key");
  return x25519_check_public(key.bytes);
}

/// Errors: bad_key.
Result<void> check_agreement_key(const PublicKey& key) {
  if (!can_agree(key.type)) return fail(Errc::bad_key, "not a key for key agreement");
  if (is_nist(key.type)) return {};  // nist_shared checks the point itself.
  return x25519_check_public(key.bytes);
}

}  // namespace

Result<SecretBytes> sealed_blob::open(const SecretBytes& key, std::uint8_t version, ByteView ad,
                                      ByteView blob) {
  if (blob.size() < 1 + kNonceBytes || blob[0] != version) {
    return fail(Errc::storage_corrupt, "a sealed value is not in the expected form");
  }
  auto opened = xc20p_open_secret(key.expose(), blob.subspan(1, kNonceBytes), full_ad(version, ad),
                                  blob.subspan(1 + kNonceBytes));
  if (!opened.has_value()) return fail(Errc::storage_corrupt, "a sealed value does not open");
  return opened;
}

SoftwareKeys::SoftwareKeys(const SecretBytes& root_key, Random& random)
    : random_(random), root_(root_key.clone()), records_(RecordKeys::of_root(root_)) {
  ASSERT(root_.size() == kKeyBytes);
  key_key_ = derive(root_, sealed_blob::kKeyLabel);
  share_key_ = derive(root_, sealed_blob::kShareLabel);
  vault_shell_key_ = derive(root_, "kith/keys/v1/vault-shell");
  open_vault_key_ = random_.secret(kKeyBytes);
}

Bytes SoftwareKeys::seal_under(const SecretBytes& key, std::uint8_t version, ByteView ad,
                               ByteView plaintext) {
  const Bytes nonce = random_.bytes(kNonceBytes);
  Bytes blob;
  blob.reserve(1 + kNonceBytes + plaintext.size() + kTagBytes);
  blob.push_back(version);
  append(blob, nonce);
  append_xc20p_seal(blob, key.expose(), nonce, sealed_blob::full_ad(version, ad), plaintext);
  return blob;
}

// --- Keys ---

std::size_t SoftwareKeys::private_bytes(std::uint8_t type) {
  const KeyType key_type{type};
  return is_nist(key_type) ? nist_field_bytes(key_type) : kKeyBytes;
}

Result<SecretBytes> SoftwareKeys::make_content(std::uint8_t type, KeyPurpose purpose,
                                               SecretBytes private_part) {
  if (private_part.size() != private_bytes(type)) {
    return fail(Errc::bad_key, "a private key of the wrong length");
  }
  Bytes public_part;
  switch (type) {
    case kPlainSecret:
      break;
    case static_cast<std::uint8_t>(KeyType::ed25519): {
      TRY(RawKeyPair pair, ed25519_from_seed(private_part));
      public_part = std::move(pair.public_key.bytes);
      break;
    }
    case static_cast<std::uint8_t>(KeyType::x25519): {
      TRY(RawKeyPair pair, x25519_from_private(private_part.clone()));
      public_part = std::move(pair.public_key.bytes);
      break;
    }
    case static_cast<std::uint8_t>(KeyType::secp256k1): {
      TRY(RawKeyPair pair, secp256k1_from_private(private_part.clone()));
      public_part = std::move(pair.public_key.bytes);
      break;
    }
    case static_cast<std::uint8_t>(KeyType::p256):
    case static_cast<std::uint8_t>(KeyType::p384):
    case static_cast<std::uint8_t>(KeyType::p521): {
      TRY(RawKeyPair pair, nist_from_private(KeyType{type}, private_part.clone()));
      public_part = std::move(pair.public_key.bytes);
      break;
    }
    default:
      return fail(Errc::bad_key, "unknown type of key");
  }
  SecretBytes content(2 + private_part.size() + public_part.size());
  const auto out = content.expose_mutable();
  out[0] = type;
  out[1] = static_cast<std::uint8_t>(purpose);
  std::ranges::copy(private_part.expose(), out.begin() + 2);
  std::ranges::copy(public_part, out.subspan(2 + private_part.size()).begin());
  return content;
}

PublicKey SoftwareKeys::public_key_of(const Opened& key) {
  // A plain secret has no public half; its type says nothing then.
  if (key.type() == kPlainSecret) return {};
  return {KeyType{key.type()}, to_bytes(key.public_part())};
}

SealedKey SoftwareKeys::seal_content(const SecretBytes& content) {
  const bool is_vault = KeyPurpose{content.expose()[1]} == KeyPurpose::vault;
  return {seal_under(is_vault ? open_vault_key_ : key_key_,
                     is_vault ? sealed_blob::kOpenVaultVersion : kVersion,
                     as_bytes(sealed_blob::kKeyLabel), content.expose())};
}

Result<SoftwareKeys::Opened> SoftwareKeys::open_key(const SealedKey& key) const {
  const bool is_vault = !key.blob.empty() && key.blob[0] == sealed_blob::kOpenVaultVersion;
  TRY(SecretBytes content, sealed_blob::open(is_vault ? open_vault_key_ : key_key_,
                                             is_vault ? sealed_blob::kOpenVaultVersion : kVersion,
                                             as_bytes(sealed_blob::kKeyLabel), key.blob));
  Opened opened{std::move(content)};
  declassify(opened.content.expose().first(2));
  // Authentic, so this object wrote it.
  ASSERT(opened.content.size() >= 2 && opened.material().size() >= private_bytes(opened.type()));
  ASSERT((opened.purpose() == KeyPurpose::vault) == is_vault);
  declassify(opened.public_part());
  return opened;
}

Result<SoftwareKeys::Opened> SoftwareKeys::open_for(const SealedKey& key,
                                                    std::uint32_t purposes) const {
  TRY(Opened opened, open_key(key));
  if ((bit(opened.purpose()) & purposes) == 0) {
    return fail(Errc::key_misuse, "the key is not for this operation");
  }
  return opened;
}

Result<SealedKey> SoftwareKeys::import_private(KeyType type, KeyPurpose purpose,
                                               SecretBytes private_key) {
  CHECK(check_fits(type, purpose));
  TRY(const SecretBytes content,
      make_content(static_cast<std::uint8_t>(type), purpose, std::move(private_key)));
  return seal_content(content);
}

Result<KeyPair> SoftwareKeys::generate(KeyType type, KeyPurpose purpose) {
  CHECK(check_fits(type, purpose));
  SecretBytes private_part = type == KeyType::secp256k1 ? secp256k1_generate(random_).private_key
                             : is_nist(type)            ? nist_generate(type, random_).private_key
                                                        : random_.secret(kKeyBytes);
  TRY(SecretBytes content,
      make_content(static_cast<std::uint8_t>(type), purpose, std::move(private_part)));
  const Opened opened{std::move(content)};
  return KeyPair{public_key_of(opened), seal_content(opened.content)};
}

Result<SealedKey> SoftwareKeys::generate_secret(KeyPurpose purpose) {
  if (purpose != KeyPurpose::link_secret) {
    return fail(Errc::key_misuse, "a plain secret cannot have this purpose");
  }
  TRY(const SecretBytes content, make_content(kPlainSecret, purpose, random_.secret(kKeyBytes)));
  return seal_content(content);
}

Result<Bytes> SoftwareKeys::sign(const SealedKey& key, ByteView message) {
  TRY(const Opened opened, open_for(key, sealed_blob::kSigning));
  if (opened.type() == static_cast<std::uint8_t>(KeyType::ed25519)) {
    return ed25519_sign(opened.material(), message);
  }
  if (opened.type() == static_cast<std::uint8_t>(KeyType::p256)) {
    return p256_sign(opened.private_part(), opened.public_part(), message);
  }
  ASSERT(opened.type() == static_cast<std::uint8_t>(KeyType::secp256k1));
  return secp256k1_sign(opened.private_part(), message);
}

Result<Bytes> SoftwareKeys::sign_hash(const SealedKey& key, ByteView hash) {
  TRY(const Opened opened, open_for(key, bit(KeyPurpose::chain)));
  if (hash.size() != Digest256{}.size()) return fail(Errc::malformed, "a hash has 32 bytes");
  ASSERT(opened.type() == static_cast<std::uint8_t>(KeyType::secp256k1));
  return secp256k1_sign_recoverable(opened.private_part(), hash);
}

Result<SealedKey> SoftwareKeys::activate_next(const SealedKey& key) {
  TRY(Opened opened, open_for(key, bit(KeyPurpose::log_next)));
  opened.content.expose_mutable()[1] = static_cast<std::uint8_t>(KeyPurpose::log_active);
  return seal_content(opened.content);
}

// --- Envelopes ---

Result<SecretBytes> SoftwareKeys::agree(ByteView ephemeral_private, const PublicKey& first,
                                        const Opened* own, const PublicKey* peer) {
  TRY(SecretBytes ze, shared_secret(ephemeral_private, first));
  if (own == nullptr || peer == nullptr) return ze;
  if (const SecretBytes* kept = agreements_.find(own->public_part(), peer->bytes)) {
    return joined(ze, *kept);
  }
  TRY(const SecretBytes zs, shared_secret(own->private_part(), *peer));
  agreements_.keep(own->public_part(), peer->bytes, zs);
  return joined(ze, zs);
}

void SoftwareKeys::forget_agreements(const PublicKey& key) {
  agreements_.forget(key.bytes);
}

Result<Bytes> SoftwareKeys::wrap_cek(const SealedKey* sender, const PublicKey& recipient,
                                     const SecretBytes& ephemeral_private,
                                     const WrapContext& context, const SecretBytes& cek) {
  CHECK(check_context(context, sender != nullptr));
  CHECK(check_agreement_key(recipient));
  Opened opened_sender;
  if (sender != nullptr) {
    TRY(opened_sender, open_for(*sender, bit(KeyPurpose::agree)));
    if (opened_sender.type() != static_cast<std::uint8_t>(recipient.type)) {
      return fail(Errc::bad_key, "sender and recipient have keys on different curves");
    }
  }
  TRY(const SecretBytes z, agree(ephemeral_private.expose(), recipient,
                                 sender == nullptr ? nullptr : &opened_sender, &recipient));
  return wrap_key(concat_kdf(z.expose(), context.alg, context.apu, context.apv, context.tag), cek);
}

Result<SecretBytes> SoftwareKeys::unwrap_cek(const SealedKey& recipient, const PublicKey* sender,
                                             const PublicKey& ephemeral, const WrapContext& context,
                                             ByteView wrapped) {
  CHECK(check_context(context, sender != nullptr));
  if (!check_agreement_key(ephemeral).has_value() ||
      (sender != nullptr && !check_agreement_key(*sender).has_value())) {
    return fail(Errc::cannot_decrypt, "the envelope was made with an unusable key");
  }
  TRY(const Opened opened, open_for(recipient, bit(KeyPurpose::agree)));
  const auto curve = static_cast<std::uint8_t>(ephemeral.type);
  if (opened.type() != curve ||
      (sender != nullptr && static_cast<std::uint8_t>(sender->type) != curve)) {
    return fail(Errc::cannot_decrypt, "the envelope was made with a key on another curve");
  }
  const auto z =
      agree(opened.private_part(), ephemeral, sender == nullptr ? nullptr : &opened, sender);
  if (!z.has_value()) return fail(Errc::cannot_decrypt, "the key agreement failed");
  return unwrap_key(concat_kdf(z->expose(), context.alg, context.apu, context.apv, context.tag),
                    wrapped);
}

Result<Bytes> SoftwareKeys::seal_to(const PublicKey& recipient, ByteView ad, ByteView plaintext) {
  CHECK(check_box_key(recipient));
  const RawKeyPair ephemeral = x25519_generate(random_);
  TRY(const SecretBytes shared, x25519_shared(ephemeral.private_key.expose(), recipient.bytes));
  const BoxKeys keys = box_keys(shared, ephemeral.public_key.bytes, recipient.bytes);
  Bytes box = ephemeral.public_key.bytes;
  append(box, xc20p_seal(keys.key(), keys.nonce(), ad, plaintext));
  return box;
}

Result<SecretBytes> SoftwareKeys::open_box_with(ByteView private_key, ByteView public_key,
                                                ByteView ad, ByteView box) {
  if (box.size() < kKeyBytes) return fail(Errc::cannot_decrypt, "the box is too short");
  const ByteView ephemeral = box.first(kKeyBytes);
  if (!x25519_check_public(ephemeral).has_value()) {
    return fail(Errc::cannot_decrypt, "the box was made with an unusable key");
  }
  const auto shared = x25519_shared(private_key, ephemeral);
  if (!shared.has_value()) return fail(Errc::cannot_decrypt, "the key agreement failed");
  const BoxKeys keys = box_keys(*shared, ephemeral, public_key);
  return xc20p_open_secret(keys.key(), keys.nonce(), ad, box.subspan(kKeyBytes));
}

Result<void> SoftwareKeys::check_opens_boxes(const Opened& key) {
  if (key.type() == static_cast<std::uint8_t>(KeyType::x25519)) return {};
  return fail(Errc::key_misuse, "boxes are opened by X25519 keys alone");
}

Result<Bytes> SoftwareKeys::open_box(const SealedKey& recipient, ByteView ad, ByteView box) {
  TRY(const Opened opened, open_for(recipient, sealed_blob::kOpeningBoxes));
  CHECK(check_opens_boxes(opened));
  TRY(const SecretBytes plaintext,
      open_box_with(opened.private_part(), opened.public_part(), ad, box));
  return to_bytes(plaintext.expose());
}

// --- Records at rest ---

Bytes SoftwareKeys::seal_record(std::string_view name, ByteView plaintext) {
  return records_.seal(name, plaintext, random_);
}

Result<Bytes> SoftwareKeys::open_record(std::string_view name, ByteView sealed) {
  return records_.open(name, sealed);
}

Bytes SoftwareKeys::record_name(std::string_view name) {
  return records_.name_of(name);
}

}  // namespace kith::crypto
