#include "recovery/device.hpp"

#include "ledger/microledger.hpp"
#include "ledger/policy.hpp"
#include "protocol/vault.hpp"
#include "recovery/finish.hpp"
#include "tests/recovery/device_world.hpp"

namespace kith::recovery::testing {
namespace {

std::vector<std::string> policy_agents(AgentBox& box, const std::string& policy) {
  return box.look([&](Host& host) {
    std::vector<std::string> keys;
    const auto view = ledger::stored_view(host, policy);
    if (!view.has_value()) return keys;
    const auto parsed = ledger::parse_policy(view->current.state);
    for (const auto& agent : parsed->agents) keys.push_back(agent.key);
    return keys;
  });
}

/// A trustee that answers another question than the one asked.
class LyingSessions final : public Module {
 public:
  std::string_view name() const override { return honest_.name(); }
  std::vector<std::string> message_types() const override { return honest_.message_types(); }
  std::vector<std::string> commands() const override { return honest_.commands(); }
  Result<void> on_message(Host& host, const Inbound& inbound) override {
    // A question about other points: the proof then holds for those, and not for what was asked.
    if (inbound.message.type != type_uri("recovery", PartialRequest::kName)) {
      return honest_.on_message(host, inbound);
    }
    Inbound other = inbound;
    TRY(auto request, protocol::decode_body<PartialRequest>(inbound.message.body));
    std::swap(request.points.front(), request.points.back());
    other.message.body = protocol::encode_body(request);
    return honest_.on_message(host, other);
  }
  Result<JsonObject> on_command(Host& host, const Command& command) override {
    return honest_.on_command(host, command);
  }
  void on_timer(Host& host, std::string_view timer) override { honest_.on_timer(host, timer); }
  void on_start(Host& host) override { honest_.on_start(host); }

 private:
  TrusteeSessions honest_;
};

TEST(Device, RecoversWithThreeOfFiveTrustees) {
  LostDevice world;
  world.add_trustees(5);
  ASSERT_NO_FATAL_FAILURE(world.set_up_and_lose(3));
  AgentBox& device = *world.device;
  for (std::size_t i = 0; i < 2; ++i) {
    ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(device, *world.trustees[i]));
  }
  // Two are not enough, and nothing says how many would be.
  world.net.run_for(std::chrono::minutes{2});
  const JsonObject two = world.status(device);
  EXPECT_EQ(text_or_empty(two, "state"), "collecting");
  EXPECT_EQ(two.at("good_answers").to_number<int>(), 2);
  EXPECT_EQ(crypto::json_text(two).find("threshold"), std::string::npos);
  const auto early = device.command("recover-finish", {}, true);
  ASSERT_FALSE(early.has_value());
  EXPECT_EQ(early.error().code, Errc::not_enough);

  ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(device, *world.trustees[2]));
  const auto locked = device.command("recover-finish");
  ASSERT_FALSE(locked.has_value());
  EXPECT_EQ(locked.error().code, Errc::step_up_required);
  ASSERT_NO_FATAL_FAILURE(world.finish(device));

  const auto own = *device.look([](Host& host) { return ledger::identity(host); });
  EXPECT_EQ(own.did, world.before.did);
  EXPECT_EQ(own.policy, world.before.policy);
  EXPECT_FALSE(own.agent_key == world.before.agent_key);
  EXPECT_EQ(policy_agents(device, own.policy),
            std::vector<std::string>{crypto::multikey(own.agent_key)});
  EXPECT_TRUE(world.status(device).at("blamed").get_array().empty());
  // The vault opens with the passphrase of this device, and holds the same link secret.
  const bool same = device.look([&](Host& host) {
    const auto vault = protocol::open_vault(host, device.step_up());
    return vault.has_value() &&
           protocol::open_vault_item(host, *vault, "link-secret").has_value() &&
           protocol::OwnSecrets(host).find("link-secret").has_value();
  });
  EXPECT_TRUE(same);
}

TEST(Device, TheLostDeviceIsOutAfterwardsAndPeopleKnowTheNewOne) {
  LostDevice world;
  world.add_trustees(4);
  ASSERT_NO_FATAL_FAILURE(world.set_up_and_lose(2));
  AgentBox& device = *world.device;
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(device, *world.trustees[i]));
  }
  ASSERT_NO_FATAL_FAILURE(world.finish(device));
  AgentBox& friend_box = *world.trustees[3];
  ASSERT_TRUE(world.net.run_until([&] {
    return device.look([](Host& host) {
      const auto contact = protocol::contact_named(host, "t4");
      return contact.has_value() && ledger::in_sync(host, *contact);
    });
  }));
  ASSERT_TRUE(device.command("send", {{"contact", "t4"}, {"text", "it is me"}}).has_value());
  world.net.run_for(std::chrono::minutes{1});
  const std::size_t heard = friend_box.notices("message").size();
  EXPECT_EQ(heard, 1U);

  // Whoever has the old device can still write, and nobody listens.
  world.owner.set_online(true);
  static_cast<void>(world.owner.command("send", {{"contact", "t4"}, {"text", "no, me"}}));
  world.net.run_for(std::chrono::minutes{1});
  EXPECT_EQ(friend_box.notices("message").size(), heard);
}

TEST(Device, NamesTheTrusteeThatLiesAndRecoversAllTheSame) {
  LostDevice world;
  world.add_trustee(world.add_person<LyingSessions>("liar"));
  world.add_trustees(4);
  ASSERT_NO_FATAL_FAILURE(world.set_up_and_lose(3));
  AgentBox& device = *world.device;
  for (std::size_t i = 0; i < 3; ++i) {
    ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(device, *world.trustees[i]));
  }
  // Three answers, one of them bad: not enough, and nobody is named before the truth is known.
  const JsonObject three = world.status(device);
  EXPECT_EQ(text_or_empty(three, "state"), "collecting");
  EXPECT_EQ(three.at("good_answers").to_number<int>(), 2);
  EXPECT_TRUE(three.at("blamed").get_array().empty());
  ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(device, *world.trustees[3]));
  ASSERT_NO_FATAL_FAILURE(world.finish(device));
  const JsonObject after = world.status(device);
  ASSERT_EQ(after.at("blamed").get_array().size(), 1U);
  EXPECT_EQ(text_or_empty(after.at("blamed").get_array()[0].get_object(), "trustee"), "liar");
}

/// Crashes again and again, at one commit or another, until the identity is back.
void finish_with_crashes(LostDevice& world, test::MemoryStore::Crash crash) {
  AgentBox& device = *world.device;
  ASSERT_TRUE(world.net.run_until([&] { return world.status(device).at("can_finish").as_bool(); }));
  ASSERT_TRUE(device.command("recover-finish", {}, true).has_value());
  device.store().crash_at(1, crash);  // The unit that restores and signs everything.
  ASSERT_TRUE(device.command("recover-finish", {}, true).has_value());
  std::uint64_t turn = 0;
  ASSERT_TRUE(world.net.run_until([&] {
    if (world.state(device) == "recovered") return true;
    if (!device.store().crash_is_due() && turn < 40) {
      device.store().crash_at(2 + turn++ % 5, crash);
    }
    return false;
  })) << crypto::json_text(world.status(device));
  device.store().cancel_crash();
  EXPECT_GT(device.crashes(), 5U);
}

TEST(Device, RecoversOnceWhateverCommitItCrashesAt) {
  for (const auto crash :
       {test::MemoryStore::Crash::before_commit, test::MemoryStore::Crash::after_commit}) {
    LostDevice world;
    world.add_trustees(3);
    ASSERT_NO_FATAL_FAILURE(world.set_up_and_lose(2));
    AgentBox& device = *world.device;
    for (AgentBox* trustee : world.trustees) {
      ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(device, *trustee));
    }
    const auto entries = world.log_ledger->size();
    ASSERT_NO_FATAL_FAILURE(finish_with_crashes(world, crash));
    // Two rotates for each of the two logs, each posted once.
    EXPECT_EQ(world.log_ledger->size(), entries + 4);
    EXPECT_EQ(device.audited("recover.wallet-restored").size(), 1U);
    EXPECT_EQ(device.audited("recover.finished").size(), 1U);
    const auto own = *device.look([](Host& host) { return ledger::identity(host); });
    EXPECT_EQ(policy_agents(device, own.policy),
              std::vector<std::string>{crypto::multikey(own.agent_key)});
  }
}

bool notes_hold(AgentBox& device, std::string_view text) {
  const JsonObject status = Neighbourhood::status(device);
  for (const Json& note : status.at("notes").get_array()) {
    if (std::string_view(note.get_string()).find(text) != std::string_view::npos) return true;
  }
  return false;
}
bool hints_hold(AgentBox& device, std::string_view text) {
  return crypto::json_text(Neighbourhood::status(device).at("hints")).find(text) !=
         std::string::npos;
}
/// Where the contact of that name is told to reach this device.
std::string announced_address(AgentBox& device, const std::string& name) {
  return device.look([&](Host& host) {
    const auto contact = protocol::contact_named(host, name);
    return ledger::pair_state_of(host, contact->my_did)->services.at(0).uri;
  });
}

TEST(Device, RelationshipsOlderThanTheIdentityAreTakenOver) {
  LostDevice world(1, false);
  world.add_trustees(2);
  ASSERT_NO_FATAL_FAILURE(world.set_up_and_lose(2));
  for (AgentBox* trustee : world.trustees) {
    ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(*world.device, *trustee));
  }
  ASSERT_NO_FATAL_FAILURE(world.finish(*world.device));
  EXPECT_FALSE(notes_hold(*world.device, "taken over"));
  EXPECT_TRUE(world.net.run_until([&] {
    return world.device->look([](Host& host) {
      const auto contact = protocol::contact_named(host, "t1");
      return contact.has_value() && ledger::in_sync(host, *contact);
    });
  }));
}

TEST(Device, GoesOnWithItsOwnMediatorWhenTheOldOneCannotBeTakenOver) {
  LostDevice world;
  world.add_trustees(2);
  // As in homes whose mediator was older than their vault: no backup holds the log's keys.
  world.owner.edit([](Host& host) {
    const auto contact = protocol::contact_named(host, "mediator");
    for (const auto& item : protocol::list_vault(host)) {
      if (item.subject == contact->my_did) host.erase({"vault-item", item.id});
    }
    return true;
  });
  ASSERT_NO_FATAL_FAILURE(world.set_up_and_lose(2));
  AgentBox& relay =
      world.net.add("relay", mediator_modules("https://relay.test/"), Neighbourhood::no_vault());
  world.register_with(*world.device, relay);
  for (AgentBox* trustee : world.trustees) {
    ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(*world.device, *trustee));
  }
  ASSERT_NO_FATAL_FAILURE(world.finish(*world.device));
  EXPECT_TRUE(notes_hold(*world.device, "could not be taken over"));
  EXPECT_TRUE(notes_hold(*world.device, "mediator of this device"));
  EXPECT_FALSE(hints_hold(*world.device, "kith accept"));
  EXPECT_EQ(announced_address(*world.device, "t1"), "https://relay.test/");
  // People write to the new address.
  AgentBox& trustee = *world.trustees[0];
  ASSERT_TRUE(world.net.run_until([&] {
    return world.device->look(
        [](Host& host) { return ledger::in_sync(host, *protocol::contact_named(host, "t1")); });
  }));
  ASSERT_TRUE(trustee.command("send", {{"contact", "owner"}, {"text", "welcome"}}).has_value());
  EXPECT_TRUE(world.net.run_until([&] { return world.device->notices("message").size() == 1; }));
}

TEST(Device, GivesUpAMediatorThatNeverAnswersAndSaysWhatToDo) {
  LostDevice world;
  world.add_trustees(2);
  ASSERT_NO_FATAL_FAILURE(world.set_up_and_lose(2));
  AgentBox& device = *world.device;
  for (AgentBox* trustee : world.trustees) {
    ASSERT_NO_FATAL_FAILURE(world.ask_and_wait(device, *trustee));
  }
  ASSERT_TRUE(world.net.run_until([&] { return world.status(device).at("can_finish").as_bool(); }));
  world.mediator.set_online(false);
  ASSERT_TRUE(device.command("recover-finish", {}, true).has_value());
  ASSERT_TRUE(device.command("recover-finish", {}, true).has_value());
  world.net.run_for(std::chrono::minutes{5});
  EXPECT_EQ(world.state(device), "finishing");
  EXPECT_TRUE(hints_hold(device, "register with a mediator"));
  ASSERT_TRUE(world.net.run_until([&] { return world.state(device) == "recovered"; },
                                  std::chrono::hours{3}))
      << crypto::json_text(world.status(device));
  EXPECT_TRUE(notes_hold(device, "No copy could be stored"));
  EXPECT_TRUE(hints_hold(device, "kith accept"));
  EXPECT_EQ(device.audited("recover.mediator-given-up").size(), 1U);

  AgentBox& relay =
      world.net.add("relay", mediator_modules("https://relay.test/"), Neighbourhood::no_vault());
  world.register_with(device, relay);
  EXPECT_FALSE(hints_hold(device, "kith accept"));
  EXPECT_TRUE(world.net.run_until(
      [&] { return announced_address(device, "t1") == "https://relay.test/"; }));
  EXPECT_TRUE(world.net.run_until(
      [&] { return device.look([](Host& host) { return protocol::all_registered(host); }); }));
}

TEST(Device, CountsWrongCodesAndStopsAtTheThird) {
  LostDevice world;
  world.add_trustees(2);
  ASSERT_NO_FATAL_FAILURE(world.set_up_and_lose(2));
  AgentBox& device = *world.device;
  const auto invitation = world.trustees[0]->command("trustee-invite", {{"contact", "owner"}});
  ASSERT_TRUE(invitation.has_value());
  const JsonObject url{{"url", text_or_empty(*invitation, "url")}, {"name", "t1"}};
  ASSERT_TRUE(device.command("recover-add-trustee", url).has_value());
  const auto again = device.command("recover-add-trustee", url);
  ASSERT_FALSE(again.has_value());
  EXPECT_EQ(again.error().code, Errc::conflict);
  ASSERT_TRUE(world.net.run_until([&] { return world.step(device, "t1") == "codes"; }));
  const std::string id = text_or_empty(world.row(device, "t1"), "id");
  // Its own code A is never B.
  const std::string wrong = text_or_empty(world.row(device, "t1"), "code_to_read");
  for (int left = 2; left >= 0; --left) {
    const auto typed = device.command("recover-code", {{"id", id}, {"code", wrong}});
    ASSERT_TRUE(typed.has_value());
    EXPECT_FALSE(typed->at("code_ok").as_bool());
    EXPECT_EQ(typed->at("tries_left").to_number<int>(), left);
  }
  const auto fourth = device.command("recover-code", {{"id", id}, {"code", wrong}});
  ASSERT_FALSE(fourth.has_value());
  EXPECT_EQ(fourth.error().code, Errc::too_many_tries);
  EXPECT_EQ(world.step(device, "t1"), "refused");
}

}  // namespace
}  // namespace kith::recovery::testing
