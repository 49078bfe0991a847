#pragma once

/// The field GF(2^8) with the polynomial x^8+x^4+x^3+x+1 (FIPS 197 section 4), and Shamir's sharing
/// of bytes over it: each byte of a secret is the value of a polynomial of its own, and a share
/// holds the values of all of them at one x. For SLIP-39 and for shares on files; recovery itself
/// shares scalars (shamir.hpp).
///
/// Pure functions; any thread. Time depends on lengths and on x, which are public, never on values.

#include <cstdint>
#include <span>

#include "crypto/bytes.hpp"
#include "crypto/result.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

[[nodiscard]] std::uint8_t gf256_multiply(std::uint8_t a, std::uint8_t b);
/// 0 for 0.
[[nodiscard]] std::uint8_t gf256_inverse(std::uint8_t a);

struct ByteShare {
  std::uint8_t x = 0;
  SecretBytes y;
};

/// The values at `at` of the polynomials of lowest degree through `shares`.
/// Errors: malformed (no shares, two with one x, values of different lengths).
[[nodiscard]] Result<SecretBytes> gf256_interpolate(std::span<const ByteShare> shares,
                                                    std::uint8_t at);

}  // namespace kith::crypto
