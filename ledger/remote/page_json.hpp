#pragma once

/// The JSON of pages, between service.cpp and client.cpp (http.hpp has the form).

#include <cstdint>
#include <string_view>

#include "crypto/json.hpp"
#include "ledger/ledger.hpp"

namespace kith::ledger {

/// JSON integers stay below 2^53.
inline constexpr std::uint64_t kPositionMax = (std::uint64_t{1} << 53U) - 1;

[[nodiscard]] Json page_json(const LedgerPage& page);
/// Shape and limits; order and subjects are the caller's. Errors: malformed, limit_exceeded.
[[nodiscard]] Result<LedgerPage> parse_page(std::string_view text);

}  // namespace kith::ledger
