// Delivery to proven owners: whose mail a mediator puts where, when somebody registers DIDs that
// are not theirs, and what it does with proofs that do not hold.

#include "protocol/recipient_proof.hpp"

#include <gtest/gtest.h>

#include "tests/ledger/proof_lab.hpp"

namespace kith {
namespace {

using ledger::Connection;
using protocol::ProofEnds;
using protocol::RecipientProof;
using test::AgentBox;
using test::Heard;
using test::kSoon;
using test::kV2;
using test::kV3;

class RecipientProofTest : public test::ProofLab {};

using Mails = std::vector<Bytes>;

TEST_F(RecipientProofTest, TheOwnerTakesItsDidAndItsMailFromWhoRegisteredItFirst) {
  AgentBox& thief = client("thief");
  AgentBox& owner = client("owner");
  const std::string did = make_did(owner);
  ASSERT_EQ(add(thief, did), "success");
  ASSERT_EQ(add(thief, "did:example:other"), "success");
  put(thief, did, {1, 1});
  put(thief, "did:example:other", {2});
  put(thief, did, {3, 3, 3});
  put(owner, "did:example:own", {4});
  const auto total = relay().look([](Host& host) { return protocol::total_use(host); });
  EXPECT_EQ(add(owner, did), "client_error");  // Nothing shows that it is the owner's.

  EXPECT_EQ(add_proven(owner, did), "success");
  EXPECT_EQ(owner_of(did), "owner");
  EXPECT_EQ(mail_of(owner), (Mails{{4}, {1, 1}, {3, 3, 3}}));
  EXPECT_EQ(mail_of(thief), (Mails{{2}}));
  EXPECT_EQ(box_of(owner).count, 3u);
  EXPECT_EQ(box_of(owner).bytes, 6u);
  EXPECT_EQ(box_of(owner).recipients, 1u);
  EXPECT_EQ(box_of(thief).count, 1u);
  EXPECT_EQ(box_of(thief).bytes, 1u);
  EXPECT_EQ(box_of(thief).recipients, 1u);
  const auto after = relay().look([](Host& host) { return protocol::total_use(host); });
  EXPECT_EQ(after.messages, total.messages);
  EXPECT_EQ(after.bytes, total.bytes);
  EXPECT_EQ(after.dids, total.dids);
  EXPECT_EQ(relay().audited("mediation.taken-over").size(), 1u);

  const Heard list = ask(thief, std::string(kV3) + "recipient-query");
  ASSERT_EQ(list.body.at("dids").get_array().size(), 1u);
  EXPECT_EQ(list.body.at("dids").at(0).at("recipient_did").get_string(), "did:example:other");
  EXPECT_EQ(result_of(ask(thief, std::string(kV3) + "recipient-update", update(did, "remove"))),
            "client_error");
}

TEST_F(RecipientProofTest, WhatWasProvenIsKnownAfterARestart) {
  AgentBox& thief = client("thief");
  AgentBox& owner = client("owner");
  const std::string did = make_did(owner);
  ASSERT_EQ(add(thief, did), "success");
  ASSERT_EQ(add_proven(owner, did), "success");
  const RecipientProof old = proof(owner, did, thief);
  later();
  ASSERT_EQ(add_proven(owner, did), "no_change");
  relay().restart();
  EXPECT_EQ(add(thief, did), "client_error");
  EXPECT_EQ(add(thief, did, old), "client_error");
  EXPECT_EQ(owner_of(did), "owner");
  EXPECT_EQ(add(owner, did), "no_change");  // A repeat without proof takes nothing back.
  EXPECT_TRUE(claim(did).has_value());
}

TEST_F(RecipientProofTest, HeldMailMovesAndIsReleasedToTheOwner) {
  AgentBox& thief = client("thief");
  AgentBox& owner = client("owner");
  const std::string did = make_did(owner);
  ASSERT_EQ(add(thief, did), "success");
  put(thief, did, {7}, net_.now() + std::chrono::hours{1});
  ASSERT_EQ(add_proven(owner, did), "success");
  const std::string id = id_of(owner);
  EXPECT_TRUE(mail_of(owner).empty());
  EXPECT_EQ(relay().look([&](Host& host) { return protocol::mail_summary(host, id, {}).messages; }),
            0u);
  EXPECT_EQ(relay().look([](Host& host) { return protocol::held_count(host); }), 1u);
  net_.run_for(std::chrono::hours{2});
  EXPECT_EQ(mail_of(owner), (Mails{{7}}));
  EXPECT_EQ(relay().look([](Host& host) { return protocol::held_count(host); }), 0u);
}

TEST_F(RecipientProofTest, ProofsThatDoNotHoldRegisterNothing) {
  AgentBox& thief = client("thief");
  AgentBox& owner = client("owner");
  const std::string did = make_did(owner);
  const std::string other_did = make_did(owner);
  const auto resigned = [&](const ProofEnds& both, std::int64_t time_ms) {
    RecipientProof made = proof(owner, did, thief);
    made.time_ms = time_ms;
    made.signature = owner.look([&](Host& host) {
      const Did own = *Did::parse(did);
      return *protocol::sign_as(host, own, protocol::recipient_statement(both, own, time_ms));
    });
    return made;
  };
  const std::int64_t now = protocol::epoch_ms(net_.now());
  const std::int64_t minute = 60'000;
  const ProofEnds right = ends(thief);

  // Its making is right: with the right ends and time it holds (last line).
  EXPECT_EQ(add(thief, did, resigned({*Did::parse(other_did), right.client}, now)), "client_error");
  EXPECT_EQ(add(thief, did, proof(owner, did, owner)), "client_error");        // Another client.
  EXPECT_EQ(add(thief, did, proof(owner, other_did, thief)), "client_error");  // Another DID.
  EXPECT_EQ(add(thief, did, resigned(right, now - 90 * minute)), "client_error");
  EXPECT_EQ(add(thief, did, resigned(right, now + 30 * minute)), "client_error");

  const std::string thiefs = make_did(thief);
  RecipientProof foreign_key = proof(thief, thiefs, thief);  // A key that the DID does not name.
  foreign_key.signature = thief.look([&](Host& host) {
    return *protocol::sign_as(
        host, *Did::parse(thiefs),
        protocol::recipient_statement(right, *Did::parse(did), foreign_key.time_ms));
  });
  EXPECT_EQ(add(thief, did, foreign_key), "client_error");
  RecipientProof named_key = foreign_key;  // The right key's name over the wrong signature.
  named_key.key = proof(owner, did, thief).key;
  EXPECT_EQ(add(thief, did, named_key), "client_error");

  RecipientProof tampered = proof(owner, did, thief);
  tampered.signature[10] ^= 1;
  EXPECT_EQ(add(thief, did, tampered), "client_error");
  tampered = proof(owner, did, thief);
  ++tampered.time_ms;
  EXPECT_EQ(add(thief, did, tampered), "client_error");

  JsonObject unsigned_proof = protocol::encode_body(proof(owner, did, thief));
  unsigned_proof.erase("signature");
  EXPECT_EQ(add(thief, did, unsigned_proof), "client_error");
  JsonObject misshaped = protocol::encode_body(proof(owner, did, thief));
  misshaped["time_ms"] = "now";
  EXPECT_EQ(add(thief, did, misshaped), "client_error");
  EXPECT_EQ(add(thief, did, JsonObject{}), "client_error");
  EXPECT_EQ(add(thief, did, Json("yes")), "client_error");
  EXPECT_EQ(add(thief, "did:example:x", proof(owner, did, thief)), "client_error");
  EXPECT_EQ(owner_of(did), "");
  EXPECT_TRUE(relay().audited("mediation.taken-over").empty());

  EXPECT_EQ(add(thief, did, resigned(right, protocol::epoch_ms(net_.now()))), "success");
}

TEST_F(RecipientProofTest, TheNewerProofWinsAndAnOlderOneIsNotPlayedBack) {
  AgentBox& before = client("before");
  AgentBox& after = client("after");
  const std::string did = make_did(before);
  const RecipientProof first = proof(before, did, before);
  ASSERT_EQ(add(before, did, first), "success");
  put(before, did, {9});
  const RecipientProof same_time = proof(before, did, after);
  later();
  ASSERT_EQ(add(after, did, proof(before, did, after)), "success");  // The person moved.
  EXPECT_EQ(owner_of(did), "after");
  EXPECT_EQ(mail_of(after), (Mails{{9}}));
  EXPECT_EQ(add(before, did, first), "client_error");
  EXPECT_EQ(add(before, did), "client_error");
  EXPECT_EQ(owner_of(did), "after");
  EXPECT_EQ(add(after, did, same_time), "no_change");  // And does not set the time back:
  EXPECT_GT(claim(did)->time, protocol::from_epoch_ms(same_time.time_ms));
}

TEST_F(RecipientProofTest, TwoHoldersOfTheSameKeysTakeADidFromEachOtherAFewTimesAnHour) {
  AgentBox& one = client("one");
  AgentBox& two = client("two");
  const std::string did = make_logged_did(one);
  ASSERT_EQ(add_proven(one, did), "success");
  const auto take = [&](AgentBox& who) {
    later();
    return add(who, did, proof(one, did, who));
  };
  for (std::size_t i = 0; i < limits::kTakeoversPerHour; ++i) {
    ASSERT_EQ(take(i % 2 == 0 ? two : one), "success") << i;
  }
  EXPECT_EQ(owner_of(did), "one");
  EXPECT_EQ(take(two), "server_error");
  EXPECT_EQ(owner_of(did), "one");
  EXPECT_EQ(take(one), "no_change") << "its holder may prove it as often as it likes";
  // Who has more of the log does not wait: that is how a thief is shut out.
  one.edit([&](Host& host) {
    auto state = *ledger::pair_state_of(host, did);
    state.agents.push_back(*ledger::make_pair_agent(host, did));
    EXPECT_TRUE(ledger::update_pair_log(host, did, state).has_value());
    return true;
  });
  EXPECT_EQ(take(two), "success");
  EXPECT_EQ(take(one), "server_error") << "the count goes on";
  later(std::chrono::hours{1});
  EXPECT_EQ(take(one), "success");
}

TEST_F(RecipientProofTest, ATakeoverNeedsRoomForTheDidAndDropsNoMail) {
  policy_.client = {2, 1000, 1};
  AgentBox& thief = client("thief");
  AgentBox& owner = client("owner");
  const std::string did = make_did(owner);
  ASSERT_EQ(add(thief, did), "success");
  put(thief, did, {1});
  put(thief, did, {2});
  put(owner, "did:example:own", {3});
  ASSERT_EQ(add(owner, "did:example:own"), "success");
  EXPECT_EQ(add_proven(owner, did), "client_error");
  EXPECT_EQ(owner_of(did), "thief");
  EXPECT_EQ(mail_of(thief).size(), 2u);
  ASSERT_EQ(result_of(ask(owner, std::string(kV3) + "recipient-update",
                          update("did:example:own", "remove"))),
            "success");
  later();
  EXPECT_EQ(add_proven(owner, did), "success");
  EXPECT_EQ(mail_of(owner), (Mails{{3}, {1}, {2}}));  // Beyond its share of two: nothing was lost.
  const std::string id = id_of(owner);
  relay().edit([&](Host& host) {
    EXPECT_FALSE(protocol::put_mail(host, id, {{4}, did, {}, {}}).has_value());
    return true;
  });
}

TEST_F(RecipientProofTest, RequireProofTurnsAwayNewDidsWithoutOneAndKeepsOldOnes) {
  AgentBox& foreign = client("foreign");
  AgentBox& owner = client("owner");
  ASSERT_EQ(add(foreign, "did:example:old"), "success");
  change_policy([](protocol::MediationPolicy& policy) { policy.require_proof = true; });
  EXPECT_EQ(add(foreign, "did:example:new"), "client_error");
  EXPECT_EQ(add(foreign, "did:example:old"), "no_change");
  EXPECT_EQ(owner_of("did:example:old"), "foreign");
  EXPECT_EQ(add_proven(owner, make_did(owner)), "success");
  AgentBox& alice = person("alice");
  join(alice);
  ASSERT_TRUE(alice.command("invite").has_value());
  ASSERT_TRUE(net_.run_until([&] { return registered(alice); }, kSoon));
  EXPECT_TRUE(alice.notices("alarm").empty());
}

TEST_F(RecipientProofTest, SeveralDidsOfSeveralClientsMoveInOneMessage) {
  AgentBox& one = client("one");
  AgentBox& two = client("two");
  AgentBox& owner = client("owner");
  const std::vector<std::string> dids{make_did(owner), make_did(owner), make_did(owner)};
  ASSERT_EQ(add(one, dids[0]), "success");
  ASSERT_EQ(add(two, dids[1]), "success");
  ASSERT_EQ(add(one, dids[2]), "success");
  for (std::uint8_t i = 0; i < 3; ++i) put(i == 1 ? two : one, dids[i], {i});
  JsonArray items;
  for (const std::string& did : dids) {
    items.push_back(JsonObject{{"recipient_did", did},
                               {"action", "add"},
                               {"kith_proof", protocol::encode_body(proof(owner, did, owner))}});
  }
  // One that is wrong refuses itself alone.
  items[1].as_object()["kith_proof"].as_object()["time_ms"] = 0;
  const Heard heard = ask(owner, std::string(kV3) + "recipient-update", {{"updates", items}});
  EXPECT_EQ(heard.body.at("updated").at(0).at("result").get_string(), "success");
  EXPECT_EQ(heard.body.at("updated").at(1).at("result").get_string(), "client_error");
  EXPECT_EQ(heard.body.at("updated").at(2).at("result").get_string(), "success");
  EXPECT_EQ(mail_of(owner), (Mails{{0}, {2}}));
  EXPECT_EQ(mail_of(two), (Mails{{1}}));
  EXPECT_TRUE(mail_of(one).empty());
}

TEST_F(RecipientProofTest, TooLongHistoriesRefuseTheMessage) {
  AgentBox& owner = client("owner");
  const std::string did = make_logged_did(owner);
  RecipientProof made = proof(owner, did, owner);
  made.log.resize(2 + protocol::kProofHistoryBytesMax / 16'000, Bytes(16'000, 1));
  const Json item = JsonObject{
      {"recipient_did", did}, {"action", "add"}, {"kith_proof", protocol::encode_body(made)}};
  EXPECT_EQ(ask(owner, std::string(kV3) + "recipient-update", {{"updates", JsonArray{item}}}).type,
            "");
  EXPECT_EQ(owner_of(did), "");
  EXPECT_EQ(add_proven(owner, did), "success");
}

TEST_F(RecipientProofTest, Version2TakesProofsToo) {
  AgentBox& thief = client("thief");
  AgentBox& owner = client("owner");
  const std::string did = make_did(owner);
  ASSERT_EQ(add(thief, did), "success");
  EXPECT_EQ(add(owner, did, protocol::encode_body(proof(owner, did, owner)),
                std::string(kV2) + "keylist-update"),
            "success");
  EXPECT_EQ(owner_of(did), "owner");
}

TEST_F(RecipientProofTest, TheAnswerSaysWhatIsProven) {
  AgentBox& owner = client("owner");
  const std::string did = make_did(owner);
  const auto says_proven = [](const Heard& heard) {
    return heard.body.at("updated").at(0).as_object().contains("kith_proven");
  };
  const std::string type = std::string(kV3) + "recipient-update";
  EXPECT_FALSE(says_proven(ask(owner, type, update(did))));
  ASSERT_EQ(add_proven(owner, did), "no_change");
  EXPECT_TRUE(says_proven(ask(owner, type, update(did))));
  EXPECT_FALSE(says_proven(ask(owner, type, update(did, "remove"))));
}

// --- DIDs with a log

TEST_F(RecipientProofTest, ADidWithALogIsProvenByItsLog) {
  AgentBox& thief = client("thief");
  AgentBox& owner = client("owner");
  const std::string did = make_logged_did(owner);
  const std::string other = make_logged_did(owner);
  RecipientProof no_log = proof(owner, did, owner);
  no_log.log.clear();
  EXPECT_EQ(add(owner, did, no_log), "client_error");
  RecipientProof foreign_log = proof(owner, did, owner);
  foreign_log.log = proof(owner, other, owner).log;
  EXPECT_EQ(add(owner, did, foreign_log), "client_error");
  RecipientProof junk = proof(owner, did, owner);
  junk.log = {{1, 2, 3}};
  EXPECT_EQ(add(owner, did, junk), "client_error");
  ASSERT_EQ(add(thief, did), "success");
  EXPECT_EQ(add_proven(owner, did), "success");
  EXPECT_EQ(owner_of(did), "owner");
  EXPECT_FALSE(claim(did)->head.empty());
}

TEST_F(RecipientProofTest, AKeyThatWasRotatedAwayProvesNothingAnyMore) {
  AgentBox& thief = client("thief");
  AgentBox& owner = client("owner");
  const std::string did = make_logged_did(owner);
  ASSERT_EQ(add_proven(owner, did), "success");
  // The thief has the old agent's key, and the log as it was then.
  const RecipientProof stolen = proof(owner, did, thief);
  owner.edit([&](Host& host) {
    auto state = *ledger::pair_state_of(host, did);
    state.agents = {*ledger::make_pair_agent(host, did)};
    EXPECT_TRUE(ledger::update_pair_log(host, did, state).has_value());
    return true;
  });
  later();
  ASSERT_EQ(add_proven(owner, did), "no_change");
  later();
  const auto with_old_key = [&](const std::vector<Bytes>& log) {
    RecipientProof made = stolen;
    made.log = log;
    made.time_ms = protocol::epoch_ms(net_.now());
    const ProofEnds both = ends(thief);
    made.signature = owner.look([&](Host& host) {
      protocol::OwnSecrets secrets(host);
      const auto key = secrets.find(did + "#" + crypto::multikey(made.key));
      return *host.keys().sign(*key,
                               protocol::recipient_statement(both, *Did::parse(did), made.time_ms));
    });
    return made;
  };
  EXPECT_EQ(add(thief, did, with_old_key(stolen.log)), "client_error");  // Goes behind the head.
  EXPECT_EQ(add(thief, did, with_old_key(proof(owner, did, owner).log)), "client_error");
  EXPECT_EQ(owner_of(did), "owner");
}

TEST_F(RecipientProofTest, TheLongerLogWinsWhateverTheTimes) {
  AgentBox& thief = client("thief");
  AgentBox& owner = client("owner");
  const std::string did = make_logged_did(owner);
  // The owner was away while somebody with its old key registered; then it changed its keys.
  RecipientProof stolen = proof(owner, did, thief);
  stolen.time_ms += 4 * 60'000;
  const ProofEnds both = ends(thief);
  stolen.signature = owner.look([&](Host& host) {
    const Did own = *Did::parse(did);
    return *protocol::sign_as(host, own, protocol::recipient_statement(both, own, stolen.time_ms));
  });
  ASSERT_EQ(add(thief, did, stolen), "success");
  EXPECT_EQ(add_proven(owner, did), "client_error");  // The same log, and older.
  owner.edit([&](Host& host) {
    auto state = *ledger::pair_state_of(host, did);
    state.agents = {*ledger::make_pair_agent(host, did)};
    EXPECT_TRUE(ledger::update_pair_log(host, did, state).has_value());
    return true;
  });
  EXPECT_EQ(add_proven(owner, did), "success");
  EXPECT_EQ(owner_of(did), "owner");
}

// --- Kith's own client

TEST_F(RecipientProofTest, AKithClientGetsItsDidBackWithoutAnAlarm) {
  AgentBox& thief = client("thief");
  AgentBox& alice = person("alice");
  join(alice);
  net_.fate = [&](const test::Packet& packet) {
    return packet.from == &alice ? test::Fate::lost : test::Fate::arrives;
  };
  ASSERT_TRUE(alice.command("invite").has_value());
  const auto dids = alice.look([](Host& host) { return host.list("own-did"); });
  ASSERT_EQ(dids.size(), 1u);
  ASSERT_EQ(add(thief, dids.front()), "success");  // An invitation that somebody else saw first.
  net_.fate = nullptr;
  ASSERT_TRUE(net_.run_until([&] { return registered(alice); }, kSoon));
  EXPECT_EQ(owner_of(dids.front()), "a person");
  EXPECT_TRUE(alice.notices("alarm").empty());
}

TEST_F(RecipientProofTest, AKithClientProvesItsRelationshipsAnewWhenTheirKeysChange) {
  AgentBox& alice = person("alice");
  AgentBox& bob = person("bob");
  join(alice);
  join(bob);
  const auto invitation = alice.command("invite", {{"name", "bob"}});
  ASSERT_TRUE(invitation.has_value());
  const std::string url(invitation->at("url").get_string());
  ASSERT_TRUE(bob.command("accept", {{"url", url}, {"name", "alice"}}).has_value());
  const auto my_did = [&] {
    return alice.look([](Host& host) {
      const auto contact = protocol::contact_named(host, "bob");
      return contact.has_value() ? contact->my_did : std::string();
    });
  };
  ASSERT_TRUE(net_.run_until([&] { return !my_did().empty() && registered(alice); }, kSoon));
  const auto first = claim(my_did());
  ASSERT_TRUE(first.has_value());
  EXPECT_FALSE(first->head.empty());
  alice.edit([&](Host& host) {
    auto state = *ledger::pair_state_of(host, my_did());
    state.agents.push_back(*ledger::make_pair_agent(host, my_did()));
    EXPECT_TRUE(ledger::update_pair_log(host, my_did(), state).has_value());
    return true;
  });
  ASSERT_TRUE(net_.run_until([&] { return registered(alice); }, kSoon));
  EXPECT_NE(claim(my_did())->head, first->head);
  EXPECT_TRUE(alice.notices("alarm").empty());
}

/// Records as versions without proofs wrote them.
struct OldOwnDid {
  std::int64_t wish = 2;  // Registered.
  template <class V>
  void visit(V& v) {
    v("wish", wish);
  }
};
struct OldRoute {
  std::string client;
  template <class V>
  void visit(V& v) {
    v("client", client);
  }
};

TEST_F(RecipientProofTest, ADidRegisteredByAnOlderVersionIsProvenAtTheNextStart) {
  AgentBox& alice = person("alice");
  join(alice);
  ASSERT_TRUE(alice.command("invite").has_value());
  ASSERT_TRUE(net_.run_until([&] { return registered(alice); }, kSoon));
  const std::string did = alice.look([](Host& host) { return host.list("own-did").front(); });
  relay().edit([&](Host& host) {
    save(host, "mail-route", did, OldRoute{protocol::clients_for(host, did).front()});
    return true;
  });
  ASSERT_FALSE(claim(did).has_value());
  alice.edit([&](Host& host) {
    save(host, "own-did", did, OldOwnDid{});
    return true;
  });
  ASSERT_TRUE(net_.run_until([&] { return claim(did).has_value(); }, kSoon));
  EXPECT_TRUE(registered(alice));
}

TEST_F(RecipientProofTest, WhatAMediatorDoesNotTakeWithProofIsAskedForWithout) {
  // This mediator reads no logs.
  relay_ = &net_.add("relay", [] {
    test::Modules all;
    all.push_back(std::make_unique<Connection>());
    all.push_back(std::make_unique<protocol::Mediator>("https://relay.test/"));
    return all;
  });
  AgentBox& alice = person("alice");
  join(alice);
  const std::string did = make_logged_did(alice);
  alice.edit([&](Host& host) {
    protocol::register_own_did(host, did);
    return true;
  });
  ASSERT_TRUE(net_.run_until([&] { return registered(alice); }, kSoon));
  EXPECT_EQ(owner_of(did), "a person");
  EXPECT_FALSE(claim(did).has_value());
  EXPECT_TRUE(alice.notices("alarm").empty());
}

TEST(RecipientStatement, SaysWhoWhereWhatAndWhen) {
  const auto did = [](const char* text) { return *Did::parse(text); };
  const ProofEnds both{did("did:example:mediator"), did("did:example:client")};
  const Did recipient = did("did:example:recipient");
  const Bytes statement = protocol::recipient_statement(both, recipient, 1'000);
  EXPECT_EQ(crypto::hex(statement),
            "ebb9c76c1f6660bb729a6e4f372b484577f4cd7eb07719dae7402539427d42f0");
  EXPECT_NE(statement,
            protocol::recipient_statement({both.client, both.mediator}, recipient, 1'000));
  EXPECT_NE(statement, protocol::recipient_statement(both, both.client, 1'000));
  EXPECT_NE(statement, protocol::recipient_statement(both, recipient, 1'001));
}

}  // namespace
}  // namespace kith
