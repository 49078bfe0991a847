#include "ledger/log_history.hpp"

#include <algorithm>

#include "ledger/log_store.hpp"
#include "ledger/microledger.hpp"

namespace kith::ledger {
namespace {

/// Entries that a recover replaced were seen by whoever has them as its newest.
bool has_seen(const LogView& view, std::string_view head) {
  const auto is_head = [&](const LogRecord& record) { return record.hash == head; };
  return std::ranges::any_of(view.history, is_head) || std::ranges::any_of(view.replaced, is_head);
}

/// The authentication keys of the newest state. Errors: refused (an ended relationship),
/// unsupported.
Result<std::vector<PublicKey>> keys_now(const LogView& view, const Did& did) {
  std::vector<PublicKey> keys;
  if (view.kind == Kind::did) {
    TRY(const JsonObject* object, crypto::as_object(view.current.state, "DID document"));
    TRY(const DidDocument document, protocol::read_did_document(*object, did));
    for (const NamedKey& named : document.authentication_keys()) keys.push_back(named.key);
    return keys;
  }
  if (view.kind != Kind::pair) return fail(Errc::unsupported, "not the log of a DID with keys");
  TRY(const PairState state, parse_pair_state(view.current.state));
  if (state.status != PairStatus::active) return fail(Errc::refused, "the relationship has ended");
  for (const PairAgent& agent : state.agents) {
    TRY(PublicKey key, crypto::from_multikey(agent.auth));
    keys.push_back(std::move(key));
  }
  return keys;
}

}  // namespace

std::vector<Bytes> LogHistory::entries(Host& host, const Did& did) const {
  return log_blobs(host, did.text());
}

Result<protocol::HistoryKeys> LogHistory::read(Host& host, const Did& did,
                                               const std::vector<Bytes>& entries,
                                               std::string_view known_head) const {
  const AnchorTime now = anchor_time(host.now());
  std::vector<AnchoredBlob> blobs;
  blobs.reserve(entries.size());
  for (const Bytes& entry : entries) blobs.push_back({entry, now});
  TRY(const LogView view, read_log(did.text(), blobs, {now, host.test_mode()}));
  if (view.status != LogStatus::normal) {
    return fail(Errc::refused, "the log is not settled, or has ended");
  }
  protocol::HistoryKeys keys;
  keys.head = view.head().hash;
  keys.behind = !known_head.empty() && !has_seen(view, known_head);
  TRY(keys.authentication, keys_now(view, did));
  return keys;
}

}  // namespace kith::ledger
