#pragma once

/// Padding: plaintexts are filled to a few bucket sizes with the header `kith_pad` (dots), so that
/// the size of an envelope tells little. Receivers that do not know the header ignore it.

#include <cstddef>
#include <string>
#include <string_view>

namespace kith::protocol {

inline constexpr std::string_view kPaddingHeader = "kith_pad";

/// The smallest bucket (256 B, 1, 4, 16, 64, 256 KiB, 1 MiB) that holds a plaintext of `bytes`
/// bytes, or `bytes` itself above the largest.
[[nodiscard]] std::size_t bucket_size(std::size_t bytes);

/// `object`, the text of a JSON object without that header, with one that makes its size a bucket
/// size (unless it is above the largest).
[[nodiscard]] std::string padded(std::string object);

}  // namespace kith::protocol
