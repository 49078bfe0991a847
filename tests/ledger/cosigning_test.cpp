// A host collects cosignatures: whatever some witnesses do, it keeps only what enough of them have
// signed, and is never held up by the others.

#include "ledger/remote/cosigning.hpp"

#include <gtest/gtest.h>

#include "ledger/add_checkpoint.hpp"
#include "ledger/witness_limits.hpp"
#include "tests/ledger/witness_lab.hpp"

namespace kith::test {
namespace {

using ledger::AnchorTime;
using ledger::Cosigning;
using ledger::HttpReply;
using ledger::SignedNote;
namespace witness_limits = ledger::witness_limits;

class CosigningTest : public ::testing::Test {
 protected:
  CosigningTest() : host_(lab_.descriptor, lab_.all()) {}
  void pass(std::chrono::milliseconds time) { lab_.net.run_for(time); }
  std::uint64_t grow_and_cosign(std::uint64_t seed) {
    host_.append(seed, lab_.now());
    host_.cosign(lab_.now());
    return host_.witnessed();
  }
  std::optional<AnchorTime> next(bool urgent = false) {
    return must(host_.cosigning->next(lab_.now(), urgent));
  }
  AnchorTime witnessed_time() {
    const auto time = must(ledger::check_witnesses(host_.newest(), lab_.descriptor, lab_.now()));
    return time.value();
  }

  WitnessLab lab_;  ///< Two of three.
  CosignedHost host_;
};

TEST_F(CosigningTest, AsksAllAndKeepsWhatTheySigned) {
  EXPECT_EQ(host_.witnessed(), 0U);
  host_.cosign(lab_.now());  // Of no entries: readers want to hear that, too.
  EXPECT_EQ(host_.newest().cosignatures.size(), 3U);
  EXPECT_EQ(grow_and_cosign(1), 1U);
  EXPECT_EQ(grow_and_cosign(2), 2U);
  EXPECT_EQ(host_.newest().cosignatures.size(), 3U);
  EXPECT_EQ(host_.asked, 9U);
  EXPECT_TRUE(must(host_.cosigning->ask(lab_.now(), true)).empty());
}

TEST_F(CosigningTest, OneDeadWitnessOfThreeDelaysNothing) {
  host_.down = {1};
  EXPECT_EQ(grow_and_cosign(1), 1U);
  EXPECT_EQ(grow_and_cosign(2), 2U);
  EXPECT_EQ(host_.newest().cosignatures.size(), 2U);
  EXPECT_NE(host_.error_of(1), "");
  EXPECT_EQ(host_.error_of(0), "");
  host_.down.clear();
  pass(witness_limits::kRetryMax);
  EXPECT_EQ(grow_and_cosign(3), 3U);
  EXPECT_EQ(host_.newest().cosignatures.size(), 3U);
  EXPECT_EQ(host_.error_of(1), "");
}

TEST_F(CosigningTest, TwoDeadOnesStopItUntilOneIsBack) {
  ASSERT_EQ(grow_and_cosign(1), 1U);
  host_.down = {0, 2};
  EXPECT_EQ(grow_and_cosign(2), 1U);
  // Back-off: each failure doubles the wait, and an entry that waits keeps it short.
  std::chrono::milliseconds wait{0};
  for (int i = 0; i < 12; ++i) {
    const auto at = next();
    ASSERT_TRUE(at);
    EXPECT_GE(*at - lab_.now(), wait);
    wait = *at - lab_.now();
    EXPECT_LE(*next(true) - lab_.now(), witness_limits::kRetryUrgentMax);
    pass(wait + std::chrono::milliseconds{1});
    host_.cosign(lab_.now(), false);
  }
  EXPECT_EQ(wait, std::chrono::milliseconds{witness_limits::kRetryMax});
  EXPECT_EQ(host_.witnessed(), 1U);
  host_.down = {0};
  pass(witness_limits::kRetryUrgentMax);
  host_.cosign(lab_.now());
  EXPECT_EQ(host_.witnessed(), 2U);
}

TEST_F(CosigningTest, ASlowWitnessIsNotWaitedFor) {
  host_.append(1, lab_.now());
  const auto first = must(host_.cosigning->ask(lab_.now(), true));
  ASSERT_EQ(first.size(), 3U);
  for (const std::size_t quick : {std::size_t{0}, std::size_t{1}}) {
    must(host_.cosigning->take(quick, host_.reply_to(first[quick]), lab_.now()));
  }
  EXPECT_EQ(host_.witnessed(), 1U);
  // The next entry goes to those who are free; the slow one's late answer is added where it fits.
  host_.append(2, lab_.now());
  const auto second = must(host_.cosigning->ask(lab_.now(), true));
  ASSERT_EQ(second.size(), 2U);
  must(host_.cosigning->take(second[0].witness, host_.reply_to(second[0]), lab_.now()));
  must(host_.cosigning->take(2, host_.reply_to(first[2]), lab_.now()));
  EXPECT_EQ(host_.newest().cosignatures.size(), 3U);
  EXPECT_EQ(host_.witnessed(), 1U);
  must(host_.cosigning->take(second[1].witness, host_.reply_to(second[1]), lab_.now()));
  EXPECT_EQ(host_.witnessed(), 2U);
  // What is over is over: an older tree's signature is not mixed into a newer one's.
  EXPECT_EQ(host_.newest().cosignatures.size(), 2U);
}

TEST_F(CosigningTest, EntriesThatComeMeanwhileAreSignedTogether) {
  host_.append(1, lab_.now());
  const auto first = must(host_.cosigning->ask(lab_.now(), true));
  for (std::uint64_t seed = 2; seed < 12; ++seed) {
    host_.append(seed, lab_.now());
    EXPECT_TRUE(must(host_.cosigning->ask(lab_.now(), true)).empty());
  }
  for (const auto& question : first) {
    must(host_.cosigning->take(question.witness, host_.reply_to(question), lab_.now()));
  }
  EXPECT_EQ(host_.witnessed(), 1U);
  host_.cosign(lab_.now());
  EXPECT_EQ(host_.witnessed(), 11U);
}

TEST_F(CosigningTest, AHostThatForgotIsToldTheSize) {
  ASSERT_EQ(grow_and_cosign(1), 1U);
  // Its witnesses signed the next size, and it crashed before it kept any of that.
  host_.append(2, lab_.now());
  for (const auto& question : must(host_.cosigning->ask(lab_.now(), true))) {
    EXPECT_EQ(host_.reply_to(question)->status, 200);
  }
  host_.restart();
  EXPECT_EQ(host_.witnessed(), 1U);
  host_.append(3, lab_.now());
  host_.cosign(lab_.now());
  EXPECT_EQ(host_.witnessed(), 3U);
}

TEST_F(CosigningTest, OneWhoNamesOtherSizesForEverIsLeftForLater) {
  for (std::uint64_t seed = 1; seed < 3; ++seed) grow_and_cosign(seed);
  host_.asked = 0;
  host_.spoil = [n = 0](std::size_t witness, HttpReply& reply) mutable {
    if (witness == 0) reply = {409, "text/x.tlog.size", std::to_string(1 + ++n % 2) + "\n"};
  };
  EXPECT_EQ(grow_and_cosign(3), 3U);
  EXPECT_EQ(host_.asked, 2 + witness_limits::kConflictsMax + 1);
  EXPECT_NE(host_.error_of(0).find("again and again"), std::string::npos);
}

TEST_F(CosigningTest, AnOldCopyOfTheLedgerIsNotSigned) {
  for (std::uint64_t seed = 1; seed < 4; ++seed) grow_and_cosign(seed);
  CosignedHost copy(lab_.descriptor, lab_.all());
  copy.append(1, lab_.now());
  copy.cosign(lab_.now());
  EXPECT_EQ(copy.witnessed(), 0U);
  for (std::size_t i = 0; i < 3; ++i) {
    EXPECT_NE(copy.error_of(i).find("has seen 3 entries, and this ledger has 1"),
              std::string::npos);
  }
  // It grows to the same size, with other entries, and beyond.
  copy.append(50, lab_.now());
  copy.append(51, lab_.now());
  pass(witness_limits::kRetryMax);
  copy.cosign(lab_.now());
  EXPECT_NE(copy.error_of(0).find("another history"), std::string::npos) << copy.error_of(0);
  copy.append(52, lab_.now());
  pass(witness_limits::kRetryMax);
  copy.cosign(lab_.now());
  EXPECT_EQ(copy.witnessed(), 0U);
  EXPECT_NE(copy.error_of(0).find("does not continue"), std::string::npos) << copy.error_of(0);
}

TEST_F(CosigningTest, WhatIsNotSignedByItsWitnessesDoesNotCount) {
  const auto lines_of = [](const HttpReply& reply) {
    return must(ledger::parse_signature_lines(reply.body));
  };
  const std::vector<std::function<void(HttpReply&)>> lies{
      [&](HttpReply& reply) {  // Forged.
        auto lines = lines_of(reply);
        lines[0].signature.back() ^= 1;
        reply.body = ledger::signature_lines(lines);
      },
      [&](HttpReply& reply) {  // Another time than was signed.
        auto lines = lines_of(reply);
        lines[0].signature[7] ^= 1;
        reply.body = ledger::signature_lines(lines);
      },
      [&](HttpReply& reply) {  // A stranger's.
        auto lines = lines_of(reply);
        lines[0].key_id ^= 1;
        reply.body = ledger::signature_lines(lines);
      },
      [](HttpReply& reply) { reply.body.clear(); },
      [](HttpReply& reply) { reply.body = "thank you\n"; },
      [](HttpReply& reply) { reply.body = std::string(100'000, 'x'); },
      [](HttpReply& reply) {
        reply = {204, "", ""};
      },
      [](HttpReply& reply) {
        reply = {404, "", ""};
      },
      [](HttpReply& reply) {
        reply = {500, "", ""};
      },
      [](HttpReply& reply) {
        reply = {409, "", "many\n"};
      },
  };
  std::uint64_t seed = 1;
  for (const auto& lie : lies) {
    const std::uint64_t before = host_.witnessed();
    host_.spoil = [&](std::size_t witness, HttpReply& reply) {
      if (witness < 2) lie(reply);
    };
    pass(witness_limits::kRetryMax);
    EXPECT_EQ(grow_and_cosign(seed++), before);  // One honest witness is not two.
    EXPECT_NE(host_.error_of(0), "");
    host_.spoil = nullptr;
    pass(witness_limits::kRetryMax);
    host_.cosign(lab_.now());
    EXPECT_EQ(host_.witnessed(), host_.store.size());
  }
}

TEST_F(CosigningTest, ASecondSignatureOfOneWitnessIsNotAnother) {
  host_.append(1, lab_.now());
  host_.down = {1, 2};
  host_.spoil = [](std::size_t, HttpReply& reply) { reply.body += reply.body; };
  for (int i = 0; i < 5; ++i) {
    host_.cosign(lab_.now());
    pass(witness_limits::kRetryMax);
  }
  EXPECT_EQ(host_.witnessed(), 0U);
  host_.down = {2};
  host_.cosign(lab_.now());
  EXPECT_EQ(host_.witnessed(), 1U);
  EXPECT_EQ(host_.newest().cosignatures.size(), 2U);
}

TEST_F(CosigningTest, ClocksOfWitnessesAreHeldToTheHosts) {
  ASSERT_EQ(grow_and_cosign(1), 1U);
  const AnchorTime first = witnessed_time();
  // To the witnesses' eyes the host lives in the past, or they in its future.
  const AnchorTime early = lab_.now() - witness_limits::kFutureMax - std::chrono::seconds{2};
  host_.append(2, early);
  host_.cosign(early);
  EXPECT_EQ(host_.witnessed(), 1U);
  EXPECT_NE(host_.error_of(0).find("clock is ahead"), std::string::npos);
  pass(std::chrono::minutes{1});
  host_.cosign(lab_.now());
  EXPECT_EQ(host_.witnessed(), 2U);
  EXPECT_GT(witnessed_time(), first);
}

TEST_F(CosigningTest, WitnessesWhoseClocksAreFarBehindAreNotAskedForEver) {
  const AnchorTime later = lab_.now() + witness_limits::kRefreshAfter;
  host_.append(1, later);
  host_.cosign(later);  // It would throw.
  EXPECT_EQ(host_.witnessed(), 0U);
  EXPECT_NE(host_.error_of(1).find("clock is behind"), std::string::npos);
}

TEST_F(CosigningTest, AnchorTimesNeverRunBack) {
  std::vector<AnchorTime> times{lab_.now()};
  ASSERT_EQ(grow_and_cosign(1), 1U);
  pass(std::chrono::minutes{2});
  times.push_back(lab_.now());
  ASSERT_EQ(grow_and_cosign(2), 2U);
  const AnchorTime floor = witnessed_time();
  // A witness answers with the signature of a clock that is behind: good, but older than what is
  // anchored already. (Made with its real key, by asking a copy of the witness in the past.)
  WitnessLab past;
  CosignedHost twin(past.descriptor, past.all());
  ASSERT_EQ(past.descriptor, lab_.descriptor);
  times.push_back(lab_.now());
  for (std::uint64_t i = 0; i < 3; ++i) twin.append(i + 1, times[i]);
  twin.cosign(past.now());
  host_.append(3, times[2]);
  ASSERT_EQ(must(ledger::merkle_root(3, twin.store.tree())),
            must(ledger::merkle_root(3, host_.store.tree())));
  const auto old_note = must(ledger::parse_note(must(twin.store.newest_cosigned()).value().note));
  host_.spoil = [&](std::size_t witness, HttpReply& reply) {
    if (reply.status == 200) {
      reply.body = ledger::signature_lines({old_note.signatures[1 + witness]});
    }
  };
  host_.cosign(lab_.now());
  EXPECT_EQ(host_.witnessed(), 2U);
  EXPECT_NE(host_.error_of(0).find("clock is behind"), std::string::npos) << host_.error_of(0);
  host_.spoil = nullptr;
  pass(witness_limits::kRetryMax);
  host_.cosign(lab_.now());
  EXPECT_EQ(host_.witnessed(), 3U);
  EXPECT_GE(witnessed_time(), floor);
}

TEST_F(CosigningTest, TheFirstOfASizeStaysAndTheNewestIsYoung) {
  ASSERT_EQ(grow_and_cosign(1), 1U);
  const auto first = must(host_.store.first_cosigned(1)).value();
  const AnchorTime then = witnessed_time();
  EXPECT_EQ(next(), then + witness_limits::kRefreshAfter);
  pass(witness_limits::kRefreshAfter + std::chrono::seconds{1});
  host_.cosign(lab_.now(), false);
  EXPECT_GT(witnessed_time(), then);
  EXPECT_EQ(must(host_.store.first_cosigned(1)).value(), first);
  EXPECT_EQ(must(host_.store.first_cosigned(0)).value().size, 1U);
  EXPECT_EQ(must(host_.store.first_cosigned(2)), std::nullopt);
}

TEST_F(CosigningTest, MoreThanHalfIsUsual) {
  EXPECT_EQ(ledger::usual_quorum(1), 1U);
  EXPECT_EQ(ledger::usual_quorum(2), 2U);
  EXPECT_EQ(ledger::usual_quorum(3), 2U);
  EXPECT_EQ(ledger::usual_quorum(4), 3U);
  EXPECT_EQ(ledger::usual_quorum(5), 3U);
}

/// Hosts with two histories, witnesses that crash, answers that get lost, in an order drawn from a
/// seed: no size ever has two roots that enough witnesses signed.
class SplitWorld {
 public:
  explicit SplitWorld(std::uint64_t seed) : random_(seed, "split"), lab_(2, 3) {
    for (int i = 0; i < 2; ++i) {
      hosts_.push_back(std::make_unique<CosignedHost>(lab_.descriptor, lab_.all()));
    }
  }
  void live(int steps) {
    for (int i = 0; i < steps; ++i) {
      step();
      look();
    }
  }
  std::size_t signed_sizes() const { return roots_.size(); }

 private:
  void step() {
    CosignedHost& host = *hosts_[random_.below(2)];
    const std::uint64_t what = random_.below(10);
    lab_.net.run_for(std::chrono::milliseconds{static_cast<std::int64_t>(random_.below(4000))});
    if (what == 0) host.restart();
    if (what == 1) lab_.boxes[random_.below(3)]->box.restart();
    if (what == 2) {
      const bool after = random_.below(2) == 1;
      lab_.boxes[random_.below(3)]->box.store().crash_at(
          1, after ? MemoryStore::Crash::after_commit : MemoryStore::Crash::before_commit);
    }
    if (what <= 5) host.append(++seed_, lab_.now());
    for (const auto& question : must(host.cosigning->ask(lab_.now(), true))) {
      Result<HttpReply> reply = host.reply_to(question);
      if (random_.below(4) == 0) reply = fail(Errc::timeout);  // Done, and not heard of.
      must(host.cosigning->take(question.witness, reply, lab_.now()));
    }
  }
  void look() {
    for (const auto& host : hosts_) {
      const auto kept = must(host->store.newest_cosigned());
      if (!kept || kept->size == 0) continue;
      const auto trusted = must(ledger::open_checkpoint(kept->note, lab_.descriptor));
      EXPECT_TRUE(ledger::enough_witnesses(trusted, lab_.descriptor));
      const auto [known, is_new] = roots_.emplace(trusted.checkpoint.size, trusted.checkpoint.root);
      EXPECT_TRUE(is_new || known->second == trusted.checkpoint.root) << kept->size;
    }
  }

  crypto::SeededRandom random_;
  WitnessLab lab_;
  std::vector<std::unique_ptr<CosignedHost>> hosts_;
  std::map<std::uint64_t, ledger::Digest256> roots_;
  std::uint64_t seed_ = 0;
};

TEST(SplitLedger, HasOneHistoryAtMostWhateverHappens) {
  std::size_t signed_sizes = 0;
  for (std::uint64_t seed = 1; seed <= 12; ++seed) {
    SplitWorld world(seed);
    world.live(60);
    signed_sizes += world.signed_sizes();
    if (testing::Test::HasFailure()) FAIL() << "seed " << seed;
  }
  EXPECT_GT(signed_sizes, 40U);  // Otherwise it proves little.
}

}  // namespace
}  // namespace kith::test
