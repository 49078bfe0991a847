#pragma once

/// SimLedger: a community's ledger as a service without a node. Questions travel there and back
/// with delays; it has outages, and sometimes does what it was asked while the answer gets lost. It
/// proves what it tells, as every host does. SimLedgers: all that there are, by their addresses.
///
/// They perform effects of kind ledger_append and ledger_read, and the fetch of its descriptor.
/// Fetches of other documents fail: nobody in the simulator serves any.

#include <memory>
#include <string>
#include <vector>

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

  /// The effect is for this ledger.
  void perform(SimNode& from, const protocol::Effect& effect);

  [[nodiscard]] const std::string& url() const { return url_; }
  [[nodiscard]] ledger::MemoryLedger& ledger() { return ledger_; }
  void heal();

 private:
  /// The ledger's key, out of a random stream of its own.
  struct Signer {
    Signer(const World& world, const std::string& url);
    crypto::SeededRandom random;
    crypto::SoftwareKeys keys;
    KeyPair pair;
  };

  void plan_outage();
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

class SimLedgers {
 public:
  SimLedgers(World& world, const Faults& faults, const std::vector<std::string>& urls,
             bool test_mode);

  void perform(SimNode& from, const protocol::Effect& effect);
  [[nodiscard]] const std::vector<std::unique_ptr<SimLedger>>& all() const { return all_; }
  void heal();

 private:
  World& world_;
  Duration delay_mean_;
  crypto::SeededRandom random_;
  std::vector<std::unique_ptr<SimLedger>> all_;
};

}  // namespace kith::sim
