// The HTTP form of a ledger: what a host refuses, and what a client does not believe.

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "ledger/hash_text.hpp"
#include "ledger/ledger_effects.hpp"
#include "ledger/memory_ledger.hpp"
#include "tests/support/ledger_kit.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using ledger::Appended;
using ledger::HttpQuestion;
using ledger::HttpReply;
using ledger::LedgerClient;
using ledger::LedgerService;
using ledger::StaleHead;
using ledger::UnknownOutcome;

class RemoteLedgerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    lab_.start();
    lab_.post(lab_.update(1));
    for (const auto& blob : lab_.blobs) {
      const Entry entry = must(ledger::parse_entry(blob.blob));
      must(inner_.append({lab_.subject, blob.blob, entry.prev}, lab_.time));
    }
  }
  HttpReply get(const std::string& target) {
    return service_.handle({"GET", target, ""}, lab_.time);
  }
  HttpReply post(const std::string& body) {
    return service_.handle({"POST", "/ledger/log/" + lab_.subject, body}, lab_.time);
  }
  std::string log_target() const { return "/ledger/log/" + lab_.subject; }

  LogLab lab_;
  ledger::MemoryLedger inner_{ledger_descriptor(), false};
  LedgerService service_{inner_, ledger_signer()};
  ledger::LedgerProver prover_{inner_, ledger_signer()};
};

TEST_F(RemoteLedgerTest, TheServiceRefusesWhatItDoesNotKnow) {
  EXPECT_EQ(get(log_target() + "?from=0").status, 200);
  EXPECT_EQ(get("/ledger/descriptor").status, 200);
  EXPECT_EQ(get("/ledger/follow?position=0&max=5").status, 200);
  EXPECT_EQ(get("/ledger/other").status, 404);
  EXPECT_EQ(get("/ledger/log/").status, 400);
  EXPECT_EQ(get("/ledger/log/did:web:example.org").status, 400);
  for (const char* query : {"?from=", "?from=-1", "?from=1x", "?from=1&from=2", "?to=1", "?from",
                            "?from=99999999999999999999", "?from=1&", "?&from=1"}) {
    EXPECT_EQ(get(log_target() + query).status, 400) << query;
  }
  EXPECT_EQ(get("/ledger/follow?max=0").status, 400);
  EXPECT_EQ(get("/ledger/" + std::string(limits::kHttpUrlCharsMax, 'x')).status, 414);
  EXPECT_EQ(service_.handle({"PUT", log_target(), ""}, lab_.time).status, 405);
  EXPECT_EQ(service_.handle({"POST", "/ledger/descriptor", "{}"}, lab_.time).status, 405);
  EXPECT_EQ(post("").status, 400);
  EXPECT_EQ(post("{}").status, 400);
  EXPECT_EQ(post(R"({"blob":"e30","expected_head":"","more":1})").status, 400);
  EXPECT_EQ(post(R"({"blob":"e30=","expected_head":""})").status, 400);
  EXPECT_EQ(post(std::string(limits::kLedgerRequestBytesMax + 1, ' ')).status, 413);
  EXPECT_EQ(inner_.size(), 2U);
}

TEST_F(RemoteLedgerTest, TheServiceProvesWhatItHolds) {
  const ledger::LedgerDescriptor descriptor = ledger_descriptor();
  const HttpReply note = get("/ledger/checkpoint");
  EXPECT_EQ(note.content_type, "text/plain; charset=utf-8");
  const auto checkpoint = must(ledger::open_checkpoint(note.body, descriptor)).checkpoint;
  EXPECT_EQ(checkpoint.size, 2U);
  const auto proof = [&](const std::string& target) {
    const Json json = must(crypto::parse_json(get(target).body));
    return must(ledger::parse_hashes(json.get_object(), "proof"));
  };
  const auto first = must(inner_.read(lab_.subject, 0)).entries;
  const auto page = must(LedgerClient::read_page(lab_.subject, 0, get(log_target() + "?seen=0")));
  EXPECT_TRUE(ledger::check_included(first, page.proof->inclusion, checkpoint).has_value());
  EXPECT_EQ(proof("/ledger/proof/inclusion?position=1"), page.proof->inclusion[1]);
  EXPECT_EQ(proof("/ledger/proof/inclusion?position=0&size=1"), ledger::MerkleProof{});
  const auto before = must(ledger::merkle_root(1, inner_.tree()));
  const auto grown = proof("/ledger/proof/consistency?old=1&size=2");
  EXPECT_TRUE(ledger::proves_consistency(grown, 1, before, 2, checkpoint.root));
  EXPECT_FALSE(ledger::proves_consistency({}, 1, before, 2, checkpoint.root));
  EXPECT_EQ(proof("/ledger/proof/consistency?old=1"), grown);
  for (const char* beyond :
       {"inclusion?position=2", "inclusion?position=0&size=3", "inclusion?position=1&size=1",
        "consistency?old=3", "consistency?old=0&size=3", "consistency?old=2&size=1", "other"}) {
    EXPECT_EQ(get("/ledger/proof/" + std::string(beyond)).status, 404) << beyond;
  }
  for (const char* bad : {"inclusion", "inclusion?size=1", "inclusion?position=x", "consistency",
                          "consistency?old=1&position=1", "inclusion?position=0&size="}) {
    EXPECT_EQ(get("/ledger/proof/" + std::string(bad)).status, 400) << bad;
  }
  EXPECT_EQ(get("/ledger/checkpoint?size=1").status, 400);
}

TEST_F(RemoteLedgerTest, AReceiptComesWithWhatWasAppended) {
  const Entry update = lab_.update(2);
  JsonObject body;
  body["blob"] = crypto::base64url(ledger::entry_blob(update));
  body["expected_head"] = update.prev;
  const auto reply = must(LedgerClient::read_append(post(crypto::json_text(body))));
  const Appended appended = std::get<Appended>(reply.outcome);
  auto receipt = must(ledger::parse_receipt(reply.receipt));
  EXPECT_EQ(receipt.position, 2U);
  EXPECT_EQ(ledger::receipt_text(receipt), reply.receipt);
  EXPECT_FALSE(ledger::open_receipt(receipt, ledger_descriptor()).has_value());  // Of what?
  const ledger::LedgerLeaf leaf{lab_.subject, ledger::entry_blob(update), appended.time, Kind::did};
  receipt.leaf = ledger::leaf_text(leaf);
  EXPECT_EQ(must(ledger::parse_receipt(ledger::receipt_text(receipt))), receipt);
  EXPECT_EQ(must(ledger::open_receipt(receipt, ledger_descriptor())).leaf, leaf);

  auto elsewhere = receipt;
  elsewhere.position = 1;
  EXPECT_EQ(ledger::open_receipt(elsewhere, ledger_descriptor()).error(), Errc::bad_proof);
  auto earlier = receipt;
  earlier.leaf = ledger::leaf_text({lab_.subject, leaf.blob, leaf.time - 1s, Kind::did});
  EXPECT_EQ(ledger::open_receipt(earlier, ledger_descriptor()).error(), Errc::bad_proof);
  EXPECT_FALSE(ledger::open_receipt(receipt, ledger_descriptor(2)).has_value());
  const std::vector<std::string> forms = {
      "",
      "x" + reply.receipt,
      reply.receipt.substr(0, reply.receipt.size() - 1),
      "c2sp.org/tlog-proof@v1\nindex 01\n\n",
      "c2sp.org/tlog-proof@v1\nextra \nindex 1\n\n",
  };
  for (const std::string& bad : forms) {
    EXPECT_FALSE(ledger::parse_receipt(bad).has_value()) << bad;
  }
  EXPECT_EQ(ledger::parse_receipt(std::string(limits::kReceiptBytesMax + 1, 'x')).error(),
            Errc::limit_exceeded);
}

TEST_F(RemoteLedgerTest, TheServiceLimitsAppendsPerMinute) {
  const std::string body = R"({"blob":"e30","expected_head":""})";
  for (std::uint32_t i = 0; i < limits::kLedgerAppendsPerMinute; ++i) {
    ASSERT_EQ(post(body).status, 400);
  }
  EXPECT_EQ(post(body).status, 429);
  lab_.time += 1min;
  EXPECT_EQ(post(body).status, 400);
}

TEST_F(RemoteLedgerTest, TheClientBelievesNoTamperedPage) {
  const std::string good = get(log_target() + "?seen=0").body;
  ASSERT_TRUE(LedgerClient::read_page(lab_.subject, 0, {200, "", good}).has_value());
  const auto refused = [&](const std::string& body, std::uint64_t from = 0) {
    return !LedgerClient::read_page(lab_.subject, from, {200, "", body}).has_value();
  };
  const auto changed = [&](const std::function<void(JsonObject&, JsonArray&)>& change) {
    Json json = must(crypto::parse_json(good));
    JsonObject& object = json.get_object();
    change(object, object["entries"].get_array());
    return crypto::json_text(json);
  };
  using Page = JsonObject&;
  using Entries = JsonArray&;
  const auto first = [](Entries entries) -> JsonObject& { return entries[0].get_object(); };
  EXPECT_FALSE(refused(changed([](Page, Entries) {})));
  EXPECT_TRUE(refused(changed([](Page, Entries e) { std::swap(e[0], e[1]); })));
  EXPECT_TRUE(refused(changed([](Page, Entries e) { e.push_back(Json(e[1])); })));
  EXPECT_TRUE(refused(changed(
      [&](Page, Entries e) { first(e)["subject"] = "did:kith:" + ledger::blob_hash({}); })));
  EXPECT_TRUE(refused(changed([&](Page, Entries e) { first(e)["position"] = -1; })));
  EXPECT_TRUE(refused(changed([&](Page, Entries e) { first(e)["position"] = "0"; })));
  EXPECT_TRUE(refused(
      changed([&](Page, Entries e) { first(e)["time"] = first(e)["time"].get_int64() + 1; })));
  EXPECT_TRUE(refused(changed([&](Page, Entries e) { first(e)["blob"] = "***"; })));
  EXPECT_TRUE(refused(changed([&](Page, Entries e) {
    first(e)["blob"] = crypto::base64url(Bytes(limits::kEntryBytesMax + 1));
  })));
  EXPECT_TRUE(refused(changed([](Page p, Entries) { p["complete"] = 1; })));
  EXPECT_TRUE(refused(changed([](Page p, Entries e) {
    e.clear();
    p["complete"] = false;
  })));
  EXPECT_TRUE(refused(changed([](Page p, Entries) { p["more"] = 1; })));
  EXPECT_TRUE(refused(changed([&](Page, Entries e) {
    while (e.size() <= limits::kLedgerPageEntriesMax) e.push_back(Json(e[0]));
  })));
  EXPECT_TRUE(refused(changed([&](Page, Entries e) { first(e).erase("proof"); })));
  EXPECT_TRUE(refused(changed([&](Page, Entries e) { first(e)["proof"] = JsonArray{"short"}; })));
  EXPECT_TRUE(refused(changed([&](Page, Entries e) {
    first(e)["proof"] = ledger::hashes_json(ledger::MerkleProof(limits::kMerkleProofHashesMax + 1));
  })));
  EXPECT_TRUE(refused(changed([](Page p, Entries) { p.erase("tree"); })));
  EXPECT_TRUE(
      refused(changed([](Page p, Entries) { p["tree"].get_object().erase("checkpoint"); })));
  EXPECT_TRUE(refused(changed([](Page p, Entries) { p["tree"].get_object()["descriptor"] = ""; })));
  EXPECT_TRUE(refused(changed([](Page p, Entries) { p["tree"].get_object()["more"] = 1; })));
  EXPECT_TRUE(refused(get(log_target()).body));  // Proves nothing.
  EXPECT_TRUE(refused(good, 1));                 // Not what was asked for.
  EXPECT_TRUE(refused(good + " x"));
  EXPECT_TRUE(refused(std::string(limits::kJsonBytesMax + 1, ' ')));
  EXPECT_TRUE(refused(""));
}

TEST_F(RemoteLedgerTest, TheClientTellsStaleUnknownAndRefusedApart) {
  const auto read = [](int status, const std::string& body) {
    return LedgerClient::read_append({status, "", body});
  };
  const std::string hash = ledger::blob_hash({});
  EXPECT_EQ(std::get<StaleHead>(read(409, R"({"head":")" + hash + R"("})")->outcome).head, hash);
  const auto appended = read(200, R"({"position":7,"receipt":"r","time":5})");
  EXPECT_EQ(std::get<Appended>(appended->outcome).position, 7U);
  EXPECT_EQ(appended->receipt, "r");
  EXPECT_FALSE(read(200, R"({"position":7,"time":5})").has_value());
  for (const int status : {429, 500, 502, 503, 504}) {
    const auto outcome = read(status, "");
    ASSERT_TRUE(outcome.has_value());
    EXPECT_TRUE(std::holds_alternative<UnknownOutcome>(outcome->outcome)) << status;
  }
  EXPECT_EQ(read(400, R"({"error":{"code":"log.invalid","message":"x"}})").error(),
            Errc::invalid_entry);
  EXPECT_FALSE(read(409, R"({"head":"moved"})").has_value());
  EXPECT_FALSE(read(200, R"({"position":-7,"receipt":"","time":5})").has_value());
  EXPECT_FALSE(read(200, "").has_value());
  EXPECT_FALSE(read(302, "").has_value());
}

TEST_F(RemoteLedgerTest, TheDescriptorComesOverAndItsIdCommitsToIt) {
  RemoteLedger remote(inner_);
  const auto fetched = must(remote.fetch_descriptor());
  EXPECT_EQ(fetched, ledger_descriptor());
  const std::string id = ledger::ledger_id(fetched);
  EXPECT_TRUE(ledger::is_ledger_id(id));
  std::vector<ledger::LedgerDescriptor> others(6, fetched);
  others[0].kind = "memory";
  others[1].origin = "elsewhere.example";
  others[2].key = ledger_descriptor(2).key;
  others[3].urls.push_back("https://second.example");
  others[4].witnesses = {ledger_descriptor(3).key};
  others[5].witnesses = {ledger_descriptor(3).key};
  others[5].w = 1;
  for (const auto& other : others) EXPECT_NE(ledger::ledger_id(other), id);
  EXPECT_NE(ledger::ledger_id(others[4]), ledger::ledger_id(others[5]));
}

TEST_F(RemoteLedgerTest, RefusesDescriptorsThatAreNone) {
  const std::string good = ledger::descriptor_json(ledger_descriptor());
  ASSERT_TRUE(ledger::parse_descriptor(good).has_value());
  const auto refused = [&](std::string_view member, Json value) {
    Json json = must(crypto::parse_json(good));
    json.get_object()[member] = std::move(value);
    return !ledger::parse_descriptor(crypto::json_text(json)).has_value();
  };
  const std::string witness = crypto::multikey(ledger_descriptor(2).key);
  EXPECT_FALSE(refused("w", 0));
  EXPECT_TRUE(refused("w", 1));
  EXPECT_TRUE(refused("v", "kith-ledger/2"));
  EXPECT_TRUE(refused("origin", ""));
  EXPECT_TRUE(refused("origin", "a b"));
  EXPECT_TRUE(refused("origin", "a+b"));
  EXPECT_TRUE(refused("key", "z6Mk"));
  EXPECT_TRUE(refused("urls", JsonArray{"https://a.example", "https://a.example"}));
  EXPECT_TRUE(refused("witnesses", JsonArray{witness, witness}));
  EXPECT_TRUE(refused("extra", true));
  EXPECT_FALSE(ledger::is_ledger_id("ledger:short"));
}

TEST_F(RemoteLedgerTest, EffectsBecomeQuestionsAndAnswersBecomeRecords) {
  protocol::Effect effect;
  effect.id = "7";
  effect.kind = protocol::EffectKind::ledger_read;
  effect.payload = protocol::encode_record(
      protocol::LedgerReadPayload{"https://ledger.example/", lab_.subject, 0, 0});
  EXPECT_EQ(ledger::ledger_of(effect), "https://ledger.example/");
  HttpQuestion question = must(ledger::question_of(effect));
  ASSERT_EQ(question.target,
            "https://ledger.example/ledger/log/" + lab_.subject + "?from=0&seen=0");
  question.target = question.target.substr(std::string("https://ledger.example").size());
  const auto over_http = ledger::result_of(effect, service_.handle(question, lab_.time));
  const auto here = ledger::perform_on(inner_, effect, lab_.time, &prover_);
  EXPECT_EQ(over_http.id, "7");
  EXPECT_EQ(*over_http.outcome, *here.outcome);
  const auto lost = ledger::result_of(effect, fail(Errc::timeout));
  EXPECT_TRUE(lost.retry);
  const auto broken = ledger::result_of(effect, HttpReply{200, "", "nonsense"});
  EXPECT_FALSE(broken.outcome.has_value());
  EXPECT_FALSE(broken.retry);
  EXPECT_TRUE(ledger::result_of(effect, HttpReply{503, "", ""}).retry);
}

TEST(LedgerClientAddress, IsHttpWithoutQuery) {
  EXPECT_TRUE(LedgerClient::at("http://127.0.0.1:8080/x/").has_value());
  for (const char* bad : {"", "leveldb:/x", "https://a.example?b", "https://a.example#b",
                          "https://a b", "ftp://a.example"}) {
    EXPECT_FALSE(LedgerClient::at(bad).has_value()) << bad;
  }
}

}  // namespace
}  // namespace kith::test
