#pragma once

/// The jobs on a ledger on a chain. Each is made, driven to its end (job.hpp), and then holds its
/// result.
///
/// The contract takes everything from everybody, because a contract that asked for the head would
/// let strangers keep owners out. So appending reads first, judges the entry as every backend of
/// ours does (append_rules.hpp), and sends it only if it would count; and it is appended when it is
/// found in a final block, at its first place, and judged good there. Whoever loses a race has paid
/// for an entry that does not count, and hears of the head.
///
/// Nothing is called appended before it is final. Where that takes longer than a job waits, the
/// outcome is unknown for now, and the next append of the same entry goes on with it.
///
/// Pure; single-threaded.

#include <optional>
#include <string>

#include "ledger/append_rules.hpp"
#include "ledger/evm/posting.hpp"
#include "ledger/evm/reading.hpp"

namespace kith::ledger::evm {

/// A page of one subject's entries, or of all. Only final ones.
class Read final : public Job {
 public:
  using Outcome = Result<LedgerPage>;
  Read(Session& session, std::string_view subject, std::uint64_t from);
  Read(Session& session, std::uint64_t position, std::size_t max);
  /// Of the ended job. Errors: malformed, unsupported (a chain that does not say what is final),
  /// busy (blocks are replaced all the time), those of Job.
  [[nodiscard]] const Outcome& result() const { return result_; }

 private:
  [[nodiscard]] Call call() const override { return reading_->call(); }
  [[nodiscard]] Result<void> on_answer(const Json& result) override;
  [[nodiscard]] Result<void> on_refusal(const Refusal& refusal) override {
    return reading_->take_refusal(refusal);
  }
  [[nodiscard]] bool ask_less() override { return reading_->ask_less(); }
  void on_failure(const Error& error) override { result_ = error; }
  void start(std::optional<Hash> subject, std::uint64_t from);

  std::size_t max_;
  std::optional<Reading> reading_;
  Outcome result_ = LedgerPage{};
};

class Append final : public Job {
 public:
  using Outcome = Result<AppendOutcome>;
  /// `test_mode`: test logs are taken.
  Append(Session& session, AppendRequest request, AnchorTime now, bool test_mode);
  /// Of the ended job. Errors: those of Ledger::append, of Read, of Posting, and busy (an entry
  /// that is not final yet decides). After sending, those of Job become UnknownOutcome.
  [[nodiscard]] const Outcome& result() const { return result_; }

 private:
  [[nodiscard]] Call call() const override {
    return posting_ ? posting_->call() : reading_->call();
  }
  [[nodiscard]] Result<void> on_answer(const Json& result) override;
  [[nodiscard]] Result<void> on_refusal(const Refusal& refusal) override;
  [[nodiscard]] bool ask_less() override { return !posting_ && reading_->ask_less(); }
  [[nodiscard]] bool on_silence() override { return posting_ && posting_->take_silence(); }
  void on_failure(const Error& error) override;

  [[nodiscard]] Result<void> judge();
  [[nodiscard]] Result<void> judge_place(std::size_t place);
  [[nodiscard]] Result<std::variant<LedgerLeaf, StaleHead>> judge_after(
      const AppendRequest& request, std::span<const LedgerEntry> entries,
      std::span<const LedgerEntry> later, AnchorTime now) const;
  [[nodiscard]] Result<void> send();
  [[nodiscard]] Result<void> look_at_posting();
  void wait_until_final(std::string why);
  [[nodiscard]] bool is_under_way() const { return session().sent.contains(name_); }
  void finish(Outcome outcome);

  AppendRequest request_;
  AnchorTime now_;
  bool test_mode_;
  std::string name_;  ///< In Session::sent.
  Patience patience_;
  std::optional<Reading> reading_;
  std::optional<Posting> posting_;
  unsigned sendings_ = 0;
  bool seen_ = false;  ///< In a block that is not final.
  Outcome result_ = AppendOutcome{UnknownOutcome{}};
};

/// What the ledger is: known from its address, once the contract is there.
class Describe final : public Job {
 public:
  using Outcome = Result<LedgerDescriptor>;
  explicit Describe(Session& session) : Job(session) {}
  /// Of the ended job. Errors: not_found (no contract of Kith lies there), those of Job.
  [[nodiscard]] const Outcome& result() const { return result_; }

 private:
  [[nodiscard]] Call call() const override;
  [[nodiscard]] Result<void> on_answer(const Json& result) override;
  void on_failure(const Error& error) override { result_ = error; }

  Outcome result_ = LedgerDescriptor{};
};
[[nodiscard]] LedgerDescriptor descriptor_of(const Location& where);

/// Makes a contract on the chain of the session's address.
class Deploy final : public Job {
 public:
  struct Made {
    Account contract{};
    std::uint64_t block = 0;
  };
  using Outcome = Result<Made>;
  explicit Deploy(Session& session) : Job(session) {}
  /// Of the ended job. Errors: those of Posting, timeout (it is not in a block yet: say so again
  /// later), malformed (another address than it must have).
  [[nodiscard]] const Outcome& result() const { return result_; }

 private:
  [[nodiscard]] Call call() const override;
  [[nodiscard]] Result<void> on_answer(const Json& result) override;
  [[nodiscard]] Result<void> on_refusal(const Refusal& refusal) override;
  [[nodiscard]] bool on_silence() override { return posting_ && posting_->take_silence(); }
  void on_failure(const Error& error) override { result_ = error; }

  Patience patience_;
  std::optional<Posting> posting_;
  std::uint64_t nonce_ = 0;
  Outcome result_ = Made{};
};

}  // namespace kith::ledger::evm
