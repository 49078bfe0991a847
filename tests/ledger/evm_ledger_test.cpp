// A ledger on a chain that fails: transactions that get lost, wait, are too cheap or have no
// effect, blocks that are replaced, and strangers who post. The contract's suite runs on it too.

#include "ledger/evm/evm_ledger.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "ledger/evm/abi.hpp"
#include "ledger/evm/limits.hpp"
#include "tests/support/fake_chain.hpp"
#include "tests/support/log_lab.hpp"
#include "tests/support/lossy_way.hpp"

namespace kith::test {
namespace {

namespace evm = ledger::evm;
using ledger::Appended;
using ledger::AppendOutcome;
using ledger::HttpReply;
using ledger::StaleHead;
using ledger::UnknownOutcome;

bool is_there(const Result<AppendOutcome>& outcome) {
  return outcome.has_value() && std::holds_alternative<Appended>(*outcome);
}
bool is_open(const Result<AppendOutcome>& outcome) {
  return outcome.has_value() && std::holds_alternative<UnknownOutcome>(*outcome);
}

class EvmLedgerTest : public ::testing::Test {
 protected:
  void SetUp() override { lab_.start(); }

  ledger::AppendRequest genesis() const { return {lab_.subject, lab_.blobs[0].blob, ""}; }
  static ledger::AppendRequest request(const Entry& entry) {
    return {entry.id, ledger::entry_blob(entry), entry.prev};
  }
  template <class Job>
  void drive(Job& job, const ledger::JobExchange& exchange) {
    waited_ = {};
    while (auto question = job.next()) {
      waited_ += question->wait;
      job.take(exchange(*question));
    }
  }
  Result<AppendOutcome> append(const ledger::AppendRequest& wanted,
                               const ledger::JobExchange& exchange) {
    evm::Append job(session_, wanted, lab_.time, true);
    drive(job, exchange);
    return job.result();
  }
  Result<AppendOutcome> append(const ledger::AppendRequest& wanted) {
    return append(wanted, chain_.exchange());
  }
  Result<ledger::LedgerPage> read(std::uint64_t from = 0) {
    evm::Read job(session_, lab_.subject, from);
    drive(job, chain_.exchange());
    return job.result();
  }
  std::size_t copies() const { return chain_.count_of(lab_.blobs[0].blob); }
  std::size_t sendings() const {
    return static_cast<std::size_t>(std::ranges::count(chain_.asked, "eth_sendRawTransaction"));
  }

  LogLab lab_;
  FakeChain chain_{3};
  evm::Session session_ = chain_.session();
  std::chrono::milliseconds waited_{0};
};

// What gets lost.

TEST_F(EvmLedgerTest, ASendingWhoseAnswerIsLostIsFoundAndNotRepeated) {
  LossyWay way(chain_.exchange(), is_sending);
  way.lose_answers = 1;
  ASSERT_TRUE(is_there(append(genesis(), way.exchange())));
  EXPECT_EQ(copies(), 1U);
  EXPECT_EQ(sendings(), 1U);
}

TEST_F(EvmLedgerTest, WhatWasLostOnItsWayIsSentAgain) {
  LossyWay way(chain_.exchange(), is_sending);
  way.lose_writes = 2;
  ASSERT_TRUE(is_there(append(genesis(), way.exchange())));
  EXPECT_EQ(copies(), 1U);
}

TEST_F(EvmLedgerTest, WhereNothingIsHeardAnyMoreTheOutcomeIsUnknownAndLaterFound) {
  bool silent = false;
  const auto exchange = [&](const ledger::JobQuestion& question) -> Result<HttpReply> {
    if (silent) return fail(Errc::timeout, "");
    silent = is_sending(question);
    auto reply = chain_.answer(question);
    return silent ? Result<HttpReply>(fail(Errc::timeout, "")) : std::move(reply);
  };
  ASSERT_TRUE(is_open(append(genesis(), exchange)));
  ASSERT_TRUE(is_there(append(genesis())));
  EXPECT_EQ(copies(), 1U);
}

TEST_F(EvmLedgerTest, WhatAServerSaysInMadnessAfterTheSendingLeavesTheOutcomeUnknown) {
  bool sent = false;
  const auto exchange = [&](const ledger::JobQuestion& question) -> Result<HttpReply> {
    auto reply = chain_.answer(question);
    if (sent) return HttpReply{200, "application/json", "<html>"};
    sent = is_sending(question);
    return reply;
  };
  ASSERT_TRUE(is_open(append(genesis(), exchange)));
  ASSERT_TRUE(is_there(append(genesis())));
  EXPECT_EQ(sendings(), 1U);
}

/// A node that was stopped remembers no transaction: it reads, and takes the same number.
TEST_F(EvmLedgerTest, AfterARestartTheSameNumberIsUsedSoThatOnlyOneHappens) {
  chain_.mine_at_once = chain_.mine_on_wait = false;
  ASSERT_TRUE(is_open(append(genesis())));
  ASSERT_EQ(chain_.waiting.size(), 1U);
  session_ = chain_.session();
  chain_.mine_on_wait = true;
  ASSERT_TRUE(is_there(append(genesis())));
  EXPECT_EQ(copies(), 1U);
}

TEST_F(EvmLedgerTest, NothingIsHeardAtAll) {
  const auto dead = [](const ledger::JobQuestion&) -> Result<HttpReply> {
    return fail(Errc::unreachable, "nothing listens there");
  };
  EXPECT_EQ(append(genesis(), dead).error(), Errc::unreachable);
  EXPECT_GT(waited_.count(), 0);
  unsigned asked = 0;
  const auto busy = [&](const ledger::JobQuestion& question) -> Result<HttpReply> {
    if (++asked % 3 == 1) return HttpReply{429, "text/plain", "slow down"};
    return chain_.answer(question);
  };
  EXPECT_TRUE(is_there(append(genesis(), busy)));
}

// Finality and replaced blocks.

TEST_F(EvmLedgerTest, NothingIsAppendedBeforeItIsFinal) {
  chain_.mine_on_wait = false;
  ASSERT_TRUE(is_open(append(genesis())));
  EXPECT_LE(waited_, ledger::evm_limits::kWaitMax);
  EXPECT_TRUE(must(read()).entries.empty());
  chain_.mine(2);
  ASSERT_TRUE(is_open(append(genesis())));
  chain_.mine();
  const auto outcome = append(genesis());
  ASSERT_TRUE(is_there(outcome));
  EXPECT_EQ(sendings(), 1U);
  const auto page = must(read());
  ASSERT_EQ(page.entries.size(), 1U);
  EXPECT_EQ(page.entries[0].position, std::get<Appended>(*outcome).position);
  EXPECT_EQ(evm::block_of(page.entries[0].position), 1U);
  EXPECT_EQ(ledger::to_ms(page.entries[0].time),
            static_cast<std::int64_t>(chain_.blocks[1].time_s) * 1000);
}

TEST_F(EvmLedgerTest, AReplacementOfThreeBlocksLosesNothingThatWasCalledFinal) {
  ASSERT_TRUE(is_there(append(genesis())));
  const auto before = must(read());
  chain_.replace(3, false);
  EXPECT_EQ(must(read()), before);
  chain_.mine(5);
  EXPECT_EQ(must(read()), before);
  // One block deeper than the address asks for would take it back.
  chain_.replace(chain_.height(), false);
  EXPECT_TRUE(must(read()).entries.empty());
}

TEST_F(EvmLedgerTest, WhatWasInAReplacedBlockIsFoundWhereItComesBack) {
  chain_.mine_on_wait = false;
  ASSERT_TRUE(is_open(append(genesis())));
  chain_.replace(1);
  chain_.mine_on_wait = true;
  const auto outcome = append(genesis());
  ASSERT_TRUE(is_there(outcome));
  EXPECT_EQ(evm::block_of(std::get<Appended>(*outcome).position), 2U);
  EXPECT_EQ(copies(), 1U);
}

TEST_F(EvmLedgerTest, WhatAReplacementLostIsSentAgain) {
  chain_.mine_on_wait = false;
  ASSERT_TRUE(is_open(append(genesis())));
  chain_.replace(1, false);
  chain_.mine_on_wait = true;
  ASSERT_TRUE(is_there(append(genesis())));
  EXPECT_EQ(copies(), 1U);
  EXPECT_GE(sendings(), 2U);
}

TEST_F(EvmLedgerTest, BlocksThatAreReplacedWhileItReadsAreReadAgain) {
  ASSERT_TRUE(is_there(append(genesis())));
  bool replaced = false;
  const auto exchange = [&](const ledger::JobQuestion& question) {
    auto reply = chain_.answer(question);
    if (!replaced && question.http.body.find("eth_getLogs") != std::string::npos) {
      replaced = true;
      chain_.replace(chain_.height());  // All of them: no address could ask for that.
      chain_.mine(9);
    }
    return reply;
  };
  evm::Read job(session_, lab_.subject, 0);
  drive(job, exchange);
  const auto page = must(Result<ledger::LedgerPage>(job.result()));
  ASSERT_EQ(page.entries.size(), 1U);
  EXPECT_GT(evm::block_of(page.entries[0].position), 1U);
}

TEST_F(EvmLedgerTest, BlocksThatAreReplacedAllTheTimeEndTheJob) {
  ASSERT_TRUE(is_there(append(genesis())));
  const auto exchange = [&](const ledger::JobQuestion& question) {
    auto reply = chain_.answer(question);
    if (question.http.body.find("eth_getLogs") != std::string::npos) {
      chain_.replace(chain_.height());
      chain_.mine(9);
    }
    return reply;
  };
  evm::Read job(session_, lab_.subject, 0);
  drive(job, exchange);
  EXPECT_EQ(job.result().error(), Errc::busy);
}

TEST_F(EvmLedgerTest, FinalIsWhatTheChainSaysWhereNoNumberIsNamed) {
  chain_.where.confirmations.reset();
  session_ = chain_.session();
  ASSERT_TRUE(is_there(append(genesis())));
  EXPECT_EQ(chain_.height(), 3U);
  chain_.knows_finalized = false;
  EXPECT_EQ(read().error(), Errc::unsupported);
}

TEST_F(EvmLedgerTest, AnEntryThatIsNotFinalDecidesNothing) {
  ASSERT_TRUE(is_there(append(genesis())));
  const Entry theirs = lab_.update(1);
  const Entry mine = lab_.update(2);
  chain_.mine_on_wait = false;
  chain_.post(lab_.subject, ledger::entry_blob(theirs));
  EXPECT_EQ(append(request(mine)).error(), Errc::busy);
  EXPECT_EQ(chain_.count_of(ledger::entry_blob(mine)), 0U);
  // It goes away again, or is final and ahead.
  chain_.mine_on_wait = true;
  const auto outcome = must(append(request(mine)));
  ASSERT_TRUE(std::holds_alternative<StaleHead>(outcome));
  chain_.replace(chain_.height() - 1, false);
  chain_.mine(5);
  EXPECT_TRUE(is_there(append(request(mine))));
}

// Transactions.

TEST_F(EvmLedgerTest, ATransactionWithoutEffectIsTold) {
  chain_.without_effect = true;
  const auto failed = append(genesis());
  ASSERT_FALSE(failed.has_value());
  EXPECT_EQ(failed.error(), Errc::ledger_transaction_failed);
  EXPECT_TRUE(must(read()).entries.empty());
  chain_.without_effect = false;
  EXPECT_TRUE(is_there(append(genesis())));
}

TEST_F(EvmLedgerTest, AnAccountWithoutMoneyIsNamedAndSendsNothing) {
  chain_.balance = 1000;
  const auto poor = append(genesis());
  ASSERT_FALSE(poor.has_value());
  EXPECT_EQ(poor.error(), Errc::ledger_no_funds);
  EXPECT_NE(poor.error().detail.find(evm::account_text(session_.signer->account)),
            std::string::npos);
  EXPECT_EQ(sendings(), 0U);
  chain_.balance = ~std::uint64_t{0};
  EXPECT_TRUE(is_there(append(genesis())));
}

TEST_F(EvmLedgerTest, WithoutAnAccountItOnlyReads) {
  ASSERT_TRUE(is_there(append(genesis())));
  session_.signer.reset();
  EXPECT_EQ(must(read()).entries.size(), 1U);
  EXPECT_EQ(append(request(lab_.update(1))).error(), Errc::refused);
  EXPECT_TRUE(is_there(append(genesis())));
}

TEST_F(EvmLedgerTest, FeesFollowTheChainUpToABound) {
  chain_.mine_at_once = false;
  // Dearer than it was when the transaction was made.
  bool sent = false;
  const auto exchange = [&](const ledger::JobQuestion& question) {
    auto reply = chain_.answer(question);
    if (is_sending(question) && !std::exchange(sent, true)) chain_.base_fee *= 5;
    return reply;
  };
  ASSERT_TRUE(is_there(append(genesis(), exchange)));
  EXPECT_GT(sendings(), 1U);
  EXPECT_TRUE(chain_.waiting.empty());
  EXPECT_EQ(copies(), 1U);
  chain_.base_fee = ledger::evm_limits::kFeeMax;
  EXPECT_EQ(append(request(lab_.update(1))).error(), Errc::busy);
  EXPECT_TRUE(chain_.waiting.empty());
}

TEST_F(EvmLedgerTest, AServerWithoutAWordOnTipsGetsTheUsualOne) {
  chain_.knows_tip = false;
  chain_.mine_at_once = chain_.mine_on_wait = false;
  ASSERT_TRUE(is_open(append(genesis())));
  EXPECT_GE(chain_.waiting.front().fields.tip, ledger::evm_limits::kUsualTip);
}

TEST_F(EvmLedgerTest, TwoAppendsAtOnceTakeDifferentNumbers) {
  LogLab other(Kind::did, {}, 2);
  other.start();
  chain_.mine_at_once = chain_.mine_on_wait = false;
  ASSERT_TRUE(is_open(append(genesis())));
  ASSERT_TRUE(is_open(append({other.subject, other.blobs[0].blob, ""})));
  ASSERT_EQ(chain_.waiting.size(), 2U);
  EXPECT_NE(chain_.waiting[0].fields.nonce, chain_.waiting[1].fields.nonce);
  chain_.mine(4);
  EXPECT_TRUE(is_there(append(genesis())));
  EXPECT_TRUE(is_there(append({other.subject, other.blobs[0].blob, ""})));
}

TEST_F(EvmLedgerTest, AnotherChainsServerIsNotAsked) {
  chain_.chain = 1;
  EXPECT_EQ(append(genesis()).error(), Errc::refused);
  EXPECT_EQ(chain_.asked, std::vector<std::string>{"eth_chainId"});
}

// Strangers, and servers that give little at a time.

TEST_F(EvmLedgerTest, WhatStrangersPostStandsInNobodysWay) {
  ASSERT_TRUE(is_there(append(genesis())));
  LogLab other(Kind::did, {}, 2);
  other.start();
  Entry forged = lab_.update(7);
  forged.sigs.front().s.front() ^= 1U;
  chain_.post(lab_.subject, crypto::to_bytes("junk"));
  chain_.post(lab_.subject, {});
  chain_.post(lab_.subject, other.blobs[0].blob);
  chain_.post(lab_.subject, ledger::entry_blob(forged));
  chain_.mine(4);
  const Entry update = lab_.update(1);
  ASSERT_TRUE(is_there(append(request(update))));
  const auto page = must(read());
  ASSERT_EQ(page.entries.size(), 3U);  // The forged one is judged by readers.
  EXPECT_EQ(page.entries[2].blob, ledger::entry_blob(update));
}

TEST_F(EvmLedgerTest, ServersThatGiveFewBlocksAtATimeAreAskedForFew) {
  chain_.mine(500);
  ASSERT_TRUE(is_there(append(genesis())));
  chain_.blocks_max = 7;
  session_ = chain_.session();
  EXPECT_EQ(must(read()).entries.size(), 1U);
  // Where reading begins is in the address.
  const auto all = chain_.asked.size();
  chain_.where.from = 495;
  session_ = chain_.session();
  EXPECT_EQ(must(read()).entries.size(), 1U);
  EXPECT_LT((chain_.asked.size() - all) * 4, all);
  chain_.blocks_max = 0;
  chain_.events_max = 1;
  ASSERT_TRUE(is_there(append(request(lab_.update(1)))));
  EXPECT_EQ(must(read()).entries.size(), 2U);
}

TEST_F(EvmLedgerTest, ABlockFullOfJunkIsReadInOnePiece) {
  ASSERT_TRUE(is_there(append(genesis())));
  chain_.mine_at_once = false;
  for (int i = 0; i < 40; ++i) {
    chain_.post(lab_.subject, Bytes(limits::kEntryBytesMax, 'j'));
    auto moved = std::move(chain_.blocks.back().transactions.front());
    chain_.blocks.pop_back();
    if (i == 0) chain_.mine();
    moved.first_event = static_cast<std::uint64_t>(i);
    chain_.blocks.back().transactions.push_back(std::move(moved));
  }
  chain_.mine(4);
  chain_.mine_at_once = true;
  ASSERT_TRUE(is_there(append(request(lab_.update(1)))));
  EXPECT_EQ(must(read()).entries.size(), 2U);
}

TEST_F(EvmLedgerTest, MoreJunkThanReadersTakeKeepsNobodyOut) {
  ASSERT_TRUE(is_there(append(genesis())));
  std::size_t bytes = 0;
  for (std::uint64_t i = 0; bytes < 2 * limits::kLedgerSubjectBytesMax; ++i) {
    Entry forged = lab_.update(i);
    forged.content->state.get_object()["junk"] = std::string(12'000, 'x') + std::to_string(i);
    chain_.post(lab_.subject, ledger::entry_blob(forged));
    bytes += ledger::entry_blob(forged).size();
  }
  chain_.mine(4);
  ASSERT_TRUE(is_there(append(request(lab_.update(1)))));
}

// What it is, and making one.

TEST_F(EvmLedgerTest, IsWhatItsAddressSays) {
  evm::Describe job(session_);
  drive(job, chain_.exchange());
  const auto descriptor = must(Result<ledger::LedgerDescriptor>(job.result()));
  EXPECT_EQ(descriptor.kind, "evm");
  EXPECT_EQ(descriptor.origin, "kith.evm/1337/0xC000000000000000000000000000000000000000/3");
  EXPECT_FALSE(ledger::can_prove(descriptor));
  // Another rule of finality is another ledger.
  evm::Location other = chain_.where;
  other.confirmations = 4;
  EXPECT_NE(ledger::ledger_id(evm::descriptor_of(other)), ledger::ledger_id(descriptor));
  chain_.has_contract = false;
  evm::Describe empty(session_);
  drive(empty, chain_.exchange());
  EXPECT_EQ(empty.result().error(), Errc::not_found);
}

TEST_F(EvmLedgerTest, MakesAContractWhereTheAccountSays) {
  LossyWay way(chain_.exchange(), is_sending);
  way.lose_answers = 1;
  evm::Deploy job(session_);
  drive(job, way.exchange());
  const auto made = must(Result<evm::Deploy::Made>(job.result()));
  EXPECT_EQ(made.contract, evm::contract_made_by(session_.signer->account, 0));
  EXPECT_EQ(made.block, 1U);
  chain_.balance = 0;
  evm::Deploy poor(session_);
  drive(poor, chain_.exchange());
  EXPECT_EQ(poor.result().error(), Errc::ledger_no_funds);
}

}  // namespace
}  // namespace kith::test
