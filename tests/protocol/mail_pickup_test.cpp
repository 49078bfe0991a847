// messagepickup 3.0 and message-pickup 4.0, the mediator's side, by a client that is no Kith. Each
// test names the section of the protocol's text that it is about; what differs between the two is
// told by the dialect.

#include "protocol/mail_pickup.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "protocol/audit_log.hpp"
#include "protocol/pickup_dialect.hpp"
#include "tests/support/raw_client.hpp"

namespace kith {
namespace {

using protocol::kDelivery;
using protocol::kDeliveryRequest;
using protocol::kLiveDeliveryChange;
using protocol::kMessagesReceived;
using protocol::kPickup3;
using protocol::kPickup4;
using protocol::kStatus;
using protocol::kStatusRequest;
using protocol::PickupDialect;
using test::AgentBox;
using test::Network;
using test::RawClient;
using test::sealed;
using test::Way;

constexpr const char* kOne = "did:example:one";
constexpr const char* kTwo = "did:example:two";
const Way kSocket{"socket", true, "all"};

test::Modules mediator_modules() {
  test::Modules all;
  all.push_back(std::make_unique<protocol::Mediator>("https://relay.test/"));
  return all;
}

std::vector<std::string> ids_in(const Message& delivery) {
  std::vector<std::string> ids;
  for (const Attachment& attachment : delivery.attachments) ids.push_back(*attachment.id);
  return ids;
}

std::vector<std::string> envelopes_in(const Message& delivery) {
  std::vector<std::string> envelopes;
  for (const Attachment& attachment : delivery.attachments) {
    envelopes.emplace_back(crypto::as_text(*attachment.base64));
  }
  return envelopes;
}

class MailPickupTest : public ::testing::TestWithParam<const PickupDialect*> {
 protected:
  MailPickupTest() { client_.join({kOne, kTwo}); }

  static std::string type(std::string_view name) { return GetParam()->type(name); }
  static bool is4() { return GetParam() == &kPickup4; }

  /// The one answer; an empty type: none.
  Message ask(std::string_view name, JsonObject body = {}, const Way& way = {}) {
    return ask(client_, name, std::move(body), way);
  }
  static Message ask(RawClient& client, std::string_view name, JsonObject body = {},
                     const Way& way = {}) {
    auto answers = client.say(type(name), std::move(body), way);
    EXPECT_LE(answers.size(), 1U);
    return answers.empty() ? Message{} : std::move(answers[0].message);
  }
  Message fetch(std::int64_t limit = 10) {
    return ask(kDeliveryRequest, {{GetParam()->limit_member, limit}});
  }
  /// The code of the problem report that answers; empty: another answer, or none.
  std::string problem(std::string_view name, JsonObject body, const Way& way = {}) {
    const Message answer = ask(name, std::move(body), way);
    const Json* code = answer.body.if_contains("code");
    return code == nullptr ? std::string() : std::string(code->as_string());
  }
  std::int64_t count(const JsonObject& body = {}) {
    return ask(kStatusRequest, body).body.at("message_count").to_number<std::int64_t>();
  }
  static JsonObject received(const std::vector<std::string>& ids) {
    JsonArray list;
    for (const std::string& id : ids) list.push_back(boost::json::string(id));
    return {{"message_id_list", std::move(list)}};
  }
  static std::int64_t unit(Time time) {
    return is4() ? protocol::epoch_ms(time) : protocol::epoch_seconds(time);
  }

  Network net_{11};
  AgentBox& relay_ = net_.add("relay", mediator_modules);
  RawClient client_{net_, relay_, 1};
};

// --- "Status Request", "Status"

TEST_P(MailPickupTest, StatusTellsWhatWaits) {
  const Message empty = ask(kStatusRequest);
  EXPECT_EQ(empty.type, type(kStatus));
  EXPECT_EQ(empty.thid, client_.last_id());
  EXPECT_EQ(empty.body.at("message_count").to_number<int>(), 0);
  EXPECT_EQ(empty.body.at("total_bytes").to_number<int>(), 0);
  EXPECT_FALSE(empty.body.contains("oldest_received_time"));
  EXPECT_FALSE(empty.body.contains("recipient_did"));

  const Time first = net_.now();
  client_.forward(kOne, {sealed("a")});
  net_.run_for(std::chrono::milliseconds{5'250});
  const Time second = net_.now();
  client_.forward(kTwo, {sealed("bb")});
  net_.run_for(std::chrono::seconds{2});
  const Message full = ask(kStatusRequest);
  EXPECT_EQ(full.body.at("message_count").to_number<int>(), 2);
  EXPECT_EQ(full.body.at("total_bytes").to_number<std::size_t>(),
            sealed("a").size() + sealed("bb").size());
  EXPECT_EQ(full.body.at("oldest_received_time").to_number<std::int64_t>(), unit(first));
  EXPECT_EQ(full.body.at("newest_received_time").to_number<std::int64_t>(), unit(second));
  EXPECT_EQ(full.body.at("live_delivery"), Json(false));
  EXPECT_EQ(full.body.contains("longest_waited_seconds"), !is4());
  if (!is4()) {
    EXPECT_EQ(full.body.at("longest_waited_seconds").to_number<int>(), 7);
  }
}

TEST_P(MailPickupTest, StatusOfOneRecipientTellsOfNoOther) {
  client_.forward(kOne, {sealed("a")});
  net_.run_for(std::chrono::seconds{3});
  const Time later = net_.now();
  client_.forward(kTwo, {sealed("b")});
  client_.forward(kTwo, {sealed("c")});
  const Message two = ask(kStatusRequest, {{"recipient_did", kTwo}});
  EXPECT_EQ(two.body.at("recipient_did"), Json(kTwo));
  EXPECT_EQ(two.body.at("message_count").to_number<int>(), 2);
  EXPECT_EQ(two.body.at("total_bytes").to_number<std::size_t>(), 2 * sealed("b").size());
  EXPECT_EQ(two.body.at("oldest_received_time").to_number<std::int64_t>(), unit(later));
  EXPECT_EQ(count({{"recipient_did", "did:example:nobody"}}), 0);
  EXPECT_EQ(problem(kStatusRequest, {{"recipient_did", 7}}), "e.p.msg");
}

TEST_P(MailPickupTest, StatusNeverWaitsForALaterConnection) {
  client_.forward(kOne, {sealed("a")});
  for (const Way& way :
       {Way{"http", false, std::nullopt}, Way{"http", false, "none"}, Way{"", false, "all"}}) {
    EXPECT_TRUE(ask(kStatusRequest, {}, way).type.empty());
    EXPECT_TRUE(ask(kDeliveryRequest, {{GetParam()->limit_member, 1}}, way).type.empty());
    EXPECT_TRUE(ask(kLiveDeliveryChange, {{"live_delivery", false}}, way).type.empty());
  }
  EXPECT_TRUE(net_.waiting().empty());
  EXPECT_TRUE(relay_.look([](Host& host) { return host.list("effect"); }).empty());
  EXPECT_EQ(count(), 1) << "and none became mail";
}

// --- "Delivery Request", "Message Delivery"

TEST_P(MailPickupTest, DeliveryHoldsAtMostWhatWasAskedFor) {
  for (const char* text : {"a", "b", "c"}) client_.forward(kOne, {sealed(text)});
  const Message delivery = fetch(2);
  EXPECT_EQ(delivery.type, type(kDelivery));
  EXPECT_EQ(delivery.thid, client_.last_id());
  EXPECT_FALSE(delivery.body.contains("recipient_did")) << "nobody asked for one recipient";
  EXPECT_EQ(envelopes_in(delivery), (std::vector<std::string>{sealed("a"), sealed("b")}));
  EXPECT_EQ(fetch(1'000'000).attachments.size(), 3U);
}

TEST_P(MailPickupTest, WhatAMailboxTakesFitsADelivery) {
  const auto of_size = [](std::size_t bytes) {
    return sealed(std::string(bytes - sealed("").size(), 'a'));
  };
  constexpr std::size_t kInBase64 = limits::kMailBytesMax / 4 * 3;
  for (const std::size_t bytes : {kInBase64, kInBase64 + 1, limits::kMailBytesMax}) {
    client_.forward(kOne, {of_size(bytes)});
    client_.forward(kOne, {sealed("b")});
    const Message first = fetch();
    ASSERT_EQ(first.attachments.size(), 1U) << bytes;
    EXPECT_EQ(first.attachments[0].base64.has_value(), bytes <= kInBase64);
    EXPECT_EQ(*first.attachments[0].payload(), of_size(bytes));
    ask(kMessagesReceived, received(ids_in(first)));
    const Message second = fetch();
    EXPECT_EQ(envelopes_in(second), std::vector<std::string>{sealed("b")});
    ask(kMessagesReceived, received(ids_in(second)));
  }
  client_.forward(kOne, {of_size(limits::kMailBytesMax + 1)});
  EXPECT_EQ(count(), 0) << "nobody could ever fetch it, nor what came after it";
}

TEST_P(MailPickupTest, DeliveryRequestsWithoutAUsableLimitAreRefused) {
  client_.forward(kOne, {sealed("a")});
  const char* own = GetParam()->limit_member;
  const char* foreign = is4() ? kPickup3.limit_member : kPickup4.limit_member;
  for (const JsonObject& body :
       {JsonObject{}, JsonObject{{foreign, 1}}, JsonObject{{own, 0}}, JsonObject{{own, -1}},
        JsonObject{{own, "1"}}, JsonObject{{own, 1.5}},
        JsonObject{{own, 1}, {"recipient_did", JsonArray{}}}}) {
    EXPECT_EQ(problem(kDeliveryRequest, body), "e.p.msg") << crypto::json_text(Json(body));
  }
  EXPECT_EQ(fetch(1).attachments.size(), 1U);
}

TEST_P(MailPickupTest, DeliveryForOneRecipientHoldsNoOthers) {
  client_.forward(kOne, {sealed("a")});
  client_.forward(kTwo, {sealed("b")});
  const Message delivery =
      ask(kDeliveryRequest, {{GetParam()->limit_member, 10}, {"recipient_did", kTwo}});
  EXPECT_EQ(delivery.body.at("recipient_did"), Json(kTwo));
  EXPECT_EQ(envelopes_in(delivery), std::vector<std::string>{sealed("b")});
}

TEST_P(MailPickupTest, WhereNothingWaitsTheDialectsDiffer) {
  client_.forward(kOne, {sealed("a")});
  const auto answers = client_.say(type(kDeliveryRequest),
                                   {{GetParam()->limit_member, 10}, {"recipient_did", kTwo}});
  ASSERT_EQ(answers.size(), 1U);
  const Message& answer = answers[0].message;
  EXPECT_EQ(answer.type, type(is4() ? kDelivery : kStatus));
  EXPECT_EQ(answer.thid, client_.last_id());
  EXPECT_EQ(answer.body.at("recipient_did"), Json(kTwo));
  if (is4()) {
    EXPECT_NE(answers[0].plaintext.find(R"("attachments":[])"), std::string::npos)
        << "an empty array, not an absent one";
    EXPECT_FALSE(answer.body.contains("message_count"));
  } else {
    EXPECT_EQ(answer.body.at("message_count").to_number<int>(), 0);
  }
}

TEST_P(MailPickupTest, WhatWasDeliveredStaysUntilItIsConfirmed) {
  client_.forward(kOne, {sealed("a")});
  const auto ids = ids_in(fetch());
  EXPECT_EQ(ids_in(fetch()), ids);
  relay_.restart();
  EXPECT_EQ(ids_in(fetch()), ids);
  ask(kMessagesReceived, received(ids));
  EXPECT_TRUE(fetch().attachments.empty());
}

// --- "Messages Received", "Multiple Recipients"

TEST_P(MailPickupTest, AReceiptRemovesWhatItNamesAndNothingElse) {
  for (const char* text : {"a", "b", "c"}) client_.forward(kOne, {sealed(text)});
  const auto ids = ids_in(fetch());
  const Message answer = ask(kMessagesReceived, received({ids[1], "unknown"}));
  EXPECT_EQ(answer.type, is4() ? std::string() : type(kStatus));
  if (!is4()) {
    EXPECT_EQ(answer.body.at("message_count").to_number<int>(), 2);
  }
  EXPECT_EQ(ids_in(fetch()), (std::vector<std::string>{ids[0], ids[2]}));
}

TEST_P(MailPickupTest, AReceiptCountsWithoutAWayBack) {
  client_.forward(kOne, {sealed("a")});
  const auto ids = ids_in(fetch());
  EXPECT_TRUE(ask(kMessagesReceived, received(ids), Way{"", false, std::nullopt}).type.empty());
  EXPECT_EQ(count(), 0);
}

TEST_P(MailPickupTest, AWrongReceiptRemovesNothing) {
  client_.forward(kOne, {sealed("a")});
  const auto ids = ids_in(fetch());
  EXPECT_EQ(problem(kMessagesReceived, {{"message_id_list", JsonArray{Json(ids[0]), Json(5)}}}),
            "e.p.msg");
  EXPECT_EQ(problem(kMessagesReceived, {{"message_id_list", Json(ids[0])}}), "e.p.msg");
  EXPECT_EQ(problem(kMessagesReceived, {}), "e.p.msg");
  std::vector<std::string> many(limits::kRecipientUpdatesMax + 1, ids[0]);
  EXPECT_NE(problem(kMessagesReceived, received(many)), "");
  EXPECT_EQ(count(), 1);
}

TEST_P(MailPickupTest, EachClientHasMailOfItsOwn) {
  RawClient other(net_, relay_, 2);
  other.join({"did:example:other"});
  client_.forward(kOne, {sealed("same")});
  client_.forward("did:example:other", {sealed("same")});
  const auto ids = ids_in(fetch());
  ask(other, kMessagesReceived, received(ids));  // As it happens, the id of its own mail too.
  EXPECT_EQ(count(), 1) << "another client cannot confirm ours";
  ask(kMessagesReceived, received(ids));
  EXPECT_EQ(count(), 0);
  EXPECT_EQ(ask(other, kStatusRequest, {{"recipient_did", kOne}})
                .body.at("message_count")
                .to_number<int>(),
            0);
}

// --- "Roles": who may ask

TEST_P(MailPickupTest, OnlyClientsAreServed) {
  RawClient stranger(net_, relay_, 3);
  const Message answer = ask(stranger, kStatusRequest);
  EXPECT_NE(answer.type, type(kStatus));
  EXPECT_TRUE(answer.body.contains("code"));
  client_.forward(kOne, {sealed("a")});
  EXPECT_FALSE(ask(stranger, kDeliveryRequest, {{GetParam()->limit_member, 1}})
                   .body.contains("recipient_did"));
  EXPECT_NE(ask(stranger, kDeliveryRequest, {{GetParam()->limit_member, 1}}).type, type(kDelivery));
}

// --- "Live Mode", "Live Mode Change"

TEST_P(MailPickupTest, LiveModeDeliversAtOnceInItsDialect) {
  client_.forward(kOne, {sealed("before")});
  EXPECT_TRUE(client_.heard("socket").empty()) << "off by default";
  const Message status = ask(kLiveDeliveryChange, {{"live_delivery", true}}, kSocket);
  EXPECT_EQ(status.type, type(kStatus));
  EXPECT_EQ(status.body.at("live_delivery"), Json(true));
  EXPECT_TRUE(client_.heard("socket").empty()) << "what was queued has to be asked for";

  client_.forward(kOne, {sealed("live")});
  const auto live = client_.heard("socket");
  ASSERT_EQ(live.size(), 1U);
  EXPECT_EQ(live[0].message.type, type(kDelivery));
  EXPECT_FALSE(live[0].message.thid.has_value()) << "it answers no request";
  EXPECT_FALSE(live[0].message.body.contains("recipient_did"));
  EXPECT_EQ(envelopes_in(live[0].message), std::vector<std::string>{sealed("live")});
  EXPECT_EQ(count(), 2) << "kept until it is confirmed";
  ask(kMessagesReceived, received(ids_in(live[0].message)), kSocket);
  EXPECT_EQ(envelopes_in(fetch()), std::vector<std::string>{sealed("before")});

  EXPECT_EQ(ask(kLiveDeliveryChange, {{"live_delivery", false}}, kSocket).body.at("live_delivery"),
            Json(false));
  client_.forward(kOne, {sealed("after")});
  EXPECT_TRUE(client_.heard("socket").empty());
  EXPECT_EQ(count(), 2);
}

TEST_P(MailPickupTest, LiveModeNeedsALastingConnection) {
  const Message report = ask(kLiveDeliveryChange, {{"live_delivery", true}});
  EXPECT_EQ(report.type, is4() ? "https://didcomm.org/message-pickup/4.0/problem-report"
                               : "https://didcomm.org/report-problem/2.0/problem-report");
  EXPECT_EQ(report.pthid, client_.last_id());
  EXPECT_EQ(report.body.at("code"), Json("e.m.live-mode-not-supported"));
  EXPECT_EQ(report.body.at("comment"), Json("Connection does not support Live Delivery"));
  EXPECT_EQ(ask(kStatusRequest).body.at("live_delivery"), Json(false));
  EXPECT_EQ(problem(kLiveDeliveryChange, {{"live_delivery", "true"}}, kSocket), "e.p.msg");
  EXPECT_EQ(problem(kLiveDeliveryChange, {}, kSocket), "e.p.msg");
  EXPECT_EQ(ask(kStatusRequest).body.at("live_delivery"), Json(false));
}

TEST_P(MailPickupTest, ANewConnectionStartsWithoutLiveMode) {
  ask(kLiveDeliveryChange, {{"live_delivery", true}}, kSocket);
  const Way other{"another socket", true, "all"};
  EXPECT_EQ(ask(kStatusRequest, {}, other).body.at("live_delivery"), Json(false));
  EXPECT_EQ(ask(kStatusRequest, {}, kSocket).body.at("live_delivery"), Json(true));
  client_.forward(kOne, {sealed("a")});
  EXPECT_TRUE(client_.heard("another socket").empty());
  EXPECT_EQ(client_.heard("socket").size(), 1U);
  relay_.restart();
  EXPECT_EQ(ask(kStatusRequest, {}, kSocket).body.at("live_delivery"), Json(false));
}

// --- "Return Route": once for each WebSocket, with each request over HTTP

// Extension return_route, "thread".
TEST_P(MailPickupTest, TheReturnRouteMayBeForOneThread) {
  const Way way{"http", false, "thread"};
  const auto asked_for = [&](const std::string& thread) {
    return client_.say(type(kStatusRequest), {}, way, [&](Message& message) {
      message.thid = "this";
      message.return_route_thread = thread;
    });
  };
  ASSERT_EQ(asked_for("this").size(), 1U);
  EXPECT_TRUE(asked_for("another").empty());
  EXPECT_TRUE(client_.say(type(kStatusRequest), {}, way).empty()) << "it names no thread";
}

TEST_P(MailPickupTest, TheReturnRouteIsSaidOnceOnASocket) {
  const Way silent{"socket", true, std::nullopt};
  EXPECT_TRUE(ask(kStatusRequest, {}, silent).type.empty()) << "nobody has said it yet";
  EXPECT_EQ(ask(kStatusRequest, {}, kSocket).type, type(kStatus));
  EXPECT_EQ(ask(kStatusRequest, {}, silent).type, type(kStatus));
  EXPECT_EQ(ask(kLiveDeliveryChange, {{"live_delivery", true}}, silent).body.at("live_delivery"),
            Json(true));
  EXPECT_TRUE(ask(kStatusRequest, {}, Way{"new", true, std::nullopt}).type.empty());
  // Another DID on the same socket speaks for itself.
  RawClient other(net_, relay_, 4);
  other.join({"did:example:other"});
  EXPECT_TRUE(ask(other, kStatusRequest, {}, silent).type.empty());
  // It can be taken back.
  ask(kStatusRequest, {}, Way{"socket", true, "none"});
  EXPECT_TRUE(ask(kStatusRequest, {}, silent).type.empty());
}

TEST_P(MailPickupTest, OverHttpTheReturnRouteIsSaidEachTime) {
  EXPECT_EQ(ask(kStatusRequest).type, type(kStatus));
  EXPECT_TRUE(ask(kStatusRequest, {}, Way{"http", false, std::nullopt}).type.empty());
}

// --- What a relay holds back

TEST_P(MailPickupTest, HeldMailIsNotThereForItsClient) {
  client_.forward(kOne, {sealed("late")},
                  [](Message& message) { message.others["delay_milli"] = 60'000; });
  client_.forward(kOne, {sealed("now")});
  EXPECT_EQ(count(), 1);
  EXPECT_EQ(count({{"recipient_did", kOne}}), 1);
  EXPECT_EQ(ask(kStatusRequest).body.at("total_bytes").to_number<std::size_t>(),
            sealed("now").size());
  const auto ids = ids_in(fetch());
  ASSERT_EQ(ids.size(), 1U);
  ask(kMessagesReceived, received({protocol::numbered_id(0), ids[0]}));  // The first is a guess.
  EXPECT_EQ(count(), 0);
  net_.run_for(std::chrono::seconds{61});
  EXPECT_EQ(envelopes_in(fetch()), std::vector<std::string>{sealed("late")});
}

INSTANTIATE_TEST_SUITE_P(Dialects, MailPickupTest, ::testing::Values(&kPickup3, &kPickup4),
                         [](const auto& one) {
                           return std::string(one.param == &kPickup3 ? "MessagePickup3"
                                                                     : "MessagePickup4");
                         });

}  // namespace
}  // namespace kith
