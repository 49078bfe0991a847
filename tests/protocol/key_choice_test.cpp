#include "protocol/key_choice.hpp"

#include <gtest/gtest.h>

#include "tests/protocol/didcomm_forge.hpp"

namespace kith {
namespace {

using protocol::by_curve;
using protocol::choose_sender;
using test::ForgeLab;

TEST(KeyChoice, GroupsByCurveInOrderOfPreference) {
  ForgeLab lab;
  const auto groups = by_curve(lab.bob.party.document.agreement_keys());
  ASSERT_EQ(groups.size(), 4U);
  EXPECT_EQ(groups[0].size(), 2U);
  EXPECT_EQ(groups[0][0].key.type, KeyType::x25519);
  EXPECT_EQ(groups[1][0].key.type, KeyType::p384);
  EXPECT_EQ(groups[2][0].key.type, KeyType::p521);
  EXPECT_EQ(groups[3][0].key.type, KeyType::p256);
}

TEST(KeyChoice, TakesTheFirstCurveThatBothSidesHave) {
  ForgeLab lab;
  auto alice = lab.make({KeyType::p256, KeyType::p521});
  const auto bob = lab.make({KeyType::x25519, KeyType::p256, KeyType::p521}).party;
  const auto recipients = bob.document.agreement_keys();
  const auto chosen = choose_sender(alice.party.document, alice.party.wallet, recipients);
  ASSERT_TRUE(chosen.has_value()) << chosen.error().detail;
  EXPECT_EQ(chosen->type, KeyType::p521);
  // A listed key that this device does not hold cannot be chosen.
  test::Wallet only_p256;
  only_p256.put(alice.agreement[0].kid, alice.agreement[0].key);
  EXPECT_EQ(choose_sender(alice.party.document, only_p256, recipients)->type, KeyType::p256);
}

TEST(KeyChoice, SaysWhyNothingFits) {
  ForgeLab lab;
  auto alice = lab.make({KeyType::p384});
  const auto recipients = lab.mallory.party.document.agreement_keys();
  EXPECT_EQ(choose_sender(alice.party.document, alice.party.wallet, recipients).error(),
            Errc::unsupported);
  test::Wallet empty;
  EXPECT_EQ(choose_sender(alice.party.document, empty, recipients).error(), Errc::not_found);
  EXPECT_EQ(protocol::preferred_keys({}).error(), Errc::unsupported);
}

TEST(KeyChoice, PackingUsesOneCurveAndEveryKeyOnIt) {
  ForgeLab lab;
  const auto recipients = lab.bob.party.document.agreement_keys();
  for (const SenderKey& sender : lab.alice.agreement) {
    const auto packed = protocol::pack_authcrypt(lab.message, sender, recipients, {},
                                                 lab.world.keys, lab.world.random);
    ASSERT_TRUE(packed.has_value()) << packed.error().detail;
    const auto opened = lab.world.open(*packed, lab.bob.party);
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    EXPECT_EQ(opened->info.envelopes[0].curve, sender.type);
    EXPECT_EQ(opened->info.envelopes[0].kids.size(), sender.type == KeyType::x25519 ? 2U : 1U);
    EXPECT_EQ(opened->info.sender_kid, sender.kid);
  }
  protocol::PackOptions options;
  for (const auto cipher : {crypto::ContentEncryption::a256cbc_hs512,
                            crypto::ContentEncryption::a256gcm, crypto::ContentEncryption::xc20p}) {
    options.cipher = cipher;
    const auto anonymous = protocol::pack_anoncrypt(lab.message, recipients, options,
                                                    lab.world.keys, lab.world.random);
    ASSERT_TRUE(anonymous.has_value());
    const auto opened = lab.world.open(*anonymous, lab.bob.party);
    ASSERT_TRUE(opened.has_value());
    EXPECT_EQ(opened->info.envelopes[0].enc, crypto::enc_name(cipher));
    EXPECT_EQ(opened->info.envelopes[0].kids.size(), 2U);
  }
}

TEST(KeyChoice, ExpiredMessagesOpenOnlyWhereAllowed) {
  ForgeLab lab;
  const std::string text = lab.auth(lab.plain(), lab.alice, lab.bob);
  const std::int64_t late = test::kNow + 600 + limits::kClockSkew.count() + 1;
  EXPECT_EQ(lab.world.open(text, lab.bob.party, late).error(), Errc::expired);
  protocol::UnpackPolicy reading;
  reading.expired_allowed = true;
  const auto opened = lab.world.open(text, lab.bob.party, late, reading);
  ASSERT_TRUE(opened.has_value());
  EXPECT_TRUE(opened->info.has(protocol::EnvelopeWarning::expired));
  const auto in_time = lab.world.open(text, lab.bob.party, test::kNow, reading);
  EXPECT_FALSE(in_time->info.has(protocol::EnvelopeWarning::expired));
}

}  // namespace
}  // namespace kith
