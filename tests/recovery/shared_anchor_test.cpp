// A recovery set where the policy asks for several devices of its owner.

#include "crypto/json.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/proposal_steps.hpp"
#include "tests/recovery/two_devices.hpp"

namespace kith::recovery {
namespace {

using namespace testing;
using namespace std::chrono_literals;

constexpr const char* kBefore = "what-was-in-force";

/// The owner's devices must both sign; two friends shall be trustees.
struct BothSign : TwoDevices {
  explicit BothSign(std::uint64_t seed = 1) : TwoDevices(seed) {}

  void prepare() {
    add_device();
    const bool named = phone.edit([](Host& host) {
      return ledger::update_policy(host,
                                   [](ledger::Policy& policy) {
                                     policy.set = kBefore;
                                     policy.rules["admin"] = 2;
                                   })
          .has_value();
    });
    ASSERT_TRUE(named);
    net.run_for(10min);
    carol = &add_person("carol");
    connect(phone, *carol);
  }
  void begin_setup() {
    const auto begun = phone.command(
        "recovery-setup", {{"threshold", 2}, {"trustees", JsonArray{"bob", "carol"}}}, true);
    ASSERT_TRUE(begun.has_value()) << begun.error().detail;
    for (AgentBox* box : {&bob, carol}) {
      ASSERT_TRUE(net.run_until([&] { return !offers(*box).empty(); }));
      const auto accepted = box->command(
          "trustee-accept", {{"id", text_or_empty(offers(*box)[0].get_object(), "id")}});
      ASSERT_TRUE(accepted.has_value()) << accepted.error().detail;
    }
  }
  /// Id of what waits for the laptop's owner, or nothing.
  std::string open() {
    const JsonObject reply = *laptop->command("policy-proposals");
    for (const Json& row : reply.at("proposals").get_array()) {
      if (text_or_empty(row.get_object(), "state") == "open") {
        return text_or_empty(row.get_object(), "id");
      }
    }
    return {};
  }
  void ask_the_laptop() {
    begin_setup();
    ASSERT_TRUE(net.run_until([&] { return !open().empty(); })) << step();
  }
  void answer(const char* command) {
    const auto answered = laptop->command(command, {{"id", open()}}, true);
    ASSERT_TRUE(answered.has_value()) << answered.error().detail;
  }
  std::string step() { return text_or_empty(*phone.command("recovery-status"), "step"); }
  std::string state() { return text_or_empty(*phone.command("recovery-status"), "state"); }
  std::string missing() {
    return crypto::json_text(phone.command("recovery-status")->at("missing"));
  }
  ledger::LogView policy_log(AgentBox& box) {
    return box.look([](Host& host) {
      return ledger::stored_view(host, ledger::identity(host)->policy).value();
    });
  }
  std::string set_in_force() {
    return ledger::parse_policy(policy_log(*laptop).current.state)->set.value_or("");
  }
  bool alarmed(const std::string& words) {
    const auto alarms = phone.notices("alarm");
    return std::ranges::any_of(
        alarms, [&](const std::string& text) { return text.find(words) != std::string::npos; });
  }
  /// What is proposed was made so long ago that its end is near.
  void end_in(Duration time) {
    phone.edit([&](Host& host) {
      for (ledger::Proposal& proposal : ledger::list_proposals(host)) {
        if (ledger::is_closed(proposal.state)) continue;
        EXPECT_EQ(proposal.expires, proposal.created + Duration{72h});
        proposal.expires = host.now() + time;
        ledger::save_proposal(host, proposal);
        ledger::await_end(host, proposal);
      }
      return 0;
    });
  }
  void expect_given_up() {
    EXPECT_EQ(set_in_force(), kBefore);
    EXPECT_EQ(phone.audited("recovery.set-given-up").size(), 1U);
    for (AgentBox* box : {&bob, carol}) {
      ASSERT_TRUE(net.run_until([&] { return !box->audited("trustee.share-aborted").empty(); }));
      EXPECT_EQ(box->audited("trustee.share-committed").size(), 0U) << box->name();
    }
  }
  /// What both devices signed and neither knows of reaches the ledger.
  void another_change_comes_first() {
    const ledger::LogView view = policy_log(phone);
    ledger::Policy after = ledger::parse_policy(view.current.state).value();
    after.agents[0].label = "mine";
    auto entry =
        ledger::make_update(view, ledger::policy_json(after), ledger::anchor_time(net.now()))
            .value();
    for (AgentBox* box : {&phone, laptop}) {
      const KeyPair key = box->look([](Host& host) { return *ledger::own_agent_key(host); });
      ASSERT_TRUE(ledger::add_signature(entry, key, box->keys()).has_value());
    }
    const auto taken = log_ledger->append({entry.id, ledger::entry_blob(entry), entry.prev},
                                          ledger::anchor_time(net.now()));
    ASSERT_TRUE(taken.has_value()) << taken.error().detail;
  }

  AgentBox* carol = nullptr;
};

TEST(SharedAnchor, ASetWaitsUntilTheOtherDeviceHasSigned) {
  BothSign two;
  two.prepare();
  two.ask_the_laptop();
  two.net.run_for(1h);
  EXPECT_EQ(two.step(), "anchoring");
  EXPECT_NE(two.missing().find("kith policy approve " + two.open()), std::string::npos)
      << two.missing();
  EXPECT_EQ(two.carol->audited("trustee.share-committed").size(), 0U);
  EXPECT_EQ(two.set_in_force(), kBefore);
  two.answer("policy-approve");
  ASSERT_TRUE(two.net.run_until([&] { return two.all_hold(two.phone); }, 2h)) << two.missing();
  EXPECT_NE(two.set_in_force(), kBefore);
  EXPECT_EQ(two.missing(), "[]");
}

TEST(SharedAnchor, ASetThatTheOtherDeviceRejectsComesToNothing) {
  BothSign two;
  two.prepare();
  two.ask_the_laptop();
  two.answer("policy-reject");
  ASSERT_TRUE(two.net.run_until([&] { return two.state() == "none"; })) << two.step();
  EXPECT_TRUE(two.alarmed("too many of your devices rejected it"));
  two.expect_given_up();
  // And may be set up once more.
  two.ask_the_laptop();
  two.answer("policy-approve");
  ASSERT_TRUE(two.net.run_until([&] { return two.all_hold(two.phone); }, 2h)) << two.missing();
}

TEST(SharedAnchor, SoDoesOneThatNobodySignsInTime) {
  BothSign two;
  two.prepare();
  two.laptop->set_online(false);
  two.begin_setup();
  ASSERT_TRUE(two.net.run_until([&] { return two.step() == "anchoring"; }));
  two.end_in(1h);
  two.net.run_for(50min);
  EXPECT_EQ(two.step(), "anchoring");
  ASSERT_TRUE(two.net.run_until([&] { return two.state() == "none"; })) << two.step();
  EXPECT_TRUE(two.alarmed("too few of your devices approved it in time"));
  two.laptop->set_online(true);
  two.expect_given_up();
}

TEST(SharedAnchor, IsAskedForAgainWhenAnotherChangeCameFirst) {
  BothSign two;
  two.prepare();
  two.ask_the_laptop();
  const std::string first = two.open();
  two.another_change_comes_first();
  ASSERT_TRUE(two.net.run_until([&] { return !two.open().empty() && two.open() != first; }, 3h));
  EXPECT_EQ(two.step(), "anchoring");
  two.answer("policy-approve");
  ASSERT_TRUE(two.net.run_until([&] { return two.all_hold(two.phone); }, 2h)) << two.missing();
}

TEST(SharedAnchor, ACrashAnywhereLosesNothing) {
  for (std::size_t at = 1; at <= 25; at += 6) {
    BothSign two(at);
    two.prepare();
    two.begin_setup();
    two.phone.store().crash_at(at, test::MemoryStore::Crash::after_commit);
    ASSERT_TRUE(two.net.run_until([&] { return !two.open().empty(); }, 3h)) << at << two.step();
    two.answer("policy-approve");
    ASSERT_TRUE(two.net.run_until([&] { return two.all_hold(two.phone); }, 3h)) << at;
  }
}

}  // namespace
}  // namespace kith::recovery
