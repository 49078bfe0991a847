#include "crypto/key_wire.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "crypto/limits.hpp"
#include "crypto/remote_keys.hpp"
#include "crypto/software_keys.hpp"

/// Every operation through the wire gives what it gives in this process, errors included.

namespace kith::crypto {
namespace {

/// The other process, in this one. `damage` stands between the two.
class NearChannel final : public KeyChannel {
 public:
  explicit NearChannel(KeyOps& keys) : keys_(keys) {}
  Result<void> exchange(WireBuffer& frame) override {
    if (cut) return fail(Errc::keys_gone);
    ++calls;
    const Bytes request = to_bytes(frame.view());
    serve_key_call(keys_, request, answer_);
    Bytes answer = to_bytes(answer_.view());
    if (damage) damage(answer);
    frame.clear();
    frame.raw(answer);
    return {};
  }
  std::function<void(Bytes&)> damage;
  bool cut = false;
  int calls = 0;

 private:
  KeyOps& keys_;
  WireBuffer answer_;
};

SecretBytes wire_root() {
  return SecretBytes(32);
}

/// One text for a result, to be compared.
std::string told(const Bytes& bytes) {
  return hex(bytes);
}
std::string told(const SecretBytes& secret) {
  return hex(secret.expose());
}
std::string told(const SealedKey& key) {
  return hex(key.blob);
}
std::string told(const SealedShare& share) {
  return hex(share.blob);
}
std::string told(const VaultItem& item) {
  return hex(item.box);
}
std::string told(const PublicKey& key) {
  return std::to_string(static_cast<int>(key.type)) + hex(key.bytes);
}
std::string told(const KeyPair& pair) {
  return told(pair.public_key) + told(pair.sealed);
}
std::string told(const LockedVault& vault) {
  return told(vault.public_key) + hex(vault.blob);
}
std::string told(const KeyOps::NewVault& vault) {
  return told(vault.locked) + told(vault.unlocked);
}
std::string told(const KeyOps::OpenedCapsule& capsule) {
  return hex(capsule.set_id) + told(capsule.vault) + told(capsule.signer);
}
std::string told(const std::vector<Scalar>& path) {
  std::string text;
  for (const Scalar& x : path) text += hex(x.bytes());
  return text;
}
std::string told(const Dealing& dealing) {
  std::string text = hex(dealing.recovery_key.expose());
  for (const DealtLeaf& leaf : dealing.leaves) {
    text += told(leaf.x_path) + hex(leaf.share_point.bytes()) + told(leaf.share);
  }
  for (const DealtNode& node : dealing.nodes) text += told(node.x_path) + hex(node.point.bytes());
  return text;
}
std::string told(const PartialAnswer& answer) {
  std::string text;
  for (const Point& point : answer.partials) text += hex(point.bytes());
  for (const Bytes& proof : answer.proofs) text += hex(proof);
  return text;
}

/// Two KeyOps that draw the same randomness: one here, one behind the wire.
class KeyWireTest : public testing::Test {
 protected:
  KeyWireTest() { EXPECT_EQ(here_.hold_step_up(wire_root()), behind_.hold_step_up(wire_root())); }

  /// Asks both; returns what they say, which must be the same.
  template <class Ask>
  auto same(Ask ask) {
    auto near = drawing_the_same(ask, here_);
    auto far = drawing_the_same(ask, remote_);
    EXPECT_EQ(near.has_value(), far.has_value());
    if (near.has_value() && far.has_value()) {
      EXPECT_EQ(told(*near), told(*far));
    } else if (near.has_error() && far.has_error()) {
      EXPECT_EQ(error_text(near.error().code).code, error_text(far.error().code).code);
      EXPECT_EQ(near.error().detail, far.error().detail);
    }
    return near;
  }

  /// What libsodium draws for itself is the same for both, too.
  template <class Ask>
  static auto drawing_the_same(Ask ask, KeyOps& keys) {
    SeededRandom source(9, "inside libsodium");
    const SodiumRandomGuard guard(source);
    return ask(keys);
  }

  template <class Ask>
  void both(Ask ask) {
    static_cast<void>(same(ask));
  }

  SeededRandom here_random_{7, "wire"};
  SeededRandom far_random_{7, "wire"};
  SeededRandom record_random_{8, "records"};
  SoftwareKeys here_{wire_root(), here_random_};
  SoftwareKeys behind_{wire_root(), far_random_};
  NearChannel channel_{behind_};
  RemoteKeys remote_{channel_, RecordKeys::of_root(wire_root()), record_random_};
  const StepUp step_up_{1};
};

constexpr KeyType kWireTypes[] = {KeyType::ed25519, KeyType::x25519, KeyType::secp256k1,
                                  KeyType::p256,    KeyType::p384,   KeyType::p521};

TEST_F(KeyWireTest, EveryKindOfKeySignsAndRefusesTheSame) {
  const Bytes message(100, 3);
  for (int purpose = 1; purpose <= 14; ++purpose) {
    for (const KeyType type : kWireTypes) {
      SCOPED_TRACE(purpose * 10 + static_cast<int>(type));
      const auto made = same([&](KeyOps& k) {
        return k.generate(type, KeyPurpose{static_cast<std::uint8_t>(purpose)});
      });
      if (!made.has_value()) continue;
      if (type == KeyType::p256) {  // OpenSSL draws a nonce for each signature.
        const auto far = remote_.sign(made->sealed, message);
        ASSERT_EQ(far.has_value(), here_.sign(made->sealed, message).has_value());
        EXPECT_TRUE(!far.has_value() || verify(made->public_key, message, *far).has_value());
      } else {
        both([&](KeyOps& k) { return k.sign(made->sealed, message); });
      }
      both([&](KeyOps& k) { return k.sign_hash(made->sealed, ByteView(message).first(32)); });
      both([&](KeyOps& k) { return k.sign_hash(made->sealed, message); });
      both([&](KeyOps& k) { return k.activate_next(made->sealed); });
    }
  }
  both([&](KeyOps& k) { return k.sign(SealedKey{Bytes(10, 1)}, message); });
}

TEST_F(KeyWireTest, EnvelopesWrapAndOpenTheSame) {
  for (const KeyType type : {KeyType::x25519, KeyType::p256, KeyType::p384, KeyType::p521}) {
    const auto alice = same([&](KeyOps& k) { return k.generate(type, KeyPurpose::agree); });
    const auto bob = same([&](KeyOps& k) { return k.generate(type, KeyPurpose::agree); });
    SecretBytes one(type == KeyType::p384 ? 48 : type == KeyType::p521 ? 66 : 32);
    one.expose_mutable().back() = 77;
    const SecretBytes cek(64);
    const WrapContext es{"ECDH-ES+A256KW", {}, {}, {}};
    const Bytes tag(32, 9);
    const WrapContext pu{"ECDH-1PU+A256KW", as_bytes("apu"), as_bytes("apv"), tag};
    using Case = std::pair<const SealedKey*, WrapContext>;
    for (const auto& [from_key, how] :
         {Case{nullptr, es}, Case{&alice->sealed, pu}, Case{&alice->sealed, es}}) {
      const SealedKey* sender = from_key;
      const WrapContext& context = how;
      const auto wrapped =
          same([&](KeyOps& k) { return k.wrap_cek(sender, bob->public_key, one, context, cek); });
      const PublicKey* from = sender == nullptr ? nullptr : &alice->public_key;
      both([&](KeyOps& k) {
        return k.unwrap_cek(bob->sealed, from, alice->public_key, context,
                            wrapped.has_value() ? *wrapped : Bytes(40));
      });
    }
    here_.forget_agreements(alice->public_key);
    remote_.forget_agreements(alice->public_key);
    EXPECT_EQ(here_.kept_agreements(), behind_.kept_agreements());
    const auto box = same([&](KeyOps& k) { return k.seal_to(bob->public_key, tag, cek.expose()); });
    if (box.has_value()) both([&](KeyOps& k) { return k.open_box(bob->sealed, tag, *box); });
  }
  EXPECT_EQ(behind_.kept_agreements(), 0u);
}

TEST_F(KeyWireTest, TheVaultAndItsCapsuleAreTheSame) {
  const auto vault = same([&](KeyOps& k) { return k.create_vault(step_up_); });
  both([&](KeyOps& k) { return k.create_vault(StepUp{99}); });
  const auto next =
      same([&](KeyOps& k) { return k.generate(KeyType::ed25519, KeyPurpose::log_next); });
  const auto agent =
      same([&](KeyOps& k) { return k.generate(KeyType::ed25519, KeyPurpose::agent); });
  const auto link = same([&](KeyOps& k) { return k.generate_secret(KeyPurpose::link_secret); });
  both([&](KeyOps& k) { return k.generate_secret(KeyPurpose::agree); });
  const PublicKey to = vault->locked.public_key;
  for (const SealedKey& key : {next->sealed, *link, agent->sealed}) {
    const auto item = same([&](KeyOps& k) { return k.seal_to_vault(to, key); });
    if (!item.has_value()) continue;
    // What is unlocked in one process is nothing in the other: each opens its own.
    const auto near = here_.unlock_vault(vault->locked, step_up_).value();
    const auto far = remote_.unlock_vault(vault->locked, step_up_).value();
    EXPECT_EQ(told(here_.open_vault_item(near, *item).value()),
              told(remote_.open_vault_item(far, *item).value()));
  }
  both([&](KeyOps& k) { return k.lock_vault(vault->unlocked, step_up_); });
  const auto session =
      same([&](KeyOps& k) { return k.generate(KeyType::x25519, KeyPurpose::session); });
  const Bytes ad(16, 7);
  const auto box =
      same([&](KeyOps& k) { return k.hand_over_vault(vault->unlocked, session->public_key, ad); });
  if (box.has_value()) {
    EXPECT_EQ(here_.take_over_vault(session->sealed, ad, *box).value().public_key, to);
    EXPECT_EQ(remote_.take_over_vault(session->sealed, ad, *box).value().public_key, to);
  }
  both([&](KeyOps& k) { return k.take_over_vault(session->sealed, {}, Bytes(64)); });
  const SecretPoint y(Point::base());
  const Bytes set_id(16, 4);
  const auto capsule = same([&](KeyOps& k) {
    return k.seal_capsule(vault->unlocked, agent->sealed, agent->public_key, y, set_id, 5);
  });
  both([&](KeyOps& k) { return k.open_capsule(Bytes(7), y, y); });
  both([&](KeyOps& k) { return k.open_capsule(Bytes(4096), y, y); });
}

TEST_F(KeyWireTest, SharesAreDealtAndUsedTheSame) {
  const DealShape leaf;
  DealShape plan{2, {leaf, leaf, DealShape{1, {leaf, leaf}}}};
  const auto dealing = same([&](KeyOps& k) { return k.deal(plan); });
  const auto trustee =
      same([&](KeyOps& k) { return k.generate(KeyType::x25519, KeyPurpose::agree); });
  const DealtLeaf& mine = dealing->leaves[0];
  const auto box =
      same([&](KeyOps& k) { return k.seal_share_to(mine.share, trustee->public_key, Bytes(3)); });
  both(
      [&](KeyOps& k) { return k.accept_share(trustee->sealed, Bytes(3), *box, mine.share_point); });
  both(
      [&](KeyOps& k) { return k.accept_share(trustee->sealed, Bytes(4), *box, mine.share_point); });
  const std::vector<Point> one{Point::base()};
  both([&](KeyOps& k) { return k.partial(mine.share, one, Bytes(5)); });
  both([&](KeyOps& k) { return k.partial(mine.share, {}, Bytes(5)); });
  both([&](KeyOps& k) {
    return k.partial(mine.share, std::vector<Point>(5, Point::base()), Bytes(5));
  });
  both([&](KeyOps& k) { return k.prove_share(mine.share, Bytes(5)); });
  // What KeyOps refuses it refuses there too, in the same words.
  both([&](KeyOps& k) { return k.deal(leaf); });
  plan.children.resize(limits::kPlanChildrenMax + 1);
  both([&](KeyOps& k) { return k.deal(plan); });
  plan.children.resize(2);
  for (std::size_t i = 0; i <= limits::kPlanDepthMax; ++i) plan = DealShape{1, {plan, leaf}};
  both([&](KeyOps& k) { return k.deal(plan); });
}

TEST_F(KeyWireTest, RecordsAreTheSameAndNeverCrossTheWire) {
  const Bytes sealed = remote_.seal_record("name", as_bytes("content"));
  EXPECT_EQ(as_text(here_.open_record("name", sealed).value()), "content");
  EXPECT_EQ(remote_.open_record("other", sealed).error(), Errc::storage_corrupt);
  EXPECT_EQ(remote_.record_name("name"), here_.record_name("name"));
  EXPECT_EQ(channel_.calls, 0);
}

TEST_F(KeyWireTest, RefusesWhatIsLargerThanAFrame) {
  const auto key = remote_.generate(KeyType::ed25519, KeyPurpose::audit).value();
  EXPECT_TRUE(remote_.sign(key.sealed, Bytes(limits::kKeyFrameBytesMax - 1000)).has_value());
  EXPECT_EQ(remote_.sign(key.sealed, Bytes(limits::kKeyFrameBytesMax)).error(),
            Errc::limit_exceeded);
  EXPECT_TRUE(remote_.sign(key.sealed, Bytes(5)).has_value());
  EXPECT_FALSE(remote_.gone());
}

TEST_F(KeyWireTest, WhatIsGoneStaysGone) {
  channel_.cut = true;
  EXPECT_EQ(remote_.generate(KeyType::ed25519, KeyPurpose::audit).error(), Errc::keys_gone);
  EXPECT_TRUE(remote_.gone());
  channel_.cut = false;
  EXPECT_EQ(remote_.generate(KeyType::ed25519, KeyPurpose::audit).error(), Errc::keys_gone);
  EXPECT_EQ(channel_.calls, 0);
}

TEST_F(KeyWireTest, DamagedAnswersAreErrors) {
  const auto key = remote_.generate(KeyType::ed25519, KeyPurpose::audit).value();
  const std::size_t size = remote_.sign(key.sealed, Bytes(5)).value().size() + 1 + 4;
  for (std::size_t keep = 0; keep < size; ++keep) {
    channel_.damage = [&](Bytes& answer) { answer.resize(keep); };
    EXPECT_EQ(remote_.sign(key.sealed, Bytes(5)).error(), Errc::malformed) << keep;
  }
  channel_.damage = [](Bytes& answer) { answer.push_back(0); };
  EXPECT_EQ(remote_.sign(key.sealed, Bytes(5)).error(), Errc::malformed);
  channel_.damage = [](Bytes& answer) { answer = {1, 255, 0, 0, 0, 0}; };
  EXPECT_EQ(remote_.sign(key.sealed, Bytes(5)).error(), Errc::malformed);
}

TEST_F(KeyWireTest, EveryCutOfARequestIsAnswered) {
  WireBuffer answer;
  for (const auto& bytes : {Bytes{}, Bytes{0}, Bytes{99}, Bytes{1}, Bytes{1, 1}, Bytes{1, 1, 200},
                            Bytes{1, 1, 1, 1}, Bytes{8, 3, 0, 0, 0, 255}}) {
    serve_key_call(here_, bytes, answer);
    WireReader in(answer.view());
    EXPECT_EQ(take_key_status(in).error(), Errc::malformed) << hex(bytes);
  }
}

TEST(WireBuffer, WipesWhatItHeld) {
  WireBuffer buffer;
  buffer.sized(Bytes(100, 7));
  const std::uint8_t* memory = buffer.view().data();
  buffer.clear();
  EXPECT_EQ(std::count(memory, memory + 104, 0), 104);
}

}  // namespace
}  // namespace kith::crypto
