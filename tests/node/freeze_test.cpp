#include "node/freezer.hpp"
#include "node/operations.hpp"
#include "recovery/messages.hpp"
#include "tests/recovery/trustee_lab.hpp"
#include "tests/recovery/two_devices.hpp"
#include "tests/support/error_code.hpp"

namespace kith::node::freezing {
namespace {

using namespace recovery;
using namespace recovery::testing;
using namespace std::chrono_literals;

bool is_frozen(AgentBox& box) {
  return box.look([](Host& host) { return protocol::is_frozen(host); });
}

bool says_frozen(const Result<JsonObject>& reply) {
  return !reply.has_value() && reply.error() == Errc::refused &&
         reply.error().detail == protocol::frozen_error().detail;
}

void must(const Result<JsonObject>& reply) {
  ASSERT_TRUE(reply.has_value()) << reply.error().detail;
}

/// Without a Freezer: the record alone counts.
void set_frozen(AgentBox& box, bool frozen) {
  box.edit([&](Host& host) {
    protocol::Freeze freeze;
    freeze.frozen = frozen;
    protocol::save_freeze(host, freeze);
    return true;
  });
}

/// A message between the devices, or from a friend, as if its program had decided to.
void send_freeze_message(AgentBox& from, ContactRole to, std::string_view name, FreezeBody body) {
  const bool sent = from.edit([&](Host& host) {
    const auto all = protocol::list_contacts(host);
    const auto contact = std::ranges::find(all, to, &Contact::role);
    Message message = protocol::new_message(type_uri("agent", name), host.random(),
                                            protocol::epoch_seconds(host.now()));
    message.from = *Did::parse(contact->my_did);
    message.to = {*Did::parse(contact->their_did)};
    message.body = protocol::encode_body(body);
    return protocol::send(host, std::move(message), {}).has_value();
  });
  ASSERT_TRUE(sent);
}

/// Two devices whose policy asks for both.
struct BothMustAgree : TwoDevices {
  void make() {
    add_device();
    JsonObject rules;
    for (const char* rule : {"admin", "grant"}) rules[rule] = "2";
    must(phone.command("policy-propose", {{"rule", rules}}, true));
    net.run_for(10min);
  }
};

TEST(Freeze, RefusesEveryCriticalCommandAndNoOther) {
  TwoDevices two;
  two.add_device();
  must(two.phone.command("freeze", {{"reason", "bag gone"}}));
  std::size_t refused = 0;
  for (const auto& module : personal_modules<>()()) {
    for (const std::string& name : module->commands()) {
      if (name == "thaw") continue;
      const auto row = operation_of_command(name);
      const bool stops = !row || !protocol::allowed_while_frozen(*row);
      EXPECT_EQ(says_frozen(two.phone.command(name, {}, true)), stops) << name;
      if (stops) ++refused;
    }
  }
  EXPECT_GT(refused, 15U);
  const auto status = two.phone.command("freeze-status");
  EXPECT_EQ(text_or_empty(*status, "reason"), "bag gone");
}

TEST(Freeze, StandsAfterARestartAndIsNotReplacedByASecondOne) {
  Neighbourhood world;
  AgentBox& alice = world.add_person("alice");
  world.make_identity(alice);
  must(alice.command("freeze", {{"reason", "first"}}));
  alice.restart();
  EXPECT_TRUE(is_frozen(alice));
  EXPECT_TRUE(says_frozen(alice.command("did-rotate", {}, true)));
  must(alice.command("freeze", {{"reason", "second"}}));
  EXPECT_EQ(text_or_empty(*alice.command("freeze-status"), "reason"), "first");
}

TEST(Freeze, EndsWithThePassphraseAlone) {
  Neighbourhood world;
  AgentBox& alice = world.add_person("alice");
  world.make_identity(alice);
  EXPECT_EQ(test::code_of(alice.command("thaw", {}, true)), Errc::wrong_state);
  must(alice.command("freeze"));
  EXPECT_EQ(test::code_of(alice.command("thaw")), Errc::step_up_required);
  EXPECT_TRUE(is_frozen(alice));
  const auto thawed = alice.command("thaw", {}, true);
  must(thawed);
  EXPECT_FALSE(thawed->at("frozen").as_bool());
  must(alice.command("did-rotate", {}, true));
}

bool is_posted(AgentBox& box) {
  return box.look([](Host& host) { return ledger::posted(host, ledger::identity(host)->did); });
}

TEST(Freeze, NoEntryLeavesForALedgerBeforeTheThaw) {
  Neighbourhood world;
  AgentBox& alice = world.add_person("alice");
  world.make_identity(alice);
  world.ledger_down = true;
  must(alice.command("did-rotate", {}, true));
  world.net.run_for(1min);
  must(alice.command("freeze"));
  world.ledger_down = false;
  world.net.run_for(2h);
  EXPECT_FALSE(is_posted(alice));
  alice.restart();
  world.net.run_for(2h);
  EXPECT_FALSE(is_posted(alice));
  must(alice.command("thaw", {}, true));
  EXPECT_TRUE(world.net.run_until([&] { return is_posted(alice); }, 1h));
}

std::int64_t stored_backup(AgentBox& box) {
  return box.command("recovery-status")->at("backup").at("counter").to_number<std::int64_t>();
}

TEST(Freeze, BackupsWaitForTheThaw) {
  LostDevice world;
  world.add_trustees(2);
  world.make_identity(world.owner);
  ASSERT_NO_FATAL_FAILURE(world.set_up(world.owner, world.trustees, 2));
  world.net.run_for(1h);
  const std::int64_t before = stored_backup(world.owner);
  must(world.owner.command("freeze"));
  world.connect(world.owner, world.add_person("new"));
  world.net.run_for(3h);
  EXPECT_EQ(stored_backup(world.owner), before);
  must(world.owner.command("thaw", {}, true));
  EXPECT_TRUE(world.net.run_until([&] { return stored_backup(world.owner) > before; }, 2h));
}

std::size_t shares_at(AgentBox& trustee) {
  return trustee.look([](Host& host) { return host.list("share").size(); });
}

void offer_shares(LostDevice& world) {
  world.add_trustees(3);
  world.make_identity(world.owner);
  must(world.owner.command("recovery-setup",
                           {{"threshold", 2}, {"trustees", JsonArray{"t1", "t2", "t3"}}}, true));
  for (AgentBox* box : world.trustees) {
    ASSERT_TRUE(world.net.run_until([&] { return !LostDevice::offers(*box).empty(); }));
  }
}

void take_offer(AgentBox& box) {
  const JsonArray offers = LostDevice::offers(box);
  must(box.command("trustee-accept", {{"id", text_or_empty(offers[0].get_object(), "id")}}));
}

TEST(Freeze, ASetUpUnderWayHandsOutNothingBeforeTheThaw) {
  LostDevice world;
  ASSERT_NO_FATAL_FAILURE(offer_shares(world));
  must(world.owner.command("freeze"));
  for (AgentBox* box : world.trustees) take_offer(*box);
  world.net.run_for(2h);
  for (AgentBox* box : world.trustees) EXPECT_EQ(shares_at(*box), 0U) << box->name();
  must(world.owner.command("thaw", {}, true));
  EXPECT_TRUE(world.net.run_until([&] { return LostDevice::all_hold(world.owner); }, 4h));
}

TEST(Freeze, ASetUpUnderWayStoresAndAnchorsNothingBeforeTheThaw) {
  LostDevice world;
  ASSERT_NO_FATAL_FAILURE(offer_shares(world));
  for (AgentBox* box : world.trustees) take_offer(*box);
  ASSERT_TRUE(world.net.run_until([&] { return shares_at(*world.trustees.back()) == 1; }));
  const auto step = [&] { return text_or_empty(*world.owner.command("recovery-status"), "step"); };
  ASSERT_EQ(step(), "asking trustees");  // Its answer is still on its way.
  must(world.owner.command("freeze"));
  world.net.run_for(2h);
  EXPECT_EQ(step(), "asking trustees");
  must(world.owner.command("thaw", {}, true));
  EXPECT_TRUE(world.net.run_until([&] { return LostDevice::all_hold(world.owner); }, 4h));
}

TEST(Freeze, AFrozenOwnerIsRecoveredOnADeviceThatIsNot) {
  LostDevice world;
  world.add_trustees(2);
  world.make_identity(world.owner);
  ASSERT_NO_FATAL_FAILURE(world.set_up(world.owner, world.trustees, 2));
  must(world.owner.command("freeze"));
  world.net.run_for(5min);
  ASSERT_NO_FATAL_FAILURE(world.lose());
  for (AgentBox* box : world.trustees) {
    ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(*world.device, *box));
  }
  ASSERT_NO_FATAL_FAILURE(world.finish(*world.device));
  EXPECT_FALSE(is_frozen(*world.device));
  must(world.device->command("did-rotate", {}, true));
}

TEST(Freeze, ATrusteeHoldsItsAnswerUntilTheThaw) {
  Lab lab;
  TestDevice device{lab, lab.tina};
  lab.set_up();
  device.get_approved();
  set_frozen(lab.tina, true);
  device.ask();
  lab.net.run_for(10min);
  EXPECT_EQ(device.answers(), 0U);
  EXPECT_EQ(device.state(), "waiting");
  set_frozen(lab.tina, false);
  lab.net.run_for(65min);
  EXPECT_EQ(device.answers(), 1U);
  // What was answered is not said again either.
  set_frozen(lab.tina, true);
  device.ask();
  lab.net.run_for(10min);
  EXPECT_EQ(device.answers(), 1U);
}

TEST(Freeze, ATrusteeProvesNoShareAndTakesNoneAndSaysSo) {
  Lab lab;
  lab.set_up();
  set_frozen(lab.tina, true);
  const auto problems_before = heard(lab.owner, "problem").size();
  lab.say("tina", HeartbeatRequest::kName,
          protocol::encode_body(
              HeartbeatRequest{crypto::to_bytes(lab.dealt.set.record.leaves[0].record_id),
                               Bytes(kHeartbeatChallengeBytes, 1),
                               {}}));
  EXPECT_TRUE(heard(lab.owner, "heartbeat-response").empty());
  const auto again = lab.deal();
  lab.prepare(again, 0);
  EXPECT_EQ(lab.held_by_tina().versions.size(), 1U);
  const auto problems = heard(lab.owner, "problem");
  ASSERT_EQ(problems.size(), problems_before + 2);
  EXPECT_EQ(text_of(problems.back(), "code"), "policy.refused");
}

TEST(Freeze, ObjectionsAreHeardByAFrozenTrustee) {
  Lab lab;
  TestDevice device{lab, lab.tina};
  lab.set_up();
  device.get_approved();
  set_frozen(lab.tina, true);
  device.ask();
  device.veto();
  EXPECT_EQ(device.state(), "contested");
}

TEST(Freeze, AFrozenOwnerHearsOfARecoveryAndObjects) {
  LostDevice world;
  world.add_trustees(2);
  world.make_identity(world.owner);
  world.set_up(world.owner, world.trustees, 2);
  must(world.owner.command("freeze"));
  world.device = &world.add_person("device");
  must(world.device->command("recover-start"));
  world.ask(*world.device, *world.trustees[0]);
  const auto alarms = [&] {
    return world.owner.command("recovery-status")->at("alarms").get_array();
  };
  ASSERT_TRUE(world.net.run_until([&] { return !alarms().empty(); }));
  EXPECT_EQ(world.owner.notices("recovery-alarm").size(), 1U);
  must(world.owner.command("recovery-veto",
                           {{"id", text_or_empty(alarms()[0].get_object(), "id")}}));
  ASSERT_TRUE(world.net.run_until([&] { return alarms()[0].at("vetoed").as_bool(); }));
}

TEST(Freeze, AnotherDeviceStopsThisOneAndCannotLetItGo) {
  TwoDevices two;
  two.add_device();
  must(two.phone.command("freeze", {{"device", "laptop"}, {"reason", "left it on the train"}}));
  EXPECT_FALSE(is_frozen(two.phone));
  ASSERT_TRUE(two.net.run_until([&] { return is_frozen(*two.laptop); }));
  EXPECT_EQ(two.laptop->notices("frozen").size(), 1U);
  ASSERT_TRUE(two.net.run_until([&] { return two.phone.notices("frozen").size() == 1; }));
  EXPECT_EQ(text_or_empty(*two.laptop->command("freeze-status"), "by"), "first device");
  const Bytes id = two.laptop->look([](Host& host) { return protocol::find_freeze(host)->id; });
  send_freeze_message(two.phone, ContactRole::device, kThawAgreeMessage, {id, {}});
  two.net.run_for(5min);
  EXPECT_TRUE(is_frozen(*two.laptop));
  EXPECT_EQ(test::code_of(two.phone.command("thaw-agree", {{"device", "laptop"}}, true)),
            Errc::not_found);
  must(two.laptop->command("thaw", {}, true));
  EXPECT_FALSE(is_frozen(*two.laptop));
}

TEST(Freeze, AFriendCannotStopADevice) {
  TwoDevices two;
  two.add_device();
  send_freeze_message(two.bob, ContactRole::person, kFreezeMessage, {Bytes(16, 1), {}});
  two.net.run_for(5min);
  EXPECT_FALSE(is_frozen(two.phone));
  EXPECT_FALSE(is_frozen(*two.laptop));
}

TEST(Freeze, ADeviceThatWasTakenOutCannotStopTheOthers) {
  TwoDevices two;
  two.add_device();
  two.laptop->set_online(false);
  must(two.phone.command("agent-revoke", {{"agent", "laptop"}}, true));
  ASSERT_TRUE(two.net.run_until([&] { return two.agents_in_policy(two.phone) == 1; }));
  two.laptop->set_online(true);
  send_freeze_message(*two.laptop, ContactRole::device, kFreezeMessage, {Bytes(16, 1), {}});
  two.net.run_for(5min);
  EXPECT_FALSE(is_frozen(two.phone));
}

TEST(Freeze, AfterAThawTheOwnerHasAnHourToTakeAStolenDeviceAway) {
  TwoDevices two;
  two.add_device();
  send_freeze_message(two.phone, ContactRole::device, kFreezeMessage, {Bytes(16, 1), {}});
  ASSERT_TRUE(two.net.run_until([&] { return is_frozen(*two.laptop); }));
  must(two.laptop->command("thaw", {}, true));
  send_freeze_message(two.phone, ContactRole::device, kFreezeMessage, {Bytes(16, 2), {}});
  two.net.run_for(2min);
  EXPECT_FALSE(is_frozen(*two.laptop));
  EXPECT_EQ(two.laptop->audited("freeze.refused").size(), 1U);
  EXPECT_FALSE(two.laptop->notices("alarm").empty());
  two.net.run_for(4min);
  send_freeze_message(two.phone, ContactRole::device, kFreezeMessage, {Bytes(16, 3), {}});
  ASSERT_TRUE(two.net.run_until([&] { return is_frozen(*two.laptop); }));
}

TEST(Freeze, WhereThePolicyAsksForTwoTheOtherDeviceHasToAgree) {
  BothMustAgree two;
  two.make();
  must(two.laptop->command("freeze"));
  const auto waiting = two.laptop->command("thaw", {}, true);
  must(waiting);
  EXPECT_TRUE(waiting->at("frozen").as_bool());
  EXPECT_EQ(waiting->at("thawing").at("needed").to_number<int>(), 2);
  ASSERT_TRUE(two.net.run_until([&] { return two.phone.notices("thaw-ask").size() == 1; }));
  EXPECT_EQ(test::code_of(two.phone.command("thaw-agree", {{"device", "laptop"}})),
            Errc::step_up_required);
  EXPECT_TRUE(is_frozen(*two.laptop));
  must(two.phone.command("thaw-agree", {{"device", "laptop"}}, true));
  ASSERT_TRUE(two.net.run_until([&] { return !is_frozen(*two.laptop); }));
}

TEST(Freeze, AgreementIsToOneFreezeAndNotForLong) {
  BothMustAgree two;
  two.make();
  AgentBox& laptop = *two.laptop;
  const auto id_of_freeze = [&] {
    return laptop.look([](Host& host) { return protocol::find_freeze(host)->id; });
  };
  must(laptop.command("freeze"));
  must(laptop.command("thaw", {}, true));
  // To another freeze.
  send_freeze_message(two.phone, ContactRole::device, kThawAgreeMessage, {Bytes(16, 9), {}});
  two.net.run_for(5min);
  EXPECT_TRUE(is_frozen(laptop));
  // Too late.
  two.net.run_for(6min);
  send_freeze_message(two.phone, ContactRole::device, kThawAgreeMessage, {id_of_freeze(), {}});
  two.net.run_for(5min);
  EXPECT_TRUE(is_frozen(laptop));
  EXPECT_EQ(test::code_of(two.phone.command("thaw-agree", {{"device", "laptop"}}, true)),
            Errc::not_found);
}

TEST(Freeze, AChangeThatAllSignedIsHandedInAfterTheThaw) {
  TwoDevices two;
  two.add_device();
  AgentBox& phone = two.phone;
  JsonObject rules;
  for (const char* rule : {"admin", "grant"}) rules[rule] = "2";
  must(phone.command("policy-propose", {{"rule", rules}}, true));
  two.net.run_for(10min);
  const auto handed_in = [&] { return phone.audited("policy.proposal-handed-in").size(); };
  ASSERT_EQ(handed_in(), 1U);
  const auto proposed =
      phone.command("policy-propose", {{"rule", JsonObject{{"grant", "1"}}}}, true);
  must(proposed);
  set_frozen(phone, true);
  two.net.run_for(5min);
  must(two.laptop->command("policy-approve", {{"id", text_or_empty(*proposed, "id")}}, true));
  two.net.run_for(10min);
  EXPECT_EQ(handed_in(), 1U);
  set_frozen(phone, false);
  EXPECT_TRUE(two.net.run_until([&] { return handed_in() == 2; }, 2h));
}

}  // namespace
}  // namespace kith::node::freezing
