#include "node/key_view.hpp"

#include <algorithm>

#include "crypto/algorithms.hpp"
#include "crypto/key_types.hpp"
#include "ledger/identity.hpp"
#include "protocol/contact.hpp"

namespace kith::node {
namespace {

constexpr std::size_t kShortNameChars = 6;

const crypto::KeyTypeInfo* rules_of(KeyKind kind) {
  for (const crypto::KeyTypeInfo& row : crypto::key_types()) {
    if (kind_of(row.purpose) == kind) return &row;
  }
  return nullptr;
}

NamedKeyInfo read_key(Host& host, std::string_view collection, const std::string& id) {
  NamedKeyInfo key{id, *load<KeyInfo>(host, collection, id), {}};
  if (const auto uses = load<KeyUses>(host, kKeyUse, id)) key.uses = *uses;
  if (key.info.uses) key.uses.count = *key.info.uses;
  return key;
}

void add_time(JsonObject& row, std::string_view name, const std::optional<Time>& time) {
  if (time) row[name] = protocol::utc_text(*time);
}

/// The year from which nobody should rely on this kind of key any more.
std::uint16_t last_year_of(KeyType type) {
  for (const crypto::AlgorithmInfo& one : crypto::algorithms()) {
    if (one.last_year != 0 &&
        one.name.find(crypto::key_type_name(type)) != std::string_view::npos) {
      return one.last_year;
    }
  }
  return 0;
}

}  // namespace

std::vector<NamedKeyInfo> list_keys(Host& host, bool gone) {
  const std::string_view collection = gone ? kKeyGone : kKeyInfo;
  std::vector<NamedKeyInfo> keys;
  for (const std::string& id : host.list(collection)) {
    keys.push_back(read_key(host, collection, id));
  }
  return keys;
}

Result<NamedKeyInfo> key_named(Host& host, std::string_view text) {
  for (const std::string_view collection : {kKeyInfo, kKeyGone}) {
    if (host.get({std::string(collection), std::string(text)})) {
      return read_key(host, collection, std::string(text));
    }
  }
  if (text.size() < kShortNameChars) {
    return fail(Errc::not_found, "no key has that name; a part of one has six characters or more");
  }
  std::vector<std::pair<std::string_view, std::string>> found;
  for (const std::string_view collection : {kKeyInfo, kKeyGone}) {
    for (std::string& id : host.list(collection)) {
      if (id.starts_with(text) || id.ends_with(text)) found.emplace_back(collection, std::move(id));
    }
  }
  if (found.empty()) return fail(Errc::not_found, "this node neither holds nor held such a key");
  if (found.size() > 1) return fail(Errc::conflict, "several keys begin or end so: say more of it");
  return read_key(host, found.front().first, found.front().second);
}

std::optional<Time> due_time(const KeyInfo& info) {
  const auto* rules = rules_of(info.kind);
  if (rules == nullptr || rules->period_days == 0 || info.state != KeyState::active) {
    return std::nullopt;
  }
  return info.activated.value_or(info.made) + std::chrono::hours{24} * rules->period_days;
}

bool is_overdue(const NamedKeyInfo& key, Time now) {
  const auto* rules = rules_of(key.info.kind);
  const auto due = due_time(key.info);
  const bool worn = rules != nullptr && rules->uses_max != 0 &&
                    key.info.state == KeyState::active && key.uses.count >= rules->uses_max;
  return worn || (due && now >= *due);
}

std::vector<std::string> risks(const NamedKeyInfo& key, Time now) {
  std::vector<std::string> why;
  if (key.info.state == KeyState::compromised) why.emplace_back("it is marked as compromised");
  if (key.info.state == KeyState::suspended) why.emplace_back("it is suspended");
  const auto* rules = rules_of(key.info.kind);
  if (rules != nullptr && rules->uses_max != 0 && key.uses.count >= rules->uses_max) {
    why.emplace_back("it was used more often than such a key should be");
  }
  if (const auto due = due_time(key.info)) {
    if (now >= *due) {
      why.push_back("its crypto-period is over since " + protocol::utc_text(*due));
    } else if (now + std::chrono::hours{24} * crypto::kDueSoonDays >= *due) {
      why.push_back("its crypto-period ends on " + protocol::utc_text(*due));
    }
  }
  if (key.info.type && !crypto::is_gone(key.info.state)) {
    const std::uint16_t year = last_year_of(*key.info.type);
    const int now_year = std::stoi(protocol::utc_text(now).substr(0, 4));
    if (year != 0 && now_year > year) {
      why.push_back("its algorithm should not be used after " + std::to_string(year));
    }
  }
  return why;
}

KeyOwners::KeyOwners(Host& host) {
  for (const Contact& contact : protocol::list_contacts(host)) {
    names_.emplace(contact.my_did, contact.name);
    names_.emplace(contact.id, contact.name);
  }
  if (const auto own = ledger::identity(host)) {
    names_.insert_or_assign(own->did, "your identity");
    names_.insert_or_assign(own->policy, "your policy");
  }
}

std::string KeyOwners::text(const KeyInfo& info) const {
  if (!info.owner) return "this device";
  if (const auto found = names_.find(*info.owner); found != names_.end()) return found->second;
  if (info.kind == kind_of(KeyPurpose::retire)) return "a share of yours";
  return *info.owner;
}

JsonObject key_row(const KeyOwners& owners, const NamedKeyInfo& key) {
  JsonObject row{{"id", key.id},
                 {"kind", key_kind_name(key.info.kind)},
                 {"state", crypto::key_state_name(key.info.state)},
                 {"of", owners.text(key.info)}};
  add_time(row, "made", key.info.made);
  add_time(row, "due", due_time(key.info));
  row["uses"] = key.uses.count;
  return row;
}

JsonObject key_details(const KeyOwners& owners, const NamedKeyInfo& key) {
  const KeyInfo& info = key.info;
  JsonObject row = key_row(owners, key);
  row["origin"] = key_origin_name(info.origin);
  row["type"] = info.type ? crypto::key_type_name(*info.type) : "none";
  if (info.owner) row["owner"] = *info.owner;
  if (info.mark && info.kind != KeyKind::backup) row["public_key"] = *info.mark;
  add_time(row, "since", info.since);
  add_time(row, "activated", info.activated);
  add_time(row, "ended", info.ended);
  add_time(row, "compromised", info.compromised);
  if (key.uses.last != Time{}) add_time(row, "last_used", key.uses.last);
  if (info.reason) row["reason"] = *info.reason;
  if (const auto* rules = rules_of(info.kind)) {
    row["use"] = rules->use;
    row["kept"] = crypto::keeping_text(rules->keeping);
    row["life"] = rules->life;
    row["period"] = crypto::period_text(*rules);
  }
  JsonArray steps;
  for (const KeyEvent event : crypto::kKeyEvents) {
    if (crypto::next_key_state(info.state, event).has_value()) {
      steps.emplace_back(crypto::key_event_name(event));
    }
  }
  row["events"] = std::move(steps);
  return row;
}

}  // namespace kith::node
