#pragma once

/// Resolutions that the user asked for (commands did-resolve and did-resolve-status): a record each
/// (collection `resolution`), at most kResolutionsKept.
///
/// `did` may be a DID URL: then what it names is given as well (protocol/did_core.hpp), and of a
/// did:kith the version that it asks for. did:web is fetched, all else that is not did:kith is
/// known or nothing can be done. A did:kith that moved is followed from ledger to ledger
/// (log_trail.hpp); didDocumentMetadata.kith then has `moved` {from, to, contestableUntil} while
/// the move can be contested. What was looked up is kept for a while (protocol/kept_document.hpp),
/// so that an invitation from it can be accepted.

#include <string>
#include <string_view>

#include "protocol/module.hpp"

namespace kith::ledger {

/// Context of the effects: prefix and id.
inline constexpr std::string_view kResolutionContext = "resolution ";

[[nodiscard]] Result<JsonObject> start_resolution(Host& host, const JsonObject& args);
[[nodiscard]] Result<JsonObject> resolution_status(Host& host, const JsonObject& args);
/// The next page of a log, or the answer of a web server.
void take_resolution_answer(Host& host, std::string_view id, const protocol::Effect& effect,
                            const Result<Bytes>& outcome);

}  // namespace kith::ledger
