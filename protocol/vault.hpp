#pragma once

/// The vault (recovery-protocol section 1): keys that a thief of an unlocked device must not get
/// are sealed to the vault's public key as soon as they are made. Adding needs nothing; opening
/// needs the owner's passphrase (step-up) or the recovery plan. Items are only ever added; replaced
/// keys stay until their log's contest period has passed, because a veto at an older point needs
/// them.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/host.hpp"

namespace kith::protocol {

/// What lies in an item, readable without opening it. Stored: never renumber.
enum class VaultUse : std::uint8_t { log_next = 1, log_recovery = 2, retire = 3, link_secret = 4 };
constexpr bool is_valid(VaultUse use) {
  return use >= VaultUse::log_next && use <= VaultUse::link_secret;
}

/// Id of the link secret's item, and of its key for use on this device.
inline constexpr std::string_view kLinkSecret = "link-secret";

struct VaultRecord {
  std::string id;  ///< Multikey of the public half; kLinkSecret for that one.
  VaultUse use = VaultUse::log_next;
  std::string subject;  ///< The log's DID, or the leaf record id of a retire key.
  Bytes salt;           ///< Of the rec digest, for log_recovery.
  VaultItem item;
  Time added{};
  template <class V>
  void visit(V& v) {
    v("id", id), v("use", use), v("subject", subject), v("salt", salt), v("item", item),
        v("added", added);
  }
};

/// The locked vault of this device (record meta/vault).
struct VaultLock {
  PublicKey public_key;
  Bytes locked;
  template <class V>
  void visit(V& v) {
    v("public_key", public_key), v("locked", locked);
  }
};

/// Errors: wrong_state (a vault exists already).
[[nodiscard]] Result<void> create_vault(Host& host, StepUp step_up);
[[nodiscard]] std::optional<VaultLock> vault_lock(Host& host);
/// Takes a vault recovered from a capsule, locking it for this device.
[[nodiscard]] Result<void> adopt_vault(Host& host, const PublicKey& public_key,
                                       const SealedKey& unlocked, StepUp step_up);

/// Seals `key` to the vault. Errors: wrong_state (no vault).
[[nodiscard]] Result<void> add_to_vault(Host& host, VaultUse use, std::string_view id,
                                        std::string_view subject, ByteView salt,
                                        const SealedKey& key);
[[nodiscard]] std::vector<VaultRecord> list_vault(Host& host);
[[nodiscard]] std::vector<VaultRecord> vault_items_of(Host& host, std::string_view subject,
                                                      VaultUse use);
void put_vault_record(Host& host, const VaultRecord& record);

/// The opened vault key: keep it only within one unit.
/// Errors: step_up_required, wrong_passphrase, wrong_state.
[[nodiscard]] Result<SealedKey> open_vault(Host& host, const std::optional<StepUp>& step_up);
/// Opens one item. Errors: not_found, cannot_decrypt.
[[nodiscard]] Result<KeyPair> open_vault_item(Host& host, const SealedKey& vault,
                                              std::string_view id);

}  // namespace kith::protocol
