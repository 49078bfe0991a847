#include "sim/checkers.hpp"

#include <gtest/gtest.h>

#include "sim/scenario.hpp"

namespace kith::sim {
namespace {

class CanaryTest : public testing::Test {
 protected:
  CanaryTest() { search_.add("the secret", secret_); }

  [[nodiscard]] bool finds(std::string_view text) const {
    return !search_.find(crypto::as_bytes(text)).empty();
  }

  Bytes secret_ = crypto::to_bytes(std::string_view("0123\x01\xff secret of 29 bytes!!"));
  CanarySearch search_;
};

TEST_F(CanaryTest, IsFoundRawAndInHex) {
  EXPECT_TRUE(finds("before " + std::string(crypto::as_text(secret_)) + " after"));
  EXPECT_TRUE(finds("{\"key\":\"" + crypto::hex(secret_) + "\"}"));
  EXPECT_FALSE(finds("nothing to see in this text, however long it may be"));
  EXPECT_FALSE(finds(std::string(crypto::as_text(secret_)).substr(1)));
  EXPECT_FALSE(finds(""));
}

TEST_F(CanaryTest, IsFoundInBase64AtEveryAlignment) {
  for (std::size_t before = 0; before < 6; ++before) {
    for (std::size_t after = 0; after < 4; ++after) {
      Bytes around(before, 0xa5);
      around.insert(around.end(), secret_.begin(), secret_.end());
      around.insert(around.end(), after, 0x5a);
      EXPECT_TRUE(finds("." + crypto::base64url(around) + ".")) << before << " " << after;
    }
  }
}

TEST_F(CanaryTest, IsFoundOnADisk) {
  SimStore store;
  ASSERT_TRUE(
      store.commit({{{"mail", "a"}, crypto::to_bytes(std::string_view("harmless"))}}).has_value());
  EXPECT_TRUE(check_disk(store, "the mediator", search_).empty());
  ASSERT_TRUE(store.commit({{{"mail", "b"}, secret_}}).has_value());
  const Findings findings = check_disk(store, "the mediator", search_);
  ASSERT_EQ(findings.size(), 1U);
  EXPECT_EQ(findings.front(), "the secret lies in mail of the mediator");
}

TEST(Checkers, CatchATextThatIsLostOrDoubled) {
  const Text one{"alice", "bob", "first"}, two{"alice", "bob", "second"};
  EXPECT_TRUE(compare_texts({one, two}, {two, one}).empty());
  EXPECT_EQ(compare_texts({one, two}, {one}).size(), 1U);
  EXPECT_EQ(compare_texts({one}, {one, one}).size(), 1U);
  EXPECT_EQ(compare_texts({}, {one}).size(), 1U);
}

TEST(Checkers, CatchAReleaseThatNobodyApprovedOrThatComesTooEarly) {
  const Time start = protocol::from_epoch_seconds(1'000'000);
  const Duration day = std::chrono::hours{24};
  const std::vector<Approval> approvals{{"bob", "alice", "01", start}};
  EXPECT_TRUE(check_releases({{"bob", "01", start + day}}, approvals, day).empty());
  EXPECT_EQ(check_releases({{"bob", "01", start + day - Duration{1}}}, approvals, day).size(), 1U);
  EXPECT_EQ(check_releases({{"carol", "01", start + day}}, approvals, day).size(), 1U);
  EXPECT_EQ(check_releases({{"bob", "02", start + day}}, approvals, day).size(), 1U);
}

TEST(Checkers, NameWhatNeverHappened) {
  World::Marks marks;
  for (const char* name : {"network.lost", "network.answer-lost", "network.duplicated",
                           "network.reordered", "crash.setup", "crash.commit", "crash.move",
                           "crash.approval", "crash.release", "crash.finish"}) {
    marks[name] = 1;
  }
  EXPECT_TRUE(missing_coverage(marks).empty());
  marks["crash.release"] = 0;
  marks.erase("network.lost");
  EXPECT_EQ(missing_coverage(marks).size(), 2U);
}

}  // namespace
}  // namespace kith::sim
