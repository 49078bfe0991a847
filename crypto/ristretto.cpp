#include "crypto/ristretto.hpp"

#include <sodium.h>

#include <algorithm>

#include "crypto/assert.hpp"
#include "crypto/declassify.hpp"
#include "crypto/hash.hpp"
#include "crypto/hash_to_point.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {
namespace {

static_assert(Scalar::kBytes == crypto_core_ristretto255_SCALARBYTES);
static_assert(Point::kBytes == crypto_core_ristretto255_BYTES);

/// L, little-endian (RFC 9496 section 4.4).
constexpr std::array<std::uint8_t, 32> kOrder = {
    0xed, 0xd3, 0xf5, 0x5c, 0x1a, 0x63, 0x12, 0x58, 0xd6, 0x9c, 0xf7, 0xa2, 0xde, 0xf9, 0xde, 0x14,
    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0,    0x10};

/// The canonical encoding of the generator (RFC 9496 appendix A.1).
constexpr std::array<std::uint8_t, 32> kBase = {
    0xe2, 0xf2, 0xae, 0x0a, 0x6a, 0xbc, 0x4e, 0x71, 0xa8, 0x84, 0xa9, 0x61, 0xc5, 0x00, 0x51, 0x5f,
    0x58, 0xe3, 0x0b, 0x6a, 0xa5, 0x82, 0xdd, 0x8d, 0xb6, 0xa6, 0x59, 0x45, 0xe0, 0x8d, 0x2d, 0x76};

/// How often a draw may be zero before the generator must be broken.
constexpr int kDrawsMax = 16;

/// 2^255 - 19, little-endian: the field that encodings of points lie in.
constexpr std::array<std::uint8_t, 32> kField = {
    0xed, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
    0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x7f};

/// value < bound without branches on the value: the subtraction borrows exactly then.
bool is_below(ByteView value, const std::array<std::uint8_t, 32>& bound) {
  std::uint32_t borrow = 0;
  for (std::size_t i = 0; i < bound.size(); ++i) {
    const std::uint32_t difference = std::uint32_t{value[i]} - bound[i] - borrow;
    borrow = (difference >> 8U) & 1U;
  }
  return declassified(borrow) == 1;
}

/// The caller wipes it.
Digest512 hash_wide(std::string_view label, std::initializer_list<ByteView> parts) {
  Sha512 hasher;
  const auto add = [&hasher](ByteView part) {
    Bytes length;
    append_u32_be(length, static_cast<std::uint32_t>(part.size()));
    hasher.update(length).update(part);
  };
  add(as_bytes(label));
  for (const ByteView part : parts) add(part);
  Digest512 wide = hasher.finish();
  hasher.wipe_state();
  return wide;
}

bool is_identity(ByteView encoding) {
  return declassified(sodium_is_zero(encoding.data(), encoding.size())) == 1;
}

/// Of libsodium's group functions.
bool succeeded(int rc) {
  return declassified(rc) == 0;
}

}  // namespace

Scalar::~Scalar() {
  wipe(bytes_);
}

Scalar Scalar::from_u64(std::uint64_t value) {
  Scalar scalar;
  for (std::size_t i = 0; i < 8; ++i)
    scalar.bytes_[i] = static_cast<std::uint8_t>(value >> (8 * i));
  return scalar;
}

Scalar Scalar::random(Random& random) {
  // 64 bytes reduced: the bias is below 2^-256.
  std::array<std::uint8_t, crypto_core_ristretto255_NONREDUCEDSCALARBYTES> wide{};
  random.fill(wide);
  Scalar scalar;
  crypto_core_ristretto255_scalar_reduce(scalar.bytes_.data(), wide.data());
  wipe(wide);
  return scalar;
}

Scalar Scalar::random_nonzero(Random& random) {
  for (int draw = 0;; ++draw) {
    ASSERT(draw < kDrawsMax);
    Scalar scalar = Scalar::random(random);
    if (!scalar.is_zero()) return scalar;
  }
}

Result<Scalar> Scalar::parse(ByteView bytes) {
  if (bytes.size() != kBytes) return fail(Errc::malformed, "a scalar has 32 bytes");
  if (!is_below(bytes, kOrder))
    return fail(Errc::malformed, "a scalar is not below the group order");
  Scalar scalar;
  std::ranges::copy(bytes, scalar.bytes_.begin());
  return scalar;
}

Scalar Scalar::hash(std::string_view label, std::initializer_list<ByteView> parts) {
  Digest512 wide = hash_wide(label, parts);
  Scalar scalar;
  crypto_core_ristretto255_scalar_reduce(scalar.bytes_.data(), wide.data());
  wipe(wide);
  return scalar;
}

bool Scalar::is_zero() const {
  return declassified(sodium_is_zero(bytes_.data(), bytes_.size())) == 1;
}

bool Scalar::equals(const Scalar& other) const {
  return equal_constant_time(bytes_, other.bytes_);
}

Scalar operator+(const Scalar& a, const Scalar& b) {
  Scalar sum;
  crypto_core_ristretto255_scalar_add(sum.bytes_.data(), a.bytes_.data(), b.bytes_.data());
  return sum;
}

Scalar operator-(const Scalar& a, const Scalar& b) {
  Scalar difference;
  crypto_core_ristretto255_scalar_sub(difference.bytes_.data(), a.bytes_.data(), b.bytes_.data());
  return difference;
}

Scalar operator*(const Scalar& a, const Scalar& b) {
  Scalar product;
  crypto_core_ristretto255_scalar_mul(product.bytes_.data(), a.bytes_.data(), b.bytes_.data());
  return product;
}

Scalar Scalar::inverse() const {
  Scalar inverse;
  const int rc = crypto_core_ristretto255_scalar_invert(inverse.bytes_.data(), bytes_.data());
  ASSERT(rc == 0);
  return inverse;
}

Result<Point> Point::parse(ByteView bytes) {
  if (bytes.size() != kBytes) return fail(Errc::malformed, "a group element has 32 bytes");
  if (is_identity(bytes)) return fail(Errc::malformed, "a group element is the identity");
  // libsodium 1.0.18 ignores the highest bit, which would give each point a second encoding.
  if (!is_below(bytes, kField) ||
      declassified(crypto_core_ristretto255_is_valid_point(bytes.data())) != 1) {
    return fail(Errc::malformed, "a group element is not in its one encoding");
  }
  Point point;
  std::ranges::copy(bytes, point.bytes_.begin());
  return point;
}

Point hash_to_point(std::string_view label, std::initializer_list<ByteView> parts) {
  const Digest512 wide = hash_wide(label, parts);
  std::array<std::uint8_t, Point::kBytes> encoding{};
  const int rc = crypto_core_ristretto255_from_hash(encoding.data(), wide.data());
  ASSERT(rc == 0);
  auto point = Point::parse(encoding);
  ASSERT(point.has_value());
  return *point;
}

Result<Point> Point::base_times(const Scalar& scalar) {
  Point product;
  const int rc = crypto_scalarmult_ristretto255_base(product.bytes_.data(), scalar.bytes().data());
  if (!succeeded(rc) || is_identity(product.bytes_)) {
    return fail(Errc::bad_key, "a multiple of the base point is the identity");
  }
  return product;
}

Point Point::base() {
  Point point;
  point.bytes_ = kBase;
  return point;
}

Result<Point> Point::times(const Scalar& scalar) const {
  ASSERT(!is_identity(bytes_));
  Point product;
  const int rc =
      crypto_scalarmult_ristretto255(product.bytes_.data(), scalar.bytes().data(), bytes_.data());
  if (!succeeded(rc) || is_identity(product.bytes_)) {
    return fail(Errc::bad_key, "a multiple of a group element is the identity");
  }
  return product;
}

Result<Point> Point::plus(const Point& other) const {
  ASSERT(!is_identity(bytes_));
  ASSERT(!is_identity(other.bytes_));
  Point sum;
  const int rc =
      crypto_core_ristretto255_add(sum.bytes_.data(), bytes_.data(), other.bytes_.data());
  ASSERT(succeeded(rc));
  if (is_identity(sum.bytes_)) return fail(Errc::bad_key, "a sum is the identity");
  return sum;
}

Result<Point> Point::minus(const Point& other) const {
  ASSERT(!is_identity(bytes_));
  ASSERT(!is_identity(other.bytes_));
  Point difference;
  const int rc =
      crypto_core_ristretto255_sub(difference.bytes_.data(), bytes_.data(), other.bytes_.data());
  ASSERT(succeeded(rc));
  if (is_identity(difference.bytes_)) return fail(Errc::bad_key, "a difference is the identity");
  return difference;
}

Result<Point> combine(std::span<const Scalar> factors, std::span<const Point> points) {
  ASSERT(factors.size() == points.size());
  Point sum;  // the identity until the first addition
  for (std::size_t i = 0; i < points.size(); ++i) {
    if (factors[i].is_zero()) continue;
    TRY(const Point term, points[i].times(factors[i]));
    Point next;
    const int rc =
        crypto_core_ristretto255_add(next.bytes_.data(), sum.bytes_.data(), term.bytes_.data());
    ASSERT(succeeded(rc));
    sum = next;
  }
  if (is_identity(sum.bytes_)) return fail(Errc::bad_key, "a sum is the identity");
  return sum;
}

}  // namespace kith::crypto
