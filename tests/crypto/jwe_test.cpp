#include "crypto/jwe.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "tests/crypto/jose_fixture.hpp"

namespace kith::crypto {
namespace {

using test::edited;
using test::Party;

constexpr std::string_view kMessage = R"({"id":"1","body":{"text":"the key is under the mat"}})";

constexpr ContentEncryption kAllEnc[] = {ContentEncryption::a256cbc_hs512,
                                         ContentEncryption::a256gcm, ContentEncryption::xc20p};

class Jwe : public test::JoseTest {
 protected:
  static std::vector<JweTarget> targets(const std::vector<Party>& parties) {
    std::vector<JweTarget> list;
    for (const Party& party : parties) list.push_back(JweTarget{party.kid, party.public_key});
    return list;
  }
  std::string authcrypt(const std::vector<Party>& to, std::string_view text = kMessage) {
    const auto jwe = encrypt_authenticated(as_bytes(text), JweSender{alice_.sealed, alice_.kid},
                                           targets(to), keys_, random_);
    EXPECT_TRUE(jwe.has_value());
    return jwe.value();
  }
  std::string anoncrypt(const std::vector<Party>& to, ContentEncryption enc) {
    const auto jwe = encrypt_anonymous(as_bytes(kMessage), targets(to), keys_, random_, enc);
    EXPECT_TRUE(jwe.has_value());
    return jwe.value();
  }
  Result<Bytes> open(std::string_view text, const Party& recipient, const PublicKey* sender) {
    TRY(const ParsedJwe jwe, parse_jwe(text));
    return decrypt(jwe, recipient.kid, recipient.sealed, sender, keys_);
  }

  Party alice_ = make("did:example:alice#x-1", KeyType::x25519);
  Party bob_ = make("did:example:bob#x-1", KeyType::x25519);
  Party carol_ = make("did:example:bob#x-2", KeyType::x25519);
  Party eve_ = make("did:example:eve#x-1", KeyType::x25519);
};

TEST_F(Jwe, AnoncryptComesBackUnderEveryContentCipherForEveryRecipient) {
  for (const ContentEncryption enc : kAllEnc) {
    const std::string text = anoncrypt({carol_, bob_}, enc);
    const auto parsed = parse_jwe(text);
    ASSERT_TRUE(parsed) << parsed.error().detail;
    EXPECT_EQ(parsed->agreement, KeyAgreement::ecdh_es);
    EXPECT_EQ(parsed->enc, enc);
    EXPECT_FALSE(parsed->skid.has_value());
    for (const Party& party : {bob_, carol_}) {
      const auto plain = open(text, party, nullptr);
      ASSERT_TRUE(plain) << plain.error().detail;
      EXPECT_EQ(as_text(*plain), kMessage);
    }
  }
}

TEST_F(Jwe, AuthcryptComesBackAndNamesTheSenderKey) {
  const std::string text = authcrypt({bob_, carol_});
  const auto parsed = parse_jwe(text);
  ASSERT_TRUE(parsed) << parsed.error().detail;
  EXPECT_EQ(parsed->skid, alice_.kid);
  for (const Party& party : {bob_, carol_}) {
    const auto plain = open(text, party, &alice_.public_key);
    ASSERT_TRUE(plain) << plain.error().detail;
    EXPECT_EQ(as_text(*plain), kMessage);
  }
}

TEST_F(Jwe, EmptyAndLargeMessagesComeBack) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{15}, std::size_t{16},
                                 std::size_t{100000}, limits::kJsonBytesMax}) {
    const std::string message(size, 'm');
    const auto plain = open(authcrypt({bob_}, message), bob_, &alice_.public_key);
    ASSERT_TRUE(plain) << size;
    EXPECT_EQ(as_text(*plain), message);
  }
}

TEST_F(Jwe, WritesWhatDidcommPeersRead) {
  JsonObject envelope = test::object_of(authcrypt({carol_, bob_}));
  std::vector<std::string> names;
  for (const auto& member : envelope) names.emplace_back(member.key());
  EXPECT_EQ(names,
            (std::vector<std::string>{"protected", "recipients", "iv", "ciphertext", "tag"}));
  JsonObject header = test::object_of(test::decoded(envelope["protected"]));
  EXPECT_EQ(header["typ"], "application/didcomm-encrypted+json");
  EXPECT_EQ(header["alg"], "ECDH-1PU+A256KW");
  EXPECT_EQ(header["enc"], "A256CBC-HS512");
  EXPECT_EQ(header["skid"], "did:example:alice#x-1");
  EXPECT_EQ(test::decoded(header["apu"]), "did:example:alice#x-1");
  EXPECT_EQ(header["epk"].as_object()["crv"], "X25519");
  EXPECT_EQ(header.size(), 7U);
}

TEST_F(Jwe, ApvIsTheDigestOfTheSortedKids) {
  const std::vector<std::string> kids = {"did:example:bob#key-x25519-1",
                                         "did:example:bob#key-x25519-2",
                                         "did:example:bob#key-x25519-3"};
  // The value that stands in the specification's own examples.
  EXPECT_EQ(base64url(recipients_digest(kids)), "NcsuAnrRfPK69A-rkZ0L9XWUG4jMvNC3Zg74BPz53PA");
  EXPECT_EQ(recipients_digest({kids[2], kids[0], kids[1]}), recipients_digest(kids));
  EXPECT_NE(recipients_digest({kids[0], kids[1]}), recipients_digest(kids));
}

TEST_F(Jwe, EveryEnvelopeHasFreshSecrets) {
  const auto first = parse_jwe(authcrypt({bob_}));
  const auto second = parse_jwe(authcrypt({bob_}));
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->ephemeral, second->ephemeral);
  EXPECT_NE(first->iv, second->iv);
  EXPECT_NE(first->ciphertext, second->ciphertext);
}

TEST_F(Jwe, EncryptsToOneToSixteenDistinctX25519Keys) {
  std::vector<Party> many;
  for (std::size_t i = 0; i < limits::kRecipientsMax; ++i) {
    many.push_back(make("did:example:bob#k" + std::to_string(i), KeyType::x25519));
  }
  EXPECT_TRUE(open(authcrypt(many), many.back(), &alice_.public_key));

  const auto refusal = [&](const std::vector<Party>& to) {
    return encrypt_anonymous({}, targets(to), keys_, random_).error().code;
  };
  many.push_back(bob_);
  EXPECT_EQ(refusal(many), Errc::limit_exceeded);
  EXPECT_EQ(refusal({}), Errc::malformed);
  EXPECT_EQ(refusal({bob_, bob_}), Errc::malformed);
  EXPECT_EQ(refusal({make("did:example:bob#e", KeyType::ed25519)}), Errc::unsupported);
  EXPECT_EQ(refusal({Party{"", bob_.public_key, {}}}), Errc::malformed);
  EXPECT_EQ(refusal({Party{"did:example:bob#0", {KeyType::x25519, Bytes(32)}, {}}}), Errc::bad_key);
  const Bytes huge(limits::kEnvelopeBytesMax / 4 * 3);
  EXPECT_EQ(encrypt_anonymous(huge, targets({bob_}), keys_, random_).error(), Errc::limit_exceeded);
  EXPECT_EQ(encrypt_authenticated({}, JweSender{alice_.sealed, "not a kid"}, targets({bob_}), keys_,
                                  random_)
                .error(),
            Errc::malformed);
}

TEST_F(Jwe, OpensOnlyForTheRightKeyAndSender) {
  const std::string text = authcrypt({bob_});
  EXPECT_EQ(open(text, bob_, &eve_.public_key).error(), Errc::cannot_decrypt);
  EXPECT_EQ(open(text, bob_, nullptr).error(), Errc::not_authentic);
  EXPECT_EQ(open(text, eve_, &alice_.public_key).error(), Errc::cannot_decrypt);
  EXPECT_EQ(open(text, Party{bob_.kid, eve_.public_key, eve_.sealed}, &alice_.public_key).error(),
            Errc::cannot_decrypt);
  EXPECT_EQ(open(anoncrypt({bob_}, ContentEncryption::xc20p), bob_, &alice_.public_key).error(),
            Errc::not_authentic);
  const PublicKey small_order{KeyType::x25519, Bytes(32)};
  EXPECT_EQ(open(text, bob_, &small_order).error(), Errc::bad_key);
  const PublicKey wrong_type{KeyType::ed25519, alice_.public_key.bytes};
  EXPECT_EQ(open(text, bob_, &wrong_type).error(), Errc::bad_key);
}

/// What a recipient can try: it knows the content key, so it can encrypt another content under it
/// and leave the key that was wrapped for the other recipient in place.
class Forger {
 public:
  Forger(std::string_view seen, const Party& self, const PublicKey* sender, KeyOps& keys)
      : envelope_(test::object_of(seen)), parsed_(parse_jwe(seen).value()) {
    WrapContext context{alg_name(parsed_.agreement), parsed_.apu, parsed_.apv, {}};
    if (sender != nullptr) context.tag = parsed_.tag;
    const auto own = std::find_if(parsed_.recipients.begin(), parsed_.recipients.end(),
                                  [&](const JweRecipient& r) { return r.kid == self.kid; });
    cek_ = keys.unwrap_cek(self.sealed, sender, parsed_.ephemeral, context, own->encrypted_key)
               .value();
  }

  std::string forged(std::string_view message) const {
    const AeadOutput content = aead_encrypt(parsed_.enc, cek_, Bytes(parsed_.iv.size(), 7),
                                            as_bytes(parsed_.protected_text), as_bytes(message));
    JsonObject envelope = envelope_;
    envelope["iv"] = base64url(Bytes(parsed_.iv.size(), 7));
    envelope["ciphertext"] = base64url(content.ciphertext);
    envelope["tag"] = base64url(content.tag);
    return json_text(envelope);
  }

 private:
  JsonObject envelope_;
  ParsedJwe parsed_;
  SecretBytes cek_;
};

TEST_F(Jwe, OneRecipientCannotForgeTheSendersMessageToAnother) {
  const std::string seen = authcrypt({bob_, carol_});
  const Forger bob(seen, bob_, &alice_.public_key, keys_);
  EXPECT_EQ(open(bob.forged("I, Alice, owe Bob"), carol_, &alice_.public_key).error(),
            Errc::cannot_decrypt);
  EXPECT_TRUE(open(seen, carol_, &alice_.public_key));
}

TEST_F(Jwe, TheSameForgeryWorksWhereTheTagIsNotBound) {
  // Counter-example for the test above: an anonymous envelope promises no sender, its key wrap does
  // not cover the tag, and so the forger's envelope opens. The forger itself is therefore sound.
  const std::string seen = anoncrypt({bob_, carol_}, ContentEncryption::a256cbc_hs512);
  const Forger bob(seen, bob_, nullptr, keys_);
  const auto plain = open(bob.forged("not from the first sender"), carol_, nullptr);
  ASSERT_TRUE(plain) << plain.error().detail;
  EXPECT_EQ(as_text(*plain), "not from the first sender");
}

TEST_F(Jwe, ASenderCannotClaimAnotherSendersKey) {
  const auto text = encrypt_authenticated(as_bytes(kMessage), JweSender{eve_.sealed, alice_.kid},
                                          targets({bob_}), keys_, random_);
  ASSERT_TRUE(text);
  EXPECT_EQ(parse_jwe(*text)->skid, alice_.kid);
  EXPECT_EQ(open(*text, bob_, &alice_.public_key).error(), Errc::cannot_decrypt);
}

TEST_F(Jwe, IgnoresMembersItDoesNotKnowOutsideTheProtectedHeader) {
  const std::string text = edited(authcrypt({bob_}), [](JsonObject& envelope) {
    envelope["x-trace"] = 1;
    envelope["recipients"].as_array()[0].as_object()["header"].as_object()["x-hint"] = "a";
  });
  EXPECT_TRUE(open(text, bob_, &alice_.public_key));
}

TEST_F(Jwe, AcceptsASenderNamedByApuAloneAndANullApuOfAnonymousPeers) {
  const std::string no_skid = edited(authcrypt({bob_}), [](JsonObject& envelope) {
    test::edit_protected(envelope, [](JsonObject& header) { header.erase("skid"); });
  });
  const auto parsed = parse_jwe(no_skid);
  ASSERT_TRUE(parsed) << parsed.error().detail;
  EXPECT_EQ(parsed->skid, alice_.kid);

  const std::string null_apu =
      edited(anoncrypt({bob_}, ContentEncryption::xc20p), [](JsonObject& envelope) {
        test::edit_protected(envelope, [](JsonObject& header) { header["apu"] = nullptr; });
      });
  EXPECT_TRUE(parse_jwe(null_apu));
}

TEST_F(Jwe, RefusesOversizedText) {
  EXPECT_EQ(parse_jwe(std::string(limits::kEnvelopeBytesMax + 1, ' ')).error(),
            Errc::limit_exceeded);
  EXPECT_EQ(parse_jwe(std::string(100, '[')).error(), Errc::limit_exceeded);
}

}  // namespace
}  // namespace kith::crypto
