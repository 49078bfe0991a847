#include "ledger/resolution.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "crypto/software_keys.hpp"
#include "ledger/did_kith.hpp"
#include "protocol/unit_of_work.hpp"
#include "tests/support/memory_store.hpp"

namespace kith::ledger {
namespace {

using protocol::Effect;
using protocol::FetchedPage;
using protocol::FetchPayload;
using protocol::UnitOfWork;

const std::string kKey = "z6Mkj3PUd1WjvaDhNZhhhXQdz5UnZXmS7ehtx8bsPpD47kKc";

/// Resolutions that need no ledger, in one unit of work.
class ResolutionTest : public ::testing::Test {
 protected:
  std::string start(const std::string& did) {
    const auto started = start_resolution(unit_, {{"did", did}});
    EXPECT_TRUE(started.has_value());
    return crypto::json_string(*started, "id").value();
  }
  JsonObject status(const std::string& id) {
    return resolution_status(unit_, {{"id", id}}).value();
  }
  JsonObject resolve(const std::string& did) { return status(start(did)); }
  static std::string error_in(const JsonObject& reply) {
    EXPECT_EQ(reply.at("state"), "failed");
    return crypto::json_string(reply.at("didResolutionMetadata").get_object(), "error").value();
  }
  /// Answers the newest fetch; gives its address.
  std::string answer(const std::string& id, const Result<Bytes>& outcome) {
    const Effect effect = unit_.started().back();
    take_resolution_answer(unit_, id, effect, outcome);
    return protocol::decode_record<FetchPayload>(effect.payload)->url;
  }
  static Bytes page(const std::string& text, std::uint32_t code = 200, std::string to = "") {
    return protocol::encode_record(
        FetchedPage{code, std::move(to), "application/json", crypto::to_bytes(text)});
  }

  test::MemoryStore store_;
  crypto::SeededRandom random_{1, "resolution"};
  crypto::SoftwareKeys keys_{random_.secret(32), random_};
  UnitOfWork unit_{
      {store_, keys_, random_, protocol::from_epoch_seconds(1'795'000'000), {}, false}};
};

TEST_F(ResolutionTest, AnswersAtOnceWhatNeedsNobody) {
  const JsonObject done = resolve("did:key:" + kKey);
  EXPECT_EQ(done.at("state"), "done");
  EXPECT_EQ(done.at("didDocument").get_object().at("id"), Json("did:key:" + kKey));
  EXPECT_FALSE(done.contains("content"));
  EXPECT_EQ(resolve("did:peer:0" + kKey).at("state"), "done");
  EXPECT_EQ(error_in(resolve("did:example:bob")), "methodNotSupported");
  EXPECT_EQ(error_in(resolve("did:peer:4zQmd8CpeFPci817KDsbSAKWcXAE2mjvCQSasRewvbSF54Bd")),
            "notFound");
  EXPECT_EQ(error_in(resolve("bob")), "invalidDid");
  EXPECT_TRUE(unit_.started().empty());
}

TEST_F(ResolutionTest, GivesTheRepresentationThatIsAskedFor) {
  const auto asked = [&](const std::string& did, const Json& json_ld) {
    const auto started = start_resolution(unit_, {{"did", did}, {"json_ld", json_ld}});
    return status(crypto::json_string(*started, "id").value());
  };
  const auto type_of = [](const JsonObject& done) {
    return done.at("didResolutionMetadata").get_object().at("contentType");
  };
  const JsonObject linked = asked("did:key:" + kKey, true);
  EXPECT_EQ(type_of(linked), "application/did+ld+json");
  const Json& context = linked.at("didDocument").get_object().at("@context");
  EXPECT_EQ(context.get_array().at(0), Json(kDidContext));
  EXPECT_EQ(type_of(asked("did:key:" + kKey, false)), "application/did+json");

  const auto context_of_web = [&](const std::string& host, const std::string& member) {
    const auto started = start_resolution(unit_, {{"did", "did:web:" + host}, {"json_ld", true}});
    const std::string id = crypto::json_string(*started, "id").value();
    answer(id, page("{" + member + R"("id":"did:web:)" + host + "\"}"));
    return crypto::json_text(status(id).at("didDocument").get_object().at("@context"));
  };
  const std::string own = "\"" + std::string(kDidContext) + "\"";
  EXPECT_EQ(context_of_web("one.example", ""), "[" + own + "]");
  EXPECT_EQ(context_of_web("two.example", "\"@context\":" + own + ","), "[" + own + "]");
  EXPECT_EQ(context_of_web("three.example", "\"@context\":[" + own + R"(,"https://a.example"],)"),
            "[" + own + R"(,"https://a.example"])");
}

TEST_F(ResolutionTest, FollowsDidUrls) {
  const std::string did = "did:key:" + kKey;
  const JsonObject done = resolve(did + "#" + kKey);
  EXPECT_EQ(done.at("did"), Json(did));
  EXPECT_EQ(done.at("url"), Json(did + "#" + kKey));
  EXPECT_EQ(done.at("content").get_object().at("publicKeyMultibase"), Json(kKey));
  EXPECT_EQ(done.at("dereferencingMetadata").get_object().at("contentType"),
            "application/did+json");
  EXPECT_EQ(error_in(resolve(did + "#other")), "notFound");
  EXPECT_EQ(error_in(resolve(did + "?service=a&service=b")), "invalidDidUrl");
  EXPECT_EQ(error_in(resolve(did + "?versionId=1")), "methodNotSupported");
}

TEST_F(ResolutionTest, FetchesDidWebOnceInAWhile) {
  const std::string did = "did:web:example.com:alice";
  const std::string id = start(did + "?service=files&relativeRef=/cv");
  EXPECT_EQ(status(id).at("state"), "waiting");
  EXPECT_EQ(
      answer(id, page(R"({"id":"did:web:example.com:alice","service":[)"
                      R"({"id":"#files","type":"F","serviceEndpoint":"https://f.example"}]})")),
      "https://example.com/alice/did.json");
  EXPECT_EQ(status(id).at("state"), "done");
  EXPECT_EQ(status(id).at("content"), "https://f.example/cv");
  const std::size_t fetched = unit_.started().size();
  EXPECT_EQ(resolve(did).at("state"), "done");
  EXPECT_EQ(unit_.started().size(), fetched);
}

TEST_F(ResolutionTest, FollowsFewRedirectsOfAWebServer) {
  const std::string id = start("did:web:example.com");
  for (std::size_t i = 0; i < limits::kHttpRedirectsMax; ++i) {
    answer(id, page("", 302, "https://" + std::to_string(i) + ".example/did.json"));
    EXPECT_EQ(status(id).at("state"), "waiting");
  }
  EXPECT_EQ(answer(id, page("", 302, "https://more.example/")), "https://2.example/did.json");
  EXPECT_EQ(error_in(status(id)), "internalError");
}

TEST_F(ResolutionTest, SaysWhyAWebDocumentIsOfNoUse) {
  const auto why = [&](const Result<Bytes>& outcome) {
    const std::string id = start("did:web:example.com");
    answer(id, outcome);
    return error_in(status(id));
  };
  EXPECT_EQ(why(page("", 404)), "notFound");
  EXPECT_EQ(why(page(R"({"id":"did:web:example.org"})")), "invalidDidDocument");
  EXPECT_EQ(why(fail(Errc::unreachable)), "internalError");
  EXPECT_EQ(error_in(resolve("did:web:localhost")), "internalError");
}

}  // namespace
}  // namespace kith::ledger
