#pragma once

/// The JSON of entries, between entry.cpp and entry_parse.cpp. Others use entry.hpp.

#include "crypto/json.hpp"
#include "ledger/entry.hpp"

namespace kith::ledger {

enum class Signatures : std::uint8_t { left_out, put_in };

[[nodiscard]] Json entry_json(const Entry& entry, Signatures signatures);
[[nodiscard]] Json reveal_json(const Reveal& reveal);
/// Shape of every member. With `left_out` the member "sigs" must be absent.
[[nodiscard]] Result<Entry> entry_from_json(const Json& json, Signatures signatures);

}  // namespace kith::ledger
