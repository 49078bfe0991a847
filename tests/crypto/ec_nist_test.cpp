#include "crypto/ec_nist.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/aead.hpp"
#include "crypto/key_wrap.hpp"
#include "tests/support/vectors.hpp"

namespace kith::crypto {
namespace {

using test::unhex;

constexpr KeyType kNistCurves[] = {KeyType::p256, KeyType::p384, KeyType::p521};

/// Wycheproof writes integers with more or fewer zeros in front than a coordinate has.
Bytes sized(Bytes bytes, std::size_t size) {
  while (bytes.size() > size && bytes.front() == 0) bytes.erase(bytes.begin());
  if (bytes.size() < size) bytes.insert(bytes.begin(), size - bytes.size(), 0);
  return bytes;
}

TEST(NistCurves, P256AgreesWithWycheproof) {
  LOAD_VECTORS(file, "wycheproof/ecdh_secp256r1_test.json");
  // Public keys come as SubjectPublicKeyInfo; what stands before the point says "P-256".
  const Bytes uncompressed = unhex("3059301306072a8648ce3d020106082a8648ce3d030107034200");
  const Bytes compressed = unhex("3039301306072a8648ce3d020106082a8648ce3d030107032200");
  int computed = 0;
  test::for_each_case(file, [&](const JsonObject&, const JsonObject& one) {
    const Bytes info = test::hex_of(one, "public");
    const bool ours = info.size() > uncompressed.size() &&
                      (equal(ByteView(info).first(uncompressed.size()), uncompressed) ||
                       equal(ByteView(info).first(compressed.size()), compressed));
    const std::string result = test::text_of(one, "result");
    if (!ours || test::has_flag(one, "InvalidAsn")) {
      EXPECT_NE(result, "valid");
      return;
    }
    const ByteView point = ByteView(info).subspan(uncompressed.size());
    const auto shared = nist_shared(KeyType::p256, sized(test::hex_of(one, "private"), 32), point);
    ASSERT_EQ(shared.has_value(), result != "invalid");
    EXPECT_EQ(nist_compress(KeyType::p256, point).has_value(), result != "invalid");
    if (!shared.has_value()) {
      EXPECT_EQ(shared.error(), Errc::bad_key);
      return;
    }
    EXPECT_EQ(hex(shared->expose()), test::text_of(one, "shared"));
    ++computed;
  });
  EXPECT_EQ(computed, 331);
}

PublicKey key_of(const JsonObject& group) {
  const Bytes point = test::hex_of(group.at("publicKey").as_object(), "uncompressed");
  const auto compressed = nist_compress(KeyType::p256, point);
  EXPECT_TRUE(compressed.has_value());
  return {KeyType::p256, compressed.has_value() ? *compressed : Bytes{}};
}

TEST(NistCurves, Es256AgreesWithWycheproof) {
  LOAD_VECTORS(file, "wycheproof/ecdsa_secp256r1_sha256_p1363_test.json");
  test::for_each_case(file, [](const JsonObject& group, const JsonObject& one) {
    const auto verified =
        verify(key_of(group), test::hex_of(one, "msg"), test::hex_of(one, "sig"), SValue::any);
    EXPECT_EQ(verified.has_value(), test::text_of(one, "result") == "valid");
    if (!verified.has_value()) {
      EXPECT_EQ(verified.error(), Errc::bad_signature);
    }
  });
}

std::vector<std::string> split_compact(const std::string& compact) {
  std::vector<std::string> parts(1);
  for (const char c : compact) {
    if (c == '.') {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

/// The last step of RFC 7516 by hand, for compact forms that DIDComm does not use.
Result<Bytes> open_compact(const std::string& jwe, ByteView private_key) {
  const std::vector<std::string> parts = split_compact(jwe);
  if (parts.size() != 5) return fail(Errc::malformed);
  TRY(const Bytes header_bytes, from_base64url(parts[0]));
  TRY(const Json header, parse_json(as_text(header_bytes)));
  TRY(const ContentEncryption enc, enc_from_name(test::text_of(header.as_object(), "enc")));
  TRY(const PublicKey ephemeral, from_jwk(header.at("epk").as_object()));
  TRY(const SecretBytes z, nist_shared(ephemeral.type, private_key, ephemeral.bytes));
  const SecretBytes kek =
      concat_kdf(z.expose(), test::text_of(header.as_object(), "alg"), {}, {}, {});
  TRY(const Bytes wrapped, from_base64url(parts[1]));
  TRY(const SecretBytes cek, unwrap_key(kek, wrapped));
  TRY(const Bytes iv, from_base64url(parts[2]));
  TRY(const Bytes ciphertext, from_base64url(parts[3]));
  TRY(const Bytes tag, from_base64url(parts[4]));
  return aead_decrypt(enc, cek, iv, as_bytes(parts[0]), ciphertext, tag);
}

TEST(NistCurves, EcdhEsWithA256kwAgreesWithWycheproof) {
  LOAD_VECTORS(file, "wycheproof/json_web_encryption_test.json");
  int opened = 0;
  test::for_each_case(file, [&](const JsonObject& group, const JsonObject& one) {
    if (!group.contains("private")) return;
    const JsonObject& key = group.at("private").as_object();
    if (!key.contains("alg") || test::text_of(key, "alg") != "ECDH-ES+A256KW") return;
    const auto d = from_base64url(test::text_of(key, "d"));
    ASSERT_TRUE(d.has_value());
    const auto plain = open_compact(test::text_of(one, "jwe"), *d);
    if (!plain.has_value()) {
      // 128-bit content keys are outside DIDComm's table; invalid ones must not open at all.
      EXPECT_TRUE(plain.error() == Errc::unsupported || test::text_of(one, "result") == "invalid");
      return;
    }
    EXPECT_EQ(test::text_of(one, "result"), "valid");
    EXPECT_EQ(hex(*plain), test::text_of(one, "pt"));
    ++opened;
  });
  EXPECT_GE(opened, 2);
}

TEST(NistCurves, SignaturesOfJoseAgreeWithWycheproof) {
  LOAD_VECTORS(file, "wycheproof/json_web_signature_test.json");
  int valid = 0;
  test::for_each_case(file, [&](const JsonObject& group, const JsonObject& one) {
    const std::string name = test::text_of(group, "comment");
    if (name != "es256" && name != "SpecialCaseEs256") return;
    const auto key = from_jwk(group.at("public").as_object());
    ASSERT_TRUE(key.has_value());
    const std::vector<std::string> parts = split_compact(test::text_of(one, "jws"));
    bool accepted = false;
    if (parts.size() == 3) {
      const auto header = from_base64url(parts[0]);
      const auto signature = from_base64url(parts[2]);
      const bool es256 =
          header.has_value() && as_text(*header).find(R"("alg":"ES256")") != std::string_view::npos;
      accepted =
          es256 && signature.has_value() &&
          verify(*key, as_bytes(parts[0] + "." + parts[1]), *signature, SValue::any).has_value();
    }
    EXPECT_EQ(accepted, test::text_of(one, "result") == "valid");
    valid += accepted ? 1 : 0;
  });
  EXPECT_EQ(valid, 2);
}

TEST(NistCurves, BothSidesComeToTheSameSecret) {
  SeededRandom random(1, "nist");
  for (const KeyType curve : kNistCurves) {
    const RawKeyPair a = nist_generate(curve, random);
    const RawKeyPair b = nist_generate(curve, random);
    EXPECT_NE(a.public_key, b.public_key);
    EXPECT_TRUE(check_public_key(a.public_key).has_value());
    const auto ab = nist_shared(curve, a.private_key.expose(), b.public_key.bytes);
    const auto ba = nist_shared(curve, b.private_key.expose(), a.public_key.bytes);
    ASSERT_TRUE(ab.has_value() && ba.has_value());
    EXPECT_TRUE(equal_constant_time(ab->expose(), ba->expose()));
    EXPECT_EQ(ab->size(), nist_field_bytes(curve));
  }
}

TEST(NistCurves, TheSameRandomGivesTheSameKeys) {
  for (const KeyType curve : kNistCurves) {
    SeededRandom first(5, "same"), second(5, "same");
    EXPECT_EQ(nist_generate(curve, first).public_key, nist_generate(curve, second).public_key);
  }
}

TEST(NistCurves, PrivateKeysLieBelowTheOrder) {
  // n of P-256 (FIPS 186-4, D.1.2.3).
  Bytes order = unhex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");
  EXPECT_FALSE(nist_from_private(KeyType::p256, SecretBytes::copy_of(order)).has_value());
  order.back() -= 1;
  EXPECT_TRUE(nist_from_private(KeyType::p256, SecretBytes::copy_of(order)).has_value());
  for (const KeyType curve : kNistCurves) {
    const std::size_t size = nist_field_bytes(curve);
    EXPECT_FALSE(nist_from_private(curve, SecretBytes(size)).has_value()) << "zero";
    EXPECT_FALSE(nist_from_private(curve, SecretBytes::copy_of(Bytes(size, 0xff))).has_value());
    EXPECT_FALSE(nist_from_private(curve, SecretBytes::copy_of(Bytes(size - 1, 1))).has_value());
    EXPECT_FALSE(nist_from_private(curve, SecretBytes::copy_of(Bytes(size + 1, 1))).has_value());
  }
}

TEST(NistCurves, RefusesEverythingThatIsNoPointOfTheCurve) {
  SeededRandom random(2, "nist");
  for (const KeyType curve : kNistCurves) {
    const RawKeyPair pair = nist_generate(curve, random);
    const Bytes full = nist_uncompress(curve, pair.public_key.bytes).value();
    EXPECT_EQ(nist_compress(curve, full).value(), pair.public_key.bytes);
    std::vector<Bytes> bad = {{}, {0x00}, Bytes(1 + nist_field_bytes(curve), 0)};
    Bytes altered = full;
    altered.back() ^= 1;
    bad.push_back(altered);  // Off the curve.
    altered = full;
    altered[0] = static_cast<std::uint8_t>(0x06 | (full.back() & 1));
    bad.push_back(altered);  // The hybrid form.
    altered = full;
    altered.pop_back();
    bad.push_back(altered);
    altered = Bytes(full.size(), 0);
    altered[0] = 0x04;
    bad.push_back(altered);  // (0, 0), which some take for infinity.
    altered = Bytes(pair.public_key.bytes.size(), 0xff);
    altered[0] = 0x02;
    bad.push_back(altered);  // x is not below p.
    altered = pair.public_key.bytes;
    altered[0] = 0x05;
    bad.push_back(altered);
    for (const Bytes& point : bad) {
      SCOPED_TRACE(hex(point));
      EXPECT_EQ(nist_compress(curve, point).error(), Errc::bad_key);
      EXPECT_EQ(nist_shared(curve, pair.private_key.expose(), point).error(), Errc::bad_key);
      EXPECT_EQ(check_public_key({curve, point}).error(), Errc::bad_key);
    }
    // Right for the arithmetic, but not the one spelling of a key.
    EXPECT_EQ(check_public_key({curve, full}).error(), Errc::bad_key);
  }
  const RawKeyPair other = nist_generate(KeyType::p384, random);
  EXPECT_FALSE(check_public_key({KeyType::p256, other.public_key.bytes}).has_value());
  EXPECT_FALSE(check_public_key({KeyType::p521, other.public_key.bytes}).has_value());
}

TEST(NistCurves, SignsWithTheLowSAndVerifiesBoth) {
  SeededRandom random(3, "nist");
  const RawKeyPair pair = nist_generate(KeyType::p256, random);
  const ByteView message = as_bytes("text");
  for (int i = 0; i < 8; ++i) {
    Bytes signature = p256_sign(pair.private_key.expose(), pair.public_key.bytes, message).value();
    EXPECT_TRUE(verify(pair.public_key, message, signature).has_value());
    EXPECT_FALSE(verify(pair.public_key, as_bytes("texu"), signature).has_value());
    signature[static_cast<std::size_t>(i) * 8] ^= 1;
    EXPECT_FALSE(verify(pair.public_key, message, signature, SValue::any).has_value());
  }
  EXPECT_FALSE(verify(pair.public_key, message, Bytes(64), SValue::any).has_value());
  EXPECT_FALSE(verify(pair.public_key, message, Bytes(63, 1), SValue::any).has_value());
  const RawKeyPair p384 = nist_generate(KeyType::p384, random);
  EXPECT_EQ(verify(p384.public_key, message, Bytes(96, 1)).error(), Errc::bad_signature);
}

TEST(NistCurves, LowOnlyRefusesTheOtherS) {
  LOAD_VECTORS(file, "wycheproof/ecdsa_secp256r1_sha256_p1363_test.json");
  const Bytes half_order =
      unhex("7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8");
  int low = 0, high = 0;
  test::for_each_case(file, [&](const JsonObject& group, const JsonObject& one) {
    if (test::text_of(one, "result") != "valid") return;
    const PublicKey key = key_of(group);
    const Bytes signature = test::hex_of(one, "sig");
    const bool taken =
        verify(key, test::hex_of(one, "msg"), signature, SValue::low_only).has_value();
    const ByteView s = ByteView(signature).subspan(32);
    EXPECT_EQ(taken, !std::ranges::lexicographical_compare(half_order, s));
    (taken ? low : high) += 1;
  });
  EXPECT_GT(low, 20);
  EXPECT_GT(high, 20);
}

}  // namespace
}  // namespace kith::crypto
