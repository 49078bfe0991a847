#include "recovery/trustee_session.hpp"

#include <algorithm>

#include "tests/recovery/trustee_lab.hpp"

namespace kith::recovery {
namespace {

using testing::heard;
using testing::Lab;
using testing::last_heard;
using testing::TestDevice;
using testing::text_of;
using namespace std::chrono_literals;

std::string other_code(std::string code) {
  code[0] = code[0] == '9' ? '0' : static_cast<char>(code[0] + 1);
  return code;
}

struct Story : Lab {
  explicit Story(std::uint64_t seed = 5) : Lab(seed) {}
  TestDevice device{*this, tina};
  void start() { set_up(); }
};

TEST(TrusteeSession, RunsFromInvitationToAnswer) {
  Story story;
  story.start();
  auto& device = story.device;
  device.begin();
  EXPECT_TRUE(heard(story.owner, "notice").empty());
  const auto requests = story.tina.command("trustee-requests");
  const auto& row = requests->at("sessions").as_array().at(0).as_object();
  EXPECT_EQ(text_of(row, "code"), device.codes.shown_by_trustee);
  EXPECT_EQ(crypto::json_text(*requests).find(device.codes.shown_by_device), std::string::npos);

  const auto approved = device.approve(device.codes.shown_by_device);
  ASSERT_TRUE(approved.has_value());
  EXPECT_EQ(device.state(), "matched");
  EXPECT_EQ(last_heard<SessionNotice>(story.owner).session_id, crypto::to_bytes(device.id));
  EXPECT_TRUE(heard(story.phone, "locate").empty());
  device.type(device.codes.shown_by_trustee);
  EXPECT_EQ(device.state(), "approved");
  const auto locate = last_heard<Locate>(story.phone);
  ASSERT_EQ(locate.locations.size(), 1U);
  EXPECT_EQ(locate.locations[0].did, "did:peer:2.Somewhere");

  device.ask();
  EXPECT_EQ(device.state(), "waiting");
  EXPECT_EQ(last_heard<SessionStatus>(story.phone).remaining_s, 2);
  story.net.run_for(1900ms);
  EXPECT_EQ(device.answers(), 0U);
  story.net.run_for(200ms);
  EXPECT_EQ(device.state(), "released");
  const auto opened = device.open();
  ASSERT_EQ(opened.size(), 1U);
  EXPECT_EQ(opened[0].share_point, story.dealt.set.record.leaves[0].share_point);
  EXPECT_EQ(opened[0].partials.size(), 2U);

  device.send(SessionRef::kClose,
              protocol::encode_body(SessionRef{crypto::to_bytes(device.id), "recovered"}));
  EXPECT_EQ(device.state(), "closed");
  EXPECT_EQ(device.session().result, "recovered");
}

TEST(TrusteeSession, TheOrderInWhichCodesAreTypedDoesNotMatter) {
  Story story;
  story.start();
  story.device.begin();
  story.device.type(story.device.codes.shown_by_trustee);
  EXPECT_EQ(story.device.state(), "typed");
  EXPECT_TRUE(heard(story.owner, "notice").empty());  // Nobody at the trustee's end has agreed yet.
  ASSERT_TRUE(story.device.approve(story.device.codes.shown_by_device).has_value());
  EXPECT_EQ(story.device.state(), "approved");
  EXPECT_EQ(heard(story.owner, "notice").size(), 1U);
}

TEST(TrusteeSession, ThreeWrongCodesOfTheUserRefuse) {
  Story story;
  story.start();
  auto& device = story.device;
  device.begin();
  const std::string wrong = other_code(device.codes.shown_by_device);
  for (const std::int64_t left : {2, 1}) {
    const auto reply = device.approve(wrong);
    ASSERT_TRUE(reply.has_value());
    EXPECT_FALSE(reply->at("code_ok").as_bool());
    EXPECT_EQ(reply->at("tries_left").to_number<std::int64_t>(), left);
    story.tina.restart();  // The counter is on disk.
  }
  EXPECT_EQ(text_of(*device.approve(wrong), "state"), "refused");
  EXPECT_FALSE(device.approve(device.codes.shown_by_device).has_value());
  device.type(device.codes.shown_by_trustee);
  EXPECT_EQ(device.problem(), "state.wrong");
  EXPECT_TRUE(heard(story.owner, "notice").empty());
}

TEST(TrusteeSession, ThreeWrongCodesOfTheDeviceRefuse) {
  Story story;
  story.start();
  auto& device = story.device;
  device.begin();
  ASSERT_TRUE(device.approve(device.codes.shown_by_device).has_value());
  const std::string wrong = other_code(device.codes.shown_by_trustee);
  device.type(wrong), device.type(wrong);
  EXPECT_EQ(device.state(), "matched");
  device.type(wrong);
  EXPECT_EQ(device.state(), "refused");
  EXPECT_EQ(last_heard<SessionStatus>(story.phone).state, "refused");
}

TEST(TrusteeSession, TwoWrongCodesAndARightOneGoOn) {
  Story story;
  story.start();
  auto& device = story.device;
  device.begin();
  const std::string wrong = other_code(device.codes.shown_by_device);
  static_cast<void>(device.approve(wrong)), static_cast<void>(device.approve(wrong));
  device.type(device.codes.shown_by_trustee);
  ASSERT_TRUE(device.approve(device.codes.shown_by_device).has_value());
  EXPECT_EQ(device.state(), "approved");
}

TEST(TrusteeSession, TextAndEmailProveNothing) {
  Story story;
  story.start();
  auto& device = story.device;
  device.begin();
  for (const auto* how : {"text", "email", "e-mail"}) {
    const auto reply = device.approve(device.codes.shown_by_device, how);
    ASSERT_FALSE(reply.has_value());
    EXPECT_EQ(reply.error().code, Errc::refused);
  }
  EXPECT_EQ(device.approve(device.codes.shown_by_device, "telepathy").error().code, Errc::usage);
  EXPECT_EQ(device.session().user_wrong, 0U);
  EXPECT_TRUE(device.approve(device.codes.shown_by_device, "video").has_value());
}

TEST(TrusteeSession, ApprovalMustNameTheInvitedContact) {
  Story story;
  story.start();
  auto& device = story.device;
  device.begin();
  const auto made = story.theo.command("invite", {{"name", "Tina"}});
  ASSERT_TRUE(
      story.tina.command("accept", {{"url", text_of(*made, "url")}, {"name", "Theo"}}).has_value());
  story.net.run_for(10s);
  const auto reply = device.approve(device.codes.shown_by_device, "voice", "Theo");
  ASSERT_FALSE(reply.has_value());
  EXPECT_EQ(reply.error().code, Errc::refused);
  EXPECT_EQ(device.state(), "coded");
}

TEST(TrusteeSession, ARevealThatDoesNotFitEndsTheSession) {
  Story story;
  story.start();
  auto& device = story.device;
  device.invite(), device.renew(), device.request(), device.code_commit();
  device.nonce[0] ^= 1;
  device.code_reveal();
  EXPECT_EQ(device.state(), "refused");
}

TEST(TrusteeSession, AnotherDeviceCannotSpeakInASession) {
  Story story;
  story.start();
  auto& device = story.device;
  device.begin();
  const std::string honest = device.own;
  device.own = story.phone.edit([](Host& host) {
    return ledger::make_one_time_did(host, {protocol::own_service(host).value()}).value().text();
  });
  device.type(device.codes.shown_by_trustee);
  EXPECT_EQ(device.problem(), "not_found");
  device.request();  // Nor take the session over.
  EXPECT_EQ(device.problem(), "conflict");
  EXPECT_EQ(device.session().device_did, honest);
  EXPECT_EQ(device.state(), "coded");
}

TEST(TrusteeSession, PointsBeforeTheApprovalAreRefused) {
  Story story;
  story.start();
  auto& device = story.device;
  device.begin();
  device.ask();
  EXPECT_EQ(device.problem(), "state.wrong");
  EXPECT_TRUE(device.session().requests.empty());
  ASSERT_TRUE(device.approve(device.codes.shown_by_device).has_value());
  device.ask();
  story.net.run_for(10s);
  EXPECT_EQ(device.answers(), 0U);
}

TEST(TrusteeSession, AQuestionIsAskedAndJudgedByTheUser) {
  Story story;
  story.question = "Where did we meet?";
  story.start();
  auto& device = story.device;
  device.begin();
  device.type(device.codes.shown_by_trustee);
  EXPECT_TRUE(heard(story.phone, "challenge").empty());  // Not for strangers.
  ASSERT_TRUE(device.approve(device.codes.shown_by_device).has_value());
  EXPECT_EQ(device.state(), "asked");
  EXPECT_EQ(last_heard<Challenge>(story.phone).question, story.question);
  const JsonObject judge{
      {"id", device.name()}, {"contact", "Olga"}, {"verified", "voice"}, {"challenge_ok", true}};
  EXPECT_EQ(story.tina.command("trustee-approve", judge).error().code, Errc::wrong_state);
  device.send(ChallengeResponse::kName, protocol::encode_body(ChallengeResponse{
                                            crypto::to_bytes(device.id), "At the\nlake"}));
  EXPECT_EQ(device.state(), "answered");
  const auto row = story.tina.command("trustee-requests")->at("sessions").as_array().at(0);
  EXPECT_EQ(text_of(row.as_object(), "answer"), "At the lake");
  ASSERT_TRUE(story.tina.command("trustee-approve", judge).has_value());
  EXPECT_EQ(device.state(), "approved");
}

TEST(TrusteeSession, AWrongAnswerRefuses) {
  Story story;
  story.question = "Where did we meet?";
  story.start();
  auto& device = story.device;
  device.begin();
  device.type(device.codes.shown_by_trustee);
  ASSERT_TRUE(device.approve(device.codes.shown_by_device).has_value());
  device.send(ChallengeResponse::kName,
              protocol::encode_body(ChallengeResponse{crypto::to_bytes(device.id), "No idea"}));
  ASSERT_TRUE(story.tina
                  .command("trustee-approve", {{"id", device.name()},
                                               {"contact", "Olga"},
                                               {"verified", "voice"},
                                               {"challenge_ok", false}})
                  .has_value());
  EXPECT_EQ(device.state(), "refused");
}

// --- Vetoes

TEST(TrusteeSession, AVetoBlocksTheRelease) {
  Story story;
  story.start();
  auto& device = story.device;
  device.get_approved();
  device.ask();
  device.veto();
  EXPECT_EQ(device.state(), "contested");
  EXPECT_EQ(last_heard<SessionRef>(story.owner, SessionRef::kVetoed).result, "contested");
  EXPECT_EQ(last_heard<SessionStatus>(story.phone).state, "contested");
  story.net.run_for(60s);
  device.ask();
  story.net.run_for(60s);
  EXPECT_EQ(device.answers(), 0U);
}

TEST(TrusteeSession, AVetoIsOverriddenOnlyInPersonAndAfterTheLongerWait) {
  Story story;
  story.start();
  auto& device = story.device;
  device.get_approved();
  device.ask();
  device.veto();
  story.net.run_for(4s);
  EXPECT_EQ(device.confirm("voice").error().code, Errc::refused);
  ASSERT_TRUE(device.confirm().has_value());
  EXPECT_EQ(device.state(), "confirmed");
  device.veto();  // Changes nothing.
  EXPECT_EQ(device.state(), "confirmed");
  story.net.run_for(5900ms);
  EXPECT_EQ(device.answers(), 0U);
  story.net.run_for(200ms);
  EXPECT_EQ(device.answers(), 1U);
  EXPECT_EQ(device.state(), "released");
}

TEST(TrusteeSession, AFurtherVetoDoesNotStartTheLongerWaitAnew) {
  Story story;
  story.start();
  auto& device = story.device;
  device.get_approved();
  device.ask();
  device.veto();
  story.net.run_for(9s);
  device.veto();
  ASSERT_TRUE(device.confirm().has_value());
  story.net.run_for(2s);
  EXPECT_EQ(device.answers(), 1U);
}

TEST(TrusteeSession, ConfirmingWithoutAVetoIsRefused) {
  Story story;
  story.start();
  story.device.get_approved();
  EXPECT_EQ(story.device.confirm().error().code, Errc::wrong_state);
}

TEST(TrusteeSession, TheOwnerMayMakeAVetoFinal) {
  Story story;
  story.terms.override_allowed = false;
  story.start();
  auto& device = story.device;
  device.get_approved();
  device.ask();
  device.veto();
  EXPECT_EQ(device.confirm().error().code, Errc::refused);
  story.net.run_for(100s);
  EXPECT_EQ(device.answers(), 0U);
}

TEST(TrusteeSession, AnEarlyVetoDoesNotSkipTheChecks) {
  Story story;
  story.start();
  auto& device = story.device;
  device.begin();
  ASSERT_TRUE(device.approve(device.codes.shown_by_device).has_value());
  device.veto();
  EXPECT_EQ(device.state(), "contested");
  EXPECT_EQ(device.confirm().error().code, Errc::wrong_state);  // The device's code is missing.
  device.type(device.codes.shown_by_trustee);
  device.ask();
  ASSERT_TRUE(device.confirm().has_value());
  story.net.run_for(11s);
  EXPECT_EQ(device.answers(), 1U);
}

TEST(TrusteeSession, OnlyTheOwnersAgentsCanObject) {
  Story story;
  story.start();
  auto& device = story.device;
  device.get_approved();
  device.send(SessionRef::kVeto,
              protocol::encode_body(SessionRef{crypto::to_bytes(device.id), {}}));
  EXPECT_EQ(device.problem(), "policy.refused");
  EXPECT_EQ(device.state(), "approved");
  // Nor by a signature of a key that the relationship never had.
  SessionRef forged{crypto::to_bytes(device.id), {}};
  const auto signing = story.phone.edit([](Host& host) {
    return host.keys().generate(KeyType::ed25519, KeyPurpose::authenticate).value();
  });
  forged.key = crypto::multikey(signing.public_key);
  forged.signature =
      story.phone.keys().sign(signing.sealed, veto_statement(forged.session_id)).value();
  device.send(SessionRef::kVeto, protocol::encode_body(forged));
  EXPECT_EQ(device.state(), "approved");
}

TEST(TrusteeSession, AnAgentCanObjectBySignatureAlone) {
  Story story;
  story.start();
  auto& device = story.device;
  device.get_approved();
  SessionRef signed_veto{crypto::to_bytes(device.id), {}};
  const Contact tina = story.contact(story.owner, "tina");
  story.owner.look([&](Host& host) {
    protocol::KnownDids known(host);
    const Did mine = Did::parse(tina.my_did).value();
    signed_veto.key =
        crypto::multikey(known.resolve(mine).value().authentication_keys().front().key);
    signed_veto.signature =
        protocol::sign_as(host, mine, veto_statement(signed_veto.session_id)).value();
    return true;
  });
  device.send(SessionRef::kVeto, protocol::encode_body(signed_veto));
  EXPECT_EQ(device.state(), "contested");
}

TEST(TrusteeSession, AVetoAfterTheReleaseChangesNothing) {
  Story story;
  story.start();
  auto& device = story.device;
  device.get_approved();
  device.ask();
  story.net.run_for(3s);
  device.veto();
  EXPECT_EQ(device.state(), "released");
  EXPECT_EQ(last_heard<SessionRef>(story.owner, SessionRef::kVetoed).result, "released");
  device.ask();
  EXPECT_EQ(device.answers(), 2U);
}

TEST(TrusteeSession, TheOwnerIsToldAgainEveryDay) {
  Story story;
  story.terms.override_allowed = false;
  story.start();
  auto& device = story.device;
  device.get_approved();
  device.ask();
  device.veto();
  story.net.run_for(75h);
  EXPECT_EQ(heard(story.owner, "notice").size(), 4U);
}

// --- Waiting

TEST(TrusteeSession, TheWaitEndsAfterARestartAndIsNotShortenedByIt) {
  Story story;
  story.start();
  auto& device = story.device;
  device.get_approved();
  device.ask();
  story.net.run_for(1100ms);  // One tick of the timer is on disk.
  for (int i = 0; i < 9; ++i) {
    story.tina.restart();
    story.net.run_for(50ms);
  }
  EXPECT_EQ(device.answers(), 0U);  // 450 ms more; what no unit has seen may be lost, never gained.
  story.tina.restart();
  story.net.run_for(1100ms);  // Without the second before the restarts this would not do.
  EXPECT_EQ(device.answers(), 1U);
}

TEST(TrusteeSession, ClockChangesNeitherShortenNorEndTheWait) {
  Story story;
  story.start();
  auto& device = story.device;
  device.get_approved();
  device.ask();
  const auto ran_for = device.session().clock.started;
  crypto::SeededRandom random(1, "clock");
  TrusteeSessions module;
  const auto look = [&](Duration jump, Duration uptime) {
    protocol::UnitOfWork unit(
        {story.tina.store(), story.tina.keys(), random, story.net.now() + jump, uptime, true});
    module.on_timer(unit, "look");
    EXPECT_TRUE(unit.commit().has_value());
    return device.state();
  };
  EXPECT_EQ(look(24h * 3650, ran_for + 1s), "waiting");
  EXPECT_EQ(look(-24h * 3650, ran_for + 1999ms), "waiting");
  EXPECT_EQ(look(-24h * 3650, ran_for + 2s), "released");
}

TEST(TrusteeSession, RepeatsGetTheSameAnswerAndCountOnce) {
  Story story;
  story.start();
  auto& device = story.device;
  device.get_approved();
  device.ask(), device.ask();
  story.net.run_for(3s);
  ASSERT_EQ(device.answers(), 1U);
  const auto first = last_heard<PartialReply>(story.phone).box;
  device.ask();
  ASSERT_EQ(device.answers(), 2U);
  EXPECT_EQ(last_heard<PartialReply>(story.phone).box, first);
  EXPECT_EQ(story.held_by_tina().versions[0].releases, 1U);
}

TEST(TrusteeSession, EveryMessageTwiceChangesNothing) {
  Story story;
  story.start();
  story.net.fate = [](const test::Packet&) { return test::Fate::twice; };
  auto& device = story.device;
  device.get_approved();
  device.ask();
  story.net.run_for(3s);
  EXPECT_EQ(device.state(), "released");
  EXPECT_EQ(story.held_by_tina().versions[0].releases, 1U);
  EXPECT_EQ(story.tina.all<Session>("session").size(), 1U);
}

TEST(TrusteeSession, ResentStepsAreAnsweredAgain) {
  Story story;
  story.start();
  auto& device = story.device;
  device.begin();
  const auto nonce = last_heard<CodeStep>(story.phone, CodeStep::kNonce).value;
  device.request(), device.code_commit();
  EXPECT_EQ(last_heard<CodeStep>(story.phone, CodeStep::kNonce).value, nonce);
  device.code_reveal();
  EXPECT_EQ(device.state(), "coded");
  device.type(device.codes.shown_by_trustee);
  device.type("000000");  // Already right: not counted.
  EXPECT_EQ(device.session().device_wrong, 0U);
  EXPECT_EQ(story.tina.all<Session>("session").size(), 1U);
}

TEST(TrusteeSession, ACrashAtAnyCommitNeitherLosesNorRepeatsTheRelease) {
  for (const auto kind :
       {test::MemoryStore::Crash::before_commit, test::MemoryStore::Crash::after_commit}) {
    for (std::uint64_t n = 1; n <= 5; ++n) {
      Story story(n);
      story.start();
      auto& device = story.device;
      device.get_approved();
      device.ask();
      story.tina.store().crash_at(n, kind);
      story.net.run_for(10s);
      EXPECT_EQ(device.state(), "released") << n;
      EXPECT_EQ(device.answers(), 1U) << n;
      EXPECT_EQ(story.held_by_tina().versions[0].releases, 1U) << n;
    }
  }
}

TEST(TrusteeSession, ReleasesOfAVersionAreLimited) {
  Story story;
  story.start();
  auto& device = story.device;
  device.get_approved();
  device.ask();
  story.net.run_for(3s);
  for (std::size_t i = 1; i < limits::kReleasesMax + 2; ++i) {
    std::rotate(device.points.points.begin(), device.points.points.begin() + 1,
                device.points.points.end());
    device.points.points[0] =
        crypto::to_bytes(Point::base_times(Scalar::from_u64(1000 + i)).value().bytes());
    device.ask();
  }
  EXPECT_EQ(device.answers(), limits::kReleasesMax);
  EXPECT_EQ(device.problem(), "input.limit");
  EXPECT_EQ(story.held_by_tina().versions[0].releases, limits::kReleasesMax);

  TestDevice second(story, story.tina);  // A new session does not start the count anew.
  second.get_approved();
  second.ask();
  story.net.run_for(10s);
  EXPECT_EQ(second.state(), "waiting");
  EXPECT_EQ(heard(story.phone, "partial").size(), limits::kReleasesMax);
}

TEST(TrusteeSession, EveryVersionHeldIsAnsweredWhenItsOwnTimeIsOver) {
  Story story;
  story.start();
  const auto next = story.deal();
  story.prepare(next, 0);  // Prepared, not committed: only the owner's sheet decides.
  auto& device = story.device;
  device.get_approved();
  device.ask();
  story.net.run_for(3s);
  EXPECT_EQ(device.open().size(), 2U);
}

TEST(TrusteeSession, AnOpenRecoveryStopsTheDeletionOfItsRecords) {
  Story story;
  story.start();
  story.say("tina", ShareChange::kRetire, protocol::encode_body(story.change_of(story.dealt, 0)));
  auto& device = story.device;
  device.get_approved();
  story.net.run_for(60s);
  EXPECT_EQ(story.held_by_tina().versions.size(), 1U);
  device.ask();
  story.net.run_for(5s);
  EXPECT_EQ(device.answers(), 1U);
  device.send(SessionRef::kClose,
              protocol::encode_body(SessionRef{crypto::to_bytes(device.id), "recovered"}));
  story.net.run_for(60s);
  EXPECT_TRUE(story.held_by_tina().versions.empty());
}

// --- Limits

TEST(TrusteeSession, AnInvitationIsNeeded) {
  Story story;
  story.start();
  EXPECT_EQ(story.theo.command("trustee-invite", {{"contact", "nobody"}}).error().code,
            Errc::unknown_peer);
  auto& device = story.device;
  device.invite(), device.renew();
  const std::string right = device.invitation.id;
  device.invitation.id = "00000000-0000-4000-8000-000000000000";
  device.request();
  EXPECT_EQ(device.problem(), "not_found");
  device.invitation.id.clear();  // No parent thread at all.
  device.request();
  EXPECT_EQ(device.problem(), "policy.refused");
  EXPECT_TRUE(story.tina.all<Session>("session").empty());
  device.invitation.id = right;
  device.request();
  EXPECT_EQ(story.tina.all<Session>("session").size(), 1U);
}

TEST(TrusteeSession, AnInvitationExpiresButItsSessionDoesNot) {
  Story story;
  story.start();
  auto& device = story.device;
  device.begin();
  story.net.run_for(25h);
  device.type(device.codes.shown_by_trustee);  // Still reached at the invitation's DID.
  EXPECT_EQ(device.state(), "typed");
  TestDevice late(story, story.tina);
  late.invitation = device.invitation;
  late.renew();
  late.request();
  EXPECT_EQ(late.problem(), "not_found");
}

TEST(TrusteeSession, AnInvitationAllowsThreeExchanges) {
  Story story;
  story.start();
  auto& device = story.device;
  device.invite();
  for (std::size_t i = 0; i < limits::kExchangesPerInvitationMax; ++i) {
    device.renew();
    device.request();
    EXPECT_EQ(device.state(), "received");
  }
  device.renew();
  device.request();
  EXPECT_EQ(device.problem(), "recovery.tries");
  EXPECT_EQ(story.tina.all<Session>("session").size(), limits::kExchangesPerInvitationMax);
}

TEST(TrusteeSession, TheOldestUnmatchedSessionMakesRoomAndAMatchedOneNever) {
  Story story;
  story.start();
  auto& device = story.device;
  device.get_approved();
  std::vector<std::string> states;
  std::vector<std::string> names;
  TestDevice flood(story, story.tina);
  for (int i = 0; i < 6; ++i) {
    story.net.run_for(1s);
    flood.invite(), flood.renew(), flood.request();
    names.push_back(flood.name());
  }
  EXPECT_EQ(device.state(), "approved");
  for (const std::string& name : names) {
    const auto session =
        story.tina.look([&](Host& host) { return *load<Session>(host, "session", name); });
    states.emplace_back(state_name(session.state));
  }
  EXPECT_EQ(states, (std::vector<std::string>{"expired", "expired", "expired", "expired",
                                              "received", "received"}));
}

TEST(TrusteeSession, MatchedSessionsFillTheContactUp) {
  Story story;
  story.start();
  for (std::size_t i = 0; i < limits::kOpenSessionsPerContactMax; ++i) {
    TestDevice device(story, story.tina);
    device.get_approved();
  }
  auto& device = story.device;
  device.invite(), device.renew(), device.request();
  EXPECT_EQ(device.problem(), "input.limit");
}

TEST(TrusteeSession, ASessionOfWhichNothingCameExpires) {
  Story story;
  story.start();
  auto& device = story.device;
  device.begin();
  story.net.run_for(24h * 13);
  EXPECT_EQ(device.state(), "coded");
  story.net.run_for(24h * 2);
  EXPECT_EQ(device.state(), "expired");
  EXPECT_FALSE(device.approve(device.codes.shown_by_device).has_value());
}

TEST(TrusteeSession, TheUserCanRefuseAtAnyTime) {
  Story story;
  story.start();
  auto& device = story.device;
  device.get_approved();
  device.ask();
  ASSERT_TRUE(story.tina.command("trustee-decline", {{"id", device.name()}}).has_value());
  story.net.run_for(10s);
  EXPECT_EQ(device.state(), "refused");
  EXPECT_EQ(device.answers(), 0U);
  EXPECT_EQ(last_heard<SessionStatus>(story.phone).state, "refused");
}

TEST(TrusteeSession, EndedSessionsAndTheirKeysAreForgottenInTheEnd) {
  Story story;
  story.start();
  auto& device = story.device;
  device.begin();
  const auto keys = [&] {
    return story.tina.look([](Host& host) { return host.list("own-key").size(); });
  };
  const std::size_t before = keys();
  story.net.run_for(24h * 120);
  EXPECT_TRUE(story.tina.all<Session>("session").empty());
  EXPECT_EQ(keys(), before - 2);
}

}  // namespace
}  // namespace kith::recovery
