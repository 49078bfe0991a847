#pragma once

/// The plug for ledgers: they supply order and time, never validity (log-protocol section 5).
///
/// Backends are synchronous. Hosts elsewhere are spoken to through remote/client.hpp, whose
/// requests the shell carries. Effects meet either one in ledger_effects.hpp.
///
/// A position is a place in the order of the whole ledger: 0, 1, 2, ... without gaps in the
/// embedded and memory ledgers, increasing in all. Anchor times never run back.
///
/// Single-threaded.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "ledger/descriptor.hpp"
#include "ledger/entry.hpp"
#include "ledger/merkle.hpp"
#include "ledger/witness_time.hpp"

namespace kith::ledger {

struct AppendRequest {
  std::string subject;
  Bytes blob;
  /// Hash of the newest entry that the writer knows to count; empty for a genesis. Compared for
  /// entries that continue the head; a recover and a veto stand on their own, so that nobody can
  /// keep their owner out by moving the head.
  std::string expected_head;
  /// Of a recover or veto: when witnesses saw it. With enough of them it is judged by that.
  std::vector<WitnessTime> witnessed = {};
};

struct Appended {
  std::uint64_t position = 0;
  AnchorTime time;
};
struct StaleHead {
  std::string head;  ///< Hash of the entry that is the head now; empty: the log is empty.
};
/// It may be there or not: read again. Appends are idempotent by blob.
struct UnknownOutcome {
  std::string why;
  /// ledger_not_witnessed: it is there, but does not count yet.
  Errc code = Errc::timeout;
};
using AppendOutcome = std::variant<Appended, StaleHead, UnknownOutcome>;

struct LedgerEntry {
  std::uint64_t position = 0;
  std::string subject;
  Bytes blob;
  AnchorTime time;
  std::vector<WitnessTime> witnessed = {};  ///< What came with it and holds; no proof is over it.
  friend bool operator==(const LedgerEntry&, const LedgerEntry&) = default;
};

struct LedgerPage {
  std::vector<LedgerEntry> entries;  ///< By position; at most kLedgerPageEntriesMax and ..BytesMax.
  bool complete = true;              ///< false: more follow after the last one.
  friend bool operator==(const LedgerPage&, const LedgerPage&) = default;
};

class Ledger {
 public:
  virtual ~Ledger() = default;

  [[nodiscard]] virtual const LedgerDescriptor& descriptor() const = 0;
  /// Validates and appends, anchored at `now` or the newest anchor time if that is later. A blob
  /// that the ledger holds already gives its first position again. What would not count is refused
  /// and not stored; a recover or veto that is late by the ledger's clock counts by those of its
  /// witnesses, whose words are kept with it where the ledger can (TreeLedger). Errors: malformed,
  /// invalid_entry, unsupported, refused (a test log on a ledger that is not for tests),
  /// limit_exceeded.
  [[nodiscard]] virtual Result<AppendOutcome> append(const AppendRequest& request,
                                                     AnchorTime now) = 0;
  /// Entries of one subject at positions >= from; none is no error. Errors: malformed,
  /// storage_corrupt, io of the backend (unreachable, timeout).
  [[nodiscard]] virtual Result<LedgerPage> read(std::string_view subject, std::uint64_t from) = 0;
  /// Entries of all subjects at positions >= position, at most `max`. Errors: as read.
  [[nodiscard]] virtual Result<LedgerPage> follow(std::uint64_t position, std::size_t max) = 0;
};

/// A checkpoint that enough witnesses have cosigned.
struct CosignedCheckpoint {
  std::uint64_t size = 0;
  std::string note;  ///< Signed note.
  friend bool operator==(const CosignedCheckpoint&, const CosignedCheckpoint&) = default;
};

/// A ledger that keeps the tree over its leaves (leaf_text of append_rules.hpp), so that whoever
/// holds its key can prove what it says: prover.hpp.
///
/// Where its descriptor asks for witnesses it keeps the checkpoints that these have cosigned
/// (remote/cosigning.hpp): the newest, and the first of each size, which says when the entries
/// below it were anchored. A copy of a ledger keeps those that it was shown (remote/replica.hpp).
///
/// Group commit: appends that wait at the same time are staged one after the other, each judged on
/// what those before it leave, and made durable by one flush(). Whoever stages tells nobody of any
/// outcome before that, not even of a refusal: it may stand on an entry that is not there yet.
class TreeLedger : public Ledger {
 public:
  /// As append, but not durable before flush(). Readers see nothing of it until then. Errors: as
  /// append.
  [[nodiscard]] virtual Result<AppendOutcome> stage(const AppendRequest& request,
                                                    AnchorTime now) = 0;
  /// Stages an entry of the ledger that this is a copy of, in its place there and with its time. It
  /// was proven to be there, and is not judged: readers do. Errors: malformed (no entry of a log,
  /// not the next place, an earlier time than the one before), as append.
  [[nodiscard]] virtual Result<void> stage_copy(const LedgerEntry& entry) = 0;
  /// Makes everything durable that was staged, all of it or nothing. Errors (storage_unknown,
  /// storage_full): whether it is there is not known, and no outcome of the group may be told.
  [[nodiscard]] virtual Result<void> flush() = 0;
  /// A group of one.
  [[nodiscard]] Result<AppendOutcome> append(const AppendRequest& request, AnchorTime now) final;

  /// Leaves; all are durable.
  [[nodiscard]] virtual std::uint64_t size() const = 0;
  /// The complete nodes at any size up to size(). Valid as long as the ledger.
  [[nodiscard]] virtual MerkleReader tree() const = 0;

  /// It becomes the newest, and stays the first of its size if it is. Durable when this returns.
  /// Its size is at most size(), and not below the newest's (asserted). Errors: of the storage.
  [[nodiscard]] virtual Result<void> keep_cosigned(const CosignedCheckpoint& cosigned) = 0;
  /// Errors of both: storage_corrupt, storage_unknown.
  [[nodiscard]] virtual Result<std::optional<CosignedCheckpoint>> newest_cosigned() const = 0;
  /// The first one kept of the smallest size that is at least `size`.
  [[nodiscard]] virtual Result<std::optional<CosignedCheckpoint>> first_cosigned(
      std::uint64_t size) const = 0;
};

/// Every page that `read` gives, one after the other. Errors: those of read, limit_exceeded
/// (more than kLedgerSubjectBytesMax).
[[nodiscard]] Result<std::vector<LedgerEntry>> read_all(Ledger& ledger, std::string_view subject);

}  // namespace kith::ledger
