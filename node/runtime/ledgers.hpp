#pragma once

/// The ledger of this home (`leveldb:DIR`): opened when it is first used, made if it is not there.
/// One home has one. If it lies at its usual place in the home it is found there, wherever the home
/// is now, also under the address that it had when it was made. Its key, which signs checkpoints,
/// lies sealed in the record meta/ledger-host. Its witnesses are chosen while it is empty, and
/// stay: the ledger's id commits to them.

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/key_ops.hpp"
#include "crypto/random.hpp"
#include "ledger/prover.hpp"
#include "ledger/remote/cosigning.hpp"
#include "protocol/store.hpp"

namespace kith::ledger {
class LevelDbLedger;
}

namespace kith::node {

/// Whom a ledger asks for cosignatures; nobody if empty.
struct HomeWitnesses {
  std::vector<ledger::WitnessAddress> addresses;
  std::uint32_t needed = 0;
};
/// Of the options: "VERIFIER-KEY URL" each; `needed` 0: more than half. Errors: usage.
[[nodiscard]] Result<HomeWitnesses> home_witnesses(const std::vector<std::string>& lines,
                                                   std::int64_t needed);

class HomeLedger {
 public:
  /// All references outlive it.
  HomeLedger(std::string default_directory, protocol::Store& store, crypto::KeyOps& keys,
             Random& random, bool test_mode, HomeWitnesses witnesses = {});
  ~HomeLedger();

  /// "leveldb:DIR"
  [[nodiscard]] static bool is_local(std::string_view ledger_url);
  [[nodiscard]] std::string default_url() const {
    return std::string(ledger::kHomeLedgerScheme) + default_directory_;
  }
  /// Errors: refused (another directory than before), wrong_state (made with other witnesses),
  /// storage errors.
  [[nodiscard]] Result<ledger::TreeLedger*> open(std::string_view ledger_url);
  /// The URL of the ledger that this home has; nullopt: it has none. Errors: storage errors.
  [[nodiscard]] Result<std::optional<std::string>> made_url();
  [[nodiscard]] const HomeWitnesses& witnesses() const { return witnesses_; }
  /// Signs the checkpoints of the ledger that is open, for as long as this lives.
  [[nodiscard]] ledger::LedgerProver::Sign checkpoint_signer();
  /// A write of the ledger failed: it takes nothing more until it is opened again.
  [[nodiscard]] std::optional<Error> failure() const;

 private:
  std::string default_directory_;
  protocol::Store& store_;
  crypto::KeyOps& keys_;
  Random& random_;
  bool test_mode_;
  HomeWitnesses witnesses_;
  std::string open_url_;
  std::string name_;          ///< Of the open ledger, in records from before the home was moved.
  SealedKey checkpoint_key_;  ///< Of the open ledger.
  std::unique_ptr<ledger::LevelDbLedger> ledger_;
};

}  // namespace kith::node
