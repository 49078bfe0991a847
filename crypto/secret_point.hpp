#pragma once

/// A group element that is a secret: the recovery key Y and the opening point e*Y
/// (recovery-protocol sections 2 and 3). Wiped when destroyed; move-only; cannot be printed or
/// compared with ==.

#include <utility>

#include "crypto/ristretto.hpp"
#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

class SecretPoint {
 public:
  explicit SecretPoint(const Point& point) : bytes_(SecretBytes::copy_of(point.bytes())) {}
  /// Refuses non-canonical encodings and the identity. Errors: malformed.
  [[nodiscard]] static Result<SecretPoint> parse(ByteView bytes);

  [[nodiscard]] SecretPoint clone() const { return SecretPoint(bytes_.clone()); }
  [[nodiscard]] ByteView expose() const { return bytes_.expose(); }
  /// A plain copy for the group operations; let it live no longer than they need.
  [[nodiscard]] Point expose_point() const;
  [[nodiscard]] bool equals(const Point& other) const;  ///< Constant time.

 private:
  explicit SecretPoint(SecretBytes bytes) : bytes_(std::move(bytes)) {}

  SecretBytes bytes_;
};

}  // namespace kith::crypto

namespace kith {
using crypto::SecretPoint;
}
