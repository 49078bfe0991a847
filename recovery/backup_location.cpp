#include "recovery/backup_location.hpp"

#include <algorithm>
#include <set>
#include <tuple>

#include "crypto/hash.hpp"
#include "ledger/log_store.hpp"
#include "protocol/audit_log.hpp"
#include "protocol/contact.hpp"
#include "protocol/mediator.hpp"
#include "protocol/messenger.hpp"
#include "protocol/sender.hpp"
#include "recovery/messages.hpp"

namespace kith::recovery {
namespace {

constexpr std::string_view kBackupLocation = "backup-location";
constexpr std::string_view kTokens = "bk-token";
constexpr std::chrono::hours kSweepEvery{24};
constexpr std::chrono::hours kTokenNoticeEvery{1};
/// An upload that never came to its end is dropped after this.
constexpr std::chrono::hours kUnfinishedKept{24 * 7};
/// Sets whose tokens one client may register; each has a sheet that is kept for weeks.
constexpr std::size_t kTokenSetsMax = 64;
/// Beyond it only the reserve is left: room for the one backup that must follow new keys.
constexpr std::uint64_t kOrdinaryBytesMax = limits::kBackupClientBytesMax - limits::kBackupBytesMax;
constexpr std::size_t kNonceBytesMax = 64;

struct TokenRecord {
  std::string client;
  Bytes set_id;
  Time told{};  ///< When the owner was last told of its use.
  template <class V>
  void visit(V& v) {
    v("client", client), v("set_id", set_id), v("told", told);
  }
};

struct StoredVersion {
  BackupVersion info;
  std::uint32_t arrived = 0;
  std::uint64_t bytes = 0;
  bool active = false;
  template <class V>
  void visit(V& v) {
    v("info", info), v("arrived", arrived), v("bytes", bytes), v("active", active);
  }
};

struct StoredChunk {
  Bytes chunk;
  template <class V>
  void visit(V& v) {
    v("chunk", chunk);
  }
};

/// Record `bk-client`/<client>.
struct ClientState {
  std::uint64_t bytes = 0;
  std::uint64_t highest_counter = 0;
  std::map<std::string, std::uint32_t> tokens;  ///< How many are registered, by set id in hex.
  std::uint64_t renewals_used = 0;  ///< Rotations and recoveries whose reserve is spent.
  std::string reserve_version;      ///< The version that may use the reserve.
  template <class V>
  void visit(V& v) {
    v("bytes", bytes), v("highest_counter", highest_counter), v("tokens", tokens),
        v("renewals_used", renewals_used), v("reserve_version", reserve_version);
  }
};

std::string versions_of(std::string_view client) {
  return "bk-version/" + std::string(client);
}
std::string chunks_of(std::string_view client) {
  return "bk-chunk/" + std::string(client);
}

/// Sorts by part, then counter, so that the last of a part is the newest.
std::string version_id(BackupPart part, std::uint64_t counter, ByteView set_id) {
  return std::to_string(static_cast<unsigned>(part)) + "-" + protocol::numbered_id(counter) + "-" +
         crypto::hex(set_id);
}

std::string chunk_id(const std::string& version, std::uint32_t index) {
  return version + "-" + protocol::numbered_id(index);
}

Result<void> check_put(const BackupPut& put) {
  if (put.set_id.size() != 16 || put.digest.size() != 32) {
    return fail(Errc::malformed, "set id or digest has the wrong size");
  }
  if (put.count == 0 || put.count > limits::kBackupBytesMax / limits::kBackupChunkBytes ||
      put.index >= put.count) {
    return fail(Errc::malformed, "chunk numbers do not fit");
  }
  if (put.chunk.size() > limits::kBackupChunkBytes) {
    return fail(Errc::limit_exceeded, "a chunk has at most 256 KiB");
  }
  if (put.token_hashes.size() > limits::kBackupTokensPerSet) {
    return fail(Errc::limit_exceeded, "too many tokens");
  }
  for (const Bytes& hash : put.token_hashes) {
    if (hash.size() != 32) return fail(Errc::malformed, "a token hash has 32 bytes");
  }
  return {};
}

/// Activates the version when its last chunk is there. Errors: malformed (the digest does not fit).
Result<bool> activate(Host& host, const std::string& client, const std::string& id,
                      StoredVersion& version) {
  if (version.arrived < version.info.count) return false;
  std::vector<Bytes> chunks;
  for (std::uint32_t i = 0; i < version.info.count; ++i) {
    auto chunk = load<StoredChunk>(host, chunks_of(client), chunk_id(id, i));
    if (!chunk) return fail(Errc::malformed, "a chunk is missing");
    chunks.push_back(std::move(chunk->chunk));
  }
  if (version_digest(chunks) != version.info.digest) {
    return fail(Errc::malformed, "the chunks do not fit their digest");
  }
  version.active = true;
  return true;
}

Result<void> register_tokens(Host& host, const std::string& client, const BackupPut& put,
                             ClientState& state) {
  if (put.token_hashes.empty()) return {};
  const std::string set = crypto::hex(put.set_id);
  if (!state.tokens.contains(set) && state.tokens.size() >= kTokenSetsMax) {
    return fail(Errc::storage_full, "this client has tokens for too many sets");
  }
  for (const Bytes& hash : put.token_hashes) {
    const std::string id = crypto::hex(hash);
    const auto known = load<TokenRecord>(host, kTokens, id);
    if (known && known->client != client) return fail(Errc::conflict, "that token is taken");
    if (known) continue;
    if (++state.tokens[set] > limits::kBackupTokensPerSet) {
      return fail(Errc::limit_exceeded, "too many tokens for one set");
    }
    save(host, kTokens, id, TokenRecord{client, put.set_id, {}});
  }
  return {};
}

/// Rotations and recoveries of the client's microledger, as far as we know it.
std::uint64_t renewals_of(Host& host, const Contact& client) {
  const auto view = ledger::stored_view(host, client.their_did);
  if (!view.has_value()) return 0;
  return static_cast<std::uint64_t>(
      std::ranges::count_if(view->history, [](const ledger::LogRecord& record) {
        return record.entry->op == ledger::Op::rotate || record.entry->op == ledger::Op::recover;
      }));
}

/// Nothing kept is dropped for a newcomer. After new keys one backup more fits: without it their
/// owner could not post the next ones safely. Errors: storage_full.
Result<void> take_room(Host& host, const Contact& client, const std::string& version,
                       std::size_t bytes, ClientState& state) {
  const std::uint64_t after = state.bytes + bytes;
  bool fits = after <= kOrdinaryBytesMax;
  if (!fits && after <= limits::kBackupClientBytesMax) {
    if (state.reserve_version != version) {
      const std::uint64_t renewals = renewals_of(host, client);
      if (renewals > state.renewals_used) {
        state.renewals_used = renewals;
        state.reserve_version = version;
      }
    }
    fits = state.reserve_version == version;
  }
  if (!fits) return fail(Errc::storage_full, "this client's share of the disk is used up");
  state.bytes = after;
  return {};
}

Result<void> on_put(Host& host, const Inbound& inbound) {
  TRY(const Contact contact, protocol::sender_of(host, inbound));
  if (contact.role != ContactRole::client) {
    return fail(Errc::refused, "backups are kept for clients of this mediator only");
  }
  TRY(const BackupPut put, protocol::decode_body<BackupPut>(inbound.message.body));
  CHECK(check_put(put));
  const std::string& client = contact.id;
  auto state = load<ClientState>(host, "bk-client", client).value_or(ClientState{});
  if (put.counter > state.highest_counter + limits::kBackupCounterLead) {
    return fail(Errc::refused, "the counter runs too far ahead");
  }
  const std::string id = version_id(put.part, put.counter, put.set_id);
  auto version = load<StoredVersion>(host, versions_of(client), id).value_or(StoredVersion{});
  if (version.info.digest.empty()) {
    version.info = {put.part, put.set_id, put.counter, put.count, put.digest, host.now()};
  } else if (version.info.digest != put.digest || version.info.count != put.count) {
    return fail(Errc::conflict, "that version exists with other content");
  }
  const std::string chunk = chunk_id(id, put.index);
  if (!version.active && !load<StoredChunk>(host, chunks_of(client), chunk)) {
    CHECK(take_room(host, contact, id, put.chunk.size(), state));
    save(host, chunks_of(client), chunk, StoredChunk{put.chunk});
    ++version.arrived;
    version.bytes += put.chunk.size();
    TRY(const bool active, activate(host, client, id, version));
    if (active) state.highest_counter = std::max(state.highest_counter, put.counter);
  }
  CHECK(register_tokens(host, client, put, state));
  save(host, versions_of(client), id, version);
  save(host, "bk-client", client, state);
  TRY(const std::string sent,
      protocol::reply(host, inbound, type_uri(kBackupProtocol, BackupPutReply::kName),
                      protocol::encode_body(BackupPutReply{put.index, version.active})));
  return {};
}

/// Tells the owner, through its mailbox, that somebody read with a token; at most once an hour
/// each.
Result<void> tell_owner(Host& host, const std::string& token_id, TokenRecord token) {
  if (token.told != Time{} && token.told + Duration{kTokenNoticeEvery} > host.now()) return {};
  const auto client = protocol::find_contact(host, token.client);
  if (!client || client->state != ContactState::connected) return {};
  TRY(const Did mine, Did::parse(client->my_did));
  TRY(const Did theirs, Did::parse(client->their_did));
  Message message = protocol::new_message(type_uri(kBackupProtocol, "token-used"), host.random(),
                                          protocol::epoch_seconds(host.now()));
  message.from = mine;
  message.to = {theirs};
  message.body = {{"time", protocol::epoch_seconds(host.now())}};
  TRY(const std::string packed, protocol::pack_message(host, message));
  CHECK(protocol::take_mail(host, protocol::policy_of(host), client->id,
                            {crypto::to_bytes(packed), client->their_did, {}, {}}));
  token.told = host.now();
  save(host, kTokens, token_id, token);
  return {};
}

/// Whose backups a request may read: by token, or a client its own.
Result<std::string> reader_of(Host& host, const Inbound& inbound, ByteView token) {
  if (token.empty()) {
    TRY(const Contact contact, protocol::sender_of(host, inbound));
    return contact.id;
  }
  const std::string id = crypto::hex(token_hash(token));
  const auto record = load<TokenRecord>(host, kTokens, id);
  if (!record) return fail(Errc::refused, "that token opens nothing here");
  // A full mailbox must not keep the owner's new device from its backup.
  static_cast<void>(tell_owner(host, id, *record));
  return record->client;
}

/// Empty without a nonce. Errors: limit_exceeded.
Result<Bytes> signed_time(Host& host, const Inbound& inbound, ByteView nonce,
                          std::int64_t time_ms) {
  if (nonce.empty() || !inbound.info.own_did) return Bytes{};
  if (nonce.size() > kNonceBytesMax)
    return fail(Errc::limit_exceeded, "a nonce has at most 64 bytes");
  return protocol::sign_as(host, *inbound.info.own_did, time_statement(nonce, time_ms));
}

Result<void> on_get(Host& host, const Inbound& inbound) {
  TRY(const BackupGet get, protocol::decode_body<BackupGet>(inbound.message.body));
  TRY(const std::string client, reader_of(host, inbound, get.token));
  const std::string prefix = std::to_string(static_cast<unsigned>(get.part)) + "-";
  std::optional<StoredVersion> found;
  std::string found_id;
  for (const std::string& id : host.list(versions_of(client))) {
    if (!id.starts_with(prefix)) continue;
    auto version = *load<StoredVersion>(host, versions_of(client), id);
    if (!version.active || (get.counter && version.info.counter != *get.counter)) continue;
    // The newest: by counter, and among equal ones (sheets, capsules) by when it was stored.
    if (found && (version.info.counter < found->info.counter ||
                  (version.info.counter == found->info.counter &&
                   version.info.stored < found->info.stored))) {
      continue;
    }
    found = std::move(version);
    found_id = id;
  }
  if (!found) return fail(Errc::not_found, "no such part is stored here");
  if (get.index >= found->info.count) return fail(Errc::malformed, "no such chunk");
  const auto chunk = load<StoredChunk>(host, chunks_of(client), chunk_id(found_id, get.index));
  if (!chunk) return fail(Errc::not_found, "that chunk is lost");
  BackupGetReply reply{found->info.part,
                       found->info.set_id,
                       found->info.counter,
                       get.index,
                       found->info.count,
                       chunk->chunk,
                       found->info.digest,
                       protocol::epoch_ms(host.now()),
                       {}};
  TRY(reply.signature, signed_time(host, inbound, get.nonce, reply.time_ms));
  TRY(const std::string sent,
      protocol::reply(host, inbound, type_uri(kBackupProtocol, BackupGetReply::kName),
                      protocol::encode_body(reply)));
  return {};
}

Result<void> on_list(Host& host, const Inbound& inbound) {
  TRY(const BackupList list, protocol::decode_body<BackupList>(inbound.message.body));
  TRY(const std::string client, reader_of(host, inbound, list.token));
  BackupListReply reply;
  for (const std::string& id : host.list(versions_of(client))) {
    const auto version = *load<StoredVersion>(host, versions_of(client), id);
    if (version.active && reply.versions.size() < limits::kBackupVersionsListed) {
      reply.versions.push_back(version.info);
    }
  }
  reply.time_ms = protocol::epoch_ms(host.now());
  TRY(reply.signature, signed_time(host, inbound, list.nonce, reply.time_ms));
  TRY(const std::string sent,
      protocol::reply(host, inbound, type_uri(kBackupProtocol, BackupListReply::kName),
                      protocol::encode_body(reply)));
  return {};
}

void drop_version(Host& host, const std::string& client, const std::string& id,
                  const StoredVersion& version) {
  for (std::uint32_t i = 0; i < version.info.count; ++i) {
    host.erase({chunks_of(client), chunk_id(id, i)});
  }
  host.erase({versions_of(client), id});
  auto state = load<ClientState>(host, "bk-client", client).value_or(ClientState{});
  state.bytes -= std::min(state.bytes, version.bytes);
  save(host, "bk-client", client, state);
}

/// Tokens live as long as the versions of their set, whatever became of the relationship.
void sweep_tokens(Host& host, const std::string& client, const std::set<std::string>& sets) {
  auto state = load<ClientState>(host, "bk-client", client).value_or(ClientState{});
  if (std::ranges::all_of(state.tokens,
                          [&](const auto& entry) { return sets.contains(entry.first); })) {
    return;
  }
  for (const std::string& id : host.list(kTokens)) {
    const auto token = load<TokenRecord>(host, kTokens, id);
    if (token && token->client == client && !sets.contains(crypto::hex(token->set_id))) {
      host.erase({std::string(kTokens), id});
    }
  }
  std::erase_if(state.tokens, [&](const auto& entry) { return !sets.contains(entry.first); });
  save(host, "bk-client", client, state);
}

/// Drops what was replaced long ago, except the last versions of each part; and uploads that never
/// came to their end.
void sweep(Host& host, const std::string& client) {
  std::vector<std::pair<std::string, StoredVersion>> versions;
  for (std::string& id : host.list(versions_of(client))) {
    auto version = *load<StoredVersion>(host, versions_of(client), id);
    versions.emplace_back(std::move(id), std::move(version));
  }
  // Newest of each part first; sheets and capsules have no counter, only a time.
  std::ranges::sort(versions, [](const auto& a, const auto& b) {
    return std::tie(a.second.info.part, b.second.info.counter, b.second.info.stored, b.first) <
           std::tie(b.second.info.part, a.second.info.counter, a.second.info.stored, a.first);
  });
  std::map<BackupPart, std::size_t> newer;
  std::map<BackupPart, Time> replaced;
  std::set<std::string> sets;
  for (const auto& [id, version] : versions) {
    const BackupPart part = version.info.part;
    const bool spare = newer[part] >= limits::kBackupVersionsKept &&
                       replaced[part] + Duration{limits::kBackupKeepTime} < host.now();
    const bool abandoned =
        !version.active && version.info.stored + Duration{kUnfinishedKept} < host.now();
    if (abandoned || (version.active && spare)) {
      drop_version(host, client, id, version);
      continue;
    }
    sets.insert(crypto::hex(version.info.set_id));
    if (!version.active) continue;
    ++newer[part];
    replaced[part] = version.info.stored;
  }
  sweep_tokens(host, client, sets);
}

}  // namespace

Bytes version_digest(const std::vector<Bytes>& chunks) {
  crypto::Sha256 hash;
  for (const Bytes& chunk : chunks) {
    Bytes size;
    crypto::append_u32_be(size, static_cast<std::uint32_t>(chunk.size()));
    hash.update(size);
    hash.update(chunk);
  }
  const auto digest = hash.finish();
  return {digest.begin(), digest.end()};
}

Bytes token_hash(ByteView token) {
  const auto hash = crypto::digest("kith/recovery/v1/token", {token});
  return {hash.begin(), hash.end()};
}

Bytes time_statement(ByteView nonce, std::int64_t time_ms) {
  Bytes time;
  crypto::append_u64_be(time, static_cast<std::uint64_t>(time_ms));
  const auto hash = crypto::digest("kith/time", {nonce, time});
  return {hash.begin(), hash.end()};
}

std::vector<std::string> BackupLocation::message_types() const {
  return {type_uri(kBackupProtocol, BackupPut::kName), type_uri(kBackupProtocol, BackupGet::kName),
          type_uri(kBackupProtocol, BackupList::kName)};
}

bool BackupLocation::only_reads(std::string_view what) const {
  return what == type_uri(kBackupProtocol, BackupGet::kName) ||
         what == type_uri(kBackupProtocol, BackupList::kName);
}

Result<void> BackupLocation::on_message(Host& host, const Inbound& inbound) {
  if (inbound.message.type == type_uri(kBackupProtocol, BackupPut::kName))
    return on_put(host, inbound);
  if (inbound.message.type == type_uri(kBackupProtocol, BackupGet::kName))
    return on_get(host, inbound);
  return on_list(host, inbound);
}

void BackupLocation::on_timer(Host& host, std::string_view) {
  for (const std::string& client : host.list("bk-client")) sweep(host, client);
  host.set_timer(kBackupLocation, "sweep", host.now() + kSweepEvery);
}

void BackupLocation::on_start(Host& host) {
  host.set_timer(kBackupLocation, "sweep", host.now() + kSweepEvery);
}

}  // namespace kith::recovery
