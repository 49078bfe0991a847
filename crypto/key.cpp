#include "crypto/key.hpp"

#include <algorithm>
#include <array>

#include "crypto/assert.hpp"
#include "crypto/ec_ed25519.hpp"
#include "crypto/ec_nist.hpp"
#include "crypto/ec_secp256k1.hpp"
#include "crypto/ec_x25519.hpp"

namespace kith::crypto {
namespace {

struct KeyForm {
  KeyType type;
  std::array<std::uint8_t, 2> multicodec;  ///< As unsigned varint.
  std::string_view kty;
  std::string_view crv;
  std::size_t coordinate_bytes;
};

constexpr std::array<KeyForm, 6> kForms = {{
    {KeyType::ed25519, {0xed, 0x01}, "OKP", "Ed25519", 32},
    {KeyType::x25519, {0xec, 0x01}, "OKP", "X25519", 32},
    {KeyType::secp256k1, {0xe7, 0x01}, "EC", "secp256k1", 32},
    {KeyType::p256, {0x80, 0x24}, "EC", "P-256", 32},
    {KeyType::p384, {0x81, 0x24}, "EC", "P-384", 48},
    {KeyType::p521, {0x82, 0x24}, "EC", "P-521", 66},
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

bool has_two_coordinates(const KeyForm& form) {
  return form.kty == "EC";
}

/// `point` compressed or 04 || x || y. Errors: bad_key.
Result<Bytes> compress(KeyType type, ByteView point) {
  if (type == KeyType::secp256k1) return secp256k1_compress(point);
  return nist_compress(type, point);
}

/// A coordinate has one spelling only: as long as the field, in strict base64url.
template <class Object>
Result<Bytes> coordinate(const Object& object, std::string_view member, const KeyForm& form) {
  TRY(const auto text, json_string(object, member));
  TRY(Bytes bytes, from_base64url(text));
  if (bytes.size() != form.coordinate_bytes) {
    return fail(Errc::bad_key, "a coordinate of the JWK has a wrong length");
  }
  return bytes;
}

/// `object` is a tree or a view.
template <class Object>
Result<PublicKey> read_jwk(const Object& object) {
  if (object.contains("d")) return fail(Errc::bad_key, "the JWK holds a private key");
  TRY(const auto kty, json_string(object, "kty"));
  TRY(const auto crv, json_string(object, "crv"));
  for (const KeyForm& form : kForms) {
    if (kty != form.kty || crv != form.crv) continue;
    TRY(Bytes x, coordinate(object, "x", form));
    if (!has_two_coordinates(form)) return checked(form.type, std::move(x));
    TRY(const Bytes y, coordinate(object, "y", form));
    Bytes point{0x04};
    append(point, x);
    append(point, y);
    TRY(Bytes compressed, compress(form.type, point));
    return PublicKey{form.type, std::move(compressed)};
  }
  return fail(Errc::unsupported, "this type of JWK is not known here");
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
    case KeyType::p256:
    case KeyType::p384:
    case KeyType::p521:
      return nist_check_public(key.type, key.bytes);
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
  if (!has_two_coordinates(form)) {
    object["x"] = base64url(key.bytes);
    return object;
  }
  const auto point = key.type == KeyType::secp256k1 ? secp256k1_uncompress(key.bytes)
                                                    : nist_uncompress(key.type, key.bytes);
  ASSERT(point.has_value());
  const ByteView xy = ByteView(*point).subspan(1);
  object["x"] = base64url(xy.first(form.coordinate_bytes));
  object["y"] = base64url(xy.subspan(form.coordinate_bytes));
  return object;
}

Result<PublicKey> from_jwk(const JsonObject& object) {
  return read_jwk(object);
}
Result<PublicKey> from_jwk(ValueView object) {
  return read_jwk(object);
}

Result<void> verify(const PublicKey& key, ByteView message, ByteView signature, SValue s_value) {
  switch (key.type) {
    case KeyType::ed25519:
      return ed25519_verify(key.bytes, message, signature);
    case KeyType::secp256k1:
      return secp256k1_verify(key.bytes, message, signature, s_value);
    case KeyType::p256:
      return p256_verify(key.bytes, message, signature, s_value);
    case KeyType::x25519:
    case KeyType::p384:
    case KeyType::p521:
      break;
  }
  return fail(Errc::bad_signature, "this type of key does not sign");
}

}  // namespace kith::crypto
