#include "ledger/evm/evm_ledger.hpp"

namespace kith::ledger {

Result<std::unique_ptr<EvmLedger>> EvmLedger::open(evm::Session session, JobExchange exchange,
                                                   bool test_mode) {
  std::unique_ptr<EvmLedger> ledger(
      new EvmLedger(std::move(session), std::move(exchange), test_mode));
  evm::Describe job(ledger->session_);
  drive(job, ledger->exchange_);
  TRY(ledger->descriptor_, job.result());
  return ledger;
}

Result<AppendOutcome> EvmLedger::append(const AppendRequest& request, AnchorTime now) {
  evm::Append job(session_, request, now, test_mode_);
  drive(job, exchange_);
  return job.result();
}

Result<LedgerPage> EvmLedger::read(std::string_view subject, std::uint64_t from) {
  evm::Read job(session_, subject, from);
  drive(job, exchange_);
  return job.result();
}

Result<LedgerPage> EvmLedger::follow(std::uint64_t position, std::size_t max) {
  evm::Read job(session_, position, max);
  drive(job, exchange_);
  return job.result();
}

}  // namespace kith::ledger
