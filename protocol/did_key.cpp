#include "protocol/did_key.hpp"

#include "crypto/assert.hpp"

namespace kith::protocol {

namespace {

constexpr std::string_view kDidKey = "did:key:";

}  // namespace

Did did_key(const PublicKey& key) {
  auto did = Did::parse(std::string(kDidKey) + crypto::multikey(key));
  ASSERT(did.has_value());
  return *did;
}

std::string did_key_kid(const PublicKey& key) {
  const std::string name = crypto::multikey(key);
  return std::string(kDidKey) + name + "#" + name;
}

Result<DidDocument> single_key_document(const Did& did, std::string_view multikey) {
  TRY(const PublicKey key, crypto::from_multikey(multikey));
  const std::string name = crypto::multikey(key);
  if (name != multikey) return fail(Errc::malformed, "the key must be written in base58btc");
  const std::string kid = did.text() + "#" + name;
  JsonObject method;
  method["id"] = kid;
  method["type"] = "Multikey";
  method["controller"] = did.text();
  method["publicKeyMultibase"] = name;

  JsonObject document;
  document["@context"] =
      JsonArray{"https://www.w3.org/ns/did/v1", "https://w3id.org/security/multikey/v1"};
  document["id"] = did.text();
  document["verificationMethod"] = JsonArray{method};
  if (key.type != KeyType::x25519) {
    for (const std::string_view use :
         {"authentication", "assertionMethod", "capabilityInvocation", "capabilityDelegation"}) {
      document[use] = JsonArray{Json(kid)};
    }
  }
  if (crypto::can_agree(key.type)) document["keyAgreement"] = JsonArray{Json(kid)};
  return read_did_document(document, did);
}

Result<DidDocument> resolve_did_key(const Did& did) {
  if (did.method() != "key") return fail(Errc::unsupported, "not a did:key");
  return single_key_document(did, did.method_specific_id());
}

}  // namespace kith::protocol
