#include "crypto/pbkdf2.hpp"

#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "crypto/random.hpp"

namespace kith::crypto {
namespace {

std::string derived(std::string_view password, std::string_view salt, std::uint32_t iterations) {
  return hex(pbkdf2_sha256(as_bytes(password), as_bytes(salt), iterations, 32).expose());
}

TEST(Pbkdf2, GivesThePublishedKeys) {
  // RFC 7914 section 11, the first of two blocks.
  EXPECT_EQ(derived("passwd", "salt", 1),
            "55ac046e56e3089fec1691c22544b605f94185216dde0465e68b9d57c20dacbc");
  EXPECT_EQ(derived("Password", "NaCl", 80000),
            "4ddcd8f60b98be21830cee5ef22701f9641a4418d04c0414aeff08876b34ab56");
}

/// Word for word from RFC 8018, over HMAC as it is.
std::string by_the_book(ByteView password, Bytes salt, std::uint32_t iterations,
                        std::size_t key_bytes) {
  salt.insert(salt.end(), {0, 0, 0, 1});
  Digest256 last = hmac_sha256(password, salt);
  Digest256 sum = last;
  for (std::uint32_t i = 1; i < iterations; ++i) {
    last = hmac_sha256(password, last);
    for (std::size_t j = 0; j < sum.size(); ++j) sum[j] ^= last[j];
  }
  return hex(ByteView(sum).first(key_bytes));
}

TEST(Pbkdf2, AgreesWithTheBookForAllLengths) {
  SeededRandom random(1, "pbkdf2");
  for (std::size_t bytes = 0; bytes < 130; ++bytes) {
    const Bytes password = random.bytes(bytes);
    const Bytes salt = random.bytes(129 - bytes);
    const std::size_t key_bytes = 1 + bytes % 32;
    const auto iterations = static_cast<std::uint32_t>(1 + bytes % 5);
    EXPECT_EQ(hex(pbkdf2_sha256(password, salt, iterations, key_bytes).expose()),
              by_the_book(password, salt, iterations, key_bytes))
        << bytes;
  }
}

}  // namespace
}  // namespace kith::crypto
