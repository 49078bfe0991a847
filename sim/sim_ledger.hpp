#pragma once

/// SimLedger: the community's ledger as a service without a node. Questions travel there and back
/// with delays; it has outages, and sometimes does what it was asked while the answer gets lost. It
/// proves what it tells, as every host does.
///
/// Performs effects of kind ledger_append and ledger_read, and the fetch of its descriptor. Fetches
/// of other documents fail: nobody in the simulator serves any.

#include <string>

#include "crypto/software_keys.hpp"
#include "ledger/memory_ledger.hpp"
#include "ledger/prover.hpp"
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
  /// The ledger's key, out of a random stream of its own.
  struct Signer {
    explicit Signer(const World& world);
    crypto::SeededRandom random;
    crypto::SoftwareKeys keys;
    KeyPair pair;
  };

  void plan_outage();
  void answer(SimNode& from, std::uint64_t life, const protocol::EffectResult& result);
  void arrive(SimNode& from, std::uint64_t life, const protocol::Effect& effect);

  World& world_;
  Faults faults_;
  std::string url_;
  crypto::SeededRandom random_;
  Signer signer_;
  ledger::MemoryLedger ledger_;
  ledger::LedgerProver prover_;
  bool out_ = false;
};

}  // namespace kith::sim
