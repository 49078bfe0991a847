#include "protocol/vault.hpp"

namespace kith::protocol {
namespace {
constexpr std::string_view kItems = "vault-item";
}

Result<void> create_vault(Host& host, StepUp step_up) {
  if (vault_lock(host)) return fail(Errc::wrong_state, "this wallet has a vault already");
  TRY(const auto vault, host.keys().create_vault(step_up));
  save(host, "meta", "vault", VaultLock{vault.locked.public_key, vault.locked.blob});
  return {};
}

std::optional<VaultLock> vault_lock(Host& host) {
  return load<VaultLock>(host, "meta", "vault");
}

Result<void> adopt_vault(Host& host, const PublicKey& public_key, const SealedKey& unlocked,
                         StepUp step_up) {
  TRY(const LockedVault locked, host.keys().lock_vault(unlocked, step_up));
  if (!(locked.public_key == public_key)) {
    return fail(Errc::incident, "the vault key does not belong to this vault");
  }
  save(host, "meta", "vault", VaultLock{locked.public_key, locked.blob});
  return {};
}

Result<void> add_to_vault(Host& host, VaultUse use, std::string_view id, std::string_view subject,
                          ByteView salt, const SealedKey& key) {
  const auto vault = vault_lock(host);
  if (!vault) return fail(Errc::wrong_state, "this wallet has no vault");
  TRY(VaultItem item, host.keys().seal_to_vault(vault->public_key, key));
  put_vault_record(host, {std::string(id), use, std::string(subject), crypto::to_bytes(salt),
                          std::move(item), host.now()});
  return {};
}

void put_vault_record(Host& host, const VaultRecord& record) {
  save(host, kItems, record.id, record);
}

std::vector<VaultRecord> list_vault(Host& host) {
  std::vector<VaultRecord> records;
  for (const std::string& id : host.list(kItems)) {
    records.push_back(*load<VaultRecord>(host, kItems, id));
  }
  return records;
}

std::vector<VaultRecord> vault_items_of(Host& host, std::string_view subject, VaultUse use) {
  std::vector<VaultRecord> records = list_vault(host);
  std::erase_if(records, [&](const VaultRecord& record) {
    return record.use != use || record.subject != subject;
  });
  return records;
}

Result<SealedKey> open_vault(Host& host, const std::optional<StepUp>& step_up) {
  if (!step_up) return fail(Errc::step_up_required);
  const auto vault = vault_lock(host);
  if (!vault) return fail(Errc::wrong_state, "this wallet has no vault");
  return host.keys().unlock_vault({vault->public_key, vault->locked}, *step_up);
}

Result<KeyPair> open_vault_item(Host& host, const SealedKey& vault, std::string_view id) {
  const auto record = load<VaultRecord>(host, kItems, id);
  if (!record) return fail(Errc::not_found, "the vault does not hold that key");
  return host.keys().open_vault_item(vault, record->item);
}

}  // namespace kith::protocol
