#include "crypto/key_wrap.hpp"

#include <openssl/evp.h>

#include <memory>

#include "crypto/assert.hpp"
#include "crypto/hash.hpp"

namespace kith::crypto {
namespace {

constexpr std::size_t kBlockBytes = 8;

struct FreeContext {
  void operator()(EVP_CIPHER_CTX* context) const { EVP_CIPHER_CTX_free(context); }
};
using Context = std::unique_ptr<EVP_CIPHER_CTX, FreeContext>;

Context wrap_context(const SecretBytes& kek, bool wrapping) {
  ASSERT(kek.size() == kKeyWrapKeyBytes);
  // Fetched once for the process, never freed: the look-up costs more than the wrap.
  static const EVP_CIPHER* const cipher = EVP_CIPHER_fetch(nullptr, "AES-256-WRAP", nullptr);
  ASSERT(cipher != nullptr);
  Context context(EVP_CIPHER_CTX_new());
  ASSERT(context != nullptr);
  EVP_CIPHER_CTX_set_flags(context.get(), EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
  ASSERT(EVP_CipherInit_ex2(context.get(), cipher, kek.expose().data(), nullptr, wrapping ? 1 : 0,
                            nullptr) == 1);
  return context;
}

void hash_u32(Sha256& hasher, std::size_t value) {
  ASSERT(value <= UINT32_MAX);
  Bytes encoded;
  append_u32_be(encoded, static_cast<std::uint32_t>(value));
  hasher.update(encoded);
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
  const Context context = wrap_context(kek, true);
  Bytes out(key.size() + 2 * kBlockBytes);
  int length = 0;
  ASSERT(EVP_CipherUpdate(context.get(), out.data(), &length, key.expose().data(),
                          static_cast<int>(key.size())) == 1);
  ASSERT(static_cast<std::size_t>(length) == key.size() + kBlockBytes);
  out.resize(key.size() + kBlockBytes);
  return out;
}

Result<SecretBytes> unwrap_key(const SecretBytes& kek, ByteView wrapped) {
  if (wrapped.size() < 3 * kBlockBytes || wrapped.size() % kBlockBytes != 0 ||
      wrapped.size() > kWrappedKeyBytesMax + kBlockBytes) {
    return fail(Errc::cannot_decrypt, "a wrapped key never has this length");
  }
  const Context context = wrap_context(kek, false);
  SecretBytes out(wrapped.size());  // OpenSSL uses the whole input's length as scratch space.
  int length = 0;
  if (EVP_CipherUpdate(context.get(), out.expose_mutable().data(), &length, wrapped.data(),
                       static_cast<int>(wrapped.size())) != 1) {
    return fail(Errc::cannot_decrypt, "the wrapped key does not open");
  }
  ASSERT(static_cast<std::size_t>(length) == wrapped.size() - kBlockBytes);
  return SecretBytes::copy_of(out.expose().first(wrapped.size() - kBlockBytes));
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
