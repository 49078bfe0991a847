#pragma once

/// Ledger effects (ledger_effects.hpp) on a chain. The job inside has tried for a minute before it
/// fails, so its errors go to the effect's owner, who tells people and tries again later; only an
/// append whose outcome is unknown, or not final yet, is tried again by itself.

#include <memory>

#include "ledger/evm/jobs.hpp"
#include "protocol/effect.hpp"

namespace kith::ledger {

class EvmTask {
 public:
  struct Context {
    AnchorTime now;
    bool test_mode = false;
  };
  /// `session` outlives it. Errors: malformed (a payload), unsupported (another kind of effect).
  [[nodiscard]] static Result<std::unique_ptr<EvmTask>> make(const protocol::Effect& effect,
                                                             evm::Session& session,
                                                             const Context& context);
  virtual ~EvmTask() = default;
  EvmTask(const EvmTask&) = delete;
  EvmTask& operator=(const EvmTask&) = delete;

  [[nodiscard]] virtual evm::Job& job() = 0;
  /// Of the ended job.
  [[nodiscard]] virtual protocol::EffectResult result() const = 0;

 protected:
  EvmTask() = default;
};

}  // namespace kith::ledger
