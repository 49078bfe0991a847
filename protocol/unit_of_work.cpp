#include "protocol/unit_of_work.hpp"

#include <algorithm>

#include "crypto/assert.hpp"

namespace kith::protocol {
namespace {

struct Counter {
  std::uint64_t next = 0;
  template <class V>
  void visit(V& v) {
    v("next", next);
  }
};

/// Whose records hold sealed keys that are used again and again.
bool holds_keys(const RecordKey& record) {
  return record.collection == "own-key" || record.collection == "log-key" ||
         record.collection == "session-key" || record.collection == "share" ||
         (record.collection == "meta" && record.id == "witness-key");
}

bool has_within(ByteView bytes, ByteView part) {
  return !std::ranges::search(bytes, part).empty();
}

}  // namespace

UnitOfWork::UnitOfWork(const UnitContext& context) : context_(context) {}

std::optional<Bytes> UnitOfWork::get(const RecordKey& key) {
  const auto own = changes_.overlay.find(key);
  if (own != changes_.overlay.end()) return own->second;
  auto stored = context_.store.get(key);
  if (!stored.has_value()) throw StoreFailure{stored.error()};
  if (context_.watch != nullptr && *stored && holds_keys(key)) keys_read_.emplace(key, **stored);
  return std::move(*stored);
}

void UnitOfWork::put(const RecordKey& key, Bytes value) {
  changes_.overlay[key] = std::move(value);
}

void UnitOfWork::erase(const RecordKey& key) {
  changes_.overlay[key] = std::nullopt;
}

std::vector<std::string> UnitOfWork::list(std::string_view collection) {
  auto stored = context_.store.list(collection);
  if (!stored.has_value()) throw StoreFailure{stored.error()};
  std::vector<std::string> ids = std::move(*stored);
  const RecordKey first{std::string(collection), {}};
  for (auto own = changes_.overlay.lower_bound(first);
       own != changes_.overlay.end() && own->first.collection == collection; ++own) {
    const auto at = std::ranges::lower_bound(ids, own->first.id);
    const bool present = at != ids.end() && *at == own->first.id;
    if (own->second && !present) ids.insert(at, own->first.id);
    if (!own->second && present) ids.erase(at);
  }
  return ids;
}

std::uint64_t UnitOfWork::next_number(std::string_view counter) {
  auto record = load<Counter>(*this, "counter", counter).value_or(Counter{});
  const std::uint64_t number = record.next++;
  save(*this, "counter", counter, record);
  return number;
}

std::string UnitOfWork::start(Effect effect) {
  if (effect.transient) {
    // Never stored, so its id only has to differ from all others: random, and outside the counter.
    effect.id = "t" + crypto::hex(context_.random.bytes(8));
  } else {
    effect.id = numbered_id(next_number("effect"));
    save(*this, "effect", effect.id, effect);
  }
  changes_.started.push_back(std::move(effect));
  return changes_.started.back().id;
}

void UnitOfWork::cancel_effect(std::string_view id) {
  erase({"effect", std::string(id)});
  std::erase_if(changes_.started, [id](const Effect& effect) { return effect.id == id; });
  changes_.cancelled.emplace_back(id);
}

void UnitOfWork::arrived(Bytes envelope, const Arrival& how) {
  const std::string id = numbered_id(next_number("arrived"));
  save(*this, "arrived", id, ArrivedEnvelope{std::move(envelope), how});
  changes_.arrivals.push_back(id);
}

void UnitOfWork::set_timer(std::string_view module, std::string_view name, Time at) {
  const std::string id = std::string(module) + "|" + std::string(name);
  save(*this, "timer", id, StoredTimer{at});
  changes_.timers[id] = at;
}

void UnitOfWork::cancel_timer(std::string_view module, std::string_view name) {
  const std::string id = std::string(module) + "|" + std::string(name);
  if (!get({"timer", id})) return;
  erase({"timer", id});
  changes_.timers[id] = std::nullopt;
}

void UnitOfWork::notify(Notice notice) {
  notice.time = context_.now;
  save(*this, "notice", numbered_id(next_number("notice")), notice);
}

void UnitOfWork::audit(std::string_view event, JsonObject details) {
  AuditEntry entry;
  entry.time = context_.now;
  entry.event = event;
  entry.details = std::move(details);
  changes_.audit.push_back(std::move(entry));
}

std::vector<std::string> UnitOfWork::changed(std::string_view collection) const {
  std::vector<std::string> ids;
  const RecordKey first{std::string(collection), {}};
  for (auto own = changes_.overlay.lower_bound(first);
       own != changes_.overlay.end() && own->first.collection == collection; ++own) {
    ids.push_back(own->first.id);
  }
  return ids;
}

std::optional<RecordKey> UnitOfWork::record_with(ByteView blob) const {
  if (blob.empty()) return std::nullopt;
  for (const auto& [key, value] : keys_read_) {
    if (has_within(value, blob)) return key;
  }
  for (const auto& [key, value] : changes_.overlay) {
    if (value && holds_keys(key) && has_within(*value, blob)) return key;
  }
  return std::nullopt;
}

bool UnitOfWork::audited(std::string_view event) const {
  return std::ranges::any_of(changes_.audit,
                             [event](const AuditEntry& entry) { return entry.event == event; });
}

UnitOfWork::Savepoint UnitOfWork::savepoint() const {
  return {changes_};
}
void UnitOfWork::roll_back(Savepoint savepoint) {
  changes_ = std::move(savepoint.changes);
}

void UnitOfWork::write_audit() {
  if (changes_.audit.empty()) return;
  auto head = load<AuditHead>(*this, "meta", "audit");
  if (!head) {
    auto pair = context_.keys.generate(KeyType::ed25519, KeyPurpose::audit);
    ASSERT(pair.has_value());
    head = AuditHead{0, {}, pair->public_key, pair->sealed};
  }
  for (AuditEntry& entry : changes_.audit) {
    entry.n = head->count;
    entry.prev = head->hash;
    entry.key = head->key;
    const auto ok = sign_audit_entry(entry, context_.keys, head->sealed_key);
    if (!ok.has_value()) throw StoreFailure{ok.error()};
    save(*this, "audit", numbered_id(entry.n), entry);
    head->hash = audit_hash(entry);
    ++head->count;
  }
  changes_.audit.clear();
  save(*this, "meta", "audit", *head);
}

Result<void> UnitOfWork::commit() {
  write_audit();
  if (changes_.overlay.empty()) return {};
  Batch batch;
  batch.reserve(changes_.overlay.size());
  for (auto& [key, value] : changes_.overlay) batch.push_back({key, std::move(value)});
  changes_.overlay.clear();  // Later reads find the store's.
  return context_.store.commit(batch);
}

}  // namespace kith::protocol
