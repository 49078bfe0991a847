#pragma once

/// Four common English words by which people recognise an identity: shown and printed at setup, and
/// shown again before a recovery finishes.

#include <array>
#include <string>
#include <string_view>

namespace kith::recovery {

/// One word a byte; all different, three to seven letters a to z. Order is part of the format.
[[nodiscard]] const std::array<std::string_view, 256>& word_list();

/// The words of the first four bytes of H("words", policy address).
[[nodiscard]] std::array<std::string, 4> recognition_words(std::string_view policy_address);

}  // namespace kith::recovery
