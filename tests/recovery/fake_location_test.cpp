// A place that gives other data than the owner stored: noticed, another place used, and named.

#include "crypto/limits.hpp"
#include "ledger/policy.hpp"
#include "recovery/owner_set.hpp"
#include "recovery/trustee_share.hpp"
#include "recovery/wallet_backup.hpp"
#include "tests/recovery/device_world.hpp"

namespace kith::recovery::testing {
namespace {

/// What the fake location serves, whatever token it is asked with.
using Parts = std::map<BackupPart, std::vector<Bytes>>;

class FakeLocation final : public Module {
 public:
  explicit FakeLocation(const Parts& parts) : parts_(parts) {}
  std::string_view name() const override { return "backup-location"; }
  std::vector<std::string> message_types() const override {
    return {type_uri("backup", BackupGet::kName)};
  }
  bool only_reads(std::string_view) const override { return true; }
  Result<void> on_message(Host& host, const Inbound& inbound) override {
    TRY(const auto get, protocol::decode_body<BackupGet>(inbound.message.body));
    const auto& chunks = parts_.at(get.part);
    BackupGetReply reply;
    reply.part = get.part;
    reply.set_id = Bytes(16);
    reply.index = get.index;
    reply.count = static_cast<std::uint32_t>(chunks.size());
    reply.chunk = chunks.at(get.index);
    reply.digest = version_digest(chunks);
    TRY(const std::string id,
        protocol::reply(host, inbound, type_uri("backup", BackupGetReply::kName),
                        protocol::encode_body(reply)));
    return {};
  }

 private:
  const Parts& parts_;
};

/// Three trustees, two of whom are needed; some of them name the fake location alone.
struct TwoPlaces : LostDevice {
  TwoPlaces() {
    evil_did = evil.edit([&](Host& host) {
      protocol::ServiceEndpoint service;
      service.uri = "https://evil.test/";
      return ledger::make_one_time_did(host, {service}).value().text();
    });
  }
  void start() {
    for (const auto* name : {"t1", "t2", "t3"}) add_trustee(add_person(name));
    make_identity(owner);
    set_up(owner, trustees, 2);
    net.run_for(std::chrono::minutes{1});
    ASSERT_TRUE(owner.command("recovery-heartbeat").has_value());
    net.run_for(std::chrono::minutes{1});  // Trustees know of the newest backup.
    lose();
    honest = parts_of(owner);
    served = honest;
  }
  /// Sheet and capsule of the owner's set, and a backup sealed anew with the lowest number.
  static Parts parts_of(AgentBox& box) {
    return box.look([](Host& host) {
      const OwnerSet set = *owner_set(host);
      const Bytes id = crypto::to_bytes(set.record.set_id);
      const auto key = recovery_key_of(set.record).value();
      auto old = seal_part(host, crypto::ContainerFormat::backup, BackupPart::backup, id, key, 1,
                           wallet_snapshot(host))
                     .value();
      return Parts{{BackupPart::sheet, {set.sheet}},
                   {BackupPart::capsule, {set.capsule}},
                   {BackupPart::backup, std::move(old.chunks)}};
    });
  }
  /// `trustee` names the fake location in place of the true one.
  void mislead(AgentBox& trustee) {
    trustee.edit([&](Host& host) {
      const Contact contact = protocol::contact_named(host, "owner").value();
      Trusteeship trusteeship = *find_trusteeship(host, contact.id);
      for (HeldVersion& held : trusteeship.versions) {
        held.record.locations = {{evil_did, random_id<Token>(host.random())}};
      }
      save_trusteeship(host, trusteeship);
      return true;
    });
  }
  /// What the device says of a place; empty: nothing is wrong.
  std::string problem_of(const std::string& address) {
    const JsonObject reply = status(*device);
    for (const Json& row : reply.at("locations").get_array()) {
      if (text_or_empty(row.get_object(), "address") == address) {
        return text_or_empty(row.get_object(), "problem");
      }
    }
    return "not asked";
  }
  std::uint64_t opened_counter() {
    return status(*device).at("backup").at("counter").to_number<std::uint64_t>();
  }
  std::uint64_t stored_counter() {
    return owner.look([](Host& host) { return owner_set(host)->stored_counter; });
  }
  void recover_with(std::initializer_list<int> numbers) {
    for (const int i : numbers) {
      ASSERT_NO_FATAL_FAILURE(ask_and_wait(*device, *trustees[static_cast<std::size_t>(i)]));
    }
    ASSERT_NO_FATAL_FAILURE(finish(*device));
    EXPECT_TRUE(status(*device).at("blamed").get_array().empty());
  }

  Parts served, honest;
  AgentBox& evil = net.add("evil", [this] {
    Modules all;
    all.push_back(std::make_unique<FakeLocation>(served));
    return all;
  });
  std::string evil_did;
};

TEST(FakeLocation, GarbageIsNoticedAndAnotherPlaceUsed) {
  TwoPlaces world;
  ASSERT_NO_FATAL_FAILURE(world.start());
  for (auto& [part, chunks] : world.served) chunks = {crypto::to_bytes("not a backup")};
  world.mislead(*world.trustees[0]);
  ASSERT_NO_FATAL_FAILURE(world.ask(*world.device, *world.trustees[0]));
  world.net.run_for(std::chrono::minutes{1});
  EXPECT_EQ(world.problem_of("https://evil.test/"), "what it gave is no backup of Kith");
  ASSERT_NO_FATAL_FAILURE(world.recover_with({1, 2}));
  EXPECT_EQ(world.problem_of("https://mediator.test/"), "");
}

TEST(FakeLocation, AnOlderBackupIsNotTakenForTheNewest) {
  TwoPlaces world;
  ASSERT_NO_FATAL_FAILURE(world.start());
  ASSERT_GT(world.stored_counter(), 1U);
  for (const std::size_t i : {0U, 1U}) world.mislead(*world.trustees[i]);
  for (const std::size_t i : {0U, 1U}) {
    ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(*world.device, *world.trustees[i]));
  }
  ASSERT_TRUE(world.net.run_until([&] { return world.state(*world.device) == "opened"; }));
  EXPECT_EQ(world.opened_counter(), 1U);
  ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(*world.device, *world.trustees[2]));
  ASSERT_TRUE(
      world.net.run_until([&] { return world.opened_counter() == world.stored_counter(); }));
  ASSERT_NO_FATAL_FAILURE(world.recover_with({}));
  EXPECT_EQ(world.problem_of("https://evil.test/"), "it gave an older backup");
}

TEST(FakeLocation, AHeartbeatTellsTheDeviceThatItsBackupIsOld) {
  TwoPlaces world;
  ASSERT_NO_FATAL_FAILURE(world.start());
  const std::uint64_t newest = world.stored_counter();
  for (const std::size_t i : {0U, 1U}) world.mislead(*world.trustees[i]);
  for (const std::size_t i : {0U, 1U}) {
    ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(*world.device, *world.trustees[i]));
  }
  ASSERT_TRUE(world.net.run_until([&] { return world.state(*world.device) == "opened"; }));
  const JsonObject old = world.status(*world.device);
  EXPECT_TRUE(old.at("backup").at("stale").as_bool());
  EXPECT_EQ(old.at("backup").at("newest_known").to_number<std::uint64_t>(), newest);
  // With the newest at hand there is nothing to warn of.
  ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(*world.device, *world.trustees[2]));
  ASSERT_TRUE(world.net.run_until([&] { return world.opened_counter() >= newest; }));
  EXPECT_FALSE(world.status(*world.device).at("backup").at("stale").as_bool());
}

TEST(FakeLocation, AForeignSetIsNoticedAndNobodyIsBlamed) {
  TwoPlaces world;
  ASSERT_NO_FATAL_FAILURE(world.start());
  AgentBox& stranger = world.add_person("stranger");
  AgentBox& his = world.add_person("s1");
  AgentBox& hers = world.add_person("s2");
  world.connect(stranger, his), world.connect(stranger, hers);
  world.make_identity(stranger);
  world.set_up(stranger, {&his, &hers}, 2);
  world.served = world.parts_of(stranger);
  world.mislead(*world.trustees[0]);
  ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(*world.device, *world.trustees[0]));
  EXPECT_EQ(world.problem_of("https://evil.test/"), "what it gave fits no trustee's answer");
  EXPECT_FALSE(world.status(*world.device).at("can_finish").as_bool());
  ASSERT_NO_FATAL_FAILURE(world.recover_with({1, 2}));
  EXPECT_EQ(world.problem_of("https://evil.test/"), "it gave another recovery set's data");
}

TEST(FakeLocation, AForgedSheetOpensNothingThatThePolicyDoesNotHold) {
  TwoPlaces world;
  ASSERT_NO_FATAL_FAILURE(world.start());
  // Of the right set, with no leaf of it on it; capsule and backup are true ones.
  Sheet::Contents contents;
  contents.set_id = Sheet::parse(world.honest.at(BackupPart::sheet).front()).value().set_id();
  crypto::SeededRandom random(7, "forged");
  world.served[BackupPart::sheet] = {Sheet::make(contents, random).encoded()};
  for (const std::size_t i : {0U, 1U}) world.mislead(*world.trustees[i]);
  for (const std::size_t i : {0U, 1U}) {
    ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(*world.device, *world.trustees[i]));
  }
  world.net.run_for(std::chrono::minutes{1});
  const JsonObject forged = world.status(*world.device);
  EXPECT_FALSE(forged.at("can_finish").as_bool());
  EXPECT_TRUE(forged.at("blamed").get_array().empty());
  EXPECT_NE(text_or_empty(forged, "waiting_for").find("does not hold this recovery set"),
            std::string::npos);
  const auto refused = world.device->command("recover-finish", {}, true);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::waiting_for_people);
  // A trustee that names the true place makes it good.
  ASSERT_NO_FATAL_FAILURE(world.recover_with({2}));
  EXPECT_EQ(world.problem_of("https://evil.test/"), "it gave another recovery set's data");
}

}  // namespace
}  // namespace kith::recovery::testing
