#pragma once

/// Which request headers the server takes, once Beast has parsed them. For http_server.cpp alone:
/// Beast takes long to compile.

#include <algorithm>
#include <boost/beast/core/string.hpp>
#include <boost/beast/http/message.hpp>
#include <iterator>
#include <optional>
#include <string_view>

#include "crypto/bytes.hpp"
#include "node/net/http.hpp"

namespace kith::node {

inline HttpResponse plain_answer(unsigned status, std::string_view text) {
  HttpResponse answer;
  answer.status = status;
  answer.content_type = "text/plain";
  answer.body = crypto::to_bytes(text);
  return answer;
}

/// What is wrong with a parsed header, as the answer to give; nullopt if nothing.
inline std::optional<HttpResponse> judge_header(const boost::beast::http::request_header<>& request,
                                                std::size_t fields_max) {
  namespace beast = boost::beast;
  namespace http = boost::beast::http;
  const auto count = [&request](http::field name) { return request.count(name); };
  const auto fields = static_cast<std::size_t>(std::distance(request.begin(), request.end()));
  if (fields > fields_max) return plain_answer(431, "Too many header fields.\n");
  // RFC 9112 section 6.3: what two readers could frame differently is refused, not repaired.
  const bool has_length = count(http::field::content_length) > 0;
  const bool has_coding = count(http::field::transfer_encoding) > 0;
  if (count(http::field::content_length) > 1 || count(http::field::transfer_encoding) > 1 ||
      (has_length && has_coding)) {
    return plain_answer(400, "The length of the body is ambiguous.\n");
  }
  if (has_length) {
    const auto length = request[http::field::content_length];
    const bool digits = !length.empty() && std::all_of(length.begin(), length.end(),
                                                       [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return plain_answer(400, "The length of the body is not a number.\n");
  }
  if (has_coding && (request.version() == 10 ||
                     !beast::iequals(request[http::field::transfer_encoding], "chunked"))) {
    return plain_answer(400, "Only the chunked transfer coding is known.\n");
  }
  // RFC 9112 section 3.2.
  const std::size_t hosts = count(http::field::host);
  if (hosts > 1 || (hosts == 0 && request.version() == 11)) {
    return plain_answer(400, "Exactly one Host field is needed.\n");
  }
  if (request.method() != http::verb::get && request.method() != http::verb::post) {
    HttpResponse answer = plain_answer(405, "Only GET and POST are known.\n");
    answer.fields = {{"Allow", "GET, POST"}};
    return answer;
  }
  if (request.target().empty() || request.target()[0] != '/') {
    return plain_answer(400, "The target must be a path.\n");
  }
  if (count(http::field::expect) > 0 &&
      !beast::iequals(request[http::field::expect], "100-continue")) {
    return plain_answer(417, "Only 100-continue can be expected.\n");
  }
  return std::nullopt;
}

}  // namespace kith::node
