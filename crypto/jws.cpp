#include "crypto/jws.hpp"

#include <array>
#include <optional>
#include <utility>

#include "crypto/assert.hpp"
#include "crypto/jose_header.hpp"
#include "crypto/limits.hpp"

namespace kith::crypto {

namespace {

constexpr std::size_t kJwsSignatureBytes = 64;

struct Algorithm {
  std::string_view name;
  KeyType type;
};

/// The whole table: `none`, HMAC and everything else do not exist here.
constexpr std::array<Algorithm, 3> kAlgorithms = {
    Algorithm{"EdDSA", KeyType::ed25519},
    Algorithm{"ES256K", KeyType::secp256k1},
    Algorithm{"ES256", KeyType::p256},
};

std::string_view algorithm_of(KeyType type) {
  for (const Algorithm& algorithm : kAlgorithms) {
    if (algorithm.type == type) return algorithm.name;
  }
  UNREACHABLE();  // Agreement keys do not sign: the caller's mistake.
}

struct Signed {
  std::string header;
  std::string payload;
  std::string signature;
};

/// All three parts in base64url.
Result<Signed> sign_parts(KeyOps& keys, const JwsSigner& signer, const JsonObject& header,
                          ByteView payload) {
  CHECK(jose::check_kid(signer.kid));
  if (payload.size() > limits::kEnvelopeBytesMax / 4 * 3) {
    return fail(Errc::limit_exceeded, "the payload to be signed is too long");
  }
  Signed parts;
  parts.header = base64url(as_bytes(json_text(header)));
  parts.payload = base64url(payload);
  TRY(const Bytes signature, keys.sign(signer.key, as_bytes(parts.header + "." + parts.payload)));
  parts.signature = base64url(signature);
  return parts;
}

/// One signature as it arrived.
struct Arrived {
  std::string_view header;
  std::string_view payload;
  std::optional<ValueView> unprotected;  ///< The signature's own header, if it has one.
  Bytes signature;
};

/// `header` is what arrived.header decodes to.
Result<ParsedJws> parse_parts(Arrived arrived, ValueView header) {
  ParsedJws jws;
  TRY(jws.alg, json_string(header, "alg"));
  const Algorithm* algorithm = nullptr;
  for (const Algorithm& known : kAlgorithms) {
    if (known.name == jws.alg) algorithm = &known;
  }
  if (algorithm == nullptr) return fail(Errc::unsupported, "this signature algorithm");
  jws.key_type = algorithm->type;

  TRY(auto kid, json_optional_string(header, "kid"));
  if (arrived.unprotected) {
    CHECK(jose::check_unprotected(*arrived.unprotected, {"alg", "typ", "cty", "crit", "b64"}));
    TRY(const auto outer_kid, json_optional_string(*arrived.unprotected, "kid"));
    if (kid && outer_kid && *kid != *outer_kid) {
      return fail(Errc::malformed, "two different key ids for one signature");
    }
    if (!kid) kid = outer_kid;
  }
  if (!kid) return fail(Errc::malformed, "a signature without a key id");
  CHECK(jose::check_kid(*kid));
  jws.kid = *kid;

  if (arrived.signature.size() != kJwsSignatureBytes) {
    return fail(Errc::malformed, "a signature of the wrong length");
  }
  jws.signature = std::move(arrived.signature);
  TRY(jws.payload, from_base64url(arrived.payload));
  jws.signing_input.append(arrived.header).append(".").append(arrived.payload);
  return jws;
}

/// The object that holds protected, header and signature: the only element of `signatures`, or the
/// envelope itself when it is flattened.
Result<ValueView> signature_of(ValueView envelope) {
  if (!envelope.contains("signatures")) return envelope;
  for (const std::string_view flattened : {"protected", "header", "signature"}) {
    if (envelope.contains(flattened)) {
      return fail(Errc::malformed, "general and flattened form in one");
    }
  }
  TRY(const ValueView signatures, json_array(envelope, "signatures"));
  if (signatures.size() != 1) return fail(Errc::malformed, "exactly one signature is expected");
  return as_object(*signatures.items().begin(), "a signature");
}

/// What the object of signature_of holds, for a payload that stands elsewhere.
Result<Arrived> read_signature(ValueView signature) {
  Arrived arrived;
  TRY(arrived.header, json_string(signature, "protected"));
  TRY(arrived.signature, jose::decode_member(signature, "signature", kJwsSignatureBytes));
  if (signature.contains("header")) {
    TRY(arrived.unprotected, json_object(signature, "header"));
  }
  return arrived;
}

template <class Parse>
Result<VerifiedJws> open_with(Parse parse, std::string_view text, const KeyLookup& lookup) {
  TRY(ParsedJws jws, parse(text));
  TRY(const PublicKey key, lookup(jws.kid));
  CHECK(verify_jws(jws, key));
  return VerifiedJws{std::move(jws.payload), std::move(jws.kid), std::move(jws.alg)};
}

}  // namespace

Result<std::string> sign_jws(KeyOps& keys, const JwsSigner& signer, ByteView payload) {
  JsonObject header;
  header["typ"] = "application/" + std::string(kSignedSubtype);
  header["alg"] = algorithm_of(signer.type);
  TRY(const Signed parts, sign_parts(keys, signer, header, payload));

  JsonObject unprotected;
  unprotected["kid"] = signer.kid;
  JsonObject signature;
  signature["protected"] = parts.header;
  signature["signature"] = parts.signature;
  signature["header"] = std::move(unprotected);
  JsonObject envelope;
  envelope["payload"] = parts.payload;
  JsonArray signatures;
  signatures.push_back(std::move(signature));
  envelope["signatures"] = std::move(signatures);
  std::string text = json_text(envelope);
  if (text.size() > limits::kEnvelopeBytesMax) {
    return fail(Errc::limit_exceeded, "the signed message is too long");
  }
  return text;
}

Result<std::string> sign_jwt(KeyOps& keys, const JwsSigner& signer, std::string_view claims) {
  JsonObject header;
  header["typ"] = "JWT";
  header["alg"] = algorithm_of(signer.type);
  header["kid"] = signer.kid;
  TRY(const Signed parts, sign_parts(keys, signer, header, as_bytes(claims)));
  std::string text = parts.header + "." + parts.payload + "." + parts.signature;
  if (text.size() > limits::kJwtCharsMax)
    return fail(Errc::limit_exceeded, "the token is too long");
  return text;
}

Result<ParsedJws> parse_jws(std::string_view text) {
  JsonLimits json_limits;
  json_limits.bytes_max = limits::kEnvelopeBytesMax;
  TRY(const FlatValue value, read_json(text, json_limits));
  TRY(const ValueView envelope, as_object(value.root(), "a signed message"));
  if (envelope.contains("ciphertext")) {
    return fail(Errc::malformed, "signed and encrypted form in one");
  }
  TRY(const ValueView signature, signature_of(envelope));
  TRY(Arrived arrived, read_signature(signature));
  TRY(arrived.payload, json_string(envelope, "payload"));
  TRY(const jose::Header header, jose::decode_header(arrived.header));
  TRY(ParsedJws jws, parse_parts(std::move(arrived), header.root()));
  TRY(const auto typ, json_string(header.root(), "typ"));
  if (!jose::is_media_type(typ, kSignedSubtype)) {
    return fail(Errc::malformed, "the signature was made for another kind of data");
  }
  return jws;
}

Result<ParsedJws> parse_jwt(std::string_view text) {
  if (text.size() > limits::kJwtCharsMax)
    return fail(Errc::limit_exceeded, "the token is too long");
  const std::size_t first = text.find('.');
  const std::size_t second = first == std::string_view::npos ? first : text.find('.', first + 1);
  if (second == std::string_view::npos) return fail(Errc::malformed, "a token has three parts");
  Arrived arrived{text.substr(0, first), text.substr(first + 1, second - first - 1), {}, {}};
  TRY(arrived.signature, from_base64url(text.substr(second + 1)));
  TRY(const jose::Header header, jose::decode_header(arrived.header));
  TRY(ParsedJws jws, parse_parts(std::move(arrived), header.root()));
  TRY(const auto typ, json_string(header.root(), "typ"));
  if (typ != "JWT") return fail(Errc::malformed, "the token is of another kind");
  return jws;
}

Result<JsonObject> sign_detached(KeyOps& keys, const JwsSigner& signer, ByteView payload) {
  JsonObject header;
  header["alg"] = algorithm_of(signer.type);
  TRY(const Signed parts, sign_parts(keys, signer, header, payload));
  JsonObject jws;
  jws["protected"] = parts.header;
  jws["header"] = JsonObject{{"kid", signer.kid}};
  jws["signature"] = parts.signature;
  return jws;
}

namespace {

Result<Arrived> read_compact_detached(std::string_view text) {
  const std::size_t dots = text.find("..");
  if (text.size() > limits::kJwtCharsMax || dots == std::string_view::npos) {
    return fail(Errc::malformed, "a detached signature has an empty payload");
  }
  Arrived arrived{text.substr(0, dots), {}, {}, {}};
  TRY(arrived.signature, from_base64url(text.substr(dots + 2)));
  return arrived;
}

Result<Arrived> read_detached(ValueView jws) {
  if (const auto text = jws.text()) return read_compact_detached(*text);
  TRY(const ValueView object, as_object(jws, "a detached signature"));
  if (object.contains("payload")) {
    return fail(Errc::malformed, "a detached signature that holds a payload");
  }
  TRY(const ValueView signature, signature_of(object));
  return read_signature(signature);
}

}  // namespace

Result<ParsedJws> parse_detached(const Json& jws, ByteView payload) {
  const std::string text = json_text(jws);
  TRY(const FlatValue value, read_json(text));
  TRY(Arrived arrived, read_detached(value.root()));
  const std::string encoded_payload = base64url(payload);
  arrived.payload = encoded_payload;
  TRY(const jose::Header header, jose::decode_header(arrived.header));
  return parse_parts(std::move(arrived), header.root());
}

Result<void> verify_jws(const ParsedJws& jws, const PublicKey& key) {
  if (key.type != jws.key_type) {
    return fail(Errc::bad_signature, "the algorithm does not fit the key");
  }
  return verify(key, as_bytes(jws.signing_input), jws.signature, SValue::any);
}

Result<VerifiedJws> open_jws(std::string_view text, const KeyLookup& lookup) {
  return open_with(parse_jws, text, lookup);
}

Result<VerifiedJws> open_jwt(std::string_view text, const KeyLookup& lookup) {
  return open_with(parse_jwt, text, lookup);
}

}  // namespace kith::crypto
