#include "crypto/aead.hpp"

#include <openssl/evp.h>
#include <sodium.h>

#include <array>
#include <memory>

#include "crypto/assert.hpp"
#include "crypto/cipher_context.hpp"
#include "crypto/declassify.hpp"
#include "crypto/hash.hpp"

namespace kith::crypto {
namespace {

constexpr std::size_t kCbcMacKeyBytes = 32;
constexpr std::size_t kPieceBytes = std::size_t{1} << 30;  // OpenSSL counts in int.

/// Looking a cipher up costs more than encrypting a message with it: once for the process, never
/// freed.
const EVP_CIPHER* aes_256_cbc() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-CBC", nullptr);
  ASSERT(cipher != nullptr);
  return cipher;
}

const EVP_CIPHER* aes_256_gcm() {
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-GCM", nullptr);
  ASSERT(cipher != nullptr);
  return cipher;
}

/// Feeds `in` to the cipher, writing to `out` unless it is null (associated data). Bytes written.
std::size_t feed(EVP_CIPHER_CTX* context, std::uint8_t* out, ByteView in) {
  std::size_t written = 0;
  while (!in.empty()) {
    const ByteView piece = in.first(std::min(in.size(), kPieceBytes));
    int length = 0;
    const int rc = EVP_CipherUpdate(context, out == nullptr ? nullptr : out + written, &length,
                                    piece.data(), static_cast<int>(piece.size()));
    ASSERT(rc == 1);
    written += static_cast<std::size_t>(length);
    in = in.subspan(piece.size());
  }
  return written;
}

/// RFC 7518 section 5.2.2.1: HMAC over AAD, IV, ciphertext and the AAD's length in bits.
Bytes cbc_hs512_tag(ByteView mac_key, ByteView iv, ByteView aad, ByteView ciphertext) {
  Bytes aad_bits;
  append_u64_be(aad_bits, std::uint64_t{aad.size()} * 8);
  const Digest512 mac = hmac_sha512(mac_key, {aad, iv, ciphertext, aad_bits});
  return to_bytes(ByteView(mac).first(sizes_of(ContentEncryption::a256cbc_hs512).tag_bytes));
}

AeadOutput encrypt_cbc_hs512(ByteView key, ByteView iv, ByteView aad, ByteView plaintext) {
  AeadOutput out;
  out.ciphertext.resize(plaintext.size() + 16);
  const CipherContext context = new_cipher_context();
  ASSERT(EVP_EncryptInit_ex2(context.get(), aes_256_cbc(), key.data() + kCbcMacKeyBytes, iv.data(),
                             nullptr) == 1);
  std::size_t written = feed(context.get(), out.ciphertext.data(), plaintext);
  int length = 0;
  ASSERT(EVP_EncryptFinal_ex(context.get(), out.ciphertext.data() + written, &length) == 1);
  written += static_cast<std::size_t>(length);
  out.ciphertext.resize(written);
  out.tag = cbc_hs512_tag(key.first(kCbcMacKeyBytes), iv, aad, out.ciphertext);
  return out;
}

Result<Bytes> decrypt_cbc_hs512(ByteView key, ByteView iv, ByteView aad, ByteView ciphertext,
                                ByteView tag) {
  const Bytes expected = cbc_hs512_tag(key.first(kCbcMacKeyBytes), iv, aad, ciphertext);
  if (!equal_constant_time(expected, tag)) return fail(Errc::cannot_decrypt, "the tag differs");
  Bytes out(ciphertext.size() + 16);
  const CipherContext context = new_cipher_context();
  ASSERT(EVP_DecryptInit_ex2(context.get(), aes_256_cbc(), key.data() + kCbcMacKeyBytes, iv.data(),
                             nullptr) == 1);
  const std::size_t written = feed(context.get(), out.data(), ciphertext);
  int length = 0;
  // Padding can be wrong only if the sender, who knows the key, made it so: no oracle.
  if (EVP_DecryptFinal_ex(context.get(), out.data() + written, &length) != 1) {
    wipe(out);
    return fail(Errc::cannot_decrypt, "the padding is wrong");
  }
  out.resize(written + static_cast<std::size_t>(declassified(length)));
  return out;
}

AeadOutput encrypt_gcm(ByteView key, ByteView iv, ByteView aad, ByteView plaintext) {
  AeadOutput out;
  out.ciphertext.resize(plaintext.size());
  out.tag.resize(sizes_of(ContentEncryption::a256gcm).tag_bytes);
  const CipherContext context = new_cipher_context();
  ASSERT(EVP_EncryptInit_ex2(context.get(), aes_256_gcm(), key.data(), iv.data(), nullptr) == 1);
  feed(context.get(), nullptr, aad);
  feed(context.get(), out.ciphertext.data(), plaintext);
  int length = 0;
  std::array<std::uint8_t, 16> rest{};
  ASSERT(EVP_EncryptFinal_ex(context.get(), rest.data(), &length) == 1);
  ASSERT(length == 0);
  ASSERT(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_GET_TAG, static_cast<int>(out.tag.size()),
                             out.tag.data()) == 1);
  return out;
}

Result<Bytes> decrypt_gcm(ByteView key, ByteView iv, ByteView aad, ByteView ciphertext,
                          ByteView tag) {
  Bytes out(ciphertext.size());
  Bytes tag_copy = to_bytes(tag);  // OpenSSL takes it as not const.
  const CipherContext context = new_cipher_context();
  ASSERT(EVP_DecryptInit_ex2(context.get(), aes_256_gcm(), key.data(), iv.data(), nullptr) == 1);
  ASSERT(EVP_CIPHER_CTX_ctrl(context.get(), EVP_CTRL_AEAD_SET_TAG,
                             static_cast<int>(tag_copy.size()), tag_copy.data()) == 1);
  feed(context.get(), nullptr, aad);
  feed(context.get(), out.data(), ciphertext);
  int length = 0;
  std::array<std::uint8_t, 16> rest{};
  if (EVP_DecryptFinal_ex(context.get(), rest.data(), &length) != 1) {
    wipe(out);
    return fail(Errc::cannot_decrypt, "the tag differs");
  }
  return out;
}

}  // namespace

std::string_view enc_name(ContentEncryption enc) {
  switch (enc) {
    case ContentEncryption::a256cbc_hs512:
      return "A256CBC-HS512";
    case ContentEncryption::a256gcm:
      return "A256GCM";
    case ContentEncryption::xc20p:
      return "XC20P";
  }
  UNREACHABLE();
}

Result<ContentEncryption> enc_from_name(std::string_view name) {
  for (const auto enc :
       {ContentEncryption::a256cbc_hs512, ContentEncryption::a256gcm, ContentEncryption::xc20p}) {
    if (name == enc_name(enc)) return enc;
  }
  return fail(Errc::unsupported, "this content encryption is not known here");
}

AeadOutput aead_encrypt(ContentEncryption enc, const SecretBytes& key, ByteView iv, ByteView aad,
                        ByteView plaintext) {
  const ContentEncryptionSizes sizes = sizes_of(enc);
  ASSERT(key.size() == sizes.key_bytes);
  ASSERT(iv.size() == sizes.iv_bytes);
  switch (enc) {
    case ContentEncryption::a256cbc_hs512:
      return encrypt_cbc_hs512(key.expose(), iv, aad, plaintext);
    case ContentEncryption::a256gcm:
      return encrypt_gcm(key.expose(), iv, aad, plaintext);
    case ContentEncryption::xc20p:
      break;
  }
  AeadOutput out;
  out.ciphertext = xc20p_seal(key.expose(), iv, aad, plaintext);
  const auto tag_at = out.ciphertext.end() - static_cast<std::ptrdiff_t>(sizes.tag_bytes);
  out.tag.assign(tag_at, out.ciphertext.end());
  out.ciphertext.erase(tag_at, out.ciphertext.end());
  return out;
}

Result<Bytes> aead_decrypt(ContentEncryption enc, const SecretBytes& key, ByteView iv, ByteView aad,
                           ByteView ciphertext, ByteView tag) {
  const ContentEncryptionSizes sizes = sizes_of(enc);
  if (key.size() != sizes.key_bytes || iv.size() != sizes.iv_bytes ||
      tag.size() != sizes.tag_bytes) {
    return fail(Errc::cannot_decrypt, "key, iv or tag has a wrong length");
  }
  switch (enc) {
    case ContentEncryption::a256cbc_hs512:
      return decrypt_cbc_hs512(key.expose(), iv, aad, ciphertext, tag);
    case ContentEncryption::a256gcm:
      return decrypt_gcm(key.expose(), iv, aad, ciphertext, tag);
    case ContentEncryption::xc20p:
      break;
  }
  Bytes out(ciphertext.size());
  // libsodium wants an address even where there is nothing to read.
  const std::uint8_t* const from = ciphertext.empty() ? tag.data() : ciphertext.data();
  if (declassified(crypto_aead_xchacha20poly1305_ietf_decrypt_detached(
          out.data(), nullptr, from, ciphertext.size(), tag.data(), aad.data(), aad.size(),
          iv.data(), key.expose().data())) != 0) {
    return fail(Errc::cannot_decrypt, "the tag differs");
  }
  return out;
}

Bytes xc20p_seal(ByteView key, ByteView nonce, ByteView ad, ByteView plaintext) {
  Bytes out;
  append_xc20p_seal(out, key, nonce, ad, plaintext);
  return out;
}

void append_xc20p_seal(Bytes& to, ByteView key, ByteView nonce, ByteView ad, ByteView plaintext) {
  ASSERT(key.size() == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
  ASSERT(nonce.size() == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
  const std::size_t before = to.size();
  to.resize(before + plaintext.size() + crypto_aead_xchacha20poly1305_ietf_ABYTES);
  ASSERT(crypto_aead_xchacha20poly1305_ietf_encrypt(to.data() + before, nullptr, plaintext.data(),
                                                    plaintext.size(), ad.data(), ad.size(), nullptr,
                                                    nonce.data(), key.data()) == 0);
}

namespace {

/// `out` has the plaintext's size.
Result<void> open_into(std::span<std::uint8_t> out, ByteView key, ByteView nonce, ByteView ad,
                       ByteView sealed) {
  ASSERT(key.size() == crypto_aead_xchacha20poly1305_ietf_KEYBYTES);
  ASSERT(nonce.size() == crypto_aead_xchacha20poly1305_ietf_NPUBBYTES);
  if (declassified(crypto_aead_xchacha20poly1305_ietf_decrypt(
          out.data(), nullptr, nullptr, sealed.data(), sealed.size(), ad.data(), ad.size(),
          nonce.data(), key.data())) != 0) {
    return fail(Errc::cannot_decrypt, "the tag differs");
  }
  return {};
}

Error too_short() {
  return fail(Errc::cannot_decrypt, "shorter than its tag");
}

}  // namespace

Result<Bytes> xc20p_open(ByteView key, ByteView nonce, ByteView ad, ByteView sealed) {
  if (sealed.size() < crypto_aead_xchacha20poly1305_ietf_ABYTES) return too_short();
  Bytes out(sealed.size() - crypto_aead_xchacha20poly1305_ietf_ABYTES);
  CHECK(open_into(out, key, nonce, ad, sealed));
  return out;
}

Result<SecretBytes> xc20p_open_secret(ByteView key, ByteView nonce, ByteView ad, ByteView sealed) {
  if (sealed.size() < crypto_aead_xchacha20poly1305_ietf_ABYTES) return too_short();
  SecretBytes out(sealed.size() - crypto_aead_xchacha20poly1305_ietf_ABYTES);
  CHECK(open_into(out.expose_mutable(), key, nonce, ad, sealed));
  return out;
}

}  // namespace kith::crypto
