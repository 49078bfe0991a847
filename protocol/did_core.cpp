#include "protocol/did_core.hpp"

#include <algorithm>
#include <set>

#include "crypto/limits.hpp"

namespace kith::protocol {
namespace {

using crypto::json_chars;

constexpr std::string_view kContexts[] = {"https://www.w3.org/ns/did/v1",
                                          "https://www.w3.org/ns/did/v1.1"};
constexpr std::string_view kRelationships[] = {"authentication", "assertionMethod", "keyAgreement",
                                               "capabilityInvocation", "capabilityDelegation"};

Error wrong(std::string_view what) {
  return fail(Errc::malformed, std::string(what));
}

/// A URI has a scheme (RFC 3986 section 3.1) and no spaces or control characters.
bool is_uri(std::string_view text) {
  const std::size_t colon = text.find(':');
  if (colon == 0 || colon == std::string_view::npos) return false;
  const auto letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
  if (!letter(text.front())) return false;
  const auto in_scheme = [&](char c) {
    return letter(c) || (c >= '0' && c <= '9') || c == '+' || c == '-' || c == '.';
  };
  return std::ranges::all_of(text.substr(0, colon), in_scheme) &&
         std::ranges::all_of(text, [](char c) { return c > ' ' && c < '\x7f'; });
}

bool is_did_or_url(std::string_view text) {
  return DidUrl::parse(text).has_value();
}

/// A text, or a set of texts that all are `kind`.
Result<void> check_texts(const JsonObject& object, std::string_view member, bool one_allowed,
                         bool (*kind)(std::string_view)) {
  const Json* value = object.if_contains(member);
  if (value == nullptr) return {};
  const std::string name(member);
  if (value->is_string() && one_allowed && kind(json_chars(*value))) return {};
  if (!value->is_array()) return wrong(name + " is of a wrong form");
  std::set<std::string_view> seen;
  for (const Json& item : value->get_array()) {
    if (!item.is_string() || !kind(json_chars(item))) return wrong(name + " has an unusable item");
    if (!seen.insert(json_chars(item)).second) return wrong(name + " has an item twice");
  }
  return {};
}

// ---- Contexts ----------------------------------------------------------------------------------

Result<void> check_context(const JsonObject& document, Representation representation) {
  const Json* context = document.if_contains("@context");
  const bool needed = representation == Representation::json_ld;
  if (context == nullptr) {
    return needed ? Result<void>(wrong("a JSON-LD document without @context")) : Result<void>();
  }
  const Json* first = context;
  if (context->is_array()) {
    if (context->get_array().empty()) return wrong("@context is empty");
    for (const Json& item : context->get_array()) {
      if (!item.is_string() && !item.is_object()) return wrong("@context has an unusable item");
    }
    first = &context->get_array().front();
  } else if (!context->is_string()) {
    return wrong("@context is of a wrong form");
  }
  if (!needed) return {};
  const bool known =
      first->is_string() && std::ranges::find(kContexts, json_chars(*first)) != std::end(kContexts);
  if (!known) return wrong("the first @context is not that of DID Core");
  return {};
}

// ---- Methods and services ----------------------------------------------------------------------

/// Ids of everything that a fragment may name.
class Ids {
 public:
  explicit Ids(const Did& subject) : subject_(subject) {}
  Result<void> add(std::string_view id) {
    std::string whole = id.starts_with('#') ? subject_.text() + std::string(id) : std::string(id);
    if (!ids_.insert(std::move(whole)).second) return wrong("an id is used twice");
    return {};
  }

 private:
  const Did& subject_;
  std::set<std::string> ids_;
};

Result<void> check_method(const Json& value, Ids& ids) {
  TRY(const JsonObject* method, crypto::as_object(value, "a verification method"));
  TRY(const std::string id, crypto::json_string(*method, "id"));
  TRY(const std::string type, crypto::json_string(*method, "type"));
  if (type.empty()) return wrong("a verification method has an empty type");
  return ids.add(id);
}

Result<void> check_methods(const JsonObject& document, Ids& ids) {
  std::size_t count = 0;
  const auto one = [&](const Json& value) -> Result<void> {
    if (++count > limits::kDidDocumentMethodsMax) {
      return fail(Errc::limit_exceeded, "the DID document has too many keys");
    }
    return check_method(value, ids);
  };
  if (document.contains("verificationMethod")) {
    TRY(const JsonArray* methods, crypto::json_array(document, "verificationMethod"));
    for (const Json& value : *methods) CHECK(one(value));
  }
  for (const std::string_view name : kRelationships) {
    if (!document.contains(name)) continue;
    TRY(const JsonArray* items, crypto::json_array(document, name));
    for (const Json& item : *items) {
      if (!item.is_string()) CHECK(one(item));
    }
  }
  return {};
}

Result<void> check_service(const Json& value, Ids& ids) {
  TRY(const JsonObject* service, crypto::as_object(value, "a service"));
  TRY(const auto id, crypto::json_optional_string(*service, "id"));
  if (id) {
    if (!id->starts_with('#') && !is_uri(*id)) return wrong("the id of a service is not a URI");
    CHECK(ids.add(*id));
  }
  if (!service->contains("type")) return wrong("a service has no type");
  CHECK(check_texts(*service, "type", true, [](std::string_view text) { return !text.empty(); }));
  const Json* endpoint = service->if_contains("serviceEndpoint");
  if (endpoint == nullptr) return wrong("a service has no serviceEndpoint");
  const auto usable = [](const Json& one) {
    return one.is_object() || (one.is_string() && is_uri(json_chars(one)));
  };
  const bool fits =
      endpoint->is_array() ? std::ranges::all_of(endpoint->get_array(), usable) : usable(*endpoint);
  if (!fits) return wrong("a serviceEndpoint is neither an address nor an object");
  return {};
}

Result<void> check_services(const JsonObject& document, Ids& ids) {
  if (!document.contains("service")) return {};
  TRY(const JsonArray* services, crypto::json_array(document, "service"));
  if (services->size() > limits::kDidDocumentServicesMax) {
    return fail(Errc::limit_exceeded, "the DID document has too many services");
  }
  for (const Json& value : *services) CHECK(check_service(value, ids));
  return {};
}

// ---- Dereferencing -----------------------------------------------------------------------------

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return c - 'A' + 10;
}

/// DidUrl has checked that '%' starts two hexadecimal digits.
std::string percent_decoded(std::string_view text) {
  std::string out;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '%') {
      out += text[i];
      continue;
    }
    out += static_cast<char>(hex_value(text[i + 1]) * 16 + hex_value(text[i + 2]));
    i += 2;
  }
  return out;
}

std::string_view query_of(const DidUrl& url) {
  const std::string_view rest = url.path_and_query();
  const std::size_t question = rest.find('?');
  return question == std::string_view::npos ? std::string_view() : rest.substr(question + 1);
}

bool has_id(const Json& item, const Did& subject, std::string_view wanted) {
  if (!item.is_object()) return false;
  const Json* id = item.get_object().if_contains("id");
  if (id == nullptr || !id->is_string()) return false;
  const std::string_view text = json_chars(*id);
  return text == wanted || (text.starts_with('#') && subject.text() + std::string(text) == wanted);
}

const Json* find_part(const DidDocument& document, std::string_view member,
                      std::string_view wanted) {
  const Json* items = document.raw.if_contains(member);
  if (items == nullptr || !items->is_array()) return nullptr;
  for (const Json& item : items->get_array()) {
    if (has_id(item, document.id, wanted)) return &item;
  }
  return nullptr;
}

Result<Dereferenced> part_named(const DidDocument& document, const std::string& id) {
  const Json* found = find_part(document, "verificationMethod", id);
  for (const std::string_view name : kRelationships) {
    if (found == nullptr) found = find_part(document, name, id);
  }
  if (found == nullptr) found = find_part(document, "service", id);
  if (found == nullptr) return fail(Errc::not_found, "the document has nothing by that name");
  return Dereferenced{"application/did+json", *found};
}

/// The first address of a service.
Result<std::string> address_of(const Json& endpoint) {
  const Json* one = &endpoint;
  if (one->is_array() && !one->get_array().empty()) one = &one->get_array().front();
  if (one->is_string()) return std::string(json_chars(*one));
  if (one->is_object()) return crypto::json_string(one->get_object(), "uri");
  return fail(Errc::not_found, "that service has no address");
}

Result<Dereferenced> service_address(const DidDocument& document, const DidUrl& url,
                                     const std::string& service) {
  const Json* found = find_part(document, "service", document.id.text() + "#" + service);
  if (found == nullptr) return fail(Errc::not_found, "the document has no such service");
  TRY(std::string address, address_of(found->get_object().at("serviceEndpoint")));
  TRY(const auto reference, did_url_parameter(url, "relativeRef"));
  if (reference) {
    TRY(address, resolve_relative(address, *reference));
  }
  if (url.has_fragment()) {
    if (address.find('#') != std::string::npos) {
      return wrong("both the address of the service and the DID URL have a fragment");
    }
    address += "#" + std::string(url.fragment());
  }
  return Dereferenced{"text/uri-list", Json(address)};
}

Result<void> check_parameters(std::string_view query) {
  static constexpr std::string_view kKnown[] = {"service", "relativeRef", "versionId",
                                                "versionTime"};
  while (!query.empty()) {
    const std::string_view item = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), item.size() + 1));
    if (std::ranges::find(kKnown, item.substr(0, item.find('='))) == std::end(kKnown)) {
      return fail(Errc::unsupported, "a parameter of the DID URL is not known here");
    }
  }
  return {};
}

// ---- Relative references (RFC 3986) ------------------------------------------------------------

/// Section 5.2.4.
std::string without_dots(std::string_view path) {
  std::vector<std::string_view> kept;
  const bool directory = path.ends_with('/') || path.ends_with("/.") || path.ends_with("/..");
  path.remove_prefix(1);
  while (!path.empty()) {
    const std::string_view segment = path.substr(0, path.find('/'));
    path.remove_prefix(std::min(path.size(), segment.size() + 1));
    if (segment == "..") {
      if (!kept.empty()) kept.pop_back();
    } else if (segment != ".") {
      kept.push_back(segment);
    }
  }
  std::string out;
  for (const std::string_view segment : kept) out += "/" + std::string(segment);
  return directory || out.empty() ? out + "/" : out;
}

struct Address {
  std::string_view origin;  ///< Scheme and authority.
  std::string_view path;
  std::string_view query;  ///< With '?'.
};

Result<Address> split_address(std::string_view base) {
  base = base.substr(0, base.find('#'));
  const std::size_t slashes = base.find("://");
  if (slashes == std::string_view::npos) return wrong("the service has no address with a path");
  const std::size_t end = std::min(base.find_first_of("/?", slashes + 3), base.size());
  Address out;
  out.origin = base.substr(0, end);
  const std::size_t question = std::min(base.find('?', end), base.size());
  out.path = base.substr(end, question - end);
  out.query = base.substr(question);
  return out;
}

}  // namespace

Representation representation_of(std::string_view media_type) {
  const std::string_view type = media_type.substr(0, media_type.find_first_of("; "));
  if (type == "application/did+json") return Representation::json;
  if (type == "application/did+ld+json" || type == "application/ld+json") {
    return Representation::json_ld;
  }
  return Representation::unknown;
}

Result<void> check_did_core(const JsonObject& document, const Did& subject,
                            Representation representation) {
  TRY(const std::string id, crypto::json_string(document, "id"));
  if (id != subject.text()) {
    return fail(Errc::not_authentic, "the DID document belongs to another DID");
  }
  CHECK(check_context(document, representation));
  CHECK(check_texts(document, "alsoKnownAs", false, is_uri));
  CHECK(check_texts(document, "controller", true, is_did_or_url));
  Ids ids(subject);
  CHECK(check_methods(document, ids));
  return check_services(document, ids);
}

Result<std::optional<std::string>> did_url_parameter(const DidUrl& url,
                                                     std::string_view parameter) {
  std::optional<std::string> found;
  std::string_view query = query_of(url);
  while (!query.empty()) {
    const std::string_view item = query.substr(0, query.find('&'));
    query.remove_prefix(std::min(query.size(), item.size() + 1));
    const std::size_t equals = item.find('=');
    if (item.substr(0, equals) != parameter) continue;
    if (found || equals == std::string_view::npos) {
      return wrong("a parameter of the DID URL is there twice or empty");
    }
    found = percent_decoded(item.substr(equals + 1));
  }
  const bool plain =
      !found || std::ranges::all_of(*found, [](char c) { return c > ' ' && c < '\x7f'; });
  if (!plain) return wrong("a parameter of the DID URL has characters that are not allowed");
  return found;
}

Result<std::string> resolve_relative(std::string_view base, std::string_view reference) {
  TRY(const Address address, split_address(base));
  const std::string_view first = reference.substr(0, reference.find_first_of("/?#"));
  if (reference.starts_with("//") || first.find(':') != std::string_view::npos ||
      reference.find('\\') != std::string_view::npos) {
    return wrong("a relative reference must stay on its host");
  }
  const std::string origin(address.origin);
  if (reference.empty()) return origin + std::string(address.path) + std::string(address.query);
  if (reference.front() == '#') {
    return origin + std::string(address.path) + std::string(address.query) + std::string(reference);
  }
  if (reference.front() == '?') {
    return origin + std::string(address.path) + std::string(reference);
  }
  const std::size_t end = std::min(reference.find_first_of("?#"), reference.size());
  std::string path(reference.substr(0, end));
  if (path.front() != '/') {
    const std::size_t slash = address.path.rfind('/');
    path =
        (slash == std::string_view::npos ? "/" : std::string(address.path.substr(0, slash + 1))) +
        path;
  }
  return origin + without_dots(path) + std::string(reference.substr(end));
}

Result<Dereferenced> dereference(const DidDocument& document, const DidUrl& url) {
  if (url.did() != document.id) return wrong("the DID URL belongs to another DID");
  if (url.path_and_query().starts_with('/')) {
    return fail(Errc::unsupported, "paths of DID URLs have no meaning here");
  }
  CHECK(check_parameters(query_of(url)));
  TRY(const auto service, did_url_parameter(url, "service"));
  if (service) return service_address(document, url, *service);
  TRY(const auto reference, did_url_parameter(url, "relativeRef"));
  if (reference) return wrong("relativeRef needs a service");
  if (url.has_fragment()) {
    return part_named(document, document.id.text() + "#" + std::string(url.fragment()));
  }
  return Dereferenced{"application/did+json", Json(document.raw)};
}

}  // namespace kith::protocol
