#include "ledger/etcd/etcd_ledger.hpp"

namespace kith::ledger {

Result<std::unique_ptr<EtcdLedger>> EtcdLedger::open(EtcdSession session, JobExchange exchange,
                                                     std::string_view origin, bool test_mode) {
  std::unique_ptr<EtcdLedger> ledger(
      new EtcdLedger(std::move(session), std::move(exchange), test_mode));
  EtcdDescriptor job(ledger->session_, origin);
  drive(job, ledger->exchange_);
  TRY(ledger->descriptor_, job.result());
  return ledger;
}

Result<AppendOutcome> EtcdLedger::append(const AppendRequest& request, AnchorTime now) {
  EtcdAppend job(session_, request, now, test_mode_);
  drive(job, exchange_);
  return job.result();
}

Result<LedgerPage> EtcdLedger::read(std::string_view subject, std::uint64_t from) {
  EtcdRead job(session_, subject, from);
  drive(job, exchange_);
  return job.result();
}

Result<LedgerPage> EtcdLedger::follow(std::uint64_t position, std::size_t max) {
  EtcdRead job(session_, position, max);
  drive(job, exchange_);
  return job.result();
}

}  // namespace kith::ledger
