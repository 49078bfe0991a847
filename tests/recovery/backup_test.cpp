// Backups at a location: stored whole, read back, handed out by token, never overwritten.

#include <gtest/gtest.h>

#include <algorithm>

#include "ledger/connection.hpp"
#include "protocol/mediator.hpp"
#include "protocol/messenger.hpp"
#include "protocol/own_service.hpp"
#include "protocol/pickup.hpp"
#include "recovery/backup_client.hpp"
#include "recovery/backup_location.hpp"
#include "tests/support/agents.hpp"

namespace kith::recovery {
namespace {

using test::AgentBox;
using test::Fate;
using test::Network;

constexpr auto kSoon = std::chrono::minutes{30};

test::Modules client_modules() {
  test::Modules all;
  all.push_back(std::make_unique<ledger::Connection>());
  all.push_back(std::make_unique<protocol::Pickup>(protocol::PickupPace{}));
  all.push_back(std::make_unique<BackupClient>());
  return all;
}

test::Modules location_modules() {
  test::Modules all;
  all.push_back(std::make_unique<ledger::Connection>());
  all.push_back(std::make_unique<protocol::Mediator>("https://relay.test/"));
  all.push_back(std::make_unique<BackupLocation>());
  return all;
}

class BackupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    for (AgentBox* box : {&alice_, &mallory_}) {
      const auto invitation = relay_.command("mediator-invitation");
      const std::string url(invitation->at("url").get_string());
      ASSERT_TRUE(box->command("accept", {{"url", url}}).has_value());
      ASSERT_TRUE(net_.run_until(
          [&] {
            return box->look([](Host& h) { return protocol::mediator_grant(h).has_value(); });
          },
          kSoon));
    }
  }

  static LocationLink link(AgentBox& box) {
    return box.look([](Host& host) {
      const auto grant = protocol::mediator_grant(host);
      const auto contact = protocol::find_contact(host, grant->contact_id);
      return LocationLink{contact->my_did, contact->their_did, {}};
    });
  }

  /// A stranger's way in: a one-time DID without address, and the location's public DID.
  static LocationLink stranger_link(AgentBox& box, const Bytes& token) {
    std::string own;
    box.edit([&](Host& host) {
      own = ledger::make_one_time_did(host, {})->text();
      return true;
    });
    const std::string location =
        box.look([](Host& host) { return protocol::mediator_grant(host)->routing_did; });
    return {own, location, token};
  }

  std::string put(AgentBox& box, const std::vector<PartVersion>& parts) {
    std::string id;
    const LocationLink to = link(box);
    box.edit([&](Host& host) {
      id = start_put(host, "nobody", "ended", to, parts);
      return true;
    });
    return id;
  }
  std::string get(AgentBox& box, const LocationLink& from, BackupPart part,
                  std::optional<std::uint64_t> counter = {}) {
    std::string id;
    box.edit([&](Host& host) {
      id = start_get(host, "nobody", "ended", from, part, counter);
      return true;
    });
    return id;
  }
  JobState end(AgentBox& box, const std::string& id) {
    net_.run_until([&] { return state(box, id) != JobState::running; }, kSoon);
    return state(box, id);
  }
  static JobState state(AgentBox& box, const std::string& id) {
    return box.look([&](Host& host) { return job_result(host, id)->state; });
  }
  static PartVersion download(AgentBox& box, const std::string& id) {
    return *box.look([&](Host& host) { return job_download(host, id); });
  }

  static PartVersion backup(std::uint64_t counter, std::uint8_t fill, std::size_t chunks = 2) {
    PartVersion version{BackupPart::backup, Bytes(16, 7), counter, {}, {}};
    for (std::size_t i = 0; i < chunks; ++i) {
      version.chunks.push_back(Bytes(1000 + i, static_cast<std::uint8_t>(fill + i)));
    }
    return version;
  }

  Network net_{11};
  AgentBox& relay_ = net_.add("relay", location_modules);
  AgentBox& alice_ = net_.add("alice", client_modules, {.has_address = false});
  AgentBox& mallory_ = net_.add("mallory", client_modules, {.has_address = false});
};

TEST_F(BackupTest, IsStoredReadBackAndFetchedByTokenFromAnotherDevice) {
  const Bytes token(32, 9);
  PartVersion stored = backup(1, 40, 3);
  stored.token_hashes = {token_hash(token)};
  ASSERT_EQ(end(alice_, put(alice_, {stored})), JobState::done);
  const auto id = get(mallory_, stranger_link(mallory_, token), BackupPart::backup);
  ASSERT_EQ(end(mallory_, id), JobState::done);
  EXPECT_EQ(download(mallory_, id).chunks, stored.chunks);
  // Whoever reads with a token is announced to the owner.
  EXPECT_TRUE(net_.run_until([&] { return !alice_.notices("backup-read").empty(); }, kSoon));
}

TEST_F(BackupTest, StrangersWithoutATokenAndOtherClientsGetNothing) {
  ASSERT_EQ(end(alice_, put(alice_, {backup(1, 40)})), JobState::done);
  EXPECT_EQ(end(mallory_, get(mallory_, stranger_link(mallory_, Bytes(32, 1)), BackupPart::backup)),
            JobState::failed);
  EXPECT_EQ(end(mallory_, get(mallory_, link(mallory_), BackupPart::backup)), JobState::failed);
  EXPECT_EQ(end(alice_, get(alice_, link(alice_), BackupPart::backup)), JobState::done);
}

TEST_F(BackupTest, NewerVersionsStandBesideOlderOnes) {
  for (std::uint64_t counter = 1; counter <= 3; ++counter) {
    const auto fill = static_cast<std::uint8_t>(counter * 10);
    ASSERT_EQ(end(alice_, put(alice_, {backup(counter, fill)})), JobState::done);
  }
  const auto newest = get(alice_, link(alice_), BackupPart::backup);
  ASSERT_EQ(end(alice_, newest), JobState::done);
  EXPECT_EQ(download(alice_, newest).counter, 3u);
  const auto older = get(alice_, link(alice_), BackupPart::backup, 1);
  ASSERT_EQ(end(alice_, older), JobState::done);
  EXPECT_EQ(download(alice_, older).chunks, backup(1, 10).chunks);
  // The same version with other content is refused: nothing is overwritten.
  EXPECT_EQ(end(alice_, put(alice_, {backup(2, 99)})), JobState::failed);
}

TEST_F(BackupTest, ACounterMayNotRunAway) {
  ASSERT_EQ(end(alice_, put(alice_, {backup(limits::kBackupCounterLead, 1)})), JobState::done);
  EXPECT_EQ(end(alice_, put(alice_, {backup(3 * limits::kBackupCounterLead, 2)})),
            JobState::failed);
}

TEST_F(BackupTest, ALocationThatGivesBackOtherBytesIsCaught) {
  // Nothing more gets through once the location holds the version, until it has changed a byte.
  const auto stored = [&] {
    return relay_.look([](Host& host) {
      const auto clients = host.list("bk-client");
      return !clients.empty() && host.list("bk-chunk/" + clients.front()).size() == 2;
    });
  };
  net_.fate = [&](const test::Packet& packet) {
    return packet.to == &relay_ && stored() ? Fate::fails : Fate::arrives;
  };
  const auto id = put(alice_, {backup(1, 40)});
  ASSERT_TRUE(net_.run_until(stored, kSoon));
  net_.fate = nullptr;
  relay_.edit([](Host& host) {
    const std::string client = host.list("bk-client").front();
    const std::string collection = "bk-chunk/" + client;
    const std::string chunk = host.list(collection).front();
    Bytes bytes = *host.get({collection, chunk});
    bytes.back() ^= 1;
    host.put({collection, chunk}, bytes);
    return true;
  });
  EXPECT_EQ(end(alice_, id), JobState::failed);
}

TEST_F(BackupTest, SurvivesCrashesAndLossOnBothSides) {
  std::size_t n = 0;
  net_.fate = [&](const test::Packet&) { return ++n % 4 == 0 ? Fate::fails : Fate::arrives; };
  for (std::uint64_t round = 1; round <= 6; ++round) {
    AgentBox& victim = round % 2 == 0 ? alice_ : relay_;
    const auto id = put(alice_, {backup(round, static_cast<std::uint8_t>(round), 3)});
    victim.store().crash_at(round, round % 3 == 0 ? test::MemoryStore::Crash::before_commit
                                                  : test::MemoryStore::Crash::after_commit);
    ASSERT_EQ(end(alice_, id), JobState::done) << round;
  }
  EXPECT_GE(alice_.crashes() + relay_.crashes(), 6u);
}

TEST_F(BackupTest, OldVersionsGoAfterTheirTimeButTheLastThreeStay) {
  for (std::uint64_t counter = 1; counter <= 5; ++counter) {
    ASSERT_EQ(end(alice_, put(alice_, {backup(counter, 1)})), JobState::done);
  }
  const auto versions = [&] {
    return relay_.look([](Host& host) {
      return host.list("bk-version/" + host.list("bk-client").front()).size();
    });
  };
  EXPECT_EQ(versions(), 5u);
  alice_.set_online(false);
  mallory_.set_online(false);
  net_.run_for(Duration{limits::kBackupKeepTime} + std::chrono::hours{50});
  EXPECT_EQ(versions(), limits::kBackupVersionsKept);
}

TEST_F(BackupTest, AReplacedVersionStaysForTheContestPeriodFromItsReplacement) {
  mallory_.set_online(false);
  for (std::uint64_t counter = 1; counter <= 4; ++counter) {
    ASSERT_EQ(end(alice_, put(alice_, {backup(counter, 1)})), JobState::done);
    if (counter != 1) continue;
    alice_.set_online(false);  // Else it would look for mail all the time.
    net_.run_for(Duration{limits::kBackupKeepTime});
    alice_.set_online(true);
  }
  // The first was old already when it was replaced.
  alice_.set_online(false);
  net_.run_for(std::chrono::hours{50});
  alice_.set_online(true);
  const auto first = get(alice_, link(alice_), BackupPart::backup, 1);
  EXPECT_EQ(end(alice_, first), JobState::done);
}

TEST_F(BackupTest, TokensGoWithTheVersionsOfTheirSetAndNotBefore) {
  const Bytes old_token(32, 9);
  PartVersion old_sheet{BackupPart::sheet, Bytes(16, 1), 0, {Bytes(100, 1)}, {}};
  old_sheet.token_hashes = {token_hash(old_token)};
  ASSERT_EQ(end(alice_, put(alice_, {old_sheet})), JobState::done);
  for (std::uint8_t set = 2; set <= 4; ++set) {
    PartVersion sheet{BackupPart::sheet, Bytes(16, set), 0, {Bytes(100, set)}, {}};
    sheet.token_hashes = {token_hash(Bytes(32, set))};
    ASSERT_EQ(end(alice_, put(alice_, {sheet})), JobState::done);
  }
  const auto tokens = [&] {
    return relay_.look([](Host& host) { return host.list("bk-token").size(); });
  };
  alice_.set_online(false);
  mallory_.set_online(false);
  net_.run_for(std::chrono::hours{50});
  EXPECT_EQ(tokens(), 4u);
  net_.run_for(Duration{limits::kBackupKeepTime});
  EXPECT_EQ(tokens(), 3u);
  mallory_.set_online(true);
  const auto newest = get(mallory_, stranger_link(mallory_, Bytes(32, 4)), BackupPart::sheet);
  EXPECT_EQ(end(mallory_, newest), JobState::done);
  const auto gone = get(mallory_, stranger_link(mallory_, old_token), BackupPart::sheet);
  EXPECT_EQ(end(mallory_, gone), JobState::failed);
}

TEST_F(BackupTest, ATokenReadsAndNothingElse) {
  const Bytes token(32, 9);
  PartVersion stored = backup(1, 40);
  stored.token_hashes = {token_hash(token)};
  ASSERT_EQ(end(alice_, put(alice_, {stored})), JobState::done);
  // The same way in that fetches puts nothing: a put belongs to a client.
  const LocationLink way_in = stranger_link(mallory_, token);
  std::string id;
  mallory_.edit([&](Host& host) {
    id = start_put(host, "nobody", "ended", way_in, {backup(2, 50)});
    return true;
  });
  EXPECT_EQ(end(mallory_, id), JobState::failed);
  const auto newest = get(alice_, link(alice_), BackupPart::backup);
  ASSERT_EQ(end(alice_, newest), JobState::done);
  EXPECT_EQ(download(alice_, newest).counter, 1u);
}

TEST_F(BackupTest, OneSetHasAtMostSixtyFourTokens) {
  PartVersion first = backup(1, 1);
  PartVersion second = backup(2, 1);
  for (std::size_t i = 0; i < limits::kBackupTokensPerSet; ++i) {
    first.token_hashes.push_back(token_hash(Bytes(31, static_cast<std::uint8_t>(i))));
  }
  second.token_hashes = {token_hash(Bytes(30, 1))};
  ASSERT_EQ(end(alice_, put(alice_, {first})), JobState::done);
  EXPECT_EQ(end(alice_, put(alice_, {second})), JobState::failed);
}

/// As the location keeps it (backup_location.cpp).
struct Used {
  std::uint64_t bytes = 0;
  template <class V>
  void visit(V& v) {
    v("bytes", bytes);
  }
};

class BackupLimits : public BackupTest {
 protected:
  /// One chunk, whatever it is like. How many the location has then.
  std::size_t put_raw(const BackupPut& put) {
    const LocationLink to = link(alice_);
    alice_.edit([&](Host& host) {
      Message message = protocol::new_message(type_uri("backup", BackupPut::kName), host.random(),
                                              protocol::epoch_seconds(host.now()));
      message.from = *Did::parse(to.own_did);
      message.to = {*Did::parse(to.location_did)};
      message.body = protocol::encode_body(put);
      protocol::SendOptions options;
      options.wants_reply = true;
      return protocol::send(host, std::move(message), options).has_value();
    });
    net_.run_for(std::chrono::seconds{10});
    return relay_.look([&](Host& host) { return host.list("bk-chunk/" + client()).size(); });
  }
  std::string client() {
    return relay_.look([](Host& host) {
      const auto found = host.list("bk-client");
      return found.empty() ? std::string("nobody") : found.front();
    });
  }
  static BackupPut one_chunk(std::uint64_t counter, std::size_t bytes) {
    BackupPut put;
    put.part = BackupPart::backup;
    put.set_id = Bytes(16, 7);
    put.counter = counter;
    put.count = 2;
    put.digest = Bytes(32, 1);
    put.chunk = Bytes(bytes, 5);
    return put;
  }
};

TEST_F(BackupLimits, AChunkAndAVersionHaveALargestSize) {
  EXPECT_EQ(put_raw(one_chunk(1, limits::kBackupChunkBytes)), 1U);
  const std::size_t before = relay_.audited("message.refused").size();
  EXPECT_EQ(put_raw(one_chunk(2, limits::kBackupChunkBytes + 1)), 1U);
  BackupPut many = one_chunk(3, 10);
  many.count = limits::kBackupBytesMax / limits::kBackupChunkBytes;
  EXPECT_EQ(put_raw(many), 2U);
  many.counter = 4;
  ++many.count;
  EXPECT_EQ(put_raw(many), 2U);
  EXPECT_EQ(relay_.audited("message.refused").size(), before + 2);
}

TEST_F(BackupLimits, AClientHasItsShareOfTheDiskAndNoMore) {
  ASSERT_EQ(put_raw(one_chunk(1, 10)), 1U);
  const std::uint64_t ordinary = limits::kBackupClientBytesMax - limits::kBackupBytesMax;
  const auto leave = [&](std::uint64_t bytes) {
    const std::string id = client();
    relay_.edit([&](Host& host) {
      save(host, "bk-client", id, Used{ordinary - bytes});
      return true;
    });
  };
  leave(1000);
  EXPECT_EQ(put_raw(one_chunk(2, 1001)), 1U);
  EXPECT_EQ(put_raw(one_chunk(3, 1000)), 2U);
  EXPECT_EQ(put_raw(one_chunk(4, 1)), 2U);
}

TEST(BackupDigest, DependsOnEveryByteAndOnTheBordersOfChunks) {
  const std::vector<Bytes> one = {{1, 2}, {3}};
  EXPECT_EQ(version_digest(one), version_digest(one));
  EXPECT_NE(version_digest(one), version_digest({{1}, {2, 3}}));
  EXPECT_NE(version_digest(one), version_digest({{1, 2}, {4}}));
  EXPECT_NE(token_hash(Bytes(32, 1)), token_hash(Bytes(32, 2)));
  EXPECT_NE(time_statement(Bytes(16, 1), 5), time_statement(Bytes(16, 1), 6));
}

}  // namespace
}  // namespace kith::recovery
