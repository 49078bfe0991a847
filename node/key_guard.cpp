#include "node/key_guard.hpp"

#include "node/key_info.hpp"
#include "node/rule_gate.hpp"

namespace kith::node {
namespace {

constexpr std::chrono::hours kToldAgainAfter{24};
/// Of (key, operation) pairs; beyond it all are told again.
constexpr std::size_t kToldMax = 256;
/// Blobs that no record holds: a unit that draws more is counted in part.
constexpr std::size_t kFreshMax = 64;

}  // namespace

KeyOps& KeyGuard::keys_for(protocol::UnitOfWork& unit) {
  if (unit_ != &unit) fresh_.clear();
  unit_ = &unit;
  return *this;
}

std::string KeyGuard::key_with(ByteView blob) const {
  if (unit_ == nullptr) return {};
  const auto record = unit_->record_with(blob);
  return record ? key_in_record(*record).value_or("") : std::string();
}

Result<void> KeyGuard::check_state(const std::string& key, KeyWork work,
                                   std::string_view operation) const {
  const auto info = key_info(*unit_, key);
  if (!info) return {};
  if (rules_.speaks_of_uses()) {
    CHECK(check_rules(rules_, use_request(operation, key, key_kind_name(info->kind))));
  }
  if (info->state == KeyState::pre_active && work == KeyWork::protect) work = KeyWork::prove;
  if (crypto::key_may(info->state, work)) return {};
  return fail(Errc::wrong_state, "the key is " + std::string(crypto::key_state_name(info->state)));
}

void KeyGuard::refuse(const std::string& key, std::string_view operation, const Error& error) {
  const std::string reason = error == Errc::key_misuse ? "not what the key is for" : error.detail;
  refusals_.push_back({key, std::string(operation), reason});
}

template <class F>
auto KeyGuard::guarded(ByteView blob, KeyWork work, std::string_view operation, F&& call)
    -> decltype(call()) {
  const std::string key = key_with(blob);
  if (!key.empty()) {
    if (const auto allowed = check_state(key, work, operation); !allowed.has_value()) {
      refuse(key, operation, allowed.error());
      return allowed.error();
    }
  }
  auto result = call();
  if (result.has_value() && !key.empty()) {
    ++uses_[key];
  } else if (result.has_value()) {
    if (unit_ != nullptr && fresh_.size() < kFreshMax) fresh_.push_back(crypto::to_bytes(blob));
  } else if (result.error() == Errc::key_misuse) {
    refuse(key, operation, result.error());
  }
  return result;
}

void KeyGuard::write_uses(protocol::UnitOfWork& unit) {
  for (const auto& [key, count] : uses_) {
    if (!unit.get({std::string(kKeyInfo), key})) continue;  // Gone with its last use.
    auto uses = load<KeyUses>(unit, kKeyUse, key).value_or(KeyUses{});
    uses.count += count;
    uses.last = unit.now();
    save(unit, kKeyUse, key, uses);
  }
  uses_.clear();
}

void KeyGuard::settle(protocol::UnitOfWork& unit) {
  if (unit_ == &unit) {
    for (const Bytes& blob : fresh_) {
      if (const std::string key = key_with(blob); !key.empty()) ++uses_[key];
    }
  }
  fresh_.clear();
  unit_ = nullptr;
  if (told_.size() > kToldMax) told_.clear();
  for (Refusal& refusal : std::exchange(refusals_, {})) {
    const auto [at, is_new] = told_.try_emplace({refusal.key, refusal.operation}, unit.now());
    if (!is_new && unit.now() < at->second + kToldAgainAfter) continue;
    at->second = unit.now();
    unit.audit("key.refused", {{"key", std::move(refusal.key)},
                               {"operation", std::move(refusal.operation)},
                               {"reason", std::move(refusal.reason)}});
  }
  if (unit.changed()) write_uses(unit);
}

// --- What uses a private key or share

Result<Bytes> KeyGuard::sign(const SealedKey& key, ByteView message) {
  return guarded(key.blob, KeyWork::protect, "sign", [&] { return keys_.sign(key, message); });
}

Result<Bytes> KeyGuard::sign_hash(const SealedKey& key, ByteView hash) {
  return guarded(key.blob, KeyWork::protect, "sign_hash",
                 [&] { return keys_.sign_hash(key, hash); });
}

Result<SealedKey> KeyGuard::activate_next(const SealedKey& key) {
  return guarded(key.blob, KeyWork::prove, "activate_next",
                 [&] { return keys_.activate_next(key); });
}

Result<Bytes> KeyGuard::wrap_cek(const SealedKey* sender, const PublicKey& recipient,
                                 const SecretBytes& ephemeral_private,
                                 const crypto::WrapContext& context, const SecretBytes& cek) {
  const auto call = [&] {
    return keys_.wrap_cek(sender, recipient, ephemeral_private, context, cek);
  };
  return sender == nullptr ? call() : guarded(sender->blob, KeyWork::protect, "wrap_cek", call);
}

Result<SecretBytes> KeyGuard::unwrap_cek(const SealedKey& recipient, const PublicKey* sender,
                                         const PublicKey& ephemeral,
                                         const crypto::WrapContext& context, ByteView wrapped) {
  return guarded(recipient.blob, KeyWork::process, "unwrap_cek",
                 [&] { return keys_.unwrap_cek(recipient, sender, ephemeral, context, wrapped); });
}

Result<Bytes> KeyGuard::open_box(const SealedKey& recipient, ByteView ad, ByteView box) {
  return guarded(recipient.blob, KeyWork::process, "open_box",
                 [&] { return keys_.open_box(recipient, ad, box); });
}

Result<VaultItem> KeyGuard::seal_to_vault(const PublicKey& vault, const SealedKey& key) {
  auto item = keys_.seal_to_vault(vault, key);
  if (!item.has_value() && item.error() == Errc::key_misuse) {
    refuse(key_with(key.blob), "seal_to_vault", item.error());
  }
  return item;
}

Result<KeyPair> KeyGuard::take_over_vault(const SealedKey& session, ByteView ad, ByteView box) {
  return guarded(session.blob, KeyWork::process, "take_over_vault",
                 [&] { return keys_.take_over_vault(session, ad, box); });
}

Result<Bytes> KeyGuard::seal_capsule(const SealedKey& unlocked_vault, const SealedKey& agent_key,
                                     const PublicKey& agent, const SecretPoint& recovery_key,
                                     ByteView set_id, std::uint64_t created_s) {
  return guarded(agent_key.blob, KeyWork::protect, "seal_capsule", [&] {
    return keys_.seal_capsule(unlocked_vault, agent_key, agent, recovery_key, set_id, created_s);
  });
}

Result<SealedShare> KeyGuard::accept_share(const SealedKey& recipient, ByteView ad, ByteView box,
                                           const Point& share_point) {
  return guarded(recipient.blob, KeyWork::process, "accept_share",
                 [&] { return keys_.accept_share(recipient, ad, box, share_point); });
}

Result<crypto::PartialAnswer> KeyGuard::partial(const SealedShare& share,
                                                const std::vector<Point>& blinded,
                                                ByteView statement) {
  return guarded(share.blob, KeyWork::process, "partial",
                 [&] { return keys_.partial(share, blinded, statement); });
}

Result<Bytes> KeyGuard::prove_share(const SealedShare& share, ByteView statement) {
  return guarded(share.blob, KeyWork::prove, "prove_share",
                 [&] { return keys_.prove_share(share, statement); });
}

// --- The rest goes straight on

Result<KeyPair> KeyGuard::generate(KeyType type, KeyPurpose purpose) {
  return keys_.generate(type, purpose);
}
Result<SealedKey> KeyGuard::generate_secret(KeyPurpose purpose) {
  return keys_.generate_secret(purpose);
}
void KeyGuard::forget_agreements(const PublicKey& key) {
  keys_.forget_agreements(key);
}
Result<Bytes> KeyGuard::seal_to(const PublicKey& recipient, ByteView ad, ByteView plaintext) {
  return keys_.seal_to(recipient, ad, plaintext);
}
Bytes KeyGuard::seal_record(std::string_view name, ByteView plaintext) {
  return keys_.seal_record(name, plaintext);
}
Result<Bytes> KeyGuard::open_record(std::string_view name, ByteView sealed) {
  return keys_.open_record(name, sealed);
}
Bytes KeyGuard::record_name(std::string_view name) {
  return keys_.record_name(name);
}
Result<KeyOps::NewVault> KeyGuard::create_vault(StepUp step_up) {
  return keys_.create_vault(step_up);
}
Result<SealedKey> KeyGuard::unlock_vault(const LockedVault& vault, StepUp step_up) {
  return keys_.unlock_vault(vault, step_up);
}
Result<LockedVault> KeyGuard::lock_vault(const SealedKey& unlocked, StepUp step_up) {
  return keys_.lock_vault(unlocked, step_up);
}
Result<KeyPair> KeyGuard::open_vault_item(const SealedKey& unlocked_vault, const VaultItem& item) {
  return keys_.open_vault_item(unlocked_vault, item);
}
Result<Bytes> KeyGuard::hand_over_vault(const SealedKey& unlocked_vault, const PublicKey& recipient,
                                        ByteView ad) {
  return keys_.hand_over_vault(unlocked_vault, recipient, ad);
}
Result<KeyOps::OpenedCapsule> KeyGuard::open_capsule(ByteView capsule,
                                                     const SecretPoint& recovery_key,
                                                     const SecretPoint& opening) {
  return keys_.open_capsule(capsule, recovery_key, opening);
}
Result<crypto::Dealing> KeyGuard::deal(const crypto::DealShape& shape) {
  return keys_.deal(shape);
}
Result<Bytes> KeyGuard::seal_share_to(const SealedShare& share, const PublicKey& trustee,
                                      ByteView ad) {
  return keys_.seal_share_to(share, trustee, ad);
}

}  // namespace kith::node
