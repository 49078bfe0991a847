#pragma once

/// Reading the texts of C2SP: lines that end in a newline, numbers in one spelling. Pure.

#include <cstdint>
#include <optional>
#include <string_view>

namespace kith::ledger {

/// Cuts the next line off `text`; given without its newline. nullopt: there is no newline.
[[nodiscard]] std::optional<std::string_view> take_line(std::string_view& text);

/// A decimal number without sign or leading zeros; nullopt: anything else, or beyond 64 bits.
[[nodiscard]] std::optional<std::uint64_t> plain_decimal(std::string_view text);

}  // namespace kith::ledger
