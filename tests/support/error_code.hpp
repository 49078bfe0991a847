#pragma once

#include <optional>

#include "crypto/result.hpp"

namespace kith::test {

/// Why it failed; nothing if it did not. A test compares it without knowing which.
template <class T>
[[nodiscard]] std::optional<crypto::Errc> code_of(const crypto::Result<T>& result) {
  if (result.has_value()) return std::nullopt;
  return result.error().code;
}

}  // namespace kith::test
