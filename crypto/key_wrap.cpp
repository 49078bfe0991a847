#include "crypto/key_wrap.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <memory>

#include "crypto/assert.hpp"
#include "crypto/cipher_context.hpp"
#include "crypto/hash.hpp"

namespace kith::crypto {
namespace {

constexpr std::size_t kBlockBytes = 8;

/// AES-256 on single blocks. OpenSSL's own key wrap runs on its table-driven AES, which is slow and
/// leaves traces in the cache; the plain cipher takes the processor's instructions.
class BlockCipher {
 public:
  BlockCipher(const SecretBytes& key, bool encrypting) : context_(new_cipher_context()) {
    ASSERT(key.size() == kKeyWrapKeyBytes);
    // Fetched once for the process, never freed: the look-up costs more than the wrap.
    static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-ECB", nullptr);
    ASSERT(cipher != nullptr);
    ASSERT(EVP_CipherInit_ex2(context_.get(), cipher, key.expose().data(), nullptr,
                              encrypting ? 1 : 0, nullptr) == 1);
    ASSERT(EVP_CIPHER_CTX_set_padding(context_.get(), 0) == 1);
  }
  void apply(std::uint8_t* block) const {
    int length = 0;
    ASSERT(EVP_CipherUpdate(context_.get(), block, &length, block, kCipherBytes) == 1);
    ASSERT(length == kCipherBytes);
  }

 private:
  static constexpr int kCipherBytes = 2 * static_cast<int>(kBlockBytes);
  CipherContext context_;
};

/// RFC 3394 section 2.2.3.1.
constexpr std::uint8_t kInitialValue = 0xa6;
constexpr std::size_t kRounds = 6;

/// Into the upper half of A, as the standard's A ^ t.
void add_step(std::uint8_t* a, std::uint64_t step) {
  for (std::size_t i = kBlockBytes; i > 0; --i, step >>= 8) {
    a[i - 1] ^= static_cast<std::uint8_t>(step);
  }
}

void hash_u32(Sha256& hasher, std::size_t value) {
  ASSERT(value <= UINT32_MAX);
  hasher.update(
      std::array{static_cast<std::uint8_t>(value >> 24U), static_cast<std::uint8_t>(value >> 16U),
                 static_cast<std::uint8_t>(value >> 8U), static_cast<std::uint8_t>(value)});
}

void hash_with_length(Sha256& hasher, ByteView part) {
  hash_u32(hasher, part.size());
  hasher.update(part);
}

}  // namespace

Result<Bytes> wrap_key(const SecretBytes& kek, const SecretBytes& key) {
  if (key.size() < 2 * kBlockBytes || key.size() % kBlockBytes != 0 ||
      key.size() > kWrappedKeyBytesMax) {
    return fail(Errc::bad_key, "a key of this length cannot be wrapped");
  }
  const BlockCipher cipher(kek, true);
  const std::size_t blocks = key.size() / kBlockBytes;
  SecretBytes scratch(2 * kBlockBytes);  // A || R[i]
  std::uint8_t* const a = scratch.expose_mutable().data();
  std::uint8_t* const r = a + kBlockBytes;
  // A key before the last step is as secret as the key.
  SecretBytes work = key.clone();
  std::uint8_t* const registers = work.expose_mutable().data();
  std::fill_n(a, kBlockBytes, kInitialValue);
  for (std::size_t round = 0; round < kRounds; ++round) {
    for (std::size_t i = 0; i < blocks; ++i) {
      std::copy_n(registers + i * kBlockBytes, kBlockBytes, r);
      cipher.apply(a);
      add_step(a, round * blocks + i + 1);
      std::copy_n(r, kBlockBytes, registers + i * kBlockBytes);
    }
  }
  Bytes out = to_bytes(scratch.expose().first(kBlockBytes));
  append(out, work.expose());
  return out;
}

Result<SecretBytes> unwrap_key(const SecretBytes& kek, ByteView wrapped) {
  if (wrapped.size() < 3 * kBlockBytes || wrapped.size() % kBlockBytes != 0 ||
      wrapped.size() > kWrappedKeyBytesMax + kBlockBytes) {
    return fail(Errc::cannot_decrypt, "a wrapped key never has this length");
  }
  const BlockCipher cipher(kek, false);
  const std::size_t blocks = wrapped.size() / kBlockBytes - 1;
  SecretBytes scratch(2 * kBlockBytes);
  std::uint8_t* const a = scratch.expose_mutable().data();
  std::uint8_t* const r = a + kBlockBytes;
  SecretBytes key = SecretBytes::copy_of(wrapped.subspan(kBlockBytes));
  std::uint8_t* const registers = key.expose_mutable().data();
  std::copy_n(wrapped.begin(), kBlockBytes, a);
  for (std::size_t round = kRounds; round > 0; --round) {
    for (std::size_t i = blocks; i > 0; --i) {
      add_step(a, (round - 1) * blocks + i);
      std::copy_n(registers + (i - 1) * kBlockBytes, kBlockBytes, r);
      cipher.apply(a);
      std::copy_n(r, kBlockBytes, registers + (i - 1) * kBlockBytes);
    }
  }
  const Bytes expected(kBlockBytes, kInitialValue);
  if (!equal_constant_time(scratch.expose().first(kBlockBytes), expected)) {
    return fail(Errc::cannot_decrypt, "the wrapped key does not open");
  }
  return key;
}

SecretBytes concat_kdf(ByteView z, std::string_view alg, ByteView apu, ByteView apv, ByteView tag) {
  Sha256 hasher;
  hash_u32(hasher, 1);
  hasher.update(z);
  hash_with_length(hasher, as_bytes(alg));
  hash_with_length(hasher, apu);
  hash_with_length(hasher, apv);
  hash_u32(hasher, kKeyWrapKeyBytes * 8);
  if (!tag.empty()) hash_with_length(hasher, tag);
  Digest256 kek = hasher.finish();
  hasher.wipe_state();
  SecretBytes out = SecretBytes::copy_of(kek);
  wipe(kek);
  return out;
}

}  // namespace kith::crypto
