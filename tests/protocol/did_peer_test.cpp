#include "protocol/did_peer.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "crypto/random.hpp"
#include "protocol/did_key.hpp"
#include "protocol/resolver.hpp"
#include "tests/support/parties.hpp"

namespace kith {
namespace {

using protocol::KeyUse;
using protocol::resolve_did_peer2;

// The example of the Peer DID Method Specification (method 2): two keys, two services.
constexpr std::string_view kSigningKey = "z6Mkj3PUd1WjvaDhNZhhhXQdz5UnZXmS7ehtx8bsPpD47kKc";
constexpr std::string_view kAgreementKey = "z6LSg8zQom395jKLrGiBNruB9MM6V8PWuf2FpEy4uRFiqQBR";
const std::string kExample =
    "did:peer:2.Vz6Mkj3PUd1WjvaDhNZhhhXQdz5UnZXmS7ehtx8bsPpD47kKc"
    ".Ez6LSg8zQom395jKLrGiBNruB9MM6V8PWuf2FpEy4uRFiqQBR"
    ".SeyJ0IjoiZG0iLCJzIjp7InVyaSI6Imh0dHA6Ly9leGFtcGxlLmNvbS9kaWRjb21tIiwiYSI6WyJkaWRjb21tL3YyIl0"
    "sInIiOlsiZGlkOmV4YW1wbGU6MTIzNDU2Nzg5YWJjZGVmZ2hpI2tleS0xIl19fQ"
    ".SeyJ0IjoiZG0iLCJzIjp7InVyaSI6Imh0dHA6Ly9leGFtcGxlLmNvbS9hbm90aGVyIiwiYSI6WyJkaWRjb21tL3YyIl0"
    "sInIiOlsiZGlkOmV4YW1wbGU6MTIzNDU2Nzg5YWJjZGVmZ2hpI2tleS0yIl19fQ";
// An older one: the service's endpoint is a bare text, keys in another order.
const std::string kOlderExample =
    "did:peer:2.Ez6LSbysY2xFMRpGMhb7tFTLMpeuPRaqaWM1yECx2AtzE3KCc"
    ".Vz6MkqRYqQiSgvZQdnBytw86Qbs2ZWUkGv22od935YF4s8M7V"
    ".Vz6MkgoLTnTypo3tDRwCkZXSccTPHRLhF4ZnjhueYAFpEX6vg"
    ".SeyJ0IjoiZG0iLCJzIjoiaHR0cHM6Ly9leGFtcGxlLmNvbS9lbmRwb2ludCIsInIiOlsiZGlkOmV4YW1wbGU6c29tZW1"
    "lZGlhdG9yI3NvbWVrZXkiXSwiYSI6WyJkaWRjb21tL3YyIiwiZGlkY29tbS9haXAyO2Vudj1yZmM1ODciXX0";

Result<DidDocument> resolve(const std::string& text) {
  return resolve_did_peer2(*Did::parse(text));
}

std::string service_element(std::string_view json) {
  return ".S" + crypto::base64url(crypto::as_bytes(json));
}

TEST(DidPeer2, ResolvesTheExampleOfItsSpecification) {
  const auto document = resolve(kExample);
  ASSERT_TRUE(document.has_value()) << document.error().detail;
  EXPECT_EQ(document->authentication, std::vector<std::string>{kExample + "#key-1"});
  EXPECT_EQ(document->key_agreement, std::vector<std::string>{kExample + "#key-2"});
  EXPECT_EQ(crypto::multikey(*document->find_method(kExample + "#key-1")->key), kSigningKey);
  EXPECT_EQ(crypto::multikey(document->agreement_keys()[0].key), kAgreementKey);
  ASSERT_EQ(document->services.size(), 2U);
  const ServiceEndpoint first{kExample + "#service",
                              "http://example.com/didcomm",
                              {"didcomm/v2"},
                              {"did:example:123456789abcdefghi#key-1"}};
  EXPECT_EQ(document->services[0], first);
  EXPECT_EQ(document->services[1].id, kExample + "#service-1");
  EXPECT_EQ(document->services[1].uri, "http://example.com/another");
}

TEST(DidPeer2, WritesTheExampleOfItsSpecification) {
  const auto document = resolve(kExample);
  ASSERT_TRUE(document.has_value());
  const auto did =
      protocol::make_did_peer2({{*crypto::from_multikey(kSigningKey), KeyUse::authentication},
                                {*crypto::from_multikey(kAgreementKey), KeyUse::key_agreement}},
                               document->services);
  ASSERT_TRUE(did.has_value()) << did.error().detail;
  EXPECT_EQ(did->text(), kExample);
  EXPECT_EQ(protocol::did_peer2_kid(*did, 1), kExample + "#key-2");
}

TEST(DidPeer2, ReadsTheOlderForm) {
  const auto document = resolve(kOlderExample);
  ASSERT_TRUE(document.has_value()) << document.error().detail;
  EXPECT_EQ(document->key_agreement.front(), kOlderExample + "#key-1");
  EXPECT_EQ(document->authentication,
            (std::vector<std::string>{kOlderExample + "#key-2", kOlderExample + "#key-3"}));
  ASSERT_EQ(document->services.size(), 1U);
  EXPECT_EQ(document->services[0].uri, "https://example.com/endpoint");
  EXPECT_EQ(document->services[0].routing_keys.front(), "did:example:somemediator#somekey");
}

TEST(DidPeer2, RefusesWhatTheSpecificationForbids) {
  const std::string key = ".V" + std::string(kSigningKey);
  const std::vector<std::string> table = {
      "did:peer:2",
      "did:peer:2" + std::string(kSigningKey),
      "did:peer:2" + key + ".",
      "did:peer:2.." + key.substr(1),
      "did:peer:2.X" + std::string(kSigningKey),
      "did:peer:2.V" + std::string(kSigningKey).substr(1),
      "did:peer:2.Vz6Mkj3PUd1WjvaDhNZhhhXQdz5UnZXmS7ehtx8bsPpD47kK0",
      "did:peer:2" + service_element(R"({"t":"dm","s":{"uri":"https://a"}})"),
      "did:peer:2" + key + ".Sa",
      "did:peer:2" + key + service_element("[]"),
      "did:peer:2" + key + service_element(R"([{"t":"dm","s":{"uri":"https://a"}}])"),
      "did:peer:2" + key + service_element(R"({"t":"dm","type":"dm","s":{"uri":"https://a"}})"),
      "did:peer:2" + key + service_element(R"({"t":"dm"})"),
      "did:peer:2" + key + service_element(R"({"t":"dm","s":{}})"),
      "did:peer:2" + key +
          service_element(R"({"t":"dm","id":"did:a:b#s","s":{"uri":"https://a"}})"),
  };
  for (const std::string& text : table) {
    const auto did = Did::parse(text);
    if (did.has_error()) continue;  // Refused even earlier.
    EXPECT_TRUE(resolve_did_peer2(*did).has_error()) << text;
  }
  EXPECT_EQ(resolve("did:peer:0" + std::string(kSigningKey)).error().code, Errc::unsupported);
  EXPECT_EQ(resolve("did:key:" + std::string(kSigningKey)).error().code, Errc::unsupported);
}

TEST(DidPeer2, RefusesToMakeTooLongOrEmptyOnes) {
  test::World world;
  const PublicKey key = world.make_party().recipients()[0].key;
  EXPECT_EQ(protocol::make_did_peer2({}, {}).error().code, Errc::malformed);
  ServiceEndpoint huge;
  huge.uri = "https://example.org/" + std::string(limits::kDidCharsMax, 'a');
  EXPECT_EQ(protocol::make_did_peer2({{key, KeyUse::key_agreement}}, {huge}).error().code,
            Errc::limit_exceeded);
}

TEST(DidKey, ListsOnlyTheKeyItself) {
  test::World world;
  for (const KeyType type : {KeyType::ed25519, KeyType::secp256k1}) {
    const PublicKey key = world.keys.generate(type, KeyPurpose::authenticate)->public_key;
    const auto document = protocol::resolve_did_key(protocol::did_key(key));
    ASSERT_TRUE(document.has_value()) << document.error().detail;
    EXPECT_EQ(document->authentication, std::vector<std::string>{protocol::did_key_kid(key)});
    EXPECT_TRUE(document->key_agreement.empty());
    EXPECT_EQ(*document->authentication_key(protocol::did_key_kid(key)), key);
  }
  const PublicKey key = world.keys.generate(KeyType::x25519, KeyPurpose::agree)->public_key;
  const auto document = protocol::resolve_self_contained(protocol::did_key(key));
  ASSERT_TRUE(document.has_value());
  EXPECT_TRUE(document->authentication.empty());
  EXPECT_EQ(*document->agreement_key(protocol::did_key_kid(key)), key);
}

// did:key gives a key every use that its curve has.
TEST(DidKey, ListsNistKeysForAgreementAndAuthentication) {
  test::World world;
  for (const KeyType type : {KeyType::p256, KeyType::p384, KeyType::p521}) {
    const PublicKey key = world.keys.generate(type, KeyPurpose::agree)->public_key;
    const auto document = protocol::resolve_did_key(protocol::did_key(key));
    ASSERT_TRUE(document.has_value()) << document.error().detail;
    EXPECT_EQ(*document->agreement_key(protocol::did_key_kid(key)), key);
    EXPECT_EQ(document->authentication, std::vector<std::string>{protocol::did_key_kid(key)});
  }
}

TEST(DidKey, RefusesOtherFormsAndTypes) {
  const auto resolve_key = [](const std::string& text) {
    return protocol::resolve_did_key(*Did::parse(text)).error().code;
  };
  const Bytes bls{0xeb, 0x01, 0x02};
  EXPECT_EQ(resolve_key("did:key:" + crypto::multibase(bls)), Errc::unsupported);
  EXPECT_EQ(resolve_key("did:key:abc"), Errc::malformed);
  Bytes short_key{0xed, 0x01};
  short_key.resize(33, 7);
  EXPECT_EQ(resolve_key("did:key:" + crypto::multibase(short_key)), Errc::bad_key);
  EXPECT_EQ(resolve_key(kExample), Errc::unsupported);
}

TEST(SelfContainedDids, AreReadFromThemselvesHoweverManyWereReadBefore) {
  crypto::SeededRandom random(7, "dids");
  std::vector<Did> dids;
  for (int i = 0; i < 600; ++i) {
    const auto key = crypto::from_jwk(
        {{"kty", "OKP"}, {"crv", "X25519"}, {"x", crypto::base64url(random.bytes(32))}});
    // One random text in two is above the field's prime or so: skip what is no key.
    if (key.has_value()) dids.push_back(protocol::did_key(*key));
  }
  ASSERT_GT(dids.size(), 256U) << "more than are kept";
  for (int round = 0; round < 2; ++round) {
    for (const Did& did : dids) {
      const auto document = protocol::resolve_self_contained(did);
      ASSERT_TRUE(document.has_value());
      EXPECT_EQ(document->id, did);
      ASSERT_EQ(document->agreement_keys().size(), 1U);
      EXPECT_EQ(protocol::did_key(document->agreement_keys().front().key), did);
    }
  }
}

TEST(SelfContainedDids, AnAlteredOneIsReadAnew) {
  const auto did = *Did::parse(kExample);
  ASSERT_TRUE(protocol::resolve_self_contained(did).has_value());
  std::string text = kExample;
  const std::size_t place = text.find("z6Mkj3") + 5;
  text[place] = '4';
  const auto altered = *Did::parse(text);
  EXPECT_EQ(protocol::resolve_self_contained(altered).has_value(),
            resolve_did_peer2(altered).has_value());
  const auto cut = *Did::parse(kExample.substr(0, kExample.size() - 4));
  EXPECT_FALSE(protocol::resolve_self_contained(cut).has_value());
  EXPECT_EQ(protocol::resolve_self_contained(did)->raw, resolve_did_peer2(did)->raw);
}

}  // namespace
}  // namespace kith
