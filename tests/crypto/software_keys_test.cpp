#include "crypto/software_keys.hpp"

#include <algorithm>

#include <gtest/gtest.h>

#include "crypto/dleq.hpp"
#include "crypto/ec_secp256k1.hpp"
#include "crypto/ec_x25519.hpp"
#include "crypto/limits.hpp"
#include "crypto/sealed_backup.hpp"

namespace kith::crypto {
namespace {

constexpr KeyPurpose kPurposes[] = {
    KeyPurpose::authenticate, KeyPurpose::agree, KeyPurpose::log_active,  KeyPurpose::log_next,
    KeyPurpose::log_recovery, KeyPurpose::agent, KeyPurpose::vault,       KeyPurpose::retire,
    KeyPurpose::session,      KeyPurpose::audit, KeyPurpose::link_secret, KeyPurpose::ledger,
    KeyPurpose::witness,      KeyPurpose::chain};
constexpr std::string_view kEs = "ECDH-ES+A256KW";
constexpr std::string_view k1Pu = "ECDH-1PU+A256KW";

bool is_one_of(KeyPurpose purpose, std::initializer_list<KeyPurpose> purposes) {
  return std::ranges::find(purposes, purpose) != purposes.end();
}

bool signs(KeyPurpose purpose) {
  return !is_one_of(purpose, {KeyPurpose::agree, KeyPurpose::vault, KeyPurpose::session,
                              KeyPurpose::link_secret, KeyPurpose::chain});
}

template <class T>
void expect_error(const Result<T>& result, Errc code) {
  ASSERT_FALSE(result.has_value());
  EXPECT_EQ(error_text(result.error().code).code, error_text(code).code) << result.error().detail;
}

class SoftwareKeysTest : public testing::Test {
 protected:
  static SecretBytes filled(std::uint8_t value) {
    SecretBytes bytes(32);
    std::ranges::fill(bytes.expose_mutable(), value);
    return bytes;
  }

  KeyPair key(KeyPurpose purpose) {
    const bool agreement = is_one_of(purpose, {KeyPurpose::agree, KeyPurpose::session});
    const KeyType type = agreement                      ? KeyType::x25519
                         : purpose == KeyPurpose::chain ? KeyType::secp256k1
                                                        : KeyType::ed25519;
    auto made = keys_.generate(type, purpose);
    EXPECT_TRUE(made.has_value());
    return *made;
  }

  /// A sealed key of any purpose, made in the way that this purpose allows.
  SealedKey sealed(KeyPurpose purpose) {
    if (purpose == KeyPurpose::link_secret) return *keys_.generate_secret(purpose);
    if (purpose == KeyPurpose::vault) return keys_.create_vault(step_up_)->unlocked;
    return key(purpose).sealed;
  }

  SeededRandom random_{1, "software keys"};
  /// Y = y*G.
  static constexpr std::uint64_t kRecoverySecret = 12345;
  static SecretPoint recovery_key() {
    return SecretPoint(Point::base_times(Scalar::from_u64(kRecoverySecret)).value());
  }
  Result<Bytes> capsule_of(const SealedKey& vault) {
    const KeyPair agent = key(KeyPurpose::agent);
    return keys_.seal_capsule(vault, agent.sealed, agent.public_key, recovery_key(), Bytes(16, 4),
                              1);
  }

  SoftwareKeys keys_{filled(1), random_};
  StepUp step_up_ = keys_.hold_step_up(filled(2));
};

// --- Keys and purposes ---

TEST_F(SoftwareKeysTest, SignsWithBothTypesOfSigningKey) {
  for (const KeyType type : {KeyType::ed25519, KeyType::secp256k1}) {
    const auto made = keys_.generate(type, KeyPurpose::authenticate);
    ASSERT_TRUE(made.has_value());
    const auto signature = keys_.sign(made->sealed, as_bytes("text"));
    ASSERT_TRUE(signature.has_value());
    EXPECT_TRUE(verify(made->public_key, as_bytes("text"), *signature).has_value());
    EXPECT_FALSE(verify(made->public_key, as_bytes("texu"), *signature).has_value());
  }
}

TEST_F(SoftwareKeysTest, GeneratesOnlyPairsOfTypeAndPurposeThatFit) {
  for (const KeyPurpose purpose : kPurposes) {
    const bool agreement = is_one_of(purpose, {KeyPurpose::agree, KeyPurpose::session});
    for (const KeyType type : {KeyType::ed25519, KeyType::x25519, KeyType::secp256k1}) {
      const bool pays = purpose == KeyPurpose::chain && type == KeyType::secp256k1;
      const bool fits = type == KeyType::x25519 ? agreement : signs(purpose) || pays;
      const auto made = keys_.generate(type, purpose);
      const auto imported = keys_.import_private(type, purpose, filled(7));
      EXPECT_EQ(made.has_value(), fits);
      EXPECT_EQ(imported.has_value(), fits);
      if (!fits) expect_error(made, Errc::key_misuse);
    }
    EXPECT_EQ(keys_.generate_secret(purpose).has_value(), purpose == KeyPurpose::link_secret);
  }
}

TEST_F(SoftwareKeysTest, RefusesEveryUseThatAPurposeDoesNotAllow) {
  const KeyPair peer = key(KeyPurpose::agree);
  const SecretBytes cek(32);
  const Bytes tag(32, 5);
  const auto vault = keys_.create_vault(step_up_);
  ASSERT_TRUE(vault.has_value());
  const auto box = keys_.seal_to(peer.public_key, {}, as_bytes("x"));
  ASSERT_TRUE(box.has_value());
  const Scalar one = Scalar::from_u64(1);
  const auto point = Point::base_times(one);
  ASSERT_TRUE(point.has_value());
  for (const KeyPurpose purpose : kPurposes) {
    SCOPED_TRACE(static_cast<int>(purpose));
    const SealedKey mine = sealed(purpose);
    /// Allowed uses may still fail for another reason; a refused one says key_misuse.
    const auto check = [](const auto& result, bool allowed) {
      const bool refused = !result.has_value() && result.error() == Errc::key_misuse;
      EXPECT_EQ(!refused, allowed);
    };
    const bool is_agree = purpose == KeyPurpose::agree;
    const bool is_vault = purpose == KeyPurpose::vault;
    const bool vaultable = is_one_of(purpose, {KeyPurpose::log_next, KeyPurpose::log_recovery,
                                               KeyPurpose::retire, KeyPurpose::link_secret});
    check(keys_.sign(mine, as_bytes("text")), signs(purpose));
    check(keys_.sign_hash(mine, Bytes(32, 1)), purpose == KeyPurpose::chain);
    check(keys_.activate_next(mine), purpose == KeyPurpose::log_next);
    check(keys_.wrap_cek(&mine, peer.public_key, filled(9), {k1Pu, {}, {}, tag}, cek), is_agree);
    check(keys_.unwrap_cek(mine, nullptr, peer.public_key, {kEs, {}, {}, {}}, Bytes(40)), is_agree);
    check(keys_.open_box(mine, {}, *box), is_agree || purpose == KeyPurpose::session);
    check(keys_.seal_to_vault(vault->locked.public_key, mine), vaultable);
    check(keys_.lock_vault(mine, step_up_), is_vault);
    check(keys_.open_vault_item(mine, {*box}), is_vault);
    check(capsule_of(mine), is_vault);
    check(keys_.hand_over_vault(mine, peer.public_key, {}), is_vault);
    check(keys_.take_over_vault(mine, {}, *box), purpose == KeyPurpose::session);
    check(keys_.seal_capsule(vault->unlocked, mine, peer.public_key, recovery_key(), Bytes(16), 1),
          purpose == KeyPurpose::agent);
    check(keys_.accept_share(mine, {}, *box, *point), is_agree);
  }
}

TEST_F(SoftwareKeysTest, SignsHashesForChains) {
  const KeyPair mine = key(KeyPurpose::chain);
  const Bytes hash(32, 1);
  const auto signature = keys_.sign_hash(mine.sealed, hash);
  ASSERT_TRUE(signature.has_value());
  EXPECT_EQ(*secp256k1_recover(hash, *signature), mine.public_key.bytes);
  expect_error(keys_.sign_hash(mine.sealed, Bytes(31, 1)), Errc::malformed);
}

TEST_F(SoftwareKeysTest, ANextKeyBecomesActiveAndNothingElseDoes) {
  const KeyPair next = key(KeyPurpose::log_next);
  const auto active = keys_.activate_next(next.sealed);
  ASSERT_TRUE(active.has_value());
  const auto signature = keys_.sign(*active, as_bytes("entry"));
  ASSERT_TRUE(signature.has_value());
  EXPECT_TRUE(verify(next.public_key, as_bytes("entry"), *signature).has_value());
  expect_error(keys_.activate_next(*active), Errc::key_misuse);
}

TEST_F(SoftwareKeysTest, RefusesEveryChangedByteAndEveryCutOfASealedKey) {
  for (const KeyPurpose purpose : {KeyPurpose::agent, KeyPurpose::vault}) {
    SealedKey mine = sealed(purpose);
    for (std::uint8_t& byte : mine.blob) {
      for (const std::uint8_t mask : {std::uint8_t{0x01}, std::uint8_t{0x03}, std::uint8_t{0x80}}) {
        byte ^= mask;
        expect_error(keys_.sign(mine, {}), Errc::storage_corrupt);
        expect_error(capsule_of(mine), Errc::storage_corrupt);
        byte ^= mask;
      }
    }
    while (!mine.blob.empty()) {
      mine.blob.pop_back();
      expect_error(keys_.sign(mine, {}), Errc::storage_corrupt);
    }
  }
}

TEST_F(SoftwareKeysTest, AnotherRootOpensNothing) {
  SoftwareKeys other(filled(3), random_);
  const StepUp other_step_up = other.hold_step_up(filled(2));
  const auto vault = keys_.create_vault(step_up_);
  ASSERT_TRUE(vault.has_value());
  expect_error(other.sign(sealed(KeyPurpose::agent), {}), Errc::storage_corrupt);
  expect_error(other.open_record("name", keys_.seal_record("name", {})), Errc::storage_corrupt);
  expect_error(other.unlock_vault(vault->locked, other_step_up), Errc::storage_corrupt);
  EXPECT_NE(other.record_name("name"), keys_.record_name("name"));
}

TEST_F(SoftwareKeysTest, TheSameRootInANewProcessOpensWhatWasStored) {
  const KeyPair agent = key(KeyPurpose::agent);
  const Bytes record = keys_.seal_record("name", as_bytes("content"));
  const auto vault = keys_.create_vault(step_up_);
  ASSERT_TRUE(vault.has_value());
  SoftwareKeys later(filled(1), random_);
  EXPECT_TRUE(later.sign(agent.sealed, {}).has_value());
  EXPECT_EQ(later.record_name("name"), keys_.record_name("name"));
  const auto opened = later.open_record("name", record);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(as_text(*opened), "content");
  EXPECT_TRUE(later.unlock_vault(vault->locked, later.hold_step_up(filled(2))).has_value());
  // An open vault key is the exception: it dies with the process.
  expect_error(later.lock_vault(vault->unlocked, later.hold_step_up(filled(2))),
               Errc::storage_corrupt);
}

// --- Envelopes ---

TEST_F(SoftwareKeysTest, WrapsAndUnwrapsContentKeys) {
  const KeyPair alice = key(KeyPurpose::agree);
  const KeyPair bob = key(KeyPurpose::agree);
  const RawKeyPair ephemeral = x25519_generate(random_);
  const SecretBytes cek = random_.secret(64);
  const Bytes apu = random_.bytes(10);
  const Bytes apv = random_.bytes(32);
  const Bytes tag = random_.bytes(32);
  for (const bool authenticated : {false, true}) {
    const SealedKey* const sender = authenticated ? &alice.sealed : nullptr;
    const PublicKey* const sender_key = authenticated ? &alice.public_key : nullptr;
    const WrapContext context{authenticated ? k1Pu : kEs, apu, apv,
                              authenticated ? ByteView(tag) : ByteView()};
    const auto wrapped =
        keys_.wrap_cek(sender, bob.public_key, ephemeral.private_key, context, cek);
    ASSERT_TRUE(wrapped.has_value());
    const auto unwrap = [&](const WrapContext& used, const PublicKey* from) {
      return keys_.unwrap_cek(bob.sealed, from, ephemeral.public_key, used, *wrapped);
    };
    const auto unwrapped = unwrap(context, sender_key);
    ASSERT_TRUE(unwrapped.has_value());
    EXPECT_TRUE(equal_constant_time(unwrapped->expose(), cek.expose()));
    expect_error(unwrap({context.alg, apv, apv, context.tag}, sender_key), Errc::cannot_decrypt);
    expect_error(unwrap({context.alg, apu, apu, context.tag}, sender_key), Errc::cannot_decrypt);
    if (authenticated) {
      expect_error(unwrap({context.alg, apu, apv, apv}, sender_key), Errc::cannot_decrypt);
      expect_error(unwrap(context, &bob.public_key), Errc::cannot_decrypt);
    }
    expect_error(unwrap(context, authenticated ? nullptr : &alice.public_key), Errc::malformed);
    expect_error(unwrap({"ECDH-ES", apu, apv, context.tag}, sender_key), Errc::unsupported);
    Bytes changed = *wrapped;
    changed[0] ^= 1;
    expect_error(keys_.unwrap_cek(bob.sealed, sender_key, ephemeral.public_key, context, changed),
                 Errc::cannot_decrypt);
    expect_error(
        keys_.unwrap_cek(alice.sealed, sender_key, ephemeral.public_key, context, *wrapped),
        Errc::cannot_decrypt);
  }
}

TEST_F(SoftwareKeysTest, RefusesKeysOfSmallOrderInEnvelopesAndBoxes) {
  const KeyPair bob = key(KeyPurpose::agree);
  const PublicKey weak{KeyType::x25519, Bytes(32)};
  expect_error(keys_.wrap_cek(nullptr, weak, filled(9), {kEs, {}, {}, {}}, SecretBytes(32)),
               Errc::bad_key);
  expect_error(keys_.unwrap_cek(bob.sealed, nullptr, weak, {kEs, {}, {}, {}}, Bytes(40)),
               Errc::cannot_decrypt);
  expect_error(keys_.seal_to(weak, {}, {}), Errc::bad_key);
  expect_error(keys_.open_box(bob.sealed, {}, Bytes(64)), Errc::cannot_decrypt);
  expect_error(keys_.seal_to(key(KeyPurpose::agent).public_key, {}, {}), Errc::bad_key);
}

TEST_F(SoftwareKeysTest, OpensBoxesOnlyWithTheirKeyAndAd) {
  const KeyPair bob = key(KeyPurpose::session);
  auto box = keys_.seal_to(bob.public_key, as_bytes("ad"), as_bytes("text"));
  ASSERT_TRUE(box.has_value());
  EXPECT_EQ(box->size(), 32u + 4u + 16u);
  const auto opened = keys_.open_box(bob.sealed, as_bytes("ad"), *box);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(as_text(*opened), "text");
  expect_error(keys_.open_box(bob.sealed, as_bytes("da"), *box), Errc::cannot_decrypt);
  expect_error(keys_.open_box(sealed(KeyPurpose::session), as_bytes("ad"), *box),
               Errc::cannot_decrypt);
  for (std::uint8_t& byte : *box) {
    byte ^= 1;
    expect_error(keys_.open_box(bob.sealed, as_bytes("ad"), *box), Errc::cannot_decrypt);
    byte ^= 1;
  }
  while (!box->empty()) {
    box->pop_back();
    expect_error(keys_.open_box(bob.sealed, as_bytes("ad"), *box), Errc::cannot_decrypt);
  }
}

// --- Records ---

TEST_F(SoftwareKeysTest, OpensRecordsOnlyUnderTheirName) {
  Bytes record = keys_.seal_record("a/1", as_bytes("content"));
  ASSERT_TRUE(keys_.open_record("a/1", record).has_value());
  expect_error(keys_.open_record("a/2", record), Errc::storage_corrupt);
  EXPECT_NE(keys_.seal_record("a/1", as_bytes("content")), record);
  for (std::uint8_t& byte : record) {
    byte ^= 1;
    expect_error(keys_.open_record("a/1", record), Errc::storage_corrupt);
    byte ^= 1;
  }
  expect_error(keys_.open_record("a/1", {}), Errc::storage_corrupt);
}

TEST_F(SoftwareKeysTest, RecordNamesAreStableAndTellApart) {
  EXPECT_EQ(keys_.record_name("a").size(), 32u);
  EXPECT_EQ(keys_.record_name("a"), keys_.record_name("a"));
  EXPECT_NE(keys_.record_name("a"), keys_.record_name("b"));
}

// --- The vault ---

TEST_F(SoftwareKeysTest, TheVaultOpensWithThePassphraseAndGivesItsItemsBack) {
  const auto vault = keys_.create_vault(step_up_);
  ASSERT_TRUE(vault.has_value());
  const KeyPair next = key(KeyPurpose::log_next);
  const auto item = keys_.seal_to_vault(vault->locked.public_key, next.sealed);
  ASSERT_TRUE(item.has_value());
  const auto unlocked = keys_.unlock_vault(vault->locked, step_up_);
  ASSERT_TRUE(unlocked.has_value());
  const auto opened = keys_.open_vault_item(*unlocked, *item);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->public_key, next.public_key);
  EXPECT_TRUE(keys_.activate_next(opened->sealed).has_value());  // Its purpose came along.
  const auto secret =
      keys_.seal_to_vault(vault->locked.public_key, sealed(KeyPurpose::link_secret));
  ASSERT_TRUE(secret.has_value());
  const auto opened_secret = keys_.open_vault_item(*unlocked, *secret);
  ASSERT_TRUE(opened_secret.has_value());
  EXPECT_TRUE(opened_secret->public_key.bytes.empty());
}

TEST_F(SoftwareKeysTest, TellsAWrongPassphraseFromDamageAndFromNone) {
  const auto vault = keys_.create_vault(step_up_);
  ASSERT_TRUE(vault.has_value());
  const StepUp wrong = keys_.hold_step_up(filled(4));
  expect_error(keys_.unlock_vault(vault->locked, wrong), Errc::wrong_passphrase);
  LockedVault damaged = vault->locked;
  for (std::uint8_t& byte : damaged.blob) {
    byte ^= 1;
    expect_error(keys_.unlock_vault(damaged, step_up_), Errc::storage_corrupt);
    byte ^= 1;
  }
  damaged.public_key = key(KeyPurpose::agree).public_key;
  expect_error(keys_.unlock_vault(damaged, step_up_), Errc::storage_corrupt);
  keys_.drop_step_up(step_up_);
  keys_.drop_step_up(step_up_);
  expect_error(keys_.unlock_vault(vault->locked, step_up_), Errc::step_up_required);
  expect_error(keys_.lock_vault(vault->unlocked, step_up_), Errc::step_up_required);
  expect_error(keys_.create_vault(step_up_), Errc::step_up_required);
  expect_error(keys_.create_vault(StepUp{999}), Errc::step_up_required);
}

TEST_F(SoftwareKeysTest, TheCapsuleCarriesTheVaultToAnotherDevice) {
  const auto vault = keys_.create_vault(step_up_);
  ASSERT_TRUE(vault.has_value());
  const KeyPair recovery = key(KeyPurpose::log_recovery);
  const auto item = keys_.seal_to_vault(vault->locked.public_key, recovery.sealed);
  const auto capsule = capsule_of(vault->unlocked);
  ASSERT_TRUE(item.has_value() && capsule.has_value());
  SoftwareKeys fresh(filled(5), random_);
  const auto core = parse_container_core(ByteView(*capsule).first(kContainerCoreBytes)).value();
  // e*Y from Y = y*G is y*E.
  const SecretPoint opening(core.ephemeral.times(Scalar::from_u64(kRecoverySecret)).value());
  const auto imported = fresh.open_capsule(*capsule, recovery_key(), opening);
  ASSERT_TRUE(imported.has_value());
  EXPECT_EQ(imported->set_id, Bytes(16, 4));
  EXPECT_EQ(imported->vault.public_key, vault->locked.public_key);
  const auto opened = fresh.open_vault_item(imported->vault.sealed, *item);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(opened->public_key, recovery.public_key);
  EXPECT_TRUE(fresh.sign(opened->sealed, {}).has_value());
  const StepUp step_up = fresh.hold_step_up(filled(6));
  const auto locked = fresh.lock_vault(imported->vault.sealed, step_up);
  ASSERT_TRUE(locked.has_value());
  EXPECT_TRUE(fresh.unlock_vault(*locked, step_up).has_value());
  Bytes changed = *capsule;
  changed.back() ^= 1;
  expect_error(fresh.open_capsule(changed, recovery_key(), opening), Errc::cannot_decrypt);
  changed.pop_back();
  expect_error(fresh.open_capsule(changed, recovery_key(), opening), Errc::malformed);
  expect_error(keys_.seal_capsule(vault->unlocked, sealed(KeyPurpose::agent),
                                  key(KeyPurpose::agent).public_key, recovery_key(), Bytes(15), 1),
               Errc::malformed);
}

TEST_F(SoftwareKeysTest, BelievesNothingInAVaultItemThatAStrangerMade) {
  const auto vault = keys_.create_vault(step_up_);
  ASSERT_TRUE(vault.has_value());
  const auto open = [&](ByteView content) {
    const auto box =
        keys_.seal_to(vault->locked.public_key, as_bytes("kith/vault-item/v1"), content);
    EXPECT_TRUE(box.has_value());
    return keys_.open_vault_item(vault->unlocked, {*box});
  };
  const auto content = [](KeyType type, KeyPurpose purpose, std::size_t public_bytes) {
    Bytes bytes{static_cast<std::uint8_t>(type), static_cast<std::uint8_t>(purpose)};
    bytes.resize(2 + 32 + public_bytes, 9);
    return bytes;
  };
  expect_error(open({}), Errc::malformed);
  expect_error(open(content(KeyType::ed25519, KeyPurpose::log_next, 0)), Errc::malformed);
  expect_error(open(content(KeyType::ed25519, KeyPurpose::log_next, 32)), Errc::malformed);
  expect_error(open(content(KeyType::x25519, KeyPurpose::log_next, 32)), Errc::malformed);
  expect_error(open(content(KeyType{0}, KeyPurpose::log_next, 0)), Errc::malformed);
  expect_error(open(content(KeyType::ed25519, KeyPurpose::link_secret, 32)), Errc::malformed);
  expect_error(open(content(KeyType::x25519, KeyPurpose::vault, 32)), Errc::malformed);
  expect_error(open(content(KeyType::ed25519, KeyPurpose{200}, 32)), Errc::malformed);
  expect_error(open(content(KeyType{77}, KeyPurpose::log_next, 32)), Errc::malformed);
  EXPECT_TRUE(open(content(KeyType{0}, KeyPurpose::link_secret, 0)).has_value());
  expect_error(keys_.open_vault_item(vault->unlocked, {Bytes(80, 1)}), Errc::cannot_decrypt);
}

// --- Shares ---

class SharesTest : public SoftwareKeysTest {
 protected:
  Dealing two_of_three() {
    DealShape shape;
    shape.threshold = 2;
    shape.children.resize(3);
    auto dealing = keys_.deal(shape);
    EXPECT_TRUE(dealing.has_value());
    return std::move(*dealing);
  }
};

TEST_F(SharesTest, ATrusteeAcceptsItsShareAndProvesIt) {
  const Dealing dealing = two_of_three();
  ASSERT_EQ(dealing.leaves.size(), 3u);
  SoftwareKeys trustee(filled(8), random_);
  const auto own = trustee.generate(KeyType::x25519, KeyPurpose::agree);
  ASSERT_TRUE(own.has_value());
  const DealtLeaf& leaf = dealing.leaves[0];
  const auto box = keys_.seal_share_to(leaf.share, own->public_key, as_bytes("ad"));
  ASSERT_TRUE(box.has_value());
  const auto accept = [&](std::string_view ad, const Point& point) {
    return trustee.accept_share(own->sealed, as_bytes(ad), *box, point);
  };
  const auto share = accept("ad", leaf.share_point);
  ASSERT_TRUE(share.has_value());
  expect_error(accept("other", leaf.share_point), Errc::cannot_decrypt);
  expect_error(accept("ad", dealing.leaves[1].share_point), Errc::bad_proof);
  // An ordinary box to the same key is no share box, and the other way round.
  expect_error(trustee.open_box(own->sealed, as_bytes("ad"), *box), Errc::cannot_decrypt);

  const auto proof = trustee.prove_share(*share, as_bytes("statement"));
  ASSERT_TRUE(proof.has_value());
  EXPECT_TRUE(verify_schnorr(leaf.share_point, as_bytes("statement"), *proof).has_value());
  EXPECT_FALSE(verify_schnorr(leaf.share_point, as_bytes("another"), *proof).has_value());
  EXPECT_FALSE(
      verify_schnorr(dealing.leaves[1].share_point, as_bytes("statement"), *proof).has_value());
}

TEST_F(SharesTest, PartialsOfAQuorumOpenWhatTheRecoveryKeyClosed) {
  const Dealing dealing = two_of_three();
  const Scalar e = Scalar::random_nonzero(random_);
  const auto opening = Point::base_times(e);
  const auto expected = dealing.recovery_key.expose_point().times(e);
  ASSERT_TRUE(opening.has_value() && expected.has_value());
  std::vector<PointAt> points;
  for (const std::size_t i : {0u, 2u}) {
    const DealtLeaf& leaf = dealing.leaves[i];
    const auto answer = keys_.partial(leaf.share, {*opening}, as_bytes("statement"));
    ASSERT_TRUE(answer.has_value());
    ASSERT_EQ(answer->partials.size(), 1u);
    ASSERT_EQ(answer->proofs.size(), 1u);
    const DleqPoints claim{leaf.share_point, *opening, answer->partials[0]};
    EXPECT_TRUE(verify_dleq(claim, as_bytes("statement"), answer->proofs[0]).has_value());
    EXPECT_FALSE(verify_dleq(claim, as_bytes("another"), answer->proofs[0]).has_value());
    points.push_back({leaf.x_path[0], answer->partials[0]});
  }
  const auto opened = interpolate(points);
  ASSERT_TRUE(opened.has_value());
  EXPECT_EQ(*opened, *expected);
  points.pop_back();
  const auto too_few = interpolate(points);
  EXPECT_FALSE(too_few.has_value() && *too_few == *expected);
}

TEST_F(SharesTest, RefusesTooManyPointsChangedSharesAndBadShapes) {
  Dealing dealing = two_of_three();
  SealedShare& share = dealing.leaves[0].share;
  const std::vector<Point> many(limits::kPartialPointsMax + 1, Point::base());
  expect_error(keys_.partial(share, many, {}), Errc::limit_exceeded);
  expect_error(keys_.partial(share, {}, {}), Errc::limit_exceeded);
  for (std::uint8_t& byte : share.blob) {
    byte ^= 1;
    expect_error(keys_.prove_share(share, {}), Errc::storage_corrupt);
    byte ^= 1;
  }
  // A sealed key is no share and a share no key: their keys differ.
  expect_error(keys_.prove_share({sealed(KeyPurpose::link_secret).blob}, {}),
               Errc::storage_corrupt);
  expect_error(keys_.sign({share.blob}, {}), Errc::storage_corrupt);
  EXPECT_FALSE(keys_.deal(DealShape{}).has_value());
}

}  // namespace
}  // namespace kith::crypto
