#include "recovery/wallet_backup.hpp"

#include <algorithm>
#include <array>

#include "crypto/hash.hpp"
#include "ledger/connection.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_store.hpp"
#include "protocol/vault.hpp"

namespace kith::recovery {
namespace {

/// Whole collections that travel in a backup.
constexpr std::array<std::string_view, 15> kCollections = {
    "contact",     "contact-by-did", "did-doc",         "invitation",     "log",
    "own-did",     "text",           "text-by-message", "vault-item",     "recovery-record",
    "ledger-seen", "ledger-pin",     "ledger-evidence", "ledger-receipt", "witness-address"};
/// Single records of collection `meta`. The vault's lock is not among them: it is bound to the
/// device; its public key travels as part of the items.
constexpr std::array<std::string_view, 4> kMeta = {"identity", "mediator", "pickup", "profile"};

struct SavedRecord {
  std::string collection;
  std::string id;
  Bytes value;
  template <class V>
  void visit(V& v) {
    v("collection", collection), v("id", id), v("value", value);
  }
};

struct Snapshot {
  std::uint32_t format = 1;
  std::vector<SavedRecord> records;
  template <class V>
  void visit(V& v) {
    v("format", format), v("records", records);
  }
};

bool may_be_saved(const SavedRecord& record) {
  if (record.collection == "meta") return std::ranges::find(kMeta, record.id) != kMeta.end();
  return std::ranges::find(kCollections, record.collection) != kCollections.end();
}

/// One record after another, each length-prefixed: a wallet may be larger than one stored record.
SecretBytes encode(const Snapshot& snapshot) {
  Bytes bytes;
  crypto::append_u32_be(bytes, snapshot.format);
  for (const SavedRecord& record : snapshot.records) {
    Bytes encoded = protocol::encode_record(record);
    crypto::append_u32_be(bytes, static_cast<std::uint32_t>(encoded.size()));
    crypto::append(bytes, encoded);
    crypto::wipe(encoded);
  }
  return SecretBytes::take(bytes);
}

std::uint32_t read_u32(ByteView bytes, std::size_t at) {
  return std::uint32_t{bytes[at]} << 24 | std::uint32_t{bytes[at + 1]} << 16 |
         std::uint32_t{bytes[at + 2]} << 8 | std::uint32_t{bytes[at + 3]};
}

Result<Snapshot> decode(ByteView bytes) {
  if (bytes.size() < 4) return fail(Errc::malformed, "the backup is cut off");
  Snapshot snapshot;
  snapshot.format = read_u32(bytes, 0);
  if (snapshot.format != 1) {
    return fail(Errc::home_newer, "this backup was written by a newer Kith");
  }
  std::size_t at = 4;
  while (at < bytes.size()) {
    if (bytes.size() - at < 4) return fail(Errc::malformed, "the backup is cut off");
    const std::size_t size = read_u32(bytes, at);
    at += 4;
    if (size > bytes.size() - at) return fail(Errc::malformed, "the backup is cut off");
    TRY(SavedRecord record, protocol::decode_record<SavedRecord>(bytes.subspan(at, size)));
    at += size;
    if (!may_be_saved(record)) {
      return fail(Errc::refused, "the backup holds records that no backup may hold");
    }
    snapshot.records.push_back(std::move(record));
  }
  return snapshot;
}

Snapshot collect(Host& host) {
  Snapshot snapshot;
  for (const std::string_view collection : kCollections) {
    for (const std::string& id : host.list(collection)) {
      auto value = host.get({std::string(collection), id});
      if (value) snapshot.records.push_back({std::string(collection), id, std::move(*value)});
    }
  }
  for (const std::string_view id : kMeta) {
    auto value = host.get({"meta", std::string(id)});
    if (value) snapshot.records.push_back({"meta", std::string(id), std::move(*value)});
  }
  return snapshot;
}

Snapshot own_logs(Host& host) {
  Snapshot snapshot;
  const auto own = ledger::identity(host);
  if (!own) return snapshot;
  for (const std::string& subject : {own->did, own->policy}) {
    auto value = host.get({"log", subject});
    if (value) snapshot.records.push_back({"log", subject, std::move(*value)});
  }
  return snapshot;
}

template <class T>
Result<void> check_decodes(const SavedRecord& record) {
  TRY(const T value, protocol::decode_record<T>(record.value));
  return {};
}

/// A record of a welcome that later reads as what it should be.
Result<void> check_welcome_record(const SavedRecord& record) {
  if (record.collection == "log") return check_decodes<ledger::StoredLog>(record);
  if (record.collection == "vault-item") return check_decodes<protocol::VaultRecord>(record);
  if (record.collection == "meta" && record.id == "identity") {
    return check_decodes<ledger::Identity>(record);
  }
  if (record.collection == "meta" && record.id == "profile") {
    return check_decodes<ledger::Profile>(record);
  }
  return fail(Errc::refused, "a welcome holds records that do not belong there");
}

}  // namespace

SecretBytes wallet_snapshot(Host& host) {
  return encode(collect(host));
}

Bytes content_digest(Host& host) {
  Snapshot snapshot = collect(host);
  std::erase_if(snapshot.records, [](const SavedRecord& record) {
    // Changes with every backup; with every growth of a ledger; with each day; with every look
    // for mail.
    const bool changes_with_it =
        record.id == "set" || record.id == "replaced" || record.id == "finish";
    return (record.collection == "recovery-record" && changes_with_it) ||
           record.collection == "ledger-seen" || record.collection == "witness-address" ||
           (record.collection == "meta" && record.id == "pickup");
  });
  const auto hash = crypto::sha256(encode(snapshot).expose());
  return {hash.begin(), hash.end()};
}

Result<void> restore_wallet(Host& host, ByteView bytes) {
  TRY(Snapshot snapshot, decode(bytes));
  for (SavedRecord& record : snapshot.records) {
    host.put({std::move(record.collection), std::move(record.id)}, std::move(record.value));
  }
  return {};
}

Result<std::optional<Bytes>> snapshot_record(ByteView bytes, std::string_view collection,
                                             std::string_view id) {
  TRY(Snapshot snapshot, decode(bytes));
  for (SavedRecord& record : snapshot.records) {
    if (record.collection == collection && record.id == id) return std::optional(record.value);
  }
  return std::optional<Bytes>{};
}

SecretBytes own_logs_snapshot(Host& host) {
  return encode(own_logs(host));
}

SecretBytes welcome_snapshot(Host& host) {
  Snapshot snapshot = own_logs(host);
  for (const std::string_view id : {"identity", "profile"}) {
    auto value = host.get({"meta", std::string(id)});
    if (value) snapshot.records.push_back({"meta", std::string(id), std::move(*value)});
  }
  for (const auto& item : protocol::vault_items_of(host, "", protocol::VaultUse::link_secret)) {
    snapshot.records.push_back({"vault-item", item.id, protocol::encode_record(item)});
  }
  return encode(snapshot);
}

Result<void> restore_welcome(Host& host, ByteView bytes) {
  TRY(Snapshot snapshot, decode(bytes));
  for (SavedRecord& record : snapshot.records) {
    CHECK(check_welcome_record(record));
    host.put({std::move(record.collection), std::move(record.id)}, std::move(record.value));
  }
  return {};
}

Result<Bytes> part_core_digest(const PartVersion& part) {
  if (part.chunks.empty() || part.chunks.front().size() < crypto::kContainerCoreBytes) {
    return fail(Errc::malformed, "a part without its core");
  }
  TRY(const crypto::ContainerCore core,
      crypto::parse_container_core(
          ByteView(part.chunks.front()).first(crypto::kContainerCoreBytes)));
  return crypto::to_bytes(crypto::core_digest(core));
}

Result<PartVersion> seal_part(Host& host, crypto::ContainerFormat format, BackupPart part,
                              const Bytes& set_id, const SecretPoint& recovery_key,
                              std::uint64_t counter, SecretBytes content) {
  TRY(const KeyPair agent, ledger::own_agent_key(host));
  const crypto::ContainerParams params{
      format, counter, static_cast<std::uint64_t>(protocol::epoch_seconds(host.now())),
      agent.public_key};
  const auto sign = [&](ByteView message) { return host.keys().sign(agent.sealed, message); };
  TRY(std::vector<Bytes> records,
      crypto::seal_container(recovery_key, params, std::move(content), sign, host.random()));
  return PartVersion{part, set_id, counter, std::move(records), {}};
}

}  // namespace kith::recovery
