#include "crypto/key.hpp"

#include <algorithm>
#include <array>

#include "crypto/assert.hpp"
#include "crypto/ec_ed25519.hpp"
#include "crypto/ec_secp256k1.hpp"
#include "crypto/ec_x25519.hpp"

namespace kith::crypto {
namespace {

constexpr std::size_t kCoordinateBytes = 32;

struct KeyForm {
  KeyType type;
  std::array<std::uint8_t, 2> multicodec;  ///< As unsigned varint.
  std::string_view kty;
  std::string_view crv;
};

constexpr std::array<KeyForm, 3> kForms = {{
    {KeyType::ed25519, {0xed, 0x01}, "OKP", "Ed25519"},
    {KeyType::x25519, {0xec, 0x01}, "OKP", "X25519"},
    {KeyType::secp256k1, {0xe7, 0x01}, "EC", "secp256k1"},
}};

const KeyForm& form_of(KeyType type) {
  const auto* form = std::ranges::find(kForms, type, &KeyForm::type);
  ASSERT(form != kForms.end());
  return *form;
}

Result<PublicKey> checked(KeyType type, Bytes bytes) {
  PublicKey key{type, std::move(bytes)};
  CHECK(check_public_key(key));
  return key;
}

/// A coordinate has one spelling only: 32 bytes in strict base64url.
Result<Bytes> coordinate(const JsonObject& object, std::string_view member) {
  TRY(const std::string text, json_string(object, member));
  TRY(Bytes bytes, from_base64url(text));
  if (bytes.size() != kCoordinateBytes) {
    return fail(Errc::bad_key, "a coordinate of the JWK has a wrong length");
  }
  return bytes;
}

}  // namespace

Result<void> check_public_key(const PublicKey& key) {
  switch (key.type) {
    case KeyType::ed25519:
      return ed25519_check_public(key.bytes);
    case KeyType::x25519:
      return x25519_check_public(key.bytes);
    case KeyType::secp256k1: {
      TRY(const Bytes compressed, secp256k1_compress(key.bytes));
      if (compressed != key.bytes) return fail(Errc::bad_key, "the point is not compressed");
      return {};
    }
  }
  return fail(Errc::bad_key, "unknown type of key");
}

std::string multikey(const PublicKey& key) {
  Bytes bytes = to_bytes(form_of(key.type).multicodec);
  append(bytes, key.bytes);
  return multibase(bytes);
}

Result<PublicKey> from_multikey(std::string_view text) {
  if (!text.starts_with('z')) return fail(Errc::malformed, "a Multikey starts with z");
  TRY(const Bytes bytes, from_multibase(text));
  const ByteView view(bytes);
  for (const KeyForm& form : kForms) {
    if (view.size() >= 2 && equal(view.first(2), form.multicodec)) {
      return checked(form.type, to_bytes(view.subspan(2)));
    }
  }
  return fail(Errc::unsupported, "this type of Multikey is not known here");
}

JsonObject jwk(const PublicKey& key) {
  const KeyForm& form = form_of(key.type);
  JsonObject object;
  object["kty"] = form.kty;
  object["crv"] = form.crv;
  if (key.type != KeyType::secp256k1) {
    object["x"] = base64url(key.bytes);
    return object;
  }
  const auto point = secp256k1_uncompress(key.bytes);
  ASSERT(point.has_value());
  const ByteView xy = ByteView(*point).subspan(1);
  object["x"] = base64url(xy.first(kCoordinateBytes));
  object["y"] = base64url(xy.subspan(kCoordinateBytes));
  return object;
}

Result<PublicKey> from_jwk(const JsonObject& object) {
  if (object.contains("d")) return fail(Errc::bad_key, "the JWK holds a private key");
  TRY(const std::string kty, json_string(object, "kty"));
  TRY(const std::string crv, json_string(object, "crv"));
  for (const KeyForm& form : kForms) {
    if (kty != form.kty || crv != form.crv) continue;
    TRY(Bytes x, coordinate(object, "x"));
    if (form.type != KeyType::secp256k1) return checked(form.type, std::move(x));
    TRY(const Bytes y, coordinate(object, "y"));
    Bytes point{0x04};
    append(point, x);
    append(point, y);
    TRY(Bytes compressed, secp256k1_compress(point));
    return PublicKey{form.type, std::move(compressed)};
  }
  return fail(Errc::unsupported, "this type of JWK is not known here");
}

Result<void> verify(const PublicKey& key, ByteView message, ByteView signature, SValue s_value) {
  switch (key.type) {
    case KeyType::ed25519:
      return ed25519_verify(key.bytes, message, signature);
    case KeyType::secp256k1:
      return secp256k1_verify(key.bytes, message, signature, s_value);
    case KeyType::x25519:
      break;
  }
  return fail(Errc::bad_signature, "this type of key does not sign");
}

}  // namespace kith::crypto
