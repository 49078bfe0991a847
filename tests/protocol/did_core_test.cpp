#include "protocol/did_core.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"

namespace kith {
namespace {

using protocol::check_did_core;
using protocol::dereference;
using protocol::Representation;
using protocol::representation_of;
using protocol::resolve_relative;

const Did kOwner = *Did::parse("did:example:a");

JsonObject document(const std::string& members) {
  const std::string start = R"({"id":"did:example:a")";
  const auto json =
      crypto::parse_json(start + (members.empty() ? std::string() : "," + members) + "}");
  return json.has_value() ? json->get_object() : JsonObject();
}

std::optional<Errc> error_of(const std::string& members,
                             Representation representation = Representation::unknown) {
  const auto checked = check_did_core(document(members), kOwner, representation);
  if (checked.has_value()) return std::nullopt;
  return checked.error().code;
}

// DID Core section 6.1: the two media types.
TEST(DidCore, KnowsItsRepresentations) {
  EXPECT_EQ(representation_of("application/did+json"), Representation::json);
  EXPECT_EQ(representation_of("application/did+ld+json; charset=utf-8"), Representation::json_ld);
  EXPECT_EQ(representation_of("application/json"), Representation::unknown);
}

// DID Core section 6.3.1: the first context is that of DID Core. In JSON (6.2) it has no meaning.
TEST(DidCore, DemandsItsContextOfJsonLdAlone) {
  struct Row {
    std::string context;
    bool json_ld;
    bool json;
  };
  const Row rows[] = {
      {R"("@context":"https://www.w3.org/ns/did/v1")", true, true},
      {R"("@context":["https://www.w3.org/ns/did/v1",{"a":"b"}])", true, true},
      {"", false, true},
      {R"("@context":["https://example.com/x","https://www.w3.org/ns/did/v1"])", false, true},
      {R"("@context":[{"a":"b"}])", false, true},
      {R"("@context":[])", false, false},
      {R"("@context":5)", false, false},
      {R"("@context":["https://www.w3.org/ns/did/v1",5])", false, false},
  };
  for (const Row& row : rows) {
    SCOPED_TRACE(row.context);
    EXPECT_EQ(error_of(row.context, Representation::json_ld).has_value(), !row.json_ld);
    EXPECT_EQ(error_of(row.context, Representation::json).has_value(), !row.json);
    EXPECT_EQ(error_of(row.context).has_value(), !row.json);
  }
}

// DID Core sections 5.1 to 5.4.
TEST(DidCore, ChecksTheTypesOfAllThatItNames) {
  const std::string method = R"({"id":"#k","type":"Multikey","controller":"did:example:a"})";
  const std::string service = R"({"id":"#s","type":"X","serviceEndpoint":"https://a/"})";
  const auto in_list = [](const std::string& name, const std::string& items) {
    return "\"" + name + "\":[" + items + "]";
  };
  const std::string good[] = {
      R"("controller":"did:example:b")",
      R"("controller":["did:example:b","did:example:c"])",
      R"("alsoKnownAs":["https://example.com/","did:example:b"])",
      R"("later":{"anything":[null,1.5]})",
      in_list("verificationMethod", method),
      in_list("assertionMethod", method),
      in_list("service", service),
      in_list("service", R"({"type":["X","Y"],"serviceEndpoint":["https://a/",{"x":1}]})"),
  };
  for (const std::string& members : good) EXPECT_EQ(error_of(members), std::nullopt) << members;
  const std::string bad[] = {
      R"("controller":5)",
      R"("controller":"example")",
      R"("controller":["did:example:b","did:example:b"])",
      R"("alsoKnownAs":"https://example.com/")",
      R"("alsoKnownAs":["no scheme"])",
      R"("alsoKnownAs":["1a:b"])",
      in_list("verificationMethod", R"({"id":"#k","controller":"did:example:a"})"),
      in_list("verificationMethod", R"({"id":"#k","type":"","controller":"did:example:a"})"),
      in_list("verificationMethod", R"({"type":"Multikey"})"),
      in_list("verificationMethod", method + "," + method),
      in_list("verificationMethod", method) + "," +
          in_list("keyAgreement",
                  R"({"id":"did:example:a#k","type":"Multikey","controller":"did:example:a"})"),
      in_list("service", R"({"id":"#s","serviceEndpoint":"https://a/"})"),
      in_list("service", R"({"id":"#s","type":5,"serviceEndpoint":"https://a/"})"),
      in_list("service", R"({"id":"#s","type":"X"})"),
      in_list("service", R"({"id":"#s","type":"X","serviceEndpoint":"no address"})"),
      in_list("service", R"({"id":"#s","type":"X","serviceEndpoint":["https://a/",5]})"),
      in_list("service", R"({"id":"s","type":"X","serviceEndpoint":"https://a/"})"),
      in_list("service", service + "," + service),
      // One name for a key and a service would make "#k" ambiguous.
      in_list("verificationMethod", method) + "," +
          in_list("service",
                  R"({"id":"did:example:a#k","type":"X","serviceEndpoint":"https://a/"})"),
      R"("verificationMethod":{})",
      R"("service":{})",
      R"("authentication":"#k")",
  };
  for (const std::string& members : bad) EXPECT_EQ(error_of(members), Errc::malformed) << members;
}

TEST(DidCore, BoundsKeysAndServices) {
  std::string methods;
  for (std::size_t i = 0; i < limits::kDidDocumentMethodsMax; ++i) {
    methods += (i == 0 ? "" : ",");
    methods += R"({"id":"#k)" + std::to_string(i) + R"(","type":"X"})";
  }
  EXPECT_EQ(error_of("\"verificationMethod\":[" + methods + "]"), std::nullopt);
  EXPECT_EQ(error_of("\"verificationMethod\":[" + methods +
                     R"(],"capabilityDelegation":[{"id":"#more","type":"X"}])"),
            Errc::limit_exceeded);
}

TEST(DidCore, RefusesADocumentAboutAnother) {
  const JsonObject other{{"id", "did:example:b"}};
  EXPECT_EQ(check_did_core(other, kOwner).error().code, Errc::not_authentic);
  EXPECT_EQ(check_did_core(JsonObject{}, kOwner).error().code, Errc::malformed);
}

// --- Dereferencing (DID Core section 7.2)

DidDocument example() {
  const std::string key =
      R"("type":"Multikey","controller":"did:example:a","publicKeyMultibase":"z6Mkj3PUd1WjvaDhNZhhhXQdz5UnZXmS7ehtx8bsPpD47kKc")";
  return *protocol::read_did_document(
      document(R"("verificationMethod":[{"id":"#one",)" + key +
               R"(}],"assertionMethod":[{"id":"did:example:a#two",)" + key +
               R"(}],"service":[
      {"id":"#files","type":"Files","serviceEndpoint":"https://host.example/a/b?x=1"},
      {"id":"did:example:a#mail","type":"DIDCommMessaging","serviceEndpoint":[{"uri":"https://mail.example"}]},
      {"id":"#odd","type":"X","serviceEndpoint":{"other":1}},
      {"id":"#done","type":"X","serviceEndpoint":"https://host.example/#there"}])"),
      kOwner);
}

Result<protocol::Dereferenced> follow(const std::string& rest) {
  return dereference(example(), *DidUrl::parse("did:example:a" + rest));
}

TEST(DidUrlDereferencing, FindsDocumentsKeysAndServices) {
  EXPECT_EQ(follow("")->content.get_object().at("id"), "did:example:a");
  EXPECT_EQ(follow("#one")->content.get_object().at("id"), "#one");
  EXPECT_EQ(follow("#two")->content.get_object().at("id"), "did:example:a#two");
  EXPECT_EQ(follow("#files")->content.get_object().at("type"), "Files");
  EXPECT_EQ(follow("?versionId=3#one")->content.get_object().at("id"), "#one");
  EXPECT_EQ(follow("#three").error().code, Errc::not_found);
}

TEST(DidUrlDereferencing, FollowsServicesWithRelativeReferences) {
  const std::pair<std::string, std::string> rows[] = {
      {"?service=files", "https://host.example/a/b?x=1"},
      {"?service=mail", "https://mail.example"},
      {"?service=mail&relativeRef=c", "https://mail.example/c"},
      {"?service=files&relativeRef=%2Fresume%3Fv%3D2", "https://host.example/resume?v=2"},
      {"?relativeRef=c/../d&service=files", "https://host.example/a/d"},
      {"?service=files#part", "https://host.example/a/b?x=1#part"},
  };
  for (const auto& [rest, address] : rows) {
    const auto found = follow(rest);
    ASSERT_TRUE(found.has_value()) << rest;
    EXPECT_EQ(found->media_type, "text/uri-list");
    EXPECT_EQ(found->content, Json(address)) << rest;
  }
  EXPECT_EQ(follow("?service=none").error().code, Errc::not_found);
  EXPECT_EQ(follow("?service=odd").error().code, Errc::malformed);
}

TEST(DidUrlDereferencing, RefusesWhatItCannotFollow) {
  const std::pair<std::string, Errc> rows[] = {
      {"/path", Errc::unsupported},
      {"?hl=zQm", Errc::unsupported},
      {"?service=files&service=mail", Errc::malformed},
      {"?service", Errc::malformed},
      {"?relativeRef=/x", Errc::malformed},
      {"?service=done#part", Errc::malformed},
      // These would lead to another host.
      {"?service=files&relativeRef=//evil.example/", Errc::malformed},
      {"?service=files&relativeRef=https:%2F%2Fevil.example", Errc::malformed},
      {"?service=files&relativeRef=%5C%5Cevil.example", Errc::malformed},
      {"?service=files&relativeRef=a%0Ab", Errc::malformed},
  };
  for (const auto& [rest, error] : rows) {
    const auto found = follow(rest);
    ASSERT_FALSE(found.has_value()) << rest;
    EXPECT_EQ(found.error().code, error) << rest;
  }
  EXPECT_EQ(dereference(example(), *DidUrl::parse("did:example:b#one")).error().code,
            Errc::malformed);
}

// RFC 3986 section 5.4, as far as references stay on their host.
TEST(RelativeReferences, ResolveAsTheStandardShows) {
  const std::pair<std::string, std::string> rows[] = {
      {"g", "http://a/b/c/g"},         {"./g", "http://a/b/c/g"},
      {"g/", "http://a/b/c/g/"},       {"/g", "http://a/g"},
      {"?y", "http://a/b/c/d;p?y"},    {"g?y", "http://a/b/c/g?y"},
      {"#s", "http://a/b/c/d;p?q#s"},  {"g#s", "http://a/b/c/g#s"},
      {"g?y#s", "http://a/b/c/g?y#s"}, {";x", "http://a/b/c/;x"},
      {"g;x", "http://a/b/c/g;x"},     {"", "http://a/b/c/d;p?q"},
      {".", "http://a/b/c/"},          {"./", "http://a/b/c/"},
      {"..", "http://a/b/"},           {"../", "http://a/b/"},
      {"../g", "http://a/b/g"},        {"../..", "http://a/"},
      {"../../g", "http://a/g"},       {"../../../g", "http://a/g"},
      {"/./g", "http://a/g"},          {"/../g", "http://a/g"},
      {"g.", "http://a/b/c/g."},       {"..g", "http://a/b/c/..g"},
      {"./../g", "http://a/b/g"},      {"g;x=1/../y", "http://a/b/c/y"},
  };
  for (const auto& [reference, expected] : rows) {
    const auto found = resolve_relative("http://a/b/c/d;p?q", reference);
    ASSERT_TRUE(found.has_value()) << reference;
    EXPECT_EQ(*found, expected) << reference;
  }
  for (const std::string_view away : {"g:h", "//g", "http:g"}) {
    EXPECT_FALSE(resolve_relative("http://a/b/c/d;p?q", away).has_value()) << away;
  }
  EXPECT_FALSE(resolve_relative("mailto:a@b", "g").has_value());
}

}  // namespace
}  // namespace kith
