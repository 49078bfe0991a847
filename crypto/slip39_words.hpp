#pragma once

/// The 1024 words of SLIP-0039 ("Wordlist"): ten bits each, of four to eight letters.
///
/// Which word stands for which bits is secret, so both ways look at the whole table. Any thread.

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>

#include "crypto/secret_bytes.hpp"

namespace kith::crypto {

inline constexpr std::size_t kSlip39WordCount = 1024;
inline constexpr std::size_t kSlip39LettersMax = 8;

/// The table itself, in its order; index < kSlip39WordCount.
[[nodiscard]] std::string_view slip39_word(std::size_t index);

/// Writes the word into `text` at `end`, which is moved behind it; the room must be there.
void append_slip39_word(std::uint16_t index, SecretBytes& text, std::size_t& end);

/// Capitals count as small letters; empty: not in the table.
[[nodiscard]] std::optional<std::uint16_t> slip39_index(std::string_view word);

}  // namespace kith::crypto
