#include "node/cli/envelope_tool.hpp"

#include <gtest/gtest.h>

#include "tests/support/vectors.hpp"

namespace kith::node {
namespace {

using test::text_of;

// The standard's own messages were sealed at this time.
constexpr std::int64_t kVectorTime = 1'516'269'022;

/// A tool with all keys and documents of the standard's appendix A and B.
struct Appendix {
  explicit Appendix(const Json& file)
      : tool(EnvelopeTool::make(crypto::json_text(file.at("secrets")),
                                crypto::json_text(file.at("did_docs")), random)
                 .value()) {}
  crypto::SeededRandom random{1, "envelope-tool"};
  std::unique_ptr<EnvelopeTool> tool;
};

constexpr std::string_view kMessage =
    R"({"id":"1","type":"https://example.com/p/1.0/m","body":{"a":1},"unknown":[null]})";

// DIDComm Messaging v2.1, appendix C: every example opens, and its metadata say how it was sealed.
TEST(EnvelopeTool, OpensTheExamplesOfTheStandard) {
  LOAD_VECTORS(file, "didcomm/spec.json");
  Appendix appendix(file);
  std::size_t opened = 0;
  for (const Json& example : file.at("examples").as_array()) {
    const std::string name = text_of(example.as_object(), "name");
    SCOPED_TRACE(name);
    const auto result =
        appendix.tool->unpack(crypto::json_text(example.at("message")), kVectorTime);
    ASSERT_TRUE(result.has_value()) << result.error().detail;
    ++opened;
    const JsonObject& metadata = result->at("metadata").as_object();
    EXPECT_EQ(result->at("message").at("id"), "1234567890");
    const auto has = [&](std::string_view word) { return name.find(word) != std::string::npos; };
    EXPECT_EQ(metadata.at("encrypted"), has("anoncrypt") || has("authcrypt"));
    EXPECT_EQ(metadata.at("authenticated"), has("authcrypt") || has("signed"));
    EXPECT_EQ(metadata.at("non_repudiation"), has("sign"));
    EXPECT_EQ(metadata.at("anonymous_sender"), has("anoncrypt"));
    EXPECT_EQ(metadata.contains("signed_message"), has("sign"));
  }
  EXPECT_EQ(opened, 10U);
}

TEST(EnvelopeTool, TellsExpiryAndDoesNotJudgeIt) {
  LOAD_VECTORS(file, "didcomm/spec.json");
  Appendix appendix(file);
  const Json& example = file.at("examples").as_array().back();
  const std::string text = crypto::json_text(example.at("message"));
  EXPECT_EQ(appendix.tool->unpack(text, kVectorTime)->at("metadata").at("expired"), false);
  const auto late = appendix.tool->unpack(text, kVectorTime + 365 * 24 * 3600);
  ASSERT_TRUE(late.has_value());
  EXPECT_EQ(late->at("metadata").at("expired"), true);
}

TEST(EnvelopeTool, OpensWhatItPacked) {
  LOAD_VECTORS(file, "didcomm/spec.json");
  Appendix appendix(file);
  const std::string alice = "did:example:alice", bob = "did:example:bob";
  struct Row {
    PackRequest request;
    std::string layers;
  };
  const Row rows[] = {
      {{"", "", "", false, ""}, ""},
      {{"", "", alice, false, ""}, "signed"},
      {{"", "", alice + "#key-3", false, ""}, "signed"},
      {{bob, "", "", false, ""}, "anoncrypt"},
      {{bob, "", "", false, "XC20P"}, "anoncrypt"},
      {{bob, "", alice, false, ""}, "anoncrypt signed"},
      {{bob, alice, "", false, ""}, "authcrypt"},
      {{bob, alice, "", true, ""}, "anoncrypt authcrypt"},
      {{bob, alice, alice + "#key-2", false, ""}, "anoncrypt signed"},
  };
  int number = 0;
  for (const Row& row : rows) {
    SCOPED_TRACE(number++);
    std::string text(kMessage);
    // A signature says who speaks, so the message must say so too.
    if (!row.request.sign_by.empty()) {
      text =
          R"({"id":"1","type":"https://example.com/p/1.0/m","from":"did:example:alice","body":{"a":1},"unknown":[null]})";
    }
    const auto packed = appendix.tool->pack(text, row.request);
    ASSERT_TRUE(packed.has_value()) << packed.error().detail;
    const auto opened = appendix.tool->unpack(*packed, kVectorTime);
    ASSERT_TRUE(opened.has_value()) << opened.error().detail;
    EXPECT_EQ(opened->at("message").at("body").at("a"), 1);
    EXPECT_TRUE(opened->at("message").as_object().contains("unknown"));
    EXPECT_FALSE(opened->at("message").as_object().contains("kith_pad"));
    std::string layers;
    for (const Json& one : opened->at("metadata").at("envelopes").as_array()) {
      layers += (layers.empty() ? "" : " ") + text_of(one.as_object(), "kind");
    }
    EXPECT_EQ(layers, row.layers);
  }
}

TEST(EnvelopeTool, RefusesWithStableCodes) {
  LOAD_VECTORS(file, "didcomm/spec.json");
  Appendix appendix(file);
  const auto pack_error = [&](const PackRequest& request) {
    const auto packed = appendix.tool->pack(kMessage, request);
    return packed.has_value() ? Errc::conflict : packed.error().code;
  };
  const std::string alice = "did:example:alice", bob = "did:example:bob";
  EXPECT_EQ(pack_error({"did:example:carol", "", "", false, ""}), Errc::unknown_peer);
  EXPECT_EQ(pack_error({"", alice, "", false, ""}), Errc::usage);
  EXPECT_EQ(pack_error({bob, "", "", true, ""}), Errc::usage);
  EXPECT_EQ(pack_error({bob, alice, "", false, "A256GCM"}), Errc::usage);
  EXPECT_EQ(pack_error({bob, "", alice + "#key-9", false, ""}), Errc::not_found);
  EXPECT_EQ(pack_error({"bob", "", "", false, ""}), Errc::malformed);
  EXPECT_EQ(appendix.tool->pack("{}", {bob, "", "", false, ""}).error().code, Errc::malformed);
  EXPECT_EQ(appendix.tool->unpack("no JSON", kVectorTime).error().code, Errc::malformed);

  // Without the private key, without the document, and with an altered byte.
  const std::string sealed = *appendix.tool->pack(kMessage, {bob, alice, "", false, ""});
  const auto docs = crypto::json_text(file.at("did_docs"));
  const auto alone = EnvelopeTool::make("[]", docs, appendix.random).value();
  EXPECT_EQ(alone->unpack(sealed, kVectorTime).error().code, Errc::cannot_decrypt);
  const auto strangers =
      EnvelopeTool::make(crypto::json_text(file.at("secrets")), "", appendix.random).value();
  const auto unknown = strangers->unpack(sealed, kVectorTime);
  EXPECT_EQ(unknown.error().code, Errc::unknown_peer);
  EXPECT_EQ(unknown.error().detail, alice);
  std::string altered = sealed;
  const std::size_t at = altered.find("\"ciphertext\":\"") + 20;
  altered[at] = altered[at] == 'A' ? 'B' : 'A';
  EXPECT_EQ(appendix.tool->unpack(altered, kVectorTime).error().code, Errc::cannot_decrypt);
}

TEST(EnvelopeTool, RefusesUnusableKeysAndDocuments) {
  crypto::SeededRandom random{1, "envelope-tool"};
  const auto error_of = [&](std::string_view secrets, std::string_view docs) {
    const auto made = EnvelopeTool::make(secrets, docs, random);
    return made.has_value() ? Errc::conflict : made.error().code;
  };
  const std::string key =
      R"({"kid":"did:example:a#k","kty":"OKP","crv":"Ed25519","x":"G-boxFB6vOZBu-wXkm-9Lh79I8nf9Z50cILaOgKKGww","d":"pFRUKkyzx4kHdJtFSnlPA9WzqkDT1HWV0xZ5OYZd2SY"})";
  EXPECT_EQ(error_of("[" + key + "]", "[]"), Errc::conflict) << "usable";
  EXPECT_EQ(error_of("[" + key + "," + key + "]", ""), Errc::malformed);
  EXPECT_EQ(error_of("5", ""), Errc::malformed);
  EXPECT_EQ(error_of(R"([{"kty":"OKP"}])", ""), Errc::malformed);
  EXPECT_EQ(error_of(R"([{"kid":"key-1","d":"AA"}])", ""), Errc::malformed);
  EXPECT_EQ(error_of("[]", "5"), Errc::malformed);
  EXPECT_EQ(error_of("[]", R"([{"id":"no did"}])"), Errc::malformed);
}

}  // namespace
}  // namespace kith::node
