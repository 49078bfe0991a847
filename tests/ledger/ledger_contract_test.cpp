// The suite of ledger_contract.hpp on the backends that need no other process.

#include "tests/ledger/ledger_contract.hpp"
#include "ledger/embedded/leveldb_ledger.hpp"
#include "ledger/etcd/keys.hpp"
#include "ledger/memory_ledger.hpp"
#include "tests/ledger/etcd_backend.hpp"
#include "tests/ledger/evm_backend.hpp"
#include "tests/ledger/ledger_thefts.hpp"
#include "tests/support/fake_etcd.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/toy_ledger.hpp"

namespace kith::test {
namespace {

/// As a host that does not judge.
auto squat_in(ledger::TreeLedger& tree) {
  return [&tree](const std::string& subject, const Bytes& blob, AnchorTime time) {
    must(tree.stage_copy({tree.size(), subject, blob, time}));
    must(tree.flush());
  };
}

Backend make_memory(bool test_mode) {
  auto memory = std::make_unique<ledger::MemoryLedger>(ledger_descriptor(), test_mode);
  const auto squat = squat_in(*memory);
  Backend backend{nullptr, std::move(memory)};
  backend.squat = squat;
  return backend;
}

Backend make_embedded(bool test_mode) {
  const auto directory = std::make_shared<TemporaryDirectory>();
  const auto open = [directory, test_mode] {
    return std::unique_ptr<Ledger>(
        must(ledger::LevelDbLedger::open({directory->path(), ledger_descriptor(), test_mode})));
  };
  Backend backend{directory, open(), open};
  backend.squat = squat_in(static_cast<ledger::TreeLedger&>(*backend.ledger));
  return backend;
}

/// Clients of one host, whose own ledger lives in memory.
Backend make_remote(bool test_mode) {
  const auto host = std::make_shared<ledger::MemoryLedger>(ledger_descriptor(), test_mode);
  const auto open = [host] { return std::unique_ptr<Ledger>(new RemoteLedger(*host)); };
  Backend backend{host, open(), open};
  backend.squat = squat_in(*host);
  return backend;
}

Backend make_etcd(bool test_mode) {
  const auto cluster = std::make_shared<FakeEtcd>();
  Backend backend = etcd_backend(
      cluster, cluster->exchange(), [cluster] { return cluster->session(); }, test_mode);
  backend.squat = [cluster](const std::string& subject, const Bytes& blob, AnchorTime time) {
    const ledger::LedgerLeaf leaf{subject, blob, time, Kind::did};
    const ledger::EtcdKeys keys(cluster->session().address.prefix);
    cluster->put(keys.entry(leaf), ledger::leaf_text(leaf));
  };
  return backend;
}

Backend make_toy(bool test_mode) {
  const auto directory = std::make_shared<TemporaryDirectory>();
  const auto open = [directory, test_mode] {
    return std::unique_ptr<Ledger>(
        new ToyLedger(directory->path() + "/ledger", ledger_descriptor(), test_mode));
  };
  return {directory, open(), open};
}

Backend make_chain(bool test_mode) {
  const auto chain = std::make_shared<FakeChain>();
  Backend backend = evm_backend(
      chain, chain->exchange(), [chain](std::uint8_t seed) { return chain->session(seed); },
      test_mode);
  backend.pass = [chain](std::chrono::seconds span) {
    chain->skip(span);
    chain->mine(3);
  };
  backend.time = [chain] {
    return ledger::anchor_time_ms(static_cast<std::int64_t>(chain->blocks.back().time_s) * 1000);
  };
  backend.squat = [chain](const std::string& subject, const Bytes& blob, AnchorTime) {
    chain->post(subject, blob);
    chain->mine(3);
  };
  return backend;
}

const Maker kMemory{"memory", make_memory};
const Maker kEmbedded{"embedded", make_embedded};
const Maker kRemote{"remote", make_remote};
const Maker kEtcd{"etcd", make_etcd};
const Maker kToy{"toy", make_toy};
const Maker kChain{"evm", make_chain};

INSTANTIATE_TEST_SUITE_P(Backends, LedgerContract,
                         ::testing::Values(kMemory, kEmbedded, kRemote, kEtcd, kToy, kChain),
                         maker_name);
INSTANTIATE_TEST_SUITE_P(Backends, ReopenedLedger,
                         ::testing::Values(kEmbedded, kRemote, kEtcd, kToy, kChain), maker_name);
INSTANTIATE_TEST_SUITE_P(Backends, SharedLedger, ::testing::Values(kRemote, kEtcd, kChain),
                         maker_name);
INSTANTIATE_TEST_SUITE_P(Backends, LogThefts,
                         ::testing::Values(kMemory, kEmbedded, kRemote, kEtcd, kToy, kChain),
                         maker_name);
INSTANTIATE_TEST_SUITE_P(Backends, SquattedLog,
                         ::testing::Values(kMemory, kEmbedded, kRemote, kEtcd, kChain), maker_name);
INSTANTIATE_TEST_SUITE_P(Backends, CrowdedLedger, ::testing::Values(kEtcd, kChain), maker_name);

}  // namespace
}  // namespace kith::test
