// Roads of a recovery that are taken rarely: the owner's question, few vouchers, a log that
// somebody else has changed.

#include "ledger/log_writer.hpp"

#include <algorithm>
#include "ledger/policy.hpp"
#include "recovery/finish.hpp"
#include "recovery/trustee_share.hpp"
#include "tests/recovery/theft.hpp"

namespace kith::recovery::testing {
namespace {

using namespace std::chrono_literals;

// --- The owner's question

struct Asked : LostDevice {
  void until_asked() {
    add_trustees(2);
    ASSERT_NO_FATAL_FAILURE(
        set_up_and_lose(2, {{"questions", JsonObject{{"t1", "Where did we meet?"}}}}));
    ASSERT_NO_FATAL_FAILURE(ask(*device, *trustees[0]));
    ASSERT_TRUE(
        net.run_until([&] { return !text_or_empty(row(*device, "t1"), "question").empty(); }));
    EXPECT_EQ(text_or_empty(row(*device, "t1"), "question"), "Where did we meet?");
    EXPECT_EQ(step(*device, "t1"), "question");
  }
  Result<JsonObject> answer(const std::string& text) {
    auto answered = device->command(
        "recover-answer", {{"id", text_or_empty(row(*device, "t1"), "id")}, {"answer", text}});
    net.run_for(1min);
    return answered;
  }
  Result<JsonObject> judge(bool right) {
    return trustees[0]->command("trustee-approve",
                                {{"id", text_or_empty(newest_session(*trustees[0]), "id")},
                                 {"contact", "owner"},
                                 {"verified", "voice"},
                                 {"challenge_ok", right}});
  }
};

TEST(RecoveryPaths, TheOwnersQuestionIsAskedAnsweredAndJudged) {
  Asked world;
  ASSERT_NO_FATAL_FAILURE(world.until_asked());
  EXPECT_FALSE(world.judge(true).has_value());  // Nothing to judge yet.
  EXPECT_FALSE(world.answer("").has_value());
  ASSERT_TRUE(world.answer("At the lake").has_value());
  const JsonObject session = world.newest_session(*world.trustees[0]);
  EXPECT_EQ(text_or_empty(session, "answer"), "At the lake");
  EXPECT_EQ(text_or_empty(session, "state"), "answered");
  EXPECT_FALSE(world.answer("At the sea").has_value());  // The first one counts.
  EXPECT_NE(world.step(*world.device, "t1"), "answered");
  ASSERT_TRUE(world.judge(true).has_value());
  ASSERT_TRUE(world.net.run_until([&] { return world.step(*world.device, "t1") == "answered"; }));
  // A trustee without a question asks none.
  ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(*world.device, *world.trustees[1]));
}

TEST(RecoveryPaths, AWrongAnswerEndsTheSession) {
  Asked world;
  ASSERT_NO_FATAL_FAILURE(world.until_asked());
  ASSERT_TRUE(world.answer("No idea").has_value());
  ASSERT_TRUE(world.judge(false).has_value());
  world.net.run_for(1min);
  EXPECT_EQ(world.step(*world.device, "t1"), "refused");
  EXPECT_TRUE(world.device->all<ArrivedAnswer>("recover-answer").empty());
}

TEST(RecoveryPaths, NoTwoTrusteesAreAskedTheSame) {
  LostDevice world;
  world.add_trustees(2);
  world.make_identity(world.owner);
  const auto setup = [&](JsonObject questions) {
    return world.owner.command("recovery-setup",
                               {{"threshold", 2},
                                {"trustees", JsonArray{"t1", "t2"}},
                                {"questions", std::move(questions)}},
                               true);
  };
  for (JsonObject questions :
       {JsonObject{{"t1", "Where?"}, {"t2", "Where?"}}, JsonObject{{"t3", "Where?"}},
        JsonObject{{"t1", 7}}, JsonObject{{"t1", std::string(257, 'x')}}}) {
    EXPECT_FALSE(setup(std::move(questions)).has_value());
  }
  const std::string id =
      world.owner.look([](Host& host) { return protocol::contact_named(host, "t1").value().id; });
  EXPECT_EQ(setup({{"t1", "Where?"}, {id, "When?"}}).error().detail,
            "t1 has two questions, by name and by id");
  EXPECT_EQ(setup({{"t3", "Where?"}}).error().detail, "t3 has a question, but is no trustee");
  EXPECT_TRUE(setup({{id, "Where?"}, {"t2", "When?"}}).has_value());
}

TEST(RecoveryPaths, OneTrusteeIsEnoughOnlyIfTheOwnerSaysSoAgain) {
  LostDevice world;
  world.add_trustees(2);
  world.make_identity(world.owner);
  JsonObject args{{"threshold", 1}, {"trustees", JsonArray{"t1", "t2"}}};
  const auto refused = world.owner.command("recovery-setup", args, true);
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(refused.error().code, Errc::refused);
  EXPECT_NE(refused.error().detail.find("alone"), std::string::npos);
  for (const char* name : {"t1", "t2"}) {
    EXPECT_NE(refused.error().detail.find(name), std::string::npos) << name;
  }
  EXPECT_EQ(text_or_empty(*world.owner.command("recovery-status"), "state"), "none");
  args["one_is_enough"] = true;
  EXPECT_TRUE(world.owner.command("recovery-setup", args, true).has_value());
}

// --- Few vouchers

// --- A plan with groups

struct Grouped : LostDevice {
  Grouped() { add_trustees(4); }
  /// t1, or t2 and t3; and t4.
  static constexpr const char* kPlan = "all of (1 of (t1, all of (t2, t3)), t4)";
  void lose_with_plan() { ASSERT_NO_FATAL_FAILURE(set_up_and_lose(0, {{"plan", kPlan}})); }
};

TEST(RecoveryPaths, AGroupOpensWhatThePlanSays) {
  Grouped world;
  ASSERT_NO_FATAL_FAILURE(world.lose_with_plan());
  EXPECT_EQ(text_or_empty(*world.owner.command("recovery-status"), "plan"),
            "all of (1 of (t1, all of (t2, t3)), t4)");
  for (const std::size_t helper : {1U, 3U}) {
    ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(*world.device, *world.trustees[helper]));
  }
  EXPECT_FALSE(world.device->command("recover-finish", {}, true).has_value()) << "t3 is missing";
  ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(*world.device, *world.trustees[2]));
  world.finish(*world.device);
}

TEST(RecoveryPaths, WhoeverThePlanNeedsIsNeeded) {
  Grouped world;
  ASSERT_NO_FATAL_FAILURE(world.lose_with_plan());
  for (const std::size_t helper : {0U, 1U, 2U}) {
    ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(*world.device, *world.trustees[helper]));
  }
  EXPECT_FALSE(world.device->command("recover-finish", {}, true).has_value()) << "t4 is missing";
  ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(*world.device, *world.trustees[3]));
  world.finish(*world.device);
}

TEST(RecoveryPaths, APlanKnowsPeopleWhateverTheyAreCalled) {
  Grouped world;
  world.make_identity(world.owner);
  ASSERT_TRUE(world.owner.command("recovery-setup", {{"plan", Grouped::kPlan}}, true).has_value());
  ASSERT_TRUE(
      world.owner.command("contact-rename", {{"contact", "t3"}, {"name", "my aunt"}}).has_value());
  EXPECT_EQ(text_or_empty(*world.owner.command("recovery-status"), "plan"),
            R"x(all of (1 of (t1, all of (t2, "my aunt")), t4))x");
}

TEST(RecoveryPaths, PlansThatCannotBeSetUpAreRefusedInWords) {
  Grouped world;
  world.make_identity(world.owner);
  const auto refusal = [&](JsonObject args) {
    const auto reply = world.owner.command("recovery-setup", std::move(args), true);
    return reply.has_value() ? std::string("taken") : reply.error().detail;
  };
  EXPECT_EQ(refusal({{"plan", "2 of (t1, t2, somebody)"}}).substr(0, 8), "somebody");
  EXPECT_EQ(refusal({{"plan", "2 of (t1, t1)"}}), "t1 is named twice");
  EXPECT_EQ(refusal({{"plan", "2 of (t1, paper safe)"}}),
            "sheets of paper cannot be set up yet, contacts alone");
  EXPECT_EQ(refusal({{"plan", "2 of t1"}}), "line 1: here should be (, and not t1");
  EXPECT_EQ(refusal({{"plan", "2 of (t1, t2)"}, {"threshold", 2}}),
            "a plan says who and how many: leave the others out");
  EXPECT_EQ(refusal({}), "name --threshold and --trustees, or --plan");
  EXPECT_NE(refusal({{"plan", "1 of (t1, all of (t2, t3))"}}).find("t1"), std::string::npos);
  EXPECT_EQ(text_or_empty(*world.owner.command("recovery-status"), "state"), "none");
}

TEST(RecoveryPaths, FewVouchersWaitForTheOthersUnlessTheUserConfirms) {
  LostDevice world(1, true, mediator_modules<>(), false);  // As for people: tests do not wait.
  world.add_trustees(3);
  ASSERT_NO_FATAL_FAILURE(world.set_up_and_lose(2, {{"waiting", "1d"}}));
  for (AgentBox* box : world.trustees) {  // Waiting is tested elsewhere.
    box->edit([](Host& host) {
      const Contact contact = protocol::contact_named(host, "owner").value();
      Trusteeship trusteeship = *find_trusteeship(host, contact.id);
      for (HeldVersion& held : trusteeship.versions) {
        held.record.terms.waiting = WaitingClass::test_seconds;
      }
      save_trusteeship(host, trusteeship);
      return true;
    });
  }
  AgentBox& device = *world.device;
  for (const std::size_t i : {0U, 1U}) {
    ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(device, *world.trustees[i]));
  }
  const auto invitation = world.trustees[2]->command("trustee-invite", {{"contact", "owner"}});
  ASSERT_TRUE(device
                  .command("recover-add-trustee",
                           {{"url", text_or_empty(*invitation, "url")}, {"name", "t3"}})
                  .has_value());
  ASSERT_TRUE(world.net.run_until([&] {
    return text_or_empty(world.status(device), "waiting_for").find("Fewer than three") == 0;
  })) << crypto::json_text(world.status(device));
  for (JsonObject args : {JsonObject{}, JsonObject{{"confirm_few", false}}}) {
    const auto early = device.command("recover-finish", std::move(args), true);
    ASSERT_FALSE(early.has_value());
    EXPECT_EQ(early.error().code, Errc::waiting_for_people);
  }
  EXPECT_EQ(device.command("recover-finish", {{"confirm_few", "yes"}}, true).error().code,
            Errc::usage);
  const auto shown = device.command("recover-finish", {{"confirm_few", true}}, true);
  ASSERT_TRUE(shown.has_value()) << shown.error().detail;
  EXPECT_EQ(text_or_empty(*shown, "step"),
            "show");  // Counts and words come first, confirmed or not.
  EXPECT_EQ(shown->at("candidates").as_array().at(0).as_object().at("vouching").to_number<int>(),
            2);
  const auto begun = device.command("recover-finish", {}, true);
  ASSERT_TRUE(begun.has_value()) << begun.error().detail;
  EXPECT_EQ(text_or_empty(*begun, "state"), "finishing");
}

// --- Logs that somebody else has changed

/// The thief has the device alone, and takes the log to a ledger of his own.
void move_away(LostDevice& world, const std::string& subject) {
  const auto view = view_of(world, subject);
  const Bytes blob = world.owner.look([&](Host& host) {
    const std::string here = ledger::identity(host)->ledger_id;
    ledger::Entry entry =
        ledger::make_move(view, here, {"ledger:of-the-thief"}, ledger::anchor_time(world.net.now()))
            .value();
    EXPECT_TRUE(ledger::sign_with_active(host, entry, view).has_value());
    return ledger::entry_blob(entry);
  });
  post(world, subject, blob);
}

/// Windows that let a test tell before from after.
JsonObject windows() {
  return {{"delay_seconds", 600}, {"contest_seconds", 60 * 60 * 24 * 49}};
}

struct Stolen : LostDevice {
  using Theft = void (*)(LostDevice&, const std::string&);
  void until_pending(Theft theft = steal) {
    add_trustees(3);
    ASSERT_NO_FATAL_FAILURE(
        set_up_and_lose(2, {}, {{"delay_seconds", 600}, {"contest_seconds", 60 * 60 * 24 * 49}}));
    ASSERT_NO_FATAL_FAILURE(theft(*this, before.did));
    for (AgentBox* box : trustees) ASSERT_NO_FATAL_FAILURE(ask_and_wait(*device, *box));
    ASSERT_TRUE(net.run_until([&] { return status(*device).at("can_finish").as_bool(); }));
    ASSERT_TRUE(device->command("recover-finish", {}, true).has_value());
    const auto begun = device->command("recover-finish", {}, true);
    ASSERT_TRUE(begun.has_value()) << begun.error().detail;
    ASSERT_TRUE(net.run_until([&] { return view_of(*this, before.did).pending.has_value(); }));
    net.run_for(1min);
    EXPECT_EQ(state(*device), "waiting-period") << crypto::json_text(status(*device));
  }
};

TEST(RecoveryPaths, AStolenLogComesBackAfterTheDelayAndNotBefore) {
  Stolen world;
  ASSERT_NO_FATAL_FAILURE(world.until_pending());
  world.net.run_for(8min);
  EXPECT_EQ(world.state(*world.device), "waiting-period");
  ASSERT_TRUE(world.net.run_until([&] { return world.state(*world.device) == "recovered"; }))
      << crypto::json_text(world.status(*world.device));
  const auto view = view_of(world, world.before.did);
  EXPECT_EQ(view.head().entry->op, ledger::Op::recover);
  EXPECT_FALSE(view.pending.has_value());
  EXPECT_EQ(view.replaced.size(), 2U);  // What the thief wrote.
}

TEST(RecoveryPaths, AThiefsMoveToHisOwnLedgerIsUndone) {
  Stolen world;
  ASSERT_NO_FATAL_FAILURE(world.until_pending(move_away));
  const auto stolen = view_of(world, world.before.did);
  EXPECT_EQ(stolen.head().entry->op, ledger::Op::move);
  ASSERT_TRUE(world.net.run_until([&] { return world.state(*world.device) == "recovered"; }))
      << crypto::json_text(world.status(*world.device));
  const auto view = view_of(world, world.before.did);
  EXPECT_EQ(view.head().entry->op, ledger::Op::recover);
  EXPECT_EQ(view.current.ledgers, view.history.front().entry->content->ledgers);
  EXPECT_EQ(view.replaced.size(), 1U);
  EXPECT_FALSE(view.pending.has_value());
}

TEST(RecoveryPaths, AVetoKeepsTheLogAndTheDeviceSaysSo) {
  Stolen world;
  ASSERT_NO_FATAL_FAILURE(world.until_pending());
  ASSERT_NO_FATAL_FAILURE(veto(world, world.before.did));
  world.net.run_for(30min);
  EXPECT_EQ(world.state(*world.device), "finishing")
      << crypto::json_text(world.status(*world.device));
  EXPECT_FALSE(view_of(world, world.before.did).pending.has_value());
  EXPECT_EQ(view_of(world, world.before.did).head().entry->op, ledger::Op::rotate);
  EXPECT_NE(crypto::json_text(world.status(*world.device)).find("recover finish"),
            std::string::npos);
  // Too early to try again, and it says why.
  const auto early = world.device->command("recover-finish", {}, true);
  ASSERT_FALSE(early.has_value());
  EXPECT_NE(early.error().detail.find("vetoed less than 14 days ago"), std::string::npos);
  // After the back-off the authority may speak again.
  std::vector<AgentBox*> asleep = world.trustees;
  asleep.push_back(world.device);
  for (AgentBox* box : asleep) box->set_online(false);
  world.net.run_for(24h * 14);
  for (AgentBox* box : asleep) box->set_online(true);
  world.net.run_for(1min);
  const auto again = world.device->command("recover-finish", {}, true);
  ASSERT_TRUE(again.has_value()) << again.error().detail;
  ASSERT_TRUE(world.net.run_until([&] { return world.state(*world.device) == "recovered"; }, 2h))
      << crypto::json_text(world.status(*world.device));
  EXPECT_EQ(view_of(world, world.before.did).head().entry->op, ledger::Op::recover);
}

TEST(RecoveryPaths, EntriesThatOthersOvertookAreSignedAgain) {
  LostDevice world;
  world.add_trustees(3);
  ASSERT_NO_FATAL_FAILURE(world.set_up_and_lose(2, {}, windows()));
  AgentBox& device = *world.device;
  for (AgentBox* box : world.trustees) ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(device, *box));
  ASSERT_TRUE(world.net.run_until([&] { return world.status(device).at("can_finish").as_bool(); }));
  ASSERT_TRUE(device.command("recover-finish", {}, true).has_value());
  world.ledger_down = true;  // Signed, and not posted yet.
  ASSERT_TRUE(device.command("recover-finish", {}, true).has_value());
  world.net.run_for(1min);
  ASSERT_NO_FATAL_FAILURE(steal(world, world.before.did));
  world.ledger_down = false;
  ASSERT_TRUE(world.net.run_until([&] {
    return crypto::json_text(world.status(device)).find("recover finish` again") !=
           std::string::npos;
  })) << crypto::json_text(world.status(device));
  EXPECT_EQ(world.state(device), "finishing");
  const auto again = device.command("recover-finish", {}, true);
  ASSERT_TRUE(again.has_value()) << again.error().detail;
  EXPECT_TRUE(device.look([](Host& host) { return finish_job(host)->slow; }));
}

}  // namespace
}  // namespace kith::recovery::testing
