// What a mediator takes of strangers, of one sender and of one address; and what goes with a
// client.

#include <gtest/gtest.h>

#include "protocol/mailbox.hpp"
#include "protocol/mediation.hpp"
#include "tests/ledger/mediation_lab.hpp"
#include "tests/support/raw_client.hpp"

namespace kith {
namespace {

using node::OpenedFor;
using test::AgentBox;
using test::kV3;
using test::RawClient;
using test::sealed;
using test::Way;

class MediationLimits : public test::MediationLab {
 protected:
  std::string id_of(const std::string& their_did) {
    return relay().look([&](Host& host) -> std::string {
      for (const Contact& contact : protocol::list_contacts(host)) {
        if (contact.their_did == their_did) return contact.id;
      }
      return "";
    });
  }
  /// A forward that says who it is from. True: taken.
  static bool forward_as(RawClient& sender, const std::string& next, const std::string& text) {
    const auto answers = sender.say(
        std::string(protocol::kForwardType), {{"next", next}}, {}, [&](Message& message) {
          message.attachments.push_back(
              protocol::json_attachment(*crypto::parse_json(sealed(text))));
        });
    if (!answers.empty()) {
      EXPECT_EQ(answers[0].message.body.at("code").get_string(), "e.p.me.res.storage");
    }
    return answers.empty();
  }
  protocol::MailUse total() {
    return relay().look([](Host& host) { return protocol::total_use(host); });
  }
  std::vector<std::string> pairs_of(const std::string& id) {
    return relay().look([&](Host& host) { return host.list("mail-pair/" + id); });
  }
};

TEST_F(MediationLimits, NobodyBecomesAClientWhereEnoughDidLately) {
  const std::string request = std::string(kV3) + "mediate-request";
  Way crowded;
  crowded.no_new_clients = true;
  RawClient late(net_, relay(), 5);
  const auto refused = late.say(request, {}, crowded);
  ASSERT_EQ(refused.size(), 1U);
  EXPECT_EQ(refused[0].message.body.at("code").get_string(), "e.p.me.res");
  EXPECT_EQ(refused[0].message.body.at("args").at(1).get_string(), "net.busy");
  EXPECT_FALSE(late.outcome().new_client);
  EXPECT_EQ(total().clients, 0U);
  EXPECT_EQ(id_of(late.did().text()), "") << "it is no contact either";

  const auto granted = late.say(request, {});
  ASSERT_EQ(granted.size(), 1U);
  EXPECT_EQ(granted[0].message.type, std::string(kV3) + "mediate-grant");
  EXPECT_TRUE(late.outcome().new_client);
  EXPECT_EQ(total().clients, 1U);
  const auto again = late.say(request, {}, crowded);
  ASSERT_EQ(again.size(), 1U);
  EXPECT_EQ(again[0].message.type, std::string(kV3) + "mediate-grant") << "a client already";
  EXPECT_FALSE(late.outcome().new_client);
}

TEST_F(MediationLimits, AWrapperRoundTheRequestChangesNothingOfThat) {
  for (const bool crowded : {true, false}) {
    RawClient late(net_, relay(), crowded ? 5 : 6);
    late.request_in_forward(std::string(kV3) + "mediate-request", crowded);
    EXPECT_FALSE(late.refused()) << "the wrapper is taken";
    EXPECT_EQ(total().clients, crowded ? 0U : 1U);
    EXPECT_EQ(late.outcome().new_client, !crowded);
  }
}

TEST_F(MediationLimits, MailIsForAClientTheFirstTimeOnly) {
  RawClient reader(net_, relay(), 5);
  reader.join({"did:example:reader"});
  RawClient sender(net_, relay(), 6);
  sender.forward("did:example:reader", {sealed("one")});
  EXPECT_EQ(sender.outcome().opened_for, OpenedFor::mailbox);
  sender.forward("did:example:nobody", {sealed("two")});
  EXPECT_EQ(sender.outcome().opened_for, OpenedFor::stranger);
  EXPECT_TRUE(sender.refused());
  sender.repeat();
  EXPECT_EQ(sender.outcome().opened_for, OpenedFor::stranger);
  sender.forward("did:example:reader", {sealed("three")});
  EXPECT_EQ(sender.outcome().opened_for, OpenedFor::mailbox);
  sender.repeat();
  EXPECT_FALSE(sender.refused());
  EXPECT_EQ(sender.outcome().opened_for, OpenedFor::stranger) << "it brings nothing new";
  EXPECT_EQ(total().messages, 2U);
  reader.say(std::string(kV3) + "recipient-query", {});
  EXPECT_EQ(reader.outcome().opened_for, OpenedFor::contact);
}

TEST_F(MediationLimits, OneSenderHasAFewMailsWaitingForOneRecipient) {
  RawClient reader(net_, relay(), 5);
  reader.join({"did:example:reader", "did:example:other"});
  RawClient sender(net_, relay(), 6);
  RawClient second(net_, relay(), 7);
  for (std::size_t i = 0; i < limits::kMailPerPairMax; ++i) {
    ASSERT_TRUE(forward_as(sender, "did:example:reader", std::to_string(i))) << i;
  }
  EXPECT_FALSE(forward_as(sender, "did:example:reader", "surplus"));
  EXPECT_TRUE(forward_as(sender, "did:example:other", "to another recipient"));
  EXPECT_TRUE(forward_as(second, "did:example:reader", "of another sender"));
  for (std::size_t i = 0; i < 3; ++i) {
    sender.forward("did:example:reader", {sealed("anonymous " + std::to_string(i))});
    EXPECT_FALSE(sender.refused()) << "nobody knows whose";
  }
  const std::string id = id_of(reader.did().text());
  EXPECT_EQ(total().messages, limits::kMailPerPairMax + 5);
  EXPECT_EQ(pairs_of(id).size(), 3U);

  // A place is free when one was fetched.
  relay().edit([&](Host& host) {
    const std::vector first{protocol::read_mail(host, id, {}, 1).front().id};
    protocol::confirm_mail(host, id, first);
    return true;
  });
  EXPECT_TRUE(forward_as(sender, "did:example:reader", "next"));
  EXPECT_FALSE(forward_as(sender, "did:example:reader", "surplus again"));
  relay().edit([&](Host& host) {
    std::vector<std::string> all;
    for (const auto& mail : protocol::read_mail(host, id, {}, 1000)) all.push_back(mail.id);
    all.push_back(all.front());  // Said twice, and one that there is not: neither is counted.
    all.emplace_back("no such mail");
    protocol::confirm_mail(host, id, all);
    return true;
  });
  EXPECT_TRUE(pairs_of(id).empty()) << "nothing is kept of who wrote";
  EXPECT_EQ(total().messages, 0U);
}

TEST_F(MediationLimits, AClientThatIsRemovedLeavesNothing) {
  RawClient gone(net_, relay(), 5);
  gone.join({"did:example:one", "did:example:two"});
  RawClient stays(net_, relay(), 6);
  stays.join({"did:example:three"});
  RawClient sender(net_, relay(), 7);
  sender.forward("did:example:one", {sealed("a"), sealed("b")});
  ASSERT_TRUE(forward_as(sender, "did:example:two", "c"));
  sender.forward("did:example:two", {sealed("d")},
                 [](Message& message) { message.others["delay_milli"] = 3'600'000; });
  sender.forward("did:example:three", {sealed("e")});
  ASSERT_EQ(total().messages, 5U);
  ASSERT_EQ(total().clients, 2U);
  const std::string id = id_of(gone.did().text());
  const auto held = [&] {
    return relay().look([](Host& host) { return protocol::held_count(host); });
  };
  ASSERT_EQ(held(), 1U);

  ASSERT_TRUE(relay().command("contact-end", {{"contact", id}}).has_value());
  EXPECT_EQ(total().messages, 1U);
  EXPECT_EQ(total().dids, 1U);
  EXPECT_EQ(total().clients, 1U);
  EXPECT_EQ(held(), 0U);
  EXPECT_TRUE(pairs_of(id).empty());
  for (const char* collection : {"mail-client", "mailbox", "mail-route"}) {
    EXPECT_EQ(relay().look([&](Host& host) { return host.list(collection).size(); }), 1U)
        << collection;
  }
  for (const std::string& collection : {"mail/" + id, "mail-did/" + id}) {
    EXPECT_TRUE(relay().look([&](Host& host) { return host.list(collection).empty(); }));
  }
  sender.forward("did:example:one", {sealed("late")});
  EXPECT_EQ(sender.refused()->code, Errc::unknown_peer);
  gone.say(std::string(kV3) + "recipient-query", {});
  EXPECT_EQ(gone.outcome().opened_for, OpenedFor::stranger);

  sender.forward("did:example:three", {sealed("f")});
  EXPECT_FALSE(sender.refused()) << "the other client is served as before";
  EXPECT_EQ(stays.say(std::string(kV3) + "recipient-query", {}).size(), 1U);
  RawClient next(net_, relay(), 8);
  next.join({"did:example:one"});
  EXPECT_EQ(total().dids, 2U) << "the DID is free";
}

TEST_F(MediationLimits, APersonWhoIsNoClientIsEndedAsBefore) {
  relay().edit([](Host& host) {
    Contact contact;
    contact.id = "person";
    contact.name = "person";
    protocol::drop_waiting(host, contact);
    return true;
  });
  EXPECT_EQ(total().clients, 0U);
  EXPECT_TRUE(relay().audited("mediation.dropped").empty());
}

}  // namespace
}  // namespace kith
