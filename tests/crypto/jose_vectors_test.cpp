#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "crypto/ec_nist.hpp"
#include "crypto/ec_x25519.hpp"
#include "crypto/hash.hpp"
#include "crypto/jwe.hpp"
#include "crypto/jws.hpp"
#include "crypto/key_wrap.hpp"
#include "tests/crypto/jose_fixture.hpp"
#include "tests/support/vectors.hpp"

/// Published vectors: the examples of DIDComm v2.1's appendix, and Wycheproof's JOSE files. Those
/// know none of our algorithms, so that every one of their cases has to be refused.

namespace kith::crypto {
namespace {

using test::for_each_case;
using test::hex_of;
using test::text_of;

class DidcommVectors : public test::JoseTest {
 protected:
  static const JsonObject& secret(const Json& file, std::string_view kid) {
    for (const auto& owner : file.at("secrets").as_object()) {
      for (const Json& entry : owner.value().as_array()) {
        if (text_of(entry.as_object(), "kid") == kid) return entry.as_object();
      }
    }
    ADD_FAILURE() << "no secret for " << kid;
    return file.as_object();
  }
  static SecretBytes private_key(const Json& file, std::string_view kid) {
    Bytes bytes = from_base64url(text_of(secret(file, kid), "d")).value();
    return SecretBytes::take(bytes);
  }
  static PublicKey public_key(const Json& file, std::string_view kid) {
    JsonObject object = secret(file, kid);
    object.erase("d");
    object.erase("kid");
    const auto key = from_jwk(object);
    EXPECT_TRUE(key.has_value()) << kid;
    return key.has_value() ? *key : PublicKey{};
  }

  void open_for_all(const Json& file, const JsonObject& example) {
    const auto jwe = parse_jwe(json_text(example.at("message")));
    ASSERT_TRUE(jwe.has_value()) << jwe.error().detail;
    PublicKey sender;
    if (jwe->skid) sender = public_key(file, *jwe->skid);
    for (const JweRecipient& recipient : jwe->recipients) {
      const auto sealed = keys_.import_private(jwe->ephemeral.type, KeyPurpose::agree,
                                               private_key(file, recipient.kid));
      ASSERT_TRUE(sealed.has_value());
      const auto plain =
          decrypt(*jwe, recipient.kid, *sealed, jwe->skid ? &sender : nullptr, keys_);
      ASSERT_TRUE(plain.has_value()) << plain.error().detail;
      const auto message = parse_json(as_text(*plain));
      ASSERT_TRUE(message.has_value());
      // Two examples hold another envelope: protocol/envelope_vectors_test.cpp opens those.
      const bool nested =
          message->as_object().contains("payload") || message->as_object().contains("ciphertext");
      EXPECT_TRUE(nested || *message == example.at("plaintext"));
    }
  }

  static Result<SecretBytes> shared(ByteView mine, const PublicKey& theirs) {
    return is_nist(theirs.type) ? nist_shared(theirs.type, mine, theirs.bytes)
                                : x25519_shared(mine, theirs.bytes);
  }

  static void check_derivation(const Json& file, const ParsedJwe& jwe, const JsonObject& step) {
    const std::string kid = text_of(step, "kid");
    const SecretBytes recipient = private_key(file, kid);
    Bytes z;
    const auto ze = shared(recipient.expose(), jwe.ephemeral);
    ASSERT_TRUE(ze.has_value());
    EXPECT_EQ(hex(ze->expose()), text_of(step, "Ze"));
    append(z, ze->expose());
    if (jwe.skid) {
      const auto zs = shared(recipient.expose(), public_key(file, *jwe.skid));
      ASSERT_TRUE(zs.has_value());
      EXPECT_EQ(hex(zs->expose()), text_of(step, "Zs"));
      append(z, zs->expose());
    }
    const SecretBytes kek = concat_kdf(z, alg_name(jwe.agreement), jwe.apu, jwe.apv,
                                       jwe.skid ? ByteView(jwe.tag) : ByteView());
    EXPECT_EQ(hex(kek.expose()), text_of(step, "kek"));
    Bytes input;
    append_u32_be(input, 1);
    append(input, z);
    append(input, hex_of(step, "otherInfo"));
    EXPECT_EQ(hex(sha256(input)), text_of(step, "kek")) << "the file's own trace";
    for (const JweRecipient& entry : jwe.recipients) {
      if (entry.kid != kid) continue;
      const auto cek = unwrap_key(kek, entry.encrypted_key);
      ASSERT_TRUE(cek.has_value());
      EXPECT_EQ(hex(cek->expose()), text_of(step, "cek"));
    }
  }
};

TEST_F(DidcommVectors, OpensEveryEnvelopeWithEveryRecipientKey) {
  LOAD_VECTORS(file, "didcomm/spec.json");
  int opened = 0;
  for (const Json& each : file.at("examples").as_array()) {
    const JsonObject& example = each.as_object();
    if (text_of(example, "type") != "encrypted") continue;
    SCOPED_TRACE(text_of(example, "name"));
    open_for_all(file, example);
    ++opened;
  }
  EXPECT_EQ(opened, 6);
}

TEST_F(DidcommVectors, DerivesEveryPublishedIntermediateValue) {
  LOAD_VECTORS(file, "didcomm/spec.json");
  int steps = 0;
  for (const Json& each : file.at("examples").as_array()) {
    const JsonObject& example = each.as_object();
    if (text_of(example, "type") != "encrypted") continue;
    SCOPED_TRACE(text_of(example, "name"));
    const auto jwe = parse_jwe(json_text(example.at("message")));
    ASSERT_TRUE(jwe.has_value()) << jwe.error().detail;
    for (const Json& step : example.at("layers").at(0).at("kdf").as_array()) {
      check_derivation(file, *jwe, step.as_object());
      ++steps;
    }
  }
  EXPECT_EQ(steps, 14);
}

TEST_F(DidcommVectors, VerifiesTheSignedExamples) {
  LOAD_VECTORS(file, "didcomm/spec.json");
  int verified = 0;
  for (const Json& each : file.at("examples").as_array()) {
    const JsonObject& example = each.as_object();
    if (text_of(example, "type") != "signed") continue;
    SCOPED_TRACE(text_of(example, "name"));
    const auto opened =
        open_jws(json_text(example.at("message")),
                 [&](std::string_view kid) -> Result<PublicKey> { return public_key(file, kid); });
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    EXPECT_EQ(parse_json(as_text(opened->payload)).value(), example.at("payload_json"));
    ++verified;
  }
  EXPECT_EQ(verified, 3);
}

std::vector<std::string> split(std::string_view compact) {
  std::vector<std::string> parts;
  std::size_t from = 0;
  while (true) {
    const std::size_t dot = compact.find('.', from);
    parts.emplace_back(compact.substr(from, dot == std::string_view::npos ? dot : dot - from));
    if (dot == std::string_view::npos) return parts;
    from = dot + 1;
  }
}

/// The same JWE as DIDComm would send it.
std::string general_jwe(const std::vector<std::string>& parts) {
  JsonObject header;
  header["kid"] = "did:example:bob#1";
  JsonObject recipient;
  recipient["header"] = header;
  recipient["encrypted_key"] = parts[1];
  JsonObject envelope;
  envelope["protected"] = parts[0];
  envelope["recipients"] = JsonArray{recipient};
  envelope["iv"] = parts[2];
  envelope["ciphertext"] = parts[3];
  envelope["tag"] = parts[4];
  return json_text(envelope);
}

std::string general_jws(const std::vector<std::string>& parts) {
  JsonObject header;
  header["kid"] = "did:example:bob#1";
  JsonObject signature;
  signature["protected"] = parts[0];
  signature["header"] = header;
  signature["signature"] = parts[2];
  JsonObject envelope;
  envelope["payload"] = parts[1];
  envelope["signatures"] = JsonArray{signature};
  return json_text(envelope);
}

TEST(WycheproofJose, EncryptedCasesAreAllOutsideOurTableAndRefused) {
  LOAD_VECTORS(file, "wycheproof/json_web_encryption_test.json");
  for_each_case(file, [](const JsonObject&, const JsonObject& one) {
    const std::string text = text_of(one, "jwe");
    EXPECT_FALSE(parse_jwe(text).has_value());
    const auto parts = split(text);
    if (parts.size() != 5) return;
    EXPECT_FALSE(parse_jwe(general_jwe(parts)).has_value());
  });
}

void expect_jws_refused(const std::string& text) {
  const PublicKey any{
      KeyType::ed25519,
      from_hex("d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a").value()};
  const KeyLookup lookup = [&](std::string_view) -> Result<PublicKey> { return any; };
  EXPECT_FALSE(open_jws(text, lookup).has_value());
  EXPECT_FALSE(open_jwt(text, lookup).has_value());
  const auto parts = split(text);
  if (parts.size() != 3) return;
  EXPECT_FALSE(open_jws(general_jws(parts), lookup).has_value());
}

TEST(WycheproofJose, SignedCasesAreAllOutsideOurTableAndRefused) {
  LOAD_VECTORS(file, "wycheproof/json_web_signature_test.json");
  for_each_case(file, [](const JsonObject&, const JsonObject& one) {
    expect_jws_refused(text_of(one, "jws"));
  });
}

TEST(WycheproofJose, PrivateSymmetricAndBrokenKeysAreRefused) {
  LOAD_VECTORS(file, "wycheproof/json_web_key_test.json");
  int keys = 0;
  for_each_case(file, [&](const JsonObject& group, const JsonObject& one) {
    expect_jws_refused(text_of(one, "jws"));
    for (const char* half : {"private", "public"}) {
      if (!group.contains(half)) continue;
      for (const Json& key : group.at(half).at("keys").as_array()) {
        JsonObject object = key.as_object();
        EXPECT_TRUE(!object.contains("d") || !from_jwk(object).has_value());
        object.erase("d");
        // `alg` and `use` are not looked at: the DID document says what a key is for.
        const std::string name = text_of(group, "comment");
        const bool good =
            text_of(object, "kty") == "EC" && name != "invalid_point" && name != "wrong_curve";
        EXPECT_EQ(from_jwk(object).has_value(), good) << name;
        ++keys;
      }
    }
  });
  EXPECT_GT(keys, 20);
}

}  // namespace
}  // namespace kith::crypto
