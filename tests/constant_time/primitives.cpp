#include <array>
#include <vector>

#include "crypto/aead.hpp"
#include "crypto/ec_secp256k1.hpp"
#include "crypto/ec_x25519.hpp"
#include "crypto/gf256.hpp"
#include "crypto/hash.hpp"
#include "crypto/key_wrap.hpp"
#include "crypto/pbkdf2.hpp"
#include "crypto/ristretto.hpp"
#include "tests/constant_time/cases.hpp"
#include "tests/constant_time/marks.hpp"

namespace kith::test {

using namespace crypto;

void compare_secrets() {
  SecretRandom random("compare");
  const SecretBytes secret = secret_bytes(random, 100);
  SecretBytes same = secret.clone();
  ASSERT(depends_on_secrets(same.expose()));
  ASSERT(equal_constant_time(secret.expose(), same.expose()));
  for (const std::size_t at : {std::size_t{0}, std::size_t{50}, std::size_t{99}}) {
    SecretBytes other = secret.clone();
    other.expose_mutable()[at] ^= 1;
    ASSERT(!equal_constant_time(secret.expose(), other.expose()));
  }
  Bytes buffer = random.bytes(5000);  // One that does not come from the pool.
  const SecretBytes taken = SecretBytes::take(buffer);
  const SecretBytes moved = std::move(same);
  ASSERT(depends_on_secrets(taken.expose()) && depends_on_secrets(moved.expose()));
  const Scalar scalar = Scalar::random_nonzero(random);
  const auto parsed = Scalar::parse(scalar.bytes());
  ASSERT(parsed.has_value() && parsed->equals(scalar) && !scalar.is_zero());
  ASSERT(depends_on_secrets(parsed->bytes()));
}

void derive_keys() {
  SecretRandom random("derive");
  const SecretBytes ikm = secret_bytes(random, 32);
  const SecretBytes long_key = secret_bytes(random, 200);
  ASSERT(depends_on_secrets(hkdf_sha256(ikm.expose(), {}, as_bytes("info"), 96).expose()));
  ASSERT(depends_on_secrets(
      concat_kdf(ikm.expose(), "ECDH-1PU+A256KW", {}, as_bytes("apv"), as_bytes("tag")).expose()));
  ASSERT(depends_on_secrets(hmac_sha256(long_key.expose(), as_bytes("data"))));
  ASSERT(depends_on_secrets(hmac_sha512(ikm.expose(), long_key.expose())));
  ASSERT(depends_on_secrets(HmacSha256Key(ikm.expose()).of(as_bytes("name"))));
  ASSERT(depends_on_secrets(Scalar::hash("label", {ikm.expose()}).bytes()));
}

/// What shares of SLIP-39 and of files are made with: their numbers are public, their values not.
void share_bytes() {
  SecretRandom random("bytes");
  const SecretBytes passphrase = secret_bytes(random, 20);
  const SecretBytes secret = pbkdf2_sha256(passphrase.expose(), as_bytes("salt"), 3, 32);
  ASSERT(depends_on_secrets(secret.expose()));
  std::vector<ByteShare> known;
  known.push_back({255, secret.clone()});
  for (std::uint8_t x = 0; x < 2; ++x) known.push_back({x, secret_bytes(random, 32)});
  auto third = gf256_interpolate(known, 2);
  ASSERT(third && depends_on_secrets(third->expose()));
  std::vector<ByteShare> enough;
  enough.push_back({2, std::move(*third)});
  for (std::size_t i = 1; i < 3; ++i) enough.push_back({known[i].x, known[i].y.clone()});
  const auto combined = gf256_interpolate(enough, 255);
  ASSERT(combined && equal_constant_time(combined->expose(), secret.expose()));
  const Bytes inverse = {gf256_inverse(secret.expose()[0])};
  ASSERT(depends_on_secrets(inverse));
}

void encrypt_and_decrypt() {
  SecretRandom random("aead");
  for (const auto enc :
       {ContentEncryption::a256cbc_hs512, ContentEncryption::a256gcm, ContentEncryption::xc20p}) {
    const ContentEncryptionSizes sizes = sizes_of(enc);
    const SecretBytes key = secret_bytes(random, sizes.key_bytes);
    const SecretBytes plaintext = secret_bytes(random, 100);
    Bytes iv = random.bytes(sizes.iv_bytes);
    hand_out(iv);
    AeadOutput sealed = aead_encrypt(enc, key, iv, as_bytes("aad"), plaintext.expose());
    ASSERT(depends_on_secrets(sealed.ciphertext) && depends_on_secrets(sealed.tag));
    hand_out(sealed.ciphertext);
    hand_out(sealed.tag);
    const auto opened = aead_decrypt(enc, key, iv, as_bytes("aad"), sealed.ciphertext, sealed.tag);
    ASSERT(opened.has_value() && depends_on_secrets(*opened));
    ASSERT(equal_constant_time(*opened, plaintext.expose()));
    sealed.tag.back() ^= 1;
    ASSERT(!aead_decrypt(enc, key, iv, as_bytes("aad"), sealed.ciphertext, sealed.tag));
  }
}

void wrap_and_agree() {
  SecretRandom random("agree");
  const RawKeyPair ours = x25519_generate(random);
  const RawKeyPair theirs = x25519_generate(random);
  ASSERT(depends_on_secrets(ours.private_key.expose()));
  const auto z = x25519_shared(ours.private_key.expose(), theirs.public_key.bytes);
  const auto same = x25519_shared(theirs.private_key.expose(), ours.public_key.bytes);
  ASSERT(z && same && depends_on_secrets(z->expose()));
  ASSERT(equal_constant_time(z->expose(), same->expose()));
  ASSERT(!x25519_shared(ours.private_key.expose(), Bytes(32)));

  const SecretBytes kek = concat_kdf(z->expose(), "ECDH-ES+A256KW", {}, {}, {});
  const SecretBytes cek = secret_bytes(random, 64);
  auto wrapped = wrap_key(kek, cek);
  ASSERT(wrapped && depends_on_secrets(*wrapped));
  hand_out(*wrapped);
  const auto unwrapped = unwrap_key(kek, *wrapped);
  ASSERT(unwrapped && equal_constant_time(unwrapped->expose(), cek.expose()));
  wrapped->front() ^= 1;
  ASSERT(!unwrap_key(kek, *wrapped));
}

void sign_with_secp256k1() {
  SecretRandom random("secp256k1");
  const RawKeyPair pair = secp256k1_generate(random);
  ASSERT(depends_on_secrets(pair.private_key.expose()));
  const Bytes signature = secp256k1_sign(pair.private_key.expose(), as_bytes("message"));
  hand_out(signature);
  ASSERT(secp256k1_verify(pair.public_key.bytes, as_bytes("message"), signature, SValue::low_only));
  const Digest256 hash = sha256(as_bytes("transaction"));
  const Bytes recoverable = secp256k1_sign_recoverable(pair.private_key.expose(), hash);
  hand_out(recoverable);
  const auto recovered = secp256k1_recover(hash, recoverable);
  ASSERT(recovered && *recovered == pair.public_key.bytes);
}

}  // namespace kith::test
