#include "node/net/url_policy.hpp"

#include <gtest/gtest.h>

#include <optional>

#include "crypto/limits.hpp"

namespace kith::node {
namespace {

constexpr UrlPolicy kPublicOnly{};
constexpr UrlPolicy kPrivateToo{.allow_private = true};

std::optional<Errc> verdict(std::string_view url, const UrlPolicy& policy) {
  const auto parsed = parse_http_url(url, policy);
  if (parsed) return std::nullopt;
  return parsed.error().code;
}

TEST(UrlPolicy, JudgesEveryRowOfTheTable) {
  constexpr std::optional<Errc> kOk = std::nullopt;
  struct Row {
    std::string_view url;
    std::optional<Errc> strict;   ///< For strangers.
    std::optional<Errc> relaxed;  ///< With allow_private.
  };
  const Row rows[] = {
      {"http://example.com/a?b", kOk, kOk},
      {"http://EXAMPLE.com", kOk, kOk},
      {"http://a-b_c.example:8080/", kOk, kOk},
      {"http://8.8.8.8/", kOk, kOk},
      {"http://[2606:4700::1111]/", kOk, kOk},
      {"http://127.0.0.1.example.com/", kOk, kOk},
      {"http://127.0.0.1/", Errc::refused, kOk},
      {"http://127.8.9.10/", Errc::refused, kOk},
      {"http://10.0.0.1/", Errc::refused, kOk},
      {"http://172.16.0.1/", Errc::refused, kOk},
      {"http://172.31.255.255/", Errc::refused, kOk},
      {"http://172.32.0.1/", kOk, kOk},
      {"http://192.168.1.1/", Errc::refused, kOk},
      {"http://100.64.0.1/", Errc::refused, kOk},
      {"http://169.254.1.1/", Errc::refused, kOk},
      {"http://[::1]/", Errc::refused, kOk},
      {"http://[0:0:0:0:0:0:0:1]/", Errc::refused, kOk},
      {"http://[::ffff:127.0.0.1]/", Errc::refused, kOk},
      {"http://[::ffff:7f00:1]/", Errc::refused, kOk},
      {"http://[::ffff:8.8.8.8]/", kOk, kOk},
      {"http://[fc00::1]/", Errc::refused, kOk},
      {"http://[fe80::1]/", Errc::refused, kOk},
      {"http://[64:ff9b::7f00:1]/", Errc::refused, kOk},
      {"http://[2002:7f00:1::]/", Errc::refused, kOk},
      {"http://localhost/", Errc::refused, kOk},
      {"http://LOCALHOST:8080/", Errc::refused, kOk},
      {"http://a.localhost/", Errc::refused, kOk},
      {"http://169.254.169.254/latest/meta-data", Errc::refused, Errc::refused},
      {"http://[::ffff:169.254.169.254]/", Errc::refused, Errc::refused},
      {"http://[fd00:ec2::254]/", Errc::refused, Errc::refused},
      {"http://100.100.100.200/", Errc::refused, Errc::refused},
      {"http://0.0.0.0/", Errc::refused, Errc::refused},
      {"http://[::]/", Errc::refused, Errc::refused},
      {"http://[::127.0.0.1]/", Errc::refused, Errc::refused},
      {"http://224.0.0.1/", Errc::refused, Errc::refused},
      {"http://255.255.255.255/", Errc::refused, Errc::refused},
      {"http://198.18.0.1/", Errc::refused, Errc::refused},
      {"http://203.0.113.5/", Errc::refused, Errc::refused},
      {"http://[ff02::1]/", Errc::refused, Errc::refused},
      {"http://[2001:db8::1]/", Errc::refused, Errc::refused},
      {"http://[2001:0:1::1]/", Errc::refused, Errc::refused},
      {"http://2130706433/", Errc::bad_url, Errc::bad_url},
      {"http://0x7f000001/", Errc::bad_url, Errc::bad_url},
      {"http://0177.0.0.1/", Errc::bad_url, Errc::bad_url},
      {"http://0x7f.0.0.1/", Errc::bad_url, Errc::bad_url},
      {"http://1.2.3.4.example:81/", kOk, kOk},
      {"http://[::1].example.com/", Errc::bad_url, Errc::bad_url},
      {"http://[::1]x/", Errc::bad_url, Errc::bad_url},
      {"http://8.8.8.8:80:81/", Errc::bad_url, Errc::bad_url},
      {"http://8.8.8.8@127.0.0.1/", Errc::bad_url, Errc::bad_url},
      {"http://127.0.0.0x1/", Errc::bad_url, Errc::bad_url},
      {"http://127.1/", Errc::bad_url, Errc::bad_url},
      {"http://127.0.0.01/", Errc::bad_url, Errc::bad_url},
      {"http://256.0.0.1/", Errc::bad_url, Errc::bad_url},
      {"http://127.0.0.1./", Errc::bad_url, Errc::bad_url},
      {"http://localhost./", Errc::bad_url, Errc::bad_url},
      {"http://example.com./", Errc::bad_url, Errc::bad_url},
      {"http://user@example.com/", Errc::bad_url, Errc::bad_url},
      {"http://user:word@example.com/", Errc::bad_url, Errc::bad_url},
      {"http://example.com@127.0.0.1/", Errc::bad_url, Errc::bad_url},
      {"http://@example.com/", Errc::bad_url, Errc::bad_url},
      {"http://[fe80::1%25eth0]/", Errc::bad_url, Errc::bad_url},
      {"http://%6cocalhost/", Errc::bad_url, Errc::bad_url},
      {"http://a..b/", Errc::bad_url, Errc::bad_url},
      {"http:///path", Errc::bad_url, Errc::bad_url},
      {"http:path", Errc::bad_url, Errc::bad_url},
      {"http://example.com:0/", Errc::bad_url, Errc::bad_url},
      {"http://example.com:65536/", Errc::bad_url, Errc::bad_url},
      {"http://example.com:/", Errc::bad_url, Errc::bad_url},
      {"http://example.com:080/", Errc::bad_url, Errc::bad_url},
      {"http://exa mple.com/", Errc::bad_url, Errc::bad_url},
      {"http://example.com/\r\nX: y", Errc::bad_url, Errc::bad_url},
      {"http://ex\xC3\xA4mple.com/", Errc::bad_url, Errc::bad_url},
      {"http://example.com\\@127.0.0.1/", Errc::bad_url, Errc::bad_url},
      {"//example.com/", Errc::bad_url, Errc::bad_url},
      {"", Errc::bad_url, Errc::bad_url},
      {"https://example.com/", kOk, kOk},
      {"HTTPS://example.com/", kOk, kOk},
      {"https://127.0.0.1/", Errc::refused, kOk},
      {"https://user@example.com/", Errc::bad_url, Errc::bad_url},
      {"httpss://example.com/", Errc::unsupported, Errc::unsupported},
      {"file:///etc/passwd", Errc::unsupported, Errc::unsupported},
      {"gopher://example.com/", Errc::unsupported, Errc::unsupported},
      {"ws://example.com/", Errc::unsupported, Errc::unsupported},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(verdict(row.url, kPublicOnly), row.strict) << row.url;
    EXPECT_EQ(verdict(row.url, kPrivateToo), row.relaxed) << row.url << " (private allowed)";
  }
}

TEST(UrlPolicy, TakesAnAddressApart) {
  const auto plain = parse_http_url("http://Example.com", kPublicOnly);
  ASSERT_TRUE(plain.has_value());
  EXPECT_EQ(plain->host, "example.com");
  EXPECT_EQ(plain->port, 80);
  EXPECT_EQ(plain->authority, "example.com");
  EXPECT_EQ(plain->target, "/");
  EXPECT_FALSE(plain->is_address);

  const auto query = parse_http_url("http://example.com:8080?a=b#fragment", kPublicOnly);
  ASSERT_TRUE(query.has_value());
  EXPECT_EQ(query->authority, "example.com:8080");
  EXPECT_EQ(query->target, "/?a=b");

  const auto v6 = parse_http_url("http://[2606:4700:0::1111]:81/x/y?z", kPublicOnly);
  ASSERT_TRUE(v6.has_value());
  EXPECT_EQ(v6->host, "2606:4700::1111");
  EXPECT_EQ(v6->authority, "[2606:4700::1111]:81");
  EXPECT_EQ(v6->port, 81);
  EXPECT_EQ(v6->target, "/x/y?z");
  EXPECT_TRUE(v6->is_address);
}

TEST(UrlPolicy, KnowsTheSecureSchemesAndTheirPort) {
  const auto web = parse_http_url("https://example.com/x", kPublicOnly);
  ASSERT_TRUE(web.has_value());
  EXPECT_TRUE(web->secure);
  EXPECT_EQ(web->port, 443);
  EXPECT_EQ(web->authority, "example.com");
  EXPECT_EQ(parse_http_url("https://example.com:80/", kPublicOnly)->authority, "example.com:80");
  EXPECT_FALSE(parse_http_url("http://example.com:443/", kPublicOnly)->secure);

  const auto socket = parse_ws_url("wss://example.com/x", kPublicOnly);
  ASSERT_TRUE(socket.has_value());
  EXPECT_TRUE(socket->secure);
  EXPECT_EQ(socket->port, 443);
  EXPECT_EQ(parse_ws_url("ws://example.com/", kPublicOnly)->port, 80);
  EXPECT_EQ(parse_ws_url("ws://127.0.0.1/", kPublicOnly).error().code, Errc::refused);
  EXPECT_EQ(parse_ws_url("http://example.com/", kPublicOnly).error().code, Errc::unsupported);
}

TEST(UrlPolicy, RefusesLongUrls) {
  const std::string prefix = "http://example.com/";
  const std::string fits = prefix + std::string(limits::kHttpUrlCharsMax - prefix.size(), 'a');
  EXPECT_EQ(verdict(fits, kPublicOnly), std::nullopt);
  EXPECT_EQ(verdict(fits + "a", kPublicOnly), Errc::bad_url);
}

}  // namespace
}  // namespace kith::node
