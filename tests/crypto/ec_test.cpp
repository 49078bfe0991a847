#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <optional>

#include "crypto/ec_ed25519.hpp"
#include "crypto/ec_secp256k1.hpp"
#include "crypto/ec_x25519.hpp"
#include "tests/support/vectors.hpp"

namespace kith::crypto {
namespace {

using test::unhex;

// --- X25519 ---

TEST(X25519, AgreesWithWycheproof) {
  LOAD_VECTORS(file, "wycheproof/x25519_test.json");
  test::for_each_case(file, [](const JsonObject&, const JsonObject& one) {
    const Bytes public_key = test::hex_of(one, "public");
    const auto shared = x25519_shared(test::hex_of(one, "private"), public_key);
    // "acceptable" covers the twist and non-canonical keys, which RFC 7748 computes, and low
    // orders, which Kith refuses.
    if (test::has_flag(one, "ZeroSharedSecret")) {
      ASSERT_FALSE(shared.has_value());
      EXPECT_EQ(shared.error(), Errc::bad_key);
      EXPECT_FALSE(x25519_check_public(public_key).has_value());
      return;
    }
    ASSERT_TRUE(shared.has_value());
    EXPECT_EQ(hex(shared->expose()), test::text_of(one, "shared"));
    EXPECT_EQ(x25519_check_public(public_key).has_value(),
              !test::has_flag(one, "NonCanonicalPublic"));
  });
}

TEST(X25519, BothSidesComeToTheSameSecret) {
  SeededRandom random(1, "x25519");
  const RawKeyPair a = x25519_generate(random);
  const RawKeyPair b = x25519_generate(random);
  const auto ab = x25519_shared(a.private_key.expose(), b.public_key.bytes);
  const auto ba = x25519_shared(b.private_key.expose(), a.public_key.bytes);
  ASSERT_TRUE(ab.has_value() && ba.has_value());
  EXPECT_TRUE(equal_constant_time(ab->expose(), ba->expose()));
  EXPECT_NE(a.public_key, b.public_key);
  EXPECT_TRUE(x25519_check_public(a.public_key.bytes).has_value());
}

TEST(X25519, RefusesWrongLengths) {
  const Bytes key(32, 9);
  for (const std::size_t length : {0u, 31u, 33u}) {
    EXPECT_FALSE(x25519_shared(Bytes(length, 9), key).has_value());
    EXPECT_FALSE(x25519_shared(key, Bytes(length, 9)).has_value());
    EXPECT_FALSE(x25519_check_public(Bytes(length, 9)).has_value());
    EXPECT_FALSE(x25519_from_private(SecretBytes(length)).has_value());
  }
}

TEST(X25519, ChecksTheEdgeOfTheField) {
  const auto encoded = [](std::uint8_t low) {
    Bytes element(32, 0xff);
    element[0] = low;
    element[31] = 0x7f;
    return element;
  };
  EXPECT_TRUE(x25519_check_public(encoded(0xea)).has_value());   // p - 3
  EXPECT_FALSE(x25519_check_public(encoded(0xec)).has_value());  // p - 1: order 4
  EXPECT_FALSE(x25519_check_public(encoded(0xed)).has_value());  // p
  EXPECT_FALSE(x25519_check_public(encoded(0xf1)).has_value());  // p + 4
  Bytes high_bit(32, 0);
  high_bit[0] = 9;
  EXPECT_TRUE(x25519_check_public(high_bit).has_value());
  high_bit[31] = 0x80;
  EXPECT_FALSE(x25519_check_public(high_bit).has_value());
}

// --- Ed25519 ---

TEST(Ed25519, AgreesWithWycheproof) {
  LOAD_VECTORS(file, "wycheproof/ed25519_test.json");
  test::for_each_case(file, [](const JsonObject& group, const JsonObject& one) {
    const Bytes key = test::hex_of(group.at("publicKey").as_object(), "pk");
    const auto verified = ed25519_verify(key, test::hex_of(one, "msg"), test::hex_of(one, "sig"));
    EXPECT_EQ(verified.has_value(), test::text_of(one, "result") == "valid");
    if (!verified.has_value()) {
      EXPECT_EQ(verified.error(), Errc::bad_signature);
    }
    EXPECT_TRUE(ed25519_check_public(key).has_value());
  });
}

TEST(Ed25519, SignsAsRfc8032) {
  const auto pair = ed25519_from_seed(SecretBytes::copy_of(
      unhex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb")));
  ASSERT_TRUE(pair.has_value());
  EXPECT_EQ(hex(pair->public_key.bytes),
            "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c");
  EXPECT_EQ(hex(ed25519_sign(pair->private_key.expose(), unhex("72"))),
            "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
            "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
}

TEST(Ed25519, RefusesEveryChangedByteOfASignature) {
  SeededRandom random(1, "ed25519");
  const RawKeyPair pair = ed25519_generate(random);
  Bytes signature = ed25519_sign(pair.private_key.expose(), as_bytes("text"));
  EXPECT_TRUE(ed25519_verify(pair.public_key.bytes, as_bytes("text"), signature).has_value());
  EXPECT_FALSE(ed25519_verify(pair.public_key.bytes, as_bytes("texu"), signature).has_value());
  for (std::uint8_t& byte : signature) {
    byte ^= 1;
    EXPECT_FALSE(ed25519_verify(pair.public_key.bytes, as_bytes("text"), signature).has_value());
    byte ^= 1;
  }
}

TEST(Ed25519, RefusesKeysThatAnyMessageFits) {
  // With the neutral element as key and as R, S = 0 satisfies the equation for all messages.
  Bytes neutral(32, 0);
  neutral[0] = 1;
  Bytes signature = neutral;
  signature.resize(64, 0);
  EXPECT_FALSE(ed25519_verify(neutral, as_bytes("anything"), signature).has_value());
  EXPECT_FALSE(ed25519_check_public(neutral).has_value());
}

TEST(Ed25519, RefusesKeysOutsideThePrimeOrderGroup) {
  const Bytes order_8 = unhex("26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05");
  Bytes non_canonical(32, 0xff);  // y = p + 1, the neutral element once more
  non_canonical[0] = 0xee;
  non_canonical[31] = 0x7f;
  Bytes off_curve(32, 0);
  off_curve[0] = 2;
  for (const Bytes& key : {order_8, non_canonical, off_curve, Bytes(31), Bytes(33), Bytes{}}) {
    const auto checked = ed25519_check_public(key);
    ASSERT_FALSE(checked.has_value()) << hex(key);
    EXPECT_EQ(checked.error(), Errc::bad_key);
  }
  EXPECT_FALSE(ed25519_from_seed(SecretBytes(31)).has_value());
}

// --- secp256k1 ---

/// Reads a strict DER signature into R || S; nullopt when it is not strict or does not fit.
std::optional<Bytes> compact_of(ByteView der) {
  const auto integer = [](ByteView& rest) -> std::optional<Bytes> {
    if (rest.size() < 2 || rest[0] != 0x02 || rest[1] == 0 || rest[1] > 33) return std::nullopt;
    const std::size_t length = rest[1];
    if (rest.size() < 2 + length) return std::nullopt;
    ByteView value = rest.subspan(2, length);
    rest = rest.subspan(2 + length);
    if ((value[0] & 0x80) != 0) return std::nullopt;
    if (value[0] == 0 && length > 1 && (value[1] & 0x80) == 0) return std::nullopt;
    if (value[0] == 0) value = value.subspan(1);
    if (value.size() > 32) return std::nullopt;
    Bytes padded(32 - value.size());
    append(padded, value);
    return padded;
  };
  if (der.size() < 2 || der[0] != 0x30 || der[1] != der.size() - 2) return std::nullopt;
  ByteView rest = der.subspan(2);
  auto compact = integer(rest);
  if (!compact.has_value()) return std::nullopt;
  const auto s = integer(rest);
  if (!s.has_value() || !rest.empty()) return std::nullopt;
  append(*compact, *s);
  return compact;
}

Bytes group_key(const JsonObject& group) {
  auto key = secp256k1_compress(test::hex_of(group.at("publicKey").as_object(), "uncompressed"));
  EXPECT_TRUE(key.has_value());
  return key.has_value() ? *key : Bytes{};
}

TEST(Secp256k1, AgreesWithWycheproofOnAnyS) {
  LOAD_VECTORS(file, "wycheproof/ecdsa_secp256k1_sha256_p1363_test.json");
  test::for_each_case(file, [](const JsonObject& group, const JsonObject& one) {
    const auto verified = secp256k1_verify(group_key(group), test::hex_of(one, "msg"),
                                           test::hex_of(one, "sig"), SValue::any);
    EXPECT_EQ(verified.has_value(), test::text_of(one, "result") == "valid");
    if (!verified.has_value()) {
      EXPECT_EQ(verified.error(), Errc::bad_signature);
    }
  });
}

TEST(Secp256k1, AgreesWithWycheproofOnLowS) {
  LOAD_VECTORS(file, "wycheproof/ecdsa_secp256k1_sha256_bitcoin_test.json");
  int not_der = 0;
  test::for_each_case(file, [&](const JsonObject& group, const JsonObject& one) {
    const auto compact = compact_of(test::hex_of(one, "sig"));
    const bool valid = test::text_of(one, "result") == "valid";
    if (!compact.has_value()) {
      EXPECT_FALSE(valid);
      ++not_der;
      return;
    }
    const Bytes key = group_key(group);
    const Bytes message = test::hex_of(one, "msg");
    EXPECT_EQ(secp256k1_verify(key, message, *compact, SValue::low_only).has_value(), valid);
    if (test::has_flag(one, "SignatureMalleabilityBitcoin")) {
      EXPECT_TRUE(secp256k1_verify(key, message, *compact, SValue::any).has_value());
    }
  });
  EXPECT_LT(not_der, 300);  // The rest reached the verification.
}

TEST(Secp256k1, SignsAsRfc6979) {
  Bytes one(32, 0);
  one[31] = 1;
  EXPECT_EQ(hex(secp256k1_sign(one, as_bytes("Satoshi Nakamoto"))),
            "934b1ea10a4b3c1757e2b0c017d0b6143ce3c9a7e6a4a49860d7a6ab210ee3d8"
            "2442ce9d2b916064108014783e923ec36b49743e2ffa1c4496f01a512aafd9e5");
}

TEST(Secp256k1, SignsWithLowSAndRefusesChanges) {
  SeededRandom random(1, "secp256k1");
  const RawKeyPair pair = secp256k1_generate(random);
  for (std::uint8_t i = 0; i < 32; ++i) {
    const Bytes message(5, i);
    Bytes signature = secp256k1_sign(pair.private_key.expose(), message);
    EXPECT_TRUE(
        secp256k1_verify(pair.public_key.bytes, message, signature, SValue::low_only).has_value());
    signature[i] ^= 1;
    signature[std::size_t{i} + 32] ^= 1;
    EXPECT_FALSE(
        secp256k1_verify(pair.public_key.bytes, message, signature, SValue::any).has_value());
  }
}

TEST(Secp256k1, RefusesPrivateKeysOutOfRange) {
  const Bytes order = unhex("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141");
  Bytes below = order;
  below[31] = 0x40;
  EXPECT_FALSE(secp256k1_from_private(SecretBytes(32)).has_value());
  EXPECT_FALSE(secp256k1_from_private(SecretBytes::copy_of(order)).has_value());
  EXPECT_FALSE(secp256k1_from_private(SecretBytes(31)).has_value());
  EXPECT_TRUE(secp256k1_from_private(SecretBytes::copy_of(below)).has_value());
}

TEST(Secp256k1, ConvertsPointsAndRefusesOtherForms) {
  SeededRandom random(2, "secp256k1");
  const Bytes key = secp256k1_generate(random).public_key.bytes;
  auto full = secp256k1_uncompress(key);
  ASSERT_TRUE(full.has_value());
  EXPECT_EQ(*secp256k1_compress(*full), key);
  EXPECT_EQ(*secp256k1_compress(key), key);
  Bytes hybrid = *full;
  hybrid[0] = static_cast<std::uint8_t>(0x06 | (hybrid[64] & 1));
  EXPECT_FALSE(secp256k1_compress(hybrid).has_value());
  Bytes off_curve = *full;
  off_curve[40] ^= 1;
  const auto refused = secp256k1_compress(off_curve);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), Errc::bad_key);
  EXPECT_FALSE(secp256k1_compress({}).has_value());
}

// RFC 7748 section 6.1: the public key is the product with the base point 9, for every number.
TEST(X25519, PublicKeysAreMultiplesOfTheBasePoint) {
  Bytes nine(32);
  nine[0] = 9;
  SeededRandom random(9, "x25519");
  std::vector<Bytes> numbers{Bytes(32), Bytes(32, 0xff), Bytes(32, 0x01)};
  for (int i = 0; i < 300; ++i) numbers.push_back(random.bytes(32));
  for (const Bytes& number : numbers) {
    const auto pair = x25519_from_private(SecretBytes::copy_of(number));
    ASSERT_TRUE(pair.has_value());
    const auto expected = x25519_shared(number, nine);
    ASSERT_TRUE(expected.has_value());
    EXPECT_EQ(hex(pair->public_key.bytes), hex(expected->expose())) << hex(number);
  }
}

}  // namespace
}  // namespace kith::crypto
