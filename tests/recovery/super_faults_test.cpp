// What a super-quorum must stand: answers of others, keys of others, restarts and crashes.

#include "tests/recovery/last_resort.hpp"

namespace kith::recovery::testing {
namespace {

using Crash = test::MemoryStore::Crash;

/// Keys with proofs, as `box` would give them to the owner.
SuperAccept keys_for(AgentBox& box, const std::string& offer_id) {
  return box.look([&](Host& host) {
    const Contact owner = protocol::contact_named(host, "owner").value();
    SuperAccept accept{offer_id, {std::string(kSuperCapability)}, {}};
    for (const std::string_view log : kSuperLogs) {
      const KeyPair pair = host.keys().generate(KeyType::ed25519, KeyPurpose::log_recovery).value();
      const std::string key = crypto::multikey(pair.public_key);
      const Bytes statement =
          super_key_statement(offer_id, log, key, owner.my_did, owner.their_did);
      accept.keys.push_back(
          {std::string(log), key, host.keys().sign(pair.sealed, statement).value()});
    }
    return accept;
  });
}

TEST(SuperQuorum, TakesKeysOnlyFromWhomItAskedAndOnlyTheirOwn) {
  LastResort world;
  world.make_identity(world.owner, super_windows());
  AgentBox& holder = *world.holders[0];
  const CapabilityOffer as_name{"owner", {std::string(kSuperCapability)}, {}};
  tell(world.owner, "h1", "trustee", CapabilityOffer::kName, as_name);
  world.net.run_for(1min);
  EXPECT_TRUE(world.offers(holder).empty()) << "a name is no id";
  ASSERT_TRUE(world.choose(2, world.names()).has_value());
  const std::string id = world.offer(holder);
  const auto answer = [&](AgentBox& from, const SuperAccept& accept) {
    tell(from, "owner", "trustee", SuperAccept::kName, accept);
    world.net.run_for(1min);
    return world.holder_state("h1");
  };
  EXPECT_EQ(answer(*world.trustees[0], keys_for(*world.trustees[0], id)), "asked");
  EXPECT_EQ(answer(*world.holders[1], keys_for(*world.holders[1], id)), "asked");
  SuperAccept accept = keys_for(holder, id);
  std::swap(accept.keys[0].proof, accept.keys[1].proof);
  EXPECT_EQ(answer(holder, accept), "asked") << "a proof by another key";
  accept = keys_for(holder, id);
  accept.keys[1].log = kDidLog;
  EXPECT_EQ(answer(holder, accept), "asked") << "two keys for one log";
  accept = keys_for(holder, id);
  accept.keys[1].key = accept.keys[0].key;
  EXPECT_EQ(answer(holder, accept), "asked") << "one key for two logs";
  EXPECT_EQ(answer(holder, keys_for(holder, id)), "agreed");
}

TEST(SuperQuorum, AHolderOfManyMakesRoomForANewOne) {
  LastResort world;
  world.make_identity(world.owner, super_windows());
  AgentBox& holder = *world.holders[0];
  const auto ids = [&] {
    std::vector<std::string> found;
    for (const SuperHeld& held : holder.look([](Host& host) { return all_held(host); })) {
      found.push_back(held.offer_id);
    }
    return found;
  };
  const auto fill = [&](HeldStep step) {
    holder.edit([&](Host& host) {
      const std::string contact = protocol::contact_named(host, "owner").value().id;
      for (std::size_t i = 0; i < super_limits::kHeldPerContactMax; ++i) {
        SuperHeld held;
        held.contact_id = contact;
        held.offer_id = "00000000000000" + std::to_string(10 + i);
        held.step = step;
        held.received = held.since = host.now() + std::chrono::seconds(i);
        save_held(host, held);
      }
      return 0;
    });
  };
  fill(HeldStep::agreed);
  ASSERT_TRUE(world.choose(2, world.names()).has_value());
  world.net.run_for(1min);
  EXPECT_TRUE(world.offers(holder).empty()) << "all of them are under way";
  fill(HeldStep::confirmed);
  static_cast<void>(world.offer(holder));  // Said again.
  const auto left = ids();
  EXPECT_EQ(left.size(), super_limits::kHeldPerContactMax);
  EXPECT_EQ(std::ranges::count(left, "0000000000000010"), 0);
  EXPECT_EQ(std::ranges::count(left, "0000000000000017"), 1);
}

TEST(SuperQuorum, OnlyAHolderConfirmsForItself) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.identity_and_trustees());
  ASSERT_TRUE(world.choose(2, world.names()).has_value());
  AgentBox& holder = *world.holders[0];
  const std::string id = world.offer(holder);
  ASSERT_NO_FATAL_FAILURE(world.agree());
  tell(holder, "owner", "trustee", SuperRef::kConfirmed, SuperRef{id});
  world.net.run_for(1min);
  EXPECT_EQ(world.holder_state("h1"), "agreed") << "nothing is in force yet";
  holder.set_online(false);
  ASSERT_TRUE(world.owner.command("recovery-super-confirm", {}, true).has_value());
  ASSERT_TRUE(world.net.run_until([&] { return world.holder_state("h2") == "confirmed"; }, 4h));
  for (AgentBox* other : {world.holders[1], world.trustees[0]}) {
    tell(*other, "owner", "trustee", SuperRef::kConfirmed, SuperRef{id});
  }
  world.net.run_for(1min);
  EXPECT_EQ(world.holder_state("h1"), "agreed");
  holder.set_online(true);
  ASSERT_TRUE(world.net.run_until([&] { return world.all_holders("confirmed"); }, 24h));
}

TEST(SuperQuorum, AHolderConfirmsOnlyWhatTheLedgerShows) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.identity_and_trustees());
  ASSERT_TRUE(world.choose(2, world.names()).has_value());
  ASSERT_NO_FATAL_FAILURE(world.agree());
  // The owner's device says that it counts, and it does not.
  const auto own = *world.owner.look([](Host& host) { return ledger::identity(host); });
  for (AgentBox* holder : world.holders) {
    SuperResponse told = holder->look([&](Host& host) {
      const SuperHeld held = all_held(host)[0];
      SuperResponse response{held.offer_id, own.did, own.policy, std::string(kLedgerUrl), {}};
      for (const std::string_view log : kSuperLogs) {
        response.openings.push_back({std::string(log),
                                     1,
                                     {held.key_of(log)},
                                     crypto::multibase(Bytes(ledger::kSaltBytes, 7))});
      }
      return response;
    });
    tell(world.owner, holder->name(), "trustee", SuperResponse::kName, told);
  }
  world.net.run_for(10min);
  for (AgentBox* holder : world.holders) {
    const auto list = holder->command("trustee-list")->at("last_resort_of").as_array();
    ASSERT_EQ(list.size(), 1U);
    EXPECT_EQ(text_or_empty(list[0].as_object(), "state"), "told");
  }
}

TEST(SuperQuorum, ASignatureCountsOnlyByTheHoldersOwnKeyAndOnce) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.all_of_it());
  ASSERT_NO_FATAL_FAILURE(world.taken_by_trustees());
  ASSERT_TRUE(world.owner.command("recovery-super-start", {}, true).has_value());
  for (AgentBox* holder : world.holders) ASSERT_TRUE(world.open_at(*holder));
  const SuperSignature first = forced_signature(*world.holders[0]);
  const SuperSignature second = forced_signature(*world.holders[1]);
  const auto states = [&] {
    std::string text;
    const JsonObject request = world.request(world.owner);
    for (const Json& row : request.at("holders").as_array()) {
      text += text_or_empty(row.as_object(), "state") + " ";
    }
    return text + text_or_empty(request, "state");
  };
  const auto answer = [&](AgentBox& from, const SuperSignature& signature) {
    tell(from, "owner", "recovery", SuperSignature::kName, signature);
    world.net.run_for(1min);
    return states();
  };
  EXPECT_EQ(answer(*world.holders[0], first), "signed asked asked gathering");
  EXPECT_EQ(answer(*world.holders[0], first), "signed asked asked gathering");
  EXPECT_EQ(answer(*world.holders[1], first), "signed asked asked gathering");
  EXPECT_EQ(answer(*world.trustees[0], second), "signed asked asked gathering");
  SuperSignature spoiled = second;
  spoiled.signatures[1].s[3] ^= 1;
  EXPECT_EQ(answer(*world.holders[1], spoiled), "signed asked asked gathering");
  spoiled = second;
  spoiled.signatures.pop_back();
  EXPECT_EQ(answer(*world.holders[1], spoiled), "signed asked asked gathering");
  EXPECT_EQ(answer(*world.holders[1], second), "signed signed asked posted");
}

TEST(SuperQuorum, ARequestEndsWhenItsTimeIsOver) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.all_of_it());
  ASSERT_NO_FATAL_FAILURE(world.taken_by_trustees());
  const auto begun = world.owner.command("recovery-super-start", {}, true);
  ASSERT_TRUE(begun.has_value()) << begun.error().detail;
  ASSERT_TRUE(world.open_at(*world.holders[0]));
  std::vector<AgentBox*> asleep = world.trustees;
  asleep.insert(asleep.end(), world.holders.begin(), world.holders.end());
  asleep.push_back(&world.owner);
  for (AgentBox* box : asleep) box->set_online(false);
  world.net.run_for(24h * 14);
  for (AgentBox* box : asleep) box->set_online(true);
  world.net.run_for(2min);
  EXPECT_EQ(text_or_empty(world.request(world.owner), "state"), "over");
  EXPECT_TRUE(world.ask_at(*world.holders[0]).empty());
  EXPECT_FALSE(world.owner.notices("alarm").empty());
}

// --- Restarts and crashes

TEST(SuperQuorum, EverybodyRemembersItAfterARestart) {
  LastResort world;
  ASSERT_NO_FATAL_FAILURE(world.all_of_it());
  const auto restart_all = [&] {
    world.owner.restart();
    for (AgentBox* holder : world.holders) holder->restart();
  };
  restart_all();
  EXPECT_EQ(text_or_empty(world.super(world.owner), "state"), "in-force");
  EXPECT_TRUE(world.all_holders("confirmed"));
  ASSERT_NO_FATAL_FAILURE(world.taken_by_trustees());
  restart_all();
  ASSERT_NO_FATAL_FAILURE(world.use(world.owner));
  restart_all();
  ASSERT_NO_FATAL_FAILURE(world.expect_taken_back(world.owner));
}

/// Runs `story` with a crash at every so many commits, an odd number, until none is left to crash
/// at; in turn before and after the commit.
template <class Story>
void crash_all_along(std::uint64_t apart, Story&& story) {
  bool is_due = false;
  for (std::uint64_t at = 1; !is_due; at += apart) {
    SCOPED_TRACE(at);
    ASSERT_LT(at, 500U);
    ASSERT_NO_FATAL_FAILURE(
        story(at, at % 2 == 0 ? Crash::before_commit : Crash::after_commit, is_due));
  }
}

TEST(SuperQuorum, SettingItUpGoesOnAfterACrashAtAnyCommit) {
  crash_all_along(13, [](std::uint64_t at, Crash crash, bool& is_due) {
    LastResort world;
    world.make_identity(world.owner, super_windows());
    world.owner.store().crash_at(at, crash);
    ASSERT_NO_FATAL_FAILURE(world.put_into_force());
    EXPECT_EQ(text_or_empty(world.super(world.owner), "state"), "in-force");
    is_due = world.owner.store().crash_is_due();
  });
}

TEST(SuperQuorum, HoldingAKeyGoesOnAfterACrashAtAnyCommit) {
  crash_all_along(11, [](std::uint64_t at, Crash crash, bool& is_due) {
    LastResort world;
    world.make_identity(world.owner, super_windows());
    world.holders[0]->store().crash_at(at, crash);
    ASSERT_NO_FATAL_FAILURE(world.put_into_force());
    is_due = world.holders[0]->store().crash_is_due();
  });
}

TEST(LogVeto, GoesOnAfterACrashAtAnyCommit) {
  crash_all_along(3, [](std::uint64_t at, Crash crash, bool& is_due) {
    LastResort world;
    world.make_identity(world.owner, super_windows());
    world.before = *world.owner.look([](Host& host) { return ledger::identity(host); });
    for (const std::string& subject : world.subjects()) {
      ASSERT_NO_FATAL_FAILURE(recover_as_guardians(world, subject));
    }
    ASSERT_TRUE(world.net.run_until(
        [&] { return world.owner.audited("identity.foreign-entry").size() >= 2; }, 8min));
    world.owner.store().crash_at(at, crash);
    ASSERT_TRUE(world.owner.command("did-veto", {}, true).has_value());
    const auto nothing_waits = [&] {
      return std::ranges::none_of(world.subjects(), [&](const std::string& subject) {
        return view_of(world, subject).pending.has_value();
      });
    };
    ASSERT_TRUE(world.net.run_until(nothing_waits, 90s));
    is_due = world.owner.store().crash_is_due();
  });
}

}  // namespace
}  // namespace kith::recovery::testing
