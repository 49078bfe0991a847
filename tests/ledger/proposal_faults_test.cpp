/// Devices and contacts that lie, forge, repeat and flood: every check with what it is there for.

#include "tests/ledger/proposal_lab.hpp"

#include "ledger/proposal_limits.hpp"

namespace kith::test {
namespace {

using namespace std::chrono_literals;
using ledger::ApproveBody;
using ledger::OutcomeBody;
using ledger::Policy;
using ledger::ProposalMail;
using ledger::RejectBody;
namespace limit = ledger::proposal_limits;

class ProposalFaultsTest : public DeviceLab {
 protected:
  /// What the laptop refuses a raw proposal of the phone for; "taken" if it does not.
  std::string verdict(const Entry& entry, std::string reason = {}, Duration life = 1h) {
    const std::size_t before = refusals(laptop_).size();
    const std::size_t kept = count(laptop_);
    send_raw(phone_, laptop_, entry, std::move(reason), life);
    const auto after = refusals(laptop_);
    if (after.size() > before) {
      EXPECT_EQ(count(laptop_), kept);
      return after.back();
    }
    EXPECT_EQ(count(laptop_), kept + 1);
    return "taken";
  }
  Entry of_phone(const Change& change) { return signed_by(phone_, next_entry(phone_, change)); }
  ProposalMail mail(AgentBox& from, AgentBox& to) {
    return {contact(from, to.name()), {}, net_.now() + 1h};
  }
  /// The friend has a wallet of his own, and an agent key.
  AgentBox& friend_with_key() {
    if (!friend_.look([](Host& host) { return ledger::own_agent_key(host).has_value(); })) {
      static_cast<void>(new_agent(friend_));
    }
    return friend_;
  }
  /// As it stands.
  static Result<std::string> send_json(Host& host, std::string_view type, JsonObject body,
                                       const std::string& receiver = "laptop", Duration life = 1h) {
    Message message =
        protocol::new_message(type, host.random(), protocol::epoch_seconds(host.now()));
    const Contact to = must(protocol::contact_named(host, receiver));
    message.from = must(Did::parse(to.my_did));
    message.to = {must(Did::parse(to.their_did))};
    message.expires_time = protocol::epoch_seconds(host.now() + life);
    message.body = std::move(body);
    return protocol::send(host, std::move(message), {});
  }
  template <class Body>
  static Result<std::string> send_body(Host& host, std::string_view type, const Body& body,
                                       const std::string& receiver = "laptop", Duration life = 1h) {
    return send_json(host, type, protocol::encode_body(body), receiver, life);
  }
  /// A proposal of the phone to the laptop, with the phone's proof.
  ledger::ProposeBody proven(const Entry& entry) {
    const Did phone = must(Did::parse(contact(phone_, "laptop").my_did));
    const Did laptop = must(Did::parse(contact(phone_, "laptop").their_did));
    ledger::ProposeBody body{ledger::entry_blob(entry), {}, key_of(phone_), {}};
    const KeyPair key = phone_.look([](Host& host) { return must(ledger::own_agent_key(host)); });
    body.proof = must(phone_.keys().sign(
        key.sealed, ledger::proof_statement(ledger::kPolicyPropose, phone, laptop,
                                            protocol::encode_body(body))));
    return body;
  }
  /// Hash of the one that was closed first.
  std::string must_first_closed() {
    return laptop_.look([](Host& host) {
      const auto all = ledger::list_proposals(host);
      return std::ranges::min_element(all, {}, &ledger::Proposal::closed)->hash;
    });
  }
  std::string hash_of(AgentBox& box, const std::string& id) {
    return text(shown(box, id), "entry");
  }
  Entry entry_of(AgentBox& box, const std::string& id) {
    return box.look([&](Host& host) {
      return must(ledger::parse_entry(must(ledger::proposal_named(host, id)).blob));
    });
  }
  ApproveBody approval(AgentBox& signer, const Entry& entry) {
    Entry bare = entry;
    bare.sigs.clear();
    const Entry one = signed_by(signer, bare);
    return {ledger::entry_hash(entry), {{one.sigs[0].k, one.sigs[0].s}}, {}, {}};
  }
};

TEST_F(ProposalFaultsTest, WordsComeFromTheEntryAndNotFromTheProposer) {
  const std::string laptop_key = key_of(laptop_);
  const Entry entry = of_phone([&](Policy& policy) {
    std::erase_if(policy.agents, [&](const auto& agent) { return agent.key == laptop_key; });
    policy.agents[0].label = "x\". Adds nothing.\x1b[2J";
  });
  EXPECT_EQ(verdict(entry, "only a new name for the phone"), "taken");
  const auto seen = shown(laptop_, ledger::proposal_id(ledger::entry_hash(entry)));
  const auto changes = texts(seen, "changes");
  ASSERT_EQ(changes.size(), 2U);
  EXPECT_EQ(changes[0], "Labels agent " + key_of(phone_) +
                            " (phone) \"x'. Adds nothing.?[2J\", for everybody to see.");
  EXPECT_EQ(changes[1], "Removes agent " + laptop_key +
                            " (this device), which may do: PROVE, PROVE_GRANT, PROVE_REVOKE, "
                            "ADMIN.");
  const auto warnings = texts(seen, "warnings");
  ASSERT_EQ(warnings.size(), 2U);
  EXPECT_NE(warnings[0].find("every one of the 2 administrators"), std::string::npos);
  EXPECT_EQ(warnings[1], "Afterwards this device is no administrator.");
}

TEST_F(ProposalFaultsTest, RefusesWhatWouldEndTheQuorum) {
  EXPECT_EQ(verdict(of_phone([](Policy& policy) { policy.rules["admin"] = 4; })), "policy.refused");
  EXPECT_EQ(verdict(of_phone([](Policy& policy) {
              policy.agents.erase(policy.agents.begin() + 1, policy.agents.end());
            })),
            "policy.refused");
  EXPECT_EQ(verdict(of_phone([](Policy& policy) { policy.rules["admin"] = 3; })), "taken");
}

TEST_F(ProposalFaultsTest, RefusesWhatDoesNotFollowItsOwnHead) {
  Entry stale = next_entry(phone_, rename_set);
  const Entry good = stale;
  stale.n = 1;
  stale.prev = view(phone_).history[0].hash;
  EXPECT_EQ(verdict(signed_by(phone_, stale)), "conflict");
  Entry other_head = good;
  other_head.prev = view(phone_).history[0].hash;
  EXPECT_EQ(verdict(signed_by(phone_, other_head)), "conflict");
  Entry genesis_again = *view(phone_).history[0].entry;
  EXPECT_EQ(verdict(genesis_again), "conflict");
  EXPECT_EQ(verdict(signed_by(phone_, good)), "taken");
}

TEST_F(ProposalFaultsTest, RefusesMoreThanTheStateAndNothingAtAll) {
  const Entry good = some_entry(phone_);
  Entry other = good;
  other.content->rec.delay = 1s;
  EXPECT_EQ(verdict(signed_by(phone_, other)), "log.invalid");
  other = good;
  other.content->ledgers = {"L9"};
  EXPECT_EQ(verdict(signed_by(phone_, other)), "log.invalid");
  other = good;
  other.content->keys.k = {key_of(phone_)};
  EXPECT_EQ(verdict(signed_by(phone_, other)), "log.invalid");
  other = must(ledger::make_deactivate(view(phone_), ledger::anchor_time(net_.now())));
  EXPECT_EQ(verdict(signed_by(phone_, other)), "input.unsupported");
  EXPECT_EQ(verdict(of_phone([](Policy&) {})), "policy.refused");
  EXPECT_EQ(verdict(of_phone([](Policy& policy) { policy.agents[0].auth |= 1U << 20U; })),
            "policy.refused");
  EXPECT_EQ(
      verdict(of_phone([](Policy& policy) { policy.agents[0].label = std::string(101, 'x'); })),
      "input.limit");
}

TEST_F(ProposalFaultsTest, RefusesSignaturesThatAreNotWhatTheySay) {
  Entry entry = of_phone(rename_set);
  entry.sigs[0].s[5] ^= 1;
  EXPECT_EQ(verdict(entry), "crypto.signature");
  const Entry foreign = signed_by(friend_with_key(), some_entry(phone_));
  EXPECT_EQ(verdict(foreign), "policy.refused");
}

TEST_F(ProposalFaultsTest, RefusesEndsAndReasonsOutOfBounds) {
  const Entry entry = of_phone(rename_set);
  EXPECT_EQ(verdict(entry, std::string(501, 'x')), "input.limit");
  EXPECT_EQ(verdict(entry, "a\nb"), "input.malformed");
  EXPECT_EQ(verdict(entry, {}, limit::kLifeMax + 24h), "input.limit");
  EXPECT_EQ(verdict(entry, "ok", limit::kLifeMax), "taken");
}

TEST_F(ProposalFaultsTest, ExpiredOnItsWayIsRefusedOrNeverOpened) {
  net_.fate = [](const Packet&) { return Fate::fails; };
  const std::size_t before = count(laptop_);
  send_raw(phone_, laptop_, of_phone(rename_set), {}, 1min);
  net_.run_for(2min);
  net_.fate = nullptr;
  net_.run_for(2h);
  EXPECT_EQ(count(laptop_), before);
}

TEST_F(ProposalFaultsTest, ExpiredOnArrivalIsNotTaken) {
  const auto body = proven(of_phone(rename_set));
  const auto send_for = [&](Duration life) {
    send_as(phone_, [&](Host& host) {
      return send_body(host, ledger::kPolicyPropose, body, "laptop", life);
    });
  };
  send_for(-1min);  // No envelope is opened after its end; the module would refuse it, too.
  EXPECT_EQ(count(laptop_), 0U);
  send_for(1min);
  EXPECT_EQ(count(laptop_), 1U);
}

TEST_F(ProposalFaultsTest, ContactsWhoAreNoAgentsGetNowhere) {
  static_cast<void>(friend_with_key());
  // A friend who got hold of a whole proposal and passes it on in his own name.
  send_raw(friend_, laptop_, of_phone(rename_set));
  EXPECT_EQ(refusals(laptop_), Codes{"policy.refused"});
  EXPECT_EQ(count(laptop_), 0U);
  // With the phone's name on it, he lacks its proof; with a proof for someone else's eyes, too.
  const auto body = proven(of_phone(rename_set));
  send_as(friend_, [&](Host& host) { return send_body(host, ledger::kPolicyPropose, body); });
  EXPECT_EQ(refusals(laptop_).back(), "crypto.signature");
  EXPECT_EQ(count(laptop_), 0U);
}

TEST_F(ProposalFaultsTest, StrangeBodiesDoNoHarm) {
  for (const std::string_view type : {ledger::kPolicyPropose, ledger::kPolicyApprove,
                                      ledger::kPolicyReject, ledger::kPolicyOutcome}) {
    for (const JsonObject& body :
         {JsonObject{}, JsonObject{{"entry", 1.5}}, JsonObject{{"entry", "AAAA"}, {"x", 1.5}},
          JsonObject{{"entry", "zQm"}, {"signatures", JsonArray{1.5}}}}) {
      send_as(friend_, [&](Host& host) { return send_json(host, type, body); });
    }
  }
  EXPECT_EQ(refusals(laptop_).size(), 16U);
  EXPECT_EQ(count(laptop_), 0U);
  EXPECT_TRUE(laptop_.notices("alarm").empty());
}

TEST_F(ProposalFaultsTest, WithoutASayNothingIsTakenOrSigned) {
  // The phone may only prove from now on.
  append(signed_by(laptop_, signed_by(tablet_, next_entry(laptop_, [&](Policy& policy) {
                                        policy.agents[1].auth = ledger::auth::kProve;
                                      }))));
  for (AgentBox* box : devices()) {
    ASSERT_TRUE(net_.run_until([&] { return view(*box).n() == 2; }, 2h));
  }
  EXPECT_EQ(verdict(some_entry(phone_)), "policy.refused");
  EXPECT_EQ(phone_
                .command("policy-propose",
                         {{"rule", {{"revoke", "2"}}}, {"to", JsonArray{"laptop"}}}, true)
                .error(),
            Errc::refused);
  const std::string id = propose();
  EXPECT_EQ(state(phone_, id), "open");                   // It sees what happens,
  EXPECT_EQ(approve(phone_, id).error(), Errc::refused);  // and has no say.
  // What it may always do: give up what is its own.
  EXPECT_EQ(verdict(of_phone([](Policy& policy) { policy.agents[1].auth = 0; })), "taken");
}

TEST_F(ProposalFaultsTest, SignaturesThatDoNotVerifyAreDroppedAndTheirSenderNamed) {
  const std::string id = propose();
  const Entry entry = entry_of(laptop_, id);
  ApproveBody bad = approval(phone_, entry);
  bad.signatures[0].s[9] ^= 1;
  send_as(phone_,
          [&](Host& host) { return ledger::send_approve(host, mail(phone_, laptop_), bad); });
  EXPECT_EQ(state(laptop_, id), "open");
  EXPECT_EQ(entry_of(laptop_, id).sigs.size(), 1U);
  ASSERT_EQ(laptop_.notices("alarm").size(), 1U);
  EXPECT_TRUE(laptop_.notices("alarm")[0].starts_with("phone answered " + id));
  // Said once, however often it comes.
  send_as(phone_,
          [&](Host& host) { return ledger::send_approve(host, mail(phone_, laptop_), bad); });
  EXPECT_EQ(laptop_.notices("alarm").size(), 1U);
  EXPECT_EQ(laptop_.audited("policy.bad-answer").size(), 2U);
  // A signature of who has no say, and one of the laptop's own.
  ApproveBody foreign = approval(friend_with_key(), entry);
  foreign.signatures.push_back({entry.sigs[0].k, entry.sigs[0].s});
  send_as(tablet_,
          [&](Host& host) { return ledger::send_approve(host, mail(tablet_, laptop_), foreign); });
  EXPECT_EQ(state(laptop_, id), "open");
  EXPECT_EQ(laptop_.notices("alarm").size(), 2U);
  // The same device may still do it right.
  must(approve(tablet_, id));
  EXPECT_TRUE(net_.run_until([&] { return state(laptop_, id) == "posted"; }));
}

TEST_F(ProposalFaultsTest, AnswersNeedTheProofOfTheirAgent) {
  const std::string id = propose();
  const std::string hash = hash_of(laptop_, id);
  RejectBody forged{hash, "no", {}, key_of(tablet_), Bytes(64, 1)};
  send_as(phone_, [&](Host& host) { return send_body(host, ledger::kPolicyReject, forged); });
  EXPECT_TRUE(laptop_.notices("policy-answer").empty());
  EXPECT_EQ(laptop_.notices("alarm").size(), 1U);
  // Who was not asked hears that there is nothing by that name.
  send_as(friend_, [&](Host& host) {
    return send_body(host, ledger::kPolicyReject, RejectBody{hash, "no", {}, {}, {}});
  });
  EXPECT_EQ(refusals(laptop_), Codes{"not_found"});
  EXPECT_EQ(state(laptop_, id), "open");
}

TEST_F(ProposalFaultsTest, RepeatedAndLateAnswersChangeNothing) {
  const std::string id = propose();
  const Entry entry = entry_of(laptop_, id);
  const auto again = [&] {
    send_as(phone_, [&](Host& host) {
      return ledger::send_approve(host, mail(phone_, laptop_), approval(phone_, entry));
    });
  };
  ledger_up_ = false;
  again();
  EXPECT_EQ(state(laptop_, id), "handed-in");
  again();
  ledger_up_ = true;
  ASSERT_TRUE(net_.run_until([&] { return state(laptop_, id) == "posted"; }, 2h));
  again();
  send_as(phone_, [&](Host& host) {
    return ledger::send_reject(host, mail(phone_, laptop_),
                               {ledger::entry_hash(entry), {}, {}, {}, {}});
  });
  EXPECT_EQ(state(laptop_, id), "posted");
  EXPECT_EQ(view(laptop_).n(), 2U);
  EXPECT_EQ(view(laptop_).head().entry->sigs.size(), 2U);
  EXPECT_TRUE(refusals(laptop_).empty());
  // The proposal once more: its place is taken.
  send_raw(laptop_, phone_, entry);
  ASSERT_TRUE(net_.run_until([&] { return state(phone_, id) == "posted"; }, 2h));
  EXPECT_EQ(count(phone_), 1U);
}

TEST_F(ProposalFaultsTest, AnApprovalStandsWhatComesAfterIt) {
  const std::string id = propose({{"grant", {{new_agent(friend_), "ADMIN"}}}});
  const Entry entry = entry_of(laptop_, id);
  send_as(phone_, [&](Host& host) {
    return ledger::send_reject(host, mail(phone_, laptop_),
                               {ledger::entry_hash(entry), "no", {}, {}, {}});
  });
  EXPECT_EQ(state(laptop_, id), "open");
  send_as(phone_, [&](Host& host) {
    return ledger::send_approve(host, mail(phone_, laptop_), approval(phone_, entry));
  });
  EXPECT_TRUE(net_.run_until([&] { return state(laptop_, id) == "posted"; }));
  const auto answers = shown(laptop_, id).at("answers").get_array();
  ASSERT_EQ(answers.size(), 1U);
  EXPECT_EQ(answers[0].get_object().at("answer"), "approved");
}

TEST_F(ProposalFaultsTest, ANoAfterAnApprovalTakesNothingBack) {
  const std::string all = propose({{"rule", {{"admin", "3"}}}});
  must(approve(phone_, all));
  ASSERT_TRUE(net_.run_until([&] { return state(tablet_, all) == "posted"; }, 2h));
  const std::string id = propose();
  const std::string hash = hash_of(laptop_, id);
  must(approve(phone_, id));
  net_.settle();
  send_as(phone_, [&](Host& host) {
    return ledger::send_reject(host, mail(phone_, laptop_), {hash, "no", {}, {}, {}});
  });
  EXPECT_EQ(state(laptop_, id), "open");
  must(approve(tablet_, id));
  EXPECT_TRUE(net_.run_until([&] { return state(laptop_, id) == "posted"; }, 2h));
}

TEST_F(ProposalFaultsTest, OneDeviceSignsOneEntryForAPlace) {
  const std::string id = propose();
  const auto other = must(tablet_.command(
      "policy-propose", {{"rule", {{"grant", "2"}}}, {"to", JsonArray{"phone"}}}, true));
  net_.settle();
  const std::string second = text(other, "id");
  must(approve(phone_, id));
  EXPECT_EQ(approve(phone_, second).error(), Errc::conflict);
  ASSERT_TRUE(net_.run_until([&] { return state(phone_, second) == "overtaken"; }, 2h));
  EXPECT_TRUE(net_.run_until([&] { return state(tablet_, second) == "overtaken"; }, 2h));
  for (AgentBox* box : devices()) {
    const bool evidence = view(*box).duplicity_count > 0;
    EXPECT_FALSE(evidence);
  }
}

TEST_F(ProposalFaultsTest, OpenProposalsAreCounted) {
  for (std::size_t i = 0; i < limit::kOpenPerSenderMax; ++i) {
    EXPECT_EQ(verdict(of_phone([i](Policy& policy) { policy.set = "set-" + std::to_string(i); })),
              "taken");
  }
  EXPECT_EQ(verdict(of_phone(rename_set)), "input.limit");
  // Another sender has room; what was declined makes room.
  send_raw(tablet_, laptop_, signed_by(tablet_, some_entry(tablet_)));
  EXPECT_EQ(count(laptop_), limit::kOpenPerSenderMax + 1);
  const auto first = of_phone([](Policy& policy) { policy.set = "set-0"; });
  must(laptop_.command("policy-reject", {{"id", ledger::proposal_id(ledger::entry_hash(first))}}));
  EXPECT_EQ(verdict(of_phone([](Policy& policy) { policy.set = "room"; })), "taken");
}

TEST_F(ProposalFaultsTest, ClosedOnesAreForgottenInTheEnd) {
  for (std::size_t i = 0; i < limit::kClosedKept + 5; ++i) {
    ASSERT_EQ(verdict(of_phone([i](Policy& policy) { policy.set = "set-" + std::to_string(i); })),
              "taken");
    const auto listed = must(laptop_.command("policy-proposals"));
    must(laptop_.command("policy-reject",
                         {{"id", listed.at("proposals").get_array()[0].get_object().at("id")}}));
    net_.run_for(1s);
    if (count(laptop_) == limit::kClosedKept) break;
  }
  const std::string last = ledger::proposal_id(must_first_closed());
  EXPECT_EQ(verdict(of_phone([](Policy& policy) { policy.set = "more"; })), "taken");
  const auto listed = must(laptop_.command("policy-proposals"));
  for (const Json& one : listed.at("proposals").get_array()) {
    if (text(one.get_object(), "state") != "open") continue;
    must(laptop_.command("policy-reject", {{"id", one.get_object().at("id")}}));
  }
  EXPECT_EQ(count(laptop_), limit::kClosedKept);
  EXPECT_EQ(state(laptop_, last), "none");
}

TEST_F(ProposalFaultsTest, OnlyTheProposerTellsWhatBecameOfIt) {
  const std::string id = propose();
  const std::string hash = hash_of(phone_, id);
  // The tablet is an agent too, but it did not propose this.
  send_as(tablet_, [&](Host& host) {
    return ledger::send_outcome(host, mail(tablet_, phone_), {hash, "withdrawn", {}, {}});
  });
  EXPECT_EQ(state(phone_, id), "open");
  EXPECT_EQ(refusals(phone_), Codes{"not_found"});
  // The laptop's own connection does not do without its agent's proof.
  send_as(laptop_, [&](Host& host) {
    const OutcomeBody forged{hash, "withdrawn", key_of(laptop_), Bytes(64, 1)};
    return send_body(host, ledger::kPolicyOutcome, forged, "phone");
  });
  EXPECT_EQ(state(phone_, id), "open");
  EXPECT_EQ(refusals(phone_).back(), "crypto.signature");
  // Nor is it believed that an entry is posted before it is seen.
  for (const char* outcome : {"posted", "overtaken", "moon"}) {
    send_as(laptop_, [&](Host& host) {
      return ledger::send_outcome(host, mail(laptop_, phone_), {hash, outcome, {}, {}});
    });
    net_.run_for(1min);
    EXPECT_EQ(state(phone_, id), "open");
  }
  send_as(laptop_, [&](Host& host) {
    return ledger::send_outcome(host, mail(laptop_, phone_), {hash, "withdrawn", {}, {}});
  });
  EXPECT_EQ(state(phone_, id), "withdrawn");
}

TEST_F(ProposalFaultsTest, WhatWasWithdrawnAndComesAllTheSameRaisesTheAlarm) {
  const std::string id = propose({{"grant", {{new_agent(friend_), "ADMIN"}}}});
  phone_.set_online(false);
  net_.run_for(1min);
  phone_.set_online(true);
  net_.fate = [this](const Packet& packet) {
    return packet.from == &phone_ ? Fate::fails : Fate::arrives;
  };
  must(approve(phone_, id));
  const Entry entry = entry_of(phone_, id);
  must(laptop_.command("policy-reject", {{"id", id}}));
  net_.settle();
  EXPECT_EQ(state(phone_, id), "withdrawn");
  append(entry);  // Two signatures: whoever has them can post it.
  ASSERT_TRUE(net_.run_until([&] { return !phone_.notices("alarm").empty(); }, 2h));
  EXPECT_EQ(state(phone_, id), "posted");
}

TEST_F(ProposalFaultsTest, WaitingOnesAreJudgedWhenTheirTimeComes) {
  phone_.set_online(false);
  append(signed_by(laptop_, signed_by(tablet_, some_entry(laptop_))));
  ASSERT_TRUE(net_.run_until([&] { return view(laptop_).n() == 2; }, 2h));
  ledger_up_ = false;
  phone_.set_online(true);
  Entry bad = next_entry(laptop_, [](Policy& policy) { policy.set = "third"; });
  bad.content->rec.delay = 1s;
  bad = signed_by(laptop_, bad);
  const std::string id = ledger::proposal_id(ledger::entry_hash(bad));
  send_raw(laptop_, phone_, bad);
  EXPECT_EQ(state(phone_, id), "waiting");
  ledger_up_ = true;
  ASSERT_TRUE(net_.run_until([&] { return state(phone_, id) == "invalid"; }, 2h));
  EXPECT_TRUE(phone_.notices("policy-proposal").empty());
}

TEST_F(ProposalFaultsTest, TheProposerHearsWhoRefused) {
  // The tablet is ahead: what the laptop proposes is stale there.
  const Entry taken = signed_by(phone_, signed_by(tablet_, some_entry(tablet_)));
  laptop_.set_online(false);
  append(taken);
  ASSERT_TRUE(net_.run_until([&] { return view(tablet_).n() == 2; }, 2h));
  ledger_up_ = false;
  laptop_.set_online(true);
  const std::string id = propose({{"rule", {{"revoke", "2"}}}, {"to", JsonArray{"tablet"}}});
  net_.run_for(1min);
  const auto asked = shown(laptop_, id).at("asked").get_array()[0].get_object();
  EXPECT_EQ(text(asked, "problem"), "conflict");
}

}  // namespace
}  // namespace kith::test
