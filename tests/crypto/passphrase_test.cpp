#include "crypto/passphrase.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"

namespace kith::crypto {
namespace {

/// The cheapest parameters that pass.
PassphraseParameters cheapest() {
  PassphraseParameters parameters;
  parameters.ops = limits::kArgonOpsMin;
  parameters.memory_bytes = limits::kArgonMemoryBytesMin;
  return parameters;
}

SecretBytes phrase(std::string_view text) {
  return SecretBytes::copy_of(as_bytes(text));
}

TEST(Passphrase, DependsOnEveryInput) {
  const auto key = derive_from_passphrase(phrase("correct horse"), cheapest());
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->size(), 32u);
  const auto expect_other = [&](std::string_view text, const PassphraseParameters& parameters) {
    const auto other = derive_from_passphrase(phrase(text), parameters);
    ASSERT_TRUE(other.has_value());
    EXPECT_FALSE(equal_constant_time(key->expose(), other->expose()));
  };
  const auto again = derive_from_passphrase(phrase("correct horse"), cheapest());
  ASSERT_TRUE(again.has_value());
  EXPECT_TRUE(equal_constant_time(key->expose(), again->expose()));
  expect_other("correct horse ", cheapest());
  PassphraseParameters salted = cheapest();
  salted.salt[15] = 1;
  expect_other("correct horse", salted);
  PassphraseParameters slower = cheapest();
  slower.ops += 1;
  expect_other("correct horse", slower);
}

TEST(Passphrase, RefusesParametersOutsideFloorAndCap) {
  const auto code = [](std::uint32_t ops, std::uint64_t memory_bytes) {
    PassphraseParameters parameters;
    parameters.ops = ops;
    parameters.memory_bytes = memory_bytes;
    const auto derived = derive_from_passphrase(phrase("x"), parameters);
    EXPECT_FALSE(derived.has_value());
    return derived.has_value() ? Errc::usage : derived.error().code;
  };
  EXPECT_EQ(code(limits::kArgonOpsMin - 1, limits::kArgonMemoryBytesMin), Errc::refused);
  EXPECT_EQ(code(limits::kArgonOpsMin, limits::kArgonMemoryBytesMin - 1), Errc::refused);
  EXPECT_EQ(code(0, 0), Errc::refused);
  EXPECT_EQ(code(limits::kArgonOpsMax + 1, limits::kArgonMemoryBytesMin), Errc::limit_exceeded);
  EXPECT_EQ(code(limits::kArgonOpsMin, limits::kArgonMemoryBytesMax + 1), Errc::limit_exceeded);
}

TEST(Passphrase, RefusesEmptyAndOverlongPassphrases) {
  EXPECT_FALSE(derive_from_passphrase(SecretBytes(), cheapest()).has_value());
  const SecretBytes overlong(limits::kPassphraseBytesMax + 1);
  const auto derived = derive_from_passphrase(overlong, cheapest());
  ASSERT_FALSE(derived.has_value());
  EXPECT_EQ(derived.error(), Errc::limit_exceeded);
}

TEST(Passphrase, NewParametersPassTheCheckAndHaveAFreshSalt) {
  SeededRandom random(1, "passphrase");
  const PassphraseParameters first = new_passphrase_parameters(random);
  const PassphraseParameters second = new_passphrase_parameters(random);
  EXPECT_TRUE(check_passphrase_parameters(first).has_value());
  EXPECT_EQ(first.memory_bytes, std::uint64_t{256} << 20);
  EXPECT_EQ(first.ops, 3u);
  EXPECT_NE(first.salt, second.salt);
}

}  // namespace
}  // namespace kith::crypto
