#pragma once

/// SimLedger: the community's ledger as a service without a node. Questions travel there and back
/// with delays; it has outages, and sometimes does what it was asked while the answer gets lost.
///
/// Performs effects of kind ledger_append and ledger_read, and the fetch of its descriptor. Fetches
/// of other documents fail: nobody in the simulator serves any.

#include <string>

#include "ledger/memory_ledger.hpp"
#include "protocol/effect.hpp"
#include "sim/faults.hpp"
#include "sim/world.hpp"

namespace kith::sim {

class SimNode;

class SimLedger {
 public:
  /// `test_mode`: takes test logs.
  SimLedger(World& world, const Faults& faults, std::string url, bool test_mode);
  SimLedger(const SimLedger&) = delete;
  SimLedger& operator=(const SimLedger&) = delete;

  void perform(SimNode& from, const protocol::Effect& effect);

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] ledger::MemoryLedger& ledger() { return ledger_; }
  void heal();

 private:
  void plan_outage();
  void answer(SimNode& from, std::uint64_t life, const protocol::EffectResult& result);
  void arrive(SimNode& from, std::uint64_t life, const protocol::Effect& effect);

  World& world_;
  Faults faults_;
  std::string url_;
  crypto::SeededRandom random_;
  ledger::MemoryLedger ledger_;
  bool out_ = false;
};

}  // namespace kith::sim
