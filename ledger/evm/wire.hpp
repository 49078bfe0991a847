#pragma once

/// JSON-RPC of Ethereum's servers (ethereum/execution-apis): questions as texts, answers as values.
/// An answer is a stranger's word: what does not fit together is malformed, never believed. What
/// the server says about the chain is believed all the same: see docs/threat-model.md.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "crypto/json.hpp"
#include "ledger/evm/account.hpp"

namespace kith::ledger::evm {

/// The body of a POST.
[[nodiscard]] std::string question_text(std::string_view method, const JsonArray& parameters);

/// The server understood, and says no.
struct Refusal {
  std::int64_t code = 0;
  std::string words;  ///< Printable ASCII, kWordsMax at most.
};
/// The result, or why there is none. Errors: malformed, limit_exceeded.
[[nodiscard]] Result<std::variant<Json, Refusal>> read_answer(std::string_view body,
                                                              std::size_t bytes_max);

/// "0x1f". Writing, and reading without leading zeros. Errors: malformed (also beyond 64 bits).
[[nodiscard]] std::string quantity_text(std::uint64_t number);
[[nodiscard]] Result<std::uint64_t> read_quantity(const Json& json);
/// Of up to 256 bits; what is beyond 64 is the largest of these. Errors: malformed.
[[nodiscard]] Result<std::uint64_t> read_large_quantity(const Json& json);
/// "0x" and two digits for each byte, in small letters.
[[nodiscard]] std::string bytes_text(ByteView bytes);
[[nodiscard]] Result<Bytes> read_bytes(const Json& json);
[[nodiscard]] Result<Hash> read_hash(const Json& json);

struct Block {
  std::uint64_t number = 0;  ///< Below 2^kPositionBlockBits.
  Hash hash{};
  std::uint64_t time_s = 0;
  std::uint64_t base_fee = 0;  ///< Wei per gas; 0 where the chain has none.
};
/// nullopt: there is no such block. Errors: malformed.
[[nodiscard]] Result<std::optional<Block>> read_block(const Json& result);

/// Events of the contract in some blocks.
struct LogFilter {
  Account contract{};
  std::optional<Hash> subject;  ///< nullopt: of all.
  std::uint64_t first = 0;
  std::uint64_t last = 0;
};
[[nodiscard]] JsonArray filter_json(const LogFilter& filter);
struct PostedEvent {
  std::uint64_t block = 0;
  Hash block_hash{};
  std::uint64_t index = 0;  ///< In the block.
  Hash subject{};
  Bytes data;  ///< The entry's blob.
};
/// In their order. Events whose data are no entry's are left out. Errors: malformed (events that
/// were not asked for, run back or do not fit together).
[[nodiscard]] Result<std::vector<PostedEvent>> read_events(const LogFilter& asked,
                                                           const Json& result);

struct Receipt {
  std::uint64_t block = 0;
  bool success = false;
  std::optional<Account> contract;  ///< That it made.
};
/// nullopt: it is in no block. Errors: malformed (also the receipt of another).
[[nodiscard]] Result<std::optional<Receipt>> read_receipt(const Hash& transaction,
                                                          const Json& result);

}  // namespace kith::ledger::evm
