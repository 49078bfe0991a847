#pragma once

/// Ledger effects on an etcd cluster (remote/job_effects.hpp). Jobs try for seconds.

#include <memory>

#include "ledger/etcd/jobs.hpp"
#include "ledger/remote/job_effects.hpp"

namespace kith::ledger {

struct EtcdTaskContext {
  AnchorTime now;
  bool test_mode = false;
  std::string origin;  ///< Of a ledger that has to be made.
};
/// `session` outlives it. Errors: those of make_ledger_task.
[[nodiscard]] Result<std::unique_ptr<LedgerTask>> etcd_task(const protocol::Effect& effect,
                                                            EtcdSession& session,
                                                            const EtcdTaskContext& context);

}  // namespace kith::ledger
