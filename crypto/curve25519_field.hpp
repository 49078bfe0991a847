#pragma once

/// Arithmetic mod p = 2^255 - 19 in five limbs of 51 bits; used by crypto/group_sums.cpp alone. No
/// branch and no address depends on a value. Limbs stay below 2^52 after every operation but `add`,
/// which gives up to 2^53; operands of all operations are below 2^54.

#include <array>
#include <cstdint>

#include "crypto/bytes.hpp"

namespace kith::crypto::curve25519 {

__extension__ using Wide = unsigned __int128;

inline constexpr std::uint64_t kLimbMask = (std::uint64_t{1} << 51U) - 1;

struct Field {
  std::array<std::uint64_t, 5> limbs{};
};

inline constexpr Field kZero{};
inline constexpr Field kOne{{1, 0, 0, 0, 0}};

[[nodiscard]] inline Field carried(Field a) {
  auto& l = a.limbs;
  l[1] += l[0] >> 51U;
  l[2] += l[1] >> 51U;
  l[3] += l[2] >> 51U;
  l[4] += l[3] >> 51U;
  const std::uint64_t top = l[4] >> 51U;
  for (std::uint64_t& limb : l) limb &= kLimbMask;
  l[0] += 19 * top;
  return a;
}

[[nodiscard]] inline Field add(const Field& a, const Field& b) {
  Field sum;
  for (std::size_t i = 0; i < 5; ++i) sum.limbs[i] = a.limbs[i] + b.limbs[i];
  return sum;
}

/// 8p is added first, so that no limb goes below zero.
[[nodiscard]] inline Field subtract(const Field& a, const Field& b) {
  constexpr std::uint64_t kLow = 8 * (kLimbMask - 18);
  constexpr std::uint64_t kHigh = 8 * kLimbMask;
  Field difference;
  difference.limbs[0] = a.limbs[0] + kLow - b.limbs[0];
  for (std::size_t i = 1; i < 5; ++i) difference.limbs[i] = a.limbs[i] + kHigh - b.limbs[i];
  return carried(difference);
}

[[nodiscard]] inline Field negate(const Field& a) {
  return subtract(kZero, a);
}

[[nodiscard]] inline Field multiply(const Field& a, const Field& b) {
  const auto& x = a.limbs;
  const auto& y = b.limbs;
  // 2^255 = 19 mod p: what would go beyond the fifth limb comes back 19 times.
  const std::uint64_t y1 = 19 * y[1];
  const std::uint64_t y2 = 19 * y[2];
  const std::uint64_t y3 = 19 * y[3];
  const std::uint64_t y4 = 19 * y[4];
  const auto times = [](std::uint64_t p, std::uint64_t q) { return Wide{p} * q; };
  Wide r0 =
      times(x[0], y[0]) + times(x[1], y4) + times(x[2], y3) + times(x[3], y2) + times(x[4], y1);
  Wide r1 =
      times(x[0], y[1]) + times(x[1], y[0]) + times(x[2], y4) + times(x[3], y3) + times(x[4], y2);
  Wide r2 =
      times(x[0], y[2]) + times(x[1], y[1]) + times(x[2], y[0]) + times(x[3], y4) + times(x[4], y3);
  Wide r3 = times(x[0], y[3]) + times(x[1], y[2]) + times(x[2], y[1]) + times(x[3], y[0]) +
            times(x[4], y4);
  Wide r4 = times(x[0], y[4]) + times(x[1], y[3]) + times(x[2], y[2]) + times(x[3], y[1]) +
            times(x[4], y[0]);
  r1 += static_cast<std::uint64_t>(r0 >> 51U);
  r2 += static_cast<std::uint64_t>(r1 >> 51U);
  r3 += static_cast<std::uint64_t>(r2 >> 51U);
  r4 += static_cast<std::uint64_t>(r3 >> 51U);
  Field product;
  product.limbs = {
      static_cast<std::uint64_t>(r0) & kLimbMask, static_cast<std::uint64_t>(r1) & kLimbMask,
      static_cast<std::uint64_t>(r2) & kLimbMask, static_cast<std::uint64_t>(r3) & kLimbMask,
      static_cast<std::uint64_t>(r4) & kLimbMask};
  // r4 has no part that came back 19 times, so its carry is below 2^60.
  product.limbs[0] += 19 * static_cast<std::uint64_t>(r4 >> 51U);
  product.limbs[1] += product.limbs[0] >> 51U;
  product.limbs[0] &= kLimbMask;
  return product;
}

[[nodiscard]] inline Field square(const Field& a) {
  return multiply(a, a);
}

/// `b` where `choice` is 1, `a` where it is 0.
[[nodiscard]] inline Field select(const Field& a, const Field& b, std::uint64_t choice) {
  const std::uint64_t mask = 0 - choice;
  Field out;
  for (std::size_t i = 0; i < 5; ++i) {
    out.limbs[i] = a.limbs[i] ^ (mask & (a.limbs[i] ^ b.limbs[i]));
  }
  return out;
}

/// `bytes` has 32 bytes; their highest bit is left out.
[[nodiscard]] inline Field decode(ByteView bytes) {
  const auto word = [&](std::size_t at) {
    std::uint64_t value = 0;
    for (std::size_t i = 8; i > 0; --i) value = (value << 8U) | bytes[at + i - 1];
    return value;
  };
  return {{word(0) & kLimbMask, (word(6) >> 3U) & kLimbMask, (word(12) >> 6U) & kLimbMask,
           (word(19) >> 1U) & kLimbMask, (word(24) >> 12U) & kLimbMask}};
}

/// The one encoding below p, little-endian.
[[nodiscard]] inline std::array<std::uint8_t, 32> encode(const Field& a) {
  Field reduced = carried(carried(a));
  auto& l = reduced.limbs;
  // Whether it is p or more: then adding 19 carries out of the top.
  std::uint64_t over = (l[0] + 19) >> 51U;
  for (std::size_t i = 1; i < 5; ++i) over = (l[i] + over) >> 51U;
  l[0] += 19 * over;
  for (std::size_t i = 0; i < 4; ++i) {
    l[i + 1] += l[i] >> 51U;
    l[i] &= kLimbMask;
  }
  l[4] &= kLimbMask;
  std::array<std::uint8_t, 32> out{};
  for (std::size_t bit = 0; bit < 256; bit += 8) {
    const std::size_t limb = bit / 51;
    std::uint64_t value = l[limb] >> (bit - 51 * limb);
    if (limb < 4 && bit + 8 > 51 * (limb + 1)) value |= l[limb + 1] << (51 * (limb + 1) - bit);
    out[bit / 8] = static_cast<std::uint8_t>(value);
  }
  return out;
}

/// 1 where the least value that stands for it is odd ("negative" in RFC 9496).
[[nodiscard]] inline std::uint64_t is_negative(const Field& a) {
  return encode(a)[0] & 1U;
}

[[nodiscard]] inline std::uint64_t are_equal(const Field& a, const Field& b) {
  const auto left = encode(a);
  const auto right = encode(b);
  std::uint64_t different = 0;
  for (std::size_t i = 0; i < left.size(); ++i) {
    different |= static_cast<std::uint64_t>(left[i] ^ right[i]);
  }
  return ((different - 1) >> 63U) & 1U;
}

[[nodiscard]] inline Field absolute(const Field& a) {
  return select(a, negate(a), is_negative(a));
}

}  // namespace kith::crypto::curve25519
