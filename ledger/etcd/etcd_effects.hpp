#pragma once

/// Ledger effects (ledger_effects.hpp) on an etcd cluster. The job inside has tried for seconds
/// before it fails, so its errors go to the effect's owner, who tells people and tries again later;
/// only an append whose outcome is unknown is tried again by itself.

#include <memory>

#include "ledger/etcd/jobs.hpp"
#include "protocol/effect.hpp"

namespace kith::ledger {

class EtcdTask {
 public:
  struct Context {
    AnchorTime now;
    bool test_mode = false;
    std::string origin;  ///< Of a ledger that has to be made.
  };
  /// `session` outlives it. Errors: malformed (a payload), unsupported (another kind of effect).
  [[nodiscard]] static Result<std::unique_ptr<EtcdTask>> make(const protocol::Effect& effect,
                                                              EtcdSession& session,
                                                              const Context& context);
  virtual ~EtcdTask() = default;
  EtcdTask(const EtcdTask&) = delete;
  EtcdTask& operator=(const EtcdTask&) = delete;

  [[nodiscard]] virtual EtcdJob& job() = 0;
  /// Of the ended job.
  [[nodiscard]] virtual protocol::EffectResult result() const = 0;

 protected:
  EtcdTask() = default;
};

}  // namespace kith::ledger
