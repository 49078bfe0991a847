#include "protocol/did_document.hpp"

#include <algorithm>

#include "crypto/limits.hpp"
#include "protocol/did_core.hpp"

namespace kith::protocol {

namespace {

using crypto::json_chars;
using crypto::json_string;

constexpr std::string_view kMessagingService = "DIDCommMessaging";

// ---- Keys --------------------------------------------------------------------------------------

/// What a method type promises; `any` types say it in the key itself.
struct MethodType {
  std::string_view name;
  std::optional<KeyType> promised;
};

constexpr MethodType kMethodTypes[] = {
    {"JsonWebKey2020", std::nullopt},
    {"JsonWebKey", std::nullopt},
    {"Multikey", std::nullopt},
    {"X25519KeyAgreementKey2019", KeyType::x25519},
    {"X25519KeyAgreementKey2020", KeyType::x25519},
    {"Ed25519VerificationKey2018", KeyType::ed25519},
    {"Ed25519VerificationKey2020", KeyType::ed25519},
    {"EcdsaSecp256k1VerificationKey2019", KeyType::secp256k1},
    {"EcdsaSecp256r1VerificationKey2019", KeyType::p256},
    {"P256Key2021", KeyType::p256},
    {"P384Key2021", KeyType::p384},
    {"P521Key2021", KeyType::p521},
};

Result<PublicKey> key_from_raw(KeyType type, Bytes bytes) {
  PublicKey key{type, std::move(bytes)};
  CHECK(crypto::check_public_key(key));
  return key;
}

/// The key from whichever form the method has. Errors: unsupported when there is none we know.
Result<PublicKey> key_material(const JsonObject& method, std::optional<KeyType> promised) {
  const int forms = static_cast<int>(method.contains("publicKeyJwk")) +
                    static_cast<int>(method.contains("publicKeyMultibase")) +
                    static_cast<int>(method.contains("publicKeyBase58")) +
                    static_cast<int>(method.contains("publicKeyHex"));
  if (forms > 1) return fail(Errc::malformed, "a verification method has its key in two forms");
  if (method.contains("publicKeyJwk")) {
    TRY(const JsonObject* jwk, crypto::json_object(method, "publicKeyJwk"));
    TRY(const std::string kty, json_string(*jwk, "kty"));
    if (kty != "OKP" && kty != "EC") return fail(Errc::unsupported, "a JWK of another family");
    return crypto::from_jwk(*jwk);
  }
  if (method.contains("publicKeyMultibase")) {
    TRY(const std::string text, json_string(method, "publicKeyMultibase"));
    return crypto::from_multikey(text);
  }
  if (!promised) return fail(Errc::unsupported, "a verification method without a known key form");
  if (method.contains("publicKeyBase58")) {
    TRY(const std::string text, json_string(method, "publicKeyBase58"));
    TRY(Bytes bytes, crypto::from_base58(text));
    return key_from_raw(*promised, std::move(bytes));
  }
  if (method.contains("publicKeyHex")) {
    TRY(const std::string text, json_string(method, "publicKeyHex"));
    TRY(Bytes bytes, crypto::from_hex(text));
    return key_from_raw(*promised, std::move(bytes));
  }
  return fail(Errc::unsupported, "a verification method without a known key form");
}

Result<std::optional<PublicKey>> method_key(const JsonObject& method, std::string_view type) {
  const auto* known = std::find_if(std::begin(kMethodTypes), std::end(kMethodTypes),
                                   [type](const MethodType& row) { return row.name == type; });
  if (known == std::end(kMethodTypes)) return std::optional<PublicKey>();
  auto key = key_material(method, known->promised);
  if (key.has_error()) {
    if (key.error() == Errc::unsupported) return std::optional<PublicKey>();
    return std::move(key).error();
  }
  if (known->promised && key->type != *known->promised) {
    return fail(Errc::bad_key, "a verification method holds a key of another type than it says");
  }
  return std::optional<PublicKey>(std::move(*key));
}

Result<VerificationMethod> read_method(const Json& value, const Did& document) {
  TRY(const JsonObject* object, crypto::as_object(value, "a verification method"));
  VerificationMethod method;
  TRY(const std::string id, json_string(*object, "id"));
  TRY(const DidUrl url, DidUrl::parse(id, document));
  if (!url.has_fragment()) {
    return fail(Errc::malformed, "the id of a verification method must have a fragment");
  }
  method.id = url.text();
  TRY(method.type, json_string(*object, "type"));
  // Older documents write a DID URL here, and did:peer leaves it out for the document's own keys.
  TRY(const auto controller, crypto::json_optional_string(*object, "controller"));
  if (controller) {
    TRY(const DidUrl controller_url, DidUrl::parse(*controller, document));
    method.controller = controller_url.did().text();
  } else {
    method.controller = document.text();
  }
  TRY(method.key, method_key(*object, method.type));
  return method;
}

Result<void> add_method(DidDocument& document, const Json& value) {
  TRY(VerificationMethod method, read_method(value, document.id));
  if (document.find_method(method.id) != nullptr) {
    return fail(Errc::malformed, "two verification methods have the same id");
  }
  if (document.methods.size() == limits::kDidDocumentMethodsMax) {
    return fail(Errc::limit_exceeded, "the DID document has too many keys");
  }
  document.methods.push_back(std::move(method));
  return {};
}

Result<void> read_methods(DidDocument& document) {
  if (!document.raw.contains("verificationMethod")) return {};
  TRY(const JsonArray* methods, crypto::json_array(document.raw, "verificationMethod"));
  for (const Json& value : *methods) CHECK(add_method(document, value));
  return {};
}

/// Reads references and embedded methods alike.
Result<void> read_relationship(DidDocument& document, std::string_view member,
                               std::vector<std::string>& kids) {
  if (!document.raw.contains(member)) return {};
  TRY(const JsonArray* items, crypto::json_array(document.raw, member));
  if (items->size() > limits::kDidDocumentMethodsMax) {
    return fail(Errc::limit_exceeded, "the DID document has too many keys");
  }
  for (const Json& item : *items) {
    std::string kid;
    if (item.is_string()) {
      TRY(const DidUrl url, DidUrl::parse(json_chars(item), document.id));
      kid = url.text();
    } else {
      CHECK(add_method(document, item));
      kid = document.methods.back().id;
    }
    if (std::find(kids.begin(), kids.end(), kid) != kids.end()) {
      return fail(Errc::malformed, "a key is listed twice for the same use");
    }
    kids.push_back(std::move(kid));
  }
  return {};
}

// ---- Services ----------------------------------------------------------------------------------

Result<std::vector<std::string>> read_texts(const JsonObject& object, std::string_view member,
                                            std::size_t count_max) {
  std::vector<std::string> texts;
  if (!object.contains(member)) return texts;
  TRY(const JsonArray* items, crypto::json_array(object, member));
  if (items->size() > count_max) {
    return fail(Errc::limit_exceeded, "a service has too many items in " + std::string(member));
  }
  for (const Json& item : *items) {
    if (!item.is_string() || json_chars(item).size() > limits::kDidCharsMax) {
      return fail(Errc::malformed, "a service has an unusable item in " + std::string(member));
    }
    texts.emplace_back(json_chars(item));
  }
  return texts;
}

/// `object` holds uri, accept and routingKeys; in the oldest form the service itself does, and the
/// endpoint is only a text.
Result<ServiceEndpoint> read_endpoint(const JsonObject& object, std::string id, std::string uri) {
  ServiceEndpoint endpoint;
  endpoint.id = std::move(id);
  endpoint.uri = std::move(uri);
  if (endpoint.uri.empty() || endpoint.uri.size() > limits::kDidCharsMax) {
    return fail(Errc::malformed, "a service endpoint has no usable uri");
  }
  TRY(endpoint.accept, read_texts(object, "accept", limits::kDidDocumentServicesMax));
  TRY(endpoint.routing_keys, read_texts(object, "routingKeys", limits::kRoutingKeysMax));
  for (const std::string& key : endpoint.routing_keys) CHECK(DidUrl::parse(key));
  return endpoint;
}

Result<void> add_endpoint(DidDocument& document, const JsonObject& service, const std::string& id,
                          const Json& value) {
  if (document.services.size() == limits::kDidDocumentServicesMax) {
    return fail(Errc::limit_exceeded, "the DID document has too many service endpoints");
  }
  if (value.is_string()) {
    TRY(ServiceEndpoint endpoint, read_endpoint(service, id, std::string(json_chars(value))));
    document.services.push_back(std::move(endpoint));
    return {};
  }
  TRY(const JsonObject* object, crypto::as_object(value, "a service endpoint"));
  TRY(std::string uri, json_string(*object, "uri"));
  TRY(ServiceEndpoint endpoint, read_endpoint(*object, id, std::move(uri)));
  document.services.push_back(std::move(endpoint));
  return {};
}

bool is_messaging(const JsonObject& service) {
  const Json* type = service.if_contains("type");
  if (type == nullptr) return false;
  if (type->is_string()) return json_chars(*type) == kMessagingService;
  if (!type->is_array()) return false;
  return std::ranges::any_of(type->get_array(), [](const Json& item) {
    return item.is_string() && json_chars(item) == kMessagingService;
  });
}

Result<void> read_services(DidDocument& document) {
  if (!document.raw.contains("service")) return {};
  TRY(const JsonArray* services, crypto::json_array(document.raw, "service"));
  for (const Json& value : *services) {
    TRY(const JsonObject* service, crypto::as_object(value, "a service"));
    TRY(const auto given_id, crypto::json_optional_string(*service, "id"));
    std::string id = given_id.value_or("");
    if (id.starts_with('#')) id = document.id.text() + id;
    if (!is_messaging(*service)) continue;
    const Json* endpoint = service->if_contains("serviceEndpoint");
    if (!endpoint->is_array()) {
      CHECK(add_endpoint(document, *service, id, *endpoint));
      continue;
    }
    for (const Json& item : endpoint->get_array()) {
      CHECK(add_endpoint(document, *service, id, item));
    }
  }
  return {};
}

// ---- Use ---------------------------------------------------------------------------------------

bool fits(KeyType type, bool for_agreement) {
  return for_agreement ? crypto::can_agree(type) : crypto::can_sign(type);
}

bool contains(const std::vector<std::string>& kids, std::string_view kid) {
  return std::find(kids.begin(), kids.end(), kid) != kids.end();
}

Result<PublicKey> listed_key(const DidDocument& document, const std::vector<std::string>& kids,
                             std::string_view kid, bool for_agreement) {
  const VerificationMethod* method = document.find_method(kid);
  if (!contains(kids, kid) || method == nullptr) {
    return fail(Errc::not_authentic, "the key is not listed in the DID document for this use");
  }
  if (!method->key || !fits(method->key->type, for_agreement)) {
    return fail(Errc::unsupported, "the key is of a type that is not supported for this use");
  }
  return *method->key;
}

std::vector<NamedKey> usable_keys(const DidDocument& document, const std::vector<std::string>& kids,
                                  bool for_agreement) {
  std::vector<NamedKey> keys;
  for (const std::string& kid : kids) {
    auto key = listed_key(document, kids, kid, for_agreement);
    if (key.has_value()) keys.push_back({kid, std::move(*key)});
  }
  return keys;
}

}  // namespace

const VerificationMethod* DidDocument::find_method(std::string_view kid) const {
  const auto found = std::find_if(methods.begin(), methods.end(),
                                  [kid](const VerificationMethod& m) { return m.id == kid; });
  return found == methods.end() ? nullptr : &*found;
}

Result<PublicKey> DidDocument::authentication_key(std::string_view kid) const {
  return listed_key(*this, authentication, kid, false);
}

Result<PublicKey> DidDocument::agreement_key(std::string_view kid) const {
  return listed_key(*this, key_agreement, kid, true);
}

std::vector<NamedKey> DidDocument::agreement_keys() const {
  return usable_keys(*this, key_agreement, true);
}

std::vector<NamedKey> DidDocument::agreement_keys(KeyType type) const {
  std::vector<NamedKey> keys = agreement_keys();
  std::erase_if(keys, [type](const NamedKey& key) { return key.key.type != type; });
  return keys;
}

std::vector<NamedKey> DidDocument::authentication_keys() const {
  return usable_keys(*this, authentication, false);
}

Result<DidDocument> parse_did_document(std::string_view text, const Did& expected) {
  crypto::JsonLimits json_limits;
  json_limits.bytes_max = limits::kDidDocumentBytesMax;
  TRY(const Json value, crypto::parse_json(text, json_limits));
  TRY(const JsonObject* object, crypto::as_object(value, "a DID document"));
  return read_did_document(*object, expected);
}

Result<DidDocument> read_did_document(const JsonObject& object, const Did& expected) {
  CHECK(check_did_core(object, expected));
  DidDocument document{expected, {}, {}, {}, {}, object};
  CHECK(read_methods(document));
  CHECK(read_relationship(document, "authentication", document.authentication));
  CHECK(read_relationship(document, "keyAgreement", document.key_agreement));
  // Not used here; read so that what they embed is known and checked.
  for (const std::string_view other :
       {"assertionMethod", "capabilityInvocation", "capabilityDelegation"}) {
    std::vector<std::string> kids;
    CHECK(read_relationship(document, other, kids));
  }
  CHECK(read_services(document));
  return document;
}

Result<DidDocument> build_did_document(const Did& id, const std::vector<DocumentKey>& keys,
                                       const std::vector<ServiceEndpoint>& services) {
  JsonArray methods;
  JsonArray authentication;
  JsonArray key_agreement;
  for (const DocumentKey& entry : keys) {
    const std::string kid = id.text() + "#" + entry.fragment;
    JsonObject method;
    method["id"] = kid;
    method["type"] = "JsonWebKey2020";
    method["controller"] = id.text();
    method["publicKeyJwk"] = crypto::jwk(entry.key);
    methods.push_back(std::move(method));
    JsonArray& use = entry.use == KeyUse::key_agreement ? key_agreement : authentication;
    use.push_back(Json(kid));
  }
  JsonArray service_objects;
  for (std::size_t i = 0; i < services.size(); ++i) {
    const ServiceEndpoint& endpoint = services[i];
    service_objects.push_back(
        service_json(endpoint, endpoint.id.empty() ? id.text() + "#service-" + std::to_string(i + 1)
                                                   : endpoint.id));
  }
  JsonObject document;
  document["@context"] =
      JsonArray{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/suites/jws-2020/v1"};
  document["id"] = id.text();
  document["verificationMethod"] = std::move(methods);
  document["authentication"] = std::move(authentication);
  document["keyAgreement"] = std::move(key_agreement);
  document["service"] = std::move(service_objects);
  return read_did_document(document, id);
}

const JsonObject& to_json(const DidDocument& document) {
  return document.raw;
}

JsonObject service_json(const ServiceEndpoint& endpoint, std::string_view id) {
  JsonObject object;
  object["uri"] = endpoint.uri;
  if (!endpoint.accept.empty()) {
    object["accept"] = JsonArray(endpoint.accept.begin(), endpoint.accept.end());
  }
  if (!endpoint.routing_keys.empty()) {
    object["routingKeys"] = JsonArray(endpoint.routing_keys.begin(), endpoint.routing_keys.end());
  }
  JsonObject service;
  if (!id.empty()) service["id"] = id;
  service["type"] = kMessagingService;
  service["serviceEndpoint"] = std::move(object);
  return service;
}

}  // namespace kith::protocol
