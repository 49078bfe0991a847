#pragma once

/// The one reader of logs: a pure function from the blobs of a ledger, in its order and with its
/// anchor times, to the state of the log (log-protocol sections 3 and 4). Nothing else in Kith
/// decides whether an entry counts.
///
/// A ledger is not trusted for content: what does not follow the rules is junk, skipped and
/// counted. Times never run back: an anchor time before that of the blob ahead of it is read as
/// that one.
///
/// A recover through rec.hi, the super-quorum's, takes the place of an ordinary one that is pending
/// or still contestable; only next keys and the ordinary set together veto it. The 14 days of rest
/// after a veto bind rec.d alone.
///
/// Several ledgers. A log lives on the ledgers that its newest entry names; the first of them gives
/// order and time. Blobs that say which ledger they come from are read in stages: all of the ledger
/// of the first blob, with its clock; if it ends with a move (or an effective recover) that leaves
/// it, those of the ledger named first there, with that one's clock; and so on. On a ledger that
/// was left only recovers from before the move, and vetoes, count: within C they replace the move
/// and all that the new ledger holds. A move counts on the ledger it leaves (`from`) alone. Copies
/// of what counted before, on the new ledger, are no junk. A recover that names the ledger on which
/// it lies, and not the one where the log lives, leaves that one without its help, for it may be
/// dead: it is judged by the time that its blob has, which the caller makes the later of the new
/// ledger's and its own first sight. Blobs that do not say where they come from are read as if they
/// were where they belong.
///
/// Censorship. Where the descriptor of the ledger whose clock counts is given, a recover or veto
/// may carry times at which its witnesses saw it (witness_time.hpp). If w of them did, it is judged
/// at the w-th smallest of these times among the blobs of that ledger, provided that it was
/// anchored no more than kWitnessedLagMax later; where it counts nothing then, at its anchor time
/// as well, so that they never harm. One that its ledger does not show counts by them alone. A
/// recover waits for D from when it was shown all the same: what was witnessed in secret can still
/// be vetoed. No other operation has this.
///
/// Caps: update and rotate count only while the effective history is shorter than kLogEntriesMax,
/// whereas recover, veto and deactivate always count, so that a thief with a live key cannot fill
/// a log up against its owner. Junk and evidence are listed up to kLogJunkMax each and counted
/// beyond.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/entry.hpp"
#include "ledger/witness_time.hpp"

namespace kith::ledger {

struct AnchoredBlob {
  Bytes blob;
  AnchorTime time;          ///< For a microledger: when this receiver got it.
  std::string ledger = {};  ///< Id of the ledger that it comes from; empty: ReaderOptions::ledger.
  bool anchored = true;     ///< false: the ledger does not show it, and `time` is its first sight.
  std::vector<WitnessTime> witnessed = {};  ///< Of a recover or veto.
};

struct ReaderOptions {
  AnchorTime now;           ///< Windows are judged at this time, or the last anchor time if later.
  bool test_mode = false;   ///< Only readers in test mode accept logs marked "test".
  std::string ledger = {};  ///< Where blobs come from that do not say it; empty: not known.
  /// What was copied here from elsewhere is taken as it comes: a move here counts without its old
  /// ledger, a recover takes effect with what continues it. For whoever keeps blobs (a host), and
  /// for reading on where the old ledger cannot be asked; see LogView::unconfirmed_move.
  bool carried = false;
  /// Of ledgers whose witnesses' times count; of others they count nothing.
  std::vector<LedgerDescriptor> descriptors = {};
};

/// The rule that a junk entry broke: numbers 1 to 11 are those of log-protocol section 3.
enum class Rule : std::uint8_t {
  form = 1,
  chain = 2,
  genesis = 3,
  update = 4,
  rotate = 5,
  recover = 6,
  veto = 7,
  move = 8,
  deactivate = 9,
  state = 10,
  signatures = 11,
  // Section 4
  contest_over = 12,  ///< A recover past C of an entry that it would replace.
  place_taken = 13,   ///< A recover of the same class came first.
  back_off = 14,      ///< A recover less than 14 days after a veto.
  // Reading
  duplicate = 15,  ///< The same entry counted before.
  too_many = 16,   ///< Beyond kLogEntriesMax, or log_limits::kMovesMax.
  unseen = 17,     ///< On no ledger, and not seen by enough witnesses in time.
};

struct JunkEntry {
  std::size_t position = 0;  ///< Index of the blob.
  Rule rule = Rule::form;
  std::string detail;
};

/// An entry that counted.
struct LogRecord {
  std::shared_ptr<const Entry> entry;  ///< Never null.
  std::string hash;
  std::size_t position = 0;   ///< Index of its blob.
  AnchorTime anchored;        ///< Anchor time, or when witnesses saw it.
  AnchorTime effective_from;  ///< Later than `anchored` only for recover.
  /// Last moment at which a recover may replace this entry; absent where nothing bars one (genesis,
  /// update). For an ordinary recover: by the super-quorum only; for one of the super-quorum, the
  /// moment it took effect.
  std::optional<AnchorTime> contestable_until;
  bool super_quorum = false;  ///< A recover through rec.hi.
};

struct PendingRecover {
  LogRecord record;          ///< effective_from: when it takes effect unless vetoed before.
  std::uint64_t fork_n = 0;  ///< Entries after this n would be replaced.
};

/// Two valid entries for one n, not related by recover: proof that the keys' holder contradicted
/// itself. Positions name the blobs; `first` is the one that counts.
struct Duplicity {
  std::uint64_t n = 0;
  std::size_t first = 0;
  std::size_t second = 0;
};

/// An agent of an earlier state that the current state does not name.
struct PreviousAgent {
  std::string key;        ///< Multikey: policy key, pair auth key, or a document's method.
  AnchorTime removed_at;  ///< When the entry without it took effect.
  Op removed_by = Op::update;
};

/// `contested`: a pending recover would replace entries that count now.
enum class LogStatus : std::uint8_t {
  normal = 1,
  pending_recover = 2,
  contested = 3,
  deactivated = 4
};
[[nodiscard]] std::string_view status_name(LogStatus status);

struct LogView {
  std::string subject;
  Kind kind = Kind::did;
  bool test = false;
  LogStatus status = LogStatus::normal;
  std::vector<LogRecord> history;  ///< Effective, genesis first; never empty.
  /// What counts now. After deactivate: what counted before it.
  LogContent current;
  /// Index into `history` of the entry whose content resolvers return: the last with content, or
  /// the fork point while a recover is pending.
  std::size_t uncontested = 0;
  std::optional<PendingRecover> pending;
  std::optional<AnchorTime> back_off_until;  ///< Set by the last veto; may be past.
  /// D and C in force at the time of reading (a shrunk value waits until the old one has run).
  std::chrono::seconds delay_in_force{0};
  std::chrono::seconds contest_in_force{0};
  /// Entries that a recover replaced, and pending recovers that the super-quorum's displaced, as it
  /// happened.
  std::vector<LogRecord> replaced;
  std::vector<LogRecord> vetoed;  ///< Recovers that were cancelled.
  /// A move counted of which its old ledger was not seen to hold it (ReaderOptions::carried).
  bool unconfirmed_move = false;
  std::size_t junk_count = 0;
  std::vector<JunkEntry> junk;
  std::size_t duplicity_count = 0;
  std::vector<Duplicity> duplicity;
  std::vector<PreviousAgent> previous_agents;  ///< Oldest removal first.

  [[nodiscard]] const LogRecord& head() const { return history.back(); }
  [[nodiscard]] std::uint64_t n() const { return history.back().entry->n; }
  [[nodiscard]] const LogRecord& uncontested_record() const { return history[uncontested]; }
  [[nodiscard]] const LogContent& uncontested_content() const {
    return *history[uncontested].entry->content;
  }
  /// False while a recover is pending, or where a move is not known to be the owner's: verifiers
  /// then take no new key from this log.
  [[nodiscard]] bool key_changes_acceptable() const {
    return !pending.has_value() && !unconfirmed_move;
  }
  /// The move of the log that a recover on its old ledger could still replace at `now`, newest
  /// first; nullptr: none.
  [[nodiscard]] const LogRecord* open_move(AnchorTime now) const;
};

/// Errors: not_found (no valid genesis of `subject` among the blobs), refused (a test log outside
/// test mode).
[[nodiscard]] Result<LogView> read_log(std::string_view subject,
                                       std::span<const AnchoredBlob> blobs,
                                       const ReaderOptions& options);

/// Would `candidate` count if it came next? The log after it, or why not: invalid_entry with rule
/// and reason, or an error of read_log. Hosts ask before they append, writers before
/// they post. Anchored at options.now, on options.ledger.
[[nodiscard]] Result<LogView> read_with(std::string_view subject,
                                        std::span<const AnchoredBlob> blobs, ByteView candidate,
                                        const ReaderOptions& options);
/// The same for one that has its own time, ledger and words of witnesses.
[[nodiscard]] Result<LogView> read_with(std::string_view subject,
                                        std::span<const AnchoredBlob> blobs,
                                        const AnchoredBlob& candidate,
                                        const ReaderOptions& options);

}  // namespace kith::ledger
