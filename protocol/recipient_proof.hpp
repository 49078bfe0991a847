#pragma once

/// Proof that a DID is the client's own: member `kith_proof` of an item that adds a recipient at a
/// mediator (coordinate-mediation). Without it a registration counts too, but gives way to a proven
/// one (mailbox.hpp); so whoever registers DIDs of others keeps them only until their owner comes.
///
/// An authentication key of the recipient's DID signs mediator, client, recipient and time. Whoever
/// overhears a proof can use it neither elsewhere nor for another client, and not again after a
/// newer one. Two devices with a key each may have the same DID at one mediator. Keys of a did:peer
/// or did:key are read off the DID; a DID with a history of its own shows it with the proof, and
/// only keys of its newest state count. Where that depends on when something was written, receipts
/// of the place where it was written come with it.

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "protocol/did.hpp"
#include "protocol/host.hpp"
#include "protocol/mail_route.hpp"

namespace kith::protocol {

inline constexpr const char* kProofMember = "kith_proof";
/// In the answer: the mediator knows the DID as proven.
inline constexpr const char* kProvenMember = "kith_proven";
/// In the answer to an item without proof that was refused: one with a proof may be taken. It says
/// nothing about who else has the DID; only who proves it learns that.
inline constexpr const char* kProofWantedMember = "kith_proof_wanted";
/// Beside a proof: it gives way to another client's by the same key, however old that is.
inline constexpr const char* kYieldMember = "kith_yield";
/// In the answer to such an item: it gave way, or its key counted only in a state before the
/// newest.
inline constexpr const char* kTakenMember = "kith_taken";
/// An older proof is refused, and one of the future beyond limits::kClockSkew.
inline constexpr std::chrono::hours kProofLife{1};
/// Histories in the proofs of one message together.
inline constexpr std::size_t kProofHistoryBytesMax = 512 * 1024;
/// Receipts in one proof: a log has few entries whose time matters.
inline constexpr std::size_t kProofReceiptsMax = 8;

/// Says when an entry was written down, by the word of whoever keeps the history for everybody.
struct HistoryReceipt {
  std::string keeper;   ///< What describes the keeper, its key above all.
  std::string receipt;  ///< Signed by it.
  template <class V>
  void visit(V& v) {
    v("keeper", keeper), v("receipt", receipt);
  }
};

/// What is shown of a DID's history.
struct ShownHistory {
  std::vector<Bytes> log;  ///< Entries, oldest first.
  std::vector<HistoryReceipt> receipts;
};

/// Without a history where the DID names its keys.
struct RecipientProof : ShownHistory {
  PublicKey key;
  std::int64_t time_ms = 0;
  Bytes signature;  ///< By `key` over recipient_statement.
  template <class V>
  void visit(V& v) {
    v("key", key), v("time_ms", time_ms), v("signature", signature), v("log", log),
        v("receipts", receipts);
  }
  [[nodiscard]] std::size_t history_bytes() const;
};

/// The ends of the message that carries the proof.
struct ProofEnds {
  Did mediator;
  Did client;
};

/// What is signed (docs/wire-formats.md).
[[nodiscard]] Bytes recipient_statement(const ProofEnds& ends, const Did& recipient,
                                        std::int64_t time_ms);

/// Keys that a history gives to its DID, and how far it goes.
struct HistoryKeys {
  std::vector<PublicKey> authentication;   ///< Of the newest state.
  std::string head = {};                   ///< Hash of the newest entry.
  bool behind = false;                     ///< It does not go on from what was shown before.
  std::vector<std::string> recovers = {};  ///< As in RecipientClaim.
  std::vector<std::string> vetoed = {};    ///< What was known, and what this history proves.
};

/// DIDs that are known by a log. The ledger modules know how to read one; this is their seam.
class DidHistory {
 public:
  virtual ~DidHistory() = default;
  /// What is kept for a DID of ours; without entries: nothing.
  [[nodiscard]] virtual ShownHistory kept(Host& host, const Did& did) const = 0;
  /// Reads what somebody shows as the history of `did`. It is behind if it does not go on from what
  /// is known, if anything is. Errors: not_found (not that DID's), refused (not settled, or ended),
  /// unsupported, those of the reader.
  [[nodiscard]] virtual Result<HistoryKeys> read(
      Host& host, const Did& did, const ShownHistory& shown,
      const std::optional<RecipientClaim>& known) const = 0;
};

/// `history` may be null: then DIDs that need one are unsupported, here and below.
/// Errors: not_found (no signing key of that DID is here), unknown_peer, unsupported,
/// limit_exceeded (its history is too long).
[[nodiscard]] Result<RecipientProof> prove_recipient(Host& host, const DidHistory* history,
                                                     const Did& recipient, const ProofEnds& ends);

/// The mediator's check; cheap and public parts come first. Errors: expired (too old, or of the
/// future), bad_signature, not_authentic (a key that the DID does not name), conflict
/// (named, but by a history that lacks what was shown before), unsupported, those of
/// DidHistory::read.
[[nodiscard]] Result<CheckedClaim> check_recipient_proof(Host& host, const DidHistory* history,
                                                         const RecipientProof& proof,
                                                         const Did& recipient,
                                                         const ProofEnds& ends);

}  // namespace kith::protocol

namespace kith {
using protocol::DidHistory;
}
