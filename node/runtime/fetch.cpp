#include "node/runtime/fetch.hpp"

#include <boost/asio/io_context.hpp>
#include <filesystem>
#include <optional>

#include "ledger/etcd/address.hpp"
#include "ledger/evm/location.hpp"
#include "node/net/http.hpp"
#include "node/storage/home.hpp"

namespace kith::node {

Result<std::shared_ptr<const TlsContext>> trust_of(const std::string& home,
                                                   const std::string& extra_ca_file) {
  if (!extra_ca_file.empty()) return TlsContext::client(extra_ca_file);
  const std::string own = Home::ca_file(home);
  std::error_code error;
  return TlsContext::client(std::filesystem::exists(own, error) ? own : "");
}

Result<Bytes> fetch_url(std::string url, const std::string& home) {
  boost::asio::io_context io;
  ClientOptions options;
  options.policy.allow_private = true;
  TRY(options.tls, trust_of(home, {}));
  HttpClient client(io, options);
  std::optional<Result<HttpReply>> reply;
  HttpCall call;
  call.method = "GET";
  call.url = std::move(url);
  client.request(std::move(call), [&](Result<HttpReply> got) { reply = std::move(got); });
  while (!reply && io.run_one() > 0) {
  }
  if (!reply) return fail(Errc::unreachable);
  TRY(HttpReply got, std::move(*reply));
  if (got.status != 200) {
    return fail(Errc::unreachable, "it answered with status " + std::to_string(got.status));
  }
  return std::move(got.body);
}

bool is_private_url(const std::string& url) {
  if (ledger::is_etcd_url(url)) {
    const auto address = ledger::EtcdAddress::parse(url);
    for (std::size_t i = 0; address.has_value() && i < address->servers.size(); ++i) {
      if (is_private_url(address->base_url(i))) return true;
    }
    return false;
  }
  if (ledger::evm::is_url(url)) {
    const auto where = ledger::evm::Location::parse_chain(url);
    return where.has_value() && is_private_url(where->rpc_url());
  }
  const auto strict = parse_http_url(url, UrlPolicy{});
  return !strict.has_value() && strict.error() == Errc::refused &&
         parse_http_url(url, UrlPolicy{true}).has_value();
}

}  // namespace kith::node
