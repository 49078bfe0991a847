#include "ledger/log_history.hpp"

#include <algorithm>

#include "ledger/log_store.hpp"
#include "ledger/microledger.hpp"
#include "ledger/time_receipts.hpp"

namespace kith::ledger {
namespace {

using protocol::RecipientClaim;

bool lists(const std::vector<LogRecord>& records, std::string_view hash) {
  return std::ranges::find(records, hash, &LogRecord::hash) != records.end();
}

using Hashes = std::vector<std::string>;

bool has_hash(const Hashes& hashes, const std::string& hash) {
  return std::ranges::find(hashes, hash) != hashes.end();
}

/// Entries that a recover replaced were seen by whoever has them as the newest. A veto that was not
/// known takes back what was built on its recover; one that is known cannot be left out again.
bool goes_on(const LogView& view, const Hashes& vetoed, const RecipientClaim& known) {
  const auto counts = [&](const std::string& hash) { return lists(view.history, hash); };
  const auto is_vetoed = [&](const std::string& hash) { return has_hash(vetoed, hash); };
  if (std::ranges::any_of(known.vetoed, counts)) return false;
  if (std::ranges::any_of(known.recovers, is_vetoed)) return true;
  return known.head.empty() || counts(known.head) || lists(view.replaced, known.head);
}

/// Recovers that are known not to have taken effect: what was, and what the log proves. The newest
/// are kept: nobody can make a mediator remember more.
Hashes all_vetoed(const std::optional<RecipientClaim>& known, const Hashes& vetoed) {
  Hashes all = known ? known->vetoed : Hashes{};
  for (const std::string& hash : vetoed) {
    if (!has_hash(all, hash)) all.push_back(hash);
  }
  if (all.size() > protocol::kProofReceiptsMax) {
    const auto surplus = static_cast<std::ptrdiff_t>(all.size() - protocol::kProofReceiptsMax);
    all.erase(all.begin(), all.begin() + surplus);
  }
  return all;
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

protocol::ShownHistory LogHistory::kept(Host& host, const Did& did) const {
  return {log_blobs(host, did.text()), time_receipts(host, did.text())};
}

Result<protocol::HistoryKeys> LogHistory::read(Host& host, const Did& did,
                                               const protocol::ShownHistory& shown,
                                               const std::optional<RecipientClaim>& known) const {
  const AnchorTime now = anchor_time(host.now());
  const TimedLog log = timed_log(did.text(), shown, now);
  TRY(const LogView view, read_log(did.text(), log.blobs, {now, host.test_mode()}));
  if (view.status != LogStatus::normal) {
    return fail(Errc::refused, "the log is not settled, or has ended");
  }
  protocol::HistoryKeys keys;
  keys.head = view.head().hash;
  Hashes vetoed;
  for (const LogRecord& record : view.vetoed) {
    if (has_hash(log.vetoed, record.hash)) vetoed.push_back(record.hash);
  }
  keys.behind = known && !goes_on(view, vetoed, *known);
  keys.vetoed = all_vetoed(known, vetoed);
  for (const LogRecord& record : view.history) {
    if (record.entry->op == Op::recover) keys.recovers.push_back(record.hash);
  }
  TRY(keys.authentication, keys_now(view, did));
  return keys;
}

}  // namespace kith::ledger
