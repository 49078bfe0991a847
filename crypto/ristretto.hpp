#pragma once

/// The ristretto255 group (RFC 9496) and its scalars. libsodium 1.0.18 checks neither canonical
/// scalars nor the identity point, so this module does both for every value from outside, checks
/// every return code, and is the only caller of libsodium's group functions.
///
/// Constant time in scalar values. A `Scalar` or `Point` in hand is always valid: scalars reduced
/// below L, points canonical and not the identity.

#include <array>
#include <cstdint>
#include <initializer_list>
#include <span>
#include <string_view>

#include "crypto/bytes.hpp"
#include "crypto/random.hpp"
#include "crypto/result.hpp"

namespace kith::crypto {

/// A scalar mod L. Wiped when destroyed, because many are secret; copying is explicit by design of
/// the arithmetic (values are small), so keep secret ones inside crypto/.
class Scalar {
 public:
  static constexpr std::size_t kBytes = 32;

  Scalar() = default;  ///< Zero.
  Scalar(const Scalar&) = default;
  Scalar& operator=(const Scalar&) = default;
  ~Scalar();

  [[nodiscard]] static Scalar from_u64(std::uint64_t value);
  [[nodiscard]] static Scalar random(Random& random);  ///< Uniform over [0, L).
  /// Uniform over [1, L). Asserts on a generator that gives nothing but zeros.
  [[nodiscard]] static Scalar random_nonzero(Random& random);
  /// Refuses values >= L. Errors: malformed.
  [[nodiscard]] static Result<Scalar> parse(ByteView bytes);
  /// H_s(label, parts...) of recovery-protocol: SHA-512 over length-prefixed label and parts, mod
  /// L.
  [[nodiscard]] static Scalar hash(std::string_view label, std::initializer_list<ByteView> parts);

  [[nodiscard]] ByteView bytes() const { return bytes_; }
  [[nodiscard]] bool is_zero() const;
  [[nodiscard]] bool equals(const Scalar& other) const;  ///< Constant time.

  friend Scalar operator+(const Scalar& a, const Scalar& b);
  friend Scalar operator-(const Scalar& a, const Scalar& b);
  friend Scalar operator*(const Scalar& a, const Scalar& b);
  /// The multiplicative inverse; asserts on zero.
  [[nodiscard]] Scalar inverse() const;

 private:
  std::array<std::uint8_t, kBytes> bytes_{};
};

/// A group element other than the identity.
class Point {
 public:
  static constexpr std::size_t kBytes = 32;

  /// Only so that containers and records can hold points; using one asserts.
  Point() = default;

  /// Refuses non-canonical encodings and the identity. Errors: malformed.
  [[nodiscard]] static Result<Point> parse(ByteView bytes);
  [[nodiscard]] static Result<Point> base_times(const Scalar& scalar);  ///< bad_key for zero.
  [[nodiscard]] static Point base();

  [[nodiscard]] ByteView bytes() const { return bytes_; }
  /// Errors: bad_key when the result is the identity (scalar zero, or opposite points).
  [[nodiscard]] Result<Point> times(const Scalar& scalar) const;
  [[nodiscard]] Result<Point> plus(const Point& other) const;
  [[nodiscard]] Result<Point> minus(const Point& other) const;

  friend bool operator==(const Point&, const Point&) = default;
  friend auto operator<=>(const Point&, const Point&) = default;

 private:
  friend Result<Point> combine(std::span<const Scalar> factors, std::span<const Point> points);

  std::array<std::uint8_t, kBytes> bytes_{};
};

/// The sum of factors[i] * points[i]; factors may be zero and partial sums the identity. For public
/// factors: zero ones are skipped. Asserts equal lengths. Errors: bad_key when the sum is the
/// identity.
[[nodiscard]] Result<Point> combine(std::span<const Scalar> factors, std::span<const Point> points);

}  // namespace kith::crypto

namespace kith {
using crypto::Point;
using crypto::Scalar;
}  // namespace kith
