#include "crypto/ec_ed25519.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>
#include <vector>

#include "crypto/assert.hpp"
#include "crypto/declassify.hpp"

namespace kith::crypto {
namespace {

/// Keys that passed the check, one a slot; a newer one takes the slot over. Public data only.
class GoodPoints {
 public:
  [[nodiscard]] bool contains(ByteView key) const {
    const Slot& slot = slots_[slot_of(key)];
    return slot.used && std::ranges::equal(slot.key, key);
  }
  void add(ByteView key) {
    Slot& slot = slots_[slot_of(key)];
    std::ranges::copy(key, slot.key.begin());
    slot.used = true;
  }

 private:
  struct Slot {
    bool used = false;
    std::array<std::uint8_t, crypto_sign_PUBLICKEYBYTES> key{};
  };
  static constexpr std::size_t kSlots = 2048;
  static std::size_t slot_of(ByteView key) {
    return (key[0] | static_cast<std::size_t>(key[1]) << 8) % kSlots;
  }
  std::vector<Slot> slots_ = std::vector<Slot>(kSlots);
};

}  // namespace

RawKeyPair ed25519_generate(Random& random) {
  auto pair = ed25519_from_seed(random.secret(crypto_sign_SEEDBYTES));
  ASSERT(pair.has_value());
  return std::move(*pair);
}

Result<RawKeyPair> ed25519_from_seed(const SecretBytes& seed) {
  if (seed.size() != crypto_sign_SEEDBYTES) {
    return fail(Errc::bad_key, "an Ed25519 seed has 32 bytes");
  }
  RawKeyPair pair;
  pair.public_key = {KeyType::ed25519, Bytes(crypto_sign_PUBLICKEYBYTES)};
  pair.private_key = SecretBytes(crypto_sign_SECRETKEYBYTES);
  ASSERT(crypto_sign_seed_keypair(pair.public_key.bytes.data(),
                                  pair.private_key.expose_mutable().data(),
                                  seed.expose().data()) == 0);
  declassify(pair.public_key.bytes);
  return pair;
}

Bytes ed25519_sign(ByteView private_key, ByteView message) {
  ASSERT(private_key.size() == crypto_sign_SECRETKEYBYTES);
  Bytes signature(kEd25519SignatureBytes);
  ASSERT(crypto_sign_detached(signature.data(), nullptr, message.data(), message.size(),
                              private_key.data()) == 0);
  return signature;
}

Result<void> ed25519_verify(ByteView public_key, ByteView message, ByteView signature) {
  if (public_key.size() != crypto_sign_PUBLICKEYBYTES) {
    return fail(Errc::bad_signature, "an Ed25519 key has 32 bytes");
  }
  if (signature.size() != kEd25519SignatureBytes) {
    return fail(Errc::bad_signature, "an Ed25519 signature has 64 bytes");
  }
  // libsodium refuses S >= L, small orders and non-canonical keys; R is compared as bytes.
  if (crypto_sign_verify_detached(signature.data(), message.data(), message.size(),
                                  public_key.data()) != 0) {
    return fail(Errc::bad_signature, "the Ed25519 signature does not verify");
  }
  return {};
}

Result<void> ed25519_check_public(ByteView public_key) {
  if (public_key.size() != crypto_sign_PUBLICKEYBYTES) {
    return fail(Errc::bad_key, "an Ed25519 key has 32 bytes");
  }
  // The check costs as much as a signature, and the same few keys are met with every message.
  static thread_local GoodPoints good;
  if (good.contains(public_key)) return {};
  if (crypto_core_ed25519_is_valid_point(public_key.data()) != 1) {
    return fail(Errc::bad_key, "the Ed25519 key is not a canonical point of prime order");
  }
  good.add(public_key);
  return {};
}

}  // namespace kith::crypto
