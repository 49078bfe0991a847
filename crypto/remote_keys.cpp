#include "crypto/remote_keys.hpp"

#include "crypto/key_wire_calls.hpp"
#include "crypto/limits.hpp"

namespace kith::crypto {
namespace {

/// What an operation gives: T of Result<T>, and void of those that give nothing.
template <class R>
struct Given;
template <class T>
struct Given<Result<T>> {
  using type = T;
};
template <>
struct Given<void> {
  using type = void;
};

template <auto Method>
struct GivenBy;
template <class R, class... Params, R (KeyOps::*Method)(Params...)>
struct GivenBy<Method> : Given<R> {};

}  // namespace

template <auto Method, class... Args>
auto RemoteKeys::call(KeyCall which, const Args&... args) {
  using T = typename GivenBy<Method>::type;
  const auto asked = [&]() -> Result<T> {
    if (gone_) return fail(Errc::keys_gone);
    frame_.u8(static_cast<std::uint8_t>(which));
    wire::Operation<Method>::ask(frame_, args...);
    if (frame_.size() > limits::kKeyFrameBytesMax) {
      return fail(Errc::limit_exceeded, "too much for one operation with a key");
    }
    CHECK(channel_.exchange(frame_));
    WireReader in(frame_.view());
    return wire::take_answer<T>(in);
  };
  Result<T> result = asked();
  frame_.clear();
  gone_ = gone_ || (result.has_error() && result.error() == Errc::keys_gone);
  return result;
}

Result<KeyPair> RemoteKeys::generate(KeyType type, KeyPurpose purpose) {
  return call<&KeyOps::generate>(KeyCall::generate, type, purpose);
}

Result<SealedKey> RemoteKeys::generate_secret(KeyPurpose purpose) {
  return call<&KeyOps::generate_secret>(KeyCall::generate_secret, purpose);
}

Result<Bytes> RemoteKeys::sign(const SealedKey& key, ByteView message) {
  return call<&KeyOps::sign>(KeyCall::sign, key, message);
}

Result<Bytes> RemoteKeys::sign_hash(const SealedKey& key, ByteView hash) {
  return call<&KeyOps::sign_hash>(KeyCall::sign_hash, key, hash);
}

Result<SealedKey> RemoteKeys::activate_next(const SealedKey& key) {
  return call<&KeyOps::activate_next>(KeyCall::activate_next, key);
}

Result<Bytes> RemoteKeys::wrap_cek(const SealedKey* sender, const PublicKey& recipient,
                                   const SecretBytes& ephemeral_private, const WrapContext& context,
                                   const SecretBytes& cek) {
  return call<&KeyOps::wrap_cek>(KeyCall::wrap_cek, sender, recipient, ephemeral_private, context,
                                 cek);
}

Result<SecretBytes> RemoteKeys::unwrap_cek(const SealedKey& recipient, const PublicKey* sender,
                                           const PublicKey& ephemeral, const WrapContext& context,
                                           ByteView wrapped) {
  return call<&KeyOps::unwrap_cek>(KeyCall::unwrap_cek, recipient, sender, ephemeral, context,
                                   wrapped);
}

void RemoteKeys::forget_agreements(const PublicKey& key) {
  // A process that is gone has forgotten.
  static_cast<void>(call<&KeyOps::forget_agreements>(KeyCall::forget_agreements, key));
}

Result<Bytes> RemoteKeys::seal_to(const PublicKey& recipient, ByteView ad, ByteView plaintext) {
  return call<&KeyOps::seal_to>(KeyCall::seal_to, recipient, ad, plaintext);
}

Result<Bytes> RemoteKeys::open_box(const SealedKey& recipient, ByteView ad, ByteView box) {
  return call<&KeyOps::open_box>(KeyCall::open_box, recipient, ad, box);
}

Bytes RemoteKeys::seal_record(std::string_view name, ByteView plaintext) {
  return records_.seal(name, plaintext, random_);
}

Result<Bytes> RemoteKeys::open_record(std::string_view name, ByteView sealed) {
  return records_.open(name, sealed);
}

Bytes RemoteKeys::record_name(std::string_view name) {
  return records_.name_of(name);
}

Result<KeyOps::NewVault> RemoteKeys::create_vault(StepUp step_up) {
  return call<&KeyOps::create_vault>(KeyCall::create_vault, step_up);
}

Result<VaultItem> RemoteKeys::seal_to_vault(const PublicKey& vault, const SealedKey& key) {
  return call<&KeyOps::seal_to_vault>(KeyCall::seal_to_vault, vault, key);
}

Result<SealedKey> RemoteKeys::unlock_vault(const LockedVault& vault, StepUp step_up) {
  return call<&KeyOps::unlock_vault>(KeyCall::unlock_vault, vault, step_up);
}

Result<LockedVault> RemoteKeys::lock_vault(const SealedKey& unlocked, StepUp step_up) {
  return call<&KeyOps::lock_vault>(KeyCall::lock_vault, unlocked, step_up);
}

Result<KeyPair> RemoteKeys::open_vault_item(const SealedKey& unlocked_vault,
                                            const VaultItem& item) {
  return call<&KeyOps::open_vault_item>(KeyCall::open_vault_item, unlocked_vault, item);
}

Result<Bytes> RemoteKeys::hand_over_vault(const SealedKey& unlocked_vault,
                                          const PublicKey& recipient, ByteView ad) {
  return call<&KeyOps::hand_over_vault>(KeyCall::hand_over_vault, unlocked_vault, recipient, ad);
}

Result<KeyPair> RemoteKeys::take_over_vault(const SealedKey& session, ByteView ad, ByteView box) {
  return call<&KeyOps::take_over_vault>(KeyCall::take_over_vault, session, ad, box);
}

Result<Bytes> RemoteKeys::seal_capsule(const SealedKey& unlocked_vault, const SealedKey& agent_key,
                                       const PublicKey& agent, const SecretPoint& recovery_key,
                                       ByteView set_id, std::uint64_t created_s) {
  return call<&KeyOps::seal_capsule>(KeyCall::seal_capsule, unlocked_vault, agent_key, agent,
                                     recovery_key, set_id, created_s);
}

Result<KeyOps::OpenedCapsule> RemoteKeys::open_capsule(ByteView capsule,
                                                       const SecretPoint& recovery_key,
                                                       const SecretPoint& opening) {
  return call<&KeyOps::open_capsule>(KeyCall::open_capsule, capsule, recovery_key, opening);
}

Result<Dealing> RemoteKeys::deal(const DealShape& shape) {
  return call<&KeyOps::deal>(KeyCall::deal, shape);
}

Result<Bytes> RemoteKeys::seal_share_to(const SealedShare& share, const PublicKey& trustee,
                                        ByteView ad) {
  return call<&KeyOps::seal_share_to>(KeyCall::seal_share_to, share, trustee, ad);
}

Result<SealedShare> RemoteKeys::accept_share(const SealedKey& recipient, ByteView ad, ByteView box,
                                             const Point& share_point) {
  return call<&KeyOps::accept_share>(KeyCall::accept_share, recipient, ad, box, share_point);
}

Result<PartialAnswer> RemoteKeys::partial(const SealedShare& share,
                                          const std::vector<Point>& blinded, ByteView statement) {
  return call<&KeyOps::partial>(KeyCall::partial, share, blinded, statement);
}

Result<Bytes> RemoteKeys::prove_share(const SealedShare& share, ByteView statement) {
  return call<&KeyOps::prove_share>(KeyCall::prove_share, share, statement);
}

}  // namespace kith::crypto
