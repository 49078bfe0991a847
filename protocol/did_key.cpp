#include "protocol/did_key.hpp"

#include "crypto/assert.hpp"

namespace kith::protocol {

namespace {

constexpr std::string_view kPrefix = "did:key:";

}  // namespace

Did did_key(const PublicKey& key) {
  auto did = Did::parse(std::string(kPrefix) + crypto::multikey(key));
  ASSERT(did.has_value());
  return *did;
}

std::string did_key_kid(const PublicKey& key) {
  const std::string name = crypto::multikey(key);
  return std::string(kPrefix) + name + "#" + name;
}

Result<DidDocument> resolve_did_key(const Did& did) {
  if (did.method() != "key") return fail(Errc::unsupported, "not a did:key");
  TRY(const PublicKey key, crypto::from_multikey(did.method_specific_id()));
  const std::string name = crypto::multikey(key);
  if (name != did.method_specific_id()) {
    return fail(Errc::malformed, "a did:key must be written in base58btc");
  }
  JsonObject method;
  method["id"] = did_key_kid(key);
  method["type"] = "Multikey";
  method["controller"] = did.text();
  method["publicKeyMultibase"] = name;

  JsonObject document;
  document["@context"] =
      JsonArray{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"};
  document["id"] = did.text();
  document["verificationMethod"] = JsonArray{method};
  if (crypto::can_agree(key.type)) document["keyAgreement"] = JsonArray{Json(did_key_kid(key))};
  if (crypto::can_sign(key.type)) {
    document["authentication"] = JsonArray{Json(did_key_kid(key))};
    document["assertionMethod"] = JsonArray{Json(did_key_kid(key))};
  }
  return read_did_document(document, did);
}

}  // namespace kith::protocol
