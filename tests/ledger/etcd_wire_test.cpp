// The JSON of etcd's gateway: what is asked, and answers as etcd 3.4.23 gave them, whole and bent.

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "ledger/etcd/keys.hpp"
#include "ledger/etcd/limits.hpp"
#include "ledger/etcd/wire.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using ledger::EtcdPairs;
using ledger::EtcdRange;
using ledger::EtcdRefusal;

// Keys: "e1" is ZTE=, "head" aGVhZA==, "a" YQ==, "f" Zg==, "v" dg==, "h" aA==.
constexpr const char* kPage =
    R"({"header":{"cluster_id":"175966720666463630","member_id":"11755896077096652274",)"
    R"("revision":"2","raft_term":"2"},"kvs":[{"key":"ZTE=","create_revision":"2",)"
    R"("mod_revision":"2","version":"1","value":"dg=="}],"more":true,"count":"2"})";
constexpr const char* kNothing =
    R"({"header":{"cluster_id":"175966720666463630","member_id":"11755896077096652274",)"
    R"("revision":"1","raft_term":"2"}})";
constexpr const char* kThreeRanges =
    R"({"header":{"cluster_id":"175966720666463630","member_id":"11755896077096652274",)"
    R"("revision":"2","raft_term":"2"},"succeeded":true,)"
    R"("responses":[{"response_range":{"header":{"revision":"2"},"kvs":[{"key":"aGVhZA==",)"
    R"("create_revision":"2","mod_revision":"2","version":"1","value":"aA=="}],"count":"1"}},)"
    R"({"response_range":{"header":{"revision":"2"},"kvs":[{"key":"ZTE=","create_revision":"2",)"
    R"("mod_revision":"2","version":"1","value":"dg=="}],"count":"1"}},)"
    R"({"response_range":{"header":{"revision":"2"}}}]})";
constexpr const char* kDone =
    R"({"header":{"cluster_id":"175966720666463630","member_id":"11755896077096652274",)"
    R"("revision":"2","raft_term":"2"},"succeeded":true,)"
    R"("responses":[{"response_put":{"header":{"revision":"2"}}},)"
    R"({"response_put":{"header":{"revision":"2"}}}]})";
constexpr const char* kStatus =
    R"({"header":{"cluster_id":"175966720666463630","member_id":"11755896077096652274",)"
    R"("revision":"1","raft_term":"2"},"version":"3.4.23","dbSize":"20480",)"
    R"("leader":"11755896077096652274","raftIndex":"4","raftTerm":"2","raftAppliedIndex":"4",)"
    R"("dbSizeInUse":"16384"})";

EtcdRange a_to_f() {
  return {"a", "f", 2, 16, false};
}

Result<EtcdPairs> page(const std::string& text, const EtcdRange& asked = a_to_f()) {
  TRY(const Json json, ledger::parse_answer(text));
  return ledger::read_range(asked, json);
}

std::string with(std::string text, const std::string& what, const std::string& instead) {
  const std::size_t at = text.find(what);
  EXPECT_NE(at, std::string::npos) << what;
  return text.replace(at, what.size(), instead);
}

TEST(EtcdWire, AsksAsTheGatewayReads) {
  EXPECT_EQ(ledger::range_question({"e1", "", 0, 1, false}), R"({"key":"ZTE="})");
  EXPECT_EQ(ledger::range_question({"a", "f", 7, 16, true}),
            R"({"key":"YQ==","range_end":"Zg==","limit":"16","sort_order":"ASCEND",)"
            R"("sort_target":"CREATE","min_create_revision":"7","keys_only":true})");
  const std::vector<EtcdRange> two{{"e1", "", 0, 1, false}, {"h", "", 0, 1, false}};
  EXPECT_EQ(ledger::ranges_question(two),
            R"({"success":[{"request_range":{"key":"ZTE="}},{"request_range":{"key":"aA=="}}]})");
  EXPECT_EQ(
      ledger::write_question({"e1", "head", 5, {{"e1", "v"}, {"head", "h"}}}),
      R"({"compare":[{"key":"ZTE=","target":"CREATE","result":"EQUAL","create_revision":"0"},)"
      R"({"key":"aGVhZA==","target":"MOD","result":"EQUAL","mod_revision":"5"}],)"
      R"("success":[{"request_put":{"key":"ZTE=","value":"dg=="}},)"
      R"({"request_put":{"key":"aGVhZA==","value":"aA=="}}]})");
  EXPECT_EQ(ledger::after_prefix("kith/"), "kith0");
}

TEST(EtcdWire, ReadsWhatEtcdAnswered) {
  const EtcdPairs pairs = must(page(kPage));
  ASSERT_EQ(pairs.pairs.size(), 1U);
  EXPECT_TRUE(pairs.more);
  EXPECT_EQ(pairs.pairs[0].key, "e1");
  EXPECT_EQ(pairs.pairs[0].value, "v");
  EXPECT_EQ(pairs.pairs[0].created, 2U);
  EXPECT_EQ(pairs.pairs[0].modified, 2U);
  EXPECT_TRUE(must(page(kNothing)).pairs.empty());
  const std::vector<EtcdRange> asked{{"head", "", 0, 1, false}, a_to_f(), {"zz", "", 0, 1, false}};
  const Json three = must(ledger::parse_answer(kThreeRanges));
  const auto read = must(ledger::read_ranges(asked, three));
  ASSERT_EQ(read.size(), 3U);
  EXPECT_EQ(read[0].pairs[0].value, "h");
  EXPECT_EQ(read[1].pairs[0].key, "e1");
  EXPECT_TRUE(read[2].pairs.empty());
  EXPECT_FALSE(ledger::read_ranges(std::span(asked).first(2), three).has_value());

  const auto done = must(ledger::read_written(must(ledger::parse_answer(kDone))));
  EXPECT_TRUE(done.done);
  EXPECT_EQ(done.revision, 2U);
  // A condition that did not hold leaves `succeeded` out.
  EXPECT_FALSE(must(ledger::read_written(must(ledger::parse_answer(kNothing)))).done);
  EXPECT_EQ(must(ledger::read_token(must(ledger::parse_answer(
                R"({"header":{"revision":"2"},"token":"qJknVQyruWJoHXzB.17"})")))),
            "qJknVQyruWJoHXzB.17");
  EXPECT_TRUE(must(ledger::read_has_leader(must(ledger::parse_answer(kStatus)))));
  EXPECT_FALSE(must(ledger::read_has_leader(must(ledger::parse_answer(kNothing)))));
}

TEST(EtcdWire, RefusesAnswersThatDoNotFitTheQuestion) {
  const std::string good = kPage;
  const std::vector<std::string> bad = {
      "",
      "{",
      "[]",
      "{}",
      with(good, "\"ZTE=\"", "\"aGVhZA==\""),                                // Another key.
      with(good, "\"ZTE=\"", "\"ZTE\""),                                     // Not base64.
      with(good, "\"create_revision\":\"2\"", "\"create_revision\":\"1\""),  // Before `from`.
      with(good, "\"create_revision\":\"2\"", "\"create_revision\":\"3\""),  // After its change.
      with(good, "\"mod_revision\":\"2\"", "\"mod_revision\":\"3\""),        // After the present.
      with(good, "\"mod_revision\":\"2\"", "\"mod_revision\":2"),
      with(good, "\"mod_revision\":\"2\"", "\"mod_revision\":\"-2\""),
      with(good, "\"mod_revision\":\"2\"", "\"mod_revision\":\"02\""),
      with(good, "\"mod_revision\":\"2\"", "\"mod_revision\":\"\""),
      with(good, "\"mod_revision\":\"2\"", "\"mod_revision\":\"99999999999999999999\""),
      with(good, "\"create_revision\":\"2\",", ""),
      with(good, "\"more\":true", "\"more\":\"true\""),
      with(good, "\"version\":\"1\"", "\"value\":\"dg==\""),  // A member twice.
      with(kNothing, "}}", "},\"more\":true}"),               // An endless nothing.
      with(good, "\"count\"", "\"kvs\":[],\"count\""),
      with(good, "\"count\":\"2\"", "\"count\":[[[[[[[[[\"2\"]]]]]]]]]"),
  };
  ASSERT_TRUE(page(good).has_value());
  for (const std::string& text : bad) EXPECT_FALSE(page(text).has_value()) << text;
  EXPECT_FALSE(page(good, {"a", "f", 2, 16, true}).has_value());  // Keys alone were asked for.
  EXPECT_FALSE(page(good, {"a", "f", 2, 0, false}).has_value());  // More than asked for.
  EXPECT_EQ(ledger::parse_answer(std::string(limits::kJsonBytesMax + 1, ' ')).error(),
            Errc::limit_exceeded);
  const std::string pair =
      R"({"key":"ZTE=","create_revision":"2","mod_revision":"2","version":"1","value":"dg=="})";
  const std::string later = with(with(pair, "\"2\"", "\"3\""), "\"2\"", "\"3\"");
  const std::string two = with(good, "\"revision\":\"2\"", "\"revision\":\"3\"");
  EXPECT_TRUE(page(with(two, pair, pair + "," + later)).has_value());
  EXPECT_FALSE(page(with(two, pair, later + "," + pair)).has_value());  // Runs back.
}

TEST(EtcdWire, RefusesWritesAndTokensThatAreNone) {
  const auto written = [](const std::string& text) {
    return ledger::read_written(must(ledger::parse_answer(text)));
  };
  EXPECT_FALSE(written(R"({"succeeded":true})").has_value());
  EXPECT_FALSE(written(R"({"header":{},"succeeded":true})").has_value());
  EXPECT_FALSE(written(R"({"header":{"revision":"2"},"succeeded":"yes"})").has_value());
  for (const std::string& token : {std::string(), std::string("a\\nb"), std::string("a b"),
                                   std::string(ledger::etcd_limits::kTokenCharsMax + 1, 'a')}) {
    const Json json = must(ledger::parse_answer("{\"token\":\"" + token + "\"}"));
    EXPECT_FALSE(ledger::read_token(json).has_value()) << token;
  }
}

TEST(EtcdWire, TellsWhyAServerRefuses) {
  const auto refusal = [](int status, const std::string& words, int code) {
    return ledger::read_refusal(status, R"({"error":")" + words + R"(","message":")" + words +
                                            R"(","code":)" + std::to_string(code) + "}");
  };
  EXPECT_EQ(refusal(400, "etcdserver: user name is empty", 3), EtcdRefusal::login_needed);
  EXPECT_EQ(refusal(400, "etcdserver: authentication failed, invalid user ID or password", 3),
            EtcdRefusal::login_wrong);
  EXPECT_EQ(refusal(401, "etcdserver: invalid auth token", 16), EtcdRefusal::token_expired);
  EXPECT_EQ(refusal(400, "etcdserver: revision of auth store is old", 3),
            EtcdRefusal::token_expired);
  EXPECT_EQ(refusal(412, "etcdserver: authentication is not enabled", 9),
            EtcdRefusal::no_logins_here);
  EXPECT_EQ(refusal(403, "etcdserver: permission denied", 7), EtcdRefusal::not_allowed);
  EXPECT_EQ(refusal(400, "etcdserver: request is too large", 3), EtcdRefusal::bad_question);
  EXPECT_EQ(refusal(503, "etcdserver: request timed out", 14), EtcdRefusal::try_elsewhere);
  EXPECT_EQ(refusal(500, "context deadline exceeded", 2), EtcdRefusal::try_elsewhere);
  EXPECT_EQ(ledger::read_refusal(404, "Not Found\n"), EtcdRefusal::no_gateway);
  EXPECT_EQ(ledger::read_refusal(302, ""), EtcdRefusal::no_gateway);
}

TEST(EtcdKeys, WhatIsNotAnEntryInItsOwnPlaceIsJunk) {
  LogLab lab;
  lab.start();
  const ledger::EtcdKeys keys("kith");
  const ledger::LedgerLeaf leaf{lab.subject, lab.blobs[0].blob, lab.time, Kind::did};
  const ledger::EtcdPair good{keys.entry(leaf), ledger::leaf_text(leaf), 7, 7};
  const auto entry = keys.entry_in(good);
  ASSERT_TRUE(entry.has_value());
  EXPECT_EQ(*entry, (ledger::LedgerEntry{7, lab.subject, leaf.blob, leaf.time}));
  EXPECT_EQ(good.key, "kith/" + lab.subject + "/0/" + ledger::blob_hash(leaf.blob));

  const auto junk = [&](auto&& change) {
    ledger::EtcdPair pair = good;
    change(pair);
    return !keys.entry_in(pair).has_value();
  };
  EXPECT_TRUE(junk([](auto& pair) { pair.modified = 8; }));  // Written twice.
  EXPECT_TRUE(junk([](auto& pair) { pair.key += "x"; }));
  EXPECT_TRUE(junk([](auto& pair) { pair.key[0] = 'x'; }));
  EXPECT_TRUE(junk([](auto& pair) { pair.value += " "; }));
  EXPECT_TRUE(junk([](auto& pair) { pair.value = "junk"; }));
  EXPECT_TRUE(junk([](auto& pair) { pair.value.clear(); }));
  const auto holds = [&](const ledger::LedgerLeaf& other) {
    return keys.entry_in({good.key, ledger::leaf_text(other), 7, 7}).has_value();
  };
  EXPECT_TRUE(holds(leaf));
  LogLab other(Kind::did, {}, 2);
  other.start();
  EXPECT_FALSE(holds({other.subject, leaf.blob, leaf.time, Kind::did}));
  EXPECT_FALSE(holds({leaf.subject, other.blobs[0].blob, leaf.time, Kind::did}));
  EXPECT_FALSE(holds({leaf.subject, leaf.blob, leaf.time, Kind::policy}));
  EXPECT_FALSE(holds({leaf.subject, crypto::to_bytes("{}"), leaf.time, Kind::did}));
  // The right entry in another number's place.
  ledger::EtcdPair moved = good;
  moved.key.replace(moved.key.find("/0/"), 3, "/1/");
  EXPECT_FALSE(keys.entry_in(moved).has_value());
}

}  // namespace
}  // namespace kith::test
