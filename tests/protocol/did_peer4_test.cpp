#include <gtest/gtest.h>

#include "crypto/hash.hpp"
#include "crypto/limits.hpp"
#include "protocol/did_key.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/resolver.hpp"

namespace kith {
namespace {

using protocol::is_did_peer4_long;
using protocol::make_did_peer4;
using protocol::resolve_did_peer4;
using protocol::resolve_self_contained;

// The example of the Peer DID Method Specification, method 4.
const std::string kLong =
    "did:peer:4zQmd8CpeFPci817KDsbSAKWcXAE2mjvCQSasRewvbSF54Bd:z2M1k7h4psgp4CmJcnQn2Ljp7Pz7kt"
    "sd7oBhMU3dWY5s4fhFNj17qcRTQ427C7QHNT6cQ7T3XfRh35Q2GhaNFZmWHVFq4vL7F8nm36PA9Y96DvdrUiRUai"
    "CuXnBFrn1o7mxFZAx14JL4t8vUWpuDPwQuddVo1T8myRiVH7wdxuoYbsva5x6idEpCQydJdFjiHGCpNc2UtjzPQ8"
    "awSXkctGCnBmgkhrj5gto3D4i3EREXYq4Z8r2cWGBr2UzbSmnxW2BuYddFo9Yfm6mKjtJyLpF74ytqrF5xtf84Mn"
    "GFg1hMBmh1xVx1JwjZ2BeMJs7mNS8DTZhKC7KH38EgqDtUZzfjhpjmmUfkXg2KFEA3EGbbVm1DPqQXayPYKAsYPS"
    "9AyKkcQ3fzWafLPP93UfNhtUPL8JW5pMcSV3P8v6j3vPXqnnGknNyBprD6YGUVtgLiAqDBDUF3LSxFQJCVYYtghM"
    "Tv8WuSw9h1a1SRFrDQLGHE4UrkgoRvwaGWr64aM87T1eVGkP5Dt4L1AbboeK2ceLArPScrdYGTpi3BpTkLwZCdjd"
    "iFSfTy9okL1YNRARqUf2wm8DvkVGUU7u5nQA3ZMaXWJAewk6k1YUxKd7LvofGUK4YEDtoxN5vb6r1Q2godrGqaPk"
    "jfL3RoYPpDYymf9XhcgG8Kx3DZaA6cyTs24t45KxYAfeCw4wqUpCH9HbpD78TbEUr9PPAsJgXBvBj2VVsxnr7FKb"
    "K4KykGcg1W8M1JPz21Z4Y72LWgGQCmixovrkHktcTX1uNHjAvKBqVD5C7XmVfHgXCHj7djCh3vzLNuVLtEED8J1h"
    "hqsB1oCBGiuh3xXr7fZ9wUjJCQ1HYHqxLJKdYKtoCiPmgKM7etVftXkmTFETZmpM19aRyih3bao76LdpQtbw636r"
    "7a3qt8v4WfxsXJetSL8c7t24SqQBcAY89FBsbEnFNrQCMK3JEseKHVaU388ctvRD45uQfe5GndFxthj4iSDomk4u"
    "RFd1uRbywoP1tRuabHTDX42UxPjz";
const std::string kShort = "did:peer:4zQmd8CpeFPci817KDsbSAKWcXAE2mjvCQSasRewvbSF54Bd";

/// A long form around `json`, with the hash that belongs to it.
std::string long_form_of(std::string_view json, Bytes codec = {0x80, 0x04}) {
  crypto::append(codec, crypto::as_bytes(json));
  const std::string document = crypto::multibase(codec);
  Bytes hash{0x12, 0x20};
  crypto::append(hash, crypto::sha256(crypto::as_bytes(document)));
  return "did:peer:4" + crypto::multibase(hash) + ":" + document;
}

Errc resolve_error(const std::string& did) {
  const auto parsed = Did::parse(did);
  if (!parsed.has_value()) return parsed.error().code;
  const auto resolved = resolve_self_contained(*parsed);
  return resolved.has_value() ? Errc::conflict : resolved.error().code;
}

// Section "Method 4", long form: id, alsoKnownAs and controllers are filled in.
TEST(DidPeer4, ResolvesTheExampleOfItsSpecification) {
  const Did did = *Did::parse(kLong);
  ASSERT_TRUE(is_did_peer4_long(did));
  const auto document = resolve_self_contained(did);
  ASSERT_TRUE(document.has_value()) << document.error().detail;
  EXPECT_EQ(document->raw.at("alsoKnownAs"), (JsonArray{Json(kShort)}));
  EXPECT_EQ(document->authentication, std::vector<std::string>{kLong + "#6MkrCD1c"});
  EXPECT_EQ(document->key_agreement, std::vector<std::string>{kLong + "#6LSqPZfn"});
  const auto* method = document->find_method(kLong + "#6LSqPZfn");
  ASSERT_NE(method, nullptr);
  EXPECT_EQ(method->controller, kLong);
  EXPECT_EQ(crypto::multikey(*method->key), "z6LSqPZfn9krvgXma2icTMKf2uVcYhKXsudCmPoUzqGYW24U");
  ASSERT_EQ(document->services.size(), 1U);
  EXPECT_EQ(document->services[0].uri, "didcomm:transport/queue");
}

// The same, short form: only for those who have seen the long one.
TEST(DidPeer4, GivesTheShortFormItsOwnDocument) {
  const auto document = protocol::did_peer4_short_document(*Did::parse(kLong));
  ASSERT_TRUE(document.has_value()) << document.error().detail;
  EXPECT_EQ(document->id.text(), kShort);
  EXPECT_EQ(document->raw.at("alsoKnownAs"), (JsonArray{Json(kLong)}));
  EXPECT_EQ(document->authentication, std::vector<std::string>{kShort + "#6MkrCD1c"});
  EXPECT_EQ(document->find_method(kShort + "#6MkrCD1c")->controller, kShort);
  EXPECT_FALSE(is_did_peer4_long(*Did::parse(kShort)));
  EXPECT_EQ(resolve_error(kShort), Errc::unsupported);
}

TEST(DidPeer4, ReadsWhatItWrote) {
  const JsonObject input{
      {"@context", "https://www.w3.org/ns/did/v1"},
      {"authentication",
       JsonArray{
           JsonObject{{"id", "#k"},
                      {"type", "Multikey"},
                      {"publicKeyMultibase", "z6Mkj3PUd1WjvaDhNZhhhXQdz5UnZXmS7ehtx8bsPpD47kKc"}}}},
      {"alsoKnownAs", JsonArray{Json("https://example.com/me")}},
      {"unknown", JsonObject{{"kept", true}}}};
  const auto made = make_did_peer4(input);
  ASSERT_TRUE(made.has_value()) << made.error().detail;
  const auto document = resolve_did_peer4(made->long_form);
  ASSERT_TRUE(document.has_value()) << document.error().detail;
  EXPECT_EQ(document->raw.at("unknown").get_object().at("kept"), true);
  EXPECT_EQ(document->raw.at("alsoKnownAs").get_array().size(), 2U);
  EXPECT_EQ(document->authentication_keys().size(), 1U);
  EXPECT_EQ(made->long_form.text().substr(0, made->short_form.text().size()),
            made->short_form.text());
}

TEST(DidPeer4, RefusesAnotherDocumentUnderTheSameHash) {
  std::string altered = kLong;
  altered.back() = altered.back() == 'z' ? 'y' : 'z';
  EXPECT_EQ(resolve_error(altered), Errc::not_authentic);
  const std::string other = long_form_of("{}");
  EXPECT_EQ(resolve_error(kShort + other.substr(other.rfind(':'))), Errc::not_authentic);
}

TEST(DidPeer4, RefusesDocumentsThatBreakItsRules) {
  const std::string key =
      R"("type":"Multikey","publicKeyMultibase":"z6Mkj3PUd1WjvaDhNZhhhXQdz5UnZXmS7ehtx8bsPpD47kKc")";
  EXPECT_EQ(resolve_error(long_form_of(R"({"verificationMethod":[{"id":"#k",)" + key + "}]}")),
            Errc::conflict)
      << "resolves";
  const std::string bad[] = {
      long_form_of(R"({"id":"did:example:a"})"),
      long_form_of(R"({"verificationMethod":[{"id":"did:example:a#k",)" + key + "}]}"),
      long_form_of(R"({"verificationMethod":[{)" + key + "}]}"),
      long_form_of(R"({"authentication":[{"id":"did:example:a#k",)" + key + "}]}"),
      long_form_of(R"({"service":[{"type":"X","serviceEndpoint":"https://a/"}]})"),
      long_form_of(R"({"alsoKnownAs":"https://a/"})"),
      long_form_of("[]"),
      long_form_of("{"),
      long_form_of("{}", {0x00, 0x04}),
      long_form_of("", {0x80}),
  };
  for (const std::string& did : bad) EXPECT_EQ(resolve_error(did), Errc::malformed) << did;
  const JsonObject with_id{{"id", "did:example:a"}};
  EXPECT_EQ(make_did_peer4(with_id).error().code, Errc::malformed);
  const JsonObject large{{"text", std::string(limits::kDidCharsMax, 'x')}};
  EXPECT_EQ(make_did_peer4(large).error().code, Errc::limit_exceeded);
}

// Section "Method 0": like the did:key of the same key.
TEST(DidPeer0, IsOneKey) {
  const std::string key = "z6MkpTHR8VNsBxYAAWHut2Geadd9jSwuBV8xRoAnwWsdvktH";
  const std::string did = "did:peer:0" + key;
  const auto document = resolve_self_contained(*Did::parse(did));
  ASSERT_TRUE(document.has_value()) << document.error().detail;
  EXPECT_EQ(document->authentication, std::vector<std::string>{did + "#" + key});
  EXPECT_TRUE(document->key_agreement.empty()) << "no key is derived silently";
  const std::string agree = "z6LSg8zQom395jKLrGiBNruB9MM6V8PWuf2FpEy4uRFiqQBR";
  EXPECT_EQ(resolve_self_contained(*Did::parse("did:peer:0" + agree))->agreement_keys().size(), 1U);
  EXPECT_EQ(resolve_error("did:peer:0"), Errc::malformed);
  EXPECT_EQ(resolve_error("did:peer:1zQmZMygzYqNwU6Uhmewx5Xepf2VLp5S4HLSwwgf2aiKZuwa"),
            Errc::unsupported);
  EXPECT_EQ(resolve_error("did:peer:3zQmS19jtYDvGtKVrJhQnRFpBQAx3pJ9omx2HpNrcXFuRCz9"),
            Errc::unsupported);
}

// The did:key Method, test vectors: one of each type, with what it may do.
TEST(DidKey, ResolvesTheKeysOfItsSpecification) {
  struct Row {
    std::string key;
    KeyType type;
    bool signs;
    bool agrees;
  };
  const Row rows[] = {
      {"z6MkiTBz1ymuepAQ4HEHYSF1H8quG5GLVVQR3djdX3mDooWp", KeyType::ed25519, true, false},
      {"z6LSeu9HkTHSfLLeUs2nnzUSNedgDUevfNQgQjQC23ZCit6F", KeyType::x25519, false, true},
      {"zQ3shokFTS3brHcDQrn82RUDfCZESWL1ZdCEJwekUDPQiYBme", KeyType::secp256k1, true, false},
      {"zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169", KeyType::p256, true, true},
      {"zDnaerx9CtbPJ1q36T5Ln5wYt3MQYeGRG5ehnPAmxcf5mDZpv", KeyType::p256, true, true},
      {"z82Lm1MpAkeJcix9K8TMiLd5NMAhnwkjjCBeWHXyu3U4oT2MVJJKXkcVBgjGhnLBn2Kaau9", KeyType::p384,
       true, true},
      {"z2J9gaYxrKVpdoG9A4gRnmpnRCcxU6agDtFVVBVdn1JedouoZN7SzcyREXXzWgt3gGiwpoHq7K68X4m32D8HgzG8wv3"
       "sY5j7",
       KeyType::p521, true, true},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.key);
    const auto document = resolve_self_contained(*Did::parse("did:key:" + row.key));
    ASSERT_TRUE(document.has_value()) << document.error().detail;
    const std::string kid = "did:key:" + row.key + "#" + row.key;
    EXPECT_EQ(document->find_method(kid)->key->type, row.type);
    EXPECT_EQ(document->raw.contains("assertionMethod"), row.signs);
    EXPECT_EQ(document->raw.contains("capabilityInvocation"), row.signs);
    EXPECT_EQ(document->authentication.size(), row.signs ? 1U : 0U);
    EXPECT_EQ(document->key_agreement.size(), row.agrees ? 1U : 0U);
  }
}

}  // namespace
}  // namespace kith
