#include "crypto/software_keys.hpp"

#include "crypto/ec_x25519.hpp"
#include "crypto/sealed_backup.hpp"
#include "tests/constant_time/cases.hpp"
#include "tests/constant_time/marks.hpp"

namespace kith::test {

using namespace crypto;

namespace {

template <class T>
T done(Result<T> result) {
  ASSERT(result.has_value());
  return std::move(*result);
}

KeyPair generated(SoftwareKeys& keys, KeyType type, KeyPurpose purpose) {
  KeyPair pair = done(keys.generate(type, purpose));
  ASSERT(depends_on_secrets(ByteView(pair.sealed.blob).subspan(1)));
  hand_out(pair.sealed.blob);  // It lies on a disk.
  return pair;
}

Bytes handed_out(Bytes bytes) {
  ASSERT(depends_on_secrets(ByteView(bytes).last(16)));  // A box begins with a public key.
  hand_out(bytes);
  return bytes;
}

void check_envelopes(SoftwareKeys& keys, Random& random) {
  const KeyPair sender = generated(keys, KeyType::x25519, KeyPurpose::agree);
  const KeyPair recipient = generated(keys, KeyType::x25519, KeyPurpose::agree);
  const SecretBytes cek = secret_bytes(random, 64);
  const SecretBytes ephemeral = secret_bytes(random, 32);
  const WrapContext context{"ECDH-1PU+A256KW", {}, as_bytes("apv"), as_bytes("tag")};
  const Bytes wrapped = handed_out(
      done(keys.wrap_cek(&sender.sealed, recipient.public_key, ephemeral, context, cek)));
  const PublicKey sent = done(x25519_from_private(ephemeral.clone())).public_key;
  const SecretBytes unwrapped =
      done(keys.unwrap_cek(recipient.sealed, &sender.public_key, sent, context, wrapped));
  ASSERT(equal_constant_time(unwrapped.expose(), cek.expose()));
  ASSERT(!keys.unwrap_cek(recipient.sealed, &sent, sent, context, wrapped));
  const Bytes box = handed_out(done(keys.seal_to(recipient.public_key, {}, cek.expose())));
  ASSERT(equal_constant_time(done(keys.open_box(recipient.sealed, {}, box)), cek.expose()));
  ASSERT(!keys.open_box(sender.sealed, {}, box));
}

void check_sharing(SoftwareKeys& keys) {
  const KeyPair trustee = generated(keys, KeyType::x25519, KeyPurpose::agree);
  const Dealing dealing = done(keys.deal({2, {{}, {}, {}}}));
  for (const DealtLeaf& leaf : dealing.leaves) hand_out(leaf.share_point.bytes());
  const DealtLeaf& leaf = dealing.leaves.front();
  const Bytes box = handed_out(done(keys.seal_share_to(leaf.share, trustee.public_key, {})));
  const SealedShare share = done(keys.accept_share(trustee.sealed, {}, box, leaf.share_point));
  ASSERT(!keys.accept_share(trustee.sealed, {}, box, dealing.leaves[1].share_point));
  const auto answer = keys.partial(share, {leaf.share_point}, as_bytes("statement"));
  ASSERT(answer && answer->partials.size() == 1);
  ASSERT(keys.prove_share(share, as_bytes("heartbeat")));
}

void check_vault(SoftwareKeys& keys, Random& random) {
  const StepUp step_up = keys.hold_step_up(secret_bytes(random, 32));
  KeyOps::NewVault vault = done(keys.create_vault(step_up));
  hand_out(vault.locked.blob);
  hand_out(vault.unlocked.blob);
  const KeyPair next = generated(keys, KeyType::ed25519, KeyPurpose::log_next);
  VaultItem item = done(keys.seal_to_vault(vault.locked.public_key, next.sealed));
  hand_out(item.box);
  const KeyPair opened = done(keys.open_vault_item(vault.unlocked, item));
  hand_out(opened.public_key.bytes);
  ASSERT(opened.public_key == next.public_key);
  const SealedKey unlocked = done(keys.unlock_vault(vault.locked, step_up));
  const StepUp wrong = keys.hold_step_up(secret_bytes(random, 32));
  ASSERT(!keys.unlock_vault(vault.locked, wrong));
  const KeyPair agent = generated(keys, KeyType::ed25519, KeyPurpose::agent);
  const Dealing dealing = done(keys.deal({2, {{}, {}}}));
  const Bytes capsule = done(keys.seal_capsule(unlocked, agent.sealed, agent.public_key,
                                               dealing.recovery_key, Bytes(16), 1));
  ASSERT(capsule.size() == container_bytes(0));
  const KeyPair session = generated(keys, KeyType::x25519, KeyPurpose::session);
  const Bytes box =
      handed_out(done(keys.hand_over_vault(unlocked, session.public_key, as_bytes("ad"))));
  ASSERT(keys.take_over_vault(session.sealed, as_bytes("ad"), box));
}

}  // namespace

void use_software_keys() {
  SecretRandom random("keys");
  SoftwareKeys keys(secret_bytes(random, 32), random);
  for (const KeyType type : {KeyType::ed25519, KeyType::secp256k1}) {
    const KeyPair pair = generated(keys, type, KeyPurpose::log_next);
    SealedKey active = done(keys.activate_next(pair.sealed));
    hand_out(active.blob);
    const Bytes signature = handed_out(done(keys.sign(active, as_bytes("entry"))));
    ASSERT(verify(pair.public_key, as_bytes("entry"), signature));
  }
  const KeyPair chain = generated(keys, KeyType::secp256k1, KeyPurpose::chain);
  ASSERT(keys.sign_hash(chain.sealed, Bytes(32)));
  const Bytes record = keys.seal_record("name", secret_bytes(random, 50).expose());
  hand_out(record);
  ASSERT(keys.open_record("name", record) && !keys.open_record("other", record));
  ASSERT(depends_on_secrets(keys.record_name("name")));
  check_envelopes(keys, random);
  check_sharing(keys);
  check_vault(keys, random);
}

}  // namespace kith::test
