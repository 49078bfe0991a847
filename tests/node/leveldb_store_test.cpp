#include "node/storage/leveldb_store.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>

#include "crypto/random.hpp"
#include "crypto/software_keys.hpp"
#include "node/storage/record_seal.hpp"
#include "tests/support/memory_store.hpp"
#include "tests/support/temp_directory.hpp"

namespace kith::node {
namespace {

using protocol::Batch;
using protocol::RecordKey;
using test::TempDirectory;

class LeveldbStoreTest : public ::testing::Test {
 protected:
  LeveldbStoreTest() : random_(7, "store"), keys_(random_.secret(32), random_) { open(); }

  void open() {
    store_.reset();
    auto opened = LeveldbStore::open(directory_.path("db"), keys_);
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    store_ = std::move(*opened);
  }

  /// All bytes of all files of the database.
  std::string raw() {
    std::string all;
    for (const auto& file : std::filesystem::directory_iterator(directory_.path("db"))) {
      std::ifstream in(file.path(), std::ios::binary);
      all.append(std::istreambuf_iterator<char>(in), {});
    }
    return all;
  }

  TempDirectory directory_;
  crypto::SeededRandom random_;
  crypto::SoftwareKeys keys_;
  std::unique_ptr<LeveldbStore> store_;
};

TEST_F(LeveldbStoreTest, AnswersAsTheMemoryStoreDoesOverLongTapesAndReopenings) {
  test::MemoryStore model;
  crypto::SeededRandom tape(11, "tape");
  const auto name = [&](std::uint64_t many) { return "r" + std::to_string(tape.below(many)); };
  Batch batch;
  // Synced writes are slow, so many operations share one batch, as in a unit of work.
  for (int op = 0; op < 10'000; ++op) {
    const std::string collection = "c" + std::to_string(tape.below(4));
    const RecordKey key{collection, name(40)};
    const std::uint64_t kind = tape.below(100);
    if (kind < 55) {
      batch.push_back({key, tape.bytes(tape.below(60))});
    } else if (kind < 75) {
      batch.push_back({key, std::nullopt});
    } else if (kind < 80) {
      ASSERT_TRUE(store_->commit(batch).has_value());
      ASSERT_TRUE(model.commit(batch).has_value());
      batch.clear();
    } else if (kind < 90) {
      ASSERT_EQ(*store_->get(key), *model.get(key));
    } else if (kind < 99 || op % 17 != 0) {
      ASSERT_EQ(*store_->list(collection), *model.list(collection));
    } else {
      open();
    }
  }
  open();
  for (int c = 0; c < 4; ++c) {
    const std::string collection = "c" + std::to_string(c);
    EXPECT_EQ(*store_->list(collection), *model.list(collection));
  }
}

TEST_F(LeveldbStoreTest, ShowsNeitherNamesNorValuesOnTheDisk) {
  const std::string collection = "friends-of-mine", id = "uncle-theodore",
                    value = "likes-apples-a-lot";
  ASSERT_TRUE(store_->commit({{{collection, id}, crypto::to_bytes(value)}}).has_value());
  open();
  const std::string on_disk = raw();
  EXPECT_EQ(on_disk.find(collection), std::string::npos);
  EXPECT_EQ(on_disk.find(id), std::string::npos);
  EXPECT_EQ(on_disk.find(value), std::string::npos);
  // The search would find them: a file beside with the same bytes is seen.
  std::ofstream(directory_.path("db") + "/planted") << "xx" << value << "xx";
  EXPECT_NE(raw().find(value), std::string::npos);
}

TEST_F(LeveldbStoreTest, KeepsCollectionsWithMisleadingNamesApart) {
  ASSERT_TRUE(
      store_->commit({{{"a", "b|c"}, crypto::to_bytes("1")}, {{"a|b", "c"}, crypto::to_bytes("2")}})
          .has_value());
  EXPECT_EQ(*store_->get({"a", "b|c"}), crypto::to_bytes("1"));
  EXPECT_EQ(*store_->get({"a|b", "c"}), crypto::to_bytes("2"));
  EXPECT_EQ(store_->list("a")->size(), 1U);
}

TEST_F(LeveldbStoreTest, AnswersNothingUnderAnotherRootKey) {
  ASSERT_TRUE(store_->commit({{{"a", "b"}, crypto::to_bytes("1")}}).has_value());
  store_.reset();
  crypto::SoftwareKeys other(random_.secret(32), random_);
  auto opened = LeveldbStore::open(directory_.path("db"), other);
  ASSERT_TRUE(opened.has_value());
  EXPECT_FALSE((*opened)->get({"a", "b"})->has_value());
  EXPECT_TRUE((*opened)->list("a")->empty());
}

TEST_F(LeveldbStoreTest, IsHeldByOneProcessAtATime) {
  const auto second = LeveldbStore::open(directory_.path("db"), keys_);
  ASSERT_FALSE(second.has_value());
  EXPECT_EQ(second.error().code, Errc::home_locked);
}

TEST(RecordSeal, RefusesValuesThatWereMovedCutOrChanged) {
  crypto::SeededRandom random(3, "seal");
  crypto::SoftwareKeys keys(random.secret(32), random);
  const RecordSeal seal(keys);
  const std::string here = seal.key({"c", "here"}), there = seal.key({"c", "there"});
  const std::string stored = seal.seal(here, "here", crypto::to_bytes("value"));
  ASSERT_EQ(*seal.open_value(here, stored), crypto::to_bytes("value"));
  ASSERT_EQ(*seal.open_id("c", here, stored), "here");

  EXPECT_EQ(seal.open_value(there, stored).error().code, Errc::storage_corrupt);
  EXPECT_EQ(seal.open_id("c", there, stored).error().code, Errc::storage_corrupt);
  for (std::size_t size = 0; size < stored.size(); size += 5) {
    EXPECT_FALSE(seal.open_value(here, stored.substr(0, size)).has_value()) << size;
  }
  for (std::size_t at = 0; at < stored.size(); ++at) {
    std::string changed = stored;
    changed[at] = static_cast<char>(changed[at] ^ 1);
    const bool both =
        seal.open_value(here, changed).has_value() && seal.open_id("c", here, changed).has_value();
    EXPECT_FALSE(both) << at;
  }
}

}  // namespace
}  // namespace kith::node
