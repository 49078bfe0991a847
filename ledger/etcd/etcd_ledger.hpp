#pragma once

/// The plug (ledger.hpp) over an etcd cluster, for callers that wait: jobs driven over a seam that
/// carries one question and brings its answer. The node drives the same jobs without waiting
/// (etcd_effects.hpp).
///
/// Anchor times are the writers' own: each entry is later than those before it in its log, and a
/// cluster has no clock to hold writers to more. Positions are revisions and have gaps. `follow`
/// makes the servers go through all keys.

#include <functional>
#include <memory>

#include "ledger/etcd/jobs.hpp"

namespace kith::ledger {

class EtcdLedger final : public Ledger {
 public:
  /// Makes the ledger if there is none below that prefix; `origin` names it then. `test_mode`: test
  /// logs are taken. Errors: those of EtcdDescriptor.
  [[nodiscard]] static Result<std::unique_ptr<EtcdLedger>> open(EtcdSession session,
                                                                JobExchange exchange,
                                                                std::string_view origin,
                                                                bool test_mode);

  [[nodiscard]] const LedgerDescriptor& descriptor() const override { return descriptor_; }
  /// Also: busy, and those of EtcdJob.
  [[nodiscard]] Result<AppendOutcome> append(const AppendRequest& request, AnchorTime now) override;
  [[nodiscard]] Result<LedgerPage> read(std::string_view subject, std::uint64_t from) override;
  [[nodiscard]] Result<LedgerPage> follow(std::uint64_t position, std::size_t max) override;

 private:
  EtcdLedger(EtcdSession session, JobExchange exchange, bool test_mode)
      : session_(std::move(session)), exchange_(std::move(exchange)), test_mode_(test_mode) {}

  EtcdSession session_;
  JobExchange exchange_;
  bool test_mode_;
  LedgerDescriptor descriptor_;
};

}  // namespace kith::ledger
