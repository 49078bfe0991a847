// Addresses of ledgers in etcd, and the logins for them.

#include <gtest/gtest.h>

#include "crypto/limits.hpp"
#include "ledger/etcd/address.hpp"
#include "ledger/etcd/limits.hpp"
#include "tests/support/log_lab.hpp"

namespace kith::test {
namespace {

using ledger::EtcdAddress;
using ledger::EtcdLogin;

TEST(EtcdAddress, NamesServersAndPrefix) {
  const EtcdAddress full =
      must(EtcdAddress::parse("etcds://a.example:23790,10.0.0.2,[::1]:7/x/y/"));
  EXPECT_TRUE(full.secure);
  EXPECT_EQ(full.servers,
            (std::vector<std::string>{"a.example:23790", "10.0.0.2:2379", "[::1]:7"}));
  EXPECT_EQ(full.prefix, "x/y");
  EXPECT_EQ(full.base_url(0), "https://a.example:23790");
  const EtcdAddress plain = must(EtcdAddress::parse("etcd://h"));
  EXPECT_FALSE(plain.secure);
  EXPECT_EQ(plain.prefix, "kith");
  EXPECT_EQ(plain.base_url(0), "http://h:2379");
  EXPECT_TRUE(ledger::is_etcd_url("etcd://h"));
  EXPECT_TRUE(ledger::is_etcd_url("etcds://h"));
  EXPECT_FALSE(ledger::is_etcd_url("https://h"));
}

TEST(EtcdAddress, RefusesWhatIsNone) {
  std::string many = "etcd://h";
  for (std::size_t i = 0; i < ledger::etcd_limits::kEndpointsMax; ++i) {
    many += ",h" + std::to_string(i);
  }
  const std::string long_path(ledger::etcd_limits::kPrefixCharsMax + 1, 'x');
  for (const std::string& bad : {std::string("etcd:"),
                                 std::string("etcd://"),
                                 std::string("http://h"),
                                 std::string("etcd://h,"),
                                 std::string("etcd://h,,i"),
                                 std::string("etcd://h:0"),
                                 std::string("etcd://h:65536"),
                                 std::string("etcd://h:"),
                                 std::string("etcd://h:+1"),
                                 std::string("etcd://h:01"),
                                 std::string("etcd://h,h:2379"),
                                 std::string("etcd://u:p@h"),
                                 std::string("etcd://h/a b"),
                                 std::string("etcd://h/a?b"),
                                 std::string("etcd://h/a//b"),
                                 std::string("etcd://h i"),
                                 std::string("etcd://[h]"),
                                 "etcd://h/" + long_path,
                                 many,
                                 "etcd://" + std::string(limits::kHttpUrlCharsMax, 'h')}) {
    EXPECT_EQ(EtcdAddress::parse(bad).error(), Errc::bad_url) << bad;
  }
}

TEST(EtcdLogin, IsShownToTheServersThatItNamesAndToNoOthers) {
  const EtcdLogin login = must(EtcdLogin::parse("etcds://kith:p@s:/word@h1,h2:5\n"));
  EXPECT_EQ(login.name, "kith");
  EXPECT_EQ(crypto::as_text(login.password.expose()), "p@s:/word");
  const auto is_for = [&](const char* url) { return login.is_for(must(EtcdAddress::parse(url))); };
  EXPECT_TRUE(is_for("etcds://h1,h2:5/any"));
  EXPECT_TRUE(is_for("etcds://h2:5"));
  EXPECT_FALSE(is_for("etcds://h1,h3"));  // One stranger among them.
  EXPECT_FALSE(is_for("etcds://h2"));     // Another port.
  EXPECT_FALSE(is_for("etcd://h1"));      // Without TLS.
  for (const char* bad : {"", "kith:word", "etcd://h1", "etcd://kith@h1", "etcd://:word@h1",
                          "etcd://kith:@h1", "etcd://ki th:word@h1", "etcd://kith:wo rd@h1"}) {
    EXPECT_FALSE(EtcdLogin::parse(bad).has_value()) << bad;
  }
  const std::string over(ledger::etcd_limits::kLoginCharsMax + 1, 'x');
  EXPECT_FALSE(EtcdLogin::parse("etcd://kith:" + over + "@h1").has_value());
}

}  // namespace
}  // namespace kith::test
