/// Random damage to valid envelopes: nothing crashes, and nothing changed is ever authentic.

#include <gtest/gtest.h>

#include "tests/protocol/didcomm_forge.hpp"
#include "tests/support/parties.hpp"

namespace kith {
namespace {

using protocol::PackOptions;
using test::Party;
using test::World;

constexpr int kMutations = 20'000;
constexpr int kNistMutations = 3'000;  ///< Their arithmetic is slower.

std::string mutated(std::string text, Random& random) {
  const std::uint64_t times = 1 + random.below(3);
  for (std::uint64_t i = 0; i < times && !text.empty(); ++i) {
    const std::size_t place = random.below(text.size());
    const std::uint64_t kind = random.below(6);
    const char byte = static_cast<char>(random.below(256));
    const std::size_t length = 1 + random.below(20);
    if (kind == 0) text[place] = byte;
    if (kind == 1) text[place] = static_cast<char>(text[place] ^ (1 << (length % 8)));
    if (kind == 2) text.erase(place, length);
    if (kind == 3) text.insert(place, text.substr(place, length));
    if (kind == 4) text.insert(place, 1, byte);
    if (kind == 5) text.resize(place);
  }
  return text;
}

TEST(EnvelopeFuzz, DamagedEnvelopesNeverCrashAndNeverAuthenticateAnotherPlaintext) {
  World world(2024);
  Party alice = world.make_party();
  Party bob = world.make_party(KeyType::secp256k1);
  const Message message = world.message(alice, bob);
  PackOptions signing;
  signing.sign = &alice.signing;
  signing.cipher = crypto::ContentEncryption::xc20p;
  PackOptions hidden;
  hidden.protect_sender = true;
  hidden.cipher = crypto::ContentEncryption::a256gcm;
  std::vector<std::string> envelopes;
  envelopes.push_back(pack_signed(message, alice.signing, world.keys).value());
  for (const PackOptions& options : {PackOptions{}, signing, hidden}) {
    envelopes.push_back(pack_authcrypt(message, alice.agreement, bob.recipients(), options,
                                       world.keys, world.random)
                            .value());
  }
  std::vector<std::string> plaintexts;
  for (const std::string& envelope : envelopes) {
    plaintexts.push_back(world.open(envelope, bob).value().plaintext);
  }

  crypto::SeededRandom damage(99, "damage");
  int refused = 0;
  for (int i = 0; i < kMutations; ++i) {
    const std::size_t which = damage.below(envelopes.size());
    const auto opened = world.open(mutated(envelopes[which], damage), bob);
    if (opened.has_error()) {
      ++refused;
      continue;
    }
    // A change outside what is protected (white space, an unknown member) may leave it valid.
    if (opened->info.authenticated) {
      ASSERT_EQ(opened->plaintext, plaintexts[which]) << "mutation " << i;
      ASSERT_EQ(*opened->info.sender, alice.did);
    }
  }
  EXPECT_GT(refused, kMutations * 9 / 10);
}

TEST(EnvelopeFuzz, DamagedEnvelopesOnNistCurvesNeverCrashAndNeverAuthenticateAnotherPlaintext) {
  test::ForgeLab lab;
  std::vector<std::string> envelopes;
  for (const SenderKey& sender : lab.alice.agreement) {
    envelopes.push_back(pack_authcrypt(lab.message, sender, lab.bob.party.recipients(), {},
                                       lab.world.keys, lab.world.random)
                            .value());
  }
  crypto::SeededRandom damage(101, "damage");
  int refused = 0;
  for (int i = 0; i < kNistMutations; ++i) {
    const std::size_t which = damage.below(envelopes.size());
    const auto opened = lab.world.open(mutated(envelopes[which], damage), lab.bob.party);
    if (opened.has_error()) {
      ++refused;
      continue;
    }
    ASSERT_TRUE(opened->info.authenticated) << "mutation " << i;
    ASSERT_EQ(*opened->info.sender, lab.alice.party.did);
    ASSERT_EQ(opened->message.id, lab.message.id);
  }
  EXPECT_GT(refused, kNistMutations * 9 / 10);
}

TEST(EnvelopeFuzz, DamagedPlaintextsNeverCrash) {
  World world(2025);
  Party alice = world.make_party();
  Party bob = world.make_party();
  Message message = world.message(alice, bob);
  message.attachments.push_back(protocol::json_attachment(JsonObject{{"a", 1}}, "one"));
  message.please_ack = {""};
  const std::string text = protocol::pack_plain(message).value();
  crypto::SeededRandom damage(100, "damage");
  int refused = 0;
  for (int i = 0; i < kMutations; ++i) {
    const auto opened = world.open(mutated(text, damage), bob);
    if (opened.has_error()) {
      ++refused;
      continue;
    }
    ASSERT_FALSE(opened->info.authenticated);
    // What was read can be written and read again.
    ASSERT_TRUE(protocol::parse_message(crypto::json_text(to_json(opened->message))).has_value());
  }
  EXPECT_GT(refused, kMutations / 2);
}

}  // namespace
}  // namespace kith
