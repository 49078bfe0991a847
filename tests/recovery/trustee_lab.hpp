#pragma once

/// An owner, two trustees and a device over a network in memory. Owner and device are played by the
/// tests: their agents only record what they hear (Recorder), and send what the test says.

#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

#include "crypto/dleq.hpp"
#include "ledger/connection.hpp"
#include "protocol/audit_log.hpp"
#include "protocol/invitation.hpp"
#include "protocol/own_service.hpp"
#include "protocol/vault.hpp"
#include "recovery/dealing.hpp"
#include "recovery/heartbeat.hpp"
#include "recovery/trustee.hpp"
#include "recovery/trustee_session.hpp"
#include "recovery/trustee_share.hpp"
#include "tests/support/agents.hpp"
#include "tests/support/vectors.hpp"

namespace kith::recovery::testing {

using namespace std::chrono_literals;
using test::AgentBox;
using test::Fate;
using test::Network;
using test::text_of;

struct Heard {
  std::string type;  ///< Last part of the URI.
  JsonObject body;
  template <class V>
  void visit(V& v) {
    v("type", type), v("body", body);
  }
};

/// Takes all answers that owners and devices get, and keeps them in order.
class Recorder final : public Module {
 public:
  std::string_view name() const override { return "recorder"; }
  std::vector<std::string> message_types() const override {
    std::vector<std::string> types;
    for (const auto name : {"capability-request", "capability-decline", "share-prepared",
                            "share-busy", "share-held", "share-committed", "heartbeat-response"}) {
      types.push_back(type_uri("trustee", name));
    }
    for (const auto name :
         {"code-nonce", "challenge", "status", "locate", "partial", "notice", "vetoed"}) {
      types.push_back(type_uri("recovery", name));
    }
    return types;
  }
  Result<void> on_message(Host& host, const Inbound& inbound) override {
    keep(host, inbound.message.type.substr(inbound.message.type.rfind('/') + 1),
         inbound.message.body);
    return {};
  }
  void on_problem(Host& host, const Inbound&, const protocol::ProblemReport& report) override {
    keep(host, "problem", {{"code", report.args.size() > 1 ? report.args[1] : report.code}});
  }

 private:
  static void keep(Host& host, const std::string& type, const JsonObject& body) {
    save(host, "heard", protocol::numbered_id(host.list("heard").size()), Heard{type, body});
  }
};

/// A message of `from` in a unit of its own, as if its program had decided to.
inline void send_from(AgentBox& from, const std::string& own, const std::string& to,
                      const std::string& type, JsonObject body, const std::string& pthid = {}) {
  const bool sent = from.edit([&](Host& host) {
    Message message =
        protocol::new_message(type, host.random(), protocol::epoch_seconds(host.now()));
    message.from = Did::parse(own).value();
    message.to = {Did::parse(to).value()};
    if (!pthid.empty()) message.pthid = pthid;
    message.body = std::move(body);
    return protocol::send(host, std::move(message), {}).has_value();
  });
  ASSERT_TRUE(sent);
}

inline std::vector<JsonObject> heard(AgentBox& box, std::string_view type) {
  std::vector<JsonObject> bodies;
  for (Heard& one : box.all<Heard>("heard")) {
    if (one.type == type) bodies.push_back(std::move(one.body));
  }
  return bodies;
}
template <class Body>
Body last_heard(AgentBox& box, std::string_view type = Body::kName) {
  const auto bodies = heard(box, type);
  if (bodies.empty()) throw std::runtime_error("never heard " + std::string(type));
  return protocol::decode_body<Body>(bodies.back()).value();
}

inline Terms test_terms() {
  Terms terms;
  terms.waiting = WaitingClass::test_seconds;
  terms.override_days = 10;
  terms.contest_days = 30;
  return terms;
}

/// One set dealt by the owner over trustees "tina" and "theo", both needed.
struct DealtToTwo {
  struct {
    RecoveryRecord record;
    std::vector<TrusteeLeaf> trustees;
  } set;
  Bytes change_id[2];
  Bytes challenge[2];
};

struct Lab {
  explicit Lab(std::uint64_t seed = 5) : net(seed) {}

  Network net;
  AgentBox& owner = net.add("olga", test::modules<ledger::Connection, Recorder>());
  AgentBox& tina = net.add("tina", test::modules<ledger::Connection, Trustee, TrusteeSessions>());
  AgentBox& theo = net.add("theo", test::modules<ledger::Connection, Trustee, TrusteeSessions>());
  AgentBox& phone = net.add("phone", test::modules<Recorder>());
  DealtToTwo dealt;
  Terms terms = test_terms();
  std::string question;

  Contact contact(AgentBox& of, std::string_view name) {
    return of.look([&](Host& host) { return protocol::contact_named(host, name).value(); });
  }
  void connect(AgentBox& trustee, const std::string& name) {
    const auto invited = owner.command("invite", {{"name", name}});
    ASSERT_TRUE(invited.has_value());
    const auto accepted =
        trustee.command("accept", {{"url", text_of(*invited, "url")}, {"name", "Olga"}});
    ASSERT_TRUE(accepted.has_value());
    net.run_for(10s);
    ASSERT_EQ(contact(owner, name).state, ContactState::connected);
  }
  /// To the trustee over the relationship.
  void say(const std::string& trustee, std::string_view name, JsonObject body,
           std::string_view protocol = "trustee") {
    const Contact to = contact(owner, trustee);
    send_from(owner, to.my_did, to.their_did, type_uri(protocol, name), std::move(body));
    net.settle();
  }
  void offer(const std::string& trustee, const std::string& id) {
    say(trustee, CapabilityOffer::kName,
        protocol::encode_body(CapabilityOffer{id, {"RECOVERY_SHARE"}, "Please."}));
  }

  /// Deals anew; nothing is sent.
  DealtToTwo deal() {
    DealtToTwo made = owner.edit([&](Host& host) {
      DealtToTwo result;
      const auto agent = host.keys().generate(KeyType::ed25519, KeyPurpose::agent).value();
      const auto vault = protocol::open_vault(host, owner.step_up()).value();
      SetInput input;
      input.plan =
          flat_plan(2, {{HolderKind::trustee, "tina"}, {HolderKind::trustee, "theo"}}).value();
      std::vector<SealedKey> signing;
      signing.reserve(2);
      protocol::KnownDids known(host);
      protocol::OwnSecrets secrets(host);
      for (const auto* name : {"tina", "theo"}) {
        const Contact to = protocol::contact_named(host, name).value();
        const auto theirs = known.resolve(Did::parse(to.their_did).value()).value();
        const auto mine = known.resolve(Did::parse(to.my_did).value()).value();
        signing.push_back(*secrets.find(mine.authentication_keys().front().kid));
        LeafInput leaf;
        leaf.trustee_key = theirs.agreement_keys().front().key;
        leaf.owner_key = &signing.back();
        leaf.terms = terms;
        leaf.question = question;
        leaf.locations.push_back({"did:peer:2.Somewhere", random_id<Token>(host.random())});
        input.leaves.emplace_back(std::move(leaf));
      }
      input.policy_address = "did:kith:zQmPolicyOfOlga";
      input.ledger_descriptors = {R"({"kind":"leveldb"})"};
      input.vault = protocol::vault_lock(host)->public_key;
      input.unlocked_vault = &vault;
      input.agent_key = &agent.sealed;
      input.agent = agent.public_key;
      input.mode = TestMode::on;
      input.now = host.now();
      auto made_set = make_set(input, host.keys(), host.random());
      if (!made_set.has_value()) throw std::runtime_error(made_set.error().detail);
      result.set.record = std::move(made_set->record);
      result.set.trustees = std::move(made_set->trustees);
      for (std::size_t i = 0; i < 2; ++i) {
        result.change_id[i] = host.random().bytes(16);
        result.challenge[i] = host.random().bytes(kHeartbeatChallengeBytes);
      }
      return result;
    });
    return made;
  }
  [[nodiscard]] SharePrepare prepare_of(const DealtToTwo& from, std::size_t i) const {
    return SharePrepare{from.change_id[i], from.set.trustees[i].wire, from.challenge[i]};
  }
  [[nodiscard]] ShareChange change_of(const DealtToTwo& from, std::size_t i) const {
    const auto& leaf = from.set.record.leaves[i];
    return {from.change_id[i], crypto::to_bytes(leaf.record_id), leaf.version, {}};
  }
  void prepare(const DealtToTwo& from, std::size_t i) {
    say(i == 0 ? "tina" : "theo", SharePrepare::kName, protocol::encode_body(prepare_of(from, i)));
  }
  void commit(const DealtToTwo& from, std::size_t i) {
    say(i == 0 ? "tina" : "theo", ShareChange::kCommit, protocol::encode_body(change_of(from, i)));
  }

  /// Connected, accepted, and with a committed share each.
  void set_up() {
    connect(tina, "tina");
    connect(theo, "theo");
    offer("tina", "offer-1");
    offer("theo", "offer-2");
    ASSERT_TRUE(tina.command("trustee-accept", {{"id", "offer-1"}}).has_value());
    ASSERT_TRUE(theo.command("trustee-accept", {{"id", "offer-2"}}).has_value());
    net.settle();
    dealt = deal();
    for (std::size_t i = 0; i < 2; ++i) {
      prepare(dealt, i);
      commit(dealt, i);
    }
    ASSERT_EQ(heard(owner, "share-committed").size(), 2U);
  }

  Trusteeship held_by_tina() {
    const Contact olga = contact(tina, "Olga");
    return tina.look([&](Host& host) { return *find_trusteeship(host, olga.id); });
  }
};

/// A device that recovers with one trustee, step by step.
struct TestDevice {
  TestDevice(Lab& lab_, AgentBox& trustee_) : lab(lab_), trustee(trustee_) {}

  Lab& lab;
  AgentBox& trustee;
  Invitation invitation{{}, Did::parse("did:key:none").value(), {}, {}, {}, {}, {}, {}};
  std::string own;
  SessionId id{};
  KeyPair key;
  CodeNonce nonce{};
  CodeTranscript transcript;
  ShortCodes codes;
  PartialRequest points;

  [[nodiscard]] std::string name() const { return crypto::hex(id); }
  void send(std::string_view type, JsonObject body) {
    send_from(lab.phone, own, invitation.from.text(), type_uri("recovery", type), std::move(body),
              invitation.id);
    lab.net.settle();
  }
  void invite() {
    const auto made = trustee.command("trustee-invite", {{"contact", "Olga"}});
    ASSERT_TRUE(made.has_value()) << made.error().detail;
    invitation = *protocol::parse_invitation_url(text_of(*made, "url")).value().invitation;
  }
  /// Fresh keys and ids for a session over the same invitation.
  void renew() {
    own = lab.phone.edit([&](Host& host) {
      id = random_id<SessionId>(host.random());
      nonce = random_id<CodeNonce>(host.random());
      key = host.keys().generate(KeyType::x25519, KeyPurpose::session).value();
      points.session_id = crypto::to_bytes(id);
      points.points.clear();
      for (int i = 0; i < 2; ++i) {
        const auto scalar = Scalar::random(host.random());
        points.points.push_back(crypto::to_bytes(Point::base_times(scalar).value().bytes()));
      }
      return ledger::make_one_time_did(host, {protocol::own_service(host).value()}).value().text();
    });
    transcript = {invitation.id, id, key.public_key, connection_key(invitation.from).value()};
  }
  void request() {
    send(SessionRequest::kName, protocol::encode_body(SessionRequest{
                                    crypto::to_bytes(id), key.public_key, "my new phone"}));
  }
  void code_commit() {
    send(CodeStep::kCommit,
         protocol::encode_body(
             CodeStep{crypto::to_bytes(id), crypto::to_bytes(code_commitment(nonce, transcript))}));
  }
  void code_reveal() {
    const auto answer = last_heard<CodeStep>(lab.phone, CodeStep::kNonce);
    CodeNonce theirs{};
    ASSERT_EQ(answer.value.size(), theirs.size());
    std::copy(answer.value.begin(), answer.value.end(), theirs.begin());
    codes = short_codes(transcript, nonce, theirs);
    send(CodeStep::kReveal,
         protocol::encode_body(CodeStep{crypto::to_bytes(id), crypto::to_bytes(nonce)}));
  }
  void begin() {
    invite();
    renew();
    request();
    code_commit();
    code_reveal();
    ASSERT_EQ(state(), "coded");
  }
  /// The device's user types what the trustee reads out.
  void type(const std::string& code) {
    send(CodeTyped::kName, protocol::encode_body(CodeTyped{crypto::to_bytes(id), code}));
  }
  Result<JsonObject> approve(const std::string& code, const std::string& verified = "voice",
                             const std::string& contact = "Olga") {
    auto result = trustee.command(
        "trustee-approve",
        {{"id", name()}, {"contact", contact}, {"code", code}, {"verified", verified}});
    lab.net.settle();
    return result;
  }
  void get_approved() {
    begin();
    type(codes.shown_by_trustee);
    const auto approved = approve(codes.shown_by_device);
    ASSERT_TRUE(approved.has_value()) << approved.error().detail;
    ASSERT_EQ(state(), "approved");
  }
  void ask() { send(PartialRequest::kName, protocol::encode_body(points)); }
  void veto() {
    lab.say("tina", SessionRef::kVeto, protocol::encode_body(SessionRef{crypto::to_bytes(id), {}}),
            "recovery");
  }
  Result<JsonObject> confirm(const std::string& verified = "in-person") {
    auto result = trustee.command("trustee-confirm", {{"id", name()}, {"verified", verified}});
    lab.net.settle();
    return result;
  }

  Session session() {
    return trustee.look([&](Host& host) { return *load<Session>(host, "session", name()); });
  }
  std::string state() { return std::string(state_name(session().state)); }
  std::size_t answers() { return heard(lab.phone, "partial").size(); }
  std::string problem() {
    const auto problems = heard(lab.phone, "problem");
    return problems.empty() ? "" : text_of(problems.back(), "code");
  }
  /// The newest answers, opened and with every proof checked.
  std::vector<LeafAnswer> open() {
    const auto reply = last_heard<PartialReply>(lab.phone);
    EXPECT_TRUE(crypto::verify(reply.signer, answers_statement(id, key.public_key, reply.box),
                               reply.signature)
                    .has_value());
    std::vector<LeafAnswer> opened;
    for (const Bytes& raw : open_answers(reply.box, id, key.sealed, lab.phone.keys()).value()) {
      LeafAnswer answer = read_answer(raw).value();
      const Bytes statement =
          partial_statement(answer.record_id, answer.version, id, key.public_key);
      for (std::size_t i = 0; i < answer.partials.size(); ++i) {
        const crypto::DleqPoints proved{answer.share_point, Point::parse(points.points[i]).value(),
                                        answer.partials[i]};
        EXPECT_TRUE(crypto::verify_dleq(proved, statement, answer.proofs[i]).has_value());
      }
      opened.push_back(std::move(answer));
    }
    return opened;
  }
};

}  // namespace kith::recovery::testing
