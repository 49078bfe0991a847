#pragma once

/// Reading the contract's events as entries of logs: what is final, in its order, with the times of
/// its blocks, and for writers also what may still change.
///
/// A position is a block's number and the event's place in it. Every event names the hash of its
/// block, and the block that gives its time must be that one: if blocks were replaced meanwhile,
/// reading begins again.
///
/// A part of jobs (job.hpp), with the same questions and answers.

#include <optional>
#include <string>
#include <vector>

#include "ledger/evm/job.hpp"
#include "ledger/ledger.hpp"
#include "ledger/sift.hpp"

namespace kith::ledger::evm {

class Reading {
 public:
  struct Wish {
    std::optional<Hash> subject;  ///< nullopt: of all.
    std::uint64_t from = 0;       ///< Position.
    std::size_t entries_max = 0;  ///< Ends after one more than these.
    std::size_t bytes_max = 0;    ///< Of the blobs: ends beyond.
    bool not_final_too = false;
    /// Leaves out what can never count in that log (sift.hpp), but not `own`; empty: nothing.
    std::string sift_for = {};
    Bytes own = {};
    bool test_mode = false;
  };
  Reading(Session& session, Wish wish);

  [[nodiscard]] Call call() const;
  [[nodiscard]] Result<void> take(const Json& result);
  [[nodiscard]] Result<void> take_refusal(const Refusal& refusal);
  [[nodiscard]] bool ask_less();
  [[nodiscard]] bool done() const { return stage_ == Stage::done; }
  /// Once more from the newest block, after `wait`.
  void start_again(std::chrono::milliseconds wait);

  /// Final ones.
  [[nodiscard]] const std::vector<LedgerEntry>& entries() const { return entries_; }
  /// Later ones, with the time of the newest block.
  [[nodiscard]] const std::vector<LedgerEntry>& not_final() const { return not_final_; }
  [[nodiscard]] const Block& newest() const { return newest_; }

 private:
  enum class Stage { newest, finalized, events, times, done };

  [[nodiscard]] LogFilter filter() const;
  [[nodiscard]] std::uint64_t last_block() const;
  [[nodiscard]] Result<void> take_newest(const Block& block);
  [[nodiscard]] Result<void> take_events(const Json& result);
  [[nodiscard]] Result<void> take_time(const Json& result);
  [[nodiscard]] Result<void> blocks_were_replaced();
  void keep(PostedEvent event, AnchorTime time);
  void sift();
  void go_on();

  Session& session_;
  Wish wish_;
  Stage stage_ = Stage::newest;
  std::chrono::milliseconds wait_{0};
  Block newest_;
  std::optional<std::uint64_t> final_;  ///< nullopt: no block is.
  std::uint64_t next_block_ = 0;        ///< From here on events are asked for.
  bool one_block_ = false;              ///< And of this block alone, however many there are.
  std::vector<PostedEvent> events_;     ///< Those whose times are looked up: from `at_` on.
  std::size_t at_ = 0;
  std::vector<LedgerEntry> entries_;
  std::vector<LedgerEntry> not_final_;
  std::size_t bytes_ = 0;
  std::size_t sift_above_ = kSiftAboveBytes;
  unsigned reorganisations_ = 0;
};

/// Position of an event.
[[nodiscard]] std::uint64_t position_of(std::uint64_t block, std::uint64_t index);
[[nodiscard]] std::uint64_t block_of(std::uint64_t position);

}  // namespace kith::ledger::evm
