#pragma once

/// Resolutions that the user asked for (commands did-resolve and did-resolve-status): a record each
/// (collection `resolution`), at most kResolutionsKept.

#include <string>
#include <string_view>

#include "protocol/module.hpp"

namespace kith::ledger {

/// Context of the effects: prefix and id.
inline constexpr std::string_view kResolutionContext = "resolution ";

[[nodiscard]] Result<JsonObject> start_resolution(Host& host, const JsonObject& args);
[[nodiscard]] Result<JsonObject> resolution_status(Host& host, const JsonObject& args);
void take_resolution_page(Host& host, std::string_view id, const protocol::Effect& effect,
                          const Result<Bytes>& outcome);

}  // namespace kith::ledger
