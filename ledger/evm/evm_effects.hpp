#pragma once

/// Ledger effects on a chain (remote/job_effects.hpp). Jobs try for a minute; an append that is not
/// final by then counts as unknown, and is tried again by itself.

#include <memory>

#include "ledger/evm/jobs.hpp"
#include "ledger/remote/job_effects.hpp"

namespace kith::ledger::evm {

struct TaskContext {
  AnchorTime now;
  bool test_mode = false;
};
/// `session` outlives it. Errors: those of make_ledger_task.
[[nodiscard]] Result<std::unique_ptr<LedgerTask>> task(const protocol::Effect& effect,
                                                       Session& session,
                                                       const TaskContext& context);

}  // namespace kith::ledger::evm
