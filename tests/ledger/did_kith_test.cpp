#include "ledger/did_kith.hpp"

#include <gtest/gtest.h>

#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

const Json& kith_of(const ledger::Resolution& resolution) {
  return resolution.metadata.at("kith");
}

TEST(DidKith, ResolvesTheStateOfADidLog) {
  LogLab lab;
  lab.start();
  const AnchorTime created = lab.time;
  lab.time += 5h;
  lab.post(lab.update(1));
  const LogView view = lab.view();
  const auto resolution = must(ledger::resolve_did_kith(view));
  EXPECT_EQ(resolution.document, view.current.state);
  EXPECT_EQ(resolution.metadata.at("created").as_string(), ledger::utc_text(created));
  EXPECT_EQ(resolution.metadata.at("updated").as_string(), ledger::utc_text(lab.time));
  EXPECT_EQ(resolution.metadata.at("versionId").as_string(), "1-" + view.head().hash);
  EXPECT_FALSE(kith_of(resolution).at("contested").as_bool());
  EXPECT_FALSE(resolution.metadata.as_object().contains("deactivated"));
}

TEST(DidKith, ReturnsTheLastUncontestedDocumentFlagged) {
  LogLab lab;
  const LogView first = lab.start();
  lab.post(lab.update(1));
  lab.post(lab.recover(0));
  const LogView view = lab.view();
  const auto resolution = must(ledger::resolve_did_kith(view));
  EXPECT_EQ(resolution.document, first.current.state);
  EXPECT_EQ(resolution.metadata.at("versionId").as_string(), "0-" + first.head().hash);
  EXPECT_TRUE(kith_of(resolution).at("contested").as_bool());
  EXPECT_EQ(kith_of(resolution).at("status").as_string(), "contested");
  EXPECT_EQ(kith_of(resolution).at("pending").as_string(), view.pending->record.hash);
  EXPECT_EQ(kith_of(resolution).at("effectiveAt").as_string(), ledger::utc_text(lab.time + 72h));
}

TEST(DidKith, ADeactivatedLogKeepsItsIdAlone) {
  LogLab lab;
  lab.start();
  lab.post(lab.deactivate());
  const auto resolution = must(ledger::resolve_did_kith(lab.view()));
  EXPECT_TRUE(resolution.metadata.at("deactivated").as_bool());
  EXPECT_EQ(resolution.document.as_object().size(), 2U);
  EXPECT_EQ(resolution.document.at("id").as_string(), lab.subject);
}

TEST(DidKith, BuildsTheDocumentOfAPair) {
  LogLab lab(Kind::pair);
  const LogView view = lab.start();
  const auto state = must(ledger::parse_pair_state(view.current.state));
  const Json document = must(ledger::resolve_did_kith(view)).document;
  EXPECT_TRUE(ledger::check_did_document(lab.subject, document).has_value());
  EXPECT_EQ(document.at("id").as_string(), lab.subject);
  EXPECT_EQ(document.at("verificationMethod").as_array().size(), 4U);
  EXPECT_EQ(document.at("authentication").as_array().at(1).as_string(),
            lab.subject + "#" + state.agents[1].auth);
  EXPECT_EQ(document.at("keyAgreement").as_array().at(0).as_string(),
            lab.subject + "#" + state.agents[0].agree);
  const Json& endpoint = document.at("service").as_array().at(0).at("serviceEndpoint");
  EXPECT_EQ(endpoint.at("uri").as_string(), state.services[0].uri);
  EXPECT_EQ(endpoint.at("routingKeys").as_array().size(), 1U);
}

TEST(DidKith, ADisabledOrDecriedPairHasNoKeys) {
  for (const auto status : {ledger::PairStatus::disabled, ledger::PairStatus::decry}) {
    LogLab lab(Kind::pair);
    const LogView view = lab.start();
    auto state = must(ledger::parse_pair_state(view.current.state));
    state.status = status;
    Entry entry = must(ledger::make_update(view, ledger::pair_state_json(state), lab.time));
    lab.post(lab.sign(entry, view.current.keys.k));
    const auto resolution = must(ledger::resolve_did_kith(lab.view()));
    EXPECT_TRUE(resolution.metadata.at("deactivated").as_bool());
    EXPECT_FALSE(resolution.document.as_object().contains("verificationMethod"));
  }
}

TEST(DidKith, APolicyHasNoDocument) {
  LogLab lab(Kind::policy);
  const auto resolution = ledger::resolve_did_kith(lab.start());
  ASSERT_FALSE(resolution.has_value());
  EXPECT_EQ(resolution.error().code, Errc::unsupported);
}

TEST(DidKith, ChecksTheIdentifier) {
  LogLab lab;
  lab.start();
  EXPECT_TRUE(ledger::check_did_kith(lab.subject).has_value());
  EXPECT_FALSE(ledger::check_did_kith(lab.subject + "x").has_value());
  EXPECT_FALSE(ledger::check_did_kith("did:key" + lab.subject.substr(8)).has_value());
  EXPECT_FALSE(ledger::check_did_kith("did:kith:{SCID}").has_value());
}

TEST(DidKith, RefusesDocumentsThatAreNotOfTheirShape) {
  const std::string did = "did:kith:x";
  const auto ok = [&](const char* text) {
    return ledger::check_did_document(did, *crypto::parse_json(text)).has_value();
  };
  EXPECT_TRUE(ok(R"({"id":"did:kith:x"})"));
  EXPECT_TRUE(ok(R"({"id":"did:kith:x","verificationMethod":[{"id":"#a","type":"Multikey",
      "controller":"did:kith:x"}],"authentication":["did:kith:x#a"]})"));
  EXPECT_FALSE(ok(R"([])"));
  EXPECT_FALSE(ok(R"({"id":"did:kith:y"})"));
  EXPECT_FALSE(ok(R"({"id":"did:kith:x","@context":5})"));
  EXPECT_FALSE(ok(R"({"id":"did:kith:x","authentication":["#a"]})")) << "a dangling reference";
  EXPECT_FALSE(ok(R"({"id":"did:kith:x","verificationMethod":[{"id":"#a","type":"Multikey"}]})"));
  EXPECT_FALSE(ok(R"({"id":"did:kith:x","verificationMethod":[{"id":"did:kith:y#a",
      "type":"Multikey","controller":"did:kith:x"}]})"));
  EXPECT_FALSE(ok(R"({"id":"did:kith:x","service":[{"id":"#a","type":"T"}]})"));
  EXPECT_FALSE(ok(R"({"id":"did:kith:x","service":[{"id":"#a","type":"T","serviceEndpoint":"u"},
      {"id":"did:kith:x#a","type":"T","serviceEndpoint":"u"}]})"))
      << "one id twice, in two spellings";
}

}  // namespace
}  // namespace kith::test
