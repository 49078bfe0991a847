#include "crypto/portable_key.hpp"

#include "crypto/assert.hpp"

namespace kith::crypto {
namespace {

constexpr std::string_view kPortableKeyLabel = "kith/portable/v1/key";

/// Of a hash that nobody can choose: it is zero once in 2^252.
SecretPoint product(const Result<Point>& result) {
  ASSERT(result.has_value());
  return SecretPoint(*result);
}

}  // namespace

PortableKey PortableKey::derive(ByteView header, const SecretBytes& stretched) {
  ASSERT(stretched.size() == kStretchedBytes);
  return PortableKey(Scalar::hash(kPortableKeyLabel, {header, stretched.expose()}));
}

SecretPoint PortableKey::point() const {
  return product(Point::base_times(secret_));
}

SecretPoint PortableKey::opening(const Point& ephemeral) const {
  return product(ephemeral.times(secret_));
}

}  // namespace kith::crypto
