#include "protocol/did_web.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "crypto/software_keys.hpp"
#include "protocol/kept_document.hpp"
#include "protocol/messenger.hpp"
#include "protocol/unit_of_work.hpp"
#include "tests/support/memory_store.hpp"

namespace kith::protocol {
namespace {

class DidWebTest : public ::testing::Test {
 protected:
  UnitContext context() { return {store_, keys_, random_, now_, {}, test_mode_}; }

  static Bytes page(std::uint32_t status, std::string_view body,
                    const std::string& type = "application/json", const std::string& to = "") {
    return encode_record(FetchedPage{status, to, type, crypto::to_bytes(body)});
  }
  static std::string body(const std::string& id, const std::string& context = "") {
    return "{" + context + R"("id":")" + id + R"("})";
  }
  std::optional<Errc> error_of(const std::string& did, const Result<Bytes>& outcome) {
    UnitOfWork unit(context());
    const auto read = read_did_web(unit, *Did::parse(did), outcome);
    if (read.has_value()) return std::nullopt;
    return read.error().code;
  }

  test::MemoryStore store_;
  crypto::SeededRandom random_{1, "did-web"};
  crypto::SoftwareKeys keys_{random_.secret(32), random_};
  Time now_ = from_epoch_seconds(1'795'000'000);
  bool test_mode_ = false;
};

std::string url_of(const std::string& did, bool test_mode = false) {
  const auto url = did_web_url(*Did::parse(did), test_mode);
  return url.has_value() ? *url : std::string(crypto::error_text(url.error().code).code);
}

// did:web Method, section "Create (Register)".
TEST_F(DidWebTest, FindsDocumentsWhereTheMethodSays) {
  EXPECT_EQ(url_of("did:web:w3c-ccg.github.io"), "https://w3c-ccg.github.io/.well-known/did.json");
  EXPECT_EQ(url_of("did:web:w3c-ccg.github.io:user:alice"),
            "https://w3c-ccg.github.io/user/alice/did.json");
  EXPECT_EQ(url_of("did:web:example.com%3A3000:user:alice"),
            "https://example.com:3000/user/alice/did.json");
  EXPECT_EQ(url_of("did:web:Example.COM%3a3000"), "https://example.com:3000/.well-known/did.json");
}

TEST_F(DidWebTest, AsksNoAddressesAndNoPrivateNames) {
  const std::string refused[] = {
      "did:web:127.0.0.1", "did:web:localhost",     "did:web:a.localhost",
      "did:web:router",    "did:web:10.0.0.1%3A80", "did:web:0x7f.0.0.1",
      "did:web:127.1",     "did:web:2130706433",    "did:web:169.254.169.254"};
  for (const std::string& did : refused) EXPECT_EQ(url_of(did), "policy.refused") << did;
  const std::string malformed[] = {"did:web:example.com%3A",       "did:web:example.com%3A0",
                                   "did:web:example.com%3A65536",  "did:web:example.com%3A80%3A80",
                                   "did:web:example.com%2Fuser",   "did:web:user%40example.com",
                                   "did:web:-a.example",           "did:web:a..example",
                                   "did:web:example.com.",         "did:web:%5B%3A%3A1%5D",
                                   "did:web:example.com::a",       "did:web:example.com:..:a",
                                   "did:web:example.com:%2e%2e:a", "did:web:example.com:a%2Fb",
                                   "did:web:example_com.org"};
  for (const std::string& did : malformed) EXPECT_EQ(url_of(did), "input.malformed") << did;
  EXPECT_EQ(url_of("did:example:a"), "input.unsupported");
}

TEST_F(DidWebTest, AsksThisMachineInTestModeOnly) {
  EXPECT_EQ(url_of("did:web:localhost%3A8080:a", true), "http://localhost:8080/a/did.json");
  EXPECT_EQ(url_of("did:web:127.0.0.1%3A8080", true), "http://127.0.0.1:8080/.well-known/did.json");
  EXPECT_EQ(url_of("did:web:10.0.0.1", true), "policy.refused");
  EXPECT_EQ(url_of("did:web:example.com", true), "https://example.com/.well-known/did.json");
  for (const bool test_mode : {false, true}) {
    const Effect effect = did_web_fetch("https://example.com/did.json", now_, test_mode);
    const auto payload = decode_record<FetchPayload>(effect.payload);
    ASSERT_TRUE(payload.has_value());
    EXPECT_EQ(payload->public_only, !test_mode);
    EXPECT_TRUE(payload->page);
    EXPECT_EQ(payload->bytes_max, limits::kDidDocumentBytesMax);
  }
}

// The same, section "Key Material and Document Handling" and "Read (Resolve)".
TEST_F(DidWebTest, JudgesWhatTheWebServerSays) {
  const std::string did = "did:web:example.com";
  const std::string context = R"("@context":["https://www.w3.org/ns/did/v1"],)";
  const std::string other_context = R"("@context":["https://example.com/"],)";
  struct Row {
    Bytes answer;
    std::optional<Errc> error;
  };
  const Row rows[] = {
      {page(200, body(did)), std::nullopt},
      {page(200, body(did, context)), std::nullopt},
      {page(200, body(did, context), "application/did+ld+json"), std::nullopt},
      {page(200, body(did, other_context), "application/did+json"), std::nullopt},
      {page(200, body(did, other_context)), Errc::malformed},
      {page(200, body(did), "application/did+ld+json"), Errc::malformed},
      {page(200, body("did:web:example.org")), Errc::not_authentic},
      {page(200, "not json"), Errc::malformed},
      {page(200, "[]"), Errc::malformed},
      {page(200, std::string(limits::kDidDocumentBytesMax + 1, ' ')), Errc::limit_exceeded},
      {page(404, ""), Errc::not_found},
      {page(410, ""), Errc::not_found},
      {page(403, ""), Errc::unreachable},
      {page(301, "", ""), Errc::unreachable},
      {page(301, "", "", "http://example.com/"), Errc::refused},
      {page(301, "", "", "/elsewhere"), Errc::refused},
  };
  int number = 0;
  for (const Row& row : rows) {
    SCOPED_TRACE(number++);
    EXPECT_EQ(error_of(did, row.answer), row.error);
  }
  EXPECT_EQ(error_of(did, fail(Errc::timeout)), Errc::timeout);
  UnitOfWork unit(this->context());
  const auto redirect =
      read_did_web(unit, *Did::parse(did), page(308, "", "", "https://other.example/did.json"));
  ASSERT_TRUE(redirect.has_value());
  EXPECT_FALSE(redirect->document.has_value());
  EXPECT_EQ(redirect->next_url, "https://other.example/did.json");
}

TEST_F(DidWebTest, KeepsDocumentsForAWhileAndFewOfThem) {
  UnitOfWork unit(context());
  const Did did = *Did::parse("did:web:example.com");
  KnownDids known(unit);
  EXPECT_EQ(known.resolve(did).error().code, Errc::unknown_peer);
  ASSERT_TRUE(read_did_web(unit, did, page(200, body(did.text()))).has_value());
  EXPECT_TRUE(known.resolve(did).has_value());
  ASSERT_TRUE(unit.commit().has_value());

  now_ += limits::kDidWebDocumentLife;
  UnitOfWork later(context());
  EXPECT_EQ(KnownDids(later).resolve(did).error().code, Errc::unknown_peer) << "too old";
  for (std::size_t i = 0; i < limits::kDidWebDocumentsKept + 3; ++i) {
    const std::string other = "did:web:example.com:" + std::to_string(i);
    ASSERT_TRUE(read_did_web(later, *Did::parse(other), page(200, body(other))).has_value());
  }
  EXPECT_EQ(later.list("did-web").size(), limits::kDidWebDocumentsKept);
  EXPECT_FALSE(kept_document(later, did).has_value()) << "the oldest went first";
  EXPECT_TRUE(kept_document(later, *Did::parse("did:web:example.com:258")).has_value());
}

}  // namespace
}  // namespace kith::protocol
