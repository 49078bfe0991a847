#include "ledger/embedded/leveldb_ledger.hpp"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>

#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using ledger::Appended;
using ledger::LedgerEntry;
using ledger::LevelDbLedger;

std::unique_ptr<LevelDbLedger> open_at(const TemporaryDirectory& directory) {
  return must(LevelDbLedger::open({directory.path(), ledger_descriptor(), false}));
}

/// A log of `count` entries, the same in every process.
LogLab long_lab(std::uint64_t count) {
  LogLab lab;
  lab.start();
  for (std::uint64_t i = 1; i < count; ++i) {
    lab.time += 1s;
    lab.post(lab.update(i));
  }
  return lab;
}

void append_one(LevelDbLedger& ledger, const LogLab& lab, std::size_t index) {
  const Entry entry = must(ledger::parse_entry(lab.blobs[index].blob));
  const auto outcome =
      must(ledger.append({lab.subject, lab.blobs[index].blob, entry.prev}, lab.blobs[index].time));
  if (!std::holds_alternative<Appended>(outcome)) throw std::runtime_error("not appended");
}

std::vector<LedgerEntry> everything(LevelDbLedger& ledger) {
  std::vector<LedgerEntry> entries;
  for (;;) {
    const auto page = must(ledger.follow(entries.size(), 256));
    entries.insert(entries.end(), page.entries.begin(), page.entries.end());
    if (page.complete) return entries;
  }
}

TEST(LevelDbLedger, HoldsTheSameAfterEveryReopening) {
  const TemporaryDirectory directory;
  const LogLab lab = long_lab(6);
  std::vector<LedgerEntry> before;
  for (std::size_t i = 0; i < lab.blobs.size(); ++i) {
    auto ledger = open_at(directory);
    EXPECT_EQ(everything(*ledger), before);
    EXPECT_EQ(ledger->size(), i);
    append_one(*ledger, lab, i);
    before = everything(*ledger);
    ASSERT_EQ(before.size(), i + 1);
    EXPECT_EQ(before.back().position, i);
  }
}

/// A process that appends, says so after each, and goes on until it is killed.
pid_t start_writer(const TemporaryDirectory& directory, const LogLab& lab, int said) {
  const pid_t child = fork();
  if (child != 0) return child;
  auto ledger = open_at(directory);
  for (std::size_t i = ledger->size(); i < lab.blobs.size(); ++i) {
    append_one(*ledger, lab, i);
    const char done = 'a';
    if (write(said, &done, 1) != 1) _exit(1);
  }
  for (;;) pause();
}

TEST(LevelDbLedger, LosesNothingAcknowledgedWhenKilled) {
  const TemporaryDirectory directory;
  const LogLab lab = long_lab(30);
  std::size_t acknowledged = 0;
  while (acknowledged < lab.blobs.size()) {
    int ends[2];
    ASSERT_EQ(pipe(ends), 0);
    const pid_t writer = start_writer(directory, lab, ends[1]);
    ASSERT_GT(writer, 0);
    close(ends[1]);
    char said = 0;
    for (int i = 0; i < 7 && acknowledged < lab.blobs.size(); ++i) {
      ASSERT_EQ(read(ends[0], &said, 1), 1);
      ++acknowledged;
    }
    kill(writer, SIGKILL);
    ASSERT_EQ(waitpid(writer, nullptr, 0), writer);
    while (read(ends[0], &said, 1) == 1) ++acknowledged;
    close(ends[0]);
    auto ledger = open_at(directory);
    const auto entries = everything(*ledger);
    ASSERT_GE(entries.size(), acknowledged);
    acknowledged = entries.size();
    for (std::size_t i = 0; i < entries.size(); ++i) {
      EXPECT_EQ(entries[i].position, i);
      EXPECT_EQ(entries[i].blob, lab.blobs[i].blob);
    }
    EXPECT_EQ(must(ledger::read_all(*ledger, lab.subject)), entries);
  }
}

TEST(LevelDbLedger, IsOpenInOneProcessAtATime) {
  const TemporaryDirectory directory;
  const auto first = open_at(directory);
  const auto second = LevelDbLedger::open({directory.path(), ledger_descriptor(), false});
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error(), Errc::home_locked);
}

TEST(LevelDbLedger, KeepsTheDescriptorItWasMadeWith) {
  const TemporaryDirectory directory;
  static_cast<void>(open_at(directory));
  const auto other = LevelDbLedger::open({directory.path(), ledger_descriptor(2), false});
  ASSERT_FALSE(other.has_value());
  EXPECT_EQ(other.error(), Errc::wrong_state);
  auto moved = ledger_descriptor();
  moved.urls = {"https://elsewhere.example"};
  const auto same = must(LevelDbLedger::open({directory.path(), moved, false}));
  EXPECT_EQ(same->descriptor(), ledger_descriptor());
}

TEST(LevelDbLedger, NoticesDamage) {
  const TemporaryDirectory directory;
  const LogLab lab = long_lab(3);
  {
    auto ledger = open_at(directory);
    for (std::size_t i = 0; i < lab.blobs.size(); ++i) append_one(*ledger, lab, i);
  }
  std::size_t damaged = 0;
  for (const auto& file : std::filesystem::directory_iterator(directory.path())) {
    const auto kind = file.path().extension();
    if ((kind != ".log" && kind != ".ldb") || file.file_size() < 1000) continue;
    std::fstream data(file.path(), std::ios::in | std::ios::out | std::ios::binary);
    data.seekg(500);
    const int old = data.get();
    data.seekp(500);
    data.put(static_cast<char>(old ^ 1));
    ++damaged;
  }
  ASSERT_EQ(damaged, 1U);
  auto ledger = LevelDbLedger::open({directory.path(), ledger_descriptor(), false});
  const bool refused = !ledger.has_value() || !(*ledger)->follow(0, 10).has_value();
  EXPECT_TRUE(refused);
}

}  // namespace
}  // namespace kith::test
