#include "crypto/aead.hpp"
#include "crypto/assert.hpp"
#include "crypto/declassify.hpp"
#include "crypto/ec_nist.hpp"
#include "crypto/ec_x25519.hpp"
#include "crypto/hash.hpp"
#include "crypto/sealed_backup.hpp"
#include "crypto/sealed_blob.hpp"
#include "crypto/software_keys.hpp"

/// The vault's half of SoftwareKeys: step-up, locking, items, capsule.

namespace kith::crypto {

using sealed_blob::bit;
using sealed_blob::kNonceBytes;

namespace {

constexpr std::string_view kVaultLabel = "kith/keys/v1/vault";
constexpr std::string_view kShellLabel = "kith/keys/v1/vault-shell";
constexpr std::string_view kItemLabel = "kith/vault-item/v1";
constexpr std::string_view kHandOverLabel = "kith/vault-handed-over/v1";
constexpr std::uint8_t kCapsuleSizeClass = 0;
constexpr auto kX25519 = static_cast<std::uint8_t>(KeyType::x25519);

Bytes hand_over_label(ByteView ad) {
  Bytes label = to_bytes(kHandOverLabel);
  append(label, ad);
  return label;
}

Bytes with_public(std::string_view label, const PublicKey& key) {
  Bytes ad = to_bytes(label);
  append(ad, key.bytes);
  return ad;
}

}  // namespace

StepUp SoftwareKeys::hold_step_up(SecretBytes step_up_key) {
  ASSERT(step_up_key.size() == sealed_blob::kKeyBytes);
  const std::uint64_t number = next_step_up_++;
  step_ups_.emplace(number, std::move(step_up_key));
  return StepUp{number};
}

void SoftwareKeys::drop_step_up(StepUp step_up) {
  step_ups_.erase(static_cast<std::uint64_t>(step_up));
}

Result<SecretBytes> SoftwareKeys::vault_key(StepUp step_up) const {
  const auto held = step_ups_.find(static_cast<std::uint64_t>(step_up));
  if (held == step_ups_.end()) {
    return fail(Errc::step_up_required, "the passphrase was not given just now");
  }
  SecretBytes both(held->second.size() + root_.size());
  std::ranges::copy(held->second.expose(), both.expose_mutable().begin());
  std::ranges::copy(root_.expose(), both.expose_mutable().subspan(held->second.size()).begin());
  return hkdf_sha256(both.expose(), {}, as_bytes(kVaultLabel), sealed_blob::kKeyBytes);
}

Result<LockedVault> SoftwareKeys::lock_vault(const SealedKey& unlocked, StepUp step_up) {
  TRY(const SecretBytes key, vault_key(step_up));
  TRY(const Opened opened, open_for(unlocked, bit(KeyPurpose::vault)));
  LockedVault locked{public_key_of(opened), {}};
  Bytes inner = random_.bytes(kNonceBytes);
  append(inner, xc20p_seal(key.expose(), ByteView(inner).first(kNonceBytes),
                           with_public(kVaultLabel, locked.public_key), opened.private_part()));
  locked.blob = seal_under(vault_shell_key_, sealed_blob::kVersion,
                           with_public(kShellLabel, locked.public_key), inner);
  return locked;
}

Result<KeyOps::NewVault> SoftwareKeys::create_vault(StepUp step_up) {
  const SecretBytes drawn = random_.secret(sealed_blob::kKeyBytes);
  TRY(const KeyPair pair, take_in_vault(drawn.expose()));
  TRY(LockedVault locked, lock_vault(pair.sealed, step_up));
  return NewVault{std::move(locked), pair.sealed};
}

Result<SealedKey> SoftwareKeys::unlock_vault(const LockedVault& vault, StepUp step_up) {
  TRY(const SecretBytes key, vault_key(step_up));
  TRY(const SecretBytes inner,
      sealed_blob::open(vault_shell_key_, sealed_blob::kVersion,
                        with_public(kShellLabel, vault.public_key), vault.blob));
  ASSERT(inner.size() > kNonceBytes);  // Authentic, so this root wrote it.
  auto private_key = xc20p_open_secret(key.expose(), inner.expose().first(kNonceBytes),
                                       with_public(kVaultLabel, vault.public_key),
                                       inner.expose().subspan(kNonceBytes));
  if (!private_key.has_value()) return fail(Errc::wrong_passphrase);
  TRY(KeyPair pair, take_in_vault(private_key->expose()));
  return std::move(pair.sealed);
}

Result<VaultItem> SoftwareKeys::seal_to_vault(const PublicKey& vault, const SealedKey& key) {
  TRY(const Opened opened, open_for(key, sealed_blob::kVaultable));
  TRY(Bytes box, seal_to(vault, as_bytes(kItemLabel), opened.content.expose()));
  return VaultItem{std::move(box)};
}

Result<KeyPair> SoftwareKeys::open_vault_item(const SealedKey& unlocked_vault,
                                              const VaultItem& item) {
  TRY(const Opened vault, open_for(unlocked_vault, bit(KeyPurpose::vault)));
  TRY(SecretBytes content,
      open_box_with(vault.private_part(), vault.public_part(), as_bytes(kItemLabel), item.box));
  // Whoever knows the vault's public key can make an item, so nothing in it is believed.
  if (content.size() < 2 + sealed_blob::kKeyBytes) {
    return fail(Errc::malformed, "a vault item is not in the expected form");
  }
  declassify(content.expose().first(2));
  if (content.expose()[1] >= 32) {
    return fail(Errc::malformed, "a vault item is not in the expected form");
  }
  if (is_nist(KeyType{content.expose()[0]})) {
    return fail(Errc::malformed, "a vault item holds what does not belong into a vault");
  }
  const Opened opened{std::move(content)};
  const bool plain = opened.type() == 0;
  if ((bit(opened.purpose()) & sealed_blob::kVaultable) == 0 ||
      plain != (opened.purpose() == KeyPurpose::link_secret) || opened.type() == kX25519) {
    return fail(Errc::malformed, "a vault item holds what does not belong into a vault");
  }
  const auto rebuilt =
      make_content(opened.type(), opened.purpose(), SecretBytes::copy_of(opened.private_part()));
  if (!rebuilt.has_value() || !equal_constant_time(rebuilt->expose(), opened.content.expose())) {
    return fail(Errc::malformed, "the two halves of a vault item do not belong together");
  }
  return KeyPair{public_key_of(opened), seal_content(opened.content)};
}

Result<KeyPair> SoftwareKeys::take_in_vault(ByteView private_key) {
  TRY(SecretBytes content,
      make_content(kX25519, KeyPurpose::vault, SecretBytes::copy_of(private_key)));
  const Opened key{std::move(content)};
  return KeyPair{public_key_of(key), seal_content(key.content)};
}

Result<Bytes> SoftwareKeys::hand_over_vault(const SealedKey& unlocked_vault,
                                            const PublicKey& recipient, ByteView ad) {
  TRY(const Opened vault, open_for(unlocked_vault, bit(KeyPurpose::vault)));
  return seal_to(recipient, hand_over_label(ad), vault.private_part());
}

Result<KeyPair> SoftwareKeys::take_over_vault(const SealedKey& session, ByteView ad, ByteView box) {
  TRY(const Opened opened, open_for(session, bit(KeyPurpose::session)));
  TRY(const SecretBytes private_key,
      open_box_with(opened.private_part(), opened.public_part(), hand_over_label(ad), box));
  if (private_key.size() != sealed_blob::kKeyBytes) {
    return fail(Errc::malformed, "a vault's key has another size");
  }
  return take_in_vault(private_key.expose());
}

Result<Bytes> SoftwareKeys::seal_capsule(const SealedKey& unlocked_vault,
                                         const SealedKey& agent_key, const PublicKey& agent,
                                         const SecretPoint& recovery_key, ByteView set_id,
                                         std::uint64_t created_s) {
  if (set_id.size() != kSetIdBytes) return fail(Errc::malformed, "capsule: set id");
  TRY(const Opened vault, open_for(unlocked_vault, bit(KeyPurpose::vault)));
  TRY(const Opened signer, open_for(agent_key, bit(KeyPurpose::agent)));
  SecretBytes content(kSetIdBytes + sealed_blob::kKeyBytes);
  std::ranges::copy(set_id, content.expose_mutable().begin());
  std::ranges::copy(vault.private_part(), content.expose_mutable().subspan(kSetIdBytes).begin());
  const ContainerParams params{ContainerFormat::capsule, 0, created_s, agent};
  const auto signs = [&](ByteView message) { return sign(agent_key, message); };
  TRY(const std::vector<Bytes> records,
      seal_container(recovery_key, params, std::move(content), signs, random_));
  Bytes capsule;
  for (const Bytes& record : records) append(capsule, record);
  return capsule;
}

Result<KeyOps::OpenedCapsule> SoftwareKeys::open_capsule(ByteView capsule,
                                                         const SecretPoint& recovery_key,
                                                         const SecretPoint& opening) {
  if (capsule.size() != container_bytes(kCapsuleSizeClass)) {
    return fail(Errc::malformed, "capsule: wrong size");
  }
  std::vector<Bytes> records;
  for (const std::size_t size : container_record_bytes(kCapsuleSizeClass)) {
    records.push_back(to_bytes(capsule.first(size)));
    capsule = capsule.subspan(size);
  }
  TRY(const OpenedContainer opened, open_container(records, recovery_key, opening));
  const ByteView content = opened.content.expose();
  if (opened.core.format != ContainerFormat::capsule ||
      content.size() != kSetIdBytes + sealed_blob::kKeyBytes) {
    return fail(Errc::malformed, "capsule: contents");
  }
  TRY(KeyPair vault, take_in_vault(content.subspan(kSetIdBytes)));
  return OpenedCapsule{to_bytes(content.first(kSetIdBytes)), std::move(vault), opened.signer};
}

}  // namespace kith::crypto
