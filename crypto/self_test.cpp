#include "crypto/self_test.hpp"

#include <sodium.h>

#include <array>
#include <cstdint>

#include "crypto/aead.hpp"
#include "crypto/assert.hpp"
#include "crypto/ec_ed25519.hpp"
#include "crypto/ec_nist.hpp"
#include "crypto/ec_secp256k1.hpp"
#include "crypto/ec_x25519.hpp"
#include "crypto/hash.hpp"
#include "crypto/key_wrap.hpp"
#include "crypto/ristretto.hpp"

namespace kith::crypto {
namespace {

/// Answers of the Python package `cryptography` (OpenSSL), of hashlib, and, for ristretto255, of
/// RFC 9496 appendix A.1. Keys are the bytes 0, 1, 2, ..., the message is "abc" where nothing else
/// is said.
constexpr std::string_view kEdPublic =
    "03a107bff3ce10be1d70dd18e74bc09967e4d6309ba50d5f1ddc8664125531b8";
constexpr std::string_view kEdSignature =
    "cc46d62d3754f41754b27b6ea2cb2c272bafa7a5a1f6062bd060f414e50caaeac2da66ad39cef442"
    "4a90236ea907b7d8057e3443dc5abfc9986967ee7213a407";
constexpr std::string_view kXPublic =
    "358072d6365880d1aeea329adf9121383851ed21a28e3b75e965d0d2cd166254";
constexpr std::string_view kXShared =
    "9663aa1da97e848a914a436d04163dfbb89178f107f1b5b77ed3854203382854";
constexpr std::string_view kP256Private =
    "00000000000000000000000000000000000000000000000007f6e5d4c3b2a189";
constexpr std::string_view kP256Public =
    "0253c5a47b0f3273d7333320d3dc363b241a99928781b9d8827d9660a01dcdf9e9";
constexpr std::string_view kP256Shared =
    "00cee0c56b55cfd4739144f47e7a7f22b88e0fa700b0d4d0d657f4de4800c85c";
constexpr std::string_view kP384Private =
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "07f6e5d4c3b2a189";
constexpr std::string_view kP384Public =
    "03fda859f82bfaaa0596e6bbe14024460e3c2e19c03abb26bd9a93a5a461ccd76b5f4f718b51658e"
    "3914225cd060531523";
constexpr std::string_view kP384Shared =
    "61d2ec9799a61b535ed4fe5308053ff3abf85ce45a0b5c4ad2daf14b10679072107107a53617224d"
    "3509d8511a0d6f26";
constexpr std::string_view kP521Private =
    "00000000000000000000000000000000000000000000000000000000000000000000000000000000"
    "00000000000000000000000000000000000007f6e5d4c3b2a189";
constexpr std::string_view kP521Public =
    "0200059ef2063f2d34fdf74766e4b181a73501856d01fbe4c6b5d74da75a28117dd89797ad245097"
    "e3d2a34f20ce08c8f7c520ece84784371b42f242c6c637c13f0edb";
constexpr std::string_view kP521Shared =
    "01546ccfd4ef8f201941d78e23c840d54e01e2a67af34d72fe7785f6bae07a6366c064e1afdce370"
    "78f6bc5c39306bd4940a2cadad6e3755cdd678033b790ea0c343";
constexpr std::string_view kP256Signature =
    "6ff4fa3f8aa687d36258bf53f882058526610c183a8827f54f49da15353528fb7ff8cc34f73ea500"
    "4ed014117b23b44effeed5190c73ae2d817d6b4336cb1707";
constexpr std::string_view kSecpPublic =
    "036d6caac248af96f6afa7f904f550253a0f3ef3f5aa2fe6838a95b216691468e2";
constexpr std::string_view kSecpSignature =
    "5f34abcb03415a546d0e73c127ca3416cd8419ae4a3bf5c2df03218fe786eef401ff2470b0b5096f"
    "96579bad0c51cf151c819113d948ed443852f8d420ed4d26";
constexpr std::string_view kCbc =
    "2cd2112857e78ee5d6467d817e9731ddd12ab3ea8dd953d2f2cc25460ae3d5b7df05e9c18bcee2c8"
    "38b2a880fc1227a7";
constexpr std::string_view kGcm = "6fded654ecc3ab771e0161859bcba025af7881";
constexpr std::string_view kXc20p = "f464efd47180cbd84ff03de576c4c03f1461cb";
constexpr std::string_view kWrapped =
    "04f8a3c3c302d3b0b7e94b14dcf85ad1da69cd74056ed7907d3cb49fb27799a4104db058f2901adb";
constexpr std::string_view kSha256 =
    "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
constexpr std::string_view kSha512 =
    "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a8"
    "36ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f";
constexpr std::string_view kHmac =
    "f0133729c4163dede81e21cd47839256da58171238c8a0d874397c73b14e1e47";
constexpr std::string_view kHkdf =
    "64cc2a23b7a1da4310420350405fdf5d632cb9bda3700d753e96cbcfeb81d449";
constexpr std::string_view kConcat =
    "b0e1d75cd3368edc859aaa0a4395002f49bf79111cdeea57a480cf9eeb85e856";
constexpr std::string_view kArgon =
    "9613a28500cc959037b950b9014022b2c18d60b1200186e73b453d6c8b91cd53";
constexpr std::string_view kTwiceBase =
    "6a493210f7499cd17fecb510ae0cea23a110e8d5b901f8acadd3095c73a3b919";

Bytes counted(std::uint8_t first, std::size_t count) {
  Bytes bytes(count);
  for (std::size_t i = 0; i < count; ++i) bytes[i] = static_cast<std::uint8_t>(first + i);
  return bytes;
}
SecretBytes key(std::uint8_t first = 0, std::size_t count = 32) {
  return SecretBytes::copy_of(counted(first, count));
}
bool is(ByteView got, std::string_view wanted) {
  return hex(got) == wanted;
}
Bytes known(std::string_view text) {
  return *from_hex(text);
}

ByteView message() {
  return as_bytes("abc");
}

bool ed25519_passes() {
  const auto pair = ed25519_from_seed(key());
  if (!pair.has_value() || !is(pair->public_key.bytes, kEdPublic)) return false;
  const Bytes signature = ed25519_sign(pair->private_key.expose(), message());
  return is(signature, kEdSignature) &&
         ed25519_verify(pair->public_key.bytes, message(), signature).has_value() &&
         !ed25519_verify(pair->public_key.bytes, as_bytes("abd"), signature).has_value();
}

bool secp256k1_passes() {
  const auto pair = secp256k1_from_private(key());
  if (!pair.has_value() || !is(pair->public_key.bytes, kSecpPublic)) return false;
  const Bytes signature = secp256k1_sign(pair->private_key.expose(), message());
  const ByteView other = as_bytes("abd");
  return is(signature, kSecpSignature) &&
         secp256k1_verify(pair->public_key.bytes, message(), signature, SValue::low_only)
             .has_value() &&
         !secp256k1_verify(pair->public_key.bytes, other, signature, SValue::any).has_value();
}

/// Signatures of OpenSSL differ from run to run: one of another program is verified.
bool p256_passes() {
  const Bytes signature = known(kP256Signature);
  const Bytes signer = known(kP256Public);
  return p256_verify(signer, message(), signature, SValue::any).has_value() &&
         !p256_verify(signer, as_bytes("abd"), signature, SValue::any).has_value();
}

bool x25519_passes() {
  const auto shared = x25519_shared(key().expose(), known(kXPublic));
  return shared.has_value() && is(shared->expose(), kXShared);
}

bool agrees(KeyType curve, std::string_view own, std::string_view theirs, std::string_view wanted) {
  const auto shared = nist_shared(curve, known(own), known(theirs));
  return shared.has_value() && is(shared->expose(), wanted);
}
bool ecdh_p256_passes() {
  return agrees(KeyType::p256, kP256Private, kP256Public, kP256Shared);
}
bool ecdh_p384_passes() {
  return agrees(KeyType::p384, kP384Private, kP384Public, kP384Shared);
}
bool ecdh_p521_passes() {
  return agrees(KeyType::p521, kP521Private, kP521Public, kP521Shared);
}

bool encrypts(ContentEncryption enc, std::string_view wanted) {
  const ContentEncryptionSizes sizes = sizes_of(enc);
  const SecretBytes secret = key(0, sizes.key_bytes);
  const Bytes iv(sizes.iv_bytes);
  AeadOutput sealed = aead_encrypt(enc, secret, iv, as_bytes("ad"), message());
  if (hex(sealed.ciphertext) + hex(sealed.tag) != wanted) return false;
  const auto open = [&] {
    return aead_decrypt(enc, secret, iv, as_bytes("ad"), sealed.ciphertext, sealed.tag);
  };
  const auto opened = open();
  if (!opened.has_value() || !equal(*opened, message())) return false;
  sealed.tag.front() ^= 1U;
  return !open().has_value();
}
bool cbc_hs512_passes() {
  return encrypts(ContentEncryption::a256cbc_hs512, kCbc);
}
bool gcm_passes() {
  return encrypts(ContentEncryption::a256gcm, kGcm);
}
bool xc20p_passes() {
  return encrypts(ContentEncryption::xc20p, kXc20p);
}

bool key_wrap_passes() {
  const auto wrapped = wrap_key(key(), key(32));
  if (!wrapped.has_value() || !is(*wrapped, kWrapped)) return false;
  const auto back = unwrap_key(key(), *wrapped);
  return back.has_value() && equal_constant_time(back->expose(), key(32).expose());
}

bool sha256_passes() {
  return is(sha256(message()), kSha256);
}
bool sha512_passes() {
  return is(sha512(message()), kSha512);
}
bool hmac_passes() {
  return is(hmac_sha256(counted(0, 32), message()), kHmac);
}
bool hkdf_passes() {
  return is(hkdf_sha256(counted(0, 32), as_bytes("salt"), as_bytes("info"), 32).expose(), kHkdf);
}
bool concat_kdf_passes() {
  return is(concat_kdf(counted(0, 32), "alg", as_bytes("u"), as_bytes("v"), {}).expose(), kConcat);
}

/// Of the least size: the real one takes a second.
bool argon2id_passes() {
  constexpr unsigned long long kOps = 1;
  constexpr std::size_t kMemoryBytes = 8192;
  constexpr std::array<std::uint8_t, crypto_pwhash_SALTBYTES> kSalt{};
  std::array<std::uint8_t, 32> derived{};
  const int failed = crypto_pwhash(derived.data(), derived.size(), "abc", 3, kSalt.data(), kOps,
                                   kMemoryBytes, crypto_pwhash_ALG_ARGON2ID13);
  return failed == 0 && is(derived, kArgon);
}

bool ristretto_passes() {
  const auto sum = Point::base().plus(Point::base());
  const auto product = Point::base_times(Scalar::from_u64(2));
  return sum.has_value() && product.has_value() && is(sum->bytes(), kTwiceBase) &&
         is(product->bytes(), kTwiceBase);
}

constexpr auto kTests = std::to_array<SelfTest>({
    {"Ed25519", ed25519_passes},
    {"ECDSA secp256k1", secp256k1_passes},
    {"ECDSA P-256", p256_passes},
    {"X25519", x25519_passes},
    {"ECDH P-256", ecdh_p256_passes},
    {"ECDH P-384", ecdh_p384_passes},
    {"ECDH P-521", ecdh_p521_passes},
    {"A256CBC-HS512", cbc_hs512_passes},
    {"A256GCM", gcm_passes},
    {"XChaCha20-Poly1305", xc20p_passes},
    {"A256KW", key_wrap_passes},
    {"SHA-256", sha256_passes},
    {"SHA-512", sha512_passes},
    {"HMAC-SHA-256", hmac_passes},
    {"HKDF-SHA-256", hkdf_passes},
    {"Concat KDF", concat_kdf_passes},
    {"Argon2id", argon2id_passes},
    {"ristretto255", ristretto_passes},
});

}  // namespace

std::span<const SelfTest> self_tests() {
  return kTests;
}

Result<void> run_self_tests(std::span<const SelfTest> tests) {
  // It chooses the code for this processor: what runs later is what has to be tried.
  ASSERT(sodium_init() >= 0);
  for (const SelfTest& test : tests) {
    if (!test.passes()) return fail(Errc::self_test_failed, std::string(test.algorithm));
  }
  return {};
}

}  // namespace kith::crypto
