// The last resort of an owner: set up with people who agree, and used when thieves or guardians
// have the identity.

#include "recovery/super_judge.hpp"
#include "tests/recovery/last_resort.hpp"

namespace kith::recovery::testing {
namespace {

TEST(SuperQuorum, IsPutIntoForceWithPeopleWhoAgree) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.identity_and_trustees());
  EXPECT_EQ(text_or_empty(world.super(world.owner), "state"), "none");
  EXPECT_EQ(world.choose(1, world.names()).error().code, Errc::usage);
  EXPECT_EQ(world.choose(4, world.names()).error().code, Errc::usage);
  EXPECT_EQ(world.choose(2, {"h1", "h1", "h2"}).error().code, Errc::usage);
  ASSERT_TRUE(world.choose(2, world.names()).has_value());
  EXPECT_EQ(world.owner.command("recovery-super-confirm", {}, true).error().code,
            Errc::waiting_for_people);
  ASSERT_NO_FATAL_FAILURE(world.agree());
  EXPECT_EQ(world.owner.command("recovery-super-confirm").error().code, Errc::step_up_required);
  const std::size_t entries = world.log_ledger->size();
  const auto confirmed = world.owner.command("recovery-super-confirm", {}, true);
  ASSERT_TRUE(confirmed.has_value()) << confirmed.error().detail;
  EXPECT_EQ(text_or_empty(*confirmed, "step"), "setting");
  EXPECT_EQ(world.log_ledger->size(), entries) << "a backup comes first";
  ASSERT_TRUE(world.net.run_until([&] { return world.all_holders("confirmed"); }, 4h));
  const JsonObject status = world.super(world.owner);
  EXPECT_EQ(text_or_empty(status, "state"), "in-force");
  EXPECT_EQ(text_or_empty(*world.owner.command("recovery-status"), "super_quorum"), "in-force");
  EXPECT_EQ(world.log_ledger->size(), entries + 2);
  const auto own = *world.owner.look([](Host& host) { return ledger::identity(host); });
  const auto did = view_of(world, own.did);
  const auto policy = view_of(world, own.policy);
  EXPECT_EQ(did.head().entry->op, ledger::Op::rotate);
  ASSERT_TRUE(did.current.rec.hi && policy.current.rec.hi);
  EXPECT_NE(*did.current.rec.hi, *policy.current.rec.hi);
  for (AgentBox* holder : world.holders) {
    const JsonObject list = *holder->command("trustee-list");
    const auto& rows = list.at("last_resort_of").get_array();
    ASSERT_EQ(rows.size(), 1U);
    EXPECT_EQ(text_or_empty(rows[0].get_object(), "state"), "confirmed");
    EXPECT_EQ(text_or_empty(rows[0].get_object(), "policy"), own.policy);
  }
  EXPECT_EQ(world.owner.command("recovery-super-start", {}, true).error().code, Errc::wrong_state)
      << "nothing is captured";
  EXPECT_TRUE(world.owner.notices("alarm").empty());
}

TEST(SuperQuorum, WhoDeclinesOrIsSilentIsReplacedOrLeftOut) {
  LastResort world;
  world.make_identity(world.owner, super_windows());
  ASSERT_TRUE(world.choose(2, world.names()).has_value());
  const auto declined = world.holders[0]->command(
      "trustee-decline", {{"id", world.offer(*world.holders[0])}, {"reason", "Not me"}});
  ASSERT_TRUE(declined.has_value()) << declined.error().detail;
  ASSERT_TRUE(world.net.run_until([&] { return world.holder_state("h1") == "declined"; }));
  ASSERT_TRUE(world.holders[1]
                  ->command("trustee-accept", {{"id", world.offer(*world.holders[1])}})
                  .has_value());
  ASSERT_TRUE(world.net.run_until([&] { return world.holder_state("h2") == "agreed"; }));
  const auto confirm = [&](JsonArray without) {
    return world.owner.command("recovery-super-confirm", {{"without", std::move(without)}}, true);
  };
  EXPECT_EQ(confirm({"h1"}).error().code, Errc::waiting_for_people) << "h3 is silent";
  EXPECT_EQ(confirm({"h1", "h3"}).error().code, Errc::refused) << "one is left";
  // Who agreed stays, and is not asked again.
  ASSERT_TRUE(world.choose(2, {"h2", "h3"}).has_value());
  EXPECT_EQ(world.holder_state("h2"), "agreed");
  EXPECT_EQ(world.holder_state("h1"), "");
  ASSERT_TRUE(world.owner.command("recovery-super-cancel").has_value());
  EXPECT_EQ(text_or_empty(world.super(world.owner), "state"), "none");
  ASSERT_TRUE(world.net.run_until([&] {
    const auto held = world.holders[1]->command("trustee-list")->at("last_resort_of").as_array();
    return world.offers(*world.holders[2]).empty() && held.empty();
  }));
  EXPECT_EQ(world.owner.command("recovery-super-cancel").error().code, Errc::wrong_state);
}

TEST(SuperQuorum, GivesAnIdentityBackThatTrusteesTookTogether) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.all_of_it());
  ASSERT_NO_FATAL_FAILURE(world.taken_by_trustees());
  EXPECT_EQ(world.owner.command("recovery-super-start").error().code, Errc::step_up_required);
  ASSERT_NO_FATAL_FAILURE(world.use(world.owner));
  EXPECT_TRUE(view_of(world, world.before.did).pending.has_value()) << "it waits for D";
  ASSERT_NO_FATAL_FAILURE(world.expect_taken_back(world.owner));
  EXPECT_EQ(text_or_empty(*world.owner.command("identity-status"), "state"), "posted");
}

TEST(SuperQuorum, TakesBackAlsoWhatAnnouncesTheOwnersNextKeys) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.all_of_it());
  ASSERT_NO_FATAL_FAILURE(world.taken_by_trustees(Announces::what_the_owner_announced));
  ASSERT_NO_FATAL_FAILURE(world.use(world.owner));
  ASSERT_NO_FATAL_FAILURE(world.expect_taken_back(world.owner));
}

TEST(SuperQuorum, LeavesALogAloneThatNobodyTookAndThatDoesNotNameIt) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.all_of_it());
  world.owner.edit([&](Host& host) {
    const SealedKey vault = protocol::open_vault(host, world.owner.step_up()).value();
    const std::string other = *ledger::stored_view(host, world.before.policy)->current.rec.hi;
    const auto rotate =
        ledger::prepare_rotate(host, world.before.did, vault, {std::nullopt, other}).value();
    EXPECT_TRUE(ledger::post_prepared(host, world.before.did, rotate).has_value());
    return 0;
  });
  ASSERT_NO_FATAL_FAILURE(recover_as_guardians(world, world.before.policy));
  ASSERT_TRUE(world.net.run_until(
      [&] { return !world.owner.audited("identity.foreign-entry").empty(); }, 3h));
  ASSERT_NO_FATAL_FAILURE(world.use(world.owner));
  ASSERT_TRUE(world.net.run_until(
      [&] { return text_or_empty(world.request(world.owner), "state") == "done"; }, 2h));
  EXPECT_TRUE(view_of(world, world.before.policy).head().super_quorum);
  EXPECT_EQ(view_of(world, world.before.did).head().entry->op, ledger::Op::rotate);
}

TEST(SuperQuorum, BeatsAThiefWhoVetoesTheOrdinaryRecovery) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.all_of_it());
  ASSERT_NO_FATAL_FAILURE(world.lose());
  AgentBox& device = *world.device;
  ASSERT_NO_FATAL_FAILURE(steal(world, world.before.did));
  for (AgentBox* box : world.trustees) ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(device, *box));
  ASSERT_TRUE(world.net.run_until([&] { return world.status(device).at("can_finish").as_bool(); }));
  ASSERT_TRUE(device.command("recover-finish", {}, true).has_value());
  ASSERT_TRUE(device.command("recover-finish", {}, true).has_value());
  ASSERT_TRUE(
      world.net.run_until([&] { return view_of(world, world.before.did).pending.has_value(); }));
  ASSERT_NO_FATAL_FAILURE(veto(world, world.before.did));
  world.net.run_for(30min);
  ASSERT_EQ(world.state(device), "finishing");
  ASSERT_NO_FATAL_FAILURE(world.use(device));
  ASSERT_NO_FATAL_FAILURE(world.expect_taken_back(device));
  ASSERT_TRUE(world.net.run_until([&] { return world.state(device) == "recovered"; }, 2h))
      << crypto::json_text(world.status(device));
}

TEST(SuperQuorum, AHolderSignsForNobodyWhoWasNotMadeSureOf) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.all_of_it());
  ASSERT_NO_FATAL_FAILURE(recover_as_guardians(world, world.before.policy));
  world.net.run_for(3min);
  world.owner.look([](Host&) { return 0; });
  ASSERT_TRUE(world.net.run_until(
      [&] { return !world.owner.audited("identity.foreign-entry").empty(); }, 3h));
  const auto begun = world.owner.command("recovery-super-start", {}, true);
  ASSERT_TRUE(begun.has_value()) << begun.error().detail;
  const std::string code = text_or_empty(*begun, "code");
  AgentBox& holder = *world.holders[0];
  ASSERT_TRUE(world.open_at(holder));
  const JsonObject shown = world.ask_at(holder);
  EXPECT_NE(crypto::json_text(shown).find("Takes the policy"), std::string::npos);
  EXPECT_EQ(world.sign(holder, code, false).error().code, Errc::step_up_required);
  JsonObject args{{"id", text_or_empty(shown, "id")}, {"contact", "owner"}, {"code", code}};
  args["verified"] = "e-mail";
  EXPECT_EQ(holder.command("trustee-approve", args, true).error().code, Errc::refused);
  const std::string wrong = code == "000000" ? "000001" : "000000";
  for (int i = 0; i < 3; ++i) {
    const auto tried = world.sign(holder, wrong);
    ASSERT_TRUE(tried.has_value()) << tried.error().detail;
    EXPECT_FALSE(tried->at("code_ok").as_bool());
  }
  EXPECT_EQ(world.sign(holder, code).error().code, Errc::wrong_state);
  ASSERT_TRUE(world.net.run_until([&] {
    const auto request = world.request(world.owner);
    return text_or_empty(request.at("holders").as_array()[0].as_object(), "state") == "declined";
  }));
  // Two are enough, and they are not there: it ends by itself.
  ASSERT_TRUE(world.owner.command("recovery-super-stop").has_value());
  EXPECT_EQ(text_or_empty(world.request(world.owner), "state"), "over");
  ASSERT_TRUE(world.net.run_until([&] { return world.ask_at(*world.holders[1]).empty(); }));
}

TEST(SuperQuorum, AHolderWhoNeverConfirmedRefuses) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.all_of_it());
  AgentBox& holder = *world.holders[0];
  holder.edit([](Host& host) {
    for (SuperHeld held : all_held(host)) {
      held.step = HeldStep::agreed;
      save_held(host, held);
    }
    return 0;
  });
  ASSERT_NO_FATAL_FAILURE(recover_as_guardians(world, world.before.policy));
  world.net.run_for(15min);
  ASSERT_TRUE(world.net.run_until(
      [&] { return !world.owner.audited("identity.foreign-entry").empty(); }, 3h));
  ASSERT_TRUE(world.owner.command("recovery-super-start", {}, true).has_value());
  ASSERT_TRUE(world.open_at(*world.holders[1]));
  const auto told = [&] {
    const JsonObject request = world.request(world.owner);
    return text_or_empty(request.at("holders").as_array()[0].as_object(), "reason");
  };
  ASSERT_TRUE(world.net.run_until([&] { return !told().empty(); }, 10min)) << "it says so";
  EXPECT_TRUE(world.ask_at(holder).empty());
}

/// What a holder is asked to sign, and the ground it stands on.
struct Ask {
  explicit Ask(LastResort& world) {
    before = view_of(world, world.before.policy);
    blobs = on_ledger(world, world.before.policy);
    options = {ledger::anchor_time(world.net.now()), true};
    const auto opening = world.owner.look(
        [](Host& host) { return super_sets(host).back().opening_of(kPolicyLog)->reveal(); });
    key = opening.k[1];
    entry = world.owner.look([&](Host& host) {
      const auto keys = ledger::generate_log_keys(host.keys(), host.random()).value();
      ledger::LogContent content =
          ledger::make_content(keys, before.current.ledgers, before.current.state);
      content.rec.delay = before.current.rec.delay;
      content.rec.contest = before.current.rec.contest;
      return ledger::make_recover(before, before.n(), opening, content, options.now).value();
    });
  }
  Errc check(const ledger::Entry& asked) {
    const auto checked = check_super_entry({before, blobs, options}, asked, key);
    return checked.has_value() ? Errc{} : checked.error().code;
  }
  ledger::LogView before;
  std::vector<ledger::AnchoredBlob> blobs;
  ledger::ReaderOptions options;
  std::string key;
  ledger::Entry entry;
};

TEST(SuperQuorum, AHoldersReaderTakesOnlyWhatTheLogWouldTake) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.all_of_it());
  Ask ask(world);
  EXPECT_TRUE(check_super_entry({ask.before, ask.blobs, ask.options}, ask.entry, ask.key));
  const auto words = super_words({ask.before, ask.blobs, ask.options}, ask.entry);
  EXPECT_FALSE(words.changes.empty());
  EXPECT_FALSE(words.warnings.empty()) << "nothing would be replaced";
  const auto spoiled = [&](auto&& spoil) {
    ledger::Entry entry = ask.entry;
    spoil(entry);
    return ask.check(entry);
  };
  EXPECT_EQ(spoiled([](auto& entry) { entry.content->rec.delay = 0s; }), Errc::refused);
  EXPECT_EQ(spoiled([](auto& entry) { entry.content->rec.contest += 1s; }), Errc::refused);
  EXPECT_EQ(spoiled([](auto& entry) { entry.content->ledgers = {"ledger:other"}; }), Errc::refused);
  EXPECT_EQ(spoiled([](auto& entry) { entry.reveal->t = 1; }), Errc::refused);
  EXPECT_EQ(spoiled([](auto& entry) { entry.reveal->k.pop_back(); }), Errc::refused);
  EXPECT_EQ(spoiled([](auto& entry) { entry.n += 1; }), Errc::invalid_entry);
  EXPECT_EQ(spoiled([](auto& entry) { entry.content->state = JsonObject{}; }), Errc::invalid_entry);
  EXPECT_EQ(spoiled([&](auto& entry) { entry.content->rec.d = ask.before.current.rec.d; }),
            Errc::invalid_entry);
  EXPECT_EQ(spoiled([&](auto& entry) { entry.content->rec.hi = ask.before.current.rec.hi; }),
            Errc::refused);
  EXPECT_EQ(spoiled([](auto& entry) { entry.content->rec.hi = entry.content->rec.d; }),
            Errc::refused);
  EXPECT_EQ(spoiled([](auto& entry) { entry.op = ledger::Op::rotate; }), Errc::unsupported);
  ask.key = ask.entry.content->keys.k[0];
  EXPECT_EQ(ask.check(ask.entry), Errc::refused) << "a key that is not in the super-quorum";
}

}  // namespace
}  // namespace kith::recovery::testing
