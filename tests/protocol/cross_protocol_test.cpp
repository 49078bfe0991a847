/// What was signed or sealed for one purpose is worth nothing for another: the same bytes and the
/// same signature, moved to where they were not meant to be.

#include <gtest/gtest.h>

#include "protocol/attachment.hpp"
#include "tests/protocol/didcomm_forge.hpp"

namespace kith {
namespace {

using test::kNow;

/// Somebody's general JWS with one signature, taken apart.
struct Parts {
  explicit Parts(const std::string& jws) {
    const JsonObject object = test::object_in(jws);
    payload = std::string(object.at("payload").as_string());
    const JsonObject& first = object.at("signatures").as_array().at(0).as_object();
    header = std::string(first.at("protected").as_string());
    signature = std::string(first.at("signature").as_string());
  }
  [[nodiscard]] std::string compact() const { return header + "." + payload + "." + signature; }
  std::string header, payload, signature;
};

std::string general(const std::string& header, const std::string& payload,
                    const std::string& signature, const std::string& kid) {
  JsonObject one{
      {"protected", header}, {"signature", signature}, {"header", JsonObject{{"kid", kid}}}};
  return crypto::json_text(
      JsonObject{{"payload", payload}, {"signatures", JsonArray{std::move(one)}}});
}

struct CrossProtocol : testing::Test {
  test::World world{41};
  test::Party alice = world.make_party();
  test::Party bob = world.make_party();
  test::Party next = world.make_party();
  Message message = world.message(alice, bob);

  crypto::JwsSigner signer(const test::Party& who) const {
    return {who.signing.key, who.signing.type, who.signing.kid};
  }
  /// A text that is a DIDComm message and the claims of a rotation as well.
  std::string both() const {
    JsonObject object = to_json(message);
    object["iss"] = alice.did.text();
    object["sub"] = next.did.text();
    object["iat"] = kNow;
    return crypto::json_text(object);
  }
  Result<Unpacked> open_rotated(const std::string& token) {
    Message from_next = world.message(next, bob);
    from_next.from_prior = token;
    const auto packed = protocol::pack_authcrypt(from_next, next.agreement, bob.recipients(), {},
                                                 world.keys, world.random);
    return world.open(*packed, bob);
  }
};

TEST_F(CrossProtocol, ASignedMessageIsNoRotation) {
  const auto token = crypto::sign_jwt(world.keys, signer(alice), both());
  EXPECT_TRUE(open_rotated(*token).has_value()) << "the claims are good";

  const auto signed_message = crypto::sign_jws(world.keys, signer(alice), crypto::as_bytes(both()));
  EXPECT_TRUE(world.open(*signed_message, bob).has_value()) << "the message is good";
  const auto moved = open_rotated(Parts(*signed_message).compact());
  ASSERT_FALSE(moved.has_value());
  EXPECT_EQ(moved.error().code, Errc::malformed) << moved.error().detail;
}

TEST_F(CrossProtocol, ARotationIsNoSignedMessage) {
  const std::string token = crypto::sign_jwt(world.keys, signer(alice), both()).value();
  const std::size_t first = token.find('.'), second = token.rfind('.');
  const auto moved =
      world.open(general(token.substr(0, first), token.substr(first + 1, second - first - 1),
                         token.substr(second + 1), alice.signing.kid),
                 bob);
  ASSERT_FALSE(moved.has_value());
  EXPECT_EQ(moved.error().code, Errc::malformed) << moved.error().detail;
}

TEST_F(CrossProtocol, ASignedAttachmentIsNoMessageAndNoRotation) {
  const std::string text = both();
  const auto detached = crypto::sign_detached(world.keys, signer(alice), crypto::as_bytes(text));
  ASSERT_TRUE(detached.has_value());
  const std::string header(detached->at("protected").as_string());
  const std::string signature(detached->at("signature").as_string());
  const auto parsed = crypto::parse_detached(*detached, crypto::as_bytes(text));
  ASSERT_TRUE(parsed.has_value()) << "the signature is good";

  const auto as_message =
      world.open(general(header, test::b64(text), signature, alice.signing.kid), bob);
  EXPECT_FALSE(as_message.has_value());
  EXPECT_FALSE(open_rotated(header + "." + test::b64(text) + "." + signature).has_value());
}

TEST_F(CrossProtocol, AnEnvelopeIsForItsReaderAndItsKindAlone) {
  const std::string packed = protocol::pack_authcrypt(message, alice.agreement, bob.recipients(),
                                                      {}, world.keys, world.random)
                                 .value();
  EXPECT_TRUE(world.open(packed, bob).has_value());
  EXPECT_EQ(world.open(packed, next).error().code, Errc::cannot_decrypt);
  // Authcrypt relabelled as anoncrypt: the sender would be gone.
  const std::string relabelled = test::edited(packed, [](JsonObject& envelope) {
    JsonObject header = test::object_in(test::unb64(envelope.at("protected")));
    header["alg"] = "ECDH-ES+A256KW";
    header.erase("skid"), header.erase("apu");
    envelope["protected"] = test::b64(crypto::json_text(header));
  });
  EXPECT_FALSE(world.open(relabelled, bob).has_value());
  // A box of the recovery protocols is sealed to the same kind of key, and is no envelope's part.
  const KeyPair key = world.keys.generate(KeyType::x25519, KeyPurpose::agree).value();
  const Bytes ad = crypto::to_bytes(std::string_view("one purpose"));
  const auto box = world.keys.seal_to(key.public_key, ad, crypto::as_bytes(both()));
  ASSERT_TRUE(box.has_value());
  EXPECT_TRUE(world.keys.open_box(key.sealed, ad, *box).has_value());
  EXPECT_FALSE(world.keys.open_box(key.sealed, crypto::to_bytes(std::string_view("another")), *box)
                   .has_value());
}

}  // namespace
}  // namespace kith
