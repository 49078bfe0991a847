#include "ledger/log_keys.hpp"

#include "ledger/strict_json.hpp"
#include "protocol/vault.hpp"

namespace kith::ledger {
namespace {

using protocol::VaultUse;

constexpr std::string_view kUnvaulted = "log-salt";

/// Without a vault: which salt the recovery keys in `log-key` go with (by DID).
struct UnvaultedRecovery {
  std::vector<std::string> keys;
  Bytes salt;
  template <class V>
  void visit(V& v) {
    v("keys", keys), v("salt", salt);
  }
};

Result<void> keep(Host& host, VaultUse use, std::string_view did, ByteView salt,
                  const std::vector<KeyPair>& pairs) {
  for (const KeyPair& pair : pairs) {
    if (!protocol::vault_lock(host)) {
      remember_log_key(host, pair);
      continue;
    }
    CHECK(protocol::add_to_vault(host, use, crypto::multikey(pair.public_key), did, salt,
                                 pair.sealed));
  }
  return {};
}

/// The keys of `log-key` that the log announces as its next ones.
std::vector<std::string> unvaulted_next(Host& host, const LogView& view) {
  std::vector<std::string> keys = host.list("log-key");
  std::erase_if(keys, [&](const std::string& key) {
    return !contains(view.current.next.kd, key_digest(key));
  });
  return keys;
}

Result<void> move(Host& host, VaultUse use, std::string_view did, ByteView salt,
                  const std::vector<std::string>& keys) {
  for (const std::string& key : keys) {
    const auto sealed = log_key(host, key);
    if (!sealed) continue;
    CHECK(protocol::add_to_vault(host, use, key, did, salt, *sealed));
    forget_log_key(host, key);
  }
  return {};
}

}  // namespace

Result<void> keep_next_keys(Host& host, std::string_view did, const NextTier& next) {
  return keep(host, VaultUse::log_next, did, {}, next.pairs);
}

Result<void> keep_log_keys(Host& host, std::string_view did, const LogKeys& keys) {
  for (const KeyPair& pair : keys.active) remember_log_key(host, pair);
  CHECK(keep_next_keys(host, did, keys.next));
  return keep_recovery_keys(host, did, keys.recovery);
}

Result<void> keep_recovery_keys(Host& host, std::string_view did, const RecoveryTier& recovery) {
  const Reveal& reveal = recovery.reveal;
  TRY(const Bytes salt, multibase_bytes(reveal.salt, kSaltBytes, "salt"));
  CHECK(keep(host, VaultUse::log_recovery, did, salt, recovery.pairs));
  if (!protocol::vault_lock(host)) {
    save(host, kUnvaulted, did, UnvaultedRecovery{reveal.k, salt});
  }
  return {};
}

Result<void> move_keys_to_vault(Host& host) {
  for (const std::string& did : host.list(kUnvaulted)) {
    const auto recovery = *load<UnvaultedRecovery>(host, kUnvaulted, did);
    CHECK(move(host, VaultUse::log_recovery, did, recovery.salt, recovery.keys));
    if (const auto view = stored_view(host, did); view.has_value()) {
      CHECK(move(host, VaultUse::log_next, did, {}, unvaulted_next(host, *view)));
    }
    host.erase({std::string(kUnvaulted), did});
  }
  return {};
}

Result<std::vector<KeyPair>> take_next_keys(Host& host, const LogView& view,
                                            const std::optional<SealedKey>& vault) {
  std::vector<KeyPair> next;
  if (protocol::vault_lock(host)) {
    if (!vault) return fail(Errc::step_up_required);
    for (const auto& item : protocol::vault_items_of(host, view.subject, VaultUse::log_next)) {
      if (!contains(view.current.next.kd, key_digest(item.id))) continue;
      TRY(KeyPair pair, protocol::open_vault_item(host, *vault, item.id));
      next.push_back(std::move(pair));
    }
  } else {
    for (const std::string& key : unvaulted_next(host, view)) {
      TRY(PublicKey public_key, signing_key(key));
      next.push_back({std::move(public_key), *log_key(host, key)});
    }
  }
  if (next.size() < view.current.next.t) {
    return fail(Errc::not_found, "the next keys of that log are not held here");
  }
  return activate_next_keys(host.keys(), next);
}

}  // namespace kith::ledger
