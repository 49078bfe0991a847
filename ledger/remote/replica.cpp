#include "ledger/remote/replica.hpp"

#include <algorithm>
#include <utility>

#include "crypto/limits.hpp"
#include "ledger/checkpoint.hpp"
#include "ledger/remote/limits.hpp"

namespace kith::ledger {
namespace {

constexpr unsigned kDoublings = 16;

std::chrono::milliseconds pause_after(unsigned failures) {
  std::chrono::milliseconds pause = remote_limits::kFollowEvery;
  if (failures == 0) return pause;
  pause *= 1 << std::min(failures - 1, kDoublings);
  return std::min<std::chrono::milliseconds>(pause, remote_limits::kFollowRetryMax);
}

/// What is wrong here, and not with the ledger that is followed.
bool is_of_storage(const Error& error) {
  return error == Errc::storage_corrupt || error == Errc::storage_unknown ||
         error == Errc::storage_full;
}

}  // namespace

Result<Replica> Replica::of(TreeLedger& copy, LedgerClient ledger, SeenLedger seen, Keep keep) {
  TRY(const std::uint64_t size, seen_size(seen));
  if (copy.size() > size) {
    return fail(Errc::storage_corrupt, "the copy of the ledger has entries that nobody has seen");
  }
  return Replica(copy, std::move(ledger), std::move(seen), std::move(keep));
}

AnchorTime Replica::next() const {
  return at_once_ ? tried_ : tried_ + pause_after(failures_);
}

Result<std::optional<HttpQuestion>> Replica::ask(AnchorTime now) {
  // A clock that was put back must not end it.
  if (busy_ || (next() > now && tried_ <= now)) return std::optional<HttpQuestion>();
  TRY(asked_seen_, seen_size(seen_));
  busy_ = true;
  at_once_ = false;
  tried_ = now;
  return std::optional(
      ledger_.ask_follow(copy_.size(), limits::kLedgerPageEntriesMax, asked_seen_));
}

void Replica::fail_for_now(Error error) {
  ++failures_;
  error_ = std::move(error);
}

Result<void> Replica::take(const Result<HttpReply>& reply, AnchorTime now) {
  busy_ = false;
  const auto proven = reply.has_value() ? LedgerClient::read_follow(
                                              copy_.size(), limits::kLedgerPageEntriesMax, *reply)
                                        : Result<ProvenPage>(reply.error());
  if (!proven.has_value()) {
    fail_for_now(proven.error());
    return {};
  }
  const auto judged = check(*proven, now);
  if (!judged.has_value()) {
    fail_for_now(judged.error());
    return {};
  }
  const auto stored = store(*proven, *judged, now);
  if (!stored.has_value()) {
    if (is_of_storage(stored.error())) return stored;
    fail_for_now(stored.error());
    return {};
  }
  failures_ = 0;
  error_.reset();
  followed_ = now;
  at_once_ = copy_.size() < judged->checkpoint.size;
  return {};
}

Result<Judged> Replica::check(const ProvenPage& proven, AnchorTime now) {
  const protocol::LedgerProof& proof = *proven.proof;
  auto judged = judge_checkpoint(seen_, proof, asked_seen_, now);
  if (!judged.has_value()) {
    const Errc how = judged.error().code;
    if (how == Errc::ledger_rollback || how == Errc::ledger_fork) accuse(proof, how, now);
    return judged;
  }
  CHECK(check_included(proven.page.entries, proof.inclusion, judged->checkpoint));
  CHECK(check_followed(proven.page, copy_.size(), judged->checkpoint));
  // The leaves keep the ledger's own times; witnesses' times are read off the checkpoints.
  std::vector<LedgerEntry> anchored = proven.page.entries;
  CHECK(set_anchor_times(anchored, proof, copy_.descriptor(), now));
  return judged;
}

Result<void> Replica::store(const ProvenPage& proven, const Judged& judged, AnchorTime now) {
  const protocol::LedgerProof& proof = *proven.proof;
  if (judged.advances) {
    SeenLedger next{seen_.descriptor, proof.checkpoint, protocol::from_epoch_ms(to_ms(now))};
    CHECK(keep_(next));
    seen_ = std::move(next);
  }
  for (const LedgerEntry& entry : proven.page.entries) CHECK(copy_.stage_copy(entry));
  CHECK(copy_.flush());
  for (const std::string& anchor : proof.anchors) CHECK(show(anchor, false));
  return show(proof.checkpoint, true);
}

/// A checkpoint of the ledger, when the copy has all of its entries.
Result<void> Replica::show(const std::string& note, bool is_newest) {
  TRY(const SignedNote opened, parse_note(note));
  TRY(const Checkpoint checkpoint, parse_checkpoint(opened.text));
  if (checkpoint.size > copy_.size()) return {};
  TRY(const auto shown, copy_.newest_cosigned());
  if (shown && (checkpoint.size < shown->size || note == shown->note)) return {};
  if (shown && checkpoint.size == shown->size && !is_newest) return {};
  TRY(const Digest256 root, merkle_root(checkpoint.size, copy_.tree()));
  if (root != checkpoint.root) {
    return fail(Errc::ledger_fork, "the root over the first " + std::to_string(checkpoint.size) +
                                       " entries is not the one that was signed");
  }
  return copy_.keep_cosigned({checkpoint.size, note});
}

void Replica::accuse(const protocol::LedgerProof& proof, Errc how, AnchorTime now) {
  std::string what = std::string(crypto::error_text(how).code) + "\n" + seen_.checkpoint;
  if (what == accused_) return;
  accused_ = std::move(what);
  evidence_ = LedgerEvidence{seen_.descriptor, seen_.checkpoint, proof.checkpoint,
                             proof.consistency, protocol::from_epoch_ms(to_ms(now))};
}

std::optional<LedgerEvidence> Replica::take_evidence() {
  return std::exchange(evidence_, std::nullopt);
}

}  // namespace kith::ledger
