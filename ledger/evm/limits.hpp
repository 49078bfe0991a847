#pragma once

/// Limits of the ledger on a chain, each with its reason. docs/running-a-ledger.md names those that
/// an operator meets.

#include <chrono>
#include <cstddef>
#include <cstdint>

namespace kith::ledger::evm_limits {

/// Confirmations that an address may ask for: a week of Ethereum's blocks.
inline constexpr std::uint64_t kConfirmationsMax = 50'400;
/// Objects and lists inside one another in an answer: result, withdrawals or logs, one of them, its
/// topics make five.
inline constexpr std::size_t kAnswerDepth = 8;
/// The events of one block, as hexadecimal: gas for a block (60 million), all spent on bytes of
/// events at 8 each, makes 15 MB of digits. With less, one full block would make a log unreadable.
inline constexpr std::size_t kBlockAnswerBytesMax = 32 * 1024 * 1024;
/// Words of a chain's server that are shown to people.
inline constexpr std::size_t kWordsMax = 160;
/// Digits of a number: 256 bits, the largest that a chain has.
inline constexpr std::size_t kNumberDigitsMax = 64;
/// Blocks below 2^33 and events of a block below 2^20 make positions that JSON tells exactly. A
/// chain of a block a second gets there in 272 years; an event costs at least 1000 gas.
inline constexpr unsigned kPositionIndexBits = 20;
inline constexpr unsigned kPositionBlockBits = 33;

/// Blocks of one question for events, after a server has refused more: asked for twice as many
/// after each answer up to this. Before that, all are asked for at once.
inline constexpr std::uint64_t kBlocksGrowTo = 1 << 20;
/// Questions of one job: a log of the largest size in pages, a block's time for each entry, and
/// junk that has to be passed.
inline constexpr std::size_t kQuestionsPerJob = 4000;
/// Times that a question is asked: servers of chains are shared, busy and often behind a balancer.
inline constexpr unsigned kTries = 4;
/// How long each answer is waited for.
inline constexpr std::chrono::milliseconds kPatience{8000};
/// Before the second try; then twice as long each time.
inline constexpr std::chrono::milliseconds kPause{250};
/// Times that a job reads again because blocks were replaced under it.
inline constexpr unsigned kReorganisationsMax = 8;

/// Gas of one transaction: an entry of the largest size takes about 1.1 million where each byte
/// costs most (EIP-7623); rollups count more than others.
inline constexpr std::uint64_t kGasMax = 8'000'000;
/// Wei per gas, 1000 gwei: what is above was seen for minutes only.
inline constexpr std::uint64_t kFeeMax = 1'000'000'000'000;
/// Wei for one transaction, 0.2 ether: a server that lies about gas and fees costs no more than
/// this. An entry of the largest size at 150 gwei.
inline constexpr std::uint64_t kCostMax = 200'000'000'000'000'000;
/// Wei per gas for who makes the block, where the server names no number: 1 gwei.
inline constexpr std::uint64_t kUsualTip = 1'000'000'000;
/// Times that a transaction is priced anew because it does not get through.
inline constexpr unsigned kPricingsMax = 6;
/// Between looks at whether a transaction is in a block, and a block final; twice as long each time
/// up to the second number, a block of Ethereum.
inline constexpr std::chrono::milliseconds kPoll{500};
inline constexpr std::chrono::milliseconds kPollMax{12'000};
/// All of these together, in one job. What is not final then is asked about again later: on
/// Ethereum that takes a quarter of an hour.
inline constexpr std::chrono::milliseconds kWaitMax{60'000};

}  // namespace kith::ledger::evm_limits
