#include "protocol/did_document.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "tests/support/parties.hpp"

namespace kith {
namespace {

using protocol::build_did_document;
using protocol::KeyUse;
using protocol::parse_did_document;

const Did kSubject = *Did::parse("did:example:a");

Result<DidDocument> parse(const std::string& members) {
  const std::string start = R"({"id":"did:example:a")";
  return parse_did_document(start + (members.empty() ? "" : ",") + members + "}", kSubject);
}

std::string method(const std::string& id, const std::string& type, const std::string& key) {
  return R"({"id":")" + id + R"(","type":")" + type + R"(","controller":"did:example:a",)" + key +
         "}";
}

const std::string kEdMultibase =
    R"("publicKeyMultibase":"z6Mkj3PUd1WjvaDhNZhhhXQdz5UnZXmS7ehtx8bsPpD47kKc")";
const std::string kXMultibase =
    R"("publicKeyMultibase":"z6LSg8zQom395jKLrGiBNruB9MM6V8PWuf2FpEy4uRFiqQBR")";
const std::string kXJwk =
    R"("publicKeyJwk":{"kty":"OKP","crv":"X25519","x":"avH0O2Y4tqLAq8y9zpianr8ajii5m4F_mICrzNlatXs"})";
const std::string kEdJwk =
    R"("publicKeyJwk":{"kty":"OKP","crv":"Ed25519","x":"G-boxFB6vOZBu-wXkm-9Lh79I8nf9Z50cILaOgKKGww"})";
const std::string kK1Jwk =
    R"("publicKeyJwk":{"kty":"EC","crv":"secp256k1","x":"aToW5EaTq5mlAf8C5ECYDSkqsJycrW-e1SQ6_GJcAOk","y":"JAGX94caA21WKreXwYUaOCYTBMrqaX4KWIlsQZTHWCk"})";
const std::string kP256Jwk =
    R"("publicKeyJwk":{"kty":"EC","crv":"P-256","x":"2syLh57B-dGpa0F8p1JrO6JU7UUSF6j7qL-vfk1eOoY","y":"BgsGtI7UPsObMRjdElxLOrgAO9JggNMjOcfzEPox18w"})";
const std::string kRsaJwk = R"("publicKeyJwk":{"kty":"RSA","n":"AQAB","e":"AQAB"})";

std::string base58_member(KeyType type) {
  test::World world;
  const auto pair = world.keys.generate(
      type, type == KeyType::x25519 ? KeyPurpose::agree : KeyPurpose::authenticate);
  return R"("publicKeyBase58":")" + crypto::base58(pair->public_key.bytes) + "\"";
}

TEST(DidDocument, ReadsEveryMethodTypeInUse) {
  struct Row {
    std::string type;
    std::string key;
    std::optional<KeyType> expected;
  };
  const std::vector<Row> table = {
      {"JsonWebKey2020", kXJwk, KeyType::x25519},
      {"JsonWebKey2020", kEdJwk, KeyType::ed25519},
      {"JsonWebKey", kK1Jwk, KeyType::secp256k1},
      {"Multikey", kXMultibase, KeyType::x25519},
      {"Multikey", kEdMultibase, KeyType::ed25519},
      {"X25519KeyAgreementKey2020", kXMultibase, KeyType::x25519},
      {"X25519KeyAgreementKey2019", base58_member(KeyType::x25519), KeyType::x25519},
      {"Ed25519VerificationKey2020", kEdMultibase, KeyType::ed25519},
      {"Ed25519VerificationKey2018", base58_member(KeyType::ed25519), KeyType::ed25519},
      {"EcdsaSecp256k1VerificationKey2019", kK1Jwk, KeyType::secp256k1},
      {"EcdsaSecp256k1VerificationKey2019", base58_member(KeyType::secp256k1), KeyType::secp256k1},
      {"JsonWebKey2020", kP256Jwk, KeyType::p256},
      {"Multikey", R"("publicKeyMultibase":"zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv")",
       KeyType::p256},
      // Kept, but never used.
      {"JsonWebKey2020", kRsaJwk, std::nullopt},
      {"RsaVerificationKey2018", R"("publicKeyPem":"-----")", std::nullopt},
      {"SomethingOfTomorrow", kEdMultibase, std::nullopt},
      {"Ed25519VerificationKey2018", R"("publicKeyPem":"-----")", std::nullopt},
  };
  for (const Row& row : table) {
    SCOPED_TRACE(row.type + " " + row.key);
    const auto document = parse(R"("verificationMethod":[)" + method("#k", row.type, row.key) +
                                R"(],"authentication":["#k"],"keyAgreement":["did:example:a#k"])");
    ASSERT_TRUE(document.has_value()) << document.error().detail;
    const auto* found = document->find_method("did:example:a#k");
    ASSERT_NE(found, nullptr);
    ASSERT_EQ(found->key.has_value(), row.expected.has_value());
    EXPECT_EQ(document->agreement_key("did:example:a#k").has_value(),
              row.expected && crypto::can_agree(*row.expected));
    EXPECT_EQ(document->authentication_key("did:example:a#k").has_value(),
              row.expected && crypto::can_sign(*row.expected));
    if (row.expected) {
      EXPECT_EQ(found->key->type, *row.expected);
    } else {
      EXPECT_EQ(document->agreement_key("did:example:a#k").error().code, Errc::unsupported);
    }
  }
}

TEST(DidDocument, ReadsEmbeddedMethodsAndForeignReferences) {
  const auto document = parse(
      R"("authentication":[)" + method("did:example:a#k1", "Multikey", kEdMultibase) +
      R"(,"did:example:other#k"],"keyAgreement":[)" + method("#k2", "Multikey", kXMultibase) + "]");
  ASSERT_TRUE(document.has_value()) << document.error().detail;
  EXPECT_TRUE(document->authentication_key("did:example:a#k1").has_value());
  EXPECT_EQ(document->authentication_key("did:example:other#k").error().code, Errc::not_authentic);
  EXPECT_EQ(document->agreement_keys().size(), 1U);
  EXPECT_EQ(document->authentication_keys().size(), 1U);
  // Listed for one use is not listed for another.
  EXPECT_EQ(document->agreement_key("did:example:a#k1").error().code, Errc::not_authentic);
}

TEST(DidDocument, ReadsAllFormsOfServices) {
  const auto document = parse(
      R"("service":[
      {"id":"#1","type":"DIDCommMessaging","serviceEndpoint":{"uri":"https://a/","accept":["didcomm/v2"],"routingKeys":["did:x:m#k"]}},
      {"id":"#2","type":["Other","DIDCommMessaging"],"serviceEndpoint":[{"uri":"https://b/"},{"uri":"wss://c/"}]},
      {"id":"https://id/","type":"DIDCommMessaging","serviceEndpoint":"https://d/","routingKeys":["did:x:n"]},
      {"id":"#4","type":"LinkedDomains","serviceEndpoint":{"origins":[null]}}])");
  ASSERT_TRUE(document.has_value()) << document.error().detail;
  ASSERT_EQ(document->services.size(), 4U);
  EXPECT_EQ(document->services[0],
            (ServiceEndpoint{"did:example:a#1", "https://a/", {"didcomm/v2"}, {"did:x:m#k"}}));
  EXPECT_EQ(document->services[1].uri, "https://b/");
  EXPECT_EQ(document->services[2].uri, "wss://c/");
  EXPECT_EQ(document->services[3], (ServiceEndpoint{"https://id/", "https://d/", {}, {"did:x:n"}}));
}

TEST(DidDocument, KeepsWhatItDoesNotUnderstand) {
  const auto document = parse(R"("alsoKnownAs":["did:x:y"],"later":{"deep":[null,1.5]})");
  ASSERT_TRUE(document.has_value());
  EXPECT_EQ(crypto::json_text(to_json(*document)),
            R"({"id":"did:example:a","alsoKnownAs":["did:x:y"],"later":{"deep":[null,1.5E0]}})");
}

TEST(DidDocument, RefusesFaultyDocuments) {
  const std::string good = method("#k", "Multikey", kEdMultibase);
  const auto methods = [](const std::string& list) {
    return R"("verificationMethod":[)" + list + "]";
  };
  const auto service = [](const std::string& members) {
    return R"("service":[{"id":"#s","type":"DIDCommMessaging")" + members + "}]";
  };
  const std::vector<std::pair<std::string, Errc>> table = {
      {methods(good + "," + good), Errc::malformed},
      {methods(good) + R"(,"authentication":[)" + good + "]", Errc::malformed},
      {methods(good) + R"(,"authentication":["#k","did:example:a#k"])", Errc::malformed},
      {methods(good) + R"(,"authentication":"#k")", Errc::malformed},
      {methods(good) + R"(,"authentication":[5])", Errc::malformed},
      {methods(good) + R"(,"authentication":["k"])", Errc::malformed},
      {methods("5"), Errc::malformed},
      {methods(method("k", "Multikey", kEdMultibase)), Errc::malformed},
      {methods(method("did:example:a", "Multikey", kEdMultibase)), Errc::malformed},
      {methods(method("#k", "Multikey", kEdMultibase + "," + kXJwk)), Errc::malformed},
      {methods(method("#k", "X25519KeyAgreementKey2020", kEdMultibase)), Errc::bad_key},
      {methods(method("#k", "JsonWebKey2020",
                      R"("publicKeyJwk":{"kty":"OKP","crv":"X25519","x":"AA"})")),
       Errc::bad_key},
      {methods(method("#k", "JsonWebKey2020",
                      R"("publicKeyJwk":{"kty":"OKP","crv":"X25519","d":"AA",)"
                      R"("x":"avH0O2Y4tqLAq8y9zpianr8ajii5m4F_mICrzNlatXs"})")),
       Errc::bad_key},
      {service(""), Errc::malformed},
      {service(R"(,"serviceEndpoint":5)"), Errc::malformed},
      {service(R"(,"serviceEndpoint":{"uri":""})"), Errc::malformed},
      {service(R"(,"serviceEndpoint":{"uri":"a","routingKeys":["x"]})"), Errc::malformed},
      {service(R"(,"serviceEndpoint":{"uri":"a","accept":"didcomm/v2"})"), Errc::malformed},
      {service(R"(,"serviceEndpoint":{"uri":"a","routingKeys":)"
               R"(["did:a:1","did:a:2","did:a:3","did:a:4","did:a:5"]})"),
       Errc::limit_exceeded},
      {R"("service":[{"id":"#s","type":"X"},{"id":"did:example:a#s","type":"Y"}])",
       Errc::malformed},
  };
  for (const auto& [members, code] : table) {
    const auto document = parse(members);
    ASSERT_TRUE(document.has_error()) << members;
    EXPECT_EQ(document.error().code, code) << members << ": " << document.error().detail;
  }
}

TEST(DidDocument, RefusesDocumentsOfAnotherDid) {
  EXPECT_EQ(parse_did_document(R"({"id":"did:example:b"})", kSubject).error().code,
            Errc::not_authentic);
  EXPECT_EQ(parse_did_document("{}", kSubject).error().code, Errc::malformed);
}

TEST(DidDocument, HoldsItsLimits) {
  std::string methods;
  for (std::size_t i = 0; i <= limits::kDidDocumentMethodsMax; ++i) {
    methods += (i == 0 ? "" : ",") + method("#" + std::to_string(i), "Multikey", kEdMultibase);
  }
  EXPECT_EQ(parse(R"("verificationMethod":[)" + methods + "]").error().code, Errc::limit_exceeded);
  std::string endpoints;
  for (std::size_t i = 0; i <= limits::kDidDocumentServicesMax; ++i) {
    endpoints += (i == 0 ? "" : ",") + std::string(R"({"uri":"https://a/"})");
  }
  EXPECT_EQ(parse(R"("service":[{"id":"#s","type":"DIDCommMessaging","serviceEndpoint":[)" +
                  endpoints + "]}]")
                .error()
                .code,
            Errc::limit_exceeded);
  EXPECT_EQ(parse(R"("x":")" + std::string(limits::kDidDocumentBytesMax, 'x') + "\"").error().code,
            Errc::limit_exceeded);
}

TEST(DidDocument, ReadsWhatItWrites) {
  test::World world;
  const PublicKey signing =
      world.keys.generate(KeyType::secp256k1, KeyPurpose::authenticate)->public_key;
  const PublicKey agreement = world.keys.generate(KeyType::x25519, KeyPurpose::agree)->public_key;
  const auto built = build_did_document(
      kSubject, {{"s", signing, KeyUse::authentication}, {"a", agreement, KeyUse::key_agreement}},
      {{"", "https://a/", {"didcomm/v2"}, {}}});
  ASSERT_TRUE(built.has_value()) << built.error().detail;
  const auto again = parse_did_document(crypto::json_text(to_json(*built)), kSubject);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(*again->authentication_key("did:example:a#s"), signing);
  EXPECT_EQ(*again->agreement_key("did:example:a#a"), agreement);
  EXPECT_EQ(again->services, built->services);
  EXPECT_TRUE(build_did_document(
                  kSubject,
                  {{"s", signing, KeyUse::authentication}, {"s", agreement, KeyUse::key_agreement}},
                  {})
                  .has_error());
}

}  // namespace
}  // namespace kith
