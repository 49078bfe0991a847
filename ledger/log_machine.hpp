#pragma once

/// The state machine of the reader: blobs of one ledger go in one by one, in its order; then those
/// of the ledger to which the log moved, with that one's clock (a stage each); view() comes out.
/// Used by log_reader.cpp alone, which finds the stages.

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "ledger/log_reader.hpp"
#include "ledger/log_rules.hpp"

namespace kith::ledger {

/// A blob, read once. What it views outlives it.
struct Arrival {
  std::size_t position = 0;            ///< Index of the blob.
  std::shared_ptr<const Entry> entry;  ///< Null: not an entry, and `broken` says why.
  EntryDigest digest{};
  std::string hash;
  std::string broken;
  AnchorTime time;   ///< By which it is judged.
  AnchorTime shown;  ///< When its ledger anchored it; not before `time`. D runs from here.
  ByteView blob;
};
[[nodiscard]] Arrival read_arrival(std::size_t position, ByteView blob, AnchorTime time);

class LogMachine {
 public:
  /// `carried`: see ReaderOptions.
  LogMachine(std::string_view subject, bool test_mode, bool carried)
      : subject_(subject), test_mode_(test_mode), carried_mode_(carried) {}

  /// The blobs that follow are of this ledger; "": nobody says which.
  void enter(std::string_view ledger);
  void take(Arrival arrival);
  /// No more blobs of this ledger: what waits there is settled as of `now`.
  void leave(AnchorTime now);
  /// After leave(): the ledger on which the log goes on, if it is another than this one.
  [[nodiscard]] std::optional<std::string> next_ledger() const;
  /// A blob that no ledger of the log holds: junk for that reason, unless it counted.
  void ignore(const Arrival& arrival, const Refusal& why);

  [[nodiscard]] Result<LogView> view();
  /// Why the blob at `position` is junk; nullopt: it is not.
  [[nodiscard]] Verdict junk_at(std::size_t position) const;

 private:
  Verdict judge(const Arrival& arrival);
  Verdict take_genesis(const Arrival& arrival);
  Verdict take_next(const Arrival& arrival);
  Verdict take_recover(const Arrival& arrival);
  Verdict take_veto(const Arrival& arrival);

  [[nodiscard]] Verdict check_next(const LogContent& before, const Arrival& arrival) const;
  [[nodiscard]] Verdict check_change(const LogContent& before, const Entry& entry) const;
  [[nodiscard]] Verdict check_from(const Entry& move) const;
  [[nodiscard]] Verdict check_place(std::size_t fork, AnchorTime time, bool super_quorum) const;
  [[nodiscard]] Verdict check_pending(AnchorTime time, bool super_quorum) const;
  void note_duplicity(const Arrival& arrival);
  void push(LogRecord counted);
  void pass_time(AnchorTime time);
  void settle();
  void settle_carried(const Entry& entry);

  [[nodiscard]] const LogContent& content_at(std::size_t index) const;
  [[nodiscard]] bool continues(std::size_t index, const Entry& entry) const;
  [[nodiscard]] bool has_left() const;
  [[nodiscard]] bool is_carried() const;
  [[nodiscard]] std::chrono::seconds in_force(std::size_t index, AnchorTime time,
                                              std::chrono::seconds RecoveryRule::*window) const;
  [[nodiscard]] LogRecord record(const Arrival& arrival) const;
  [[nodiscard]] LogStatus status() const;
  [[nodiscard]] std::size_t uncontested() const;

  std::string subject_;
  bool test_mode_;
  bool carried_mode_;
  bool test_log_refused_ = false;

  // Of this stage
  std::string ledger_;
  AnchorTime now_ = anchor_time_ms(0);
  bool home_ = false;     ///< The log lives here, or did.
  std::size_t base_ = 0;  ///< chain_[base_ - 1] came from the ledger before, or moved here.
  std::set<std::string> earlier_;  ///< seen_ when the stage began.
  std::optional<PendingRecover> pending_;

  std::optional<PendingRecover> pending_before_;  ///< On the oldest ledger where one still waits.
  std::vector<LogRecord> chain_;                  ///< chain_[i] has n = i.
  bool unconfirmed_ = false;
  std::optional<AnchorTime> back_off_until_;
  std::vector<LogRecord> replaced_;
  std::vector<LogRecord> vetoed_;
  std::set<std::string> seen_;  ///< Hashes of entries that counted or became evidence.
  std::set<std::size_t> done_;  ///< Positions of blobs that counted.
  std::map<std::size_t, Refusal> junk_;
  std::size_t duplicity_count_ = 0;
  std::vector<Duplicity> duplicity_;
};

}  // namespace kith::ledger
