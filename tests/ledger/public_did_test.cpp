// Invitations in the name of a public did:kith: what becomes public and when, how both sides end,
// and how a mediator that insists on proof is shown whose DID it is.

#include <gtest/gtest.h>

#include "ledger/did_kith.hpp"
#include "ledger/handshake.hpp"
#include "ledger/identity.hpp"
#include "ledger/log_writer.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/invitation.hpp"
#include "protocol/mailbox.hpp"
#include "protocol/own_service.hpp"
#include "tests/ledger/public_did_lab.hpp"

namespace kith::test {
namespace {

using namespace std::chrono_literals;

// --- Both sides

TEST_F(PublicDid, BothEndWithARelationshipThatNamesNoPublicDid) {
  AgentBox& alice = person("alice");
  AgentBox& bob = person("bob");
  const std::string url = invitation(alice, {{"name", "bob"}});
  EXPECT_EQ(accept(bob, url), Errc::unknown_peer) << "not before it is looked up";
  look_up(bob, did_of(alice));
  ASSERT_EQ(accept(bob, url), std::nullopt);
  net_.run_for(1min);
  ASSERT_TRUE(connected(alice) && connected(bob));
  for (AgentBox* box : {&alice, &bob}) {
    const Contact contact = people(*box).front();
    for (const std::string& did : {contact.my_did, contact.their_did}) {
      EXPECT_TRUE(did.starts_with("did:kith:"));
      EXPECT_NE(did, did_of(alice));
      EXPECT_NE(did, did_of(bob));
      EXPECT_TRUE(must(ledger_.read(did, 0)).entries.empty()) << "no ledger hears of it";
    }
    EXPECT_TRUE(box->look([](Host& host) { return host.list("handshake"); }).empty());
  }
  const auto pinned = [&] {
    return bob.look([&](Host& host) { return host.get({"did-doc", did_of(alice)}).has_value(); });
  };
  EXPECT_FALSE(pinned()) << "nothing of the handshake is left";
  AgentBox& carol = person("carol");
  look_up(carol, did_of(alice));
  EXPECT_EQ(accept(carol, url), std::nullopt);
  net_.run_for(1min);
  EXPECT_EQ(people(carol).front().state, ContactState::ended) << "it was for one person";
  EXPECT_EQ(people(alice).size(), 1U);
}

/// What Alice's record says of her side when she has answered a request.
std::optional<bool> stays(AgentBox& alice) {
  const auto all = alice.all<ledger::Handshake>("handshake");
  return all.size() == 1 ? std::optional(all.front().reusable) : std::nullopt;
}

TEST_F(PublicDid, SignsNothingThatTellsOthersWhoIsBehindTheNewDid) {
  AgentBox& alice = person("alice");
  AgentBox& bob = person("bob");
  AgentBox& carol = person("carol");
  net_.on_arrival = [&](const Packet& packet) {
    if (packet.from == &alice) net_.fate = [](const Packet&) { return Fate::fails; };
  };
  const std::string url = invitation(alice);
  look_up(bob, did_of(alice));
  ASSERT_EQ(accept(bob, url), std::nullopt);
  net_.run_for(10s);
  EXPECT_EQ(stays(alice), true) << "no from_prior will be given";
  net_.fate = nullptr;
  net_.on_arrival = nullptr;
  ASSERT_TRUE(net_.run_until([&] { return connected(alice) && !stays(alice); }));

  net_.on_arrival = [&](const Packet& packet) {
    if (packet.from == &alice) net_.fate = [](const Packet&) { return Fate::fails; };
  };
  ASSERT_EQ(accept(carol, text(must(alice.command("invite")), "url")), std::nullopt);
  net_.run_for(10s);
  EXPECT_EQ(stays(alice), false) << "of a one-time DID it is";
}

TEST_F(PublicDid, ItsOwnerCannotAcceptIt) {
  AgentBox& alice = person("alice");
  const std::string url = invitation(alice);
  look_up(alice, did_of(alice));
  EXPECT_EQ(accept(alice, url), Errc::conflict);
}

TEST_F(PublicDid, ADocumentWithoutAddressIsToldApart) {
  AgentBox& alice = person("alice");
  AgentBox& bob = person("bob");
  auto made = must(protocol::parse_invitation_url(text(must(alice.command("invite")), "url")));
  made.invitation->from = must(Did::parse(did_of(alice)));
  const std::string url = must(protocol::invitation_url(*made.invitation, alice.url()));
  look_up(bob, did_of(alice));
  EXPECT_EQ(accept(bob, url), Errc::unreachable);
  invitation(alice);
  look_up(bob, did_of(alice));
  EXPECT_EQ(accept(bob, url), std::nullopt);
}

TEST_F(PublicDid, ADeactivatedDidIsNotWrittenTo) {
  AgentBox& alice = person("alice");
  AgentBox& bob = person("bob");
  const std::string url = invitation(alice);
  look_up(bob, did_of(alice));
  deactivate(alice);
  ASSERT_TRUE(run_until_posted(alice));
  look_up(bob, did_of(alice));
  EXPECT_EQ(accept(bob, url), Errc::unsupported);
  EXPECT_TRUE(people(bob).empty());
}

// --- What becomes public

TEST_F(PublicDid, TheAddressIsToldOnlyWhenItsOwnerAsksAndOnce) {
  AgentBox& alice = person("alice");
  const std::size_t before = ledger_.size();
  must(alice.command("invite"));
  must(alice.command("invite", {{"public", false}}));
  net_.run_for(1min);
  EXPECT_EQ(ledger_.size(), before);
  EXPECT_TRUE(document_of(alice).at("service").as_array().empty());

  invitation(alice);
  invitation(alice);
  EXPECT_EQ(ledger_.size(), before + 1);
  const Json service = document_of(alice).at("service");
  ASSERT_EQ(service.as_array().size(), 1U);
  EXPECT_EQ(service.at(0).at("serviceEndpoint").at("uri").get_string(), alice.url());
  EXPECT_EQ(alice.audited("identity.address-published").size(), 1U);
}

TEST_F(PublicDid, AFormerAddressIsReplacedAtTheNextInvitationAndNotBefore) {
  AgentBox& alice = person("alice", false);
  join(alice);
  const auto old = [&] { return alice.look(ledger::published_address_is_old); };
  EXPECT_FALSE(old()) << "none was published";
  invitation(alice);
  EXPECT_FALSE(old());
  const std::size_t before = ledger_.size();
  alice.edit([](Host& host) {
    auto grant = *protocol::mediator_grant(host);
    grant.uri = "https://moved.test/";
    save(host, "meta", "mediator", grant);
    host.set_timer(protocol::kAddressModule, protocol::kAddressTimer, host.now());
    return true;
  });
  net_.run_for(1min);
  EXPECT_TRUE(old());
  EXPECT_EQ(alice.notices("address-outdated").size(), 1U);
  EXPECT_EQ(ledger_.size(), before);
  invitation(alice);
  EXPECT_FALSE(old());
  EXPECT_EQ(ledger_.size(), before + 1);
}

TEST_F(PublicDid, AnAddressThatIsTakenBackIsGoneFromTheDocument) {
  AgentBox& alice = person("alice");
  EXPECT_EQ(agent("nobody").command("did-withdraw-address").error(), Errc::wrong_state);
  const std::size_t never = ledger_.size();
  must(alice.command("did-withdraw-address"));
  EXPECT_EQ(ledger_.size(), never) << "none stood there";
  invitation(alice);
  ASSERT_EQ(document_of(alice).at("service").as_array().size(), 1U);
  const std::size_t before = ledger_.size();
  must(alice.command("did-withdraw-address"));
  EXPECT_TRUE(run_until_posted(alice));
  EXPECT_EQ(ledger_.size(), before + 1);
  EXPECT_TRUE(document_of(alice).at("service").as_array().empty());
  EXPECT_EQ(alice.audited("identity.address-withdrawn").size(), 1U);
  EXPECT_FALSE(alice.look(ledger::published_address_is_old));
  must(alice.command("did-withdraw-address"));
  EXPECT_EQ(ledger_.size(), before + 1) << "once";
  invitation(alice);
  EXPECT_EQ(document_of(alice).at("service").as_array().size(), 1U) << "and it can come back";
  deactivate(alice);
  EXPECT_EQ(alice.command("did-withdraw-address").error(), Errc::wrong_state);
}

TEST_F(PublicDid, NothingIsMadeWhereItCouldNotBeAnswered) {
  const auto refusal = [](AgentBox& box) {
    const auto made = box.command("invite", {{"public", true}});
    EXPECT_EQ(box.look([](Host& host) { return host.list("invitation"); }).size(),
              made.has_value() ? 1U : 0U);
    return made.has_value() ? std::nullopt : std::optional(made.error().code);
  };
  EXPECT_EQ(refusal(agent("nobody")), Errc::wrong_state) << "no identity";
  AgentBox& unreachable = person("unreachable", false);
  EXPECT_EQ(refusal(unreachable), Errc::wrong_state) << "no address";
  AgentBox& ended = person("ended");
  deactivate(ended);
  EXPECT_EQ(refusal(ended), Errc::wrong_state);
  AgentBox& second = person("second");  // Another device of the same person.
  second.edit([](Host& host) {
    for (const std::string& kid : host.list("own-key")) {
      if (kid.starts_with("did:kith:")) protocol::forget_key(host, kid);
    }
    return true;
  });
  EXPECT_EQ(refusal(second), Errc::wrong_state) << "it could not open the answer";
  AgentBox& alice = person("alice");
  EXPECT_EQ(alice.command("invite", {{"public", "yes"}}).error(), Errc::usage);
  const std::size_t before = ledger_.size();
  net_.run_for(1min);
  EXPECT_EQ(ledger_.size(), before);
  EXPECT_EQ(refusal(alice), std::nullopt);
}

TEST_F(PublicDid, StaysWhenTheInvitationIsOver) {
  AgentBox& alice = person("alice");
  const std::string ordinary = text(must(alice.command("invite", {{"life_s", 60}})), "url");
  const Did one_time = must(protocol::parse_invitation_url(ordinary)).invitation->from;
  invitation(alice, {{"life_s", 60}});
  net_.run_for(5min);
  const auto has = [&](const std::string& kid) {
    return alice.look([&](Host& host) { return protocol::OwnSecrets(host).find(kid).has_value(); });
  };
  EXPECT_TRUE(alice.look([](Host& host) { return host.list("invitation"); }).empty());
  EXPECT_FALSE(has(protocol::did_peer2_kid(one_time, 0)));
  const DidDocument document = alice.look([&](Host& host) {
    return must(protocol::KnownDids(host).resolve(must(Did::parse(did_of(alice)))));
  });
  EXPECT_TRUE(has(document.agreement_keys().at(0).kid));
  EXPECT_NE(wish(alice, did_of(alice)), DidWish::remove);
}

// --- At a mediator that insists on proof

TEST_F(PublicDid, AMediatorThatWantsProofGetsIt) {
  policy_.require_proof = true;
  AgentBox& alice = person("alice", false);
  AgentBox& bob = person("bob");
  join(alice);
  const std::string did = did_of(alice);
  const std::string url = invitation(alice);
  ASSERT_TRUE(net_.run_until([&] { return registered(alice); }));
  EXPECT_EQ(wish(alice, did), DidWish::registered);
  const auto claim = [&] {
    return relay().look([&](Host& host) {
      return protocol::claim_of(host, protocol::clients_for(host, did).at(0), did);
    });
  };
  ASSERT_TRUE(claim().has_value());
  EXPECT_EQ(document_of(alice).at("service").at(0).at("serviceEndpoint").at("routingKeys").at(0),
            Json(routing_did()));
  look_up(bob, did);
  ASSERT_EQ(accept(bob, url), std::nullopt);
  ASSERT_TRUE(net_.run_until([&] { return connected(alice) && connected(bob); }));

  // Whoever has no keys of it gets nothing, with a proof of their own or without.
  AgentBox& forger = stranger("forger");
  ask(forger, std::string(kV3) + "mediate-request");
  const std::string type = std::string(kV3) + "recipient-update";
  EXPECT_EQ(result_of(ask(forger, type, update(did))), "client_error");
  EXPECT_EQ(result_of(ask(forger, type, update("did:kith:" + ledger::blob_hash({})))),
            "client_error");

  // The log goes on, and the mediator hears of it.
  const std::string head = claim()->head;
  change_document_keys(alice);
  ASSERT_TRUE(net_.run_until([&] { return claim()->head != head; }));
  EXPECT_EQ(wish(alice, did), DidWish::registered);
  EXPECT_TRUE(alice.notices("alarm").empty());
}

TEST_F(PublicDid, WithoutProofItIsNotRegisteredThere) {
  policy_.require_proof = true;
  // A client of an earlier version: it proves no public DID.
  AgentBox& alice =
      net_.add("alice",
               [] {
                 Modules all;
                 all.push_back(std::make_unique<ledger::Connection>());
                 all.push_back(std::make_unique<IdentityModule>());
                 all.push_back(std::make_unique<protocol::Pickup>(protocol::PickupPace{}));
                 return all;
               },
               {false, true, false});
  must(alice.command("identity-create",
                     {{"name", "alice"}, {"ledger", kLedger}, {"no_vault", true}}));
  ASSERT_TRUE(run_until_posted(alice));
  join(alice);
  invitation(alice);
  ASSERT_TRUE(net_.run_until([&] { return registered(alice); }));
  EXPECT_EQ(wish(alice, did_of(alice)), DidWish::refused);
  EXPECT_EQ(alice.notices("alarm").size(), 1U);
}

}  // namespace
}  // namespace kith::test
