#pragma once

/// A real chain that gives money away and makes blocks when it is told to (anvil), for programs
/// that wait for each answer. Nobody waits for blocks: who would wait gets one made.

#include <string>
#include <utility>

#include "ledger/evm/jobs.hpp"
#include "tests/e2e/http_way.hpp"
#include "tests/support/fake_chain.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {

class RealChain {
 public:
  /// `url` without a contract. Makes one.
  explicit RealChain(const std::string& url)
      : where_(must(ledger::evm::Location::parse_chain(url))) {
    ledger::evm::Session made = session(1);
    ledger::evm::Deploy job(made);
    drive(job, exchange());
    const auto deployed = must(ledger::evm::Deploy::Outcome(job.result()));
    where_.contract = deployed.contract;
    where_.from = deployed.block;
  }

  /// Whose account has money.
  [[nodiscard]] ledger::evm::Session session(std::uint8_t seed) {
    ledger::evm::Signer signer = chain_signer(seed);
    ask("anvil_setBalance", {ledger::evm::bytes_text(signer.account), "0x3635c9adc5dea00000"});
    return {where_, std::move(signer)};
  }
  [[nodiscard]] ledger::JobExchange exchange() {
    return [this](const ledger::JobQuestion& question) { return carry(question); };
  }
  [[nodiscard]] const ledger::evm::Account& contract() const { return *where_.contract; }

  Json ask(std::string_view method, const JsonArray& parameters) {
    ledger::JobQuestion question;
    question.http = {"POST", where_.rpc_url(), ledger::evm::question_text(method, parameters)};
    question.patience = std::chrono::seconds{20};
    const auto answer =
        must(ledger::evm::read_answer(must(carry(question)).body, limits::kJsonBytesMax));
    if (const auto* refusal = std::get_if<ledger::evm::Refusal>(&answer)) {
      throw std::runtime_error(refusal->words);
    }
    return std::get<Json>(answer);
  }
  void mine() { ask("anvil_mine", {}); }
  bool mine_on_wait = true;

 private:
  Result<ledger::HttpReply> carry(const ledger::JobQuestion& question) {
    if (question.wait.count() > 0 && mine_on_wait) mine();
    return way_.carry(question);
  }

  HttpWay way_;
  ledger::evm::Location where_;
};

}  // namespace kith::test
