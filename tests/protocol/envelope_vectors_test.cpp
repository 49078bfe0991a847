/// Appendix C of DIDComm Messaging v2.1 through unpack(), with the DID documents and secrets of its
/// appendices A and B: every one of them opens or verifies.

#include <gtest/gtest.h>

#include "protocol/did_document.hpp"
#include "tests/support/parties.hpp"
#include "tests/support/vectors.hpp"

namespace kith {
namespace {

using protocol::parse_did_document;
using test::text_of;

constexpr std::int64_t kVectorTime = 1'516'269'100;  ///< Between created_time and expires_time.

KeyType curve_named(std::string_view name) {
  if (name == "P-256") return KeyType::p256;
  if (name == "P-384") return KeyType::p384;
  if (name == "P-521") return KeyType::p521;
  EXPECT_EQ(name, "X25519");
  return KeyType::x25519;
}

struct Spec {
  explicit Spec(const Json& file) {
    for (const auto& member : file.at("did_docs").as_object()) {
      const auto did = Did::parse(std::string(member.key()));
      EXPECT_TRUE(did.has_value());
      const auto document = parse_did_document(crypto::json_text(member.value()), *did);
      EXPECT_TRUE(document.has_value()) << document.error().detail;
      world.dids.put(*document);
    }
    for (const Json& value : file.at("secrets").at("bob").as_array()) {
      const JsonObject& secret = value.as_object();
      auto bytes = crypto::from_base64url(text_of(secret, "d"));
      EXPECT_TRUE(bytes.has_value());
      auto sealed = world.keys.import_private(curve_named(text_of(secret, "crv")),
                                              KeyPurpose::agree, SecretBytes::take(*bytes));
      EXPECT_TRUE(sealed.has_value());
      bob.put(text_of(secret, "kid"), *sealed);
    }
  }

  Result<Unpacked> open(const Json& example) {
    return protocol::unpack(crypto::json_text(example.at("message")),
                            {bob, world.dids, world.keys, kVectorTime, {}});
  }

  test::World world;
  test::Wallet bob;
};

const Json& example_named(const Json& file, std::string_view name) {
  for (const Json& example : file.at("examples").as_array()) {
    if (std::string_view(example.at("name").as_string()) == name) return example;
  }
  ADD_FAILURE() << "no example " << name;
  return file;
}

TEST(SpecVectors, OpensPlaintext) {
  LOAD_VECTORS(file, "didcomm/spec.json");
  Spec spec(file);
  const auto opened = spec.open(example_named(file, "plaintext"));
  ASSERT_TRUE(opened.has_value()) << opened.error().detail;
  EXPECT_EQ(opened->message.id, "1234567890");
  EXPECT_FALSE(opened->info.authenticated);
}

TEST(SpecVectors, VerifiesSignedMessages) {
  LOAD_VECTORS(file, "didcomm/spec.json");
  Spec spec(file);
  for (const auto& [name, kid] : {std::pair{"signed-eddsa", "did:example:alice#key-1"},
                                  std::pair{"signed-es256", "did:example:alice#key-2"},
                                  std::pair{"signed-es256k", "did:example:alice#key-3"}}) {
    SCOPED_TRACE(name);
    const auto opened = spec.open(example_named(file, name));
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    EXPECT_EQ(opened->info.signed_by, kid);
    EXPECT_EQ(opened->info.sender->text(), "did:example:alice");
    EXPECT_EQ(opened->message.body.at("messagespecificattribute").as_string(), "and its value");
  }
}

struct Expected {
  std::string name;
  std::vector<std::string> algorithms;  ///< alg and enc, the outermost envelope first.
  KeyType outer_curve;
  bool authenticated;
  bool non_repudiable;
};

const std::vector<Expected>& encrypted_examples() {
  static const std::vector<Expected> table = {
      {"anoncrypt-x25519-xc20p", {"ECDH-ES+A256KW XC20P"}, KeyType::x25519, false, false},
      {"anoncrypt-p384-a256cbchs512",
       {"ECDH-ES+A256KW A256CBC-HS512"},
       KeyType::p384,
       false,
       false},
      {"anoncrypt-p521-a256gcm", {"ECDH-ES+A256KW A256GCM"}, KeyType::p521, false, false},
      {"authcrypt-x25519-a256cbchs512",
       {"ECDH-1PU+A256KW A256CBC-HS512"},
       KeyType::x25519,
       true,
       false},
      {"authcrypt-sign-p256-eddsa",
       {"ECDH-1PU+A256KW A256CBC-HS512", "EdDSA "},
       KeyType::p256,
       true,
       true},
      {"anoncrypt-authcrypt-sign-p521-xc20p",
       {"ECDH-ES+A256KW XC20P", "ECDH-1PU+A256KW A256CBC-HS512", "EdDSA "},
       KeyType::p521,
       true,
       true},
  };
  return table;
}

TEST(SpecVectors, OpensEncryptedMessagesWithEveryKeyOfBob) {
  LOAD_VECTORS(file, "didcomm/spec.json");
  for (const Expected& expected : encrypted_examples()) {
    SCOPED_TRACE(expected.name);
    Spec spec(file);
    const Json& example = example_named(file, expected.name);
    for (const Json& recipient : example.at("message").at("recipients").as_array()) {
      const std::string kid(recipient.at("header").at("kid").as_string());
      test::Wallet one;
      const auto key = spec.bob.find(kid);
      ASSERT_TRUE(key.has_value()) << kid;
      one.put(kid, *key);
      const auto opened =
          protocol::unpack(crypto::json_text(example.at("message")),
                           {one, spec.world.dids, spec.world.keys, kVectorTime, {}});
      ASSERT_TRUE(opened.has_value()) << opened.error().detail;
      const EnvelopeInfo& info = opened->info;
      EXPECT_EQ(info.recipient_kid, kid);
      EXPECT_EQ(info.own_did->text(), "did:example:bob");
      EXPECT_EQ(info.authenticated, expected.authenticated);
      EXPECT_EQ(info.non_repudiable(), expected.non_repudiable);
      EXPECT_TRUE(info.encrypted);
      ASSERT_EQ(info.envelopes.size(), expected.algorithms.size());
      for (std::size_t i = 0; i < info.envelopes.size(); ++i) {
        EXPECT_EQ(info.envelopes[i].alg + " " + info.envelopes[i].enc, expected.algorithms[i]);
      }
      EXPECT_EQ(info.envelopes.front().curve, expected.outer_curve);
      EXPECT_EQ(info.envelopes.front().kids.size(),
                example.at("message").at("recipients").as_array().size());
      const auto plaintext = crypto::parse_json(opened->plaintext);
      ASSERT_TRUE(plaintext.has_value());
      EXPECT_EQ(*plaintext, example.at("plaintext"));
    }
  }
}

TEST(SpecVectors, NoneOpensWithAKeyOfAnotherCurve) {
  LOAD_VECTORS(file, "didcomm/spec.json");
  for (const Expected& expected : encrypted_examples()) {
    SCOPED_TRACE(expected.name);
    Spec spec(file);
    const Json& example = example_named(file, expected.name);
    const Json& first = example.at("message").at("recipients").as_array().front();
    const std::string kid(first.at("header").at("kid").as_string());
    const KeyType other = expected.outer_curve == KeyType::p256 ? KeyType::x25519 : KeyType::p256;
    test::Wallet wrong;
    wrong.put(kid, spec.world.keys.generate(other, KeyPurpose::agree)->sealed);
    EXPECT_EQ(protocol::unpack(crypto::json_text(example.at("message")),
                               {wrong, spec.world.dids, spec.world.keys, kVectorTime, {}})
                  .error(),
              Errc::cannot_decrypt);
  }
}

TEST(SpecVectors, AnAlteredVectorDoesNotOpen) {
  LOAD_VECTORS(file, "didcomm/spec.json");
  Spec spec(file);
  for (const Expected& expected : encrypted_examples()) {
    for (const char* member : {"tag", "ciphertext", "iv"}) {
      SCOPED_TRACE(expected.name + " " + member);
      Json altered = example_named(file, expected.name);
      auto& text = altered.at("message").as_object()[member].as_string();
      text[0] = text[0] == 'A' ? 'B' : 'A';
      EXPECT_EQ(spec.open(altered).error().code, Errc::cannot_decrypt);
    }
  }
  for (const char* name : {"signed-eddsa", "signed-es256", "signed-es256k"}) {
    Json resigned = example_named(file, name);
    Json& signature = resigned.at("message").at("signatures").at(0).as_object()["signature"];
    signature.as_string()[5] = signature.as_string()[5] == 'A' ? 'B' : 'A';
    EXPECT_EQ(spec.open(resigned).error().code, Errc::bad_signature);
  }
}

}  // namespace
}  // namespace kith
