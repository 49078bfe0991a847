#include "node/storage/keystore.hpp"

#include <gtest/gtest.h>

#include "crypto/aead.hpp"
#include "crypto/hash.hpp"
#include "crypto/limits.hpp"
#include "node/keys/key_host.hpp"
#include "node/keys/opening.hpp"

namespace kith::node {
namespace {

using std::chrono::milliseconds;

class KeystoreTest : public testing::Test {
 protected:
  crypto::PassphraseParameters least() {
    auto parameters = crypto::new_passphrase_parameters(random_);
    parameters.memory_bytes = limits::kArgonMemoryBytesMin;
    parameters.ops = limits::kArgonOpsMin;
    return parameters;
  }
  static SecretBytes words(std::string_view text) {
    return SecretBytes::copy_of(crypto::as_bytes(text));
  }

  crypto::SeededRandom random_{4, "keystore"};
  const SecretBytes passphrase_ = words("gravel unicorn teapot sideways");
};

TEST_F(KeystoreTest, OpensWhatEarlierProgramsSealed) {
  // Kind 1, put together from its description.
  const auto parameters = least();
  const SecretBytes root = random_.secret(32);
  const SecretBytes derived = crypto::derive_from_passphrase(passphrase_, parameters).value();
  const SecretBytes key =
      crypto::hkdf_sha256(derived.expose(), {}, crypto::as_bytes("kith/keystore/v1/unlock"), 32);
  Bytes file = crypto::to_bytes(std::string_view("kith-keystore-v1"));
  file.push_back(1);
  crypto::append_u32_be(file, parameters.ops);
  crypto::append_u64_be(file, parameters.memory_bytes);
  crypto::append(file, parameters.salt);
  const Bytes nonce = random_.bytes(24);
  const Bytes sealed = crypto::xc20p_seal(key.expose(), nonce, file, root.expose());
  crypto::append(file, nonce);
  crypto::append(file, sealed);
  const Keystore old = Keystore::parse(SecretBytes::take(file)).value();
  EXPECT_TRUE(old.cost()->test);
  const UnlockedKeys keys = old.unlock(&passphrase_).value();
  EXPECT_TRUE(crypto::equal_constant_time(keys.root.expose(), root.expose()));
  const SecretBytes step_up =
      crypto::hkdf_sha256(derived.expose(), {}, crypto::as_bytes("kith/keystore/v1/step-up"), 32);
  EXPECT_TRUE(crypto::equal_constant_time(keys.step_up.expose(), step_up.expose()));
}

TEST_F(KeystoreTest, KeepsItsKeysUnderAnotherCost) {
  const auto made = Keystore::make(&passphrase_, {least(), false}, random_).value();
  auto dearer = least();
  dearer.ops += 1;
  const Keystore again = Keystore::sealed(made.keys, passphrase_, dearer, random_).value();
  EXPECT_EQ(again.cost()->parameters.ops, dearer.ops);
  EXPECT_FALSE(again.cost()->test);
  const UnlockedKeys keys = again.unlock(&passphrase_).value();
  EXPECT_TRUE(crypto::equal_constant_time(keys.root.expose(), made.keys.root.expose()));
  EXPECT_TRUE(crypto::equal_constant_time(keys.step_up.expose(), made.keys.step_up.expose()));
  const SecretBytes wrong = words("gravel unicorn teapot sidewalk");
  EXPECT_EQ(again.unlock(&wrong).error(), Errc::wrong_passphrase);
}

TEST_F(KeystoreTest, NeedsTheTokensSecretBesideThePassphrase) {
  HeldToken token;
  token.link.label.fill('A');
  token.link.key_id = {7};
  token.link.point = Bytes(TokenLink::kPointBytes, 4);
  token.secret = random_.secret(32);
  const auto made = Keystore::make(&passphrase_, least(), random_, &token).value();
  EXPECT_TRUE(made.keystore.unlock(&passphrase_).has_value());
  EXPECT_TRUE(made.keystore.clone().unlock(&passphrase_).has_value());

  Keystore read = Keystore::parse(made.keystore.file().clone()).value();
  ASSERT_TRUE(read.token().has_value());
  EXPECT_EQ(read.token()->encode(), token.link.encode());
  EXPECT_TRUE(read.has_passphrase());
  EXPECT_EQ(read.unlock(&passphrase_).error(), Errc::token_missing);
  read.hold_token_secret(random_.secret(32));
  EXPECT_EQ(read.unlock(&passphrase_).error(), Errc::wrong_passphrase);
  read.hold_token_secret(token.secret.clone());
  const UnlockedKeys keys = read.unlock(&passphrase_).value();
  EXPECT_TRUE(crypto::equal_constant_time(keys.root.expose(), made.keys.root.expose()));
  EXPECT_TRUE(crypto::equal_constant_time(keys.step_up.expose(), made.keys.step_up.expose()));

  // Each byte of the link is bound in.
  const std::size_t link_at = Keystore::kPublicBytes;
  for (std::size_t at = link_at; at < link_at + TokenLink::kBytes; at += 13) {
    Bytes altered(made.keystore.file().expose().begin(), made.keystore.file().expose().end());
    altered[at] ^= 1U;
    auto other = Keystore::parse(SecretBytes::take(altered));
    if (!other.has_value()) continue;
    other->hold_token_secret(token.secret.clone());
    EXPECT_EQ(other->unlock(&passphrase_).error(), Errc::wrong_passphrase) << at;
  }
}

TEST_F(KeystoreTest, TellsFromItsHeadWhetherThereIsAPassphrase) {
  const auto sealed = Keystore::make(&passphrase_, least(), random_).value();
  const auto bare = Keystore::make(nullptr, least(), random_).value();
  const auto look = [](const Keystore& keystore, std::size_t size) {
    return Keystore::has_passphrase(keystore.file().expose().first(Keystore::kHeadBytes), size);
  };
  EXPECT_TRUE(look(sealed.keystore, sealed.keystore.file().size()).value());
  EXPECT_FALSE(look(bare.keystore, bare.keystore.file().size()).value());
  EXPECT_EQ(look(sealed.keystore, sealed.keystore.file().size() - 1).error(),
            Errc::storage_corrupt);
  EXPECT_EQ(look(bare.keystore, sealed.keystore.file().size()).error(), Errc::storage_corrupt);
  EXPECT_EQ(Keystore::has_passphrase({}, 49).error(), Errc::storage_corrupt);
}

TEST_F(KeystoreTest, RaisesACostThatIsLowOrHasBecomeCheap) {
  const crypto::PassphraseParameters usual;
  const auto wanted = std::chrono::duration_cast<milliseconds>(limits::kArgonTimeWanted);
  // As long as it should take, or longer: stays.
  EXPECT_FALSE(raised_parameters(usual, wanted).has_value());
  EXPECT_FALSE(raised_parameters(usual, wanted * 10).has_value());
  EXPECT_FALSE(raised_parameters(usual, wanted * 2 / 3).has_value());
  // A faster machine: more.
  EXPECT_EQ(raised_parameters(usual, wanted / 3)->ops, usual.ops * 3);
  EXPECT_EQ(raised_parameters(usual, milliseconds{0})->ops, limits::kArgonOpsMax);
  auto most = usual;
  most.ops = limits::kArgonOpsMax;
  EXPECT_FALSE(raised_parameters(most, milliseconds{1}).has_value());
  // Below what a wallet has today: up to that, however slow the machine.
  const auto raised = raised_parameters(least(), wanted * 10);
  ASSERT_TRUE(raised.has_value());
  EXPECT_EQ(raised->ops, usual.ops);
  EXPECT_EQ(raised->memory_bytes, usual.memory_bytes);
}

TEST_F(KeystoreTest, TheKeyHostOfThisProcessProvesPassphrases) {
  auto made = Keystore::make(&passphrase_, least(), random_).value();
  LocalKeyHost host(std::move(made.keys), std::move(made.keystore), false);
  EXPECT_FALSE(host.standing().has_value());
  const StepUp step_up = host.hold(host.prove(passphrase_).value());
  const auto vault = host.ops().create_vault(step_up);
  ASSERT_TRUE(vault.has_value());
  host.drop(step_up);
  EXPECT_EQ(host.ops().unlock_vault(vault->locked, step_up).error(), Errc::step_up_required);
  EXPECT_EQ(host.prove(words("another")).error(), Errc::wrong_passphrase);
}

}  // namespace
}  // namespace kith::node
