#pragma once

/// Ledger effects (ledger_effects.hpp) as jobs. A job has tried for a while before it fails, so its
/// errors go to the effect's owner, who tells people and tries again later; only an append whose
/// outcome is unknown is tried again by itself.

#include <functional>
#include <memory>
#include <utility>

#include "ledger/ledger_effects.hpp"
#include "ledger/remote/job.hpp"

namespace kith::ledger {

/// An effect with its job.
class LedgerTask {
 public:
  virtual ~LedgerTask() = default;
  LedgerTask(const LedgerTask&) = delete;
  LedgerTask& operator=(const LedgerTask&) = delete;

  [[nodiscard]] virtual RemoteJob& job() = 0;
  /// Of the ended job.
  [[nodiscard]] virtual protocol::EffectResult result() const = 0;

 protected:
  LedgerTask() = default;
};

/// `Finish` makes the effect's result of the job's: append_result, read_result, descriptor_result.
template <class Job,
          protocol::EffectResult (*Finish)(const protocol::Effect&, const typename Job::Outcome&)>
class LedgerTaskOf final : public LedgerTask {
 public:
  template <class... Args>
  explicit LedgerTaskOf(const protocol::Effect& effect, Args&&... args)
      : effect_(effect), job_(std::forward<Args>(args)...) {}
  RemoteJob& job() override { return job_; }
  protocol::EffectResult result() const override {
    protocol::EffectResult result = Finish(effect_, job_.result());
    // An unknown outcome is no error of the job.
    result.retry = result.retry && job_.result().has_value();
    return result;
  }

 private:
  protocol::Effect effect_;
  Job job_;
};

/// How a backend makes the tasks of the three kinds of effect.
struct LedgerTaskMakers {
  using Made = std::unique_ptr<LedgerTask>;
  std::function<Made(const AppendRequest&)> append;
  std::function<Made(const protocol::LedgerReadPayload&)> read;
  std::function<Made()> describe;
};
/// Errors: malformed (a payload), unsupported (another kind of effect).
[[nodiscard]] Result<std::unique_ptr<LedgerTask>> make_ledger_task(const protocol::Effect& effect,
                                                                   const LedgerTaskMakers& makers);

}  // namespace kith::ledger
