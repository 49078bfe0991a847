#include "ledger/remote/job_effects.hpp"

namespace kith::ledger {

using protocol::EffectKind;

Result<std::unique_ptr<LedgerTask>> make_ledger_task(const protocol::Effect& effect,
                                                     const LedgerTaskMakers& makers) {
  switch (effect.kind) {
    case EffectKind::ledger_append: {
      TRY(const auto payload,
          protocol::decode_record<protocol::LedgerAppendPayload>(effect.payload));
      return makers.append({payload.subject, payload.blob, payload.expected_head});
    }
    case EffectKind::ledger_read: {
      TRY(const auto payload, protocol::decode_record<protocol::LedgerReadPayload>(effect.payload));
      return makers.read(payload);
    }
    case EffectKind::fetch:
      return makers.describe();
    case EffectKind::send:
    case EffectKind::live:
      break;
  }
  return fail(Errc::unsupported, "not an effect on a ledger");
}

}  // namespace kith::ledger
