#include "crypto/gf256.hpp"

#include <array>

namespace kith::crypto {
namespace {

/// Times x, the field's generator of bits.
std::uint8_t doubled(std::uint8_t a) {
  const auto carry = static_cast<std::uint8_t>(-(a >> 7));
  return static_cast<std::uint8_t>((a << 1) ^ (carry & 0x1b));
}

/// sum += factor * values. The compiler turns the inner loop into vector instructions.
void add_multiple(std::span<std::uint8_t> sum, std::uint8_t factor, ByteView values) {
  for (std::size_t i = 0; i < sum.size(); ++i) {
    sum[i] = static_cast<std::uint8_t>(sum[i] ^ gf256_multiply(values[i], factor));
  }
}

/// The weight of `shares[which]` in the value at `at` (Lagrange). The x values differ.
std::uint8_t weight(std::span<const ByteShare> shares, std::size_t which, std::uint8_t at) {
  std::uint8_t above = 1;
  std::uint8_t below = 1;
  for (std::size_t i = 0; i < shares.size(); ++i) {
    if (i == which) continue;
    above = gf256_multiply(above, static_cast<std::uint8_t>(shares[i].x ^ at));
    below = gf256_multiply(below, static_cast<std::uint8_t>(shares[i].x ^ shares[which].x));
  }
  return gf256_multiply(above, gf256_inverse(below));
}

Result<void> check_shares(std::span<const ByteShare> shares) {
  if (shares.empty()) return fail(Errc::malformed, "no shares");
  std::array<bool, 256> seen{};
  for (const ByteShare& share : shares) {
    if (share.y.size() != shares.front().y.size()) {
      return fail(Errc::malformed, "shares of different lengths do not belong together");
    }
    if (seen.at(share.x)) return fail(Errc::malformed, "a share is given twice");
    seen.at(share.x) = true;
  }
  return {};
}

}  // namespace

std::uint8_t gf256_multiply(std::uint8_t a, std::uint8_t b) {
  std::uint8_t product = 0;
  for (int bit = 0; bit < 8; ++bit) {
    const auto taken = static_cast<std::uint8_t>(-((b >> bit) & 1));
    product = static_cast<std::uint8_t>(product ^ (a & taken));
    a = doubled(a);
  }
  return product;
}

std::uint8_t gf256_inverse(std::uint8_t a) {
  // a^254, as 2+4+8+16+32+64+128: the order of the group is 255.
  std::uint8_t power = a;
  std::uint8_t inverse = 1;
  for (int bit = 1; bit < 8; ++bit) {
    power = gf256_multiply(power, power);
    inverse = gf256_multiply(inverse, power);
  }
  return inverse;
}

Result<SecretBytes> gf256_interpolate(std::span<const ByteShare> shares, std::uint8_t at) {
  CHECK(check_shares(shares));
  SecretBytes sum(shares.front().y.size());
  for (std::size_t i = 0; i < shares.size(); ++i) {
    add_multiple(sum.expose_mutable(), weight(shares, i, at), shares[i].y.expose());
  }
  return sum;
}

}  // namespace kith::crypto
