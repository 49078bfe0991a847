#include "ledger/evm/evm_effects.hpp"

#include "ledger/ledger_effects.hpp"

namespace kith::ledger {

namespace {

using protocol::Effect;
using protocol::EffectKind;
using protocol::EffectResult;

template <class Job, EffectResult (*Finish)(const Effect&, const typename Job::Outcome&)>
class ChainTask final : public EvmTask {
 public:
  template <class... Args>
  explicit ChainTask(const Effect& effect, Args&&... args)
      : effect_(effect), job_(std::forward<Args>(args)...) {}
  evm::Job& job() override { return job_; }
  EffectResult result() const override {
    EffectResult result = Finish(effect_, job_.result());
    // An unknown outcome is no error of the job.
    result.retry = result.retry && job_.result().has_value();
    return result;
  }

 private:
  Effect effect_;
  Job job_;
};

}  // namespace

Result<std::unique_ptr<EvmTask>> EvmTask::make(const Effect& effect, evm::Session& session,
                                               const Context& context) {
  using Made = std::unique_ptr<EvmTask>;
  switch (effect.kind) {
    case EffectKind::ledger_append: {
      TRY(const auto payload,
          protocol::decode_record<protocol::LedgerAppendPayload>(effect.payload));
      const AppendRequest request{payload.subject, payload.blob, payload.expected_head};
      return Made(std::make_unique<ChainTask<evm::Append, append_result>>(
          effect, session, request, context.now, context.test_mode));
    }
    case EffectKind::ledger_read: {
      TRY(const auto payload, protocol::decode_record<protocol::LedgerReadPayload>(effect.payload));
      return Made(std::make_unique<ChainTask<evm::Read, read_result>>(
          effect, session, payload.subject, payload.from));
    }
    case EffectKind::fetch:
      return Made(std::make_unique<ChainTask<evm::Describe, descriptor_result>>(effect, session));
    case EffectKind::send:
    case EffectKind::live:
      break;
  }
  return fail(Errc::unsupported, "not an effect on a ledger");
}

}  // namespace kith::ledger
