#include "ledger/did_lint.hpp"

#include <gtest/gtest.h>

#include "crypto/random.hpp"
#include "crypto/software_keys.hpp"

namespace kith::ledger {
namespace {

class DidLint : public ::testing::Test {
 protected:
  PublicKey key(KeyType type = KeyType::ed25519) {
    return keys_
        .generate(type, type == KeyType::x25519 ? KeyPurpose::agree : KeyPurpose::authenticate)
        .value()
        .public_key;
  }
  static DidDocument document(const std::string& name, const std::vector<PublicKey>& keys,
                              const std::string& uri, bool mediated = true) {
    const Did did = Did::parse("did:example:" + name).value();
    std::vector<protocol::DocumentKey> named;
    for (std::size_t i = 0; i < keys.size(); ++i) {
      const auto use = keys[i].type == KeyType::x25519 ? protocol::KeyUse::key_agreement
                                                       : protocol::KeyUse::authentication;
      named.push_back({"key-" + std::to_string(i), keys[i], use});
    }
    ServiceEndpoint service{"", uri, {"didcomm/v2"}, {}};
    if (mediated) service.routing_keys = {"did:example:mediator"};
    return protocol::build_did_document(did, named, {service}).value();
  }

  crypto::SeededRandom random_{1, "lint"};
  crypto::SoftwareKeys keys_{random_.secret(32), random_};
};

TEST_F(DidLint, FindsNothingInDocumentsThatShareNothing) {
  const std::vector<DidDocument> documents = {document("a", {key()}, "https://one.example"),
                                              document("b", {key()}, "https://two.example")};
  EXPECT_TRUE(find_shared(documents).empty());
  EXPECT_EQ(lint_report(documents),
            (JsonObject{{"checked", 2}, {"ok", true}, {"shared", JsonArray{}}}));
}

TEST_F(DidLint, RefusesASharedKeyOfAnyUse) {
  for (const KeyType type : {KeyType::ed25519, KeyType::x25519}) {
    const PublicKey shared = key(type);
    const std::vector<DidDocument> documents = {
        document("a", {key(), shared}, "https://one.example"),
        document("b", {key()}, "https://two.example"),
        document("c", {shared}, "https://three.example")};
    const auto found = find_shared(documents);
    ASSERT_EQ(found.size(), 1U);
    EXPECT_EQ(found[0].kind, SharedKind::key);
    EXPECT_EQ(found[0].value, crypto::multikey(shared));
    EXPECT_EQ(found[0].dids, (std::vector<std::string>{"did:example:a", "did:example:c"}));
    EXPECT_FALSE(crypto::json_true(lint_report(documents), "ok"));
  }
}

TEST_F(DidLint, RefusesAnAddressUnlessItIsAMediators) {
  const std::string uri = "https://here.example";
  const auto report = [&](bool first, bool second) {
    return lint_report(std::vector<DidDocument>{document("a", {key()}, uri, first),
                                                document("b", {key()}, uri, second)});
  };
  EXPECT_FALSE(crypto::json_true(report(false, false), "ok"));
  EXPECT_FALSE(crypto::json_true(report(true, false), "ok"));
  const JsonObject told = report(true, true);
  EXPECT_TRUE(crypto::json_true(told, "ok"));
  const JsonObject& shared = told.at("shared").get_array().at(0).get_object();
  EXPECT_EQ(shared.at("what"), "address");
  EXPECT_FALSE(shared.at("refused").get_bool());
}

TEST_F(DidLint, CountsADocumentOnceHoweverOftenItNamesAKey) {
  const PublicKey twice = key();
  EXPECT_TRUE(
      find_shared(std::vector<DidDocument>{document("a", {twice, twice}, "https://one.example")})
          .empty());
}

TEST_F(DidLint, RefusesADidThatIsUsedTwice) {
  const std::vector<DidDocument> documents = {document("a", {key()}, "https://one.example"),
                                              document("a", {key()}, "https://two.example")};
  ASSERT_EQ(find_shared(documents).size(), 1U);
  EXPECT_EQ(find_shared(documents)[0].kind, SharedKind::id);
}

TEST_F(DidLint, ReadsAFileOfDocuments) {
  const auto one = protocol::to_json(document("a", {key()}, "https://one.example"));
  EXPECT_TRUE(crypto::json_true(lint_file(crypto::json_text(Json(JsonArray{one}))).value(), "ok"));
  EXPECT_EQ(lint_file("{}").error().code, Errc::malformed);
  EXPECT_EQ(lint_file("[{}]").error().code, Errc::malformed);
  EXPECT_EQ(lint_file("[1]").error().code, Errc::malformed);
}

}  // namespace
}  // namespace kith::ledger
