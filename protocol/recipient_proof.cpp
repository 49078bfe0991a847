#include "protocol/recipient_proof.hpp"

#include <algorithm>

#include "crypto/hash.hpp"
#include "protocol/messenger.hpp"

namespace kith::protocol {
namespace {

Result<ShownHistory> history_of(Host& host, const DidHistory* history, const Did& did) {
  if (is_self_contained(did)) return ShownHistory{};
  if (history == nullptr) return fail(Errc::unsupported, "nothing proves " + did.text());
  ShownHistory kept = history->kept(host, did);
  if (kept.log.empty()) return fail(Errc::unsupported, "no history is kept of " + did.text());
  return kept;
}

/// Without entries the DID has to name its keys itself.
Result<HistoryKeys> keys_of(Host& host, const DidHistory* history, const Did& did,
                            const ShownHistory& shown) {
  if (is_self_contained(did)) {
    TRY(const DidDocument document, resolve_self_contained(did));
    HistoryKeys keys;
    for (const NamedKey& named : document.authentication_keys()) {
      keys.authentication.push_back(named.key);
    }
    return keys;
  }
  if (history == nullptr || shown.log.empty()) {
    return fail(Errc::unsupported, "the keys of that DID are not known here");
  }
  if (shown.receipts.size() > kProofReceiptsMax) {
    return fail(Errc::limit_exceeded, "a proof with too many receipts");
  }
  return history->read(host, did, shown, known_claim(host, did.text()));
}

/// What a claim keeps of a key.
std::string digest_of(const PublicKey& key) {
  const std::string text = crypto::multikey(key);
  const auto digest = crypto::digest("kith/mail-route-key", {crypto::as_bytes(text)});
  return crypto::hex(ByteView(digest).first(16));
}

}  // namespace

std::size_t RecipientProof::history_bytes() const {
  std::size_t bytes = 0;
  for (const Bytes& entry : log) bytes += entry.size();
  for (const HistoryReceipt& one : receipts) bytes += one.keeper.size() + one.receipt.size();
  return bytes;
}

Bytes recipient_statement(const ProofEnds& ends, const Did& recipient, std::int64_t time_ms) {
  Bytes time;
  crypto::append_u64_be(time, static_cast<std::uint64_t>(time_ms));
  const auto hash =
      crypto::digest("kith/mediation/recipient",
                     {crypto::as_bytes(ends.mediator.text()), crypto::as_bytes(ends.client.text()),
                      crypto::as_bytes(recipient.text()), time});
  return {hash.begin(), hash.end()};
}

Result<RecipientProof> prove_recipient(Host& host, const DidHistory* history, const Did& recipient,
                                       const ProofEnds& ends) {
  RecipientProof proof;
  TRY(ShownHistory shown, history_of(host, history, recipient));
  static_cast<ShownHistory&>(proof) = std::move(shown);
  if (proof.history_bytes() > kProofHistoryBytesMax) {
    return fail(Errc::limit_exceeded, "the history is too long for a proof");
  }
  KnownDids known(host);
  OwnSecrets secrets(host);
  TRY(const DidDocument document, known.resolve(recipient));
  for (const NamedKey& named : document.authentication_keys()) {
    const auto sealed = secrets.find(named.kid);
    if (!sealed) continue;
    proof.key = named.key;
    proof.time_ms = epoch_ms(host.now());
    TRY(proof.signature,
        host.keys().sign(*sealed, recipient_statement(ends, recipient, proof.time_ms)));
    return proof;
  }
  return fail(Errc::not_found, "no key of ours for " + recipient.text());
}

Result<CheckedClaim> check_recipient_proof(Host& host, const DidHistory* history,
                                           const RecipientProof& proof, const Did& recipient,
                                           const ProofEnds& ends) {
  if (proof.time_ms < epoch_ms(host.now() - kProofLife) ||
      proof.time_ms > epoch_ms(host.now() + limits::kClockSkew)) {
    return fail(Errc::expired, "the proof is too old, or of the future");
  }
  CHECK(crypto::verify(proof.key, recipient_statement(ends, recipient, proof.time_ms),
                       proof.signature));
  TRY(HistoryKeys keys, keys_of(host, history, recipient, proof));
  const auto& named = keys.authentication;
  if (std::ranges::find(named, proof.key) == named.end()) {
    return fail(Errc::not_authentic, "that DID does not name this key now");
  }
  if (keys.behind) return fail(Errc::conflict, "the log lacks what was shown before");
  CheckedClaim checked;
  checked.claim = {from_epoch_ms(proof.time_ms), std::move(keys.head), digest_of(proof.key),
                   std::move(keys.recovers), std::move(keys.vetoed)};
  for (const PublicKey& key : named) checked.keys.push_back(digest_of(key));
  return checked;
}

}  // namespace kith::protocol
