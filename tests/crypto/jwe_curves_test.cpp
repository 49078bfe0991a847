/// Envelopes on every curve of DIDComm v2.1, and curves that do not fit each other.

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "crypto/ec_nist.hpp"
#include "crypto/jwe.hpp"
#include "tests/crypto/jose_fixture.hpp"

namespace kith::crypto {
namespace {

using test::Party;

constexpr KeyType kCurves[] = {KeyType::x25519, KeyType::p256, KeyType::p384, KeyType::p521};
constexpr ContentEncryption kContentCiphers[] = {
    ContentEncryption::a256cbc_hs512, ContentEncryption::a256gcm, ContentEncryption::xc20p};
constexpr std::string_view kText = R"({"id":"1"})";

class JweCurves : public test::JoseTest {
 protected:
  Party agreeing(const std::string& kid, KeyType curve) {
    return make(kid, curve, KeyPurpose::agree);
  }
  static JweTarget target(const Party& party) { return {party.kid, party.public_key}; }
  Result<std::string> authcrypt(const Party& from, const std::vector<JweTarget>& to) {
    return encrypt_authenticated(as_bytes(kText), {from.sealed, from.kid}, to, keys_, random_);
  }
  Result<Bytes> open(std::string_view text, const Party& party, const PublicKey* sender) {
    TRY(const ParsedJwe jwe, parse_jwe(text));
    return decrypt(jwe, party.kid, party.sealed, sender, keys_);
  }
};

TEST_F(JweCurves, EveryCurveWithEveryCipherForSeveralKeys) {
  for (const KeyType curve : kCurves) {
    const Party alice = agreeing("did:example:alice#1", curve);
    const Party bob = agreeing("did:example:bob#1", curve);
    const Party tablet = agreeing("did:example:bob#2", curve);
    std::vector<std::pair<std::string, const PublicKey*>> envelopes;
    for (const ContentEncryption enc : kContentCiphers) {
      const auto anonymous =
          encrypt_anonymous(as_bytes(kText), {target(bob), target(tablet)}, keys_, random_, enc);
      ASSERT_TRUE(anonymous.has_value()) << anonymous.error().detail;
      envelopes.emplace_back(*anonymous, nullptr);
    }
    const auto authenticated = authcrypt(alice, {target(bob), target(tablet)});
    ASSERT_TRUE(authenticated.has_value()) << authenticated.error().detail;
    envelopes.emplace_back(*authenticated, &alice.public_key);
    for (const auto& [text, sender] : envelopes) {
      EXPECT_EQ(parse_jwe(text)->ephemeral.type, curve);
      for (const Party* party : {&bob, &tablet}) {
        const auto opened = open(text, *party, sender);
        ASSERT_TRUE(opened.has_value()) << opened.error().detail;
        EXPECT_EQ(as_text(*opened), kText);
      }
    }
  }
}

TEST_F(JweCurves, OneEnvelopeTakesOneCurve) {
  const Party x = agreeing("did:example:bob#1", KeyType::x25519);
  const Party p = agreeing("did:example:bob#2", KeyType::p384);
  EXPECT_EQ(encrypt_anonymous({}, {target(x), target(p)}, keys_, random_).error(), Errc::malformed);
}

TEST_F(JweCurves, SenderAndRecipientMustBeOnTheSameCurve) {
  for (const KeyType mine : kCurves) {
    for (const KeyType theirs : kCurves) {
      const Party alice = agreeing("did:example:alice#1", mine);
      const Party bob = agreeing("did:example:bob#1", theirs);
      const auto packed = authcrypt(alice, {target(bob)});
      EXPECT_EQ(packed.has_value(), mine == theirs);
      if (!packed.has_value()) {
        EXPECT_EQ(packed.error(), Errc::bad_key);
      }
    }
  }
}

TEST_F(JweCurves, OpensWithNoKeyOfAnotherCurve) {
  const Party alice = agreeing("did:example:alice#1", KeyType::p256);
  const Party bob = agreeing("did:example:bob#1", KeyType::p256);
  const std::string text = authcrypt(alice, {target(bob)}).value();
  ASSERT_TRUE(open(text, bob, &alice.public_key).has_value());
  for (const KeyType curve : {KeyType::x25519, KeyType::p384, KeyType::p521}) {
    const Party other = agreeing("did:example:bob#1", curve);
    EXPECT_EQ(open(text, other, &alice.public_key).error(), Errc::cannot_decrypt);
    EXPECT_EQ(open(text, bob, &other.public_key).error(), Errc::bad_key);
  }
  const Party stranger = agreeing("did:example:eve#1", KeyType::p256);
  EXPECT_EQ(open(text, bob, &stranger.public_key).error(), Errc::cannot_decrypt);
}

TEST_F(JweCurves, RefusesEphemeralKeysOffTheCurve) {
  for (const KeyType curve : {KeyType::p256, KeyType::p384, KeyType::p521}) {
    const Party bob = agreeing("did:example:bob#1", curve);
    const std::string good =
        encrypt_anonymous(as_bytes(kText), {target(bob)}, keys_, random_).value();
    const auto with_epk = [&](const std::string& member, const Bytes& value) {
      return test::edited(good, [&](JsonObject& envelope) {
        test::edit_protected(envelope, [&](JsonObject& header) {
          header["epk"].as_object()[member] = base64url(value);
        });
      });
    };
    const std::size_t size = nist_field_bytes(curve);
    EXPECT_EQ(parse_jwe(with_epk("y", Bytes(size, 5))).error(), Errc::bad_key);
    EXPECT_EQ(parse_jwe(with_epk("x", Bytes(size, 0xff))).error(), Errc::bad_key);
    EXPECT_EQ(parse_jwe(with_epk("x", Bytes(size + 1, 1))).error(), Errc::bad_key);
    EXPECT_EQ(parse_jwe(with_epk("x", Bytes(size - 1, 1))).error(), Errc::bad_key);
  }
}

TEST_F(JweCurves, KeysServeOnlyThePurposeTheyWereMadeFor) {
  const Party signer = make("did:example:alice#1", KeyType::p256, KeyPurpose::authenticate);
  const Party bob = agreeing("did:example:bob#1", KeyType::p256);
  EXPECT_EQ(authcrypt(signer, {target(bob)}).error(), Errc::key_misuse);
  EXPECT_EQ(keys_.sign(bob.sealed, as_bytes(kText)).error(), Errc::key_misuse);
  EXPECT_EQ(keys_.open_box(bob.sealed, {}, Bytes(64)).error(), Errc::key_misuse);
  for (const KeyPurpose purpose :
       {KeyPurpose::authenticate, KeyPurpose::log_active, KeyPurpose::session, KeyPurpose::vault}) {
    EXPECT_EQ(keys_.generate(KeyType::p384, purpose).error(), Errc::key_misuse);
  }
  EXPECT_EQ(keys_.generate(KeyType::p256, KeyPurpose::log_active).error(), Errc::key_misuse);
}

TEST_F(JweCurves, KeepsStaticHalvesOnlyWhileAllowed) {
  const Party alice = agreeing("did:example:alice#1", KeyType::x25519);
  const Party bob = agreeing("did:example:bob#1", KeyType::x25519);
  const std::string text = authcrypt(alice, {target(bob)}).value();
  EXPECT_EQ(keys_.kept_agreements(), 1U);
  ASSERT_TRUE(open(text, bob, &alice.public_key).has_value());
  EXPECT_EQ(keys_.kept_agreements(), 2U);  // One node plays both here.
  // What was kept gives the same result as what is computed.
  ASSERT_TRUE(open(authcrypt(alice, {target(bob)}).value(), bob, &alice.public_key).has_value());
  EXPECT_EQ(keys_.kept_agreements(), 2U);
  keys_.forget_agreements(bob.public_key);
  EXPECT_EQ(keys_.kept_agreements(), 0U);
  ASSERT_TRUE(open(text, bob, &alice.public_key).has_value());
  keys_.keep_agreements(0);
  EXPECT_EQ(keys_.kept_agreements(), 0U);
  ASSERT_TRUE(open(text, bob, &alice.public_key).has_value());
  EXPECT_EQ(keys_.kept_agreements(), 0U);
  // A kept half never replaces the other checks.
  keys_.keep_agreements(8);
  ASSERT_TRUE(open(text, bob, &alice.public_key).has_value());
  const Party eve = agreeing("did:example:eve#1", KeyType::x25519);
  EXPECT_EQ(open(text, bob, &eve.public_key).error(), Errc::cannot_decrypt);
}

}  // namespace
}  // namespace kith::crypto
