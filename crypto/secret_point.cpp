#include "crypto/secret_point.hpp"

#include "crypto/assert.hpp"

namespace kith::crypto {

Result<SecretPoint> SecretPoint::parse(ByteView bytes) {
  TRY(const Point point, Point::parse(bytes));
  return SecretPoint(point);
}

Point SecretPoint::expose_point() const {
  auto point = Point::parse(bytes_.expose());
  ASSERT(point.has_value());  // fails only for one that was moved from
  return *point;
}

bool SecretPoint::equals(const Point& other) const {
  return equal_constant_time(bytes_.expose(), other.bytes());
}

}  // namespace kith::crypto
