/// Every nesting of DIDComm v2.1: the allowed ones open and prove what they should, the others do
/// not open.

#include <gtest/gtest.h>

#include "crypto/jwe.hpp"
#include "crypto/jws.hpp"
#include "tests/support/parties.hpp"

namespace kith {
namespace {

using protocol::EnvelopeWarning;
using protocol::PackOptions;
using test::kNow;
using test::Party;
using test::World;

enum class Wrap { sign, anon, auth };

struct Scene {
  World world{7};
  Party alice = world.make_party();
  Party bob = world.make_party();
  Message message = world.message(alice, bob);

  [[nodiscard]] std::vector<crypto::JweTarget> bob_targets() const {
    std::vector<crypto::JweTarget> targets;
    for (const NamedKey& key : bob.recipients()) targets.push_back({key.kid, key.key});
    return targets;
  }

  /// `wraps` from the inside out.
  std::string wrapped(const std::vector<Wrap>& wraps) {
    std::string text = crypto::json_text(to_json(message));
    for (const Wrap wrap : wraps) text = wrapped_once(text, wrap);
    return text;
  }

  std::string wrapped_once(const std::string& text, Wrap wrap) {
    const ByteView bytes = crypto::as_bytes(text);
    if (wrap == Wrap::sign) {
      return crypto::sign_jws(world.keys,
                              {alice.signing.key, alice.signing.type, alice.signing.kid}, bytes)
          .value();
    }
    if (wrap == Wrap::anon) {
      return crypto::encrypt_anonymous(bytes, bob_targets(), world.keys, world.random).value();
    }
    return crypto::encrypt_authenticated(bytes, {alice.agreement.key, alice.agreement.kid},
                                         bob_targets(), world.keys, world.random)
        .value();
  }
};

struct Allowed {
  std::vector<Wrap> wraps;
  bool encrypted;
  bool authenticated;
  bool signed_inside;
  bool anonymous_outside;
};

TEST(EnvelopeNesting, OpensEveryAllowedNestingAndTellsWhatItProves) {
  const std::vector<Allowed> table = {
      {{}, false, false, false, false},
      {{Wrap::sign}, false, true, true, false},
      {{Wrap::anon}, true, false, false, true},
      {{Wrap::auth}, true, true, false, false},
      {{Wrap::sign, Wrap::anon}, true, true, true, true},
      {{Wrap::auth, Wrap::anon}, true, true, false, true},
      {{Wrap::sign, Wrap::auth}, true, true, true, false},
      {{Wrap::sign, Wrap::auth, Wrap::anon}, true, true, true, true},
  };
  for (std::size_t row = 0; row < table.size(); ++row) {
    SCOPED_TRACE(row);
    const Allowed& expected = table[row];
    Scene scene;
    const auto opened = scene.world.open(scene.wrapped(expected.wraps), scene.bob);
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    const EnvelopeInfo& info = opened->info;
    EXPECT_EQ(opened->message.id, scene.message.id);
    EXPECT_EQ(info.layers, expected.wraps.size());
    EXPECT_EQ(info.encrypted, expected.encrypted);
    EXPECT_EQ(info.authenticated, expected.authenticated);
    EXPECT_EQ(info.signed_by.has_value(), expected.signed_inside);
    EXPECT_EQ(opened->signed_text.empty(), !expected.signed_inside);
    EXPECT_EQ(info.anonymous_outside, expected.anonymous_outside);
    EXPECT_EQ(info.sender.has_value(), expected.authenticated);
    if (expected.authenticated) {
      EXPECT_EQ(*info.sender, scene.alice.did);
    }
    EXPECT_EQ(info.own_did.has_value(), expected.encrypted);
    EXPECT_EQ(info.has(EnvelopeWarning::unauthenticated_sender), !expected.authenticated);
    const bool auth_sign = expected.wraps.size() >= 2 && expected.wraps[0] == Wrap::sign &&
                           expected.wraps[1] == Wrap::auth;
    EXPECT_EQ(info.has(EnvelopeWarning::auth_over_signed) ||
                  info.has(EnvelopeWarning::spec_forbidden_nesting),
              auth_sign);
    EXPECT_EQ(opened->plaintext, crypto::json_text(to_json(scene.message)));
  }
}

TEST(EnvelopeNesting, RefusesEveryOtherNesting) {
  const std::vector<std::vector<Wrap>> table = {
      {Wrap::sign, Wrap::sign},
      {Wrap::anon, Wrap::sign},
      {Wrap::auth, Wrap::sign},
      {Wrap::anon, Wrap::anon},
      {Wrap::auth, Wrap::auth},
      {Wrap::anon, Wrap::auth},
      {Wrap::sign, Wrap::sign, Wrap::anon},
      {Wrap::auth, Wrap::sign, Wrap::anon},
      {Wrap::anon, Wrap::auth, Wrap::anon},
      {Wrap::auth, Wrap::auth, Wrap::anon},
      // Four layers.
      {Wrap::sign, Wrap::sign, Wrap::auth, Wrap::anon},
      {Wrap::auth, Wrap::sign, Wrap::auth, Wrap::anon},
      {Wrap::sign, Wrap::auth, Wrap::anon, Wrap::anon},
      {Wrap::sign, Wrap::auth, Wrap::anon, Wrap::sign},
  };
  for (std::size_t row = 0; row < table.size(); ++row) {
    SCOPED_TRACE(row);
    Scene scene;
    const auto opened = scene.world.open(scene.wrapped(table[row]), scene.bob);
    ASSERT_TRUE(opened.has_error());
    EXPECT_EQ(opened.error().code, Errc::not_authentic) << opened.error().detail;
  }
}

TEST(EnvelopeNesting, PackersWriteOnlyWhatTheStandardAllows) {
  for (const KeyType type : {KeyType::ed25519, KeyType::secp256k1}) {
    World world;
    Party alice = world.make_party(type);
    Party bob = world.make_party();
    const Message message = world.message(alice, bob);
    PackOptions plain;
    PackOptions signing;
    signing.sign = &alice.signing;
    PackOptions hidden;
    hidden.protect_sender = true;
    const std::vector<std::pair<Result<std::string>, std::size_t>> packed = {
        {protocol::pack_plain(message), 0},
        {protocol::pack_signed(message, alice.signing, world.keys), 1},
        {pack_anoncrypt(message, bob.recipients(), plain, world.keys, world.random), 1},
        {pack_anoncrypt(message, bob.recipients(), signing, world.keys, world.random), 2},
        {pack_authcrypt(message, alice.agreement, bob.recipients(), plain, world.keys,
                        world.random),
         1},
        {pack_authcrypt(message, alice.agreement, bob.recipients(), hidden, world.keys,
                        world.random),
         2},
        {pack_authcrypt(message, alice.agreement, bob.recipients(), signing, world.keys,
                        world.random),
         2},
    };
    for (std::size_t i = 0; i < packed.size(); ++i) {
      SCOPED_TRACE(i);
      ASSERT_TRUE(packed[i].first.has_value()) << packed[i].first.error().detail;
      const auto opened = world.open(*packed[i].first, bob);
      ASSERT_TRUE(opened.has_value()) << opened.error().detail;
      EXPECT_EQ(opened->message.body, message.body);
      EXPECT_EQ(opened->info.layers, packed[i].second);
      EXPECT_FALSE(opened->info.has(EnvelopeWarning::auth_over_signed));
      EXPECT_FALSE(opened->info.has(EnvelopeWarning::spec_forbidden_nesting));
      // Encrypted plaintexts are filled to a bucket.
      if (opened->info.encrypted) {
        EXPECT_EQ(opened->plaintext.size(), 1024U);
      }
    }
  }
}

TEST(EnvelopeNesting, PackersRefuseWhatReceiversWouldRefuse) {
  Scene scene;
  World& world = scene.world;
  Party carol = world.make_party();
  PackOptions signing;
  signing.sign = &scene.alice.signing;
  Message message = scene.message;
  const auto code = [](const Result<std::string>& result) {
    return result.has_error() ? result.error().code : Errc::io;
  };
  EXPECT_EQ(code(pack_signed(message, carol.signing, world.keys)), Errc::malformed);
  EXPECT_EQ(code(pack_authcrypt(message, carol.agreement, scene.bob.recipients(), {}, world.keys,
                                world.random)),
            Errc::malformed);
  EXPECT_EQ(code(pack_anoncrypt(message, {}, {}, world.keys, world.random)), Errc::unsupported);
  std::vector<NamedKey> mixed = scene.bob.recipients();
  mixed.push_back(carol.recipients().front());
  EXPECT_EQ(code(pack_anoncrypt(message, mixed, {}, world.keys, world.random)), Errc::malformed);
  EXPECT_EQ(code(pack_anoncrypt(message, carol.recipients(), {}, world.keys, world.random)),
            Errc::malformed);
  message.to.clear();
  EXPECT_EQ(
      code(pack_anoncrypt(message, scene.bob.recipients(), signing, world.keys, world.random)),
      Errc::malformed);
}

}  // namespace
}  // namespace kith
