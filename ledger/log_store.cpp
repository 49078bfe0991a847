#include "ledger/log_store.hpp"

#include <algorithm>
#include <set>

#include "ledger/log_writer.hpp"
#include "ledger/own_log.hpp"
#include "ledger/seen_ledgers.hpp"

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

/// A log whose blobs do not say where they come from is read without that, unless some have words
/// of witnesses: then it is the identity's ledger, for others have none.
ReaderOptions options(Host& host, std::string_view subject, std::span<const AnchoredBlob> blobs) {
  ReaderOptions made{anchor_time(host.now()), host.test_mode()};
  const bool has_words =
      std::ranges::any_of(blobs, [](const AnchoredBlob& one) { return !one.witnessed.empty(); });
  if (!has_words) return made;
  const auto own = identity(host);
  if (own && (subject == own->did || subject == own->policy)) {
    made.ledger = ledger_of(*own, {blobs.begin(), blobs.end()});
  }
  add_descriptors(host, made, blobs);
  return made;
}

std::size_t size_of(const std::vector<AnchoredBlob>& blobs) {
  std::size_t bytes = 0;
  for (const AnchoredBlob& blob : blobs) bytes += blob.blob.size();
  return bytes;
}

}  // namespace

AnchoredBlob anchored_blob(const StoredBlob& stored) {
  AnchoredBlob blob{stored.blob, anchor_time(stored.anchored), stored.ledger};
  blob.anchored = !stored.unseen.value_or(false);
  if (stored.witnessed) blob.witnessed = times_in(*stored.witnessed);
  return blob;
}

StoredBlob stored_blob(const AnchoredBlob& blob) {
  StoredBlob stored{blob.blob, protocol::from_epoch_ms(to_ms(blob.time)), blob.ledger};
  if (!blob.anchored) stored.unseen = true;
  if (!blob.witnessed.empty()) stored.witnessed = witness_words(blob.witnessed);
  return stored;
}

StoredBlob stored_blob(protocol::AnchoredBlob shown, std::string ledger) {
  StoredBlob stored{std::move(shown.blob), shown.time, std::move(ledger)};
  if (!shown.witnessed.empty()) stored.witnessed = std::move(shown.witnessed);
  return stored;
}

void add_descriptors(Host& host, ReaderOptions& options, std::span<const AnchoredBlob> blobs) {
  const bool has_words =
      std::ranges::any_of(blobs, [](const AnchoredBlob& one) { return !one.witnessed.empty(); });
  if (!has_words) return;
  std::set<std::string> ids;  // Witnesses of a ledger that was left judge what lies elsewhere too.
  if (!options.ledger.empty()) ids.insert(options.ledger);
  for (const AnchoredBlob& blob : blobs) {
    if (!blob.ledger.empty()) ids.insert(blob.ledger);
  }
  for (const std::string& id : ids) {
    if (auto known = known_descriptor(host, id)) options.descriptors.push_back(std::move(*known));
  }
}

bool add_words(Host& host, std::string_view subject, ByteView blob,
               const std::vector<WitnessTime>& words) {
  std::vector<AnchoredBlob> blobs = stored_blobs(host, subject);
  const auto kept = std::ranges::find_if(
      blobs, [&](const AnchoredBlob& one) { return crypto::equal(one.blob, blob); });
  if (kept == blobs.end()) return false;
  const std::size_t before = kept->witnessed.size();
  for (const WitnessTime& word : words) {
    const bool known = std::ranges::find(kept->witnessed, word.witness, &WitnessTime::witness) !=
                       kept->witnessed.end();
    if (!known) kept->witnessed.push_back(word);
  }
  if (kept->witnessed.size() == before) return false;
  store_blobs(host, subject, blobs);
  return true;
}

std::vector<AnchoredBlob> stored_blobs(Host& host, std::string_view subject) {
  std::vector<AnchoredBlob> blobs;
  const auto log = load<StoredLog>(host, kLogs, subject);
  if (!log) return blobs;
  for (const StoredBlob& stored : log->blobs) {
    blobs.push_back(anchored_blob(stored));
  }
  return blobs;
}

void store_blobs(Host& host, std::string_view subject, const std::vector<AnchoredBlob>& blobs) {
  StoredLog log;
  for (const AnchoredBlob& blob : blobs) {
    log.blobs.push_back(stored_blob(blob));
  }
  save(host, kLogs, subject, log);
}

Result<LogView> stored_view(Host& host, std::string_view subject) {
  const auto blobs = stored_blobs(host, subject);
  if (blobs.empty()) return fail(Errc::not_found, "no log is kept for that DID");
  return read_log(subject, blobs, options(host, subject, blobs));
}

bool is_marked(const std::vector<AnchoredBlob>& blobs) {
  return !blobs.empty() && !blobs.front().ledger.empty();
}

Result<LogView> append_checked(Host& host, std::string_view subject, ByteView blob, Time anchored,
                               std::string_view ledger) {
  auto blobs = stored_blobs(host, subject);
  const bool known = std::ranges::any_of(
      blobs, [&](const AnchoredBlob& kept) { return crypto::equal(kept.blob, blob); });
  ReaderOptions at = options(host, subject, blobs);
  if (known) return read_log(subject, blobs, at);
  if (size_of(blobs) + blob.size() > limits::kLogBytesMax) {
    return fail(Errc::limit_exceeded, "that log is longer than Kith keeps");
  }
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
  TRY(LogView view, read_log(subject, blobs, options(host, subject, blobs)));
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
