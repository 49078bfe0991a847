#include "protocol/did_peer.hpp"

#include "crypto/limits.hpp"

namespace kith::protocol {

namespace {

struct Abbreviation {
  std::string_view full;
  std::string_view brief;
};

/// The specification's table of common strings, as far as they are member names.
constexpr Abbreviation kMembers[] = {
    {"type", "t"}, {"serviceEndpoint", "s"}, {"routingKeys", "r"}, {"accept", "a"}};
constexpr std::string_view kMessaging = "DIDCommMessaging";
constexpr std::string_view kMessagingBrief = "dm";

std::string_view member_name(std::string_view name, bool expand) {
  for (const Abbreviation& row : kMembers) {
    if (name == (expand ? row.brief : row.full)) return expand ? row.full : row.brief;
  }
  return name;
}

/// The name in full, of a member that may be in either form.
bool is_type_member(std::string_view name) {
  return name == "type" || name == "t";
}

/// Bounded recursion: `value` came through parse_json, or is one of our own.
/// Errors: malformed when one member is there in both forms.
Result<Json> translate(const Json& value, bool expand) {
  if (value.is_array()) {
    JsonArray items;
    for (const Json& item : value.get_array()) {
      TRY(Json translated, translate(item, expand));
      items.push_back(std::move(translated));
    }
    return Json(std::move(items));
  }
  if (!value.is_object()) return value;
  JsonObject object;
  for (const auto& member : value.get_object()) {
    const std::string_view key(member.key().data(), member.key().size());
    TRY(Json translated, translate(member.value(), expand));
    const std::string_view from = expand ? kMessagingBrief : kMessaging;
    if (is_type_member(key) && translated.is_string() &&
        std::string_view(translated.get_string()) == from) {
      translated = expand ? kMessaging : kMessagingBrief;
    }
    const std::string_view name = member_name(key, expand);
    if (object.contains(name)) {
      return fail(Errc::malformed, "a service in a did:peer has a member twice");
    }
    object[name] = std::move(translated);
  }
  return Json(std::move(object));
}

struct Purpose {
  char code;
  std::string_view relationship;
};

constexpr Purpose kPurposes[] = {{'A', "assertionMethod"},
                                 {'E', "keyAgreement"},
                                 {'V', "authentication"},
                                 {'I', "capabilityInvocation"},
                                 {'D', "capabilityDelegation"}};

/// A document while its elements are read, in order.
struct Draft {
  const Did& did;
  JsonArray methods = {};
  JsonObject relationships = {};
  JsonArray services = {};
  std::size_t unnamed_services = 0;
};

Result<void> add_key(Draft& draft, std::string_view relationship, std::string_view encoded) {
  if (!encoded.starts_with('z')) {
    return fail(Errc::malformed, "a key in a did:peer must be written in base58btc");
  }
  const std::string id = "#key-" + std::to_string(draft.methods.size() + 1);
  JsonObject method;
  method["id"] = id;
  method["controller"] = draft.did.text();
  method["type"] = "Multikey";
  method["publicKeyMultibase"] = encoded;
  draft.methods.push_back(std::move(method));
  Json& kids = draft.relationships[relationship];
  if (!kids.is_array()) kids = JsonArray();
  kids.get_array().push_back(Json(id));
  return {};
}

Result<void> add_service(Draft& draft, std::string_view encoded) {
  TRY(const Bytes bytes, crypto::from_base64url(encoded));
  TRY(const Json brief, crypto::parse_json(crypto::as_text(bytes)));
  TRY(Json full, translate(brief, true));
  TRY(const JsonObject* service, crypto::as_object(full, "a service in a did:peer"));
  JsonObject complete = *service;
  if (const Json* id = complete.if_contains("id"); id == nullptr) {
    const std::size_t number = draft.unnamed_services++;
    complete["id"] = number == 0 ? std::string("#service") : "#service-" + std::to_string(number);
  } else if (!id->is_string() || !std::string_view(id->get_string()).starts_with('#')) {
    return fail(Errc::malformed, "the id of a service in a did:peer must be relative");
  }
  draft.services.push_back(std::move(complete));
  return {};
}

Result<void> add_element(Draft& draft, std::string_view element) {
  if (element.empty()) return fail(Errc::malformed, "a did:peer has an empty element");
  const std::string_view encoded = element.substr(1);
  if (element.front() == 'S') return add_service(draft, encoded);
  for (const Purpose& purpose : kPurposes) {
    if (element.front() == purpose.code) return add_key(draft, purpose.relationship, encoded);
  }
  return fail(Errc::malformed, "a did:peer has an element of unknown purpose");
}

}  // namespace

Result<Did> make_did_peer2(const std::vector<PeerKey>& keys,
                           const std::vector<ServiceEndpoint>& services) {
  if (keys.empty()) return fail(Errc::malformed, "a did:peer needs at least one key");
  std::string text = "did:peer:2";
  for (const PeerKey& entry : keys) {
    text += entry.use == KeyUse::key_agreement ? ".E" : ".V";
    text += crypto::multikey(entry.key);
  }
  for (const ServiceEndpoint& endpoint : services) {
    TRY(const Json brief, translate(Json(service_json(endpoint, "")), false));
    text += ".S" + crypto::base64url(crypto::as_bytes(crypto::json_text(brief)));
  }
  TRY(Did did, Did::parse(text));
  CHECK(resolve_did_peer2(did));  // What a peer would refuse never leaves.
  return did;
}

std::string did_peer2_kid(const Did& did, std::size_t index) {
  return did.text() + "#key-" + std::to_string(index + 1);
}

Result<DidDocument> resolve_did_peer2(const Did& did) {
  if (did.method() != "peer" || !did.method_specific_id().starts_with('2')) {
    return fail(Errc::unsupported, "not a did:peer of method 2");
  }
  std::string_view rest = did.method_specific_id().substr(1);
  if (!rest.starts_with('.')) return fail(Errc::malformed, "a did:peer without elements");
  Draft draft{did};
  while (!rest.empty()) {
    rest.remove_prefix(1);
    const std::string_view element = rest.substr(0, rest.find('.'));
    CHECK(add_element(draft, element));
    rest.remove_prefix(element.size());
  }
  if (draft.methods.empty()) return fail(Errc::malformed, "a did:peer without keys");
  JsonObject document;
  document["@context"] =
      JsonArray{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"};
  document["id"] = did.text();
  document["verificationMethod"] = std::move(draft.methods);
  for (const auto& member : draft.relationships) document[member.key()] = member.value();
  if (!draft.services.empty()) document["service"] = std::move(draft.services);
  return read_did_document(document, did);
}

}  // namespace kith::protocol
