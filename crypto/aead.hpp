#pragma once

/// Authenticated encryption as JOSE's `enc` names it. Thread-safe.
///
///   A256CBC-HS512  RFC 7518 section 5.2.5: AES-256-CBC, then HMAC-SHA-512 cut to 32 bytes
///   A256GCM        RFC 7518 section 5.3, NIST SP 800-38D
///   XC20P          XChaCha20-Poly1305, draft-irtf-cfrg-xchacha-03
///
/// No plaintext is released before its tag was checked, in constant time.

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "crypto/bytes.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

enum class ContentEncryption : std::uint8_t { a256cbc_hs512 = 1, a256gcm = 2, xc20p = 3 };

struct ContentEncryptionSizes {
  std::size_t key_bytes;
  std::size_t iv_bytes;
  std::size_t tag_bytes;
};

[[nodiscard]] constexpr ContentEncryptionSizes sizes_of(ContentEncryption enc) {
  switch (enc) {
    case ContentEncryption::a256cbc_hs512:
      return {64, 16, 32};
    case ContentEncryption::a256gcm:
      return {32, 12, 16};
    case ContentEncryption::xc20p:
      break;
  }
  return {32, 24, 16};
}

/// "A256CBC-HS512", "A256GCM", "XC20P".
[[nodiscard]] std::string_view enc_name(ContentEncryption enc);
/// Errors: unsupported.
[[nodiscard]] Result<ContentEncryption> enc_from_name(std::string_view name);

struct AeadOutput {
  Bytes ciphertext;
  Bytes tag;
};

/// Key and iv sizes are asserted: they come from our own code. Never use an iv twice with a key.
[[nodiscard]] AeadOutput aead_encrypt(ContentEncryption enc, const SecretBytes& key, ByteView iv,
                                      ByteView aad, ByteView plaintext);

/// Errors: cannot_decrypt, also for wrong sizes of key, iv and tag (a peer chose them).
[[nodiscard]] Result<Bytes> aead_decrypt(ContentEncryption enc, const SecretBytes& key, ByteView iv,
                                         ByteView aad, ByteView ciphertext, ByteView tag);

/// XC20P with the tag behind the ciphertext, for our own formats. `key` has 32, `nonce` 24 bytes.
[[nodiscard]] Bytes xc20p_seal(ByteView key, ByteView nonce, ByteView ad, ByteView plaintext);
/// The same at the end of `to`, which none of the others lies in.
void append_xc20p_seal(Bytes& to, ByteView key, ByteView nonce, ByteView ad, ByteView plaintext);
/// Errors: cannot_decrypt.
[[nodiscard]] Result<Bytes> xc20p_open(ByteView key, ByteView nonce, ByteView ad, ByteView sealed);
/// The same into secret memory, for keys.
[[nodiscard]] Result<SecretBytes> xc20p_open_secret(ByteView key, ByteView nonce, ByteView ad,
                                                    ByteView sealed);

}  // namespace kith::crypto
