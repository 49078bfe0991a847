#include "crypto/jws.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/crypto/jose_fixture.hpp"

namespace kith::crypto {
namespace {

using test::decoded;
using test::edit_protected;
using test::edited;
using test::encoded;
using test::flip_first;
using test::object_of;
using test::Party;

constexpr std::string_view kPayload = R"({"id":"1","type":"https://didcomm.org/empty/1.0/empty"})";

class Jws : public test::JoseTest {
 protected:
  JwsSigner signer(const Party& party) const {
    return JwsSigner{party.sealed, party.public_key.type, party.kid};
  }
  std::string sign(const Party& party) {
    const auto text = sign_jws(keys_, signer(party), as_bytes(kPayload));
    EXPECT_TRUE(text.has_value());
    return text.value();
  }
  std::string token(const Party& party) {
    const auto text = sign_jwt(keys_, signer(party), kPayload);
    EXPECT_TRUE(text.has_value());
    return text.value();
  }
  KeyLookup lookup() const {
    return [this](std::string_view kid) -> Result<PublicKey> {
      for (const Party* party : {&alice_, &carol_, &dave_, &agreement_}) {
        if (party->kid == kid) return party->public_key;
      }
      return fail(Errc::unknown_peer);
    };
  }
  Errc refusal(std::string_view text) const {
    const auto opened = open_jws(text, lookup());
    return opened ? Errc::usage : opened.error().code;
  }

  Party alice_ = make("did:example:alice#key-1", KeyType::ed25519);
  Party carol_ = make("did:example:carol#key-3", KeyType::secp256k1);
  Party dave_ = make("did:example:dave#key-2", KeyType::p256);
  Party agreement_ = make("did:example:alice#x", KeyType::x25519);
};

JsonObject& only_signature(JsonObject& envelope) {
  return envelope["signatures"].as_array().front().as_object();
}

std::string flattened(std::string_view text) {
  return edited(text, [](JsonObject& envelope) {
    JsonObject signature = only_signature(envelope);
    envelope.erase("signatures");
    for (const auto& member : signature) envelope[member.key()] = member.value();
  });
}

TEST_F(Jws, OpensWhatItSignedWithEveryAlgorithm) {
  for (const auto& [party, alg] :
       {std::pair{&alice_, "EdDSA"}, std::pair{&carol_, "ES256K"}, std::pair{&dave_, "ES256"}}) {
    const auto opened = open_jws(sign(*party), lookup());
    ASSERT_TRUE(opened) << opened.error().detail;
    EXPECT_EQ(as_text(opened->payload), kPayload);
    EXPECT_EQ(opened->kid, party->kid);
    EXPECT_EQ(opened->alg, alg);
  }
}

/// The signature with order - s instead of s: as valid, but not the one that is written.
Bytes with_other_s(Bytes signature, std::string_view order_hex) {
  const Bytes order = from_hex(order_hex).value();
  int borrow = 0;
  for (std::size_t i = 32; i-- > 0;) {
    const int difference = order[i] - signature[32 + i] - borrow;
    borrow = difference < 0 ? 1 : 0;
    signature[32 + i] = static_cast<std::uint8_t>(difference & 0xff);
  }
  return signature;
}

TEST_F(Jws, WritesTheLowSAndReadsBoth) {
  // The orders of the two groups (SEC 2, sections 2.4.1 and 2.4.2).
  for (const auto& [party, order] :
       {std::pair{&carol_, "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"},
        std::pair{&dave_, "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"}}) {
    const std::string text = sign(*party);
    const Bytes low =
        from_base64url(
            std::string_view(object_of(text)["signatures"].at(0).at("signature").as_string()))
            .value();
    EXPECT_LT(low[32], 0x80);
    const Bytes high = with_other_s(low, order);
    EXPECT_GE(high[32], 0x7f);
    EXPECT_NE(low, high);
    const std::string altered = edited(text, [&](JsonObject& envelope) {
      only_signature(envelope)["signature"] = base64url(high);
    });
    EXPECT_TRUE(open_jws(altered, lookup()));
    EXPECT_FALSE(verify(party->public_key, as_bytes("x"), high, SValue::low_only).has_value());
  }
}

TEST_F(Jws, WritesTheGeneralFormWithTheKeyIdUnprotected) {
  JsonObject envelope = test::object_of(sign(alice_));
  JsonObject& signature = only_signature(envelope);
  EXPECT_EQ(decoded(signature["protected"]),
            R"({"typ":"application/didcomm-signed+json","alg":"EdDSA"})");
  EXPECT_EQ(json_text(signature["header"]), R"({"kid":"did:example:alice#key-1"})");
  EXPECT_EQ(decoded(envelope["payload"]), kPayload);
}

TEST_F(Jws, AcceptsTheFlattenedForm) {
  EXPECT_TRUE(open_jws(flattened(sign(alice_)), lookup()));
}

TEST_F(Jws, SignsNothingWithoutAProperKeyIdOrBeyondTheLimit) {
  for (const char* kid : {"", "did:example:a b", "did:\n", "did:\xC3\xBC"}) {
    EXPECT_EQ(sign_jws(keys_, JwsSigner{alice_.sealed, KeyType::ed25519, kid}, {}).error(),
              Errc::malformed);
  }
  const Bytes huge(limits::kEnvelopeBytesMax);
  EXPECT_EQ(sign_jws(keys_, signer(alice_), huge).error(), Errc::limit_exceeded);
  const Bytes slightly(limits::kEnvelopeBytesMax / 4 * 3);
  EXPECT_EQ(sign_jws(keys_, signer(alice_), slightly).error(), Errc::limit_exceeded);
}

/// A JWS with any protected header, correctly signed over exactly that header.
std::string signed_as_is(KeyOps& keys, const Party& party, std::string_view header,
                         const JsonObject& unprotected) {
  const std::string input = encoded(header) + "." + encoded(kPayload);
  JsonObject envelope;
  envelope["payload"] = encoded(kPayload);
  JsonObject signature;
  signature["protected"] = encoded(header);
  signature["signature"] = base64url(keys.sign(party.sealed, as_bytes(input)).value());
  if (!unprotected.empty()) signature["header"] = unprotected;
  JsonArray signatures;
  signatures.push_back(std::move(signature));
  envelope["signatures"] = std::move(signatures);
  return json_text(envelope);
}

TEST_F(Jws, TakesTheKeyIdFromEitherHeaderAndFromBothOnlyWhenEqual) {
  const std::string kid = R"(,"kid":"did:example:alice#key-1"})";
  const std::string head = R"({"typ":"application/didcomm-signed+json","alg":"EdDSA")";
  JsonObject same;
  same["kid"] = alice_.kid;
  JsonObject other;
  other["kid"] = carol_.kid;
  EXPECT_TRUE(open_jws(signed_as_is(keys_, alice_, head + kid, {}), lookup()));
  EXPECT_TRUE(open_jws(signed_as_is(keys_, alice_, head + kid, same), lookup()));
  EXPECT_TRUE(open_jws(signed_as_is(keys_, alice_, head + "}", same), lookup()));
  EXPECT_EQ(refusal(signed_as_is(keys_, alice_, head + kid, other)), Errc::malformed);
  EXPECT_EQ(refusal(signed_as_is(keys_, alice_, head + "}", {})), Errc::malformed);
}

TEST_F(Jws, RefusesHeadersThatChangeTheRulesEvenWhenCorrectlySigned) {
  struct Case {
    const char* header;
    Errc error;
  };
  const std::vector<Case> cases = {
      {R"({"typ":"didcomm-signed+json","alg":"EdDSA","crit":["exp"],"exp":1})", Errc::unsupported},
      {R"({"typ":"didcomm-signed+json","alg":"EdDSA","crit":[]})", Errc::unsupported},
      {R"({"typ":"didcomm-signed+json","alg":"EdDSA","b64":false})", Errc::unsupported},
      {R"({"typ":"didcomm-signed+json","alg":"EdDSA","b64":true})", Errc::unsupported},
      {R"({"typ":"didcomm-signed+json","alg":"none"})", Errc::unsupported},
      {R"({"typ":"didcomm-signed+json","alg":"None"})", Errc::unsupported},
      {R"({"typ":"didcomm-signed+json","alg":""})", Errc::unsupported},
      {R"({"typ":"didcomm-signed+json","alg":"eddsa"})", Errc::unsupported},
      {R"({"typ":"didcomm-signed+json","alg":"Ed25519"})", Errc::unsupported},
      {R"({"typ":"didcomm-signed+json","alg":"HS256"})", Errc::unsupported},
      {R"({"typ":"didcomm-signed+json","alg":"ES256"})", Errc::bad_signature},
      {R"({"typ":"didcomm-signed+json","alg":"ES384"})", Errc::unsupported},
      {R"({"typ":"didcomm-signed+json","alg":"ES256K"})", Errc::bad_signature},
      {R"({"typ":"didcomm-signed+json","alg":["EdDSA"]})", Errc::malformed},
      {R"({"typ":"didcomm-signed+json"})", Errc::malformed},
      {R"({"typ":"didcomm-signed+json","alg":"EdDSA","alg":"EdDSA"})", Errc::malformed},
      {R"({"typ":"didcomm-encrypted+json","alg":"EdDSA"})", Errc::malformed},
      {R"({"typ":"JWT","alg":"EdDSA"})", Errc::malformed},
      {R"({"typ":1,"alg":"EdDSA"})", Errc::malformed},
      {R"({"alg":"EdDSA"})", Errc::malformed},
      {R"({"typ":"didcomm-signed+json","alg":"EdDSA","kid":1})", Errc::malformed},
      {R"({"typ":"didcomm-signed+json","alg":"EdDSA","kid":""})", Errc::malformed},
      {R"(["EdDSA"])", Errc::malformed},
      {R"({"typ":"didcomm-signed+json","alg":"EdDSA"} x)", Errc::malformed},
  };
  JsonObject unprotected;
  unprotected["kid"] = alice_.kid;
  for (const Case& c : cases) {
    EXPECT_EQ(refusal(signed_as_is(keys_, alice_, c.header, unprotected)), c.error) << c.header;
  }
  EXPECT_EQ(refusal(signed_as_is(keys_, alice_, R"({"typ":"didcomm-signed+json","alg":"EdDSA"})",
                                 unprotected)),
            Errc::usage)
      << "the control, with nothing wrong, must open";
}

TEST_F(Jws, RefusesLongHeadersBeforeDecoding) {
  const std::string header = R"({"typ":"didcomm-signed+json","alg":"EdDSA","x":")" +
                             std::string(limits::kJoseHeaderBytesMax, 'x') + "\"}";
  JsonObject unprotected;
  unprotected["kid"] = alice_.kid;
  EXPECT_EQ(refusal(signed_as_is(keys_, alice_, header, unprotected)), Errc::limit_exceeded);
}

TEST_F(Jws, AcceptsNoneOfTheMutations) {
  using JwsEdit = std::function<void(JsonObject&)>;
  const std::string other = edited(sign(alice_), [&](JsonObject& envelope) {
    const std::string text = sign_jws(keys_, signer(alice_), as_bytes(R"({"id":"2"})")).value();
    envelope = test::object_of(text);
  });
  JsonObject other_object = test::object_of(other);
  const std::vector<std::pair<const char*, JwsEdit>> changes = {
      {"payload removed", [](JsonObject& e) { e.erase("payload"); }},
      {"payload a number", [](JsonObject& e) { e["payload"] = 1; }},
      {"payload null", [](JsonObject& e) { e["payload"] = nullptr; }},
      {"payload empty", [](JsonObject& e) { e["payload"] = ""; }},
      {"payload flipped", [](JsonObject& e) { flip_first(e["payload"]); }},
      {"payload padded",
       [](JsonObject& e) { e["payload"] = std::string(e["payload"].as_string()) + "="; }},
      {"payload with a line end",
       [](JsonObject& e) { e["payload"] = std::string(e["payload"].as_string()) + "\n"; }},
      {"payload in clear", [](JsonObject& e) { e["payload"] = kPayload; }},
      {"payload of another message",
       [&](JsonObject& e) { e["payload"] = other_object["payload"]; }},
      {"signatures removed", [](JsonObject& e) { e.erase("signatures"); }},
      {"signatures empty", [](JsonObject& e) { e["signatures"] = JsonArray(); }},
      {"signatures an object", [](JsonObject& e) { e["signatures"] = JsonObject(); }},
      {"signatures of numbers", [](JsonObject& e) { e["signatures"].as_array()[0] = 1; }},
      {"signature twice",
       [](JsonObject& e) {
         const Json copy = e["signatures"].as_array()[0];
         e["signatures"].as_array().push_back(copy);
       }},
      {"signature of another message",
       [&](JsonObject& e) {
         only_signature(e)["signature"] = only_signature(other_object)["signature"];
       }},
      {"signature removed", [](JsonObject& e) { only_signature(e).erase("signature"); }},
      {"signature empty", [](JsonObject& e) { only_signature(e)["signature"] = ""; }},
      {"signature zero",
       [](JsonObject& e) { only_signature(e)["signature"] = base64url(Bytes(64)); }},
      {"signature flipped", [](JsonObject& e) { flip_first(only_signature(e)["signature"]); }},
      {"signature cut",
       [](JsonObject& e) { only_signature(e)["signature"] = base64url(Bytes(63)); }},
      {"signature long",
       [](JsonObject& e) { only_signature(e)["signature"] = base64url(Bytes(65)); }},
      {"signature with loose trailing bits",
       [](JsonObject& e) {
         auto& text = only_signature(e)["signature"].as_string();
         text.back() = static_cast<char>(text.back() + 1);
       }},
      {"protected removed", [](JsonObject& e) { only_signature(e).erase("protected"); }},
      {"protected empty", [](JsonObject& e) { only_signature(e)["protected"] = ""; }},
      {"protected padded",
       [](JsonObject& e) {
         auto& text = only_signature(e)["protected"].as_string();
         text.push_back('=');
       }},
      {"protected respelled with white space",
       [](JsonObject& e) {
         only_signature(e)["protected"] = encoded(" " + decoded(only_signature(e)["protected"]));
       }},
      {"protected with a new member",
       [](JsonObject& e) { edit_protected(only_signature(e), [](JsonObject& h) { h["x"] = 1; }); }},
      {"alg none",
       [](JsonObject& e) {
         edit_protected(only_signature(e), [](JsonObject& h) { h["alg"] = "none"; });
       }},
      {"alg of another key type",
       [](JsonObject& e) {
         edit_protected(only_signature(e), [](JsonObject& h) { h["alg"] = "ES256K"; });
       }},
      {"alg moved outside",
       [](JsonObject& e) {
         edit_protected(only_signature(e), [](JsonObject& h) { h.erase("alg"); });
         only_signature(e)["header"].as_object()["alg"] = "EdDSA";
       }},
      {"alg repeated outside",
       [](JsonObject& e) { only_signature(e)["header"].as_object()["alg"] = "EdDSA"; }},
      {"crit outside",
       [](JsonObject& e) { only_signature(e)["header"].as_object()["crit"] = JsonArray(); }},
      {"b64 outside",
       [](JsonObject& e) { only_signature(e)["header"].as_object()["b64"] = false; }},
      {"typ outside",
       [](JsonObject& e) { only_signature(e)["header"].as_object()["typ"] = "JWT"; }},
      {"header removed", [](JsonObject& e) { only_signature(e).erase("header"); }},
      {"header a string", [](JsonObject& e) { only_signature(e)["header"] = "kid"; }},
      {"kid removed", [](JsonObject& e) { only_signature(e)["header"].as_object().erase("kid"); }},
      {"kid null", [](JsonObject& e) { only_signature(e)["header"].as_object()["kid"] = nullptr; }},
      {"kid with a blank",
       [](JsonObject& e) {
         only_signature(e)["header"].as_object()["kid"] = "did:example:alice#key-1 ";
       }},
      {"kid of someone else",
       [&](JsonObject& e) { only_signature(e)["header"].as_object()["kid"] = carol_.kid; }},
      {"kid of an agreement key",
       [&](JsonObject& e) { only_signature(e)["header"].as_object()["kid"] = agreement_.kid; }},
      {"kid nobody knows",
       [](JsonObject& e) { only_signature(e)["header"].as_object()["kid"] = "did:example:eve#1"; }},
      {"general and flattened at once",
       [](JsonObject& e) { e["signature"] = only_signature(e)["signature"]; }},
      {"a ciphertext beside", [](JsonObject& e) { e["ciphertext"] = "AAAA"; }},
  };
  const std::string valid = sign(alice_);
  ASSERT_TRUE(open_jws(edited(valid, [](JsonObject&) {}), lookup())) << "the control must open";
  for (const auto& [name, change] : changes) {
    EXPECT_FALSE(open_jws(edited(valid, change), lookup()).has_value()) << name;
  }
  const std::vector<std::string> texts = {
      "",
      valid.substr(0, valid.size() - 1),
      valid + "{}",
      "[" + valid + "]",
      token(alice_),
      "{\"payload\":\"e30\"," + valid.substr(1),
      valid.substr(0, valid.size() - 1) + ",\"payload\":\"e30\"}",
  };
  for (const std::string& text : texts) EXPECT_FALSE(open_jws(text, lookup())) << text;
}

TEST_F(Jws, RefusesEveryBitFlipInTheSignature) {
  JsonObject envelope = test::object_of(sign(carol_));
  const Bytes good = to_bytes(decoded(only_signature(envelope)["signature"]));
  for (std::size_t bit = 0; bit < good.size() * 8; bit += 5) {
    Bytes bad = good;
    bad[bit / 8] = static_cast<std::uint8_t>(bad[bit / 8] ^ (1U << (bit % 8)));
    only_signature(envelope)["signature"] = base64url(bad);
    EXPECT_EQ(refusal(json_text(envelope)), Errc::bad_signature) << bit;
  }
}

TEST_F(Jws, PassesTheLookupsRefusalOn) {
  const auto opened = open_jws(sign(alice_), [](std::string_view) -> Result<PublicKey> {
    return fail(Errc::refused, "not an authentication key");
  });
  EXPECT_EQ(opened.error(), Errc::refused);
}

TEST_F(Jws, TokensComeBackAndNameTheirKey) {
  for (const Party* party : {&alice_, &carol_}) {
    const auto opened = open_jwt(token(*party), lookup());
    ASSERT_TRUE(opened) << opened.error().detail;
    EXPECT_EQ(as_text(opened->payload), kPayload);
    EXPECT_EQ(opened->kid, party->kid);
  }
  const std::string text = token(alice_);
  EXPECT_EQ(decoded(Json(boost::json::string(text.substr(0, text.find('.'))))),
            R"({"typ":"JWT","alg":"EdDSA","kid":"did:example:alice#key-1"})");
}

TEST_F(Jws, RefusesDamagedTokens) {
  const std::string valid = token(alice_);
  const std::size_t first = valid.find('.');
  const std::size_t second = valid.find('.', first + 1);
  const std::string payload = valid.substr(first + 1, second - first - 1);
  const std::string signature = valid.substr(second + 1);
  const auto with_header = [&](std::string_view header) {
    const std::string input = encoded(header) + "." + payload;
    return input + "." + base64url(keys_.sign(alice_.sealed, as_bytes(input)).value());
  };
  const std::vector<std::string> texts = {
      "",
      "..",
      "...",
      valid + ".",
      valid + "=",
      valid + "\n",
      valid.substr(0, second),
      valid.substr(0, second + 1),
      valid.substr(first),
      valid.substr(0, first) + ".." + signature,
      valid.substr(0, first) + "." + encoded("{}") + "." + signature,
      sign(alice_),
      with_header(R"({"typ":"JWT","alg":"EdDSA"})"),
      with_header(R"({"typ":"JWT","alg":"none","kid":"did:example:alice#key-1"})"),
      with_header(R"({"typ":"JWT","alg":"ES256K","kid":"did:example:alice#key-1"})"),
      with_header(R"({"typ":"JWT","alg":"EdDSA","kid":"did:example:carol#key-3"})"),
      with_header(R"({"typ":"jwt","alg":"EdDSA","kid":"did:example:alice#key-1"})"),
      with_header(R"({"alg":"EdDSA","kid":"did:example:alice#key-1"})"),
      with_header(R"({"typ":"JWT","alg":"EdDSA","crit":["x"],"kid":"did:example:alice#key-1"})"),
      std::string(limits::kJwtCharsMax + 1, 'A'),
  };
  for (const std::string& text : texts) EXPECT_FALSE(open_jwt(text, lookup())) << text;
  EXPECT_TRUE(open_jwt(
      with_header(R"({"typ":"JWT","alg":"EdDSA","kid":"did:example:alice#key-1"})"), lookup()))
      << "the control must open";
  EXPECT_EQ(sign_jwt(keys_, signer(alice_), std::string(limits::kJwtCharsMax, 'a')).error(),
            Errc::limit_exceeded);
}

}  // namespace
}  // namespace kith::crypto
