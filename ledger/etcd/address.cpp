#include "ledger/etcd/address.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "ledger/etcd/limits.hpp"
#include "ledger/host_port.hpp"
#include "ledger/strict_json.hpp"

namespace kith::ledger {

namespace {

constexpr std::string_view kPlain = "etcd://";
constexpr std::string_view kSecure = "etcds://";
constexpr std::string_view kUsualPort = ":2379";
constexpr std::string_view kUsualPrefix = "kith";

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool only(std::string_view text, std::string_view others) {
  return std::ranges::all_of(
      text, [&](char c) { return is_alphanumeric(c) || others.find(c) != std::string_view::npos; });
}

Result<std::vector<std::string>> parse_servers(std::string_view text) {
  std::vector<std::string> servers;
  while (true) {
    const std::size_t comma = text.find(',');
    TRY(std::string server, host_with_port(text.substr(0, comma), kUsualPort));
    servers.push_back(std::move(server));
    if (servers.size() > etcd_limits::kEndpointsMax) {
      return fail(Errc::bad_url, "an etcd address names at most " +
                                     std::to_string(etcd_limits::kEndpointsMax) + " servers");
    }
    if (comma == std::string_view::npos) break;
    text.remove_prefix(comma + 1);
  }
  if (!all_distinct(servers)) return fail(Errc::bad_url, "a server of the ledger is named twice");
  return servers;
}

Result<std::string> parse_prefix(std::string_view text) {
  while (text.ends_with('/')) text.remove_suffix(1);
  while (text.starts_with('/')) text.remove_prefix(1);
  if (text.empty()) return std::string(kUsualPrefix);
  if (text.size() > etcd_limits::kPrefixCharsMax || !only(text, "._-/") ||
      text.find("//") != std::string_view::npos) {
    return fail(Errc::bad_url, "the path of an etcd address has letters, digits, '.', '_', '-'");
  }
  return std::string(text);
}

Result<std::string_view> without_scheme(std::string_view url) {
  if (url.size() > limits::kHttpUrlCharsMax) return fail(Errc::bad_url, "the address is too long");
  for (const std::string_view scheme : {kPlain, kSecure}) {
    if (url.starts_with(scheme)) return url.substr(scheme.size());
  }
  return fail(Errc::bad_url, "an etcd address begins with etcd:// or etcds://");
}

}  // namespace

bool is_etcd_url(std::string_view url) {
  return url.starts_with("etcd:") || url.starts_with("etcds:");
}

Result<EtcdAddress> EtcdAddress::parse(std::string_view url) {
  TRY(const std::string_view rest, without_scheme(url));
  if (rest.find('@') != std::string_view::npos) {
    return fail(Errc::bad_url, "names and passwords do not belong in addresses");
  }
  EtcdAddress address;
  address.secure = url.starts_with(kSecure);
  const std::size_t slash = std::min(rest.find('/'), rest.size());
  TRY(address.servers, parse_servers(rest.substr(0, slash)));
  TRY(address.prefix, parse_prefix(rest.substr(slash)));
  return address;
}

std::string EtcdAddress::base_url(std::size_t server) const {
  return (secure ? "https://" : "http://") + servers.at(server);
}

Result<EtcdLogin> EtcdLogin::parse(std::string_view line) {
  while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
  TRY(const std::string_view rest, without_scheme(line));
  // The last one: passwords may hold it.
  const std::size_t at = rest.rfind('@');
  const std::string_view who = rest.substr(0, at);
  const std::size_t colon = who.find(':');
  const bool whole = at != std::string_view::npos && colon != std::string_view::npos && colon > 0 &&
                     colon + 1 < who.size();
  if (!whole) {
    return fail(Errc::malformed, "a login is one line: etcds://NAME:PASSWORD@HOST,HOST");
  }
  EtcdLogin login;
  login.name = who.substr(0, colon);
  const std::string_view password = who.substr(colon + 1);
  const std::size_t most = etcd_limits::kLoginCharsMax;
  CHECK(plain_text(login.name, "the login's name", most));
  CHECK(plain_text(password, "the login's password", most));
  login.password = SecretBytes::copy_of(crypto::as_bytes(password));
  const std::string_view scheme = line.starts_with(kSecure) ? kSecure : kPlain;
  TRY(login.where, EtcdAddress::parse(std::string(scheme) + std::string(rest.substr(at + 1))));
  return login;
}

bool EtcdLogin::is_for(const EtcdAddress& address) const {
  return where.secure == address.secure &&
         std::ranges::all_of(address.servers, [&](const std::string& server) {
           return contains(where.servers, server);
         });
}

}  // namespace kith::ledger
