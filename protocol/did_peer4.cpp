#include "crypto/base58.hpp"
#include "crypto/hash.hpp"
#include "crypto/limits.hpp"
#include "protocol/did_core.hpp"
#include "protocol/did_key.hpp"
#include "protocol/did_peer.hpp"

namespace kith::protocol {
namespace {

constexpr std::string_view kDidPeer4 = "did:peer:4";
constexpr std::uint8_t kJsonCodec[] = {0x80, 0x04};     // multicodec json (0x0200) as varint
constexpr std::uint8_t kSha256Prefix[] = {0x12, 0x20};  // multihash sha2-256, 32 bytes
constexpr std::string_view kReferring[] = {"authentication", "assertionMethod", "keyAgreement",
                                           "capabilityInvocation", "capabilityDelegation"};

struct Halves {
  std::string_view hash;
  std::string_view document;
};

Result<Halves> halves_of(const Did& did) {
  const std::string_view rest = std::string_view(did.text()).substr(kDidPeer4.size());
  const std::size_t colon = rest.find(':');
  if (colon == std::string_view::npos) {
    return fail(Errc::unsupported, "the short form of a did:peer needs its long form once");
  }
  return Halves{rest.substr(0, colon), rest.substr(colon + 1)};
}

std::string hash_of(std::string_view encoded_document) {
  Bytes bytes = crypto::to_bytes(ByteView(kSha256Prefix));
  crypto::append(bytes, crypto::sha256(crypto::as_bytes(encoded_document)));
  return crypto::multibase(bytes);
}

bool is_relative(const Json& value) {
  return value.is_string() && value.get_string().size() > 1 && value.get_string().front() == '#';
}

Result<void> check_relative_id(const Json& value, std::string_view what) {
  TRY(const JsonObject* object, crypto::as_object(value, what));
  const Json* id = object->if_contains("id");
  if (id == nullptr || !is_relative(*id)) {
    return fail(Errc::malformed, std::string(what) + " in a did:peer must have a relative id");
  }
  return {};
}

/// What method 4 demands of an input document beyond DID Core.
Result<void> check_input(const JsonObject& input) {
  if (input.contains("id")) return fail(Errc::malformed, "the document of a did:peer names itself");
  for (const std::string_view list : {"verificationMethod", "service"}) {
    if (!input.contains(list)) continue;
    TRY(const JsonArray* items, crypto::json_array(input, list));
    for (const Json& item : *items) CHECK(check_relative_id(item, list));
  }
  for (const std::string_view use : kReferring) {
    if (!input.contains(use)) continue;
    TRY(const JsonArray* items, crypto::json_array(input, use));
    for (const Json& item : *items) {
      if (!item.is_string()) CHECK(check_relative_id(item, use));
    }
  }
  return {};
}

Result<JsonObject> decode(const Halves& halves) {
  if (hash_of(halves.document) != halves.hash) {
    return fail(Errc::not_authentic, "the document in a did:peer is not the one its hash names");
  }
  if (!halves.document.starts_with('z')) {
    return fail(Errc::malformed, "the document in a did:peer must be written in base58btc");
  }
  TRY(const Bytes bytes,
      crypto::from_base58_up_to(halves.document.substr(1), limits::kDidCharsMax));
  const ByteView view(bytes);
  if (view.size() < 2 || !crypto::equal(view.first(2), ByteView(kJsonCodec))) {
    return fail(Errc::malformed, "the document in a did:peer is not marked as JSON");
  }
  TRY(const Json json, crypto::parse_json(crypto::as_text(view.subspan(2))));
  TRY(const JsonObject* input, crypto::as_object(json, "the document in a did:peer"));
  CHECK(check_input(*input));
  return *input;
}

void set_controllers(Json* methods, const std::string& did) {
  if (methods == nullptr || !methods->is_array()) return;
  for (Json& method : methods->get_array()) {
    if (method.is_object() && !method.get_object().contains("controller")) {
      method.get_object()["controller"] = did;
    }
  }
}

/// "Contextualizing" the document: as `own`, also known as `other`.
Result<DidDocument> document_for(JsonObject document, const Did& own, const Did& other) {
  document["id"] = own.text();
  Json& known_as = document["alsoKnownAs"];
  if (known_as.is_null()) known_as = JsonArray();
  if (!known_as.is_array()) return fail(Errc::malformed, "alsoKnownAs is of a wrong form");
  known_as.get_array().push_back(Json(other.text()));
  set_controllers(document.if_contains("verificationMethod"), own.text());
  for (const std::string_view use : kReferring) {
    set_controllers(document.if_contains(use), own.text());
  }
  return read_did_document(document, own);
}

Result<Did> short_form_of(const Halves& halves) {
  return Did::parse(std::string(kDidPeer4) + std::string(halves.hash));
}

}  // namespace

char did_peer_numalgo(const Did& did) {
  const std::string_view id = did.method_specific_id();
  return did.method() == "peer" && id.front() >= '0' && id.front() <= '9' ? id.front() : '\0';
}

Result<DidDocument> resolve_did_peer0(const Did& did) {
  if (did_peer_numalgo(did) != '0') {
    return fail(Errc::unsupported, "not a did:peer of method 0");
  }
  return single_key_document(did, did.method_specific_id().substr(1));
}

bool is_did_peer4_long(const Did& did) {
  return did_peer_numalgo(did) == '4' &&
         did.method_specific_id().find(':') != std::string_view::npos;
}

Result<PeerDid4> make_did_peer4(const JsonObject& input) {
  CHECK(check_input(input));
  const std::string text = crypto::json_text(input);
  Bytes bytes = crypto::to_bytes(ByteView(kJsonCodec));
  crypto::append(bytes, crypto::as_bytes(text));
  // Base58 takes more than eight bits for a byte, and costs the square of the length.
  if (bytes.size() > limits::kDidCharsMax) return fail(Errc::limit_exceeded, "a DID is too long");
  const std::string document = crypto::multibase(bytes);
  const std::string hash = hash_of(document);
  TRY(Did short_form, Did::parse(std::string(kDidPeer4) + hash));
  TRY(Did long_form, Did::parse(std::string(kDidPeer4) + hash + ":" + document));
  CHECK(resolve_did_peer4(long_form));  // What a peer would refuse never leaves.
  return PeerDid4{std::move(long_form), std::move(short_form)};
}

Result<DidDocument> resolve_did_peer4(const Did& long_form) {
  if (did_peer_numalgo(long_form) != '4') {
    return fail(Errc::unsupported, "not a did:peer of method 4");
  }
  TRY(const Halves halves, halves_of(long_form));
  TRY(JsonObject input, decode(halves));
  TRY(const Did short_form, short_form_of(halves));
  return document_for(std::move(input), long_form, short_form);
}

Result<DidDocument> did_peer4_short_document(const Did& long_form) {
  if (did_peer_numalgo(long_form) != '4') {
    return fail(Errc::unsupported, "not a did:peer of method 4");
  }
  TRY(const Halves halves, halves_of(long_form));
  TRY(JsonObject input, decode(halves));
  TRY(const Did short_form, short_form_of(halves));
  return document_for(std::move(input), short_form, long_form);
}

}  // namespace kith::protocol
