/// Appendix C of DIDComm Messaging v2.1 through unpack(), with the DID documents and secrets of its
/// appendices A and B. Curves that Kith does not use must be refused cleanly.

#include <gtest/gtest.h>

#include "protocol/did_document.hpp"
#include "tests/support/parties.hpp"
#include "tests/support/vectors.hpp"

namespace kith {
namespace {

using protocol::parse_did_document;
using test::text_of;

constexpr std::int64_t kVectorTime = 1'516'269'100;  ///< Between created_time and expires_time.

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
      if (text_of(secret, "crv") != "X25519") continue;
      auto bytes = crypto::from_base64url(text_of(secret, "d"));
      EXPECT_TRUE(bytes.has_value());
      auto sealed =
          world.keys.import_private(KeyType::x25519, KeyPurpose::agree, SecretBytes::take(*bytes));
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
                                  std::pair{"signed-es256k", "did:example:alice#key-3"}}) {
    SCOPED_TRACE(name);
    const auto opened = spec.open(example_named(file, name));
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    EXPECT_EQ(opened->info.signed_by, kid);
    EXPECT_EQ(opened->info.sender->text(), "did:example:alice");
    EXPECT_EQ(opened->message.body.at("messagespecificattribute").as_string(), "and its value");
  }
}

TEST(SpecVectors, OpensEncryptedMessagesWithEveryKeyOfBob) {
  LOAD_VECTORS(file, "didcomm/spec.json");
  for (const std::string name : {"anoncrypt-x25519-xc20p", "authcrypt-x25519-a256cbchs512"}) {
    SCOPED_TRACE(name);
    Spec spec(file);
    const Json& example = example_named(file, name);
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
      EXPECT_EQ(opened->info.recipient_kid, kid);
      EXPECT_EQ(opened->info.own_did->text(), "did:example:bob");
      EXPECT_EQ(opened->info.authenticated, name.starts_with("auth"));
      const auto plaintext = crypto::parse_json(opened->plaintext);
      ASSERT_TRUE(plaintext.has_value());
      EXPECT_EQ(*plaintext, example.at("plaintext"));
    }
  }
}

TEST(SpecVectors, RefusesOtherCurvesCleanly) {
  LOAD_VECTORS(file, "didcomm/spec.json");
  Spec spec(file);
  for (const char* name : {"signed-es256", "anoncrypt-p384-a256cbchs512", "anoncrypt-p521-a256gcm",
                           "authcrypt-sign-p256-eddsa", "anoncrypt-authcrypt-sign-p521-xc20p"}) {
    SCOPED_TRACE(name);
    const auto opened = spec.open(example_named(file, name));
    ASSERT_TRUE(opened.has_error());
    EXPECT_EQ(opened.error().code, Errc::unsupported) << opened.error().detail;
  }
}

TEST(SpecVectors, AnAlteredVectorDoesNotOpen) {
  LOAD_VECTORS(file, "didcomm/spec.json");
  Spec spec(file);
  Json altered = example_named(file, "authcrypt-x25519-a256cbchs512");
  auto& tag = altered.at("message").as_object()["tag"].as_string();
  tag[0] = tag[0] == 'A' ? 'B' : 'A';
  EXPECT_EQ(spec.open(altered).error().code, Errc::cannot_decrypt);
  Json resigned = example_named(file, "signed-eddsa");
  Json& signature = resigned.at("message").at("signatures").at(0).as_object()["signature"];
  signature.as_string()[5] = signature.as_string()[5] == 'A' ? 'B' : 'A';
  EXPECT_EQ(spec.open(resigned).error().code, Errc::bad_signature);
}

}  // namespace
}  // namespace kith
