#pragma once

/// A real chain that gives money away and makes blocks when it is told to (anvil), for programs
/// that wait for each answer. Nobody waits for blocks: who would wait gets one made.

#include <boost/asio/io_context.hpp>
#include <optional>
#include <string>
#include <utility>

#include "node/runtime/etcd_ledgers.hpp"
#include "node/runtime/evm_ledgers.hpp"
#include "tests/support/fake_chain.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {

class RealChain {
 public:
  /// `url` without a contract. Makes one.
  explicit RealChain(const std::string& url)
      : client_(io_, options()), where_(must(ledger::evm::Location::parse_chain(url))) {
    ledger::evm::Session made = session(1);
    ledger::evm::Deploy job(made);
    while (const auto question = job.next()) job.take(carry(*question));
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
  [[nodiscard]] ledger::EvmExchange exchange() {
    return [this](const ledger::evm::Question& question) { return carry(question); };
  }
  [[nodiscard]] const ledger::evm::Account& contract() const { return *where_.contract; }

  Json ask(std::string_view method, const JsonArray& parameters) {
    ledger::evm::Question question;
    question.http = {"POST", where_.rpc_url(), ledger::evm::question_text(method, parameters)};
    question.answer_bytes = limits::kJsonBytesMax;
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
  static node::ClientOptions options() {
    node::ClientOptions options;
    options.policy.allow_private = true;
    return options;
  }
  Result<ledger::HttpReply> carry(const ledger::evm::Question& question) {
    if (question.wait.count() > 0 && mine_on_wait) mine();
    std::optional<Result<node::HttpReply>> reply;
    client_.request(node::call_of(question),
                    [&](Result<node::HttpReply> got) { reply = std::move(got); });
    while (!reply) {
      if (io_.stopped()) io_.restart();
      io_.run_one();
    }
    return node::reply_of(std::move(*reply));
  }

  boost::asio::io_context io_;
  node::HttpClient client_;
  ledger::evm::Location where_;
};

}  // namespace kith::test
