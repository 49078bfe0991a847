#include "crypto/ec_secp256k1.hpp"

#include <secp256k1.h>
#include <secp256k1_recovery.h>

#include "crypto/assert.hpp"
#include "crypto/declassify.hpp"
#include "crypto/hash.hpp"

namespace kith::crypto {
namespace {

constexpr std::size_t kPrivateBytes = 32;
constexpr std::size_t kCompressedBytes = 33;
constexpr std::size_t kUncompressedBytes = 65;
constexpr std::size_t kHashBytes = 32;

/// Made once and never written to again, so that all threads may use it; never freed.
const secp256k1_context* context() {
  static const secp256k1_context* const made =
      secp256k1_context_create(SECP256K1_CONTEXT_SIGN | SECP256K1_CONTEXT_VERIFY);
  ASSERT(made != nullptr);
  return made;
}

Bytes serialize(const secp256k1_pubkey& point, bool compressed) {
  Bytes out(compressed ? kCompressedBytes : kUncompressedBytes);
  std::size_t length = out.size();
  ASSERT(secp256k1_ec_pubkey_serialize(
             context(), out.data(), &length, &point,
             compressed ? SECP256K1_EC_COMPRESSED : SECP256K1_EC_UNCOMPRESSED) == 1);
  ASSERT(length == out.size());
  return out;
}

/// Refuses the hybrid form (06, 07), which the library would take.
Result<secp256k1_pubkey> parse_point(ByteView point) {
  const bool compressed =
      point.size() == kCompressedBytes && (point[0] == 0x02 || point[0] == 0x03);
  const bool uncompressed = point.size() == kUncompressedBytes && point[0] == 0x04;
  secp256k1_pubkey parsed{};
  if (!(compressed || uncompressed) ||
      secp256k1_ec_pubkey_parse(context(), &parsed, point.data(), point.size()) != 1) {
    return fail(Errc::bad_key, "not a secp256k1 point");
  }
  return parsed;
}

}  // namespace

RawKeyPair secp256k1_generate(Random& random) {
  // A value outside [1, n) has odds of 2^-128; a few rounds bound the loop against a stuck source.
  for (int round = 0; round < 8; ++round) {
    auto pair = secp256k1_from_private(random.secret(kPrivateBytes));
    if (pair.has_value()) return std::move(*pair);
  }
  UNREACHABLE();
}

Result<RawKeyPair> secp256k1_from_private(SecretBytes private_key) {
  if (private_key.size() != kPrivateBytes ||
      declassified(secp256k1_ec_seckey_verify(context(), private_key.expose().data())) != 1) {
    return fail(Errc::bad_key, "not a secp256k1 private key");
  }
  secp256k1_pubkey point{};
  ASSERT(declassified(secp256k1_ec_pubkey_create(context(), &point, private_key.expose().data())) ==
         1);
  declassify({point.data, sizeof(point.data)});
  RawKeyPair pair;
  pair.public_key = {KeyType::secp256k1, serialize(point, true)};
  pair.private_key = std::move(private_key);
  return pair;
}

Bytes secp256k1_sign(ByteView private_key, ByteView message) {
  ASSERT(private_key.size() == kPrivateBytes);
  const Digest256 hash = sha256(message);
  secp256k1_ecdsa_signature signature{};
  // The library makes S low by itself.
  ASSERT(declassified(secp256k1_ecdsa_sign(context(), &signature, hash.data(), private_key.data(),
                                           nullptr, nullptr)) == 1);
  Bytes out(kSecp256k1SignatureBytes);
  ASSERT(secp256k1_ecdsa_signature_serialize_compact(context(), out.data(), &signature) == 1);
  return out;
}

Result<void> secp256k1_verify(ByteView public_key, ByteView message, ByteView signature,
                              SValue s_value) {
  TRY(const secp256k1_pubkey point, parse_point(public_key));
  secp256k1_ecdsa_signature parsed{};
  if (signature.size() != kSecp256k1SignatureBytes ||
      secp256k1_ecdsa_signature_parse_compact(context(), &parsed, signature.data()) != 1) {
    return fail(Errc::bad_signature, "not an ECDSA signature of 64 bytes");
  }
  secp256k1_ecdsa_signature low{};
  const bool was_high = secp256k1_ecdsa_signature_normalize(context(), &low, &parsed) == 1;
  if (was_high && s_value == SValue::low_only) {
    return fail(Errc::bad_signature, "the signature's S is not the low one");
  }
  const Digest256 hash = sha256(message);
  if (secp256k1_ecdsa_verify(context(), &low, hash.data(), &point) != 1) {
    return fail(Errc::bad_signature, "the ECDSA signature does not verify");
  }
  return {};
}

Bytes secp256k1_sign_recoverable(ByteView private_key, ByteView hash) {
  ASSERT(private_key.size() == kPrivateBytes && hash.size() == kHashBytes);
  secp256k1_ecdsa_recoverable_signature signature{};
  ASSERT(declassified(secp256k1_ecdsa_sign_recoverable(context(), &signature, hash.data(),
                                                       private_key.data(), nullptr, nullptr)) == 1);
  declassify({signature.data, sizeof(signature.data)});
  Bytes out(kSecp256k1RecoverableBytes);
  int recovery = 0;
  ASSERT(secp256k1_ecdsa_recoverable_signature_serialize_compact(context(), out.data(), &recovery,
                                                                 &signature) == 1);
  // 2 and 3 say that R's x is not below the order: one in 2^127, and nobody has found one.
  ASSERT(recovery == 0 || recovery == 1);
  out.back() = static_cast<std::uint8_t>(recovery);
  return out;
}

Result<Bytes> secp256k1_recover(ByteView hash, ByteView signature) {
  ASSERT(hash.size() == kHashBytes);
  secp256k1_ecdsa_recoverable_signature parsed{};
  secp256k1_pubkey point{};
  if (signature.size() != kSecp256k1RecoverableBytes || signature.back() > 1 ||
      secp256k1_ecdsa_recoverable_signature_parse_compact(context(), &parsed, signature.data(),
                                                          signature.back()) != 1 ||
      secp256k1_ecdsa_recover(context(), &point, &parsed, hash.data()) != 1) {
    return fail(Errc::bad_signature, "not a recoverable ECDSA signature of 65 bytes");
  }
  return serialize(point, true);
}

Result<Bytes> secp256k1_compress(ByteView point) {
  TRY(const secp256k1_pubkey parsed, parse_point(point));
  return serialize(parsed, true);
}

Result<Bytes> secp256k1_uncompress(ByteView public_key) {
  TRY(const secp256k1_pubkey parsed, parse_point(public_key));
  return serialize(parsed, false);
}

}  // namespace kith::crypto
