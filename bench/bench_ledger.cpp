// Logs and ledgers: what verifying costs in multiples of one X25519 operation, what appending costs
// beside the disk's own flush, and how long proofs are.

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <string>
#include <string_view>

#include "bench/timing.hpp"
#include "crypto/ec_x25519.hpp"
#include "ledger/embedded/leveldb_ledger.hpp"
#include "ledger/log_reader.hpp"
#include "ledger/memory_ledger.hpp"
#include "ledger/prover.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace {

using namespace kith;
using bench::give_up;
using bench::Timed;
using bench::timed;
using bench::Work;
using test::LogLab;
using test::must;

std::size_t g_pairs = 200;
std::size_t g_log_entries = 200;   ///< Of a long log.
constexpr std::size_t kLogs = 50;  ///< Long logs in a row: 10,000 entries.
constexpr std::size_t kReferenceRuns = 8;

/// A log of `entries` entries: a genesis and updates.
LogLab log_of(std::size_t entries, KeyType type, std::uint64_t seed) {
  LogLab lab(ledger::Kind::did, {type}, seed);
  lab.start();
  ledger::LogView view = lab.view();
  for (std::size_t i = 1; i < entries; ++i) {
    ledger::Entry entry = must(ledger::make_update(view, lab.next_state(view, i), lab.time));
    lab.sign(entry, lab.update_signers(view));
    lab.post(entry);
    if (i + 1 < entries) view = lab.view();
  }
  return lab;
}

Work reading(const LogLab& lab, std::size_t entries) {
  return [&lab, entries] {
    const std::span<const ledger::AnchoredBlob> blobs(lab.blobs.data(), entries);
    const auto view = ledger::read_log(lab.subject, blobs, {lab.time, true});
    if (!view.has_value() || view->history.size() != entries) give_up("a log does not read");
  };
}

void verify_rows(const Work& unit) {
  std::printf("| verify                              |  in X | an entry |\n");
  std::printf("|-------------------------------------|-------|----------|\n");
  const auto row = [&](const char* name, const Work& work, std::size_t entries, std::size_t pairs) {
    const Timed result = timed(pairs, {unit, kReferenceRuns}, {work, 1});
    const auto count = static_cast<double>(entries);
    std::printf("| %-35s | %5.2f | %5.1f us |\n", name, result.ratio / count,
                result.time_us / count);
  };
  for (const KeyType type : {KeyType::ed25519, KeyType::secp256k1}) {
    const bool edwards = type == KeyType::ed25519;
    const LogLab lab = log_of(g_log_entries, type, 1);
    row(edwards ? "one entry (Ed25519)" : "one entry (secp256k1)", reading(lab, 1), 1, g_pairs);
    row(edwards ? "log of 200 entries (Ed25519)" : "log of 200 entries (secp256k1)",
        reading(lab, g_log_entries), g_log_entries, g_pairs / 10 + 1);
    const Work whole = [read = reading(lab, g_log_entries)] {
      for (std::size_t i = 0; i < kLogs; ++i) read();
    };
    row(edwards ? "10,000 entries (Ed25519)" : "10,000 entries (secp256k1)", whole,
        kLogs * g_log_entries, g_pairs / 100 + 1);
  }
}

/// A ledger of `entries` small logs.
void fill(ledger::Ledger& ledger, std::size_t entries) {
  for (std::size_t i = 0; i < entries; ++i) {
    LogLab lab(ledger::Kind::did, {}, i + 1);
    lab.start();
    static_cast<void>(must(ledger.append({lab.subject, lab.blobs[0].blob, ""}, lab.time)));
  }
}

void proof_rows(const Work& unit, std::size_t size) {
  ledger::MemoryLedger ledger(test::ledger_descriptor(), true);
  fill(ledger, size);
  ledger::LedgerProver prover(ledger, test::ledger_signer());
  const auto root = must(ledger::merkle_root(size, ledger.tree()));
  const auto leaf = [&](std::uint64_t position) {
    const auto page = must(ledger.follow(position, 1));
    const auto& entry = page.entries.front();
    return ledger::merkle_leaf_hash(crypto::as_bytes(
        ledger::leaf_text({entry.subject, entry.blob, entry.time, ledger::Kind::did})));
  };
  const std::uint64_t position = size / 3;
  const auto proof = must(prover.inclusion(position, size));
  const auto hash = leaf(position);
  const Work check = [&] {
    if (!ledger::proves_inclusion(proof, hash, position, size, root)) {
      give_up("a proof does not hold");
    }
  };
  const Timed result = timed(g_pairs, {unit, kReferenceRuns}, {check, 4});
  std::printf("\n| proof in a ledger of %zu entries    |       |\n", size);
  std::printf("|-------------------------------------|-------|\n");
  std::printf("| inclusion: hashes                   | %5zu |\n", proof.size());
  std::printf("| inclusion: bytes                    | %5zu |\n", proof.size() * 32);
  std::printf("| checkpoint: bytes                   | %5zu |\n", must(prover.checkpoint()).size());
  std::printf("| receipt: bytes                      | %5zu |\n",
              must(prover.receipt(position)).size());
  std::printf("| checking an inclusion, in X         | %5.2f |\n", result.ratio);
}

/// A file on the same disk: as many bytes as an append writes, and its flush.
class BareFile {
 public:
  explicit BareFile(const std::string& path)
      : file_(::open(path.c_str(), O_CREAT | O_WRONLY, 0600)) {
    if (file_ < 0) give_up("no file");
  }
  ~BareFile() { ::close(file_); }
  BareFile(const BareFile&) = delete;
  BareFile& operator=(const BareFile&) = delete;
  void write_and_flush(const Bytes& bytes) const {
    if (::write(file_, bytes.data(), bytes.size()) != static_cast<ssize_t>(bytes.size()) ||
        ::fdatasync(file_) != 0) {
      give_up("the disk is full");
    }
  }

 private:
  int file_;
};

/// The genesis of a log of its own.
struct NewLog {
  ledger::AppendRequest request;
  ledger::AnchorTime time;
};
NewLog new_log(std::uint64_t seed) {
  LogLab lab(ledger::Kind::did, {}, seed);
  lab.start();
  return {{lab.subject, lab.blobs[0].blob, ""}, lab.time};
}

/// Appends of `group` at a time, one write for each group. Beside one flush of as many bytes, and
/// beside judging the entries and one flush: what remains is the ledger's own part.
void append_row(const BareFile& bare, ledger::LevelDbLedger& ledger,
                const std::vector<NewLog>& logs, std::size_t group) {
  const std::size_t groups = logs.size() / 2 / group;  // Each measure takes new ones.
  std::size_t next = 0;
  const Work append = [&] {
    for (std::size_t i = 0; i < group; ++i) {
      const auto& [request, time] = logs[next++];
      if (!std::holds_alternative<ledger::Appended>(must(ledger.stage(request, time)))) {
        give_up("an append was not taken");
      }
    }
    must(ledger.flush());
  };
  Bytes written;
  for (std::size_t i = 0; i < group; ++i) {
    const Bytes& blob = logs[i].request.blob;
    written.insert(written.end(), blob.begin(), blob.end());
  }
  const Work flush = [&] { bare.write_and_flush(written); };
  const Work floor = [&] {
    for (std::size_t i = 0; i < group; ++i) {
      const auto& [request, time] = logs[i];
      const auto judged = ledger::judge_append(request, {{}, time, time, true});
      if (!judged.has_value()) give_up("an entry was not taken");
    }
    bare.write_and_flush(written);
  };
  const Timed flushes = timed(groups, {flush, 1}, {append, 1});
  const Timed over_floor = timed(groups, {floor, 1}, {append, 1});
  std::printf("| %2zu at a time                        | %7.2f | %7.2f | %6.0f us |\n", group,
              flushes.ratio / static_cast<double>(group), over_floor.ratio,
              flushes.time_us / static_cast<double>(group));
}

void append_rows() {
  const test::TemporaryDirectory directory;
  const BareFile bare(directory.path() + "/bare");
  std::printf("\n| append, judged and synced           | flushes | / floor | an entry  |\n");
  std::printf("|-------------------------------------|---------|---------|-----------|\n");
  std::uint64_t seed = 0;
  for (const std::size_t group : {1U, 4U, 16U, 64U}) {
    const auto ledger = must(ledger::LevelDbLedger::open(
        {directory.path() + "/ledger-" + std::to_string(group), test::ledger_descriptor(), true}));
    std::vector<NewLog> logs;
    for (std::size_t i = 0; i < 2 * std::max(g_pairs, 5 * group); ++i) {
      logs.push_back(new_log(++seed));
    }
    append_row(bare, *ledger, logs, group);
  }
}

}  // namespace

int main(int argc, char** argv) {
  const crypto::OsRandom system_random;  // Lets libsodium choose its code for this processor.
  const bool is_short = argc > 1 && std::string_view(argv[1]) == "--short";
  if (is_short) {
    g_pairs = 5;
    g_log_entries = 5;
  }
  crypto::SeededRandom random(1, "bench");
  const auto mine = crypto::x25519_generate(random);
  const auto theirs = crypto::x25519_generate(random);
  const Work unit = [&] {
    if (!crypto::x25519_shared(mine.private_key.expose(), theirs.public_key.bytes).has_value()) {
      give_up("X25519 failed");
    }
  };
  std::printf(
      "X: one X25519 operation of the same run; flush: write and fdatasync of as many bytes;\n"
      "floor: judging the entries and one flush\n\n");
  verify_rows(unit);
  proof_rows(unit, is_short ? 64 : 10'000);
  append_rows();
  return 0;
}
