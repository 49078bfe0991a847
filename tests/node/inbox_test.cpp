/// What an agent does with a message round its handlers: repeats, acknowledgements, problems.

#include "node/inbox.hpp"

#include <gtest/gtest.h>

#include "protocol/acks.hpp"
#include "protocol/did_peer.hpp"
#include "protocol/messenger.hpp"
#include "protocol/problem_budget.hpp"
#include "protocol/relationship.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/parties.hpp"

namespace kith {
namespace {

using protocol::epoch_seconds;
using test::AgentBox;
using test::Fate;
using test::Network;
using test::Party;

constexpr const char* kWord = "https://example.org/talk/1.0/word";
constexpr const char* kQuestion = "https://example.org/talk/1.0/question";
constexpr const char* kNonsense = "https://example.org/talk/1.0/nonsense";

struct Heard {
  std::vector<std::string> ids;
  std::vector<std::string> acks;
  std::vector<std::string> problems;
};

/// Takes words, answers questions, refuses nonsense.
class Talk final : public Module {
 public:
  explicit Talk(Heard& heard) : heard_(heard) {}
  std::string_view name() const override { return "talk"; }
  std::vector<std::string> message_types() const override { return {kWord, kQuestion, kNonsense}; }
  Result<void> on_message(Host& host, const Inbound& inbound) override {
    if (inbound.message.type == kNonsense) return fail(Errc::malformed, "nonsense");
    heard_.ids.push_back(inbound.message.id);
    if (inbound.message.type == kQuestion) CHECK(protocol::reply(host, inbound, kWord, {}));
    return {};
  }
  void on_acks(Host&, const Inbound& inbound) override {
    for (const std::string& id : inbound.message.ack) heard_.acks.push_back(id);
  }
  void on_problem(Host&, const Inbound&, const protocol::ProblemReport& report) override {
    heard_.problems.push_back(report.code);
  }

 private:
  Heard& heard_;
};

class InboxTest : public ::testing::Test {
 protected:
  InboxTest() {
    net_.fate = [this](const test::Packet& packet) {
      auto opened = world_.open(crypto::as_text(packet.payload.packed), alice_, now());
      if (!opened.has_value())
        opened = world_.open(crypto::as_text(packet.payload.packed), eve_, now());
      EXPECT_TRUE(opened.has_value());
      if (opened.has_value()) answers_.push_back(std::move(opened->message));
      return Fate::lost;
    };
    const KeyPair sign = bob_.keys().generate(KeyType::ed25519, KeyPurpose::authenticate).value();
    const KeyPair agree = bob_.keys().generate(KeyType::x25519, KeyPurpose::agree).value();
    bob_did_ = protocol::make_did_peer2({{sign.public_key, protocol::KeyUse::authentication},
                                         {agree.public_key, protocol::KeyUse::key_agreement}},
                                        {})
                   .value();
    bob_.edit([&](Host& host) {
      protocol::remember_key(host, protocol::did_peer2_kid(*bob_did_, 0), sign.sealed);
      protocol::remember_key(host, protocol::did_peer2_kid(*bob_did_, 1), agree.sealed);
      return true;
    });
  }

  std::int64_t now() const { return epoch_seconds(net_.now()); }

  Message message(const Party& from, const char* type = kWord) {
    Message message = protocol::new_message(type, world_.random, now());
    message.from = from.did;
    message.to = {*bob_did_};
    return message;
  }
  std::optional<Error> tell(const Party& from, const Message& message) {
    const auto document = protocol::resolve_did_peer2(*bob_did_);
    const auto packed =
        message.from ? protocol::pack_authcrypt(message, from.agreement, document->agreement_keys(),
                                                {}, world_.keys, world_.random)
                     : protocol::pack_anoncrypt(message, document->agreement_keys(), {},
                                                world_.keys, world_.random);
    EXPECT_TRUE(packed.has_value());
    const auto refused = net_.inject(bob_, crypto::to_bytes(*packed));
    net_.settle();
    return refused;
  }
  std::string code_of_answer(std::size_t index) const {
    return std::string(answers_.at(index).body.at("code").as_string());
  }

  Heard heard_;
  Network net_;
  AgentBox& bob_ = net_.add("bob", [this] {
    test::Modules all;
    all.push_back(std::make_unique<Talk>(heard_));
    return all;
  });
  test::World world_{31};
  const std::vector<ServiceEndpoint> reachable_{{"", "https://peer.test/", {}, {}}};
  Party alice_ = world_.make_party(KeyType::ed25519, reachable_);
  Party eve_ = world_.make_party(KeyType::ed25519, reachable_);
  std::optional<Did> bob_did_;
  std::vector<Message> answers_;  ///< What Bob sent, opened.
};

TEST_F(InboxTest, HandlesAMessageOnceForEachSender) {
  Message word = message(alice_);
  word.id = "The-Same-Id";
  EXPECT_FALSE(tell(alice_, word).has_value());
  EXPECT_FALSE(tell(alice_, word).has_value());  // Encrypted anew: another envelope.
  word.id = "the-same-id";
  EXPECT_FALSE(tell(alice_, word).has_value());
  EXPECT_EQ(heard_.ids.size(), 1U);
  bob_.restart();
  EXPECT_FALSE(tell(alice_, word).has_value());
  EXPECT_EQ(heard_.ids.size(), 1U);
  word.from = eve_.did;
  EXPECT_FALSE(tell(eve_, word).has_value());
  EXPECT_EQ(heard_.ids.size(), 2U);
  word.id = "another-id";
  EXPECT_FALSE(tell(eve_, word).has_value());
  EXPECT_EQ(heard_.ids.size(), 3U);
}

TEST_F(InboxTest, HandlesAnAnonymousEnvelopeOnceHoweverItsJsonIsWritten) {
  Message word = message(alice_);
  word.from.reset();
  const auto document = protocol::resolve_did_peer2(*bob_did_);
  const auto packed = [&] {
    return protocol::pack_anoncrypt(word, document->agreement_keys(), {}, world_.keys,
                                    world_.random)
        .value();
  };
  const std::string envelope = packed();
  EXPECT_FALSE(net_.inject(bob_, crypto::to_bytes(envelope)).has_value());
  EXPECT_FALSE(net_.inject(bob_, crypto::to_bytes(envelope)).has_value());
  EXPECT_FALSE(net_.inject(bob_, crypto::to_bytes("{ " + envelope.substr(1))).has_value());
  EXPECT_EQ(heard_.ids.size(), 1U);
  bob_.restart();
  EXPECT_FALSE(net_.inject(bob_, crypto::to_bytes(envelope + " ")).has_value());
  EXPECT_EQ(heard_.ids.size(), 1U);
  // Encrypted anew it is another one: nobody knows who wrote it.
  EXPECT_FALSE(net_.inject(bob_, crypto::to_bytes(packed())).has_value());
  EXPECT_EQ(heard_.ids.size(), 2U);
}

TEST_F(InboxTest, AcknowledgesWhatAsksForIt) {
  const Message first = message(alice_);
  EXPECT_FALSE(tell(alice_, first).has_value());
  EXPECT_TRUE(answers_.empty());
  Message second = message(alice_);
  second.please_ack = {first.id, "never-arrived", ""};
  EXPECT_FALSE(tell(alice_, second).has_value());
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_TRUE(protocol::is_empty(answers_[0]));
  EXPECT_EQ(answers_[0].ack, (std::vector<std::string>{first.id, second.id}));
  EXPECT_EQ(answers_[0].thread(), second.id);
  // A repeat gets the same acknowledgement again.
  EXPECT_FALSE(tell(alice_, second).has_value());
  ASSERT_EQ(answers_.size(), 2U);
  EXPECT_EQ(answers_[1].id, answers_[0].id);
}

TEST_F(InboxTest, AnswersCarryTheAcknowledgement) {
  Message question = message(alice_, kQuestion);
  question.please_ack = {question.id};
  EXPECT_FALSE(tell(alice_, question).has_value());
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_EQ(answers_[0].type, kWord);
  EXPECT_EQ(answers_[0].ack, std::vector<std::string>{question.id});
}

TEST_F(InboxTest, NeverAcknowledgesAcknowledgementsOrStrangers) {
  Message ack = message(alice_);
  ack.type = std::string(protocol::kEmptyType);
  ack.ack = {"1", "2"};
  ack.please_ack = {""};
  EXPECT_FALSE(tell(alice_, ack).has_value());
  EXPECT_EQ(heard_.acks, (std::vector<std::string>{"1", "2"}));
  Message anonymous = message(alice_);
  anonymous.from.reset();
  anonymous.please_ack = {""};
  anonymous.ack = {"3"};
  EXPECT_FALSE(tell(alice_, anonymous).has_value());
  EXPECT_TRUE(answers_.empty());
  EXPECT_EQ(heard_.acks.size(), 2U);  // Nobody knows who acknowledged that.
}

TEST_F(InboxTest, GivesAThreadUpAfterTooManyProblems) {
  for (std::uint32_t i = 0; i < limits::kThreadProblemsMax; ++i) {
    Message bad = message(alice_, kNonsense);
    bad.thid = "a-thread";
    EXPECT_FALSE(tell(alice_, bad).has_value());
    ASSERT_EQ(answers_.size(), i + 1);
    EXPECT_EQ(code_of_answer(i), "e.p.msg");
    EXPECT_EQ(answers_[i].pthid, "a-thread");
  }
  Message bad = message(alice_, kNonsense);
  bad.thid = "a-thread";
  EXPECT_FALSE(tell(alice_, bad).has_value());
  ASSERT_EQ(answers_.size(), limits::kThreadProblemsMax + 1);
  EXPECT_EQ(code_of_answer(limits::kThreadProblemsMax), protocol::kMaxErrorsExceeded);
  EXPECT_EQ(answers_.back().pthid, "a-thread");
  // Silence from now on, also for what would have been fine.
  bad.id = "one-more";
  EXPECT_FALSE(tell(alice_, bad).has_value());
  Message good = message(alice_);
  good.thid = "A-Thread";
  good.please_ack = {""};
  EXPECT_FALSE(tell(alice_, good).has_value());
  EXPECT_EQ(answers_.size(), limits::kThreadProblemsMax + 1);
  EXPECT_TRUE(heard_.ids.empty());
  // Other threads and other people are not concerned.
  good.id = "fresh";
  good.thid = "another-thread";
  EXPECT_FALSE(tell(alice_, good).has_value());
  good.thid = "a-thread";
  good.from = eve_.did;
  EXPECT_FALSE(tell(eve_, good).has_value());
  EXPECT_EQ(heard_.ids.size(), 2U);
}

TEST_F(InboxTest, GivesAThreadUpAfterTooManyReports) {
  const auto report = [&] {
    Message failed = message(alice_);
    failed.from = bob_did_;
    failed.to = {alice_.did};
    failed.id = "ours";
    Message told = protocol::make_problem_report(failed, {"e.m.msg", "no", {kWord}, std::nullopt},
                                                 world_.random, now());
    return tell(alice_, told);
  };
  for (std::uint32_t i = 0; i < limits::kThreadProblemsMax; ++i) {
    EXPECT_FALSE(report().has_value());
  }
  EXPECT_TRUE(answers_.empty());
  EXPECT_FALSE(report().has_value());
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_EQ(code_of_answer(0), protocol::kMaxErrorsExceeded);
  EXPECT_EQ(answers_[0].pthid, "ours");
  const std::size_t told = heard_.problems.size();
  EXPECT_FALSE(report().has_value());
  EXPECT_EQ(answers_.size(), 1U);
  EXPECT_EQ(heard_.problems.size(), told);
}

TEST_F(InboxTest, FollowsARotationOrAnEndOfARelationship) {
  Contact contact;
  contact.id = "c1";
  contact.name = "Alice";
  contact.my_did = bob_did_->text();
  contact.their_did = alice_.did.text();
  contact.state = ContactState::connected;
  bob_.edit([&](Host& host) { return protocol::save_contact(host, contact), true; });
  const auto stored = [&] {
    return bob_.look([](Host& host) { return *protocol::find_contact(host, "c1"); });
  };

  Message moved = message(eve_);  // Eve is Alice's new DID here.
  moved.from_prior =
      protocol::make_from_prior(alice_.signing, eve_.did, now(), world_.keys).value();
  EXPECT_FALSE(tell(eve_, moved).has_value());
  EXPECT_EQ(stored().their_did, eve_.did.text());
  EXPECT_EQ(stored().state, ContactState::connected);

  // The old DID has no say any more, not even to end the relationship.
  Message late = message(alice_);
  late.from.reset();
  late.from_prior =
      protocol::make_from_prior(alice_.signing, std::nullopt, now(), world_.keys).value();
  EXPECT_FALSE(tell(alice_, late).has_value());
  EXPECT_EQ(stored().state, ContactState::connected);

  Message end = message(eve_);
  end.from.reset();
  end.from_prior =
      protocol::make_from_prior(eve_.signing, std::nullopt, now(), world_.keys).value();
  EXPECT_FALSE(tell(eve_, end).has_value());
  EXPECT_EQ(stored().state, ContactState::ended);
  EXPECT_EQ(bob_.notices("connection-ended").size(), 1U);
}

TEST_F(InboxTest, TellsThePeerOfAnEnd) {
  Contact contact;
  contact.my_did = bob_did_->text();
  contact.their_did = alice_.did.text();
  bob_.edit([&](Host& host) { return protocol::announce_end(host, contact).has_value(); });
  net_.settle();
  ASSERT_EQ(answers_.size(), 1U);
  EXPECT_TRUE(protocol::is_empty(answers_[0]));
  EXPECT_FALSE(answers_[0].from.has_value());
  ASSERT_TRUE(answers_[0].from_prior.has_value());
  const auto rotation = bob_.look([&](Host& host) {
    protocol::KnownDids known(host);
    return protocol::verify_from_prior(*answers_[0].from_prior, std::nullopt, now(), known);
  });
  ASSERT_TRUE(rotation.has_value()) << rotation.error().detail;
  EXPECT_EQ(rotation->prior.text(), bob_did_->text());
  EXPECT_FALSE(rotation->next.has_value());
}

TEST_F(InboxTest, CannotEndARelationshipWhoseKeysAreGone) {
  Contact contact;
  contact.my_did = eve_.did.text();  // Not Bob's.
  contact.their_did = alice_.did.text();
  bob_.edit([&](Host& host) {
    EXPECT_EQ(protocol::announce_end(host, contact).error().code, Errc::not_found);
    return true;
  });
}

TEST_F(InboxTest, LeavesContactsWithALogToTheirLog) {
  const Did kith = Did::parse("did:kith:zSomething").value();
  Contact contact;
  contact.id = "c1";
  contact.name = "Alice";
  contact.my_did = bob_did_->text();
  contact.their_did = kith.text();
  contact.state = ContactState::connected;
  bob_.edit([&](Host& host) {
    protocol::save_contact(host, contact);
    protocol::follow_rotation(host, *bob_did_, {kith, std::nullopt, now(), "kid"});
    protocol::follow_rotation(host, *bob_did_, {kith, alice_.did, now(), "kid"});
    return true;
  });
  const Contact after = bob_.look([](Host& host) { return *protocol::find_contact(host, "c1"); });
  EXPECT_EQ(after.state, ContactState::connected);
  EXPECT_EQ(after.their_did, kith.text());
  EXPECT_EQ(bob_.audited("rotation.ignored").size(), 2U);
}

TEST_F(InboxTest, WipesKeptStaticHalvesWhenAKeyGoes) {
  EXPECT_FALSE(tell(alice_, message(alice_)).has_value());
  EXPECT_EQ(bob_.keys().kept_agreements(), 1U);
  bob_.edit([&](Host& host) {
    protocol::forget_key(host, protocol::did_peer2_kid(*bob_did_, 1));
    return true;
  });
  EXPECT_EQ(bob_.keys().kept_agreements(), 0U);
}

TEST_F(InboxTest, WipesKeptStaticHalvesWhenThePeerChangesItsKey) {
  const Did peer = Did::parse("did:example:peer").value();
  const auto document = [&](const PublicKey& key) {
    return to_json(
        *protocol::build_did_document(peer, {{"k", key, protocol::KeyUse::key_agreement}}, {}));
  };
  const PublicKey alices = alice_.recipients().front().key;
  const auto remember = [&](const PublicKey& key) {
    bob_.edit([&](Host& host) {
      protocol::remember_document(host, peer.text(), document(key));
      return true;
    });
  };
  remember(alices);
  EXPECT_FALSE(tell(alice_, message(alice_)).has_value());
  remember(alices);  // The same key again: nothing to wipe.
  EXPECT_EQ(bob_.keys().kept_agreements(), 1U);
  remember(eve_.recipients().front().key);
  EXPECT_EQ(bob_.keys().kept_agreements(), 0U);
}

TEST(MarkIndex, IsFullForOneSenderAndNotForOthers) {
  node::MarkIndex index;
  const Did alice = Did::parse("did:example:alice").value();
  const Did eve = Did::parse("did:example:eve").value();
  for (std::size_t i = 0; i < limits::kInboxMarksPerSenderMax; ++i) {
    EXPECT_FALSE(index.is_full(node::inbound_mark_id(eve, "next")));
    index.add(node::inbound_mark_id(eve, std::to_string(i)), {});
  }
  EXPECT_TRUE(index.is_full(node::inbound_mark_id(eve, "next")));
  EXPECT_FALSE(index.is_full(node::inbound_mark_id(alice, "next")));
  index.remove(node::inbound_mark_id(eve, "0"), {});
  EXPECT_FALSE(index.is_full(node::inbound_mark_id(eve, "next")));
}

TEST(MarkIndex, AnonymousMarksMakeRoomOldestFirst) {
  node::MarkIndex index;
  const auto id = [](std::size_t i) {
    return node::anonymous_mark_id({}, crypto::as_bytes(std::to_string(i)));
  };
  const auto time = [](std::size_t i) {
    return protocol::from_epoch_seconds(static_cast<std::int64_t>(i));
  };
  for (std::size_t i = 0; i < limits::kInboxMarksAnonymousMax; ++i) {
    EXPECT_FALSE(index.in_the_way_of(id(90000)).has_value());
    index.add(id(i), time(i));
  }
  EXPECT_FALSE(index.is_full(id(90000)));
  EXPECT_EQ(index.in_the_way_of(id(90000)), (node::MarkIndex::Dated{id(0), time(0)}));
  const Did alice = Did::parse("did:example:alice").value();
  EXPECT_FALSE(index.in_the_way_of(node::inbound_mark_id(alice, "1")).has_value());
  index.remove(id(0), time(0));
  EXPECT_FALSE(index.in_the_way_of(id(90000)).has_value());
  index.add(id(90000), time(90000));
  EXPECT_EQ(index.in_the_way_of(id(90001)), (node::MarkIndex::Dated{id(1), time(1)}));
}

}  // namespace
}  // namespace kith
