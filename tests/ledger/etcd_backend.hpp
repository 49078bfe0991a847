#pragma once

/// A cluster, real or not, as a backend of the contract's suite.

#include <utility>

#include "tests/ledger/ledger_contract.hpp"
#include "tests/support/fake_etcd.hpp"
#include "tests/support/lossy_way.hpp"

namespace kith::test {

/// `exchange` reaches the cluster, which `kept` keeps alive; every client gets a session of its
/// own.
inline Backend etcd_backend(std::shared_ptr<void> kept, const ledger::JobExchange& exchange,
                            const std::function<ledger::EtcdSession()>& session, bool test_mode) {
  struct Kept {
    std::shared_ptr<void> cluster;
    LossyWay way;
  };
  const auto both = std::make_shared<Kept>(Kept{std::move(kept), LossyWay(exchange, is_write)});
  const auto open = [=](const ledger::JobExchange& through) {
    return std::unique_ptr<Ledger>(
        must(ledger::EtcdLedger::open(session(), through, "etcd.example/1", test_mode)));
  };
  Backend backend{both, open(both->way.exchange())};
  backend.open = [=] { return open(exchange); };
  backend.between = [both](std::function<void()> what) {
    both->way.before_write = std::move(what);
  };
  backend.lose_answer = [both] { both->way.lose_answers = 1; };
  return backend;
}

}  // namespace kith::test
