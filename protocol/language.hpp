#pragma once

/// Language tags (RFC 5646) of the headers `lang` and `accept-lang` (DIDComm v2.1,
/// "Internationalization").

#include <string>
#include <string_view>
#include <vector>

namespace kith::protocol {

/// Subtags of one to eight letters and digits joined by hyphens, the first of letters only.
[[nodiscard]] bool is_language_tag(std::string_view text);

/// The best of `available` for somebody who ranks `accepted` from most to least preferred: lookup
/// of RFC 4647 section 3.4 ("pt-BR" falls back to "pt"). `fallback` when nothing fits.
[[nodiscard]] std::string choose_language(const std::vector<std::string>& accepted,
                                          const std::vector<std::string>& available,
                                          std::string_view fallback);

}  // namespace kith::protocol
