#pragma once

/// Sums of multiples of the same points, for proofs over hundreds of them: libsodium multiplies one
/// point at a time, and adds by decoding both and encoding the sum, which costs more than half of
/// the proof (docs/agent-proof.md has the measurement).
///
/// Straus' method with windows of four bits, the same steps whatever the factors are: constant time
/// in factors. Points are public. Results are checked by libsodium before they are a `Point`.

#include <array>
#include <cstdint>
#include <memory>
#include <span>

#include "crypto/result.hpp"
#include "crypto/ristretto.hpp"

namespace kith::crypto {

class GroupSums {
 public:
  /// Takes 1.3 KiB a point. Asserts that none is the default one.
  explicit GroupSums(std::span<const Point> points);
  ~GroupSums();
  GroupSums(GroupSums&&) noexcept;
  GroupSums& operator=(GroupSums&&) noexcept;

  [[nodiscard]] std::size_t size() const;
  /// The sum of factors[i] * points[i]. Asserts as many factors as points. Errors: bad_key when it
  /// is the identity.
  [[nodiscard]] Result<Point> sum(std::span<const Scalar> factors) const;
  /// Whether that sum is the identity; the answer is no secret.
  [[nodiscard]] bool vanishes(std::span<const Scalar> factors) const;

 private:
  struct Tables;
  std::unique_ptr<Tables> tables_;
};

}  // namespace kith::crypto
