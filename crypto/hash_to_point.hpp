#pragma once

/// Group elements of which nobody knows a relation to others.

#include <initializer_list>
#include <string_view>

#include "crypto/bytes.hpp"
#include "crypto/ristretto.hpp"

namespace kith::crypto {

/// SHA-512 over length-prefixed label and parts, as Scalar::hash, then the group's own map from 64
/// bytes (RFC 9496 section 4.3.4). Asserts that it is not the identity: one in 2^252.
[[nodiscard]] Point hash_to_point(std::string_view label, std::initializer_list<ByteView> parts);

}  // namespace kith::crypto
