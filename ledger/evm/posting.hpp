#pragma once

/// One transaction on its way: number, fees, gas and balance are asked for, it is signed and sent,
/// and looked for until it is in a block. A part of jobs (job.hpp), with the same questions and
/// answers.
///
/// What is sent again is the same transaction, byte for byte, or one of the same number with higher
/// fees: of these only one can happen. The session keeps it under a name until its number is used,
/// so that a later job with the same name goes on with it.
///
/// Errors: ledger_no_funds, busy (fees beyond kFeeMax, or it does not get through),
/// ledger_transaction_failed (it is in a block, and had no effect), refused (the server's words, no
/// account here), those of the signer.

#include <optional>
#include <string>

#include "ledger/evm/job.hpp"

namespace kith::ledger::evm {

/// Time that a job may still wait, over all its parts.
class Patience {
 public:
  /// The next wait, each longer; nullopt: all is spent.
  [[nodiscard]] std::optional<std::chrono::milliseconds> next();
  void start_short() { next_ = {}; }

 private:
  std::chrono::milliseconds spent_{0};
  std::chrono::milliseconds next_{0};
};

class Posting {
 public:
  struct Wish {
    std::string name;           ///< In Session::sent.
    std::optional<Account> to;  ///< nullopt: makes a contract.
    Bytes input;
    std::uint64_t base_fee = 0;  ///< Of the newest block.
  };
  /// Both outlive it.
  Posting(Session& session, Patience& patience, Wish wish);

  [[nodiscard]] Call call() const;
  [[nodiscard]] Result<void> take(const Json& result);
  [[nodiscard]] Result<void> take_refusal(const Refusal& refusal);
  /// Whether it was sent, so that it may happen.
  [[nodiscard]] bool is_under_way() const { return session_.sent.contains(wish_.name); }
  /// Nothing is heard. True: it looks for the transaction next.
  [[nodiscard]] bool take_silence();

  enum class State { going, in_block, number_used, no_patience };
  [[nodiscard]] State state() const { return state_; }
  /// Of `in_block`.
  [[nodiscard]] const Receipt& receipt() const { return receipt_; }

 private:
  enum class Stage { number, tip, gas, balance, send, look, look_number };

  [[nodiscard]] const SentTransaction& sent() const { return session_.sent.at(wish_.name); }
  [[nodiscard]] Result<void> take_number(std::uint64_t next);
  [[nodiscard]] Result<void> take_gas(std::uint64_t gas);
  [[nodiscard]] Result<void> take_balance(std::uint64_t wei);
  [[nodiscard]] Result<void> take_receipt(const Json& result);
  [[nodiscard]] Result<void> make(std::uint64_t tip, std::uint64_t fee_max);
  [[nodiscard]] Result<void> raise_fees();
  [[nodiscard]] Result<void> refused_to_send(const Refusal& refusal);

  Session& session_;
  Patience& patience_;
  Wish wish_;
  Stage stage_ = Stage::number;
  State state_ = State::going;
  Transaction transaction_;  ///< As it comes to be.
  std::chrono::milliseconds wait_{0};
  unsigned pricings_ = 0;
  bool unsure_ = false;  ///< The last sending was not answered.
  Receipt receipt_;
};

}  // namespace kith::ledger::evm
