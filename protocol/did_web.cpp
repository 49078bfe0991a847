#include "protocol/did_web.hpp"

#include <algorithm>
#include <vector>

#include "crypto/limits.hpp"
#include "protocol/did_core.hpp"
#include "protocol/kept_document.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kDocumentTypes =
    "application/did+json, application/did+ld+json, application/json;q=0.9";
constexpr std::chrono::seconds kFetchLife{60};
constexpr std::size_t kHostCharsMax = 253;  // RFC 1035 section 2.3.4
constexpr std::size_t kLabelCharsMax = 63;

bool is_digit(char c) {
  return c >= '0' && c <= '9';
}

std::vector<std::string_view> split(std::string_view text, char at) {
  std::vector<std::string_view> parts;
  while (true) {
    const std::size_t end = text.find(at);
    parts.push_back(text.substr(0, end));
    if (end == std::string_view::npos) return parts;
    text.remove_prefix(end + 1);
  }
}

bool is_label(std::string_view label) {
  return !label.empty() && label.size() <= kLabelCharsMax && label.front() != '-' &&
         label.back() != '-' && std::ranges::all_of(label, [](char c) {
           return is_digit(c) || (c >= 'a' && c <= 'z') || c == '-';
         });
}

bool is_loopback(std::string_view host) {
  return host == "localhost" || host == "127.0.0.1";
}

/// A fully qualified name. No top-level domain begins with a digit, but the last part of an address
/// does, in all its spellings ("127.1", "0x7f.1").
Result<void> check_host(std::string_view host, bool test_mode) {
  if (test_mode && is_loopback(host)) return {};
  const auto labels = split(host, '.');
  if (host.size() > kHostCharsMax || !std::ranges::all_of(labels, is_label)) {
    return fail(Errc::malformed, "the host in a did:web is not a domain name");
  }
  if (is_digit(labels.back().front()) || labels.size() < 2 || labels.back() == "localhost") {
    return fail(Errc::refused, "the host in a did:web must be a public domain name");
  }
  return {};
}

Result<void> check_port(std::string_view port) {
  const bool plain = !port.empty() && port.size() <= 5 && port.front() != '0' &&
                     std::ranges::all_of(port, is_digit);
  if (!plain || std::stoul(std::string(port)) > 65535) {
    return fail(Errc::malformed, "the port in a did:web is not valid");
  }
  return {};
}

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return out;
}

/// A segment that could not change which directory is meant.
bool is_segment(std::string_view segment) {
  const std::string text = lower(segment);
  for (const std::string_view trick : {"%2f", "%5c", "%2e", "%00"}) {
    if (text.find(trick) != std::string::npos) return false;
  }
  return !text.empty() && text != "." && text != "..";
}

/// Without reading the document: what its server and path demand of the redirect's target.
Result<std::string> redirect_target(const std::string& location, bool test_mode) {
  const bool web = location.starts_with("https://");
  if (!web && !(test_mode && location.starts_with("http://"))) {
    return fail(Errc::refused, "the web server leads to an address that is not https");
  }
  return location;
}

Result<DidDocument> read_body(const Did& did, const FetchedPage& page) {
  crypto::JsonLimits json_limits;
  json_limits.bytes_max = limits::kDidDocumentBytesMax;
  TRY(const Json json, crypto::parse_json(crypto::as_text(page.body), json_limits));
  TRY(const JsonObject* object, crypto::as_object(json, "a DID document"));
  Representation representation = representation_of(page.content_type);
  // Web servers call it application/json: then the context decides, as the method says.
  if (representation == Representation::unknown && object->contains("@context")) {
    representation = Representation::json_ld;
  }
  CHECK(check_did_core(*object, did, representation));
  return read_did_document(*object, did);
}

}  // namespace

Result<std::string> did_web_url(const Did& did, bool test_mode) {
  if (did.method() != "web") return fail(Errc::unsupported, "not a did:web");
  const auto parts = split(did.method_specific_id(), ':');
  const std::string place = lower(parts.front());
  const std::size_t escape = place.find("%3a");
  const std::string name = place.substr(0, escape);
  CHECK(check_host(name, test_mode));
  std::string url = (is_loopback(name) ? "http://" : "https://") + name;
  if (escape != std::string::npos) {
    const std::string port = place.substr(escape + 3);
    CHECK(check_port(port));
    url += ":" + port;
  }
  if (parts.size() == 1) url += "/.well-known";
  for (std::size_t i = 1; i < parts.size(); ++i) {
    if (!is_segment(parts[i])) return fail(Errc::malformed, "the path in a did:web is not valid");
    url += "/" + std::string(parts[i]);
  }
  return url + "/did.json";
}

Effect did_web_fetch(const std::string& url, Time now, bool test_mode) {
  FetchPayload payload;
  payload.url = url;
  payload.accept = kDocumentTypes;
  payload.public_only = !test_mode;
  payload.page = true;
  payload.bytes_max = limits::kDidDocumentBytesMax;
  Effect effect;
  effect.kind = EffectKind::fetch;
  effect.payload = encode_record(payload);
  effect.expires = now + kFetchLife;
  return effect;
}

Result<WebAnswer> read_did_web(Host& host, const Did& did, const Result<Bytes>& outcome) {
  if (!outcome.has_value()) return outcome.error();
  TRY(const FetchedPage page, decode_record<FetchedPage>(*outcome));
  if (page.status == 404 || page.status == 410) {
    return fail(Errc::not_found, "the web server has no such document");
  }
  WebAnswer answer;
  if (page.status >= 300 && page.status < 400 && !page.location.empty()) {
    TRY(answer.next_url, redirect_target(page.location, host.test_mode()));
    return answer;
  }
  if (page.status != 200) {
    return fail(Errc::unreachable, "the web server answered " + std::to_string(page.status));
  }
  TRY(answer.document, read_body(did, page));
  keep_document(host, *answer.document);
  return answer;
}

}  // namespace kith::protocol
