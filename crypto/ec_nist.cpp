#include "crypto/ec_nist.hpp"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/obj_mac.h>
#include <openssl/param_build.h>

#include <memory>

#include "crypto/assert.hpp"

namespace kith::crypto {
namespace {

template <auto Free>
struct Freer {
  template <class T>
  void operator()(T* object) const {
    Free(object);
  }
};
template <class T, auto Free>
using Owned = std::unique_ptr<T, Freer<Free>>;

using Number = Owned<BIGNUM, BN_clear_free>;
using EcPoint = Owned<EC_POINT, EC_POINT_clear_free>;
using NumberContext = Owned<BN_CTX, BN_CTX_free>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;
using KeyContext = Owned<EVP_PKEY_CTX, EVP_PKEY_CTX_free>;
using DigestContext = Owned<EVP_MD_CTX, EVP_MD_CTX_free>;
using Params = Owned<OSSL_PARAM, OSSL_PARAM_free>;
using ParamsBuilder = Owned<OSSL_PARAM_BLD, OSSL_PARAM_BLD_free>;
using Signature = Owned<ECDSA_SIG, ECDSA_SIG_free>;

constexpr std::uint8_t kEvenY = 0x02;
constexpr std::uint8_t kOddY = 0x03;
constexpr std::uint8_t kUncompressed = 0x04;

struct Curve {
  const EC_GROUP* group;
  std::size_t field_bytes;
  std::uint8_t top_mask;  ///< Bits of a number's first byte that the order has.
};

/// Groups are made once and only read afterwards, so that all threads may use them; never freed.
const Curve& curve_of(KeyType type) {
  static const Curve p256{EC_GROUP_new_by_curve_name(NID_X9_62_prime256v1), 32, 0xff};
  static const Curve p384{EC_GROUP_new_by_curve_name(NID_secp384r1), 48, 0xff};
  static const Curve p521{EC_GROUP_new_by_curve_name(NID_secp521r1), 66, 0x01};
  ASSERT(is_nist(type));
  const Curve& curve = type == KeyType::p256 ? p256 : type == KeyType::p384 ? p384 : p521;
  ASSERT(curve.group != nullptr);
  return curve;
}

template <class T>
T made(T object) {
  ASSERT(object != nullptr);  // OpenSSL gives null here only when memory is out.
  return object;
}

NumberContext number_context() {
  return made(NumberContext(BN_CTX_secure_new()));
}

Number public_number(ByteView bytes) {
  return made(Number(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), nullptr)));
}

/// Errors: bad_key outside [1, n).
Result<Number> private_number(const Curve& curve, ByteView bytes) {
  if (bytes.size() != curve.field_bytes) {
    return fail(Errc::bad_key, "a private key of another length than its curve has");
  }
  Number number = made(Number(BN_secure_new()));
  made(BN_bin2bn(bytes.data(), static_cast<int>(bytes.size()), number.get()));
  BN_set_flags(number.get(), BN_FLG_CONSTTIME);
  if (BN_is_zero(number.get()) == 1 ||
      BN_ucmp(number.get(), EC_GROUP_get0_order(curve.group)) >= 0) {
    return fail(Errc::bad_key, "not a private key of this curve");
  }
  return number;
}

/// Checks form, range of the coordinates, and that the point is on the curve. Errors: bad_key.
Result<EcPoint> parse_point(const Curve& curve, ByteView bytes) {
  const bool compressed =
      bytes.size() == 1 + curve.field_bytes && (bytes[0] == kEvenY || bytes[0] == kOddY);
  const bool uncompressed = bytes.size() == 1 + 2 * curve.field_bytes && bytes[0] == kUncompressed;
  EcPoint point = made(EcPoint(EC_POINT_new(curve.group)));
  const NumberContext numbers = number_context();
  if (!(compressed || uncompressed) ||
      EC_POINT_oct2point(curve.group, point.get(), bytes.data(), bytes.size(), numbers.get()) !=
          1 ||
      EC_POINT_is_at_infinity(curve.group, point.get()) == 1 ||
      EC_POINT_is_on_curve(curve.group, point.get(), numbers.get()) != 1) {
    return fail(Errc::bad_key, "not a point of the curve");
  }
  return point;
}

Bytes serialize(const Curve& curve, const EcPoint& point, point_conversion_form_t form) {
  const std::size_t coordinates = form == POINT_CONVERSION_COMPRESSED ? 1 : 2;
  Bytes out(1 + coordinates * curve.field_bytes);
  const NumberContext numbers = number_context();
  ASSERT(EC_POINT_point2oct(curve.group, point.get(), form, out.data(), out.size(),
                            numbers.get()) == out.size());
  return out;
}

/// A key as EVP wants it. `private_number` may be null.
Key evp_key(const Bytes& public_point, const BIGNUM* private_number) {
  const ParamsBuilder builder = made(ParamsBuilder(OSSL_PARAM_BLD_new()));
  ASSERT(OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME,
                                         SN_X9_62_prime256v1, 0) == 1);
  ASSERT(OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY,
                                          public_point.data(), public_point.size()) == 1);
  if (private_number != nullptr) {
    ASSERT(OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, private_number) == 1);
  }
  const Params params = made(Params(OSSL_PARAM_BLD_to_param(builder.get())));
  const KeyContext context = made(KeyContext(EVP_PKEY_CTX_new_from_name(nullptr, "EC", nullptr)));
  EVP_PKEY* key = nullptr;
  ASSERT(EVP_PKEY_fromdata_init(context.get()) == 1);
  ASSERT(EVP_PKEY_fromdata(context.get(), &key,
                           private_number == nullptr ? EVP_PKEY_PUBLIC_KEY : EVP_PKEY_KEYPAIR,
                           params.get()) == 1);
  return Key(key);
}

/// Whether s is above n/2.
bool is_high(const Curve& curve, const BIGNUM* s) {
  const Number half = made(Number(BN_new()));
  ASSERT(BN_rshift1(half.get(), EC_GROUP_get0_order(curve.group)) == 1);
  return BN_ucmp(s, half.get()) > 0;
}

Bytes der_of(const Signature& signature) {
  std::uint8_t* der = nullptr;
  const int length = i2d_ECDSA_SIG(signature.get(), &der);
  ASSERT(length > 0);
  Bytes out(der, der + length);
  OPENSSL_free(der);
  return out;
}

}  // namespace

std::size_t nist_field_bytes(KeyType curve) {
  return curve_of(curve).field_bytes;
}

RawKeyPair nist_generate(KeyType curve, Random& random) {
  const Curve& form = curve_of(curve);
  // The worst order (P-256's) lets one value in 2^32 fail; the bound is for a stuck source.
  for (int round = 0; round < 8; ++round) {
    SecretBytes candidate = random.secret(form.field_bytes);
    candidate.expose_mutable()[0] &= form.top_mask;
    auto pair = nist_from_private(curve, std::move(candidate));
    if (pair.has_value()) return std::move(*pair);
  }
  UNREACHABLE();
}

Result<RawKeyPair> nist_from_private(KeyType curve, SecretBytes private_key) {
  const Curve& form = curve_of(curve);
  TRY(const Number number, private_number(form, private_key.expose()));
  const EcPoint point = made(EcPoint(EC_POINT_new(form.group)));
  const NumberContext numbers = number_context();
  ASSERT(EC_POINT_mul(form.group, point.get(), number.get(), nullptr, nullptr, numbers.get()) == 1);
  RawKeyPair pair;
  pair.public_key = {curve, serialize(form, point, POINT_CONVERSION_COMPRESSED)};
  pair.private_key = std::move(private_key);
  return pair;
}

Result<SecretBytes> nist_shared(KeyType curve, ByteView private_key, ByteView public_key) {
  const Curve& form = curve_of(curve);
  TRY(const EcPoint theirs, parse_point(form, public_key));
  TRY(const Number number, private_number(form, private_key));
  const EcPoint product = made(EcPoint(EC_POINT_new(form.group)));
  const Number x = made(Number(BN_secure_new()));
  const NumberContext numbers = number_context();
  // With one point and no generator OpenSSL takes its constant-time ladder.
  ASSERT(EC_POINT_mul(form.group, product.get(), nullptr, theirs.get(), number.get(),
                      numbers.get()) == 1);
  if (EC_POINT_is_at_infinity(form.group, product.get()) == 1) {
    return fail(Errc::bad_key, "the key agreement gives no secret");
  }
  ASSERT(EC_POINT_get_affine_coordinates(form.group, product.get(), x.get(), nullptr,
                                         numbers.get()) == 1);
  SecretBytes z(form.field_bytes);
  ASSERT(BN_bn2binpad(x.get(), z.expose_mutable().data(), static_cast<int>(z.size())) ==
         static_cast<int>(z.size()));
  return z;
}

Result<void> nist_check_public(KeyType curve, ByteView public_key) {
  TRY(const Bytes compressed, nist_compress(curve, public_key));
  if (!equal(compressed, public_key)) return fail(Errc::bad_key, "the point is not compressed");
  return {};
}

Result<Bytes> nist_compress(KeyType curve, ByteView point) {
  const Curve& form = curve_of(curve);
  TRY(const EcPoint parsed, parse_point(form, point));
  return serialize(form, parsed, POINT_CONVERSION_COMPRESSED);
}

Result<Bytes> nist_uncompress(KeyType curve, ByteView public_key) {
  const Curve& form = curve_of(curve);
  TRY(const EcPoint parsed, parse_point(form, public_key));
  return serialize(form, parsed, POINT_CONVERSION_UNCOMPRESSED);
}

Result<Bytes> p256_sign(ByteView private_key, ByteView public_key, ByteView message) {
  const Curve& curve = curve_of(KeyType::p256);
  TRY(const Bytes point, nist_compress(KeyType::p256, public_key));
  TRY(const Number number, private_number(curve, private_key));
  const Key key = evp_key(point, number.get());
  const DigestContext context = made(DigestContext(EVP_MD_CTX_new()));
  ASSERT(EVP_DigestSignInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(),
                               nullptr) == 1);
  Bytes der(2 * kP256SignatureBytes);
  std::size_t length = der.size();
  ASSERT(EVP_DigestSign(context.get(), der.data(), &length, message.data(), message.size()) == 1);
  const std::uint8_t* at = der.data();
  const Signature signature =
      made(Signature(d2i_ECDSA_SIG(nullptr, &at, static_cast<long>(length))));
  const Number s = made(Number(BN_dup(ECDSA_SIG_get0_s(signature.get()))));
  if (is_high(curve, s.get())) {
    ASSERT(BN_sub(s.get(), EC_GROUP_get0_order(curve.group), s.get()) == 1);
  }
  Bytes out(kP256SignatureBytes);
  const int half = static_cast<int>(curve.field_bytes);
  ASSERT(BN_bn2binpad(ECDSA_SIG_get0_r(signature.get()), out.data(), half) == half);
  ASSERT(BN_bn2binpad(s.get(), out.data() + half, half) == half);
  return out;
}

Result<void> p256_verify(ByteView public_key, ByteView message, ByteView signature,
                         SValue s_value) {
  const Curve& curve = curve_of(KeyType::p256);
  TRY(const Bytes point, nist_compress(KeyType::p256, public_key));
  if (signature.size() != kP256SignatureBytes) {
    return fail(Errc::bad_signature, "not an ECDSA signature of 64 bytes");
  }
  Number r = public_number(signature.first(curve.field_bytes));
  Number s = public_number(signature.subspan(curve.field_bytes));
  if (s_value == SValue::low_only && is_high(curve, s.get())) {
    return fail(Errc::bad_signature, "the signature's S is not the low one");
  }
  const Signature parsed = made(Signature(ECDSA_SIG_new()));
  ASSERT(ECDSA_SIG_set0(parsed.get(), r.release(), s.release()) == 1);
  const Bytes der = der_of(parsed);
  const Key key = evp_key(point, nullptr);
  const DigestContext context = made(DigestContext(EVP_MD_CTX_new()));
  ASSERT(EVP_DigestVerifyInit_ex(context.get(), nullptr, "SHA256", nullptr, nullptr, key.get(),
                                 nullptr) == 1);
  // OpenSSL refuses r and s outside [1, n).
  if (EVP_DigestVerify(context.get(), der.data(), der.size(), message.data(), message.size()) !=
      1) {
    return fail(Errc::bad_signature, "the ECDSA signature does not verify");
  }
  return {};
}

}  // namespace kith::crypto
