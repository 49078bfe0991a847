#include "protocol/message.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "protocol/padding.hpp"

namespace kith {
namespace {

using protocol::parse_message;
using protocol::same_message;

constexpr std::string_view kType = "https://example.org/talk/1.0/word";

std::string text_with(const std::string& members) {
  return R"({"id":"1","type":")" + std::string(kType) + "\"" + (members.empty() ? "" : ",") +
         members + "}";
}

TEST(Message, KeepsEveryHeaderThroughWritingAndReading) {
  const std::string text = text_with(
      R"("from":"did:a:b","to":["did:c:d","did:e:f?x=1"],"thid":"t","pthid":"p","created_time":1,
      "expires_time":2,"body":{"n":1.5},"from_prior":"a.b.c","please_ack":["","x"],"ack":["y"],
      "return_route":"all","return_route_thread":"t","lang":"de","accept-lang":["de","en"],
      "attachments":[{"id":"i","description":"d","filename":"f","media_type":"m","format":"o",
      "lastmod_time":3,"byte_count":4,"data":{"base64":"AAE","jws":{"a":"b"}}},
      {"data":{"links":["https://l"],"hash":"12202cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"}},{"data":{"json":[1]}}],
      "unknown":{"kept":null},"kith_pad":"...","typ":"didcomm-plain+json")");
  const auto message = parse_message(text);
  ASSERT_TRUE(message.has_value()) << message.error().detail;
  EXPECT_EQ(message->to[1].text(), "did:e:f");
  EXPECT_EQ(message->thread(), "t");
  EXPECT_EQ(message->please_ack, (std::vector<std::string>{"", "x"}));
  EXPECT_EQ(message->attachments[0].payload().value(), std::string("\0\1", 2));
  EXPECT_EQ(message->attachments[1].payload().error().code, Errc::unsupported);
  EXPECT_EQ(message->attachments[2].payload().value(), "[1]");
  EXPECT_EQ(message->others.size(), 1U);
  const JsonObject written = to_json(*message);
  const auto again = parse_message(crypto::json_text(written));
  ASSERT_TRUE(again.has_value()) << again.error().detail;
  EXPECT_EQ(to_json(*again), written);
  EXPECT_EQ(written.at("typ").as_string(), "application/didcomm-plain+json");
  EXPECT_EQ(written.at("accept-lang").as_array().size(), 2U);
}

TEST(Message, TakesAMissingBodyAsEmptyAndAlwaysWritesOne) {
  const auto message = parse_message(text_with(""));
  ASSERT_TRUE(message.has_value());
  EXPECT_TRUE(message->body.empty());
  EXPECT_TRUE(to_json(*message).at("body").is_object());
  EXPECT_EQ(message->thread(), "1");
}

TEST(Message, RefusesFaultyHeaders) {
  const std::vector<std::string> table = {
      R"({"type":"https://example.org/talk/1.0/word"})",
      R"({"id":"1"})",
      R"({"id":"","type":"https://example.org/talk/1.0/word"})",
      R"({"id":"a b","type":"https://example.org/talk/1.0/word"})",
      R"({"id":5,"type":"https://example.org/talk/1.0/word"})",
      R"({"id":"1","type":"nonsense"})",
      "[]",
      text_with(R"("id":"2")"),
      text_with(R"("from":"x")"),
      text_with(R"("from":"did:a:b#k")"),
      text_with(R"("from":null)"),
      text_with(R"("to":"did:a:b")"),
      text_with(R"("to":["did:a:b#k"])"),
      text_with(R"("to":[5])"),
      text_with(R"("thid":"")"),
      text_with(R"("pthid":"a/b")"),
      text_with(R"("created_time":"1")"),
      text_with(R"("created_time":1.5)"),
      text_with(R"("created_time":-1)"),
      text_with(R"("expires_time":true)"),
      text_with(R"("body":[])"),
      text_with(R"("body":null)"),
      text_with(R"("ack":[""])"),
      text_with(R"("from_prior":{})"),
      text_with(R"("attachments":{})"),
      text_with(R"("attachments":[{}])"),
      text_with(R"("attachments":[{"data":{}}])"),
      text_with(R"("attachments":[{"data":{"base64":"AA==="}}])"),
      text_with(R"("attachments":[{"data":{"base64":"+/"}}])"),
      text_with(R"("attachments":[{"data":{"links":["https://l"]}}])"),
      text_with(R"("attachments":[{"id":"a b","data":{"json":1}}])"),
      text_with(R"("attachments":[{"byte_count":"1","data":{"json":1}}])"),
      text_with(R"("attachments":[{"data":{"base64":"YQ==="}}])"),
      text_with(R"("attachments":[{"data":{"base64":"Y=Q="}}])"),
      text_with(R"("attachments":[{"data":{"base64":"=YQ"}}])"),
  };
  for (const std::string& text : table) {
    const auto message = parse_message(text);
    ASSERT_TRUE(message.has_error()) << text;
    EXPECT_EQ(message.error().code, Errc::malformed) << text;
  }
  for (const std::string typ : {"application/json", "/didcomm-plain+json", "didcomm-plain", "",
                                "text/didcomm-plain+json", "application/didcomm-plain+json2"}) {
    EXPECT_EQ(parse_message(text_with(R"("typ":")" + typ + '"')).error().code, Errc::unsupported)
        << typ;
  }
}

TEST(Message, HoldsItsLimits) {
  const auto code = [](const std::string& text) { return parse_message(text).error().code; };
  const auto many = [](std::size_t count, const std::string& item) {
    std::string list = "[";
    for (std::size_t i = 0; i < count; ++i) list += (i == 0 ? "" : ",") + item;
    return list + "]";
  };
  EXPECT_TRUE(parse_message(R"({"id":")" + std::string(limits::kMessageIdCharsMax, 'a') +
                            R"(","type":"a/1.0/b"})")
                  .has_value());
  EXPECT_EQ(code(R"({"id":")" + std::string(limits::kMessageIdCharsMax + 1, 'a') +
                 R"(","type":"a/1.0/b"})"),
            Errc::limit_exceeded);
  EXPECT_EQ(code(text_with(R"("ack":)" + many(limits::kMessageHeaderItemsMax + 1, "\"a\""))),
            Errc::limit_exceeded);
  EXPECT_EQ(code(text_with(R"("attachments":)" +
                           many(limits::kAttachmentsMax + 1, R"({"data":{"json":1}})"))),
            Errc::limit_exceeded);
  EXPECT_EQ(code(R"({"id":"1","type":")" + std::string(limits::kMessageTypeCharsMax, 'a') +
                 R"(/1.0/b"})"),
            Errc::limit_exceeded);
  EXPECT_EQ(code(text_with(R"("x":")" + std::string(limits::kJsonBytesMax, 'x') + "\"")),
            Errc::limit_exceeded);
}

TEST(Message, IdsAreVersion4UuidsAndDiffer) {
  crypto::SeededRandom random(1, "ids");
  const std::string first = protocol::new_message_id(random);
  const std::string second = protocol::new_message_id(random);
  EXPECT_NE(first, second);
  ASSERT_EQ(first.size(), 36U);
  EXPECT_EQ(first[14], '4');
  EXPECT_NE(std::string_view("89ab").find(first[19]), std::string_view::npos);
  EXPECT_TRUE(protocol::is_message_id(first));
  EXPECT_EQ(protocol::message_id_key("AbC"), "abc");
}

TEST(Message, RepliesTurnTheAddressesRoundAndKeepTheThread) {
  crypto::SeededRandom random(1, "ids");
  const auto message = parse_message(text_with(R"("from":"did:a:b","to":["did:c:d"],"pthid":"p")"));
  ASSERT_TRUE(message.has_value());
  const Message reply = new_reply(*message, "https://example.org/talk/1.0/answer", random, 9);
  EXPECT_EQ(reply.from->text(), "did:c:d");
  EXPECT_EQ(reply.to.front().text(), "did:a:b");
  EXPECT_EQ(reply.thid, "1");
  EXPECT_EQ(reply.pthid, "p");
  EXPECT_EQ(reply.created_time, 9);
}

TEST(MessageType, TakesTheUriApart) {
  const auto type = MessageType::parse("https://didcomm.org/trust-ping/2.13/ping-response");
  ASSERT_TRUE(type.has_value());
  EXPECT_EQ(type->doc_uri, "https://didcomm.org/");
  EXPECT_EQ(type->protocol, "trust-ping");
  EXPECT_EQ(type->major, 2U);
  EXPECT_EQ(type->minor, 13U);
  EXPECT_EQ(type->name, "ping-response");
  EXPECT_EQ(type->text(), "https://didcomm.org/trust-ping/2.13/ping-response");
  EXPECT_EQ(MessageType::parse("did:sov:x;spec/a/1.0/b")->doc_uri, "did:sov:x;spec/");
}

TEST(MessageType, RefusesWhatIsNone) {
  for (const char* uri :
       {"", "/", "//", "a", "a/b", "a/1.0", "a/1.0/", "/1.0/b", "a/1/b", "a/1.0.0/b", "a/x.0/b",
        "a/1.x/b", "a/-1.0/b", "a/1.0/b c", "a/99999999999.0/b", "https://x/1.0/b/"}) {
    EXPECT_TRUE(MessageType::parse(uri).has_error()) << uri;
  }
}

TEST(MessageType, ComparesWithoutCasePunctuationAndMinorVersion) {
  const std::string base = "https://didcomm.org/trust-ping/2.0/ping-response";
  EXPECT_TRUE(same_message(base, "https://didcomm.org/Trust_Ping/2.7/PingResponse"));
  EXPECT_FALSE(same_message(base, "https://didcomm.org/trust-ping/3.0/ping-response"));
  EXPECT_FALSE(same_message(base, "https://didcomm.org/trust-ping/2.0/ping"));
  EXPECT_FALSE(same_message(base, "https://example.org/trust-ping/2.0/ping-response"));
  EXPECT_FALSE(same_message("x", base));
  EXPECT_TRUE(same_message("x", "x"));
}

TEST(Message, IsTheSameAsTextAndAsTree) {
  crypto::SeededRandom random(3, "message");
  Message message = protocol::new_message("https://example.org/x/1.0/y", random, 1000);
  message.from = Did::parse("did:example:a").value();
  message.to = {Did::parse("did:example:b").value(), Did::parse("did:example:c").value()};
  message.thid = "t";
  message.ack = {"a", "b"};
  message.body = {{"text", "with \"quotes\""}, {"deep", JsonObject{{"list", JsonArray{1, "2"}}}}};
  message.attachments = {protocol::json_attachment(JsonObject{{"a", 1}}, "one"),
                         protocol::base64_attachment(crypto::as_bytes("bytes")), Attachment{}};
  message.attachments[2].links = {"https://example.org/l"};
  message.attachments[2].hash = "h";
  message.attachments[2].jws = JsonObject{{"signature", "s"}};
  message.others = {{"more", JsonArray{nullptr, 1.5}}};
  const std::string text = protocol::message_text(message);
  EXPECT_EQ(text, crypto::json_text(protocol::to_json(message)));
  ASSERT_TRUE(crypto::parse_json(text));
  EXPECT_NE(text.find(R"("data":{"base64":"Ynl0ZXM"})"), std::string::npos);
  EXPECT_NE(text.find(R"("data":{"json":{"a":1}})"), std::string::npos);
}

TEST(Message, WritesNoMemberTwiceAndNoPaddingOfOthers) {
  crypto::SeededRandom random(3, "message");
  Message message = protocol::new_message("https://example.org/x/1.0/y", random, 1000);
  message.thid = "mine";
  message.others = {{"thid", "theirs"},
                    {"attachments", JsonArray{}},
                    {std::string(protocol::kPaddingHeader), "..."},
                    {"more", 1}};
  const auto tree = crypto::parse_json(protocol::message_text(message));
  ASSERT_TRUE(tree.has_value());
  const JsonObject& object = tree->get_object();
  EXPECT_EQ(object.at("thid"), Json("mine"));
  EXPECT_EQ(object.at("attachments"), Json(JsonArray{})) << "where there are none, it is written";
  EXPECT_FALSE(object.contains(protocol::kPaddingHeader));
  EXPECT_EQ(object.at("more"), Json(1));
  EXPECT_EQ(protocol::to_json(message), object);
}

TEST(Padding, FillsEveryTextToABucket) {
  const std::size_t largest = 1024 * 1024;
  for (std::size_t size = 1; size < 3000; size += 7) {
    JsonObject object{{"text", std::string(size, 'x')}};
    const std::string text = protocol::padded(crypto::json_text(object));
    ASSERT_EQ(text.size(), protocol::bucket_size(text.size())) << size;
    ASSERT_LE(text.size(), protocol::bucket_size(size + 40)) << size;
    auto read = crypto::parse_json(text);
    ASSERT_TRUE(read.has_value());
    read->as_object().erase(protocol::kPaddingHeader);
    ASSERT_EQ(*read, Json(object));
  }
  JsonObject huge{{"text", std::string(largest, 'x')}};
  EXPECT_EQ(protocol::padded(crypto::json_text(huge)), crypto::json_text(huge));
}

TEST(Padding, CoversTheEdgesOfABucket) {
  // {"text":"..."} has 11 characters round the text; the empty header costs 14.
  for (std::size_t total = 256 - 20; total <= 256 + 2; ++total) {
    JsonObject object{{"text", std::string(total - 11, 'x')}};
    const std::size_t size = protocol::padded(crypto::json_text(object)).size();
    EXPECT_EQ(size, total <= 256 - 14 || total == 256 ? 256U : 1024U) << total;
  }
}

TEST(Message, RefusesLongTextsExceptInAttachmentsAndPadding) {
  const std::string fits(limits::kMessageTextBytesMax, 'x');
  const std::string large(limits::kMessageTextBytesMax + 1, 'x');
  const auto error_of = [](std::string_view members, std::string_view type) {
    const auto read = protocol::parse_message(R"({"id":"1234567890","type":")" + std::string(type) +
                                              R"(",)" + std::string(members) + "}");
    return read.has_value() ? std::nullopt : std::optional<Errc>(read.error().code);
  };
  const char* word = "https://example.org/talk/1.0/word";
  EXPECT_EQ(error_of(R"("body":{"a":[{"b":")" + fits + R"("}]})", word), std::nullopt);
  EXPECT_EQ(error_of(R"("body":{"a":[{"b":")" + large + R"("}]})", word), Errc::limit_exceeded);
  EXPECT_EQ(error_of(R"("body":{},"other":")" + large + "\"", word), Errc::limit_exceeded);
  EXPECT_EQ(error_of(R"("body":{},"kith_pad":")" + large + "\"", word), std::nullopt);
  EXPECT_EQ(
      error_of(R"("body":{},"attachments":[{"data":{"json":{"x":")" + large + R"("}}}])", word),
      std::nullopt);
  EXPECT_EQ(
      error_of(R"("body":{"data":")" + large + R"("})", "https://w3id.org/kith/backup/1.0/put"),
      std::nullopt);
}

}  // namespace
}  // namespace kith
