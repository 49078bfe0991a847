#include "recovery/vault_keys.hpp"

#include <algorithm>
#include <map>

#include "ledger/log_store.hpp"
#include "ledger/strict_json.hpp"
#include "protocol/vault.hpp"

namespace kith::recovery {
namespace {

using protocol::VaultUse;

bool announces(const ledger::LogContent& content, const std::string& key) {
  const auto& kd = content.next.kd;
  return std::ranges::find(kd, ledger::key_digest(key)) != kd.end();
}

bool sets_next(ledger::Op op) {
  return op == ledger::Op::genesis || op == ledger::Op::rotate || op == ledger::Op::recover;
}

/// Announced on the ledger before that record: anybody could have copied it from there.
bool is_copied(const ledger::LogView& view, const ledger::LogRecord& record,
               const std::string& digest) {
  const auto has_it = [&](const ledger::LogRecord& other) {
    const auto& content = other.entry->content;
    return other.position < record.position && content &&
           ledger::contains(content->next.kd, digest);
  };
  return std::ranges::any_of(view.history, has_it) || std::ranges::any_of(view.replaced, has_it) ||
         std::ranges::any_of(view.vetoed, has_it);
}

/// For an entry that announces keys of its own.
bool is_own(Host& host, const ledger::LogView& view, const ledger::LogRecord& record) {
  const auto& content = record.entry->content;
  if (!content || !holds_next_of(host, view.subject, *content)) return false;
  return std::ranges::none_of(
      content->next.kd, [&](const std::string& digest) { return is_copied(view, record, digest); });
}

}  // namespace

Result<std::vector<KeyPair>> held_next_keys(Host& host, const SealedKey& vault,
                                            const std::string& subject,
                                            const ledger::LogContent& content) {
  std::vector<KeyPair> pairs;
  for (const auto& item : protocol::vault_items_of(host, subject, VaultUse::log_next)) {
    if (!announces(content, item.id)) continue;
    TRY(KeyPair pair, protocol::open_vault_item(host, vault, item.id));
    pairs.push_back(std::move(pair));
  }
  return pairs;
}

bool holds_next_of(Host& host, const std::string& subject, const ledger::LogContent& content) {
  const auto items = protocol::vault_items_of(host, subject, VaultUse::log_next);
  const auto is_its = [&](const protocol::VaultRecord& item) {
    return announces(content, item.id);
  };
  return std::ranges::count_if(items, is_its) >= std::ptrdiff_t{content.next.t};
}

/// Its keys lie in the vault with one salt.
Result<HeldAuthority> held_authority(Host& host, const SealedKey& vault, const std::string& subject,
                                     const std::string& digest) {
  std::map<Bytes, std::vector<std::string>> by_salt;
  for (const auto& item : protocol::vault_items_of(host, subject, VaultUse::log_recovery)) {
    by_salt[item.salt].push_back(item.id);
  }
  for (const auto& [salt, keys] : by_salt) {
    for (std::uint32_t t = 1; t <= keys.size(); ++t) {
      const ledger::Reveal reveal{t, keys, crypto::multibase(salt)};
      if (ledger::recovery_digest(reveal) != digest) continue;
      HeldAuthority found{reveal, {}};
      for (const std::string& key : keys) {
        TRY(KeyPair pair, protocol::open_vault_item(host, vault, key));
        found.pairs.push_back(std::move(pair));
      }
      return found;
    }
  }
  return fail(Errc::not_found, "the vault does not hold the recovery authority of " + subject);
}

bool is_own_entry(Host& host, const ledger::LogView& view, std::size_t index) {
  // An update or a move carries on what the entry before it announced.
  while (index > 0 && !sets_next(view.history[index].entry->op)) --index;
  return is_own(host, view, view.history[index]);
}

bool is_own_pending(Host& host, const ledger::LogView& view) {
  return view.pending && is_own(host, view, view.pending->record);
}

Result<ledger::Entry> make_objection(Host& host, const SealedKey& vault,
                                     const ledger::LogView& view) {
  if (!view.pending) return fail(Errc::wrong_state, "no recovery of that log waits");
  const ledger::LogContent& fork = view.uncontested_content();
  TRY(const std::vector<KeyPair> keys, held_next_keys(host, vault, view.subject, fork));
  if (keys.size() < fork.next.t) {
    return fail(Errc::not_found,
                "another recovery is pending, and the vault holds no key to veto it");
  }
  std::optional<HeldAuthority> authority;
  std::optional<ledger::Reveal> reveal;
  if (view.pending->record.super_quorum) {
    TRY(authority, held_authority(host, vault, view.subject, fork.rec.d));
    reveal = authority->reveal;
  }
  TRY(ledger::Entry veto, ledger::make_veto(view, ledger::anchor_time(host.now()), reveal));
  CHECK(ledger::add_signatures(veto, keys, fork.next.t, host.keys()));
  if (authority) {
    CHECK(ledger::add_signatures(veto, authority->pairs, authority->reveal.t, host.keys()));
  }
  return veto;
}

}  // namespace kith::recovery
