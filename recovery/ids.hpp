#pragma once

/// Names and small types that every part of recovery shares. All values are public data unless
/// said otherwise.

#include <array>
#include <cstdint>
#include <string_view>
#include <vector>

#include "crypto/bytes.hpp"
#include "crypto/random.hpp"
#include "crypto/result.hpp"
#include "crypto/ristretto.hpp"

namespace kith::recovery {

using RecordId = std::array<std::uint8_t, 16>;   ///< Random; stays over all versions of a record.
using SetId = std::array<std::uint8_t, 16>;      ///< Random; one for each dealing of s.
using SessionId = std::array<std::uint8_t, 16>;  ///< Random; one for each device and trustee.
using Token = std::array<std::uint8_t, 32>;      ///< Reads blobs at one backup location.
using Salt = std::array<std::uint8_t, 32>;
using Digest = std::array<std::uint8_t, 32>;

/// Fills any of the arrays above from `random`.
template <class A>
[[nodiscard]] A random_id(Random& random) {
  A id{};
  random.fill(id);
  return id;
}

/// x values from the root down: one to limits::kPlanDepthMax for a leaf or inner node, none for the
/// root. In every format it takes kXPathBytes: 32 bytes a level, zeros for levels that are not
/// there (zero is no valid x).
using XPath = std::vector<Scalar>;
inline constexpr std::size_t kXPathBytes = 96;

/// Asserts the depth.
[[nodiscard]] Bytes encode_x_path(const XPath& path);
/// Errors: malformed (size, a scalar not below L, a level after an absent one).
[[nodiscard]] Result<XPath> parse_x_path(ByteView bytes);
/// Depth 1 to 3 and no zero x: what a leaf must have. Errors: malformed.
[[nodiscard]] Result<void> check_leaf_path(const XPath& path);
[[nodiscard]] bool same_path(const XPath& a, const XPath& b);

/// Versions start below this and count up by one, so that they fit JSON's integers for ever.
inline constexpr std::uint64_t kVersionStartMax = std::uint64_t{1} << 48;
inline constexpr std::uint64_t kVersionMax = (std::uint64_t{1} << 53) - 1;

/// "kith/recovery/v1/" + name, for hashes, keys and signatures of this folder.
[[nodiscard]] std::string label(std::string_view name);
/// Length-prefixed parts behind a length-prefixed label: what is signed or proved.
[[nodiscard]] Bytes labelled(std::string_view name, std::initializer_list<ByteView> parts);
/// u64 big-endian, as a part of hashes and statements.
[[nodiscard]] Bytes u64_bytes(std::uint64_t value);

}  // namespace kith::recovery
