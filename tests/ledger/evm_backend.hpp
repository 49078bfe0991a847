#pragma once

/// A chain, real or not, as a backend of the contract's suite.

#include <utility>

#include "tests/ledger/ledger_contract.hpp"
#include "tests/support/fake_chain.hpp"
#include "tests/support/lossy_way.hpp"

namespace kith::test {

/// `exchange` reaches the chain, which `kept` keeps alive. Each client pays from an account of its
/// own, by the number that `session` gets.
inline Backend evm_backend(std::shared_ptr<void> kept, const ledger::JobExchange& exchange,
                           const std::function<ledger::evm::Session(std::uint8_t seed)>& session,
                           bool test_mode) {
  struct Kept {
    std::shared_ptr<void> chain;
    LossyWay way;
    std::uint8_t seeds = 1;
  };
  const auto all = std::make_shared<Kept>(Kept{std::move(kept), LossyWay(exchange, is_sending)});
  const auto open = [=](std::uint8_t seed, const ledger::JobExchange& through) {
    return std::unique_ptr<Ledger>(
        must(ledger::EvmLedger::open(session(seed), through, test_mode)));
  };
  Backend backend{all, open(1, all->way.exchange())};
  backend.open = [=] { return open(++all->seeds, exchange); };
  backend.between = [all](std::function<void()> what) { all->way.before_write = std::move(what); };
  backend.lose_answer = [all] { all->way.lose_answers = 1; };
  backend.writers_clock = false;
  backend.keeps_losers_out = false;
  return backend;
}

}  // namespace kith::test
