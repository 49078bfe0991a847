#include "protocol/attachment.hpp"

#include <gtest/gtest.h>

#include "protocol/language.hpp"
#include "tests/support/parties.hpp"

namespace kith::protocol {
namespace {

const Bytes kHello = crypto::to_bytes(std::string_view("hello"));
constexpr std::string_view kHelloHex =
    "12202cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";

TEST(AttachmentHash, TakesEveryTextFormOfAMultihash) {
  const Bytes raw = crypto::from_hex(kHelloHex).value();
  for (const std::string& text : {std::string(kHelloHex), crypto::base58(raw),
                                  crypto::multibase(raw), content_hash(kHello)}) {
    EXPECT_TRUE(check_content_hash(text, kHello).has_value()) << text;
    EXPECT_EQ(check_content_hash(text, crypto::as_bytes("hallo")).error(), Errc::malformed);
  }
  EXPECT_TRUE(content_hash(kHello).starts_with("Qm"));
}

TEST(AttachmentHash, TellsUnknownFunctionsFromBrokenHashes) {
  // SHA3-256 (0x16).
  Bytes other = crypto::from_hex(kHelloHex).value();
  other[0] = 0x16;
  EXPECT_EQ(check_content_hash(crypto::base58(other), kHello).error(), Errc::unsupported);
  Bytes cut = crypto::from_hex(kHelloHex).value();
  cut.pop_back();
  EXPECT_EQ(check_content_hash(crypto::hex(cut), kHello).error(), Errc::malformed);
  cut[1] = 31;  // Says what it has, but SHA-256 has 32.
  EXPECT_EQ(check_content_hash(crypto::hex(cut), kHello).error(), Errc::malformed);
  EXPECT_EQ(check_content_hash("", kHello).error(), Errc::malformed);
  EXPECT_EQ(check_content_hash(std::string(1000, '1'), kHello).error(), Errc::malformed);
}

TEST(AttachmentHash, WhatIsFetchedMustFitSizeAndHash) {
  Attachment attachment;
  attachment.links = {"https://example.org/1"};
  EXPECT_EQ(check_fetched(attachment, kHello).error(), Errc::malformed);
  attachment.hash = std::string(kHelloHex);
  EXPECT_TRUE(check_fetched(attachment, kHello).has_value());
  attachment.byte_count = 5;
  EXPECT_TRUE(check_fetched(attachment, kHello).has_value());
  attachment.byte_count = 6;
  EXPECT_EQ(check_fetched(attachment, kHello).error(), Errc::malformed);
}

TEST(AttachmentSignature, VerifiesForTheListedSignerOnly) {
  test::World world;
  for (const KeyType type : {KeyType::ed25519, KeyType::secp256k1, KeyType::p256}) {
    const test::Party alice = world.make_party(type);
    Attachment attachment = base64_attachment(kHello, "1");
    EXPECT_EQ(verify_attachment(attachment, kHello, world.dids).error(), Errc::not_found);
    ASSERT_TRUE(sign_attachment(attachment, alice.signing, world.keys).has_value());
    const auto kid = verify_attachment(attachment, kHello, world.dids);
    ASSERT_TRUE(kid.has_value()) << kid.error().detail;
    EXPECT_EQ(*kid, alice.signing.kid);
    EXPECT_EQ(verify_attachment(attachment, crypto::as_bytes("hallo"), world.dids).error(),
              Errc::bad_signature);
    DidDocument without = alice.document;
    without.authentication.clear();
    world.dids.put(without);
    EXPECT_EQ(verify_attachment(attachment, kHello, world.dids).error(), Errc::not_authentic);
  }
}

TEST(AttachmentSignature, ReadsTheCompactFormAndRefusesPayloadsInside) {
  test::World world;
  const test::Party alice = world.make_party();
  Attachment attachment = base64_attachment(kHello, "1");
  ASSERT_TRUE(sign_attachment(attachment, alice.signing, world.keys).has_value());
  JsonObject& jws = attachment.jws->as_object();
  // The compact form has its kid in the protected header.
  const std::string header = R"({"alg":"EdDSA","kid":")" + alice.signing.kid + "\"}";
  const std::string head = crypto::base64url(crypto::as_bytes(header));
  const std::string input = head + "." + crypto::base64url(kHello);
  const Bytes signature = world.keys.sign(alice.signing.key, crypto::as_bytes(input)).value();
  Attachment compact = attachment;
  compact.jws = Json(head + ".." + crypto::base64url(signature));
  EXPECT_TRUE(verify_attachment(compact, kHello, world.dids).has_value());
  compact.jws = Json(head + "." + crypto::base64url(kHello) + "." + crypto::base64url(signature));
  EXPECT_EQ(verify_attachment(compact, kHello, world.dids).error(), Errc::malformed);
  jws["payload"] = crypto::base64url(kHello);
  EXPECT_EQ(verify_attachment(attachment, kHello, world.dids).error(), Errc::malformed);
  attachment.jws = Json(7);
  EXPECT_EQ(verify_attachment(attachment, kHello, world.dids).error(), Errc::malformed);
}

TEST(Languages, KnowsTagsFromOtherText) {
  for (const char* tag : {"en", "fr", "pt-BR", "zh-Hant-TW", "de-CH-1996", "x-private"}) {
    EXPECT_TRUE(is_language_tag(tag)) << tag;
  }
  for (const char* other : {"", "-", "en-", "-en", "en_US", "fr;q=0.5", "9a", "toolonglanguage",
                            "en--US", "fr, en", "*"}) {
    EXPECT_FALSE(is_language_tag(other)) << other;
  }
  std::string longest = "en";
  while (longest.size() + 3 <= limits::kLanguageTagCharsMax) longest += "-ab";
  EXPECT_TRUE(is_language_tag(longest));
  EXPECT_FALSE(is_language_tag(longest + "-ab"));
}

TEST(Languages, ChoosesByThePeersRank) {
  const std::vector<std::string> ours = {"en", "de", "pt"};
  EXPECT_EQ(choose_language({"fr", "de", "en"}, ours, "en"), "de");
  EXPECT_EQ(choose_language({"pt-BR", "de"}, ours, "en"), "pt");
  EXPECT_EQ(choose_language({"DE-ch"}, ours, "en"), "de");
  EXPECT_EQ(choose_language({"fr"}, ours, "en"), "en");
  EXPECT_EQ(choose_language({}, ours, "en"), "en");
}

}  // namespace
}  // namespace kith::protocol
