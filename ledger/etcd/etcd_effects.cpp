#include "ledger/etcd/etcd_effects.hpp"

namespace kith::ledger {

Result<std::unique_ptr<LedgerTask>> etcd_task(const protocol::Effect& effect, EtcdSession& session,
                                              const EtcdTaskContext& context) {
  LedgerTaskMakers makers;
  makers.append = [&](const AppendRequest& request) {
    return std::make_unique<LedgerTaskOf<EtcdAppend, append_result>>(
        effect, session, request, context.now, context.test_mode);
  };
  makers.read = [&](const protocol::LedgerReadPayload& asked) {
    return std::make_unique<LedgerTaskOf<EtcdRead, read_result>>(effect, session, asked.subject,
                                                                 asked.from);
  };
  makers.describe = [&] {
    return std::make_unique<LedgerTaskOf<EtcdDescriptor, descriptor_result>>(effect, session,
                                                                             context.origin);
  };
  return make_ledger_task(effect, makers);
}

}  // namespace kith::ledger
