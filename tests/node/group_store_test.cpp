#include "node/storage/group_store.hpp"

#include <gtest/gtest.h>

#include "tests/support/memory_store.hpp"

namespace kith::node {
namespace {

using protocol::Batch;
using protocol::RecordKey;
using test::MemoryStore;

RecordKey key(std::string_view id) {
  return {"box", std::string(id)};
}
Batch put(std::string_view id, std::string_view value) {
  return {{key(id), crypto::to_bytes(value)}};
}

/// Counts reads, so that a test sees what was kept.
class CountingStore final : public protocol::Store {
 public:
  Result<std::optional<Bytes>> get(const RecordKey& record) override {
    ++reads;
    return memory.get(record);
  }
  Result<std::vector<std::string>> list(std::string_view collection) override {
    ++lists;
    return memory.list(collection);
  }
  Result<void> commit(const Batch& batch) override { return memory.commit(batch); }

  MemoryStore memory;
  int reads = 0;
  int lists = 0;
};

TEST(GroupStore, MakesManyUnitsDurableByOneWrite) {
  MemoryStore disk;
  GroupStore store(disk);
  ASSERT_TRUE(store.commit(put("a", "1")).has_value());
  ASSERT_TRUE(store.commit(put("b", "2")).has_value());
  ASSERT_TRUE(store.commit(put("a", "3")).has_value());
  EXPECT_EQ(*store.get(key("a")).value(), crypto::to_bytes("3")) << "the next unit sees it";
  EXPECT_EQ(disk.commits(), 0U);
  EXPECT_TRUE(disk.records().empty()) << "a crash here is one before all of them";
  EXPECT_EQ(store.waiting(), 2U) << "the last of two writes to one record counts";
  ASSERT_TRUE(store.flush().has_value());
  EXPECT_EQ(disk.commits(), 1U);
  EXPECT_EQ(disk.records().at(key("a")), crypto::to_bytes("3"));
  EXPECT_EQ(disk.records().at(key("b")), crypto::to_bytes("2"));
  ASSERT_TRUE(store.flush().has_value());
  EXPECT_EQ(disk.commits(), 1U) << "nothing waits, nothing is written";
}

TEST(GroupStore, SaysThatTheDiskFailed) {
  MemoryStore disk;
  GroupStore store(disk);
  disk.crash_at(1, MemoryStore::Crash::before_commit);
  ASSERT_TRUE(store.commit(put("a", "1")).has_value());
  EXPECT_EQ(store.flush().error(), Errc::storage_unknown);
}

TEST(GroupStore, ListsWhatWaitsWithWhatIsThere) {
  CountingStore disk;
  for (const char* id : {"a", "c", "d"}) ASSERT_TRUE(disk.commit(put(id, "old")).has_value());
  GroupStore store(disk);
  ASSERT_TRUE(
      store.commit({{key("b"), crypto::to_bytes("new")}, {key("c"), std::nullopt}}).has_value());
  using Ids = std::vector<std::string>;
  EXPECT_EQ(store.list("box").value(), (Ids{"a", "b", "d"}));
  ASSERT_TRUE(
      store.commit({{key("e"), crypto::to_bytes("new")}, {key("a"), std::nullopt}}).has_value());
  EXPECT_EQ(store.list("box").value(), (Ids{"b", "d", "e"}));
  ASSERT_TRUE(store.flush().has_value());
  EXPECT_EQ(store.list("box").value(), (Ids{"b", "d", "e"}));
  EXPECT_EQ(disk.lists, 1) << "asked once, kept in step since";
  EXPECT_EQ(disk.list("box").value(), (Ids{"b", "d", "e"}));
  EXPECT_TRUE(store.list("another").value().empty());
}

TEST(GroupStore, KeepsRecordsInStepWithWritesAndErasures) {
  CountingStore disk;
  ASSERT_TRUE(disk.commit(put("a", "old")).has_value());
  GroupStore store(disk);
  EXPECT_EQ(*store.get(key("a")).value(), crypto::to_bytes("old"));
  EXPECT_EQ(*store.get(key("a")).value(), crypto::to_bytes("old"));
  EXPECT_EQ(disk.reads, 1);
  EXPECT_FALSE(store.get(key("nothing")).value().has_value());
  ASSERT_TRUE(store.commit(put("a", "new")).has_value());
  EXPECT_EQ(*store.get(key("a")).value(), crypto::to_bytes("new"));
  ASSERT_TRUE(store.flush().has_value());
  EXPECT_EQ(*store.get(key("a")).value(), crypto::to_bytes("new"));
  ASSERT_TRUE(store.commit({{key("a"), std::nullopt}}).has_value());
  EXPECT_FALSE(store.get(key("a")).value().has_value());
  ASSERT_TRUE(store.flush().has_value());
  EXPECT_FALSE(store.get(key("a")).value().has_value());
  EXPECT_EQ(disk.reads, 2) << "everything else was known";
}

TEST(GroupStore, ReadsNothingThatAListDoesNotHave) {
  CountingStore disk;
  ASSERT_TRUE(disk.commit(put("a", "1")).has_value());
  GroupStore store(disk);
  EXPECT_FALSE(store.get(key("b")).value().has_value());
  EXPECT_EQ(disk.reads, 1) << "nobody knows yet";
  ASSERT_TRUE(store.list("box").has_value());
  EXPECT_FALSE(store.get(key("c")).value().has_value());
  EXPECT_FALSE(store.get(key("")).value().has_value());
  EXPECT_EQ(disk.reads, 1);
  EXPECT_EQ(*store.get(key("a")).value(), crypto::to_bytes("1"));
  EXPECT_FALSE(store.get({"another", "c"}).value().has_value());
  EXPECT_EQ(disk.reads, 3) << "what is there, and what was never listed";

  ASSERT_TRUE(
      store.commit({{key("c"), crypto::to_bytes("2")}, {key("a"), std::nullopt}}).has_value());
  EXPECT_EQ(*store.get(key("c")).value(), crypto::to_bytes("2"));
  EXPECT_FALSE(store.get(key("a")).value().has_value());
  ASSERT_TRUE(store.flush().has_value());
  EXPECT_EQ(*store.get(key("c")).value(), crypto::to_bytes("2"));
  EXPECT_FALSE(store.get(key("a")).value().has_value());
  EXPECT_EQ(disk.reads, 3);
}

TEST(GroupStore, KeepsNoMoreThanItMay) {
  CountingStore disk;
  GroupStoreLimits limits;
  limits.kept_bytes = 4096;
  limits.kept_record_bytes = 1024;
  limits.listed_ids = 10;
  GroupStore store(disk, limits);
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(store.commit(put(std::to_string(i), std::string(500, 'x'))).has_value());
    ASSERT_TRUE(store.flush().has_value());
    ASSERT_LE(store.kept_bytes(), limits.kept_bytes);
  }
  EXPECT_EQ(store.list("box").value().size(), 100U);
  EXPECT_EQ(store.list("box").value().size(), 100U);
  EXPECT_EQ(disk.lists, 2) << "too long to keep";
  for (int i = 0; i < 100; ++i) {
    EXPECT_EQ(store.get(key(std::to_string(i))).value()->size(), 500U);
  }
  ASSERT_TRUE(store.commit(put("large", std::string(2000, 'x'))).has_value());
  ASSERT_TRUE(store.flush().has_value());
  const int before = disk.reads;
  EXPECT_EQ(store.get(key("large")).value()->size(), 2000U);
  EXPECT_EQ(disk.reads, before + 1) << "larger than what is kept";
}

TEST(GroupStore, KeepsTheNewestOfManyShortLists) {
  CountingStore disk;
  GroupStoreLimits limits;
  limits.listed_ids = 10;
  GroupStore store(disk, limits);
  for (int round = 0; round < 3; ++round) {
    for (int box = 0; box < 30; ++box) {
      const std::string name = "box-" + std::to_string(box);
      const RecordKey record{name, std::to_string(round)};
      ASSERT_TRUE(store.commit({{record, crypto::to_bytes("x")}}).has_value());
      const auto ids = store.list(name).value();
      EXPECT_EQ(ids.size(), static_cast<std::size_t>(round) + 1) << name;
    }
  }
}

}  // namespace
}  // namespace kith::node
