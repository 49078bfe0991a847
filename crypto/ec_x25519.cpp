#include "crypto/ec_x25519.hpp"

#include <sodium.h>

#include <algorithm>
#include <array>

#include "crypto/assert.hpp"
#include "crypto/declassify.hpp"

namespace kith::crypto {
namespace {

constexpr std::size_t kBytes = crypto_scalarmult_BYTES;
using Element = std::array<std::uint8_t, kBytes>;

/// 2^255 - 19, little-endian.
constexpr Element kPrime = [] {
  Element prime{};
  prime.fill(0xff);
  prime[0] = 0xed;
  prime[kBytes - 1] = 0x7f;
  return prime;
}();

constexpr Element small(std::uint8_t value) {
  Element element{};
  element[0] = value;
  return element;
}

/// The canonical u of all points whose order divides 8, on the curve and its twist: 0 (order 2),
/// 1 and -1 (order 4), and the two of order 8.
constexpr std::array<Element, 5> kSmallOrder = {
    small(0), small(1),
    [] {
      Element minus_one = kPrime;
      minus_one[0] = 0xec;
      return minus_one;
    }(),
    Element{0xe0, 0xeb, 0x7a, 0x7c, 0x3b, 0x41, 0xb8, 0xae, 0x16, 0x56, 0xe3,
            0xfa, 0xf1, 0x9f, 0xc4, 0x6a, 0xda, 0x09, 0x8d, 0xeb, 0x9c, 0x32,
            0xb1, 0xfd, 0x86, 0x62, 0x05, 0x16, 0x5f, 0x49, 0xb8, 0x00},
    Element{0x5f, 0x9c, 0x95, 0xbc, 0xa3, 0x50, 0x8c, 0x24, 0xb1, 0xd0, 0xb1,
            0x55, 0x9c, 0x83, 0xef, 0x5b, 0x04, 0x44, 0x5c, 0xc4, 0x58, 0x1c,
            0x8e, 0x86, 0xd8, 0x22, 0x4e, 0xdd, 0xd0, 0x9f, 0x11, 0x57}};

}  // namespace

RawKeyPair x25519_generate(Random& random) {
  auto pair = x25519_from_private(random.secret(kBytes));
  ASSERT(pair.has_value());
  return std::move(*pair);
}

Result<RawKeyPair> x25519_from_private(SecretBytes private_key) {
  if (private_key.size() != kBytes) return fail(Errc::bad_key, "X25519 keys have 32 bytes");
  RawKeyPair pair;
  pair.public_key = {KeyType::x25519, Bytes(kBytes)};
  ASSERT(crypto_scalarmult_base(pair.public_key.bytes.data(), private_key.expose().data()) == 0);
  declassify(pair.public_key.bytes);
  pair.private_key = std::move(private_key);
  return pair;
}

Result<SecretBytes> x25519_shared(ByteView private_key, ByteView public_key) {
  if (private_key.size() != kBytes || public_key.size() != kBytes) {
    return fail(Errc::bad_key, "X25519 keys have 32 bytes");
  }
  SecretBytes shared(kBytes);
  if (declassified(crypto_scalarmult(shared.expose_mutable().data(), private_key.data(),
                                     public_key.data())) != 0) {
    return fail(Errc::bad_key, "the X25519 key is of small order");
  }
  return shared;
}

Result<void> x25519_check_public(ByteView public_key) {
  if (public_key.size() != kBytes) return fail(Errc::bad_key, "X25519 keys have 32 bytes");
  const bool below_prime = std::lexicographical_compare(public_key.rbegin(), public_key.rend(),
                                                        kPrime.rbegin(), kPrime.rend());
  if (!below_prime) return fail(Errc::bad_key, "the X25519 key is not canonical");
  const bool weak = std::ranges::any_of(
      kSmallOrder, [&](const Element& element) { return equal(element, public_key); });
  if (weak) return fail(Errc::bad_key, "the X25519 key is of small order");
  return {};
}

}  // namespace kith::crypto
