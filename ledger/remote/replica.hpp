#pragma once

/// A whole copy of a ledger that a host elsewhere keeps (log-protocol section 5): takes its entries
/// in their order by `follow`, and shows them, with that ledger's own checkpoints, when the ledger
/// itself is gone. Questions go out and answers come in as plain structs; the shell carries them.
///
/// Nothing is taken over that is not proven: each page comes with a checkpoint that continues the
/// one seen before, each entry is in that tree, none is left out. A checkpoint is shown when the
/// copy has all of its entries, and the root over them, computed from the entries, is the one that
/// was signed. So readers of a copy trust it no more than they trust the ledger: with what it shows
/// they check the same.
///
/// A ledger that goes back or forks leaves evidence (take_evidence()). The copy stays with what it
/// has, and asks on: only what continues that is ever taken.
///
/// A crash loses nothing: what was seen is durable before the entries that it stands for, and
/// following goes on from the last entry that is there.
///
/// Single-threaded. The copy outlives it.

#include <cstdint>
#include <functional>
#include <optional>

#include "ledger/ledger_evidence.hpp"
#include "ledger/remote/client.hpp"

namespace kith::ledger {

class Replica {
 public:
  /// Makes durable what was seen of the ledger.
  using Keep = std::function<Result<void>(const SeenLedger& seen)>;

  /// `copy` was made with the ledger's descriptor; `seen` is what `keep` got last, or the
  /// descriptor alone. Errors: storage_corrupt (the copy has more than was seen).
  [[nodiscard]] static Result<Replica> of(TreeLedger& copy, LedgerClient ledger, SeenLedger seen,
                                          Keep keep);

  /// What is to be asked now, if anything; it must be answered by take(). Errors: storage_corrupt.
  [[nodiscard]] Result<std::optional<HttpQuestion>> ask(AnchorTime now);
  /// `reply`: what came back, or why nothing did. Errors: of the copy's storage and of `keep`; what
  /// the ledger does wrong is told by error().
  [[nodiscard]] Result<void> take(const Result<HttpReply>& reply, AnchorTime now);
  /// When ask() has something, unless a question is under way.
  [[nodiscard]] AnchorTime next() const;

  /// Of the ledger's newest step back or fork, once for each checkpoint that it broke with.
  [[nodiscard]] std::optional<LedgerEvidence> take_evidence();

  [[nodiscard]] const SeenLedger& seen() const { return seen_; }
  /// Why nothing new was taken last time; nullopt: it was.
  [[nodiscard]] const std::optional<Error>& error() const { return error_; }
  /// When the ledger last said something that held; nullopt: not yet in this life.
  [[nodiscard]] std::optional<AnchorTime> followed() const { return followed_; }

 private:
  Replica(TreeLedger& copy, LedgerClient ledger, SeenLedger seen, Keep keep)
      : copy_(copy), ledger_(std::move(ledger)), seen_(std::move(seen)), keep_(std::move(keep)) {}

  [[nodiscard]] Result<Judged> check(const ProvenPage& proven, AnchorTime now);
  [[nodiscard]] Result<void> store(const ProvenPage& proven, const Judged& judged, AnchorTime now);
  [[nodiscard]] Result<void> show(const std::string& note, bool is_newest);
  void fail_for_now(Error error);
  void accuse(const protocol::LedgerProof& proof, Errc how, AnchorTime now);

  TreeLedger& copy_;
  LedgerClient ledger_;
  SeenLedger seen_;
  Keep keep_;
  bool busy_ = false;
  std::uint64_t asked_seen_ = 0;
  AnchorTime tried_{};
  bool at_once_ = true;
  unsigned failures_ = 0;  ///< In a row.
  std::optional<Error> error_;
  std::optional<AnchorTime> followed_;
  std::optional<LedgerEvidence> evidence_;
  std::string accused_;  ///< Of breaking with which checkpoint, and how.
};

}  // namespace kith::ledger
