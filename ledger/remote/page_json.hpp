#pragma once

/// The JSON of pages and proofs, between service.cpp and client.cpp (http.hpp has the form).

#include <cstdint>
#include <optional>
#include <string_view>

#include "crypto/json.hpp"
#include "ledger/ledger.hpp"
#include "protocol/effect.hpp"

namespace kith::ledger {

/// JSON integers stay below 2^53.
inline constexpr std::uint64_t kPositionMax = crypto::kJsonIntegerMax;

struct ProvenPage {
  LedgerPage page;
  std::optional<protocol::LedgerProof> proof;  ///< With one proof of inclusion for each entry.
};

[[nodiscard]] Json page_json(const ProvenPage& proven);
/// Shape and limits; order, subjects and what is proven are the caller's. Errors: malformed,
/// limit_exceeded.
[[nodiscard]] Result<ProvenPage> parse_page(std::string_view text);

}  // namespace kith::ledger
