#include "ledger/evm/evm_ledger.hpp"

namespace kith::ledger {

Result<std::unique_ptr<EvmLedger>> EvmLedger::open(evm::Session session, EvmExchange exchange,
                                                   bool test_mode) {
  std::unique_ptr<EvmLedger> ledger(
      new EvmLedger(std::move(session), std::move(exchange), test_mode));
  evm::Describe job(ledger->session_);
  ledger->drive(job);
  TRY(ledger->descriptor_, job.result());
  return ledger;
}

void EvmLedger::drive(evm::Job& job) {
  while (const auto question = job.next()) job.take(exchange_(*question));
}

Result<AppendOutcome> EvmLedger::append(const AppendRequest& request, AnchorTime now) {
  evm::Append job(session_, request, now, test_mode_);
  drive(job);
  return job.result();
}

Result<LedgerPage> EvmLedger::read(std::string_view subject, std::uint64_t from) {
  evm::Read job(session_, subject, from);
  drive(job);
  return job.result();
}

Result<LedgerPage> EvmLedger::follow(std::uint64_t position, std::size_t max) {
  evm::Read job(session_, position, max);
  drive(job);
  return job.result();
}

}  // namespace kith::ledger
