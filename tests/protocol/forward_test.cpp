#include "protocol/forward.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "protocol/did_key.hpp"
#include "tests/support/parties.hpp"

namespace kith {
namespace {

using protocol::parse_forward;
using protocol::plan_route;
using protocol::Route;
using test::kNow;
using test::Party;
using test::World;

struct Mail {
  World world{5};
  Party alice = world.make_party();
  Party bob = world.make_party();
  Party near = world.make_party();
  Party far = world.make_party();
  Message message = world.message(alice, bob);
  std::string envelope =
      pack_authcrypt(message, alice.agreement, bob.recipients(), {}, world.keys, world.random)
          .value();

  Result<std::string> wrap(const std::vector<std::string>& hops) {
    return wrap_forwards(envelope, bob.did, Route{"https://a/", hops}, {kNow + 60, {}}, world.dids,
                         world.keys, world.random);
  }
};

TEST(Forward, TravelsThroughEveryHopToTheRecipient) {
  Mail mail;
  const std::string far_key = mail.far.agreement.kid;
  const auto wrapped = mail.wrap({mail.near.did.text(), far_key});
  ASSERT_TRUE(wrapped.has_value()) << wrapped.error().detail;

  const auto at_near = mail.world.open(*wrapped, mail.near);
  ASSERT_TRUE(at_near.has_value()) << at_near.error().detail;
  EXPECT_FALSE(at_near->info.authenticated);
  const auto first = parse_forward(at_near->message);
  ASSERT_TRUE(first.has_value());
  EXPECT_EQ(first->next, far_key);
  EXPECT_TRUE(protocol::next_is(first->next, mail.far.did));

  const auto at_far = mail.world.open(first->envelopes.at(0), mail.far);
  ASSERT_TRUE(at_far.has_value()) << at_far.error().detail;
  const auto second = parse_forward(at_far->message);
  ASSERT_TRUE(second.has_value());
  EXPECT_EQ(second->next, mail.bob.did.text());
  EXPECT_TRUE(protocol::next_is(second->next, mail.bob.did));
  EXPECT_FALSE(protocol::next_is(second->next, mail.alice.did));

  const auto at_bob = mail.world.open(second->envelopes.at(0), mail.bob);
  ASSERT_TRUE(at_bob.has_value()) << at_bob.error().detail;
  EXPECT_EQ(at_bob->info.sender, mail.alice.did);
}

TEST(Forward, RoutingKeysMayBeDidKeys) {
  Mail mail;
  const PublicKey key = mail.near.recipients()[0].key;
  mail.near.wallet.put(protocol::did_key_kid(key), mail.near.agreement.key);
  for (const std::string& hop : {protocol::did_key(key).text(), protocol::did_key_kid(key)}) {
    const auto wrapped = mail.wrap({hop});
    ASSERT_TRUE(wrapped.has_value()) << wrapped.error().detail;
    EXPECT_TRUE(mail.world.open(*wrapped, mail.near).has_value());
  }
}

TEST(Forward, WithoutHopsNothingIsWrapped) {
  Mail mail;
  EXPECT_EQ(mail.wrap({}).value(), mail.envelope);
}

TEST(Forward, CarriesTheLargestPlaintext) {
  Mail mail;
  mail.message.attachments.push_back(
      protocol::json_attachment(Json(std::string(limits::kJsonBytesMax - 2000, 'x'))));
  mail.envelope = pack_authcrypt(mail.message, mail.alice.agreement, mail.bob.recipients(), {},
                                 mail.world.keys, mail.world.random)
                      .value();
  const auto wrapped = mail.wrap({mail.near.did.text()});
  ASSERT_TRUE(wrapped.has_value()) << wrapped.error().detail;
  const auto at_near = mail.world.open(*wrapped, mail.near);
  ASSERT_TRUE(at_near.has_value()) << at_near.error().detail;
  EXPECT_TRUE(
      mail.world.open(parse_forward(at_near->message)->envelopes.at(0), mail.bob).has_value());
}

TEST(Forward, RefusesHopsThatCannotBeUsed) {
  Mail mail;
  EXPECT_EQ(mail.wrap({"did:x:unknown"}).error().code, Errc::unknown_peer);
  EXPECT_EQ(mail.wrap({"did:x:unknown"}).error().detail, "did:x:unknown");
  EXPECT_EQ(mail.wrap({mail.near.signing.kid}).error().code, Errc::not_authentic);
  const std::vector<std::string> many(limits::kRoutingKeysMax + 1, mail.near.did.text());
  EXPECT_EQ(mail.wrap(many).error().code, Errc::limit_exceeded);
}

TEST(Forward, ReadsBothPlacesForThePayloadAndRefusesOthers) {
  World world;
  Message forward =
      protocol::make_forward("did:a:b", R"({"x":1})", {kNow, {}}, world.random).value();
  EXPECT_EQ(parse_forward(forward)->envelopes.at(0), R"({"x":1})");
  const Attachment as_json = forward.attachments[0];
  forward.attachments[0] = protocol::base64_attachment(crypto::as_bytes(R"({"x":2})"));
  EXPECT_EQ(parse_forward(forward)->envelopes.at(0), R"({"x":2})");

  const auto refused = [&forward] { return parse_forward(forward).error().code; };
  forward.attachments[0].json = "{}";
  EXPECT_EQ(refused(), Errc::malformed);  // Two payloads.
  forward.attachments = {};
  EXPECT_EQ(refused(), Errc::malformed);
  forward.attachments = {protocol::base64_attachment(crypto::as_bytes("not json"))};
  EXPECT_EQ(refused(), Errc::malformed);
  forward.attachments = {as_json};
  forward.body["next"] = "nobody";
  EXPECT_EQ(refused(), Errc::malformed);
  forward.body.erase("next");
  EXPECT_EQ(refused(), Errc::malformed);
  forward.body["next"] = "did:a:b";
  forward.type = "https://didcomm.org/routing/3.0/forward";
  EXPECT_EQ(refused(), Errc::malformed);
  EXPECT_TRUE(protocol::make_forward("did:a:b", "[]", {kNow, {}}, world.random).has_error());
}

TEST(Route, GoesThroughTheMediatorThatTheUriNames) {
  World world;
  const Party mediator = world.make_party(KeyType::ed25519, {{"", "https://m/", {}, {}}});
  const auto route = plan_route({"", mediator.did.text(), {}, {"did:x:last"}}, world.dids);
  ASSERT_TRUE(route.has_value()) << route.error().detail;
  EXPECT_EQ(route->uri, "https://m/");
  EXPECT_EQ(route->hops, (std::vector<std::string>{mediator.did.text(), "did:x:last"}));
  const auto direct = plan_route({"", "https://b/", {}, {"did:x:k"}}, world.dids);
  EXPECT_EQ(direct->uri, "https://b/");
  EXPECT_EQ(direct->hops.size(), 1U);
}

TEST(Route, DoesNotFollowMediatorsOfMediators) {
  World world;
  const Party second = world.make_party(KeyType::ed25519, {{"", "https://m/", {}, {}}});
  const Party first = world.make_party(KeyType::ed25519, {{"", "did:x:another", {}, {}}});
  EXPECT_EQ(plan_route({"", first.did.text(), {}, {}}, world.dids).error().code, Errc::unsupported);
  const auto unknown = plan_route({"", "did:x:far", {}, {}}, world.dids);
  EXPECT_EQ(unknown.error().code, Errc::unknown_peer);
  EXPECT_EQ(unknown.error().detail, "did:x:far");
  EXPECT_EQ(plan_route({"", second.did.text(), {}, {"did:a:1", "did:a:2", "did:a:3", "did:a:4"}},
                       world.dids)
                .error()
                .code,
            Errc::limit_exceeded);
}

}  // namespace
}  // namespace kith
