// Invitations in the name of a public did:kith: what becomes public and when, how both sides end,
// and how a mediator that insists on proof is shown whose DID it is.

#include <gtest/gtest.h>

#include "ledger/did_kith.hpp"
#include "ledger/handshake.hpp"
#include "ledger/identity.hpp"
#include "ledger/ledger_effects.hpp"
#include "ledger/log_history.hpp"
#include "ledger/log_store.hpp"
#include "ledger/log_writer.hpp"
#include "ledger/memory_ledger.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/invitation.hpp"
#include "protocol/mailbox.hpp"
#include "protocol/own_did.hpp"
#include "protocol/own_service.hpp"
#include "protocol/pickup.hpp"
#include "tests/ledger/mediation_lab.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using ledger::IdentityModule;
using ledger::LogHistory;
using protocol::ProofEnds;
using protocol::RecipientProof;
using protocol::pickup::DidWish;
using protocol::pickup::OwnDid;
using namespace std::chrono_literals;

constexpr std::string_view kLedger = "https://ledger.example";

class PublicDid : public MediationLab {
 protected:
  PublicDid() : ledger_(ledger_descriptor(), true), prover_(ledger_, ledger_signer()) {
    net_.perform = [this](AgentBox&, const protocol::Effect& effect) {
      if (ledger::ledger_of(effect) != kLedger) {
        return std::optional(protocol::EffectResult{effect.id, fail(Errc::unreachable), true});
      }
      const auto now = ledger::anchor_time(net_.now());
      return std::optional(ledger::perform_on(ledger_, effect, now, &prover_));
    };
  }
  /// Without an identity.
  AgentBox& agent(const std::string& name, bool has_address = true) {
    return net_.add(name,
                    [] {
                      Modules all;
                      all.push_back(std::make_unique<ledger::Connection>());
                      all.push_back(std::make_unique<IdentityModule>());
                      all.push_back(std::make_unique<protocol::Pickup>(
                          protocol::PickupPace{}, std::make_shared<const LogHistory>()));
                      return all;
                    },
                    {has_address, true, false});
  }
  /// With one that is on the ledger.
  AgentBox& person(const std::string& name, bool has_address = true) {
    AgentBox& box = agent(name, has_address);
    must(box.command("identity-create", {{"name", name}, {"ledger", kLedger}, {"no_vault", true}}));
    EXPECT_TRUE(run_until_posted(box)) << name;
    return box;
  }
  bool run_until_posted(AgentBox& box) {
    return net_.run_until([&] {
      return box.look([](Host& host) {
        const auto own = ledger::identity(host);
        return own && ledger::posted(host, own->did) && ledger::posted(host, own->policy);
      });
    });
  }
  void join(AgentBox& box) {
    const auto invitation = must(relay().command("mediator-invitation"));
    must(box.command("accept", {{"url", text(invitation, "url")}}));
    ASSERT_TRUE(net_.run_until([&] { return registered(box); })) << box.name();
  }
  static bool registered(AgentBox& box) {
    return box.look([](Host& host) {
      return protocol::mediator_grant(host).has_value() && protocol::all_registered(host);
    });
  }
  static std::string did_of(AgentBox& box) {
    return box.look([](Host& host) { return ledger::identity(host)->did; });
  }
  static JsonObject document_of(AgentBox& box) {
    return *must(crypto::json_object(must(box.command("did-show")), "document"));
  }
  /// The address of a public invitation, once its ledger shows what it needs.
  std::string invitation(AgentBox& box, JsonObject args = {}) {
    args["public"] = true;
    const std::string url = text(must(box.command("invite", std::move(args))), "url");
    EXPECT_TRUE(run_until_posted(box));
    return url;
  }
  void look_up(AgentBox& box, const std::string& did) {
    must(box.command("did-resolve", {{"did", did}, {"ledger", kLedger}}));
    net_.run_for(10s);
  }
  static std::optional<Errc> accept(AgentBox& box, const std::string& url) {
    const auto accepted = box.command("accept", {{"url", url}});
    return accepted.has_value() ? std::nullopt : std::optional(accepted.error().code);
  }
  static std::vector<Contact> people(AgentBox& box) {
    auto all = box.look([](Host& host) { return protocol::list_contacts(host); });
    std::erase_if(all, [](const Contact& one) { return one.role != ContactRole::person; });
    return all;
  }
  static bool connected(AgentBox& box) {
    const auto all = people(box);
    return all.size() == 1 && all.front().state == ContactState::connected;
  }
  /// Changes our own public log: `make` gets its present view.
  static void post(AgentBox& box, const std::function<Entry(Host&, const LogView&)>& make) {
    must(box.edit([&](Host& host) -> Result<void> {
      const std::string did = ledger::identity(host)->did;
      const LogView view = must(ledger::stored_view(host, did));
      Entry entry = make(host, view);
      if (entry.sigs.empty()) must(ledger::sign_with_active(host, entry, view));
      return ledger::post_entry(host, did, entry);
    }));
  }
  static void deactivate(AgentBox& box) {
    post(box, [](Host& host, const LogView& view) {
      return must(ledger::make_deactivate(view, ledger::anchor_time(host.now())));
    });
  }
  /// Fresh keys in the document; the former ones stay in this wallet.
  static void change_document_keys(AgentBox& box) {
    post(box, [](Host& host, const LogView& view) {
      ledger::PairState shape;
      shape.agents = {must(ledger::make_pair_agent(host, view.subject))};
      Json document = ledger::pair_document(view.subject, shape);
      if (view.current.state.get_object().contains("service")) {
        document.as_object()["service"] = view.current.state.at("service");
      }
      return must(ledger::make_update(view, document, ledger::anchor_time(host.now())));
    });
  }
  static DidWish wish(AgentBox& box, const std::string& did) {
    return box.look([&](Host& host) { return load<OwnDid>(host, "own-did", did)->wish; });
  }

  ledger::MemoryLedger ledger_;
  ledger::LedgerProver prover_;
};

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

/// Proofs for a public DID, judged by themselves.
class PublicProof : public PublicDid {
 protected:
  void SetUp() override {
    alice_ = &person("alice");
    did_ = did_of(*alice_);
  }
  ProofEnds ends() {
    return {must(Did::parse("did:example:m")), must(Did::parse("did:example:c"))};
  }
  RecipientProof proof(AgentBox& holder, const std::string& did) {
    return holder.look([&](Host& host) {
      const LogHistory history;
      return must(protocol::prove_recipient(host, &history, must(Did::parse(did)), ends()));
    });
  }
  /// `made` signed anew for our DID, by the key it names, which `holder` has as one of `kid_did`.
  RecipientProof resigned(AgentBox& holder, RecipientProof made, const std::string& kid_did) {
    made.signature = holder.look([&](Host& host) {
      const auto key = protocol::OwnSecrets(host).find(kid_did + "#" + crypto::multikey(made.key));
      return must(host.keys().sign(
          *key, protocol::recipient_statement(ends(), must(Did::parse(did_)), made.time_ms)));
    });
    return made;
  }
  std::optional<Errc> judged(const RecipientProof& proof, const std::string& did) {
    return relay().look([&](Host& host) -> std::optional<Errc> {
      const LogHistory history;
      const auto checked =
          protocol::check_recipient_proof(host, &history, proof, must(Did::parse(did)), ends());
      return checked.has_value() ? std::nullopt : std::optional(checked.error().code);
    });
  }
  std::optional<Errc> judged(const RecipientProof& proof) { return judged(proof, did_); }
  /// The keys of a log for whoever knows `head` of it.
  Result<protocol::HistoryKeys> read(const std::vector<Bytes>& log, std::string_view head) {
    return relay().look(
        [&](Host& host) { return LogHistory().read(host, must(Did::parse(did_)), log, head); });
  }

  AgentBox* alice_ = nullptr;
  std::string did_;
};

TEST_F(PublicProof, HoldsByAKeyOfTheDocumentAndTheWholeLog) {
  const RecipientProof good = proof(*alice_, did_);
  EXPECT_EQ(judged(good), std::nullopt);
  RecipientProof no_log = good;
  no_log.log.clear();
  EXPECT_EQ(judged(no_log), Errc::unsupported);
  RecipientProof junk = good;
  junk.log = {{1, 2, 3}};
  EXPECT_EQ(judged(junk), Errc::not_found);
  RecipientProof tampered = good;
  tampered.signature[3] ^= 1;
  EXPECT_EQ(judged(tampered), Errc::bad_signature);
}

TEST_F(PublicProof, AForgerWithTheLogAndWithoutTheKeysProvesNothing) {
  AgentBox& mallory = person("mallory");
  const RecipientProof good = proof(*alice_, did_);
  const RecipientProof own = proof(mallory, did_of(mallory));
  EXPECT_EQ(judged(own, did_of(mallory)), std::nullopt) << "her own DID she can prove";
  RecipientProof foreign_key = resigned(mallory, own, did_of(mallory));
  EXPECT_EQ(judged(foreign_key), Errc::not_found) << "with her own log";
  foreign_key.log = good.log;
  EXPECT_EQ(judged(foreign_key), Errc::not_authentic) << "with Alice's, which everybody can read";
  RecipientProof named = foreign_key;
  named.key = good.key;
  EXPECT_EQ(judged(named), Errc::bad_signature);
  // An entry of her own making on top of Alice's log does not count.
  Entry update = alice_->look([&](Host& host) {
    const LogView view = must(ledger::stored_view(host, did_));
    Json document = view.current.state;
    return must(ledger::make_update(view, document, ledger::anchor_time(host.now())));
  });
  mallory.look([&](Host& host) {
    const LogView view = must(ledger::stored_view(host, did_of(mallory)));
    const std::string& key = view.current.keys.k.front();
    update.content->state.as_object()["service"] = JsonArray{};
    must(ledger::add_signature(update, must(crypto::from_multikey(key)), host.keys(),
                               *ledger::log_key(host, key)));
    return true;
  });
  RecipientProof extended = good;
  extended.log.push_back(ledger::entry_blob(update));
  EXPECT_EQ(must(read(extended.log, "")).head, must(read(good.log, "")).head);
}

TEST_F(PublicProof, AnEndedLogProvesNothing) {
  const RecipientProof before = proof(*alice_, did_);
  deactivate(*alice_);
  RecipientProof after = before;
  after.log =
      alice_->look([&](Host& host) { return LogHistory().entries(host, must(Did::parse(did_))); });
  ASSERT_EQ(after.log.size(), before.log.size() + 1);
  EXPECT_EQ(judged(after), Errc::refused);
  const std::string end = ledger::entry_hash(must(ledger::parse_entry(after.log.back())));
  EXPECT_TRUE(must(read(before.log, end)).behind) << "the end was shown before";
  EXPECT_EQ(judged(before), std::nullopt) << "no ledger is asked: as docs/wire-formats.md says";
}

TEST_F(PublicProof, AKeyThatLeftTheDocumentProvesNothing) {
  const RecipientProof before = proof(*alice_, did_);
  change_document_keys(*alice_);
  const RecipientProof after = proof(*alice_, did_);
  EXPECT_NE(after.key, before.key);
  EXPECT_EQ(judged(after), std::nullopt);
  RecipientProof stolen = resigned(*alice_, before, did_);
  EXPECT_EQ(judged(stolen), std::nullopt) << "its making is right";
  EXPECT_TRUE(must(read(stolen.log, must(read(after.log, "")).head)).behind)
      << "once the newer log was shown";
  stolen.log = after.log;
  EXPECT_EQ(judged(stolen), Errc::not_authentic);
}

TEST_F(PublicProof, ARotatedLogGoesOnFromTheOneBefore) {
  const RecipientProof before = proof(*alice_, did_);
  must(alice_->edit([&](Host& host) -> Result<void> {
    TRY(const Entry rotate, ledger::prepare_rotate(host, did_, std::nullopt));
    return ledger::post_prepared(host, did_, rotate);
  }));
  const RecipientProof after = proof(*alice_, did_);
  ASSERT_EQ(after.log.size(), before.log.size() + 1);
  EXPECT_EQ(judged(after), std::nullopt);
  const auto known = must(read(before.log, ""));
  const auto newer = must(read(after.log, known.head));
  EXPECT_NE(newer.head, known.head);
  EXPECT_TRUE(must(read(before.log, newer.head)).behind);
}

TEST_F(PublicProof, APolicyIsNoDidWithKeys) {
  const RecipientProof good = proof(*alice_, did_);
  RecipientProof policy = good;
  const std::string subject =
      alice_->look([](Host& host) { return ledger::identity(host)->policy; });
  const Did did = must(Did::parse(subject));
  policy.log = alice_->look([&](Host& host) { return LogHistory().entries(host, did); });
  policy.signature = alice_->look([&](Host& host) {
    const auto key = protocol::OwnSecrets(host).find(did_ + "#" + crypto::multikey(policy.key));
    return must(host.keys().sign(*key, protocol::recipient_statement(ends(), did, policy.time_ms)));
  });
  EXPECT_EQ(judged(policy, subject), Errc::unsupported);
}

}  // namespace
}  // namespace kith::test
