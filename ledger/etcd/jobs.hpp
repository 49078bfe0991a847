#pragma once

/// The jobs on a ledger in an etcd cluster. Each is made, driven to its end (job.hpp), and then
/// holds its result.
///
/// Appending reads head and entries of the subject, and what the ledger is, at one moment, judges
/// the entry as every backend of ours does (append_rules.hpp), and writes entry and head in one
/// transaction, on condition that the entry's key is not there and the head was not touched since.
/// Whatever happens to the answer, the next step reads again: an entry that is there was appended,
/// once, at the revision of its key. A recover or veto that loses to another writer is judged again
/// and tried again.
///
/// Pure; single-threaded.

#include <string>
#include <vector>

#include "ledger/etcd/job.hpp"
#include "ledger/ledger.hpp"

namespace kith::ledger {

/// Goes through a range in the order of making, past junk, and past pairs too long to be read.
class EtcdScan {
 public:
  /// `keys` outlive it.
  EtcdScan(const EtcdKeys& keys, EtcdRange range) : keys_(&keys), range_(std::move(range)) {}
  [[nodiscard]] const EtcdRange& range() const { return range_; }
  /// Entries that the answer holds; junk is left out.
  [[nodiscard]] std::vector<LedgerEntry> take(const EtcdPairs& answer);
  /// After an answer that was too long: the next question is for fewer. False: it is the smallest.
  [[nodiscard]] bool ask_less();
  [[nodiscard]] bool done() const { return done_; }

 private:
  const EtcdKeys* keys_;
  EtcdRange range_;
  bool done_ = false;
};

/// A page of one subject's entries, or of all.
class EtcdRead final : public EtcdJob {
 public:
  using Outcome = Result<LedgerPage>;
  EtcdRead(EtcdSession& session, std::string_view subject, std::uint64_t from);
  EtcdRead(EtcdSession& session, std::uint64_t position, std::size_t max);
  /// Of the ended job. Errors: malformed, limit_exceeded, those of EtcdJob.
  [[nodiscard]] const Outcome& result() const { return result_; }

 private:
  [[nodiscard]] Call call() const override;
  [[nodiscard]] Result<void> on_answer(const Json& answer) override;
  [[nodiscard]] bool ask_less() override { return scan_.ask_less(); }
  void on_failure(const Error& error) override { result_ = error; }

  EtcdScan scan_;
  std::size_t max_;
  LedgerPage page_;
  Result<LedgerPage> result_ = LedgerPage{};
};

class EtcdAppend final : public EtcdJob {
 public:
  using Outcome = Result<AppendOutcome>;
  /// `test_mode`: test logs are taken.
  EtcdAppend(EtcdSession& session, AppendRequest request, AnchorTime now, bool test_mode);
  /// Of the ended job. Errors: those of Ledger::append, busy (others were always first), those of
  /// EtcdJob; where the outcome of a write is not known, UnknownOutcome instead of them.
  [[nodiscard]] const Outcome& result() const { return result_; }

 private:
  [[nodiscard]] Call call() const override;
  [[nodiscard]] Result<void> on_answer(const Json& answer) override;
  void on_unknown() override;
  [[nodiscard]] bool ask_less() override { return !leaf_ && scan_.ask_less(); }
  void on_failure(const Error& error) override;

  void start_reading();
  [[nodiscard]] std::vector<EtcdRange> ranges() const;
  [[nodiscard]] Result<void> take_reading(const Json& answer);
  [[nodiscard]] Result<void> take_written(const Json& answer);
  [[nodiscard]] Result<void> judge();
  void finish(Result<AppendOutcome> result);
  [[nodiscard]] EtcdWrite write() const;

  AppendRequest request_;
  AnchorTime now_;
  bool test_mode_;
  EtcdScan scan_;
  bool head_read_ = false;
  std::uint64_t head_revision_ = 0;
  std::string ledger_;  ///< Its id; empty: nothing describes it yet.
  std::vector<LedgerEntry> entries_;
  std::size_t bytes_ = 0;           ///< Of their blobs.
  std::optional<LedgerLeaf> leaf_;  ///< Judged good: to be written.
  bool unknown_ = false;            ///< A write may have happened since the last reading.
  unsigned conflicts_ = 0;
  Result<AppendOutcome> result_ = AppendOutcome{UnknownOutcome{}};
};

/// What the ledger is; makes it if there is none.
class EtcdDescriptor final : public EtcdJob {
 public:
  using Outcome = Result<LedgerDescriptor>;
  /// `origin`: of a new ledger, unique: C2SP tlog-checkpoint's form.
  EtcdDescriptor(EtcdSession& session, std::string_view origin);
  /// Of the ended job. Errors: malformed, unsupported (of a descriptor), those of EtcdJob.
  [[nodiscard]] const Outcome& result() const { return result_; }

 private:
  [[nodiscard]] Call call() const override;
  [[nodiscard]] Result<void> on_answer(const Json& answer) override;
  void on_unknown() override { writing_ = false; }
  void on_failure(const Error& error) override { result_ = error; }

  LedgerDescriptor made_;
  bool writing_ = false;
  Result<LedgerDescriptor> result_ = LedgerDescriptor{};
};

}  // namespace kith::ledger
