/// Messages that DIDComm Messaging v2.1 says to take or to refuse: headers, attachments, threads,
/// times, languages, problem codes. Each row names the section that it comes from.

#include "tests/protocol/didcomm_cases.hpp"

#include "protocol/problem_report.hpp"

namespace kith {
namespace {

using test::Case;
using test::drop;
using test::ForgeLab;
using test::kNow;
using test::plain_case;
using test::put;
using test::run_cases;
namespace section = test::section;

TEST(DidcommCases, RequiredHeadersAndTheirForms) {
  const auto malformed = Errc::malformed;
  run_cases({
      plain_case(section::kHeaders, "as it should be", [](JsonObject&) {}),
      plain_case(section::kHeaders, "no id", drop("id"), malformed),
      plain_case(section::kHeaders, "id is a number", put("id", 7), malformed),
      plain_case(section::kHeaders, "no type", drop("type"), malformed),
      plain_case(section::kHeaders, "type is a number", put("type", 7), malformed),
      plain_case(section::kHeaders, "type is no message type URI", put("type", "ping"), malformed),
      plain_case(section::kHeaders, "type without version",
                 put("type", "https://didcomm.org/ping/ping"), malformed),
      plain_case(section::kHeaders, "no body", drop("body")),
      plain_case(section::kHeaders, "empty body", put("body", JsonObject())),
      plain_case(section::kHeaders, "body is a list", put("body", JsonArray()), malformed),
      plain_case(section::kHeaders, "body is text", put("body", "{}"), malformed),
      plain_case(section::kHeaders, "body is null", put("body", nullptr), malformed),
      plain_case(section::kHeaders, "unknown simple header", put("x-anything", "at all")),
      plain_case(section::kHeaders, "unknown structured header",
                 put("future", JsonObject{{"a", JsonArray{1, 2}}})),
      plain_case(section::kHeaders, "unknown header that is null", put("future", nullptr)),
      plain_case(section::kMediaTypes, "typ in full", put("typ", "application/didcomm-plain+json")),
      plain_case(section::kMediaTypes, "typ without application/",
                 put("typ", "didcomm-plain+json")),
      plain_case(section::kMediaTypes, "no typ", drop("typ")),
      plain_case(section::kMediaTypes, "typ of an encrypted message",
                 put("typ", "application/didcomm-encrypted+json"), Errc::unsupported),
      plain_case(section::kMediaTypes, "typ of something else", put("typ", "application/json"),
                 Errc::unsupported),
      plain_case(section::kMediaTypes, "typ is a list", put("typ", JsonArray()), malformed),
  });
}

TEST(DidcommCases, SendersAndRecipients) {
  const auto malformed = Errc::malformed;
  const auto bob_url = [](const std::string& tail) {
    return [tail](ForgeLab& lab) {
      return lab.auth(lab.plain(put("to", JsonArray{Json(lab.bob.party.did.text() + tail)})),
                      lab.alice, lab.bob);
    };
  };
  const auto alice_url = [](const std::string& tail) {
    return [tail](ForgeLab& lab) {
      return lab.auth(lab.plain(put("from", lab.alice.party.did.text() + tail)), lab.alice,
                      lab.bob);
    };
  };
  run_cases({
      plain_case(section::kHeaders, "no to", drop("to")),
      plain_case(section::kHeaders, "to is text", put("to", "did:example:bob"), malformed),
      plain_case(section::kHeaders, "to holds a number", put("to", JsonArray{7}), malformed),
      plain_case(section::kHeaders, "to holds no DID", put("to", JsonArray{"bob"}), malformed),
      {section::kHeaders, "to is a DID URL with a path", bob_url("/inbox"), {}},
      {section::kHeaders, "to is a DID URL with a query", bob_url("?service=agent"), {}},
      {section::kHeaders, "to has a fragment", bob_url("#key-1"), malformed},
      {section::kHeaders, "from is a DID URL with a query", alice_url("?version=1"), {}},
      {section::kHeaders, "from has a fragment", alice_url("#key-1"), malformed},
      plain_case(section::kHeaders, "from is a number", put("from", 7), malformed),
      plain_case(section::kHeaders, "from is no DID", put("from", "alice"), malformed),
      plain_case(section::kHeaders, "authcrypt without from", drop("from"), Errc::not_authentic),
      {section::kHeaders,
       "anoncrypt without from",
       [](ForgeLab& lab) { return lab.anon(lab.plain(drop("from")), lab.bob); },
       {}},
      {section::kHeaders,
       "several in to, we among them",
       [](ForgeLab& lab) {
         lab.message.to.insert(lab.message.to.begin(), lab.mallory.party.did);
         return lab.auth(lab.plain(), lab.alice, lab.bob);
       },
       {}},
  });
}

TEST(DidcommCases, IdsAndThreads) {
  const auto malformed = Errc::malformed;
  const std::string longest(limits::kMessageIdCharsMax, 'a');
  run_cases({
      plain_case(section::kMessageIds, "a UUID", put("id", "6e5cd0d4-0a54-4d8a-9d6c-3b1d7e5c8f00")),
      plain_case(section::kMessageIds, "every kind of unreserved character",
                 put("id", "azAZ09-._~")),
      plain_case(section::kMessageIds, "one character", put("id", "1")),
      plain_case(section::kMessageIds, "64 characters", put("id", longest)),
      plain_case(section::kMessageIds, "more than that", put("id", longest + "a"),
                 Errc::limit_exceeded),
      plain_case(section::kMessageIds, "empty", put("id", ""), malformed),
      plain_case(section::kMessageIds, "a space", put("id", "a b"), malformed),
      plain_case(section::kMessageIds, "a slash", put("id", "a/b"), malformed),
      plain_case(section::kMessageIds, "a percent sign", put("id", "a%20b"), malformed),
      plain_case(section::kMessageIds, "an umlaut", put("id", "\xC3\xBC"), malformed),
      plain_case(section::kThreads, "thid", put("thid", "a-thread")),
      plain_case(section::kThreads, "thid of forbidden characters", put("thid", "a thread"),
                 malformed),
      plain_case(section::kThreads, "thid is a number", put("thid", 5), malformed),
      plain_case(section::kThreads, "pthid", put("pthid", "parent")),
      plain_case(section::kThreads, "pthid of forbidden characters", put("pthid", "a:b"),
                 malformed),
      plain_case(section::kAcks, "please_ack for this message", put("please_ack", JsonArray{""})),
      plain_case(section::kAcks, "please_ack for others", put("please_ack", JsonArray{"1", "2"})),
      plain_case(section::kAcks, "please_ack is text", put("please_ack", ""), malformed),
      plain_case(section::kAcks, "ack", put("ack", JsonArray{"1", "2"})),
      plain_case(section::kAcks, "ack of nothing in particular", put("ack", JsonArray{""}),
                 malformed),
      plain_case(section::kAcks, "ack is text", put("ack", "1"), malformed),
      plain_case(section::kAcks, "ack holds a number", put("ack", JsonArray{1}), malformed),
  });
}

TEST(DidcommCases, TimesAndLanguages) {
  const auto malformed = Errc::malformed;
  const std::int64_t skew = limits::kClockSkew.count();
  const std::int64_t life = std::chrono::seconds(limits::kMessageLifeMax).count();
  run_cases({
      plain_case(section::kTimeouts, "no times",
                 [](JsonObject& m) { m.erase("created_time"), m.erase("expires_time"); }),
      plain_case(section::kTimeouts, "expires now", put("expires_time", kNow)),
      plain_case(section::kTimeouts, "expired", put("expires_time", kNow - skew - 1),
                 Errc::expired),
      plain_case(section::kTimeouts, "expired before it was made", put("expires_time", kNow - 10),
                 malformed),
      plain_case(section::kTimeouts, "expires as text", put("expires_time", "1800000000"),
                 malformed),
      plain_case(section::kTimeouts, "expires in a fraction of a second",
                 put("expires_time", 1800000000.5), malformed),
      plain_case(section::kTimeouts, "expires after any memory of it",
                 put("expires_time", kNow + life + skew + 1), Errc::limit_exceeded),
      plain_case(section::kHeaders, "created just now by a fast clock",
                 put("created_time", kNow + skew)),
      plain_case(section::kHeaders, "created in the future", put("created_time", kNow + skew + 1),
                 malformed),
      plain_case(section::kHeaders, "created before 1970", put("created_time", -1), malformed),
      plain_case(section::kHeaders, "created as text", put("created_time", "now"), malformed),
      plain_case(section::kLanguages, "lang", put("lang", "fr")),
      plain_case(section::kLanguages, "lang with region", put("lang", "pt-BR")),
      plain_case(section::kLanguages, "lang is a list", put("lang", JsonArray{"fr"}), malformed),
      plain_case(section::kLanguages, "lang is no tag", put("lang", "in French, please"),
                 malformed),
      plain_case(section::kLanguages, "accept-lang", put("accept-lang", JsonArray{"fr", "en"})),
      plain_case(section::kLanguages, "accept-lang is text", put("accept-lang", "fr, en"),
                 malformed),
      plain_case(section::kLanguages, "accept-lang holds a number",
                 put("accept-lang", JsonArray{1}), malformed),
      plain_case(section::kLanguages, "accept-lang holds no tag",
                 put("accept-lang", JsonArray{"fr;q=0.5"}), malformed),
  });
}

Case attachment_case(std::string name, JsonObject data,
                     std::optional<Errc> refused = std::nullopt) {
  return plain_case(section::kAttachments, std::move(name),
                    put("attachments", JsonArray{JsonObject{{"id", "1"}, {"data", data}}}),
                    refused);
}

Case attachment_member(std::string name, const std::string& member, const Json& value,
                       std::optional<Errc> refused = std::nullopt) {
  return plain_case(
      section::kAttachments, std::move(name),
      put("attachments",
          JsonArray{JsonObject{{member, value}, {"data", JsonObject{{"json", JsonObject()}}}}}),
      refused);
}

TEST(DidcommCases, Attachments) {
  const auto malformed = Errc::malformed;
  // SHA-256 of "hello" as multihash, in hex and in base58.
  const std::string hello_hex =
      "12202cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824";
  const std::string other_hex =
      "12200000000000000000000000000000000000000000000000000000000000000000";
  run_cases({
      attachment_case("base64", {{"base64", "aGVsbG8"}}),
      attachment_case("base64 with padding, as the specification's example",
                      {{"base64", "aGVsbG8="}}),
      attachment_case("json object", {{"json", JsonObject{{"a", 1}}}}),
      attachment_case("json of another kind", {{"json", JsonArray{1}}}),
      attachment_case("links with hash",
                      {{"links", JsonArray{"https://example.org/1"}}, {"hash", hello_hex}}),
      attachment_case("base64 with its hash", {{"base64", "aGVsbG8"}, {"hash", hello_hex}}),
      attachment_case("base64 with the hash of something else",
                      {{"base64", "aGVsbG8"}, {"hash", other_hex}}, malformed),
      attachment_case("links without hash", {{"links", JsonArray{"https://example.org/1"}}},
                      malformed),
      attachment_case("links with a hash that is none",
                      {{"links", JsonArray{"https://example.org/1"}}, {"hash", "sha256"}},
                      malformed),
      attachment_case("no data inside", JsonObject(), malformed),
      attachment_case("only a hash", {{"hash", hello_hex}}, malformed),
      attachment_case("empty links", {{"links", JsonArray()}}, malformed),
      attachment_case("base64 of the other alphabet", {{"base64", "+/+/"}}, malformed),
      attachment_case("base64 is a number", {{"base64", 5}}, malformed),
      attachment_case("links is text", {{"links", "https://example.org/1"}, {"hash", hello_hex}},
                      malformed),
      attachment_member("unreserved id", "id", "a-._~1"),
      attachment_member("id with a slash", "id", "a/1", malformed),
      attachment_member("media_type", "media_type", "image/png"),
      attachment_member("media_type is a number", "media_type", 1, malformed),
      attachment_member("byte_count", "byte_count", 5),
      attachment_member("byte_count is text", "byte_count", "5", malformed),
      attachment_member("byte_count below zero", "byte_count", -5, malformed),
      attachment_member("lastmod_time is text", "lastmod_time", "today", malformed),
      attachment_member("unknown member", "colour", "blue"),
      plain_case(section::kAttachments, "no data", put("attachments", JsonArray{JsonObject()}),
                 malformed),
      plain_case(section::kAttachments, "not a list", put("attachments", JsonObject()), malformed),
      plain_case(section::kAttachments, "not an object", put("attachments", JsonArray{"a"}),
                 malformed),
  });
}

TEST(DidcommCases, ProblemCodes) {
  struct Row {
    const char* code;
    bool good;
  };
  for (const Row& row : std::initializer_list<Row>{
           {"e.p.xfer.cant-use-endpoint", true},
           {"w.m.trust.crypto", true},
           {"e.get-pay-details.payment-failed", true},
           {"e.p.me.res.storage", true},
           {"e.p.req.max-errors-exceeded", true},
           {"w.msg.bad-lang", true},
           {"x.p.msg", false},
           {"error.p.msg", false},
           {"e.p", false},
           {"e", false},
           {"", false},
           {"e..msg", false},
           {"e.p.Msg", false},
           {"e.p.msg.", false},
           {".e.p.msg", false},
           {"e.p.bad msg", false},
           {"e.p.-msg", false},
           {"E.p.msg", false},
       }) {
    SCOPED_TRACE(std::string("[") + section::kProblemCodes + "] " + row.code);
    Message report;
    report.id = "1";
    report.type = protocol::kProblemReportType;
    report.pthid = "failed-thread";
    report.body["code"] = row.code;
    EXPECT_EQ(protocol::parse_problem_report(report).has_value(), row.good);
    report.pthid.reset();
    EXPECT_FALSE(protocol::parse_problem_report(report).has_value());
  }
}

}  // namespace
}  // namespace kith
