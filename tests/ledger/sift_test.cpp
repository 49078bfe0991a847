// Paid junk: what can never count in a log is left out, and nothing else is.

#include "ledger/sift.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "ledger/own_log.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using ledger::AnchoredBlob;

class SiftTest : public ::testing::Test {
 protected:
  SiftTest() {
    log_.start();
    stranger_.start();
  }
  /// What a stranger pays for: looks like an entry of the log, and is long.
  Bytes forged(std::uint64_t i) {
    Entry entry = log_.update(i);
    entry.content->state.get_object()["junk"] = std::string(12'000, 'x') + std::to_string(i);
    return ledger::entry_blob(entry);
  }
  std::vector<bool> never() const {
    return ledger::never_counts(log_.subject, log_.blobs, log_.time, false);
  }
  std::size_t count() const {
    const auto flags = never();
    return static_cast<std::size_t>(std::ranges::count(flags, true));
  }

  LogLab log_;
  LogLab stranger_{Kind::did, {}, 2};
};

TEST_F(SiftTest, JunkIsLeftOutAndTheLogReadsTheSame) {
  log_.post_blob(crypto::to_bytes(std::string_view("junk")));
  log_.post(log_.update(1));
  log_.post_blob(forged(2));
  log_.post_blob(stranger_.blobs[0].blob);
  log_.post(log_.update(3));
  const LogView before = log_.view();
  ASSERT_EQ(before.n(), 2U);
  const auto flags = never();
  EXPECT_EQ(flags, (std::vector<bool>{false, true, false, true, true, false}));
  std::vector<AnchoredBlob> kept;
  for (std::size_t i = 0; i < log_.blobs.size(); ++i) {
    if (!flags[i]) kept.push_back(log_.blobs[i]);
  }
  log_.blobs = kept;
  EXPECT_EQ(log_.view().head().hash, before.head().hash);
  EXPECT_EQ(count(), 0U);
}

TEST_F(SiftTest, WhatTheOwnerCouldHaveMadeStays) {
  // A veto of a recover that lies on another ledger: junk here, and yet it may count.
  const Entry foreign_recover = log_.recover(0);
  log_.post(foreign_recover);
  const Entry veto = log_.veto();
  log_.blobs.pop_back();
  log_.post_blob(ledger::entry_blob(veto));
  EXPECT_EQ(count(), 0U);
  Entry spoiled = veto;
  spoiled.sigs.front().s.front() ^= 1U;
  log_.post_blob(ledger::entry_blob(spoiled));
  EXPECT_EQ(count(), 1U);
  // Of a stranger's recovery set.
  Entry foreign = foreign_recover;
  foreign.reveal->salt = stranger_.recover(0).reveal->salt;
  log_.post_blob(ledger::entry_blob(foreign));
  EXPECT_EQ(count(), 2U);
}

TEST_F(SiftTest, ALogBehindMuchJunkIsReadPageByPage) {
  Network net;
  AgentBox& box = net.add("reader", modules<>(), kNoVaultYet);
  std::vector<protocol::AnchoredBlob> pages;
  std::uint64_t position = 0;
  std::size_t posted = 0;
  const auto page = [&](bool complete) {
    protocol::LedgerEntries made;
    made.complete = complete;
    const auto add = [&](const Bytes& blob) {
      made.entries.push_back({position++, net.now(), blob});
      posted += blob.size();
    };
    if (position == 0) add(log_.blobs[0].blob);
    for (int i = 0; i < 40; ++i) add(forged(position));
    if (complete) {
      log_.post(log_.update(1));
      add(log_.blobs.back().blob);
    }
    return made;
  };
  const auto take = [&](bool complete, bool sifts) {
    const auto next = page(complete);
    return box.look([&](Host& host) {
      if (sifts) ledger::sift_pages(host, log_.subject, pages);
      return ledger::take_page(pages, next);
    });
  };
  for (int i = 0; i < 5; ++i) {
    EXPECT_FALSE(must(take(false, true)));
    EXPECT_EQ(pages.back().position, position - 1) << "reading goes on behind it";
  }
  EXPECT_TRUE(must(take(true, true)));
  EXPECT_GT(posted, limits::kLedgerSubjectBytesMax);
  log_.blobs.clear();
  for (const auto& entry : pages) log_.blobs.push_back({entry.blob, log_.time});
  EXPECT_EQ(log_.view().n(), 1U);

  // Without that it is more than a reader takes.
  pages.clear();
  position = 0;
  Result<bool> last = false;
  for (int i = 0; i < 5 && last.has_value(); ++i) last = take(false, false);
  EXPECT_EQ(last.error().code, Errc::limit_exceeded);
}

}  // namespace
}  // namespace kith::test
