#pragma once

/// Bytes and their text forms. All decoders are strict: one text for one value (no padding, no
/// white space, canonical trailing bits), so that a value cannot come back in two spellings.
/// None of these is constant time: never pass secrets (secret_bytes.hpp has its own).

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "crypto/result.hpp"

namespace kith::crypto {

using Bytes = std::vector<std::uint8_t>;
using ByteView = std::span<const std::uint8_t>;

[[nodiscard]] ByteView as_bytes(std::string_view text);
[[nodiscard]] std::string_view as_text(ByteView bytes);
[[nodiscard]] Bytes to_bytes(ByteView view);
[[nodiscard]] Bytes to_bytes(std::string_view text);
void append(Bytes& to, ByteView more);
[[nodiscard]] bool equal(ByteView a, ByteView b);  ///< Not constant time: public values only.

/// Big-endian integers, as all formats of ours use them.
void append_u32_be(Bytes& to, std::uint32_t value);
void append_u64_be(Bytes& to, std::uint64_t value);
/// `part` after its size in four bytes: what is put together so can be taken apart in one way only.
/// Up to 4 GiB (asserted).
void append_sized(Bytes& to, ByteView part);

[[nodiscard]] std::string hex(ByteView bytes);                ///< Lower case.
[[nodiscard]] Result<Bytes> from_hex(std::string_view text);  ///< Lower case only.
[[nodiscard]] std::string base64url(ByteView bytes);          ///< RFC 4648 section 5, no padding.
void append_base64url(std::string& to, ByteView bytes);       ///< The same at the end of a text.
[[nodiscard]] constexpr std::size_t base64url_size(std::size_t bytes) {
  return (bytes * 4 + 2) / 3;
}
[[nodiscard]] Result<Bytes> from_base64url(std::string_view text);  ///< Strict; `malformed`.
[[nodiscard]] std::string base58(ByteView bytes);                   ///< Bitcoin alphabet.
/// Quadratic, so bounded: `limit_exceeded` above limits::kBase58CharsMax.
[[nodiscard]] Result<Bytes> from_base58(std::string_view text);
/// Multibase: writes 'z' (base58btc); reads 'z' and 'u' (base64url).
[[nodiscard]] std::string multibase(ByteView bytes);
[[nodiscard]] Result<Bytes> from_multibase(std::string_view text);

}  // namespace kith::crypto

namespace kith {
using crypto::Bytes;
using crypto::ByteView;
}  // namespace kith
