/// Proposals between honest devices: what people see, what comes of it, what a loss does to it.

#include "tests/ledger/proposal_lab.hpp"

#include "ledger/own_log.hpp"
#include "ledger/proposal_limits.hpp"

namespace kith::test {
namespace {

using namespace std::chrono_literals;
using Crash = MemoryStore::Crash;

class ProposalTest : public DeviceLab {};

TEST_F(ProposalTest, IsAskedSignedAndPosted) {
  const std::string id = propose({{"rule", {{"revoke", "2"}}}, {"reason", "after the burglary"}});
  EXPECT_EQ(state(laptop_, id), "open");
  for (AgentBox* box : {&phone_, &tablet_}) {
    const JsonObject seen = shown(*box, id);
    EXPECT_EQ(text(seen, "state"), "open");
    EXPECT_EQ(text(seen, "from"), "laptop");
    EXPECT_EQ(text(seen, "reason"), "after the burglary");
    EXPECT_EQ(texts(seen, "changes"),
              Codes{"Changes the rule \"revoke\": 2 must agree, until now 1."});
    EXPECT_EQ(box->notices("policy-proposal").size(), 1U);
    // What the proposer says is not in the sentence that the device speaks.
    EXPECT_EQ(box->notices("policy-proposal")[0].find("burglary"), std::string::npos);
  }
  EXPECT_EQ(policy(laptop_).rules.at("revoke"), 1U);
  const auto approved = must(approve(phone_, id));
  EXPECT_EQ(text(approved, "state"), "approved");
  ASSERT_TRUE(net_.run_until([&] { return state(laptop_, id) == "posted"; }));
  for (AgentBox* box : devices()) {
    EXPECT_TRUE(net_.run_until([&] { return state(*box, id) == "posted"; })) << box->name();
    EXPECT_EQ(policy(*box).rules.at("revoke"), 2U);
    EXPECT_EQ(box->notices("policy-outcome").size(), 1U);
  }
  EXPECT_EQ(view(laptop_).head().entry->sigs.size(), 2U);
  // Who signed it is not surprised; who did not is told that an entry came without it.
  EXPECT_TRUE(laptop_.notices("alarm").empty());
  EXPECT_TRUE(phone_.notices("alarm").empty());
  EXPECT_EQ(tablet_.notices("alarm").size(), 1U);
}

TEST_F(ProposalTest, KnowsTheDevicesNextTime) {
  const std::string first = propose();
  must(approve(phone_, first));
  ASSERT_TRUE(net_.run_until([&] { return state(phone_, first) == "posted"; }));
  // The laptop has proof of the phone alone; so has the phone of the laptop.
  const auto again = must(laptop_.command("policy-propose", {{"rule", {{"grant", "2"}}}}, true));
  EXPECT_EQ(again.at("asked").get_array().size(), 1U);
  const auto seen = shown(laptop_, text(again, "id"));
  EXPECT_EQ(seen.at("asked").get_array()[0].get_object().at("contact"), "phone");
}

TEST_F(ProposalTest, NeedsThePassphraseOnBothSides) {
  const JsonObject args{{"rule", {{"revoke", "2"}}}, {"to", JsonArray{"phone"}}};
  EXPECT_EQ(laptop_.command("policy-propose", args).error(), Errc::step_up_required);
  const std::string id = propose();
  EXPECT_EQ(phone_.command("policy-approve", {{"id", id}}).error(), Errc::step_up_required);
  EXPECT_EQ(state(phone_, id), "open");
}

TEST_F(ProposalTest, RefusesChangesThatMakeNoSense) {
  const auto refused = [&](JsonObject args) {
    args["to"] = JsonArray{"phone"};
    const auto made = laptop_.command("policy-propose", std::move(args), true);
    return made.has_value() ? std::string("made") : std::string(error_text(made.error().code).code);
  };
  EXPECT_EQ(refused({}), "usage");
  EXPECT_EQ(refused({{"rule", {{"revoke", "0"}}}}), "usage");
  EXPECT_EQ(refused({{"rule", {{"revoke", "2x"}}}}), "usage");
  EXPECT_EQ(refused({{"rule", {{"other", "2"}}}}), "usage");
  EXPECT_EQ(refused({{"rule", {{"admin", "4"}}}}), "policy.refused");
  EXPECT_EQ(refused({{"grant", {{"z6Mkbad", "ADMIN"}}}}), "usage");
  EXPECT_EQ(refused({{"grant", {{key_of(phone_), "EVERYTHING"}}}}), "usage");
  EXPECT_EQ(refused({{"grant", {{key_of(phone_), "ADMIN"}}}}), "usage");  // It has that.
  EXPECT_EQ(refused({{"remove", JsonArray{"z6Mknobody"}}}), "not_found");
  EXPECT_EQ(refused({{"rule", {{"revoke", "2"}}}, {"hours", 337}}), "usage");
  EXPECT_EQ(refused({{"rule", {{"revoke", "2"}}}, {"reason", std::string(501, 'x')}}),
            "input.limit");
  EXPECT_EQ(refused({{"rule", {{"revoke", "2"}}}, {"colour", "red"}}), "input.malformed");
  EXPECT_EQ(refused({{"rule", {{"revoke", "2"}}}}), "made");
  EXPECT_EQ(refused({{"rule", {{"revoke", "3"}}}}), "conflict");  // One of ours at a time.
}

TEST_F(ProposalTest, IsRejectedWithAReason) {
  const std::string id = propose();
  must(phone_.command("policy-reject", {{"id", id}, {"reason", "not me"}}));
  net_.settle();
  EXPECT_EQ(state(laptop_, id), "open");  // The tablet is enough.
  ASSERT_EQ(laptop_.notices("policy-answer").size(), 1U);
  EXPECT_EQ(laptop_.notices("policy-answer")[0], "phone rejects " + id + ": \"not me\"");
  must(tablet_.command("policy-reject", {{"id", id}}));
  net_.settle();
  EXPECT_EQ(state(laptop_, id), "rejected");
  EXPECT_EQ(state(phone_, id), "rejected");
  EXPECT_TRUE(phone_.notices("policy-outcome").empty());  // It said so itself.
  EXPECT_EQ(approve(phone_, id).error(), Errc::wrong_state);
  EXPECT_EQ(laptop_.command("policy-reject", {{"id", id}}).error(), Errc::wrong_state);
}

TEST_F(ProposalTest, IsTakenBack) {
  const std::string id = propose();
  must(laptop_.command("policy-reject", {{"id", id}}));
  net_.settle();
  for (AgentBox* box : devices()) EXPECT_EQ(state(*box, id), "withdrawn");
  EXPECT_EQ(approve(phone_, id).error(), Errc::wrong_state);
  EXPECT_EQ(laptop_.command("policy-reject", {{"id", id}}).error(), Errc::wrong_state);
  net_.run_for(1s);
  propose();  // There is room for another.
}

TEST_F(ProposalTest, ExpiresAndLateAnswersDoNothing) {
  const std::string id = propose({{"rule", {{"revoke", "2"}}}, {"hours", 1}});
  net_.run_for(50min);
  net_.fate = [this](const Packet& packet) {
    return packet.from == &phone_ ? Fate::fails : Fate::arrives;
  };
  must(approve(phone_, id));
  net_.run_for(20min);
  EXPECT_EQ(state(laptop_, id), "expired");
  net_.fate = nullptr;
  net_.run_for(2h);
  EXPECT_EQ(state(laptop_, id), "expired");
  EXPECT_EQ(state(phone_, id), "expired");
  EXPECT_EQ(policy(laptop_).rules.at("revoke"), 1U);
  EXPECT_EQ(view(laptop_).n(), 1U);
  EXPECT_EQ(approve(tablet_, id).error(), Errc::wrong_state);
}

TEST_F(ProposalTest, OvertakenIsClosedAndTold) {
  const std::string id = propose();
  append(signed_by(phone_, signed_by(tablet_, some_entry(tablet_))));
  ASSERT_TRUE(net_.run_until([&] { return state(laptop_, id) == "overtaken"; }, 2h));
  for (AgentBox* box : {&phone_, &tablet_}) {
    EXPECT_TRUE(net_.run_until([&] { return state(*box, id) == "overtaken"; }, 2h));
    EXPECT_EQ(approve(*box, id).error(), Errc::wrong_state);
  }
}

TEST_F(ProposalTest, OvertakenBetweenQuorumAndLedger) {
  ledger_up_ = false;
  const std::string id = propose();
  must(approve(phone_, id));
  net_.settle();
  EXPECT_EQ(state(laptop_, id), "handed-in");
  EXPECT_EQ(laptop_.command("policy-reject", {{"id", id}}).error(), Errc::wrong_state);
  append(signed_by(phone_, signed_by(tablet_, some_entry(tablet_))));
  ledger_up_ = true;
  for (AgentBox* box : devices()) {
    EXPECT_TRUE(net_.run_until([&] { return state(*box, id) == "overtaken"; }, 3h)) << box->name();
  }
  EXPECT_EQ(policy(laptop_).rules.at("revoke"), 1U);
  EXPECT_EQ(policy(laptop_).set, "another");
}

TEST_F(ProposalTest, WaitsForTheEntryThatItFollows) {
  // The phone's copy of the log is one entry behind.
  const Entry before = signed_by(laptop_, signed_by(tablet_, some_entry(laptop_)));
  phone_.set_online(false);
  append(before);
  net_.run_until([&] { return view(laptop_).n() == 2; }, 2h);
  ASSERT_EQ(view(laptop_).n(), 2U);
  ledger_up_ = false;
  phone_.set_online(true);
  const std::string id = propose();
  net_.run_for(1min);
  ASSERT_EQ(state(phone_, id), "waiting");
  EXPECT_TRUE(phone_.notices("policy-proposal").empty());
  EXPECT_EQ(approve(phone_, id).error(), Errc::wrong_state);
  ledger_up_ = true;
  ASSERT_TRUE(net_.run_until([&] { return state(phone_, id) == "open"; }, 2h));
  EXPECT_EQ(phone_.notices("policy-proposal").size(), 1U);
  must(approve(phone_, id));
  EXPECT_TRUE(net_.run_until([&] { return state(phone_, id) == "posted"; }, 2h));
}

TEST_F(ProposalTest, OneSignatureIsEnoughWhereTheRuleSaysSo) {
  const auto made = must(laptop_.command(
      "policy-propose", {{"revoke", {{key_of(phone_), "PROVE"}}}}, true));  // revoke: 1
  const std::string id = text(made, "id");
  EXPECT_EQ(text(made, "state"), "handed-in");
  EXPECT_TRUE(net_.run_until([&] { return state(laptop_, id) == "posted"; }));
  EXPECT_EQ(policy(laptop_).agents[1].auth, ledger::auth::kOwnerAll & ~ledger::auth::kProve);
}

TEST_F(ProposalTest, TheIdentityLogTakesTheSameWay) {
  const std::string did = laptop_.look([](Host& host) { return ledger::identity(host)->did; });
  const LogView before =
      laptop_.look([&](Host& host) { return must(ledger::stored_view(host, did)); });
  JsonObject document = before.current.state.get_object();
  document["service"] = JsonArray{JsonObject{
      {"id", did + "#mail"}, {"type", "DIDCommMessaging"}, {"serviceEndpoint", "https://a.b/"}}};
  ledger::ProposalDraft draft;
  draft.entry = must(ledger::make_update(before, Json(document), ledger::anchor_time(net_.now())));
  draft.life = 1h;
  // Its one active key is here, so it needs nobody.
  const auto made = laptop_.edit([&](Host& host) { return must(ledger::propose(host, draft)); });
  EXPECT_EQ(made.state, ledger::ProposalState::handed_in);
  const std::string id = ledger::proposal_id(made.hash);
  EXPECT_TRUE(net_.run_until([&] { return state(laptop_, id) == "posted"; }));
  EXPECT_EQ(text(shown(laptop_, id), "log"), "did");
}

TEST_F(ProposalTest, WarnsBeforeAKeyThatNobodyHasHeardOf) {
  // A policy of one device, as every new one is.
  AgentBox& alone = net_.add("alone", person());
  must(alone.command("identity-create", {{"name", "Bob"}, {"ledger", "https://l.example"}}, true));
  ASSERT_TRUE(net_.run_until([&] { return is_posted(alone); }));
  const std::string key = new_agent(friend_);
  const JsonObject args{{"grant", {{key, "ADMIN"}}}, {"rule", {{"admin", "2"}}}};
  EXPECT_EQ(alone.command("policy-propose", args, true).error(), Errc::refused);
  JsonObject sure = args;
  sure["unproven"] = true;
  const auto made = must(alone.command("policy-propose", sure, true));
  EXPECT_EQ(text(made, "state"), "handed-in");
  EXPECT_EQ(texts(made, "warnings").size(), 1U);
}

TEST_F(ProposalTest, SurvivesACrashAtEveryStep) {
  for (const Crash crash : {Crash::before_commit, Crash::after_commit}) {
    for (std::uint64_t at = 1; at <= 8; ++at) {
      AgentBox& box = at % 2 == 0 ? phone_ : laptop_;
      const std::string rule = std::to_string(policy(laptop_).rules.at("revoke") % 3 + 1);
      const std::uint64_t n = view(laptop_).n();
      box.store().crash_at(at / 2 + 1, crash);
      const std::string id = propose({{"rule", {{"revoke", rule}}}});
      ASSERT_TRUE(net_.run_until([&] { return state(phone_, id) == "open"; }, 3h)) << at;
      must(approve(phone_, id));
      for (AgentBox* device : devices()) {
        ASSERT_TRUE(net_.run_until([&] { return state(*device, id) == "posted"; }, 3h))
            << device->name() << " " << at;
      }
      EXPECT_EQ(view(laptop_).n(), n + 1);
      box.store().cancel_crash();
    }
  }
  EXPECT_GT(laptop_.crashes() + phone_.crashes(), 6U);
}

TEST_F(ProposalTest, SurvivesLossAndRepetition) {
  int turn = 0;
  net_.fate = [&turn](const Packet&) {
    ++turn;
    return turn % 3 == 0 ? Fate::fails : turn % 3 == 1 ? Fate::twice : Fate::arrives;
  };
  const std::string id = propose();
  ASSERT_TRUE(net_.run_until([&] { return state(phone_, id) == "open"; }, 3h));
  must(approve(phone_, id));
  for (AgentBox* device : devices()) {
    EXPECT_TRUE(net_.run_until([&] { return state(*device, id) == "posted"; }, 3h));
    device->restart();
    EXPECT_EQ(state(*device, id), "posted");
  }
  EXPECT_EQ(view(laptop_).n(), 2U);
  EXPECT_TRUE(laptop_.notices("alarm").empty());
}

}  // namespace
}  // namespace kith::test
