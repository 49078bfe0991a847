// Writes to a ledger in a real cluster, or lists what it holds; one JSON document a line.
//
//     kith-etcd-writer write URL PREFIX COUNT PER_SECOND SEED
//         {"n","hash","position","ms","tries"} of each acknowledged entry; ms since the start
//     kith-etcd-writer list URL PREFIX
//         {"position","subject","hash"} of each entry, in order
//
// An entry whose outcome is unknown, or that was refused, is tried again as the node would, at
// once.

#include <cstdio>
#include <cstdlib>

#include "ledger/entry.hpp"
#include "node/runtime/system_clock.hpp"
#include "tests/e2e/etcd/real_cluster.hpp"

namespace kith::test {
namespace {

/// Logs of that many entries each, so that both new and grown logs are written to.
constexpr std::uint64_t kEntriesPerLog = 5;
constexpr int kTriesMax = 20;

void say(const JsonObject& object) {
  std::puts(crypto::json_text(object).c_str());
  std::fflush(stdout);
}

std::unique_ptr<ledger::EtcdLedger> open(RealCluster& cluster, const std::string& prefix) {
  return must(ledger::EtcdLedger::open(cluster.session(prefix), cluster.exchange(),
                                       "etcd.example/" + prefix, true));
}

int write(RealCluster& cluster, const std::string& prefix, std::uint64_t count,
          std::int64_t per_second, std::uint64_t seed) {
  const auto ledger = open(cluster, prefix);
  const std::int64_t start = node::read_clocks().steady_ms;
  const auto since_start = [&] { return node::read_clocks().steady_ms - start; };
  std::unique_ptr<LogLab> lab;
  for (std::uint64_t i = 0; i < count; ++i) {
    const auto due = static_cast<std::int64_t>(i) * 1000 / per_second;
    cluster.wait(std::chrono::milliseconds{due - since_start()});
    ledger::AppendRequest request;
    if (i % kEntriesPerLog == 0) {
      lab = std::make_unique<LogLab>(Kind::did, ledger::LogKeyShape{}, seed + i);
      lab->start();
      request = {lab->subject, lab->blobs[0].blob, ""};
    } else {
      const Entry update = lab->update(i);
      lab->post(update);
      request = {update.id, ledger::entry_blob(update), update.prev};
    }
    int tries = 0;
    while (true) {
      if (++tries > kTriesMax) return 1;
      const auto outcome = ledger->append(request, lab->time);
      if (!outcome.has_value()) {
        say({{"n", i}, {"error", crypto::error_text(outcome.error().code).code}});
        continue;
      }
      if (std::holds_alternative<ledger::StaleHead>(*outcome)) return 1;
      const auto* appended = std::get_if<ledger::Appended>(&*outcome);
      if (appended == nullptr) continue;
      say({{"n", i},
           {"hash", ledger::blob_hash(request.blob)},
           {"position", appended->position},
           {"ms", since_start()},
           {"tries", tries}});
      break;
    }
  }
  return 0;
}

int list(RealCluster& cluster, const std::string& prefix) {
  const auto ledger = open(cluster, prefix);
  for (std::uint64_t from = 0;;) {
    const ledger::LedgerPage page = must(ledger->follow(from, 100));
    for (const ledger::LedgerEntry& entry : page.entries) {
      say({{"position", entry.position},
           {"subject", entry.subject},
           {"hash", ledger::blob_hash(entry.blob)}});
      from = entry.position + 1;
    }
    if (page.complete) return 0;
  }
}

int run(const std::vector<std::string>& words) {
  if (words.size() < 3) return 2;
  RealCluster cluster(words[1]);
  if (words[0] == "list") return list(cluster, words[2]);
  if (words[0] != "write" || words.size() != 6) return 2;
  return write(cluster, words[2], std::stoull(words[3]), std::stoll(words[4]),
               std::stoull(words[5]));
}

}  // namespace
}  // namespace kith::test

int main(int count, char** words) {
  return kith::test::run({words + 1, words + count});
}
