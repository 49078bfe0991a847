#include "recovery/signed_times.hpp"

#include "protocol/messenger.hpp"
#include "recovery/session_steps.hpp"
#include "tests/recovery/device_world.hpp"

namespace kith::recovery::testing {
namespace {

using namespace std::chrono_literals;

constexpr std::chrono::hours kFarFuture{24 * 3650};

/// A location whose signed times lie ten years ahead.
class LyingLocation final : public Module {
 public:
  std::string_view name() const override { return honest_.name(); }
  std::vector<std::string> message_types() const override { return honest_.message_types(); }
  bool only_reads(std::string_view what) const override { return honest_.only_reads(what); }
  Result<void> on_message(Host& host, const Inbound& inbound) override {
    if (inbound.message.type != type_uri("backup", BackupList::kName)) {
      return honest_.on_message(host, inbound);
    }
    TRY(const auto list, protocol::decode_body<BackupList>(inbound.message.body));
    BackupListReply reply;
    reply.time_ms = protocol::epoch_ms(host.now() + kFarFuture);
    TRY(reply.signature,
        protocol::sign_as(host, *inbound.info.own_did, time_statement(list.nonce, reply.time_ms)));
    TRY(const std::string id, protocol::reply(host, inbound, type_uri("backup", "list-reply"),
                                              protocol::encode_body(reply)));
    return {};
  }

 private:
  BackupLocation honest_;
};

/// A trustee whose heartbeats are signed ten years ahead.
class LyingTrustee final : public Module {
 public:
  std::string_view name() const override { return honest_.name(); }
  std::vector<std::string> message_types() const override { return honest_.message_types(); }
  std::vector<std::string> commands() const override { return honest_.commands(); }
  bool only_reads(std::string_view what) const override { return honest_.only_reads(what); }
  Result<void> on_message(Host& host, const Inbound& inbound) override {
    if (inbound.message.type != type_uri("trustee", HeartbeatRequest::kName)) {
      return honest_.on_message(host, inbound);
    }
    TRY(const Contact owner,
        protocol::contact_of(host, *inbound.info.own_did, *inbound.info.sender));
    TRY(const auto request, protocol::decode_body<HeartbeatRequest>(inbound.message.body));
    TRY(auto response, answer_heartbeat(host, owner, request));
    response.time_ms += Duration{kFarFuture}.count();
    TRY(response.signature, protocol::sign_as(host, *inbound.info.own_did,
                                              time_statement(request.challenge, response.time_ms)));
    TRY(const std::string id,
        protocol::reply(host, inbound, type_uri("trustee", HeartbeatResponse::kName),
                        protocol::encode_body(response)));
    return {};
  }
  Result<JsonObject> on_command(Host& host, const Command& command) override {
    return honest_.on_command(host, command);
  }
  void on_timer(Host& host, std::string_view timer) override { honest_.on_timer(host, timer); }
  void on_start(Host& host) override { honest_.on_start(host); }

 private:
  Trustee honest_;
};

/// t1 waits a day for the owner's new device.
struct Waiting : LostDevice {
  explicit Waiting(test::MakeModules at_mediator = mediator_modules<>())
      : LostDevice(1, true, std::move(at_mediator)) {}

  void start() {
    for (const auto* name : {"t1", "t2"}) add_trustee(add_person(name));
    for (AgentBox* box : friends) connect(t1(), *box);
    if (!friends.empty()) {
      make_identity(t1());
      set_up(t1(), friends, 2);
    }
    ASSERT_NO_FATAL_FAILURE(set_up_and_lose(2, {{"waiting", "1d"}}));
    ASSERT_NO_FATAL_FAILURE(ask(*device, t1()));
    ASSERT_TRUE(net.run_until([&] { return session().state == SessionState::waiting; }));
    net.run_for(1min);  // The questions for the time are answered.
  }
  AgentBox& t1() { return *trustees[0]; }
  Session session() { return t1().all<Session>("session").at(0); }
  /// All machines but the mediator's are off.
  void night(Duration duration) {
    std::vector<AgentBox*> asleep = friends;
    asleep.insert(asleep.end(), {&t1(), trustees[1], device});
    for (AgentBox* box : asleep) box->set_online(false);
    net.run_for(duration);
    for (AgentBox* box : asleep) {
      box->set_online(true);
      box->restart();  // Its running time goes on from where it was.
    }
    net.run_for(2min);
  }
  std::vector<AgentBox*> friends;  ///< t1's own trustees.
};

/// t1 has a recovery set of its own over u1 and u2.
struct WaitingWithTrustees : Waiting {
  explicit WaitingWithTrustees(test::MakeModules at_mediator = mediator_modules<>())
      : Waiting(std::move(at_mediator)) {
    friends = {&add_person("u1"), &add_person("u2")};
  }
};

TEST(SignedTimes, ANightOffCountsWhenLocationAndTrusteesShowIt) {
  WaitingWithTrustees world;
  ASSERT_NO_FATAL_FAILURE(world.start());
  world.night(23h);
  EXPECT_EQ(world.session().state, SessionState::waiting);  // Not more than what passed.
  world.night(1h);
  EXPECT_EQ(world.session().state, SessionState::released);
}

TEST(SignedTimes, OneSourceIsNotEnough) {
  Waiting world;
  ASSERT_NO_FATAL_FAILURE(world.start());  // t1 has no trustees of its own to ask.
  world.night(48h);
  EXPECT_EQ(world.session().state, SessionState::waiting);
  EXPECT_EQ(world.session().clock.sources.size(), 1U);
}

TEST(SignedTimes, ALocationThatSignsAFarFutureTimeEndsNoWait) {
  WaitingWithTrustees world(mediator_modules<LyingLocation>());
  ASSERT_NO_FATAL_FAILURE(world.start());
  world.night(1h);
  EXPECT_EQ(world.session().clock.sources.size(), 3U);
  EXPECT_EQ(world.session().state, SessionState::waiting);
}

TEST(SignedTimes, ATrusteeThatSignsAFarFutureTimeEndsNoWait) {
  Waiting world;
  world.friends = {&world.add_person<TrusteeSessions, LyingTrustee>("u1"), &world.add_person("u2")};
  ASSERT_NO_FATAL_FAILURE(world.start());
  world.night(1h);
  EXPECT_EQ(world.session().clock.sources.size(), 3U);
  EXPECT_EQ(world.session().state, SessionState::waiting);
}

TEST(SignedTimes, WhomTheRecoveryIsAboutVouchesForNoTimeAlone) {
  Waiting world;
  ASSERT_NO_FATAL_FAILURE(world.start());
  // As if two of the owner's own devices had signed: each far ahead, none independent.
  const std::string contact = world.session().contact_id;
  world.t1().edit([&](Host& host) {
    for (const auto* source : {"did:example:a", "did:example:b"}) {
      for (const Duration ahead : {Duration{0}, Duration{48h}}) {
        observe_signed_time(host, {source, host.now() + ahead, host.uptime(), false}, contact);
      }
    }
    return true;
  });
  world.net.run_for(2min);
  EXPECT_EQ(world.session().state, SessionState::waiting);
  // The counter-example: were they strangers to it, they would have counted.
  world.t1().edit([&](Host& host) {
    for (const auto* source : {"did:example:c", "did:example:d"}) {
      for (const Duration ahead : {Duration{0}, Duration{48h}}) {
        observe_signed_time(host, {source, host.now() + ahead, host.uptime(), false}, "another");
      }
    }
    return true;
  });
  world.net.run_for(2min);
  EXPECT_EQ(world.session().state, SessionState::released);
}

TEST(SignedTimes, AForgedOrForeignSignatureIsRefused) {
  Waiting world;
  ASSERT_NO_FATAL_FAILURE(world.start());
  const Bytes nonce(16, 7);
  const auto verdict = [&](ByteView signature, std::int64_t time_ms) {
    return world.t1().look([&](Host& host) -> std::optional<Errc> {
      const Contact mediator = protocol::contact_named(host, "mediator").value();
      Inbound inbound{Message{}, {}, {}, false};
      inbound.info.sender = Did::parse(mediator.their_did).value();
      inbound.info.own_did = Did::parse(mediator.my_did).value();
      const auto taken = take_signed_time(host, inbound, nonce, host.uptime(), time_ms, signature);
      return taken.has_value() ? std::nullopt : std::optional(taken.error().code);
    });
  };
  const std::int64_t now = protocol::epoch_ms(world.net.now());
  const Contact mediator =
      world.t1().look([](Host& host) { return protocol::contact_named(host, "mediator").value(); });
  const auto sign = [&](AgentBox& box, const std::string& did, std::int64_t time_ms) {
    return box.look([&](Host& host) {
      return protocol::sign_as(host, Did::parse(did).value(), time_statement(nonce, time_ms))
          .value();
    });
  };
  const Bytes good = sign(world.mediator, mediator.their_did, now);
  EXPECT_EQ(verdict(good, now), std::nullopt);
  EXPECT_EQ(verdict(good, now + 1), Errc::bad_signature);
  EXPECT_EQ(verdict(sign(world.t1(), mediator.my_did, now), now), Errc::bad_signature);
}

}  // namespace
}  // namespace kith::recovery::testing
