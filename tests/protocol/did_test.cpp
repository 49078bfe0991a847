#include "protocol/did.hpp"

#include <gtest/gtest.h>

#include "crypto/limits.hpp"

namespace kith {
namespace {

TEST(Did, AcceptsWhatTheGrammarAllows) {
  for (const char* text : {"did:a:b", "did:example:123", "did:web:example.com%3A8080:user",
                           "did:x1::b", "did:peer:2.Ez6LS_a-b", "did:key:z6Mk"}) {
    const auto did = Did::parse(text);
    ASSERT_TRUE(did.has_value()) << text;
    EXPECT_EQ(did->text(), text);
  }
  const auto did = Did::parse("did:web:a.org:b");
  EXPECT_EQ(did->method(), "web");
  EXPECT_EQ(did->method_specific_id(), "a.org:b");
}

TEST(Did, RefusesEverythingElse) {
  for (const char* text : {"",          "did",       "did:",       "did:a",          "did:a:",
                           "did::b",    "DID:a:b",   "did:A:b",    "did:a-b:c",      "did:a:b:",
                           "did:a:b c", "did:a:b%2", "did:a:b%zz", "did:a:b#k",      "did:a:b/p",
                           "did:a:b?q", " did:a:b",  "did:a:b\n",  "did:a:\xc3\xa4", "urn:a:b"}) {
    const auto did = Did::parse(text);
    ASSERT_TRUE(did.has_error()) << text;
    EXPECT_EQ(did.error().code, Errc::malformed) << text;
  }
  const std::string longest = "did:a:" + std::string(limits::kDidCharsMax - 6, 'b');
  EXPECT_TRUE(Did::parse(longest).has_value());
  EXPECT_EQ(Did::parse(longest + "b").error().code, Errc::limit_exceeded);
}

TEST(Did, IsComparedByteByByte) {
  EXPECT_NE(*Did::parse("did:a:B"), *Did::parse("did:a:b"));
  EXPECT_NE(*Did::parse("did:a:%4a"), *Did::parse("did:a:%4A"));
}

TEST(DidUrl, TakesTheUrlApart) {
  const auto url = DidUrl::parse("did:a:b/path;x?q=1#key-1");
  ASSERT_TRUE(url.has_value());
  EXPECT_EQ(url->did().text(), "did:a:b");
  EXPECT_EQ(url->path_and_query(), "/path;x?q=1");
  EXPECT_EQ(url->fragment(), "key-1");
  const auto bare = DidUrl::parse("did:a:b");
  EXPECT_FALSE(bare->has_fragment());
  EXPECT_EQ(bare->fragment(), "");
}

TEST(DidUrl, MakesRelativeNamesAbsolute) {
  const Did base = *Did::parse("did:a:b");
  EXPECT_EQ(DidUrl::parse("#k", base)->text(), "did:a:b#k");
  EXPECT_EQ(DidUrl::parse("did:c:d#k", base)->text(), "did:c:d#k");
  EXPECT_TRUE(DidUrl::parse("k", base).has_error());
  EXPECT_TRUE(DidUrl::parse("#k").has_error());
}

TEST(DidUrl, RefusesBrokenUrlsAndKidsThatNameNoKey) {
  for (const char* text : {"did:a:b#", "did:a:b#a#b", "did:a:b#a b", "did:a:b?%1", "did:a:b/\\",
                           "did:a:b#\"", "did:a:#k"}) {
    EXPECT_TRUE(DidUrl::parse(text).has_error()) << text;
  }
  EXPECT_TRUE(DidUrl::parse_kid("did:a:b#k").has_value());
  for (const char* text : {"did:a:b", "#k", "did:a:b/p#k", "did:a:b?q#k"}) {
    EXPECT_TRUE(DidUrl::parse_kid(text).has_error()) << text;
  }
}

}  // namespace
}  // namespace kith
