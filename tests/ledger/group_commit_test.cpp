// Appends that share one synced write: nothing is there before it, all of it after it, each is
// judged on what those before it leave, and a write that fails leaves all of them unknown.

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ledger/embedded/leveldb_ledger.hpp"
#include "ledger/remote/service.hpp"
#include "tests/support/disk_syncs.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using crypto::Digest256;
using ledger::Appended;
using ledger::AppendOutcome;
using ledger::AppendRequest;
using ledger::LevelDbLedger;
using ledger::StaleHead;
using ledger::UnknownOutcome;

class GroupCommit : public ::testing::Test {
 protected:
  GroupCommit() {
    alice_.start();
    bob_.start();
    open();
  }
  void open() {
    ledger_.reset();
    ledger_ = must(LevelDbLedger::open({directory_.path(), ledger_descriptor(), false}));
  }
  static AppendRequest request(const Entry& entry) {
    return {entry.id, ledger::entry_blob(entry), entry.prev};
  }
  static AppendRequest genesis(const LogLab& lab) { return {lab.subject, lab.blobs[0].blob, ""}; }
  AppendOutcome stage(const AppendRequest& wanted) {
    return must(ledger_->stage(wanted, alice_.time));
  }
  Digest256 root() { return must(ledger::merkle_root(ledger_->size(), ledger_->tree())); }
  /// Of the same entries, each with a write of its own.
  Digest256 root_one_by_one(const std::vector<AppendRequest>& wanted) {
    const TemporaryDirectory elsewhere;
    const auto other = must(LevelDbLedger::open({elsewhere.path(), ledger_descriptor(), false}));
    for (const AppendRequest& one : wanted) must(other->append(one, alice_.time));
    return must(ledger::merkle_root(other->size(), other->tree()));
  }

  const TemporaryDirectory directory_;
  LogLab alice_{Kind::did, {}, 1};
  LogLab bob_{Kind::did, {}, 2};
  std::unique_ptr<LevelDbLedger> ledger_;
};

TEST_F(GroupCommit, IsOneWriteOfAllOrNothing) {
  std::vector<AppendRequest> group{genesis(alice_), genesis(bob_)};
  for (std::uint64_t i = 1; i < 6; ++i) {
    for (LogLab* lab : {&alice_, &bob_}) {
      const Entry update = lab->update(i);
      lab->post(update);
      group.push_back(request(update));
    }
  }
  const DiskSyncs syncs;
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto outcome = stage(group[i]);
    ASSERT_TRUE(std::holds_alternative<Appended>(outcome)) << i;
    EXPECT_EQ(std::get<Appended>(outcome).position, i);
  }
  // Nobody sees what is not durable.
  EXPECT_EQ(syncs.count(), 0U);
  EXPECT_EQ(ledger_->size(), 0U);
  EXPECT_TRUE(must(ledger_->follow(0, 100)).entries.empty());
  EXPECT_TRUE(must(ledger_->read(alice_.subject, 0)).entries.empty());
  must(ledger_->flush());
  EXPECT_EQ(syncs.count(), 1U);
  must(ledger_->flush());
  EXPECT_EQ(syncs.count(), 1U);  // Nothing waits.
  for (int reopened = 0; reopened < 2; ++reopened) {
    ASSERT_EQ(ledger_->size(), group.size());
    const auto page = must(ledger_->follow(0, 100));
    for (std::size_t i = 0; i < group.size(); ++i) EXPECT_EQ(page.entries[i].blob, group[i].blob);
    EXPECT_EQ(must(ledger_->read(alice_.subject, 0)).entries.size(), group.size() / 2);
    EXPECT_EQ(root(), root_one_by_one(group));
    open();
  }
  // One by one they cost a write each.
  const DiskSyncs alone;
  static_cast<void>(root_one_by_one(group));
  EXPECT_GE(alone.count(), group.size());
}

TEST_F(GroupCommit, EachIsJudgedOnWhatThoseBeforeItLeave) {
  const Entry first = alice_.update(1);
  const Entry rival = alice_.update(2);
  alice_.post(first);
  const Entry second = alice_.update(3);
  EXPECT_TRUE(std::holds_alternative<Appended>(stage(genesis(alice_))));
  EXPECT_TRUE(std::holds_alternative<Appended>(stage(request(first))));
  EXPECT_TRUE(std::holds_alternative<Appended>(stage(request(second))));
  // On the head of before.
  const auto stale = stage(request(rival));
  ASSERT_TRUE(std::holds_alternative<StaleHead>(stale));
  EXPECT_EQ(std::get<StaleHead>(stale).head, ledger::entry_hash(second));
  alice_.post(second);
  Entry forged = alice_.update(4);
  forged.sigs.front().s.front() ^= 1U;
  EXPECT_FALSE(ledger_->stage(request(forged), alice_.time).has_value());
  // A repeat, in the group and after it.
  const auto again = stage(request(first));
  EXPECT_EQ(std::get<Appended>(again).position, 1U);
  must(ledger_->flush());
  EXPECT_EQ(ledger_->size(), 3U);
  EXPECT_EQ(std::get<Appended>(must(ledger_->append(request(second), alice_.time))).position, 2U);
  EXPECT_EQ(must(ledger_->read(alice_.subject, 0)).entries.size(), 3U);
}

TEST_F(GroupCommit, TimesDoNotRunBackInAGroup) {
  const auto first = std::get<Appended>(must(ledger_->stage(genesis(alice_), alice_.time)));
  const auto second = std::get<Appended>(must(ledger_->stage(genesis(bob_), alice_.time - kDay)));
  EXPECT_EQ(second.time, first.time);
  must(ledger_->flush());
  open();
  EXPECT_EQ(must(ledger_->follow(0, 2)).entries[1].time, first.time);
}

TEST_F(GroupCommit, AWriteThatFailsLeavesAllUnknownAndMayBeTriedAgain) {
  const Entry update = alice_.update(1);
  {
    DiskSyncs syncs;
    syncs.fail_from_now_on();
    EXPECT_TRUE(std::holds_alternative<Appended>(stage(genesis(alice_))));
    EXPECT_TRUE(std::holds_alternative<Appended>(stage(request(update))));
    EXPECT_EQ(ledger_->flush().error(), Errc::storage_unknown);
    EXPECT_EQ(ledger_->size(), 0U);
    EXPECT_EQ(ledger_->failure().value(), Errc::storage_unknown);
  }
  // It does not go on by itself, though the disk works again.
  EXPECT_FALSE(ledger_->flush().has_value());
  EXPECT_TRUE(std::holds_alternative<UnknownOutcome>(stage(genesis(bob_))));
  EXPECT_TRUE(
      std::holds_alternative<UnknownOutcome>(must(ledger_->append(genesis(alice_), alice_.time))));
  open();
  const std::uint64_t there = ledger_->size();
  EXPECT_TRUE(there == 0 || there == 2) << there;
  EXPECT_EQ(std::get<Appended>(must(ledger_->append(genesis(alice_), alice_.time))).position, 0U);
  EXPECT_EQ(std::get<Appended>(must(ledger_->append(request(update), alice_.time))).position, 1U);
  EXPECT_EQ(ledger_->size(), 2U);
}

/// Appends in a process that ends without a word, before or after the write.
void append_and_die(const std::string& directory, const std::vector<AppendRequest>& group,
                    ledger::AnchorTime time, bool after_the_write) {
  const pid_t child = fork();
  if (child == 0) {
    const auto ledger = must(LevelDbLedger::open({directory, ledger_descriptor(), false}));
    for (const AppendRequest& one : group) must(ledger->stage(one, time));
    if (after_the_write) must(ledger->flush());
    _exit(0);
  }
  int status = 1;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_EQ(status, 0);
}

TEST_F(GroupCommit, ACrashIsBeforeAllOfItOrAfterAllOfIt) {
  const Entry update = alice_.update(1);
  const std::vector<AppendRequest> group{genesis(alice_), request(update), genesis(bob_)};
  ledger_.reset();
  append_and_die(directory_.path(), group, alice_.time, false);
  open();
  EXPECT_EQ(ledger_->size(), 0U);
  ledger_.reset();
  append_and_die(directory_.path(), group, alice_.time, true);
  open();
  EXPECT_EQ(ledger_->size(), 3U);
  // Who got no answer asks again, and finds his entry once.
  for (std::size_t i = 0; i < group.size(); ++i) {
    const auto again = std::get<Appended>(must(ledger_->append(group[i], alice_.time + kDay)));
    EXPECT_EQ(again.position, i);
    EXPECT_EQ(again.time, alice_.time);
  }
  EXPECT_EQ(ledger_->size(), 3U);
}

TEST_F(GroupCommit, ReceiptsOfAGroupAreOfTheTreeThatHoldsAllOfIt) {
  ledger::LedgerService service(*ledger_, ledger_signer());
  const auto post = [&](const LogLab& lab) {
    JsonObject body;
    body["blob"] = crypto::base64url(lab.blobs[0].blob);
    body["expected_head"] = "";
    return service.begin({"POST", "/ledger/log/" + lab.subject, crypto::json_text(body)}, lab.time);
  };
  std::vector<ledger::LedgerService::Begun> begun;
  begun.push_back(post(alice_));
  begun.push_back(post(bob_));
  const auto synced = ledger_->flush();
  for (const auto& append : begun) {
    const auto& staged = std::get<ledger::LedgerService::StagedAppend>(append);
    const auto reply = must(ledger::LedgerClient::read_append(service.finish(staged, synced)));
    const auto receipt = must(ledger::parse_receipt(reply.receipt));
    EXPECT_EQ(receipt.position, std::get<Appended>(reply.outcome).position);
    EXPECT_EQ(
        must(ledger::open_checkpoint(receipt.checkpoint, ledger_descriptor())).checkpoint.size, 2U);
    // What was taken back by a failing disk is not told, whatever it was.
    EXPECT_EQ(service.finish(staged, fail(Errc::storage_unknown)).status, 503);
  }
  const ledger::LedgerService::StagedAppend refused{fail(Errc::invalid_entry)};
  EXPECT_EQ(service.finish(refused, synced).status, 400);
  EXPECT_EQ(service.finish(refused, fail(Errc::storage_unknown)).status, 503);
}

}  // namespace
}  // namespace kith::test
