// The owner objects to recoveries of the own logs that others posted: from the device that has the
// identity, and from one in the midst of its own recovery.

#include "tests/recovery/last_resort.hpp"

namespace kith::recovery::testing {
namespace {

std::string waiting(LastResort& world, const std::string& subject) {
  const auto view = view_of(world, subject);
  return !view.pending ? "" : view.pending->record.super_quorum ? "super" : "ordinary";
}

void rotate(LastResort& world) {
  ASSERT_TRUE(world.owner.command("did-rotate", {}, true).has_value());
  ASSERT_TRUE(world.net.run_until([&] {
    return text_or_empty(*world.owner.command("did-rotate-status"), "state") == "posted" &&
           text_or_empty(*world.owner.command("identity-status"), "state") == "posted";
  }));
}

TEST(LogVeto, ARecoveryByTrusteesTogetherEndsAndTheAuthorityIsReplaced) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.identity_and_trustees());
  world.before = *world.owner.look([](Host& host) { return ledger::identity(host); });
  EXPECT_EQ(world.owner.command("did-veto", {}, true).error().code, Errc::wrong_state);
  for (const std::string& subject : world.subjects()) {
    ASSERT_NO_FATAL_FAILURE(recover_as_guardians(world, subject));
  }
  ASSERT_TRUE(world.net.run_until(
      [&] { return world.owner.audited("identity.foreign-entry").size() >= 2; }, 8min));
  EXPECT_EQ(world.owner.command("did-veto").error().code, Errc::step_up_required);
  const auto objected = world.owner.command("did-veto", {}, true);
  ASSERT_TRUE(objected.has_value()) << objected.error().detail;
  EXPECT_EQ(objected->at("logs").as_array().size(), 2U);
  EXPECT_NE(text_or_empty(*objected, "words").find("kith did rotate"), std::string::npos);
  ASSERT_TRUE(world.net.run_until([&] {
    return waiting(world, world.before.did).empty() && waiting(world, world.before.policy).empty();
  }));
  const std::string revealed = view_of(world, world.before.did).current.rec.d;
  ASSERT_NO_FATAL_FAILURE(rotate(world));
  EXPECT_NE(view_of(world, world.before.did).current.rec.d, revealed);
}

TEST(LogVeto, AFrozenDeviceObjectsToo) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.identity_and_trustees());
  world.before = *world.owner.look([](Host& host) { return ledger::identity(host); });
  ASSERT_TRUE(world.owner.command("freeze").has_value());
  ASSERT_NO_FATAL_FAILURE(recover_as_guardians(world, world.before.did));
  ASSERT_TRUE(world.net.run_until(
      [&] { return !world.owner.audited("identity.foreign-entry").empty(); }, 8min));
  ASSERT_TRUE(world.owner.command("did-veto", {}, true).has_value());
  EXPECT_TRUE(world.net.run_until([&] { return waiting(world, world.before.did).empty(); }));
  EXPECT_TRUE(world.net.run_until([&] {
    return world.owner.look([&](Host& host) { return ledger::posted(host, world.before.did); });
  }));  // The ledger has it.
}

TEST(LogVeto, OneByTheSuperQuorumEndsOnlyWhenItsOwnerSaysSo) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.all_of_it());
  for (const std::string& subject : world.subjects()) {
    ASSERT_NO_FATAL_FAILURE(recover_as_holders(world, subject));
  }
  EXPECT_EQ(waiting(world, world.before.did), "super");
  ASSERT_TRUE(world.net.run_until(
      [&] { return world.owner.audited("identity.foreign-entry").size() >= 2; }, 8min));
  EXPECT_EQ(world.owner.command("did-veto", {}, true).error().code, Errc::refused);
  const auto objected = world.owner.command("did-veto", {{"super_quorum", true}}, true);
  ASSERT_TRUE(objected.has_value()) << objected.error().detail;
  ASSERT_TRUE(world.net.run_until([&] {
    return waiting(world, world.before.did).empty() && waiting(world, world.before.policy).empty();
  }));
  for (const std::string& subject : world.subjects()) {
    const auto view = view_of(world, subject);
    ASSERT_EQ(view.vetoed.size(), 1U);
    EXPECT_TRUE(view.vetoed[0].super_quorum);
    EXPECT_FALSE(view.back_off_until.has_value());
  }
  // The veto showed the ordinary authority to all.
  const std::string shown = view_of(world, world.before.policy).current.rec.d;
  ASSERT_NO_FATAL_FAILURE(rotate(world));
  EXPECT_NE(view_of(world, world.before.policy).current.rec.d, shown);
}

TEST(LogVeto, ARecoveryThatAnnouncesTheOwnersNextKeysIsNotTakenForTheOwners) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.identity_and_trustees());
  world.before = *world.owner.look([](Host& host) { return ledger::identity(host); });
  ASSERT_NO_FATAL_FAILURE(
      recover_as_guardians(world, world.before.did, Announces::what_the_owner_announced));
  ASSERT_TRUE(world.net.run_until(
      [&] { return !world.owner.audited("identity.foreign-entry").empty(); }, 8min));
  const auto objected = world.owner.command("did-veto", {}, true);
  ASSERT_TRUE(objected.has_value()) << objected.error().detail;
  ASSERT_TRUE(world.net.run_until([&] { return waiting(world, world.before.did).empty(); }));
}

/// A new device that has asked its trustees.
AgentBox& ready_to_finish(LastResort& world) {
  AgentBox& device = *world.device;
  for (AgentBox* box : world.trustees) world.ask_and_wait(device, *box);
  EXPECT_TRUE(world.net.run_until([&] { return world.status(device).at("can_finish").as_bool(); }));
  EXPECT_TRUE(device.command("recover-finish", {}, true).has_value());
  return device;
}

TEST(LogVeto, ANewDeviceObjectsToTheSuperQuorumOnlyWhenItsOwnerSaysSo) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.all_of_it());
  ASSERT_NO_FATAL_FAILURE(world.lose());
  ASSERT_NO_FATAL_FAILURE(recover_as_holders(world, world.before.did));
  AgentBox& device = ready_to_finish(world);
  const auto respects = device.command("recover-finish", {}, true);
  ASSERT_FALSE(respects.has_value());
  EXPECT_EQ(respects.error().code, Errc::wrong_state);
  EXPECT_NE(respects.error().detail.find("--veto-super"), std::string::npos);
  EXPECT_EQ(waiting(world, world.before.did), "super");
  const auto objects = device.command("recover-finish", {{"veto_super", true}}, true);
  ASSERT_TRUE(objects.has_value()) << objects.error().detail;
  ASSERT_TRUE(world.net.run_until([&] { return world.state(device) == "recovered"; }, 2h))
      << crypto::json_text(world.status(device));
  const auto view = view_of(world, world.before.did);
  ASSERT_EQ(view.vetoed.size(), 1U);
  EXPECT_TRUE(view.vetoed[0].super_quorum);
}

TEST(LogVeto, ADeviceThatIsFinishingObjectsToTheSuperQuorumWhenItsOwnerSaysSo) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.all_of_it());
  ASSERT_NO_FATAL_FAILURE(world.lose());
  ASSERT_NO_FATAL_FAILURE(steal(world, world.before.did));
  AgentBox& device = ready_to_finish(world);
  ASSERT_TRUE(device.command("recover-finish", {}, true).has_value());
  ASSERT_TRUE(world.net.run_until([&] { return waiting(world, world.before.did) == "ordinary"; }));
  const auto own = view_of(world, world.before.did).pending;
  ASSERT_NO_FATAL_FAILURE(recover_as_holders(world, world.before.did, own->fork_n));
  EXPECT_EQ(waiting(world, world.before.did), "super");
  const auto told = [&] {
    return crypto::json_text(world.status(device)).find("--veto-super") != std::string::npos;
  };
  ASSERT_TRUE(world.net.run_until(told, 9min)) << crypto::json_text(world.status(device));
  ASSERT_TRUE(device.command("recover-finish", {}, true).has_value());
  world.net.run_for(1min);
  EXPECT_EQ(waiting(world, world.before.did), "super") << "its owner did not say so";
  const auto objects = device.command("recover-finish", {{"veto_super", true}}, true);
  ASSERT_TRUE(objects.has_value()) << objects.error().detail;
  ASSERT_TRUE(world.net.run_until([&] { return world.state(device) == "recovered"; }, 2h))
      << crypto::json_text(world.status(device));
  EXPECT_FALSE(view_of(world, world.before.did).head().super_quorum);
}

}  // namespace
}  // namespace kith::recovery::testing
