#pragma once

/// Base58 with a bound of the caller's own, for documents inside DIDs (did:peer:4). Everything else
/// takes from_base58 (bytes.hpp) with its narrow one.

#include <string_view>

#include "crypto/bytes.hpp"
#include "crypto/result.hpp"

namespace kith::crypto {

/// Takes time that grows with the square of the length: 4096 characters cost a few milliseconds.
/// Errors: limit_exceeded, malformed.
[[nodiscard]] Result<Bytes> from_base58_up_to(std::string_view text, std::size_t chars_max);

}  // namespace kith::crypto
