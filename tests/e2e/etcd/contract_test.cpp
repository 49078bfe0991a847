// The contract's suite on a real cluster: KITH_ETCD names its servers, as etcd://HOST:PORT,... Each
// ledger gets a prefix of its own.

#include <unistd.h>

#include <cstdlib>

#include "tests/e2e/etcd/real_cluster.hpp"
#include "tests/ledger/etcd_backend.hpp"
#include "tests/ledger/ledger_contract.hpp"

namespace kith::test {
namespace {

Backend make_etcd(bool test_mode) {
  static int made = 0;
  const char* url = std::getenv("KITH_ETCD");
  if (url == nullptr) throw std::runtime_error("KITH_ETCD names no cluster");
  const std::string prefix = "t" + std::to_string(::getpid()) + "-" + std::to_string(++made);
  const auto cluster = std::make_shared<RealCluster>(url);
  return etcd_backend(
      cluster, cluster->exchange(), [cluster, prefix] { return cluster->session(prefix); },
      test_mode);
}

const Maker kReal{"etcd", make_etcd};

INSTANTIATE_TEST_SUITE_P(Real, LedgerContract, ::testing::Values(kReal), maker_name);
INSTANTIATE_TEST_SUITE_P(Real, ReopenedLedger, ::testing::Values(kReal), maker_name);
INSTANTIATE_TEST_SUITE_P(Real, SharedLedger, ::testing::Values(kReal), maker_name);
INSTANTIATE_TEST_SUITE_P(Real, CrowdedLedger, ::testing::Values(kReal), maker_name);

}  // namespace
}  // namespace kith::test
