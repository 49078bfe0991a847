#include "sim/sim_store.hpp"

#include <gtest/gtest.h>

namespace kith::sim {
namespace {

protocol::Batch put(const char* collection, const char* id, const char* value) {
  return {{{collection, id}, crypto::to_bytes(std::string_view(value))}};
}

std::string read(SimStore& store, const char* collection, const char* id) {
  const auto value = store.get({collection, id});
  if (!value.has_value()) return "error";
  return *value ? std::string(crypto::as_text(**value)) : "absent";
}

TEST(SimStore, ListsACollectionInByteOrder) {
  SimStore store;
  for (const char* id : {"b", "a", "c"}) {
    ASSERT_TRUE(store.commit(put("contact", id, "x")).has_value());
  }
  ASSERT_TRUE(store.commit(put("contacts", "d", "x")).has_value());
  ASSERT_TRUE(store.commit({{{"contact", "c"}, std::nullopt}}).has_value());
  EXPECT_EQ(*store.list("contact"), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(store.records(), 3U);
}

TEST(SimStore, LosesAWholeBatchWhenTheNodeDiesBeforeTheSync) {
  SimStore store;
  ASSERT_TRUE(store.commit(put("c", "a", "old")).has_value());
  store.commit_fate = [](const protocol::Batch&) { return CommitFate::lost; };
  protocol::Batch batch = put("c", "a", "new");
  batch.push_back({{"c", "b"}, Bytes{1}});
  EXPECT_EQ(store.commit(batch).error(), Errc::storage_unknown);
  EXPECT_EQ(read(store, "c", "a"), "old");
  EXPECT_EQ(read(store, "c", "b"), "absent");
}

TEST(SimStore, KeepsAWholeBatchWhenTheNodeDiesAfterTheSync) {
  SimStore store;
  store.commit_fate = [](const protocol::Batch&) { return CommitFate::kept; };
  EXPECT_EQ(store.commit(put("c", "a", "new")).error(), Errc::storage_unknown);
  EXPECT_EQ(read(store, "c", "a"), "new");
}

TEST(SimStore, FailsReadsWithoutHarm) {
  SimStore store;
  ASSERT_TRUE(store.commit(put("c", "a", "x")).has_value());
  bool fails = true;
  store.read_fails = [&] { return fails; };
  EXPECT_EQ(read(store, "c", "a"), "error");
  EXPECT_FALSE(store.list("c").has_value());
  fails = false;
  EXPECT_EQ(read(store, "c", "a"), "x");
}

}  // namespace
}  // namespace kith::sim
