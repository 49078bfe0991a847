#include "ledger/evm/posting.hpp"

#include <algorithm>
#include <utility>

#include "crypto/assert.hpp"
#include "ledger/evm/limits.hpp"

namespace kith::ledger::evm {

namespace {

/// What every transaction takes.
constexpr std::uint64_t kGasMin = 21'000;

/// Servers have no codes of their own for these; geth's words, which the others copy.
bool says(const Refusal& refusal, std::initializer_list<std::string_view> words) {
  std::string text = refusal.words;
  std::ranges::transform(text, text.begin(), [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  });
  return std::ranges::any_of(
      words, [&](std::string_view one) { return text.find(one) != std::string::npos; });
}

Error no_funds(const Account& account) {
  return fail(Errc::ledger_no_funds, "the account is " + account_text(account));
}

bool is_too_dear(std::uint64_t fee, std::uint64_t gas) {
  return fee > evm_limits::kFeeMax || fee > evm_limits::kCostMax / gas;
}

std::uint64_t raised(std::uint64_t tip) {
  return tip + tip / 4 + 1;  // Servers ask for an eighth at least.
}

}  // namespace

std::optional<std::chrono::milliseconds> Patience::next() {
  next_ = next_.count() == 0 ? evm_limits::kPoll : std::min(next_ * 2, evm_limits::kPollMax);
  if (spent_ + next_ > evm_limits::kWaitMax) return std::nullopt;
  spent_ += next_;
  return next_;
}

Posting::Posting(Session& session, Patience& patience, Wish wish)
    : session_(session), patience_(patience), wish_(std::move(wish)) {
  ASSERT(session_.signer.has_value());
  patience_.start_short();
  if (!is_under_way()) return;
  transaction_ = sent().transaction;
  stage_ = Stage::look;
}

Call Posting::call() const {
  const std::string from = bytes_text(session_.signer->account);
  switch (stage_) {
    case Stage::number:
    case Stage::look_number:
      return {"eth_getTransactionCount", {from, "latest"}};
    case Stage::tip:
      return {"eth_maxPriorityFeePerGas"};
    case Stage::gas: {
      JsonObject object;
      object["from"] = from;
      if (wish_.to) object["to"] = bytes_text(*wish_.to);
      object["data"] = bytes_text(wish_.input);
      JsonArray parameters;
      parameters.emplace_back(std::move(object));
      return {"eth_estimateGas", std::move(parameters)};
    }
    case Stage::balance:
      return {"eth_getBalance", {from, "latest"}};
    case Stage::send: {
      JsonArray parameters;
      parameters.emplace_back(bytes_text(sent().made.raw));
      return {"eth_sendRawTransaction", std::move(parameters)};
    }
    case Stage::look: {
      JsonArray parameters;
      parameters.emplace_back(bytes_text(sent().made.hash));
      return {"eth_getTransactionReceipt", std::move(parameters), wait_};
    }
  }
  UNREACHABLE();
}

Result<void> Posting::take(const Json& result) {
  switch (stage_) {
    case Stage::number: {
      TRY(const std::uint64_t next, read_quantity(result));
      return take_number(next);
    }
    case Stage::tip: {
      TRY(transaction_.tip, read_quantity(result));
      stage_ = Stage::gas;
      return {};
    }
    case Stage::gas: {
      TRY(const std::uint64_t gas, read_quantity(result));
      return take_gas(gas);
    }
    case Stage::balance: {
      TRY(const std::uint64_t wei, read_large_quantity(result));
      return take_balance(wei);
    }
    case Stage::send:
      // Its hash is what we know it to be, whatever the server says.
      stage_ = Stage::look;
      return {};
    case Stage::look:
      return take_receipt(result);
    case Stage::look_number: {
      TRY(const std::uint64_t next, read_quantity(result));
      if (next > sent().transaction.nonce) {
        // It happened and its receipt is late, or another one of that number did.
        session_.sent.erase(wish_.name);
        state_ = State::number_used;
        return {};
      }
      return raise_fees();
    }
  }
  UNREACHABLE();
}

/// The next number that no other transaction on its way has.
Result<void> Posting::take_number(std::uint64_t next) {
  const auto is_taken = [&](const auto& pair) { return pair.second.transaction.nonce == next; };
  while (std::ranges::any_of(session_.sent, is_taken)) ++next;
  transaction_.chain = session_.where.chain;
  transaction_.nonce = next;
  transaction_.to = wish_.to;
  transaction_.input = wish_.input;
  stage_ = Stage::tip;
  return {};
}

Result<void> Posting::take_gas(std::uint64_t gas) {
  // What it takes when it happens may be a little more than now.
  if (gas > evm_limits::kGasMax / 5 * 4) {
    return fail(Errc::refused, "the chain asks for too much gas: " + std::to_string(gas));
  }
  transaction_.gas = std::max(gas, kGasMin) + gas / 4;
  stage_ = Stage::balance;
  return {};
}

Result<void> Posting::take_balance(std::uint64_t wei) {
  const std::uint64_t base = std::min(wish_.base_fee, evm_limits::kFeeMax);
  const std::uint64_t tip = std::min(transaction_.tip, evm_limits::kFeeMax);
  // The base fee of a block is at most an eighth above the one before: enough for six full ones.
  const std::uint64_t fee_max = 2 * base + tip;
  if (is_too_dear(fee_max, transaction_.gas)) {
    return fail(Errc::busy, "the chain asks for higher fees than Kith pays");
  }
  if (wei / transaction_.gas < fee_max) return no_funds(session_.signer->account);
  return make(tip, fee_max);
}

Result<void> Posting::make(std::uint64_t tip, std::uint64_t fee_max) {
  transaction_.tip = tip;
  transaction_.fee_max = fee_max;
  TRY(SignedTransaction made, sign(transaction_, *session_.signer));
  session_.sent.insert_or_assign(wish_.name, SentTransaction{transaction_, std::move(made)});
  stage_ = Stage::send;
  return {};
}

Result<void> Posting::take_receipt(const Json& result) {
  TRY(const auto receipt, read_receipt(sent().made.hash, result));
  if (receipt) {
    receipt_ = *receipt;
    if (!receipt_.success) {
      session_.sent.erase(wish_.name);
      return fail(Errc::ledger_transaction_failed,
                  "block " + std::to_string(receipt_.block) + " holds it with status 0");
    }
    state_ = State::in_block;
    return {};
  }
  const auto wait = patience_.next();
  if (!wait) {
    state_ = State::no_patience;
    return {};
  }
  wait_ = *wait;
  if (std::exchange(unsure_, false)) {
    stage_ = Stage::send;  // The same once more: it may have been lost on its way.
    return {};
  }
  // After long waits it may have been forgotten, or be too cheap by now.
  if (wait_ >= evm_limits::kPollMax / 2) stage_ = Stage::look_number;
  return {};
}

/// The same number with higher fees, where they are still too low; otherwise the same once more.
Result<void> Posting::raise_fees() {
  const Transaction& last = sent().transaction;
  if (++pricings_ > evm_limits::kPricingsMax || is_too_dear(2 * last.fee_max, last.gas)) {
    stage_ = Stage::send;
    return {};
  }
  transaction_ = last;
  return make(raised(last.tip), 2 * last.fee_max);
}

Result<void> Posting::take_refusal(const Refusal& refusal) {
  if (stage_ == Stage::tip) {
    transaction_.tip = evm_limits::kUsualTip;
    stage_ = Stage::gas;
    return {};
  }
  if (says(refusal, {"insufficient funds"})) {
    if (stage_ == Stage::send) session_.sent.erase(wish_.name);
    return no_funds(session_.signer->account);
  }
  if (stage_ == Stage::send) return refused_to_send(refusal);
  return refused_by_server(refusal);
}

Result<void> Posting::refused_to_send(const Refusal& refusal) {
  if (says(refusal, {"already known", "already imported", "alreadyknown"})) {
    stage_ = Stage::look;
    return {};
  }
  if (says(refusal, {"nonce too low"})) {
    session_.sent.erase(wish_.name);
    state_ = State::number_used;
    return {};
  }
  const bool too_cheap = says(refusal, {"underpriced", "max fee per gas less than"});
  if (too_cheap && pricings_ < evm_limits::kPricingsMax &&
      !is_too_dear(2 * sent().transaction.fee_max, sent().transaction.gas)) {
    return raise_fees();
  }
  session_.sent.erase(wish_.name);
  if (too_cheap) return fail(Errc::busy, "another transaction of this account is in the way");
  return refused_by_server(refusal);
}

bool Posting::take_silence() {
  if (stage_ != Stage::send) return false;
  stage_ = Stage::look;
  wait_ = evm_limits::kPoll;
  unsure_ = true;
  return true;
}

}  // namespace kith::ledger::evm
