#include "crypto/key.hpp"

#include <gtest/gtest.h>

#include "crypto/ec_ed25519.hpp"
#include "crypto/ec_nist.hpp"
#include "crypto/ec_secp256k1.hpp"
#include "crypto/ec_x25519.hpp"
#include "tests/support/vectors.hpp"

namespace kith::crypto {
namespace {

std::vector<RawKeyPair> one_of_each() {
  SeededRandom random(1, "keys");
  std::vector<RawKeyPair> keys;
  keys.push_back(ed25519_generate(random));
  keys.push_back(x25519_generate(random));
  keys.push_back(secp256k1_generate(random));
  for (const KeyType curve : {KeyType::p256, KeyType::p384, KeyType::p521}) {
    keys.push_back(nist_generate(curve, random));
  }
  return keys;
}

TEST(Multikey, WritesTheKnownPrefixesAndReadsThemBack) {
  const std::vector<RawKeyPair> keys = one_of_each();
  const std::string_view prefixes[] = {"z6Mk", "z6LS", "zQ3s", "zDn", "z82", "z2J9"};
  for (std::size_t i = 0; i < keys.size(); ++i) {
    const std::string text = multikey(keys[i].public_key);
    EXPECT_TRUE(text.starts_with(prefixes[i])) << text;
    const auto read = from_multikey(text);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, keys[i].public_key);
  }
}

TEST(Multikey, ReadsAPublishedDidKey) {
  // First example of the did:key method.
  const auto key = from_multikey("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK");
  ASSERT_TRUE(key.has_value());
  EXPECT_EQ(key->type, KeyType::ed25519);
  EXPECT_EQ(multikey(*key), "z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK");
}

TEST(Multikey, RefusesOtherFormsAndBadKeys) {
  const auto code_of = [](std::string_view text) {
    const auto key = from_multikey(text);
    return key.has_value() ? std::string("accepted")
                           : std::string(error_text(key.error().code).code);
  };
  EXPECT_EQ(code_of(""), "input.malformed");
  EXPECT_EQ(code_of("6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK"), "input.malformed");
  EXPECT_EQ(code_of("z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2do0"), "input.malformed");
  EXPECT_EQ(code_of("z"), "input.unsupported");
  const Bytes bls{0xeb, 0x01, 0x02};
  EXPECT_EQ(code_of(multibase(bls)), "input.unsupported");
  Bytes short_key{0xed, 0x01};
  short_key.resize(33, 7);
  EXPECT_EQ(code_of(multibase(short_key)), "crypto.key");
  Bytes neutral{0xed, 0x01, 0x01};
  neutral.resize(34, 0);
  EXPECT_EQ(code_of(multibase(neutral)), "crypto.key");
  Bytes small_order{0xec, 0x01};
  small_order.resize(34, 0);
  EXPECT_EQ(code_of(multibase(small_order)), "crypto.key");
  Bytes no_point{0xe7, 0x01, 0x02};
  no_point.resize(35, 0xff);
  EXPECT_EQ(code_of(multibase(no_point)), "crypto.key");
}

TEST(Jwk, ReadsWhatItWrites) {
  for (const RawKeyPair& key : one_of_each()) {
    const JsonObject object = jwk(key.public_key);
    EXPECT_EQ(object.size(), object.at("kty") == "EC" ? 4u : 3u);
    const auto read = from_jwk(object);
    ASSERT_TRUE(read.has_value());
    EXPECT_EQ(*read, key.public_key);
  }
}

TEST(Jwk, RefusesPrivateMembersAndWrongForms) {
  for (const RawKeyPair& key : one_of_each()) {
    const JsonObject good = jwk(key.public_key);
    JsonObject object = good;
    object["d"] = "AAAA";
    ASSERT_FALSE(from_jwk(object).has_value());
    EXPECT_EQ(from_jwk(object).error(), Errc::bad_key);
    object = good;
    object["crv"] = "P-224";
    ASSERT_FALSE(from_jwk(object).has_value());
    EXPECT_EQ(from_jwk(object).error(), Errc::unsupported);
    object = good;
    object["x"] = base64url(Bytes(31, 5));
    EXPECT_FALSE(from_jwk(object).has_value());
    object["x"] = std::string(good.at("x").as_string()) + "=";
    EXPECT_FALSE(from_jwk(object).has_value());
    object["x"] = 5;
    EXPECT_FALSE(from_jwk(object).has_value());
  }
  for (const std::size_t i : {2U, 3U, 4U, 5U}) {
    JsonObject off_curve = jwk(one_of_each()[i].public_key);
    off_curve["y"] = off_curve["x"];
    ASSERT_FALSE(from_jwk(off_curve).has_value());
    EXPECT_EQ(from_jwk(off_curve).error(), Errc::bad_key);
  }
}

TEST(Jwk, X25519AgreesWithWycheproof) {
  LOAD_VECTORS(file, "wycheproof/x25519_jwk_test.json");
  test::for_each_case(file, [](const JsonObject&, const JsonObject& one) {
    const auto key = from_jwk(one.at("public").as_object());
    const std::string result = test::text_of(one, "result");
    const bool refused = result == "invalid" || test::has_flag(one, "NonCanonicalPublic") ||
                         test::has_flag(one, "ZeroSharedSecret");
    // One of the invalid ones is a good key, but of a curve that does not agree on secrets.
    ASSERT_EQ(!key.has_value() || key->type != KeyType::x25519, refused);
    if (refused) return;
    EXPECT_FALSE(from_jwk(one.at("private").as_object()).has_value());
    const auto d = from_base64url(test::text_of(one.at("private").as_object(), "d"));
    ASSERT_TRUE(d.has_value());
    const auto shared = x25519_shared(*d, key->bytes);
    ASSERT_TRUE(shared.has_value());
    EXPECT_EQ(hex(shared->expose()), test::text_of(one, "shared"));
  });
}

TEST(Verify, ChoosesByTheTypeOfKey) {
  const std::vector<RawKeyPair> keys = one_of_each();
  const Bytes ed = ed25519_sign(keys[0].private_key.expose(), as_bytes("text"));
  const Bytes ec = secp256k1_sign(keys[2].private_key.expose(), as_bytes("text"));
  EXPECT_TRUE(verify(keys[0].public_key, as_bytes("text"), ed).has_value());
  EXPECT_TRUE(verify(keys[2].public_key, as_bytes("text"), ec).has_value());
  EXPECT_FALSE(verify(keys[0].public_key, as_bytes("text"), ec).has_value());
  EXPECT_FALSE(verify(keys[2].public_key, as_bytes("text"), ed).has_value());
  const auto agreement = verify(keys[1].public_key, as_bytes("text"), ed);
  ASSERT_FALSE(agreement.has_value());
  EXPECT_EQ(agreement.error(), Errc::bad_signature);
}

TEST(Verify, LowOnlyRefusesTheOtherSAndAnyTakesIt) {
  LOAD_VECTORS(file, "wycheproof/ecdsa_secp256k1_sha256_p1363_test.json");
  const JsonObject& group = file.as_object().at("testGroups").as_array()[0].as_object();
  const JsonObject& one = group.at("tests").as_array()[0].as_object();
  ASSERT_EQ(test::text_of(one, "comment"), "signature malleability");
  const auto key = from_jwk(group.at("publicKeyJwk").as_object());
  ASSERT_TRUE(key.has_value());
  const Bytes message = test::hex_of(one, "msg");
  const Bytes signature = test::hex_of(one, "sig");
  EXPECT_TRUE(verify(*key, message, signature, SValue::any).has_value());
  EXPECT_FALSE(verify(*key, message, signature).has_value());
}

TEST(CheckPublicKey, RefusesUncompressedAndForeignLengths) {
  const std::vector<RawKeyPair> keys = one_of_each();
  for (const RawKeyPair& pair : keys) EXPECT_TRUE(check_public_key(pair.public_key).has_value());
  const auto full = secp256k1_uncompress(keys[2].public_key.bytes);
  ASSERT_TRUE(full.has_value());
  EXPECT_FALSE(check_public_key({KeyType::secp256k1, *full}).has_value());
  EXPECT_FALSE(check_public_key({KeyType::ed25519, keys[2].public_key.bytes}).has_value());
  EXPECT_FALSE(check_public_key({KeyType{9}, keys[0].public_key.bytes}).has_value());
}

}  // namespace
}  // namespace kith::crypto
