#include "node/key_info.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "crypto/key_types.hpp"
#include "protocol/vault.hpp"
#include "recovery/owner_set.hpp"

namespace kith::node {
namespace {

using protocol::RecordKey;

/// Of a did:peer:2, whose keys stand in the DID itself; "#key-2" is the second of them.
std::optional<std::string> key_of_peer_did(std::string_view did, std::string_view fragment) {
  constexpr std::string_view kNumbered = "key-";
  if (!did.starts_with("did:peer:2.") || !fragment.starts_with(kNumbered)) return std::nullopt;
  const std::string_view wanted = fragment.substr(kNumbered.size());
  std::size_t number = 0;
  while (!did.empty()) {
    const std::size_t dot = did.find('.');
    const std::string_view element = did.substr(0, dot);
    did = dot == std::string_view::npos ? std::string_view() : did.substr(dot + 1);
    if (!element.starts_with('E') && !element.starts_with('V')) continue;
    if (std::to_string(++number) == wanted) return std::string(element.substr(1));
  }
  return std::nullopt;
}

std::string key_of_kid(const std::string& kid) {
  const std::size_t hash = kid.find('#');
  if (hash == std::string::npos) return kid;  // "agent", "link-secret"
  const std::string_view fragment = std::string_view(kid).substr(hash + 1);
  if (fragment.starts_with('z')) return std::string(fragment);
  return key_of_peer_did(std::string_view(kid).substr(0, hash), fragment).value_or(kid);
}

std::optional<std::string> key_of_meta(std::string_view id) {
  if (id == "vault" || id == "audit") return std::string(id);
  if (id == "witness-key") return "witness";
  if (id == "ledger-host") return "ledger";
  if (id == "ledger-account") return "chain";
  return std::nullopt;
}

/// The public half in a record of collection `meta`, whatever else is there.
struct PublicHalf {
  std::optional<PublicKey> key;
  template <class V>
  void visit(V& v) {
    v("key", key);
  }
};

void add_public_half(KeyFacts& facts, const std::optional<PublicKey>& key) {
  if (!key) return;
  facts.type = key->type;
  facts.mark = crypto::multikey(*key);
}

void add_type(KeyFacts& facts, std::string_view multikey) {
  if (const auto key = crypto::from_multikey(multikey); key.has_value()) facts.type = key->type;
}

KeyFacts of_own_key(Host& host, const std::string& kid) {
  KeyFacts facts;
  if (kid == "agent") {
    facts.kind = kind_of(KeyPurpose::agent);
    add_public_half(facts, load<PublicHalf>(host, "meta", "agent-key").value_or(PublicHalf{}).key);
    return facts;
  }
  if (kid == "link-secret") {
    facts.kind = kind_of(KeyPurpose::link_secret);
    return facts;
  }
  add_type(facts, key_of_kid(kid));
  facts.kind = kind_of(facts.type && crypto::can_agree(*facts.type) ? KeyPurpose::agree
                                                                    : KeyPurpose::authenticate);
  facts.owner = kid.substr(0, kid.find('#'));
  return facts;
}

KeyPurpose purpose_of(protocol::VaultUse use) {
  switch (use) {
    case protocol::VaultUse::log_next:
      return KeyPurpose::log_next;
    case protocol::VaultUse::log_recovery:
      return KeyPurpose::log_recovery;
    case protocol::VaultUse::retire:
      return KeyPurpose::retire;
    case protocol::VaultUse::link_secret:
      return KeyPurpose::link_secret;
  }
  UNREACHABLE();
}

KeyFacts of_vault_item(Host& host, const std::string& id) {
  KeyFacts facts;
  const auto item = *load<protocol::VaultRecord>(host, "vault-item", id);
  facts.kind = kind_of(purpose_of(item.use));
  add_type(facts, id);
  if (item.use == protocol::VaultUse::retire) facts.type = KeyType::ed25519;
  if (!item.subject.empty()) facts.owner = item.subject;
  facts.added = item.added;
  return facts;
}

KeyFacts of_meta(Host& host, std::string_view id) {
  KeyFacts facts;
  if (id == "vault") {
    facts.kind = kind_of(KeyPurpose::vault);
    if (const auto lock = protocol::vault_lock(host)) add_public_half(facts, lock->public_key);
    return facts;
  }
  facts.kind = kind_of(id == "audit"         ? KeyPurpose::audit
                       : id == "witness-key" ? KeyPurpose::witness
                       : id == "ledger-host" ? KeyPurpose::ledger
                                             : KeyPurpose::chain);
  add_public_half(facts, load<PublicHalf>(host, "meta", id).value_or(PublicHalf{}).key);
  return facts;
}

KeyFacts of_backup(Host& host) {
  KeyFacts facts;
  facts.kind = KeyKind::backup;
  if (const auto set = recovery::owner_set(host)) facts.mark = crypto::hex(set->record.set_id);
  return facts;
}

/// Record `log-salt` (ledger/log_keys.cpp): the recovery keys of a wallet without a vault.
struct RecoveryKeys {
  std::vector<std::string> keys;
  template <class V>
  void visit(V& v) {
    v("keys", keys);
  }
};

}  // namespace

std::string_view key_kind_name(KeyKind kind) {
  if (kind == KeyKind::share) return "share";
  if (kind == KeyKind::backup) return "backup";
  for (const crypto::KeyTypeInfo& row : crypto::key_types()) {
    if (kind_of(row.purpose) == kind) return row.name;
  }
  UNREACHABLE();
}

std::string_view key_origin_name(KeyOrigin origin) {
  switch (origin) {
    case KeyOrigin::made:
      return "made-here";
    case KeyOrigin::given:
      return "given";
    case KeyOrigin::found:
      return "found";
  }
  UNREACHABLE();
}

Result<void> step(KeyInfo& info, KeyEvent event, Time now) {
  TRY(const KeyState next, crypto::next_key_state(info.state, event));
  if (event == KeyEvent::activate) info.activated = now;
  if (event == KeyEvent::compromise) info.compromised = now;
  if ((event == KeyEvent::deactivate || event == KeyEvent::destroy) && !info.ended) {
    info.ended = now;
  }
  info.state = next;
  info.since = now;
  return {};
}

std::optional<KeyInfo> key_info(Host& host, std::string_view id) {
  return load<KeyInfo>(host, kKeyInfo, id);
}

std::optional<std::string> key_in_record(const RecordKey& record) {
  if (record.collection == "own-key") return key_of_kid(record.id);
  if (record.collection == "log-key" || record.collection == "vault-item") return record.id;
  if (record.collection == "session-key") return "session-" + record.id;
  if (record.collection == "share") return "share-" + record.id;
  if (record.collection == "meta") return key_of_meta(record.id);
  if (record.collection == "recovery-record" && record.id == "set") return "backup";
  return std::nullopt;
}

KeyFacts facts_of_key(Host& host, const RecordKey& record) {
  if (record.collection == "own-key") return of_own_key(host, record.id);
  if (record.collection == "vault-item") return of_vault_item(host, record.id);
  if (record.collection == "meta") return of_meta(host, record.id);
  if (record.collection == "recovery-record") return of_backup(host);
  KeyFacts facts;
  if (record.collection == "log-key") {
    facts.kind = kind_of(KeyPurpose::log_next);
    add_type(facts, record.id);
  } else if (record.collection == "session-key") {
    facts.kind = kind_of(KeyPurpose::session);
    facts.type = KeyType::x25519;
  } else {
    facts.kind = KeyKind::share;
    facts.owner = record.id.substr(0, record.id.find('/'));
    facts.given = true;
  }
  return facts;
}

std::optional<std::string> log_of_recovery_key(Host& host, std::string_view id) {
  for (const std::string& did : host.list("log-salt")) {
    const auto kept = *load<RecoveryKeys>(host, "log-salt", did);
    if (std::ranges::find(kept.keys, id) != kept.keys.end()) return did;
  }
  return std::nullopt;
}

}  // namespace kith::node
