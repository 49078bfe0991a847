// The contract's suite on a real chain, and what only a real one shows: blocks that are replaced
// and transactions without effect. KITH_EVM names the chain, as evm://HOST:PORT/CHAIN. Each ledger
// gets a contract of its own.

#include <cstdlib>

#include "tests/e2e/evm/real_chain.hpp"
#include "tests/ledger/evm_backend.hpp"
#include "tests/ledger/ledger_contract.hpp"
#include "tests/support/lossy_way.hpp"

namespace kith::test {
namespace {

std::shared_ptr<RealChain> real_chain(const std::string& finality) {
  const char* url = std::getenv("KITH_EVM");
  if (url == nullptr) throw std::runtime_error("KITH_EVM names no chain");
  return std::make_shared<RealChain>(url + finality);
}

Backend make_evm(bool test_mode) {
  const auto chain = real_chain("?confirmations=2");
  return evm_backend(
      chain, chain->exchange(), [chain](std::uint8_t seed) { return chain->session(seed); },
      test_mode);
}

const Maker kReal{"evm", make_evm};

INSTANTIATE_TEST_SUITE_P(Real, LedgerContract, ::testing::Values(kReal), maker_name);
INSTANTIATE_TEST_SUITE_P(Real, ReopenedLedger, ::testing::Values(kReal), maker_name);
INSTANTIATE_TEST_SUITE_P(Real, SharedLedger, ::testing::Values(kReal), maker_name);
INSTANTIATE_TEST_SUITE_P(Real, CrowdedLedger, ::testing::Values(kReal), maker_name);

class RealChainTest : public ::testing::Test {
 protected:
  void SetUp() override { lab_.start(); }
  std::unique_ptr<ledger::EvmLedger> open() {
    return must(ledger::EvmLedger::open(chain_->session(1), way_.exchange(), true));
  }
  ledger::AppendRequest genesis() const { return {lab_.subject, lab_.blobs[0].blob, ""}; }
  ledger::AppendRequest next() {
    const Entry update = lab_.update(lab_.blobs.size());
    lab_.post(update);
    return {update.id, ledger::entry_blob(update), update.prev};
  }
  /// The newest `depth` blocks become others, without transactions.
  void replace(int depth) { chain_->ask("anvil_reorg", {depth, JsonArray{}}); }

  LogLab lab_;
  std::shared_ptr<RealChain> chain_ = real_chain("?confirmations=3");
  LossyWay way_{chain_->exchange(), is_sending};
};

bool is_there(const AppendOutcome& outcome) {
  return std::holds_alternative<Appended>(outcome);
}

TEST_F(RealChainTest, AReplacementOfThreeBlocksLosesNothingThatWasCalledFinal) {
  const auto ledger = open();
  ASSERT_TRUE(is_there(must(ledger->append(genesis(), lab_.time))));
  ASSERT_TRUE(is_there(must(ledger->append(next(), lab_.time))));
  const LedgerPage before = must(ledger->read(lab_.subject, 0));
  ASSERT_EQ(before.entries.size(), 2U);
  replace(3);
  EXPECT_EQ(must(ledger->read(lab_.subject, 0)), before);
  for (int i = 0; i < 5; ++i) chain_->mine();
  EXPECT_EQ(must(ledger->read(lab_.subject, 0)), before);
  EXPECT_EQ(must(open()->read(lab_.subject, 0)), before);
}

TEST_F(RealChainTest, WhatAReplacedBlockHeldWasNotCalledAppendedAndIsPostedAgain) {
  const auto ledger = open();
  ASSERT_TRUE(is_there(must(ledger->append(genesis(), lab_.time))));
  const auto wanted = next();
  chain_->mine_on_wait = false;
  ASSERT_TRUE(std::holds_alternative<UnknownOutcome>(must(ledger->append(wanted, lab_.time))));
  EXPECT_EQ(must(ledger->read(lab_.subject, 0)).entries.size(), 1U);
  replace(1);
  chain_->mine_on_wait = true;
  ASSERT_TRUE(is_there(must(ledger->append(wanted, lab_.time))));
  EXPECT_EQ(must(ledger->read(lab_.subject, 0)).entries.size(), 2U);
}

TEST_F(RealChainTest, ATransactionWithoutEffectIsTold) {
  const auto ledger = open();
  ASSERT_TRUE(is_there(must(ledger->append(genesis(), lab_.time))));
  const std::string contract = ledger::evm::bytes_text(chain_->contract());
  const Json code = chain_->ask("eth_getCode", {contract, "latest"});
  const auto wanted = next();
  // Between the question what it takes and its block, the contract comes to refuse everything.
  way_.before_write = [&] { chain_->ask("anvil_setCode", {contract, "0x60006000fd"}); };
  EXPECT_EQ(ledger->append(wanted, lab_.time).error(), Errc::ledger_transaction_failed);
  chain_->ask("anvil_setCode", {contract, code});
  EXPECT_TRUE(is_there(must(ledger->append(wanted, lab_.time))));
  EXPECT_EQ(must(ledger->read(lab_.subject, 0)).entries.size(), 2U);
}

TEST_F(RealChainTest, WithoutMoneyNothingIsSent) {
  const auto ledger = open();
  const std::string account = ledger::evm::bytes_text(chain_signer(1).account);
  chain_->ask("anvil_setBalance", {account, "0x1"});
  EXPECT_EQ(ledger->append(genesis(), lab_.time).error(), Errc::ledger_no_funds);
}

}  // namespace
}  // namespace kith::test
