#include "crypto/hash.hpp"

// OpenSSL 3 looks its algorithms up at every one-shot call and needs a heap object for the others;
// on small inputs its older functions are four times as fast. They take part in no provider choice,
// which is what a wallet wants.
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>
#include <sodium.h>

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "crypto/assert.hpp"

namespace kith::crypto {
namespace {

SHA256_CTX* context_256(void* state) {
  return static_cast<SHA256_CTX*>(state);
}
SHA512_CTX* context_512(void* state) {
  return static_cast<SHA512_CTX*>(state);
}

std::array<std::uint8_t, 4> u32_be(std::size_t value) {
  ASSERT(value <= UINT32_MAX);
  return {static_cast<std::uint8_t>(value >> 24), static_cast<std::uint8_t>(value >> 16),
          static_cast<std::uint8_t>(value >> 8), static_cast<std::uint8_t>(value)};
}

template <class Hasher>
typename Hasher::Digest hash_of(ByteView data) {
  Hasher hasher;
  return hasher.update(data).finish();
}

/// RFC 2104. Holds what depends on the key, and wipes it.
template <class Hasher>
class Hmac {
 public:
  explicit Hmac(ByteView key) {
    std::array<std::uint8_t, Hasher::kBlockBytes> pad{};
    if (key.size() > pad.size()) {
      auto shortened = hash_of<Hasher>(key);
      std::ranges::copy(shortened, pad.begin());
      wipe(shortened);
    } else {
      std::ranges::copy(key, pad.begin());
    }
    for (std::uint8_t& byte : pad) byte ^= 0x36;
    inner_.update(pad);
    for (std::uint8_t& byte : pad) byte ^= 0x36 ^ 0x5c;
    outer_.update(pad);
    wipe(pad);
  }
  ~Hmac() {
    inner_.wipe_state();
    outer_.wipe_state();
  }
  Hmac(const Hmac&) = default;
  Hmac& operator=(const Hmac&) = delete;

  /// `to` and `from` have sizeof(Hmac) bytes.
  void save(std::span<std::uint8_t> to) const {
    std::memcpy(to.data(), &inner_, sizeof(Hasher));
    std::memcpy(to.data() + sizeof(Hasher), &outer_, sizeof(Hasher));
  }
  [[nodiscard]] static Hmac saved(ByteView from) {
    Hmac hmac;
    std::memcpy(&hmac.inner_, from.data(), sizeof(Hasher));
    std::memcpy(&hmac.outer_, from.data() + sizeof(Hasher), sizeof(Hasher));
    return hmac;
  }

  Hmac& update(ByteView more) {
    inner_.update(more);
    return *this;
  }
  [[nodiscard]] typename Hasher::Digest finish() {
    const auto inner = inner_.finish();
    return outer_.update(inner).finish();
  }

 private:
  Hmac() = default;

  Hasher inner_;
  Hasher outer_;
};

}  // namespace

Sha256::Sha256() {
  static_assert(sizeof(SHA256_CTX) <= sizeof(state_) && alignof(SHA256_CTX) <= 8);
  ASSERT(SHA256_Init(context_256(state_.data())) == 1);
}

Sha256& Sha256::update(ByteView more) {
  ASSERT(SHA256_Update(context_256(state_.data()), more.data(), more.size()) == 1);
  return *this;
}

Digest256 Sha256::finish() {
  Digest256 out{};
  ASSERT(SHA256_Final(out.data(), context_256(state_.data())) == 1);
  return out;
}

void Sha256::wipe_state() {
  wipe(state_);
}

Sha512::Sha512() {
  static_assert(sizeof(SHA512_CTX) <= sizeof(state_) && alignof(SHA512_CTX) <= 8);
  ASSERT(SHA512_Init(context_512(state_.data())) == 1);
}

Sha512& Sha512::update(ByteView more) {
  ASSERT(SHA512_Update(context_512(state_.data()), more.data(), more.size()) == 1);
  return *this;
}

Digest512 Sha512::finish() {
  Digest512 out{};
  ASSERT(SHA512_Final(out.data(), context_512(state_.data())) == 1);
  return out;
}

void Sha512::wipe_state() {
  wipe(state_);
}

Digest256 sha256(ByteView data) {
  return hash_of<Sha256>(data);
}
Digest512 sha512(ByteView data) {
  return hash_of<Sha512>(data);
}

Digest256 digest(std::string_view label, std::initializer_list<ByteView> parts) {
  Sha256 hasher;
  hasher.update(u32_be(label.size())).update(as_bytes(label));
  for (const ByteView part : parts) hasher.update(u32_be(part.size())).update(part);
  return hasher.finish();
}

std::string multihash_sha256(ByteView data) {
  std::array<std::uint8_t, 34> multihash{0x12, 0x20};
  std::ranges::copy(sha256(data), multihash.begin() + 2);
  return multibase(multihash);
}

Digest256 hmac_sha256(ByteView key, ByteView data) {
  return Hmac<Sha256>(key).update(data).finish();
}

HmacSha256Key::HmacSha256Key(ByteView key) : states_(sizeof(Hmac<Sha256>)) {
  static_assert(std::is_trivially_copyable_v<Sha256>);
  const Hmac<Sha256> keyed(key);
  keyed.save(states_.expose_mutable());
}

Digest256 HmacSha256Key::of(ByteView data) const {
  return Hmac<Sha256>::saved(states_.expose()).update(data).finish();
}

Digest512 hmac_sha512(ByteView key, std::initializer_list<ByteView> parts) {
  Hmac<Sha512> hmac(key);
  for (const ByteView part : parts) hmac.update(part);
  return hmac.finish();
}

Digest512 hmac_sha512(ByteView key, ByteView data) {
  return hmac_sha512(key, {data});
}

TableHash::TableHash(ByteView key) {
  ASSERT(key.size() == key_.size());
  std::ranges::copy(key, key_.begin());
}

std::uint64_t TableHash::of(std::string_view name) const {
  static_assert(crypto_shorthash_KEYBYTES == 16 && crypto_shorthash_BYTES == 8);
  std::array<std::uint8_t, crypto_shorthash_BYTES> hash{};
  crypto_shorthash(hash.data(), as_bytes(name).data(), name.size(), key_.data());
  std::uint64_t number = 0;
  std::memcpy(&number, hash.data(), sizeof(number));
  return number;
}

SecretBytes hkdf_sha256(ByteView ikm, ByteView salt, ByteView info, std::size_t length_bytes) {
  ASSERT(length_bytes <= kHkdfSha256BytesMax);
  Digest256 pseudorandom_key = hmac_sha256(salt, ikm);  // An empty key is padded to zeros anyway.
  const Hmac<Sha256> keyed(pseudorandom_key);
  wipe(pseudorandom_key);
  SecretBytes out(length_bytes);
  Digest256 block{};
  std::uint8_t counter = 0;
  for (std::size_t done = 0; done < length_bytes; done += block.size()) {
    Hmac<Sha256> round(keyed);
    if (counter > 0) round.update(block);
    ++counter;
    block = round.update(info).update({&counter, 1}).finish();
    const std::size_t take = std::min(block.size(), length_bytes - done);
    std::ranges::copy(std::span(block).first(take), out.expose_mutable().data() + done);
  }
  wipe(block);
  return out;
}

}  // namespace kith::crypto
