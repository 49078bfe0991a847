#pragma once

/// What envelopes cost at least: their cryptographic steps, called one after the other.

#include <openssl/evp.h>

#include <memory>
#include <string>

#include "bench/timing.hpp"
#include "crypto/aead.hpp"
#include "crypto/ec_x25519.hpp"
#include "crypto/jwe.hpp"
#include "crypto/key_wrap.hpp"
#include "crypto/random.hpp"

namespace kith::bench {

using crypto::as_bytes;
inline Bytes openssl_wrap(const SecretBytes& kek, ByteView in, bool wrapping) {
  static EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-WRAP", nullptr);
  const std::unique_ptr<EVP_CIPHER_CTX, void (*)(EVP_CIPHER_CTX*)> context(EVP_CIPHER_CTX_new(),
                                                                           EVP_CIPHER_CTX_free);
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  Bytes out(in.size() + 16);
  int length = 0;
  if (EVP_CipherInit_ex2(context.get(), cipher, kek.expose().data(), nullptr, wrapping ? 1 : 0,
                         nullptr) != 1 ||
      EVP_CipherUpdate(context.get(), out.data(), &length, in.data(),
                       static_cast<int>(in.size())) != 1) {
    give_up("OpenSSL's key wrap failed");
  }
  out.resize(static_cast<std::size_t>(length));
  return out;
}

/// The cryptographic steps of one envelope that was really packed: the same plaintext, headers and
/// keys. `wraps`: by OpenSSL's own key wrap, as an application would, or by Kith's. `statics`: how
/// many of the two static-static agreements are computed (one in authcrypt without what is kept,
/// none otherwise).
class Floor {
 public:
  enum class Wraps { openssl, kith };
  Floor(Wraps wraps, const std::string& packed, std::string plaintext, std::size_t statics,
        Random& random, const crypto::RawKeyPair& mine, const crypto::RawKeyPair& theirs)
      : wraps_(wraps),
        statics_(statics),
        random_(random),
        mine_(mine),
        theirs_(theirs),
        text_(std::move(plaintext)) {
    auto parsed = crypto::parse_jwe(packed);
    if (!parsed.has_value()) give_up("an envelope cannot be read");
    jwe_ = std::move(*parsed);
    header_ = crypto::from_base64url(jwe_.protected_text).value();
  }

  [[nodiscard]] Work pack() const {
    return [this] {
      const auto ephemeral = crypto::x25519_generate(random_);
      const auto sizes = crypto::sizes_of(jwe_.enc);
      const SecretBytes cek = random_.secret(sizes.key_bytes);
      const Bytes iv = random_.bytes(sizes.iv_bytes);
      const std::string header = crypto::base64url(header_);
      const auto sealed =
          crypto::aead_encrypt(jwe_.enc, cek, iv, as_bytes(header), as_bytes(text_));
      const auto wrapped = wrap(kek(ephemeral.private_key.expose()), cek);
      if (!wrapped.has_value() || crypto::base64url(sealed.ciphertext).empty()) {
        give_up("the floor failed");
      }
    };
  }

  /// Opens what was made once.
  [[nodiscard]] Work unpack() const {
    const SecretBytes cek = random_.secret(crypto::sizes_of(jwe_.enc).key_bytes);
    const auto sealed = crypto::aead_encrypt(jwe_.enc, cek, jwe_.iv, as_bytes(jwe_.protected_text),
                                             as_bytes(text_));
    const Bytes wrapped = crypto::wrap_key(kek(mine_.private_key.expose()), cek).value();
    const std::string text = crypto::base64url(sealed.ciphertext);
    return [this, wrapped, text, tag = sealed.tag] {
      const auto opened = unwrap(kek(mine_.private_key.expose()), wrapped);
      const auto header = crypto::from_base64url(jwe_.protected_text);
      const auto ciphertext = crypto::from_base64url(text);
      if (!opened.has_value() || !header.has_value() || !ciphertext.has_value() ||
          !crypto::aead_decrypt(jwe_.enc, *opened, jwe_.iv, as_bytes(jwe_.protected_text),
                                *ciphertext, tag)
               .has_value()) {
        give_up("the floor failed");
      }
    };
  }

 private:
  [[nodiscard]] Result<Bytes> wrap(const SecretBytes& kek, const SecretBytes& key) const {
    if (wraps_ == Wraps::kith) return crypto::wrap_key(kek, key);
    return openssl_wrap(kek, key.expose(), true);
  }
  [[nodiscard]] Result<SecretBytes> unwrap(const SecretBytes& kek, const Bytes& wrapped) const {
    if (wraps_ == Wraps::kith) return crypto::unwrap_key(kek, wrapped);
    return SecretBytes::copy_of(openssl_wrap(kek, wrapped, false));
  }
  [[nodiscard]] SecretBytes agreed(ByteView private_key) const {
    auto z = crypto::x25519_shared(private_key, theirs_.public_key.bytes);
    for (std::size_t i = 0; i < statics_; ++i) {
      z = crypto::x25519_shared(mine_.private_key.expose(), theirs_.public_key.bytes);
    }
    if (!z.has_value()) give_up("X25519 failed");
    return std::move(*z);
  }
  [[nodiscard]] SecretBytes kek(ByteView private_key) const {
    const bool authenticated = jwe_.agreement == crypto::KeyAgreement::ecdh_1pu;
    return crypto::concat_kdf(agreed(private_key).expose(), alg_name(jwe_.agreement), jwe_.apu,
                              jwe_.apv, authenticated ? ByteView(jwe_.tag) : ByteView());
  }

  Wraps wraps_;
  std::size_t statics_;
  Random& random_;
  const crypto::RawKeyPair& mine_;
  const crypto::RawKeyPair& theirs_;
  std::string text_;
  Bytes header_;
  crypto::ParsedJwe jwe_;
};

}  // namespace kith::bench
