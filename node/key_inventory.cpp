#include "node/key_inventory.hpp"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include "ledger/log_store.hpp"
#include "ledger/strict_json.hpp"
#include "node/key_info.hpp"
#include "protocol/vault.hpp"

namespace kith::node {
namespace {

using ledger::Entry;
using protocol::RecordKey;

constexpr std::string_view kLogs = "log";
/// Of a log that changed, so many of its last entries are looked at.
constexpr std::size_t kNewestEntries = 4;

/// Records of these collections hold keys, of some of them under names of their own.
constexpr std::array<std::string_view, 7> kKeyCollections = {
    "own-key", "log-key", "vault-item", "session-key", "share", "meta", "recovery-record"};

bool is_log_kind(KeyKind kind) {
  return kind == kind_of(KeyPurpose::log_active) || kind == kind_of(KeyPurpose::log_next) ||
         kind == kind_of(KeyPurpose::log_recovery);
}

class Follower {
 public:
  Follower(Host& host, bool stock) : host_(host), stock_(stock) {}

  void add_log(const std::string& subject) {
    const auto log = load<ledger::StoredLog>(host_, kLogs, subject);
    if (!log) return;
    const std::size_t size = log->blobs.size();
    for (std::size_t i = size - std::min(size, kNewestEntries); i < size; ++i) {
      if (auto entry = ledger::parse_entry(log->blobs[i].blob); entry.has_value()) {
        entries_.push_back(std::move(*entry));
      }
    }
  }
  void add_record(const RecordKey& record) {
    if (const auto id = key_in_record(record)) records_.emplace(*id, record);
  }
  /// Nothing holds it, as it seems.
  void add_missing(const std::string& id) { records_.emplace(id, RecordKey{"log-key", id}); }

  void run() {
    for (const auto& [id, record] : records_) settle(id, record);
    for (const Entry& entry : entries_) follow_log(entry);
    if (gone_.empty()) return;
    host_.audit("key.destroyed", {{"keys", std::move(gone_)}});
  }

 private:
  void save_info(const std::string& id, const KeyInfo& info) { save(host_, kKeyInfo, id, info); }

  void take(const std::string& id, KeyInfo info, KeyEvent event) {
    if (step(info, event, host_.now()).has_value()) save_info(id, info);
  }

  /// What holds the key now; nullopt: nothing.
  std::optional<RecordKey> holder(const std::string& id, const RecordKey& record) {
    for (const RecordKey& place : {record, RecordKey{"log-key", id}, RecordKey{"vault-item", id},
                                   RecordKey{"own-key", id}}) {
      if (host_.get(place)) return place;
    }
    return std::nullopt;
  }

  void settle(const std::string& id, const RecordKey& record) {
    auto info = key_info(host_, id);
    const auto place = holder(id, record);
    if (!place) {
      if (info) end(id, std::move(*info));
      return;
    }
    if (!info) return begin(id, *place);
    const auto mark = facts_of_key(host_, *place).mark;
    if (mark && info->mark && *mark != *info->mark) {
      end(id, std::move(*info));
      return begin(id, *place);
    }
    // Its log goes by another key; vetoes may need it.
    const bool in_use = host_.get({"log-key", id}).has_value();
    if (is_log_kind(info->kind) && info->state == KeyState::active && !in_use) {
      take(id, std::move(*info), KeyEvent::deactivate);
    }
  }

  void begin(const std::string& id, const RecordKey& place) {
    KeyFacts facts = facts_of_key(host_, place);
    KeyInfo info;
    info.made = facts.added.value_or(host_.now());
    info.since = host_.now();
    info.mark = facts.mark;
    info.type = facts.type;
    info.owner = facts.owner;
    info.kind = facts.kind;
    if (place.collection == "log-key") tell_log_key(id, info);
    const bool of_elsewhere = facts.given || info.made != host_.now();
    info.origin = stock_ ? KeyOrigin::found : of_elsewhere ? KeyOrigin::given : KeyOrigin::made;
    const bool announced = info.kind == kind_of(KeyPurpose::log_next) ||
                           info.kind == kind_of(KeyPurpose::log_recovery);
    info.state = announced ? KeyState::pre_active : KeyState::active;
    if (!announced) info.activated = info.made;
    if (announced && place.collection == "vault-item" && (stock_ || of_elsewhere) &&
        is_past(id, info)) {
      info.state = KeyState::deactivated;
      info.ended = host_.now();
    }
    const auto before = load<KeyInfo>(host_, kKeyGone, id);
    if (before && before->state == KeyState::destroyed_compromised && before->mark == info.mark) {
      info.state = KeyState::compromised;
      info.compromised = before->compromised;
      info.reason = before->reason;
    }
    save_info(id, info);
  }

  void end(const std::string& id, KeyInfo info) {
    if (!step(info, KeyEvent::destroy, host_.now()).has_value()) return;
    if (const auto uses = load<KeyUses>(host_, kKeyUse, id)) {
      info.uses = uses->count;
      host_.erase({std::string(kKeyUse), id});
    }
    host_.erase({std::string(kKeyInfo), id});
    std::string name = id;
    if (host_.get({std::string(kKeyGone), id})) {
      name += "@" + std::to_string(protocol::epoch_ms(info.made));
    }
    save(host_, kKeyGone, name, info);
    gone_.emplace_back(id);
  }

  /// Which of its log's keys one is that lies in `log-key`: a wallet without a vault has all there.
  void tell_log_key(const std::string& id, KeyInfo& info) {
    info.kind = kind_of(KeyPurpose::log_next);  // Of a rotation that waits: no entry names it yet.
    for (const Entry& entry : entries_) {
      if (!entry.content) continue;
      if (ledger::contains(entry.content->keys.k, id)) {
        info.kind = kind_of(KeyPurpose::log_active);
        info.owner = entry.id;
      } else if (ledger::contains(entry.content->next.kd, ledger::key_digest(id))) {
        info.kind = kind_of(KeyPurpose::log_next);
        info.owner = entry.id;
      }
    }
    if (info.owner) return;
    if (const auto log = log_of_recovery_key(host_, id)) {
      info.kind = kind_of(KeyPurpose::log_recovery);
      info.owner = log;
    }
  }

  /// A next or recovery key of the vault that its log does not wait for any more.
  bool is_past(const std::string& id, const KeyInfo& info) {
    const auto view = ledger::stored_view(host_, info.owner.value_or(""));
    if (!view.has_value()) return false;
    if (info.kind == kind_of(KeyPurpose::log_next)) {
      return !ledger::contains(view->current.next.kd, ledger::key_digest(id));
    }
    return std::ranges::any_of(view->history, [&](const ledger::LogRecord& record) {
      return record.entry->reveal && ledger::contains(record.entry->reveal->k, id);
    });
  }

  void follow_log(const Entry& entry) {
    std::optional<ledger::LogView> view;  // Read only when it matters: most logs are of others.
    const auto current = [&]() -> const ledger::LogView* {
      if (!view) {
        auto read = ledger::stored_view(host_, entry.id);
        if (!read.has_value()) return nullptr;
        view = std::move(*read);
      }
      return &*view;
    };
    if (entry.content) {
      for (const std::string& id : entry.content->keys.k) {
        auto info = key_info(host_, id);
        const auto* log = info && waits(*info) ? current() : nullptr;
        if (log == nullptr) continue;
        const bool is_current = ledger::contains(log->current.keys.k, id);
        const bool is_here = host_.get({"log-key", id}).has_value();
        info->state = KeyState::pre_active;
        info->owner = entry.id;
        if (is_current && is_here) {
          info->kind = kind_of(KeyPurpose::log_active);
          take(id, std::move(*info), KeyEvent::activate);
        } else if (!is_here && counts(entry, *log)) {
          pass_over(id, std::move(*info));
        }
      }
    }
    if (ends(entry) || entry.op == ledger::Op::recover) retire_keys(entry, current());
  }

  /// It has not been active yet. One that came with a backup may have been taken for a past one.
  static bool waits(const KeyInfo& info) {
    return info.state == KeyState::pre_active ||
           (info.state == KeyState::deactivated && !info.activated);
  }

  /// No keys of this log are of use any more, but for vetoes.
  static bool ends(const Entry& entry) {
    if (entry.op == ledger::Op::deactivate) return true;
    if (entry.kind != ledger::Kind::pair || !entry.content) return false;
    const auto* state = entry.content->state.if_object();
    return state != nullptr && crypto::json_text_of(*state, "status") != "active";
  }

  static bool counts(const Entry& entry, const ledger::LogView& log) {
    return std::ranges::any_of(log.history, [&](const ledger::LogRecord& record) {
      return record.entry->n == entry.n && record.entry->op == entry.op;
    });
  }

  /// Its log went by it and is past it, or goes by it where another device has it.
  void pass_over(const std::string& id, KeyInfo info) {
    for (const KeyEvent event : {KeyEvent::activate, KeyEvent::deactivate}) {
      if (!step(info, event, host_.now()).has_value()) return;
    }
    save_info(id, info);
  }

  void retire_keys(const Entry& entry, const ledger::LogView* log) {
    if (log == nullptr || !counts(entry, *log)) return;
    const bool over = ends(*log->head().entry);
    if (over) {
      for (const std::string& id : log->current.keys.k) retire(id);
    }
    for (const protocol::VaultRecord& item : protocol::list_vault(host_)) {
      if (item.subject != entry.id) continue;
      const bool revealed = entry.reveal && ledger::contains(entry.reveal->k, item.id);
      const bool needed =
          item.use == protocol::VaultUse::log_next
              ? ledger::contains(log->current.keys.k, item.id) ||
                    ledger::contains(log->current.next.kd, ledger::key_digest(item.id))
              : !revealed;
      if (over || !needed) retire(item.id);
    }
  }
  void retire(const std::string& id) {
    auto info = key_info(host_, id);
    if (info && is_log_kind(info->kind)) take(id, std::move(*info), KeyEvent::deactivate);
  }

  Host& host_;
  bool stock_;
  std::map<std::string, RecordKey> records_;  ///< By key.
  std::vector<Entry> entries_;                ///< New in logs.
  JsonArray gone_;
};

}  // namespace

void follow_keys(protocol::UnitOfWork& unit) {
  Follower follower(unit, false);
  bool any = false;
  for (const std::string_view collection : kKeyCollections) {
    for (const std::string& id : unit.changed(collection)) {
      follower.add_record({std::string(collection), id});
      any = true;
    }
  }
  for (const std::string& subject : unit.changed(kLogs)) {
    follower.add_log(subject);
    any = true;
  }
  if (any) follower.run();
}

void take_stock_of_keys(Host& host) {
  Follower follower(host, true);
  std::set<std::string> unseen;
  for (std::string& id : host.list(kKeyInfo)) unseen.insert(std::move(id));
  bool any = false;
  for (const std::string_view collection : kKeyCollections) {
    for (const std::string& name : host.list(collection)) {
      const RecordKey record{std::string(collection), name};
      const auto id = key_in_record(record);
      if (!id || unseen.erase(*id) > 0 || key_info(host, *id)) continue;
      follower.add_record(record);
      any = true;
    }
  }
  for (const std::string& id : unseen) follower.add_missing(id);
  if (!any && unseen.empty()) return;
  for (const std::string& subject : host.list(kLogs)) follower.add_log(subject);
  follower.run();
}

}  // namespace kith::node
