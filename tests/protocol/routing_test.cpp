// Routing 2.0 at a mediator: what each section of "Routing Protocol 2.0" (DIDComm
// Messaging v2.1) says to take, and forms that must be refused.

#include <gtest/gtest.h>

#include <algorithm>

#include "crypto/limits.hpp"
#include "protocol/attachment.hpp"
#include "protocol/mailbox.hpp"
#include "tests/support/raw_client.hpp"

namespace kith {
namespace {

using protocol::MediationPolicy;
using test::AgentBox;
using test::Network;
using test::RawClient;
using test::sealed;
using test::Touch;
using Texts = std::vector<std::string>;

class RoutingTest : public ::testing::Test {
 protected:
  RoutingTest() { client_.join({kNext, client_.did().text()}); }

  /// Everything in all mailboxes, what is held back too, in the order of arrival.
  std::vector<protocol::Mail> stored() {
    return relay_.look([](Host& host) {
      std::vector<protocol::Mail> mails;
      for (const std::string& client : host.list("mailbox")) {
        for (const std::string& id : host.list("mail/" + client)) {
          mails.push_back(*load<protocol::Mail>(host, "mail/" + client, id));
        }
      }
      return mails;
    });
  }
  Texts envelopes() {
    Texts texts;
    for (const auto& mail : stored()) texts.emplace_back(crypto::as_text(mail.envelope));
    return texts;
  }
  std::size_t handed_out() {
    return relay_.look([](Host& host) {
      std::size_t count = 0;
      for (const std::string& client : host.list("mailbox")) {
        count += protocol::mail_summary(host, client, {}).messages;
      }
      return count;
    });
  }
  std::optional<Errc> refusal() {
    if (!client_.refused()) return std::nullopt;
    return client_.refused()->code;
  }
  void change_policy(const std::function<void(MediationPolicy&)>& change) {
    change(policy_);
    relay_.restart();
  }

  static constexpr const char* kNext = "did:example:next";
  MediationPolicy policy_;
  Network net_{21};
  AgentBox& relay_ = net_.add("relay", [this] {
    test::Modules all;
    all.push_back(std::make_unique<protocol::Mediator>("https://relay.test/", policy_));
    return all;
  });
  RawClient client_{net_, relay_, 1};
};

Attachment link_to_payload() {
  Attachment link;
  link.links = {"https://cdn.example/payload"};
  link.hash = protocol::content_hash(crypto::as_bytes("payload"));
  return link;
}

// --- "Messages"

TEST_F(RoutingTest, FormsOfAForward) {
  struct Form {
    std::string section;
    std::string name;
    std::string next;
    Texts payloads;
    Touch touch;
    std::optional<Errc> refused;
  };
  const auto attach = [](std::vector<Attachment> attachments) -> Touch {
    return [attachments](Message& message) { message.attachments = attachments; };
  };
  const Bytes raw = crypto::to_bytes(sealed("raw"));
  Attachment both = protocol::base64_attachment(raw);
  both.json = sealed("raw");
  const std::vector<Form> forms = {
      {"Messages", "next is a DID", kNext, {sealed("1")}, nullptr, {}},
      {"Messages",
       "next is a key of it",
       std::string(kNext) + "#key-1",
       {sealed("1")},
       nullptr,
       {}},
      {"Messages", "several payloads", kNext, {sealed("1"), sealed("2")}, nullptr, {}},
      {"Messages", "payload as base64", kNext, {}, attach({protocol::base64_attachment(raw)}), {}},
      {"Messages",
       "no next",
       kNext,
       {sealed("1")},
       [](Message& message) { message.body.erase("next"); },
       Errc::malformed},
      {"Messages",
       "next is a number",
       kNext,
       {sealed("1")},
       [](Message& message) { message.body["next"] = 5; },
       Errc::malformed},
      {"Messages", "next is no identifier", "bob", {sealed("1")}, nullptr, Errc::malformed},
      {"Messages", "no attachments", kNext, {}, nullptr, Errc::malformed},
      {"Messages", "payload twice in one attachment", kNext, {}, attach({both}), Errc::malformed},
      {"Messages",
       "payload behind a link",
       kNext,
       {},
       attach({link_to_payload()}),
       Errc::unsupported},
      {"Messages",
       "one good payload, one behind a link",
       kNext,
       {},
       attach({protocol::base64_attachment(raw), link_to_payload()}),
       Errc::unsupported},
      {"Messages",
       "payload is no JSON",
       kNext,
       {},
       attach({protocol::base64_attachment(crypto::as_bytes("hello"))}),
       Errc::malformed},
      {"Messages", "payload is a list", kNext, {"[]"}, nullptr, Errc::malformed},
      {"Messages",
       "payload is not encrypted",
       kNext,
       {R"({"id":"1","type":"a/b/1.0/c"})"},
       nullptr,
       Errc::malformed},
      {"Messages",
       "one payload is not encrypted",
       kNext,
       {sealed("1"), R"({"ciphertext":"x"})"},
       nullptr,
       Errc::malformed},
      {"Roles",
       "expired",
       kNext,
       {sealed("1")},
       [this](Message& message) {
         message.expires_time = protocol::epoch_seconds(net_.now()) - 3600;
       },
       Errc::expired},
      {"Mediator Process",
       "nobody registered next",
       "did:example:nobody",
       {sealed("1")},
       nullptr,
       Errc::unknown_peer},
  };
  for (const Form& form : forms) {
    SCOPED_TRACE("[" + form.section + "] " + form.name);
    const std::size_t before = stored().size();
    client_.forward(form.next, form.payloads, form.touch);
    EXPECT_EQ(refusal(), form.refused);
    const std::size_t taken = form.payloads.empty() ? 1 : form.payloads.size();
    EXPECT_EQ(stored().size() - before, form.refused ? 0U : taken);
  }
}

TEST_F(RoutingTest, EachPayloadIsMailOfItsOwnInOrder) {
  Texts payloads;
  for (std::size_t i = 0; i < limits::kForwardEnvelopesMax; ++i) {
    payloads.push_back(sealed(std::to_string(i)));
  }
  client_.forward(kNext, payloads);
  EXPECT_EQ(envelopes(), payloads);
  payloads.push_back(sealed("one too many"));
  client_.forward(kNext, payloads);
  EXPECT_EQ(refusal(), Errc::limit_exceeded);
  EXPECT_EQ(stored().size(), limits::kForwardEnvelopesMax);
}

TEST_F(RoutingTest, AllPayloadsAreTakenOrNone) {
  change_policy([](MediationPolicy& policy) { policy.client.messages = 3; });
  client_.forward(kNext, {sealed("a"), sealed("b")});
  client_.forward(kNext, {sealed("c"), sealed("d")});
  EXPECT_EQ(refusal(), Errc::storage_full);
  EXPECT_EQ(envelopes(), (Texts{sealed("a"), sealed("b")}));
  client_.forward(kNext, {sealed("e")});
  EXPECT_EQ(stored().size(), 3U) << "the refused one took no place";
}

// --- "Roles": delay_milli, please_ack

TEST_F(RoutingTest, ForwardsAreNeverAcknowledged) {
  const Touch asks = [](Message& message) {
    message.please_ack = {""};
    message.attachments = {protocol::base64_attachment(crypto::to_bytes(sealed("a")))};
  };
  EXPECT_TRUE(
      client_.say(std::string(protocol::kForwardType), {{"next", kNext}}, {}, asks).empty());
  EXPECT_EQ(stored().size(), 1U);
  // The same header in another message is honoured.
  EXPECT_EQ(client_
                .say("https://didcomm.org/empty/1.0/empty", {}, {},
                     [](Message& message) { message.please_ack = {""}; })
                .size(),
            1U);
}

TEST_F(RoutingTest, ADelayIsWhatTheSenderAsksFor) {
  const auto with_delay = [&](const Json& delay) {
    client_.forward(kNext, {sealed("x")},
                    [&](Message& message) { message.others["delay_milli"] = delay; });
    return stored().back().held_until - net_.now();
  };
  EXPECT_EQ(with_delay(5'000), Duration{5'000});
  EXPECT_EQ(with_delay(std::int64_t{1} << 50), Duration{limits::kRelayDelayMax});
  for (const Json& ignored : {Json(0), Json("5000"), Json(true), Json(nullptr)}) {
    EXPECT_LE(with_delay(ignored), Duration{0}) << crypto::json_text(ignored);
  }
  std::vector<Duration> drawn;
  for (int i = 0; i < 40; ++i) drawn.push_back(with_delay(-10'000));
  EXPECT_LE(*std::ranges::max_element(drawn), Duration{10'020});
  EXPECT_GE(*std::ranges::min_element(drawn), Duration{-1});
  EXPECT_GT(*std::ranges::max_element(drawn), Duration{7'000});
  EXPECT_LT(*std::ranges::min_element(drawn), Duration{3'000});
}

TEST_F(RoutingTest, WhoFillsARelayWithWaitingDelaysOnlyHimself) {
  change_policy([](MediationPolicy& policy) { policy.client.messages = 10'000; });
  const Touch delayed = [](Message& message) { message.others["delay_milli"] = 3'600'000; };
  relay_.edit([&](Host& host) {
    for (std::size_t i = 0; i < limits::kMailHeldMax; ++i) {
      protocol::Mail mail{{1}, "did:example:x", {}, {}};
      mail.held_until = host.now() + std::chrono::hours{1};
      EXPECT_TRUE(protocol::put_mail(host, "somebody", mail).has_value());
    }
    return true;
  });
  const std::size_t before = handed_out();
  client_.forward(kNext, {sealed("a")}, delayed);
  EXPECT_EQ(handed_out(), before + 1) << "taken, and not held";
  net_.run_for(std::chrono::hours{2});
  client_.forward(kNext, {sealed("b")}, delayed);
  EXPECT_EQ(handed_out(), before + 1 + limits::kMailHeldMax) << "now there is room to wait again";
}

// --- The relay's own delay

TEST_F(RoutingTest, TheRelaysOwnDelayHoldsAllMailForARandomTime) {
  change_policy([](MediationPolicy& policy) { policy.relay_delay_ms = 10'000; });
  std::vector<Time> due;
  for (int i = 0; i < 40; ++i) {
    client_.forward(kNext, {sealed(std::to_string(i))});
    due.push_back(stored().back().held_until);
  }
  EXPECT_LE(handed_out(), 2U);
  EXPECT_FALSE(std::ranges::is_sorted(due)) << "the order of arrival does not show";
  EXPECT_LE(*std::ranges::max_element(due) - net_.now(), Duration{10'020});
  net_.run_for(std::chrono::seconds{5});
  const std::size_t half = handed_out();
  EXPECT_GT(half, 8U);
  EXPECT_LT(half, 32U);
  net_.run_for(std::chrono::milliseconds{5'021});
  EXPECT_EQ(handed_out(), 40U);
  // On top of what a sender asks for; and each payload of a forward waits for itself.
  client_.forward(kNext, {sealed("x"), sealed("y")},
                  [](Message& message) { message.others["delay_milli"] = 60'000; });
  const auto mails = stored();
  const Time x = mails[mails.size() - 2].held_until;
  const Time y = mails.back().held_until;
  EXPECT_NE(x, y);
  EXPECT_GE(std::min(x, y) - net_.now(), Duration{60'000});
  EXPECT_LE(std::max(x, y) - net_.now(), Duration{70'020});
}

TEST_F(RoutingTest, WithoutADelayMailIsThereAtOnce) {
  for (int i = 0; i < 5; ++i) client_.forward(kNext, {sealed(std::to_string(i))});
  EXPECT_EQ(handed_out(), 5U);
}

TEST_F(RoutingTest, HeldMailSurvivesARestartAndIsReleasedInTime) {
  client_.forward(kNext, {sealed("a")},
                  [](Message& message) { message.others["delay_milli"] = 60'000; });
  relay_.restart();
  net_.run_for(std::chrono::seconds{59});
  EXPECT_EQ(handed_out(), 0U);
  net_.run_for(std::chrono::seconds{2});
  EXPECT_EQ(handed_out(), 1U);
  EXPECT_EQ(relay_.look([](Host& host) { return protocol::held_count(host); }), 0U);
}

// --- "Rewrapping"

TEST_F(RoutingTest, ARewrappingRelayAddressesAFreshForwardToTheReceiver) {
  change_policy([](MediationPolicy& policy) { policy.rewrap = true; });
  const std::int64_t expires = protocol::epoch_seconds(net_.now()) + 600;
  const std::string next = client_.did().text();
  client_.forward(next, {sealed("inside")},
                  [&](Message& message) { message.expires_time = expires; });
  ASSERT_EQ(stored().size(), 1U);
  EXPECT_EQ(stored()[0].recipient_did, next);
  const auto outer =
      client_.world().open(envelopes()[0], client_.party(), protocol::epoch_seconds(net_.now()));
  ASSERT_TRUE(outer.has_value()) << outer.error().detail;
  EXPECT_FALSE(outer->info.authenticated) << "anoncrypted";
  EXPECT_EQ(outer->message.to, std::vector<Did>{client_.did()});
  EXPECT_EQ(outer->message.expires_time, expires);
  const auto forward = protocol::parse_forward(outer->message);
  ASSERT_TRUE(forward.has_value());
  EXPECT_EQ(forward->next, next);
  EXPECT_EQ(forward->envelopes, Texts{sealed("inside")});
}

TEST_F(RoutingTest, ForAReceiverWhoseKeysAreNotKnownTheClientOpensIt) {
  change_policy([](MediationPolicy& policy) { policy.rewrap = true; });
  client_.forward(kNext, {sealed("inside")});
  ASSERT_EQ(stored().size(), 1U);
  const auto outer =
      client_.world().open(envelopes()[0], client_.party(), protocol::epoch_seconds(net_.now()));
  ASSERT_TRUE(outer.has_value()) << outer.error().detail;
  EXPECT_EQ(protocol::parse_forward(outer->message)->next, kNext);
}

TEST_F(RoutingTest, WithoutRewrappingThePayloadIsHandedOnAsItIs) {
  client_.forward(client_.did().text(), {sealed("inside")});
  EXPECT_EQ(envelopes(), Texts{sealed("inside")});
}

}  // namespace
}  // namespace kith
