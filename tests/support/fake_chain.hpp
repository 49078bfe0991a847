#pragma once

/// A chain in memory, as far as ledger/evm asks it: one server that answers in the words of geth's
/// JSON-RPC, with one contract on it. Blocks can be replaced, transactions held back or without
/// effect, answers lost.

#include <chrono>
#include <deque>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "ledger/evm/evm_ledger.hpp"

namespace kith::test {

/// Of a raw transaction.
struct ChainTransaction {
  ledger::evm::Hash hash{};
  ledger::evm::Account from{};
  ledger::evm::Transaction fields;
  bool success = true;
  std::uint64_t first_event = 0;  ///< In its block.
};
[[nodiscard]] ChainTransaction decode_transaction(const Bytes& raw);

/// A key as account: of tests alone.
[[nodiscard]] ledger::evm::Signer chain_signer(std::uint8_t seed);

struct ChainBlock {
  ledger::evm::Hash hash{};
  std::uint64_t time_s = 0;
  std::vector<ChainTransaction> transactions;
};

class FakeChain {
 public:
  explicit FakeChain(std::uint64_t confirmations = 2);

  [[nodiscard]] ledger::evm::Session session(std::uint8_t seed = 1) const;
  [[nodiscard]] ledger::JobExchange exchange();
  [[nodiscard]] Result<ledger::HttpReply> answer(const ledger::JobQuestion& question);

  /// One block of what waits, if it pays enough.
  void mine();
  void mine(std::size_t count);
  /// Replaces the newest blocks by as many others. Their transactions wait again, or are gone.
  void replace(std::size_t depth, bool keep_transactions = true);
  /// An event as any stranger can make one, in a block of its own.
  void post(const std::string& subject, Bytes data);
  /// Times that `data` was posted and had effect.
  [[nodiscard]] std::size_t count_of(const Bytes& data) const;
  /// The next block is so much later.
  void skip(std::chrono::seconds span) { skipped_ += span; }
  [[nodiscard]] std::uint64_t height() const { return blocks.size() - 1; }

  ledger::evm::Location where;
  std::vector<ChainBlock> blocks;
  std::deque<ChainTransaction> waiting;
  std::uint64_t chain = 1337;
  std::uint64_t base_fee = 1'000'000'000;
  std::uint64_t balance = ~std::uint64_t{0};
  bool mine_at_once = true;
  bool mine_on_wait = true;     ///< Who waits sees a block more.
  bool without_effect = false;  ///< Of all that is mined from now on.
  bool knows_finalized = true;  ///< Two blocks behind the newest.
  bool knows_tip = true;
  bool has_contract = true;
  std::uint64_t blocks_max = 0;  ///< That a question for events may span; 0: any number.
  std::size_t events_max = 0;    ///< That an answer may hold; 0: any number.
  std::vector<std::string> asked;

 private:
  [[nodiscard]] Json serve(const std::string& method, const JsonArray& parameters);
  [[nodiscard]] Json block_json(std::uint64_t number) const;
  [[nodiscard]] Json events(const JsonObject& filter) const;
  [[nodiscard]] Json receipt(const std::string& hash) const;
  [[nodiscard]] Json send(const Bytes& raw);
  [[nodiscard]] std::uint64_t nonce_of(const ledger::evm::Account& account) const;
  void add_block(std::vector<ChainTransaction> transactions);
  std::uint64_t salt_ = 0;
  std::chrono::seconds skipped_{0};
};

[[nodiscard]] bool is_sending(const ledger::JobQuestion& question);

}  // namespace kith::test
