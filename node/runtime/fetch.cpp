#include "node/runtime/fetch.hpp"

#include <boost/asio/io_context.hpp>
#include <optional>

#include "node/net/http.hpp"

namespace kith::node {

Result<Bytes> fetch_url(std::string url) {
  boost::asio::io_context io;
  ClientOptions options;
  options.policy.allow_private = true;
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
  const auto strict = parse_http_url(url, UrlPolicy{});
  return !strict.has_value() && strict.error() == Errc::refused &&
         parse_http_url(url, UrlPolicy{true}).has_value();
}

}  // namespace kith::node
