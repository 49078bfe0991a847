#include "ledger/embedded/leveldb_ledger.hpp"

#include <gtest/gtest.h>
#include <leveldb/db.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <map>

#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using crypto::Digest256;
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
      ASSERT_EQ(::read(ends[0], &said, 1), 1);
      ++acknowledged;
    }
    kill(writer, SIGKILL);
    ASSERT_EQ(waitpid(writer, nullptr, 0), writer);
    while (::read(ends[0], &said, 1) == 1) ++acknowledged;
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

/// All that a reader can see of the ledger, or why nothing.
Result<std::string> seen_in(const std::string& path) {
  TRY(const auto ledger, LevelDbLedger::open({path, ledger_descriptor(), false}));
  TRY(const auto page, ledger->follow(0, 100));
  std::string all = ledger::descriptor_json(ledger->descriptor());
  for (const LedgerEntry& entry : page.entries) {
    TRY(const auto log, ledger->read(entry.subject, entry.position));
    if (log.entries.empty() || !(log.entries.front() == entry)) return fail(Errc::storage_corrupt);
    all += std::to_string(ledger::to_ms(entry.time)) + crypto::hex(entry.blob);
  }
  TRY(const Digest256 root, ledger::merkle_root(ledger->size(), ledger->tree()));
  return all + crypto::hex(root);
}

/// Every byte in the long form (KITH_LONG), which takes a minute; else one of twelve.
TEST(LevelDbLedger, NoticesFlippedBytesOfItsTableOneOfTwelveOrInLongRunsAll) {
  namespace fs = std::filesystem;
  const TemporaryDirectory directory, other;
  const LogLab lab = long_lab(2);
  {
    auto ledger = open_at(directory);
    for (std::size_t i = 0; i < lab.blobs.size(); ++i) append_one(*ledger, lab, i);
  }
  const std::string before = must(seen_in(directory.path()));  // And lays a table down.
  std::string table;
  for (const auto& file : fs::directory_iterator(directory.path())) {
    if (file.path().extension() == ".ldb") table = file.path().filename();
  }
  ASSERT_FALSE(table.empty());
  const std::size_t size = fs::file_size(fs::path(directory.path()) / table);
  const fs::path copy = fs::path(other.path()) / "copy";
  const char* is_long = std::getenv("KITH_LONG");
  const std::size_t step = is_long != nullptr && *is_long != '\0' ? 1 : 12;
  std::size_t noticed = 0, flipped = 0;
  for (std::size_t at = 0; at < size; at += step, ++flipped) {
    fs::remove_all(copy);
    fs::copy(directory.path(), copy, fs::copy_options::recursive);
    {
      std::fstream data(copy / table, std::ios::in | std::ios::out | std::ios::binary);
      data.seekg(static_cast<std::streamoff>(at));
      const int old = data.get();
      data.seekp(static_cast<std::streamoff>(at));
      data.put(static_cast<char>(old ^ (1 << (flipped % 8))));
    }
    const auto after = seen_in(copy.string());
    if (!after.has_value()) {
      ++noticed;
    } else {
      ASSERT_EQ(*after, before) << "byte " << at << " of " << size;
    }
  }
  // What stays unnoticed changes nothing: padding, and names that nobody asks for.
  EXPECT_GT(noticed, flipped * 9 / 10) << noticed << " of " << flipped;
}

// --- The tree

Digest256 root_of(const LevelDbLedger& ledger) {
  return must(ledger::merkle_root(ledger.size(), ledger.tree()));
}

/// From the entries that the ledger shows, by another way than its stored nodes.
Digest256 root_of_entries(LevelDbLedger& ledger) {
  std::map<ledger::MerkleNode, Digest256> nodes;
  const auto read = [&nodes](const ledger::MerkleNode& node) -> Result<Digest256> {
    return nodes.at(node);
  };
  std::uint64_t size = 0;
  for (const LedgerEntry& entry : everything(ledger)) {
    const ledger::Kind kind = must(ledger::parse_entry(entry.blob)).kind;
    const std::string leaf = ledger::leaf_text({entry.subject, entry.blob, entry.time, kind});
    const Digest256 hash = ledger::merkle_leaf_hash(crypto::as_bytes(leaf));
    for (const auto& [node, digest] : must(ledger::merkle_append(size, hash, read))) {
      nodes[node] = digest;
    }
    ++size;
  }
  return must(ledger::merkle_root(size, read));
}

/// Keys and values of the closed ledger as they lie on the disk.
std::unique_ptr<leveldb::DB> raw(const TemporaryDirectory& directory) {
  leveldb::DB* db = nullptr;
  if (!leveldb::DB::Open({}, directory.path(), &db).ok()) throw std::runtime_error("no ledger");
  return std::unique_ptr<leveldb::DB>(db);
}
std::vector<std::string> node_keys(leveldb::DB& db) {
  std::vector<std::string> keys;
  const std::unique_ptr<leveldb::Iterator> it(db.NewIterator({}));
  for (it->Seek("t"); it->Valid() && it->key().starts_with("t"); it->Next()) {
    keys.push_back(it->key().ToString());
  }
  return keys;
}

TEST(LevelDbLedger, LaysATreeOverItsLeaves) {
  const TemporaryDirectory directory;
  const LogLab lab = long_lab(7);
  auto ledger = open_at(directory);
  EXPECT_EQ(root_of(*ledger), crypto::sha256({}));
  std::vector<Digest256> roots;
  for (std::size_t i = 0; i < lab.blobs.size(); ++i) {
    append_one(*ledger, lab, i);
    roots.push_back(root_of(*ledger));
    EXPECT_EQ(roots.back(), root_of_entries(*ledger)) << i;
  }
  ledger.reset();
  ledger = open_at(directory);
  for (std::size_t i = 0; i < roots.size(); ++i) {
    const auto proof = must(ledger::consistency_proof(i + 1, roots.size(), ledger->tree()));
    EXPECT_TRUE(ledger::proves_consistency(proof, i + 1, roots[i], roots.size(), roots.back()));
  }
}

TEST(LevelDbLedger, LaysTheTreeOfALedgerThatHadNone) {
  const TemporaryDirectory directory;
  const LogLab lab = long_lab(6);
  Digest256 root{};
  {
    auto ledger = open_at(directory);
    for (std::size_t i = 0; i < 5; ++i) append_one(*ledger, lab, i);
    root = root_of(*ledger);
  }
  {
    const auto db = raw(directory);
    for (const std::string& key : node_keys(*db)) ASSERT_TRUE(db->Delete({}, key).ok());
    ASSERT_TRUE(db->Put({}, "!format", "1").ok());
  }
  {
    auto ledger = open_at(directory);
    EXPECT_EQ(root_of(*ledger), root);
    append_one(*ledger, lab, 5);
    EXPECT_EQ(root_of(*ledger), root_of_entries(*ledger));
  }
  std::string format;
  ASSERT_TRUE(raw(directory)->Get({}, "!format", &format).ok());
  EXPECT_EQ(format, "2");
}

TEST(LevelDbLedger, MissesWhatIsGoneFromTheTree) {
  const TemporaryDirectory directory;
  const LogLab lab = long_lab(5);
  {
    auto ledger = open_at(directory);
    for (std::size_t i = 0; i < 4; ++i) append_one(*ledger, lab, i);
  }
  const auto keys = node_keys(*raw(directory));
  ASSERT_EQ(keys.size(), 7U);  // 4 leaves, 2 pairs, 1 root.
  ASSERT_TRUE(raw(directory)->Delete({}, keys.back()).ok());
  {
    auto ledger = open_at(directory);
    EXPECT_EQ(ledger::merkle_root(4, ledger->tree()).error(), Errc::storage_corrupt);
  }
  // The last leaf's node is looked at when the ledger is opened.
  ASSERT_TRUE(raw(directory)->Put({}, keys[3], std::string(32, 'x')).ok());
  const auto refused = LevelDbLedger::open({directory.path(), ledger_descriptor(), false});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), Errc::storage_corrupt);
}

TEST(LevelDbLedger, RefusesAFormatOfTheFuture) {
  const TemporaryDirectory directory;
  static_cast<void>(open_at(directory));
  ASSERT_TRUE(raw(directory)->Put({}, "!format", "3").ok());
  const auto refused = LevelDbLedger::open({directory.path(), ledger_descriptor(), false});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), Errc::home_newer);
}

// --- Witnesses

ledger::LedgerDescriptor with_witnesses(std::size_t count, std::uint32_t w) {
  ledger::LedgerDescriptor descriptor = ledger_descriptor();
  for (std::size_t i = 0; i < count; ++i) {
    descriptor.witnesses.push_back(ledger_descriptor(50 + i).key);
  }
  descriptor.w = w;
  return descriptor;
}

TEST(LevelDbLedger, KeepsWhatWitnessesSigned) {
  const TemporaryDirectory directory;
  const LogLab lab = long_lab(5);
  const ledger::LevelDbLedgerOptions options{directory.path(), with_witnesses(1, 1), false};
  {
    auto ledger = must(LevelDbLedger::open(options));
    EXPECT_EQ(must(ledger->newest_cosigned()), std::nullopt);
    EXPECT_EQ(must(ledger->first_cosigned(0)), std::nullopt);
    must(ledger->keep_cosigned({0, "of nothing"}));
    for (std::size_t i = 0; i < 5; ++i) append_one(*ledger, lab, i);
    must(ledger->keep_cosigned({2, "first of two"}));
    must(ledger->keep_cosigned({2, "later of two"}));
    must(ledger->keep_cosigned({5, "of five"}));
    must(ledger->keep_cosigned({5, "younger of five"}));
  }
  const auto ledger = must(LevelDbLedger::open(options));
  EXPECT_EQ(must(ledger->newest_cosigned())->note, "younger of five");
  EXPECT_EQ(must(ledger->first_cosigned(0))->note, "of nothing");
  for (const std::uint64_t size : {1U, 2U}) {
    EXPECT_EQ(must(ledger->first_cosigned(size))->note, "first of two");
    EXPECT_EQ(must(ledger->first_cosigned(size))->size, 2U);
  }
  for (const std::uint64_t size : {3U, 5U}) {
    EXPECT_EQ(must(ledger->first_cosigned(size))->note, "of five");
  }
  EXPECT_EQ(must(ledger->first_cosigned(6)), std::nullopt);
  EXPECT_EQ(ledger->size(), 5U);
}

TEST(LevelDbLedger, WitnessesAreChosenWhileItIsEmpty) {
  const TemporaryDirectory directory;
  const auto open_with = [&](const ledger::LedgerDescriptor& descriptor, bool any = false) {
    return LevelDbLedger::open({directory.path(), descriptor, false, any});
  };
  static_cast<void>(must(open_with(with_witnesses(3, 2))));
  {
    auto ledger = must(open_with(with_witnesses(2, 1)));
    must(ledger->keep_cosigned({0, "by the first two"}));
  }
  {
    auto ledger = must(open_with(with_witnesses(3, 2)));
    EXPECT_EQ(must(ledger->newest_cosigned()), std::nullopt);  // Of other witnesses.
    append_one(*ledger, long_lab(1), 0);
  }
  for (const auto& other : {with_witnesses(3, 3), with_witnesses(2, 2), with_witnesses(0, 0)}) {
    EXPECT_EQ(open_with(other).error(), Errc::wrong_state);
  }
  EXPECT_EQ(must(open_with(with_witnesses(0, 0), true))->descriptor(), with_witnesses(3, 2));
  EXPECT_EQ(must(open_with(with_witnesses(3, 2)))->size(), 1U);
}

TEST(LevelDbLedger, MissesEntriesThatItsWitnessesHaveSeen) {
  const TemporaryDirectory directory;
  const ledger::LevelDbLedgerOptions options{directory.path(), with_witnesses(1, 1), false};
  {
    auto ledger = must(LevelDbLedger::open(options));
    append_one(*ledger, long_lab(1), 0);
    must(ledger->keep_cosigned({1, "of one"}));
  }
  std::string state;
  {
    const TemporaryDirectory empty;
    static_cast<void>(must(LevelDbLedger::open({empty.path(), with_witnesses(1, 1), false})));
    ASSERT_TRUE(raw(empty)->Get({}, "!state", &state).ok());
  }
  ASSERT_TRUE(raw(directory)->Put({}, "!state", state).ok());
  const auto refused = LevelDbLedger::open(options);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error(), Errc::storage_corrupt);
}

}  // namespace
}  // namespace kith::test
