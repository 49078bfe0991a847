#include "ledger/evm/evm_effects.hpp"

namespace kith::ledger::evm {

Result<std::unique_ptr<LedgerTask>> task(const protocol::Effect& effect, Session& session,
                                         const TaskContext& context) {
  LedgerTaskMakers makers;
  makers.append = [&](const AppendRequest& request) {
    return std::make_unique<LedgerTaskOf<Append, append_result>>(effect, session, request,
                                                                 context.now, context.test_mode);
  };
  makers.read = [&](const protocol::LedgerReadPayload& asked) {
    return std::make_unique<LedgerTaskOf<Read, read_result>>(effect, session, asked.subject,
                                                             asked.from);
  };
  makers.describe = [&] {
    return std::make_unique<LedgerTaskOf<Describe, descriptor_result>>(effect, session);
  };
  return make_ledger_task(effect, makers);
}

}  // namespace kith::ledger::evm
