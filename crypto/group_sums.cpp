#include "crypto/group_sums.hpp"

#include <algorithm>
#include <vector>

#include "crypto/assert.hpp"
#include "crypto/curve25519_field.hpp"
#include "crypto/declassify.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {
namespace curve25519 {
namespace {

// RFC 9496 section 4.1.
constexpr Field kTwoD{
    {0x69b9426b2f159, 0x35050762add7a, 0x3cf44c0038052, 0x6738cc7407977, 0x2406d9dc56dff}};
constexpr Field kD{
    {0x34dca135978a3, 0x1a8283b156ebd, 0x5e7a26001c029, 0x739c663a03cbb, 0x52036cee2b6ff}};
constexpr Field kSqrtMinusOne{
    {0x61b274a0ea0b0, 0x0d5a5fc8f189d, 0x7ef5e9cbd0c60, 0x78595a6804c9e, 0x2b8324804fc1d}};
constexpr Field kInverseRootAMinusD{
    {0x0fdaa805d40ea, 0x2eb482e57d339, 0x07610274bc58, 0x6510b613dc8ff, 0x786c8905cfaff}};

constexpr std::size_t kWindowBits = 4;
constexpr std::size_t kWindows = 64;
constexpr std::size_t kMultiples = 8;  ///< 1 to 8 times a point; digits are -8 to 8.

using Digits = std::array<std::int8_t, kWindows>;

/// On the twisted Edwards curve with a = -1, extended: x = X/Z, y = Y/Z, xy = T/Z.
struct Extended {
  Field x, y, z, t;
};
/// What an addition wants of its second operand.
struct Cached {
  Field y_plus_x, y_minus_x, two_z, two_d_t;
};

constexpr Extended kIdentity{kZero, kOne, kOne, kZero};
constexpr Cached kCachedIdentity{kOne, kOne, {{2, 0, 0, 0, 0}}, kZero};

/// a ^ (2^count)
Field squared(Field a, int count) {
  for (int i = 0; i < count; ++i) a = square(a);
  return a;
}

/// a ^ ((p - 5) / 8), and (p - 5) / 8 is 250 ones, a zero and a one; `onesN` has N ones.
Field raised(const Field& a) {
  const Field ones2 = multiply(square(a), a);
  const Field ones4 = multiply(squared(ones2, 2), ones2);
  const Field ones5 = multiply(square(ones4), a);
  const Field ones10 = multiply(squared(ones5, 5), ones5);
  const Field ones20 = multiply(squared(ones10, 10), ones10);
  const Field ones40 = multiply(squared(ones20, 20), ones20);
  const Field ones50 = multiply(squared(ones40, 10), ones10);
  const Field ones100 = multiply(squared(ones50, 50), ones50);
  const Field ones200 = multiply(squared(ones100, 100), ones100);
  const Field ones250 = multiply(squared(ones200, 50), ones50);
  return multiply(squared(ones250, 2), a);
}

/// The inverse of the square root of v, up to a root of unity: RFC 9496 section 4.2 with u = 1,
/// without the answer whether there is one (there is for what came from valid points, and zero for
/// zero).
Field inverse_root(const Field& v) {
  const Field v3 = multiply(square(v), v);
  const Field v7 = multiply(square(v3), v);
  const Field root = multiply(v3, raised(v7));
  const Field check = multiply(v, square(root));
  const Field minus_one = negate(kOne);
  const std::uint64_t flipped =
      are_equal(check, minus_one) | are_equal(check, multiply(minus_one, kSqrtMinusOne));
  return absolute(select(root, multiply(kSqrtMinusOne, root), flipped));
}

/// RFC 9496 section 4.3.1; `Point` has made sure that the encoding is valid.
Extended decoded(ByteView bytes) {
  const Field s = decode(bytes);
  const Field ss = square(s);
  const Field u1 = subtract(kOne, ss);
  const Field u2 = add(kOne, ss);
  const Field u2_squared = square(u2);
  const Field v = subtract(negate(multiply(kD, square(u1))), u2_squared);
  const Field root = inverse_root(multiply(v, u2_squared));
  const Field den_x = multiply(root, u2);
  const Field den_y = multiply(multiply(root, den_x), v);
  Extended point;
  point.x = absolute(multiply(add(s, s), den_x));
  point.y = multiply(u1, den_y);
  point.z = kOne;
  point.t = multiply(point.x, point.y);
  return point;
}

/// RFC 9496 section 4.3.2.
std::array<std::uint8_t, 32> encoded(const Extended& point) {
  const Field u1 = multiply(add(point.z, point.y), subtract(point.z, point.y));
  const Field u2 = multiply(point.x, point.y);
  const Field root = inverse_root(multiply(u1, square(u2)));
  const Field den1 = multiply(root, u1);
  const Field den2 = multiply(root, u2);
  const Field z_inverse = multiply(multiply(den1, den2), point.t);
  const Field enchanted = multiply(den1, kInverseRootAMinusD);
  const std::uint64_t rotate = is_negative(multiply(point.t, z_inverse));
  const Field x = select(point.x, multiply(point.y, kSqrtMinusOne), rotate);
  Field y = select(point.y, multiply(point.x, kSqrtMinusOne), rotate);
  const Field den_inverse = select(den2, enchanted, rotate);
  y = select(y, negate(y), is_negative(multiply(x, z_inverse)));
  return encode(absolute(multiply(den_inverse, subtract(point.z, y))));
}

Cached cached(const Extended& point) {
  return {carried(add(point.y, point.x)), subtract(point.y, point.x),
          carried(add(point.z, point.z)), multiply(point.t, kTwoD)};
}

/// Complete: also for equal points and the identity (Hisil, Wong, Carter, Dawson 2008,
/// section 3.1).
Extended sum_of(const Extended& p, const Cached& q) {
  const Field a = multiply(subtract(p.y, p.x), q.y_minus_x);
  const Field b = multiply(add(p.y, p.x), q.y_plus_x);
  const Field c = multiply(p.t, q.two_d_t);
  const Field d = multiply(p.z, q.two_z);
  const Field e = subtract(b, a);
  const Field f = subtract(d, c);
  const Field g = add(d, c);
  const Field h = add(b, a);
  return {multiply(e, f), multiply(g, h), multiply(f, g), multiply(e, h)};
}

/// The same paper, section 3.3, all signs turned.
Extended doubled(const Extended& p) {
  const Field a = square(p.x);
  const Field b = square(p.y);
  const Field zz = square(p.z);
  const Field h = add(a, b);
  const Field e = subtract(square(add(p.x, p.y)), h);
  const Field g = subtract(b, a);
  const Field f = subtract(add(zz, zz), g);
  return {multiply(e, f), multiply(g, h), multiply(f, g), multiply(e, h)};
}

/// A scalar as 64 digits from -8 to 7, the least first.
Digits digits_of(const Scalar& scalar) {
  Digits digits{};
  for (std::size_t i = 0; i < kWindows; ++i) {
    const std::uint8_t byte = scalar.bytes()[i / 2];
    digits[i] = static_cast<std::int8_t>((i % 2 == 0 ? byte : byte >> 4U) & 15U);
  }
  int carry = 0;
  for (std::size_t i = 0; i + 1 < kWindows; ++i) {
    const int digit = digits[i] + carry;
    carry = (digit + 8) >> 4;
    digits[i] = static_cast<std::int8_t>(digit - carry * 16);
  }
  digits[kWindows - 1] = static_cast<std::int8_t>(digits[kWindows - 1] + carry);
  return digits;
}

/// 1 if a == b, for small numbers.
std::uint64_t same(std::uint64_t a, std::uint64_t b) {
  return (((a ^ b) - 1) >> 63U) & 1U;
}

void choose(Cached& from, const Cached& other, std::uint64_t choice) {
  from.y_plus_x = select(from.y_plus_x, other.y_plus_x, choice);
  from.y_minus_x = select(from.y_minus_x, other.y_minus_x, choice);
  from.two_z = select(from.two_z, other.two_z, choice);
  from.two_d_t = select(from.two_d_t, other.two_d_t, choice);
}

/// digit times the point whose multiples these are; reads all of them.
Cached multiple_of(std::span<const Cached> multiples, std::int8_t digit) {
  const auto negative = static_cast<std::uint64_t>(static_cast<std::uint8_t>(digit) >> 7U);
  const int sign = -static_cast<int>(negative);
  const auto size = static_cast<std::uint64_t>((digit ^ sign) - sign);
  Cached chosen = kCachedIdentity;
  for (std::size_t i = 0; i < kMultiples; ++i) choose(chosen, multiples[i], same(size, i + 1));
  const Cached negated{chosen.y_minus_x, chosen.y_plus_x, chosen.two_z, negate(chosen.two_d_t)};
  choose(chosen, negated, negative);
  return chosen;
}

using Multiples = std::array<Cached, kMultiples>;

Multiples multiples_of(ByteView point) {
  const Extended first = decoded(point);
  const Cached step = cached(first);
  Multiples multiples;
  Extended next = first;
  for (Cached& multiple : multiples) {
    multiple = cached(next);
    next = sum_of(next, step);
  }
  return multiples;
}

}  // namespace
}  // namespace curve25519

struct GroupSums::Tables {
  std::vector<curve25519::Multiples> of_point;

  [[nodiscard]] std::array<std::uint8_t, 32> sum(std::span<const Scalar> factors) const;
};

std::array<std::uint8_t, 32> GroupSums::Tables::sum(std::span<const Scalar> factors) const {
  using namespace curve25519;
  ASSERT(factors.size() == of_point.size());
  std::vector<Digits> digits;
  digits.reserve(factors.size());
  for (const Scalar& factor : factors) digits.push_back(digits_of(factor));
  Extended total = kIdentity;
  for (std::size_t window = kWindows; window > 0; --window) {
    for (std::size_t i = 0; i < kWindowBits; ++i) total = doubled(total);
    for (std::size_t i = 0; i < digits.size(); ++i) {
      total = sum_of(total, multiple_of(of_point[i], digits[i][window - 1]));
    }
  }
  for (Digits& secret : digits) {
    wipe({reinterpret_cast<std::uint8_t*>(secret.data()), secret.size()});
  }
  return encoded(total);
}

GroupSums::GroupSums(std::span<const Point> points) : tables_(std::make_unique<Tables>()) {
  tables_->of_point.reserve(points.size());
  for (const Point& point : points) {
    ASSERT(point != Point());
    tables_->of_point.push_back(curve25519::multiples_of(point.bytes()));
  }
}

GroupSums::~GroupSums() = default;
GroupSums::GroupSums(GroupSums&&) noexcept = default;
GroupSums& GroupSums::operator=(GroupSums&&) noexcept = default;

std::size_t GroupSums::size() const {
  return tables_->of_point.size();
}

Result<Point> GroupSums::sum(std::span<const Scalar> factors) const {
  const auto encoding = tables_->sum(factors);
  auto point = Point::parse(encoding);
  if (!point) return fail(Errc::bad_key, "a sum is the identity");
  return point;
}

bool GroupSums::vanishes(std::span<const Scalar> factors) const {
  const auto encoding = tables_->sum(factors);
  std::uint8_t seen = 0;
  for (const std::uint8_t byte : encoding) seen |= byte;
  return declassified(seen) == 0;
}

}  // namespace kith::crypto
