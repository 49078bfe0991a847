#include "ledger/log_store.hpp"

#include <algorithm>

#include "ledger/log_writer.hpp"

namespace kith::ledger {
namespace {

constexpr std::string_view kLogs = "log";
constexpr std::string_view kKeys = "log-key";

struct KeptKey {
  PublicKey public_key;
  SealedKey key;
  template <class V>
  void visit(V& v) {
    v("public_key", public_key), v("key", key);
  }
};

ReaderOptions options(Host& host) {
  return {anchor_time(host.now()), host.test_mode()};
}

std::size_t size_of(const std::vector<AnchoredBlob>& blobs) {
  std::size_t bytes = 0;
  for (const AnchoredBlob& blob : blobs) bytes += blob.blob.size();
  return bytes;
}

}  // namespace

std::vector<AnchoredBlob> stored_blobs(Host& host, std::string_view subject) {
  std::vector<AnchoredBlob> blobs;
  const auto log = load<StoredLog>(host, kLogs, subject);
  if (!log) return blobs;
  for (const StoredBlob& stored : log->blobs) {
    blobs.push_back({stored.blob, anchor_time(stored.anchored), stored.ledger});
  }
  return blobs;
}

void store_blobs(Host& host, std::string_view subject, const std::vector<AnchoredBlob>& blobs) {
  StoredLog log;
  for (const AnchoredBlob& blob : blobs) {
    log.blobs.push_back({blob.blob, protocol::from_epoch_ms(to_ms(blob.time)), blob.ledger});
  }
  save(host, kLogs, subject, log);
}

Result<LogView> stored_view(Host& host, std::string_view subject) {
  const auto blobs = stored_blobs(host, subject);
  if (blobs.empty()) return fail(Errc::not_found, "no log is kept for that DID");
  return read_log(subject, blobs, options(host));
}

bool is_marked(const std::vector<AnchoredBlob>& blobs) {
  return !blobs.empty() && !blobs.front().ledger.empty();
}

Result<LogView> append_checked(Host& host, std::string_view subject, ByteView blob, Time anchored,
                               std::string_view ledger) {
  auto blobs = stored_blobs(host, subject);
  const bool known = std::ranges::any_of(
      blobs, [&](const AnchoredBlob& kept) { return crypto::equal(kept.blob, blob); });
  if (known) return read_log(subject, blobs, options(host));
  if (size_of(blobs) + blob.size() > limits::kLogBytesMax) {
    return fail(Errc::limit_exceeded, "that log is longer than Kith keeps");
  }
  ReaderOptions at = options(host);
  at.now = std::max(at.now, anchor_time(anchored));
  if (is_marked(blobs)) at.ledger = ledger;
  TRY(LogView view, read_with(subject, blobs, blob, at));
  blobs.push_back({crypto::to_bytes(blob), anchor_time(anchored), at.ledger});
  store_blobs(host, subject, blobs);
  return view;
}

Result<LogView> replace_checked(Host& host, std::string_view subject,
                                const std::vector<AnchoredBlob>& blobs) {
  if (size_of(blobs) > limits::kLogBytesMax) {
    return fail(Errc::limit_exceeded, "that log is longer than Kith keeps");
  }
  TRY(LogView view, read_log(subject, blobs, options(host)));
  const auto kept = stored_view(host, subject);
  if (kept.has_value()) {
    const bool still_there = std::ranges::any_of(blobs, [&](const AnchoredBlob& blob) {
      const auto entry = parse_entry(blob.blob);
      return entry.has_value() && entry_hash(*entry) == kept->head().hash;
    });
    if (!still_there) return fail(Errc::conflict, "the ledger shows less than was seen before");
  }
  store_blobs(host, subject, blobs);
  return view;
}

void remember_log_key(Host& host, const KeyPair& pair) {
  save(host, kKeys, crypto::multikey(pair.public_key), KeptKey{pair.public_key, pair.sealed});
}

std::optional<SealedKey> log_key(Host& host, std::string_view multikey) {
  auto kept = load<KeptKey>(host, kKeys, multikey);
  if (!kept) return std::nullopt;
  return std::move(kept->key);
}

void forget_log_key(Host& host, std::string_view multikey) {
  host.erase({std::string(kKeys), std::string(multikey)});
}

Result<void> sign_with_active(Host& host, Entry& entry, const LogView& view) {
  std::uint32_t made = 0;
  for (const std::string& key : view.current.keys.k) {
    if (made == view.current.keys.t) break;
    const auto sealed = log_key(host, key);
    if (!sealed) continue;
    TRY(const PublicKey public_key, signing_key(key));
    CHECK(add_signature(entry, public_key, host.keys(), *sealed));
    ++made;
  }
  if (made < view.current.keys.t) {
    return fail(Errc::not_found, "this device does not hold the keys of that log");
  }
  return {};
}

}  // namespace kith::ledger
