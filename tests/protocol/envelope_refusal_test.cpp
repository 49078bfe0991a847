/// One planted fault for every check of unpack(). Each row differs in one thing from a message that
/// opens, so only the check that it names can refuse it.

#include <gtest/gtest.h>

#include "crypto/jwe.hpp"
#include "crypto/jws.hpp"
#include "protocol/from_prior.hpp"
#include "tests/support/parties.hpp"

namespace kith {
namespace {

using protocol::EnvelopeWarning;
using test::kNow;
using test::Party;
using test::World;

/// Wraps anything, so that faults can be planted at every level.
struct Forge {
  World world{11};
  Party alice = world.make_party();
  Party bob = world.make_party();
  Party mallory = world.make_party();
  Message message = world.message(alice, bob);

  static std::string text(const Message& message) { return crypto::json_text(to_json(message)); }
  static std::vector<crypto::JweTarget> targets(const Party& party) {
    std::vector<crypto::JweTarget> targets;
    for (const NamedKey& key : party.recipients()) targets.push_back({key.kid, key.key});
    return targets;
  }
  std::string sign(const std::string& text, const Party& by) {
    return crypto::sign_jws(world.keys, {by.signing.key, by.signing.type, by.signing.kid},
                            crypto::as_bytes(text))
        .value();
  }
  std::string anon(const std::string& text, const std::vector<crypto::JweTarget>& to) {
    return crypto::encrypt_anonymous(crypto::as_bytes(text), to, world.keys, world.random).value();
  }
  std::string auth(const std::string& text, const Party& by, const Party& to) {
    return crypto::encrypt_authenticated(crypto::as_bytes(text),
                                         {by.agreement.key, by.agreement.kid}, targets(to),
                                         world.keys, world.random)
        .value();
  }
  void expect_opens(const std::string& envelope, std::int64_t now = kNow) {
    const auto opened = world.open(envelope, bob, now);
    EXPECT_TRUE(opened.has_value()) << opened.error().detail;
  }
  void expect_refused(const std::string& envelope, Errc code, std::string_view detail_part,
                      std::int64_t now = kNow) {
    const auto opened = world.open(envelope, bob, now);
    ASSERT_TRUE(opened.has_error());
    EXPECT_EQ(opened.error().code, code) << opened.error().detail;
    EXPECT_NE(opened.error().detail.find(detail_part), std::string::npos) << opened.error().detail;
  }
};

TEST(EnvelopeChecks, RefusesAuthcryptWhoseFromIsAnotherDid) {
  Forge forge;
  forge.expect_opens(forge.auth(Forge::text(forge.message), forge.alice, forge.bob));
  forge.expect_refused(forge.auth(Forge::text(forge.message), forge.mallory, forge.bob),
                       Errc::not_authentic, "sender of the envelope");
}

TEST(EnvelopeChecks, RefusesAuthcryptWithoutFrom) {
  Forge forge;
  forge.message.from.reset();
  forge.expect_refused(forge.auth(Forge::text(forge.message), forge.alice, forge.bob),
                       Errc::not_authentic, "sender of the envelope");
  forge.expect_opens(forge.anon(Forge::text(forge.message), Forge::targets(forge.bob)));
}

TEST(EnvelopeChecks, RefusesSenderKeyThatIsNotListedForAgreement) {
  Forge forge;
  const std::string envelope = forge.auth(Forge::text(forge.message), forge.alice, forge.bob);
  DidDocument without = forge.alice.document;
  without.key_agreement.clear();
  // Still a method of the document, and even one for signing: not for agreement.
  without.authentication.push_back(forge.alice.agreement.kid);
  forge.world.dids.put(without);
  forge.expect_refused(envelope, Errc::not_authentic, "not listed");
  forge.world.dids.put(forge.alice.document);
  forge.expect_opens(envelope);
}

TEST(EnvelopeChecks, RefusesSenderKeyOfAnotherTypeOrValue) {
  Forge forge;
  const std::string envelope = forge.auth(Forge::text(forge.message), forge.alice, forge.bob);
  DidDocument changed = forge.alice.document;
  for (auto& method : changed.methods) {
    if (method.id == forge.alice.agreement.kid) method.key = forge.mallory.recipients()[0].key;
  }
  forge.world.dids.put(changed);
  forge.expect_refused(envelope, Errc::cannot_decrypt, "");
}

TEST(EnvelopeChecks, RefusesDocumentOfAnotherDidFromTheResolver) {
  Forge forge;
  class Liar final : public Resolver {
   public:
    explicit Liar(DidDocument document) : document_(std::move(document)) {}
    Result<DidDocument> resolve(const Did&) override { return document_; }

   private:
    DidDocument document_;
  };
  DidDocument forged = forge.alice.document;
  const auto wrong_id = Did::parse("did:example:other");
  ASSERT_TRUE(wrong_id.has_value());
  forged.id = *wrong_id;
  Liar liar(forged);
  const auto opened =
      protocol::unpack(forge.auth(Forge::text(forge.message), forge.alice, forge.bob),
                       {forge.bob.wallet, liar, forge.world.keys, kNow, {}});
  ASSERT_TRUE(opened.has_error());
  EXPECT_EQ(opened.error().code, Errc::not_authentic);
}

TEST(EnvelopeChecks, NamesTheSenderThatMustBeResolved) {
  Forge forge;
  forge.world.dids.hide(forge.alice.did);
  for (const std::string& envelope :
       {forge.auth(Forge::text(forge.message), forge.alice, forge.bob),
        forge.sign(Forge::text(forge.message), forge.alice)}) {
    const auto opened = forge.world.open(envelope, forge.bob);
    ASSERT_TRUE(opened.has_error());
    EXPECT_EQ(opened.error().code, Errc::unknown_peer);
    EXPECT_EQ(opened.error().detail, forge.alice.did.text());
  }
}

TEST(EnvelopeChecks, RefusesKeysOfSeveralDids) {
  Forge forge;
  auto targets = Forge::targets(forge.bob);
  targets.push_back(Forge::targets(forge.mallory).front());
  forge.expect_refused(forge.anon(Forge::text(forge.message), targets), Errc::not_authentic,
                       "several DIDs");
}

TEST(EnvelopeChecks, RefusesEnvelopesForNobodyHere) {
  Forge forge;
  forge.message.to = {forge.mallory.did};
  forge.expect_refused(forge.auth(Forge::text(forge.message), forge.alice, forge.mallory),
                       Errc::cannot_decrypt, "none of our keys");
}

TEST(EnvelopeChecks, RefusesInnerEnvelopeOfAnotherOfOurDids) {
  Forge forge;
  Party other = forge.world.make_party();
  forge.bob.wallet.put(other.agreement.kid, other.agreement.key);
  forge.message.to = {forge.bob.did, other.did};
  const std::string inner = forge.auth(Forge::text(forge.message), forge.alice, other);
  forge.expect_opens(inner);
  forge.expect_refused(forge.anon(inner, Forge::targets(forge.bob)), Errc::not_authentic,
                       "different DIDs");
}

TEST(EnvelopeChecks, RefusesAuthenticatedMessagesToSomebodyElse) {
  Forge forge;
  forge.message.to = {forge.mallory.did};
  forge.expect_refused(forge.auth(Forge::text(forge.message), forge.alice, forge.bob),
                       Errc::not_authentic, "somebody else");
}

TEST(EnvelopeChecks, WarnsOfAnonymousMessagesToSomebodyElse) {
  Forge forge;
  forge.message.to = {forge.mallory.did};
  const auto opened = forge.world.open(
      forge.anon(Forge::text(forge.message), Forge::targets(forge.bob)), forge.bob);
  ASSERT_TRUE(opened.has_value()) << opened.error().detail;
  EXPECT_TRUE(opened->info.has(EnvelopeWarning::not_addressed_to_us));
  EXPECT_FALSE(opened->info.authenticated);
}

TEST(EnvelopeChecks, RefusesSurreptitiousForwardingOfSignedMessages) {
  Forge forge;
  // Alice signed for Mallory, who hands the signature on to Bob as if it were for him.
  forge.message.to = {forge.mallory.did};
  forge.expect_refused(
      forge.anon(forge.sign(Forge::text(forge.message), forge.alice), Forge::targets(forge.bob)),
      Errc::not_authentic, "does not name us");
  forge.message.to.clear();
  forge.expect_refused(
      forge.anon(forge.sign(Forge::text(forge.message), forge.alice), Forge::targets(forge.bob)),
      Errc::not_authentic, "does not name us");
}

TEST(EnvelopeChecks, RefusesSignerThatIsNotFrom) {
  Forge forge;
  const std::string text = Forge::text(forge.message);
  forge.expect_opens(forge.sign(text, forge.alice));
  forge.expect_refused(forge.sign(text, forge.mallory), Errc::not_authentic, "signer is not");
  forge.message.from.reset();
  forge.expect_refused(forge.sign(Forge::text(forge.message), forge.alice), Errc::not_authentic,
                       "signer is not");
}

TEST(EnvelopeChecks, RefusesSignatureOfOnePartyInAuthcryptOfAnother) {
  Forge forge;
  const std::string inner = forge.sign(Forge::text(forge.message), forge.alice);
  forge.expect_opens(forge.auth(inner, forge.alice, forge.bob));
  const std::string mixed = forge.auth(inner, forge.mallory, forge.bob);
  forge.expect_refused(mixed, Errc::not_authentic, "another one signed");
  forge.expect_refused(forge.anon(mixed, Forge::targets(forge.bob)), Errc::not_authentic,
                       "another one signed");
}

TEST(EnvelopeChecks, RefusesSigningKeyThatIsNotListedForAuthentication) {
  Forge forge;
  const std::string envelope = forge.sign(Forge::text(forge.message), forge.alice);
  DidDocument without = forge.alice.document;
  without.authentication.clear();
  without.key_agreement.push_back(forge.alice.signing.kid);
  forge.world.dids.put(without);
  forge.expect_refused(envelope, Errc::not_authentic, "not listed");
}

TEST(EnvelopeChecks, RefusesSignatureThatDoesNotFit) {
  Forge forge;
  const std::string envelope = forge.sign(Forge::text(forge.message), forge.alice);
  DidDocument changed = forge.alice.document;
  for (auto& method : changed.methods) {
    if (method.id == forge.alice.signing.kid) {
      method.key = forge.mallory.document.authentication_keys()[0].key;
    }
  }
  forge.world.dids.put(changed);
  forge.expect_refused(envelope, Errc::bad_signature, "");
}

/// Counts what must not happen before the addresses are checked.
class CountingSecrets final : public Secrets {
 public:
  std::optional<SealedKey> find(std::string_view) override {
    ++asked;
    return std::nullopt;
  }
  int asked = 0;
};

TEST(EnvelopeChecks, LooksForSecretsOnlyAfterTheAddressesFit) {
  Forge forge;
  auto targets = Forge::targets(forge.bob);
  targets.push_back(Forge::targets(forge.mallory).front());
  CountingSecrets secrets;
  const auto opened = protocol::unpack(forge.anon(Forge::text(forge.message), targets),
                                       {secrets, forge.world.dids, forge.world.keys, kNow, {}});
  ASSERT_TRUE(opened.has_error());
  EXPECT_EQ(opened.error().code, Errc::not_authentic);
  EXPECT_EQ(secrets.asked, 0);
}

TEST(EnvelopeChecks, RefusesExpiredMessages) {
  Forge forge;
  const std::string envelope = forge.auth(Forge::text(forge.message), forge.alice, forge.bob);
  const std::int64_t skew = limits::kClockSkew.count();
  forge.expect_opens(envelope, kNow + 600 + skew);
  forge.expect_refused(envelope, Errc::expired, "has expired", kNow + 601 + skew);
}

TEST(EnvelopeChecks, RefusesMessagesFromTheFuture) {
  Forge forge;
  const std::string envelope = forge.auth(Forge::text(forge.message), forge.alice, forge.bob);
  const std::int64_t skew = limits::kClockSkew.count();
  forge.expect_opens(envelope, kNow - skew);
  forge.expect_refused(envelope, Errc::malformed, "future", kNow - skew - 1);
}

TEST(EnvelopeChecks, RefusesMessagesThatOutliveInboxMarks) {
  Forge forge;
  const std::int64_t life = std::chrono::seconds(limits::kMessageLifeMax).count();
  forge.message.expires_time.reset();
  const std::string old = forge.auth(Forge::text(forge.message), forge.alice, forge.bob);
  forge.expect_opens(old, kNow + life);
  forge.expect_refused(old, Errc::expired, "too old", kNow + life + 1);
  forge.message.created_time.reset();
  forge.message.expires_time = kNow + life + limits::kClockSkew.count();
  forge.expect_opens(forge.auth(Forge::text(forge.message), forge.alice, forge.bob));
  ++*forge.message.expires_time;
  forge.expect_refused(forge.auth(Forge::text(forge.message), forge.alice, forge.bob),
                       Errc::limit_exceeded, "too long");
  static_assert(limits::kInboxMarkLife > limits::kMessageLifeMax + limits::kClockSkew);
}

TEST(EnvelopeChecks, PolicyDecidesOnMessagesWithoutTimesAndWithoutEnvelope) {
  Forge forge;
  forge.message.created_time.reset();
  forge.message.expires_time.reset();
  const std::string envelope = forge.auth(Forge::text(forge.message), forge.alice, forge.bob);
  const auto opened = forge.world.open(envelope, forge.bob);
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(opened->info.has(EnvelopeWarning::no_times));
  protocol::UnpackPolicy strict;
  strict.times_required = true;
  strict.plain_allowed = false;
  EXPECT_EQ(forge.world.open(envelope, forge.bob, kNow, strict).error().code, Errc::refused);
  forge.message.created_time = kNow;
  EXPECT_EQ(forge.world.open(Forge::text(forge.message), forge.bob, kNow, strict).error().code,
            Errc::refused);
}

TEST(EnvelopeChecks, RefusesOversizedEnvelopesAndPlaintexts) {
  Forge forge;
  forge.expect_refused(std::string(limits::kEnvelopeBytesMax + 1, ' '), Errc::limit_exceeded, "");
  forge.message.attachments.push_back(
      protocol::json_attachment(Json(std::string(limits::kJsonBytesMax, 'x'))));
  forge.expect_refused(forge.anon(Forge::text(forge.message), Forge::targets(forge.bob)),
                       Errc::limit_exceeded, "too large");
}

TEST(EnvelopeChecks, ReplaysCanBeToldBySenderAndId) {
  Forge forge;
  forge.message.id = "ABC";
  const std::string envelope = forge.auth(Forge::text(forge.message), forge.alice, forge.bob);
  const auto first = forge.world.open(envelope, forge.bob);
  const auto second = forge.world.open(envelope, forge.bob);
  ASSERT_TRUE(first.has_value());
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(first->info.sender, second->info.sender);
  EXPECT_EQ(protocol::message_id_key(first->message.id), "abc");
}

/// The same envelope, as somebody on the way may write it: blanks, another order of its members.
std::string rewritten(const std::string& envelope) {
  const Json object = crypto::parse_json(envelope).value();
  JsonObject turned;
  for (const char* member : {"tag", "iv", "recipients", "ciphertext", "protected"}) {
    turned[member] = object.at(member);
  }
  return "{ " + crypto::json_text(turned).substr(1);
}

TEST(EnvelopeChecks, ReplaysOfAnonymousEnvelopesCanBeToldByTheirFingerprint) {
  Forge forge;
  const std::string text = Forge::text(forge.message);
  const auto fingerprint = [&](const std::string& envelope) {
    return forge.world.open(envelope, forge.bob).value().info.fingerprint;
  };
  for (const auto cipher : {crypto::ContentEncryption::xc20p, crypto::ContentEncryption::a256gcm,
                            crypto::ContentEncryption::a256cbc_hs512}) {
    const auto packed = [&](const std::string& content) {
      return crypto::encrypt_anonymous(crypto::as_bytes(content), Forge::targets(forge.bob),
                                       forge.world.keys, forge.world.random, cipher)
          .value();
    };
    const std::string envelope = packed(text);
    ASSERT_TRUE(fingerprint(envelope).has_value());
    EXPECT_NE(rewritten(envelope), envelope);
    EXPECT_EQ(fingerprint(rewritten(envelope)), fingerprint(envelope));
    EXPECT_NE(fingerprint(packed(text)), fingerprint(envelope));
  }
  // Where the sender is known, the message's id tells.
  EXPECT_FALSE(fingerprint(forge.auth(text, forge.alice, forge.bob)).has_value());
}

// ---- from_prior --------------------------------------------------------------------------------

struct Rotating : Forge {
  Party next = world.make_party();

  std::string token(const SigningKey& signer, const std::string& claims) {
    return crypto::sign_jwt(world.keys, {signer.key, signer.type, signer.kid}, claims).value();
  }
  static std::string claims(const Did& issuer, const Did& subject, std::int64_t issued_at) {
    return R"({"iss":")" + issuer.text() + R"(","sub":")" + subject.text() + R"(","iat":)" +
           std::to_string(issued_at) + "}";
  }
  /// From the new DID, with this token.
  std::string envelope(const std::string& jwt) {
    message.from = next.did;
    message.from_prior = jwt;
    return auth(text(message), next, bob);
  }
};

TEST(EnvelopeRotation, AcceptsTheTokenOfThePriorDid) {
  Rotating scene;
  const auto jwt =
      protocol::make_from_prior(scene.alice.signing, scene.next.did, kNow, scene.world.keys);
  ASSERT_TRUE(jwt.has_value());
  const auto opened = scene.world.open(scene.envelope(*jwt), scene.bob);
  ASSERT_TRUE(opened.has_value()) << opened.error().detail;
  ASSERT_TRUE(opened->info.rotation.has_value());
  EXPECT_EQ(opened->info.rotation->prior, scene.alice.did);
  EXPECT_EQ(opened->info.rotation->next, scene.next.did);
  EXPECT_EQ(opened->info.rotation->issued_at, kNow);
}

TEST(EnvelopeRotation, AcceptsTheEndOfARelationship) {
  Rotating scene;
  const auto jwt =
      protocol::make_from_prior(scene.alice.signing, std::nullopt, kNow, scene.world.keys);
  ASSERT_TRUE(jwt.has_value());
  scene.message.from.reset();
  scene.message.from_prior = *jwt;
  const auto opened = scene.world.open(
      scene.anon(Forge::text(scene.message), Forge::targets(scene.bob)), scene.bob);
  ASSERT_TRUE(opened.has_value()) << opened.error().detail;
  EXPECT_FALSE(opened->info.rotation->next.has_value());
  // The same token says nothing in a message that has a sender.
  scene.expect_refused(scene.envelope(*jwt), Errc::not_authentic, "new DID");
}

TEST(EnvelopeRotation, RefusesEveryFaultyToken) {
  Rotating scene;
  const Did& prior = scene.alice.did;
  const Did& next = scene.next.did;
  const SigningKey& signer = scene.alice.signing;
  scene.expect_opens(scene.envelope(scene.token(signer, Rotating::claims(prior, next, kNow))));
  scene.expect_refused(
      scene.envelope(scene.token(signer, Rotating::claims(scene.mallory.did, next, kNow))),
      Errc::not_authentic, "key of another DID");
  scene.expect_refused(
      scene.envelope(scene.token(scene.mallory.signing, Rotating::claims(prior, next, kNow))),
      Errc::not_authentic, "key of another DID");
  scene.expect_refused(
      scene.envelope(scene.token(signer, Rotating::claims(prior, scene.mallory.did, kNow))),
      Errc::not_authentic, "new DID");
  scene.expect_refused(
      scene.envelope(scene.token(
          signer, Rotating::claims(prior, next, kNow + limits::kClockSkew.count() + 1))),
      Errc::not_authentic, "future");
  SigningKey renamed = signer;
  renamed.kid = scene.alice.agreement.kid;
  scene.expect_refused(scene.envelope(scene.token(renamed, Rotating::claims(prior, next, kNow))),
                       Errc::not_authentic, "not listed");
  SigningKey stolen = scene.mallory.signing;
  stolen.kid = signer.kid;
  scene.expect_refused(scene.envelope(scene.token(stolen, Rotating::claims(prior, next, kNow))),
                       Errc::bad_signature, "");
  const std::string old =
      R"({"iss":")" + prior.text() + R"(","sub":")" + next.text() + R"(","iat":1,"exp":2})";
  scene.expect_refused(scene.envelope(scene.token(signer, old)), Errc::expired, "from_prior");
  scene.world.dids.hide(prior);
  scene.expect_refused(scene.envelope(scene.token(signer, Rotating::claims(prior, next, kNow))),
                       Errc::unknown_peer, prior.text());
}

TEST(EnvelopeRotation, RefusesTokensOutsideEncryption) {
  Rotating scene;
  const std::string jwt =
      scene.token(scene.alice.signing, Rotating::claims(scene.alice.did, scene.next.did, kNow));
  scene.message.from = scene.next.did;
  scene.message.from_prior = jwt;
  scene.expect_refused(scene.sign(Forge::text(scene.message), scene.next), Errc::not_authentic,
                       "not encrypted");
}

}  // namespace
}  // namespace kith
