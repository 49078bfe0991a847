// A witness says when it saw a blob, and its clock never runs back, whatever crashes.

#include "ledger/witness_time.hpp"

#include <gtest/gtest.h>

#include "tests/ledger/witness_lab.hpp"

namespace kith::test {
namespace {

using ledger::WitnessTime;

/// As the witness keeps it.
struct KeptWord {
  Time said{};
  template <class V>
  void visit(V& v) {
    v("said", said);
  }
};

class WitnessTimeTest : public ::testing::Test {
 protected:
  WitnessTimeTest() {
    log_.start();
    blob_ = log_.blobs.front().blob;
  }
  JsonObject question() const {
    return {{"subject", log_.subject}, {"hash", ledger::blob_hash(blob_)}};
  }
  WitnessTime asked(std::size_t witness) {
    const auto reply = lab_.boxes[witness]->box.command("witness-time", question());
    return must(ledger::parse_witness_time(Json(must(reply))));
  }
  std::optional<AnchorTime> counted(const std::vector<WitnessTime>& times) const {
    return ledger::witnessed_time(lab_.descriptor, log_.subject, blob_, times);
  }
  static std::int64_t seconds(Time time) { return protocol::epoch_ms(time) / 1000; }
  static std::int64_t seconds(const WitnessTime& time) {
    return time.time.time_since_epoch().count();
  }

  WitnessLab lab_;  // Two of three.
  LogLab log_;
  Bytes blob_;
};

TEST_F(WitnessTimeTest, EnoughWitnessesSayWhenTheySawABlob) {
  std::vector<WitnessTime> times = {asked(0)};
  EXPECT_EQ(seconds(times[0]), seconds(lab_.net.now()));
  EXPECT_EQ(counted(times), std::nullopt) << "two are needed";
  lab_.net.run_for(10s);
  times.push_back(asked(2));
  const auto second = ledger::anchor_time_ms(seconds(times[1]) * 1000);
  EXPECT_EQ(counted(times), second) << "the second of them";
  lab_.net.run_for(10s);
  times.push_back(asked(0));
  EXPECT_EQ(counted(times), second) << "the same witness again";

  const auto with = [&](auto change) {
    std::vector<WitnessTime> changed = times;
    change(changed[1]);
    return counted(changed);
  };
  EXPECT_EQ(with([](WitnessTime& t) { t.time -= 1s; }), std::nullopt);
  EXPECT_EQ(with([](WitnessTime& t) { t.signature[7] ^= 1U; }), std::nullopt);
  EXPECT_EQ(with([&](WitnessTime& t) { t.witness = times[0].witness; }), std::nullopt);
  blob_.push_back('x');
  EXPECT_EQ(counted(times), std::nullopt) << "another blob";
  blob_.pop_back();
  lab_.descriptor.witnesses.pop_back();
  EXPECT_EQ(counted(times), std::nullopt) << "a stranger to that ledger";
  lab_.descriptor.w = 0;
  EXPECT_EQ(counted(times), std::nullopt) << "no witness is asked for";
}

TEST_F(WitnessTimeTest, ItIsNoCosignatureOfACheckpoint) {
  const std::string text = ledger::witness_time_text(log_.subject, ledger::blob_hash(blob_), {});
  EXPECT_FALSE(text.starts_with("cosignature/v1"));
  EXPECT_FALSE(ledger::parse_checkpoint(text).has_value());
}

TEST_F(WitnessTimeTest, TheClockOfAWitnessNeverRunsBack) {
  AgentBox& box = lab_.boxes[0]->box;
  const std::int64_t first = seconds(asked(0));
  lab_.net.run_for(100s);
  const std::uint64_t commits = box.store().commits();
  EXPECT_EQ(seconds(asked(0)), first + 100);
  EXPECT_EQ(box.store().commits(), commits + 1);
  box.restart();
  // What it said last is more than the machine's clock says: somebody set that back.
  const Time later = std::chrono::floor<std::chrono::seconds>(lab_.net.now()) + 1h;
  box.edit([&](Host& host) {
    protocol::save(host, "meta", "witness-time", KeptWord{later});
    return true;
  });
  EXPECT_EQ(seconds(asked(0)), seconds(later));
}

TEST_F(WitnessTimeTest, ACrashBeforeTheAnswerForgetsNothingThatWasSaid) {
  AgentBox& box = lab_.boxes[0]->box;
  asked(0);
  for (const auto crash : {MemoryStore::Crash::before_commit, MemoryStore::Crash::after_commit}) {
    lab_.net.run_for(5s);
    const std::size_t crashes = box.crashes();
    box.store().crash_at(1, crash);
    EXPECT_EQ(seconds(asked(0)), seconds(lab_.net.now()));
    EXPECT_EQ(box.crashes(), crashes + 1) << "the time is written before it is told";
  }
}

TEST_F(WitnessTimeTest, QuestionsLeaveNothingBehindButTheTime) {
  AgentBox& box = lab_.boxes[0]->box;
  asked(0);
  const auto kept = [&] {
    return box.look(
        [](Host& host) { return host.list("command").size() + host.list("meta").size(); });
  };
  const std::size_t before = kept();
  for (int i = 0; i < 20; ++i) asked(0);
  EXPECT_EQ(kept(), before);
}

TEST_F(WitnessTimeTest, OnlyBlobsOfLogsAreSeen) {
  AgentBox& box = lab_.boxes[0]->box;
  const auto refused = [&](std::string_view member, std::string_view value) {
    JsonObject args = question();
    args[member] = value;
    return box.command("witness-time", args).error();
  };
  EXPECT_EQ(refused("subject", "did:web:example.com"), Errc::malformed);
  EXPECT_EQ(refused("subject", log_.subject + "\n"), Errc::malformed);
  EXPECT_EQ(refused("hash", "zQm"), Errc::malformed);
  EXPECT_EQ(refused("time", "0"), Errc::malformed);
}

TEST_F(WitnessTimeTest, HasOneForm) {
  const JsonObject good = ledger::witness_time_json(asked(0));
  EXPECT_TRUE(ledger::parse_witness_time(Json(good)).has_value());
  const auto with = [&](std::string_view member, Json value) {
    JsonObject bad = good;
    bad[member] = std::move(value);
    return ledger::parse_witness_time(Json(bad)).has_value();
  };
  EXPECT_FALSE(with("k", "z6Mk"));
  EXPECT_FALSE(with("time", -1));
  EXPECT_FALSE(with("time", 253'402'300'800));
  EXPECT_FALSE(with("time", "0"));
  EXPECT_FALSE(with("s", "z11"));
  EXPECT_FALSE(with("more", 1));
  const KeyPair other = log_.fresh(KeyPurpose::log_active, KeyType::secp256k1);
  EXPECT_FALSE(with("k", Json(crypto::multikey(other.public_key))));
}

}  // namespace
}  // namespace kith::test
