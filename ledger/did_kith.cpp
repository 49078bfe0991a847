#include "ledger/did_kith.hpp"

#include <algorithm>

#include "crypto/assert.hpp"
#include "ledger/strict_json.hpp"
#include "protocol/time.hpp"

namespace kith::ledger {

namespace {

constexpr std::string_view kMultikeyContext = "https://w3id.org/security/multikey/v1";
constexpr std::string_view kRelationships[] = {"authentication", "assertionMethod", "keyAgreement",
                                               "capabilityInvocation", "capabilityDelegation"};

std::string absolute_id(std::string_view did, std::string id) {
  return id.starts_with('#') ? std::string(did) + id : id;
}

/// A verification method or service: object with id (of this DID, with a fragment) and type.
Result<void> check_named_object(std::string_view did, const Json& json, std::string_view what,
                                std::vector<std::string>& ids) {
  TRY(const JsonObject* object, crypto::as_object(json, what));
  TRY(std::string id, crypto::json_string(*object, "id"));
  const std::string full = absolute_id(did, std::move(id));
  const std::string start = std::string(did) + "#";
  if (!full.starts_with(start) || full.size() == start.size()) {
    return fail(Errc::malformed, std::string(what) + " has an id outside its document");
  }
  ids.push_back(full);
  return {};
}

Result<void> check_method(std::string_view did, const Json& json, std::vector<std::string>& ids) {
  CHECK(check_named_object(did, json, "verification method", ids));
  const JsonObject& object = json.get_object();
  TRY(const std::string type, crypto::json_string(object, "type"));
  TRY(const std::string controller, crypto::json_string(object, "controller"));
  if (type.empty() || !controller.starts_with("did:")) {
    return fail(Errc::malformed, "a verification method without type or controller");
  }
  return {};
}

Result<void> check_service(std::string_view did, const Json& json, std::vector<std::string>& ids) {
  CHECK(check_named_object(did, json, "service", ids));
  const JsonObject& object = json.get_object();
  const bool typed =
      object.contains("type") && (object.at("type").is_string() || object.at("type").is_array());
  if (!typed || !object.contains("serviceEndpoint")) {
    return fail(Errc::malformed, "a service without type or endpoint");
  }
  const Json& endpoint = object.at("serviceEndpoint");
  if (!endpoint.is_string() && !endpoint.is_object() && !endpoint.is_array()) {
    return fail(Errc::malformed, "a service endpoint of a wrong type");
  }
  return {};
}

Result<void> check_relationship(std::string_view did, const JsonObject& document,
                                std::string_view name, std::vector<std::string>& method_ids,
                                std::vector<std::string>& references) {
  if (!document.contains(name)) return {};
  TRY(const JsonArray* items, crypto::json_array(document, name));
  for (const Json& item : *items) {
    if (!item.is_string()) {
      CHECK(check_method(did, item, method_ids));
      continue;
    }
    const std::string id = absolute_id(did, std::string(item.get_string()));
    if (!id.starts_with("did:")) return fail(Errc::malformed, "a reference that is not a DID URL");
    if (id.starts_with(std::string(did) + "#")) references.push_back(id);
  }
  return {};
}

JsonObject method_json(std::string_view did, const std::string& multikey) {
  JsonObject method;
  method["id"] = std::string(did) + "#" + multikey;
  method["type"] = "Multikey";
  method["controller"] = did;
  method["publicKeyMultibase"] = multikey;
  return method;
}

JsonObject service_json(std::string_view did, const PairService& service, std::size_t index) {
  JsonObject endpoint;
  endpoint["uri"] = service.uri;
  endpoint["accept"] = JsonArray{"didcomm/v2"};
  endpoint["routingKeys"] = json_strings(service.routing_keys);
  JsonObject object;
  object["id"] = std::string(did) + "#service-" + std::to_string(index);
  object["type"] = "DIDCommMessaging";
  object["serviceEndpoint"] = std::move(endpoint);
  return object;
}

Json bare_document(std::string_view did) {
  JsonObject document;
  document["@context"] = JsonArray{kDidContext};
  document["id"] = did;
  return document;
}

std::string version_id(const LogRecord& record) {
  return std::to_string(record.entry->n) + "-" + record.hash;
}

JsonObject log_metadata(const LogView& view) {
  JsonObject kith;
  kith["status"] = status_name(view.status);
  kith["contested"] = view.pending.has_value();
  if (view.pending.has_value()) {
    kith["pending"] = view.pending->record.hash;
    kith["effectiveAt"] = utc_text(view.pending->record.effective_from);
  }
  if (view.unconfirmed_move) kith["unconfirmedMove"] = true;
  kith["headVersionId"] = version_id(view.head());
  kith["duplicity"] = static_cast<std::int64_t>(view.duplicity_count);
  kith["test"] = view.test;
  return kith;
}

Json metadata_json(const LogView& view, bool deactivated) {
  const bool by_log = view.status == LogStatus::deactivated;
  const LogRecord& shown = by_log ? view.head() : view.uncontested_record();
  JsonObject metadata;
  metadata["created"] = utc_text(view.history.front().anchored);
  metadata["updated"] = utc_text(shown.effective_from);
  metadata["versionId"] = version_id(shown);
  if (deactivated) metadata["deactivated"] = true;
  metadata["kith"] = log_metadata(view);
  return metadata;
}

}  // namespace

Result<std::string> check_did_kith(std::string_view did) {
  if (!did.starts_with(kDidPrefix) || !is_digest(did.substr(kDidPrefix.size()))) {
    return fail(Errc::malformed, "not a did:kith identifier");
  }
  return std::string(did);
}

Result<void> check_did_document(std::string_view did, const Json& document) {
  TRY(const JsonObject* object, crypto::as_object(document, "DID document"));
  TRY(const std::string id, crypto::json_string(*object, "id"));
  if (id != did) return fail(Errc::malformed, "the document is about another DID");
  if (object->contains("@context") && !object->at("@context").is_array() &&
      !object->at("@context").is_string()) {
    return fail(Errc::malformed, "@context of a wrong type");
  }
  std::vector<std::string> ids;
  if (object->contains("verificationMethod")) {
    TRY(const JsonArray* methods, crypto::json_array(*object, "verificationMethod"));
    for (const Json& method : *methods) CHECK(check_method(did, method, ids));
  }
  std::vector<std::string> references;
  for (const std::string_view name : kRelationships) {
    CHECK(check_relationship(did, *object, name, ids, references));
  }
  for (const std::string& reference : references) {
    if (!contains(ids, reference)) {
      return fail(Errc::malformed, "a reference to a method that the document lacks");
    }
  }
  if (object->contains("service")) {
    TRY(const JsonArray* services, crypto::json_array(*object, "service"));
    for (const Json& service : *services) CHECK(check_service(did, service, ids));
  }
  if (!all_distinct(std::move(ids))) return fail(Errc::malformed, "one id is used twice");
  return {};
}

Json pair_document(std::string_view did, const PairState& state) {
  JsonArray methods;
  JsonArray authentication;
  JsonArray agreement;
  for (const PairAgent& agent : state.agents) {
    methods.emplace_back(method_json(did, agent.auth));
    methods.emplace_back(method_json(did, agent.agree));
    authentication.emplace_back(std::string(did) + "#" + agent.auth);
    agreement.emplace_back(std::string(did) + "#" + agent.agree);
  }
  JsonArray services;
  for (const PairService& service : state.services) {
    services.emplace_back(service_json(did, service, services.size()));
  }
  JsonObject document;
  document["@context"] = JsonArray{kDidContext, kMultikeyContext};
  document["id"] = did;
  document["verificationMethod"] = std::move(methods);
  document["authentication"] = authentication;
  document["assertionMethod"] = std::move(authentication);
  document["keyAgreement"] = std::move(agreement);
  document["service"] = std::move(services);
  return document;
}

Result<Resolution> resolve_did_kith(const LogView& view) {
  if (view.kind == Kind::policy) {
    return fail(Errc::unsupported, "a policy has no DID document");
  }
  const bool log_ended = view.status == LogStatus::deactivated;
  const LogContent& content = view.uncontested_content();
  if (view.kind == Kind::did) {
    return Resolution{log_ended ? bare_document(view.subject) : content.state,
                      metadata_json(view, log_ended)};
  }
  // The reader accepted this state, so it parses.
  TRY(const PairState state, parse_pair_state(content.state));
  const bool ended = log_ended || state.status != PairStatus::active;
  return Resolution{ended ? bare_document(view.subject) : pair_document(view.subject, state),
                    metadata_json(view, ended)};
}

namespace {

/// Index into the history. Every record has its own version, also one that only rotates keys.
Result<std::size_t> find_version(const LogView& view, const WantedVersion& wanted) {
  if (wanted.id && wanted.time) {
    return fail(Errc::malformed, "a version is named by its id or its time, not by both");
  }
  if (wanted.id) {
    for (std::size_t i = 0; i < view.history.size(); ++i) {
      if (version_id(view.history[i]) == *wanted.id) return i;
    }
    return fail(Errc::not_found, "the log has no version of that id");
  }
  TRY(const Time at, protocol::from_utc_text(*wanted.time));
  for (std::size_t i = view.history.size(); i-- > 0;) {
    if (to_ms(view.history[i].effective_from) <= protocol::epoch_ms(at)) return i;
  }
  return fail(Errc::not_found, "there was no version at that time");
}

/// The content in force after the entry at `index`: entries without content leave it as it was.
const LogContent& content_at(const LogView& view, std::size_t index) {
  while (!view.history[index].entry->content.has_value()) --index;  // The genesis has content.
  return *view.history[index].entry->content;
}

}  // namespace

Result<Resolution> resolve_did_kith_version(const LogView& view, const WantedVersion& wanted) {
  if (!wanted.id && !wanted.time) return resolve_did_kith(view);
  if (view.kind == Kind::policy) {
    return fail(Errc::unsupported, "a policy has no DID document");
  }
  TRY(const std::size_t index, find_version(view, wanted));
  const LogRecord& record = view.history[index];
  const LogContent& content = content_at(view, index);
  Resolution resolution;
  bool ended = record.entry->op == Op::deactivate;
  if (view.kind == Kind::did) {
    resolution.document = ended ? bare_document(view.subject) : content.state;
  } else {
    TRY(const PairState state, parse_pair_state(content.state));
    ended = ended || state.status != PairStatus::active;
    resolution.document = ended ? bare_document(view.subject) : pair_document(view.subject, state);
  }
  JsonObject metadata;
  metadata["created"] = utc_text(view.history.front().anchored);
  metadata["updated"] = utc_text(record.effective_from);
  metadata["versionId"] = version_id(record);
  if (ended) metadata["deactivated"] = true;
  if (index + 1 < view.history.size()) {
    metadata["nextVersionId"] = version_id(view.history[index + 1]);
    metadata["nextUpdate"] = utc_text(view.history[index + 1].effective_from);
  }
  metadata["kith"] = log_metadata(view);
  resolution.metadata = std::move(metadata);
  return resolution;
}

}  // namespace kith::ledger
